#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""objects_test.py: put, get and borrow of objects; records, arrays, batches; broadcasts; waits that warn."""
import array
import asyncio
import ctypes
import dataclasses
import gc
import logging
import os
import pickle
import signal
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from quoit_test import BOTH, Case, quoit, run  # noqa: E402  pylint: disable=wrong-import-position

try:
    import numpy
except ImportError:
    numpy = None
needs_numpy = unittest.skipUnless(numpy, "NumPy is not installed")


@dataclasses.dataclass
class Reading:
    sensor: int
    celsius: float
    good: bool


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("y", ctypes.c_double)]


class Unloadable:
    """Pickle takes it, and cannot load it."""

    def __reduce__(self):
        return _raise, ()


def _raise():
    raise KeyError("unloadable")


class Objects(Case):
    def objects(self, kind=quoit.SPSC, item_bytes=1 << 16, **options):
        return self.make(kind=kind, item_bytes=item_bytes, messages=True, **options)

    def test_any_object(self):
        for kind in (quoit.SPSC, quoit.MPMC, quoit.BROADCAST):
            queue = self.objects(kind)
            for thing in (None, 7, 2**70, 1.5, "text", b"", bytes(500), [1, [2]], {"a": (1, 2)}, {3, 4}, Reading(1, 2.5, True),
                          bytearray(b"array"), [bytearray(3), bytearray(), b"x" * 99], range(9), True):
                queue.put(thing)
                self.assertEqual(queue.get(), thing)
            self.assertRaises(quoit.Empty, queue.try_get)
            self.assertRaises(quoit.Empty, queue.get, 0.02)
            with self.assertRaisesRegex(quoit.TooBig, "item_bytes"):
                queue.put(bytes(1 << 16))
            self.assertRaises((TypeError, AttributeError, pickle.PicklingError), queue.put, lambda: 0)
            self.assertEqual(len(queue), 0)
            queue.check()
            self.name += "x"

    def test_buffers_are_writable_copies(self):
        queue = self.objects(item_bytes=1 << 21)
        data = array.array("Q", range(100000))
        queue.put([pickle.PickleBuffer(data), bytearray(b"xyz")])
        got, small = queue.get()
        got[0] = 1
        small[0] = 1
        self.assertEqual((bytes(memoryview(data)[1:].cast("B")), small), (bytes(got)[8:], b"\1yz"))

    def test_full(self):
        queue = self.objects(kind=quoit.MPMC, capacity=2)
        queue.put(1)
        queue.try_put([2])
        self.assertRaises(quoit.Full, queue.try_put, 3)
        self.assertRaises(quoit.Full, queue.put, 3, timeout=0.02)
        self.assertEqual([queue.get(), queue.get()], [1, [2]])

    def test_what_is_no_object(self):
        queue = self.objects()
        for message in (b"", b"qpy5", b"text that is long enough", b"qpy5\xff\xff\xff\xff" + bytes(16),
                        b"qpy5\1\0\0\0" + (2**63).to_bytes(8, "little") + bytes(8),
                        b"qpy5\1\0\0\0" + bytes(8) + (2**64 - 64).to_bytes(8, "little")):
            queue.push(message)
            self.assertRaises(quoit.Different, queue.get)
            with self.assertRaises(quoit.Different), queue.borrow():
                self.fail("no object")
            self.assertEqual(queue.pop(), message)
        self.name += "x"
        items = self.make(item_bytes=8)
        for call in (lambda: items.put(1), items.get, items.borrow):
            self.assertRaises(quoit.Invalid, call)

    def test_what_cannot_be_loaded(self):
        queue = self.objects()
        queue.put(Unloadable())
        queue.put(Unloadable())
        queue.put("next")
        self.assertRaises(KeyError, queue.get)
        with self.assertRaises(KeyError), queue.borrow():
            self.fail("no object")
        gc.collect()
        self.assertEqual(queue.get(), "next")

    def test_use_of_the_queue_while_loading(self):
        queue = self.objects()
        queue.put(Nested(self.name))
        queue.put("inner")
        NESTED[self.name] = queue
        self.assertEqual(queue.get(), "inner")

    def test_borrow(self):
        queue = self.objects(item_bytes=1 << 20)
        data = bytearray(b"hello") * 1000
        sent = [pickle.PickleBuffer(data), "x"]
        for _ in range(3):
            queue.put(sent)
        with queue.borrow() as (view, text):
            self.assertEqual((bytes(view), text), (data, "x"))
            self.assertTrue(memoryview(view).readonly)
            self.assertRaises(RuntimeError, queue.get)
            del view
        self.assertEqual(len(queue), 2)
        with queue.borrow(timeout=1) as (kept, text):
            pass
        self.assertEqual(len(queue), 2)  # kept is in use
        self.assertRaisesRegex(BufferError, "in use", queue.get)
        self.assertEqual(bytes(kept), data)
        del kept
        self.assertEqual(bytes(queue.get()[0]), data)
        self.assertRaises(quoit.Empty, queue.try_get)
        queue.put(sent)
        with self.assertRaises(KeyError), queue.borrow() as thing:
            del thing
            raise KeyError
        self.assertEqual(bytes(queue.get()[0]), data)  # an exception leaves it
        queue.put(sent)
        with self.assertRaisesRegex(ValueError, "closed"), queue.borrow() as thing:
            queue.close()
        self.assertEqual(bytes(thing[0]), data)  # the memory stays until it is not used any more
        del thing
        with quoit.Queue.open(self.name, BOTH) as again:
            self.assertEqual(bytes(again.get()[0]), data)

    def test_asyncio(self):
        queue = self.objects(capacity=2)

        async def main():
            got = []

            async def consume():
                for _ in range(200):
                    got.append(await queue.async_get())
            task = asyncio.create_task(consume())
            for i in range(200):
                await queue.async_put({"number": i})
            await task
            for _ in range(20):  # a cancellation loses nothing
                task = asyncio.create_task(queue.async_get())
                await asyncio.sleep(0)
                queue.put("kept")
                task.cancel()
                try:
                    self.assertEqual(await task, "kept")
                except asyncio.CancelledError:
                    self.assertEqual(queue.try_get(), "kept")
            return got
        self.assertEqual(asyncio.run(asyncio.wait_for(main(), 60)), [{"number": i} for i in range(200)])

    def test_between_processes(self):
        queue = self.objects(quoit.SPSC)
        queue.close()
        consumer = run("queue = quoit.Queue.open(sys.argv[1], quoit.CONSUMER)\n"
                       "print('ready', flush=True)\n"
                       "print(sum(queue.get()['i'] for _ in range(500)))", self.name)
        self.assertEqual(consumer.stdout.readline(), "ready\n")
        with quoit.Queue.open(self.name, quoit.PRODUCER) as producer:
            for i in range(500):
                producer.put({"i": i, "data": bytearray(i)})
            printed, errors = consumer.communicate(timeout=60)
        self.assertEqual((printed, errors), ("124750\n", ""))


