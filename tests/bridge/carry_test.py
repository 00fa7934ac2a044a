# SPDX-License-Identifier: MIT
"""quoit-bridge with a real nats-server: what it carries, how it resumes, and what it reports."""
import contextlib
import os
import struct
import subprocess
import sys
import time

import suite
from nats import Client, Relay
from suite import check, check_ledger, run_parts, size_of, stored, until
import quoit

# Peeks at an item, prints its number, and waits to be killed.
HOLDER = """
import sys, time, quoit
queue = quoit.Queue.open(sys.argv[1], quoit.CONSUMER)
with queue.peek() as item:
    print(int.from_bytes(bytes(item)[:8], 'little'), flush=True)
    time.sleep(1000)
"""


def carries(box, kind, messages, count=5000):
    server, name = box.server(), box.queue(kind, messages)
    bridge = box.out(name, server, "S", "--create-stream")
    if kind == "broadcast":
        until(lambda: bridge.metric("connected"), "the bridge did not connect")
    box.produce(name, count, messages).finish()
    client = Client(server)
    until(lambda: client.last_sequence("S") == count, "not all messages arrived")
    check_ledger(stored(server, "S", messages), count, "the stream")
    until(lambda: size_of(name) == 0, "items were not released")
    bridge.stop()


def out_items(box):
    carries(box, "spsc", False)


def out_messages(box):
    carries(box, "spsc", True)


def out_mpmc(box):
    carries(box, "mpmc", False)


def out_mpmc_messages(box):
    carries(box, "mpmc", True)


def out_broadcast(box):
    carries(box, "broadcast", False)


def out_broadcast_messages(box):
    carries(box, "broadcast", True)


def out_ends_with_the_stream_of_items(box):
    server, name = box.server(), box.queue()
    bridge = box.out(name, server, "S", "--create-stream")
    box.produce(name, 100, finish=True).finish()
    check(bridge.process.wait(60) == 0, "the bridge did not end with 0")
    check_ledger(stored(server, "S"), 100, "the stream")


def in_every_kind(box):
    server, count = box.server(), 3000
    client = Client(server)
    client.create_stream("S")
    for number in range(count):
        client.publish("s", suite.payload(number, False))
    for kind in ("spsc", "broadcast", "mpmc"):
        name, numbers = box.queue(kind, False, user_bytes=64), []
        consumer = box.consume(name, count, False, numbers)
        until(lambda name=name: suite.has_consumer(name), "the consumer did not join")
        bridge = box.into(name, server, "S", "--durable", kind)
        consumer.finish()
        check_ledger(numbers, count, kind)
        bridge.stop()


def in_creates_its_queue(box):
    server, name, numbers = box.server(), box.name(), []
    client = Client(server)
    client.create_stream("S")
    bridge = box.into(name, server, "S", "--capacity", "100", "--item-bytes", "128", "--messages")
    until(lambda: bridge.metric("connected"), "the bridge did not connect")
    consumer = box.consume(name, 1000, True, numbers)
    for number in range(1000):
        client.publish("s", suite.payload(number, True))
    consumer.finish()
    check_ledger(numbers, 1000, "the queue")
    bridge.stop()


def back_pressure(box):
    """Without a server the queue fills, and its producer sees FULL. Into a full queue no more is requested."""
    server, name = box.server(), box.queue(capacity=64)
    bridge = box.out(name, server, "S", "--create-stream", "--window", "16")
    until(lambda: bridge.metric("connected"), "the bridge did not connect")
    server.kill()
    with quoit.Queue.open(name, quoit.PRODUCER) as queue:
        pushed = 0
        try:
            while pushed < 1000:
                queue.try_push(suite.payload(pushed, False))
                pushed += 1
        except quoit.Full:
            pass
        check(pushed == 64, f"{pushed} items were pushed into a queue of 64")
    server.start()
    client = Client(server)
    until(lambda: client.last_sequence("S") == 64, "not all messages arrived")
    box.produce(name, 936, begin=64).finish()
    until(lambda: client.last_sequence("S") == 1000, "not all messages arrived")
    check_ledger(stored(server, "S"), 1000, "the stream")
    other, numbers = box.queue(capacity=16, user_bytes=64), []
    into = box.into(other, server, "S")
    until(lambda: size_of(other) == 16, "the queue did not fill")
    info = client.api(f"CONSUMER.INFO.S.{other.replace(':', '-')}")
    check(info["delivered"]["stream_seq"] == 16, f"more was delivered than there is room: {info}")
    box.consume(other, 1000, False, numbers).finish()
    check_ledger(numbers, 1000, "the queue")
    into.stop()


