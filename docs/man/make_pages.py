#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_pages.py OUTPUT [QUOIT [PROGRAM...]]: writes the manual's pages, each from one source.

  section 3   a page for each public function, from its comment and its declaration in the headers
  section 7   quoit(7), from the comment that heads quoit.h
  section 1   a page for each command, from the output of `quoit COMMAND --help` (QUOIT is the program), and for each
              other PROGRAM in the same way

A public function without a comment, a command without help, and a comment that names a status that does not exist are
errors. `make_pages.py --self-test` plants such faults.
"""
import email.utils
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ("quoit.h", "quoit/inspect.h", "quoit/lock.h", "quoit/pool.h", "quoit/region.h", "quoit/sem.h", "quoit/status.h",
           "quoit/wait.h")
INCLUDED_APART = ("quoit/inspect.h", "quoit/lock.h", "quoit/sem.h")  # <quoit.h> does not include these
VERSION = re.search(r"project\(quoit VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
CHANGED = re.search(r"^ -- .*>  (.*)$", (ROOT / "cmake/debian/changelog").read_text(), flags=re.M).group(1)
# The first lines of each page: the name is between them.
DATE = f".Dd {email.utils.parsedate_to_datetime(CHANGED):%Y-%m-%d}"
SYSTEM = f".Os Quoit {VERSION}"
# A paragraph of a comment, which shows it only by its first word.
BEGINS = re.compile(r"^(?:[A-Z]{2,}|[A-Z_]{3,}|[a-z_]+|Both|All|Cost|Concurrency): |^Returns OK\b|^[a-z_]+ returns OK\b|^OK ")
STATUS_LINE = re.compile(r"(?:^(?:\w+: )?|\breturns? )(OK(?:(?:, | or | )[A-Z_]{3,})+)", flags=re.I)
SECTION = re.compile(r"^([A-Z][A-Z ,]+[A-Z])(?=[ ,]|$)")


class Fault(Exception):
    pass


# ---- The headers -----------------------------------------------------------------------------------------------------

def comment_text(comment):
    """Returns the text of a comment, line by line, without its frame."""
    lines = comment[2:-2].split("\n")
    return [re.sub(r"^ \* ?|^   ?(?=\S)", "", line).rstrip() for line in lines]


def blocks_of(text):
    """Returns (comment, declarations) for each comment and the declarations directly after it."""
    pieces = re.split(r"(/\*.*?\*/)", text, flags=re.S)
    comment, blocks = None, []
    for piece in pieces:
        if piece.startswith("/*"):
            comment = piece
            continue
        for chunk in re.split(r"\n\s*\n", piece):
            found = re.findall(r"^((?:const )?[a-z][\w ]*?[ *]+(quoit_\w+)\(([^;{]*?)\));", chunk, flags=re.M | re.S)
            if found:
                blocks.append((comment, [(re.sub(r"\s+", " ", whole), name) for whole, name, _ in found], chunk))
            comment = None if chunk.strip() else comment
    return blocks


def trailing_remarks(text):
    return {name: remark for name, remark in re.findall(r"\b(quoit_\w+)\([^;]*\);[ ]*(/\*[^\n]*?\*/)", text)}


def functions(headers):
    """Returns name -> (declaration, comment, siblings, header), in the order of the headers."""
    result = {}
    for header, text in headers.items():
        remarks = trailing_remarks(text)
        for name, remark in remarks.items():
            text = text.replace(remark, "", 1)
        text = re.sub(r"^#define.*(?:\\\n.*)*", "", text, flags=re.M)
        last = None
        for comment, declared, _ in blocks_of(text):
            siblings = [name for _, name in declared]
            last = comment or last
            for declaration, name in declared:
                own = remarks.get(name)
                if not (own or comment):
                    raise Fault(f"{header}: {name} has no comment; add one before its declaration")
                result[name] = (declaration, own or comment, [name] if own else siblings, header)
    return result


def types_in(declaration, headers):
    """Yields the structs and enums that a declaration names, as the headers define them."""
    for kind, name in dict.fromkeys(re.findall(r"\b(struct|enum) (quoit_\w+)", declaration)):
        for text in headers.values():
            found = re.search(rf"^{kind} {name} \{{.*?^\}};", text, flags=re.M | re.S)
            if found:
                yield found.group(0)


# ---- mdoc ------------------------------------------------------------------------------------------------------------

def escape(line):
    line = line.replace("\\", "\\e").replace("…", "\\[u2026]")
    return "\\&" + line if line[:1] in (".", "'") else line


def paragraphs(lines):
    """Returns prose as paragraphs, and lines with a name, two spaces and a sentence as a list."""
    out, items = [], False
    for line in lines:
        item = re.match(r"^ {2,4}(\S.*?)\s{2,}(\S.*)$", line)
        if item:
            out += [] if items else [".Bl -tag -width Ds"]
            out += [f".It {escape(item.group(1))}", escape(item.group(2))]
            items = True
        elif items and re.match(r"^ {5,}\S", line):
            out.append(escape(line.strip()))
        elif BEGINS.match(line) and out and out[-1].endswith((".", ".)")):
            out += ([".El"] if items else []) + [".Pp", escape(line)]
            items = False
        else:
            out += [".El", ".Pp"] if items else []
            items = False
            out.append(escape(line.strip()) if line.strip() else ".Pp")
    out += [".El"] if items else []
    text = "\n".join(out)
    text = re.sub(r"\A(\.Pp\n)+|(\n\.Pp)+\Z", "", text)
    text = re.sub(r"(\.Pp\n)+(?=\.(Pp|Bl|El))", "", text)
    text = re.sub(r"(?<=\.El)\n\.Pp(?=\n\.Pp)", "", text)
    return re.sub(r"(?<=[\w)\"’])\.([)\"]?) (?=[A-Z\"(])", r".\1\n", text)  # mdoc: a sentence, a line


def first_sentence(lines):
    words = " ".join(line.strip() for line in lines if line.strip())
    sentence = re.split(r"(?<=[a-z)\"])[.:;](?:\s|$)", words)[0]
    sentence = sentence[:1].lower() + sentence[1:]
    return sentence if len(sentence) <= 90 else sentence[:90].rsplit(" ", 1)[0]


def synopsis(declaration):
    before, name, arguments = re.match(r"^(.*?)(quoit_\w+)\((.*)\)$", declaration).groups()
    quoted = " ".join(f'"{argument.strip()}"' for argument in arguments.split(",")) if "(" not in arguments \
        else f'"{arguments}"'
    return [f".Ft {before.strip()}", f".Fn {name} {quoted}"]


def literal(text):
    return [".Bd -literal", *(escape(line) for line in text.split("\n")), ".Ed"]


def statuses(headers):
    """Returns each status's name, and its comment in status.h."""
    enum = re.search(r"^typedef enum quoit_status \{(.*?)^\}", headers["quoit/status.h"], flags=re.M | re.S).group(1)
    known = {name: meaning or "success" for name, meaning
             in re.findall(r"(QUOIT_\w+) = -?\d+,?(?: +/\* (.*?) \*/)?$", enum, flags=re.M)}
    if len(known) != enum.count(" = "):
        raise Fault("status.h has an enumerator in another form; write NAME = NUMBER, with a comment in the same line")
    return known


