# SPDX-License-Identifier: MIT
"""Pools: Pool, Block."""
from __future__ import annotations

import contextlib

from . import _core
from ._core import NotYours
from ._queue import Queue
from ._view import IN_USE, View


class Block:
    """A block that is this process's, until it is freed or pushed; as a context manager freed at the end."""

    def __init__(self, pool, number):
        self._pool, self._number, self._views = pool, number, []

    @property
    def number(self):
        """0 once it is freed or pushed."""
        return self._number

    def _take(self):
        """The number, which this block gives up: no view of it may be open."""
        if self._pool.closed:
            raise ValueError("this Pool is closed")
        self._views = [view for view in self._views if not view.ended or not view.end()]
        if self._views:
            raise BufferError("a view of the block is still in use: end it before the block is freed or pushed")
        taken, self._number = self._number, 0
        return taken

    @contextlib.contextmanager
    def _viewed(self):
        view = View(self._pool._memory(self._number))
        self._views.append(view)
        self._pool._views.append(view)
        try:
            yield view.view
        finally:
            is_ended = view.end()
            with contextlib.suppress(ValueError):  # close() has removed it
                self._pool._views.remove(view)
            if is_ended and view in self._views:
                self._views.remove(view)
        if not is_ended:
            raise BufferError(IN_USE)

    def view(self):
        """A context manager: the block as a memoryview, in place. Raises NotYours if it was freed or pushed."""
        self._pool._memory(self._number)  # NotYours now, not when the block begins
        return self._viewed()

    def free(self):
        """Give the block back. Raises NotYours if it was freed or pushed, BufferError while a view of it is in use."""
        taken = self._take()
        try:
            self._pool._free(taken)
        except BaseException:
            self._number = taken
            raise

    def __reduce_ex__(self, _protocol):
        raise TypeError("a quoit.Block belongs to its pool's handle, and is neither copied nor pickled: send it with "
                        "Pool.push")

    def __repr__(self):
        return f"<quoit.Block {self._number:#x} of {self._pool!r}>" if self._number else "<quoit.Block, freed or pushed>"

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        if self._number:
            self.free()


class Pool(_core.Pool):
    """Blocks of one size that change hands through queues of item_bytes=8 (any kind), without a copy."""

    @classmethod
    def _make(cls, how, name, flags, **options):
        self = _core.make_pool(cls, how, name, flags, options)
        self._name, self._views = name, []
        return self

    @classmethod
    def create(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        """Make a pool of so many blocks, each of block_bytes. Raises Exists if there is one."""
        return cls._make("create", name, flags, block_bytes=block_bytes, blocks=blocks, permissions=permissions)

    @classmethod
    def join(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        """Open the pool, or make it. Raises Different if the pool there is not as requested."""
        return cls._make("join", name, flags, block_bytes=block_bytes, blocks=blocks, permissions=permissions)

    @classmethod
    def open(cls, name, flags=0):
        """Open a pool that exists. Raises NotFound if there is none."""
        return cls._make("open", name, flags)

    def __reduce_ex__(self, _protocol):
        raise TypeError("a quoit.Pool belongs to its process, and is neither copied nor pickled: pass its name, and call "
                        "quoit.Pool.open(name, ...) there")

    def __repr__(self):
        if self.closed:
            return f"<quoit.Pool {self._name!r}, closed>"
        return f"<quoit.Pool {self._name!r}: {self.free_count} of {self.blocks} blocks of {self.block_bytes} bytes free>"

    def close(self):
        """Leave. The pool stays; reclaim() by another member frees the blocks that are still this handle's."""
        views, self._views = self._views, []
        for view in views:
            view.end()
        super().close()

    def alloc(self):
        """A block; Exhausted if none is free."""
        return Block(self, self._alloc())

    def push(self, queue, block, timeout=None):
        """Hand a block on through the queue. Waits for room. The block stays this process's if it raises."""
        if not isinstance(block, Block):
            raise TypeError(f"{block!r} is no quoit.Block")
        if not isinstance(queue, Queue):
            raise TypeError(f"{queue!r} is no quoit.Queue")
        if self.closed:
            raise ValueError("this Pool is closed")
        taken = block._take()
        try:
            self._push(queue, timeout, taken)
        except BaseException:
            block._number = taken
            raise

    def try_push(self, queue, block):
        """push without a wait. Raises Full if there is no room."""
        self.push(queue, block, 0)

    def pop(self, queue, timeout=None):
        """The next block from the queue. Waits for one."""
        return Block(self, self._pop(queue, timeout))

    def try_pop(self, queue):
        """pop without a wait. Raises Empty if there is no block."""
        return self.pop(queue, 0)

    def reclaim(self, *queues):
        """Free the blocks of crashed processes. queues: those that blocks go through. Returns how many were freed."""
        return self._reclaim(queues)


__all__ = ["Block", "Pool", "NotYours"]
