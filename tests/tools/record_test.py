#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""record_test.py QUOIT [PART...]: quoit record and replay."""
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import time

import mcap_file
from push_pop_test import FAILED, LIMIT, NOTHING, OK, USAGE, Shell, check, lines, main

CUT_OFF = "is cut off"


def default_interrupt():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Recorder(Shell):
    """A shell with files of its own."""

    def path(self, word):
        return os.path.join(self.directory, word)

    def record(self, file, *arguments):
        with open(file, "wb") as out:
            # A shell's background job ignores Ctrl-C, and so would the recorder.
            return self.start("record", *arguments, stdout=out, preexec_fn=default_interrupt)

    def recorded(self, *arguments):
        """Records until the streams end; returns the file."""
        self.queues += 1
        file = self.path(f"r{self.queues}.mcap")
        self.end(self.record(file, *arguments), OK)
        return file

    def write(self, *parts):
        self.queues += 1
        file = self.path(f"w{self.queues}.mcap")
        pathlib.Path(file).write_bytes(b"".join(parts))
        return file

    def stat(self, name):
        return json.loads(self.run(OK, "stat", "--json", name))[0]

    def info(self, file, code=OK, word=""):
        """Returns the number of messages of each channel."""
        text = self.run(code, "record", "--info", file, word=word).decode()
        return [int(line.split()[1].strip(",")) for line in text.splitlines() if line.startswith("  messages ")]

    def until(self, condition, sentence):
        deadline = time.monotonic() + LIMIT
        while not condition():
            check(time.monotonic() < deadline, sentence)
            time.sleep(0.005)


def read(file):
    return pathlib.Path(file).read_bytes()


def payloads(file):
    return [data for *_, data in mcap_file.messages(read(file))]


def same_queue(first, second):
    for key in ("kind", "item_bytes", "capacity", "messages"):
        check(first[key] == second[key], f"{key} was {first[key]} and is {second[key]} after the replay")


# ---- Round trips ------------------------------------------------------------------------------------------------

def round_trip(shell):
    """Each kind, as items and as messages: what is pushed is in the file, and comes out of the replay."""
    data = random.Random(1).randbytes(48 * 5000)
    for kind in ["spsc", "mpmc", "broadcast"]:
        for options in [("--raw", "--item-bytes", "8"), ("--raw", "--item-bytes", "48"),
                        ("--each", "--item-bytes", "100")]:
            raw, name, second = "--raw" in options, shell.name(), shell.name()
            sent = data if raw else lines(5000)
            recorder = shell.record(shell.path("a.mcap"), "--keep", "--from-oldest", "--flush", "0.01", name)
            capacity = "60000" if kind == "broadcast" else "100"  # so that no item goes before the recorder joins
            shell.push(sent, name, "--kind", kind, "--capacity", capacity, *options)
            shell.end(recorder, OK)
            size = int(options[-1]) if raw else 0
            wanted = [sent[i:i + size] for i in range(0, len(sent), size)] if raw else sent.split(b"\n")[:-1]
            check(payloads(shell.path("a.mcap")) == wanted, f"{kind} {options}: the file has something else")
            check(shell.info(shell.path("a.mcap")) == [len(wanted)], f"{kind} {options}: --info counts something else")
            replay = shell.start("replay", "--wait", "--speed", "max", "--rename", f"{name}={second}",
                                 shell.path("a.mcap"))
            shell.until(lambda: os.path.exists(second[5:]), "replay makes no queue")
            same_queue(shell.stat(name), shell.stat(second))
            got = shell.run(OK, "pop", second, *(["--raw"] if raw else []))
            shell.end(replay, OK)
            check(got == sent, f"{kind} {options}: {len(sent)} bytes in, {len(got)} other bytes out")


