# SPDX-License-Identifier: MIT
"""Messages between the processes of one machine, through shared memory: Quoit for Python.

    queue = quoit.Queue.join("lines", quoit.PRODUCER, capacity=64, item_bytes=4096, messages=True)
    queue.push(b"hello")                    # waits for a free slot
    queue.push(b"hello", timeout=2.5)       # waits up to 2.5 seconds, then raises quoit.Full
    queue.try_push(b"hello")                # does not wait
    queue.put({"any": "object"})            # by pickle; get() returns it

    with quoit.Queue.open("lines", quoit.CONSUMER) as queue:
        for line in queue:                  # waits for each line, until the producer calls finish()
            print(line)

The C library is inside the module: nothing else has to be installed. docs/PYTHON.md is the guide, include/quoit.h the
manual of what both have: names, what survives a crash, kinds of queues.

An item is a bytes object. Every item has item_bytes bytes; with messages=True every message has its own size, up to
item_bytes. With format= (of the struct module), dtype= (NumPy) or record= (a ctypes.Structure, a dataclass of numbers)
items are records, to C programs structs.

Processes can share more than items: a Region is memory, a Lock lets one process at a time use it, a Semaphore counts.

    region = quoit.Region.join("account", data_bytes=64)    # all zero after its creation
    lock = quoit.Lock.join("account-lock")
    with lock:                              # waits; lock.abandoned is true if the last holder crashed
        region.data()[0] += 1

Threads: any thread may use a handle at any time. Calls on the same side (producer or consumer) take turns; a peek or a
claim holds the side until its block ends. Other threads run during a wait. Ctrl-C ends a wait at once; interrupt() ends
it with Interrupted, close() with a ValueError. wait() waits for several queues. Views raise after close(). Slices of a view keep the memory and the roles until they are deleted.

Processes: a handle can be neither copied nor pickled. Pass the queue's name to a multiprocessing.Process, and open the
queue there. After os.fork() every handle in the child raises quoit.Forked; open the queue again in the child.
"""
from . import _core
from ._core import (ANY_OWNER, BROADCAST, CONSUMER, DROP_OLDEST, FROM_OLDEST, HUGE_PAGES, ITEMS, LOCK_MEMORY, MEMBERS_MAX,
                    MPMC, OBSERVER, PREFAULT, PRODUCER, ROOM, SPSC, TRANSIENT, WAIT_FOR_SLOWEST, Abandoned, Browser, Busy,
                    Corrupt, Different, Empty, Error, Exhausted, Exists, Finished, Forked, Format, Full, Interrupted,
                    Invalid, Limit, Name, NoMemory, NoSpace, NotFound, NotQuoit, NotYours, OtherUser, Permission, Removed,
                    RoleTaken, System, Timeout, TooBig, Unsupported, WrongRole, __version__)
from ._broadcast import Broadcast
from ._info import Member, QueueInfo
from ._pool import Block, Pool
from ._queue import Queue, unlink
from ._shared import Lock, Region, Semaphore
from ._wait import wait

__all__ = ["SPSC", "MPMC", "BROADCAST", "WAIT_FOR_SLOWEST", "DROP_OLDEST", "PRODUCER", "CONSUMER", "OBSERVER",
           "ANY_OWNER", "FROM_OLDEST", "TRANSIENT", "PREFAULT", "LOCK_MEMORY", "HUGE_PAGES", "ITEMS", "ROOM",
           "MEMBERS_MAX", "QueueInfo", "Member", "Browser",
           "Queue", "Broadcast", "Pool", "Block", "Region", "Lock", "Semaphore", "unlink", "list", "wait",
           "__version__", "Error", "Abandoned", "Busy", "Corrupt", "Different", "Empty", "Exhausted", "Exists",
           "Finished", "Forked", "Format", "Full", "Interrupted", "Invalid", "Limit", "Name", "NoMemory",
           "NoSpace", "NotFound", "NotQuoit", "NotYours", "OtherUser", "Permission", "Removed", "RoleTaken",
           "System", "Timeout", "TooBig", "Unsupported", "WrongRole"]


def list(where=None):  # pylint: disable=redefined-builtin
    """Returns the names of all Quoit objects on this machine, of a scheme ("sysv"), or in a directory ("file:/tmp")."""
    return _core.list(where)
