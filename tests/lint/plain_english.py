#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""plain_english.py: the rule "words" of source_rules.py, which bans phrases in comments, string literals and Markdown.

The banned phrases are metaphors for processes ("the dead"), "who" for a process, functions that "tell", sentences that
begin with "What". Each has its replacement. Run as a program, this file lists all hits and their number.
"""
import io
import re
import sys
import tokenize

import tracked

# phrase -> what to write instead. A space matches any white space.
PHRASES = {
    r"\b(?:the|a|an|one|no|another|of|by) (?:dead|living|dying)\b|\b(?:dead|living) ones?\b":
        "write 'a crashed process' or 'a live process'",
    r"\b(?:nobody|somebody|everybody|anybody|no one)\b": "write 'no process', 'a process', 'every process'",
    r"\bwho(?:m?ever)\b": "write 'any process that'",
    r"\bwhom?\b(?!-)": "'who' is for people: write 'which' or 'that'",
    r"\b(?:asleep|awake)\b": "write 'blocked in a wait' or 'running'",
    r"\bc(?:a|o)mes? to nothing\b": "write 'is abandoned'",
    r"\bby ones\b": "write 'one item per call'",
    r"\bin vain\b": "write 'without success'",
    r"\b(?:in|at) hand\b": "write 'claimed but not yet committed', or 'available'",
    r"\bto be had\b": "write 'available'",
    r"\bgone on with\b": "write 'continued'",
    r"\bqueues? of many\b(?! (?:producers|consumers))": "write 'MPMC queue'",
    r"\b(?:told|tells?|telling)\b": "functions return; write 'returns' or 'reports'",
    r"\b(?:says?|said) so\b": "functions return; write 'returns' or 'reports'",
    r"Relaxed:\s+(?:as (?:above|before|below)|likewise|the same|see above)\b": "name the operation that orders it",
}
# Documents, but no functions, say something.
PHRASES_OF_CODE = {r"\b(?:says|said)\b(?! so)": "functions return; write 'returns', 'reports', 'contains'"}
# phrase, advice, and whether it is banned from Markdown too
BANNED = [(re.compile(phrase.replace(" ", r"\s+"), re.I), advice, phrase in PHRASES)
          for phrase, advice in {**PHRASES, **PHRASES_OF_CODE}.items()]
# The beginning of a comment, of a string, of a paragraph, of an item or a cell in Markdown, of a sentence.
BEGINS = re.compile(r"(?:\A\s*|[.!?;:][\"')]?\s+|\n\s*\n\s*|\n\s*(?:[-*#>]+|\d+\.)\s+|\|\s*)"
                    r"(What|Who|Whose|Whoever|Whom)\b")
ENDS = re.compile(r"[.!?](?=[\"')]?(?:\s|\Z))|\n\s*\n|\|")

# Here a person is meant, or a test plants a fault: file -> phrases; None: the whole file.
ALLOWED = {
    "CODE_OF_CONDUCT.md": ["people who want"],
    "tests/lint/plain_english.py": None,
    "tests/lint/source_rules.py": ["Relaxed: as above", "nobody pops", "What ends the stream",
                                   "who crashed, the living"],
}


def blank(pattern, text, flags=re.S):
    """Returns the text with every match replaced by blanks, so that lines and columns stay the same."""
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match.group(0)), text, flags=flags)


def pieces_of_c(text):
    """Comments, consecutive ones as one piece, and strings likewise; character constants, which may be quotes."""
    string = r"\"(?:\\.|[^\"\\\n])*\""
    wanted = rf"/\*.*?\*/|(?://[^\n]*\n?[ \t]*)+|'(?:\\.|[^'\\\n])'|{string}(?:\s*{string})*"
    for found in re.finditer(wanted, text, flags=re.S):
        yield found.start(), blank(r"^/\*|\*/$|^\s*\*|//|\"|\\n", found.group(0), flags=re.M)


def pieces_of_python(text):
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            at = starts[token.start[0] - 1] + token.start[1]
            words = token.string
            if re.match(r"[rR]?[fF]", words):
                words = blank(r"\{[^{}]*\}", words)
            yield at, blank(r"\A[a-zA-Z]*(?:\"\"\"|'''|[\"'])|(?:\"\"\"|'''|[\"'])\Z|^#+", words)


def pieces_of_shell(text):
    """Comments, and quoted strings; here-documents line by line."""
    for found in re.finditer(r"(?<![\w$&])#[^\n]*(?:\n[ \t]*#[^\n]*)*|\"(?:\\.|[^\"\\])*\"|^  .*$", text, flags=re.M):
        yield found.start(), blank(r"^\s*#+|\"|\$\{?#?\w+", found.group(0), flags=re.M)


def pieces_of_markdown(text):
    """Everything except blocks of code and the targets of links."""
    yield 0, blank(r"^```.*?^```|\]\([^)]*\)|<!--.*?-->", text, flags=re.S | re.M)


def pieces_of(path, text):
    if path.endswith(".md"):
        return pieces_of_markdown(text)
    if path.endswith(".py"):
        return pieces_of_python(text)
    return (pieces_of_c if path.endswith((".c", ".h", ".cpp", ".hpp", ".pml")) else pieces_of_shell)(text)


def faults_of(piece, is_document):
    """Yields (position, fault) for each banned phrase in a comment, a string or a document."""
    for phrase, advice, in_documents in BANNED:
        for found in phrase.finditer(piece) if in_documents or not is_document else ():
            yield found.start(), f"'{' '.join(found.group(0).split())}': {advice}"
    for found in BEGINS.finditer(blank(r"^#+ [^\n]*", piece, flags=re.M) if is_document else piece):
        end = ENDS.search(piece, found.end())
        if not end or end.group(0) != "?":
            yield found.start(1), f"a sentence begins with '{found.group(1)}': begin with the thing that acts"


def is_allowed(path, text, at):
    """Returns whether one of the file's allowed phrases is at this position."""
    phrases = ALLOWED.get(path, [])
    return phrases is None or any(found.start() <= at < found.end() for phrase in phrases
                                  for found in re.finditer(re.escape(phrase).replace(r"\ ", r"\s+"), text))


