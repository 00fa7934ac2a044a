#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quoit_test.py: tests the Python package in the folder QUOIT_PYTHON, and compares it with the headers."""
import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.environ.get("QUOIT_PYTHON", ROOT + "/build/release/python")
sys.path.insert(0, PACKAGE)
sys.dont_write_bytecode = True
import quoit  # noqa: E402  pylint: disable=wrong-import-position

BOTH = quoit.PRODUCER | quoit.CONSUMER
COUNT = iter(range(10**6))


def header(path):
    with open(os.path.join(ROOT, "include", path)) as file:
        return file.read()


def run(code, *arguments):
    """A second process with the same module."""
    return subprocess.Popen([sys.executable, "-c", f"import sys; sys.path.insert(0, {PACKAGE!r})\n"
                             "sys.dont_write_bytecode = True\nimport quoit\n" + code, *arguments],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Case(unittest.TestCase):
    def setUp(self):
        self.name = f"qt-python-{os.getpid()}-{next(COUNT)}"

    def make(self, roles=BOTH, **options):
        options.setdefault("capacity", 4)
        if not {"item_bytes", "format", "dtype", "record"} & set(options):
            options.update(item_bytes=100, messages=True)
        queue = quoit.Queue.create(self.name, roles, **options)
        self.addCleanup(queue.close)
        self.addCleanup(quoit.unlink, self.name)
        return queue


class Headers(Case):
    """The constants and structs of the module equal those of the headers."""

    def test_statuses(self):
        table = {int(n): name for name, n in re.findall(r"\b(QUOIT_\w+) = (-?\d+)", header("quoit/status.h"))}
        del table[0]
        self.assertEqual(set(table), set(quoit._core.errors))
        for number, name in table.items():
            self.assertEqual(quoit._core.errors[number]("").name, name)
            words = re.sub("^QUOIT_(ERROR_)?", "", name).split("_")
            self.assertEqual(quoit._core.errors[number].__name__, "".join(word.capitalize() for word in words))

    def test_constants(self):
        text = header("quoit.h") + header("quoit/inspect.h") + header("quoit/wait.h")
        for name in ("SPSC", "MPMC", "BROADCAST", "WAIT_FOR_SLOWEST", "DROP_OLDEST", "PRODUCER", "CONSUMER", "OBSERVER",
                     "ANY_OWNER", "FROM_OLDEST", "TRANSIENT", "PREFAULT", "LOCK_MEMORY", "HUGE_PAGES", "ITEMS", "ROOM", "MEMBERS_MAX"):
            value, = re.findall(rf"\bQUOIT_{name} = (\w+)", text)
            self.assertEqual(getattr(quoit, name), int(value, 0), name)

    def test_every_field_is_known(self):
        """The fields are those of the structs, in their order."""
        text = header("quoit/inspect.h")
        for name, known in (("quoit_queue_info", quoit.QueueInfo), ("quoit_member_info", quoit.Member)):
            body = re.sub(r"/\*.*?\*/", "", re.search(rf"struct {name} \{{(.*?)\n\}};", text, re.S).group(1), flags=re.S)
            fields = [field for field in re.findall(r"(\w+)(?:\[\d+\])?;", body) if not field.startswith("reserved")]
            self.assertEqual(sorted(known._fields), sorted(fields))
        queue = self.make(capacity=5, item_bytes=24, kind=quoit.MPMC, user_bytes=7, finishes=2, type="degrees")
        info = queue.inspect()
        self.assertEqual((info.capacity, info.item_bytes, info.kind, info.user_bytes, info.finishes, info.type, info.item_align),
                         (5, 24, quoit.MPMC, 7, 2, b"degrees", 8))
        self.assertEqual((info.created_by, info.producer_pid, info.size, info.full), (os.getpid(), os.getpid(), 0, 0))

    def test_version(self):
        with open(ROOT + "/CMakeLists.txt") as file:
            self.assertIn(f"project(quoit VERSION {quoit.__version__} ", file.read())


class Items(Case):
    def test_messages(self):
        queue = self.make()
        for message in (b"", b"a", bytes(range(100)), bytearray(b"array"), memoryview(b"view")):
            queue.push(message)
            self.assertEqual(len(queue), 1)
            self.assertEqual(queue.pop(), bytes(message))
        self.assertRaises(quoit.Empty, queue.try_pop)
        with self.assertRaises(quoit.TooBig) as raised:
            queue.push(bytes(101))
        self.assertIn("101", str(raised.exception))
        self.assertIsInstance(raised.exception, ValueError)
        self.assertRaises(TypeError, queue.push, "text")
        self.assertTrue(queue)  # although it is empty

    def test_items(self):
        queue = self.make(item_bytes=4, capacity=2)
        self.assertEqual((queue.item_bytes, queue.messages), (4, False))
        self.assertEqual(queue.push_many([b"abcd", b"efgh", b"ijkl"]), 2)
        with self.assertRaises(quoit.Full) as raised:
            queue.try_push(b"ijkl")
        self.assertEqual((raised.exception.status, raised.exception.name, str(raised.exception)),
                         (1, "QUOIT_FULL", "the queue is full"))
        self.assertRaises(quoit.Full, queue.push_many, [b"ijkl"], timeout=0)
        self.assertRaisesRegex(ValueError, "3 bytes, but the queue's items have 4", queue.push, b"abc")
        self.assertEqual(queue.pop_many(9), [b"abcd", b"efgh"])
        self.assertRaises(quoit.Empty, queue.pop_many, 3, timeout=0)
        self.assertEqual((queue.push_many([]), queue.pop_many(0)), (0, []))

    def test_tuples(self):
        queue = self.make(format="=Qd")
        queue.push((7, 0.5))
        with quoit.Queue.open(self.name, quoit.OBSERVER, format="=Qd") as other:
            self.assertEqual([*other.browse()], [(7, 0.5)])
        self.assertRaises(quoit.Different, quoit.Queue.open, self.name, quoit.OBSERVER, format="=Q")
        self.assertRaises(ValueError, quoit.Queue.join, self.name, BOTH, capacity=4, format="=Qd", messages=True)
        self.assertEqual(queue.pop(), (7, 0.5))

    def test_timeouts(self):
        """Full and Empty are also raised when the timeout expires."""
        for options in ({"item_bytes": 1}, {"item_bytes": 1, "messages": True}):
            queue = self.make(capacity=1, **options)
            takes = (queue.pop, lambda timeout, q=queue: q.pop_many(3, timeout),
                     lambda timeout, q=queue: self.enter(q.peek(timeout)))
            puts = (lambda timeout, q=queue: q.push(b"z", timeout),
                    lambda timeout, q=queue: q.push_many([b"z"], timeout),
                    lambda timeout, q=queue: self.enter(q.claim(1, timeout)))
            for calls, error in ((takes, quoit.Empty), (puts, quoit.Full)):
                for call in calls:
                    for timeout in (0, 0.15):
                        began = time.monotonic()
                        self.assertRaises(error, call, timeout)
                        self.assertGreaterEqual(time.monotonic() - began, timeout * 0.9)
                while error is quoit.Empty and len(queue) == 0:
                    queue.push(b"x")
                    while self.put(queue, b"x"):  # messages: more than one may fit
                        pass
            while len(queue):
                queue.pop()
            self.name += "x"

    def enter(self, view):
        with view:
            self.fail("no view")

    def put(self, queue, item):
        try:
            queue.try_push(item)
        except quoit.Full:
            return False
        return True

    def test_again(self):
        queue = self.make(kind=quoit.MPMC, capacity=4, format="d", finishes=2, type="degrees")
        other = queue.again(quoit.PRODUCER)
        other.push((1.5,))
        self.assertEqual(queue.pop(), (1.5,))
        self.assertEqual((queue.inspect().type, queue.inspect().finishes), (b"degrees", 2))
        other.finish()
        self.assertRaises(quoit.Finished, other.push, (2.5,))
        queue.push((3.5,))
        queue.finish()
        self.assertEqual(queue.pop(), (3.5,))
        self.assertRaises(quoit.Finished, queue.pop)
        self.assertRaises(quoit.Different, quoit.Queue.join, self.name, quoit.CONSUMER, kind=quoit.MPMC, capacity=4,
                          format="d", finishes=2, type="metres")
        self.assertRaises(ValueError, quoit.Queue.join, self.name, quoit.CONSUMER, capacity=4, format="d", type="x" * 32)
        other.close()

    def test_waits_by_default(self):
        for options in ({"item_bytes": 1}, {"item_bytes": 1, "messages": True}, {"item_bytes": 1, "kind": quoit.MPMC}):
            queue = self.make(capacity=1, **options)
            for take in (queue.pop, lambda q=queue: q.pop_many(9)[0], lambda q=queue: self.peeked(q)):
                thread = threading.Timer(0.05, queue.push, [b"x"])
                thread.start()
                self.assertEqual(take(), b"x")
                thread.join()
            for put in (lambda q=queue: q.push(b"y"), lambda q=queue: q.push_many([b"y"]),
                        lambda q=queue: self.claimed(q)):
                while self.put(queue, b"x"):
                    pass
                count = len(queue)
                thread = threading.Timer(0.05, queue.pop)
                thread.start()
                put()
                thread.join()
                self.assertEqual(queue.pop_many(count), [b"x"] * (count - 1) + [b"y"])
            self.name += "x"

    def peeked(self, queue):
        with queue.peek() as view:
            return bytes(view)

    def claimed(self, queue):
        with queue.claim(1) as room:
            room[:] = b"y"

    def test_push_many_tells_trouble(self):
        queue = self.make(item_bytes=1)
        queue.finish()
        self.assertRaises(quoit.Finished, queue.push_many, [b"x"])

    def test_kinds(self):
        queue = self.make(kind=quoit.BROADCAST, when_full=quoit.DROP_OLDEST, item_bytes=1, capacity=4)
        for i in range(10):
            queue.push(bytes([i]))
        self.assertEqual((queue.pop(), queue.missed > 0), (bytes([queue.missed]), True))

    def test_latest(self):
        queue = self.make(kind=quoit.BROADCAST, when_full=quoit.DROP_OLDEST, format="<qd", capacity=1)
        self.assertRaises(quoit.Empty, queue.latest)
        for i in range(3):
            queue.push((i, 0.5))
            self.assertEqual([queue.latest(), queue.latest()], 2 * [(i, 0.5)])
        self.assertEqual(queue.pop(), (2, 0.5))
        queue.finish()
        self.assertEqual(queue.latest(), (2, 0.5))
        self.name += "x"
        messages = self.make(kind=quoit.BROADCAST, item_bytes=9, messages=True)
        for message in (b"", b"hello", b"ninebytes"):
            messages.push(message)
            self.assertEqual(messages.latest(), message)
        self.name += "x"
        self.assertRaises(quoit.Unsupported, self.make().latest)


class Places(Case):
    """Zero-copy views."""

    def test_claim_and_peek(self):
        queue = self.make()
        with queue.claim(5) as room:
            room[:] = b"hello"
            self.assertEqual(len(queue), 0)
        with queue.peek() as view:
            self.assertEqual((bytes(view), view.readonly, len(queue)), (b"hello", True, 1))
        self.assertEqual(len(queue), 0)
        self.assertRaises(ValueError, lambda: view[0])
        self.assertRaises(ValueError, lambda: room[0])

    def test_exceptions_undo(self):
        queue = self.make()
        with self.assertRaises(KeyError), queue.claim(5):
            raise KeyError
        queue.push(b"kept")
        with self.assertRaises(KeyError), queue.peek():
            raise KeyError
        self.assertEqual(queue.pop(), b"kept")
        self.assertRaises(quoit.Empty, queue.try_pop)

    def test_views_that_would_outlive(self):
        queue = self.make()
        queue.push(b"kept")
        kept = []
        with self.assertRaisesRegex(BufferError, "slice"), queue.peek() as view:
            kept.append(view[1:])
        self.assertEqual((len(queue), bytes(kept.pop())), (1, b"ept"))

    def test_many(self):
        size = 300  # larger than small items, these are adjacent
        queue, items = self.make(item_bytes=size, capacity=8), [bytes([i]) * size for i in range(3)]
        with queue.claim_many(3) as room:
            room[:] = b"".join(items)
        with queue.peek_many(2) as view:
            self.assertEqual(bytes(view), items[0] + items[1])
        self.assertEqual(queue.pop(), items[2])
        with queue.claim_many(3) as room:
            room[:] = b"".join(items)
            self.assertRaises(ValueError, queue.commit_many, 4)
            queue.commit_many(2)
        with queue.peek_many(9) as view:
            self.assertEqual(bytes(view), items[0] + items[1])
            self.assertRaises(ValueError, queue.release_many, 3)
            queue.release_many(1)
        self.assertEqual(queue.pop_many(9), [items[1]])
        for kind in (quoit.SPSC, quoit.MPMC, quoit.BROADCAST):
            few = quoit.Queue.create(self.name + "-few", BOTH, capacity=4, item_bytes=4, kind=kind)
            self.addCleanup(few.close)
            few.unlink()
            with few.claim_many(3) as room:  # which may be for fewer
                room[:4] = b"aaaa"
                few.commit_many(1)
            with few.peek_many(3) as view:
                self.assertEqual(bytes(view), b"aaaa")
        messages = quoit.Queue.create(self.name + "-messages", BOTH, capacity=4, item_bytes=4, messages=True)
        self.addCleanup(messages.close)
        messages.unlink()
        for view in (messages.claim_many(1), messages.peek_many(1)):
            with self.assertRaises(quoit.Invalid), view:
                self.fail("messages have no spans")

    def test_ended_within_the_block(self):
        for options in ({"item_bytes": 9, "messages": True}, {"item_bytes": 9}, {"item_bytes": 9, "kind": quoit.MPMC},
                        {"item_bytes": 999}):
            queue = self.make(**options)
            size = 5 if queue.messages else queue.item_bytes
            with queue.claim() as room:
                self.assertEqual(len(room), queue.item_bytes)
                room[:5] = b"hello"
                self.assertRaises(ValueError, queue.commit, queue.item_bytes + 1)
                queue.commit(size)
                self.assertEqual(len(queue), 1)
                self.assertRaises(ValueError, lambda: room[0])  # pylint: disable=cell-var-from-loop
                for again in (lambda: queue.commit(size), lambda: queue.commit_many(1)):
                    self.assertRaises(quoit.Invalid, again)
                queue.discard()
            with queue.try_claim(size) as room:
                room[0] = 0
                queue.discard()
            queue.discard()
            with queue.try_peek() as view:
                self.assertEqual((len(view), bytes(view[:5])), (size, b"hello"))
                queue.release()
                self.assertRaises(ValueError, lambda: view[0])  # pylint: disable=cell-var-from-loop
                self.assertRaises(quoit.Invalid, queue.release)
            self.assertRaises(quoit.Empty, queue.try_pop)
            queue.check()
            self.name += "x"

    def test_nothing(self):
        queue = self.make()
        queue.push(b"")
        with queue.peek() as view:
            self.assertEqual(len(view), 0)
        with self.assertRaises(quoit.Empty), queue.try_peek():
            self.fail("there is nothing")

    def test_pool(self):
        queue = self.make(item_bytes=8)
        name = self.name + "-pool"
        with quoit.Pool.create(name, block_bytes=1000, blocks=2) as pool:
            self.addCleanup(quoit.unlink, name)
            block = pool.alloc()
            with block.view() as view:
                self.assertEqual(len(view), 1000)
                view[:5] = b"hello"
            pool.push(queue, block)
            self.assertRaises(quoit.NotYours, block.view)
            with pool.pop(queue) as again:
                with again.view() as view:
                    self.assertEqual(bytes(view[:5]), b"hello")
                other = pool.alloc()
                self.assertRaises(quoit.Exhausted, pool.alloc)
                other.free()
            self.assertEqual((pool.free_count, pool.blocks, pool.reclaim(queue)), (2, 2, 0))


class Handles(Case):
    def test_names_and_errors(self):
        self.assertRaises(FileNotFoundError, quoit.Queue.open, self.name, BOTH)
        queue = self.make()
        self.assertRaises(FileExistsError, quoit.Queue.create, self.name, BOTH, capacity=4, item_bytes=100,
                          messages=True)
        self.assertRaises(ValueError, quoit.unlink, self.name, quoit.PRODUCER)
        with self.assertRaises(quoit.Different) as raised:
            quoit.Queue.join(self.name, BOTH, capacity=9, item_bytes=100, messages=True)
        self.assertIn("capacity is 4, but 9 was requested", str(raised.exception))
        self.assertRaises(quoit.RoleTaken, quoit.Queue.open, self.name, quoit.CONSUMER)
        self.assertRaises(ValueError, quoit.Queue.create, self.name, BOTH, capacity=4)
        self.assertTrue(any(name.endswith(self.name) for name in quoit.list()))
        queue.close()
        queue.close()
        self.assertRaisesRegex(ValueError, "closed", queue.pop)

    def test_inspect(self):
        queue = self.make()
        queue.push(b"seen")
        info = queue.inspect()
        self.assertEqual((info.size, info.capacity, info.producer_pid, info.messages), (1, 4, os.getpid(), True))
        member, = queue.members()
        self.assertEqual((member.pid, member.roles, member.alive), (os.getpid(), BOTH, True))
        queue.check()
        with quoit.Queue.open(self.name, quoit.OBSERVER) as observer:
            browser = quoit.Browser()
            self.assertEqual([*observer.browse(browser)], [b"seen"])
            queue.push(b"more")
            self.assertEqual([*observer.browse(browser)], [b"more"])
            self.assertRaises(quoit.WrongRole, observer.pop)

    def test_fork(self):
        queue = self.make()
        pid = os.fork()
        if pid == 0:
            try:
                queue.push(b"x")
            except quoit.Forked:
                os._exit(7)
            os._exit(1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)


class Processes(Case):
    def test_stream(self):
        consumer = run("with quoit.Queue.join(sys.argv[1], quoit.CONSUMER, capacity=4, item_bytes=100,\n"
                       "                      messages=True) as queue:\n"
                       "    print(sum(int(item) for item in queue))", self.name)
        with quoit.Queue.join(self.name, quoit.PRODUCER, capacity=4, item_bytes=100, messages=True) as queue:
            self.addCleanup(quoit.unlink, self.name)
            for i in range(1000):
                queue.push(str(i).encode())
            queue.finish()
            printed, errors = consumer.communicate(timeout=60)
        self.assertEqual((printed.strip(), errors), ("499500", ""))

    def test_a_crash_is_reported(self):
        queue = self.make(quoit.CONSUMER)
        producer = run("queue = quoit.Queue.open(sys.argv[1], quoit.PRODUCER)\nqueue.push(b'last')\n"
                       "print('pushed', flush=True)\nsys.stdin.read()", self.name)
        self.assertEqual(queue.pop(timeout=60), b"last")
        producer.kill()
        producer.communicate()
        self.assertRaises(quoit.Abandoned, queue.pop, 60)

    def test_interrupt_ends_a_wait(self):
        self.make(quoit.PRODUCER)
        # A shell may have let this test, and so the program, ignore the signal.
        waiting = run("import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
                      "queue = quoit.Queue.open(sys.argv[1], quoit.CONSUMER)\nprint('waits', flush=True)\n"
                      "queue.pop()", self.name)
        self.assertEqual(waiting.stdout.readline(), "waits\n")
        waiting.send_signal(signal.SIGINT)
        _printed, errors = waiting.communicate(timeout=60)
        self.assertIn("KeyboardInterrupt", errors)


class Asyncio(Case):
    def test_both_sides(self):
        queue = self.make(capacity=3)

        async def produce():
            for i in range(2000):
                await queue.async_push(b"%d" % i)
            queue.finish()

        async def main():
            task = asyncio.create_task(produce())
            items = [int(item) async for item in queue]
            await task
            return items
        self.assertEqual(asyncio.run(asyncio.wait_for(main(), 60)), [*range(2000)])

    def test_cancelled_and_shared(self):
        queue = self.make()

        async def main():
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(queue.async_pop(), 0.05)
            waiting = asyncio.create_task(queue.async_pop())
            await asyncio.sleep(0.01)
            with self.assertRaisesRegex(RuntimeError, "another task"):
                await queue.async_pop()
            queue.push(b"at last")
            self.assertEqual(await waiting, b"at last")
        asyncio.run(asyncio.wait_for(main(), 60))


if __name__ == "__main__":
    unittest.main(verbosity=1)
