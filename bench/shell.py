#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shell.py QUOIT ROUNDS: measures the bytes per second from `yes` to `wc -l` through pipes, and through `quoit push`
and `quoit pop` in between. Prints a line of JSON for each round of each, like the other comparisons."""
import json
import os
import subprocess
import sys
import time

SECONDS = 2
QUEUE = f"bench-shell-{os.getpid()}"
PIPELINES = {
    "yes | wc": "{yes} | wc -l",
    "yes | cat | wc": "{yes} | cat | wc -l",
    "yes | cat | cat | wc": "{yes} | cat | cat | wc -l",
    "yes | quoit push, quoit pop | wc": "{yes} | {quoit} push {queue} & timeout 60 {quoit} pop {queue} | wc -l; wait",
}


def measure(pipeline, quoit):
    command = pipeline.format(yes=f"timeout {SECONDS} yes", quoit=quoit, queue=QUEUE)
    start = time.monotonic()
    lines = int(subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE).stdout)
    return lines * len("y\n") / (time.monotonic() - start)


def main():
    quoit, rounds = sys.argv[1], int(sys.argv[2])
    for number in range(rounds):
        for name, pipeline in PIPELINES.items():
            print(json.dumps({"question": "shell", "peer": name, "bytes": 2, "detail": 0, "between": "processes",
                              "round": number, "value": round(measure(pipeline, quoit)), "unit": "bytes/s",
                              "bounce_ns": 0}), flush=True)


main()
