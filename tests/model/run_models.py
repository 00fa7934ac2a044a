#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Searches the models with spin, through all of their states: what is right must hold, and each mutant must be caught.

usage: run_models.py [--large] MODEL...     (mpmc, wait, wait_any, notices, broadcast, pool, wait_views, browse_views)
--large, or QUOIT_TEST_EFFORT=full in the environment: also the configurations with millions of states.
Exit code 77: spin is missing."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MEGABYTES = 6000  # that one search may take; the largest one takes 4300
SECONDS = 900
SKIPPED = 77

SPSC = "SINGLE=1 SLEEPERS=1 WAKERS=1 ITEMS=3 SHARE=4"
ONE_WAKER = "SLEEPERS=2 WAKERS=1 ITEMS=3"
NEWCOMER = "C=2 SUBSCRIBERS=1 ITEMS=4 CRASHES=0"
ONE_SLEEPER = "SLEEPERS=1 WAKERS=2 ITEMS=2 SHARE=3"

# The protocol itself, by model: no error may be found.
RIGHT = {
    "mpmc": {
        "1 slot, 2 producers, 1 consumer": "C=1 PRODUCERS=2 CONSUMERS=1 PUSHES=2 POPS=2",
        "newcomer, finish": "C=1 PRODUCERS=1 CONSUMERS=1 PUSHES=2 POPS=2 NEWCOMERS=1 NEW_PUSHES=1 FINISH=1",
        "2 members that do both": "C=1 PRODUCERS=0 CONSUMERS=0 BOTH=2 PUSHES=2 POPS=2",
    },
    "wait": {
        "1 sleeper, 1 waker": SPSC,
        "2 sleepers, 1 waker": ONE_WAKER,
        "1 sleeper, 2 wakers": ONE_SLEEPER,
        "2 sleepers, 2 wakers": "SLEEPERS=2 WAKERS=2 ITEMS=1",
        "1 sleeper, 2 wakers, one dies": "SLEEPERS=1 WAKERS=2 ITEMS=2 KILLS=1",
    },
    "wait_any": {
        "2 queues": "SINGLES=0 ITEMS=2",
        "2 queues, another sleeper on one": "ITEMS=1",
        "2 queues, interrupted": "SINGLES=0 INTERRUPTS=1",
    },
    "notices": {"2 waits": "ITEMS=2"},
    "broadcast": {
        "1 subscriber, killed, and a newcomer": "C=2 SUBSCRIBERS=1 ITEMS=4",
        "from the newest": "C=2 SUBSCRIBERS=1 ITEMS=4 OLDEST=0",
        "1 slot": "C=1 SUBSCRIBERS=1 ITEMS=4",
        "2 subscribers": "C=2 SUBSCRIBERS=2 ITEMS=3 CRASHES=0",
        "2 subscribers, 1 slot": "C=1 SUBSCRIBERS=2 ITEMS=3 CRASHES=0",
        "2 producers": "C=2 SUBSCRIBERS=1 ITEMS=3 CRASHES=0 PRODUCERS=2",
    },
    "pool": {
        "2 blocks": "BLOCKS=2 STEPS=2",
        "1 member, its stale handles": "MEMBERS=1 STEPS=6",
    },
    "wait_views": {
        "2 subscribers": "SLEEPERS=2",
        "waits is set, and cleared": "WAITS=1 CLEARS=1",
    },
    "browse_views": {
        "slots": "LOSSY=0",
        "slots, multi-copy atomic, no fence": "MULTI_COPY=1 MUTANT_NO_RELEASE_FENCE",
        "lossy": "LOSSY=1",
    },
}
LARGE = {
    "mpmc": {
        "2 producers, 1 consumer, finish": "C=1 PRODUCERS=2 CONSUMERS=1 PUSHES=2 POPS=2 FINISH=1",
        "1 producer, 2 consumers, finish": "C=1 PRODUCERS=1 CONSUMERS=2 PUSHES=2 POPS=2 FINISH=1",
        "1 abandoned item, 2 adopters, finish": "C=1 PRODUCERS=0 CONSUMERS=3 FILLED=1 POPS=2 FINISH=1",
        "2 newcomers that consume": "C=1 PRODUCERS=0 CONSUMERS=2 FILLED=1 POPS=2 NEWCOMERS=2",
        "no second reading": "C=1 PRODUCERS=1 CONSUMERS=2 PUSHES=2 POPS=2 FINISH=1 UNREAD",
        "2 slots, 2 producers, 1 consumer": "C=2 PRODUCERS=2 CONSUMERS=1 PUSHES=2 POPS=2",
        "2 slots, 1 producer, 2 consumers": "C=2 PRODUCERS=1 CONSUMERS=2 PUSHES=3 POPS=2",
        "2 slots, 2 orphans, adopters": "C=2 PRODUCERS=0 CONSUMERS=3 FILLED=2 POPS=2",
        "2 slots, newcomer that does both": "C=2 PRODUCERS=1 CONSUMERS=1 PUSHES=2 POPS=2 NEWCOMERS=1 NEW_PUSHES=1",
        "2 slots, 2 producers, 2 consumers": "C=2 PRODUCERS=2 CONSUMERS=2",
    },
    "wait": {"2 sleepers, 2 wakers, one dies": "SLEEPERS=2 WAKERS=2 ITEMS=1 KILLS=1"},
    "wait_any": {"2 queues, 3 items each": "SINGLES=0 ITEMS=3"},
    "notices": {"2 waits, 3 items each": "ITEMS=3", "2 waits, and a descriptor": "ITEMS=1 DESCRIPTOR=1"},
    "broadcast": {
        "1 slot, 2 killed": "C=1 SUBSCRIBERS=1 ITEMS=4 CRASHES=2",
        "2 producers, a subscriber killed": "C=2 SUBSCRIBERS=1 ITEMS=3 PRODUCERS=2",
    },
    "pool": {
        "2 members, 1 killed": "STEPS=3",
        "2 killed": "STEPS=2 CRASHES=2",
        "2 killed, 3 calls": "STEPS=3 CRASHES=2"},
    "wait_views": {"a subscriber with a descriptor": "TAKER=1"},
    "browse_views": {},
}

