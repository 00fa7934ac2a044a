#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_pictures.py [--check | --self-test]: draws docs/pictures/*.dot as *.svg, by Graphviz. Without an option it writes
the SVG files anew.

--check fails if an SVG file does not follow from its source. Each SVG file contains a hash of its source, which must be
the source's. Its nodes, edges and labels must be those that Graphviz draws now. Coordinates are not compared, since they
depend on the version of Graphviz and on the fonts of the machine. Each picture must also be shown by a document.
--self-test plants faults, and fails if --check does not find one of them.
"""
import functools
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

FOLDER = os.path.dirname(os.path.abspath(__file__))
DOCUMENTS = os.path.dirname(FOLDER)

# The style of all pictures. The background is white, so that a page with dark colours shows them as well. A reader's
# machine chooses the font, and Graphviz computes the places of words for the first one. Both fonts have the same widths.
STYLE = """
    graph [bgcolor = white, pad = 0.2, fontname = "DejaVu Sans,Verdana,sans-serif", fontsize = 13, fontcolor = "#1f2933"]
    node [shape = box, style = "rounded,filled", fillcolor = white, color = "#52606d", margin = "0.14,0.08",
          fontname = "DejaVu Sans,Verdana,sans-serif", fontsize = 13, fontcolor = "#1f2933"]
    edge [color = "#52606d", arrowsize = 0.8, fontname = "DejaVu Sans,Verdana,sans-serif", fontsize = 12, fontcolor = "#1f2933"]
"""


@functools.lru_cache(maxsize=None)
def drawn(source, name):
    """The picture as Graphviz draws it."""
    styled = source.replace("{\n", "{" + STYLE, 1)
    run = subprocess.run(["dot", "-Tsvg"], input=styled, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{name}.dot: {run.stderr}")
    picture = run.stdout[run.stdout.index("<svg"):]
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<!-- SPDX-License-Identifier: MIT -->\n'
            f"<!-- ./dev pictures made this from {name}.dot, {hash_of(source)}. -->\n{picture}")


def hash_of(source):
    return hashlib.sha256((STYLE + source).encode()).hexdigest()[:16]


def contents(picture):
    """Returns the content of a picture without coordinates: the labels of each node, edge and cluster."""
    found = []
    for group in xml.etree.ElementTree.fromstring(picture.encode()).iter("{http://www.w3.org/2000/svg}g"):
        kind = group.get("class")
        title = group.find("{http://www.w3.org/2000/svg}title")
        texts = group.findall(".//{http://www.w3.org/2000/svg}text") if kind != "graph" else []
        words = " ".join("".join(text.itertext()) for text in texts).split()
        found.append((kind, title.text if title is not None else "", " ".join(words)))
    return sorted(found, key=repr)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(folder):
    return {os.path.basename(path)[:-4]: read(path) for path in sorted(glob.glob(f"{folder}/*.dot"))}


def shown(documents):
    """name -> the documents that show the picture"""
    places = {}
    for path in glob.glob(f"{documents}/*.md"):
        for name in re.findall(r"!\[[^\]]+\]\(pictures/(\w+)\.svg\)", read(path)):
            places.setdefault(name, []).append(os.path.basename(path))
    return places


def faults(folder, documents):
    made = {os.path.basename(path)[:-4]: read(path) for path in glob.glob(f"{folder}/*.svg")}
    expected = sources(folder)
    places = shown(documents)
    for name, source in expected.items():
        if name not in made:
            yield f"{name}.svg is missing"
        elif hash_of(source) not in made[name]:
            yield f"{name}.svg is older than {name}.dot"
        elif contents(made[name]) != contents(drawn(source, name)):
            yield f"{name}.svg has other nodes, edges or labels than {name}.dot"
        if name not in places:
            yield f"no document in docs shows {name}.svg"
    for name in sorted((set(made) | set(places)) - set(expected)):
        yield f"{name}.svg has no source {name}.dot"


def self_test():
    """Each fault is found in a copy of docs that is right without it."""
    name = "mpmc_slot"
    plants = [
        (f"pictures/{name}.dot", "copies the item in", "copies it in", "is older than"),
        (f"pictures/{name}.dot", "#dbeafe", "#dbeaff", "is older than"),
        (f"pictures/{name}.svg", "copies the item in", "copies it in", "has other nodes, edges or labels"),
        (f"pictures/{name}.svg", "claimed</title>", "taken</title>", "has other nodes, edges or labels"),
        (f"pictures/{name}.svg", None, None, "is missing"),
        (f"pictures/{name}.dot", None, None, "has no source"),
        ("ARCHITECTURE.md", "(pictures/rooms.svg)", "(pictures/room.svg)", "no document in docs shows rooms.svg"),
        ("ARCHITECTURE.md", "(pictures/rooms.svg)", "(pictures/room.svg)", "room.svg has no source"),
    ]
    for path, old, new, expected in plants:
        with tempfile.TemporaryDirectory(prefix="qt-pictures-") as copy:
            shutil.copytree(DOCUMENTS, f"{copy}/docs", ignore=shutil.ignore_patterns("man"))
            text = read(f"{copy}/docs/{path}")
            if list(faults(f"{copy}/docs/pictures", f"{copy}/docs")):
                sys.exit("self-test: --check fails already")
            os.remove(f"{copy}/docs/{path}")
            if old:
                if old not in text:
                    sys.exit(f"self-test: {path} has no {old!r} to plant a fault in")
                with open(f"{copy}/docs/{path}", "w", encoding="utf-8") as file:
                    file.write(text.replace(old, new))
            found = list(faults(f"{copy}/docs/pictures", f"{copy}/docs"))
            if not any(expected in fault for fault in found):
                sys.exit(f"self-test: {new!r} in {path} was not found: {found}")
    print(f"make_pictures.py: {len(plants)} planted faults found")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif sys.argv[1:] == ["--check"]:
        found = list(faults(FOLDER, DOCUMENTS))
        if found:
            sys.exit("\n".join(found + ["./dev pictures draws the pictures anew"]))
    elif not sys.argv[1:]:
        for name, source in sources(FOLDER).items():
            with open(f"{FOLDER}/{name}.svg", "w", encoding="utf-8") as file:
                file.write(drawn(source, name))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
