#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""wrong_use_test.py: no call, and no sequence of calls, of the Python module crashes the interpreter or damages a queue:
wrong arguments, copies, close() while other threads use the handle, and threads on one handle."""
import array
import asyncio
import contextlib
import copy
import faulthandler
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
from quoit_test import BOTH, PACKAGE, Case, quoit  # noqa: E402  pylint: disable=wrong-import-position

WITH_MODULE = {**os.environ, "PYTHONPATH": PACKAGE}


faulthandler.enable()  # if the interpreter crashes, the printed stack names the test


class Arguments(Case):
    """Wrong arguments raise an exception with a message, and no value is truncated."""

    def test_handles_are_made_by_methods(self):
        for kind in (quoit.Queue, quoit.Pool, quoit.Region, quoit.Lock, quoit.Semaphore):
            for arguments in ((), ("name",), (1,), (None,), ("name", quoit.PRODUCER)):
                with self.assertRaisesRegex(TypeError, "create"):
                    kind(*arguments)
        for name in ("pop", "check", "inspect", "finish", "close"):  # on an object that no method returned
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                getattr(quoit.Queue.__new__(quoit.Queue), name)()

    def test_unknown_options(self):
        for make in (quoit.Queue.create, quoit.Queue.join):
            for wrong in ({"foo": 3}, {"permission": 0o600}, {"message_bytes": 4}, {"item_byte": 4}):
                with self.assertRaises(TypeError):
                    make(self.name, BOTH, capacity=4, item_bytes=100, messages=True, **wrong)
        self.assertRaises(quoit.NotFound, quoit.unlink, self.name)

    def test_numbers(self):
        create = quoit.Queue.create
        for value in (-1, 2**64, 2**64 + 5, 1.5, "4", None):
            for option in ("capacity", "item_bytes", "user_bytes", "permissions", "kind", "when_full", "messages"):
                with self.assertRaises((TypeError, ValueError), msg=option):
                    create(self.name, BOTH, **{"capacity": 4, "item_bytes": 4, option: value})
            with self.assertRaises((TypeError, ValueError)):
                create(self.name, value, capacity=4, item_bytes=4)
            with self.assertRaises((TypeError, ValueError)):
                quoit.Pool.create(self.name, block_bytes=value, blocks=2)
            with self.assertRaises((TypeError, ValueError)):
                quoit.Region.create(self.name, data_bytes=value)
            with self.assertRaises((TypeError, ValueError)):
                quoit.Semaphore.create(self.name, value=value)
        self.assertRaisesRegex(ValueError, "capacity is -1", create, self.name, BOTH, capacity=-1, item_bytes=4)
        self.assertRaises(quoit.NotFound, quoit.unlink, self.name)

    def test_numbers_of_calls(self):
        queue = self.make(item_bytes=4)
        queue.push(b"kept")
        for value in (-1, 2**64 + 1, 1.5, "1"):
            for call in (queue.claim, queue.claim_many, queue.peek_many):
                with self.assertRaises((TypeError, ValueError)), call(value):
                    self.fail("no view")
            for call in (queue.commit, queue.commit_many, queue.release_many):
                self.assertRaises((TypeError, ValueError, quoit.Invalid), call, value)
            with queue.claim(), self.assertRaises((TypeError, ValueError)):
                queue.commit(value)
            queue.pop()  # the item that the end of the block pushed stays queued
            for call in (queue.pop_many, queue.poll_fd, lambda value: quoit.Browser(next=value)):
                self.assertRaises((TypeError, ValueError), call, value)
        for timeout in (float("nan"), "soon"):
            for call, *arguments in ((queue.pop,), (queue.pop_many, 1), (queue.push, b"x"), (queue.push_many, [b"x"])):
                self.assertRaises((TypeError, ValueError), call, *arguments, timeout)
            for call in (queue.peek, lambda timeout: queue.claim(4, timeout)):
                with self.assertRaises((TypeError, ValueError)), call(timeout):
                    self.fail("no view")
        self.assertEqual(queue.pop(timeout=1e300), bytes(4))
        for timeout in (0, -1, -0.5, -1e300, float("-inf")):  # do not wait
            self.assertRaises(quoit.Empty, queue.pop, timeout)
            self.assertRaises(quoit.Empty, queue.pop_many, 1, timeout)
        while len(queue) < queue.capacity:
            queue.push(b"kept", timeout=float("inf"))
        for timeout in (0, -1, -0.5, -1e300, float("-inf")):
            self.assertRaises(quoit.Full, queue.push, b"lost", timeout)
            self.assertRaises(quoit.Full, queue.push_many, [b"lost"], timeout)
        for name in ("item_bytes", "messages"):  # buffers have exactly the requested length
            self.assertRaises(AttributeError, setattr, queue, name, 1)

    def test_a_nul_in_a_name(self):
        for call in (lambda name: quoit.Queue.create(name, BOTH, capacity=4, item_bytes=4), quoit.unlink, quoit.list,
                     lambda name: quoit.Queue.open(name, BOTH), quoit.Pool.open,
                     lambda name: quoit.Pool.create(name, block_bytes=8, blocks=2)):
            for name in (self.name + "\0cut", "\0"):
                with self.assertRaisesRegex(ValueError, "NUL"):
                    call(name)
        self.assertRaises(quoit.NotFound, quoit.unlink, self.name)

    def test_other_objects(self):
        queue, name = self.make(item_bytes=8), self.name + "-pool"
        with quoit.Pool.create(name, block_bytes=64, blocks=2) as pool:
            self.addCleanup(quoit.unlink, name)
            block = pool.alloc()
            for wrong in (pool, None, 3, "queue"):
                self.assertRaises(TypeError, pool.push, wrong, block)
                self.assertRaises(TypeError, pool.pop, wrong)
                self.assertRaises(TypeError, pool.reclaim, wrong)
            for wrong in (None, 3, queue, block.number):
                self.assertRaises(TypeError, pool.push, queue, wrong)
            for wrong in (0, 3, "x", queue.inspect()):
                self.assertRaises(TypeError, lambda: [*queue.browse(wrong)])  # pylint: disable=cell-var-from-loop
            self.assertRaises(AttributeError, setattr, block, "number", 7)
            block.free()

    def test_push_many_takes_collections(self):
        for options in ({"item_bytes": 1}, {"item_bytes": 9, "messages": True}):
            queue = self.make(capacity=2, **options)
            generator = (bytes([i]) for i in range(5))
            self.assertRaisesRegex(TypeError, "iterator", queue.push_many, generator)
            self.assertEqual(len([*generator]), 5)  # it did not change
            items = (b"a", b"b", b"c", b"d", b"e", *[b"f"] * 99)
            pushed = queue.push_many(items)
            self.assertIn(pushed, range(2, 99))
            self.assertEqual(queue.pop_many(999), [*items[:pushed]])
            self.assertEqual(queue.push_many({b"x": 1}), 1)
            self.assertRaises((ValueError, TypeError), queue.push_many, [b"y", "text"])
            self.assertRaises(ValueError, queue.push_many, [b"y", bytes(10)])
            self.assertEqual(queue.pop_many(9), [b"x"])  # no item of a collection that contains a wrong one
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
        queue.push(memoryview(bytes(2 * size))[::2])  # not contiguous
        self.assertEqual(len(queue.pop()), size)


class Copies(Case):
    """A handle can be neither copied nor pickled. Its name can."""

    def handles(self):
        queue, name = self.make(item_bytes=8), self.name + "-pool"
        pool = quoit.Pool.create(name, block_bytes=64, blocks=2)
        self.addCleanup(quoit.unlink, name)
        self.addCleanup(pool.close)
        return queue, pool, pool.alloc()

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
        """Passing the handle is refused in the parent. Passing the name works, with each start method."""
        program = """
