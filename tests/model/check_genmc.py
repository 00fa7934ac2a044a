#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes the code through all executions that C11 and the model of hardware IMM allow, with GenMC, and mutants of it.

usage: check_genmc.py [HARNESS...]     (wait, wait_taker, browse_slots, browse_spans, browse_lossy, latest_lossy,
latest_lossless; without any: all)
The unchanged code must hold, and each mutant must be caught. Exit code 77: genmc (0.10, in PATH) is missing."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDERS = ["include", "src/base", "src/ring", "src/os", "src/region", "src/api", "tests/model"]
MODELS = ["rc11", "imm"]
SECONDS = 600
SKIPPED = 77
HARNESSES = ["wait", "wait_taker", "browse_slots", "browse_spans", "browse_lossy", "latest_lossy", "latest_lossless"]

# Harness, what is wrong, the file, the text in it that is replaced (once) and by what.
MUTANTS = [
    ("wait", "wake_needed is loaded relaxed", "src/api/queue_wait.c",
     "(waiter->wake_needed, memory_order_acquire)", "(waiter->wake_needed, memory_order_relaxed)"),
    ("wait", "no barrier is imposed", "src/api/queue_wait.c", "if (!quoit_os_barrier_impose())", "if (true)"),
    ("wait", "does not pass a wake on", "src/api/queue_wait.c", "if (imposed && (is_ready_now", "if (false && (is_ready_now"),
    ("wait_taker", "a descriptor's thread sleeps", "src/api/queue_wait.c", " || has_own_taker(waiter))", ")"),
    ("browse_slots", "a producer without a fence", "tests/model/genmc_posix.h", "FILLS 1", "FILLS 0"),
    ("browse_spans", "a producer without a fence", "src/ring/ring_ops.h", "fence(memory_order_release)", "fence(0)"),
    ("browse_lossy", "a producer without a fence", "src/ring/broadcast_lossy.c",
     "fence(memory_order_release)", "fence(0)"),
    ("browse_lossy", "a subscriber without a fence", "src/ring/broadcast_lossy.c",
     "fence(memory_order_acquire)", "fence(0)"),
    ("browse_spans", "an observer without a fence", "src/ring/browse.c", "fence(memory_order_acquire)", "fence(0)"),
    ("latest_lossy", "a producer without a fence", "src/ring/broadcast_lossy.c",
     "fence(memory_order_release)", "fence(0)"),
    ("latest_lossy", "an observer without a fence", "src/ring/browse.c", "fence(memory_order_acquire)", "fence(0)"),
    ("latest_lossless", "a producer without a fence", "src/ring/broadcast.h", "fence(memory_order_seq_cst)", "fence(0)"),
    ("latest_lossless", "an observer without a fence", "src/ring/browse.c", "fence(memory_order_acquire)", "fence(0)"),
    ("latest_lossless", "does not check the floor", "src/ring/broadcast_latest.c",
     "(view->ops->drops_oldest ||", "(true ||"),
]


def check(harness, model, place=None):
    """How it ended: "no error", "error" or "incomplete: ..."."""
    folders = ([place] if place else []) + [str(ROOT / folder) for folder in FOLDERS]
    source = pathlib.Path(place or HERE) / f"genmc_{harness}.c"
    command = ["genmc", f"--{model}", "--disable-estimation", "--", "-std=c11"]
    command += [f"-I{folder}" for folder in folders] + [str(source)]
    try:
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"incomplete: not done after {SECONDS} s"
    if "No errors were detected" in done.stdout:
        return "no error"
    if "Assertion violation" in done.stdout:
        return "error"
    return "incomplete: " + done.stdout.strip()[-200:]


def check_mutant(harness, model, path, old, new):
    """The mutant's file, and the harness, whose own folder comes first for a quoted include, in a folder of theirs."""
    with tempfile.TemporaryDirectory() as place:
        for name in HERE.glob("genmc_*"):
            shutil.copy(name, place)
        text = (ROOT / path).read_text(encoding="utf-8")
        if text.count(old) != 1:
            return f"incomplete: {path} has {text.count(old)} times: {old}"
        (pathlib.Path(place) / pathlib.Path(path).name).write_text(text.replace(old, new), encoding="utf-8")
        return check(harness, model, place)


def main(arguments):
    """The exit code: 0 if everything came out as it must."""
    if not shutil.which("genmc"):
        print("skipped: genmc is missing (github.com/MPI-SWS/genmc)")
        return SKIPPED
    if set(arguments) - set(HARNESSES):
        sys.exit(__doc__)
    failures = 0
    for harness in arguments or HARNESSES:
        wanted = [("the code", "no error", model, None) for model in MODELS]
        wanted += [(mutant[1], "error", MODELS[0], mutant) for mutant in MUTANTS if mutant[0] == harness]
        for name, right, model, row in wanted:
            start = time.monotonic()
            result = check_mutant(harness, model, *row[2:]) if row else check(harness, model)
            failures += result != right
            print(f"{'ok  ' if result == right else 'FAIL'} {harness:10} {model} {name:30} "
                  f"{time.monotonic() - start:6.1f} s  {result}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
