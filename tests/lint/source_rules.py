#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""source_rules.py [--self-test]: the rules of this project that no general tool knows.

  rooms     an include goes only where docs/ARCHITECTURE.md allows it, and never by a relative path
  systems   examples, bench and tests use a system's headers only in files that are that system's by name
  os        no operating-system macro outside src/os and cmake (_MSC_VER, a compiler, also in src/base); no compiler
            extension outside src/base, src/os
  cl        what Microsoft's compilers warn of, and gcc and clang do not: a constant array without a value (C4132);
            characters outside ASCII in public headers, which each compiler reads in the user's own code page (C4819);
            an attribute of another compiler without a check (C5030)
  atomics   each atomic operation has a label or a 'Relaxed:' comment, each label has its partner, and
            docs/ORDERING.md has them all; "Relaxed:" names the operation that orders it, or the reason why none
            has to, and "as above" is refused
  descriptors  each call in src, tools, examples and include that makes a descriptor makes it close-on-exec itself,
            in one call; a line with "not close-on-exec:" and a reason is exempt
  once      src/ring, src/region and src/api do not copy a word or a header out of shared memory by memcpy, which
            may be read twice: by quoit_copy_once or an atomic load; a copy of private memory has a 'Private:' comment
  shape     an SPDX line at the head, at most 100 columns and 500 lines
  readme    each snippet in README.md and docs/TUTORIAL.md is literally in the file that its comment names;
            main of the shortest sender and receiver has at most 12 lines
  terminal  the command prints names, and what else another user may have chosen, by print_text alone
  tests     each `name: part` in docs/RELIABILITY.md is a part of that test
  bytes     each file is text (UTF-8, no NUL), except the fuzzer's corpus: nothing that a build made is committed
  words     no banned phrase in comments, string literals and Markdown (plain_english.py)
