#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""push_pop_test.py QUOIT [PART...]: quoit push, pop, tail and bench, as a shell uses them.

The words of QUOIT_TEST_EMULATOR (wine, qemu-aarch64 ...) are put before the program. Queues are files in the test's own
directory, so that nothing is left.
"""
import json
import os
import random
import select
import shlex
import socket
import subprocess
import sys
import tempfile
import time

OK, FAILED, USAGE, NOTHING = 0, 1, 2, 3
LIMIT = 300  # seconds, before a command counts as hanging


class Failure(Exception):
    pass


def check(condition, sentence):
    if not condition:
        raise Failure(sentence)


class Shell:
    def __init__(self, program, directory):
        self.words = shlex.split(os.environ.get("QUOIT_TEST_EMULATOR", "")) + [os.path.abspath(program)]
        self.directory = directory
        self.queues = 0
        self.running = []

    def name(self):
        self.queues += 1
        return f"file:{self.directory}/q{self.queues}"

    def start(self, *arguments, **streams):
        streams.setdefault("stdin", subprocess.DEVNULL)
        streams.setdefault("stdout", subprocess.PIPE)
        process = subprocess.Popen([*self.words, *arguments], stderr=subprocess.PIPE, **streams)
        self.running.append(process)
        return process

    def feed(self, data, *arguments):
        """Runs push with a file as input, so that no other process has to write."""
        with tempfile.TemporaryFile(dir=self.directory) as file:
            file.write(data)
            file.seek(0)
            return self.start("push", *arguments, stdin=file)

    def end(self, process, code, word=""):
        output, errors = process.communicate(timeout=LIMIT)
        check(process.returncode == code,
              f"{process.args}: exit code {process.returncode}, not {code}: {errors!r}")
        check(word.encode() in errors, f"{process.args}: the error does not name {word!r}: {errors!r}")
        return output

    def run(self, code, *arguments, word="", **streams):
        return self.end(self.start(*arguments, **streams), code, word)

    def push(self, data, *arguments, code=OK, word=""):
        self.end(self.feed(data, *arguments), code, word)

    def wait_for_members(self, name, count):
        deadline = time.monotonic() + LIMIT
        while True:
            stat = self.start("stat", "--json", name)
            output, _ = stat.communicate(timeout=LIMIT)
            if stat.returncode == OK and len(json.loads(output)[0]["members"]) == count:
                return
            check(time.monotonic() < deadline, f"{name} has not {count} members")
            time.sleep(0.02)


def lines(count):
    return b"".join(b"%d\n" % i for i in range(1, count + 1))


def random_text(seed, ends=True):
    dice = random.Random(seed)
    text = b"\n".join(bytes(dice.choices(b"abc \t\r\xc3\xbf", k=dice.choice([0, 1, 7, 300, 20000])))
                      for _ in range(2000))
    return text + b"\n" if ends else text + b"end"


def round_trip(shell):
    for options in [(), ("--each",), ("--blocks",), ("--kind", "mpmc"), ("--capacity", "1")]:
        for text in [random_text(1), random_text(2, False), b"\n", b"\n\n\n", b"a\r\nb\r\n", b"", b"x",
                     b"y" * 65536, b"y" * 65536 + b"\n" + b"z" * 65535 + b"\n"]:
            name = shell.name()
            push = shell.feed(text, name, *options)
            got = shell.run(OK, "pop", name)
            shell.end(push, OK)
            wanted = text if text.endswith(b"\n") or not text else text + b"\n"
            check(got == wanted, f"{options}: {len(wanted)} bytes in, {len(got)} other bytes out")
            check(not os.path.exists(name[5:]), "pop left the finished queue there")


def records(shell):
    data = random.Random(3).randbytes(24 * 5000)
    for kind in ["spsc", "mpmc"]:
        name = shell.name()
        push = shell.feed(data, name, "--raw", "--item-bytes", "24", "--kind", kind)
        check(shell.run(OK, "pop", name, "--raw") == data, "records came out otherwise")
        shell.end(push, OK)
    name = shell.name()
    shell.push(data[:50], name, "--raw", "--item-bytes", "24", code=FAILED, word="2 bytes of a record of 24")
    check(shell.run(OK, "pop", name, "--raw", "--count", "2") == data[:48], "whole records are lost")
    shell.push(b"text\n", name, code=FAILED, word="--raw")
    shell.push(b"", shell.name(), "--raw", code=USAGE, word="--item-bytes")


def counts(shell):
    name = shell.name()
    shell.push(lines(10), name, "--keep", "--count", "8")
    check(shell.run(OK, "pop", name, "--count", "3") == lines(3), "--count 3 of a block")
    check(shell.run(OK, "pop", name, "--count", "1") == b"4\n", "--count 1 of its rest")
    check(shell.run(OK, "pop", name, "--no-wait") == b"5\n6\n7\n8\n", "the rest of a block")
    check(shell.run(NOTHING, "pop", name, "--no-wait") == b"", "nothing is there")
    shell.push(b"9\n10", name, "--each")
    check(shell.run(OK, "pop", name) == b"9\n10\n", "single lines")


def ends(shell):
    name = shell.name()
    shell.run(NOTHING, "pop", name, "--timeout", "0.1")
    shell.run(FAILED, "pop", name, "--no-wait", word=name[5:])
    shell.push(lines(3), name, "--keep")
    check(shell.run(NOTHING, "pop", name, "--count", "4", "--timeout", "0") == lines(3), "less than --count")
    shell.push(lines(3), name, "--keep")
    shell.push(lines(3), name, "--capacity", "5", code=FAILED, word="5")
    shell.push(lines(3), name, "--kind", "mpmc", code=FAILED, word="mpmc")


def full(shell):
    name = shell.name()
    shell.push(lines(200), name, "--each", "--capacity", "1", "--item-bytes", "16", "--timeout", "0.1",
               code=NOTHING)
    got = shell.run(OK, "pop", name, "--no-wait")
    check(got and lines(200).startswith(got), f"a full queue held {got!r}")


def file_size_limit(shell):
    """ulimit -f: an error message, not an end by SIGXFSZ. Then with enough space."""
    if os.name != "posix" or len(shell.words) > 1:
        return  # an emulator itself would exceed the limit
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    for name in (shell.name(), f"posix:qt-tool-{os.getpid()}-limit"):
        push = shell.start("push", name, "--keep", "--each", "--item-bytes", "16", "--capacity", "100000",
                           stdin=subprocess.PIPE, preexec_fn=limit)
        _, errors = push.communicate(b"hi\n", timeout=LIMIT)
        check(push.returncode == FAILED and b"File too large" in errors,
              f"push beyond the limit: exit code {push.returncode}, {errors!r}")
        shell.push(b"hi\n", name, "--each", "--item-bytes", "16", "--capacity", "100")
        check(shell.run(OK, "pop", name) == b"hi\n", "after a push beyond the limit there is no room for less")


def too_long(shell):
    name = shell.name()
    shell.push(b"short\n" + b"x" * 17 + b"\nlast\n", name, "--each", "--item-bytes", "16",
               code=FAILED, word="line 2 is longer than the 16 bytes")
    check(shell.run(OK, "pop", name, "--count", "1") == b"short\n", "what was before is lost")


def finished(shell):
    name = shell.name()
    shell.push(lines(2), name)
    shell.push(lines(2), name, code=FAILED, word="is finished")
    check(shell.run(OK, "pop", name, "--keep") == lines(2), "what was finished")
    shell.push(lines(5), name)  # drained: a new one
    check(shell.run(OK, "pop", name) == lines(5), "the one that replaced it")


def shared_out(shell):
    name = shell.name()
    text = lines(20000)
    push = shell.feed(text, name, "--kind", "mpmc", "--item-bytes", "16")
    files = [tempfile.TemporaryFile(dir=shell.directory) for _ in range(2)]
    pops = [shell.start("pop", name, "--keep", stdout=file) for file in files]
    shell.end(push, OK)
    got = []
    for pop, file in zip(pops, files):
        shell.end(pop, OK)
        file.seek(0)
        got += file.read().splitlines()
        file.close()
    check(sorted(got) == sorted(text.splitlines()), "two consumers did not get each line once")


def killed_pop(shell):
    """push and pop are killed at any point: all lines arrive, in order, and those that were being written at most
    twice."""
    for options, text in [(["--item-bytes", "4096"], lines(400000)),  # more than five pipes of 256 KiB each can hold
                          (["--each", "--item-bytes", "7"], lines(200000))]:  # and of 64 KiB
        name, got = shell.name(), b""
        push = shell.feed(text, name, *options)
        for _ in range(5):
            pop = shell.start("pop", name)
            got_now = pop.stdout.read(random.randrange(1, 100000))
            pop.kill()
            got_now += pop.stdout.read()
            pop.wait()
            got = join(got, got_now)
        got = join(got, shell.run(OK, "pop", name))
        shell.end(push, OK)
        check(got == text, f"{options}: {len(text)} bytes went in, {len(got)} came out")


def join(got, more):
    """Numbered lines, and the next ones, which may start with some that arrived before."""
    got = got[:got.rfind(b"\n") + 1]
    first = more[:more.find(b"\n") + 1]
    at = (b"\n" + got).find(b"\n" + first) if first else -1
    return got + more if at < 0 else got[:at] + more


def killed_push(shell):
    name = shell.name()
    push = shell.start("push", name, stdin=subprocess.PIPE)
    push.stdin.write(lines(100))
    push.stdin.flush()
    check(shell.run(OK, "pop", name, "--count", "100") == lines(100), "lines before the kill")
    pop = shell.start("pop", name)
    push.stdin.write(b"more\n")
    push.stdin.flush()
    check(pop.stdout.read(5) == b"more\n", "a line comes while push lives")  # so both are members
    push.kill()
    shell.end(pop, FAILED, "--follow")
    push.wait()
    pop = shell.start("pop", name, "--follow")
    shell.push(lines(7), name)
    check(pop.stdout.read(len(lines(7))) == lines(7), "--follow did not go on with the next producer")
    shell.push(lines(4), name)  # another queue of that name
    check(pop.stdout.read(len(lines(4))) == lines(4), "--follow did not go on with the next queue")
    pop.kill()
    pop.wait()


def kept(shell):
    """A producer that leaves with --keep does not end pop. The messages of the next producer, and its end, arrive."""
    for options in [(), ("--kind", "mpmc")]:
        name = shell.name()
        push = shell.start("push", name, "--keep", *options, stdin=subprocess.PIPE)
        push.stdin.write(b"1\n")
        push.stdin.flush()
        pop = shell.start("pop", name)
        check(pop.stdout.read(2) == b"1\n", "the first line")  # so both are members
        push.stdin.write(b"2\n")
        push.stdin.close()
        push.stdin = None
        shell.end(push, OK)
        check(pop.stdout.read(2) == b"2\n", "the last line of the first producer")
        try:
            pop.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            pass
        check(pop.poll() is None, f"{options}: push --keep has ended pop: {pop.returncode}")
        shell.push(b"3\n", name)
        check(shell.end(pop, OK) == b"3\n", f"{options}: the next producer's stream")


def timed(shell, process, come_and_go):
    """--timeout continues to count while processes on the other side join and leave."""
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < 6:
        come_and_go()
    check(process.poll() is not None, f"{process.args}: the time-out began anew with each that went")
    shell.end(process, NOTHING)


def timed_push(shell):
    name, line = shell.name(), b"x" * 2900000 + b"\n"  # more than a pipe holds: pop does not pop it
    shell.push(line, name, "--keep", "--each", "--capacity", "1", "--item-bytes", "3000000")

    def come_and_go():
        pop = shell.start("pop", name)
        check(pop.stdout.read(1) == b"x", "the beginning of the line")
        pop.kill()
        pop.communicate()
        time.sleep(0.4)  # push checks every tenth of a second whether it is alone

    timed(shell, shell.feed(line, name, "--each", "--timeout", "1.5"), come_and_go)


def timed_pop(shell):
    name = shell.name()
    shell.push(b"", name, "--keep")

    def come_and_go():
        push = shell.start("push", name, "--keep", stdin=subprocess.PIPE)
        time.sleep(0.3)
        push.stdin.close()
        push.stdin = None
        shell.end(push, OK)

    timed(shell, shell.start("pop", name, "--timeout", "1.5"), come_and_go)


def on_terminal(shell, word, *arguments):
    """Returns the output on a terminal up to the word; then ends the program, which waits."""
    import pty  # not on Windows
    master, slave = pty.openpty()
    process = subprocess.Popen([*shell.words, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=slave)
    shell.running.append(process)
    os.close(slave)
    said, deadline = b"", time.monotonic() + 30
    while word not in said and time.monotonic() < deadline:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            said += os.read(master, 4096)
        except OSError:
            break
    process.terminate()
    process.wait()
    os.close(master)
    check(word in said, f"{arguments} print {said}, not {word}")


def waiting_is_reported(shell):
    """For a wrong name the command prints a hint that it waits, but only if stderr is a terminal."""
    if os.environ.get("QUOIT_TEST_EMULATOR"):
        return
    name = shell.name()
    on_terminal(shell, f"waiting for queue '{name}'".encode(), "pop", name)
    on_terminal(shell, f"waiting for queue '{name}'".encode(), "tail", "--follow", name)
    shell.push(b"", name, "--keep", "--capacity", "1", "--item-bytes", "1")
    on_terminal(shell, f"waiting for a message in queue '{name}'".encode(), "pop", name)
    pop = shell.start("pop", name, "--timeout", "1")
    check(pop.communicate(timeout=LIMIT)[1] == b"" and pop.returncode == NOTHING, "a hint where there is no terminal")


def closed_output(shell):
    name, text = shell.name(), lines(20000)  # more than a pipe holds
    shell.push(text, name, "--each", "--keep", "--capacity", "20000", "--item-bytes", "8")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as disk:
            shell.run(FAILED, "pop", name, stdout=disk, word="cannot write to stdout")
    pop = shell.start("pop", name)
    check(pop.stdout.read(6) == b"1\n2\n3\n", "the first three lines")
    pop.stdout.close()
    pop.kill()
    pop.wait()
    rest = shell.run(OK, "pop", name, "--no-wait")
    check(text.endswith(rest), "what was not written is not what is left")


def joined(shell):
    """Queued messages are written at once, so that no line is torn and no socket gets two messages in one."""
    texts = [(letter * 99 + b"\n") * 20000 for letter in (b"a", b"b")]
    names = [shell.name() for _ in texts]
    for name, text in zip(names, texts):
        shell.push(text, name, "--each", "--capacity", "20000", "--item-bytes", "128")
    reading, writing = os.pipe()
    pops = [shell.start("pop", name, stdout=writing) for name in names]
    os.close(writing)
    with open(reading, "rb") as pipe:
        found = sorted(pipe.read().splitlines(keepends=True))
    for pop in pops:
        shell.end(pop, OK)
    check(found == sorted(b"".join(texts).splitlines(keepends=True)), "two pops into one pipe tore lines")
    if "wine" in os.environ.get("QUOIT_TEST_EMULATOR", ""):
        return  # no sockets as stdout there
    name, text = shell.name(), lines(100)
    shell.push(text, name, "--each", "--keep", "--capacity", "100")
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pop = shell.start("pop", name, "--count", "100", stdout=near)
    near.close()
    found = list(iter(lambda: far.recv(100000), b""))
    far.close()
    shell.end(pop, OK)
    check(found == text.splitlines(keepends=True), f"a socket got {found}")
    shell.run(NOTHING, "pop", name, "--no-wait")
    stat = json.loads(shell.run(OK, "stat", "--json", name))[0]
    check(stat["empty"] > 0, f"a pop that found it empty was not counted: {stat}")


def watched(shell):
    name = shell.name()
    shell.push(lines(9), name, "--each", "--keep")
    check(shell.run(OK, "tail", name) == lines(9), "tail shows all")
    check(shell.run(OK, "tail", name, "--lines", "2") == b"8\n9\n", "tail --lines 2")
    check(b"31" in shell.run(OK, "tail", name, "--hex"), "tail --hex")
    tail = shell.start("tail", name, "--follow")
    check(tail.stdout.read(len(lines(9))) == lines(9), "tail --follow begins with what is there")
    check(shell.run(OK, "pop", name, "--no-wait") == lines(9), "tail took something")
    shell.push(b"last\n", name)
    check(shell.end(tail, OK) == b"last\n", "tail --follow did not end with the stream")
    shell.run(FAILED, "tail", shell.name(), word="cannot open")


def broadcast(shell):
    for options in [(), ("--each",)]:
        name = shell.name()
        push = shell.start("push", name, "--kind", "broadcast", "--keep", *options, stdin=subprocess.PIPE)
        shell.wait_for_members(name, 1)
        pops = [shell.start("pop", name, "--count", "5000") for _ in range(3)]
        shell.wait_for_members(name, 4)
        push.stdin.write(lines(5000))
        push.stdin.close()
        push.stdin = None
        for pop in pops:
            check(shell.end(pop, OK) == lines(5000), f"{options}: a subscriber got something else")
        shell.end(push, OK)
        check(shell.run(NOTHING, "pop", name, "--no-wait") == b"", "one that came later got the past")
        kept = shell.run(OK, "pop", name, "--no-wait", "--from-oldest")
        check(kept and lines(5000).endswith(kept), f"{options}: the oldest that is kept: {kept[:20]!r}")
        shell.push(b"last\n", name)
        check(shell.run(OK, "pop", name, "--from-oldest").endswith(b"5000\nlast\n"), "the end is not kept")


def usage(shell):
    for words in [("push",), ("push", "a", "b"), ("pop", "q", "--count", "x"), ("pop", "q", "--timeout", "-1"),
                  ("push", "q", "--kind", "ring"), ("push", "q", "--each", "--raw"), ("tail", "--no"),
                  ("pop", "q", "--no-wait", "--follow"), ("bench", "x"), ("push", "q", "--capacity", "0"),
                  ("push", "q", "--permissions", "999"), ("bench", "--side", "1"), ("bench", "--seconds", "0")]:
        shell.run(USAGE, *words, word=words[0])
    for command in ["push", "pop", "tail", "bench"]:
        text = shell.run(OK, command, "--help")
        check(b"Exit codes:" in text, f"{command} --help")
        check(shell.run(OK, "help", command) == text, f"help {command}")
    shell.run(USAGE, "help", "no-such", word="no-such")


def bench(shell):
    report = json.loads(shell.run(OK, "bench", "--seconds", "1", "--json"))
    check(len(report["results"]) > 10, "bench measured little")
    for result in report["results"]:
        check(0 < result["lowest"] <= result["median"] <= result["highest"], f"{result}")


PARTS = [round_trip, records, counts, ends, full, file_size_limit, too_long, finished, shared_out, killed_pop, killed_push,
         kept, timed_push, timed_pop, waiting_is_reported,
         closed_output, joined, watched, broadcast, usage, bench]


def main(parts, shell_type=Shell, wanted=None):
    """Runs the wanted parts, by default those that the command line names, or all."""
    wanted = sys.argv[2:] if wanted is None else wanted
    with tempfile.TemporaryDirectory(prefix="qt-tool-") as directory:
        for part in parts:
            if wanted and part.__name__ not in wanted:
                continue
            shell = shell_type(sys.argv[1], directory)
            shell.directory = os.path.join(directory, part.__name__)
            os.mkdir(shell.directory)
            try:
                started = time.monotonic()
                part(shell)
                print(f"{part.__name__}: passed in {time.monotonic() - started:.1f} s", flush=True)
            except (Failure, AssertionError, subprocess.TimeoutExpired) as failure:
                print(f"{part.__name__}: {failure}", file=sys.stderr)
                sys.exit(1)
            finally:
                for process in shell.running:
                    if process.poll() is None:
                        process.kill()
                        process.wait()


if __name__ == "__main__":
    main(PARTS)
