#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cross_table.py DIRECTORY TARGET...: what became of each target of ./dev cross, as one table.

DIRECTORY holds a file for each target that says whether it was built, and tests.xml, ctest's report. Fails if a
target that was to be tested was not, or if a test failed.
"""
import os
import sys
import xml.etree.ElementTree as tree

LINKED_ALONE = {"macos": "linked for x86_64 and aarch64; nothing here can run it"}


def reports(path):
    """target -> its test cases"""
    cases = {}
    if os.path.exists(path):
        for case in tree.parse(path).getroot().iter("testcase"):
            cases.setdefault(case.get("name").split(".")[0], []).append(case)
    return cases


def why(case):
    """The reason that a skipped test printed."""
    output = case.findtext("system-out") or ""
    lines = [line.partition("skipped: ")[2] for line in output.splitlines() if "skipped: " in line]
    return lines[-1] if lines else "no reason given"


def row(target, state, cases):
    """(target, passed, failed, skipped, remarks, whether all is well)"""
    if state != "built":
        return target, "", "", "", [state], state.startswith("skipped")
    if target in LINKED_ALONE:
        return target, "", "", "", [LINKED_ALONE[target]], True
    failed = [case for case in cases if case.get("status") == "fail"]
    skipped = [case for case in cases if case.get("status") in ("notrun", "disabled")]
    passed = len(cases) - len(failed) - len(skipped)
    remarks = [f"failed: {case.get('name').partition('.')[2]}" for case in failed]
    remarks += [f"skipped {case.get('name').partition('.')[2]}: {why(case)}" for case in skipped]
    return target, passed, len(failed), len(skipped), remarks or [""], not failed and passed > 0


def main():
    directory, targets = sys.argv[1], sys.argv[2:]
    cases = reports(os.path.join(directory, "tests.xml"))
    form = "{:<10}{:>7}{:>8}{:>9}  {}"
    print(form.format("target", "passed", "failed", "skipped", "remarks"))
    good = True
    for target in targets:
        with open(os.path.join(directory, target)) as file:
            *cells, remarks, well = row(target, file.read().strip(), cases.get(target, []))
        for at, remark in enumerate(remarks):
            print(form.format(*(cells if at == 0 else [""] * 4), remark).rstrip())
        good = good and well
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