"""
import functools
import re
import sys

import plain_english
import tracked

SEES = {
    "src/base": {"src/base"},
    "src/ring": {"src/ring", "src/base"},
    "src/os": {"src/os", "src/base"},
    "src/region": {"src/region", "src/base", "src/ring", "src/os"},
    "src/api": {"src/api", "src/base", "src/ring", "src/os", "src/region"},
}
# The algorithms do not know the public API, only what callers inline of them.
PUBLIC_OF_RING = {"quoit/ring.h", "quoit/spsc.h", "quoit/status.h"}
PUBLIC_ONLY = ["tools/", "examples/", "bench/"]
ALSO_SEES = {("tools", "printable.h")}  # one function makes text printable, in the library and the command
POSIX_HEADERS = re.compile(r"<(sys/|unistd|fcntl|pthread|sched|signal|semaphore|spawn|dirent|windows|poll)")
# C has <signal.h> too, for a program's clean end.
SYSTEM_HEADERS = re.compile(POSIX_HEADERS.pattern.replace("|signal", "") + r"|<(shellapi|process|mman|termios|getopt)")
# Tests of what one system alone has are named after that, and left out elsewhere by tests/CMakeLists.txt.
ONE_SYSTEM = re.compile(r"_(posix|windows|linux|sysv)(_test)?\.(c|h|cpp)$|/(fork|owner|space|windows)_test\.c$")
OS_MACRO = re.compile(r"\b(_WIN32|_WIN64|__linux__|__linux|__APPLE__|__MACH__|__sun|__FreeBSD__|__unix__"
                      r"|__OpenBSD__|__NetBSD__|__CYGWIN__|_MSC_VER|__MINGW32__)\b")
EXTENSION = re.compile(r"\b(__attribute__|__builtin_\w+|__asm__|asm|__typeof__|typeof|__sync_\w+|__atomic_\w+"
                       r"|__declspec|__int128|__extension__)\b")
ATOMIC = re.compile(r"\batomic_(load|store|exchange|compare_exchange_\w+?|fetch_\w+?|thread_fence|flag_\w+?)"
                    r"(_explicit)?\s*\(")
# Calls that make a descriptor, and the word that makes it close-on-exec; None: no word does, another call is needed.
# shm_open and opendir do so always.
DESCRIPTOR_CALLS = {
    "open": "O_CLOEXEC", "openat": "O_CLOEXEC", "pipe2": "O_CLOEXEC", "dup3": "O_CLOEXEC", "mkostemp": "O_CLOEXEC",
    "posix_openpt": "O_CLOEXEC", "memfd_create": "MFD_CLOEXEC", "eventfd": "EFD_CLOEXEC", "signalfd": "SFD_CLOEXEC",
    "timerfd_create": "TFD_CLOEXEC", "epoll_create1": "EPOLL_CLOEXEC", "inotify_init1": "IN_CLOEXEC",
    "socket": "SOCK_CLOEXEC", "socketpair": "SOCK_CLOEXEC", "accept4": "SOCK_CLOEXEC", "fopen": '"re"',
    "creat": None, "pipe": None, "dup": None, "dup2": None, "mkstemp": None, "accept": None, "epoll_create": None,
    "inotify_init": None, "tmpfile": None, "popen": None,
}
DESCRIPTOR_CALL = re.compile(r"(?<![\w.>])(?<!static )(" + "|".join(DESCRIPTOR_CALLS) + r")\s*\(|\bF_DUPFD\b")
# Text that a user, maybe another one, has chosen; not the names of commands.
CHOSEN_BY_OTHERS = re.compile(r"(?<!running)(?<!\(\*command\))->(?:name|damage)\b(?!\[0)|\.(?:name|damage)\b(?!\[0)|\bnames?\[(?!0)"
                              r"|\bargv\b|\btool_option_value\b|\bquoit_describe\b|\btool_text\b")
LABEL = re.compile(r"\b([A-Z]+-[A-Z]+\d+):")
PAIRS = re.compile(r"Pairs\s+with\s+((?:[A-Z]+-[A-Z]+\d+(?:,\s+|\s+and\s+)?)+)")
NAME = re.compile(r"[A-Z]+-[A-Z]+\d+")
# A comment that refers to another one instead of giving a reason.
NO_REASON = re.compile(r"(as|like) (above|below|before|there|the other|that of)\b|likewise|the same\b|see (above|below)", re.I)
LINES_BELOW = 4  # of a label's comment, within which its operation begins

# The shortest complete sender and receiver: main, from its first line to its closing brace.
SHORTEST = {"examples/hello/sender.c", "examples/hello/receiver.c"}
SHORTEST_LINES = 12

# Into a variable, or through a pointer to a number: what is then checked, and used as a size or an index.
MEMCPY_OF_WORD = re.compile(r"\bmemcpy\s*\(\s*(?:\(void \*\)\s*)?(?:&|\w+_out\s*,[^;]*(?:HEADER_BYTES|sizeof)"
                            r"|\w+\s*,[^;]*sizeof \*)")


def room_of(path):
    return next((room for room in SEES if path.startswith(room + "/")), None)


def may_use_system(path):
    if path.startswith("bench/peers/"):  # Linux alone has all the peers
        return True
    return not path.startswith(("examples/", "bench/", "tests/")) or ONE_SYSTEM.search(path)


def without_comments(text):
    """The same lines and columns, comments and strings blanked out."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_rooms(path, text, private_headers):
    headers = {name.split("/")[-1]: name for name in private_headers}
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if not found:
            continue
        quote, name = found.groups()
        if ".." in name:
            yield number, f"a relative include of {name}"
        header = headers.get(name, "")
        room, home = room_of(path), room_of(header)
        if quote == '"' and room and home and home not in SEES[room]:
            yield number, f"{room} must not include {header}"
        if quote == '"' and room and home and room != home and header.count("/") > 2:
            yield number, f"{header} is private to {home}"
        if quote == '"' and home and any(path.startswith(place) for place in PUBLIC_ONLY) \
                and (path.split("/")[0], name) not in ALSO_SEES:
            yield number, f"{path} must not look inside src: {name}"
        if quote == "<" and room == "src/ring" and name.startswith("quoit") and name not in PUBLIC_OF_RING:
            yield number, f"{room} must not see the public API: {name}"
        if room and room != "src/os" and POSIX_HEADERS.match(line[line.index("include") + 7:].strip()):
            yield number, f"{name} belongs in src/os"
        if not room and SYSTEM_HEADERS.match(line[line.index("include") + 7:].strip()) and not may_use_system(path):
            yield number, f"{name} belongs in a file of one system: ..._posix.c, ..._windows.c"


def check_os(path, text):
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        macro = OS_MACRO.search(line)
        in_base = path.startswith("src/base/") and macro and macro.group(0) == "_MSC_VER"
        if macro and not in_base and not path.startswith("src/os/"):
            yield number, f"{macro.group(0)} outside src/os and cmake"
        extension = EXTENSION.search(line)
        if extension and not path.startswith(("src/base/", "src/os/", "bench/peers/")):
            yield number, f"the compiler extension {extension.group(0)} outside src/base and src/os"


