# SPDX-License-Identifier: MIT
"""Waiting for several queues: wait."""
from __future__ import annotations

import typing

from . import _core
from ._core import CONSUMER, ITEMS, ROOM


def wait(queues: typing.Iterable[typing.Any], timeout: float | None = None) -> list[typing.Any]:
    """Wait until at least one of some queues is ready. Returns a list of all that are; an empty one when the time is over.

    queues: handles of any kinds. A consumer's is ready if it has an item, a producer's if it has room; also after the end
    of the stream, and if the last peer has left. In place of a handle, a pair (queue, events) names the events:
    quoit.ITEMS, quoit.ROOM, or ITEMS | ROOM. The list then has a pair (queue, events that are ready).
    timeout: seconds; None: for ever; 0 or less: not at all. Takes nothing from the queues; another thread or process may
    be faster than the call that follows, so use try_pop or try_push. No descriptor, and up to 127 queues no thread.
    Raises WrongRole; Interrupted; ValueError if one of them is closed meanwhile.

        for queue in quoit.wait([orders, cancellations], timeout=1.0):
            handle(queue.try_pop())
    """
    if isinstance(queues, _core.Queue):
        raise TypeError("quoit.wait takes a list of queues: quoit.wait([queue])")
    things = [*queues]
    pairs = tuple(thing if isinstance(thing, tuple) else (thing, _events_of(thing)) for thing in things)
    ready = _core.wait(pairs, timeout)
    return [(thing[0], events) if isinstance(thing, tuple) else thing for thing, events in zip(things, ready) if events]


def _events_of(queue: typing.Any) -> int:
    if not isinstance(queue, _core.Queue):
        raise TypeError(f"{queue!r} is no quoit.Queue, and no pair of a quoit.Queue and events")
    return ITEMS if queue._flags & CONSUMER else ROOM
