#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""summary.py REPORT...: adds ctest's reports (JUnit XML) up to one line `tests: N passed, N failed, N skipped`.

Prints the failed tests before it. Exit code: 0 if at least one test passed and none failed, else 1.
"""
import sys
import xml.etree.ElementTree as tree


def result(case):
    """passed, failed or skipped"""
    status = case.get("status")
    if status in ("notrun", "disabled"):
        return "skipped"
    return "failed" if status == "fail" else "passed"


def main():
    names = {"passed": [], "failed": [], "skipped": []}
    for path in sys.argv[1:]:
        for case in tree.parse(path).getroot().iter("testcase"):
            names[result(case)].append(case.get("name"))
    for name in names["failed"]:
        print(f"failed: {name}")
    print("tests: " + ", ".join(f"{len(names[kind])} {kind}" for kind in names))
    sys.exit(0 if names["passed"] and not names["failed"] else 1)


if __name__ == "__main__":
    main()
