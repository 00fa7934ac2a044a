#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""misuse_test.py: no call, and no sequence of calls, of the Python module crashes the interpreter or damages a queue:
wrong arguments, copies, close() while others use the handle, threads on one handle, and how the module is imported."""
import array
import asyncio
import contextlib
import copy
import gc
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from quoit_test import BOTH, ROOT, Case, quoit  # noqa: E402  pylint: disable=wrong-import-position

WITH_MODULE = {**os.environ, "PYTHONPATH": ROOT + "/python"}


class Arguments(Case):
    """Wrong arguments raise an exception with a message, and no value is truncated."""

    def test_handles_are_made_by_methods(self):
        for kind in (quoit.Queue, quoit.Pool):
            for arguments in ((), ("name",), (1,), (None,), ("name", quoit.PRODUCER)):
                with self.assertRaisesRegex(TypeError, "create"):
                    kind(*arguments)
        for name in ("pop", "check", "inspect", "finish", "close"):  # on an object that no method has made
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                getattr(quoit.Queue.__new__(quoit.Queue), name)()

    def test_unknown_options(self):
        for make in (quoit.Queue.create, quoit.Queue.join):
            for wrong in ({"foo": 3}, {"permission": 0o600}, {"sized": True}, {"item_byte": 4}):
                with self.assertRaises(TypeError):
                    make(self.name, BOTH, capacity=4, message_bytes=100, **wrong)
        self.assertRaises(quoit.NotFound, quoit.unlink, self.name)

    def test_numbers(self):
        create = quoit.Queue.create
        for value in (-1, 2**64, 2**64 + 5, 1.5, "4", None):
            for options in ({"capacity": value, "item_bytes": 4}, {"capacity": 4, "message_bytes": value},
                            {"capacity": 4, "item_bytes": value}, {"capacity": 4, "item_bytes": 4, "user_bytes": value},
                            {"capacity": 4, "item_bytes": 4, "permissions": value},
                            {"capacity": 4, "item_bytes": 4, "kind": value},
                            {"capacity": 4, "item_bytes": 4, "broadcast": value}):
                with self.assertRaises((TypeError, ValueError), msg=options):
                    create(self.name, BOTH, **options)
            with self.assertRaises((TypeError, ValueError)):
                create(self.name, value, capacity=4, item_bytes=4)
            with self.assertRaises((TypeError, ValueError)):
                quoit.Pool.create(self.name, block_bytes=value, blocks=2)
        self.assertRaisesRegex(ValueError, "capacity is -1", create, self.name, BOTH, capacity=-1, item_bytes=4)
        self.assertRaises(quoit.NotFound, quoit.unlink, self.name)

    def test_numbers_of_calls(self):
        queue = self.make(item_bytes=4)
        queue.push(b"kept")
        for value in (-1, 2**64 + 1, 1.5, "1"):
            for call in (queue.claim, queue.peek):
                with self.assertRaises((TypeError, ValueError)), call(value):
                    self.fail("no view")
            self.assertRaises((TypeError, ValueError), queue.pop_many, value)
            self.assertRaises((TypeError, ValueError), queue.poll_fd, value)
            self.assertRaises((TypeError, ValueError), quoit.Cursor, next=value)
        for timeout in (float("nan"), "soon"):
            self.assertRaises((TypeError, ValueError), queue.pop, timeout)
            self.assertRaises((TypeError, ValueError), queue.push, b"lost", timeout)
        self.assertEqual(queue.pop(timeout=1e300), b"kept")
        for timeout in (0, -1, -0.5, -1e300, float("-inf")):  # do not wait
            self.assertRaises(quoit.Empty, queue.pop, timeout)
            self.assertRaises(quoit.Timeout, queue.wait_for_items, timeout)
        while len(queue) < queue.capacity:
            queue.push(b"kept", timeout=float("inf"))
        for timeout in (0, -1, -0.5, -1e300, float("-inf")):
            self.assertRaises(quoit.Full, queue.push, b"lost", timeout)
            self.assertRaises(quoit.Timeout, queue.wait_for_room, timeout)
        for name in ("item_bytes", "sized"):  # buffers are as long as they say
            self.assertRaises(AttributeError, setattr, queue, name, 1)

    def test_a_nul_in_a_name(self):
        for call in (lambda name: quoit.Queue.create(name, BOTH, capacity=4, item_bytes=4), quoit.unlink, quoit.list,
                     lambda name: quoit.Queue.open(name, BOTH), quoit.Pool.open, quoit.Pool.unlink,
                     lambda name: quoit.Pool.create(name, block_bytes=8, blocks=2)):
            for name in (self.name + "\0cut", "\0"):
                with self.assertRaisesRegex(ValueError, "NUL"):
                    call(name)
        self.assertRaises(quoit.NotFound, quoit.unlink, self.name)

    def test_other_objects(self):
        queue, name = self.make(item_bytes=8), self.name + "-pool"
        with quoit.Pool.create(name, block_bytes=64, blocks=2) as pool:
            self.addCleanup(quoit.Pool.unlink, name)
            block = pool.allocate()
            for wrong in (pool, None, 3, "queue"):
                self.assertRaises(TypeError, pool.push, wrong, block)
                self.assertRaises(TypeError, pool.pop, wrong)
                self.assertRaises(TypeError, pool.reclaim, wrong)
            for wrong in (None, 3, queue, block.number):
                self.assertRaises(TypeError, pool.push, queue, wrong)
            for wrong in (0, 3, "x", queue.inspect()):
                self.assertRaises(TypeError, lambda: [*queue.look(wrong)])  # pylint: disable=cell-var-from-loop
            self.assertRaises(AttributeError, setattr, block, "number", 7)
            block.free()

    def test_push_many_takes_collections(self):
        for options in ({"item_bytes": 1}, {"message_bytes": 9}):
            queue = self.make(capacity=2, **options)
            generator = (bytes([i]) for i in range(5))
            self.assertRaisesRegex(TypeError, "iterator", queue.push_many, generator)
            self.assertEqual(len([*generator]), 5)  # it was left as it was
            items = (b"a", b"b", b"c", b"d", b"e", *[b"f"] * 99)
            pushed = queue.push_many(items)
            self.assertIn(pushed, range(2, 99))
            self.assertEqual(queue.pop_many(999), [*items[:pushed]])
            self.assertEqual(queue.push_many({b"x": 1}), 1)
            self.assertRaises((ValueError, TypeError), queue.push_many, [b"y", "text"])
            self.assertRaises(ValueError, queue.push_many, [b"y", bytes(10)])
            self.assertEqual(queue.pop_many(9), [b"x"])  # nothing of a collection that holds a wrong one
            self.name += "x"

    def test_arrays_are_copied_once(self):
        size = 1 << 20
        queue = self.make(item_bytes=size, capacity=2)
        for data in (bytearray(size), array.array("Q", bytes(size)), memoryview(bytes(size))):
            tracemalloc.start()
            queue.push(data)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.assertLess(peak, size // 2)
            queue.pop()
        queue.push(memoryview(bytes(2 * size))[::2])  # in pieces
        self.assertEqual(len(queue.pop()), size)


class Copies(Case):
    """A handle is neither copied nor pickled; its name is."""

    def handles(self):
        queue, name = self.make(item_bytes=8), self.name + "-pool"
        pool = quoit.Pool.create(name, block_bytes=64, blocks=2)
        self.addCleanup(quoit.Pool.unlink, name)
        self.addCleanup(pool.close)
        return queue, pool, pool.allocate()

    def test_refused(self):
        queue, pool, block = self.handles()
        for thing, remedy in ((queue, "Queue.open"), (pool, "Pool.open"), (block, "Pool.push")):
            for way in (copy.copy, copy.deepcopy, *(lambda t, p=p: pickle.dumps(t, p) for p in range(6))):
                with self.assertRaisesRegex(TypeError, remedy):
                    way(thing)
            with self.assertRaisesRegex(TypeError, remedy):
                copy.deepcopy([thing])
        gc.collect()
        queue.push(b"12345678")
        self.assertEqual(queue.pop(), b"12345678")
        self.assertEqual(pool.free_count, 1)

    def test_errors_are_pickled(self):
        error = pickle.loads(pickle.dumps(quoit.Full("the queue is full")))
        self.assertEqual((type(error), str(error)), (quoit.Full, "the queue is full"))

    def test_multiprocessing(self):
        """Passing the handle is refused in the parent; passing the name works, by each way of starting."""
        program = """
