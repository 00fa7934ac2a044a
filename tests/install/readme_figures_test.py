#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readme_figures_test.py SOURCE: checks that each figure of the README's "How fast" follows from the raw data that it
names.

Computes the tables and the sentences from bench/results/*.jsonl with the functions of bench/report.py. They must be in
the README literally (except for line breaks). The figures of a sentence are those of the distance with the most peers, or
of the nearest such distance. bench/results/near has the data of a machine with near processors: they give another table.
"""
import pathlib
import statistics
import sys

SIZES = [8, 16, 64, 256, 1024, 4096]
ROWS = [("one item per call, visible when its push returns", "one per call, pause", 1),
        ("in batches of 8", "batches", 8),
        ("in batches of 32", "batches", 32)]
PARTS = ["one_per_call", "batches", "latency", "mpmc", "broadcast", "payloads", "shell"]
KIB = 1024


class Figures:
    def __init__(self, report, folder):
        self.report = report
        self.results = report.Results([folder / f"{part}.jsonl" for part in PARTS])

    def medians(self, question, size, detail, distance=None, between="processes"):
        """Returns peer -> median, at that distance, or at the nearest one of those with the most peers."""
        distances = [distance] if distance else self.report.DISTANCES
        return max((self.results.medians(each, question, size, detail, between) for each in distances), key=len)

    def ratio(self, question, size, detail, own, distance=None):
        """Returns the ratio of our queue to the fastest peer, or None if one of the two was not measured."""
        medians = self.medians(question, size, detail, distance)
        others = [value for peer, value in medians.items() if not self.report.is_ours(peer)]
        return medians[own] / max(others) if own in medians and others else None

    def spread(self, question, peer, sizes, details):
        found = [self.medians(question, size, detail).get(peer) for size in sizes for detail in details]
        found = [value for value in found if value]
        return min(found), max(found)


def tables(figures):
    """Yields a table for each distance at which all rows were measured."""
    for distance, meaning in figures.report.DISTANCES.items():
        ratios = {size: [figures.ratio(question, size, batch, "Quoit", distance) for _, question, batch in ROWS]
                  for size in SIZES}
        sizes = [size for size, found in ratios.items() if None not in found]
        if not sizes:
            continue
        yield "\n".join([f"Processors {distance} ({meaning}):", "",
                         "| | " + " | ".join(f"{size} B" for size in sizes) + " |", "|---" * (len(sizes) + 1) + "|",
                         *(f"| {title} | " + " | ".join(cell(ratios[size][index]) for size in sizes) + " |"
                           for index, (title, _, _) in enumerate(ROWS))]) + "\n"


def cell(ratio):
    """Formats a ratio as in the README: one decimal; bold if a peer is faster."""
    return f"**{ratio:.1f}**" if ratio < 0.95 else f"{ratio:.1f}"


def words(found):
    """Returns "1, 2 and 4"."""
    *most, last = found
    return f"{', '.join(most)} and {last}" if most else last


def sentences(figures):
    """Yields the README's sentences with figures."""
    first, ratio = figures.medians("one per call, pause", 8, 1)["Quoit"], figures.ratio("one per call, pause", 8, 1, "Quoit")
    yield (f"{first / 1e6:.0f} million 8-byte items per second between two processes, {ratio:.1f} times as many as "
           "Boost.Lockfree")
    trip, blocked = figures.medians("round trip, pause", 16, 2), figures.medians("round trip, waiting", 16, 1)
    ours = blocked["Quoit, waiting"]
    yield (f"A round trip takes {trip['Quoit'] / trip['Boost.Lockfree spsc_queue']:.1f} times as long as with "
           f"Boost.Lockfree when both sides spin, and {ours / blocked['bare futex']:.1f} times as long as a bare futex "
           "when both block")
    crowd = [figures.ratio("mpmc", size, pairs, "Quoit MPMC") for size in (8, 16, 64) for pairs in (1, 2)]
    yield (f"An MPMC queue passes {min(crowd):.1f} to {max(crowd):.1f} times as many items per second as the fastest of "
           "Boost.Lockfree's queue")
    fan = {count: figures.ratio("broadcast", 64, count, "Quoit") for count in (1, 2, 4)}
    fan = {str(count): f"{ratio:.0f}" for count, ratio in fan.items() if ratio}
    yield (f"A broadcast to {words(fan)} subscribers passes {words(fan.values())} times as many items per second as the "
           "fastest of ZeroMQ and iceoryx")
    frames = {size: figures.medians("frames", size * KIB, 1) for size in (1, 16, 256, KIB, 4 * KIB, 16 * KIB)}
    large = statistics.median(frames[size]["Quoit messages, in place"] for size in frames if size >= 256)
    small = statistics.median(frames[size]["Quoit messages, in place"] for size in frames if size < 256)
    pool = statistics.median(medians["Quoit pool"] for medians in frames.values())
    other = statistics.median(medians["iceoryx (loan, publish)"] for medians in frames.values()
                              if "iceoryx (loan, publish)" in medians)
    yield (f"A large message that is written and read in place takes {large:.0f} ns from 256 KiB to 16 MiB, and {small:.0f} ns "
           f"up to 16 KiB. Through a pool it takes {pool:.0f} ns. iceoryx takes {other:.0f} ns")
    short, long = figures.medians("messages", 64, 1), figures.medians("messages", 64 * KIB, 1)
    yield (f"A message that is copied in and out takes {short['Quoit messages']:.0f} ns at 64 bytes and "
           f"{long['Quoit messages'] / 1000:.1f} µs at 64 KiB. ZeroMQ takes {short['ZeroMQ ipc']:.0f} ns and "
           f"{long['ZeroMQ ipc'] / 1000:.0f} µs")
    sizes, held = (16, 4 * KIB, KIB * KIB), (1, 8)
    blocks = figures.spread("pool pairs", "Quoit pool", sizes, held)
    boost = figures.spread("pool pairs", "Boost.Interprocess managed_shared_memory", sizes, held)
    yield (f"Allocating and freeing a block of a pool takes {blocks[0]:.0f} to {blocks[1]:.0f} ns. In a managed segment of "
           f"Boost.Interprocess it takes {boost[0]:.0f} to {boost[1]:.0f} ns")
    yield (f"When both sides block, a round trip takes {blocked['pipe'] / 1000:.1f} µs through a pipe and "
           f"{ours / 1000:.1f} µs through Quoit")
    shell = figures.medians("shell", 2, 0)
    yield (f"Lines pass through `push` and `pop` at "
           f"{shell['yes | quoit push, quoit pop | wc'] / shell['yes | cat | wc']:.1f} times the rate of `cat` between two pipes")


def losses(figures, readme):
    """Yields each peer that is faster than Quoit in a row of the tables, and not named below them."""
    named = readme[readme.index("**Where another queue is faster**"):]
    named = named[:named.index("docs/PERFORMANCE.md")]
    for title, question, batch in ROWS:
        for size in SIZES:
            for distance in figures.report.DISTANCES:
                for between in ("processes", "threads"):
                    medians = figures.medians(question, size, batch, distance, between)
                    for peer, value in medians.items():
                        if not figures.report.is_ours(peer) and value > medians.get("Quoit", value) and peer.split()[0] not in named:
                            yield f"{title}, {size} bytes, {distance}, between {between}: {peer} is faster, and not named"


def faults(source):
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(source / "bench"))
    import report
    figures = Figures(report, source / "bench" / "results")
    near = Figures(report, source / "bench" / "results" / "near")
    readme = (source / "README.md").read_text(encoding="utf-8")
    flat = " ".join(readme.split())
    for table in (*tables(figures), *tables(near)):
        if table not in readme:
            yield f"README.md lacks the table that the data in bench/results give:\n{table}"
    for sentence in sentences(figures):
        if sentence not in flat:
            yield f"README.md does not say: {sentence}"
    yield from losses(figures, readme)
    yield from losses(near, readme)


def main():
    found = list(faults(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