def resumes_after_kills(box):
    """The bridge is killed while messages are in flight."""
    server, name, count = box.server(), box.queue(messages=True), 20000
    other, numbers = box.queue(messages=True, user_bytes=64), []
    out = box.out(name, server, "S", "--create-stream")
    out.says("was created")
    into = box.into(other, server, "S")
    consumer, producer = box.consume(other, count, True, numbers), box.produce(name, count, True)
    for _ in range(10):
        mark = len(numbers)
        until(lambda mark=mark: len(numbers) > mark + 500 or len(numbers) == count, "nothing arrives")
        for bridge in (out, into):
            bridge.kill()
            bridge.start()
    producer.finish()
    consumer.finish()
    check_ledger(numbers, count, "the queue")
    check_ledger(stored(server, "S", True), count, "the stream")


def resumes_after_server_restart(box):
    server, name, count = box.server(), box.queue(), 20000
    other, numbers = box.queue(user_bytes=64), []
    out = box.out(name, server, "S", "--create-stream")
    out.says("was created")
    into = box.into(other, server, "S")
    consumer, producer = box.consume(other, count, False, numbers), box.produce(name, count)
    for how in (9, 15, 9):
        mark = len(numbers)
        until(lambda mark=mark: len(numbers) > mark + 500 or len(numbers) == count, "nothing arrives")
        server.kill(how)
        server.start()
    producer.finish()
    consumer.finish()
    check_ledger(numbers, count, "the queue")
    check_ledger(stored(server, "S"), count, "the stream")
    check(out.process.poll() is None and into.process.poll() is None, "a bridge has ended")


def crash_in_a_push(box):
    """The notes that a bridge leaves if it is killed before a push, and behind it."""
    server, name, found = box.server(), box.queue(user_bytes=100), []
    client = Client(server)
    client.create_stream("S")
    for number in range(10):
        client.publish("s", suite.payload(number, False))
    bridge = box.into(name, server, "S")
    until(lambda: size_of(name) == 10, "the messages did not arrive")
    bridge.stop()

    def change_note(sequence, pushed):
        """As if the bridge had noted that it begins to push this message."""
        with quoit.Queue.open(name, quoit.PRODUCER) as queue:
            area = memoryview(queue.user_area())[32:96]
            current = struct.unpack_from("<Q", area, 48)[0]
            check(struct.unpack_from("<QQ", area, 16 + 16 * current) == (10, 10), f"another note: {bytes(area)}")
            struct.pack_into("<QQ", area, 16 + 16 * current, sequence, pushed | 1 << 63)

    def run(count):
        bridge.start()
        client.publish("s", suite.payload(client.last_sequence("S"), False))
        until(lambda: size_of(name) == count, lambda: f"{size_of(name)} items, not {count}: {bridge.text()}")
        bridge.stop()
    change_note(10, 9)  # message 10 was pushed
    run(11)
    with quoit.Queue.open(name, quoit.CONSUMER) as queue:
        found += [suite.number_of(queue.pop(), False) for _ in range(11)]
    check_ledger(found, 11, "the queue")
    server, name = box.server("second"), box.queue(user_bytes=100)
    client = Client(server)
    client.create_stream("S")
    for number in range(10):
        client.publish("s", suite.payload(number, False))
    bridge = box.into(name, server, "S")
    until(lambda: size_of(name) == 10, "the messages did not arrive")
    bridge.stop()
    change_note(11, 10)  # message 11 was not pushed, and the server waits for its acknowledgement
    run(11)
    change_note_fails = box.into(name, server, "S", "--durable", "other")
    until(lambda: change_note_fails.metric("connected"), "the bridge did not connect")
    check(size_of(name) == 11, "another consumer's deliveries were not recognized")
    change_note_fails.stop()