import multiprocessing, sys
import quoit

def pop(name):
    with quoit.Queue.open(name, quoit.CONSUMER) as queue:
        sys.exit(7 if queue.pop(timeout=60) == b"hello" else 1)

if __name__ == "__main__":
    queue = quoit.Queue.create(sys.argv[1], quoit.PRODUCER, capacity=8, item_bytes=100, messages=True)
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
    """close() while other threads use the handle, and use after it."""

    def test_during_a_wait(self):
        calls = {"pop": lambda q: q.pop(), "pop_many": lambda q: q.pop_many(9), "peek": lambda q: q.peek().__enter__(),
                 "peek_many": lambda q: q.peek_many(9).__enter__(), "push": lambda q: q.push(b"y"),
                 "push_many": lambda q: q.push_many([b"y"]), "claim": lambda q: q.claim().__enter__(),
                 "claim_many": lambda q: q.claim_many(9).__enter__()}
        for name, call in calls.items():
            queue = self.make(item_bytes=1, capacity=1)
            if name.startswith(("push", "claim")):
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
            waiting = asyncio.create_task(queue.async_pop())
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
            self.assertEqual(last.pop(), b"hello")  # not popped, and nothing was pushed
            self.assertRaises(quoit.Empty, last.try_pop)

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
        """Otherwise they would write into items that are pushed later."""
        for options in ({"item_bytes": 100, "messages": True}, {"item_bytes": 5}, {"item_bytes": 300},
                        {"item_bytes": 5, "kind": quoit.MPMC}):
            queue, kept = self.make(**options), []
            hello = b"hello".ljust(5 if "messages" in options else queue.item_bytes)
            with self.assertRaises(BufferError), queue.claim(5 if "messages" in options else None) as room:
                kept.append(room[:])
            for call in (lambda: queue.push(hello), lambda: queue.push_many([hello]), queue.finish, queue.discard):
                self.assertRaises(BufferError, call)
            self.assertRaises(quoit.Empty, queue.try_pop)
            kept[0][0] = 7
            kept.clear()
            queue.push(hello)
            self.assertEqual(queue.pop(), hello)
            with queue.claim(len(hello)) as room:
                kept.append(room[:])
                self.assertRaises(BufferError, queue.commit, len(hello))
                kept.clear()
                if queue.item_bytes == 300:
                    queue.discard()
            self.assertRaises(quoit.Empty, queue.try_pop)  # a failed commit leaves nothing
            queue.check()
            self.name += "x"

    def test_an_exception_keeps_no_handle(self):
        queue = self.make()
        kept = []
        for call in (queue.try_pop, lambda: queue.pop(timeout=0.01), lambda: queue.push(bytes(999)),
                     queue.peek(0.01).__enter__, queue.release, lambda: queue.commit(3),
                     lambda: queue.push("text")):
            try:
                call()
            except Exception as error:  # pylint: disable=broad-exception-caught
                kept.append(error)
        queue.close()
        self.assertEqual(len(kept), 7)
        quoit.Queue.open(self.name, BOTH).close()

    def test_pools(self):
        queue, name = self.make(item_bytes=8), self.name + "-pool"
        pool = quoit.Pool.create(name, block_bytes=64, blocks=4)
        self.addCleanup(quoit.unlink, name)
        block, other = pool.alloc(), pool.alloc()
        with block.view() as view:
            view[0] = 7
            for call in (block.free, lambda: pool.push(queue, block)):
                self.assertRaisesRegex(BufferError, "view", call)  # the block would belong to another process
        pool.push(queue, block)
        block = pool.pop(queue)
        waits, results = self.in_thread(lambda: pool.pop(queue))
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
        for call in (block.view, block.free, other.free, pool.alloc, lambda: pool.free_count,
                     lambda: pool.push(queue, block), lambda: pool.pop(queue), lambda: pool.reclaim(queue)):
            self.assertRaisesRegex(ValueError, "closed", call)


