#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""waits_test.py: what ends a wait: signals, close and interrupt by other threads; how often a wait wakes up; quoit.wait."""
import asyncio
import contextlib
import faulthandler
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.environ.get("QUOIT_PYTHON", ROOT + "/build/release/python")
sys.path.insert(0, PACKAGE)
import quoit  # noqa: E402  pylint: disable=wrong-import-position

BOTH = quoit.PRODUCER | quoit.CONSUMER
HANG = 60  # seconds: no wait of these tests is over so soon by itself


class Case(unittest.TestCase):
    def setUp(self):
        self.names = []
        faulthandler.dump_traceback_later(4 * HANG, exit=True)

    def tearDown(self):
        faulthandler.cancel_dump_traceback_later()
        for name in self.names:
            with contextlib.suppress(quoit.NotFound):
                quoit.unlink(name)

    def make(self, flags=BOTH, **options):
        self.names.append(f"qt-waits-{os.getpid()}-{len(self.names)}-{id(self):x}")
        queue = quoit.Queue.create(self.names[-1], flags, **{"capacity": 2, "item_bytes": 8, **options})
        self.addCleanup(queue.close)
        return queue

    def in_thread(self, call):
        results = []

        def run():
            try:
                results.append(call())
            except BaseException as error:  # pylint: disable=broad-exception-caught
                results.append(error)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread, results

    def join(self, started):
        thread, results = started
        thread.join(HANG)
        self.assertFalse(thread.is_alive(), "a wait hangs")
        return results[0]


def sleeps_of(queue):
    return queue.inspect().sleeps


def wait_until_asleep(queue, times=1):
    while sleeps_of(queue) < times:
        time.sleep(0.001)


class Signals(Case):
    """Real signals, in real processes."""

    PROGRAM = """
import os, signal, sys, threading, time
import quoit
signal.alarm(100)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have let the test ignore it
queue = quoit.Queue.create(sys.argv[1], 3, capacity=1, item_bytes=8)
if sys.argv[2] in ("push", "claim"):
    queue.push(bytes(8))
if "helper" in sys.argv:  # the kernel may give the signal to this thread
    signal.pthread_sigmask(signal.SIG_BLOCK, [])
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
if "blocked" in sys.argv:  # only the other thread can take the signal
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
calls = {"pop": queue.pop, "get": queue.pop, "push": lambda: queue.push(bytes(8)),
         "peek": lambda: queue.peek().__enter__(), "claim": lambda: queue.claim().__enter__(),
         "wait": lambda: quoit.wait([(queue, quoit.ITEMS)])}
print("ready", flush=True)
try:
    calls[sys.argv[2]]()
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    try:
        if "blocked" not in sys.argv:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.001)
    except KeyboardInterrupt:
        print("again", flush=True)
queue.unlink()
"""

    def interrupted(self, call, *options):
        """The seconds from the signal to the exception, while the process sleeps in the wait."""
        self.names.append(f"qt-waits-{os.getpid()}-{call}-{len(self.names)}")
        program = subprocess.Popen([sys.executable, "-B", "-c", self.PROGRAM, self.names[-1], call, *options],
                                   stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PACKAGE})
        self.assertEqual(program.stdout.readline(), "ready\n")
        with quoit.Queue.open(self.names[-1], quoit.OBSERVER) as observer:
            wait_until_asleep(observer, 2)  # so it is in the part of the wait that watches signals
        before = time.monotonic()
        program.send_signal(signal.SIGINT)
        printed, _errors = program.communicate(timeout=HANG)
        self.assertEqual(program.returncode, 0, printed)
        self.assertIn("interrupted", printed)
        if "blocked" not in options:
            self.assertIn("again", printed)  # the handler is Python's own again
        return float(printed.split()[1]) - before

    def test_every_wait(self):
        for call in ("pop", "push", "peek", "claim", "wait"):
            with self.subTest(call):
                self.interrupted(call)

    def test_signals_of_other_threads(self):
        """A wait ends by a signal that the kernel has given to another thread."""
        for option in ("helper", "blocked"):
            with self.subTest(option):
                self.interrupted("pop", option)

    def test_handlers_go_on(self):
        """A handler that returns does not end the wait, and runs during it."""
        queue, ran = self.make(), []
        previous = signal.signal(signal.SIGUSR1, lambda *_: ran.append(len(ran)))
        self.addCleanup(signal.signal, signal.SIGUSR1, previous)

        def send():
            wait_until_asleep(queue)
            for i in range(20):
                os.kill(os.getpid(), signal.SIGUSR1)
                while len(ran) <= i:  # in the wait: the main thread is nowhere else
                    time.sleep(0.0002)
            queue.push(b"12345678")
        sender = self.in_thread(send)
        self.assertEqual(queue.pop(timeout=HANG), b"12345678")
        self.join(sender)
        self.assertEqual(len(ran), 20)

    def test_a_handler_that_waits(self):
        """The handler's own wait is inside the other one."""
        outer, inner, got = self.make(), self.make(), []
        previous = signal.signal(signal.SIGUSR1, lambda *_: got.append(inner.pop(timeout=HANG)))
        self.addCleanup(signal.signal, signal.SIGUSR1, previous)

        def send():
            wait_until_asleep(outer)
            os.kill(os.getpid(), signal.SIGUSR1)
            wait_until_asleep(inner)
            inner.push(b"innerone")
            while not got:
                time.sleep(0.001)
            outer.push(b"outerone")
        sender = self.in_thread(send)
        self.assertEqual(outer.pop(timeout=HANG), b"outerone")
        self.join(sender)
        self.assertEqual(got, [b"innerone"])

    def test_a_fork_during_a_wait(self):
        """The child's handlers work, though it was forked while the parent's main thread watched signals."""
        queue, ended = self.make(), []

        def fork():
            wait_until_asleep(queue, 2)
            pid = os.fork()
            if pid == 0:
                signal.alarm(HANG)
                try:
                    mine = quoit.Queue.create(queue.name + "-child", BOTH, capacity=1, item_bytes=8)
                    mine.unlink()
                    try:
                        threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
                        mine.pop()
                    except KeyboardInterrupt:
                        os._exit(7)
                finally:
                    os._exit(1)
            ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            queue.push(b"12345678")
        forks = self.in_thread(fork)
        self.assertEqual(queue.pop(timeout=HANG), b"12345678")
        self.join(forks)
        self.assertEqual(ended, [7])


