# SPDX-License-Identifier: MIT
"""The pages of the C reference and of the commands, from the same sources as the manual's pages (docs/man)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "docs" / "man"))
import make_pages  # noqa: E402

TITLES = {
    "quoit.h": "Queues", "quoit/typed.h": "Typed queues", "quoit/wait.h": "Waiting", "quoit/inspect.h": "Inspection",
    "quoit/pool.h": "Pools", "quoit/region.h": "Regions", "quoit/lock.h": "Locks", "quoit/sem.h": "Semaphores",
    "quoit/status.h": "Statuses",
}
# A definition at the top level, with the comment before it.
DEFINITION = re.compile(r"^((?:/\*(?:(?!\*/).)*\*/\n)?(?:(?:typedef )?(?:enum|struct)(?: \w+)? \{.*?^\}[^;]*;))",
                        flags=re.M | re.S)


def page_of(header):
    """include/quoit/lock.h -> reference/lock.md"""
    return f"reference/{'queues' if header == 'quoit.h' else pathlib.PurePath(header).stem}.md"


class Writer:
    """Writes comments of the headers as Markdown."""

    def __init__(self, headers):
        self.everything = make_pages.functions(headers)
        self.known = make_pages.statuses(headers)

    def link(self, name, page):
        header = self.everything[name][3]
        target = "" if page_of(header) == page else pathlib.PurePath(page_of(header)).name
        return f"[`{name}`]({target}#{name})"

    def prose(self, text, page, own=()):
        """Escapes the text, and makes names of functions links."""
        def mark(found):
            word = found.group(0)
            if word in self.everything and word not in own:
                return self.link(word, page)
            return f"`{word}`"
        pieces = re.split(r"(<[\w./]+\.h(?:pp)?>|\b(?:quoit|QUOIT)_\w+|\b[a-z]+_(?:[a-z_]+)\b|\b\w+\.\w+_\w+\b)", text)
        return "".join(mark(re.match(r".*", piece)) if index % 2 else re.sub(r"([*_<>\[\]|`])", r"\\\1", piece)
                       for index, piece in enumerate(pieces))

    def paragraphs(self, lines, page, own=()):
        """Paragraphs, and lists of a name, two spaces and a sentence. As make_pages.paragraphs, in Markdown."""
        out = [""]
        for line in lines:
            item = re.match(r"^ {2,4}(\S.*?)\s{2,}(\S.*)$", line)
            if item:
                name = re.sub(r"([\w.]+)", r"`\1`", item.group(1)) if len(item.group(1)) < 24 else item.group(1)
                out.append(f"- {name}: {self.prose(item.group(2), page, own)}")
            elif out[-1].startswith("- ") and re.match(r"^ {5,}\S", line):
                out[-1] += " " + self.prose(line.strip(), page, own)
            elif not line.strip():
                out.append("")
            elif out[-1].startswith("- ") or out[-1].endswith(".") and make_pages.BEGINS.match(line):
                out += ["", self.prose(line.strip(), page, own)]
            else:
                out[-1] += ("\n" if out[-1] else "") + self.prose(line.strip(), page, own)
        return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?<!\n)\n(?=- )(?<!- )", "\n", "\n".join(self.spaced(out)))).strip()

    @staticmethod
    def spaced(lines):
        """A list begins after an empty line."""
        before = ""
        for line in lines:
            if line.startswith("- ") and before and not before.startswith("- "):
                yield ""
            yield line
            before = line

    def function(self, name, page):
        declaration, comment, siblings, _ = self.everything[name]
        if name != siblings[0]:
            return ""
        lines = make_pages.comment_text(comment)
        out = [f'## {", ".join(f"`{sibling}`" for sibling in siblings)} {{ #{name} }}', ""]
        out += [f'<span id="{sibling}"></span>' for sibling in siblings[1:]]
        out += ["", "```c", *(self.everything[sibling][0] + ";" for sibling in siblings), "```", "",
                self.paragraphs(lines, page, siblings)]
        codes = make_pages.statuses_of(" ".join(lines), self.known)
        if codes and "quoit_status" in declaration.split("(")[0]:
            out += ["", "Statuses: " + ", ".join(f"[`{code}`]({'' if page == page_of('quoit/status.h') else 'status.md'}"
                                                 f"#{code})" for code in codes)]
        return "\n".join(out) + "\n\n"

    def header(self, header, text):
        page = page_of(header)
        bare = re.sub(r"^#define.*(?:\\\n.*)*", "", text, flags=re.M)
        comments = re.findall(r"^/\*.*?\*/", text, flags=re.M | re.S)
        out = [f"# {TITLES[header]}: `<{header}>`", ""]
        if header == "quoit.h":
            out += ["[The overview](overview.md) explains names, lifecycle, concurrency, signals and errors.", ""]
        else:
            out += [self.paragraphs(make_pages.comment_text(comments[1]), page), ""]
        definitions = [] if header in ("quoit/status.h", "quoit/typed.h") else DEFINITION.findall(bare)
        if definitions:
            out += ["## Types and constants", "", "```c", "\n\n".join(definitions), "```", ""]
        if header == "quoit/status.h":
            out += ["## Values", "", "| status | meaning |", "|---|---|"]
            out += [f'| <span id="{name}"></span>`{name}` | {self.prose(meaning, page)} |'
                    for name, meaning in self.known.items()] + [""]
        out += [self.function(name, page) for name, (_, _, _, where) in self.everything.items() if where == header]
        return "\n".join(out)

    def overview(self, text):
        """The comment that heads quoit.h, which is quoit(7) too."""
        page, out, code, words = "reference/overview.md", [], [], []

        def flush():
            if words:
                out.extend([self.paragraphs(words, page), ""])
            if code:
                language = "c" if code[0].rstrip().endswith((";", "{")) else "text"  # or a table
                out.extend([f"```{language}", *code, "```", ""])
            words.clear()
            code.clear()
        in_item = False
        for line in make_pages.comment_text(re.findall(r"/\*.*?\*/", text, flags=re.S)[1]):
            heading = make_pages.SECTION.match(line)
            starts = line.startswith("  - ")
            in_item = starts or (in_item and line.startswith("    "))
            if heading:
                flush()
                rest = line[heading.end():].strip(" ,")
                out.extend([f"## {heading.group(1).replace(',', '').capitalize()}", ""])
                line = f"{heading.group(1).capitalize()} {rest}" if rest else ""
            if line.startswith("    ") and not in_item:
                if words:
                    flush()
                code.append(line[4:])
                continue
            if code or starts:
                flush()
            words.append(re.sub(r"^ +", "", line) if in_item else line)
            if starts:
                words[-1] = words[-1][2:]
                out.append("- ")
        flush()
        joined = re.sub(r"^- \n+", "- ", "\n".join(out), flags=re.M)
        return "# Overview of the C interface\n\n" + joined + "\n"


def c_pages(headers):
    writer = Writer(headers)
    pages = {page_of(header): writer.header(header, text) for header, text in headers.items()}
    pages["reference/overview.md"] = writer.overview(headers["quoit.h"])
    return pages


def commands_page(quoit):
    text = make_pages.run_help(quoit)
    names = re.findall(r"^  (\w+) +\S", text, flags=re.M)
    out = ["# The command `quoit`", "", "This is the output of `quoit help`, and of `quoit help COMMAND` for each command.",
           "", "```text", text.rstrip(), "```", ""]
    for name in names:
        out += [f"## quoit {name}", "", "```text", make_pages.run_help(quoit, name).rstrip(), "```", ""]
    return "\n".join(out)


def pages(quoit):
    names = [*make_pages.HEADERS, "quoit/typed.h"]
    headers = {name: (ROOT / "include" / name).read_text() for name in names}
    result = c_pages({name: headers[name] for name in TITLES})
    result["reference/commands.md"] = commands_page(quoit)
    return result
