#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""record_npm_test.py QUOIT: compares a file of `quoit record` with what another reader finds in it.

That is the npm package @mcap/core, which is kept outside the project. If it cannot be installed, the test is skipped.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import mcap_file
import record_test
from push_pop_test import LIMIT, OK, check, lines, main

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
NPM = "@mcap/core@2.2.2"


def npm_modules():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"), "quoit", "mcap")
    modules = cache / "node_modules"
    if not shutil.which("npm") or not shutil.which("node"):
        reason = "npm or node is not installed"
    elif (modules / "@mcap" / "core").exists() or subprocess.run(
            ["npm", "install", "--silent", "--prefix", cache, NPM], capture_output=True, timeout=LIMIT,
            check=False).returncode == 0:
        return modules
    else:
        reason = f"npm cannot install {NPM}"
    print(f"skipped: {reason}, so no other reader checks the files")
    sys.exit(SKIPPED)


def reader(shell):
    """@mcap/core finds what `quoit record` wrote, by the index and in the order of the file."""
    modules = npm_modules()
    names = [shell.name(), shell.name()]
    file = shell.path("a.mcap")
    recorder = shell.record(file, "--flush", "0.001", *names)
    pushes = [shell.feed(lines(3000), names[0], "--each", "--capacity", "100"),
              shell.feed(bytes(24) * 1000, names[1], "--raw", "--item-bytes", "24", "--kind", "mpmc")]
    for process in [*pushes, recorder]:
        shell.end(process, OK)

    def look(path):
        done = subprocess.run(["node", HERE / "mcap_reader.cjs", modules, path], capture_output=True, timeout=LIMIT,
                              check=False, text=True)
        check(done.returncode == 0, f"@mcap/core: {done.stderr}")
        return json.loads(done.stdout)
    wanted = [[number, sequence, str(at), data.hex()] for number, sequence, at, data in mcap_file.messages(record_test.read(file))]
    seen = look(file)
    check(seen["ordered"]["done"] and seen["ordered"]["messages"] == wanted, "in order it finds other messages")
    indexed = seen["indexed"]
    check(sorted(indexed["messages"]) == sorted(wanted), "by the index it finds other messages")
    check(indexed["count"] == 4000 and sorted(indexed["perChannel"]) == [1000, 3000], f"the statistics: {indexed['count']}")
    check(indexed["chunks"] == len(mcap_file.chunks(record_test.read(file))), f"the index of {indexed['chunks']} chunks")
    check({channel["topic"] for channel in indexed["channels"]} == set(names), f"{indexed['channels']}")
    check({channel["metadata"]["quoit.kind"] for channel in indexed["channels"]} == {"spsc", "mpmc"}, "the metadata")
    check([pairs["end"] for name, pairs in indexed["metadata"] if name == "quoit.end"] == ["finished"] * 2, "the ends")
    half = shell.write(record_test.read(file)[:len(record_test.read(file)) // 2])
    seen = look(half)["ordered"]
    check(not seen["done"] and seen["messages"] == wanted[:len(seen["messages"])]
          and len(seen["messages"]) == len(record_test.payloads(half)), "of half a file it finds other messages")


if __name__ == "__main__":
    main([reader], record_test.Recorder, [])