NO_VALUE = re.compile(r"^\s*static const [\w ]+\b\w+(\[[^\]=]*\])*;", flags=re.M)
FOREIGN_ATTRIBUTE = re.compile(r"^(?!#define).*\[\[[^\]]*\b(gnu|clang)::", flags=re.M)


def check_cl(path, text):
    bare = without_comments(text)
    for found in NO_VALUE.finditer(bare) if path.endswith((".c", ".h")) else ():
        yield bare.count("\n", 0, found.start() + len(found.group(0))) + 1, "a constant without a value: cl warns (C4132)"
    if not path.startswith("include/"):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.isascii():
            yield number, "a public header has a character outside ASCII"
    for found in FOREIGN_ATTRIBUTE.finditer(bare):
        yield bare.count("\n", 0, found.start()) + 1, "an attribute that cl warns of (C5030); use QUOIT_ALWAYS_INLINE"


def check_terminal(path, text):
    if not path.startswith("tools/") or not path.endswith(".c") or path == "tools/bench.c":
        return
    bare = without_comments(text)
    for call in re.finditer(r"(?<!\w)(?:printf|fprintf|puts|fputs|fwrite)\s*\([^;]*;", bare):
        found = CHOSEN_BY_OTHERS.search(call.group(0))
        if found:
            yield bare.count("\n", 0, call.start()) + 1, f"print_text is to print {found.group(0)}"


def comment_before(text, position):
    """The last comment that begins in the three lines before the operation's line, or in its own."""
    start = position
    for _ in range(4):
        start = text.rfind("\n", 0, start)
        if start < 0:
            start = 0
            break
    block = text[:position]
    begin = block.rfind("/*")
    end = block.rfind("*/")
    if begin < 0 or end < begin or end < start:
        return ""
    if "atomic_" in without_comments(block[end + 2:]):
        return ""  # that comment is another operation's
    return block[begin:end]


def names_a_reason(comment):
    """Does the comment say why relaxed order is enough, and not only "as above"?"""
    reason = re.sub(r"\s*\n\s*\*?\s*", " ", comment[comment.rindex("Relaxed:") + len("Relaxed:"):]).strip()
    return len(reason.split()) >= 3 and not NO_REASON.match(reason)


def check_atomics(path, text, labels):
    if not path.startswith(("src/", "include/", "examples/", "tools/")):
        return
    bare = without_comments(text)
    for operation in ATOMIC.finditer(bare):
        number = text.count("\n", 0, operation.start()) + 1
        comment = comment_before(text, operation.start())
        call = bare[operation.start():bare.index(";", operation.start())]
        orders = set(re.findall(r"memory_order_(\w+)", call))
        if not operation.group(2) and operation.group(1) != "thread_fence":
            yield number, f"{operation.group(0)} without _explicit"
        elif not comment:
            yield number, f"{operation.group(0)} has neither a label nor 'Relaxed:' in a comment before it"
        elif orders == {"relaxed"} and "Relaxed:" not in comment:
            yield number, "a relaxed operation does not say 'Relaxed:' and why"
        elif orders == {"relaxed"} and not names_a_reason(comment):
            yield number, "'Relaxed:' must name the operation that orders it, or say why none has to"
        elif orders != {"relaxed"} and not LABEL.search(comment):
            yield number, f"an operation of order {', '.join(sorted(orders))} has no label"
    for comment in re.finditer(r"/\*.*?\*/", text, flags=re.S):
        words = re.sub(r"\s*\n\s*\*?\s*", " ", comment.group(0))
        for label in LABEL.findall(words):
            number = text.count("\n", 0, comment.start()) + 1
            pairs = PAIRS.search(words)
            if not pairs:
                yield number, f"{label} does not say what it pairs with"
                continue
            labels.setdefault(label, set()).update(NAME.findall(pairs.group(1)))
            follows = "\n".join(bare[comment.end():].split("\n")[:LINES_BELOW + 1])
            if not ATOMIC.search(follows):
                yield number, f"no atomic operation follows {label}"


