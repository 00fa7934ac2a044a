#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""wheel_test.py WHEEL GLIBC: the compiled module in the wheel needs no library but the C library's own, no symbol that is
newer than that version of glibc, and shows nothing but its entry. It is what auditwheel checks of a manylinux wheel."""
import os
import re
import subprocess
import sys
import tempfile
import zipfile

LIBRARIES = {"libc.so.6", "libpthread.so.0", "librt.so.1", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def readelf(*arguments):
    return subprocess.run(["readelf", "--wide", *arguments], capture_output=True, text=True, check=True).stdout


def check(condition, text):
    if not condition:
        sys.exit(f"wheel_test.py: {text}")


def main(wheel, newest):
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        names = archive.namelist()
        for name in ("quoit/__init__.py", "quoit/py.typed", "quoit/_core.pyi", "quoit/_core.abi3.so", "quoit/mp.py"):
            check(name in names, f"{name} is not in the wheel")
        check("-cp311-abi3-manylinux_" in os.path.basename(wheel), f"the wheel's name is {wheel}")
        module = archive.extract("quoit/_core.abi3.so", folder)
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("--dynamic", module)))
        symbols = readelf("--dyn-syms", module)
    check(needed <= LIBRARIES, f"it needs {needed - LIBRARIES}")
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r"@GLIBC_([\d.]+)", symbols)}
    check(versions and max(versions) <= tuple(map(int, newest.split("."))), f"it needs symbols of glibc {max(versions)}")
    shown = re.findall(r"\b(?:GLOBAL|WEAK)\s+DEFAULT\s+\d+\s+(\w+)", symbols)
    check(shown == ["PyInit__core"], f"it shows {shown}")
    # Names that begin with an underscore, and are of the stable ABI all the same: macros lead to them.
    private = [name for name in re.findall(r"\bUND\s+(_Py\w+)", symbols) if not name.endswith("_SizeT") and name not in (
        "_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct", "_Py_Dealloc")]
    check(not private, f"it uses {private}, which are not of the stable ABI")
    print(f"{os.path.basename(wheel)}: glibc {'.'.join(map(str, max(versions)))}, {', '.join(sorted(needed))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
