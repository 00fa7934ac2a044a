# SPDX-License-Identifier: MIT
"""Storms: bridges and servers are killed while messages go from a queue over a stream into another queue. Every message
arrives once and in order. QUOIT_TEST_EFFORT=full: 150,000 messages, and as many kills as a promise names."""
import os
import threading
import time

from nats import Client
from suite import check_ledger, has_consumer, run_parts, stored, until

FULL = os.environ.get("QUOIT_TEST_EFFORT") == "full"
COUNT = 150000 if FULL else 6000


def kills(full, short):
    return full if FULL else short


class Flow:
    """queue -> bridge -> stream -> bridge -> queue, in both directions at the same time if there are two."""

    def __init__(self, box, server, stream, messages=True, kind="spsc", target="spsc", replicas=1):
        self.stream, self.messages, self.numbers = stream, messages, []
        self.source = box.queue(kind, messages, capacity=4096)
        self.target = box.queue(target, messages, capacity=4096, user_bytes=64)
        client = Client(box.servers[0])  # a window for duplicates that is too short to help
        client.create_stream(stream, duplicate_window=100 * 10**6, num_replicas=replicas)
        client.close()
        self.out = box.out(self.source, server, stream)
        self.consumer = box.consume(self.target, COUNT, messages, self.numbers)
        until(lambda: has_consumer(self.target), "the consumer did not join") # a subscriber gets what comes later
        self.into = box.into(self.target, server, stream)
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


class Everywhere:
    """The address of all servers of a cluster."""

    def __init__(self, servers):
        self.url = "nats://" + ",".join(f"{server.host}:{server.port}" for server in servers)


def cluster_of(servers, stream):
    """The stream's state in the cluster, as the first server that answers reports it; empty: none does."""
    for server in servers:
        try:
            client = Client(server, seconds=3)
            answer = client.stream(stream)
            client.close()
            return answer.get("cluster", {})
        except (OSError, ValueError, AssertionError):
            continue
    return {}


def is_whole(servers, stream):
    """Has the stream a leader, and are the two others current?"""
    cluster = cluster_of(servers, stream)
    replicas = cluster.get("replicas", [])
    return bool(cluster.get("leader")) and len(replicas) == 2 and all(replica["current"] for replica in replicas)


def has_leader(servers):
    try:
        client = Client(servers[0], seconds=3)
        answer = client.api("INFO")
        client.close()
        return "error" not in answer
    except (OSError, ValueError, AssertionError):
        return False


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


if __name__ == "__main__":
    run_parts([bridges_killed, server_killed, both_killed, leader_killed])
