# SPDX-License-Identifier: MIT
"""Prints readings until the stream ends, then removes the queue."""
import quoit

with quoit.Queue.join("readings", quoit.CONSUMER, capacity=64, format="<Qd", type="reading") as queue:
    for sensor, celsius in queue:
        print(f"sensor {sensor}: {celsius} degrees")
    queue.unlink()
