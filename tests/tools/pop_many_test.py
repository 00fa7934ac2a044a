#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pop_many_test.py QUOIT [PART...]: quoit pop of several queues, and how a signal ends quoit pop."""
import json
import os
import signal
import subprocess
import time

from push_pop_test import FAILED, LIMIT, NOTHING, OK, check, lines, main


def several(shell):
    """pop reads several queues as messages come, opens those that do not exist yet, and ends with the last stream."""
    names = [shell.name() for _ in range(3)]
    kinds = [(), ("--kind", "mpmc"), ("--kind", "broadcast")]
    pop = shell.start("pop", *names)
    pushes = [shell.start("push", name, "--each", *kind, stdin=subprocess.PIPE) for name, kind in zip(names, kinds)]
    shell.wait_for_members(names[2], 2)  # a subscriber gets only what comes later
    for i in (0, 2, 1, 1, 0, 2):
        pushes[i].stdin.write(b"from %d\n" % i)
        pushes[i].stdin.flush()
        check(pop.stdout.read(7) == b"from %d\n" % i, f"a message of queue {i}")
    for push in pushes:
        check(pop.poll() is None, "pop ended before the last stream")
        shell.end(push, OK)  # communicate() closes its input
    check(shell.end(pop, OK) == b"", "something else came")
    check([os.path.exists(name[5:]) for name in names] == [False, False, True], "pop left a finished queue there")
    for i, name in enumerate(names[:2]):
        shell.push(lines(3), name, "--each", "--keep", *kinds[i])
    got = shell.run(OK, "pop", "--no-wait", *names[:2])
    check(sorted(got.split()) == sorted(2 * lines(3).split()), f"--no-wait: {got}")
    check(shell.run(NOTHING, "pop", "--no-wait", *names[:2]) == b"", "nothing is there")
    shell.run(NOTHING, "pop", "--timeout", "0.1", *names[:2])
    shell.run(FAILED, "pop", "--no-wait", names[0], shell.name(), word="q")
    for name in names[:2]:
        shell.push(lines(5), name, "--each", "--keep")
    got = shell.run(OK, "pop", "--count", "7", *names[:2])
    check(len(got.split()) == 7, f"--count 7: {got}")
    check(len((got + shell.run(OK, "pop", "--no-wait", *names[:2])).split()) == 10, "the rest is lost")
    push = shell.start("push", names[0], stdin=subprocess.PIPE)
    pop = shell.start("pop", *names[:2])
    push.stdin.write(b"1\n")
    push.stdin.flush()
    check(pop.stdout.read(2) == b"1\n", "the first line")  # so both are members
    push.kill()
    shell.end(pop, FAILED, "--follow")
    push.wait()
    pop = shell.start("pop", "--follow", *names[:2])
    for text in (b"2\n", b"3\n"):
        shell.push(text, names[0], "--each")
        check(pop.stdout.read(2) == text, "--follow did not go on")
        deadline = time.monotonic() + LIMIT
        while os.path.exists(names[0][5:]):  # until then a push joins the finished queue
            check(time.monotonic() < deadline, "pop did not remove the finished queue")
            time.sleep(0.01)
    pop.kill()
    pop.wait()


def members_of(shell, name):
    return json.loads(shell.run(OK, "stat", "--json", name))[0]["members"]


def end_by_signal(process, number):
    process.send_signal(number)
    output, errors = process.communicate(timeout=LIMIT)
    check(process.returncode == -number and errors == b"", f"{process.args}: {process.returncode} {errors}")
    return output


def interrupted(shell):
    """A signal ends pop in any wait. Then it has left its queues, and lost no message."""
    for number in (signal.SIGINT, signal.SIGTERM):
        names = [shell.name(), shell.name()]
        for name in names:
            shell.push(b"", name, "--keep")
        for words in (names[:1], names, [*names, shell.name()]):
            pop = shell.start("pop", *words)
            shell.wait_for_members(words[0], 1)
            time.sleep(0.05)
            end_by_signal(pop, number)
            check([members_of(shell, name) for name in names] == [[], []], f"{words}: pop has not left")
        if os.path.exists("/proc/self/status"):
            pop = shell.start("pop", shell.name())  # waits until it exists
            wait_for_handler(pop, number)
            end_by_signal(pop, number)
        line = b"x" * 2900000 + b"\n"  # more than a pipe holds
        for count in (1, 2):
            name = shell.name()
            shell.push(line, name, "--keep", "--each", "--item-bytes", "3000000")
            pop = shell.start("pop", name, *names[1:count])
            check(pop.stdout.read(1) == b"x", "the beginning of the line")
            end_by_signal(pop, number)
            check(members_of(shell, name) == [], "pop has not left")
            check(shell.run(OK, "pop", name, "--no-wait") == line, "the line is lost")


def wait_for_handler(process, number):
    deadline = time.monotonic() + LIMIT
    while True:
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            caught = int(dict(line.split(":", 1) for line in file)["SigCgt"], 16)
        if caught & 1 << (number - 1):
            return
        check(time.monotonic() < deadline, f"{process.args} does not handle {number}")
        time.sleep(0.01)


if __name__ == "__main__":
    main([several, interrupted])
