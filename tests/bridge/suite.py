# SPDX-License-Identifier: MIT
"""Shared by the tests of quoit-bridge: bridges, queues and their removal, producers and ledgers."""
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ.get("QUOIT_PYTHON", ""))
import nats  # noqa: E402
import quoit  # noqa: E402

KINDS = {"spsc": quoit.SPSC, "mpmc": quoit.MPMC, "broadcast": quoit.BROADCAST}


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def until(condition, sentence, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, sentence() if callable(sentence) else sentence)
        time.sleep(0.02)


def payload(number, messages):
    """Its number, and so many more bytes that lengths differ."""
    return number.to_bytes(8, "little") + bytes([number % 251]) * (number * 7 % 120 if messages else 56)


def number_of(data, messages):
    number = int.from_bytes(data[:8], "little")
    check(data == payload(number, messages), f"message {number} has other bytes: {data!r}")
    return number


def check_ledger(numbers, count, where):
    """Every number from 0 on, once and in order."""
    if numbers != list(range(count)):
        wrong = next((i for i, number in enumerate(numbers) if number != i), len(numbers))
        missing, twice = set(range(count)) - set(numbers), len(numbers) - len(set(numbers))
        raise AssertionError(f"{where}: {len(numbers)} of {count} messages, {len(missing)} missing, {twice} twice; "
                             f"the first one that is wrong is at {wrong}: {numbers[wrong - 2:wrong + 3]}")


def size_of(name):
    with quoit.Queue.open(name, quoit.OBSERVER) as queue:
        return queue.inspect().size


def exists(name):
    try:
        quoit.Queue.open(name, quoit.OBSERVER).close()
        return True
    except quoit.NotFound:
        return False


def has_consumer(name):
    with quoit.Queue.open(name, quoit.OBSERVER) as queue:
        return any(member.roles & quoit.CONSUMER for member in queue.members())


class Bridge:
    """A quoit-bridge process. Its stderr is kept in a file."""

    def __init__(self, suite, arguments, under=()):
        self.log = f"{suite.work}/bridge-{len(suite.bridges)}.log"
        self.metrics_file = f"{self.log}.prom"
        self.command = [*under, suite.program, *arguments[:1], "--metrics", self.metrics_file, *arguments[1:]]
        self.process = None
        suite.bridges.append(self)
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        code = self.process.wait()
        check(code == 0, f"the bridge ended with {code} after SIGTERM: {self.text()}")

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def metric(self, name):
        with contextlib.suppress(OSError), open(self.metrics_file, encoding="utf-8") as file:
            found = re.search(rf"^quoit_bridge_{name}{{.*}} (\d+)$", file.read(), re.M)
            return int(found.group(1)) if found else 0
        return 0

    def says(self, *words):
        until(lambda: all(word in self.text() for word in words),
              lambda: f"the bridge did not report {words}: {self.text()}")

    def fails(self, *words):
        code = self.process.wait(60)
        check(code == 1, f"the bridge ended with {code}, not 1: {self.text()}")
        self.says(*words)


