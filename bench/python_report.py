#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_report.py JSONL: a table for each payload of bench/python.py: medians over the rounds, and the ratio to
multiprocessing.Queue, as Markdown."""
import collections
import json
import os
import platform
import statistics
import sys


def main(path):
    groups = collections.defaultdict(list)
    with open(path) as file:
        for line in map(json.loads, file):
            groups[line["payload"], line["queue"]].append(line)
    rounds = max(len(lines) for lines in groups.values())
    print("# Queues between Python processes\n")
    print(f"Medians of {rounds} rounds, interleaved in random order: one producer, one consumer, two processes. Python "
          f"{platform.python_version()}, {os.cpu_count()} processors, Linux {platform.release()}.\n")
    for payload in dict.fromkeys(payload for payload, _queue in groups):
        print(f"## {payload}\n\n| queue | messages per second | of multiprocessing.Queue | CPU for each, both sides |\n|---|---|---|---|")
        medians = {queue: (statistics.median(line["per_second"] for line in lines),
                           statistics.median(line["cpu_us"] for line in lines))
                   for (what, queue), lines in groups.items() if what == payload}
        base = medians["multiprocessing.Queue"][0]
        for queue, (rate, cpu) in sorted(medians.items(), key=lambda pair: -pair[1][0]):
            print(f"| {queue} | {rate:,.0f} | {rate / base:.2f} | {cpu:.2f} µs |")
        print()


if __name__ == "__main__":
    main(sys.argv[1])
