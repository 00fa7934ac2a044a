#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leftovers.py before|after FILE: lists the objects that the tests leave in the system. `after` fails if there are
any."""
import glob
import sys
import time

ANY_NAME = {"encoding": "utf-8", "errors": "surrogateescape"}  # the names of other programs' files need not be UTF-8


def present():
    """Returns everything that a test could leave, one per line. Other programs' objects are not listed."""
    things = set()
    for pattern in ["/dev/shm/*qt-*", "/dev/shm/quoit*", "/dev/shm/.quoit*", "/dev/shm/readings",
                    "/tmp/quoit-test*", "/tmp/qt-*", "/tmp/quoit.*", "/tmp/.quoit*"]:
        things |= set(glob.glob(pattern))
    things |= {f"System V segment, key {row[0]} id {row[1]}" for row in table("shm")}
    things |= {f"System V semaphores, key {row[0]} id {row[1]}" for row in table("sem")
               if row[3] == "11"}  # the same number as Quoit's sets
    return things


def table(kind):
    try:
        with open(f"/proc/sysvipc/{kind}") as rows:
            return [row.split() for row in rows.readlines()[1:]]
    except FileNotFoundError:
        return []  # a system without this table


def main():
    when, path = sys.argv[1:]
    if when == "before":
        with open(path, "w", **ANY_NAME) as file:
            file.write("\n".join(sorted(present())))
        return
    with open(path, **ANY_NAME) as file:
        before = set(file.read().split("\n"))
    left = present() - before
    for _ in range(300):  # another test run at the same time also creates and removes objects
        if not left:
            return
        time.sleep(0.1)
        left &= present()
    sys.exit("left behind:\n" + "\n".join(map(ascii, sorted(left))))


if __name__ == "__main__":
    main()