import multiprocessing, sys
import quoit

def pop(name):
    with quoit.Queue.open(name, quoit.CONSUMER) as queue:
        sys.exit(7 if queue.pop(timeout=60) == b"hello" else 1)

if __name__ == "__main__":
    queue = quoit.Queue.create(sys.argv[1], quoit.PRODUCER, capacity=8, message_bytes=100)
    for method in ("spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        try:
            context.Process(target=pop, args=(queue,)).start()
            print("no TypeError")
        except TypeError as error:
            assert "Queue.open" in str(error), error
        queue.push(b"hello")
        child = context.Process(target=pop, args=(sys.argv[1],))
        child.start()
        child.join()
        print(method, child.exitcode)
    queue.unlink()
"""
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/program.py", "w") as file:
                file.write(program)
            done = subprocess.run([sys.executable, "-B", folder + "/program.py", self.name], text=True,
                                  capture_output=True, timeout=60, env=WITH_MODULE)
        self.assertEqual((done.returncode, done.stdout), (0, "spawn 7\nforkserver 7\n"), done.stderr)


class Threaded(Case):
    def in_thread(self, call):
        results = []

        def run():
            try:
                results.append(call())
            except BaseException as error:  # pylint: disable=broad-exception-caught
                results.append(error)
        thread = threading.Thread(target=run)
        thread.start()
        return thread, results


class Closing(Threaded):
    """close() while others use the handle, and what is used after it."""

    def test_during_a_wait(self):
        calls = {"pop": lambda q: q.pop(timeout=None), "wait_for_items": lambda q: q.wait_for_items(),
                 "push": lambda q: q.push(b"y", timeout=None), "wait_for_room": lambda q: q.wait_for_room()}
        for name, call in calls.items():
            queue = self.make(item_bytes=1, capacity=1)
            if name in ("push", "wait_for_room"):
                queue.push(b"x")
            threads = [self.in_thread(lambda c=call, q=queue: c(q)) for _ in range(3)]
            time.sleep(0.15)
            queue.close()
            for thread, results in threads:
                thread.join(10)
                self.assertFalse(thread.is_alive(), name)
                self.assertIsInstance(results[0], ValueError, name)
                self.assertIn("closed", str(results[0]))
            quoit.Queue.open(self.name, BOTH).close()  # the roles are free when close() returns
            self.name += "x"

    def test_an_await(self):
        queue = self.make()

        async def main():
            waiting = asyncio.create_task(queue.get())
            await asyncio.sleep(0.05)
            queue.close()
            with self.assertRaisesRegex(ValueError, "closed"):
                await waiting
        asyncio.run(asyncio.wait_for(main(), 60))

    def test_views(self):
        queue = self.make()
        queue.push(b"hello")
        with self.assertRaisesRegex(ValueError, "closed"), queue.peek() as view:
            queue.close()
            self.assertRaises(ValueError, lambda: view[0])
        again = quoit.Queue.open(self.name, BOTH)
        with self.assertRaisesRegex(ValueError, "closed"), again.claim(5) as room:
            again.close()
            with self.assertRaises(ValueError):
                room[0] = 1
        with quoit.Queue.open(self.name, BOTH) as last:
            self.assertEqual(last.pop(), b"hello")  # not taken, and nothing was pushed
            self.assertRaises(quoit.Empty, last.pop)

    def test_slices_keep_the_memory(self):
        queue = self.make()
        queue.push(b"hello")
        kept = []
        with self.assertRaises((BufferError, ValueError)), queue.peek() as view:
            kept.append(view[1:])
            kept.append(memoryview(view)[2:])
            queue.close()
        self.assertEqual([bytes(part) for part in kept], [b"ello", b"llo"])
        self.assertRaisesRegex(ValueError, "closed", queue.pop)
        kept.clear()
        with quoit.Queue.open(self.name, BOTH) as again:
            self.assertEqual(again.pop(), b"hello")

    def test_slices_of_a_claim_stop_its_side(self):
        """Else they would write into items that are pushed later."""
        for options in ({"message_bytes": 100}, {"item_bytes": 5, "tuning": quoit.FOR_SPANS},
                        {"item_bytes": 5, "kind": quoit.MPMC}):
            queue = self.make(**options)
            kept = []
            with self.assertRaises(BufferError), queue.claim(5 if "message_bytes" in options else 1) as room:
                kept.append(room[:])
            for call in (lambda: queue.push(b"hello"), lambda: queue.push_many([b"hello"]), queue.finish):
                self.assertRaises(BufferError, call)
            self.assertRaises(quoit.Empty, queue.pop)
            kept[0][0] = 7
            kept.clear()
            queue.push(b"hello")
            self.assertEqual(queue.pop(), b"hello")
            queue.check()
            self.name += "x"

    def test_an_exception_keeps_no_handle(self):
        queue = self.make()
        kept = []
        for call in (queue.pop, lambda: queue.pop(timeout=0.01), lambda: queue.push(bytes(999)), queue.peek().__enter__,
                     lambda: queue.push("text")):
            try:
                call()
            except Exception as error:  # pylint: disable=broad-exception-caught
                kept.append(error)
        queue.close()
        self.assertEqual(len(kept), 5)
        quoit.Queue.open(self.name, BOTH).close()

    def test_pools(self):
        queue, name = self.make(item_bytes=8), self.name + "-pool"
        pool = quoit.Pool.create(name, block_bytes=64, blocks=4)
        self.addCleanup(quoit.Pool.unlink, name)
        block, other = pool.allocate(), pool.allocate()
        with block.view() as view:
            view[0] = 7
            for call in (block.free, lambda: pool.push(queue, block)):
                self.assertRaisesRegex(BufferError, "view", call)  # the block would be another's
        pool.push(queue, block)
        block = pool.pop(queue)
        waits, results = self.in_thread(lambda: pool.pop(queue, timeout=None))
        with block.view() as view, other.view() as second:
            kept = second[1:]
            self.assertEqual(view[0], 7)
            time.sleep(0.05)
            pool.close()
            self.assertRaises(ValueError, lambda: view[0])
            kept[0] = 1
            del kept
        waits.join(10)
        self.assertIsInstance(results[0], ValueError)
        for call in (block.view, block.free, other.free, pool.allocate, lambda: pool.free_count,
                     lambda: pool.push(queue, block), lambda: pool.pop(queue), lambda: pool.reclaim(queue)):
            self.assertRaisesRegex(ValueError, "closed", call)


class Threads(Threaded):
    """Several threads on one side of one handle."""

    def test_items_arrive_once_in_order(self):
        threads, each = 3, 200
        for options in ({"item_bytes": 8}, {"message_bytes": 8}, {"item_bytes": 8, "kind": quoit.MPMC}):
            queue, got = self.make(capacity=5, **options), [[] for _ in range(threads)]

            def produce(sender):
                for i in range(each):
                    queue.push(b"%d %4d  " % (sender, i), timeout=60)  # pylint: disable=cell-var-from-loop

            def consume(items):
                while sum(map(len, got)) < threads * each:  # pylint: disable=cell-var-from-loop
                    with contextlib.suppress(quoit.Timeout):
                        items.append(queue.pop(timeout=0.05))  # pylint: disable=cell-var-from-loop
            running = [self.in_thread(lambda i=i: produce(i)) for i in range(threads)]
            running += [self.in_thread(lambda items=items: consume(items)) for items in got]
            for thread, results in running:
                thread.join(60)
                self.assertEqual(results, [None])
            self.assertEqual(sorted(sum(got, [])), [b"%d %4d  " % (s, i) for s in range(threads) for i in range(each)])
            for items in got:
                for sender in range(threads):
                    mine = [item for item in items if item.startswith(b"%d" % sender)]
                    self.assertEqual(mine, sorted(mine))
            queue.check()
            self.name += "x"

    def test_two_waits(self):
        queue = self.make()
        first, results = self.in_thread(lambda: queue.pop(timeout=None))
        time.sleep(0.05)
        began = time.monotonic()
        self.assertRaises(quoit.Timeout, queue.pop, 0.3)
        self.assertRaises(quoit.Empty, queue.pop)
        self.assertLess(time.monotonic() - began, 5)
        queue.push(b"x")
        first.join(10)
        self.assertEqual(results, [b"x"])

    def test_calls_while_a_view_is_open(self):
        queue = self.make()
        queue.push(b"one")
        queue.push(b"two")
        with queue.peek() as view:
            for call in (queue.pop, lambda: queue.pop(timeout=None), queue.wait_for_items, queue.peek().__enter__,
                         lambda: queue.pop_many(2)):
                self.assertRaises(RuntimeError, call)
            other, results = self.in_thread(lambda: queue.pop(timeout=10))  # waits for the block's end
            queue.push(b"three")  # the other side goes on
            time.sleep(0.05)
            self.assertEqual(bytes(view), b"one")
        other.join(10)
        self.assertEqual((results, queue.pop()), ([b"two"], b"three"))

    def test_a_fork_during_a_wait(self):
        """A lock that another thread holds at a fork is free in the child."""
        queue = self.make()
        waiting, _results = self.in_thread(lambda: queue.pop(timeout=1))
        time.sleep(0.05)
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)
            try:
                queue.pop()
            except quoit.Forked:
                queue.close()
                os._exit(7)
            os._exit(1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)
        waiting.join()

    def test_a_signal_handler_in_a_wait(self):
        queue = self.make()
        previous = signal.signal(signal.SIGALRM, lambda *_: queue.push(b"by the handler"))
        self.addCleanup(signal.signal, signal.SIGALRM, previous)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        self.assertEqual(queue.pop(timeout=20), b"by the handler")
        signal.signal(signal.SIGALRM, lambda *_: queue.close())
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        self.assertRaisesRegex(ValueError, "closed", queue.pop, 20)


class Importing(unittest.TestCase):
    def run_python(self, code, folder=None, **environment):
        kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "QUOIT_LIBRARY")}
        return subprocess.run([sys.executable, "-B", "-c", code], cwd=folder, env={**kept, **environment}, text=True,
                              capture_output=True, timeout=60)

    def test_starts_no_process(self):
        code = """
import sys
started = []
sys.addaudithook(lambda event, _: started.append(event) if event.startswith(
    ("subprocess", "os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system")) else None)
try:
    import quoit
except ImportError as error:  # the system has no library
    assert "QUOIT_LIBRARY" in str(error), error
sys.exit(str(started) if started else 0)
"""
        done = self.run_python(code, PYTHONPATH=ROOT + "/python")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_sub_interpreters(self):
        code = """
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
interpreter = interpreters.create()
failed = interpreters.run_string(interpreter, '''
try:
    import quoit
except ImportError:
    print("ImportError")
else:
    import os
    with quoit.Queue.create(f"local:qt-python-{os.getpid()}", 3, capacity=2, message_bytes=9) as queue:
        queue.push(b"hello")
        assert queue.pop(timeout=None) == b"hello"
        queue.unlink()
    print("well")
''')
if failed:
    print(failed)
interpreters.destroy(interpreter)
"""
        done = self.run_python(code, PYTHONPATH=ROOT + "/python", QUOIT_LIBRARY=os.environ["QUOIT_LIBRARY"])
        if "No module named '_interpreters'" in done.stderr:
            self.skipTest("this Python has no module for sub-interpreters")
        expected = ("well",) if sys.version_info < (3, 12) else ("well", "ImportError")
        self.assertIn(done.stdout.strip(), expected, done.stderr)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_beside_a_clone(self):
        """A clone's folder is named quoit: Python would take it for an empty package."""
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(ROOT, folder + "/quoit")
            done = self.run_python("import quoit", folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("ImportError", done.stderr)
            self.assertIn("PYTHONPATH", done.stderr)
            done = self.run_python("import quoit, quoit._queue; print(quoit.Queue.__name__, quoit.__file__)", folder,
                                   PYTHONPATH=ROOT + "/python", QUOIT_LIBRARY=os.environ["QUOIT_LIBRARY"])
            self.assertEqual(done.stdout.strip(), f"Queue {ROOT}/python/quoit/__init__.py", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
