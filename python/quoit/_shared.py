# SPDX-License-Identifier: MIT
"""Shared memory, and objects that guard it: Region, Lock, Semaphore."""
from ctypes import byref, c_uint32, c_void_p

from ._library import (CONSUMER, OBSERVER, OTHER, PRODUCER, TIMEOUT, Abandoned, Handle, LockOptions, Place, RegionOptions,
                       SemOptions, check, encoded_name, library, number)

OK = 0


class _Named(Handle):
    """The base of the classes that have create, open and join."""
    _kind = None  # "region": of quoit_region_create, ...

    @classmethod
    def _make(cls, call, name, options, flags):
        handle = c_void_p()
        arguments = [] if options is None else [byref(options)]
        call = getattr(library, f"quoit_{cls._kind}_{call}")
        check(call(encoded_name(name), *arguments, number("flags", flags, 32), byref(handle)))
        return cls._adopt(handle.value)

    @classmethod
    def open(cls, name, flags=0):
        return cls._make("open", name, None, flags)


class Region(_Named):
    """Memory that processes share. data() is all zero after the creation."""
    _kind, _close = "region", "quoit_region_close"

    @classmethod
    def _make(cls, call, name, options, flags):
        self = super()._make(call, name, options, flags)
        self._place, self._writable = None, not flags & OBSERVER
        return self

    @classmethod
    def _options(cls, data_bytes, permissions):
        return RegionOptions(data_bytes=number("data_bytes", data_bytes),
                             permissions=number("permissions", permissions, 32))

    @classmethod
    def create(cls, name, *, data_bytes, permissions=0, flags=0):
        return cls._make("create", name, cls._options(data_bytes, permissions), flags)

    @classmethod
    def join(cls, name, *, data_bytes, permissions=0, flags=0):
        return cls._make("join", name, cls._options(data_bytes, permissions), flags)

    def _begin(self, region):
        if self._place is not None:
            try:
                len(self._place.view)
                return self._place
            except ValueError:  # the caller released the view
                self._place.drop()
        size = library.quoit_region_data_bytes(region)
        self._place = Place(region, library.quoit_region_data(region), size, self._writable)
        return self._place

    def data(self):
        """Returns the data as a memoryview, which is valid until close(), and read-only for an observer. Any thread may
        use it; guard it with a Lock."""
        return self._call(OTHER, self._begin).view

    @property
    def data_bytes(self):
        return self._call(OTHER, library.quoit_region_data_bytes)

    def _let_go(self):
        place, self._place = self._place, None
        if place is None:
            return True
        is_ended = place.end()
        place.drop()
        return is_ended


class Lock(_Named):
    """A lock between processes, and between the threads that share it. `with lock:` acquires and releases it, and does
    not close it. While this process holds the lock, abandoned is true if the last holder crashed with it."""
    _kind, _close = "lock", "quoit_lock_close"
    abandoned = False

    @classmethod
    def create(cls, name, *, permissions=0, flags=0):
        return cls._make("create", name, LockOptions(number("permissions", permissions, 32)), flags)

    @classmethod
    def join(cls, name, *, permissions=0, flags=0):
        return cls._make("join", name, LockOptions(number("permissions", permissions, 32)), flags)

    # acquire and release use different sides, so that a thread that waits does not block one that releases.
    def acquire(self, timeout=None):
        """Waits for the lock, and takes it. Returns False if the timeout expires."""
        status = self._perform(CONSUMER, TIMEOUT, timeout, library.quoit_lock_lock)
        if status == TIMEOUT:
            return False
        if status not in (OK, Abandoned.status):
            check(status)
        self.abandoned = status == Abandoned.status
        return True

    def release(self):
        check(self._call(PRODUCER, library.quoit_lock_unlock))

    @property
    def holder(self):
        """The PID of the process that holds the lock; 0 if no process does."""
        pid = c_uint32()
        status = self._call(OTHER, library.quoit_lock_holder, byref(pid))
        if status != Abandoned.status:
            check(status)
        return pid.value

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *_reason):
        self.release()


class Semaphore(_Named):
    """A counter that processes share. `with semaphore:` acquires and releases it, and does not close it."""
    _kind, _close = "sem", "quoit_sem_close"

    @classmethod
    def _options(cls, value, permissions, give_back):
        return SemOptions(number("value", value, 32), number("permissions", permissions, 32), bool(give_back))

    @classmethod
    def create(cls, name, *, value=0, permissions=0, give_back=False, flags=0):
        return cls._make("create", name, cls._options(value, permissions, give_back), flags)

    @classmethod
    def join(cls, name, *, value=0, permissions=0, give_back=False, flags=0):
        return cls._make("join", name, cls._options(value, permissions, give_back), flags)

    @staticmethod
    def unlink(name, flags=0):
        """Removes the name of a semaphore; quoit.unlink removes the names of all other objects."""
        check(library.quoit_sem_unlink(encoded_name(name), number("flags", flags, 32)))

    def acquire(self, timeout=None):
        """Waits until the value is above 0, and decrements it. Returns False if the timeout expires."""
        status = self._perform(CONSUMER, TIMEOUT, timeout, library.quoit_sem_wait)
        if status != TIMEOUT:
            check(status)
        return status == OK

    def release(self):
        check(self._call(PRODUCER, library.quoit_sem_post))

    @property
    def value(self):
        found = c_uint32()
        check(self._call(OTHER, library.quoit_sem_value, byref(found)))
        return found.value

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *_reason):
        self.release()