# One rule is left out: an error must be found.
MUTANTS = {
    "mpmc": {
        "a losing producer keeps its claim": "C=1 PRODUCERS=2 CONSUMERS=1 PUSHES=1 POPS=2 KEEP_CLAIM",
        "a losing consumer keeps its claim": "C=1 PRODUCERS=0 CONSUMERS=2 FILLED=1 POPS=1 KEEP_CLAIM",
        "a loser polls before it clears": "C=1 PRODUCERS=0 CONSUMERS=2 FILLED=1 POPS=1 FINISH=1 POLL_STALE",
        "skips without asking which members are alive": "C=1 PRODUCERS=1 CONSUMERS=1 SKIP_BLINDLY",
        "adopts in the same generation": "C=1 PRODUCERS=0 CONSUMERS=3 FILLED=1 POPS=1 NO_GENERATION",
        "commits before the payload": "C=1 PRODUCERS=1 CONSUMERS=1 COMMIT_EARLY",
        "takes an adopted item for one given back": "C=1 PRODUCERS=0 CONSUMERS=3 FILLED=1 POPS=2 FORGET_ADOPTED",
        "does not search for abandoned items": "C=1 PRODUCERS=0 CONSUMERS=2 FILLED=1 POPS=1 NO_SEARCH",
        "closed by the flag alone": "C=1 PRODUCERS=1 CONSUMERS=1 CRASHES=0 FINISH=1 CLOSE_EARLY",
        "claims before it publishes the claim": "C=1 PRODUCERS=1 CONSUMERS=1 CRASHES=0 CLAIM_AFTER",
        "takes before it publishes the claim": "C=1 PRODUCERS=0 CONSUMERS=2 FILLED=1 CRASHES=0 CLAIM_AFTER",
        "a newcomer keeps the consumer's claim record":
            "C=1 PRODUCERS=0 CONSUMERS=1 FILLED=1 NEWCOMERS=1 NEW_PUSHES=1 NEW_POPS=0 KEEP_RECORD",
        "a newcomer keeps the producer's claim record": "C=1 PRODUCERS=1 CONSUMERS=0 NEWCOMERS=1 NEW_POPS=0 KEEP_RECORD",
    },
    "wait": {
        "imposes no barrier": f"{SPSC} MUTANT_NO_BARRIER",
        "imposes no barrier on two": f"{ONE_SLEEPER} MUTANT_NO_BARRIER",
        "wakes before it counts up": f"{SPSC} MUTANT_LATE_CLEAR",
        "wakes before it counts up, of two": f"{ONE_SLEEPER} MUTANT_LATE_CLEAR",
        "clears wake_needed, does not check again": f"{SPSC} MUTANT_NO_SECOND_CHECK",
        "clears wake_needed, does not check again, of two": f"{ONE_SLEEPER} MUTANT_NO_SECOND_CHECK",
        "sets wake_needed without a barrier": f"{ONE_SLEEPER} MUTANT_SETS_WAKE_NEEDED",
        "a flag, not a count": f"{ONE_WAKER} MUTANT_FLAG",
        "a sleeper that leaves clears for others": f"{ONE_WAKER} MUTANT_LEAVER_CLEARS",
        "does not pass a wake on": f"{ONE_WAKER} MUTANT_NO_PASSING_ON",
    },
    "wait_any": {
        "announces the sleep on one queue": "SINGLES=0 MUTANT_ANNOUNCES_ONE",
        "imposes no barrier, of 2 queues": "SINGLES=0 MUTANT_NO_BARRIER",
        "imposes one for the first queue alone": "SINGLES=0 ITEMS=3 MUTANT_IMPOSES_FIRST_ONLY",
        "interrupts without a fence": "SINGLES=0 INTERRUPTS=1 MUTANT_INTERRUPT_WITHOUT_FENCE",
    },
    "notices": {
        "wakes the waits, and rests afterwards": "MUTANT_NOTICE_BEFORE_REST",
        "rests, and does not wake the waits": "MUTANT_RESTS_QUIETLY",
        "a wait does not end the rest": "MUTANT_KEEPS_REST",
        "a wait does not wake the thread": "MUTANT_DOES_NOT_WAKE",
        "a wait loads notices after it has armed": "MUTANT_NOTICES_AFTER_ARMING",
        "a new descriptor does not wake the thread": "ITEMS=1 DESCRIPTOR=1 MUTANT_ADDS_QUIETLY",
    },
    "broadcast": {
        "no fence between floor and check": f"{NEWCOMER} MUTANT_NO_FENCE",
        "no fence between record and check": f"{NEWCOMER} MUTANT_NO_FENCE_OF_NEWCOMER",
        "a newcomer does not check": f"{NEWCOMER} MUTANT_NO_CHECK",
        "the producer does not check again": f"{NEWCOMER} MUTANT_NO_SECOND_SCAN",
        "checks, and publishes afterwards": f"{NEWCOMER} MUTANT_PUBLISHES_LATE",
        "a successor goes by the floor": f"{NEWCOMER} PRODUCERS=2 MUTANT_KEEPS_LIMIT",
        "records without tags": "C=2 SUBSCRIBERS=1 ITEMS=4 CRASHES=1 MUTANT_NO_TAG",
    },
    "pool": {
        "a block id has no generation": "MEMBERS=1 STEPS=4 CRASHES=0 MUTANT_NO_GENERATION",
        "an owner is a member entry alone": "MUTANT_NO_INCARNATION",
        "pushes, and sets SENT afterwards": "MUTANT_PUSHES_FIRST",
        "releases, and sets TAKEN afterwards": "MUTANT_RELEASES_FIRST",
        "reclaims without a search of the queue": "MUTANT_DOES_NOT_SEARCH",
        "searches the queue, then loads the state": "MUTANT_SEARCHES_FIRST",
    },
    "wait_views": {
        "wake_needed is loaded relaxed": "MUTANT_RELAXED",
        "a descriptor's thread sleeps": "TAKER=1 MUTANT_POLLER_SLEEPS",
        "imposes no barrier": "MUTANT_NO_BARRIER",
        "no fence before the check": "MUTANT_NO_FENCE",
        "does not pass a wake on": "MUTANT_NO_PASSING_ON",
    },
    "browse_views": {
        "a producer without a fence": "MUTANT_NO_RELEASE_FENCE",
        "an observer without a fence": "MUTANT_NO_ACQUIRE_FENCE",
        "the same, multi-copy atomic": "MULTI_COPY=1 MUTANT_NO_ACQUIRE_FENCE",
        "gives back, and counts afterwards": "MUTANT_COUNTS_LATE",
        "a lossy producer without a fence": "LOSSY=1 MUTANT_NO_RELEASE_FENCE",
        "a lossy subscriber without a fence": "LOSSY=1 MUTANT_NO_ACQUIRE_FENCE",
    },
}


