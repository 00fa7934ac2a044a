# SPDX-License-Identifier: MIT
"""quoit-bridge takes over from another bridge, and goes on with queues that are made again, and with a cluster that starts."""
import os

import nats
import suite
from nats import Client
from suite import check, check_ledger, run_parts, size_of, stored, until
import quoit


def two_bridges(box):
    """The second one waits, and takes over when the first one is killed."""
    for kind in ("spsc", "mpmc"):
        server, name = box.server(f"server-{kind}"), box.queue(kind)
        first = box.out(name, server, "S", "--create-stream")
        until(lambda first=first: first.metric("connected"), "the bridge did not connect")
        second = box.out(name, server, "S")
        second.says("waits")
        producer = box.produce(name, 20000)
        client = Client(server)
        until(lambda client=client: client.last_sequence("S") > 2000, "nothing arrives")
        first.kill()
        producer.finish()
        until(lambda client=client: client.last_sequence("S") == 20000, "not all messages arrived")
        check_ledger(stored(server, "S"), 20000, kind)
        second.stop()


def takes_over_in_order(box):
    """The second bridge of an MPMC queue first sends what the first one was holding when it was killed."""
    server, name = box.server(), box.queue("mpmc")
    first = box.out(name, server, "S", "--create-stream")
    box.produce(name, 1).finish()
    until(lambda: Client(server).last_sequence("S") == 1, "the bridge does not carry")
    second = box.out(name, server, "S")
    second.says("waits")
    os.kill(server.process.pid, suite.SIGSTOP)
    box.produce(name, 100, begin=1).finish()
    until(lambda: first.metric("in_flight") == 32, "the bridge does not hold items")
    server.kill()
    first.kill()
    server.start()
    until(lambda: Client(server).last_sequence("S") == 101, "not all messages arrived")
    check_ledger(stored(server, "S"), 101, "the stream")
    second.stop()


def starting_cluster(box):
    """While a server of the cluster is missing, a stream with three replicas cannot be created. The bridge waits."""
    servers, name = box.cluster(started=2), box.queue()
    until(lambda: nats.has_leader(servers), "the cluster has no leader")
    bridge = box.out(name, nats.Everywhere(servers), "S", "--create-stream", "--replicas", "3")
    bridge.says("no suitable peers", "tries again")
    box.produce(name, 100).finish()
    servers[2].start()
    until(lambda: Client(servers[0]).last_sequence("S") == 100, "not all messages arrived")
    check_ledger(stored(servers[0], "S"), 100, "the stream")
    bridge.stop()


def removed_queues(box):
    """A queue is removed, and made again with the same name: the bridge goes on with the new one, and what is in the old
    one still goes into the stream. Nothing comes twice."""
    server, name, numbers, each = box.server(), box.queue(), [], 200
    client = Client(server)
    client.create_stream("S")
    bridge, count = box.out(name, server, "S"), 5 * each
    for begin in range(0, count, each):
        until(lambda: suite.has_consumer(name), "the bridge does not drain the queue")
        box.produce(name, each, begin=begin).finish()
        quoit.unlink(name)
        quoit.Queue.create(name, quoit.PRODUCER, capacity=1024, item_bytes=64).close()
    until(lambda: client.last_sequence("S") == count, "not all messages arrived")
    check([suite.number_of(data, False) for _, _, data in client.read("S")] == list(range(count)), "other messages arrived")
    bridge.stop()
    other = box.name()
    into = box.into(other, server, "S", "--capacity", "64", "--item-bytes", "64")
    until(lambda: suite.exists(other) and size_of(other) == 64, "the queue did not fill")
    client.send("SUB _TAKEN taken\r\n")
    for _ in range(50):  # this client takes messages away, so the bridge reads them from the stream, and acknowledges them late
        client.publish(f"$JS.API.CONSUMER.MSG.NEXT.S.{other.replace(':', '-')}", b"1", "_TAKEN")
        client.receive()
    box.consume(other, count, False, numbers).finish()
    for begin in range(count, 2 * count, each):
        quoit.unlink(other)
        until(lambda: suite.exists(other), "the bridge did not create the queue again")
        for number in range(begin, begin + each):
            client.publish("s", suite.payload(number, False))
        box.consume(other, begin + each, False, numbers).finish()
    check_ledger(numbers, 2 * count, "the queues")
    into.stop()


if __name__ == "__main__":
    run_parts([two_bridges, takes_over_in_order, starting_cluster, removed_queues])
