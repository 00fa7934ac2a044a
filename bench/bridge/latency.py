#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""latency.py BUILD [COUNT]: how long an item takes from a queue over a stream into another queue, with a bridge on each side,
beside a message from a publisher over a stream to a push consumer (both in Python, without a bridge)."""
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
import nats  # noqa: E402
import quoit  # noqa: E402
from suite import Suite, until  # noqa: E402

COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
EVERY_S = 0.002


def show(row, latencies):
    latencies.sort()
    print(f"{row:34} p50 {statistics.median(latencies) / 1e3:7.0f} us   p99 {latencies[len(latencies) * 99 // 100] / 1e3:7.0f} us")


def stamps(send):
    for _ in range(COUNT):
        send(time.monotonic_ns().to_bytes(8, "little"))
        time.sleep(EVERY_S)


def over_bridges(box, server):
    source, target, latencies = box.name(), box.name(), []
    queues = [quoit.Queue.create(name, role, capacity=1024, item_bytes=8, user_bytes=64)
              for name, role in ((source, quoit.PRODUCER), (target, quoit.CONSUMER))]
    out = box.out(source, server, "BRIDGE", "--create-stream")
    out.says("was created")
    into = box.into(target, server, "BRIDGE")
    until(lambda: into.metric("connected"), "no connection")

    def consume():
        while len(latencies) < COUNT:
            try:
                item = queues[1].pop()
                latencies.append(time.monotonic_ns() - int.from_bytes(item, "little"))
            except quoit.Abandoned:
                pass
    consumer = threading.Thread(target=consume)
    consumer.start()
    stamps(queues[0].push)
    consumer.join()
    show("queue, stream, queue", latencies)


def raw(server):
    publisher, client, latencies = nats.Client(server), nats.Client(server), []
    client.create_stream("RAW")
    client.send("SUB deliver.raw 9\r\n")
    client.api("CONSUMER.CREATE.RAW", stream_name="RAW", config={"deliver_subject": "deliver.raw", "ack_policy": "none"})

    def consume():
        while len(latencies) < COUNT:
            data = client.receive()[3]
            latencies.append(time.monotonic_ns() - int.from_bytes(data, "little"))
    consumer = threading.Thread(target=consume)
    consumer.start()
    stamps(lambda data: publisher.publish("raw", data))
    consumer.join()
    show("publisher, stream, push consumer", latencies)


def main():
    box = Suite(BUILD / "tools" / "bridge" / "quoit-bridge")
    try:
        server = box.server()
        for _ in range(3):
            raw(server)
            nats.Client(server).api("STREAM.DELETE.RAW")
            over_bridges(box, server)
            for bridge in box.bridges:
                bridge.kill()
            nats.Client(server).api("STREAM.DELETE.BRIDGE")
    finally:
        box.end()


main()
