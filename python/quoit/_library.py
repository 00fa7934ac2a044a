# SPDX-License-Identifier: MIT
"""The C library: how it is found, what is declared of it, its errors, and what all handles have in common."""
import contextlib
import ctypes
import ctypes.util
import os
import sys
import time
from ctypes import POINTER, c_bool, c_char, c_char_p, c_int, c_int64, c_uint32, c_uint64, c_void_p

ABI = 5  # of the header that the declarations below are from

SPSC, MPMC, BROADCAST = 0, 1, 2
FOR_ITEMS, FOR_SPANS = 0, 1
LOSSLESS, LOSSY = 0, 1
PRODUCER, CONSUMER, OBSERVER, ANY_OWNER, FROM_OLDEST = 1, 2, 4, 0x100, 0x200
READ_ONLY = 1
MEMBERS_MAX = 65


# ---- Errors -----------------------------------------------------------------------------------

class Error(Exception):
    """What the library reports. status is its number, name as C has it: "QUOIT_FULL"."""
    status = None

    @property
    def name(self):
        return library.quoit_status_name(self.status).decode()


_STATUSES = """Full 1, Empty 2, Timeout 3, Closed 4, Abandoned 5, Exhausted 6, Invalid -1, NameEmpty -2, NameTooLong -3,
NameCharacter -4, Scheme -5, Unsupported -6, Capacity -7, ItemSize -8, Overflow -9, Exists -10, NotFound -11,
Permission -12, Owner -13, NoSpace -14, Limit -15, NoMemory -16, NotQuoit -17, Version -18, Mismatch -19,
Collision -20, Corrupt -21, Busy -22, Role -23, Forked -24, System -25, Stale -26, TooBig -27"""
_ALSO = {"Timeout": TimeoutError, "NotFound": FileNotFoundError, "Exists": FileExistsError,
         "Permission": PermissionError, "Invalid": ValueError, "TooBig": ValueError, "NoMemory": MemoryError}
errors = {}
for _name, _number in (_pair.split() for _pair in _STATUSES.split(",")):
    _bases = (Error, _ALSO[_name]) if _name in _ALSO else (Error,)
    errors[int(_number)] = globals()[_name] = type(_name, _bases, {"status": int(_number), "__module__": "quoit"})
FULL, EMPTY, TIMEOUT, CLOSED = 1, 2, 3, 4


def error_of(status):
    text = library.quoit_error_text() if status < 0 else b""
    text = text or library.quoit_status_text(status)
    return errors[status](text.decode(errors="replace"))


def check(status):
    if status:
        raise error_of(status)


# ---- The library ------------------------------------------------------------------------------

class QueueOptions(ctypes.Structure):
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


class PoolOptions(ctypes.Structure):
    _fields_ = [("block_bytes", c_uint64), ("blocks", c_uint64), ("permissions", c_uint32)]


VISIT = ctypes.CFUNCTYPE(c_bool, c_void_p, c_char_p)


def _load():
    here = os.path.dirname(os.path.abspath(__file__))
    names = ["libquoit.so.0", "libquoit.so", "libquoit.dylib", "quoit.dll"]
    # Beside these files, or in the lib of the prefix that has them as lib/python3.x/site-packages/quoit.
    places = [here, os.path.normpath(os.path.join(here, "..", "..", ".."))]
    beside = [path for path in (os.path.join(place, name) for place in places for name in names)
              if os.path.exists(path)]
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
        "queue_create_abi": (c_int, c_uint32, c_char_p, POINTER(QueueOptions), c_uint32, out),
        "queue_join_abi": (c_int, c_uint32, c_char_p, POINTER(QueueOptions), c_uint32, out),
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
        "queue_members": (c_int, h, POINTER(Member), u64, u64s), "list": (c_int, c_char_p, VISIT, c_void_p),
        "queue_look": (c_int, h, POINTER(Cursor), c_void_p, u64, u64s), "queue_user_area": (c_void_p, h),
        "pool_create": (c_int, c_char_p, POINTER(PoolOptions), c_uint32, out),
        "pool_join": (c_int, c_char_p, POINTER(PoolOptions), c_uint32, out),
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


library = _declare(_load())


# ---- What all handles have --------------------------------------------------------------------

_SLICE_NS = 100_000_000  # a wait looks this often whether Python has a signal to see to


def wait(call, timeout):
    """call(timeout_ns) again and again, until it has an answer or the seconds are over."""
    end = None if timeout is None else time.monotonic_ns() + int(timeout * 1e9)
    while True:
        left = _SLICE_NS if end is None else max(0, min(_SLICE_NS, end - time.monotonic_ns()))
        status = call(left)
        if status != TIMEOUT or (end is not None and time.monotonic_ns() >= end):
            return status


class Handle:
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
            getattr(library, self._close)(handle)

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        self.close()

    def __del__(self):
        self.close()


@contextlib.contextmanager
def view_of(address, size, writable):
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

# What is the users' of all this.
__all__ = ["ABI", "SPSC", "MPMC", "BROADCAST", "FOR_ITEMS", "FOR_SPANS", "LOSSLESS", "LOSSY", "PRODUCER", "CONSUMER",
           "OBSERVER", "ANY_OWNER", "FROM_OLDEST", "READ_ONLY", "MEMBERS_MAX", "Error", "QueueInfo", "Member", "Cursor",
           *(kind.__name__ for kind in errors.values())]