class Slices(Case):
    def test_a_wait_does_not_wake_up(self):
        """The C library wakes up ten times a second; a wait of a second in slices of 10 ms would do so a hundred times."""
        for flags in ("main", "thread"):
            queue = self.make()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw

            def wait():
                with contextlib.suppress(quoit.Empty):
                    queue.pop(timeout=1)  # pylint: disable=cell-var-from-loop
            if flags == "main":
                wait()
            else:
                self.join(self.in_thread(wait))
            self.assertLess(sleeps_of(queue), 20)
            self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before, 60)


class Interrupting(Case):
    CALLS = {"pop": lambda q: q.pop(), "push": lambda q: q.push(bytes(8)), "peek": lambda q: q.peek().__enter__(),
             "claim": lambda q: q.claim().__enter__(), "wait": lambda q: quoit.wait([(q, quoit.ITEMS)])}

    def waiting(self, name):
        queue = self.make()
        if name in ("push", "claim"):
            queue.push_many([bytes(8)] * 2)
        started = self.in_thread(lambda: self.CALLS[name](queue))
        wait_until_asleep(queue)
        return queue, started

    def test_close(self):
        for name in self.CALLS:
            queue, started = self.waiting(name)
            queue.close()
            error = self.join(started)
            self.assertIsInstance(error, ValueError, name)
            self.assertIn("closed", str(error))

    def test_interrupt(self):
        for name in self.CALLS:
            queue, started = self.waiting(name)
            queue.interrupt()
            self.assertIsInstance(self.join(started), quoit.Interrupted, name)
        queue = self.make()
        queue.interrupt()
        self.assertRaises(quoit.Empty, queue.try_pop)  # does not wait
        self.assertRaises(quoit.Interrupted, queue.pop)
        self.assertRaises(quoit.Empty, queue.pop, 0.01)  # once
        queue.push_many([bytes(8)] * 2)
        self.assertRaises(quoit.Interrupted, queue.push, bytes(8))  # once on each side

    def test_an_await(self):
        queue = self.make()

        async def main():
            waiting = asyncio.create_task(queue.async_pop())
            await asyncio.sleep(0.02)
            queue.interrupt()
            with self.assertRaises(quoit.Interrupted):
                await asyncio.wait_for(waiting, HANG)
            waiting = asyncio.create_task(queue.async_pop())
            await asyncio.sleep(0.02)
            queue.push(b"12345678")
            self.assertEqual(await asyncio.wait_for(waiting, HANG), b"12345678")
        asyncio.run(main())

    def test_an_await_after_a_signal(self):
        """An interrupt that no wait has taken must not keep the descriptor readable: the loop would not rest."""
        queue, ran = self.make(), []
        previous = signal.signal(signal.SIGUSR1, lambda *_: ran.append(1))
        self.addCleanup(signal.signal, signal.SIGUSR1, previous)
        queue.push_many([bytes(8)] * 2)

        def send():
            wait_until_asleep(queue, 2)
            os.kill(os.getpid(), signal.SIGUSR1)
            while not ran:
                time.sleep(0.001)
            queue.pop_many(2)
        sender = self.in_thread(send)
        queue.push(bytes(8))  # waits for room; the signal interrupts both sides
        self.join(sender)
        self.assertEqual(queue.pop(), bytes(8))
        calls = []
        tried = queue.try_pop

        async def main():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(queue._awaited(quoit.CONSUMER, lambda: calls.append(1) or tried(), quoit.Empty), 0.3)
        asyncio.run(main())
        self.assertLess(len(calls), 10)