def check_words(path, text):
    for start, piece in pieces_of(path, text):
        for at, fault in faults_of(piece, path.endswith(".md")):
            if not is_allowed(path, text, start + at):
                yield text.count("\n", 0, start + at) + 1, fault


def is_checked(path):
    return (path.endswith((".c", ".h", ".cpp", ".hpp", ".py", ".pml", ".md", ".sh", ".cmake", ".yml"))
            or path.endswith("CMakeLists.txt") or path in ("dev", ".ci/run")) and not path.startswith("bench/results/")


def self_test():
    """Finds each banned phrase in an example, and nothing in plain sentences. Returns the number of banned ones."""
    bad = [
        ("a.c", "/* The rows of the\n   dead are cleared. */", "crashed"),
        ("a.c", "/* a dead producer */", "crashed"),
        ("a.c", "/* as nobody waits */", "no process"),
        ("a.md", "Whoever looks sees it.", "any process"),
        ("a.c", "/* the process who has it */", "for people"),
        ("a.h", "// a consumer asleep", "blocked"),
        ("a.c", 'print("the claim came "\n      "to nothing");', "abandoned"),
        ("a.md", "items by ones", "per call"),
        ("a.py", "# tried in\nx = 1  # vain\n# tried in vain", "success"),
        ("a.py", '"""What it has in hand."""', "claimed"),
        ("a.sh", 'say "it is not to be had"', "available"),
        ("a.md", "to be gone on with", "continued"),
        ("a.md", "a queue of many", "MPMC"),
        ("a.c", "/* is told once */", "returns"),
        ("a.c", "/* FULL, and says so */", "reports"),
        ("a.md", "FULL, and says so", "reports"),
        ("a.c", "/* says FULL */", "reports"),
        ("a.c", "    /* Relaxed: as above. */", "orders it"),
        ("a.c", "/* What it holds, stays. */", "begins with 'What'"),
        ("a.md", "# A title\n\nIt is so. Who\nowns it may free it.", "begins with 'Who'"),
        ("a.cpp", "int x; // What follows\n", "begins with 'What'"),
        ("a.md", "| a | What is there |", "begins with 'What'"),
        ("dev", "  what   it tells", "returns"),
    ]
    good = [
        ("a.c", "/* What is it? A name. */ int who = tell(dead); /* a dead_member */"),
        ("a.c", "char c = '\"'; /* a live process whose lock */ char d = '\"';"),
        ("a.md", "## What differs\n\n[a](who.md) says `tell_text`"),
        ("a.md", "```c\nwho\n```\nThe who-am-i call. Whatever."),
        ("a.py", "who = 'x'  # a process that asks what it is\ny = f'{who}'"),
        ("a.sh", "say \"$who ${#who}\"  # a process"),
    ]
    for path, text, expected in bad:
        if not any(expected in fault for _, fault in check_words(path, text)):
            sys.exit(f"plain_english.py: nothing found in {text!r}: {list(check_words(path, text))}")
    for path, text in good:
        if list(check_words(path, text)):
            sys.exit(f"plain_english.py: found in {text!r}: {list(check_words(path, text))}")
    return len(bad)


if __name__ == "__main__":
    self_test()
    COUNT = 0
    for NAME in filter(is_checked, tracked.tracked()):
        with open(NAME) as FILE:
            for NUMBER, FAULT in check_words(NAME, FILE.read()):
                print(f"{NAME}:{NUMBER}: {FAULT}")
                COUNT += 1
    print(f"{COUNT} hits")
