#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hostile_test.py QUOIT: the tools with hostile objects.

Sparse objects, and objects that are truncated and extended repeatedly, of this user and of another. Processes that join
between the check and the removal of `quoit rm --dead`. The parts with two users need root. Uses only names of its own.
"""
import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

SHM = "/dev/shm"
OTHER_USER, OBSERVER = 65534, 65533
SPARSE_BYTES = 1 << 28
# On Linux; open-file-description locks.
F_OFD_SETLK = 37
# Commands that read all objects, and commands that read the named one.
ALL = [["ls"], ["ls", "--json"], ["stat", "--all"], ["stat", "--all", "--format", "prometheus"], ["check", "--all"],
       ["rm", "--dead", "--dry-run"], ["top", "--plain", "--count", "1"]]
REPEATS = 300
NAMED = [["stat"], ["stat", "--json"], ["check"], ["top", "--plain", "--count", "1"], ["rm", "--dead"]]


class Suite:
    def __init__(self, quoit):
        self.quoit = quoit


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def run(suite, *arguments, user=None, text=None):
    """It ended in time, and not by a signal."""
    done = subprocess.run([suite.quoit, *arguments], input=text, capture_output=True, timeout=120, check=False,
                          text=True, errors="replace", user=user, group=user)
    check(done.returncode >= 0, f"signal {-done.returncode} ended quoit {arguments[:3]}")
    return done


def name(part):
    return f"qt-{os.getpid()}-{part}"


def path(text):
    return f"{SHM}/{text}"


# ---- Objects without memory -------------------------------------------------------------------------------------

def fnv(data, value=0xcbf29ce484222325):
    for byte in data:
        value = ((value ^ byte) * 0x100000001b3) & ((1 << 64) - 1)
    return value


def format_version(suite):
    """The header as this build writes it."""
    text = name("version")
    run(suite, "push", "--keep", text, text="x")
    with open(path(text), "rb") as file:
        version = struct.unpack("<QI", file.read(12))[1]
    run(suite, "rm", text)
    return version


def pool_head(text, version, blocks):
    """Returns the header of a valid pool, and its size."""
    def align(offset):
        return (offset + 127) // 128 * 128
    members = align(384 + 72)
    incarnations = align(members + 64 * 64)
    hints = align(incarnations + 512)
    words = align(hints + (blocks + 63) // 64 * 8)
    blocks_at = align(words + 16 * blocks)
    size = (align(blocks_at + 64 * blocks) + 4095) // 4096 * 4096
    head = struct.pack("<IIQQII", version, 2, size, 0, os.getpid(), 0)
    stored = text.encode().ljust(208, b"\0")
    region = struct.pack("<Q", 0x0a1a0054494f5551) + head + struct.pack("<Q", fnv(stored, fnv(head)))
    region += stored + struct.pack("<QQ", size, 384)
    pool = struct.pack("<QQQQQQQII", 64, blocks, members, incarnations, words, hints, blocks_at, 64, 0)
    return region.ljust(384, b"\0") + pool + struct.pack("<Q", fnv(pool)), size


def make_file(text, head, size, owner=None):
    with open(path(text), "wb") as file:
        os.fchmod(file.fileno(), 0o666)
        file.write(head)
        file.truncate(size)
        if owner is not None:
            os.fchown(file.fileno(), owner, owner)


def used(text):
    return os.stat(path(text)).st_blocks * 512


def look(suite, text, user=None):
    """Every command survives it, and reads no hole."""
    before = used(text)
    for command in ALL:
        done = run(suite, *command, user=user)
        check(done.returncode in (0, 4), f"{command} fails: {done.stderr}")
    for command in NAMED:
        run(suite, *command, text, user=user)
    check(used(text) == before, f"{used(text) - before} bytes of memory were taken")
    return {seen["name"]: seen for seen in json.loads(run(suite, "ls", "--json", user=user).stdout)}


def sparse(suite):
    text = name("sparse")
    head, size = pool_head(text, format_version(suite), (SPARSE_BYTES - 4096) // 81)
    try:
        make_file(text, head, size)
        seen = look(suite, text)
        check("have no memory" in seen[f"posix:{text}"]["damage"], "the holes are not named")
        check(run(suite, "rm", text).returncode == 0, "it is not removed")
        check(not os.path.exists(path(text)), "it is not removed")
    finally:
        remove(text)


def sparse_of_another(suite):
    text = name("sparse")
    head, size = pool_head(text, format_version(suite), (SPARSE_BYTES - 4096) // 81)
    try:
        make_file(text, head, size, OTHER_USER)
        for user in (OBSERVER, None):
            seen = look(suite, text, user)
            check(seen[f"posix:{text}"]["state"] == "foreign", "another user's object was read")
    finally:
        remove(text)


def sound_of_another(suite):
    """It is listed by name, and read only if its name is given."""
    text = name("sound")
    try:
        run(suite, "push", "--keep", text, text="x", user=OTHER_USER)
        os.chmod(path(text), 0o666)
        look(suite, text, OBSERVER)
        listed = run(suite, "ls", user=OBSERVER).stdout
        check([line for line in listed.splitlines() if text in line and "foreign" in line], "it is not listed")
        check("foreign" in run(suite, "check", "--all", user=OBSERVER).stdout, "check does not report it")
        done = run(suite, "stat", "--json", text, user=OBSERVER)
        check(json.loads(done.stdout)[0]["state"] == "idle", f"it is not read: {done.stdout}{done.stderr}")
        check(run(suite, "check", text, user=OBSERVER).returncode == 0, "it is not checked")
        run(suite, "rm", "--dead", user=OBSERVER)
        check(os.path.exists(path(text)), "it was removed")
    finally:
        remove(text)


# ---- Objects that are truncated during the command --------------------------------------------------------------

def cut_off(text, how, user):
    """A process that repeats this until it is killed, or this process ends."""
    child = os.fork()
    if child:
        return child
    if user is not None:
        os.setgid(user)
        os.setuid(user)
    fd = os.open(path(text), os.O_RDWR)
    head, size = os.pread(fd, 8192, 0), os.fstat(fd).st_size
    parent = os.getppid()
    while os.getppid() == parent:
        os.ftruncate(fd, 0)
        if how == "reserved":
            os.posix_fallocate(fd, 0, size)
        os.pwrite(fd, head, 0)
        os.ftruncate(fd, size)
        time.sleep(0.0001) # so that some reads find it whole
    os._exit(0)


def cut_meanwhile(suite, how, owner=None):
    text = name("cut")
    process = None
    try:
        run(suite, "push", "--keep", "--capacity", "200", text, text="x", user=owner)
        process = cut_off(text, how, owner)
        for command in ALL:
            run(suite, *command)
        for command in NAMED:
            run(suite, *command, *[text] * REPEATS)
        run(suite, "check", "--repair", *[text] * REPEATS)
        for _ in range(REPEATS // 10):
            run(suite, "tail", "--any-owner", text)
            run(suite, "check", "--repair", *["--through", text] * 10, text)
    finally:
        if process:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        remove(text)


def cut(suite):
    cut_meanwhile(suite, "sparse")


def cut_and_reserved(suite):
    cut_meanwhile(suite, "reserved")


def cut_while_followed(suite):
    """`quoit tail --follow` ends with a message."""
    text = name("followed")
    process = None
    try:
        run(suite, "push", "--keep", "--capacity", "200", text, text="x\n")
        process = subprocess.Popen([suite.quoit, "tail", "--follow", text], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        check(process.stdout.readline() == "x\n", "it shows nothing")
        os.truncate(path(text), 0)
        _, errors = process.communicate(timeout=20)
        check(process.returncode == 1, f"it ended with {process.returncode}")
        check("truncated" in errors, f"it prints {errors}")
    finally:
        if process:
            process.kill()
            process.wait()
        remove(text)


def cut_by_another(suite):
    cut_meanwhile(suite, "reserved", OTHER_USER)


# ---- Processes that join during the command ---------------------------------------------------------------------

def joined_meanwhile(suite):
    """`rm --dead` finds the object abandoned, and waits for its gate; then a process joins."""
    text = name("dead")
    removal = receiver = None
    gate = -1
    try:
        crashed = subprocess.Popen([suite.quoit, "push", "--keep", "--kind", "mpmc", text], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL)
        until(lambda: os.path.exists(path(text)) and members(suite, text), "there is no producer")
        crashed.kill()
        crashed.wait()
        crashed.stdin.close()
        gate = os.open(path(text), os.O_RDWR)
        fcntl.fcntl(gate, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
        removal = subprocess.Popen([suite.quoit, "rm", "--dead", text], stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        receiver = subprocess.Popen([suite.quoit, "pop", text], stdout=subprocess.PIPE)
        time.sleep(0.5)
        os.close(gate)
        gate = -1
        check(removal.wait(60) == 0, "the removal failed")
        done = run(suite, "push", "--keep", "--kind", "mpmc", text, text="hello\n")
        check(done.returncode == 0, f"push: {done.stderr}")
        os.set_blocking(receiver.stdout.fileno(), False)
        until(lambda: receiver.stdout.read() == b"hello\n", "the receiver's queue has lost its name")
    finally:
        if gate >= 0:
            os.close(gate)
        for process in (removal, receiver):
            if process:
                process.kill()
                process.wait()
        if receiver:
            receiver.stdout.close()
        remove(text)


def members(suite, text):
    done = run(suite, "stat", "--json", text)
    return done.returncode == 0 and json.loads(done.stdout)[0]["members"]


def until(condition, sentence):
    deadline = time.monotonic() + 20
    while not condition():
        check(time.monotonic() < deadline, sentence)
        time.sleep(0.02)


def remove(text):
    for left in (path(text), f"{SHM}/.quoit-locks.{text}"):
        if os.path.exists(left):
            os.unlink(left)


PARTS = [sparse, cut, cut_and_reserved, cut_while_followed, joined_meanwhile]
PARTS_OF_TWO_USERS = [sparse_of_another, sound_of_another, cut_by_another]


def main():
    parts = list(PARTS)
    if os.geteuid() == 0:
        parts += PARTS_OF_TWO_USERS
    else:
        print("without root: the parts with two users are left out")
    with tempfile.TemporaryDirectory(prefix="quoit-test-") as directory: # other users may run the program from there
        suite = Suite(os.path.join(directory, "quoit"))
        os.chmod(directory, 0o755)
        shutil.copy(sys.argv[1], suite.quoit)
        os.chmod(suite.quoit, 0o755)
        for part in parts:
            if len(sys.argv) == 2 or part.__name__ in sys.argv[2:]:
                print(part.__name__, flush=True)
                part(suite)


if __name__ == "__main__":
    main()
