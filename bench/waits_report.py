#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""waits_report.py JSONL: a table of medians over the rounds of bench_waits, with the lowest and the highest value, and the
ratio to the first subject of each question, as Markdown."""
import collections
import json
import os
import platform
import statistics
import sys

FIRST = {"lateness": "pipes, epoll", "round trip": "a pop with a time-out", "items": "as usual"}  # ratios are to these


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main(path):
    groups = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as file:
        for line in map(json.loads, file):
            groups[line["question"], line["unit"]].setdefault(line["subject"], []).append(line["value"])
    rounds = max(len(values) for subjects in groups.values() for values in subjects.values())
    print("# Waits on many queues, and large items\n")
    print(f"Medians of {rounds} interleaved rounds, with the lowest and the highest value. {os.cpu_count()} processors, Linux "
          f"{platform.release()}.\n")
    print("| question | subject | median | lowest | highest | unit | ratio |\n|---|---|---|---|---|---|---|")
    for (question, unit), subjects in groups.items():
        first = next((subjects.get(FIRST[kind]) for kind in FIRST if question.startswith(kind)), None)
        base = statistics.median(first) if first else 0
        for subject, values in subjects.items():
            median = statistics.median(values)
            ratio = f"{median / base:.2f}" if base else ""
            print(f"| {question} | {subject} | {number(median)} | {number(min(values))} | {number(max(values))} | {unit} "
                  f"| {ratio} |")


if __name__ == "__main__":
    main(sys.argv[1])