def note_before_a_push(box):
    """A bridge that waits in a push has noted it. If it is killed there, the message comes after it is started again."""
    server, name, found = box.server(), box.queue("mpmc", capacity=4, user_bytes=64), []
    client = Client(server)
    client.create_stream("S")
    bridge = box.into(name, server, "S")
    until(lambda: client.api(f"CONSUMER.INFO.S.{name.replace(':', '-')}").get("num_waiting"), "no request came")
    box.produce(name, 4).finish()
    client.publish("s", suite.payload(4, False))
    with quoit.Queue.open(name, quoit.CONSUMER) as queue:
        area = memoryview(queue.user_area())

        def noted():
            current = struct.unpack_from("<Q", area, 48)[0]
            return struct.unpack_from("<QQ", area, 16 + 16 * current) == (1, 1 << 63)
        until(noted, "the push was not noted")
        bridge.kill()
        bridge.start()
        while len(found) < 5:
            with contextlib.suppress(quoit.Abandoned):
                found.append(suite.number_of(queue.pop(timeout=60), False))
        area.release()
    check_ledger(found, 5, "the queue")
    bridge.stop()


def mpmc_with_other_consumers(box):
    """Each item goes to the stream or to a local consumer. One that a killed consumer held comes late.
    One that was in flight when the bridge was killed is in the stream, and may come to a local consumer, too."""
    server, name, count, popped = box.server(), box.queue("mpmc", capacity=5000), 5000, []
    box.produce(name, 1).finish()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, name], stdout=subprocess.PIPE,
                              env={**os.environ, "PYTHONPATH": os.environ.get("QUOIT_PYTHON", "")})
    check(int(holder.stdout.readline()) == 0, "another item was held")
    bridge = box.out(name, server, "S", "--create-stream")
    until(lambda: bridge.metric("connected"), "the bridge did not connect")
    producer = box.produce(name, count - 1, begin=1, finish=True)

    def pop():
        with quoit.Queue.open(name, quoit.CONSUMER) as queue:
            for item in queue:
                popped.append(suite.number_of(item, False))
                time.sleep(0.0005)
    consumer = box.thread(pop)
    client = Client(server)
    for mark in (1000, 2000, 3000):
        until(lambda mark=mark: client.last_sequence("S") + len(popped) > mark, "nothing arrives")
        bridge.kill()
        bridge.start()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    producer.finish()
    consumer.finish()
    check(bridge.process.wait(60) == 0, "the bridge did not end with the stream of items")
    found = [suite.number_of(data, False) for _, _, data in client.read("S")]
    check(set(found + popped) == set(range(count)), f"{count - len(set(found + popped))} items are missing")
    check(len(found) == len(set(found)) and len(popped) == len(set(popped)), "an item came twice to the same side")
    both = set(found) & set(popped)
    check(len(both) <= 3 * 32, f"{len(both)} items were in flight when the bridge was killed")
    check(found[0] != 0 and popped[0] != 0, "the held item was not late")
    check(len(popped) > 10 and len(found) > 1000, f"{len(popped)} items were popped, {len(found)} are in the stream")


