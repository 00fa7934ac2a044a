#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""engine.py: an engine broadcasts batches to four workers. One worker is killed, and one is stopped; the log names both.

    python3 examples/python/engine.py

The engine waits for the slowest live worker. A killed worker holds up none of the others. A stopped one does, once it is
eight batches behind: the engine's wait warns, and after a second the engine kills it and goes on with the other workers.
"""
import logging
import multiprocessing
import os
import signal
import sys
import time

import quoit
import quoit.mp

WORKERS, BATCHES = 4, 60
NAME = f"engine-{os.getpid()}"
OPTIONS = {"capacity": 8, "item_bytes": 4096}


def work(name, results):
    """Counts its batches, until the engine finishes."""
    with quoit.Broadcast.open(name, quoit.CONSUMER) as batches:
        results.put(("ready", os.getpid(), 0))
        count = sum(1 for _batch in batches)
    results.put(("done", os.getpid(), count))


def put(engine, batch):
    """Put a batch, whatever the workers do."""
    while True:
        try:
            return engine.put(batch, timeout=1)
        except quoit.Full:
            for worker in engine.blockers():
                if worker.state == "stopped" and worker.pid != os.getpid():
                    logging.error("%s: the engine kills it", worker.describe())
                    os.kill(worker.pid, signal.SIGKILL)


def main():
    logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout, level=logging.INFO)
    context = multiprocessing.get_context("spawn")
    results = quoit.mp.Queue()
    with quoit.Broadcast.create(NAME, quoit.PRODUCER, **OPTIONS) as engine:
        engine.warn_after = 0.3
        workers = [context.Process(target=work, args=(NAME, results)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for _ in workers:
            results.get()
        for number in range(BATCHES):
            put(engine, {"batch": number, "tokens": list(range(20))})
            if number == 10:
                logging.info("killing process %d", workers[0].pid)
                workers[0].kill()
            if number == 20:
                logging.info("stopping process %d", workers[1].pid)
                os.kill(workers[1].pid, signal.SIGSTOP)
            time.sleep(0.005)
        for member in engine.members():
            if not member.alive:
                logging.info("%s", member.describe())
        engine.finish()
        for worker in workers:
            worker.join()
        done = sorted(results.get()[2] for worker in workers if worker.exitcode == 0)
        logging.info("workers that got all batches: %d, of %s", len(done), done)
        engine.unlink()


if __name__ == "__main__":
    main()
