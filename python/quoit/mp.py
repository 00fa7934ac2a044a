# SPDX-License-Identifier: MIT
"""Queues with the interface of multiprocessing.Queue and JoinableQueue, over shared memory: quoit.mp.Queue(maxsize).

They are passed to a Process as an argument, or inherited, with fork, spawn and forkserver. put() copies the object into
shared memory itself, without a thread; so an object that cannot be pickled raises in put(). Objects of more than
message_bytes go by way of shared memory of their own. A process that is killed blocks no other one.
"""
from __future__ import annotations

import collections
import contextlib
import itertools
import multiprocessing.context
import multiprocessing.reduction
import multiprocessing.util
import os
import pickle
import queue as _queue
import struct
import threading
import time
import weakref

from . import _core
from ._core import CONSUMER, MPMC, PRODUCER, Abandoned, Finished, TooBig
from ._core import Empty as _Empty
from ._core import Full as _Full
from ._queue import Queue as _Queue
from ._queue import unlink
from ._shared import Lock, Region

Empty, Full = _queue.Empty, _queue.Full
ShutDown = getattr(_queue, "ShutDown", None) or type("ShutDown", (Exception,), {
    "__doc__": "put or get after shutdown().", "__module__": __name__})

UNBOUNDED_CAPACITY = 1024  # beyond it, objects of a queue without maxsize wait in the process that puts them
_COUNT = itertools.count()
_MEMORY_BYTES = 8 << 20  # the slots of a queue take about so much at most, if message_bytes is not passed
_BOTH = PRODUCER | CONSUMER


class _Elsewhere:
    """Stands in the queue for an object that lies in a region of its own."""

    def __init__(self, name, size):
        self.name, self.size = name, size

    def __reduce__(self):
        return _Elsewhere, (self.name, self.size)

    def take(self):
        """The object; the region is removed."""
        with Region.open(self.name) as region:
            data = region.data()
            try:
                return pickle.loads(data[:self.size])
            finally:
                data.release()
                unlink(self.name)


def _remove(name, pid):
    """The queue's name, and what lies elsewhere for it."""
    if pid != os.getpid():
        return
    with contextlib.suppress(_core.Error):
        unlink(name)
    with contextlib.suppress(_core.Error):
        unlink(name + "-tasks")
    with contextlib.suppress(_core.Error):
        for other in _core.list("posix" if os.name == "posix" else None):
            if other.startswith((f"posix:{name}-object-", f"{name}-object-")):
                with contextlib.suppress(_core.Error):
                    unlink(other)


