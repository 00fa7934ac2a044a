# SPDX-License-Identifier: MIT
"""Broadcast: one writer and many readers of objects."""
from __future__ import annotations

import contextlib

from ._core import BROADCAST, WAIT_FOR_SLOWEST, Finished
from ._queue import Queue


class Broadcast(Queue):
    """A queue in which every reader gets every object that was put since it joined; by create, open or join.

    flags: quoit.PRODUCER for the writer, of which there is one; quoit.CONSUMER for a reader; a reader with
    quoit.CONSUMER | quoit.FROM_OLDEST begins with the oldest object that is kept. when_full: WAIT_FOR_SLOWEST, a put waits
    for the slowest live reader; DROP_OLDEST, a reader that is overtaken goes on with newer objects (see missed).
    Iteration yields objects, until the writer calls finish().

        with quoit.Broadcast.join("frames", quoit.CONSUMER, capacity=8, item_bytes=1 << 20) as frames:
            for frame in frames:
                print(frame.shape)
    """

    @classmethod
    def create(cls, name, flags, *, capacity, item_bytes, when_full=WAIT_FOR_SLOWEST, permissions=0, user_bytes=0, type="",
               item_align=None, members=0, memory=0):
        """Make a broadcast of objects, each of up to item_bytes pickled. Raises Exists if there is one."""
        return super().create(name, flags, capacity=capacity, item_bytes=item_bytes, messages=True, kind=BROADCAST,
                              when_full=when_full, permissions=permissions, user_bytes=user_bytes, type=type,
                              item_align=item_align, members=members, memory=memory)

    @classmethod
    def join(cls, name, flags, *, capacity, item_bytes, when_full=WAIT_FOR_SLOWEST, permissions=0, user_bytes=0, type="",
             item_align=None, members=0, memory=0):
        """Open the broadcast, or make it. Raises Different if the one there is not as requested."""
        return super().join(name, flags, capacity=capacity, item_bytes=item_bytes, messages=True, kind=BROADCAST,
                            when_full=when_full, permissions=permissions, user_bytes=user_bytes, type=type,
                            item_align=item_align, members=members, memory=memory)

    @classmethod
    def open(cls, name, flags):
        """Open a broadcast that exists. Raises NotFound if there is none."""
        return super().open(name, flags)

    def __iter__(self):
        with contextlib.suppress(Finished):
            while True:
                yield self.get()

    async def __aiter__(self):
        with contextlib.suppress(Finished):
            while True:
                yield await self.async_get()
