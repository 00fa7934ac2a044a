#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pages_test.py SOURCE BUILD: follows the pages of the documentation site as a reader does, with an installed BUILD.

On each page below docs/ (but not the tutorial and the guide for Python, which have their own tests), a block below
`<!-- file NAME -->` is saved under that name, and the blocks below `<!-- run -->` run in bash, all of a page in one shell
and one fresh directory. The text below `<!-- prints -->` must be in the output of the block before it. Each other block of
code must say why it is not run: `<!-- not run: REASON -->`, or that it is part of a file: `<!-- from FILE -->`.

`pages_test.py --self-test` plants faults.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import readme_test  # noqa: E402

OTHER_TESTS = {"docs/TUTORIAL.md", "docs/PYTHON.md"}
CHECKED_ELSEWHERE = {"docs/ARCHITECTURE.md", "docs/STYLE.md", "docs/ORDERING.md", "docs/FORMAT.md", "docs/PORTING.md"}  # excerpts
BLOCK = re.compile(r"^(?:<!-- (?P<kind>file|run|prints|from|not run):? ?(?P<name>[^\n]*?) ?-->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
                   flags=re.M | re.S)
QUEUES = ["points", "start-orders", "start-lines", "colours", "numbers", "stoppable", "any-urgent", "any-normal", "audio",
          "page-pool", "page-blocks", "page-mq", "page-tour", "page-full", "page-orders", "page-trip"]


def untested(page, text, source):
    """Blocks that no test covers."""
    for block in BLOCK.finditer(text):
        kind, language = block.group("kind"), block.group("language")
        if kind == "from":
            path = source / block.group("name")
            if not path.is_file() or block.group("text") not in path.read_text():
                yield f"{page}: the block from {block.group('name')} is not in it"
        elif kind == "not run" and not block.group("name"):
            yield f"{page}: 'not run' without a reason"
        elif language and not kind:
            yield f"{page}: this block is not tested; write '<!-- run -->' or '<!-- file NAME -->' before it:\n{block.group('text')}"


def follow(page, text, source, home):
    """Saves and runs the page's blocks. Yields faults."""
    blocks = list(BLOCK.finditer(text))
    if not any(block.group("kind") in ("run", "file") for block in blocks):
        return
    work = home / page.replace("/", "-")
    work.mkdir()
    (work / "quoit").symlink_to(source)
    script, wanted, saved = [], [], set()
    for block in blocks:
        if block.group("kind") == "file":
            (work / block.group("name")).write_text(block.group("text"))
            saved.add(block.group("name"))
        elif block.group("kind") == "run":
            script.append(block.group("text"))
            wanted.append("")
        elif block.group("kind") == "prints" and wanted:
            wanted[-1] = block.group("text")
    commands = "".join(script)
    for name in sorted(saved):
        if pathlib.PurePath(name).stem not in commands and not any(f'"{name}"' in (work / other).read_text() for other in saved):
            yield f"{page}: {name} is saved, and no command uses it"
    output, good = readme_test.run(readme_test.script([(text, "") for text in script]), home, work)
    if not good:
        yield f"{page}: a block failed; all printed:\n{output}"
        return
    for command, lines, printed in zip(script, wanted, output.split("=== end of block\n")):
        if lines not in printed:
            yield f"{page}: the block\n{command}printed\n{printed}and not\n{lines}"


def check(pages, source, home):
    faults = []
    for page, text in sorted(pages.items()):
        faults += untested(page, text, source)
        faults += follow(page, text, source, home)
    return faults


def self_test(source):
    plants = {
        "```c\nint x;\n```\n": "is not tested",
        "<!-- not run: -->\n```c\nint x;\n```\n": "without a reason",
        "<!-- from examples/hello/reading.h -->\n```c\nint x;\n```\n": "is not in it",
        "<!-- run -->\n```sh\nfalse\n```\n": "a block failed",
        "<!-- run -->\n```sh\necho one\n```\n<!-- prints -->\n```\ntwo\n```\n": "and not",
        "<!-- file x.c -->\n```c\nint x;\n```\n<!-- run -->\n```sh\necho one\n```\n": "no command uses it",
    }
    for text, expected in plants.items():
        with tempfile.TemporaryDirectory() as home:
            faults = check({"docs/x.md": text}, source, pathlib.Path(home))
        if not any(expected in fault for fault in faults):
            sys.exit(f"pages_test.py: no '{expected}' for\n{text}{faults}")
    print(f"pages_test.py: {len(plants)} planted faults found")


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    if sys.argv[1:] == ["--self-test"]:
        self_test(root)
        return
    source, build, only = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3:]
    names = [path.relative_to(source).as_posix() for path in source.glob("docs/**/*.md")]
    pages = {name: (source / name).read_text() for name in names if name not in OTHER_TESTS | CHECKED_ELSEWHERE}
    if only:
        pages = {name: text for name, text in pages.items() if any(part in name for part in only)}
    self_test(root)
    quoit = pathlib.Path(build).resolve() / "tools" / "quoit"
    with tempfile.TemporaryDirectory(prefix="quoit-test-") as home:
        subprocess.run(["cmake", "--install", build, "--prefix", f"{home}/.local"], check=True, stdout=subprocess.DEVNULL)
        faults = check(pages, source, pathlib.Path(home))
    if faults:
        subprocess.run([quoit, "rm", "--force", *QUEUES], check=False)
    print("\n".join(faults) or f"{len(pages)} pages followed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