def full_name(word, known):
    """Comments write INVALID for QUOIT_ERROR_INVALID, and FULL for QUOIT_FULL. Returns None if it is not a status."""
    return next((name for name in (word, f"QUOIT_{word}", f"QUOIT_ERROR_{word}") if name in known), None)


def statuses_of(words, known):
    found = (full_name(word, known) for word in re.findall(r"\b[A-Z][A-Z_]+\b(?!\.md)", words))
    return [name for name in dict.fromkeys(found) if name]


def check_statuses(name, lines, known):
    """Statuses in a row, "Returns OK, FULL or FINISHED", must be those that exist."""
    for found in STATUS_LINE.finditer(" ".join(line.strip() for line in lines)):
        for word in re.findall(r"[A-Z_]{2,}", found.group(1)):
            if not full_name(word, known):
                raise Fault(f"the comment of {name} names {word}, which is no status")


def function_page(name, everything, headers):
    declaration, comment, siblings, header = everything[name]
    lines, known = comment_text(comment), statuses(headers)
    check_statuses(name, lines, known)
    words = " ".join(lines)
    page = [DATE, f".Dt {name.upper()} 3", SYSTEM, ".Sh NAME",
            *(f".Nm {sibling}{' ,' if sibling != siblings[-1] else ''}" for sibling in siblings),
            f".Nd {escape(first_sentence(lines))}", ".Sh LIBRARY", "Quoit (libquoit, -lquoit)", ".Sh SYNOPSIS",
            f".In {header if header in INCLUDED_APART else 'quoit.h'}"]
    for sibling in siblings:
        page += synopsis(everything[sibling][0])
    page += [".Sh DESCRIPTION", paragraphs(lines)]
    for definition in types_in(" ".join(everything[sibling][0] for sibling in siblings), headers):
        if "quoit_status" not in definition[:18]:
            page += literal(definition)
    codes = statuses_of(words, known)
    if any("quoit_status" in everything[sibling][0].split("quoit_")[0] + everything[sibling][0][:13]
           for sibling in siblings) and codes:
        page += [".Sh STATUSES", "The statuses that the description names. 0 is success, a positive status a normal result,",
                 "a negative status an error.", ".Xr quoit_describe 3 returns a sentence about each.",
                 ".Bl -tag -width QUOIT_ERROR_UNSUPPORTED"]
        for code in codes:
            page += [f".It Dv {code}", known[code]]
        page += [".El"]
    others = [other for other in dict.fromkeys(re.findall(r"\bquoit_[a-z_]+\b", words))
              if other in everything and other not in siblings]
    if re.search(r"\b[Aa]s for queues\b", words):
        others.append("quoit_queue_create")
    page += [".Sh SEE ALSO", *(f".Xr {other} 3 ," for other in sorted(others)), ".Xr quoit 7"]
    return "\n".join(page) + "\n"


