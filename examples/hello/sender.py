# SPDX-License-Identifier: MIT
"""Sends ten readings, then ends the stream."""
import quoit

with quoit.Queue.join("readings", quoit.PRODUCER, capacity=64, format="<Qd", type="reading") as queue:
    for sensor in range(10):
        queue.push((sensor, 20.0))
    queue.finish()