def broadcast_resumes(box):
    """The ring keeps items for a bridge that was killed, and the bridge reports those that it did not keep."""
    server, name = box.server(), box.queue("broadcast", capacity=1000)
    bridge = box.out(name, server, "S", "--create-stream")
    until(lambda: bridge.metric("connected"), "the bridge did not connect")
    client = Client(server)
    box.produce(name, 2000).finish()
    for begin in (2000, 2500, 3000):
        until(lambda begin=begin: client.last_sequence("S") > begin - 200, "not all messages arrived")
        bridge.kill()
        box.produce(name, 500, begin=begin).finish()
        bridge.start()
    until(lambda: client.last_sequence("S") == 3500, "not all messages arrived")
    check_ledger(stored(server, "S"), 3500, "the stream")
    bridge.stop()
    box.produce(name, 3000, begin=3500).finish()
    bridge.start()
    bridge.says("are no longer in the queue")
    bridge.stop()


def names_what_is_wrong(box):
    users = 'authorization { users: [ {user: "ann", password: "secret"} ] }'
    server, name = box.server(more=users), box.queue()
    client = Client(server, "ann", "secret")
    with open(f"{box.work}/password", "w", encoding="utf-8") as file:
        file.write("secret\n")
    with open(f"{box.work}/wrong", "w", encoding="utf-8") as file:
        file.write("guess\n")
    ann = ("--user", "ann", "--password-file", f"{box.work}/password")
    box.out(name, server, "S", "--create-stream").fails("refuses the connection", "credentials")
    wrong = ("--user", "ann", "--password-file", f"{box.work}/wrong")
    box.out(name, server, "S", "--create-stream", *wrong).fails("refuses the connection")
    box.out(name, server, "S", *ann).fails("stream 'S': does not exist", "--create-stream")
    box.into(box.queue(user_bytes=64), server, "S", *ann).fails("stream 'S': does not exist")
    client.create_stream("S", subjects=["other"])
    box.out(name, server, "S", *ann).fails("does not take the subject 's'", "'other'")
    client.create_stream("T")
    box.into(name, server, "T", *ann).fails("user area of 0 bytes", "user_bytes = 64")
    client.publish("t", b"no bridge")
    client.request("$JS.API.STREAM.INFO.T")
    box.out(name, server, "T", *ann).fails("is not from a bridge")
    box.into(box.queue(user_bytes=64), server, "T", *ann).fails("has 9 bytes", "has 64")
    nowhere = box.bridge("out", name, "nats://no-such-host.invalid:4222/T/t")
    nowhere.says("cannot be reached", "tries again")
    nowhere.stop()
    missing = box.out(f"{name}-missing", server, "T", *ann)
    missing.says("No such file", "waits")
    missing.stop()


def server_dies_in_the_handshake(box):
    """A server that is killed in the middle of its first answers is not one that refuses: the bridge tries again."""
    server = box.server()
    with server.connect(60) as probe, probe.makefile("rb") as file:
        info = len(file.readline())
    for number, cut in enumerate((0, 10, info, info + 3)):
        stream, name, target, numbers = f"S{number}", box.queue(), box.queue(user_bytes=64), []
        out = box.out(name, Relay(server, [cut] * 2), stream, "--create-stream")
        box.produce(name, 100).finish()
        out.says("tries again", f"stream '{stream}': was created")
        into = box.into(target, Relay(server, [cut] * 2), stream)
        box.consume(target, 100, False, numbers).finish()
        check_ledger(numbers, 100, f"the queue, after {cut} bytes")
        into.says("tries again")
        out.stop()
        into.stop()


def no_jetstream(box):
    server = box.server()
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(f'listen: "127.0.0.1:{server.port}"\n')
    server.kill()
    server.start()
    box.out(box.queue(), server, "S", "--create-stream").fails("JetStream is not enabled")


