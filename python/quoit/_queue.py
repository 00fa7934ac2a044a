# SPDX-License-Identifier: MIT
"""Queues: Queue; and unlink."""
import asyncio
import contextlib
import ctypes
import os
import struct
import threading
from ctypes import byref, c_int, c_size_t, c_uint64, c_void_p

from ._library import (CONSUMER, EMPTY, FINISHED, FULL, IN_USE, ITEMS, MEMBERS_MAX, OTHER, PRODUCER, ROOM, SPSC,
                       WAIT_FOR_SLOWEST, Browser, Different, Empty, Finished, Full, Handle, Input, Invalid, Member,
                       Place, QueueInfo, QueueOptions, TooBig, check, encoded_name, library, number)

_SIZE_BITS = 8 * ctypes.sizeof(c_size_t)
_EVENTS = {PRODUCER: ROOM, CONSUMER: ITEMS}


class Queue(Handle):
    """A handle of a queue, from create, open or join. flags: quoit.PRODUCER, quoit.CONSUMER or both, or quoit.OBSERVER.

    timeout is in seconds. None waits without a limit; 0 or less does not wait. Calls raise Full or Empty if the timeout
    expires, Finished if the stream has ended, and Abandoned if the peer crashed or closed without finish.
    """
    _close = "quoit_queue_close"

    @classmethod
    def _of(cls, handle, format):  # pylint: disable=redefined-builtin
        self = cls._adopt(handle.value)
        self._buffer, self._waiting = None, {}
        info = self.inspect()
        self._item_bytes, self._messages = info.item_bytes, bool(info.messages)
        self._struct = struct.Struct(format) if format else None
        if self._struct and (self.messages or self._struct.size != self.item_bytes):
            self.close()
            raise Different(f"format {format!r} has {self._struct.size} bytes, but the queue's "
                            f"{'messages' if info.messages else 'items'} have {info.item_bytes}; use its format")
        return self

    @classmethod
    def _make(cls, call, name, flags, item_bytes, messages, format, type, **options):
        what = os.fsencode(type)
        if len(what) > 31 or b"\0" in what:
            raise ValueError(f"type is {type!r}; it must have at most 31 bytes, and no NUL")
        if (item_bytes is None) == (format is None):
            raise ValueError("item_bytes and format are both given, or both missing; pass one of them")
        if format is not None:
            if messages:
                raise ValueError("format is given together with messages=True; omit one of them")
            item_bytes = struct.calcsize(format)
        options.update(item_bytes=item_bytes, messages=messages)
        numbers = {key: number(key, value, cls._BITS.get(key, 32)) for key, value in options.items()}
        asked = QueueOptions(**numbers, type=what)
        handle = c_void_p()
        check(call(encoded_name(name), byref(asked), number("flags", flags, 32), byref(handle)))
        return cls._of(handle, format)

    _BITS = {"capacity": 64, "item_bytes": 64, "user_bytes": 64}

    @classmethod
    def create(cls, name, flags, *, capacity, item_bytes=None, messages=False, format=None, kind=SPSC,
               when_full=WAIT_FOR_SLOWEST, permissions=0, user_bytes=0, finishes=0, type=""):
        """Creates a queue. item_bytes is the size of every item, or with messages=True of the longest message."""
        return cls._make(library.quoit_queue_create, name, flags, item_bytes, messages, format, capacity=capacity,
                         kind=kind, when_full=when_full, permissions=permissions, user_bytes=user_bytes,
                         finishes=finishes, type=type)

    @classmethod
    def join(cls, name, flags, *, capacity, item_bytes=None, messages=False, format=None, kind=SPSC,
             when_full=WAIT_FOR_SLOWEST, permissions=0, user_bytes=0, finishes=0, type=""):
        """Opens the queue, or creates it. Raises Different if an existing queue differs from these arguments."""
        return cls._make(library.quoit_queue_join, name, flags, item_bytes, messages, format, capacity=capacity,
                         kind=kind, when_full=when_full, permissions=permissions, user_bytes=user_bytes,
                         finishes=finishes, type=type)

    def again(self, flags):
        """Returns another handle of the same queue. Raises Removed if the queue's name was removed."""
        handle = c_void_p()
        check(self._call(OTHER, library.quoit_queue_again, number("flags", flags, 32), byref(handle)))
        return self._of(handle, self._struct.format if self._struct else None)

    @classmethod
    def open(cls, name, flags, *, format=None):
        """Opens an existing queue. Raises NotFound if it does not exist."""
        handle = c_void_p()
        check(library.quoit_queue_open(encoded_name(name), number("flags", flags, 32), byref(handle)))
        return cls._of(handle, format)

    # The sizes of buffers depend on these, so they have no setter.

    @property
    def item_bytes(self):
        return self._item_bytes

    @property
    def messages(self):
        """True: every message has its own size, up to item_bytes."""
        return self._messages

    def _encoded(self, item):
        """Returns an Input of the item's bytes, which the caller releases. Only a tuple is copied."""
        data = Input(self._struct.pack(*item) if self._struct else item)
        if not self.messages and data.size != self.item_bytes:
            data.release()
            raise ValueError(f"the item has {data.size} bytes, but the queue's items have {self.item_bytes}")
        return data

    def _decoded(self, data):
        return self._struct.unpack(data) if self._struct else data

    def push(self, item, timeout=None):
        """Pushes bytes or a bytes-like object, or with a format a tuple. Waits for a free slot."""
        data = self._encoded(item)
        try:
            check(self._perform(PRODUCER, FULL, timeout, lambda handle, left:
                                library.quoit_queue_push(handle, data.address, data.size, left)))
        finally:
            data.release()

    def try_push(self, item):
        """Pushes without waiting. Raises Full if no slot is free."""
        self.push(item, 0)

    def pop(self, timeout=None):
        """Pops the next item, as bytes, or with a format as a tuple. Waits for an item."""
        found = []

        def take(handle, left):
            # A signal handler that pops during this call gets its own buffer.
            buffer, self._buffer = self._buffer, None
            if buffer is None:
                buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
            size = c_size_t()
            status = library.quoit_queue_pop(handle, buffer, self.item_bytes, byref(size), left)
            if status == 0:
                found.append(memoryview(buffer)[:size.value].tobytes())
            self._buffer = buffer
            return status

        check(self._perform(CONSUMER, EMPTY, timeout, take))
        return self._decoded(found[0])

    def try_pop(self):
        """Pops without waiting. Raises Empty if there is no item."""
        return self.pop(0)

    def push_many(self, items, timeout=None):
        """Waits for a free slot, then pushes as many items of a list or another collection as possible, in order.
        Returns their number. Raises if it pushed none."""
        if iter(items) is items:
            raise TypeError("push_many needs a collection, such as a list, since items of an iterator that find no free "
                            "slot would be lost; push the iterator's items one per call, or in lists")
        parts = []
        for item in items:
            data = self._encoded(item)
            parts.append(data.copy())
            data.release()
            if data.size > self.item_bytes:
                raise TooBig(f"the message has {data.size} bytes, but the longest allowed has {self.item_bytes}")
        if not parts:
            return 0
        if not self.messages:
            joined, pushed = b"".join(parts), c_size_t()
            check(self._perform(PRODUCER, FULL, timeout, lambda handle, left: library.quoit_queue_push_many(
                handle, joined, self.item_bytes, len(parts), byref(pushed), left)))
            return pushed.value
        for pushed, part in enumerate(parts):
            status = self._perform(PRODUCER, FULL, 0 if pushed else timeout, lambda handle, left, part=part:
                                   library.quoit_queue_push(handle, part, len(part), left))
            if status and pushed:
                return pushed  # the next call raises the reason, if it persists
            check(status)
        return len(parts)

    def pop_many(self, count, timeout=None):
        """Waits for an item, then pops all queued items, up to count. Returns a list. Raises if it popped none."""
        items = []
        for _ in range(number("count", count)):
            try:
                items.append(self.pop(0 if items else timeout))
            except (Empty, Finished):
                if items:
                    break
                raise
            except Exception:
                if items:
                    break  # the next call raises the reason, if it persists
                raise
        return items

    @contextlib.contextmanager
    def _in_place(self, side, timeout, begin, end, give_up):
        """A context manager: a view of the memory that begin(handle, timeout_ns) returns as status, address and size.
        While the view is open, other threads wait for the side."""
        found = []

        def open_place(handle, left):
            chosen = self._sides[side]
            while True:
                calls = chosen.calls
                status, address, size = begin(handle, left)
                if status:
                    return status
                place = Place(handle, address, size, side == PRODUCER)
                place.give_up, chosen.place = give_up, place
                if chosen.calls == calls and self._object is not None:
                    found.append(place)
                    return status
                # A signal handler used the side in between, and may have ended the claim or the peek. Or another thread
                # called close(), which did not see this view.
                chosen.place = None
                place.drop()
                give_up(handle)
                if self._object is None:
                    raise self._closed()

        check(self._perform(side, FULL if side == PRODUCER else EMPTY, timeout, open_place))
        place = found.pop()
        try:
            yield place.view
        except BaseException:
            with contextlib.suppress(ValueError, BufferError):
                self._end_place(side, place, give_up)
            raise
        check(self._end_place(side, place, end))

    def _end_place(self, side, place, end):
        if place.is_done:
            return 0
        handle = self._object
        try:
            with self._sides[side].lock:
                is_current = handle is not None and self._sides[side].place is place
                if place.ended:  # a commit or a release failed because a slice was in use
                    end = place.give_up
                if not place.end():
                    raise BufferError(IN_USE)
                if not is_current:
                    raise ValueError("this Queue was closed before the block of its view ended; close it later")
                self._sides[side].place = None
                place.is_done = True
                return end(handle)
        finally:
            del handle

    def _place_of(self, side, what):
        """Returns the open view of this thread."""
        if self._object is None:
            raise self._closed()
        place = self._sides[side].place
        if place is None or place.ended or place.thread != threading.get_ident():
            raise Invalid(f"this thread has no open {what}; call it inside the block of a {what}")
        return place

    def claim(self, bytes=None, timeout=None):  # pylint: disable=redefined-builtin
        """A context manager: a slot for an item, or for a message of so many bytes, as a memoryview in place. The end of
        the block pushes the item; an exception discards it. Waits for a free slot."""
        wanted = self.item_bytes if bytes is None else number("bytes", bytes, _SIZE_BITS)

        def begin(handle, left):
            address = c_void_p()
            return library.quoit_queue_claim(handle, wanted, byref(address), left), address.value, wanted

        return self._in_place(PRODUCER, timeout, begin, lambda handle: library.quoit_queue_commit(handle, wanted),
                              library.quoit_queue_discard)

    def try_claim(self, bytes=None):  # pylint: disable=redefined-builtin
        """Claims without waiting. The block raises Full if no slot is free."""
        return self.claim(bytes, 0)

    def claim_many(self, wanted, timeout=None):
        """Like claim, for up to `wanted` adjacent items."""
        wanted, count = number("wanted", wanted, _SIZE_BITS), c_size_t()

        def begin(handle, left):
            address = c_void_p()
            status = library.quoit_queue_claim_many(handle, wanted, byref(address), byref(count), left)
            return status, address.value, count.value * self.item_bytes

        return self._in_place(PRODUCER, timeout, begin, lambda handle: library.quoit_queue_commit_many(handle, count),
                              library.quoit_queue_discard)

    def commit(self, bytes):  # pylint: disable=redefined-builtin
        """Inside the block of a claim: pushes this many bytes of the message, and ends the view."""
        place = self._place_of(PRODUCER, "claim")
        bytes = number("bytes", bytes, _SIZE_BITS)
        if bytes > place.size or (not self.messages and bytes != self.item_bytes):
            raise ValueError(f"{bytes} bytes cannot be committed, because {place.size} are claimed")
        check(self._end_place(PRODUCER, place, lambda handle: library.quoit_queue_commit(handle, bytes)))

    def commit_many(self, count):
        """Inside the block of claim_many: pushes the first count items, and ends the view."""
        place, count = self._place_of(PRODUCER, "claim"), number("count", count, _SIZE_BITS)
        if self.messages or count * self.item_bytes > place.size:
            raise ValueError(f"{count} items cannot be committed, because {place.size} bytes are claimed")
        check(self._end_place(PRODUCER, place, lambda handle: library.quoit_queue_commit_many(handle, count)))

    def discard(self):
        """Inside the block of a claim: discards it, and ends the view. Without a claim it does nothing."""
        place = self._sides[PRODUCER].place
        if place is None or place.ended:
            check(self._call(PRODUCER, library.quoit_queue_discard))
        else:
            check(self._end_place(PRODUCER, self._place_of(PRODUCER, "claim"), library.quoit_queue_discard))

    def peek(self, timeout=None):
        """A context manager: the next item or message as a memoryview in place. The end of the block pops the item; an
        exception leaves it queued. Delete slices of the view and arrays over it before the end. Waits for an item."""
        def begin(handle, left):
            address, size = c_void_p(), c_size_t()
            status = library.quoit_queue_peek(handle, byref(address), byref(size), left)
            return status, address.value, size.value

        return self._in_place(CONSUMER, timeout, begin, library.quoit_queue_release, lambda _handle: 0)

    def try_peek(self):
        """Peeks without waiting. The block raises Empty if there is no item."""
        return self.peek(0)

    def peek_many(self, limit, timeout=None):
        """Like peek, for up to `limit` adjacent items."""
        limit, count = number("limit", limit, _SIZE_BITS, least=1), c_size_t()

        def begin(handle, left):
            address = c_void_p()
            status = library.quoit_queue_peek_many(handle, byref(address), byref(count), left)
            count.value = min(count.value, limit)
            return status, address.value, count.value * self.item_bytes

        return self._in_place(CONSUMER, timeout, begin, lambda handle: library.quoit_queue_release_many(handle, count),
                              lambda _handle: 0)

    def release(self):
        """Inside the block of peek: pops the item now, and ends the view."""
        check(self._end_place(CONSUMER, self._place_of(CONSUMER, "peek"), library.quoit_queue_release))

    def release_many(self, count):
        """Inside the block of peek_many: pops the first count items, leaves the others queued, and ends the view."""
        place, count = self._place_of(CONSUMER, "peek"), number("count", count, _SIZE_BITS)
        if count > max(1, place.size // self.item_bytes):
            raise ValueError(f"{count} items cannot be released, because {place.size // self.item_bytes} are peeked at")
        check(self._end_place(CONSUMER, place, lambda handle: library.quoit_queue_release_many(handle, count)))

    def __iter__(self):
        """Pops items until the stream ends. Waits for each. Raises Abandoned if the producer crashed."""
        with contextlib.suppress(Finished):
            while True:
                yield self.pop(timeout=None)

    # asyncio: one task at a time for each side.

    async def get(self):
        """Pops. Awaits an item."""
        while True:
            try:
                return self.try_pop()
            except Empty:
                await self._ready(CONSUMER)

    async def put(self, item):
        """Pushes. Awaits a free slot."""
        while True:
            try:
                return self.try_push(item)
            except Full:
                await self._ready(PRODUCER)

    async def __aiter__(self):
        with contextlib.suppress(Finished):
            while True:
                yield await self.get()

    async def _ready(self, role):
        if role in self._waiting:
            raise RuntimeError("another task awaits this side of the queue; use one task for each side of a handle")
        # The loop gets its own descriptor: another thread may close the queue's, and its number may be used again.
        loop = asyncio.get_running_loop()
        fd = self._call(role, lambda handle: os.dup(self._poll_fd(handle, _EVENTS[role])))
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
    def _poll_fd(handle, events):
        fd = c_int(-1)
        check(library.quoit_queue_poll_fd(handle, events, byref(fd)))
        return fd.value

    def poll_fd(self, events):
        """Returns a file descriptor that is readable while there are items (quoit.ITEMS) or free slots (quoit.ROOM),
        and after the end of the stream."""
        events = number("events", events, 32)
        return self._call({ITEMS: CONSUMER, ROOM: PRODUCER}.get(events, OTHER), self._poll_fd, events)

    def finish(self):
        """Ends the stream: a consumer gets the queued items, then Finished."""
        check(self._call(PRODUCER, library.quoit_queue_finish))

    def unlink(self):
        """Removes the queue's name if it still leads to this queue. Open handles continue to work."""
        check(self._call(OTHER, library.quoit_queue_unlink))

    def __len__(self):
        return self._call(OTHER, library.quoit_queue_size)

    def __bool__(self):
        return True  # also if the queue is empty

    @property
    def capacity(self):
        return self._call(OTHER, library.quoit_queue_capacity)

    @property
    def finished(self):
        return self.inspect().finished

    @property
    def missed(self):
        """For a broadcast with DROP_OLDEST: the number of items overwritten before this subscriber popped them."""
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
        """Checks the invariants of the shared memory. Raises Corrupt, with the invariant that does not hold."""
        check(self._call(OTHER, library.quoit_queue_check))

    def latest(self):
        """For a broadcast: returns a copy of the newest item, which stays. Works with any flags, and does not wait.
        Raises Empty if no item was ever pushed, and Busy if the producer overwrote the item during each copy; then call
        again."""
        buffer, size = ctypes.create_string_buffer(max(self.item_bytes, 1)), c_size_t()
        check(self._call(OTHER, library.quoit_queue_latest, buffer, self.item_bytes, byref(size)))
        return self._decoded(memoryview(buffer)[:size.value].tobytes())

    def browse(self, browser=None):
        """Yields the queued items, and leaves them queued. Any flags. The same Browser continues with newer items."""
        browser, size = browser if browser is not None else Browser(), c_uint64()
        if not isinstance(browser, Browser):
            raise TypeError(f"browser is {browser!r}; it must be a quoit.Browser")
        buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
        while True:
            status = self._call(OTHER, library.quoit_queue_browse, byref(browser), buffer, self.item_bytes, byref(size))
            if status in (EMPTY, FINISHED):
                return
            check(status)
            yield self._decoded(memoryview(buffer)[:size.value].tobytes())


def unlink(name, flags=0):
    """Removes the name of a queue, pool, region or lock. flags: 0, or quoit.ANY_OWNER."""
    check(library.quoit_unlink(encoded_name(name), number("flags", flags, 32)))
