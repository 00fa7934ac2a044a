#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count_instructions.py PROGRAM: counts the instructions of a push and a pop with callgrind. The result does not depend
on the load of the machine."""
import re
import subprocess
import sys

WAYS = ("push, pop", "push, pop, with a time-out", "push, pop, not inlined", "32 at a time", "push, pop, MPMC",
        "32 at a time, MPMC")
FEW, MANY = 1000, 11000


def count(way, rounds):
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.argv[1], way, str(rounds)],
                         capture_output=True, text=True)
    found = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"{sys.argv[1]} '{way}' failed: {run.stderr}")
    return int(found.group(1))


def a_round(way):
    return (count(way, MANY) - count(way, FEW)) / (MANY - FEW)


loop = a_round("nothing")
print("| instructions, a push and its pop, 16 bytes | |\n|---|---|")
for way in WAYS:
    items = 32 if way.startswith("32") else 1
    print(f"| {way} | {(a_round(way) - loop) / items:.1f} an item |")