def times(shell):
    """Log times do not go back, and sequences count from the queue's creation."""
    name = shell.name()
    shell.push(lines(10), name, "--each", "--keep")
    shell.run(OK, "pop", name, "--count", "3")
    shell.push(b"11\n", name, "--each")
    found = mcap_file.messages(read(shell.recorded(name)))
    check([sequence for _, sequence, *_ in found] == list(range(3, 11)), f"sequences: {found}")
    at = [when for _, _, when, _ in found]
    check(at == sorted(at) and abs(at[0] / 1e9 - time.time()) < 3600, f"log times: {at}")
    check(not os.path.exists(name[5:]), "record left the finished queue there")


def truncated(shell):
    """A queue that loses its memory ends the recording with a message, and not by SIGBUS."""
    name, file = shell.name(), shell.path("a.mcap")
    shell.push(lines(3), name, "--each", "--keep", "--capacity", "200")
    recorder = shell.record(file, "--observe", "--flush", "0", name)
    shell.until(lambda: len(payloads(file)) == 3, "nothing is recorded")
    os.truncate(name[5:], 0)
    shell.end(recorder, FAILED, "a queue was truncated")
    check(payloads(file)[:3] == [b"1", b"2", b"3"], "the file has lost the messages before")


def several(shell):
    """Three queues in one file; one does not exist yet, one is stopped before its end."""
    names = [shell.name() for _ in range(3)]
    shell.push(lines(100), names[0], "--each", "--capacity", "200")
    shell.push(lines(50), names[1], "--each", "--keep", "--kind", "mpmc")
    file = shell.path("a.mcap")
    recorder = shell.record(file, *names)
    shell.until(lambda: len(mcap_file.messages(read(file))) == 150, "not all is recorded")
    shell.push(lines(70), names[2], "--each", "--kind", "broadcast", "--capacity", "100")
    shell.until(lambda: not os.path.exists(names[0][5:]) and len(mcap_file.messages(read(file))) == 220,
                "not all is recorded")
    recorder.send_signal(signal.SIGINT)
    shell.end(recorder, OK)
    text = shell.run(OK, "record", "--info", file).decode()
    check("complete" in text and text.count(", finished") == 2 and text.count(", stopped") == 1, text)
    check(sorted(shell.info(file)) == [50, 70, 100], text)
    renames = [word for name in names for word in ("--rename", f"{name}={name}-again")]
    shell.run(OK, "replay", "--speed", "max", *renames, file)
    states = [shell.stat(f"{name}-again") for name in names]
    check([state["finished"] for state in states] == [True, False, True], f"{states}")
    check(shell.run(OK, "pop", f"{names[1]}-again", "--no-wait") == lines(50), "the replay of the second one")
    shell.run(OK, "replay", "--finish", "--speed", "max", "--rename", f"{names[1]}={names[1]}-again", *[
        word for name in (names[0], names[2]) for word in ("--rename", f"{name}={name}-third")], file)
    check(shell.stat(f"{names[1]}-again")["finished"], "--finish did not finish the stream")


def lossy(shell):
    """A subscriber that was too slow: its messages and those that it missed are all."""
    name, total = shell.name(), 5000
    file = shell.write(mcap_file.header(), mcap_file.queue(1, name, kind="broadcast", when_full=1),
                       *(mcap_file.chunk(mcap_file.message(1, i, i, struct.pack("<Q", i))) for i in range(total)),
                       mcap_file.end(1, name), mcap_file.footer())
    recorded = shell.path("a.mcap")
    recorder = shell.record(recorded, "--flush", "0", name)
    replay = shell.start("replay", "--wait", "--speed", "max", file)
    shell.until(lambda: mcap_file.messages(read(recorded)), "nothing is recorded")
    recorder.send_signal(signal.SIGSTOP)
    shell.end(replay, OK)
    recorder.send_signal(signal.SIGCONT)
    errors = recorder.communicate(timeout=LIMIT)[1].decode()
    check(recorder.returncode == OK, errors)
    found = mcap_file.messages(read(recorded))
    missed = total - len(found)
    check(not missed or f"{missed} messages were overwritten" in errors, f"{missed} missed: {errors}")
    check(not missed or f", {missed} missed" in shell.run(OK, "record", "--info", recorded).decode(), "--info")
    for _, sequence, _, data in found:
        check(struct.unpack("<Q", data)[0] == sequence, f"message {data} has the sequence {sequence}")


