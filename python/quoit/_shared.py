# SPDX-License-Identifier: MIT
"""Shared memory and what guards it: Region, Lock, Semaphore."""
from __future__ import annotations

import logging

from . import _core
from ._core import OBSERVER, Abandoned, Timeout
from ._view import View

_log = logging.getLogger("quoit")


class _Named:
    """Base of the classes whose create, open and join have one form."""
    _kind = ""

    @classmethod
    def _make(cls, how, name, flags, **options):
        self = _core.make_shared(cls, cls._kind, how, name, flags, options)
        self._name = name
        return self

    @classmethod
    def open(cls, name, flags=0):
        """Open what exists. Raises NotFound if there is none."""
        return cls._make("open", name, flags)

    @property
    def name(self):
        """The name that this handle was made with."""
        return self._name

    def __reduce_ex__(self, _protocol):
        kind = type(self).__name__
        raise TypeError(f"a quoit.{kind} belongs to its process, and is neither copied nor pickled: pass its name, and "
                        f"call quoit.{kind}.open(name, ...) there")

    def _state(self):
        return ""

    def __repr__(self):
        return f"<quoit.{type(self).__name__} {self._name!r}, {'closed' if self.closed else self._state()}>"


class Region(_Named, _core.Region):
    """Memory that processes share: data() is all zero when the region is made."""
    _kind = "region"

    @classmethod
    def _make(cls, how, name, flags, **options):
        self = super()._make(how, name, flags, **options)
        self._view, self._is_readonly = None, bool(flags & OBSERVER)
        return self

    @classmethod
    def create(cls, name, *, data_bytes, permissions=0, flags=0):
        """Make a region of data_bytes, zeroed. Raises Exists if there is one."""
        return cls._make("create", name, flags, data_bytes=data_bytes, permissions=permissions)

    @classmethod
    def join(cls, name, *, data_bytes, permissions=0, flags=0):
        """Open the region, or make it. Raises Different if the region there has another size."""
        return cls._make("join", name, flags, data_bytes=data_bytes, permissions=permissions)

    def data(self):
        """The data as a memoryview, until close(); read-only for an observer. Any thread; guard it with a Lock."""
        memory = self._memory(self._is_readonly)  # raises after close()
        if self._view is None or not self._view.is_open():
            self._view = View(memory)
        return self._view.view

    def close(self):
        """Leave. The region stays, with its content. Views raise from here on; slices of them keep the memory."""
        view, self._view = self._view, None
        if view is not None:
            view.end()
        super().close()

    def _state(self):
        return f"{self.data_bytes} bytes"


class Lock(_Named, _core.Lock):
    """A lock between processes, and between the threads that share it. `with lock:` acquires and releases it, and does
    not close it. abandoned is true if the last holder crashed with the lock; it is valid while this process has the lock."""
    _kind = "lock"
    abandoned = False

    @classmethod
    def create(cls, name, *, permissions=0, flags=0):
        """Make a lock. Raises Exists if there is one."""
        return cls._make("create", name, flags, permissions=permissions)

    @classmethod
    def join(cls, name, *, permissions=0, flags=0):
        """Open the lock, or make it."""
        return cls._make("join", name, flags, permissions=permissions)

    def acquire(self, timeout=None):
        """Wait for the lock, and take it. Returns whether it has it: False when the seconds are over."""
        status = self._acquire(timeout)
        if status == Timeout.status:
            return False
        self.abandoned = status == Abandoned.status
        return True

    def release(self):
        """Give the lock back. Raises NotYours if this handle does not have it."""
        self._release()

    def _long_wait(self, _is_push, seconds):
        _log.warning("lock %r: waiting since %.1f s for process %d, which has it", self._name, seconds, self.holder)

    def _state(self):
        holder = self.holder
        return f"held by process {holder}" if holder else "free"

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *_reason):
        self.release()


class Semaphore(_Named, _core.Semaphore):
    """A counter of the system's, between processes. `with semaphore:` takes one and gives it back, and does not close
    it."""
    _kind = "sem"

    @classmethod
    def create(cls, name, *, value=0, permissions=0, give_back=False, flags=0):
        """Make a semaphore. Raises Exists if there is one."""
        return cls._make("create", name, flags, value=value, permissions=permissions, give_back=bool(give_back))

    @classmethod
    def join(cls, name, *, value=0, permissions=0, give_back=False, flags=0):
        """Open the semaphore, or make it. The value of one that exists stays."""
        return cls._make("join", name, flags, value=value, permissions=permissions, give_back=bool(give_back))

    @staticmethod
    def unlink(name, flags=0):
        """Remove the name; quoit.unlink removes those of all other objects."""
        _core.unlink_semaphore(name, flags)

    def acquire(self, timeout=None):
        """Wait for one, and take it. Returns False when the seconds are over."""
        return self._acquire(timeout) != Timeout.status

    def release(self):
        """Give one. Raises Limit if the value is at its largest."""
        self._release()

    def _state(self):
        return f"value {self.value}"

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *_reason):
        self.release()
