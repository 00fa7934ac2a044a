#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python.py ROUNDS [WORD]: queues between Python processes, side by side; one JSON object a line.

Each round measures every queue once, in a random order. Every sender and every receiver is a process of its own. It
measures its own time and CPU time, from a common start to its last message. The rate is that of all messages, from the
first start to the last end. NumPy and ZeroMQ are left out if they are not installed. WORD: only shapes, payloads and queues
that have it in their names."""
import json
import multiprocessing
import os
import pickle
import queue as threads_queue
import random
import socket
import struct
import sys
import threading
import time
from multiprocessing import shared_memory

import quoit
import quoit.mp

try:
    import numpy
except ImportError:
    numpy = None
try:
    import zmq
except ImportError:
    zmq = None

FORK = multiprocessing.get_context("fork")
DICT = {"id": 12345678, "name": "sensor-17", "celsius": 21.5, "tags": ["a", "b"], "at": 1.7e9, "unit": "degC"}  # 100 bytes
IN_PLACE = "quoit claim/peek, in place"
CAPACITY = 64  # messages; of large ones 8


def is_array(thing):
    return numpy is not None and isinstance(thing, numpy.ndarray)


def size_of(thing):
    return thing.nbytes + 4096 if is_array(thing) else len(pickle.dumps(thing, 5)) + 64


# ---- Ways to send. Each is made before the processes; sender() and receiver() return a function in the process that uses it.

class Objects:
    """quoit.Queue.put and get."""
    kind, calls = quoit.SPSC, ("put", "get")

    def __init__(self, thing):
        self.name = f"bench-python-{os.getpid()}-{time.monotonic_ns()}"
        size = size_of(thing)
        self.queue = quoit.Queue.create(self.name, quoit.OBSERVER, capacity=CAPACITY if size < 1 << 16 else 8, item_bytes=size,
                                        messages=True, kind=self.kind)

    def sender(self):
        self.queue = quoit.Queue.open(self.name, quoit.PRODUCER)
        return getattr(self.queue, self.calls[0])

    def receiver(self):
        self.queue = quoit.Queue.open(self.name, quoit.CONSUMER)
        return getattr(self.queue, self.calls[1])

    def sent(self):
        """The sender has sent all."""

    def end(self):
        quoit.unlink(self.name)
        self.queue.close()


class ManyObjects(Objects):
    kind = quoit.MPMC


class Bytes(Objects):
    """quoit.Queue.push and pop of bytes."""
    calls = ("push", "pop")


class ManyBytes(Bytes):
    kind = quoit.MPMC


class Borrowed(Objects):
    """quoit.Queue.put and borrow: arrays stay in place."""

    def receiver(self):
        super().receiver()

        def borrow():
            with self.queue.borrow() as thing:
                del thing
        return borrow


class InPlace(Objects):
    """quoit.Queue.claim and peek: the array is neither copied in nor out; the sender and the receiver touch 8 bytes."""

    def __init__(self, thing):
        super().__init__(thing)
        self.bytes = thing.nbytes

    def sender(self):
        super().sender()

        def claim(_thing):
            with self.queue.claim(self.bytes) as room:
                room[:8] = b"12345678"
        return claim

    def receiver(self):
        super().receiver()

        def peek():
            with self.queue.peek() as view:
                return bytes(view[:8])
        return peek


class Standard:
    """A queue of multiprocessing's interface."""

    def __init__(self, made):
        self.queue = made

    def sender(self):
        return self.queue.put

    def receiver(self):
        return self.queue.get

    def sent(self):
        if hasattr(self.queue, "join_thread"):
            self.queue.close()
            self.queue.join_thread()

    def end(self):
        if hasattr(self.queue, "close"):
            self.queue.close()


class Pipe:
    def __init__(self):
        self.ends = FORK.Pipe(duplex=False)

    def sender(self):
        return self.ends[1].send

    def receiver(self):
        return self.ends[0].recv

    def sent(self):
        pass

    def end(self):
        for end in self.ends:
            end.close()


