#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_site.py QUOIT OUTPUT: builds the documentation site in the folder OUTPUT, with mkdocs and its theme "material".

QUOIT is the program `quoit`, whose help becomes a page. The pages are the Markdown files of the project, the reference from
the headers, and a page for each source file that a page links to. Each fact has one source: nothing is copied by hand.
Without network the site is complete: it has no font, script or image from elsewhere, and its search runs in the browser,
also for pages that are opened as files.

Comments of a page are instructions, which other readers of Markdown do not see:
  <!-- include FILE -->            the file, without its SPDX line
  <!-- include FILE FUNCTION -->   one function of it
  <!-- from FILE -->, <!-- file NAME -->, <!-- run -->, <!-- prints -->
                                   the title of the code block below; tests read these comments too
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import reference

ROOT = reference.ROOT
HERE = pathlib.Path(__file__).resolve().parent
PROJECT = ("CHANGELOG", "CODE_OF_CONDUCT", "CONTRIBUTING", "MAINTAINERS", "SECURITY")
LANGUAGES = {".c": "c", ".h": "c", ".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".sh": "sh", ".json": "json",
             ".yml": "yaml", ".cmake": "cmake", ".txt": "text", ".dot": "text", ".pml": "text", ".pyi": "python"}
AS_THEY_ARE = {".svg", ".png"}
FENCE = re.compile(r"^(?P<before>(?:<!-- (?:from|file|run|prints)[^\n]*-->\n)?)^(?P<fence>```)(?P<language>\w*)\n(?P<text>.*?)^```$",
                   flags=re.M | re.S)


class Fault(Exception):
    pass


def listed():
    """The files of the project, as git knows them, or as they lie there if it is no clone."""
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    names = done.stdout.split("\n") if done.returncode == 0 else \
        [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not path.is_relative_to(ROOT / "build")]
    return {name for name in names if (ROOT / name).is_file()}


def site_path(path):
    """The page, or the file of the site, that a file of the project becomes."""
    name = pathlib.PurePosixPath(path)
    if path == "README.md":
        return "index.md"
    if path in [f"{each}.md" for each in PROJECT] or path.startswith("tests/") and path.endswith("README.md"):
        return "project/" + (name.stem if path in [f"{each}.md" for each in PROJECT] else name.parent.name).lower() + ".md"
    if path == "tools/quoit.c":  # its help is the page
        return "reference/commands.md"
    if path.startswith("include/") and path[len("include/"):] in reference.TITLES:
        return reference.page_of(path[len("include/"):])
    if path.startswith("docs/") and (name.suffix == ".md" or name.suffix in AS_THEY_ARE):
        return path[len("docs/"):].lower() if name.suffix == ".md" else path[len("docs/"):]
    if name.suffix in AS_THEY_ARE or name.suffix == ".md":
        return path
    return f"source/{path}.md"


def strip_spdx(text):
    return re.sub(r"\A(#!.*\n)?(/\*|//|#) SPDX-License-Identifier: \w+( \*/)?\n", r"\1", text)


def function_of(text, name, path):
    """The function, with the comment before it; of Python, too."""
    found = re.search(rf"^(?:/\*(?:(?!\*/).)*\*/\n)?[\w \*:<>]+\b{name}\([^;{{]*\)\n(?:try )?\{{\n.*?^\}}[^\n]*$", text,
                      flags=re.M | re.S)
    if not found and path.endswith(".py"):
        found = re.search(rf"^(?:async )?def {name}\(.*?(?=\n\n\n|\Z)", text, flags=re.M | re.S)
    if not found:
        raise Fault(f"{path} has no function {name}; correct the comment <!-- include {path} {name} -->")
    return found.group(0)


