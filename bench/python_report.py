#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_report.py RESULTS.jsonl REPORT.md MACHINE...: tables of bench/python.py's results: medians over the rounds, the
lowest and the highest, and ratios of each round; and plots beside the report (SVG, of rates). Each MACHINE is a line that
describes the machine."""
import collections
import json
import pathlib
import statistics
import sys
import xml.sax.saxutils

BASE = "multiprocessing.Queue"
# (shape, payload, file)
PLOTS = [("one to one", "64 bytes", "python_64_bytes.svg"), ("one to one", "dict of 100 bytes", "python_dict.svg"),
         ("one to one", "frame of 640×480×3", "python_frames.svg"), ("round trip", "int", "python_round_trip.svg")]
# (what, payload, queue, figure, compared with, wanted, True: at least) of one to one
GOALS = [
    ("64 bytes by push/pop: rate", "64 bytes", "quoit push/pop", "per_second", "multiprocessing.SimpleQueue", 8, True),
    ("64 bytes by push/pop: CPU time", "64 bytes", "quoit push/pop", "cpu_us", "multiprocessing.SimpleQueue", 1 / 30, False),
    ("dict by put/get: rate", "dict of 100 bytes", "quoit put/get", "per_second", BASE, 4, True),
    ("dict by put/get: CPU time", "dict of 100 bytes", "quoit put/get", "cpu_us", "pickle alone", 1.3, False),
    ("frames by put/get: rate", "frame of 640×480×3", "quoit put/get", "per_second", "shared_memory by hand", 1, True),
    ("frames by put/get: rate", "frame of 640×480×3", "quoit put/get", "per_second", BASE, 20, True),
    ("frames by put/get: rate", "frame of 640×480×3", "quoit put/get", "per_second", "two copies, alone", 0.8, True),
]
IN_PLACE = "quoit claim/peek, in place"


class Results:
    def __init__(self, path):
        self.lines = collections.defaultdict(dict)  # by (shape, payload, queue), by round
        with open(path) as file:
            for line in map(json.loads, file):
                self.lines[line["shape"], line["payload"], line["queue"]][line["round"]] = line
        self.rounds = max(len(rounds) for rounds in self.lines.values())

    def groups(self):
        return sorted({key[:2] for key in self.lines}, key=lambda group: [*self.lines].index(next(
            key for key in self.lines if key[:2] == group)))

    def figures(self, shape, payload, queue, figure):
        return [line[figure] for line in self.lines[shape, payload, queue].values()]

    def ratio(self, key, other, figure):
        """The median of the ratios of each round; None if one of them was not measured."""
        both = self.lines[key].keys() & self.lines[other].keys()
        return statistics.median(self.lines[key][i][figure] / self.lines[other][i][figure] for i in both) if both else None


def spread(values, form):
    return f"{form(statistics.median(values))} [{form(min(values))}–{form(max(values))}]"


def table(results, shape, payload):
    queues = [key[2] for key in results.lines if key[:2] == (shape, payload)]
    queues.sort(key=lambda queue: -statistics.median(results.figures(shape, payload, queue, "per_second")))
    unit = "round trips" if shape == "round trip" else "messages"
    yield f"### {shape.capitalize()}: {payload}\n"
    yield f"| queue | {unit} per second | rate / {BASE} | CPU of all processes, µs for each |\n|---|---|---|---|"
    for queue in queues:
        ratio = results.ratio((shape, payload, queue), (shape, payload, BASE), "per_second")
        rate = spread(results.figures(shape, payload, queue, "per_second"), lambda value: f"{value:,.0f}")
        cpu = spread(results.figures(shape, payload, queue, "cpu_us"), lambda value: f"{value:,.2f}")
        yield f"| {queue} | {rate} | {'–' if ratio is None else f'{ratio:.2f}'} | {cpu} |"
    yield ""


def goals(results):
    yield "## Goals\n"
    yield "Medians of the ratios of each round.\n\n| what | compared with | measured | wanted | |\n|---|---|---|---|---|"
    for what, payload, queue, figure, other, wanted, at_least in GOALS:
        ratio = results.ratio(("one to one", payload, queue), ("one to one", payload, other), figure)
        if ratio is not None:
            holds = ratio >= wanted if at_least else ratio <= wanted
            yield (f"| {what} | {other} | {ratio:.3g} | {'at least' if at_least else 'at most'} {wanted:.3g} | "
                   f"{'holds' if holds else 'does not hold'} |")
    frames = results.figures("one to one", "frame of 640×480×3", IN_PLACE, "cpu_us")
    arrays = results.figures("one to one", "array of 8 MiB", IN_PLACE, "cpu_us")
    if frames and arrays:
        yield (f"\nIn place, CPU time for each: {statistics.median(frames):.1f} µs for frames of 0.9 MB, "
               f"{statistics.median(arrays):.1f} µs for arrays of 8.4 MB.\n")


def plot(results, shape, payload, path):
    """Horizontal bars: the medians of the rates; ours in another colour."""
    rows = [(queue, statistics.median(results.figures(shape, payload, queue, "per_second")))
            for key in results.lines if key[:2] == (shape, payload) for queue in [key[2]]]
    if not rows:
        return
    rows.sort(key=lambda row: -row[1])
    most, width, left, step = rows[0][1], 420, 220, 26
    unit = "round trips per second" if shape == "round trip" else "messages per second"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{60 + step * len(rows)}" '
             'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>',
             f'<text x="10" y="22" font-size="15">{shape.capitalize()}: {payload}, {unit}</text>']
    for i, (queue, rate) in enumerate(rows):
        y, length = 40 + step * i, max(1, round(width * rate / most))
        colour = "#c0392b" if queue.startswith("quoit") else "#7f8c8d"
        parts.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{xml.sax.saxutils.escape(queue)}</text>'
                     f'<rect x="{left}" y="{y}" width="{length}" height="18" fill="{colour}"/>'
                     f'<text x="{left + length + 6}" y="{y + 14}">{rate:,.0f}</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def main(source, report, *machine):
    results, report = Results(source), pathlib.Path(report)
    parts = ["# Queues between Python processes\n", *(f"- {line}" for line in machine),
             f"- {results.rounds} rounds. Each round measures each queue once, in a random order\n",
             "Medians [lowest–highest]. One to four: each of four receivers takes a quarter. `pickle alone`: `dumps` and `loads`",
             "in one process, without a queue. `two copies, alone`: two copies of the array in one process. A round trip is one",
             "message to another process and back.\n", *goals(results)]
    for group in results.groups():
        parts += table(results, *group)
    for shape, payload, name in PLOTS:
        plot(results, shape, payload, report.parent / name)
        if (report.parent / name).exists():
            parts.append(f"![{shape}: {payload}]({name})")
    report.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
