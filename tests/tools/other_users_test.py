#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""other_users_test.py QUOIT [screen]: the command and other users.

Control characters in other users' object names, process names and messages reach a terminal as visible escapes.
--any-owner accepts other users' objects. Needs root, the only user that can become others.
"""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unicodedata

sys.dont_write_bytecode = True
from other_user import HOSTILE, ONE, OTHER, Program, as_user, harm, objects_of_other_user  # noqa: E402

SKIP = 77


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


class Suite:
    def __init__(self, quoit):
        self.program = Program(quoit)
        self.made, self.names, self.processes = 0, [], []

    def name(self):
        self.made += 1
        self.names.append(f"posix:qt-{os.getpid()}-{self.made}")
        return self.names[-1]

    def start(self, uid, *arguments, program=None, **streams):
        process = subprocess.Popen([program or self.program.path, *arguments], preexec_fn=as_user(uid), **streams)
        self.processes.append(process)
        return process

    def run(self, uid, *arguments, code=0, text=b"", word=""):
        """Returns its output, and its errors, as in a pipe."""
        done = subprocess.run([self.program.path, *arguments], input=text, preexec_fn=as_user(uid), timeout=60,
                              check=False, capture_output=True)
        check(code is None or done.returncode == code,
              f"user {uid}: quoit {arguments} ended with {done.returncode}, not {code}: {done.stderr}")
        check(word.encode() in done.stderr, f"user {uid}: quoit {arguments} does not say {word!r}: {done.stderr}")
        return done

    def on_terminal(self, *arguments, term="dumb", ending=None):
        """Returns everything that it prints on a pseudo terminal."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        environment = {**os.environ, "TERM": term, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        process = subprocess.Popen([self.program.path, *arguments], stdin=slave, stdout=slave, stderr=slave,
                                   env=environment)
        self.processes.append(process)
        os.close(slave)
        output, deadline = b"", time.monotonic() + 60
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 0.05)[0]:
                if ending and re.search(ending, output):
                    process.terminate()
                continue
            try:
                more = os.read(master, 65536)
            except OSError:
                break
            if not more:
                break
            output += more
        os.close(master)
        process.wait(timeout=60)
        return output

    def members(self, name, count):
        deadline = time.monotonic() + 60
        while len(json.loads(self.run(None, "stat", "--json", name).stdout)[0]["members"]) != count:
            check(time.monotonic() < deadline, f"{name} has not {count} members")
            time.sleep(0.02)

    def give_up(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for name in self.names:  # root removes those of all users
            path = "/dev/shm/" + name.split(":")[1]
            if os.path.exists(path):
                os.unlink(path)
        self.program.remove()


def is_clean(output, what):
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        raise AssertionError(f"{what} prints bytes that are not UTF-8: {error}") from None
    check(not harm(text), f"{what} prints what a terminal must not get: {harm(text)}")
    return text


def names(suite):
    """Each command that prints a name, on a terminal and in a pipe, also if it fails."""
    with objects_of_other_user(suite.program.original) as hostile:
        for arguments in [(b"ls",), (b"ls", b"--names"), (b"ls", b"--json"), (b"ls", b"posix"), (b"stat", b"--all"),
                          (b"stat", *hostile), (b"stat", b"--json", *hostile), (b"check", b"--all"),
                          (b"stat", b"--format", b"prometheus", *hostile), (b"check", *hostile),
                          (b"check", b"--json", *hostile), (b"check", b"--repair", *hostile),
                          (b"top", b"--plain", b"--count", b"1", b"--interval", b"0.05", *hostile),
                          (b"top", b"--json", b"--count", b"1", b"--interval", b"0.05", *hostile),
                          (b"rm", *hostile), (b"rm", b"--dry-run", b"--any-owner", *hostile)]:
            done = suite.run(None, *arguments, code=None)
            shown = is_clean(done.stdout + done.stderr, arguments)
            check("qt-" in shown, f"{arguments} prints no name: {shown}")
            is_clean(suite.on_terminal(*arguments), arguments)
        for name in hostile[:3]:
            for arguments in [(b"tail", name), (b"pop", b"--no-wait", name), (b"push", name), (b"rm", name),
                              (b"ls", name + b"-none"), (b"stat", name + b"-none"), (b"push", b"--kind", name),
                              (name,), (b"ls", b"--" + name), (b"rm", name + b"/"), (b"tail", name + b"-none"),
                              (b"pop", b"--no-wait", name + b"-none")]:
                done = suite.run(None, *arguments, code=None)
                check(done.returncode != 0 and done.stderr, f"{arguments} does not fail: {done}")
                is_clean(done.stdout + done.stderr, arguments)


def metrics(suite):
    """Prometheus: UTF-8, a line format, and a separate label for each name; otherwise the page is refused."""
    with objects_of_other_user(suite.program.original) as hostile:
        text = is_clean(suite.run(None, b"stat", b"--format", b"prometheus", *hostile).stdout, "prometheus")
        labels = re.findall(r'^quoit_queue_size_items\{name="((?:\\[\\"n]|[^"\\\n])*)"\} 1$', text, re.MULTILINE)
        check(len(labels) == len(set(labels)) == len(HOSTILE), f"{len(HOSTILE)} names, and the labels {labels}")
        found = [entry["name"] for entry in json.loads(suite.run(None, b"stat", b"--json", *hostile).stdout)]
        check(found == [name.decode(errors="replace") for name in hostile], f"in JSON the names are {found}")


def processes(suite):
    """A process with a name that a terminal would execute."""
    name = suite.name()
    suite.run(ONE, "push", "--keep", "--permissions", "644", name, text=b"x\n")
    program = suite.program.copy("\u202eq\u009b1m".encode() + b"\x9b\n")
    holder = suite.start(ONE, "push", "--keep", name, program=program, stdin=subprocess.PIPE)
    suite.members(name, 1)
    for arguments in [("stat", name), ("stat", "--json", name), ("ls", "--json", name)]:
        text = is_clean(suite.on_terminal(*arguments), arguments)
        check("q" in text and "u202e" in text, f"{arguments} does not show the process's name: {text}")
        is_clean(suite.run(None, *arguments).stdout, arguments)
    holder.stdin.close()
    holder.wait(timeout=60)
    suite.run(ONE, "rm", name)


def messages(suite):
    """Each unsafe character, in its own message, by tail and pop on a terminal. A pipe gets the bytes."""
    bad = [chr(code) for code in range(0x110000) if code != 10 and not 0xd800 <= code <= 0xdfff
           and (unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp") or code & 0xfffe == 0xfffe)]
    text = b"".join(b"a%sb\n" % character.encode() for character in bad) + b"c\x9bd\xc2\ncr\rx\nfine \xc3\xa9\t.\n"
    for how in ["--each", "--blocks"]:
        name = suite.name()
        suite.run(None, "push", how, "--capacity", "1000", "--item-bytes", "100", name, text=text)
        shown = suite.on_terminal("tail", name)
        check("fine \u00e9\t.\n" in is_clean(shown, "tail"), f"tail shows no text as it is: {shown[-80:]!r}")
        check(how != "--each" or suite.run(None, "tail", "--raw", name).stdout == text.replace(b"\n", b""),
              "tail --raw changes bytes")
        shown = is_clean(suite.on_terminal("pop", "--keep", "--count", "700", name).replace(b"\r\n", b"\n"), "pop")
        check("a\\u009bb\n" in shown and "a\\x1bb\n" in shown and "c\\x9bd\\xc2\n" in shown, f"pop: {shown[:400]!r}")
        suite.run(None, "rm", name)
        suite.run(None, "push", how, "--capacity", "1000", "--item-bytes", "100", name, text=text)
        check(suite.run(None, "pop", name).stdout == text, "pop changes bytes in a pipe")


def screen(suite):
    """The full screen of top: only curses' own sequences."""
    with objects_of_other_user(suite.program.original) as hostile:
        output = suite.on_terminal(b"top", b"--interval", b"0.1", *hostile, term="xterm",
                                   ending=rb"(?s)other-user.*other-user")
        text = output.decode()
        check("other-user" in text and "\\x9b31m" in text, f"the screen shows no name: {text!r}")
        rest = re.sub(r"[\x00-\x1f]", "", text)
        check(not harm(rest), f"the screen gets {harm(rest)}")


def any_owner(suite):
    """Another user's queue: refused with the option's name, and accepted with the option."""
    name = suite.name()
    suite.run(ONE, "push", "--keep", "--each", "--permissions", "666", "--kind", "mpmc", name, text=b"1\n2\n3\n")
    for command in [("pop", "--no-wait"), ("push", "--keep"), ("tail",), ("rm",)]:
        suite.run(OTHER, *command, name, code=1, word="--any-owner")
    suite.run(OTHER, "push", "--keep", "--any-owner", name, text=b"4\n")
    check(suite.run(OTHER, "tail", "--any-owner", name).stdout == b"1\n2\n3\n4\n", "tail of another user's queue")
    check(suite.run(OTHER, "pop", "--any-owner", "--count", "1", name).stdout == b"1\n", "pop of another user's queue")
    dead = suite.start(ONE, "pop", name, stdout=subprocess.PIPE)
    suite.members(name, 1)
    dead.kill()
    dead.wait()
    dead.stdout.close()
    suite.run(OTHER, "check", "--repair", name, code=1, word="--any-owner")
    suite.run(OTHER, "check", "--any-owner", name, code=2, word="--repair")
    finding = json.loads(suite.run(OTHER, "check", "--repair", "--any-owner", "--json", name).stdout)[0]
    check(finding["ok"] and finding["cleared_members"] == 1, f"{finding}")
    suite.run(OTHER, "rm", "--any-owner", name, code=1)  # /dev/shm is sticky
    suite.run(None, "rm", name, code=1, word="--any-owner")
    check(suite.run(None, "rm", "--dry-run", "--any-owner", name).stdout.decode() == name + "\n", "--dry-run")
    suite.run(None, "rm", "--any-owner", name)
    suite.run(ONE, "stat", name, code=1)
    suite.run(ONE, "push", "--keep", "--permissions", "600", name, text=b"1\n")
    user = suite.start(ONE, "pop", name, stdout=subprocess.DEVNULL)
    suite.members(name, 1)
    suite.run(None, "rm", "--dead", "--any-owner", name)
    check(suite.run(None, "stat", name).returncode == 0, "rm --dead took one that is in use")
    user.kill()
    user.wait()
    check(suite.run(None, "rm", "--dead", name, code=1, word="--any-owner").stdout == b"", "root removes by accident")
    check(suite.run(None, "rm", "--dead", "--any-owner", name).stdout.decode() == name + "\n", "root removes it")


def unreadable(suite):
    """Objects that the user may not read are counted."""
    name = suite.name()
    suite.run(ONE, "push", "--keep", "--permissions", "600", name, text=b"1\n")
    finding = suite.run(OTHER, "ls").stdout.decode()
    check(name not in finding and re.search(r"^\d+ not readable$", finding, re.MULTILINE), f"ls prints {finding}")
    check("not readable" not in suite.run(OTHER, "ls", "--names").stdout.decode(), "a count among names")
    suite.run(ONE, "rm", name)


PARTS = [names, metrics, processes, messages, any_owner, unreadable]


def main():
    if os.getuid() != 0:
        print("skipped: only root can be several users")
        sys.exit(SKIP)
    suite = Suite(sys.argv[1])
    try:
        for part in PARTS + ([screen] if "screen" in sys.argv[2:] else []):
            begin = time.monotonic()
            part(suite)
            print(f"{part.__name__}: passed in {time.monotonic() - begin:.1f} s", flush=True)
    finally:
        suite.give_up()


if __name__ == "__main__":
    main()