NESTED = {}


class Nested:
    """Loading it takes the next object from the same queue."""

    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return _nested, (self.name,)


def _nested(name):
    return NESTED[name].get()


class Records(Case):
    def test_dataclass(self):
        queue = self.make(record=Reading, type="reading")
        info = queue.inspect()
        self.assertEqual((info.item_bytes, info.item_align, info.type), (24, 8, b"reading"))
        queue.push(Reading(-3, 0.5, True))
        self.assertEqual(queue.push_many([Reading(i, i / 2, False) for i in range(3)]), 3)
        self.assertEqual(queue.pop(), Reading(-3, 0.5, True))
        self.assertEqual(queue.pop_many(9), [Reading(i, i / 2, False) for i in range(3)])
        self.assertRaises(AttributeError, queue.push, 3)
        again = queue.again(quoit.OBSERVER)
        queue.push(Reading(1, 2.0, True))
        self.assertEqual([*again.browse()], [Reading(1, 2.0, True)])
        again.close()
        self.assertRaises(TypeError, self.make, record=dataclasses.make_dataclass("Wrong", [("text", str)]))
        self.assertRaises(TypeError, self.make, record=dict)

    def test_structure(self):
        queue = self.make(record=Point)
        self.assertEqual((queue.inspect().item_bytes, queue.inspect().item_align), (16, 8))
        queue.push(Point(3, 0.5))
        got = queue.pop()
        self.assertEqual((got.x, got.y), (3, 0.5))
        self.assertEqual(queue.push_many((Point * 3)(Point(1, 1), Point(2, 2), Point(3, 3))), 3)
        self.assertEqual([point.x for point in queue.pop_many(9)], [1, 2, 3])
        self.assertRaises((TypeError, ValueError), queue.push, b"short")

    def test_format(self):
        for text, align in (("<Qd", 8), ("=HH", 2), ("bb", 1), ("<Qb", 1)):
            queue = self.make(format=text)
            self.assertEqual(queue.inspect().item_align, align, text)
            queue.push((1, 2))
            self.assertEqual(queue.pop(), (1, 2))
            self.assertRaises(Exception, queue.push, (1,))
            self.name += "x"
        self.assertRaises(ValueError, self.make, format="d", record=Point)

    def test_arrays_without_numpy(self):
        queue = self.make(item_bytes=8, capacity=100)
        self.assertEqual(queue.push_many(array.array("d", [1.5, 2.5, 3.5])), 3)
        room = array.array("d", [0] * 10)
        self.assertEqual(queue.pop_into(room), 3)
        self.assertEqual(room[:4].tolist(), [1.5, 2.5, 3.5, 0])
        self.assertEqual(queue.push_many(bytes(24)), 3)
        self.assertEqual(queue.pop_many(2), [bytes(8)] * 2)
        self.assertRaises(ValueError, queue.push_many, bytes(9))
        self.assertRaises(ValueError, queue.pop_into, bytearray(7))
        self.assertRaises((BufferError, TypeError), queue.pop_into, bytes(8))
        self.assertEqual(queue.pop_into(bytearray(8)), 1)
        self.assertRaises(quoit.Empty, queue.pop_into, bytearray(8), 0.01)
        self.name += "x"
        self.assertRaises(quoit.Invalid, self.make().pop_into, bytearray(8))

    @needs_numpy
    def test_dtype(self):
        reading = numpy.dtype([("sensor", "u8"), ("celsius", "f8")])
        queue = self.make(dtype=reading, capacity=1000)
        self.assertEqual((queue.inspect().item_bytes, queue.inspect().item_align), (16, 8))
        items = numpy.array([(i, i / 2) for i in range(700)], reading)
        self.assertEqual(queue.push_many(items), 700)
        got = queue.pop_many(2000)
        self.assertTrue((got == items).all())
        got["sensor"][0] = 9  # it is writable
        queue.push((5, 2.5))
        queue.push(items[3])
        self.assertEqual([tuple(queue.pop()), tuple(queue.pop())], [(5, 2.5), (3, 1.5)])
        self.assertEqual(queue.push_many([(1, 1.0), (2, 2.0)]), 2)
        room = numpy.zeros(10, reading)
        self.assertEqual((queue.pop_into(room), room["sensor"][:2].tolist()), (2, [1, 2]))
        self.assertRaises(quoit.Empty, queue.pop_many, 9, 0)
        self.assertEqual(queue.push_many(items[::2]), 350)
        self.name += "x"
        frames = self.make(dtype=numpy.dtype((numpy.uint8, (4, 5))))
        frames.push(numpy.ones((4, 5), numpy.uint8))
        self.assertEqual(frames.pop().tolist(), numpy.ones((4, 5)).tolist())
        self.assertRaises(ValueError, frames.push, numpy.ones((5, 4), numpy.uint8))
        self.assertRaises(TypeError, frames.push, numpy.ones((4, 5)))
        self.assertRaises(TypeError, self.make, dtype=object)

    @needs_numpy
    def test_arrays_in_objects(self):
        queue = self.make(item_bytes=1 << 21, messages=True)
        frame = numpy.arange(480 * 640 * 3, dtype=numpy.uint8).reshape(480, 640, 3)
        queue.put({"frame": frame, "other": numpy.asfortranarray(frame[:, :, 0]), "pieces": frame[::2, ::2]})
        got = queue.get()
        self.assertTrue((got["frame"] == frame).all() and (got["other"] == frame[:, :, 0]).all())
        self.assertTrue((got["pieces"] == frame[::2, ::2]).all())
        got["frame"][0, 0, 0] = 7
        queue.put(frame)
        with queue.borrow() as borrowed:
            self.assertFalse(borrowed.flags.writeable)
            self.assertEqual(int(borrowed.sum()), int(frame.sum()))
            part = borrowed[3:5].copy()
            del borrowed
        self.assertTrue((part == frame[3:5]).all())
        self.assertRaises(quoit.Empty, queue.try_get)

    def test_user_area(self):
        queue = self.make(user_bytes=10)
        area = queue.user_area()
        area[:3] = b"abc"
        with quoit.Queue.open(self.name, quoit.OBSERVER) as other:
            self.assertEqual(bytes(other.user_area(readonly=True)), b"abc" + bytes(7))
        queue.close()
        self.assertRaises(ValueError, lambda: area[0])