class Suite:
    def __init__(self, program):
        nats.require_server()
        self.program = os.path.abspath(program)
        self.work = tempfile.mkdtemp(prefix="quoit-bridge-")
        self.seed = int(os.environ.get("QUOIT_TEST_SEED", random.randrange(1 << 32)))
        self.random = random.Random(self.seed)
        self.bridges, self.servers, self.names, self.threads, self.made = [], [], [], [], 0
        print(f"seed {self.seed} (repeat with QUOIT_TEST_SEED={self.seed})", flush=True)

    def server(self, name="server", **options):
        self.servers.append(nats.Server(self.work, name, **options).start())
        return self.servers[-1]

    def cluster(self, started=3):
        ports = [nats.free_port() for _ in range(3)]
        routes = [f"127.0.0.1:{port}" for port in ports]
        made = [nats.Server(self.work, f"server{i}", route_port=ports[i], routes=routes) for i in range(3)]
        self.servers += made
        for server in made[:started]:
            server.start(wait=False)
        for server in made[:started]:
            server.wait()
        return made

    def name(self):
        self.made += 1
        self.names.append(f"posix:qt-bridge-{os.getpid()}-{self.made}")
        return self.names[-1]

    def queue(self, kind="spsc", messages=False, capacity=1024, **more):
        name = self.name()
        quoit.Queue.create(name, quoit.PRODUCER, kind=KINDS[kind], capacity=capacity,
                           item_bytes=128 if messages else 64, messages=messages, **more).close()
        return name

    def bridge(self, *arguments, under=()):
        return Bridge(self, arguments, under)

    def out(self, queue, server, stream, *options, **more):
        return self.bridge("out", *options, queue, f"{server.url}/{stream}/{stream.lower()}", **more)

    def into(self, queue, server, stream, *options, **more):
        return self.bridge("in", *options, f"{server.url}/{stream}/{stream.lower()}", queue, **more)

    def thread(self, target, *arguments):
        """A thread; its exception is raised at join."""
        failure = []

        def run():
            try:
                target(*arguments)
            except BaseException as error:  # pylint: disable=broad-except
                failure.append(error)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def join(seconds=1200):
            thread.join(seconds)
            check(not thread.is_alive(), f"{target.__name__} did not end")
            if failure:
                raise failure[0]
        thread.finish = join
        return thread

    def produce(self, name, count, messages=False, begin=0, finish=False):
        """Pushes numbered messages; waits while the queue is full."""
        def run():
            with quoit.Queue.open(name, quoit.PRODUCER) as queue:
                for number in range(begin, begin + count):
                    while True:
                        try:
                            queue.push(payload(number, messages), timeout=600)
                            break
                        except quoit.Abandoned:
                            pass
                if finish:
                    queue.finish()
        return self.thread(run)

    def consume(self, name, count, messages, numbers):
        def run():
            with quoit.Queue.open(name, quoit.CONSUMER) as queue:
                while len(numbers) < count:
                    try:
                        numbers.append(number_of(queue.pop(timeout=600), messages))
                    except quoit.Abandoned:
                        pass
        return self.thread(run)

    def end(self):
        for bridge in self.bridges:
            if bridge.process.poll() is None:
                bridge.kill()
        for server in self.servers:
            server.kill()
        for name in self.names:
            for object_name in (name, name + ".bridge"):
                with contextlib.suppress(quoit.Error):
                    quoit.unlink(object_name)
        shutil.rmtree(self.work)


def stored(server, stream, messages=False, **login):
    """The numbers in the stream. Also checks that the ids are those of one queue, with growing positions."""
    found = []

    def reads():  # a server may still be starting, and servers that elect a leader drop requests
        try:
            with contextlib.closing(nats.Client(server, seconds=10, **login)) as client:
                found[:] = client.read(stream)
        except (TimeoutError, ConnectionError):
            return False
        return True

    until(reads, f"{stream}: no server answers", 300)
    ids = [headers["Nats-Msg-Id"].split(":") for _, headers, _ in found]
    check(len({created for created, _ in ids}) <= 1, f"{stream}: ids of several queues")
    positions = [int(position) for _, position in ids]
    check(positions == sorted(set(positions)), f"{stream}: the positions of the ids do not grow")
    return [number_of(data, messages) for _, _, data in found]


def run_parts(parts):
    """Runs each function with a suite of its own. Arguments: the program, and names of parts."""
    chosen = sys.argv[2:] or [part.__name__ for part in parts]
    for part in parts:
        if part.__name__ not in chosen:
            continue
        print(f"{part.__name__}: ", end="")
        suite = Suite(sys.argv[1])
        begin = time.monotonic()
        try:
            part(suite)
        except BaseException:
            for bridge in suite.bridges:
                sys.stderr.write(f"--- {' '.join(bridge.command)}\n{bridge.text()}")
            for server in suite.servers:
                with contextlib.suppress(OSError), open(server.log, encoding="utf-8") as file:
                    sys.stderr.write(f"--- {server.log}\n{''.join(file.readlines()[-30:])}")
            raise
        finally:
            suite.end()
        print(f"{part.__name__} passed in {time.monotonic() - begin:.1f} s", flush=True)


SIGSTOP, SIGCONT = signal.SIGSTOP, signal.SIGCONT
