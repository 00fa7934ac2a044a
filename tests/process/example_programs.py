# SPDX-License-Identifier: MIT
"""Part of product_test.py: the short programs in examples/, one for each kind of use, in pairs of processes."""
import os
import re
import signal
import time

from product_suite import check


def start_ready(suite, program, *options):
    """Returns when the program has joined its queue and handles Ctrl-C, which it prints."""
    process = suite.start(program, *options)
    text = b""
    while b"Ctrl-C" not in text or not text.endswith(b"\n"):  # byte by byte, so that communicate() returns the rest
        byte = os.read(process.stderr.fileno(), 1)
        check(byte, f"{program} ended early: {text!r}")
        text += byte
    return process


def end_by_ctrl_c(suite, process):
    """Returns its lines after a clean end. On Windows, where no signal can be sent, kills it."""
    if suite.windows:
        process.kill()
        return suite.end(process, -signal.SIGKILL)
    suite.ask_to_end(process, signal.SIGINT)
    lines = suite.end(process)
    check(process.errors == "", f"{process.args}: Ctrl-C is no clean end: {process.errors}")
    return lines


def whole_lines(process):
    """Returns its output so far, without an incomplete line."""
    with open(process.output.name) as output:
        return output.read().rpartition("\n")[0].splitlines()


def await_lines(process, count, others=()):
    """Returns when it and the others have printed that many different lines."""
    deadline = time.monotonic() + 120
    while True:
        lines = {line for each in (process, *others) for line in whole_lines(each)}
        if len(lines) >= count:
            return lines
        check(process.poll() is None, f"{process.args} ended early")
        check(time.monotonic() < deadline, f"{process.args}: only {len(lines)} lines: {sorted(lines)}")
        time.sleep(0.01)


def clean_up(suite, *names):
    """On Windows queues end with their last handle."""
    for name in names if not suite.windows else ():
        suite.unlink(name)


def logger(suite):
    """Two applications, one logger: the lines of each are complete and in order. Lines wait for a logger."""
    suite.names.append("log")
    reader = start_ready(suite, "example_logger")
    for application in [suite.start("example_application", name) for name in ("left", "right")]:
        check(suite.end(application) == [] and application.errors == "", f"an application: {application.errors}")
    await_lines(reader, 200)
    lines = end_by_ctrl_c(suite, reader)
    for name in ("left", "right"):
        own = [line for line in lines if line.startswith(name + ":")]
        check(own == [f"{name}: request {n} is done" for n in range(100)], f"{name}: {own}")
    if not suite.windows:
        suite.end(suite.start("example_application", "early"))
        reader = start_ready(suite, "example_logger")
        await_lines(reader, 100)
        check(len(end_by_ctrl_c(suite, reader)) == 100, "lines were queued, and are not there")
    clean_up(suite, "log")


def spots(lines):
    numbers = []
    for line in lines:
        number, x, y = map(int, re.fullmatch(r"frame (\d+): a spot at (\d+), (\d+)", line).groups())
        check((x, y) == (2 * number, number), f"a wrong frame: {line}")
        numbers.append(number)
    return numbers


def frames(suite):
    """Each frame that the camera did not drop arrives once, in order."""
    suite.names.append("frames")
    detector = start_ready(suite, "example_detector")
    camera = suite.start("example_camera")
    check(suite.end(camera) == [], "the camera prints")
    dropped = set(map(int, re.findall(r"frame (\d+) is dropped", camera.errors)))
    seen = spots(suite.end(detector))
    right = [number for number in range(1, 101) if number not in dropped]
    check(seen == right and detector.errors == "", f"{seen}, dropped {dropped}: {detector.errors}")
    if suite.windows:
        return
    end_by_ctrl_c(suite, start_ready(suite, "example_detector"))
    camera = start_ready(suite, "example_camera")
    suite.ask_to_end(camera, signal.SIGINT)
    check(suite.end(camera) == [], "the camera prints")
    seen = spots(suite.end(suite.start("example_detector")))
    check(len(seen) <= 4 and seen == list(range(1, len(seen) + 1)), f"a camera without a detector: {seen}")


def jobs(suite):
    """A worker that is killed loses no job: another one does it."""
    suite.names.append("prime-jobs")
    first = start_ready(suite, "example_work")
    submitter = start_ready(suite, "example_submit")
    await_lines(first, 1)
    second = start_ready(suite, "example_work")
    first.kill()
    first.wait()
    lines = await_lines(second, 100, [first])
    check(sorted(int(line.split()[0]) for line in lines) == list(range(0, 100000, 1000)), str(sorted(lines)))
    check(sum(int(line.split()[3]) for line in lines) == 9592, f"wrong sums: {sorted(lines)}")
    suite.end(first, -signal.SIGKILL)
    check(suite.end(submitter) == [] and submitter.errors == "", f"the submitter: {submitter.errors}")
    end_by_ctrl_c(suite, second)
    if not suite.windows:  # without a worker it waits for a free slot until Ctrl-C
        end_by_ctrl_c(suite, start_ready(suite, "example_submit"))
    clean_up(suite, "prime-jobs")


def request_and_reply(suite):
    """Several clients at the same time each get their own answer, and leave no queue."""
    suite.names.append("requests")
    server = start_ready(suite, "example_answer")
    clients = [(number, suite.start("example_ask", str(number))) for number in (12, 100000, 7)]
    for number, client in clients:
        check(suite.end(client) == [f"{number} squared is {number * number}"], f"{number}: {client.errors}")
    check(end_by_ctrl_c(suite, server) == [], "the server prints")
    for number in range(1, 4):
        check(not suite.is_there(f"reply-{number}"), f"reply-{number} was left behind")
    clean_up(suite, "requests")


def ticks(suite):
    """The items that each subscriber saw, and those that it missed, are those that were published."""
    suite.names.append("ticks")
    subscribers = [start_ready(suite, "example_subscribe") for _ in range(2)]
    publisher = suite.start("example_publish")
    check(suite.end(publisher) == [], "the publisher prints")
    for subscriber in subscribers:
        [line] = suite.end(subscriber)
        seen, missed = map(int, re.match(r"(\d+) ticks, (\d+) missed", line).groups())
        check(seen > 0 and seen + missed == 100000, line)
        check(subscriber.errors == "", f"a subscriber: {subscriber.errors}")
    check(not suite.is_there("ticks"), "the publisher left the queue behind")
    [line] = end_by_ctrl_c(suite, start_ready(suite, "example_subscribe")) or ["0 ticks, 0 missed"]
    check(line.startswith("0 ticks, 0 missed"), line)
    clean_up(suite, "ticks")


def port_from_boost(suite):
    """Two threads with a handle each; the stream ends when both have finished."""
    if not os.path.exists(suite.command("example_boost_take")[-1]):
        return  # the compiler has no std::thread
    suite.names.append("orders")
    if not suite.windows:
        end_by_ctrl_c(suite, start_ready(suite, "example_boost_take"))
    taker = start_ready(suite, "example_boost_take")
    putter = suite.start("example_boost_put")
    check(suite.end(putter) == [] and putter.errors == "", f"put: {putter.errors}")
    lines = suite.end(taker)
    check(sorted(lines) == sorted(f"order {number}" for number in range(100)), str(lines))
    check(not suite.is_there("orders"), "the queue was left behind")


def example_programs(suite):
    for part in (logger, frames, jobs, request_and_reply, ticks, port_from_boost):
        print(" ", part.__name__, flush=True)
        part(suite)