def too_large(box):
    """The message stays in the queue, and is sent when the server takes it."""
    server, name = box.server(more="max_payload: 1024"), box.name()
    quoit.Queue.create(name, quoit.PRODUCER, capacity=8, item_bytes=5000, messages=True).close()
    bridge = box.out(name, server, "S", "--create-stream")
    with quoit.Queue.open(name, quoit.PRODUCER) as queue:
        queue.push(b"small")
        queue.push(b"x" * 5000)
        queue.push(b"behind")
    bridge.says("has 5", "takes at most 1024", "max_payload")
    client = Client(server)
    until(lambda: client.last_sequence("S") == 1, "the small message did not arrive")
    server.kill()
    with open(server.config, encoding="utf-8") as file:
        text = file.read().replace("1024", "8192")
    with open(server.config, "w", encoding="utf-8") as file:
        file.write(text)
    server.start()
    client = Client(server)
    until(lambda: client.last_sequence("S") == 3, "the messages did not arrive")
    check(client.message("S", 2) == b"x" * 5000 and client.message("S", 3) == b"behind", "other messages arrived")
    bridge.stop()


def full_stream(box):
    """A stream that is full, or that takes only smaller messages, is named; nothing is dropped."""
    server, name, count = box.server(), box.queue(), 100
    client = Client(server)
    client.create_stream("S", max_msgs=30, discard="new")
    bridge = box.out(name, server, "S")
    box.produce(name, count).finish()
    bridge.says("refuses the message", "maximum messages exceeded")
    until(lambda: bridge.metric("blocked") == 1, "the metrics do not show it")
    check(client.last_sequence("S") == 30, "the stream has another number of messages")
    check(size_of(name) == count - 30, "items are missing in the queue")
    client.api("STREAM.UPDATE.S", name="S", subjects=["s"], max_msgs=-1, discard="new", max_msg_size=20)
    bridge.says("message size exceeds")
    client.api("STREAM.UPDATE.S", name="S", subjects=["s"], max_msgs=-1, discard="new")
    until(lambda: client.last_sequence("S") == count, "not all messages arrived")
    check_ledger(stored(server, "S"), count, "the stream")
    bridge.stop()


def deleted_stream(box):
    server, name, other = box.server(), box.queue(), box.queue(user_bytes=64)
    client, numbers = Client(server), []
    client.create_stream("S")
    out, into = box.out(name, server, "S"), box.into(other, server, "S")
    consumer = box.consume(other, 200, False, numbers)
    box.produce(name, 100).finish()
    until(lambda: len(numbers) == 100, "not all messages arrived")
    client.api("STREAM.DELETE.S")
    box.produce(name, 100, begin=100).finish()
    out.says("stream")
    into.says("stream 'S': does not exist")
    client.create_stream("S")
    consumer.finish()
    check_ledger(numbers, 200, "the queue")
    check([suite.number_of(data, False) for _, _, data in client.read("S")] == list(range(100, 200)),
          "the second stream has other messages")
    out.stop()
    into.stop()


def another_publisher(box):
    server, name = box.server(), box.queue()
    client = Client(server)
    client.create_stream("S")
    bridge = box.out(name, server, "S")
    box.produce(name, 100).finish()
    until(lambda: client.last_sequence("S") == 100, "not all messages arrived")
    client.publish("s", b"stranger")
    client.request("$JS.API.STREAM.INFO.S")
    box.produce(name, 100, begin=100).finish()
    until(lambda: "another program has published" in bridge.text() or "is not from a bridge" in bridge.text(),
          "the bridge did not report the other program")
    check(size_of(name) == 100, "items were released that the stream does not have")
    bridge.kill()
    bridge.start()
    until(lambda: bridge.text().count("is not from") + bridge.text().count("another program") >= 2,
          "the next bridge did not report the other program")
    check(size_of(name) == 100, "items were released that the stream does not have")


if __name__ == "__main__":
    run_parts([out_items, out_messages, out_mpmc, out_mpmc_messages, out_broadcast, out_broadcast_messages,
               out_ends_with_the_stream_of_items, in_every_kind, in_creates_its_queue, back_pressure,
               resumes_after_kills, resumes_after_server_restart, crash_in_a_push, note_before_a_push,
               mpmc_with_other_consumers, broadcast_resumes, names_what_is_wrong, server_dies_in_the_handshake, no_jetstream,
               too_large, full_stream, deleted_stream, another_publisher])