class Broadcasts(Case):
    def test_objects(self):
        writer = quoit.Broadcast.create(self.name, quoit.PRODUCER, capacity=8, item_bytes=1000)
        self.addCleanup(quoit.unlink, self.name)
        readers = [quoit.Broadcast.join(self.name, quoit.CONSUMER, capacity=8, item_bytes=1000) for _ in range(3)]
        for i in range(5):
            writer.put([i])
        writer.finish()
        for reader in readers:
            self.assertEqual([*reader], [[i] for i in range(5)])
            reader.close()
        writer.close()


class Options(Case):
    def test_members(self):
        """More handles than the default of 64 at one time."""
        for make in (lambda name, **more: quoit.Queue.create(name, BOTH, capacity=2, item_bytes=8, kind=quoit.MPMC, **more),
                     lambda name, **more: quoit.Queue.join(name, BOTH, capacity=2, item_bytes=8, kind=quoit.MPMC, **more),
                     lambda name, **more: quoit.Broadcast.create(name, quoit.PRODUCER, capacity=2, item_bytes=80, **more),
                     lambda name, **more: quoit.Broadcast.join(name, quoit.PRODUCER, capacity=2, item_bytes=80, **more)):
            self.name += "x"
            with make(self.name, members=70) as queue:
                self.addCleanup(quoit.unlink, self.name)
                self.assertGreaterEqual(queue.inspect().members, 70)
                more = [type(queue).open(self.name, quoit.CONSUMER) for _ in range(69)]
                self.assertEqual(len(queue.members()), 70)
                for each in more:
                    each.close()
        self.assertRaises(quoit.Invalid, self.make, members=quoit.MEMBERS_MAX + 1)
        self.assertRaises(ValueError, self.make, members=-1)

    def test_memory(self):
        for make in (quoit.Queue.create, quoit.Queue.join, quoit.Broadcast.create, quoit.Broadcast.join):
            self.name += "x"
            with make(self.name, quoit.PRODUCER, capacity=2, item_bytes=80, memory=quoit.PREFAULT) as queue:
                self.addCleanup(quoit.unlink, self.name)
                self.assertTrue(queue.inspect().memory & quoit.PREFAULT)
        self.assertRaises(quoit.Unsupported, self.make, memory=1 << 20)


