#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""containers_test.py QUOIT: queues between containers, as docs/CONTAINERS.md describes them.

A container is a process in namespaces of its own, made by unshare: with every combination of a shared or own IPC namespace,
PID namespace and user namespace, and with a /dev/shm that is shared, its own, or read-only. In each of them the command uses
queues of the machine, in all schemes. Wrong cases end with a sentence that names the thing, the value and the remedy.
Needs root and namespaces.
"""
import itertools
import json
import os
import pathlib
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True
from suite import Suite, check  # noqa: E402

SKIP = 77
OTHER, GROUP = 54321, 54399
READ_ONLY = "Read-only file system; mount it writable"
USERS = {"root": "", "mapped": "--user --map-root-user ", "unmapped": "--user "}


def container(flags, prepare, script):
    """Runs the script in new namespaces, after the preparation of its mounts. Returns code, output and errors.

    The mounts are made before the other namespaces: a user that its namespace does not map can make none."""
    inner = f"exec unshare --mount {flags} sh -c {shlex.quote(script)}"
    command = ["unshare", "--mount", "sh", "-c", f"set -e\n{prepare}\n{inner}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def is_permitted(flags, prepare):
    return container(flags, prepare, "true").returncode == 0


def expected(scheme, ipc, user, shm):
    """Returns a part of the sentence of a read and of a push; "" for success."""
    if scheme == "posix:":
        return {"shared": ("", ""), "own": ("must share /dev/shm",) * 2, "read-only": ("", READ_ONLY)}[shm]
    if scheme == "sysv:":
        if ipc == "own":
            return "must share the IPC namespace", ""  # push creates a queue of that name in the other namespace
        lacks = "user namespace does not map" if user == "unmapped" else "must share the directory of lock files"
        return {"shared": ("", ""), "own": (lacks, lacks), "read-only": ("", READ_ONLY)}[shm]
    return "", ""


def each_combination(suite):
    """Every combination of namespaces, and of /dev/shm, for each scheme."""
    names = {scheme: suite.queue(suite.name(scheme), "--kind", "mpmc", lines=1) for scheme in ("posix:", "sysv:", "file:")}
    mounts = {"shared": "true", "own": "mount -t tmpfs -o size=8m,mode=1777 tmpfs /dev/shm",
              "read-only": "mount -o remount,bind,ro /dev/shm"}
    done = 0
    for ipc, pid, user, shm in itertools.product(("shared", "own"), ("shared", "own"), USERS, mounts):
        flags = USERS[user] + ("--ipc " if ipc == "own" else "") + ("--pid --fork --mount-proc " if pid == "own" else "")
        if not is_permitted(flags, mounts[shm]):
            print(f"  left out: this system permits no ipc {ipc}, pid {pid}, user {user}, /dev/shm {shm}")
            continue
        done += 1
        for scheme, name in names.items():
            reads, pushes = expected(scheme, ipc, user, shm)
            where = f"{name}: ipc {ipc}, pid {pid}, user {user}, /dev/shm {shm}"
            seen = container(flags, mounts[shm], f"{suite.quoit} tail {name}")
            check(seen.returncode == (1 if reads else 0) and reads in seen.stderr, f"{where}: tail: {seen}")
            check(reads or seen.stdout.startswith("0\n"), f"{where}: tail: {seen}")
            if scheme == "posix:" and shm == "own" or scheme == "sysv:" and ipc == "own":
                continue  # push creates a queue in that container
            pushed = container(flags, mounts[shm], f"echo more | {suite.quoit} push --keep --timeout 60 {name}")
            check(pushed.returncode == (1 if pushes else 0) and pushes in pushed.stderr, f"{where}: push: {pushed}")
            popped = container(flags, mounts[shm], f"{suite.quoit} pop --count 1 --timeout 60 {name}")
            check(popped.returncode == (1 if pushes else 0) and pushes in popped.stderr, f"{where}: pop: {popped}")
            if not pushes:
                suite.run("rm", "--force", name)
                suite.queue(name, "--kind", "mpmc", lines=1)
    check(done >= 6, f"only {done} combinations were possible")
    print(f"  {done} combinations")


def a_killed_container(suite):
    """The end of a whole PID namespace is a crash of its members, which a process outside sees at once."""
    flags = "--pid --fork --kill-child --mount-proc --ipc"
    if not is_permitted(flags, "true"):
        print("  left out: this system permits no PID namespace")
        return
    for scheme in ("posix:", "file:"):
        name = suite.queue(suite.name(scheme), "--kind", "mpmc", lines=1)
        inside = subprocess.Popen(["unshare", *flags.split(), suite.quoit, "pop", name], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        suite.processes.append(inside)
        suite.until(lambda: any(member["alive"] for member in suite.object(name)["members"]), "no member is seen")  # pylint: disable=W0640
        suite.kill(inside)
        suite.until(lambda: suite.object(name)["state"] == "dead", "the end of the container is no crash")  # pylint: disable=W0640
        suite.run("push", "--keep", name, text="after the crash\n")
        check(suite.run("pop", "--count", "1", name).stdout == "after the crash\n", "the queue is damaged")


def a_shared_volume(suite):
    """Two containers with nothing in common but a volume in memory, as Kubernetes' emptyDir: one sends, one receives."""
    volume = pathlib.Path(suite.work, "volume")
    volume.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", volume], capture_output=True, check=False)
    if mounted.returncode != 0:
        print("  left out: this system mounts no tmpfs")
        return
    try:
        flags = "--pid --fork --mount-proc --ipc"
        here = f"mount -t tmpfs -o mode=1777 tmpfs /dev/shm; mount --bind {volume} /mnt"
        sent = container(flags, here, f"seq 3 | {suite.quoit} push file:/mnt/q --keep")
        check(sent.returncode == 0, sent)
        received = container(flags, here, f"{suite.quoit} pop file:/mnt/q --count 3")
        check(received.stdout == "1\n2\n3\n", received)
        reads = container(flags, f"{here}; mount -o remount,bind,ro /mnt", f"{suite.quoit} tail file:/mnt/q; "
                          f"echo x | {suite.quoit} push file:/mnt/q")
        check(READ_ONLY in reads.stderr and "/mnt/q" in reads.stderr, reads)
        large = container(flags, here, f"echo x | {suite.quoit} push file:/mnt/large --capacity 1000")
        check("cannot reserve" in large.stderr and "use a smaller capacity" in large.stderr, large)
    finally:
        subprocess.run(["umount", volume], check=True)