class Socket(Pipe):
    """A Unix socket, with a size before each pickle."""

    def __init__(self):
        super().__init__()
        self.sockets = socket.socketpair()

    def sender(self):
        def put(thing):
            data = pickle.dumps(thing, 5)
            self.sockets[1].sendall(struct.pack("Q", len(data)) + data)
        return put

    def receiver(self):
        file = self.sockets[0].makefile("rb")

        def get():
            size, = struct.unpack("Q", file.read(8))
            return pickle.loads(file.read(size))
        return get

    def end(self):
        super().end()
        for each in self.sockets:
            each.close()


class Ring(Pipe):
    """By hand: shared_memory with two semaphores; arrays are copied in and out, without pickle."""
    SLOTS = 8

    def __init__(self, thing):
        super().__init__()
        self.memory = shared_memory.SharedMemory(create=True, size=self.SLOTS * thing.nbytes)
        self.slots = numpy.frombuffer(self.memory.buf, thing.dtype).reshape((self.SLOTS, *thing.shape))
        self.free, self.filled, self.at = FORK.Semaphore(self.SLOTS), FORK.Semaphore(0), 0

    def next(self):
        self.at = (self.at + 1) % self.SLOTS
        return self.slots[self.at]

    def sender(self):
        def put(thing):
            self.free.acquire()
            self.next()[:] = thing
            self.filled.release()
        return put

    def receiver(self):
        def get():
            self.filled.acquire()
            thing = self.next().copy()
            self.free.release()
            return thing
        return get

    def end(self):
        super().end()
        del self.slots
        self.memory.close()
        self.memory.unlink()


class Zmq(Pipe):
    """PUSH and PULL. The receiver binds."""

    def __init__(self):
        super().__init__()
        self.path = f"ipc:///tmp/bench-python-{os.getpid()}-{time.monotonic_ns()}"

    def connected(self, kind, binds):
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.set_hwm(CAPACITY)
        (self.socket.bind if binds else self.socket.connect)(self.path)
        return self.socket

    def sender(self):
        return self.connected(zmq.PUSH, False).send_pyobj

    def receiver(self):
        return self.connected(zmq.PULL, True).recv_pyobj

    def end(self):
        super().end()
        os.unlink(self.path[len("ipc://"):])


# ---- What is measured

def ways(shape, thing):
    """(name, function that makes it)."""
    is_alone = shape in ("one to one", "round trip")
    yield "quoit put/get", lambda: (Objects if is_alone else ManyObjects)(thing)
    yield "quoit.mp.Queue", lambda: Standard(quoit.mp.Queue(CAPACITY, message_bytes=size_of(thing)))
    if isinstance(thing, bytes):
        yield "quoit push/pop", lambda: (Bytes if is_alone else ManyBytes)(thing)
    if is_array(thing):
        yield "quoit put/borrow", lambda: Borrowed(thing)
        yield IN_PLACE, lambda: InPlace(thing)
        yield "shared_memory by hand", lambda: Ring(thing)
    yield "multiprocessing.Queue", lambda: Standard(FORK.Queue(CAPACITY))
    yield "multiprocessing.SimpleQueue", lambda: Standard(FORK.SimpleQueue())
    if is_alone:
        yield "multiprocessing.Pipe", Pipe
        yield "Unix socket", Socket
    if zmq and shape != "one to four":  # PUSH does not give each receiver the same number
        yield "ZeroMQ", Zmq


def payloads():
    """(name, object, messages, shapes)."""
    every = ("one to one", "four to one", "one to four", "round trip")
    yield "int", 7, 10000, ("one to one", "round trip")
    yield "64 bytes", bytes(64), 10000, every
    yield "dict of 100 bytes", DICT, 10000, every
    yield "1 KiB", bytes(1024), 10000, ("one to one", "round trip")
    if numpy:
        yield "frame of 640×480×3", numpy.zeros((480, 640, 3), numpy.uint8), 200, ("one to one",)
        yield "array of 8 MiB", numpy.zeros(1 << 20), 24, ("one to one",)


# ---- Measuring

def worker(work, together, reports):
    """A process: prepares, waits for the start, works; reports when it began and ended, and its CPU time. It stays until all
    have ended: ZeroMQ loses messages if a sender ends before, even one that closes its socket with linger."""
    call = work[0]()
    together.wait()
    used, began = time.process_time(), time.monotonic()
    call()
    ended = time.monotonic()
    together.wait()
    reports.put((work[1], began, ended, time.process_time() - used))
    reports.close()


