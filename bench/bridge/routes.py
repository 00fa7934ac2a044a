#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""routes.py BUILD [ROUTES]: what one quoit-bridge with many routes (half of them out, half in) uses when no message comes:
threads, memory, processor time, context switches; then the latency from a queue over a stream into another queue on one
route, while all the others carry messages, and while one route has no server."""
import os
import pathlib
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1]).resolve()
os.environ["QUOIT_PYTHON"] = str(BUILD / "python")
sys.path[:0] = [str(ROOT / "tests" / "bridge"), os.environ["QUOIT_PYTHON"]]
import quoit  # noqa: E402
from suite import Suite, until  # noqa: E402

PAIRS = (int(sys.argv[2]) if len(sys.argv) > 2 else 20) // 2
IDLE_S, COUNT, EVERY_S = 20, 500, 0.004


def used(pid):
    """Seconds of processor time, and context switches."""
    seconds, switches = 0, 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            words = file.read().rpartition(")")[2].split()
        seconds += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            switches += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return seconds, switches


def idle(bridge, what):
    pid = bridge.process.pid
    time.sleep(3)
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    before = used(pid)
    time.sleep(IDLE_S)
    seconds, switches = (after - first for after, first in zip(used(pid), before))
    print(f"{what}: {status['Threads'].strip()} threads, {int(status['VmRSS'].split()[0]) / 1024:.0f} MiB, "
          f"{seconds / IDLE_S * 100:.2f} % of a processor, {switches / IDLE_S:.0f} context switches per second", flush=True)


def latency(queues, target, count, every_s):
    found = []

    def consume():
        while len(found) < count:
            try:
                item = target.pop()
                found.append(time.monotonic_ns() - int.from_bytes(item, "little"))
            except quoit.Abandoned:
                pass
    consumer = threading.Thread(target=consume)
    consumer.start()
    for _ in range(count):
        queues.push(time.monotonic_ns().to_bytes(8, "little"))
        time.sleep(every_s)
    consumer.join()
    return sorted(found)


def show(what, found):
    print(f"{what}: p50 {statistics.median(found) / 1e3:.0f} us, p99 {found[len(found) * 99 // 100] / 1e3:.0f} us", flush=True)


def main():
    box = Suite(BUILD / "tools" / "bridge" / "quoit-bridge")
    try:
        server = box.server()
        text, pairs = f"[server]\nurl = {server.url}\n", []
        for number in range(PAIRS):
            source, target = box.name(), box.name()
            pairs.append([quoit.Queue.create(name, role, capacity=1024, item_bytes=8, user_bytes=64)
                          for name, role in ((source, quoit.PRODUCER), (target, quoit.CONSUMER))])
            for direction, name in (("out", source), ("in", target)):
                text += f"[{direction} {name}]\nstream = S{number}\nsubject = s{number}\ncreate-stream = yes\n"
        for name, more in (("all", ""), ("one without a server", f"[out {box.queue()}]\nurl = nats://10.255.255.1:4222\n"
                                                                  "stream = X\nsubject = x\n")):
            with open(f"{box.work}/run.ini", "w", encoding="utf-8") as file:
                file.write(text + more)
            bridge = box.bridge("run", f"{box.work}/run.ini")
            for queues in pairs:
                latency(*queues, 1, 0)
            if not more:
                idle(bridge, f"{2 * PAIRS} routes, no messages")
            show(f"{name}: latency, other routes idle", latency(*pairs[0], COUNT, EVERY_S))
            others = [threading.Thread(target=latency, args=(*queues, COUNT, 2 * EVERY_S)) for queues in pairs[1:]]
            for thread in others:
                thread.start()
            show(f"{name}: latency, {PAIRS - 1} other pairs busy", latency(*pairs[0], COUNT, EVERY_S))
            for thread in others:
                thread.join()
            bridge.stop()
    finally:
        box.end()


main()
