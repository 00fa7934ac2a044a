# SPDX-License-Identifier: MIT
"""The C library: loads it, declares its functions and errors, and has the base class of all handles."""
import ctypes
import operator
import os
import sys
import threading
import time
import traceback
import weakref
from ctypes import POINTER, c_bool, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

SPSC, MPMC, BROADCAST = 0, 1, 2
WAIT_FOR_SLOWEST, DROP_OLDEST = 0, 1
PRODUCER, CONSUMER, OBSERVER, ANY_OWNER, FROM_OLDEST = 1, 2, 4, 0x100, 0x200
ITEMS, ROOM = 0x10, 0x20
MEMBERS_MAX = 4097


# ---- Errors -----------------------------------------------------------------------------------

class Error(Exception):
    """An error of the library. status is its number, name its name in C, such as "QUOIT_FULL"."""
    status = None

    @property
    def name(self):
        return library.quoit_status_name(self.status).decode()


_STATUSES = """Full 1, Empty 2, Timeout 3, Finished 4, Abandoned 5, Interrupted 6, Exhausted 7, Invalid -1, Name -2,
Unsupported -3, Exists -4, NotFound -5, Permission -6, OtherUser -7, NoSpace -8, NoMemory -9, Limit -10, NotQuoit -11,
Format -12, Different -13, TooBig -14, RoleTaken -15, Busy -16, WrongRole -17, Forked -18, Corrupt -19, System -20,
NotYours -21, Removed -22"""
_ALSO = {"Timeout": TimeoutError, "NotFound": FileNotFoundError, "Exists": FileExistsError,
         "Permission": PermissionError, "Invalid": ValueError, "TooBig": ValueError, "NoMemory": MemoryError,
         "Name": ValueError}
errors = {}
for _name, _number in (_pair.split() for _pair in _STATUSES.split(",")):
    _bases = (Error, _ALSO[_name]) if _name in _ALSO else (Error,)
    errors[int(_number)] = globals()[_name] = type(_name, _bases, {"status": int(_number), "__module__": "quoit"})
FULL, EMPTY, TIMEOUT, FINISHED = 1, 2, 3, 4


def error_of(status):
    return errors.get(status, Error)(library.quoit_describe(status).decode(errors="replace"))


def check(status):
    if status:
        raise error_of(status)


# ---- The library ------------------------------------------------------------------------------

class QueueOptions(ctypes.Structure):
    _fields_ = [("capacity", c_uint64), ("item_bytes", c_uint64), ("user_bytes", c_uint64), ("kind", c_uint32),
                ("when_full", c_uint32), ("messages", c_uint32), ("item_align", c_uint32), ("permissions", c_uint32),
                ("finishes", c_uint32), ("members", c_uint32), ("memory", c_uint32), ("type", c_char * 32),
                ("reserved", c_uint64 * 5)]


class _Fields(ctypes.Structure):
    def __repr__(self):
        shown = [name for name, *_ in self._fields_ if not name.startswith("_")]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in shown)})"


class QueueInfo(_Fields):
    """struct quoit_queue_info."""
    _fields_ = [("kind", c_uint32), ("when_full", c_uint32), ("messages", c_uint32), ("finished", c_uint32),
                ("item_bytes", c_uint64), ("capacity", c_uint64), ("user_bytes", c_uint64), ("size", c_uint64),
                ("pushed", c_uint64), ("popped", c_uint64), ("pushed_messages", c_uint64),
                ("popped_messages", c_uint64), ("created_at_unix_ns", c_uint64), ("created_by", c_uint32),
                ("producer_pid", c_uint32), ("consumer_pid", c_uint32), ("item_align", c_uint32),
                ("full", c_uint64), ("empty", c_uint64), ("sleeps", c_uint64), ("wakes", c_uint64),
                ("repairs", c_uint64), ("high_water", c_uint64), ("type", c_char * 32), ("finishes", c_uint32),
                ("members", c_uint32), ("transient", c_uint32),
                ("memory", c_uint32), ("_reserved", c_uint64 * 7)]


