#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cross_table.py DIRECTORY REPORT TARGET...: prints the result of each target of ./dev cross as one table.

DIRECTORY has a file for each target, which contains "built" or the reason why it is not; REPORT is ctest's XML. Exit
code: 0 all passed; 77 some targets were skipped, the others passed; 1 a target failed.
"""
import os
import sys
import xml.etree.ElementTree as tree

PASSED, FAILED, SKIPPED = 0, 1, 77
LINKED_ALONE = {"macos": "linked for x86_64 and aarch64; nothing here can run it"}


def reports(path):
    """Returns target -> its test cases."""
    cases = {}
    if os.path.exists(path):
        for case in tree.parse(path).getroot().iter("testcase"):
            cases.setdefault(case.get("name").split(".")[0], []).append(case)
    return cases


def why(case):
    """Returns the reason that a skipped test printed."""
    output = case.findtext("system-out") or ""
    lines = [line.partition("skipped: ")[2] for line in output.splitlines() if "skipped: " in line]
    return lines[-1] if lines else "no reason given"


def row(target, state, cases):
    """Returns (target, passed, failed, skipped, remarks, exit code)."""
    if state != "built":
        return target, "", "", "", [state], SKIPPED if state.startswith("skipped") else FAILED
    if target in LINKED_ALONE:
        return target, "", "", "", [LINKED_ALONE[target]], PASSED
    failed = [case for case in cases if case.get("status") == "fail"]
    skipped = [case for case in cases if case.get("status") in ("notrun", "disabled")]
    passed = len(cases) - len(failed) - len(skipped)
    remarks = [f"failed: {case.get('name').partition('.')[2]}" for case in failed]
    remarks += [f"skipped {case.get('name').partition('.')[2]}: {why(case)}" for case in skipped]
    return (target, passed, len(failed), len(skipped), remarks or [""],
            FAILED if failed or passed == 0 else PASSED)


def main():
    directory, report, targets = sys.argv[1], sys.argv[2], sys.argv[3:]
    cases = reports(report)
    form = "{:<10}{:>7}{:>8}{:>9}  {}"
    print(form.format("target", "passed", "failed", "skipped", "remarks"))
    codes = {PASSED}
    for target in targets + (["leftovers"] if "leftovers" in cases else []):
        state = "built"
        if target != "leftovers":
            with open(os.path.join(directory, target)) as file:
                state = file.read().strip()
        *cells, remarks, code = row(target, state, cases.get(target, []))
        for at, remark in enumerate(remarks):
            print(form.format(*(cells if at == 0 else [""] * 4), remark).rstrip())
        codes.add(code)
    sys.exit(FAILED if FAILED in codes else max(codes))


if __name__ == "__main__":
    main()