def overview_page(headers):
    comment = re.findall(r"/\*.*?\*/", headers["quoit.h"], flags=re.S)[1]
    page = [DATE, ".Dt QUOIT 7", SYSTEM, ".Sh NAME", ".Nm quoit",
            ".Nd messages between the processes of one machine, through shared memory", ".Sh DESCRIPTION"]
    gathered, code = [], []

    def flush():
        if code and all(re.match(r"^ {4}\S+ {2,}\S.*[^;]$", line) for line in code):
            page.append(paragraphs(code))
        elif code:
            page.extend(literal("\n".join(line[4:] for line in code)))
        if gathered:
            page.append(paragraphs(gathered))
        gathered.clear()
        code.clear()

    in_item = False
    for line in comment_text(comment):
        heading = SECTION.match(line)
        in_item = line.startswith("  - ") or (in_item and line.startswith("    "))
        if line.startswith("    ") and not in_item:
            if gathered:
                flush()
            code.append(line)
            continue
        if code or heading:
            flush()
        if heading:
            name = heading.group(1).replace(",", "")
            rest = line[heading.end():].strip(" ,")
            page.append(f".Sh {name} AND STATUSES" if name == "ERRORS" else f".Sh {name}")
            line = f"{name.capitalize()} {rest}" if rest else ""
        if line.startswith("  - "):
            gathered.append("")
        gathered.append(re.sub(r"^ *(- )?", "", line))
    flush()
    page += [".Sh SEE ALSO", ".Xr quoit 1 ,", ".Xr quoit_queue_create 3 ,", ".Xr quoit_queue_push 3"]
    return re.sub(r"\n(\.Pp\n)+(?=\.(Sh|Bd|Pp))", "\n", re.sub(r"(\.(?:Sh[^\n]*|Ed)\n)(\.Pp\n)+", r"\1",
                  "\n".join(page))) + "\n"


# ---- Commands --------------------------------------------------------------------------------------------------------