class Member(_Fields):
    """struct quoit_member_info."""
    _fields_ = [("pid", c_uint32), ("roles", c_uint32), ("joined_at_unix_ns", c_uint64), ("alive", c_uint32),
                ("holds_up", c_uint32), ("lag", c_uint64), ("_reserved", c_uint64 * 4)]


class Browser(_Fields):
    """The position of a process that browses a queue; see Queue.browse."""
    _fields_ = [("next", c_uint64), ("missed", c_uint64), ("begun", c_uint64), ("_reserved", c_uint64)]

    def __setattr__(self, name, value):
        super().__setattr__(name, number(name, value))


class PoolOptions(ctypes.Structure):
    _fields_ = [("block_bytes", c_uint64), ("blocks", c_uint64), ("permissions", c_uint32), ("members", c_uint32),
                ("memory", c_uint32), ("reserved_word", c_uint32), ("reserved", c_uint64 * 4)]


class RegionOptions(ctypes.Structure):
    _fields_ = [("data_bytes", c_uint64), ("size_bytes", c_uint64), ("permissions", c_uint32), ("memory", c_uint32),
                ("reserved", c_uint64 * 5)]


class LockOptions(ctypes.Structure):
    _fields_ = [("permissions", c_uint32), ("memory", c_uint32), ("reserved", c_uint64 * 7)]


class SemOptions(ctypes.Structure):
    _fields_ = [("value", c_uint32), ("permissions", c_uint32), ("give_back", c_uint32), ("reserved_word", c_uint32),
                ("reserved", c_uint64 * 6)]


VISIT = ctypes.CFUNCTYPE(c_bool, c_void_p, c_char_p)


def _load():
    here = os.path.dirname(os.path.abspath(__file__))
    names = {"darwin": ["libquoit.dylib"], "win32": ["quoit.dll"]}.get(sys.platform, ["libquoit.so.0", "libquoit.so"])
    # Beside these files, or in lib of the prefix if they are in lib/python3.x/site-packages/quoit; else by the system's
    # own loader (ctypes.util.find_library would start ldconfig, gcc and ld).
    places = [here, os.path.normpath(os.path.join(here, "..", "..", ".."))]
    beside = [path for path in (os.path.join(place, name) for place in places for name in names)
              if os.path.exists(path)]
    chosen = os.environ.get("QUOIT_LIBRARY")
    tried = [chosen] if chosen else beside + names[:1]
    reasons = []
    for path in tried:
        try:
            return ctypes.CDLL(path)
        except OSError as reason:
            reasons.append(str(reason))
    raise ImportError("cannot load the library libquoit (" + "; ".join(reasons) + "); install it, or set the "
                      "environment variable QUOIT_LIBRARY to its file")


