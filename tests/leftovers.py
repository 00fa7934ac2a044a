#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leftovers.py before|after FILE: what the suite leaves in the system. `after` fails if there is anything."""
import glob
import sys
import time


def present():
    """Everything that a test could leave behind, a line each."""
    things = set(glob.glob("/dev/shm/*") + glob.glob("/tmp/quoit*") + glob.glob("/tmp/qt-*"))
    for kind in ["shm", "sem", "msg"]:
        try:
            with open(f"/proc/sysvipc/{kind}") as table:
                things |= {f"System V {kind} key {row.split()[0]} id {row.split()[1]}"
                           for row in table.readlines()[1:]}
        except FileNotFoundError:
            pass  # a system without this table
    return things


def main():
    when, path = sys.argv[1:]
    if when == "before":
        with open(path, "w") as file:
            file.write("\n".join(sorted(present())))
        return
    with open(path) as file:
        before = set(file.read().splitlines())
    left = present() - before
    for _ in range(100):  # another suite beside this one makes things too, and takes them away
        if not left:
            return
        time.sleep(0.1)
        left &= present()
    sys.exit("left behind:\n" + "\n".join(sorted(left)))


if __name__ == "__main__":
    main()
