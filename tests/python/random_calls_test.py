#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""random_calls_test.py [SEED [ROUND]]: random sequences of calls of the Python module, by several threads.

Orderly rounds push and pop by every method, and check that each item arrives once, in order. Wild rounds also close,
reopen, copy, fork, keep slices of views and pass nonsense: any exception is allowed, but no crash, no hang and no damage.
QUOIT_TEST_SECONDS is the duration (3). A failure prints the seed and the round, which can be passed again."""
import asyncio
import contextlib
import copy
import faulthandler
import gc
import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.environ.get("QUOIT_PYTHON", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                               "..", "..", "build", "release", "python")))
import quoit  # noqa: E402  pylint: disable=wrong-import-position

BOTH = quoit.PRODUCER | quoit.CONSUMER
ITEM = struct.Struct("=QQ")
# GCC 12's AddressSanitizer does not free the locks of its allocator in a forked child, so a child of several threads may
# hang in malloc.
FORKS_HANG = "asan" in os.environ.get("LD_PRELOAD", "")
ROUND_SECONDS = 60  # a round is never longer, unless a call hangs


def item_of(sender, sequence):
    number = sender << 32 | sequence
    return ITEM.pack(number, number ^ (2**64 - 1))


def number_of(item):
    """Returns (sender, sequence). The item must be whole."""
    number, inverse = ITEM.unpack(item)
    assert number ^ inverse == 2**64 - 1, f"a damaged item: {item!r}"
    return number >> 32, number & 0xffffffff


def options_of(rng):
    options = {"capacity": rng.choice((1, 2, 5, 64)), "kind": rng.choice((quoit.SPSC, quoit.MPMC, quoit.BROADCAST)),
               "item_bytes": ITEM.size, "messages": rng.choice((False, True))}
    return options


def run_threads(calls, meanwhile=lambda: None):
    """Runs each call in its own thread, and `meanwhile` in this one. Raises the exception of one of them."""
    failures = []

    def run(call):
        try:
            call()
        except BaseException:  # pylint: disable=broad-exception-caught
            failures.append(traceback.format_exc())
    threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    end = time.monotonic() + ROUND_SECONDS
    meanwhile()
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        faulthandler.dump_traceback()
        raise AssertionError("a thread hangs" + "".join(failures))
    if failures:
        raise AssertionError("".join(failures))


# ---- Orderly ----------------------------------------------------------------------------------

def push_some(queue, rng, items, timeouts=(0, 0.001, 1, None)):
    """Pushes some of the first items by a random method. Returns their number."""
    method, timeout = rng.randrange(6), rng.choice(timeouts)
    count = rng.randrange(1, 5)
    try:
        if method == 0:
            queue.try_push(items[0])
        elif method == 1:
            queue.push(bytearray(items[0]), timeout=timeout)
        elif method == 2:
            return queue.push_many(items[:count], timeout)
        elif method == 3 and not queue.messages:
            whole = b"".join(items[:count])
            with queue.claim_many(min(count, len(items)), timeout) as room:
                room[:] = whole[:len(room)]
                count = len(room) // ITEM.size
                if rng.random() < 0.5:
                    count = rng.randrange(count + 1)
                    queue.commit_many(count)
            return count
        elif method == 4:
            with queue.claim(ITEM.size, timeout) as room:
                room[:] = items[0]
                if rng.random() < 0.5:
                    queue.discard()
                    return 0
        else:
            with queue.claim(timeout=timeout) as room:
                room[:] = items[0]
                if rng.random() < 0.5:
                    queue.commit(ITEM.size)
    except quoit.Full:
        return 0
    return 1


def pop_some(queue, rng):
    method, timeout = rng.randrange(6), rng.choice((0, 0.001, 0.02))
    try:
        if method == 0:
            return [queue.try_pop()]
        if method == 1:
            return [queue.pop(timeout)]
        if method == 2:
            return queue.pop_many(rng.randrange(1, 5), timeout)
        if method == 3 and not queue.messages:
            with queue.peek_many(rng.choice((1, 3)), timeout) as view:
                whole = bytes(view)
                if rng.random() < 0.5:
                    count = rng.randrange(len(whole) // ITEM.size + 1)
                    queue.release_many(count)
                    whole = whole[:count * ITEM.size]
        else:
            with queue.peek(timeout) as view:
                whole = bytes(view)
                if method == 5:
                    queue.release()
        return [whole[at:at + ITEM.size] for at in range(0, len(whole), ITEM.size)]
    except quoit.Empty:
        return []


def orderly(rng, name):
    senders, receivers, each = rng.randrange(1, 4), rng.randrange(1, 4), rng.choice((20, 100))
    got, left = [[] for _ in range(receivers)], [senders]
    with quoit.Queue.create(name, BOTH, **options_of(rng)) as queue:
        queue.unlink()

        def send(sender, rng):
            items = [item_of(sender, i) for i in range(each)]
            while items:
                del items[:push_some(queue, rng, items)]
            left[0] -= 1
            if left[0] == 0:
                queue.finish()

        def receive(items, rng):
            while True:  # an item that was peeked at and left is in no count, but holds back the end
                try:
                    items += [number_of(item) for item in pop_some(queue, rng)]
                except quoit.Finished:
                    return
                len(queue), queue.finished

        run_threads([lambda s=s, r=random.Random(rng.random()): send(s, r) for s in range(senders)] +
                    [lambda i=i, r=random.Random(rng.random()): receive(i, r) for i in got])
        queue.check()
        everything = sorted(sum(got, []))
        expected = [(sender, i) for sender in range(senders) for i in range(each)]
        assert everything == expected, f"lost {set(expected) - set(everything)}, {len(everything)} of {len(expected)}"
        for items in got:
            for sender in range(senders):
                mine = [i for s, i in items if s == sender]
                assert mine == sorted(mine), f"out of order: {mine}"


# ---- Wild -------------------------------------------------------------------------------------

NONSENSE = (None, -1, 0, 1, 2, 3, 2**31, 2**32 + 1, 2**63, 2**64 + 5, 0.5, float("nan"), "text", b"", b"\0", bytes(16),
            bytes(99), [], {}, object(), quoit.SPSC, quoit.Queue, quoit.Browser())


class Wild:
    """The data that the threads of a wild round share."""

    def __init__(self, rng, name, threads):
        self.name, self.options, self.threads = name, options_of(rng), threads
        self.queues, self.pools, self.blocks, self.kept, self.borrowed = [], [], [], [], []
        self.objects = quoit.Queue.join(name + "-objects", BOTH, capacity=4, item_bytes=1000, messages=True)
        self.browser = quoit.Browser()
        self.sent = 0

    def item(self):
        self.sent += 1
        return item_of(1, self.sent)

    def queue(self, rng):
        return rng.choice(self.queues)

    # Each is a call that a thread may make at any time.

    def create(self, rng):
        kind, options = rng.choice((quoit.Queue, quoit.Pool)), dict(self.options)
        if kind is quoit.Pool:
            self.pools.append(quoit.Pool.join(self.name + "-pool", block_bytes=64, blocks=4))
        else:
            self.queues.append(quoit.Queue.join(self.name, rng.choice((BOTH, BOTH, quoit.OBSERVER)), **options))

    def close(self, rng):
        handles = rng.choice((self.queues, self.pools))
        handle = rng.choice(handles)
        handle.close()
        if rng.random() < 0.5:
            handles.remove(handle)

    def push(self, rng):
        push_some(self.queue(rng), rng, [self.item() for _ in range(5)], (0, 0.001, 0.02))

    def pop(self, rng):
        for item in pop_some(self.queue(rng), rng):
            number_of(item)

    def push_without_room(self, rng):
        data = rng.choice(NONSENSE)
        if not isinstance(data, bytes):  # which could be an item
            rng.choice((self.queue(rng).push, self.queue(rng).push_many))(data, 0.01)

    def browse(self, rng):
        for item in self.queue(rng).browse(self.browser if rng.random() < 0.5 else rng.choice(NONSENSE[:1])):
            number_of(item)

    def call_nonsense(self, rng):
        queue = self.queue(rng)
        views = (queue.claim, queue.claim_many, queue.peek_many)
        call = rng.choice((*views, queue.peek, queue.pop, queue.pop_many, queue.poll_fd, queue.browse, queue.commit,
                           queue.commit_many, queue.release_many))
        argument = rng.choice(NONSENSE)
        if call in (queue.peek, queue.pop) and (argument is None or type(argument) in (int, float) and argument > 0):
            return  # would wait
        result = call(argument, 0.001) if call in (*views, queue.pop_many) else call(argument)
        if call in (*views, queue.peek):
            with result as view:
                len(view)
                raise KeyError("which gives it up")
        if call == queue.browse:
            next(result)

    def make_nonsense(self, rng):
        make = rng.choice((quoit.Queue.create, quoit.Queue.join, quoit.Queue, quoit.Queue.open, quoit.Pool.create,
                           quoit.Pool.open, quoit.Pool, quoit.list, quoit.unlink))
        names = ("capacity", "item_bytes", "messages", "when_full", "kind", "format", "foo", "block_bytes", "blocks")
        options = {rng.choice(names): rng.choice(NONSENSE) for _ in range(3)}
        make(rng.choice((self.name + "-no\0", *NONSENSE[:4])), *rng.sample(NONSENSE, rng.randrange(2)), **options)

    def copy(self, rng):
        thing = rng.choice(self.queues + self.pools + self.blocks)
        try:
            rng.choice((copy.copy, copy.deepcopy, pickle.dumps))(thing)
        except TypeError:
            return
        raise AssertionError("a handle was copied")

    def keep_a_slice(self, rng):
        queue, is_claim = self.queue(rng), rng.random() < 0.5
        with (queue.claim(ITEM.size, 0.01) if is_claim else queue.peek(0.01)) as view:
            if is_claim:
                view[:] = self.item()
            self.kept.append((view[:], is_claim))
            if rng.random() < 0.3:
                queue.close()

    def use_a_slice(self, rng):
        view, is_claim = rng.choice(self.kept)
        if is_claim:
            view[rng.randrange(len(view))] = 255  # must not appear in an item that was pushed
        else:
            bytes(view)
        if rng.random() < 0.7:
            self.kept.remove((view, is_claim))
            view.release()

    def put(self, rng):
        rng.choice((self.queue(rng).put, self.queue(rng).try_put))(self.item())  # which needs a larger item_bytes

    def get(self, rng):
        number_of(self.objects.get(rng.choice((0, 0.001))))

    def put_object(self, rng):
        thing = self.item()
        if rng.random() < 0.5:
            thing = pickle.PickleBuffer(bytearray(thing))
        self.objects.put(thing, rng.choice((0, 0.001)))

    def borrow(self, rng):
        with self.objects.borrow(rng.choice((0, 0.001))) as thing:
            number_of(bytes(thing))
            if rng.random() < 0.3:
                self.borrowed.append(thing)
            if rng.random() < 0.2:
                raise KeyError("which leaves it")
            del thing

    def use_what_is_borrowed(self, rng):
        thing = rng.choice(self.borrowed)
        number_of(bytes(thing))
        if rng.random() < 0.7:
            self.borrowed.remove(thing)

    def pop_into(self, rng):
        room = bytearray(rng.choice((8, 16, 64)))
        count = self.queue(rng).pop_into(room, 0.001)
        for at in range(count):
            number_of(bytes(room[at * ITEM.size:(at + 1) * ITEM.size]))

    def fork(self, rng):
        """A child may call anything: its handles are disabled. It closes some, and may open anew."""
        if rng.random() < 0.8 or not hasattr(os, "fork") or (FORKS_HANG and self.threads > 1):
            return
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                signal.alarm(30)
                for _ in range(5):
                    with contextlib.suppress(Exception):
                        rng.choice((self.push, self.pop, self.close, self.others, self.borrow, self.use_a_slice))(rng)
                status = 0
            finally:
                os._exit(status)
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert ended == 0, f"a forked child ended with {ended}; {-signal.SIGALRM}: it hung"

    def stay_in_a_view(self, rng):
        queue = self.queue(rng)
        with queue.try_peek() as view:
            time.sleep(0.002)
            number_of(bytes(view))
            self.pop(rng)

    def blocks_of_a_pool(self, rng):
        pool = rng.choice(self.pools)
        method = rng.randrange(6)
        if method == 0 or not self.blocks:
            self.blocks.append(pool.alloc())
            return
        block = rng.choice(self.blocks)
        if method == 1:
            with block.view() as view:
                view[0] = 1
                if rng.random() < 0.3:
                    self.kept.append((view[8:], True))
        elif method == 2:
            block.free()
        elif method == 3:
            pool.push(rng.choice((self.queue(rng), *NONSENSE[:5])), rng.choice((block, *NONSENSE[:5])), timeout=0.01)
        elif method == 4:
            pool.reclaim(*rng.sample(self.queues, min(2, len(self.queues))))
        else:
            self.blocks.remove(block)

    def wait(self, rng):
        """For several queues, in any order; also one twice, and with nonsense."""
        queues = rng.choices(self.queues + [self.objects], k=rng.randrange(4))
        waited = [rng.choice((queue, (queue, rng.choice((quoit.ITEMS, quoit.ROOM, quoit.ITEMS | quoit.ROOM)))))
                  for queue in queues]
        if rng.random() < 0.1:
            waited.append(rng.choice((rng.choice(NONSENSE), (rng.choice(queues or NONSENSE), rng.choice(NONSENSE)))))
        quoit.wait(waited, rng.choice((0, 0.001, 0.01)))

    def interrupt(self, rng):
        self.queue(rng).interrupt()

    def signal(self, rng):
        """The main thread, which handles it, waits in a queue during a wild round."""
        del rng
        os.kill(os.getpid(), signal.SIGUSR1)

    def awaited(self, rng):
        asyncio.run(asyncio.wait_for(self.queue(rng).async_pop(), 0.01))

    def others(self, rng):
        queue = self.queue(rng)
        rng.choice((queue.inspect, queue.members, queue.check, gc.collect, lambda: queue.capacity, lambda: queue.missed,
                    lambda: queue.poll_fd(quoit.ITEMS), queue.discard, queue.release,
                    lambda: rng.choice(self.pools).free_count, lambda: repr(queue), lambda: iter(queue),
                    lambda: quoit.list("local")))()


CALLS = [getattr(Wild, name) for name in vars(Wild) if not name.startswith("_") and name not in ("item", "queue")]


def wild(rng, name):
    running = [None] * rng.randrange(1, 4)
    world = Wild(rng, name, len(running))

    def live(rng):
        try:
            live_on(rng)
        finally:
            running.pop()
            if not running:
                ended.push(bytes(8))

    def live_on(rng):
        for _ in range(rng.choice((50, 200))):
            call = rng.choice(CALLS)
            try:
                call(world, rng)
            except (SystemError, MemoryError, AssertionError):
                raise
            except Exception as error:  # pylint: disable=broad-exception-caught
                kept.append(error)
            if len(kept) > 20:
                kept.clear()

    kept = []  # exceptions keep frames
    ended = quoit.Queue.create(name + "-ended", BOTH, capacity=1, item_bytes=8)
    ended.unlink()
    try:
        world.create(random.Random(1))
        run_threads([lambda r=random.Random(rng.random()): live(r) for _ in running],
                    lambda: ended.pop(timeout=ROUND_SECONDS))
        for handle in world.queues + world.pools:
            handle.close()
        world.kept.clear()
        world.borrowed.clear()
        kept.clear()
        world.objects.check()
        world.objects.close()
        gc.collect()
        with quoit.Queue.join(name, BOTH, **world.options) as queue:  # no handle has a role any more
            queue.check()
            with contextlib.suppress(quoit.Empty):
                while True:
                    for item in queue.pop_many(10, timeout=0):
                        number_of(item)
    finally:
        for what in (name, name + "-pool", name + "-objects"):
            with contextlib.suppress(quoit.NotFound):
                quoit.unlink(what)


# ---- The program ------------------------------------------------------------------------------

def play(seed, only):
    end = time.monotonic() + float(os.environ.get("QUOIT_TEST_SECONDS", "3"))
    current = only or 0
    while time.monotonic() < end or only == current:
        print(f"round {current}", flush=True)
        faulthandler.dump_traceback_later(2 * ROUND_SECONDS, exit=True)
        rng = random.Random(f"{seed} {current}")
        rng.choice((orderly, wild))(rng, f"qt-python-random-{os.getpid()}-{current}")
        if only == current:
            return
        current += 1


def main():
    if sys.argv[1:2] == ["play"]:
        faulthandler.enable()
        signal.signal(signal.SIGUSR1, lambda *_: None)
        play(int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
        return 0
    seed = sys.argv[1] if len(sys.argv) > 1 else str(random.SystemRandom().randrange(10**9))
    print(f"seed {seed}", flush=True)
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "play", seed, *sys.argv[2:]],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    rounds = [line for line in done.stdout.splitlines() if line.startswith("round ")]
    if done.returncode != 0:
        print(done.stdout[-20000:])
        print(f"exit code {done.returncode} in {rounds[-1:]}: {sys.argv[0]} {seed} {(rounds or ['round 0'])[-1][6:]}")
        return 1
    print(f"{len(rounds)} rounds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