def _declare(library):
    u64, u64s, h, out = c_uint64, POINTER(c_uint64), c_void_p, POINTER(c_void_p)
    size, sizes, wait = c_size_t, POINTER(c_size_t), c_int64
    calls = {
        "status_name": (c_char_p, c_int), "describe": (c_char_p, c_int), "unlink": (c_int, c_char_p, c_uint32),
        "queue_create": (c_int, c_char_p, POINTER(QueueOptions), c_uint32, out),
        "queue_join": (c_int, c_char_p, POINTER(QueueOptions), c_uint32, out),
        "queue_again": (c_int, h, c_uint32, out), "queue_open": (c_int, c_char_p, c_uint32, out),
        "queue_close": (None, h), "queue_finish": (c_int, h),
        "queue_unlink": (c_int, h), "queue_push": (c_int, h, c_void_p, size, wait),
        "queue_pop": (c_int, h, c_void_p, size, sizes, wait),
        "queue_push_many": (c_int, h, c_void_p, size, size, sizes, wait),
        "queue_claim": (c_int, h, size, out, wait), "queue_commit": (c_int, h, size), "queue_discard": (c_int, h),
        "queue_peek": (c_int, h, out, sizes, wait), "queue_release": (c_int, h),
        "queue_claim_many": (c_int, h, size, out, sizes, wait), "queue_commit_many": (c_int, h, size),
        "queue_peek_many": (c_int, h, out, sizes, wait), "queue_release_many": (c_int, h, size),
        "queue_poll_fd": (c_int, h, c_uint32, POINTER(c_int)), "queue_size": (u64, h), "queue_capacity": (u64, h),
        "queue_latest": (c_int, h, c_void_p, size, sizes),
        "queue_missed": (u64, h), "queue_user_area": (c_void_p, h), "queue_inspect": (c_int, h, POINTER(QueueInfo)),
        "queue_check": (c_int, h), "queue_members": (c_int, h, POINTER(Member), u64, u64s),
        "queue_browse": (c_int, h, POINTER(Browser), c_void_p, u64, u64s), "list": (c_int, c_char_p, VISIT, c_void_p),
        "pool_create": (c_int, c_char_p, POINTER(PoolOptions), c_uint32, out),
        "pool_join": (c_int, c_char_p, POINTER(PoolOptions), c_uint32, out),
        "pool_open": (c_int, c_char_p, c_uint32, out), "pool_close": (None, h), "pool_alloc": (c_int, h, u64s),
        "pool_free": (c_int, h, u64), "pool_at": (c_void_p, h, u64), "pool_push": (c_int, h, h, u64, wait),
        "pool_pop": (c_int, h, h, u64s, wait), "pool_reclaim": (c_int, h, POINTER(c_void_p), u64, u64s),
        "pool_block_bytes": (u64, h), "pool_blocks": (u64, h), "pool_free_count": (u64, h),
        "region_data": (c_void_p, h), "region_data_bytes": (u64, h), "lock_lock": (c_int, h, wait),
        "lock_unlock": (c_int, h), "lock_holder": (c_int, h, POINTER(c_uint32)), "sem_wait": (c_int, h, wait),
        "sem_post": (c_int, h), "sem_value": (c_int, h, POINTER(c_uint32)), "sem_unlink": (c_int, c_char_p, c_uint32),
    }
    for kind, options in (("region", RegionOptions), ("lock", LockOptions), ("sem", SemOptions)):
        for call in ("create", "join"):
            calls[f"{kind}_{call}"] = (c_int, c_char_p, POINTER(options), c_uint32, out)
        calls[f"{kind}_open"] = (c_int, c_char_p, c_uint32, out)
        calls[f"{kind}_close"] = (None, h)
    for name, (result, *arguments) in calls.items():
        try:
            function = getattr(library, "quoit_" + name)
        except AttributeError:
            raise ImportError(f"the library {library._name} has no function quoit_{name}; install the version of "
                              "libquoit that belongs to this module") from None
        function.restype, function.argtypes = result, arguments
    return library


library = _declare(_load())


# ---- Arguments --------------------------------------------------------------------------------

def number(name, value, bits=64, least=0):
    """Returns the integer. Raises if the C type cannot hold it, since ctypes would truncate it."""
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; it must be an integer") from None
    if not least <= value < 2**bits:
        raise ValueError(f"{name} is {value}; it must be from {least} to {2**bits - 1}")
    return value


def encoded_name(name):
    encoded = os.fsencode(name)
    if b"\0" in encoded:
        raise Name(f"the name {name!r} contains a NUL; remove it")  # noqa: F821  pylint: disable=undefined-variable
    return encoded


def deadline(timeout):
    """Returns the time at which the timeout expires, or None if there is no timeout. A negative timeout expires now."""
    if timeout is None:
        return None
    seconds = float(timeout)
    if seconds != seconds:
        raise ValueError(f"timeout is {timeout}; it must be None, or a number of seconds")
    return None if seconds > 1e9 else time.monotonic_ns() + int(max(seconds, 0) * 1e9)


class _PyBuffer(ctypes.Structure):  # Py_buffer, as the stable ABI has it
    _fields_ = [("buf", c_void_p), ("obj", c_void_p), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
                ("readonly", c_int), ("ndim", c_int), ("format", c_char_p), ("shape", c_void_p), ("strides", c_void_p),
                ("suboffsets", c_void_p), ("internal", c_void_p)]


