# SPDX-License-Identifier: MIT
"""Messages between the processes of one machine, through shared memory: Quoit for Python.

    queue = quoit.Queue.join("lines", quoit.PRODUCER, capacity=64, item_bytes=4096, messages=True)
    queue.push(b"hello")                    # waits for room
    queue.push(b"hello", timeout=2.5)       # waits up to so many seconds, then raises quoit.Full
    queue.try_push(b"hello")                # does not wait

    with quoit.Queue.open("lines", quoit.CONSUMER) as queue:
        for line in queue:                  # waits for each, until the producer calls finish()
            print(line)

It calls the C library through ctypes: the file that the environment variable QUOIT_LIBRARY names; else libquoit.so.0
(macOS: libquoit.dylib, Windows: quoit.dll) beside these files, or in the prefix that they were installed below; else
the one that the system's loader finds by that name. include/quoit.h is the manual: names, what survives a crash, kinds.

An item is bytes. item_bytes is the size of every item; with messages=True every message has its own size, up to
item_bytes. With format (of the struct module) items are tuples, to C programs structs.

Processes that share more than items: Region is memory, Lock lets one process at a time use it, Semaphore counts.

    region = quoit.Region.join("account", data_bytes=64)    # zeroed when it is made
    lock = quoit.Lock.join("account-lock")
    with lock:                              # waits; lock.abandoned: the last holder crashed with it
        region.data()[0] += 1

Threads: any thread may use a handle at any time. Calls on the same side (producing, consuming) take turns; a peek or a
claim has the side until its block ends. Waits let other threads run. Ctrl-C ends them, and so does close(), with a
ValueError. Views raise after close(); slices of a view keep the memory, and the roles, until they are gone.

Processes: a handle is neither copied nor pickled. Pass the queue's name to a multiprocessing.Process, and open the
queue there. After os.fork() the child's handles are dead (quoit.Forked): open anew there.
"""
import os

from ._library import *  # noqa: F403  errors by name and constants: quoit.Full, quoit.PRODUCER
from ._library import VISIT, check, encoded_name, library
from ._pool import Block, Pool
from ._queue import Queue, unlink
from ._shared import Lock, Region, Semaphore


def list(where=None):  # pylint: disable=redefined-builtin
    """The names of all objects of Quoit's on this machine, or of a scheme ("sysv"), or a directory ("file:/tmp")."""
    names = []
    check(library.quoit_list(encoded_name(where) if where else None,
                             VISIT(lambda _context, name: names.append(os.fsdecode(name)) or True), None))
    return names