class Queue:
    """multiprocessing.Queue, over shared memory.

    maxsize: most objects that the queue holds; 0 or less: no limit. message_bytes: objects that need more, pickled, take
    longer. members: how many processes can use the queue at the same time; 0: 64, which is the most of a JoinableQueue.
    """
    _user_bytes = 0

    def __init__(self, maxsize=0, *, ctx=None, message_bytes=None, members=0):
        del ctx  # the queue is the same for every way of starting a process
        if self._user_bytes and members > 64:
            raise ValueError(f"members is {members}; a JoinableQueue has at most 64, which is what its lock has")
        capacity = maxsize if maxsize > 0 else UNBOUNDED_CAPACITY
        if message_bytes is None:
            message_bytes = max(256, min(4096, _MEMORY_BYTES // capacity))
        self._maxsize = max(maxsize, 0)
        self._name = f"quoit-mp-{os.getpid()}-{next(_COUNT)}-{time.monotonic_ns():x}"
        self._begin()
        self._queue = _Queue.create(self._name, _BOTH, capacity=capacity, item_bytes=message_bytes, messages=True, kind=MPMC,
                                    user_bytes=self._user_bytes, members=members)
        self._pid = os.getpid()
        self._remove = multiprocessing.util.Finalize(self, _remove, (self._name, self._pid), exitpriority=-10)

    def _begin(self):
        self._queue, self._pid, self._closed, self._is_used = None, 0, False, False
        self._buffer, self._feeder = collections.deque(), None
        self._joins, self._join = True, None
        self._lock = threading.Lock()

    def __getstate__(self):
        multiprocessing.context.assert_spawning(self)
        return self._name, self._maxsize

    def __setstate__(self, state):
        self._name, self._maxsize = state
        self._begin()

    def __repr__(self):
        return f"<quoit.mp.{type(self).__name__} {self._name!r}>"

    def _handle(self):
        """This process's own handle."""
        if self._pid != os.getpid():
            if self._pid:  # a fork: what waits in the buffer is the parent's
                closed = self._closed
                self._begin()
                self._closed = closed
            self._queue, self._pid = _Queue.open(self._name, _BOTH), os.getpid()
        if self._closed:
            raise ValueError(f"Queue {self!r} is closed")
        return self._queue

    # ---- Put

    def put(self, obj, block=True, timeout=None):
        """Put an object. Raises Full if there is no room, or was none for timeout seconds; ShutDown; what pickle raises."""
        queue = self._handle()
        self._is_used = True
        if self._maxsize or not (self._buffer or self._feeder):
            try:
                self._put_object(queue, obj, _seconds(block, timeout) if self._maxsize else 0)
                return
            except _Full:
                if self._maxsize:
                    raise Full from None
        self._put_later(pickle.dumps(obj))

    def _put_object(self, queue, obj, timeout):
        while True:
            try:
                self._put_once(queue, obj, timeout)
                return
            except Finished:
                raise ShutDown from None
            except Abandoned:  # the other processes have left: that is no error of this interface
                if timeout == 0:
                    raise _Full from None

    def _put_once(self, queue, obj, timeout):
        try:
            queue.put(obj, timeout)
            return
        except TooBig:
            pass
        except (TypeError, pickle.PicklingError):  # multiprocessing knows how to send some more objects
            obj = _Pickled(bytes(multiprocessing.reduction.ForkingPickler.dumps(obj)))
        self._put_elsewhere(queue, pickle.dumps(obj, 5), timeout)

    def _put_elsewhere(self, queue, data, timeout):
        name = f"{self._name}-object-{os.getpid()}-{next(_COUNT)}"
        with Region.create(name, data_bytes=len(data)) as region:
            view = region.data()
            view[:] = data
            view.release()
        try:
            queue.put(_Elsewhere(name, len(data)), timeout)
        except BaseException:
            unlink(name)
            raise

    def _put_later(self, data):
        """A queue without maxsize is full: a thread puts the object once there is room."""
        with self._lock:
            self._buffer.append(data)
            if self._feeder is None:
                self._feeder = threading.Thread(target=self._feed, name="QuoitFeeder", daemon=True)
                self._feeder.start()
                if self._joins:
                    self._join = multiprocessing.util.Finalize(self._feeder, _join_feeder, (weakref.ref(self._feeder),),
                                                               exitpriority=-5)

    def _feed(self):
        queue = self._queue
        while True:
            with self._lock:
                if not self._buffer:
                    self._feeder = None
                    return
                data = self._buffer[0]
            try:
                self._put_object(queue, _Pickled(data), None)
            except (ShutDown, ValueError, _core.Error):  # shut down, or closed
                with self._lock:
                    self._buffer.clear()
                    self._feeder = None
                return
            with self._lock:
                self._buffer.popleft()

    def put_nowait(self, obj):
        """put without a wait."""
        return self.put(obj, False)

    # ---- Get

    def get(self, block=True, timeout=None):
        """Take the next object. Raises Empty if there is none, or was none for timeout seconds; ShutDown."""
        queue = self._handle()
        self._is_used = True
        end = None if timeout is None or not block else time.monotonic() + timeout
        while True:
            try:
                left = 0 if not block else None if end is None else end - time.monotonic()
                obj = queue.get(left)
                return obj if not isinstance(obj, (_Elsewhere, _Pickled)) else _resolved(obj)
            except _Empty:
                raise Empty from None
            except Finished:
                raise ShutDown from None
            except Abandoned:  # the other processes have left: that is no error of this interface
                if not block:
                    raise Empty from None

    def get_nowait(self):
        """get without a wait."""
        return self.get(False)

    # ---- What it has

    def qsize(self):
        """How many objects there are: a snapshot."""
        return len(self._handle()) + len(self._buffer)

    def empty(self):
        """True if there is no object: a snapshot. After close() as of multiprocessing: OSError if the queue was used."""
        if self._closed:
            if self._is_used:
                raise OSError(f"Queue {self!r} is closed")
            return True
        return self.qsize() == 0

    def full(self):
        """True if there is no room: a snapshot. Never of a queue without maxsize."""
        return 0 < self._maxsize <= self.qsize()

    # ---- The end

    def shutdown(self, immediate=False):
        """From here on put raises ShutDown, and get once the queue is empty. immediate: what is queued is dropped."""
        queue = self._handle()
        queue.finish()
        if immediate:
            with contextlib.suppress(_Empty, Finished, Abandoned):
                while True:
                    queue.try_pop()

    def close(self):
        """This process uses the queue no more. Objects that wait in this process are still sent."""
        if not self._closed:
            self._closed = True
            feeder = self._feeder if self._pid == os.getpid() else None
            if feeder is None and self._queue is not None:
                self._queue.close()

    def join_thread(self):
        """After close(): wait until all objects that wait in this process are in the queue."""
        assert self._closed, f"Queue {self!r} not closed"
        feeder = self._feeder
        if feeder is not None and self._pid == os.getpid():
            feeder.join()
        if self._queue is not None:
            self._queue.close()

    def cancel_join_thread(self):
        """Do not wait for objects that wait in this process when it ends: they are lost."""
        self._joins = False
        if self._join is not None:
            self._join.cancel()


class _Pickled:
    """Stands for the object of this pickle."""

    def __init__(self, data):
        self.data = data

    def __reduce__(self):
        return _Pickled, (self.data,)


def _resolved(obj):
    while isinstance(obj, (_Elsewhere, _Pickled)):
        obj = obj.take() if isinstance(obj, _Elsewhere) else pickle.loads(obj.data)
    return obj


def _join_feeder(reference):
    feeder = reference()
    if feeder is not None:
        feeder.join()


def _seconds(block, timeout):
    return 0 if not block else timeout


class JoinableQueue(Queue):
    """multiprocessing.JoinableQueue, over shared memory: task_done() and join()."""
    _user_bytes = 8  # how many tasks are not done

    def _begin(self):
        super()._begin()
        self._tasks = None

    def _change(self, by):
        """Add to the number of tasks that are not done; returns the sum, which stays if it would be below 0."""
        queue = self._handle()
        if self._tasks is None or self._tasks[0] != os.getpid():
            self._tasks = os.getpid(), Lock.join(self._name + "-tasks")
        with self._tasks[1]:
            area = queue.user_area()
            count = struct.unpack_from("q", area)[0] + by
            if by and count >= 0:
                struct.pack_into("q", area, 0, count)
        return count

    def put(self, obj, block=True, timeout=None):
        self._change(1)
        try:
            super().put(obj, block, timeout)
        except BaseException:
            self._change(-1)
            raise

    def task_done(self):
        """An object that get() has returned is dealt with. Raises ValueError if there were not so many."""
        if self._change(-1) < 0:
            raise ValueError("task_done() called too many times")

    def join(self):
        """Wait until task_done() was called for each object that was put."""
        pause = 0.0005
        while self._change(0) > 0:
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)


__all__ = ["Queue", "JoinableQueue", "Empty", "Full", "ShutDown"]
