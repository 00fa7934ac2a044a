#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exports_test.py SOURCE [LIBRARY [NM]]: src/exports.txt lists the functions that the public headers declare, and
LIBRARY exports exactly those.

`exports_test.py SOURCE --write` writes src/exports.txt.
"""
import pathlib
import re
import subprocess
import sys

HEAD = """# The public functions, one a line: what the headers declare, and the shared library exports.
# tests/install/exports_test.py compares them, and writes this file (--write).
"""


def declared(source):
    """Returns the functions that the public headers declare, except static ones and macros."""
    names, macros = set(), set()
    for header in [source / "include/quoit.h", *(source / "include/quoit").glob("*.h")]:
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        macros.update(re.findall(r"^#define (quoit_\w+)\(", text, flags=re.M))
        text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
        for start in re.finditer(r"^(?!static|typedef)\w[^;{}()]*\b(quoit_\w+)\(", text, flags=re.M):
            names.add(start.group(1))
    return names - macros


def exported(library, nm):
    """Returns the functions that LIBRARY exports: of a DLL, from its import library; of an ELF file, by version."""
    words = [nm, "-g", "--defined-only", library]
    if not library.endswith(".a"):
        words.insert(1, "-D")
    lines = subprocess.run(words, text=True, check=True, capture_output=True).stdout.splitlines()
    found = [re.match(r"\S+ ([TWA-Z]) (\S+)$", line) for line in lines]
    symbols = {match.group(2) for match in found if match and match.group(1) != "I"}
    if library.endswith(".a"):
        return {name for name in symbols if not name.startswith(("__imp_", "_head_")) and "_iname" not in name}
    unversioned = {name for name in symbols if name != "QUOIT_0" and not name.endswith("@@QUOIT_0")}
    if unversioned:
        sys.exit(f"{library}: these symbols have not the version QUOIT_0: {' '.join(sorted(unversioned))}")
    return {name.split("@")[0] for name in symbols} - {"QUOIT_0"}


def compare(what, has, should):
    for name in sorted(should - has):
        print(f"{what} lacks {name}")
    for name in sorted(has - should):
        print(f"{what} has {name}, which no public header declares")
    return has == should


def main():
    source = pathlib.Path(sys.argv[1])
    listing = source / "src/exports.txt"
    should = declared(source)
    if len(should) < 50:
        sys.exit(f"only {len(should)} functions found in the public headers: this test reads them wrongly")
    if sys.argv[2:] == ["--write"]:
        listing.write_text(HEAD + "".join(name + "\n" for name in sorted(should)))
        return
    lines = [line for line in listing.read_text().splitlines() if not line.startswith("#")]
    good = compare("src/exports.txt", set(lines), should)
    if lines != sorted(set(lines)):
        print("src/exports.txt is not sorted, or names one twice")
        good = False
    if len(sys.argv) > 2:
        nm = sys.argv[3] if len(sys.argv) > 3 else "nm"
        good = compare(sys.argv[2], exported(sys.argv[2], nm), should) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
