# SPDX-License-Identifier: MIT
"""Messages between the processes of one machine, through shared memory: Quoit for Python.

    queue = quoit.Queue.join("lines", quoit.PRODUCER, capacity=64, item_bytes=4096, messages=True)
    queue.push(b"hello")                    # waits for a free slot
    queue.push(b"hello", timeout=2.5)       # waits up to 2.5 seconds, then raises quoit.Full
    queue.try_push(b"hello")                # does not wait

    with quoit.Queue.open("lines", quoit.CONSUMER) as queue:
        for line in queue:                  # waits for each line, until the producer calls finish()
            print(line)

The module calls the C library through ctypes. It loads the file that the environment variable QUOIT_LIBRARY names.
Without that variable it looks for libquoit.so.0 (macOS: libquoit.dylib, Windows: quoit.dll) beside these files, then in
the prefix where they are installed, then by the system's loader. include/quoit.h is the manual: it describes names,
kinds, and the state after a crash.

An item is a bytes object. Every item has item_bytes bytes; with messages=True every message has its own size, up to
item_bytes. With a format of the struct module, items are tuples; C programs see structs.

Processes can share more than items: a Region is memory, a Lock lets one process at a time use it, a Semaphore counts.

    region = quoit.Region.join("account", data_bytes=64)    # all zero after its creation
    lock = quoit.Lock.join("account-lock")
    with lock:                              # waits; lock.abandoned is true if the last holder crashed
        region.data()[0] += 1

Threads: any thread may use a handle at any time. Calls on the same side (producer or consumer) take turns; a peek or a
claim holds the side until its block ends. Other threads run during a wait. Ctrl-C ends a wait; close() ends it with a
ValueError. Views raise after close(). Slices of a view keep the memory and the roles until they are deleted.

Processes: a handle can be neither copied nor pickled. Pass the queue's name to a multiprocessing.Process, and open the
queue there. After os.fork() every handle in the child raises quoit.Forked; open the queue again in the child.
"""
import os

from ._library import *  # noqa: F403  errors by name and constants: quoit.Full, quoit.PRODUCER
from ._library import VISIT, check, encoded_name, library
from ._pool import Block, Pool
from ._queue import Queue, unlink
from ._shared import Lock, Region, Semaphore


def list(where=None):  # pylint: disable=redefined-builtin
    """Returns the names of all Quoit objects on this machine, of a scheme ("sysv"), or in a directory ("file:/tmp")."""
    names = []
    check(library.quoit_list(encoded_name(where) if where else None,
                             VISIT(lambda _context, name: names.append(os.fsdecode(name)) or True), None))
    return names