_get_buffer = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, POINTER(_PyBuffer), c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi))
_release_buffer = ctypes.PYFUNCTYPE(None, POINTER(_PyBuffer))(("PyBuffer_Release", ctypes.pythonapi))


class Input:
    """The address and the size of an object's bytes, without a copy. The object cannot be resized until release()."""

    def __init__(self, data):
        self._buffer = None
        if not isinstance(data, bytes):
            buffer = _PyBuffer()
            try:
                _get_buffer(data, buffer, 0)
            except BufferError:
                data = bytes(memoryview(data))  # not contiguous
            else:
                self._buffer, self.address, self.size = buffer, buffer.buf, buffer.len
                return
        self.address, self.size = data, len(data)

    def copy(self):
        return self.address if isinstance(self.address, bytes) else bytes((c_char * self.size).from_address(self.address))

    def release(self):
        buffer, self._buffer = self._buffer, None
        if buffer is not None:
            _release_buffer(buffer)

    __del__ = release


# ---- The base of all handles ------------------------------------------------------------------

_SLICE_NS = 100_000_000  # after this time a wait checks for Python signals and for a closed handle
_SHARED_SLICE_NS = 5_000_000  # the same, if several threads use the same side of a handle


class _Object:
    """A C handle. It is closed when the last reference to it is deleted: of the Python handle, of calls and of views.
    So it is not closed while a thread uses it in the C library, or while a view of its memory exists."""

    def __init__(self, address, close):
        self._as_parameter_, self._close = address, close
        self.is_open = threading.Lock()  # held until the C handle is closed
        self.is_open.acquire()  # pylint: disable=consider-using-with

    def __del__(self):
        self._close(self._as_parameter_)
        self.is_open.release()


class Place:
    """The view of memory in place that a call returned. Its slices, and arrays over it, keep the C handle open."""

    def __init__(self, thing, address, size, writable):
        self.size = size
        self.memory = (c_char * size).from_address(address) if size else bytearray()
        if size:
            self.memory.owner = thing
        view = memoryview(self.memory).cast("B")
        self.view = view if writable else view.toreadonly()
        self.thread = threading.get_ident()
        self.ended = False
        self.is_done = False  # committed, discarded or released
        self.give_up = None  # called when no slice and no array is in use any more

    def end(self):
        """Makes the view raise from now on. Returns False if slices of it, or arrays over it, are still in use."""
        self.ended = True
        try:
            self.view.release()
        except BufferError:
            return False
        if isinstance(self.memory, ctypes.Array) and sys.getrefcount(self.memory) > 2:
            return False
        self.memory = None
        return True

    def drop(self):
        """Ends the view. Slices that are in use keep the C handle open."""
        self.end()
        self.memory = None


IN_USE = "a slice of the view, or an array over it, is still in use; delete it before the block ends"


class _Side:
    """One side of a handle. One thread at a time may use it."""

    def __init__(self):
        self.lock = threading.RLock()  # a signal handler may run in between
        self.queued = set()  # an object for each thread that waits for the lock
        self.is_shared = False
        self.calls = 0
        self.place = None  # the view that a peek or a claim returned

    def is_free(self, thing):
        """Called with the lock held. Returns False if another thread has a view open."""
        place = self.place
        if place is None:
            return True
        if not place.ended:
            if place.thread == threading.get_ident():
                raise RuntimeError("a peek or a claim of this side of the handle is open; end its block first")
            return False
        if not place.end():
            raise BufferError(IN_USE)
        self.place, place.is_done = None, True
        if place.give_up:
            place.give_up(thing)
        return True


_handles = weakref.WeakSet()


def _after_fork():
    for handle in [*_handles]:
        handle._renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

OTHER = 0  # the side of calls that any thread may make