class Stage:
    """The folder from which mkdocs builds the site."""

    def __init__(self, folder, quoit):
        self.folder, self.files = folder, listed()
        self.pages = {path for path in self.files if path == "README.md" or path.endswith(".md") and (
            path.startswith(("docs/", "bench/results/", "packaging/")) or path[:-3] in PROJECT or path == "tests/model/README.md")}
        self.wanted = set()  # source files that pages link to
        shutil.rmtree(folder, ignore_errors=True)
        for path in sorted(self.pages):
            self.write(site_path(path), self.page(path, (ROOT / path).read_text(encoding="utf-8")))
        for path, text in reference.pages(quoit).items():
            self.write(path, text)
        for path in sorted(self.wanted):
            self.write_source(path)

    def write(self, path, text):
        target = self.folder / "pages" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def write_source(self, path):
        if pathlib.PurePosixPath(path).suffix in AS_THEY_ARE:
            target = self.folder / "pages" / site_path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, target)
            return
        text = (ROOT / path).read_text(encoding="utf-8")
        language = LANGUAGES.get(pathlib.PurePosixPath(path).suffix, "text")
        self.write(site_path(path), f"# {path}\n\n````{language}\n{text.rstrip()}\n````\n")

    def page(self, path, text):
        text = re.sub(r"^<!-- include (\S+)(?: (\w+))? -->$", self.include, text, flags=re.M)
        parts, at = [], 0
        for fence in FENCE.finditer(text):  # links in code stay, and comments outside of it go
            parts += [self.prose(path, text[at:fence.start()]), self.fence(fence)]
            at = fence.end()
        return "".join(parts) + self.prose(path, text[at:])

    def include(self, found):
        path, function = found.groups()
        if path not in self.files:
            raise Fault(f"there is no file {path}; correct the comment {found.group(0)}")
        text = (ROOT / path).read_text(encoding="utf-8")
        text = function_of(text, function, path) if function else strip_spdx(text)
        language = LANGUAGES[pathlib.PurePosixPath(path).suffix]
        return f"<!-- from {path} -->\n```{language}\n{text.strip()}\n```"

    @staticmethod
    def fence(found):
        kind, _, name = re.sub(r"<!-- | -->\n", "", found.group("before")).partition(" ")
        title = {"from": name, "file": name, "run": "Run this", "prints": "It prints"}.get(kind, "")
        language = found.group("language") or "text"
        return f"\n```{language}{f' title={chr(34)}{title}{chr(34)}' if title else ''}\n{found.group('text')}```"

    def prose(self, path, text):
        text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
        text = re.sub(r"^(\|[^\n]*)\n(?=[^|\n])", r"\1\n\n", text, flags=re.M)
        text = re.sub(r"^([^\n|\-*#>\d ][^\n]*)\n(?=(?:-|\*|\d+\.) )", r"\1\n\n", text, flags=re.M)  # a list after a paragraph
        text = re.sub(r"^( {2,3})(?=\S)", "    ", text, flags=re.M)  # the inside of a list
        return re.sub(r"(\]\()([^)\s]+)(\))", lambda found: self.link(path, found), text)

    def link(self, path, found):
        target = found.group(2)
        if re.match(r"[a-z]+:|#", target):
            return found.group(0)
        name, _, anchor = target.partition("#")
        name = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if name not in self.files:
            index = f"{name}/README.md" if f"{name}/README.md" in self.files else None
            if not index:
                raise Fault(f"{path}: the link to {target} leads to no file")
            name = index
        if name not in self.pages and not site_path(name).startswith("reference/"):
            self.wanted.add(name)
        relative = os.path.relpath(site_path(name), os.path.dirname(site_path(path)) or ".")
        return f"]({relative}{'#' + anchor if anchor else ''})"


def build(stage, output):
    shutil.copyfile(HERE / "mkdocs.yml", stage.folder / "mkdocs.yml")
    shutil.copytree(HERE / "overrides", stage.folder / "overrides", dirs_exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["mkdocs", "build", "--quiet", "--strict", "--clean", "--config-file", str(stage.folder / "mkdocs.yml"),
               "--site-dir", str(output.resolve())]
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        raise Fault("mkdocs failed; its messages are above")


def finish(output):
    """Makes the search work for pages that are opened as files, and leaves source files out of it."""
    path = output / "search" / "search_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    index["docs"] = [each for each in index["docs"] if not each["location"].startswith("source/")]
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")
    path.with_suffix(".js").write_text(f"var __search = {{ index: Promise.resolve({text}) }};\n", encoding="utf-8")
    for name in ("sitemap.xml", "sitemap.xml.gz"):  # a sitemap needs the site's address
        (output / name).unlink(missing_ok=True)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    output = pathlib.Path(sys.argv[2])
    try:
        stage = Stage(output.resolve().with_name(output.name + "_source"), sys.argv[1])
        build(stage, output)
    except (Fault, reference.make_pages.Fault) as fault:
        sys.exit(f"make_site.py: {fault}")
    finish(output)
    print(f"{sum(1 for _ in output.rglob('*.html'))} pages: {output / 'index.html'}")


if __name__ == "__main__":
    main()
