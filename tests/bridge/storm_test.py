# SPDX-License-Identifier: MIT
"""Storms: bridges and servers are killed while messages go from a queue over a stream into another queue. Every message
arrives once and in order. QUOIT_TEST_EFFORT=full: 150,000 messages, and as many kills as a promise names."""
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

from nats import Client, Everywhere, cluster_of, has_leader, is_whole
from suite import check_ledger, has_consumer, run_parts, stored, until

FULL = os.environ.get("QUOIT_TEST_EFFORT") == "full"
COUNT = 150000 if FULL else 6000


def kills(full, short):
    return full if FULL else short


class Flow:
    """queue -> bridge -> stream -> bridge -> queue, in both directions at the same time if there are two. `machines` are those
    of the two bridges."""

    def __init__(self, box, server, stream, messages=True, kind="spsc", target="spsc", replicas=1, machines=((), ())):
        self.stream, self.messages, self.numbers = stream, messages, []
        self.source = box.queue(kind, messages, capacity=4096)
        self.target = box.queue(target, messages, capacity=4096, user_bytes=64)
        client = Client(box.servers[0])  # a window for duplicates that is too short to help
        client.create_stream(stream, duplicate_window=100 * 10**6, num_replicas=replicas)
        client.close()
        self.out = box.out(self.source, server, stream, under=machines[0])
        self.consumer = box.consume(self.target, COUNT, messages, self.numbers)
        until(lambda: has_consumer(self.target), "the consumer did not join") # a subscriber gets what comes later
        self.into = box.into(self.target, server, stream, under=machines[1])
        self.producer = box.produce(self.source, COUNT, messages)

    def finish(self, server):
        self.producer.finish()
        self.consumer.finish()
        check_ledger(self.numbers, COUNT, f"queue behind {self.stream}")
        check_ledger(stored(server, self.stream, self.messages), COUNT, self.stream)
        for bridge in (self.out, self.into):
            assert bridge.process.poll() is None, f"a bridge has ended: {bridge.text()}"


class Storm:
    """Calls `strike` so many times, at random moments while messages flow."""

    def __init__(self, box, flows, count, strike):
        self.done, self.box, self.flows, self.count, self.strike = 0, box, flows, count, strike
        self.thread = box.thread(self.run)

    def arrived(self):
        return sum(len(flow.numbers) for flow in self.flows)

    def run(self):
        total = COUNT * len(self.flows)
        for strike in range(self.count):
            mark = int(total * (strike + self.box.random.random()) / (self.count + 1))
            until(lambda mark=mark: self.arrived() >= mark, lambda: f"only {self.arrived()} arrived", 600)
            time.sleep(self.box.random.random() * 0.02)
            self.strike()
            self.done += 1


def ledger(text, flows, storms):
    flows_text = ", ".join(f"{flow.stream}: {len(flow.numbers)} messages, 0 missing, 0 twice, in order" for flow in flows)
    print(f"\n  {text}: {flows_text}; kills: {sum(storm.done for storm in storms)}")


def kill_bridge(box, flows):
    def strike():
        bridge = box.random.choice([bridge for flow in flows for bridge in (flow.out, flow.into)])
        bridge.kill()
        bridge.start()
    return strike


def kill_server(box, server, lock=threading.Lock()):
    def strike():
        with lock:
            server.kill(9 if box.random.random() < 0.8 else 15)
            time.sleep(box.random.random() * 0.3)
            server.start()
    return strike


def bridges_killed(box):
    server = box.server()
    flows = [Flow(box, server, "A"), Flow(box, server, "B", messages=False, target="broadcast")]
    storm = Storm(box, flows, kills(100, 6), kill_bridge(box, flows))
    storm.thread.finish()
    for flow in flows:
        flow.finish(server)
    ledger("bridges killed", flows, [storm])


def server_killed(box):
    server = box.server()
    flows = [Flow(box, server, "A"), Flow(box, server, "B", messages=False)]
    storm = Storm(box, flows, kills(50, 3), kill_server(box, server))
    storm.thread.finish()
    for flow in flows:
        flow.finish(server)
    ledger("server killed", flows, [storm])


def both_killed(box):
    server = box.server()
    flows = [Flow(box, server, "A", kind="mpmc"), Flow(box, server, "B", messages=False)]
    storms = [Storm(box, flows, kills(100, 4), kill_bridge(box, flows)),
              Storm(box, flows, kills(50, 2), kill_server(box, server))]
    for storm in storms:
        storm.thread.finish()
    for flow in flows:
        flow.finish(server)
    ledger("bridges and server killed at the same time", flows, storms)


