# SPDX-License-Identifier: MIT
"""Pools: Pool, Block."""
import os
from ctypes import byref, c_uint64, c_void_p

from ._library import EMPTY, FULL, Handle, PoolOptions, Stale, check, library, view_of, wait


class Block:
    """A block that is this process's, until it is freed or pushed; as a context manager freed at the end."""

    def __init__(self, pool, number):
        self._pool, self.number = pool, number

    def view(self):
        """A context manager: the block as a memoryview, in place."""
        address = library.quoit_pool_at(self._pool._handle, self.number)
        if not address:
            raise Stale("the block was freed or pushed")
        return view_of(address, self._pool.block_bytes, True)

    def free(self):
        check(library.quoit_pool_free(self._pool._handle, self.number))
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        if self.number:
            self.free()


class Pool(Handle):
    """Blocks of one size that change hands through queues of item_bytes=8 (any kind), without a copy."""
    _close = "quoit_pool_close"

    @classmethod
    def _make(cls, call, name, block_bytes, blocks, permissions, flags):
        handle, asked = c_void_p(), PoolOptions(block_bytes, blocks, permissions)
        check(call(os.fsencode(name), byref(asked), flags, byref(handle)))
        return cls(handle.value)

    @classmethod
    def create(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        return cls._make(library.quoit_pool_create, name, block_bytes, blocks, permissions, flags)

    @classmethod
    def join(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        return cls._make(library.quoit_pool_join, name, block_bytes, blocks, permissions, flags)

    @classmethod
    def open(cls, name, flags=0):
        handle = c_void_p()
        check(library.quoit_pool_open(os.fsencode(name), flags, byref(handle)))
        return cls(handle.value)

    @staticmethod
    def unlink(name):
        check(library.quoit_pool_unlink(os.fsencode(name)))

    def allocate(self):
        """A block; Exhausted if none is free."""
        number = c_uint64()
        check(library.quoit_pool_alloc(self._handle, byref(number)))
        return Block(self, number.value)

    def push(self, queue, block, timeout=0):
        """Hand a block on."""
        pool, through, number = self._handle, queue._handle, block.number
        status = library.quoit_pool_push(pool, through, number)
        if status == FULL and timeout != 0:
            status = wait(lambda ns: library.quoit_pool_push_wait(pool, through, number, ns), timeout)
        check(status)
        block.number = 0

    def pop(self, queue, timeout=0):
        pool, through, number = self._handle, queue._handle, c_uint64()
        status = library.quoit_pool_pop(pool, through, byref(number))
        if status == EMPTY and timeout != 0:
            status = wait(lambda ns: library.quoit_pool_pop_wait(pool, through, byref(number), ns), timeout)
        check(status)
        return Block(self, number.value)

    def reclaim(self, *queues):
        """Free what the dead had; queues: those that blocks go through. Returns how many."""
        count, handles = c_uint64(), (c_void_p * (len(queues) or 1))(*(queue._handle for queue in queues))
        check(library.quoit_pool_reclaim(self._handle, handles, len(queues), byref(count)))
        return count.value

    @property
    def block_bytes(self):
        return library.quoit_pool_block_bytes(self._handle)

    @property
    def blocks(self):
        return library.quoit_pool_blocks(self._handle)

    @property
    def free_count(self):
        return library.quoit_pool_free_count(self._handle)
