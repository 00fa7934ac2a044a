# SPDX-License-Identifier: MIT
"""Queues: Queue, unlink."""
import asyncio
import contextlib
import ctypes
import os
import struct
from ctypes import byref, c_int, c_uint64, c_void_p

from ._library import (ABI, CLOSED, CONSUMER, EMPTY, FULL, MEMBERS_MAX, PRODUCER, Closed, Cursor, Empty, Full, Handle,
                       Member, Mismatch, QueueInfo, QueueOptions, check, library, view_of, wait)


class Queue(Handle):
    """A queue's handle, by create, open or join; roles are or-ed: quoit.PRODUCER | quoit.CONSUMER.

    A timeout is in seconds: 0 does not wait, None waits for ever. A push that finds no room raises Full, a pop that
    finds nothing Empty; those that wait Timeout; both Abandoned where the other side died or left. Closed: the end.
    """
    _close = "quoit_queue_close"

    def __init__(self, handle, format=None):  # pylint: disable=redefined-builtin
        super().__init__(handle)
        info = self.inspect()
        self.item_bytes, self.sized = info.item_bytes, info.sized
        self._struct = struct.Struct(format) if format else None
        self._buffer, self._waiting = None, set()
        if self._struct and (self.sized or self._struct.size != self.item_bytes):
            self.close()
            raise Mismatch(f"format {format!r} has {self._struct.size} bytes, the queue's "
                           f"{'messages' if info.sized else 'items'} have {info.item_bytes}")

    @classmethod
    def _make(cls, call, name, roles, capacity, message_bytes, item_bytes, format, options):
        if sum(given is not None for given in (message_bytes, item_bytes, format)) != 1:
            raise ValueError("one of message_bytes (the longest), item_bytes (all have it) and format is needed")
        size = message_bytes if message_bytes is not None else item_bytes
        if format:
            size = struct.calcsize(format)
        asked = QueueOptions(item_bytes=size, capacity=capacity, sized=message_bytes is not None, **options)
        handle = c_void_p()
        check(call(ABI, os.fsencode(name), byref(asked), roles, byref(handle)))
        return cls(handle.value, format)

    @classmethod
    def create(cls, name, roles, *, capacity, message_bytes=None, item_bytes=None, format=None, **options):
        """Make a queue. options: kind, tuning, broadcast, permissions, user_bytes."""
        return cls._make(library.quoit_queue_create_abi, name, roles, capacity, message_bytes, item_bytes, format,
                         options)

    @classmethod
    def join(cls, name, roles, *, capacity, message_bytes=None, item_bytes=None, format=None, **options):
        """Open the queue, or make it; Mismatch where another one is there."""
        return cls._make(library.quoit_queue_join_abi, name, roles, capacity, message_bytes, item_bytes, format,
                         options)

    @classmethod
    def open(cls, name, roles, *, format=None):
        """Open a queue that is there, else NotFound."""
        handle = c_void_p()
        check(library.quoit_queue_open_abi(ABI, os.fsencode(name), roles, byref(handle)))
        return cls(handle.value, format)

    def _encoded(self, item):
        data = self._struct.pack(*item) if self._struct else item
        if not isinstance(data, bytes):
            data = bytes(memoryview(data))
        if not self.sized and len(data) != self.item_bytes:
            raise ValueError(f"an item of {len(data)} bytes, the queue's have {self.item_bytes}")
        return data

    def _decoded(self, data):
        return self._struct.unpack(data) if self._struct else data

    def push(self, item, timeout=0):
        """Push bytes, or whatever is bytes-like; with format a tuple."""
        data, handle = self._encoded(item), self._handle
        if self.sized:
            status = library.quoit_queue_push_sized(handle, data, len(data))
        else:
            status = library.quoit_queue_push(handle, data)
        if status == FULL and timeout != 0:
            if self.sized:
                status = wait(lambda ns: library.quoit_queue_push_sized_wait(handle, data, len(data), ns), timeout)
            else:
                status = wait(lambda ns: library.quoit_queue_push_wait(handle, data, ns), timeout)
        check(status)

    def pop(self, timeout=0):
        """The next item, as bytes; with format as a tuple."""
        handle, size = self._handle, c_uint64(self.item_bytes)
        if self._buffer is None:
            self._buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
        buffer = self._buffer
        if self.sized:
            status = library.quoit_queue_pop_sized(handle, buffer, self.item_bytes, byref(size))
        else:
            status = library.quoit_queue_pop(handle, buffer)
        if status == EMPTY and timeout != 0:
            if self.sized:
                status = wait(lambda ns: library.quoit_queue_pop_sized_wait(handle, buffer, self.item_bytes,
                                                                              byref(size), ns), timeout)
            else:
                status = wait(lambda ns: library.quoit_queue_pop_wait(handle, buffer, ns), timeout)
        check(status)
        return self._decoded(ctypes.string_at(buffer, size.value))

    def push_many(self, items):
        """As many as there is room for, the first ones; returns how many."""
        pushed = 0
        if self.sized:
            for item in items:
                try:
                    self.push(item)
                except Full:
                    break
                pushed += 1
            return pushed
        parts = [self._encoded(item) for item in items]
        pushed = library.quoit_queue_push_many(self._handle, b"".join(parts), len(parts))
        if parts and not pushed:  # for a reason that a push tells
            with contextlib.suppress(Full):
                self.push(items[0])
                return 1
        return pushed

    def pop_many(self, count):
        """Up to count items that are there, as a list."""
        items = []
        with contextlib.suppress(Empty, Closed):
            while len(items) < count:
                items.append(self.pop())
        return items

    def wait_for_items(self, timeout=None):
        """Return when there are items."""
        handle = self._handle
        check(wait(lambda ns: library.quoit_queue_wait_for_items(handle, ns), timeout))

    def wait_for_room(self, timeout=None):
        """Return when there is room."""
        handle = self._handle
        check(wait(lambda ns: library.quoit_queue_wait_for_room(handle, ns), timeout))

    @contextlib.contextmanager
    def peek(self, limit=1):
        """The next message, or up to limit items one after the other, as a memoryview in place; taken when the block
        ends, but not by an exception. Slices and arrays over it must end before."""
        address, size = c_void_p(), c_uint64()
        if self.sized:
            check(library.quoit_queue_peek_sized(self._handle, byref(address), byref(size)))
            count, size = 1, size.value
        else:
            check(library.quoit_queue_peek(self._handle, byref(address), byref(size)))
            count = min(size.value, limit)
            size = count * self.item_bytes
        with view_of(address.value, size, False) as view:
            yield view
        check(library.quoit_queue_release(self._handle, count))

    @contextlib.contextmanager
    def claim(self, wanted=1):
        """Room for a message of so many bytes, or for up to so many items, as a memoryview in place; pushed when the
        block ends, given up by an exception."""
        address, count = c_void_p(), c_uint64()
        if self.sized:
            check(library.quoit_queue_claim_sized(self._handle, wanted, byref(address)))
            size = wanted
        else:
            check(library.quoit_queue_claim(self._handle, wanted, byref(address), byref(count)))
            size = count.value * self.item_bytes
        try:
            with view_of(address.value, size, True) as view:
                yield view
        except BaseException:
            library.quoit_queue_commit(self._handle, 0)
            raise
        commit = library.quoit_queue_commit_sized if self.sized else library.quoit_queue_commit
        check(commit(self._handle, wanted if self.sized else count.value))

    def __iter__(self):
        """The items, waiting for each, until the stream ends; Abandoned where its producer died."""
        with contextlib.suppress(Closed):
            while True:
                yield self.pop(timeout=None)

    # asyncio: one task at a time for each side.

    async def get(self):
        """pop, awaiting an item."""
        while True:
            try:
                return self.pop()
            except Empty:
                await self._ready(CONSUMER)

    async def put(self, item):
        """push, awaiting room."""
        while True:
            try:
                return self.push(item)
            except Full:
                await self._ready(PRODUCER)

    async def __aiter__(self):
        with contextlib.suppress(Closed):
            while True:
                yield await self.get()

    async def _ready(self, role):
        if role in self._waiting:
            raise RuntimeError("another task awaits this side of the queue: a handle has one for each side")
        loop, fd = asyncio.get_running_loop(), self.poll_fd(role)
        ready = loop.create_future()
        self._waiting.add(role)
        loop.add_reader(fd, lambda: ready.done() or ready.set_result(None))
        try:
            await ready
        finally:
            loop.remove_reader(fd)
            self._waiting.discard(role)

    def poll_fd(self, role):
        """A descriptor that is readable while there are items (CONSUMER) or room (PRODUCER), or the end is reached."""
        fd = c_int(-1)
        check(library.quoit_queue_poll_fd(self._handle, role, byref(fd)))
        return fd.value

    def finish(self):
        """End the stream: whoever pops gets what is queued, then Closed."""
        check(library.quoit_queue_finish(self._handle))

    def unlink(self):
        """Remove this queue's name; who has it open goes on."""
        check(library.quoit_queue_unlink_self(self._handle))

    def __len__(self):
        return library.quoit_queue_size(self._handle)

    def __bool__(self):
        return True  # and not whether it is empty

    @property
    def capacity(self):
        return library.quoit_queue_capacity(self._handle)

    @property
    def finished(self):
        return library.quoit_queue_is_finished(self._handle)

    @property
    def missed(self):
        """Items of a lossy broadcast that were overwritten before this subscriber came to them."""
        return library.quoit_queue_missed(self._handle)

    def inspect(self):
        info = QueueInfo()
        check(library.quoit_queue_inspect(self._handle, byref(info)))
        return info

    def members(self):
        rows, count = (Member * MEMBERS_MAX)(), c_uint64()
        check(library.quoit_queue_members(self._handle, rows, MEMBERS_MAX, byref(count)))
        return rows[:min(count.value, MEMBERS_MAX)]

    def check(self):
        """The invariants of what is shared; Corrupt tells which does not hold."""
        check(library.quoit_queue_check(self._handle))

    def look(self, cursor=None):
        """For observers: the items that are there, without taking them. The same Cursor goes on with newer ones."""
        cursor, size = cursor if cursor is not None else Cursor(), c_uint64()
        buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
        while True:
            status = library.quoit_queue_look(self._handle, byref(cursor), buffer, self.item_bytes, byref(size))
            if status in (EMPTY, CLOSED):
                return
            check(status)
            yield self._decoded(ctypes.string_at(buffer, size.value))


def unlink(name):
    """Remove a queue's name."""
    check(library.quoit_queue_unlink(os.fsencode(name)))