def check_descriptors(path, text):
    if not path.startswith(("src/", "tools/", "examples/", "include/")) or path.endswith((".hpp", "_windows.c")):
        return
    bare, lines = without_comments(text), text.split("\n")
    for call in DESCRIPTOR_CALL.finditer(bare):
        number = text.count("\n", 0, call.start()) + 1
        name = call.group(1) or "fcntl(F_DUPFD)"
        word = DESCRIPTOR_CALLS.get(name)
        arguments = text[call.start():bare.index(";", call.start())]
        if "not close-on-exec:" in lines[number - 1] or (word and word in arguments):
            continue
        yield number, f"{name} makes a descriptor that other threads' children inherit" + (
            f": {word} is missing" if word else ": another call makes it close-on-exec")


def check_once(path, text):
    if not path.startswith(("src/ring/", "src/region/", "src/api/")):
        return
    bare = without_comments(text)
    for copy in MEMCPY_OF_WORD.finditer(bare):
        if "Private:" not in comment_before(text, copy.start()):
            yield text.count("\n", 0, copy.start()) + 1, "a memcpy of what may change meanwhile: read it once"


def check_labels(labels, ordering):
    listed = set(re.findall(r"^#+ .*?\b([A-Z]+-[A-Z]+\d+)|^\| *`?([A-Z]+-[A-Z]+\d+)", ordering, flags=re.M))
    listed = {name for pair in listed for name in pair if name}
    for label, partners in sorted(labels.items()):
        for partner in sorted(partners):
            if label not in labels.get(partner, set()):
                yield f"{label} pairs with {partner}, which does not pair with it"
        if label not in listed:
            yield f"docs/ORDERING.md does not list {label}"
    for name in sorted(listed - set(labels)):
        yield f"docs/ORDERING.md lists {name}, which is nowhere in the code"


def has_shape(path):
    return not path.endswith((".md", ".pml", ".sh", ".yml"))


def check_shape(path, text):
    if "SPDX-License-Identifier: MIT" not in "\n".join(text.split("\n")[:2]):
        yield 1, "no SPDX line"
    lines = text.split("\n")
    if len(lines) > 501:
        yield len(lines), f"{len(lines) - 1} lines: a file has at most 500"
    if path.endswith((".c", ".h", ".cpp", ".hpp")):
        for number, line in enumerate(lines, 1):
            if len(line) > 100:
                yield number, f"{len(line)} columns: a line has at most 100"
    for number, line in enumerate(lines, 1):
        if re.match(r"(<{7}|>{7}) ", line):
            yield number, "a conflict of a merge was not resolved"
    if path.endswith(".c"):
        begin = 0
        for number, line in enumerate(lines, 1):
            begin = number if line == "{" else begin
            if line == "}" and begin and number - begin - 1 > 60:
                yield begin, f"a function of {number - begin - 1} lines: it has at most 60"


def check_snippets(document, files):
    readme = files[document]
    snippets = re.findall(r"<!-- from (\S+) -->\n```(?:c|cpp|python)\n(.*?)```", readme, flags=re.S)
    if len(snippets) < len(re.findall(r"^```(?:c|cpp|python)$", readme, flags=re.M)):
        yield f"{document}: a snippet without '<!-- from FILE -->'"
    for path, snippet in snippets:
        if snippet not in files.get(path, ""):
            yield f"{document}: the snippet from {path} is not in it"
        if path in SHORTEST and snippet[snippet.find("int main"):].count("\n") > SHORTEST_LINES:
            yield f"{document}: main in the snippet from {path} has more than {SHORTEST_LINES} lines"


def check_named_tests(reliability, files):
    for name, part in re.findall(r"`([a-z_]+): ([^`]+)`", reliability):
        homes = [text for path, text in files.items() if path.endswith(f"/{name}_test.c")]
        tools = files.get(f"tests/tools/{name.removeprefix('tool_')}_test.py", "")
        if not any(f'"{part}"' in text for text in homes) and f"def {part}(s" not in tools:
            yield f"docs/RELIABILITY.md: there is no part '{part}' in a test '{name}'"


@functools.lru_cache(maxsize=None)  # the self-test checks the project once for each planted fault
def check_file(path, text, private_headers):
    """Returns the faults as lines, and the labels of atomic operations with their partners."""
    labels = {}
    found = list(check_shape(path, text)) if has_shape(path) else []
    found += list(plain_english.check_words(path, text))
    if path.endswith((".c", ".h", ".cpp", ".hpp")):
        found += list(check_rooms(path, text, private_headers)) + list(check_os(path, text))
        found += list(check_atomics(path, text, labels)) + list(check_descriptors(path, text))
        found += list(check_once(path, text)) + list(check_cl(path, text))
        found += list(check_terminal(path, text))
    return [f"{path}:{number}: {fault}" for number, fault in found], labels


