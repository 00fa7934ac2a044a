#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python.py ROUNDS: queues between Python processes, side by side; one JSON object a line.

Each round measures every queue once, in a random order. A producer's process sends; the main process receives. The figures
are rates, and the CPU time of both processes, for each message. NumPy and ZeroMQ are left out if they are not installed."""
import collections
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
DICT = {"id": 12345678, "name": "sensor-17", "celsius": 21.5, "tags": ["a", "b"], "at": 1.7e9}


def payloads():
    yield "64 bytes", bytes(64), 20000
    yield "int", 7, 20000
    yield "dict", DICT, 20000
    yield "1 KiB", bytes(1024), 20000
    if numpy:
        yield "frame 480x640x3", numpy.zeros((480, 640, 3), numpy.uint8), 500
        yield "array 8 MiB", numpy.zeros(1 << 20), 40


# ---- Ways to send. Each has begin() in the main process, and put, get in either.

class Objects:
    """quoit.Queue.put and get."""

    def __init__(self, thing, kind=quoit.SPSC):
        size = len(pickle.dumps(thing)) + 4096
        self.options = {"capacity": 64 if size < 1 << 20 else 8, "item_bytes": size, "messages": True, "kind": kind}
        self.name = f"bench-python-{os.getpid()}-{time.monotonic_ns()}"
        self.queue = quoit.Queue.create(self.name, quoit.CONSUMER, **self.options)
        self.get = self.queue.get

    def producer(self):
        self.queue = quoit.Queue.open(self.name, quoit.PRODUCER)
        self.put = self.queue.put

    def end(self):
        self.queue.unlink()
        self.queue.close()


class Bytes(Objects):
    """quoit.Queue.push and pop of bytes."""

    def __init__(self, thing):
        super().__init__(thing)
        self.get = self.queue.pop

    def producer(self):
        super().producer()
        self.put = self.queue.push


class Borrowed(Objects):
    """quoit.Queue.put and borrow: arrays stay in place."""

    def __init__(self, thing):
        super().__init__(thing)
        self.get = self.borrow

    def borrow(self):
        with self.queue.borrow() as thing:
            del thing


class Standard:
    """A queue of multiprocessing's interface."""

    def __init__(self, made):
        self.queue, self.get, self.put = made, made.get, made.put

    def producer(self):
        self.put = self.queue.put

    def end(self):
        if hasattr(self.queue, "close"):
            self.queue.close()


class Pipe:
    def __init__(self):
        self.reader, self.writer = FORK.Pipe(duplex=False)
        self.get, self.put = self.reader.recv, self.writer.send

    def producer(self):
        pass

    def end(self):
        self.reader.close()
        self.writer.close()


class Socket:
    """A Unix socket, with a size before each pickle."""

    def __init__(self):
        self.left, self.right = socket.socketpair()
        self.file = self.left.makefile("rb")

    def producer(self):
        pass

    def put(self, thing):
        data = pickle.dumps(thing, 5)
        self.right.sendall(struct.pack("Q", len(data)) + data)

    def get(self):
        size, = struct.unpack("Q", self.file.read(8))
        return pickle.loads(self.file.read(size))

    def end(self):
        self.file.close()
        self.left.close()
        self.right.close()


class Ring:
    """By hand: shared_memory with two semaphores; arrays are copied in and out, without pickle."""

    SLOTS = 8

    def __init__(self, thing):
        self.thing = thing
        self.memory = shared_memory.SharedMemory(create=True, size=self.SLOTS * thing.nbytes)
        self.slots = numpy.frombuffer(self.memory.buf, thing.dtype).reshape((self.SLOTS, *thing.shape))
        self.free, self.filled = FORK.Semaphore(self.SLOTS), FORK.Semaphore(0)
        self.at = 0

    def producer(self):
        pass

    def put(self, thing):
        self.free.acquire()
        self.slots[self.at] = thing
        self.at = (self.at + 1) % self.SLOTS
        self.filled.release()

    def get(self):
        self.filled.acquire()
        thing = self.slots[self.at].copy()
        self.at = (self.at + 1) % self.SLOTS
        self.free.release()
        return thing

    def end(self):
        del self.slots
        self.memory.close()
        self.memory.unlink()


class Zmq:
    def __init__(self):
        self.path = f"ipc:///tmp/bench-python-{os.getpid()}"
        self.socket = zmq.Context.instance().socket(zmq.PULL)
        self.socket.bind(self.path)
        self.get = self.socket.recv_pyobj

    def producer(self):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.PUSH)
        self.socket.connect(self.path)
        self.put = self.socket.send_pyobj

    def end(self):
        self.socket.close()


def ways(thing):
    yield "quoit put/get", lambda: Objects(thing)
    yield "quoit.mp.Queue", lambda: Standard(quoit.mp.Queue(64, message_bytes=len(pickle.dumps(thing)) + 4096))
    if isinstance(thing, bytes):
        yield "quoit push/pop", lambda: Bytes(thing)
    if numpy and isinstance(thing, numpy.ndarray):
        yield "quoit put/borrow", lambda: Borrowed(thing)
        yield "shared_memory by hand", lambda: Ring(thing)
    yield "multiprocessing.Queue", lambda: Standard(FORK.Queue(64))
    yield "multiprocessing.SimpleQueue", lambda: Standard(FORK.SimpleQueue())
    yield "multiprocessing.Pipe", Pipe
    yield "Unix socket", Socket
    if zmq:
        yield "ZeroMQ", Zmq


# ---- Measuring

def send(way, thing, count, gate):
    way.producer()
    gate.wait()
    for _ in range(count):
        way.put(thing)
    if isinstance(way, Standard) and hasattr(way.queue, "close"):
        way.queue.close()
        way.queue.join_thread()


def throughput(way, thing, count):
    gate = FORK.Event()
    process = FORK.Process(target=send, args=(way, thing, count, gate))
    process.start()
    time.sleep(0.05)
    used = os.times()
    began = time.perf_counter()
    gate.set()
    get = way.get
    for _ in range(count):
        get()
    took = time.perf_counter() - began
    process.join()
    now = os.times()
    cpu = sum(now[:4]) - sum(used[:4])
    return {"per_second": count / took, "cpu_us": cpu / count * 1e6}


def pickle_alone(thing, count):
    began = time.process_time()
    for _ in range(count):
        pickle.loads(pickle.dumps(thing, 5))
    took = time.process_time() - began
    return {"per_second": count / took, "cpu_us": took / count * 1e6}


def between_threads(thing, count):
    """queue.Queue, in one process."""
    made = threads_queue.Queue(64)
    thread = threading.Thread(target=lambda: collections.deque((made.put(thing) for _ in range(count)), 0))
    used, began = time.process_time(), time.perf_counter()
    thread.start()
    for _ in range(count):
        made.get()
    thread.join()
    return {"per_second": count / (time.perf_counter() - began), "cpu_us": (time.process_time() - used) / count * 1e6}


def measure(name, make, thing, count):
    if name == "pickle alone":
        return pickle_alone(thing, count)
    if name == "queue.Queue between threads":
        return between_threads(thing, count)
    way = make()
    try:
        return throughput(way, thing, count)
    finally:
        way.end()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for number in range(rounds):
        for payload, thing, count in payloads():
            todo = [*ways(thing), ("pickle alone", None), ("queue.Queue between threads", None)]
            random.shuffle(todo)
            for name, make in todo:
                line = {"round": number, "what": "python", "payload": payload, "queue": name, "count": count,
                        **measure(name, make, thing, count)}
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