def observed(shell):
    """An observer takes nothing, and counts what it did not see."""
    name, file = shell.name(), shell.path("a.mcap")
    shell.push(lines(3), name, "--each", "--keep", "--kind", "mpmc", "--capacity", "4")
    recorder = shell.record(file, "--observe", "--flush", "0", name)
    shell.until(lambda: len(mcap_file.messages(read(file))) == 3, "nothing is recorded")
    check(shell.run(OK, "pop", name, "--count", "3") == lines(3), "the observer took something")
    recorder.send_signal(signal.SIGSTOP)
    for i in range(4, 24):
        shell.push(b"%d\n" % i, name, "--keep")
        shell.run(OK, "pop", name, "--count", "1")
    shell.push(b"24\n", name)
    recorder.send_signal(signal.SIGCONT)
    shell.end(recorder, OK, "20 messages were popped")
    found = [(sequence, data) for _, sequence, _, data in mcap_file.messages(read(file))]
    check(found == [(0, b"1"), (1, b"2"), (2, b"3"), (23, b"24")], f"{found}")
    check(shell.run(OK, "pop", name) == b"24\n", "the observer took the last one")


def kept_time(shell):
    """A replay never runs ahead of the recorded distances."""
    name = shell.name()
    at = [0, 200_000_000, 100_000_000, 600_000_000]  # the third one is out of order
    file = shell.write(mcap_file.header(), mcap_file.queue(1, name),
                       mcap_file.chunk(b"".join(mcap_file.message(1, i, when, bytes(8)) for i, when in enumerate(at))),
                       mcap_file.footer())
    for speed, least in [("1", 0.6), ("2", 0.3), ("max", 0)]:
        begin = time.monotonic()
        shell.run(OK, "replay", "--speed", speed, file)
        check(time.monotonic() - begin >= least, f"--speed {speed} took less than {least} s")
        check(len(shell.run(OK, "pop", name, "--raw", "--no-wait")) == 32, "not all is there")
    later = shell.start("replay", shell.write(mcap_file.header(), mcap_file.queue(1, name), *(
        mcap_file.message(1, i, when, bytes(8)) for i, when in enumerate([0, 2**64 - 1])), mcap_file.footer()))
    shell.until(lambda: shell.stat(name)["size"] == 1, "the first message is missing")
    later.send_signal(signal.SIGTERM)
    shell.end(later, NOTHING)


# ---- Files that end too early -----------------------------------------------------------------------------------

def cut(shell):
    """A file that is cut off at any byte is read up to its last whole chunk."""
    name, second = shell.name(), shell.name()
    shell.push(lines(4), name, "--each", "--capacity", "4")  # half of it in a chunk
    data = read(shell.recorded(name))
    whole = [len(one) for one in mcap_file.chunks(data)]
    check(whole == [2, 2], f"the chunks have {whole} messages")
    ends = [at + mcap_file.HEAD + len(content) for op, at, content in mcap_file.records(data) if op == mcap_file.CHUNK]
    file = shell.path("cut.mcap")
    sizes = [*range(0, len(data), 29), *(end + i for end in ends for i in range(-40, 10)),
             *range(len(data) - 120, len(data))]
    for size in sizes:
        pathlib.Path(file).write_bytes(data[:size])
        wanted = sum(count for count, end in zip(whole, ends) if end <= size)
        found = shell.info(file, FAILED, CUT_OFF)
        check(sum(found) == wanted, f"cut at byte {size}: {found} messages, not {wanted}")
    for size in [len(data) - 1, ends[1], ends[1] - 1, ends[0], ends[0] - 1]:
        pathlib.Path(file).write_bytes(data[:size])
        wanted = sum(count for count, end in zip(whole, ends) if end <= size)
        shell.run(FAILED, "replay", "--speed", "max", "--rename", f"{name}={second}", file, word=CUT_OFF)
        got = shell.run(OK if wanted else NOTHING, "pop", second, "--no-wait")
        check(got == lines(wanted), f"cut at byte {size}: {got}")
        shell.run(OK, "rm", "--force", second)


