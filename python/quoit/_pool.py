# SPDX-License-Identifier: MIT
"""Pools: Pool, Block."""
import contextlib
from ctypes import byref, c_uint64, c_void_p

from ._library import (CONSUMER, EMPTY, FULL, IN_USE, OTHER, PRODUCER, Handle, NotYours, Place, PoolOptions, check,
                       encoded_name, library, number)
from ._queue import Queue


class Block:
    """A block that this process owns until it frees or pushes it. As a context manager it is freed at the end."""

    def __init__(self, pool, number):  # pylint: disable=redefined-outer-name
        self._pool, self._number, self._places = pool, _block_number(number), []

    @property
    def number(self):
        """The block's id; 0 after it was freed or pushed."""
        return self._number

    def _take(self):
        """Returns the number, and clears it in this block. Raises if a view of the block is open."""
        self._places = [place for place in self._places if not place.ended or not place.end()]
        if self._places:
            raise BufferError("a view of the block is still in use; end it before you free or push the block")
        taken, self._number = self._number, 0
        return taken

    def _begin(self, pool):
        address = library.quoit_pool_at(pool, self._number)
        if not address:
            raise NotYours("this block was freed or pushed; use a block from alloc or pop")
        return Place(pool, address, library.quoit_pool_block_bytes(pool), True)

    @contextlib.contextmanager
    def _viewed(self):
        place = self._pool._call(OTHER, self._begin)
        self._places.append(place)
        self._pool._places.append(place)
        try:
            yield place.view
        finally:
            is_ended = place.end()
            with contextlib.suppress(ValueError):  # close() removed it
                self._pool._places.remove(place)
            if is_ended and place in self._places:
                self._places.remove(place)
        if not is_ended:
            raise BufferError(IN_USE)

    def view(self):
        """A context manager: the block as a memoryview, in place."""
        self._pool._call(OTHER, self._begin).drop()  # raises NotYours now, not at the start of the `with` block
        return self._viewed()

    def free(self):
        def give_back(pool):
            taken = self._take()
            status = library.quoit_pool_free(pool, taken)
            if status:
                self._number = taken
            return status

        check(self._pool._call(OTHER, give_back))

    def __reduce_ex__(self, _protocol):
        raise TypeError("a quoit.Block belongs to its pool's handle and can be neither copied nor pickled; send it "
                        "with Pool.push")

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        if self._number:
            self.free()


def _block_number(value):
    return number("number", value)


def _checked(queue):
    if not isinstance(queue, Queue):
        raise TypeError(f"queue is {queue!r}; it must be a quoit.Queue")
    return queue


class Pool(Handle):
    """Blocks of one size, which processes pass on through SPSC or MPMC queues with item_bytes=8, without a copy."""
    _close = "quoit_pool_close"

    @classmethod
    def _of(cls, handle):
        self = cls._adopt(handle.value)
        self._places = []
        return self

    @classmethod
    def _make(cls, call, name, block_bytes, blocks, permissions, flags):
        asked = PoolOptions(number("block_bytes", block_bytes), number("blocks", blocks),
                            number("permissions", permissions, 32))
        handle = c_void_p()
        check(call(encoded_name(name), byref(asked), number("flags", flags, 32), byref(handle)))
        return cls._of(handle)

    @classmethod
    def create(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        return cls._make(library.quoit_pool_create, name, block_bytes, blocks, permissions, flags)

    @classmethod
    def join(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        return cls._make(library.quoit_pool_join, name, block_bytes, blocks, permissions, flags)

    @classmethod
    def open(cls, name, flags=0):
        handle = c_void_p()
        check(library.quoit_pool_open(encoded_name(name), number("flags", flags, 32), byref(handle)))
        return cls._of(handle)

    def _let_go(self):
        places, self._places = self._places, []
        is_ended = [place.end() for place in places]
        for place in places:
            place.drop()
        return all(is_ended)

    def _through(self, call, queue_handle, *arguments):
        """Makes a call with both handles. Called with the queue's lock held."""
        pool = self._object
        if pool is None:
            raise self._closed()
        try:
            return call(pool, queue_handle, *arguments)
        finally:
            del pool

    def alloc(self):
        """Returns a block. Raises Exhausted if none is free."""
        found = c_uint64()
        check(self._call(OTHER, library.quoit_pool_alloc, byref(found)))
        return Block(self, found.value)

    def push(self, queue, block, timeout=None):
        """Pushes a block into the queue. Waits for a free slot. If it raises, this process still owns the block."""
        if not isinstance(block, Block):
            raise TypeError(f"block is {block!r}; it must be a quoit.Block")
        taken = self._call(OTHER, lambda _pool: block._take())

        def put(handle, left):
            return self._through(library.quoit_pool_push, handle, taken, left)

        try:
            check(_checked(queue)._perform(PRODUCER, FULL, timeout, put))
        except BaseException:
            block._number = taken
            raise

    def try_push(self, queue, block):
        """Pushes without waiting. Raises Full if no slot is free."""
        self.push(queue, block, 0)

    def pop(self, queue, timeout=None):
        """Pops the next block from the queue. Waits for one."""
        found = c_uint64()

        def take(handle, left):
            return self._through(library.quoit_pool_pop, handle, byref(found), left)

        check(_checked(queue)._perform(CONSUMER, EMPTY, timeout, take))
        return Block(self, found.value)

    def try_pop(self, queue):
        """Pops without waiting. Raises Empty if there is no block."""
        return self.pop(queue, 0)

    def reclaim(self, *queues):
        """Frees the blocks of crashed processes. queues: those that blocks are sent through. Returns the number freed."""
        count, things = c_uint64(), [_checked(queue)._object for queue in queues]
        try:
            if None in things:
                raise ValueError("one of the queues is closed; pass open queues")
            handles = (c_void_p * (len(things) or 1))(*(thing._as_parameter_ for thing in things))
            status = self._call(OTHER, library.quoit_pool_reclaim, handles, len(things), byref(count))
        finally:
            del things
        check(status)
        return count.value

    @property
    def block_bytes(self):
        return self._call(OTHER, library.quoit_pool_block_bytes)

    @property
    def blocks(self):
        return self._call(OTHER, library.quoit_pool_blocks)

    @property
    def free_count(self):
        return self._call(OTHER, library.quoit_pool_free_count)
