#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""documents.py [--self-test]: docs/ARCHITECTURE.md and docs/FORMAT.md are true of the files that they name.

  places    each file and folder that they name exists, and a function that follows a file is in that file
  links     each link from a document of this project to another file of it leads to a file, and to a heading of it
  offsets   each _Static_assert that names FORMAT.md has its row in the tables of that section, and each row of a
            shared struct has its _Static_assert, or is the struct's first member
"""
import os
import re
import sys

import tracked

NAMING = ("docs/ARCHITECTURE.md", "docs/FORMAT.md")
FILE = re.compile(r"[\w./*-]+\.(?:c|h|hpp|py|sh|cmake|pml|md|txt|dot|svg)")
# `file`: `function`, `function`; or: `file`, `function` and `function`
IN_FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+)`(?:: |, )((?:`\w+`(?:, | and )?)+)")
OFFSET = re.compile(r'_Static_assert\(offsetof\(struct (\w+), (\w+)\) == (\d+), "FORMAT\.md (\d+)"\)')
# The first member of a struct, which C puts at 0.
FIRST = re.compile(r"^struct (\w+) \{\n\s+(?:_Atomic )?\w+ (\w+)", flags=re.M)
SIZE = re.compile(r'_Static_assert\(sizeof\(struct (\w+)\) == (\d+), "FORMAT\.md (\d+)"\)')
# A row of a table of fields: at, type, name.
FIELD = re.compile(r"^\| (\d+) \| ((?:atomic )?[uic]\w+(?:\[\d+\])?) \| (\w+) \|", flags=re.M)


def folders(paths):
    found = set()
    for path in paths:
        while "/" in path:
            path = path[:path.rindex("/")]
            found.add(path + "/")
    return found


def check_places(document, text, files):
    known = set(files) | folders(files)
    bases = {path.split("/")[-1] for path in files}
    for name in re.findall(r"`([^`\n]+)`", text):
        if not (FILE.fullmatch(name) or re.fullmatch(r"[\w./-]+/", name)) or "*" in name:
            continue
        if not {name, "src/" + name, "include/" + name} & known and name not in bases:
            yield f"{document}: there is no {name}"
    for path, names in IN_FILE.findall(text):
        content = files.get(path, files.get("src/" + path))
        for name in re.findall(r"`(\w+)`", names):
            if content is not None and not re.search(rf"\b{name}\b", content):
                yield f"{document}: {name} is not in {path}"


def anchors(text):
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
            for heading in headings}


def check_links(document, text, files):
    known = set(files) | folders(files)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
        if path not in known and path + "/" not in known:
            yield f"{document}: the link to {target} leads to no file"
        elif anchor and path.endswith(".md") and anchor not in anchors(files[path]):
            yield f"{document}: {target} leads to no heading"


def sections(text):
    """number -> its part of FORMAT.md"""
    parts = re.split(r"^## (\d+)\. ", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def check_offsets(files):
    parts = sections(files["docs/FORMAT.md"])
    rows = {number: {(name, at) for at, _, name in FIELD.findall(part)} for number, part in parts.items()}
    asserted = {number: set() for number in parts}
    for path, text in sorted(files.items()):
        if not path.startswith("src/"):
            continue
        for struct, name, at, number in OFFSET.findall(text):
            asserted[number].add((name, at))
            if (name, at) not in rows[number]:
                yield f"docs/FORMAT.md {number} does not have {struct}.{name} at {at}, which {path} asserts"
        first = dict(FIRST.findall(text))
        for struct, size, number in SIZE.findall(text):
            asserted[number].add((first[struct], "0"))
            if not re.search(rf"\b{size} bytes\b", parts[number]):
                yield f"docs/FORMAT.md {number} does not say that {struct} has {size} bytes, which {path} asserts"
    for number, found in rows.items():
        for name, at in sorted(found - asserted[number]):
            yield f"docs/FORMAT.md {number} has {name} at {at}, which no _Static_assert checks"


def check_all(files):
    faults = []
    for document in NAMING:
        faults += check_places(document, files[document], files)
    for document in files:
        if document.endswith(".md"):
            faults += check_links(document, files[document], files)
    return faults + list(check_offsets(files))


def project():
    files = {}
    for name in tracked.tracked():
        if not name.startswith("tests/fuzz/corpus/"):
            with open(name, encoding="utf-8", errors="replace") as file:
                files[name] = file.read()
    return files


def self_test():
    """Each rule finds the fault that it is there for, planted in the project as it is."""
    files = project()
    plants = [
        ("docs/ARCHITECTURE.md", "`cmake/mechanisms.cmake`", "`cmake/mechanism.cmake`", "there is no cmake/mechanism.cmake"),
        ("docs/ARCHITECTURE.md", "| `tests/unit/` |", "| `tests/units/` |", "there is no tests/units/"),
        ("docs/ARCHITECTURE.md", "`ring/broadcast_push.c`: `raise_limit`", "`ring/broadcast_push.c`: `rise_limit`",
         "rise_limit is not in"),
        ("docs/ARCHITECTURE.md", "](FORMAT.md)", "](FORMATS.md)", "leads to no file"),
        ("docs/ARCHITECTURE.md", "](#one-push)", "](#one-pull)", "leads to no heading"),
        ("docs/FORMAT.md", "| 40 | u64 | checksum | creator", "| 44 | u64 | checksum | creator", "checksum at 40"),
        ("docs/FORMAT.md", "| 76 | u32 | item_align |", "| 76 | u32 | item_aligns |", "item_align at 76"),
        ("docs/FORMAT.md", "| 264 | atomic u64 | retained_from |", "| 264 | atomic u64 | retained |",
         "which no _Static_assert checks"),
        ("docs/FORMAT.md", "### Lock header, 144 bytes", "### Lock header, 128 bytes", "has 144 bytes"),
        ("src/ring/ring_shm.h", "_Static_assert(offsetof(struct quoit_ring_shm, head) == 128, \"FORMAT.md 4\");", "",
         "head at 128, which no"),
    ]
    clean = check_all(files)
    for path, old, new, expected in plants:
        if old not in files[path]:
            sys.exit(f"self-test: {path} has no {old!r} to plant a fault in")
        faults = check_all({**files, path: files[path].replace(old, new, 1)})
        if not any(expected in fault for fault in faults if fault not in clean):
            sys.exit(f"self-test: {new!r} in {path} was not found: {faults}")
    print(f"documents.py: {len(plants)} planted faults found")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    else:
        FAULTS = check_all(project())
        print("\n".join(FAULTS))
        sys.exit(1 if FAULTS else 0)