def duplicates(files):
    """Returns the data of all files without messages that the next file has again, and their number."""
    found, again = [], 0
    for data in files:
        listed = mcap_file.messages(data)
        first = listed[0][1] if listed else None
        while listed and found and found[-1][1] >= first:
            found.pop()
            again += 1
        found += listed
    return [data for *_, data in found], again


def killed(shell):
    """A recorder of an SPSC queue is killed at random. Each message is in a file or in the queue; those that are in two
    files have the same sequence, and are the last chunk of the first one."""
    dice = random.Random(7)
    name, total, files = shell.name(), 60000, []
    push = shell.feed(lines(total), name, "--each", "--capacity", "200")
    while push.poll() is None and len(files) < 60:
        file = shell.path(f"k{len(files)}.mcap")
        recorder = shell.record(file, "--flush", "0.001", name)
        time.sleep(dice.random() * 0.03)
        recorder.kill()
        recorder.communicate()
        files.append(file)
    check(len(files) >= 3, "the recorder was not killed")
    if os.path.exists(name[5:]): # the kill may have come after the end
        files.append(shell.path("last.mcap"))
        shell.end(shell.record(files[-1], name), OK)
    shell.end(push, OK)
    data = [read(file) for file in files]
    got, again = duplicates(data)
    check(got == lines(total).split(b"\n")[:-1], f"{len(got)} messages are in the files, not the {total} that were pushed")
    most = sum(len(mcap_file.chunks(each)[-1]) for each in data[:-1] if mcap_file.chunks(each))
    check(again <= most, f"{again} messages are in two files, but the last chunks have only {most}")
    print(f"killed {len(files) - 1} times, {again} messages are in two files")


def killed_mpmc(shell):
    """The same with MPMC: none is lost, and at most the messages of the last chunks are in two files."""
    dice = random.Random(8)
    name, total, files = shell.name(), 30000, []
    push = shell.feed(lines(total), name, "--each", "--capacity", "64", "--kind", "mpmc")
    while push.poll() is None and len(files) < 60:
        files.append(shell.path(f"k{len(files)}.mcap"))
        recorder = shell.record(files[-1], "--flush", "0.001", name)
        time.sleep(dice.random() * 0.03)
        recorder.kill()
        recorder.communicate()
    if os.path.exists(name[5:]):
        files.append(shell.path("last.mcap"))
        shell.end(shell.record(files[-1], name), OK)
    shell.end(push, OK)
    got = [int(each) for file in files for each in payloads(file)]
    check(set(got) == set(range(1, total + 1)), f"{total - len(set(got))} messages are lost")
    most = sum(len(mcap_file.chunks(read(file))[-1]) for file in files[:-1] if payloads(file))
    check(len(got) - total <= most, f"{len(got) - total} messages are in two files, at most {most} may be")
    print(f"killed {len(files) - 1} times, {len(got) - total} messages are in two files")


# ---- Disks ------------------------------------------------------------------------------------------------------

def in_file_and_queue(shell, name, data, total):
    kept = [each for *_, each in mcap_file.messages(data)]
    rest = shell.run(OK, "pop", name, "--raw", "--no-wait", "--keep")
    rest = [rest[i:i + 512] for i in range(0, len(rest), 512)]
    check(kept and rest, f"{len(kept)} items are in the file, {len(rest)} in the queue")
    found = [struct.unpack_from("<Q", each)[0] for each in kept + rest]
    check(sorted(found) == list(range(total)), f"{len(kept)} items in the file and {len(rest)} in the queue are not all")


