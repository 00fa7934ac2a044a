#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py BUILD [ROUNDS [COUNT]]: quoit-bridge beside a bare publisher over libnats, in interleaved rounds.

Prints messages per second between the first and the last message of the stream, as the server stored them: medians, and
the ratios to the bare publisher with the same headers. Also the client's processor time for each message."""
import datetime
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1]).resolve()
sys.path[:0] = [str(ROOT / "tests" / "bridge"), str(BUILD / "python")]
os.environ["QUOIT_PYTHON"] = str(BUILD / "python")
import nats  # noqa: E402
import quoit  # noqa: E402

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
WINDOW = "1024"


def moment(text):
    """Nanoseconds."""
    whole, fraction = re.fullmatch(r"(.*?)(?:\.(\d+))?Z", text).groups()
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 10**9 + int((fraction or "0").ljust(9, "0"))


def rate(server, stream):
    client = nats.Client(server)
    state = client.stream(stream)["state"]
    client.api(f"STREAM.DELETE.{stream}")
    client.close()
    assert state["messages"] == COUNT, state
    return COUNT / ((moment(state["last_ts"]) - moment(state["first_ts"])) / 1e9)


def processor_seconds(command, **more):
    """Runs the command; returns the processor time that it used, with all its threads."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def create(server, stream):
    client = nats.Client(server)
    client.create_stream(stream)
    client.close()


def bare(server, headers, size):
    create(server, "BARE")
    seconds = processor_seconds([BUILD / "bench" / "bare_publisher", server.url, "bare", str(COUNT), str(size), WINDOW, headers])
    return rate(server, "BARE"), seconds


def bridge(server, kind, size):
    create(server, "BRIDGE")
    name = f"posix:bridge-bench-{os.getpid()}"
    with quoit.Queue.create(name, quoit.PRODUCER, kind=kind, capacity=COUNT, item_bytes=size) as queue:
        item = bytes(size)
        for _ in range(COUNT):
            queue.push(item)
        queue.finish()
    seconds = processor_seconds([BUILD / "tools" / "bridge" / "quoit-bridge", "out", "--window", WINDOW, name,
                                 f"{server.url}/BRIDGE/bridge"], stderr=subprocess.DEVNULL)
    for left in (name, name + ".bridge"):
        try:
            quoit.unlink(left)
        except quoit.NotFound:
            pass
    return rate(server, "BRIDGE"), seconds


def main():
    with tempfile.TemporaryDirectory() as work:
        server = nats.Server(work).start()
        try:
            for size in (64, 1024):
                rows = {"bare, no headers": lambda size=size: bare(server, "none", size),
                        "bare, id": lambda size=size: bare(server, "id", size),
                        "bare, id and last sequence": lambda size=size: bare(server, "sequence", size),
                        "bare, id and last id": lambda size=size: bare(server, "last-id", size),
                        "bridge, SPSC": lambda size=size: bridge(server, quoit.SPSC, size),
                        "bridge, MPMC": lambda size=size: bridge(server, quoit.MPMC, size)}
                found = {row: [] for row in rows}
                for _ in range(ROUNDS):
                    for row, measure in rows.items():
                        found[row].append(measure())
                base = statistics.median(rate for rate, _ in found["bare, id and last sequence"])
                for row, measured in found.items():
                    middle = statistics.median(rate for rate, _ in measured)
                    used = statistics.median(seconds for _, seconds in measured) / COUNT * 1e6
                    print(f"{size:5} bytes  {row:28} {middle:9.0f} messages/s  {middle / base:.2f}  {used:5.2f} us of processor",
                          flush=True)
        finally:
            server.kill()


main()
