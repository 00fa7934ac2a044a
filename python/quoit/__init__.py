# SPDX-License-Identifier: MIT
"""Messages between the processes of one machine, through shared memory: Quoit for Python.

    queue = quoit.Queue.join("lines", quoit.PRODUCER, capacity=64, message_bytes=4096)
    queue.push(b"hello")                    # quoit.Full if there is no room
    queue.push(b"hello", timeout=2.5)       # waits, in seconds; None: as long as it takes

    with quoit.Queue.open("lines", quoit.CONSUMER) as queue:
        for line in queue:                  # waits for each, until the producer's finish()
            print(line)

All over the C library, by ctypes: the one that the environment variable QUOIT_LIBRARY names, else one beside these
files or in the prefix that they were installed below, else the system's. include/quoit.h is the manual: names, what survives a death, and kinds.

An item is bytes. With message_bytes each has a length of its own; with item_bytes all have that one; with format (of
the struct module) items are tuples, to C programs structs.

Threads: a handle's producing calls belong to one thread at a time, and so do its consuming ones; close() to nobody
else. Waits let other threads run, and Ctrl-C ends them. After os.fork() the child's handles are dead (quoit.Forked):
open anew there; multiprocessing with "spawn" has no such trouble.
"""
import os

from ._library import *  # noqa: F403  errors by name and constants: quoit.Full, quoit.PRODUCER
from ._library import VISIT, check, library
from ._pool import Block, Pool
from ._queue import Queue, unlink


def list(where=None):  # pylint: disable=redefined-builtin
    """The names of all objects of Quoit's on this machine, or of a scheme ("sysv"), or a directory ("file:/tmp")."""
    names = []
    check(library.quoit_list(where.encode() if where else None,
                               VISIT(lambda _context, name: names.append(os.fsdecode(name)) or True), None))
    return names