def run_help(*command):
    done = subprocess.run([*command, "--help"], capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.startswith("usage: "):
        raise Fault(f"{' '.join(command)} --help exits with {done.returncode}; it must print its usage and exit with 0")
    return done.stdout


def command_page(name, description, text, others):
    usage, rest = text.split("\n", 1)
    return "\n".join([DATE, f".Dt {name.upper()} 1", SYSTEM, ".Sh NAME", f".Nm {name}",
                      f".Nd {escape(description)}", ".Sh SYNOPSIS", *literal(usage[len("usage: "):]),
                      ".Sh DESCRIPTION", *literal(rest.strip("\n")), ".Sh SEE ALSO",
                      *(f".Xr {other} 1 ," for other in others), ".Xr quoit 7"]) + "\n"


def command_pages(quoit, programs):
    text = run_help(quoit)
    commands = re.findall(r"^  (\w+) {2,}(\S.*)$|^  (\w{6}) (\S.*)$", text, flags=re.M)
    if not commands:
        raise Fault(f"{quoit} --help lists no commands")
    commands = sorted([part for part in command if part] for command in commands)
    pages = {"quoit.1": command_page("quoit", "inspect shared-memory queues, and use them from a shell", text,
                                     [f"quoit-{name}" for name, _ in commands])}
    for name, summary in commands:
        pages[f"quoit-{name}.1"] = command_page(f"quoit-{name}", summary, run_help(quoit, name), ["quoit"])
    for program in programs:
        name = pathlib.Path(program).stem
        summary = "carry queues to and from NATS JetStream" if name == "quoit-bridge" else "part of Quoit's demonstration"
        pages[f"{name}.1"] = command_page(name, summary, run_help(program), ["quoit"])
    return pages


def make(headers, quoit=None, programs=()):
    everything = functions(headers)
    pages = {f"{name}.3": function_page(name, everything, headers) for name in everything}
    pages["quoit.7"] = overview_page(headers)
    return {**pages, **(command_pages(quoit, programs) if quoit else {})}


# ---- Itself ----------------------------------------------------------------------------------------------------------

def self_test(headers):
    faults = [("quoit.h", "/* Leave the queue. It stays, with its items, unless it has TRANSIENT and no other member. The roles\n"
               "   of this handle are free. NULL is allowed. */", "", "no comment"),
              ("quoit/wait.h", " * Returns OK, WRONG_ROLE, FORKED, INVALID, LIMIT or NO_MEMORY;",
               " * Returns OK, WRONG_ROLE, FORKED, INVALIDE;", "no status")]
    for header, old, new, expected in faults:
        if old not in headers[header]:
            sys.exit(f"make_pages.py: {header} has no '{old}' to plant a fault in")
        try:
            make({**headers, header: headers[header].replace(old, new)})
        except Fault as fault:
            if expected in str(fault):
                continue
        sys.exit(f"make_pages.py does not find a planted fault: {new or old}")
    declared = set()
    for text in headers.values():
        bare = re.sub(r"^#define.*(?:\\\n.*)*", "", re.sub(r"/\*.*?\*/", "", text, flags=re.S), flags=re.M)
        declared |= set(re.findall(r"\b(quoit_\w+)\([^)]*\);", bare))
    declared.discard("quoit_visit")
    missing = declared - set(functions(headers))
    if missing or not declared:
        sys.exit(f"make_pages.py: no page for {sorted(missing)}")
    print(f"make_pages.py: {len(declared)} functions have a page, {len(faults)} planted faults were found")


def lint(pages):
    with tempfile.TemporaryDirectory() as folder:
        for name, page in pages.items():
            pathlib.Path(folder, name).write_text(page)
        try:
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *sorted(pages)], cwd=folder,
                                  capture_output=True, text=True)
        except FileNotFoundError:
            print("mandoc is not installed, so it did not check the pages")
            return
        if done.stdout.strip():
            sys.exit(done.stdout)
        print(f"mandoc found no fault in {len(pages)} pages")


def main():
    headers = {name: (ROOT / "include" / name).read_text() for name in HEADERS}
    arguments = sys.argv[1:]
    try:
        if arguments[:1] == ["--self-test"]:
            self_test(headers)
            lint(make(headers, *(arguments[1:2]), programs=arguments[2:]))
            return
        if not arguments:
            sys.exit(__doc__)
        output = pathlib.Path(arguments[0])
        output.mkdir(parents=True, exist_ok=True)
        for name, page in make(headers, *arguments[1:2], programs=arguments[2:]).items():
            (output / name).write_text(page)
    except Fault as fault:
        sys.exit(f"make_pages.py: {fault}")


if __name__ == "__main__":
    main()