def check_bytes(path, content):
    """content: the file's bytes."""
    if not path.startswith("tests/fuzz/corpus/"):
        try:
            if "\0" in content.decode():
                yield f"{path}: it has a NUL byte, so it is no text; a file that a build makes is not committed"
        except UnicodeDecodeError:
            yield f"{path}: it is no text (UTF-8); a file that a build makes is not committed"


def check_all(files, ordering):
    """files: path -> text. Every fault as a line."""
    private_headers = tuple(name for name in files if name.endswith(".h") and name.startswith("src/"))
    faults, labels = [], {}
    for path, text in sorted(files.items()):
        found, partners_of = check_file(path, text, private_headers)
        faults += found
        for label, partners in partners_of.items():
            labels.setdefault(label, set()).update(partners)
    faults += list(check_labels(labels, ordering))
    for document in ("README.md", "docs/TUTORIAL.md"):
        faults += check_snippets(document, files)
    return faults + list(check_named_tests(files["docs/RELIABILITY.md"], files))


def project():
    files = {}
    for name in filter(plain_english.is_checked, tracked.tracked()):
        with open(name) as file:
            files[name] = file.read()
    with open("docs/ORDERING.md") as file:
        return files, file.read()


def check_project_bytes():
    for name in tracked.tracked():
        with open(name, "rb") as file:
            yield from check_bytes(name, file.read())