def leader_killed(box):
    servers = box.cluster()
    until(lambda: has_leader(servers), "the cluster has no leader")
    everywhere = Everywhere(servers)
    flows = [Flow(box, everywhere, "A", replicas=3), Flow(box, everywhere, "B", messages=False, replicas=3)]
    both = box.random

    def strike():
        stream = both.choice("AB")
        until(lambda: is_whole(servers, stream), "the stream is not whole", 300)
        name = cluster_of(servers, stream)["leader"]
        leader = next(server for server in servers if server.name == name)
        leader.kill()
        time.sleep(both.random() * 0.5)
        leader.start()
    storm = Storm(box, flows, kills(20, 2), strike)
    storm.thread.finish(3000)
    for flow in flows:
        until(lambda flow=flow: is_whole(servers, flow.stream), "the stream is not whole", 300)
        flow.finish(servers[0])
    ledger("the stream's leader killed, three replicas", flows, [storm])


# Goes on where the process before it was killed: an SPSC queue counts its items.
PRODUCER = """
import sys, quoit, suite
name, count = sys.argv[1], int(sys.argv[2])
with quoit.Queue.open(name, quoit.PRODUCER) as queue:
    for number in range(queue.inspect().pushed_messages, count):
        while True:
            try:
                queue.push(suite.payload(number, True), timeout=600)
                break
            except quoit.Abandoned:
                pass
"""
# Notes each number in a file before it releases the item. So after a kill the last number may come again.
CONSUMER = """
import os, sys, quoit, suite
name, count, ledger = sys.argv[1], int(sys.argv[2]), os.open(sys.argv[3], os.O_RDWR | os.O_CREAT | os.O_APPEND)
noted = os.fstat(ledger).st_size
last = int.from_bytes(os.pread(ledger, 8, noted - 8), "little") if noted else -1
with quoit.Queue.open(name, quoit.CONSUMER) as queue:
    while last < count - 1:
        try:
            with queue.peek(timeout=600) as item:
                number = suite.number_of(bytes(item), True)
                if number != last:
                    os.write(ledger, number.to_bytes(8, "little"))
                last = number
        except quoit.Abandoned:
            pass
"""


class Program:
    """A process that can be killed and started again, as a bridge."""

    def __init__(self, script, *arguments):
        self.command, self.process = [sys.executable, "-c", script, *map(str, arguments)], None
        self.environment = {**os.environ, "PYTHONPATH": f"{os.path.dirname(__file__)}:{os.environ.get('QUOIT_PYTHON', '')}"}
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.environment)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Chain:
    """As Flow, but the producer and the consumer are processes too. `numbers` is what the consumer has noted."""

    def __init__(self, box, server, stream):
        self.stream, self.ledger = stream, f"{box.work}/{stream}.ledger"
        source, target = box.queue(messages=True, capacity=4096), box.queue(messages=True, capacity=4096, user_bytes=64)
        self.programs = [box.out(source, server, stream, "--create-stream"), box.into(target, server, stream, "--create-stream"),
                         Program(PRODUCER, source, COUNT), Program(CONSUMER, target, COUNT, self.ledger)]

    @property
    def numbers(self):
        with contextlib.suppress(FileNotFoundError), open(self.ledger, "rb") as file:
            return memoryview(file.read()).cast("Q")
        return ()

    def finish(self, server):
        for program in self.programs[2:]:
            assert program.process.wait(1200) == 0, "a producer or a consumer has failed"
        check_ledger(list(self.numbers), COUNT, f"queue behind {self.stream}")
        check_ledger(stored(server, self.stream, True), COUNT, self.stream)


def all_killed(box):
    """The server, the bridges, the producers and the consumers are killed at once, and all are started again. The queues
    stay, as those of a file system do when the machine is restarted."""
    server = box.server()
    chains = [Chain(box, server, stream) for stream in "AB"]
    everything = [program for chain in chains for program in chain.programs] + [server]

    def strike():
        for program in everything:  # none goes on while another one is killed
            with contextlib.suppress(ProcessLookupError):
                os.kill(program.process.pid, signal.SIGSTOP)
        for program in everything:
            program.kill()
        box.random.shuffle(everything)
        for program in everything:
            program.start()

    storm = Storm(box, chains, kills(20, 3), strike)
    try:
        storm.thread.finish(3000)
        for chain in chains:
            chain.finish(server)
    finally:
        for chain in chains:
            for program in chain.programs:
                program.kill()
    ledger("all processes killed at once", chains, [storm])


if __name__ == "__main__":
    run_parts([bridges_killed, server_killed, both_killed, leader_killed, all_killed])
