#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py BUILD [ROUNDS [COUNT [OTHER]]]: quoit-bridge beside a bare publisher over libnats, in interleaved rounds.
OTHER is another quoit-bridge to compare with, for example of the commit before.

Prints messages per second between the first and the last message of the stream, as the server stored them: the median of
the rounds. Then the ratio to the bare publisher with the same headers in the same round, for MPMC with the
same window: the median, and the quartiles.
Last the client's processor time and context switches for each message."""
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

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 9
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
OTHER = sys.argv[4] if len(sys.argv) > 4 else None
WINDOW = "1024"
HANDLES = "32"  # the window of a bridge that drains an MPMC queue
BASE, BASE_OF_MPMC = "bare, id and last sequence", "bare, the same, window 32"


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


def run(command, **more):
    """Runs the command; returns the processor time and the context switches of all its threads."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
            after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw)


def create(server, stream):
    client = nats.Client(server)
    client.create_stream(stream)
    client.close()


def bare(server, headers, size, window=WINDOW):
    create(server, "BARE")
    used = run([BUILD / "bench" / "bare_publisher", server.url, "bare", str(COUNT), str(size), window, headers])
    return rate(server, "BARE"), *used


def bridge(server, kind, size, program=BUILD / "tools" / "bridge" / "quoit-bridge"):
    create(server, "BRIDGE")
    name = f"posix:bridge-bench-{os.getpid()}"
    with quoit.Queue.create(name, quoit.PRODUCER, kind=kind, capacity=COUNT, item_bytes=size) as queue:
        item = bytes(size)
        for _ in range(COUNT):
            queue.push(item)
        queue.finish()
    used = run([program, "out", "--window", WINDOW, name, f"{server.url}/BRIDGE/bridge"], stderr=subprocess.DEVNULL)
    for left in (name, name + ".bridge"):
        try:
            quoit.unlink(left)
        except quoit.NotFound:
            pass
    return rate(server, "BRIDGE"), *used


def show(row, size, measured, base):
    ratios = sorted(rate / other for (rate, _, _), (other, _, _) in zip(measured, base))
    rate, seconds, switches = (statistics.median(values) for values in zip(*measured))
    low, middle, high = statistics.quantiles(ratios, method="inclusive") if len(ratios) > 1 else ratios * 3
    print(f"{size:5} bytes  {row:28} {rate:8.0f} messages/s  {middle:.2f} ({low:.2f} to {high:.2f})  "
          f"{seconds / COUNT * 1e6:5.2f} us  {switches / COUNT:6.3f} switches", flush=True)


def main():
    with tempfile.TemporaryDirectory() as work:
        server = nats.Server(work).start()
        try:
            for size in (64, 1024):
                rows = {"bare, no headers": lambda size=size: bare(server, "none", size),
                        "bare, id": lambda size=size: bare(server, "id", size),
                        BASE: lambda size=size: bare(server, "sequence", size),
                        BASE_OF_MPMC: lambda size=size: bare(server, "sequence", size, HANDLES),
                        "bare, id and last id": lambda size=size: bare(server, "last-id", size),
                        "bridge, SPSC": lambda size=size: bridge(server, quoit.SPSC, size),
                        "bridge, MPMC": lambda size=size: bridge(server, quoit.MPMC, size)}
                if OTHER:
                    rows["other bridge, SPSC"] = lambda size=size: bridge(server, quoit.SPSC, size, OTHER)
                    rows["other bridge, MPMC"] = lambda size=size: bridge(server, quoit.MPMC, size, OTHER)
                found = {row: [] for row in rows}
                for number in range(ROUNDS):
                    order = list(rows.items())
                    for row, measure in order if number % 2 == 0 else reversed(order):
                        found[row].append(measure())
                for row, measured in found.items():
                    show(row, size, measured, found[BASE_OF_MPMC if "MPMC" in row else BASE])
        finally:
            server.kill()


main()
