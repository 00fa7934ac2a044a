#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rooms_test.py BUILD SOURCE: an include in the wrong direction does not compile, one in the right direction does.

Each header of each room is compiled with the flags that the build uses for each other room. Headers in a sub-folder of a
room are that room's alone.
"""
import glob
import json
import os
import shlex
import subprocess
import sys

SEES = {
    "base": set(),
    "ring": {"base"},
    "os": {"base"},
    "region": {"base", "ring", "os"},
    "api": {"base", "ring", "os", "region"},
}
# A header's own includes count too, since a room may see less than the header's room does.


def flags_of(build):
    """room -> (compiler, its preprocessor flags)"""
    flags = {}
    with open(os.path.join(build, "compile_commands.json")) as file:
        for entry in json.load(file):
            parts = entry["file"].split("/src/")
            if len(parts) == 2 and "/" in parts[1]:
                words = shlex.split(entry["command"])
                if os.path.basename(words[0]) == "ccache":
                    words = words[1:]
                keep = [word for word in words if word[:2] in ("-I", "-D") or word.startswith("-std")]
                flags[parts[1].split("/")[0]] = (words[0], keep)
    return flags


def compiles(compiler, flags, header):
    source = f'#include "{header}"\nextern int unused;\n'
    return subprocess.run([compiler, *flags, "-fsyntax-only", "-x", "c", "-"], input=source, text=True,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def is_of_another_system(compiler, flags, header):
    """Does it need <windows.h>, where there is none?"""
    with open(header) as file:
        needs = "<windows.h>" in file.read()
    return needs and not compiles(compiler, flags, "windows.h")


def main():
    build, source = sys.argv[1:]
    flags, wrong, tried = flags_of(build), [], 0
    for room, sees in SEES.items():
        for other in SEES:
            for header in glob.glob(os.path.join(source, "src", other, "**", "*.h"), recursive=True):
                if is_of_another_system(*flags[room], header):
                    continue
                is_private = os.path.basename(os.path.dirname(header)) != other  # in a folder of the room
                may = other == room or (other in sees and not is_private)
                tried += 1
                if compiles(*flags[room], os.path.basename(header)) != may:
                    wrong.append(f"{room} {'cannot' if may else 'can'} include {other}'s {header}")
    if wrong or tried < 20:
        sys.exit("\n".join(wrong) or f"only {tried} includes tried")
    print(f"{tried} includes tried")


if __name__ == "__main__":
    main()