class SharedSides(Case):
    def test_threads_take_turns(self):
        """Threads that wait on one side of a handle: each gets items, none starves."""
        queue, counts, stop = self.make(capacity=1), [0, 0, 0], bytes(8)

        def take(i):
            while queue.pop(timeout=HANG) != stop:
                counts[i] += 1
        started = [self.in_thread(lambda i=i: take(i)) for i in range(3)]
        sent = 0
        while min(counts) < 3:
            queue.push(b"12345678", timeout=HANG)
            sent += 1
            self.assertLess(sent, 100000, counts)
        for _ in started:
            queue.push(stop, timeout=HANG)
        for each in started:
            self.assertIsNone(self.join(each))
        self.assertEqual(sum(counts), sent)

    def test_close_wakes_all(self):
        queue = self.make()
        started = [self.in_thread(queue.pop) for _ in range(5)]
        wait_until_asleep(queue)
        queue.close()
        for each in started:
            self.assertIsInstance(self.join(each), ValueError)

    def test_the_end_of_a_block_wakes(self):
        queue = self.make()
        queue.push_many([b"first   ", b"second  "])
        with queue.peek():
            started = [self.in_thread(queue.pop) for _ in range(2)]
            time.sleep(0.02)
        queue.push(b"third   ")
        self.assertEqual(sorted(map(self.join, started)), [b"second  ", b"third   "])


class Several(Case):
    def test_ready(self):
        first, second, full = self.make(), self.make(kind=quoit.MPMC), self.make(quoit.PRODUCER)
        full.push_many([bytes(8)] * 2)
        waited = [(first, quoit.ITEMS), second, full]
        self.assertEqual(quoit.wait(waited, timeout=0), [])
        self.assertEqual(quoit.wait([], timeout=0), [])
        second.push(b"12345678")
        self.assertEqual(quoit.wait(waited), [second])
        self.assertEqual(quoit.wait([(second, quoit.ITEMS | quoit.ROOM), (first, quoit.ROOM)]),
                         [(second, quoit.ITEMS | quoit.ROOM), (first, quoit.ROOM)])
        self.assertEqual(second.pop(), b"12345678")
        started = self.in_thread(lambda: quoit.wait(waited, timeout=HANG))
        wait_until_asleep(first)
        first.push(b"12345678")
        self.assertEqual(self.join(started), [(first, quoit.ITEMS)])

    def test_the_end_counts(self):
        queue = self.make()
        queue.finish()
        self.assertEqual(quoit.wait([(queue, quoit.ITEMS)]), [(queue, quoit.ITEMS)])

    def test_refused(self):
        queue = self.make()
        producer = self.make(quoit.PRODUCER)
        self.assertRaises(TypeError, quoit.wait, [7])
        self.assertRaises(TypeError, quoit.wait, [(7, 7)])
        self.assertRaises(TypeError, quoit.wait, queue)
        self.assertRaises(quoit.WrongRole, quoit.wait, [(producer, quoit.ITEMS)])
        self.assertRaises(quoit.Invalid, quoit.wait, [(queue, 1)])
        queue.close()
        self.assertRaises(ValueError, quoit.wait, [queue])

    def test_another_thread_has_a_side(self):
        first, second = self.make(), self.make()
        started = self.in_thread(lambda: first.pop(timeout=HANG))
        wait_until_asleep(first)
        self.assertEqual(quoit.wait([second, first], timeout=0.05), [])
        first.push(b"12345678")
        self.assertEqual(self.join(started), b"12345678")
        with first.peek(0) if len(first) else contextlib.nullcontext():
            second.push(b"12345678")
            self.assertEqual(quoit.wait([second, first], timeout=HANG), [second])


class Warnings(Case):
    def test_a_wait_on_several(self):
        queue = self.make()
        queue.warn_after = 0.05
        with self.assertLogs("quoit") as logged:
            self.assertEqual(quoit.wait([(queue, quoit.ITEMS)], timeout=0.2), [])
        self.assertIn("waiting for an item", logged.output[0])
        self.assertLessEqual(len(logged.output), 3)  # after 0.05, 0.1, 0.2 s


if __name__ == "__main__":
    unittest.main(verbosity=1)
