#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readme_figures_test.py SOURCE: checks that each figure of the README's "How fast" follows from the raw data that it
names.

Computes the table and the sentences from bench/results/*.jsonl with the functions of bench/report.py. They must be in
the README literally (except for line breaks).
"""
import pathlib
import statistics
import sys

SIZES = [8, 16, 64, 256, 4096]
DEFAULT = "Quoit"
ROWS = [("one item per call, visible when its push returns", DEFAULT, 1),
        ("in batches of 8", DEFAULT, 8),
        ("in batches of 32", DEFAULT, 32)]


class Results:
    def __init__(self, report, folder):
        self.ours, self.waiting = report.OURS, report.WAITING
        self.values = {}
        for name in ["one_to_one", "many", "broadcast", "payloads", "shell"]:
            self.values.update(report.load(folder / f"{name}.jsonl")[0])

    def medians(self, question, size, detail, between="processes"):
        """Returns peer -> median."""
        return {key[4]: statistics.median(found) for key, found in self.values.items()
                if key[:4] == (question, between, size, detail)}

    def ratio(self, question, size, detail, own, between="processes"):
        """Returns the ratio of our queue in that row to the fastest peer."""
        medians = self.medians(question, size, detail, between)
        return medians[own] / max(value for peer, value in medians.items() if peer not in self.ours)

    def spread(self, question, peer, sizes, details):
        found = [self.medians(question, size, detail).get(peer) for size in sizes for detail in details]
        found = [value for value in found if value]
        return min(found), max(found)


def table(results):
    """Formats a ratio as in the README: one decimal; bold if a peer is faster."""
    yield "| | " + " | ".join(f"{size} B" for size in SIZES) + " |"
    yield "|---" * (len(SIZES) + 1) + "|"
    for title, own, batch in ROWS:
        ratios = [results.ratio("throughput", size, batch, own) for size in SIZES]
        cells = [f"**{ratio:.1f}**" if ratio < 0.95 else f"{ratio:.1f}" for ratio in ratios]
        yield f"| {title} | " + " | ".join(cells) + " |"


def winners(results, size, batch, own, between="processes"):
    """Returns the peers that are faster than our queue in that row."""
    medians = results.medians("throughput", size, batch, between)
    return sorted((peer for peer, value in medians.items() if peer not in results.ours and value > medians[own]),
                  key=lambda peer: -medians[peer])


def sentences(results):
    """Yields the README's sentences with figures."""
    first, ratio = results.medians("throughput", 8, 1)[DEFAULT], results.ratio("throughput", 8, 1, DEFAULT)
    yield (f"{first / 1e6:.0f} million 8-byte items per second between two processes, {ratio:.1f} times as many as "
           "Boost.Lockfree")
    trip, asleep = results.medians("round trip spinning", 16, 0), results.medians("round trip sleeping", 16, 1)
    sleeper = asleep[results.waiting]
    yield (f"A round trip takes {trip[DEFAULT] / trip['Boost.Lockfree spsc_queue']:.1f} times as long as with "
           f"Boost.Lockfree when both sides spin, and {sleeper / asleep['bare futex']:.1f} times as long as a bare futex "
           "when both block")
    crowd = [results.ratio("many", size, pairs, "Quoit MPMC") for size in (8, 16, 64) for pairs in (1, 2)]
    yield (f"An MPMC queue passes {min(crowd):.1f} to {max(crowd):.1f} times as many items per second as the fastest of "
           "Boost.Lockfree's queue")
    fan = [f"{results.ratio('broadcast', 64, count, DEFAULT):.0f}" for count in (1, 2, 4, 8)]
    yield (f"A broadcast to 1, 2, 4 and 8 subscribers passes {fan[0]}, {fan[1]}, {fan[2]} and {fan[3]} times as many items "
           "per second as the fastest of ZeroMQ and iceoryx")
    kib = 1024
    large = statistics.median(results.medians("frames", size * kib, 1)["Quoit messages, in place"]
                              for size in (256, kib, 4 * kib, 16 * kib))
    small = statistics.median(results.medians("frames", size * kib, 1)["Quoit messages, in place"] for size in (1, 16))
    sizes = [size * kib for size in (1, 16, 256, kib, 4 * kib, 16 * kib)]
    found = [results.medians("frames", size, 1) for size in sizes]
    pool = statistics.median(medians["Quoit pool"] for medians in found)
    other = statistics.median(medians["iceoryx (loan, publish)"] for medians in found if "iceoryx (loan, publish)" in medians)
    yield (f"A large message that is written and read in place takes {large:.0f} ns from 256 KiB to 16 MiB, and {small:.0f} ns "
           f"up to 16 KiB. Through a pool it takes {pool:.0f} ns. iceoryx takes {other:.0f} ns")
    short, long = results.medians("messages", 64, 1), results.medians("messages", 64 * kib, 1)
    yield (f"A message that is copied in and out takes {short['Quoit messages']:.0f} ns at 64 bytes and "
           f"{long['Quoit messages'] / 1000:.1f} µs at 64 KiB. ZeroMQ takes {short['ZeroMQ ipc']:.0f} ns and "
           f"{long['ZeroMQ ipc'] / 1000:.0f} µs")
    blocks = results.spread("pool pairs", "Quoit pool", (16, 4096, kib * kib), (1, 8))
    boost = results.spread("pool pairs", "Boost.Interprocess managed_shared_memory", (16, 4096, kib * kib), (1, 8))
    yield (f"Allocating and freeing a block of a pool takes {blocks[0]:.0f} to {blocks[1]:.0f} ns. In a managed segment of "
           f"Boost.Interprocess it takes {boost[0]:.0f} to {boost[1]:.0f} ns")
    yield (f"When both sides block, a round trip takes {asleep['pipe'] / 1000:.1f} µs through a pipe and "
           f"{sleeper / 1000:.1f} µs through Quoit")
    shell = results.medians("shell", 2, 0)
    yield (f"Lines pass through `push` and `pop` at "
           f"{shell['yes | quoit push, quoit pop | wc'] / shell['yes | cat | wc']:.1f} times the rate of `cat` between two pipes")


def losses(results, readme):
    """Each peer that is faster than a row of the table is named below it."""
    named = readme[readme.index("**Where another queue is faster**"):]
    named = named[:named.index("docs/PERFORMANCE.md")]
    for title, own, batch in ROWS:
        for size in SIZES:
            for between in ("processes", "threads"):
                for peer in winners(results, size, batch, own, between):
                    if peer.split()[0] not in named:
                        yield f"{title}, {size} bytes, between {between}: {peer} is faster, and not named"


def faults(source):
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(source / "bench"))
    import report
    results = Results(report, source / "bench" / "results")
    readme = (source / "README.md").read_text(encoding="utf-8")
    flat = " ".join(readme.split())
    right = "\n".join(table(results)) + "\n"
    if right not in readme:
        yield f"README.md has not the table that bench/results/one_to_one.jsonl gives:\n{right}"
    for sentence in sentences(results):
        if sentence not in flat:
            yield f"README.md does not say: {sentence}"
    yield from losses(results, readme)


def main():
    found = list(faults(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
