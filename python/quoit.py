# SPDX-License-Identifier: MIT
"""Messages between the processes of one machine, through shared memory: Quoit for Python.

    queue = quoit.Queue.join("lines", quoit.PRODUCER, capacity=64, message_bytes=4096)
    queue.push(b"hello")                    # quoit.Full if there is no room
    queue.push(b"hello", timeout=2.5)       # waits, in seconds; None: as long as it takes

    with quoit.Queue.open("lines", quoit.CONSUMER) as queue:
        for line in queue:                  # waits for each, until the producer's finish()
            print(line)

One file over the C library, by ctypes. The library is the one that the environment variable QUOIT_LIBRARY names, else
one beside this file, else the system's. include/quoit.h is the manual: names, what survives a death, and kinds.

An item is bytes. With message_bytes each has a length of its own; with item_bytes all have that one; with format (of
the struct module) items are tuples, to C programs structs.

Threads: a handle's producing calls belong to one thread at a time, and so do its consuming ones; close() to nobody
else. Waits let other threads run, and Ctrl-C ends them. After os.fork() the child's handles are dead (quoit.Forked):
open anew there; multiprocessing with "spawn" has no such trouble.
"""
import asyncio
import contextlib
import ctypes
import ctypes.util
import os
import struct
import sys
import time
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_int64, c_uint32, c_uint64, c_void_p

ABI = 4  # of the header that the declarations below are from

SPSC, MPMC, BROADCAST = 0, 1, 2
FOR_ITEMS, FOR_SPANS = 0, 1
LOSSLESS, LOSSY = 0, 1
PRODUCER, CONSUMER, OBSERVER, ANY_OWNER, FROM_OLDEST = 1, 2, 4, 0x100, 0x200
READ_ONLY = 1
MEMBERS_MAX = 64


# ---- Errors -----------------------------------------------------------------------------------

class Error(Exception):
    """What the library reports. status is its number, name as C has it: "QUOIT_FULL"."""
    status = None

    @property
    def name(self):
        return _library.quoit_status_name(self.status).decode()


_STATUSES = """Full 1, Empty 2, Timeout 3, Closed 4, Abandoned 5, Exhausted 6, Invalid -1, NameEmpty -2, NameTooLong -3,
NameCharacter -4, Scheme -5, Unsupported -6, Capacity -7, ItemSize -8, Overflow -9, Exists -10, NotFound -11,
Permission -12, Owner -13, NoSpace -14, Limit -15, NoMemory -16, NotQuoit -17, Version -18, Mismatch -19,
Collision -20, Corrupt -21, Busy -22, Role -23, Forked -24, System -25, Stale -26, TooBig -27"""
_ALSO = {"Timeout": TimeoutError, "NotFound": FileNotFoundError, "Exists": FileExistsError,
         "Permission": PermissionError, "Invalid": ValueError, "TooBig": ValueError, "NoMemory": MemoryError}
_errors = {}
for _name, _number in (_pair.split() for _pair in _STATUSES.split(",")):
    _bases = (Error, _ALSO[_name]) if _name in _ALSO else (Error,)
    _errors[int(_number)] = globals()[_name] = type(_name, _bases, {"status": int(_number), "__module__": __name__})
_FULL, _EMPTY, _TIMEOUT, _CLOSED, _TOO_BIG = 1, 2, 3, 4, -27


def _error(status):
    text = _library.quoit_error_text() if status < 0 else b""
    text = text or _library.quoit_status_text(status)
    return _errors[status](text.decode(errors="replace"))


def _check(status):
    if status:
        raise _error(status)


# ---- The library ------------------------------------------------------------------------------

class _QueueOptions(ctypes.Structure):
    _fields_ = [("kind", c_int), ("item_bytes", c_uint32), ("capacity", c_uint64), ("permissions", c_uint32),
                ("sized", c_bool), ("tuning", c_int), ("user_bytes", c_uint32), ("broadcast", c_int)]


class _Fields(ctypes.Structure):
    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{f[0]}={getattr(self, f[0])}' for f in self._fields_)})"


