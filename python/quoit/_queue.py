# SPDX-License-Identifier: MIT
"""Queues: Queue, unlink."""
import asyncio
import contextlib
import ctypes
import os
import struct
from ctypes import byref, c_int, c_uint64, c_void_p

from ._library import (ABI, CONSUMER, EMPTY, FINISHED, FOR_ITEMS, FULL, IN_USE, LOSSLESS, MEMBERS_MAX, OTHER, PRODUCER,
                       SPSC, Cursor, Different, Empty, Finished, Full, Handle, Input, Member, Place, QueueInfo,
                       QueueOptions, TooBig, check, deadline, encoded_name, library, number)


class Queue(Handle):
    """A queue's handle, by create, open or join; roles are or-ed: quoit.PRODUCER | quoit.CONSUMER.

    A timeout is in seconds: 0 or less does not wait, None has no end. A push that finds no room raises Full, a pop that
    finds nothing Empty; those that wait Timeout; both Abandoned where the other side died or left. Finished: the end.
    """
    _close = "quoit_queue_close"

    @classmethod
    def _of(cls, handle, format):  # pylint: disable=redefined-builtin
        self = cls._adopt(handle.value)
        self._buffer, self._waiting = None, {}
        info = self.inspect()
        self._item_bytes, self._sized = info.item_bytes, info.sized
        self._struct = struct.Struct(format) if format else None
        if self._struct and (self.sized or self._struct.size != self.item_bytes):
            self.close()
            raise Different(f"format {format!r} has {self._struct.size} bytes, the queue's "
                           f"{'messages' if info.sized else 'items'} have {info.item_bytes}")
        return self

    @classmethod
    def _make(cls, call, name, roles, message_bytes, item_bytes, format, **options):
        if sum(given is not None for given in (message_bytes, item_bytes, format)) != 1:
            raise ValueError("one of message_bytes (the longest), item_bytes (all have it) and format is needed")
        if format is not None:
            item_bytes = struct.calcsize(format)
        elif message_bytes is not None:
            item_bytes = number("message_bytes", message_bytes, 32)
        asked = QueueOptions(item_bytes=number("item_bytes", item_bytes, 32), sized=message_bytes is not None,
                             **{key: number(key, value, cls._BITS[key]) for key, value in options.items()})
        handle = c_void_p()
        check(call(ABI, encoded_name(name), byref(asked), number("roles", roles, 32), byref(handle)))
        return cls._of(handle, format)

    _BITS = {"capacity": 64, "kind": 31, "tuning": 31, "broadcast": 31, "permissions": 32, "user_bytes": 32}

    @classmethod
    def create(cls, name, roles, *, capacity, message_bytes=None, item_bytes=None, format=None, kind=SPSC,
               tuning=FOR_ITEMS, broadcast=LOSSLESS, permissions=0, user_bytes=0):
        """Make a queue."""
        return cls._make(library.quoit_queue_create_abi, name, roles, message_bytes, item_bytes, format,
                         capacity=capacity, kind=kind, tuning=tuning, broadcast=broadcast, permissions=permissions,
                         user_bytes=user_bytes)

    @classmethod
    def join(cls, name, roles, *, capacity, message_bytes=None, item_bytes=None, format=None, kind=SPSC,
             tuning=FOR_ITEMS, broadcast=LOSSLESS, permissions=0, user_bytes=0):
        """Open the queue, or make it; Different where another one is there."""
        return cls._make(library.quoit_queue_join_abi, name, roles, message_bytes, item_bytes, format,
                         capacity=capacity, kind=kind, tuning=tuning, broadcast=broadcast, permissions=permissions,
                         user_bytes=user_bytes)

    @classmethod
    def open(cls, name, roles, *, format=None):
        """Open a queue that is there, else NotFound."""
        handle = c_void_p()
        check(library.quoit_queue_open_abi(ABI, encoded_name(name), number("roles", roles, 32), byref(handle)))
        return cls._of(handle, format)

    # Buffers are made by these: they cannot be set.

    @property
    def item_bytes(self):
        return self._item_bytes

    @property
    def sized(self):
        return self._sized

    def _encoded(self, item):
        """The item's bytes, to be released; without a copy, but for tuples."""
        data = Input(self._struct.pack(*item) if self._struct else item)
        if not self.sized and data.size != self.item_bytes:
            data.release()
            raise ValueError(f"an item of {data.size} bytes, the queue's have {self.item_bytes}")
        return data

    def _decoded(self, data):
        return self._struct.unpack(data) if self._struct else data

    def push(self, item, timeout=0):
        """Push bytes, or whatever is bytes-like; with format a tuple."""
        data = self._encoded(item)

        def put(handle, *left):
            if self.sized:
                call = library.quoit_queue_push_sized_wait if left else library.quoit_queue_push_sized
                return call(handle, data.address, data.size, *left)
            return (library.quoit_queue_push_wait if left else library.quoit_queue_push)(handle, data.address, *left)

        try:
            check(self._perform(PRODUCER, FULL, timeout, put))
        finally:
            data.release()

    def pop(self, timeout=0):
        """The next item, as bytes; with format as a tuple."""
        found = []

        def take(handle, *left):
            # A signal's handler that pops meanwhile has a buffer of its own.
            buffer, self._buffer = self._buffer, None
            if buffer is None:
                buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
            size = c_uint64(self.item_bytes)
            if self.sized:
                call = library.quoit_queue_pop_sized_wait if left else library.quoit_queue_pop_sized
                status = call(handle, buffer, self.item_bytes, byref(size), *left)
            else:
                status = (library.quoit_queue_pop_wait if left else library.quoit_queue_pop)(handle, buffer, *left)
            if status == 0:
                found.append(memoryview(buffer)[:size.value].tobytes())
            self._buffer = buffer
            return status

        check(self._perform(CONSUMER, EMPTY, timeout, take))
        return self._decoded(found[0])

    def push_many(self, items):
        """Push the first items of a list or another collection, as many as there is room for; return how many."""
        if iter(items) is items:
            raise TypeError("push_many needs a collection, such as a list: an iterator's items that find no room would be "
                            "lost. Push the iterator's items one by one, or lists of some of them")
        parts = []
        for item in items:
            data = self._encoded(item)
            parts.append(data.copy())
            data.release()
            if data.size > self.item_bytes:
                raise TooBig(f"a message of {data.size} bytes, the queue's have at most {self.item_bytes}")
        if not parts:
            return 0
        if not self.sized:
            pushed = self._call(PRODUCER, library.quoit_queue_push_many, b"".join(parts), len(parts))
            if pushed:
                return pushed
        for pushed, part in enumerate(parts):  # or the first one, whose push has a reason
            status = self._call(PRODUCER, library.quoit_queue_push_sized, part, len(part)) if self.sized else \
                self._call(PRODUCER, library.quoit_queue_push, part)
            if status == FULL or (status and pushed):
                return pushed
            check(status)
            if not self.sized:
                return 1
        return len(parts)

    def pop_many(self, count):
        """Up to count items that are there, as a list."""
        items = []
        for _ in range(number("count", count)):
            try:
                items.append(self.pop())
            except (Empty, Finished):
                break
            except Exception:
                if items:
                    break  # the next call has the reason, if it lasts
                raise
        return items

    def wait_for_items(self, timeout=None):
        """Return when there are items."""
        check(self._wait(CONSUMER, deadline(timeout), library.quoit_queue_wait_for_items))

    def wait_for_room(self, timeout=None):
        """Return when there is room."""
        check(self._wait(PRODUCER, deadline(timeout), library.quoit_queue_wait_for_room))

    @contextlib.contextmanager
    def _in_place(self, side, begin, end, give_up):
        """A view of the result of begin(handle). While it is open, other threads that use the side wait."""
        place = self._call(side, lambda handle: self._begun(handle, side, begin, give_up))
        try:
            yield place.view
        except BaseException:
            with contextlib.suppress(ValueError, BufferError):
                self._end_place(side, place, give_up)
            raise
        check(self._end_place(side, place, end))

    def _begun(self, handle, side, begin, give_up):
        address, size, writable = begin(handle)
        place = Place(handle, address, size, writable)
        place.give_up = give_up
        self._sides[side].place = place
        return place

    def _end_place(self, side, place, end):
        handle = self._object
        try:
            with self._sides[side].lock:
                is_current = handle is not None and self._sides[side].place is place
                if not place.end():
                    raise BufferError(IN_USE)
                if not is_current:
                    raise ValueError("this Queue was closed before the block of its view ended")
                self._sides[side].place = None
                return end(handle)
        finally:
            del handle

    def peek(self, limit=1):
        """The next message, or up to limit items one after the other, as a memoryview in place; taken when the block
        ends, but not by an exception. Slices and arrays over it must end before."""
        limit, count = number("limit", limit, least=1), c_uint64()

        def begin(handle):
            address = c_void_p()
            if self.sized:
                check(library.quoit_queue_peek_sized(handle, byref(address), byref(count)))
                size, count.value = count.value, 1
                return address.value, size, False
            check(library.quoit_queue_peek(handle, byref(address), byref(count)))
            count.value = min(count.value, limit)
            return address.value, count.value * self.item_bytes, False

        return self._in_place(CONSUMER, begin, lambda handle: library.quoit_queue_release(handle, count), lambda _: 0)

    def claim(self, wanted=1):
        """Room for a message of so many bytes, or for up to so many items, as a memoryview in place; pushed when the
        block ends, given up by an exception."""
        wanted, count = number("wanted", wanted), c_uint64()

        def begin(handle):
            address = c_void_p()
            if self.sized:
                check(library.quoit_queue_claim_sized(handle, wanted, byref(address)))
                return address.value, wanted, True
            check(library.quoit_queue_claim(handle, wanted, byref(address), byref(count)))
            return address.value, count.value * self.item_bytes, True

        def end(handle):
            if self.sized:
                return library.quoit_queue_commit_sized(handle, wanted)
            return library.quoit_queue_commit(handle, count)

        return self._in_place(PRODUCER, begin, end, lambda handle: library.quoit_queue_commit(handle, 0))

    def __iter__(self):
        """The items, waiting for each, until the stream ends; Abandoned where its producer died."""
        with contextlib.suppress(Finished):
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
        with contextlib.suppress(Finished):
            while True:
                yield await self.get()

    async def _ready(self, role):
        if role in self._waiting:
            raise RuntimeError("another task awaits this side of the queue: a handle has one for each side")
        # The loop's own descriptor: the queue's may be closed by another thread, and its number used for another file.
        loop, fd = asyncio.get_running_loop(), self._call(role, lambda handle: os.dup(self._poll_fd(handle, role)))
        ready = loop.create_future()

        def wake():
            if not ready.done():
                ready.set_result(None)

        self._waiting[role] = lambda: loop.call_soon_threadsafe(wake)
        try:
            loop.add_reader(fd, wake)
            await ready
        finally:
            loop.remove_reader(fd)
            os.close(fd)
            del self._waiting[role]

    def _let_go(self):
        for wake in [*self._waiting.values()]:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                wake()
        return True

    @staticmethod
    def _poll_fd(handle, role):
        fd = c_int(-1)
        check(library.quoit_queue_poll_fd(handle, role, byref(fd)))
        return fd.value

    def poll_fd(self, role):
        """A descriptor that is readable while there are items (CONSUMER) or room (PRODUCER), or the end is reached."""
        role = number("role", role, 32)
        return self._call(role if role in (PRODUCER, CONSUMER) else OTHER, self._poll_fd, role)

    def finish(self):
        """End the stream: whoever pops gets what is queued, then Finished."""
        check(self._call(PRODUCER, library.quoit_queue_finish))

    def unlink(self):
        """Remove this queue's name; who has it open goes on."""
        check(self._call(OTHER, library.quoit_queue_unlink_self))

    def __len__(self):
        return self._call(OTHER, library.quoit_queue_size)

    def __bool__(self):
        return True  # and not whether it is empty

    @property
    def capacity(self):
        return self._call(OTHER, library.quoit_queue_capacity)

    @property
    def finished(self):
        return self._call(OTHER, library.quoit_queue_is_finished)

    @property
    def missed(self):
        """Items of a lossy broadcast that were overwritten before this subscriber came to them."""
        return self._call(OTHER, library.quoit_queue_missed)

    def inspect(self):
        info = QueueInfo()
        check(self._call(OTHER, library.quoit_queue_inspect, byref(info)))
        return info

    def members(self):
        rows, count = (Member * MEMBERS_MAX)(), c_uint64()
        check(self._call(OTHER, library.quoit_queue_members, rows, MEMBERS_MAX, byref(count)))
        return rows[:min(count.value, MEMBERS_MAX)]

    def check(self):
        """The invariants of what is shared; Corrupt tells which does not hold."""
        check(self._call(OTHER, library.quoit_queue_check))

    def look(self, cursor=None):
        """For observers: the items that are there, without taking them. The same Cursor goes on with newer ones."""
        cursor, size = cursor if cursor is not None else Cursor(), c_uint64()
        if not isinstance(cursor, Cursor):
            raise TypeError(f"{cursor!r} is no quoit.Cursor")
        buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
        while True:
            status = self._call(OTHER, library.quoit_queue_look, byref(cursor), buffer, self.item_bytes, byref(size))
            if status in (EMPTY, FINISHED):
                return
            check(status)
            yield self._decoded(memoryview(buffer)[:size.value].tobytes())


def unlink(name):
    """Remove a queue's name."""
    check(library.quoit_queue_unlink(encoded_name(name)))