def self_test():
    """Each rule finds the fault that it is there for, planted in the project as it is."""
    for content, expected in ((b"\x7fELF\x02\x01\x01\0", 1), (b"\xff\xfe", 1), ("…".encode(), 0)):
        if len(list(check_bytes("record.o", content))) != expected:
            sys.exit(f"self-test: the check of bytes is wrong about {content!r}")
    files, ordering = project()
    spsc = "include/quoit/spsc.h"
    plants = [
        ("src/ring/ring.c", '#include "fail.h"', '#include "os.h"', "must not include"),
        ("src/ring/ring.c", '#include "fail.h"', '#include "../os/os.h"', "relative"),
        ("src/ring/ring.c", '#include "fail.h"', '#include <quoit.h>', "public API"),
        ("src/region/members.c", "#include <stdbool.h>", "#include <unistd.h>", "belongs in src/os"),
        ("examples/product/producer.c", '#include "guard.h"', '#include "region_handle.h"', "look inside"),
        ("examples/product/producer.c", '#include "guard.h"', "#include <unistd.h>", "file of one system"),
        ("bench/instructions.c", "#include <stdio.h>", "#include <windows.h>", "file of one system"),
        ("tests/unit/queue_header_test.c", "#include <stdio.h>", "#include <sys/mman.h>", "file of one system"),
        ("src/api/queue.c", "enum { LINE", "#ifdef __linux__\n#endif\nenum { LINE", "__linux__"),
        ("src/api/queue.c", "enum { LINE", "int x __attribute__((unused));\nenum { LINE", "extension"),
        (spsc, "/* SPSC-P2: the commit; publishes the slot's bytes. Pairs with SPSC-C1. */", "", "neither"),
        (spsc, "SPSC-P2: the commit; publishes the slot's bytes.", "Publishes.", "no label"),
        ("src/ring/ring.c", "/* SPSC-P3: having seen this head", "/* SPSC-P9: having seen this head",
         "SPSC-P3"),
        (spsc, "Pairs with SPSC-P3 and\n       BROWSE-S1. */", "*/", "does not say"),
        ("src/ring/ring_ops.h", "    atomic_thread_fence(memory_order_release);\n", "", "no atomic operation follows BROWSE-P1"),
        ("src/region/region_pieces.c", "Relaxed: a snapshot", "A snapshot", "does not say 'Relaxed:'"),
        ("src/ring/blocks.c", "Relaxed: publishing the region orders it.", "Relaxed: as above.", "must name the operation"),
        ("src/region/region.c", '#include "owner.h"', '#include "fd.h"', "is private to src/os"),
        (spsc, "atomic_store_explicit(tail, count + 1, memory_order_relaxed)",
         "atomic_store(tail, count + 1)", "without _explicit"),
        ("src/os/liveness/liveness_ofd.c", "flags | O_CLOEXEC | O_NOFOLLOW", "flags | O_NOFOLLOW", "O_CLOEXEC is missing"),
        ("src/os/shm/fd.c", "F_DUPFD_CLOEXEC", "F_DUPFD", "fcntl(F_DUPFD) makes"),
        ("src/os/wait/notifier_pipe.c", "pipe2(ends, O_CLOEXEC | O_NONBLOCK)", "pipe(ends)", "pipe makes"),
        ("src/os/shm/memory_linux.c", "MFD_CLOEXEC", "0", "MFD_CLOEXEC is missing"),
        ("src/os/shm/memory_posix.c", "quoit_os_fd_temporary(path)", "mkstemp(path)", "mkstemp makes"),
        ("tools/process_info_posix.c", 'fopen(name, "re")', 'fopen(name, "r")', '"re" is missing'),
        ("src/ring/record.c", "quoit_ring_load_once(record), most", "0, most;\n    memcpy(bytes_out, record, HEADER_BYTES)",
         "read it once"),
        ("src/api/pool_queue.c", "block = quoit_ring_load_once(item);", "memcpy(&block, item, sizeof block);",
         "read it once"),
        ("src/region/queue_shm.c", "quoit_copy_once(&queue, at, sizeof queue)", "memcpy(&queue, at, sizeof queue)",
         "read it once"),
        ("src/region/pool_shm.c", "quoit_copy_once(pool, at, sizeof *pool)", "memcpy(pool, at, sizeof *pool)",
         "read it once"),
        ("tools/rm.c", "print_line(name);", "puts(object.name);", "print_text"),
        ("src/base/hash.h", "/* SPDX-License-Identifier: MIT */", "", "SPDX"),
        ("src/base/hash.h", "#include <stddef.h>", "#include <stddef.h> /* " + "x" * 90 + " */", "columns"),
        ("src/api/lock.c", "quoit_lock_options all_zero = {0};", "quoit_lock_options all_zero;", "C4132"),
        ("include/quoit.h", "interrupt, size, ...", "interrupt, size, \u2026", "outside ASCII"),
        ("include/quoit.hpp", "QUOIT_ALWAYS_INLINE status copy_in", "[[gnu::always_inline]] status copy_in", "C5030"),
        ("README.md", "reading_pop(queue, &item,", "reading_pop(queue,", "is not in it"),
        ("README.md", "    struct reading item;\n", "    struct reading item;\n\n", "more than 12 lines"),
        ("README.md", "```sh\ngit clone", "```cpp\ngit clone", "a snippet without"),
        ("docs/TUTORIAL.md", "printf(\"sensor %d: ", "printf(\"sensor: ", "is not in it"),
        ("docs/RELIABILITY.md", "`storm: a storm of kills`", "`storm: no such part`", "no such part"),
        ("docs/RELIABILITY.md", "`tool_monitor: unlinked`", "`tool_monitor: no_such_part`", "no_such_part"),
        ("src/base/hash.h", "#include <stddef.h>", "\n" * 500 + "#include <stddef.h>", "lines"),
        ("src/os/wait/wait_macos.c", "#include", "<<<<<<" + "< HEAD\n#include", "a conflict"),
        ("src/base/status.c", "\n{\n", "\n{\n" + "    ;\n" * 61, "a function of"),
        ("src/ring/ring.c", "/* Relaxed: publishing the region orders it. */", "/* Relaxed: as above. */", "orders it"),
        ("src/base/status.c", "the queue is full", "the queue is full, and nobody pops", "no process"),
        ("python/quoit/_queue.py", "True: the stream has ended.", "What ends the stream: a", "begin with the thing"),
        ("CODE_OF_CONDUCT.md", "all people", "all people who crashed, the living", "a crashed process"),
    ]
    clean = check_all(files, ordering)
    for path, old, new, expected in plants:
        if old not in files[path]:
            sys.exit(f"self-test: {path} has no {old!r} to plant a fault in")
        faults = check_all({**files, path: files[path].replace(old, new, 1)}, ordering)
        if not any(expected in fault for fault in faults if fault not in clean):
            sys.exit(f"self-test: {new!r} in {path} was not found: {faults}")
    missing = check_all(files, ordering.replace("SPSC-P1", "SPSC-P8"))
    if not any("does not list SPSC-P1" in fault for fault in missing) or not any(
            "lists SPSC-P8" in fault for fault in missing):
        sys.exit(f"self-test: a label missing in ORDERING.md was not found: {missing}")
    print(f"source_rules.py: {len(plants) + plain_english.self_test() + 4} planted faults found")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    else:
        FAULTS = check_all(*project()) + list(check_project_bytes())
        print("\n".join(FAULTS))
        sys.exit(1 if FAULTS else 0)
