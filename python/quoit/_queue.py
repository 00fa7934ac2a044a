# SPDX-License-Identifier: MIT
"""Queues: Queue; and unlink. Methods that are called often are in quoit._core, in C."""
from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import typing

from . import _core
from ._core import (CONSUMER, ITEMS, PRODUCER, ROOM, SPSC, WAIT_FOR_SLOWEST, Browser, Different, Empty, Error, Finished, Full)
from ._info import Member, QueueInfo
from ._records import NOTHING, codec
from ._view import View

_EVENTS = {PRODUCER: ROOM, CONSUMER: ITEMS}
_KINDS = {0: "SPSC", 1: "MPMC", 2: "BROADCAST"}
_log = logging.getLogger("quoit")


class Queue(_core.Queue):
    """A queue's handle, by create, open or join. flags: quoit.PRODUCER, quoit.CONSUMER or both, or quoit.OBSERVER.

    timeout is in seconds. None waits for ever; 0 or less does not wait. Full and Empty are raised also when the time is
    over. Finished: the stream has ended. Abandoned: the last peer crashed, or closed without finish().

        with quoit.Queue.join("lines", quoit.PRODUCER, capacity=64, item_bytes=4096, messages=True) as queue:
            queue.push(b"hello")
            queue.finish()
    """

    # ---- Making

    @classmethod
    def _make(cls, how, name, flags, item_bytes, messages, format, dtype, record, type, **options):
        what = os.fsencode(type)
        if len(what) > 31 or b"\0" in what:
            raise ValueError(f"type is {type!r}; it must have at most 31 bytes, and no NUL")
        made = codec(format, dtype, record)
        if (item_bytes is None) == (made is None):
            raise ValueError("either item_bytes is needed, or one of format, dtype and record")
        if made is not None:
            if messages:
                raise ValueError("a queue of messages has no format, dtype or record")
            item_bytes = made.item_bytes
            if options["item_align"] is None:
                options["item_align"] = made.item_align
        if options["item_align"] is None:
            options["item_align"] = 0
        options.update(item_bytes=item_bytes, messages=messages, type=what)
        return cls._checked(_core.make_queue(cls, how, name, flags, options, made.calls if made else NOTHING), name, flags, made)

    @classmethod
    def _checked(cls, self, name, flags, made):
        self._name, self._flags = name, flags
        self._waiting: dict[int, typing.Callable[[], None]] = {}
        if made and (self.messages or made.item_bytes != self.item_bytes):
            what, value = made.calls[0]
            sizes = f"the queue's {'messages' if self.messages else 'items'} have {self.item_bytes}"
            self.close()
            raise Different(f"{what} {value!r} has {made.item_bytes} bytes, {sizes}")
        return self

    @classmethod
    def create(cls, name, flags, *, capacity, item_bytes=None, messages=False, format=None, dtype=None, record=None,
               kind=SPSC, when_full=WAIT_FOR_SLOWEST, permissions=0, user_bytes=0, finishes=0, type="", item_align=None,
               members=0, memory=0):
        """Make a queue, which must not exist. Raises Exists if it does.

        item_bytes: the size of every item, or with messages=True of the longest message, in bytes. In place of it
        format="<Qd" (tuples, as of the struct module), dtype= (NumPy) or record= (a ctypes.Structure, a dataclass of
        numbers) say what an item is; C programs see a struct, whose size and alignment are filled in. type names it.
        capacity: items. permissions: as of chmod, 0: 0o600. user_bytes: memory of your own beside the queue.
        finishes: this many handles must call finish() to end the stream. item_align: in bytes, a power of two.
        members: the most handles at one time, 0: 64. memory: PREFAULT, LOCK_MEMORY and HUGE_PAGES, or 0.
        """
        return cls._make("create", name, flags, item_bytes, messages, format, dtype, record, type, capacity=capacity,
                         kind=kind, when_full=when_full, permissions=permissions, user_bytes=user_bytes,
                         finishes=finishes, item_align=item_align, members=members, memory=memory)

    @classmethod
    def join(cls, name, flags, *, capacity, item_bytes=None, messages=False, format=None, dtype=None, record=None,
             kind=SPSC, when_full=WAIT_FOR_SLOWEST, permissions=0, user_bytes=0, finishes=0, type="", item_align=None,
             members=0, memory=0):
        """Open the queue, or make it: arguments as of create. Raises Different if the queue there is not as requested."""
        return cls._make("join", name, flags, item_bytes, messages, format, dtype, record, type, capacity=capacity,
                         kind=kind, when_full=when_full, permissions=permissions, user_bytes=user_bytes,
                         finishes=finishes, item_align=item_align, members=members, memory=memory)

    @classmethod
    def open(cls, name, flags, *, format=None, dtype=None, record=None):
        """Open a queue that exists. Raises NotFound if there is none, Different if its items have another size."""
        made = codec(format, dtype, record)
        return cls._checked(_core.make_queue(cls, "open", name, flags, {}, made.calls if made else NOTHING), name, flags,
                            made)

    def again(self, flags):
        """Another handle of the same queue. Raises Removed if the queue's name is gone."""
        kind, value = self._record or (None, None)
        made = codec(**{"format": None, "dtype": None, "record": None, **({kind: value} if kind else {})})
        other = _core.make_queue(type(self), "again", self, flags, {}, made.calls if made else NOTHING)
        return type(self)._checked(other, self._name, flags, made)

    def __reduce_ex__(self, _protocol):
        raise TypeError("a quoit.Queue belongs to its process, and is neither copied nor pickled: pass its name, and call "
                        "quoit.Queue.open(name, ...) there")

    def __repr__(self):
        if self.closed:
            return f"<quoit.Queue {self._name!r}, closed>"
        try:
            info, members = self.inspect(), self.members()
        except Error as error:  # in a forked child, say
            return f"<quoit.Queue {self._name!r}: {error}>"
        what = "messages of up to" if info.messages else "items of"
        return (f"<quoit.Queue {self._name!r}: {_KINDS.get(info.kind, info.kind)}, {info.size} of {info.capacity} "
                f"{what} {info.item_bytes} bytes, {len(members)} member{'s' * (len(members) != 1)}"
                f"{', finished' * bool(info.finished)}>")

    # ---- What it is

    @property
    def name(self):
        """The name that this handle was made with."""
        return self._name

    @property
    def finished(self):
        """True: the stream has ended."""
        return self.inspect().finished

    def inspect(self) -> QueueInfo:
        """The queue's properties and counters: a snapshot."""
        return QueueInfo(*self._inspect())

    def members(self) -> list[Member]:
        """The handles that have joined the queue, those of crashed processes included: a snapshot."""
        return [Member(*row) for row in self._members()]

    def browse(self, browser=None):
        """The items that are queued, without taking them; with any flags. The same Browser goes on with newer ones."""
        browser = Browser() if browser is None else browser
        while (item := self._browse(browser)) is not None:
            yield item

    def user_area(self, *, readonly=False):
        """The memory that user_bytes= asked for, as a memoryview until close(); readonly=True: of an observer."""
        view = self.__dict__.get("_user_view")
        if view is None or not view.is_open():
            view = self._user_view = View(self._user_memory(readonly))
        return view.view

    def close(self):
        """Leave. The queue stays, with its content. Calls and waits of other threads raise ValueError, and so do views;
        slices of views keep the memory, and the roles, until they are gone."""
        view = self.__dict__.pop("_user_view", None)
        if view is not None:
            view.end()
        super().close()
        for wake in [*self.__dict__.get("_waiting", {}).values()]:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                wake()

    # ---- Waits that take long

    def blockers(self) -> list[Member]:
        """The members that the queue's next step waits for, and all that crashed: a snapshot."""
        return [member for member in self.members() if member.holds_up or not member.alive]

    def _long_wait(self, is_push, seconds):
        """Called by a wait that has taken warn_after seconds, and again after twice the time."""
        blockers = [member.describe() for member in self.blockers() if member.pid != os.getpid()]
        mine, theirs = ("room", "consumer") if is_push else ("an item", "producer")
        if not blockers:
            role = CONSUMER if is_push else PRODUCER
            peers = [member.describe() for member in self.members() if member.roles & role and member.pid != os.getpid()]
            blockers = [f"every {theirs} is alive: " + "; ".join(peers)] if peers else [f"there is no {theirs}"]
        _log.warning("queue %r: waiting for %s since %.1f s: %s", self._name, mine, seconds, "; ".join(blockers))

    # ---- asyncio: one task at a time for each side.

    async def async_pop(self):
        """pop that awaits an item. Cancelling it loses no item."""
        return await self._awaited(CONSUMER, self.try_pop, Empty)

    async def async_push(self, item):
        """push that awaits room. After a cancellation the item was not pushed."""
        return await self._awaited(PRODUCER, lambda: self.try_push(item), Full)

    async def async_get(self):
        """get that awaits an object. Cancelling it loses no object."""
        return await self._awaited(CONSUMER, self.try_get, Empty)

    async def async_put(self, object):  # pylint: disable=redefined-builtin
        """put that awaits room. After a cancellation the object was not put."""
        return await self._awaited(PRODUCER, lambda: self.try_put(object), Full)

    async def __aiter__(self):
        with contextlib.suppress(Finished):
            while True:
                yield await self.async_pop()

    async def _awaited(self, role, call, unready):
        # A call ends at once, between two awaits: so a cancellation finds it done, or not begun.
        while True:
            try:
                return call()
            except unready:
                await self._ready(role)

    async def _ready(self, role):
        if role in self._waiting:
            raise RuntimeError("another task awaits this side of the queue: a handle has one for each side")
        loop = asyncio.get_running_loop()
        fd = self._poll_dup(_EVENTS[role])
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


def unlink(name, flags=0):
    """Remove the name of a queue, a pool, a region or a lock. flags: 0, or quoit.ANY_OWNER.

    Raises NotFound, OtherUser, Permission. Processes that have the object open go on with it."""
    _core.unlink(name, flags)
