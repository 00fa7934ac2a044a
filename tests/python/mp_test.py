#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mp_test.py: quoit.mp.Queue and JoinableQueue: CPython's own tests of multiprocessing's queues, where they are installed
(Debian: libpython3-testsuite), and more.

These of CPython's tests cannot pass, and are left out:
  test_queue_feeder_donot_stop_onexc      put() pickles at once: what pickle raises comes from put(), and is not printed by a
                                          thread while the object is dropped
  test_queue_feeder_on_queue_feeder_error likewise; it is a hook of that thread, and of CPython's own class
"""
import concurrent.futures
import multiprocessing
import os
import signal
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.environ.get("QUOIT_PYTHON", ROOT + "/build/release/python")
sys.path.insert(0, PACKAGE)
os.environ["PYTHONPATH"] = PACKAGE
import quoit  # noqa: E402  pylint: disable=wrong-import-position
import quoit.mp  # noqa: E402  pylint: disable=wrong-import-position

METHODS = [method for method in ("fork", "spawn", "forkserver") if method in multiprocessing.get_all_start_methods()]
LEFT_OUT = ("test_queue_feeder_donot_stop_onexc", "test_queue_feeder_on_queue_feeder_error")


# ---- CPython's own ----------------------------------------------------------------------------

multiprocessing.Queue, multiprocessing.JoinableQueue = quoit.mp.Queue, quoit.mp.JoinableQueue
try:
    from test import _test_multiprocessing as theirs
except ImportError:
    theirs = None
else:
    theirs.multiprocessing.Queue, theirs.multiprocessing.JoinableQueue = quoit.mp.Queue, quoit.mp.JoinableQueue
    theirs.ProcessesMixin.Queue = staticmethod(quoit.mp.Queue)
    theirs.ProcessesMixin.JoinableQueue = staticmethod(quoit.mp.JoinableQueue)

if not theirs:
    class Theirs(unittest.TestCase):
        @unittest.skip("CPython's own tests are not installed (Debian: libpython3.11-testsuite)")
        def test_queues(self):
            pass
else:
    def _make(start_method):
        class Theirs(theirs._TestQueue, theirs.ProcessesMixin, unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                multiprocessing.set_start_method(start_method, force=True)
                super().setUpClass()

        for name in LEFT_OUT:
            setattr(Theirs, name, unittest.skip("see the head of mp_test.py")(getattr(Theirs, name)))
        Theirs.__name__ = Theirs.__qualname__ = f"Theirs{start_method.capitalize()}"
        globals()[Theirs.__name__] = Theirs

    for METHOD in METHODS:
        _make(METHOD)


# ---- Ours -------------------------------------------------------------------------------------

def echo(jobs, results):
    for job in iter(jobs.get, None):
        results.put((job, len(job)))


def hold(jobs, results):
    results.put(jobs.get())
    time.sleep(60)


POOL_QUEUE = None


def begin(queue):
    global POOL_QUEUE  # pylint: disable=global-statement
    POOL_QUEUE = queue


def report(number):
    POOL_QUEUE.put(number)


def put_many(queue, sender, count):
    for i in range(count):
        queue.put((sender, i))


class Ours(unittest.TestCase):
    def test_ways_of_starting(self):
        for method in METHODS:
            context = multiprocessing.get_context(method)
            jobs, results = quoit.mp.Queue(), quoit.mp.Queue(4)
            worker = context.Process(target=echo, args=(jobs, results))
            worker.start()
            things = ["a", bytes(100), [1] * 5000, bytes(1 << 20)]  # the last ones need memory of their own
            for thing in things:
                jobs.put(thing)
                self.assertEqual(results.get(timeout=60), (thing, len(thing)))
            jobs.put(None)
            worker.join(60)
            self.assertEqual(worker.exitcode, 0)

    def test_no_maxsize(self):
        queue = quoit.mp.Queue()
        count = 3 * quoit.mp.UNBOUNDED_CAPACITY
        for i in range(count):
            queue.put(i)
        self.assertEqual([queue.get(timeout=60) for _ in range(count)], [*range(count)])
        self.assertTrue(queue.empty())
        self.assertFalse(queue.full())
        for i in range(count):
            queue.put(i)
        queue.cancel_join_thread()

    def test_members(self):
        queue = quoit.mp.Queue(4, members=70)
        handles = [quoit.Queue.open(queue._name, quoit.CONSUMER) for _ in range(69)]
        queue.put(1)
        self.assertEqual(handles[-1].get(timeout=60), 1)
        for handle in handles:
            handle.close()
        self.assertRaises(ValueError, quoit.mp.JoinableQueue, members=65)

    def test_shutdown(self):
        queue = quoit.mp.Queue(4)
        queue.put(1)
        queue.shutdown()
        self.assertRaises(quoit.mp.ShutDown, queue.put, 2)
        self.assertEqual(queue.get(), 1)
        self.assertRaises(quoit.mp.ShutDown, queue.get)
        queue = quoit.mp.Queue(4)
        queue.put(1)
        queue.shutdown(immediate=True)
        self.assertRaises(quoit.mp.ShutDown, queue.get)

    def test_a_killed_worker_blocks_none(self):
        context = multiprocessing.get_context("spawn")
        jobs, results = quoit.mp.Queue(4), quoit.mp.Queue(4)
        workers = [context.Process(target=hold, args=(jobs, results)) for _ in range(2)]
        for worker in workers:
            worker.start()
            jobs.put("job")
            self.assertEqual(results.get(timeout=60), "job")
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
        for i in range(20):
            jobs.put(i)
            self.assertEqual(jobs.get(timeout=60), i)

    def test_executor(self):
        for method in METHODS:
            queue = quoit.mp.Queue()
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method), initializer=begin,
                                                        initargs=(queue,)) as pool:
                [*pool.map(report, range(20))]
            self.assertEqual(sorted(queue.get(timeout=60) for _ in range(20)), [*range(20)])

    def test_many_producers(self):
        context = multiprocessing.get_context("fork" if "fork" in METHODS else "spawn")
        queue = quoit.mp.Queue(10)
        workers = [context.Process(target=put_many, args=(queue, i, 200)) for i in range(4)]
        for worker in workers:
            worker.start()
        got = [queue.get(timeout=60) for _ in range(800)]
        for worker in workers:
            worker.join()
        for sender in range(4):
            self.assertEqual([i for s, i in got if s == sender], [*range(200)])

    def test_what_cannot_be_pickled(self):
        queue = quoit.mp.Queue()
        self.assertRaises(Exception, queue.put, threading.Lock())
        queue.put(1)
        self.assertEqual(queue.get(timeout=60), 1)
        self.assertRaises(RuntimeError, multiprocessing.reduction.ForkingPickler.dumps, queue)

    def test_names_go(self):
        queue = quoit.mp.JoinableQueue()
        queue.put(bytes(1 << 20))
        name = queue._name
        self.assertTrue(any(name in other for other in quoit.list()))
        del queue
        self.assertFalse([other for other in quoit.list() if name in other])

    def test_tasks(self):
        queue = quoit.mp.JoinableQueue()
        self.assertRaises(ValueError, queue.task_done)
        queue.put(1)
        queue.get()
        queue.task_done()
        queue.join()


if __name__ == "__main__":
    unittest.main()
