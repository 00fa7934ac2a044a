#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report.py RESULTS.jsonl REPORT.md MACHINE...: makes tables of medians, spreads and ratios from the results of one part
of the comparisons, and plots (SVG, by gnuplot) in the same folder.

Each MACHINE is a line that describes the machine. Each slice has a canary: the ns that one cache line takes to the other
processor and back, measured before and after the slice. A hypervisor moves virtual processors, so near, medium and far
slices have separate tables. A slice whose two canaries differ by more than a third is counted, and omitted.
"""
import collections
import json
import pathlib
import statistics
import subprocess
import sys

DISTANCES = {"near": "the canary is below 130 ns", "medium": "the canary is between 130 and 400 ns",
             "far": "the canary is above 400 ns", "unknown": "measured without a canary"}
LEAST = 3  # slices; a median of fewer slices is omitted


def distance_of(canaries):
    """Returns a key of DISTANCES, or None if the two canaries differ by more than a third."""
    if not canaries:
        return "unknown"
    if max(canaries) > min(canaries) * 4 / 3:
        return None
    mean = statistics.mean(canaries)
    return "near" if mean < 130 else "far" if mean > 400 else "medium"


class Results:
    """distance -> (question, between, bytes, detail, peer) -> list of values"""

    def __init__(self, paths):
        self.values = {distance: collections.defaultdict(list) for distance in DISTANCES}
        self.canaries = {distance: collections.defaultdict(list) for distance in DISTANCES}
        self.units, self.moved, self.slices, self.rounds = {}, 0, 0, 0
        for path in paths:
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    self.add(json.loads(line))
        for distance, found in self.values.items():
            enough = min(LEAST, self.rounds)
            self.values[distance] = {key: values for key, values in found.items() if len(values) >= enough}

    def add(self, row):
        distance = distance_of(row["canary_ns"])
        self.rounds = max(self.rounds, row["round"] + 1)
        self.units[row["question"]] = row["unit"]
        self.slices += 1
        if distance is None:
            self.moved += 1
            return
        key = row["question"], row["between"], row["bytes"], row["detail"], row["peer"]
        self.values[distance][key].append(row["value"])
        self.canaries[distance][key].extend(row["canary_ns"])

    def chosen(self, distance, question, between, size=None, detail=None):
        """Returns the keys of one table, in the order of their sizes and details."""
        return sorted(key for key in self.values[distance] if key[:2] == (question, between)
                      and size in (None, key[2]) and detail in (None, key[3]))

    def median(self, distance, *key):
        values = self.values[distance].get(key)
        return statistics.median(values) if values else None

    def medians(self, distance, question, size, detail, between="processes"):
        """Returns peer -> median."""
        return {key[4]: self.median(distance, *key) for key in self.chosen(distance, question, between, size, detail)}

    def limit(self, distance, size):
        """Returns how many items per second the hardware can pass: the lower one of its rates of lines and of memory."""
        lines = self.median(distance, "limit, lines", "processes", 64, 32, "lines, one word")
        copied = self.median(distance, "limit, memory", "processes", 1024, 1, "memcpy")
        return min(lines * 64, copied * 1024) / size if lines and copied and size else None


def is_ours(peer):
    return peer.startswith("Quoit") or "quoit" in peer


# ---- Tables ----------------------------------------------------------------------------------------------------------

def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def scaled(unit):
    """Returns the divisor and the unit of a table's numbers."""
    return {"ns": (1, "ns"), "bytes/s": (1e9, "GB/s"), "KiB/s": (1e9 / 1024, "GB/s"), "lines/s": (1e6, "million lines/s"),
            "items/s": (1e6, "million items/s")}[unit]


def figure(values, divisor):
    middle, low, high = (f(values) / divisor for f in (statistics.median, min, max))
    return f"{number(middle)} [{number(low)}–{number(high)}]"