def run(works, count):
    together, reports = FORK.Barrier(len(works)), FORK.SimpleQueue()
    processes = [FORK.Process(target=worker, args=(work, together, reports)) for work in works]
    for process in processes:
        process.start()
    for process in processes:  # their reports fit into the pipe
        process.join()
    if any(process.exitcode for process in processes):
        sys.exit(f"exit codes {[process.exitcode for process in processes]}")
    done = [reports.get() for _ in works]
    began = min(began for _role, began, _ended, _cpu in done)
    ended = max(ended for role, _began, ended, _cpu in done if role == "receiver")
    return {"per_second": count / (ended - began), "cpu_us": sum(cpu for *_times, cpu in done) / count * 1e6}


def sending(way, thing, count):
    def prepare():
        put = way.sender()

        def send():
            for _ in range(count):
                put(thing)
            way.sent()
        return send
    return prepare, "sender"


def receiving(way, count):
    def prepare():
        get = way.receiver()

        def receive():
            for _ in range(count):
                get()
        return receive
    return prepare, "receiver"


def asking(there, back, thing, count):
    def prepare():
        put, get = there.sender(), back.receiver()

        def ask():
            for _ in range(count):
                put(thing)
                get()
            there.sent()
        return ask
    return prepare, "receiver"


def answering(there, back, count):
    def prepare():
        get, put = there.receiver(), back.sender()

        def answer():
            for _ in range(count):
                put(get())
            back.sent()
        return answer
    return prepare, "sender"


def between_processes(shape, make, thing, count):
    made = [make()]
    try:
        if shape == "round trip":
            made.append(make())
            return run([asking(*made, thing, count), answering(*made, count)], count)
        senders, receivers = {"one to one": (1, 1), "four to one": (4, 1), "one to four": (1, 4)}[shape]
        works = [receiving(made[0], count // receivers) for _ in range(receivers)]
        works += [sending(made[0], thing, count // senders) for _ in range(senders)]
        return run(works, count)
    finally:
        for way in made:
            way.end()


def alone(call, count):
    used, began = time.process_time(), time.monotonic()
    for _ in range(count):
        call()
    took = time.monotonic() - began
    return {"per_second": count / took, "cpu_us": (time.process_time() - used) / count * 1e6}


def between_threads(thing, count):
    made = threads_queue.Queue(CAPACITY)

    def put_all():
        for _ in range(count):
            made.put(thing)
    thread = threading.Thread(target=put_all)
    used, began = time.process_time(), time.monotonic()
    thread.start()
    for _ in range(count):
        made.get()
    thread.join()
    return {"per_second": count / (time.monotonic() - began), "cpu_us": (time.process_time() - used) / count * 1e6}


def in_one_process(shape, thing):
    """(name, function of the count): what a queue cannot be faster than, and the queue of threads."""
    if shape != "one to one":
        return
    yield "pickle alone", lambda count: alone(lambda: pickle.loads(pickle.dumps(thing, 5)), count)
    yield "queue.Queue between threads", lambda count: between_threads(thing, count)
    if is_array(thing):
        room = [numpy.zeros_like(thing) for _ in range(8)]
        turn = iter(range(1 << 40))

        def copy_twice():
            at = next(turn) % len(room)
            room[at][:] = thing
            room[at].copy()
        yield "two copies, alone", lambda count: alone(copy_twice, count)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for number in range(rounds):
        todo = []
        for payload, thing, count, shapes in payloads():
            for shape in shapes:
                for name, make in ways(shape, thing):
                    more = count * 50 if name == IN_PLACE else count  # it takes a fiftieth of the time
                    todo.append((shape, payload, name, more,
                                 lambda s=shape, m=make, t=thing, c=more: between_processes(s, m, t, c)))
                todo += [(shape, payload, name, count, lambda m=measure, c=count: m(c))
                         for name, measure in in_one_process(shape, thing)]
        random.shuffle(todo)
        for shape, payload, name, count, measure in todo:
            if word in f"{shape}, {payload}, {name}":
                line = {"round": number, "what": "python", "shape": shape, "payload": payload, "queue": name, "count": count}
                print(json.dumps({**line, **measure()}), flush=True)


if __name__ == "__main__":
    main()