class Handle:
    """A C handle with a lock for each side. A wait holds the lock for a slice of time, and releases it in between."""
    _close = None
    _object = None

    def __init__(self, *_arguments, **_options):
        kind = type(self).__name__
        raise TypeError(f"quoit.{kind}() cannot be called; use quoit.{kind}.create, open or join")

    @classmethod
    def _adopt(cls, address):
        self = cls.__new__(cls)
        self._pid = os.getpid()
        self._renew_locks()
        self._object = _Object(address, getattr(library, cls._close))
        _handles.add(self)
        return self

    def _renew_locks(self):
        self._sides = {side: _Side() for side in (OTHER, PRODUCER, CONSUMER)}

    def __reduce_ex__(self, _protocol):
        kind = type(self).__name__
        raise TypeError(f"a quoit.{kind} belongs to its process and can be neither copied nor pickled; pass its name, "
                        f"and call quoit.{kind}.open(name, ...) there")

    def _closed(self):
        return ValueError(f"this {type(self).__name__} is closed; open it again")

    def _call(self, side, function, *arguments, end=None, unready=None):
        """Calls function(C handle, ...) with the side's lock held. Returns unready if `end` passes first."""
        while True:
            thing = self._object
            if thing is None:
                raise self._closed()
            chosen, token = self._sides[side], object()
            try:
                chosen.queued.add(token)
                with chosen.lock:
                    chosen.queued.discard(token)
                    if self._object is not thing:
                        raise self._closed()
                    if chosen.is_free(thing):
                        chosen.calls += 1
                        return function(thing, *arguments)
            except BaseException as error:
                traceback.clear_frames(error.__traceback__)
                raise
            finally:  # an exception keeps its frames, which must not keep the C handle
                chosen.queued.discard(token)
                del thing
            if end is not None and time.monotonic_ns() >= end:
                return unready
            time.sleep(0.001)

    def _wait(self, side, unready, end, function):
        """Repeats function(C handle, timeout_ns) while it returns unready, until the deadline passes."""
        while True:
            chosen = self._sides[side]
            most = _SHARED_SLICE_NS if chosen.is_shared else _SLICE_NS
            left = most if end is None else max(0, min(most, end - time.monotonic_ns()))
            status = self._call(side, function, left, end=end, unready=unready)
            if status != unready or (end is not None and time.monotonic_ns() >= end):
                return status
            if chosen.queued:  # the running thread would get the lock again: let the others run
                chosen.is_shared = True
                time.sleep(0.001)

    def _perform(self, side, unready, timeout, function):
        """Calls function(C handle, timeout_ns) without waiting; then repeats it as _wait does."""
        end = deadline(timeout)
        status = self._call(side, function, 0, end=end, unready=unready)
        if status == unready and (timeout is None or float(timeout) > 0):
            status = self._wait(side, unready, end, function)
        return status

    def close(self):
        """Closes the handle. The object and its content stay. Calls and waits of other threads raise ValueError, and so
        do views. Slices of views keep the memory and the roles until they are deleted."""
        thing, self._object = self._object, None
        if thing is None:
            return
        is_open, is_own = thing.is_open, self._pid != os.getpid()
        for side in self._sides.values():
            place, is_own = side.place, is_own or side.lock._is_owned()
            if place is not None:
                is_own = is_own or not place.end()
                side.place = None
                place.drop()
                del place
        is_own = not self._let_go() or is_own
        del thing
        if not is_own:  # calls of other threads end within a slice
            if is_open.acquire(timeout=1):
                is_open.release()

    def _let_go(self):
        """Called by close(): ends all other uses of the handle. Returns False if one is still in use."""
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        self.close()

# The public names.
__all__ = ["SPSC", "MPMC", "BROADCAST", "WAIT_FOR_SLOWEST", "DROP_OLDEST", "PRODUCER", "CONSUMER", "OBSERVER",
           "ANY_OWNER", "FROM_OLDEST", "ITEMS", "ROOM", "MEMBERS_MAX", "Error", "QueueInfo", "Member", "Browser",
           *(kind.__name__ for kind in errors.values())]