def fill(shell, kind):
    name, total = shell.name(), 2000
    shell.push(b"".join(struct.pack("<Q", i) * 64 for i in range(total)), name, "--raw", "--item-bytes", "512",
               "--capacity", str(total), "--kind", kind)
    return name, total


def full_disk(shell):
    """The file system has no room: each item is in the file or in the queue, exactly once."""
    disk, copy = shell.path("disk"), shell.path("copy.mcap")
    os.mkdir(disk)
    inside = f'mount -t tmpfs -o size=300k none {disk} || exit 99; "$@" > {disk}/a.mcap; code=$?; ' \
             f"cp {disk}/a.mcap {copy}; exit $code"
    for kind in ["spsc", "mpmc"]:
        name, total = fill(shell, kind)
        done = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", inside, "sh", *shell.words, "record",
                               "--flush", "0", name], capture_output=True, timeout=LIMIT, check=False)
        if done.returncode in (1, 99) and b"No space left" not in done.stderr:
            print(f"full_disk: no file system can be mounted here: {done.stderr.decode()}")
            return
        check(done.returncode == FAILED, f"exit code {done.returncode}: {done.stderr}")
        check(b"cannot write to stdout: No space left" in done.stderr, f"{done.stderr}")
        shell.info(copy, FAILED, CUT_OFF)
        in_file_and_queue(shell, name, read(copy), total)


def file_limit(shell):
    """The same, by the greatest size of a file that a process may write."""
    name, total = fill(shell, "spsc")
    file = shell.path("a.mcap")
    words = ["sh", "-c", f'trap "" XFSZ; ulimit -f 400; exec "$@" > {file}', "sh", *shell.words, "record", "--flush", "0", name]
    done = subprocess.run(words, capture_output=True, timeout=LIMIT, check=False)
    check(done.returncode == FAILED and b"cannot write to stdout" in done.stderr, f"{done.returncode}: {done.stderr}")
    shell.info(file, FAILED, CUT_OFF)
    in_file_and_queue(shell, name, read(file), total)


def synchronized(shell):
    name = shell.name()
    shell.push(lines(10), name, "--each")
    file = shell.path("a.mcap")
    shell.run(FAILED, "record", "--sync", name, word="--sync needs a file")
    shell.end(shell.record(file, "--sync", name), OK)
    check(len(payloads(file)) == 10, "not all is in the file")
    with open(file, "ab") as out:
        shell.end(shell.start("record", name, stdout=out), FAILED, "only one recording")


def pipes(shell):
    """A recording through pipes, from the first queue to the last one."""
    name, second = shell.name(), shell.name()
    push = shell.feed(lines(3000), name, "--each")
    recorder = shell.start("record", "--flush", "0", name)
    replay = shell.start("replay", "--speed", "max", "--rename", f"{name}={second}", "-", stdin=recorder.stdout)
    recorder.stdout.close()
    recorder.stdout = None
    check(shell.run(OK, "pop", second) == lines(3000), "another text came out")
    for process in (push, recorder, replay):
        shell.end(process, OK)


def usage(shell):
    for words in [("record",), ("record", "--flush", "x", "q"), ("record", "q", "q"), ("record", "--info", "a", "b"),
                  ("replay",), ("replay", "a", "b"), ("replay", "--speed", "0", "a"), ("replay", "--speed", "fast", "a"),
                  ("replay", "--rename", "a", "b"), ("replay", "--rename", "=a", "b"), ("replay", "--no")]:
        shell.run(USAGE, *words, word=words[0])
    for command in ["record", "replay"]:
        check(b"Exit codes:" in shell.run(OK, command, "--help"), f"{command} --help")


PARTS = [round_trip, times, truncated, several, lossy, observed, kept_time, cut, killed, killed_mpmc, full_disk, file_limit,
         synchronized, pipes, usage]


if __name__ == "__main__":
    main(PARTS, Recorder)