def search(model, macros, level):
    """How the search ended ("no error", "error: ..." or "incomplete: ..."), its states and its seconds."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        def call(*command):
            done = subprocess.run(command, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  check=False, timeout=SECONDS)
            return done.stdout
        built = call("spin", "-a", *["-D" + macro for macro in macros.split()], str(HERE / f"{model}.pml"))
        built += call(os.environ.get("CC", "cc"), level, "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEGABYTES}",
                      "-o", "pan", "pan.c")
        if not os.path.exists(os.path.join(place, "pan")):
            return "incomplete: " + built.strip()[-200:], 0, 0.0
        out = call("./pan", "-m100000", "-w24")
    count = re.search(r"(\d+) states, stored", out)
    states, seconds = int(count.group(1)) if count else 0, time.monotonic() - start
    found = re.search(r"pan:1: (.*)", out)
    if found and re.match("assertion violated|invalid end state", found.group(1)):
        return "error: " + found.group(1), states, seconds
    if not re.search(r"errors: 0\b", out) or re.search(r"not completed|too small|reached -D", out):
        return "incomplete: " + out.strip()[-200:], states, seconds
    return "no error", states, seconds


def main(arguments):
    """The exit code: 0 if everything came out as it must."""
    if not shutil.which("spin"):
        print("skipped: spin is missing (Debian's package of that name)")
        return SKIPPED
    models = [model for model in arguments if model in RIGHT]
    if not models or set(arguments) - set(RIGHT) - {"--large"}:
        sys.exit(__doc__)
    is_large = "--large" in arguments or os.environ.get("QUOIT_TEST_EFFORT") == "full"
    wanted = []
    for model in models:
        right = {**RIGHT[model], **(LARGE[model] if is_large else {})}
        wanted += [(name, model, macros, "no error", "-O1") for name, macros in right.items()]
        # A mutant falls in no time: compiling it would take the longest.
        wanted += [(name, model, macros, "error: ", "-O0") for name, macros in MUTANTS[model].items()]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda row: search(row[1], row[2], row[4]), wanted)
        for (name, model, _, right, _), (result, states, seconds) in zip(wanted, results):
            good = result.startswith(right)
            failures += not good
            print(f"{'ok  ' if good else 'FAIL'} {model} {name:38} {states:9} states {seconds:6.1f} s  {result}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
