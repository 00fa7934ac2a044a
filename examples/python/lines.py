#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lines.py send|receive: a queue in an asyncio program, which does other work while it waits.

    pip install ./python        or: export PYTHONPATH=build/release/python, after ./dev demo
    python3 examples/python/lines.py receive &
    python3 examples/python/lines.py send
"""
import asyncio
import sys

import quoit


async def send(queue):
    for number in range(1, 6):
        await queue.async_push(f"line {number}".encode())
        await asyncio.sleep(0.2)
    queue.finish()


async def receive(queue):
    async for line in queue:
        print(line.decode())
    queue.unlink()


async def tick():
    while True:
        await asyncio.sleep(0.5)
        print("(meanwhile)")


async def main(direction):
    role = quoit.PRODUCER if direction == "send" else quoit.CONSUMER
    with quoit.Queue.join("lines", role, capacity=16, item_bytes=1000, messages=True) as queue:
        meanwhile = asyncio.create_task(tick())
        await (send if direction == "send" else receive)(queue)
        meanwhile.cancel()


if __name__ == "__main__":
    if sys.argv[1:] not in (["send"], ["receive"]):
        sys.exit(f"{sys.argv[0]}: one argument is needed, send or receive")
    try:
        asyncio.run(main(sys.argv[1]))
    except KeyboardInterrupt:  # queued items stay for the next receiver
        sys.exit(130)
    except quoit.Error as error:  # the stream has ended already, or its sender has left
        sys.exit(f"{sys.argv[0]}: {error}")