def a_small_dev_shm(suite):
    """Docker gives a container 64 MiB; here it has 64 KiB."""
    small = "mount -t tmpfs -o size=64k,mode=1777 tmpfs /dev/shm"
    if not is_permitted("", small):
        print("  left out: this system mounts no tmpfs")
        return
    name = suite.name()
    full = container("", small, f"echo x | {suite.quoit} push {name}")
    check(full.returncode == 1 and "bytes for '/dev/shm/" in full.stderr and "--shm-size" in full.stderr, full)
    left = container("", small, f"echo x | {suite.quoit} push {name} || ls -A /dev/shm")
    check(left.stdout == "", f"something was left: {left}")


def as_user(uid, gid, *arguments, text="", groups=()):
    command = ["setpriv", "--reuid", str(uid), "--regid", str(gid),
               *(["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=300, check=False)


def users_and_groups(suite):
    """A queue of user 0: without permission, with permission for all, and for a group."""
    closed = suite.queue(suite.name(), lines=1)
    denied = as_user(OTHER, OTHER, suite.quoit, "tail", closed)
    check(denied.returncode == 1 and "belongs to user 0, group 0, with permissions 600" in denied.stderr and
          f"runs as user {OTHER}, group {OTHER}" in denied.stderr, denied)
    listed = as_user(OTHER, OTHER, suite.quoit, "ls", closed)
    check(listed.returncode == 1, listed)
    name = suite.queue(suite.name(), "--permissions", "666", lines=1)
    other = as_user(OTHER, OTHER, suite.quoit, "tail", name)
    check(other.returncode == 1 and "user 0" in other.stderr and str(OTHER) in other.stderr and "--any-owner" in other.stderr,
          other)
    check(as_user(OTHER, OTHER, suite.quoit, "tail", "--any-owner", name).stdout == "0\n", "--any-owner is not enough")
    name = suite.name()
    made = as_user(OTHER, GROUP, suite.quoit, "push", "--keep", "--permissions", "660", name, text="for the group\n")
    check(made.returncode == 0, made)
    read = as_user(OTHER + 1, OTHER + 1, suite.quoit, "pop", "--any-owner", "--count", "1", name, groups=[GROUP])
    check(read.stdout == "for the group\n", read)
    refused = as_user(OTHER + 1, OTHER + 1, suite.quoit, "tail", "--any-owner", name)
    check(f"belongs to user {OTHER}, group {GROUP}, with permissions 660" in refused.stderr, refused)
    removed = as_user(OTHER + 1, OTHER + 1, suite.quoit, "rm", "--any-owner", name, groups=[GROUP])
    check(removed.returncode == 1 and f"belongs to user {OTHER}" in removed.stderr, removed)


def removed_at_logout(suite):
    """systemd's RemoveIPC unlinks a user's objects while a program uses them: quoit names the program."""
    name = suite.queue(suite.name(), lines=1)
    using = suite.hold("pop", name, "consumer")
    os.unlink(f"/dev/shm/{name.removeprefix('posix:')}")
    found = suite.run("stat", name, code=1).stderr
    check("was removed" in found and str(using.pid) in found and "restart them" in found, found)
    again = suite.run("push", "--keep", name, text="x\n")
    check(again.returncode == 0 and suite.object(name)["members"] == [], "the name leads to the old object")


def services(suite):
    """systemd's sandbox for a service: PrivateIPC= is an IPC namespace; ProtectSystem= does not make /dev/shm read-only."""
    name = suite.queue(suite.name("posix:"), "--kind", "mpmc", lines=1)
    inside = container("--ipc", "mount -o remount,bind,ro /usr 2>/dev/null || true", f"{suite.quoit} stat --json {name}")
    check(json.loads(inside.stdout)[0]["size"] == 1, inside)


def main():
    if os.geteuid() != 0:
        print("skipped: only root can make namespaces and become other users")
        sys.exit(SKIP)
    if not is_permitted("", "mount -t tmpfs tmpfs /mnt"):
        print("skipped: this system permits no mount namespaces")
        sys.exit(SKIP)
    suite = Suite(sys.argv[1])
    copy = pathlib.Path(suite.work, "quoit")  # other users may not reach the build folder
    copy.write_bytes(pathlib.Path(suite.quoit).read_bytes())
    copy.chmod(0o755)
    os.chmod(suite.work, 0o755)
    suite.quoit = str(copy)
    try:
        for part in (each_combination, a_killed_container, a_shared_volume, a_small_dev_shm, users_and_groups, removed_at_logout,
                     services):
            print(part.__name__, flush=True)
            part(suite)
    finally:
        suite.give_up()


if __name__ == "__main__":
    main()
