# SPDX-License-Identifier: MIT
"""QueueInfo and Member, which inspection returns."""
import typing


class QueueInfo(typing.NamedTuple):
    """A queue's properties, and its counters since it was made (struct quoit_queue_info of <quoit/inspect.h>)."""
    kind: int
    when_full: int
    messages: bool
    finished: bool
    item_bytes: int
    capacity: int
    user_bytes: int
    size: int
    pushed: int
    popped: int
    pushed_messages: int
    popped_messages: int
    created_at_unix_ns: int
    created_by: int
    producer_pid: int
    consumer_pid: int
    item_align: int
    full: int
    empty: int
    sleeps: int
    wakes: int
    repairs: int
    high_water: int
    type: bytes
    finishes: int
    members: int
    transient: bool
    memory: int


_STATES = {"T": "stopped", "t": "stopped by a debugger", "Z": "has ended"}


def _proc(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", errors="replace") as file:
            return file.read()
    except OSError:  # it has ended, or this system has no /proc
        return ""


class Member(typing.NamedTuple):
    """A handle that has joined a queue (struct quoit_member_info of <quoit/inspect.h>)."""
    pid: int
    roles: int
    joined_at_unix_ns: int
    alive: bool
    holds_up: bool
    lag: int

    @property
    def process_name(self) -> str:
        """The name of the process, on Linux; "" if it is not known."""
        return _proc(self.pid, "comm").rstrip("\n")

    @property
    def state(self) -> str:
        """"crashed", "stopped" (by SIGSTOP, say), "running", or "unknown" where the system has no /proc."""
        if not self.alive:
            return "crashed"
        fields = _proc(self.pid, "stat").rpartition(")")[2].split()
        return _STATES.get(fields[0], "running") if fields else "unknown"

    def describe(self) -> str:
        """A phrase about it: "process 71 (python3), stopped, 64 items behind"."""
        name = self.process_name
        behind = f", {self.lag} items behind" if self.lag else ""
        return f"process {self.pid}{f' ({name})' if name else ''}, {self.state}{behind}"
