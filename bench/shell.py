#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shell.py QUOIT BENCH_PEERS ROUNDS: measures the bytes per second from `yes` to `wc -l` through pipes, and through
`quoit push` and `quoit pop` in between. Prints a line of JSON for each round of each, like BENCH_PEERS, which measures
the canary."""
import json
import os
import random
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


def canary(peers):
    return float(subprocess.run([peers, "canary"], check=True, stdout=subprocess.PIPE).stdout)


def main():
    quoit, peers, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    for number in range(rounds):
        for name in random.sample(list(PIPELINES), len(PIPELINES)):
            before = canary(peers)
            value = round(measure(PIPELINES[name], quoit))
            print(json.dumps({"question": "shell", "peer": name, "bytes": 2, "detail": 0, "between": "processes",
                              "round": number, "value": value, "unit": "bytes/s",
                              "canary_ns": [before, canary(peers)]}), flush=True)


main()