class Warnings(Case):
    def test_who_holds_it_up(self):
        queue = self.make(quoit.PRODUCER, capacity=1, item_bytes=8)
        consumer = run("queue = quoit.Queue.open(sys.argv[1], quoit.CONSUMER)\nprint('ready', flush=True)\nsys.stdin.read()",
                       self.name)
        self.assertEqual(consumer.stdout.readline(), "ready\n")
        consumer.send_signal(signal.SIGSTOP)
        queue.warn_after = 0.1
        self.assertEqual(queue.warn_after, 0.1)
        queue.push(bytes(8))
        with self.assertLogs("quoit", logging.WARNING) as logs:
            self.assertRaises(quoit.Full, queue.push, bytes(8), 0.5)
        self.assertIn(f"process {consumer.pid} (python", logs.output[0])
        self.assertIn("stopped", logs.output[0])
        consumer.kill()
        consumer.communicate()
        began = time.monotonic()
        self.assertRaises(quoit.Abandoned, queue.push, bytes(8), 60)
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("crashed", [member.state for member in queue.members()])
        queue.warn_after = None
        for wrong in (0, -1, float("nan")):
            self.assertRaises(ValueError, setattr, queue, "warn_after", wrong)

    def test_repr(self):
        queue = self.make(capacity=4, item_bytes=8)
        queue.push(bytes(8))
        self.assertEqual(repr(queue), f"<quoit.Queue '{self.name}': SPSC, 1 of 4 items of 8 bytes, 1 member>")
        queue.close()
        self.assertIn("closed", repr(queue))
        with quoit.Lock.join(self.name + "-lock") as lock:
            self.assertIn("held by process", repr(lock))
        lock.close()
        quoit.unlink(self.name + "-lock")


if __name__ == "__main__":
    unittest.main()