class Threads(Threaded):
    """Several threads on one side of one handle."""

    def test_items_arrive_once_in_order(self):
        threads, each = 3, 200
        for options in ({"item_bytes": 8}, {"item_bytes": 8, "messages": True}, {"item_bytes": 8, "kind": quoit.MPMC}):
            queue, got = self.make(capacity=5, **options), [[] for _ in range(threads)]

            def produce(sender):
                for i in range(each):
                    queue.push(b"%d %4d  " % (sender, i), timeout=60)  # pylint: disable=cell-var-from-loop

            def consume(items):
                while sum(map(len, got)) < threads * each:  # pylint: disable=cell-var-from-loop
                    with contextlib.suppress(quoit.Empty):
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
        first, results = self.in_thread(queue.pop)
        time.sleep(0.05)
        began = time.monotonic()
        self.assertRaises(quoit.Empty, queue.pop, 0.3)
        self.assertRaises(quoit.Empty, queue.try_pop)
        self.assertLess(time.monotonic() - began, 5)
        queue.push(b"x")
        first.join(10)
        self.assertEqual(results, [b"x"])

    def test_calls_while_a_view_is_open(self):
        queue = self.make()
        queue.push(b"one")
        queue.push(b"two")
        with queue.peek() as view:
            for call in (queue.pop, queue.try_pop, queue.peek().__enter__, lambda: queue.pop_many(2)):
                self.assertRaises(RuntimeError, call)
            for call, error in ((queue.release, quoit.Invalid), (queue.try_pop, quoit.Empty)):
                other, results = self.in_thread(call)
                other.join(10)
                self.assertIsInstance(results[0], error)
            other, results = self.in_thread(lambda: queue.pop(timeout=10))  # waits for the end of the block
            queue.push(b"three")  # the other side continues
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

    def test_a_fork_while_a_view_is_open(self):
        """The block of another thread never ends in the child: its side is free there."""
        queue = self.make()
        queue.push(b"hello")
        inside, done = threading.Event(), threading.Event()

        def peek():
            with queue.peek():
                inside.set()
                done.wait(20)
        peeking, _results = self.in_thread(peek)
        inside.wait(20)
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)
            try:
                queue.poll_fd(quoit.ITEMS)
            except quoit.Forked:
                os._exit(7)
            os._exit(1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)
        done.set()
        peeking.join()

    def test_a_signal_handler_in_a_wait(self):
        queue = self.make()
        previous = signal.signal(signal.SIGALRM, lambda *_: queue.push(b"by the handler"))
        self.addCleanup(signal.signal, signal.SIGALRM, previous)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        self.assertEqual(queue.pop(timeout=20), b"by the handler")
        signal.signal(signal.SIGALRM, lambda *_: queue.push(b"by the handler"))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with queue.peek(timeout=20) as view:
            self.assertEqual(view, b"by the handler")
        signal.signal(signal.SIGALRM, lambda *_: queue.close())
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        self.assertRaisesRegex(ValueError, "closed", queue.pop, 20)


if __name__ == "__main__":
    unittest.main(verbosity=1)