def size_name(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= 4 * unit and size % unit == 0 or size == unit:
            return f"{size // unit} {name}"
    return f"{size} B"


def rate_name(rate):
    return f"{rate // 1000000} M/s" if rate >= 1000000 else f"{rate // 1000} k/s"


def row(name, cells):
    return f"| {name} | " + " | ".join(cells) + " |"


def cell_text(peer):
    return peer.replace("|", "\\|")


def ratio_rows(results, distance, question, columns, cells, peers):
    """Yields the ratios of each of our rows to the fastest other queue, and to the limit."""
    is_time = results.units[question] == "ns"
    best = min if is_time else max
    others = {column: {p: statistics.median(v) for (c, p), v in cells.items() if c == column and not is_ours(p)}
              for column in columns}
    for peer in filter(is_ours, peers):
        own = {column: statistics.median(cells[column, peer]) for column in columns if (column, peer) in cells}
        found = {}
        for column, value in own.items():
            if others[column]:
                fastest = best(others[column], key=others[column].get)
                found[column] = f"{value / others[column][fastest]:.2f} ({cell_text(fastest.split(' (')[0])})"
        if found:
            yield row(f"*{cell_text(peer)}: ratio to the fastest other*", [found.get(column, "–") for column in columns] + [""])
    if results.units[question] != "items/s" or question == "broadcast":
        return
    for peer in filter(is_ours, peers):
        of_limit = [(cells.get((column, peer)), results.limit(distance, column[0])) for column in columns]
        if any(values and limit for values, limit in of_limit):
            yield row(f"*{peer}: ratio to the hardware's limit*",
                      [f"{statistics.median(values) / limit:.2f}" if values and limit else "–"
                       for values, limit in of_limit] + [""])


def table(results, distance, question, between, size=None, detail=None, name=None):
    """Rows: peers; columns: the sizes and details that exist; the last column: the canary of the row's slices."""
    keys = results.chosen(distance, question, between, size, detail)
    if not keys:
        return
    divisor, what = scaled(results.units[question])
    columns = sorted({key[2:4] for key in keys})
    cells = {(key[2:4], key[4]): results.values[distance][key] for key in keys}
    peers = sorted({key[4] for key in keys}, key=lambda peer: (not is_ours(peer), peer))
    yield row(what, [name(*column) for column in columns] + ["canary, ns"])
    yield "|---" * (len(columns) + 2) + "|"
    for peer in peers:
        canaries = sum((results.canaries[distance][key] for key in keys if key[4] == peer), [])
        yield row(cell_text(peer), [figure(cells[column, peer], divisor) if (column, peer) in cells else "–" for column in columns]
                  + [f"{statistics.median(canaries):.0f}" if canaries else "–"])
    yield from ratio_rows(results, distance, question, columns, cells, peers)


def waiting_ratio(results, distance, between):
    """Yields the ratios of calls with QUOIT_FOREVER to a loop with QUOIT_NOW."""
    found = []
    for key in results.chosen(distance, "one per call, waiting", between):
        loop = results.median(distance, "one per call, pause", between, key[2], 1, "Quoit")
        if key[4] == "Quoit, waiting" and loop:
            found.append(f"{size_name(key[2])} {results.median(distance, *key) / loop:.2f}")
    if found:
        yield "Ratio of Quoit, waiting, to Quoit in a loop with a pause: " + ", ".join(found) + "."


def by_size(size, _):
    return size_name(size)


def by_detail(form):
    return lambda _, detail: form(detail)


def plural(word):
    return by_detail(lambda count: f"{count} {word}{'s' if count > 1 else ''}")


# (question, title, arguments of table)
SECTIONS = [
    ("one per call, retry", "One item per call, a bare retry loop", {"name": by_size}),
    ("one per call, pause", "One item per call, a retry loop with a pause", {"name": by_size}),
    ("one per call, waiting", "One item per call, each queue waiting in its own way (Quoit: QUOIT_FOREVER)",
     {"name": by_size}),
    *(("batches", f"Batches of {batch}", {"detail": batch, "name": by_size}) for batch in (2, 8, 32, 256)),
    ("capacity", "16-byte items, one per call, by capacity", {"name": by_detail("{:,}".format)}),
    ("slow consumer", "A consumer that works 100 ns on each item: time per item without that work", {"name": by_size}),
    ("slow producer", "A producer that works 100 ns on each item: time per item without that work", {"name": by_size}),
    ("round trip, retry", "Round trip of 16 bytes, a bare retry loop", {"name": by_size}),
    ("round trip, pause", "Round trip of 16 bytes, a retry loop with a pause", {"name": by_size}),
    ("round trip, waiting", "Round trip of 16 bytes, each queue waiting in its own way",
     {"name": plural("processor")}),
    *((f"latency {name}", f"Latency at a fixed rate, from the intended moment: {name}", {"name": by_detail(rate_name)})
      for name in ("p50", "p99", "p99.9", "max")),
    *((f"burst {name}", f"Bursts of 100 items, every 20 µs, one item per call: until the last item arrives, {name}",
       {"name": by_size}) for name in ("p50", "p99")),
    *(("mpmc", f"{pairs}, one item per call", {"detail": detail, "name": by_size})
      for detail, pairs in ((1, "One producer, one consumer"), (2, "Two producers, two consumers"))),
    ("broadcast", "Broadcast of 64-byte items", {"name": plural("subscriber")}),
    ("messages", "Messages copied in and out, compared with items of that size", {"name": by_size}),
    ("frames", "Frames written and read in place; only the beginning and the end are used", {"name": by_size}),
    ("pool pairs", "Pools: alloc and free of a block",
     {"name": lambda size, held: f"{size_name(size)}, {held} held"}),
    ("shell", "Through a shell", {"name": lambda *_: "`yes`"}),
    ("limit, lines", "The limit of the hardware: cache lines to the other processor, an index published for several",
     {"name": plural("line")}),
    ("limit, memory", "The limit of the hardware: memory copied by one processor", {"name": lambda *_: "copied"}),
]


def sections(results, distance, between):
    for question, title, arguments in SECTIONS:
        lines = list(table(results, distance, question, between, **arguments))
        if lines:
            yield from [f"#### {title}", "", *lines, ""]
        if question == "one per call, waiting":
            yield from (f"{line}\n" for line in waiting_ratio(results, distance, between))


def report(results, machine):
    yield from ["# Measured", "", *(f"- {line}" for line in machine),
                f"- {results.rounds} rounds, {results.slices} results. {results.moved} of them have two canaries that "
                "differ by more than a third; they are only in the raw data",
                "", f"Medians [lowest–highest] of at least {min(LEAST, results.rounds)} slices.", ""]
    for distance, meaning in DISTANCES.items():
        if not results.values[distance]:
            continue
        yield from [f"## {distance.capitalize()}: {meaning}", ""]
        for between in ("processes", "threads"):
            found = list(sections(results, distance, between))
            if found:
                yield from [f"### Between {between}", "", *found]


# ---- Plots -----------------------------------------------------------------------------------------------------------

def gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def bars(path, title, rows, unit):
    """One bar per row: (label, value, low, high); ours in another colour."""
    data = "\n".join(f'"{label}" {value:.6g} {low:.6g} {high:.6g} {1 if is_ours(label) else 0} {i}'
                     for i, (label, value, low, high) in enumerate(reversed(rows)))
    gnuplot(f"""
set terminal svg size 760,{80 + 26 * len(rows)} font 'sans,13' background rgb 'white'
set output '{path}'
set title '{title}' noenhanced
set style fill solid 0.85
set boxwidth 0.7
set xlabel '{unit}'
set xrange [0:*]
set yrange [-0.7:{len(rows) - 0.3}]
set grid xtics lc rgb '#dddddd'
set border 3
set ytics nomirror noenhanced
unset key
$data << END
{data}
END
plot $data using ($2/2):6:($2/2):(0.35):($5 == 1 ? 0xc0392b : 0x7f8c8d):ytic(1) with boxxyerrorbars lc rgb variable, \\
     $data using 2:6:3:4 with xerrorbars pt 0 lc rgb '#222222'
""")


def lines(path, title, series, xlabel, ylabel):
    """One line per peer."""
    blocks, plots = [], []
    for index, (peer, points) in enumerate(series.items()):
        blocks.append(f"$d{index} << END\n" + "\n".join(f"{x} {y:.6g}" for x, y in sorted(points)) + "\nEND")
        width = 3 if is_ours(peer) else 1.5
        plots.append(f"$d{index} with linespoints lw {width} pt {index % 13 + 4} title '{peer}' noenhanced")
    gnuplot(f"""
set terminal svg size 760,460 font 'sans,13' background rgb 'white'
set output '{path}'
set title '{title}' noenhanced
set logscale xy
set xlabel '{xlabel}'
set ylabel '{ylabel}'
set grid lc rgb '#dddddd'
set key outside right
""" + "\n".join(blocks) + "\nplot " + ", ".join(plots) + "\n")


# (file, questions, size, detail, title)
BARS = [("one_per_call.svg", ("one per call, pause", "one per call, waiting"), 16, 1, "16-byte items, one item per call"),
        ("batches.svg", ("batches",), 16, 32, "16-byte items in batches of 32"),
        ("round_trip.svg", ("round trip, pause",), 16, 2, "Round trip of 16 bytes, both sides spin"),
        ("round_trip_waiting.svg", ("round trip, waiting",), 16, 1, "Round trip of 16 bytes, both sides wait, on one processor"),
        ("mpmc.svg", ("mpmc",), 16, 2, "16-byte items, two producers and two consumers")]
# (file, question, size or None, detail or None, title, label of x)
LINES = [("frames.svg", "frames", None, 1, "Frames written and read in place", "bytes per frame"),
         ("sizes.svg", "one per call, pause", None, 1, "One item per call, over the item size", "bytes per item"),
         ("capacity.svg", "capacity", 16, None, "16-byte items, one item per call, over the capacity", "capacity")]


def plots(results, folder):
    """Makes the plots, of the distance with most results, or the nearest such one, between processes."""
    def keys_of(questions, size, detail):
        found = {distance: [key for question in questions
                            for key in results.chosen(distance, question, "processes", size, detail)]
                 for distance in DISTANCES}
        distance = max(found, key=lambda each: len(found[each]))
        return distance, found[distance]

    for name, questions, size, detail, title in BARS:
        distance, keys = keys_of(questions, size, detail)
        if keys:
            divisor, unit = scaled(results.units[questions[0]])
            rows = [(key[4], *(f(results.values[distance][key]) / divisor for f in (statistics.median, min, max)))
                    for key in keys]
            rows.sort(key=lambda bar: bar[1], reverse=unit != "ns")
            bars(folder / name, f"{title}, between processes ({distance})", rows, unit)
    for name, question, size, detail, title, xlabel in LINES:
        distance, keys = keys_of((question,), size, detail)
        series = collections.defaultdict(list)
        for key in keys:
            series[key[4]].append((key[3] if detail is None else key[2],
                                   results.median(distance, *key) / scaled(results.units[question])[0]))
        if series:
            lines(folder / name, f"{title}, between processes ({distance})", series, xlabel,
                  scaled(results.units[question])[1])


def main():
    results, output = Results([sys.argv[1]]), pathlib.Path(sys.argv[2])
    output.write_text("\n".join(report(results, sys.argv[3:])), encoding="utf-8")
    plots(results, output.parent)


if __name__ == "__main__":
    main()
