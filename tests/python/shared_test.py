#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shared_test.py: tests quoit.Region, quoit.Lock and quoit.Semaphore of the package in the folder QUOIT_PYTHON."""
import os
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

COUNT = iter(range(10**6))

# Holds the lock until it is killed.
HOLDER = """
import sys, time
import quoit
lock = quoit.Lock.open(sys.argv[1])
lock.acquire()
print("has it", flush=True)
time.sleep(60)
"""


class Shared(unittest.TestCase):
    """Memory that processes share, and objects that guard it."""

    def setUp(self):
        self.name = f"qt-python-shared-{os.getpid()}-{next(COUNT)}"

    def test_region(self):
        with quoit.Region.join(self.name, data_bytes=100) as region, \
                quoit.Region.join(self.name, data_bytes=100) as other:
            self.addCleanup(quoit.unlink, self.name)
            data = region.data()
            self.assertEqual((len(data), bytes(data), region.data_bytes), (100, bytes(100), 100))
            data[:5] = b"hello"
            self.assertEqual(bytes(other.data()[:5]), b"hello")
            self.assertRaises(quoit.Different, quoit.Region.join, self.name, data_bytes=99)
            self.assertRaises(quoit.Exists, quoit.Region.create, self.name, data_bytes=100)
            with quoit.Region.open(self.name, quoit.OBSERVER) as observer:
                self.assertEqual(bytes(observer.data()[:5]), b"hello")
                with self.assertRaises(TypeError):
                    observer.data()[0] = 1
        self.assertRaises(ValueError, lambda: data[0])
        self.assertRaisesRegex(ValueError, "closed", region.data)
        self.assertRaises(quoit.Invalid, quoit.Region.join, self.name, data_bytes=0)

    def test_lock(self):
        lock, other = quoit.Lock.join(self.name), quoit.Lock.join(self.name)
        self.addCleanup(quoit.unlink, self.name)
        with lock:
            self.assertEqual((lock.abandoned, lock.holder, other.holder), (False, os.getpid(), os.getpid()))
            self.assertFalse(other.acquire(timeout=0))
            self.assertFalse(other.acquire(timeout=0.01))
            self.assertRaises(quoit.NotYours, other.release)
        self.assertEqual(lock.holder, 0)
        self.assertTrue(other.acquire())
        waiting = threading.Thread(target=lock.acquire)
        waiting.start()
        time.sleep(0.05)
        other.release()
        waiting.join()
        self.assertEqual(lock.holder, os.getpid())
        lock.close()
        with other:
            self.assertTrue(other.abandoned)
        with other:
            self.assertFalse(other.abandoned)
        other.close()

    def test_lock_of_a_killed_process(self):
        lock = quoit.Lock.create(self.name)
        self.addCleanup(quoit.unlink, self.name)
        child = subprocess.Popen([sys.executable, "-c", HOLDER, self.name], stdout=subprocess.PIPE, text=True,
                                 env={**os.environ, "PYTHONPATH": PACKAGE})
        self.assertEqual(child.stdout.readline(), "has it\n")
        self.assertEqual(lock.holder, child.pid)
        child.kill()
        child.communicate()
        self.assertTrue(lock.acquire(timeout=30))
        self.assertTrue(lock.abandoned)
        lock.close()

    def test_semaphore(self):
        semaphore = quoit.Semaphore.create(self.name, value=1)
        self.addCleanup(quoit.Semaphore.unlink, self.name)
        other = quoit.Semaphore.open(self.name)
        with semaphore:
            self.assertEqual(semaphore.value, 0)
            self.assertFalse(other.acquire(timeout=0))
            self.assertFalse(other.acquire(timeout=0.01))
        self.assertTrue(other.acquire(timeout=1))
        other.release()
        self.assertEqual(other.value, 1)
        other.close()
        semaphore.close()


if __name__ == "__main__":
    unittest.main()