class QueueInfo(_Fields):
    """struct quoit_queue_info."""
    _fields_ = [("kind", c_int), ("item_bytes", c_uint32), ("capacity", c_uint64), ("tuning", c_int),
                ("broadcast", c_int), ("sized", c_bool), ("user_bytes", c_uint64), ("pushed", c_uint64),
                ("popped", c_uint64), ("size", c_uint64), ("finished", c_bool), ("producer_pid", c_uint32),
                ("consumer_pid", c_uint32), ("created_by", c_uint32), ("created_at_unix_ns", c_uint64),
                ("full", c_uint64), ("empty", c_uint64), ("sleeps", c_uint64), ("wakes", c_uint64),
                ("repairs", c_uint64), ("high_water", c_uint64)]


class Member(_Fields):
    """struct quoit_member_info."""
    _fields_ = [("pid", c_uint32), ("roles", c_uint32), ("joined_at_unix_ns", c_uint64), ("alive", c_bool),
                ("holds_up", c_bool), ("lag", c_uint64)]


class Cursor(_Fields):
    """Where somebody who looks at a queue is; see Queue.look."""
    _fields_ = [("next", c_uint64), ("missed", c_uint64), ("begun", c_bool)]


class _PoolOptions(ctypes.Structure):
    _fields_ = [("block_bytes", c_uint64), ("blocks", c_uint64), ("permissions", c_uint32)]


_VISIT = ctypes.CFUNCTYPE(c_bool, c_void_p, c_char_p)


def _load():
    here = os.path.dirname(os.path.abspath(__file__))
    names = ["libquoit.so.0", "libquoit.so", "libquoit.dylib", "quoit.dll"]
    beside = [path for path in (os.path.join(here, name) for name in names) if os.path.exists(path)]
    chosen = os.environ.get("QUOIT_LIBRARY")
    found = ctypes.util.find_library("quoit")
    tried = [chosen] if chosen else beside + ([found] if found else []) + names[:1]
    reasons = []
    for path in tried:
        try:
            return ctypes.CDLL(path)
        except OSError as reason:
            reasons.append(str(reason))
    raise ImportError("the library libquoit was not found (" + "; ".join(reasons) + "): install it, or have the "
                      "environment variable QUOIT_LIBRARY name its file")


