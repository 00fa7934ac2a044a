#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_recipes.py ARCHIVE FOLDER: writes the recipes of this folder to FOLDER, for the source archive ARCHIVE.

Each @NAME@ in a recipe is replaced: the version, the archive's hashes, and the addresses of the file upstream.
"""
import email.utils
import hashlib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent
SYSTEMS = ("arch", "conan", "homebrew", "nix", "rpm", "vcpkg")


def values(archive):
    version = re.search(r"project\(quoit VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)
    soversion = re.search(r"\bSOVERSION (\d+)", (SOURCE / "src/CMakeLists.txt").read_text()).group(1)
    changed = re.search(r"^ -- .*>  (.*)$", (SOURCE / "cmake/debian/changelog").read_text(), flags=re.M).group(1)
    upstream = dict(re.findall(r"^(\w+) = (.*)$", (HERE / "upstream").read_text(), flags=re.M))
    data = archive.read_bytes()
    return {
        "VERSION": version,
        "SOVERSION": soversion,
        "HOME": upstream["home"],
        "ARCHIVE": upstream["archive"].format(version=version),
        "MAINTAINER": upstream["maintainer"],
        "RPM_DATE": email.utils.parsedate_to_datetime(changed).strftime("%a %b %d %Y"),
        "SHA256": hashlib.sha256(data).hexdigest(),
        "SHA512": hashlib.sha512(data).hexdigest(),
    }


def main(archive, folder):
    known = values(pathlib.Path(archive))
    for recipe in sorted(path for system in SYSTEMS for path in (HERE / system).iterdir()):
        unknown = set(re.findall(r"@([A-Z0-9_]+)@", recipe.read_text())) - set(known)
        if unknown:
            sys.exit(f"make_recipes.py: {recipe} has @{unknown.pop()}@, but the names are {', '.join(known)}")
        made = pathlib.Path(folder, recipe.relative_to(HERE))
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(re.sub(r"@([A-Z0-9_]+)@", lambda name: known[name.group(1)], recipe.read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