def _declare(library):
    u64, u64s, h, out = c_uint64, POINTER(c_uint64), c_void_p, POINTER(c_void_p)
    calls = {
        "status_name": (c_char_p, c_int), "status_text": (c_char_p, c_int), "error_text": (c_char_p,),
        "queue_create_abi": (c_int, c_uint32, c_char_p, POINTER(_QueueOptions), c_uint32, out),
        "queue_join_abi": (c_int, c_uint32, c_char_p, POINTER(_QueueOptions), c_uint32, out),
        "queue_open_abi": (c_int, c_uint32, c_char_p, c_uint32, out),
        "queue_close": (None, h), "queue_finish": (c_int, h), "queue_unlink": (c_int, c_char_p),
        "queue_unlink_self": (c_int, h), "queue_push": (c_int, h, c_void_p), "queue_pop": (c_int, h, c_void_p),
        "queue_push_many": (u64, h, c_void_p, u64), "queue_pop_many": (u64, h, c_void_p, u64),
        "queue_wait_for_room": (c_int, h, c_int64), "queue_wait_for_items": (c_int, h, c_int64),
        "queue_push_wait": (c_int, h, c_void_p, c_int64), "queue_pop_wait": (c_int, h, c_void_p, c_int64),
        "queue_push_sized_wait": (c_int, h, c_void_p, u64, c_int64),
        "queue_pop_sized_wait": (c_int, h, c_void_p, u64, u64s, c_int64),
        "queue_poll_fd": (c_int, h, c_uint32, POINTER(c_int)), "queue_claim": (c_int, h, u64, out, u64s),
        "queue_commit": (c_int, h, u64), "queue_push_sized": (c_int, h, c_void_p, u64),
        "queue_pop_sized": (c_int, h, c_void_p, u64, u64s), "queue_claim_sized": (c_int, h, u64, out),
        "queue_commit_sized": (c_int, h, u64), "queue_peek_sized": (c_int, h, out, u64s),
        "queue_peek": (c_int, h, out, u64s), "queue_release": (c_int, h, u64), "queue_size": (u64, h),
        "queue_capacity": (u64, h), "queue_is_finished": (c_bool, h), "queue_missed": (u64, h),
        "queue_inspect": (c_int, h, POINTER(QueueInfo)), "queue_check": (c_int, h),
        "queue_members": (c_int, h, POINTER(Member), u64, u64s), "list": (c_int, c_char_p, _VISIT, c_void_p),
        "queue_look": (c_int, h, POINTER(Cursor), c_void_p, u64, u64s), "queue_user_area": (c_void_p, h),
        "pool_create": (c_int, c_char_p, POINTER(_PoolOptions), c_uint32, out),
        "pool_join": (c_int, c_char_p, POINTER(_PoolOptions), c_uint32, out),
        "pool_open": (c_int, c_char_p, c_uint32, out), "pool_close": (None, h), "pool_unlink": (c_int, c_char_p),
        "pool_alloc": (c_int, h, u64s), "pool_free": (c_int, h, u64), "pool_at": (c_void_p, h, u64),
        "pool_push": (c_int, h, h, u64), "pool_pop": (c_int, h, h, u64s),
        "pool_push_wait": (c_int, h, h, u64, c_int64), "pool_pop_wait": (c_int, h, h, u64s, c_int64),
        "pool_reclaim": (c_int, h, POINTER(c_void_p), u64, u64s), "pool_block_bytes": (u64, h),
        "pool_blocks": (u64, h), "pool_free_count": (u64, h),
    }
    for name, (result, *arguments) in calls.items():
        function = getattr(library, "quoit_" + name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _declare(_load())


def list(where=None):  # pylint: disable=redefined-builtin
    """The names of all objects of Quoit's on this machine, or of a scheme ("sysv"), or a directory ("file:/tmp")."""
    names = []
    _check(_library.quoit_list(where.encode() if where else None,
                               _VISIT(lambda _context, name: names.append(os.fsdecode(name)) or True), None))
    return names


# ---- What all handles have --------------------------------------------------------------------

_SLICE_NS = 100_000_000  # a wait looks this often whether Python has a signal to see to


def _wait(call, timeout):
    """call(timeout_ns) again and again, until it has an answer or the seconds are over."""
    end = None if timeout is None else time.monotonic_ns() + int(timeout * 1e9)
    while True:
        left = _SLICE_NS if end is None else max(0, min(_SLICE_NS, end - time.monotonic_ns()))
        status = call(left)
        if status != _TIMEOUT or (end is not None and time.monotonic_ns() >= end):
            return status


class _Handle:
    _close = None
    _handle_value = None

    def __init__(self, handle):
        self._handle_value = handle

    @property
    def _handle(self):
        if not self._handle_value:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._handle_value

    def close(self):
        """Leave. The object stays, with what is in it."""
        handle, self._handle_value = self._handle_value, None
        if handle:
            getattr(_library, self._close)(handle)

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        self.close()

    def __del__(self):
        self.close()


@contextlib.contextmanager
def _view(address, size, writable):
    """The memory as a memoryview, which ends with the block, and must be all that leads there."""
    memory = (c_char * size).from_address(address) if size else bytearray()
    view = memoryview(memory).cast("B")
    view = view if writable else view.toreadonly()
    try:
        yield view
    finally:
        try:
            view.release()
        except BufferError:
            pass
        if size and sys.getrefcount(memory) > 2:
            raise BufferError("a slice of the view, or an array over it, is still in use: end it before the block does")


# ---- Queues -----------------------------------------------------------------------------------

class Queue(_Handle):
    """A queue's handle, by create, open or join; roles are or-ed: quoit.PRODUCER | quoit.CONSUMER.

    A timeout is in seconds: 0 does not wait, None waits for ever. A push that finds no room raises Full, a pop that
    finds nothing Empty; those that wait Timeout, or Abandoned where the other side died or left. Closed: the end.
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
        asked = _QueueOptions(item_bytes=size, capacity=capacity, sized=message_bytes is not None, **options)
        handle = c_void_p()
        _check(call(ABI, os.fsencode(name), byref(asked), roles, byref(handle)))
        return cls(handle.value, format)

    @classmethod
    def create(cls, name, roles, *, capacity, message_bytes=None, item_bytes=None, format=None, **options):
        """Make a queue. options: kind, tuning, broadcast, permissions, user_bytes."""
        return cls._make(_library.quoit_queue_create_abi, name, roles, capacity, message_bytes, item_bytes, format,
                         options)

    @classmethod
    def join(cls, name, roles, *, capacity, message_bytes=None, item_bytes=None, format=None, **options):
        """Open the queue, or make it; Mismatch where another one is there."""
        return cls._make(_library.quoit_queue_join_abi, name, roles, capacity, message_bytes, item_bytes, format,
                         options)

    @classmethod
    def open(cls, name, roles, *, format=None):
        """Open a queue that is there, else NotFound."""
        handle = c_void_p()
        _check(_library.quoit_queue_open_abi(ABI, os.fsencode(name), roles, byref(handle)))
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
            status = _library.quoit_queue_push_sized(handle, data, len(data))
        else:
            status = _library.quoit_queue_push(handle, data)
        if status == _FULL and timeout != 0:
            if self.sized:
                status = _wait(lambda ns: _library.quoit_queue_push_sized_wait(handle, data, len(data), ns), timeout)
            else:
                status = _wait(lambda ns: _library.quoit_queue_push_wait(handle, data, ns), timeout)
        _check(status)

    def pop(self, timeout=0):
        """The next item, as bytes; with format as a tuple."""
        handle, size = self._handle, c_uint64(self.item_bytes)
        if self._buffer is None:
            self._buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
        buffer = self._buffer
        if self.sized:
            status = _library.quoit_queue_pop_sized(handle, buffer, self.item_bytes, byref(size))
        else:
            status = _library.quoit_queue_pop(handle, buffer)
        if status == _EMPTY and timeout != 0:
            if self.sized:
                status = _wait(lambda ns: _library.quoit_queue_pop_sized_wait(handle, buffer, self.item_bytes,
                                                                              byref(size), ns), timeout)
            else:
                status = _wait(lambda ns: _library.quoit_queue_pop_wait(handle, buffer, ns), timeout)
        _check(status)
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
        pushed = _library.quoit_queue_push_many(self._handle, b"".join(parts), len(parts))
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
        _check(_wait(lambda ns: _library.quoit_queue_wait_for_items(handle, ns), timeout))

    def wait_for_room(self, timeout=None):
        """Return when there is room."""
        handle = self._handle
        _check(_wait(lambda ns: _library.quoit_queue_wait_for_room(handle, ns), timeout))

    @contextlib.contextmanager
    def peek(self, limit=1):
        """The next message, or up to limit items one after the other, as a memoryview in place; taken when the block
        ends, but not by an exception. Slices and arrays over it must end before."""
        address, size = c_void_p(), c_uint64()
        if self.sized:
            _check(_library.quoit_queue_peek_sized(self._handle, byref(address), byref(size)))
            count, size = 1, size.value
        else:
            _check(_library.quoit_queue_peek(self._handle, byref(address), byref(size)))
            count = min(size.value, limit)
            size = count * self.item_bytes
        with _view(address.value, size, False) as view:
            yield view
        _check(_library.quoit_queue_release(self._handle, count))

    @contextlib.contextmanager
    def claim(self, wanted=1):
        """Room for a message of so many bytes, or for up to so many items, as a memoryview in place; pushed when the
        block ends, given up by an exception."""
        address, count = c_void_p(), c_uint64()
        if self.sized:
            _check(_library.quoit_queue_claim_sized(self._handle, wanted, byref(address)))
            size = wanted
        else:
            _check(_library.quoit_queue_claim(self._handle, wanted, byref(address), byref(count)))
            size = count.value * self.item_bytes
        try:
            with _view(address.value, size, True) as view:
                yield view
        except BaseException:
            _library.quoit_queue_commit(self._handle, 0)
            raise
        commit = _library.quoit_queue_commit_sized if self.sized else _library.quoit_queue_commit
        _check(commit(self._handle, wanted if self.sized else count.value))

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
        _check(_library.quoit_queue_poll_fd(self._handle, role, byref(fd)))
        return fd.value

    def finish(self):
        """End the stream: whoever pops gets what is queued, then Closed."""
        _check(_library.quoit_queue_finish(self._handle))

    def unlink(self):
        """Remove this queue's name; who has it open goes on."""
        _check(_library.quoit_queue_unlink_self(self._handle))

    def __len__(self):
        return _library.quoit_queue_size(self._handle)

    def __bool__(self):
        return True  # and not whether it is empty

    @property
    def capacity(self):
        return _library.quoit_queue_capacity(self._handle)

    @property
    def finished(self):
        return _library.quoit_queue_is_finished(self._handle)

    @property
    def missed(self):
        """Items of a lossy broadcast that were overwritten before this subscriber came to them."""
        return _library.quoit_queue_missed(self._handle)

    def inspect(self):
        info = QueueInfo()
        _check(_library.quoit_queue_inspect(self._handle, byref(info)))
        return info

    def members(self):
        rows, count = (Member * MEMBERS_MAX)(), c_uint64()
        _check(_library.quoit_queue_members(self._handle, rows, MEMBERS_MAX, byref(count)))
        return rows[:min(count.value, MEMBERS_MAX)]

    def check(self):
        """The invariants of what is shared; Corrupt tells which does not hold."""
        _check(_library.quoit_queue_check(self._handle))

    def look(self, cursor=None):
        """For observers: the items that are there, without taking them. The same Cursor goes on with newer ones."""
        cursor, size = cursor if cursor is not None else Cursor(), c_uint64()
        buffer = ctypes.create_string_buffer(max(self.item_bytes, 1))
        while True:
            status = _library.quoit_queue_look(self._handle, byref(cursor), buffer, self.item_bytes, byref(size))
            if status in (_EMPTY, _CLOSED):
                return
            _check(status)
            yield self._decoded(ctypes.string_at(buffer, size.value))


def unlink(name):
    """Remove a queue's name."""
    _check(_library.quoit_queue_unlink(os.fsencode(name)))


# ---- Pools ------------------------------------------------------------------------------------

class Block:
    """A block that is this process's, until it is freed or pushed; as a context manager freed at the end."""

    def __init__(self, pool, number):
        self._pool, self.number = pool, number

    def view(self):
        """A context manager: the block as a memoryview, in place."""
        address = _library.quoit_pool_at(self._pool._handle, self.number)
        if not address:
            raise Stale("the block was freed or pushed")
        return _view(address, self._pool.block_bytes, True)

    def free(self):
        _check(_library.quoit_pool_free(self._pool._handle, self.number))
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        if self.number:
            self.free()


class Pool(_Handle):
    """Blocks of one size that change hands through queues of item_bytes=8 (any kind), without a copy."""
    _close = "quoit_pool_close"

    @classmethod
    def _make(cls, call, name, block_bytes, blocks, permissions, flags):
        handle, asked = c_void_p(), _PoolOptions(block_bytes, blocks, permissions)
        _check(call(os.fsencode(name), byref(asked), flags, byref(handle)))
        return cls(handle.value)

    @classmethod
    def create(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        return cls._make(_library.quoit_pool_create, name, block_bytes, blocks, permissions, flags)

    @classmethod
    def join(cls, name, *, block_bytes, blocks, permissions=0, flags=0):
        return cls._make(_library.quoit_pool_join, name, block_bytes, blocks, permissions, flags)

    @classmethod
    def open(cls, name, flags=0):
        handle = c_void_p()
        _check(_library.quoit_pool_open(os.fsencode(name), flags, byref(handle)))
        return cls(handle.value)

    @staticmethod
    def unlink(name):
        _check(_library.quoit_pool_unlink(os.fsencode(name)))

    def allocate(self):
        """A block; Exhausted if none is free."""
        number = c_uint64()
        _check(_library.quoit_pool_alloc(self._handle, byref(number)))
        return Block(self, number.value)

    def push(self, queue, block, timeout=0):
        """Hand a block on."""
        pool, through, number = self._handle, queue._handle, block.number
        status = _library.quoit_pool_push(pool, through, number)
        if status == _FULL and timeout != 0:
            status = _wait(lambda ns: _library.quoit_pool_push_wait(pool, through, number, ns), timeout)
        _check(status)
        block.number = 0

    def pop(self, queue, timeout=0):
        pool, through, number = self._handle, queue._handle, c_uint64()
        status = _library.quoit_pool_pop(pool, through, byref(number))
        if status == _EMPTY and timeout != 0:
            status = _wait(lambda ns: _library.quoit_pool_pop_wait(pool, through, byref(number), ns), timeout)
        _check(status)
        return Block(self, number.value)

    def reclaim(self, *queues):
        """Free what the dead had; queues: those that blocks go through. Returns how many."""
        count, handles = c_uint64(), (c_void_p * (len(queues) or 1))(*(queue._handle for queue in queues))
        _check(_library.quoit_pool_reclaim(self._handle, handles, len(queues), byref(count)))
        return count.value

    @property
    def block_bytes(self):
        return _library.quoit_pool_block_bytes(self._handle)

    @property
    def blocks(self):
        return _library.quoit_pool_blocks(self._handle)

    @property
    def free_count(self):
        return _library.quoit_pool_free_count(self._handle)
