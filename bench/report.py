#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report.py RESULTS.jsonl REPORT.md MACHINE...: makes tables of medians, spreads and ratios from a run of the
comparisons, and plots (SVG, by gnuplot).

Each MACHINE is a line that describes the machine. Runs whose canary, the round trip of one cache line between the two
processors, differs by more than a third from its median are omitted and counted: a hypervisor had moved the processors,
so they ran on another machine than the rest.
"""
import collections
import json
import pathlib
import statistics
import subprocess
import sys

WAITING = "Quoit (with a time-out)"
OURS = ("Quoit", WAITING, "Quoit MPMC", "Quoit messages", "Quoit messages, MPMC", "Quoit messages, in place", "Quoit pool")
# Rows of runs with an earlier API: their name now, or None if no such queue exists any more.
EARLIER = {"Quoit (push_wait, pop_wait)": WAITING, "Quoit (spans)": None, "Quoit" + " sized": "Quoit messages",
           "Quoit" + " sized, MPMC": "Quoit messages, MPMC", "Quoit" + " sized, in place": "Quoit messages, in place"}
EARLIER_QUESTIONS = {"sized": "messages"}


def load(path):
    rows = [json.loads(line) for line in open(path)]
    rows = [{**row, "peer": EARLIER.get(row["peer"], row["peer"]),
             "question": EARLIER_QUESTIONS.get(row["question"], row["question"])} for row in rows]
    rows = [row for row in rows if row["peer"]]
    usual = statistics.median([row["bounce_ns"] for row in rows if row["bounce_ns"] > 0] or [0])
    near = [row for row in rows if usual * 2 / 3 <= row["bounce_ns"] <= usual * 4 / 3 or row["bounce_ns"] == 0]
    values = collections.defaultdict(list)
    for row in near:
        values[row["question"], row["between"], row["bytes"], row["detail"], row["peer"]].append(row["value"])
    return values, usual, len(rows) - len(near), len(rows)


def figure(values, scale, digits=0):
    return (f"{statistics.median(values) / scale:.{digits}f} "
            f"[{min(values) / scale:.{digits}f}–{max(values) / scale:.{digits}f}]")


def throughput_table(values, question, between, batch):
    chosen = {key[2:]: v for key, v in values.items() if key[0] == question and key[1] == between
              and key[3] == batch}
    sizes = sorted({key[0] for key in chosen})
    peers = list(dict.fromkeys(key[2] for key in chosen))
    yield "| | " + " | ".join(f"{size} B" for size in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for peer in peers:
        cells = [figure(chosen[size, batch, peer], 1e6, 1 if statistics.median(chosen[size, batch, peer]) < 1e7 else 0)
                 if (size, batch, peer) in chosen else "–" for size in sizes]
        yield f"| {peer} | " + " | ".join(cells) + " |"
    ratios = []
    for size in sizes:
        ours = max(statistics.median(v) for (s, _, p), v in chosen.items() if s == size and p in OURS and p != WAITING)
        theirs = [(statistics.median(v), p) for (s, _, p), v in chosen.items() if s == size and p not in OURS]
        ratios.append(f"{ours / max(theirs)[0]:.2f} ({' '.join(max(theirs)[1].split()[:2])})")
    yield "| *our best to the fastest peer* | " + " | ".join(ratios) + " |"


def trips_table(values, question, detail, between):
    chosen = {key[4]: v for key, v in values.items() if key[0] == question and key[1] == between and key[3] == detail}
    yield "| | ns there and back |"
    yield "|---|---|"
    for peer, found in chosen.items():
        yield f"| {peer} | {figure(found, 1)} |"


def limits_table(values, between):
    yield "| limit | detail | |"
    yield "|---|---|---|"
    for (question, side, _, detail, peer), found in values.items():
        if question == "limit" and side == between:
            lines = peer.startswith("lines")
            yield (f"| {peer} | {f'index every {detail} lines' if lines else ''} | "
                   f"{figure(found, 1e6 if lines else 1)} {'million lines/s' if lines else 'ns'} |")


def bars(folder, name, title, rows, unit):
    """One bar per row: (label, value, low, high); ours in another colour."""
    if not rows:
        return
    data = "\n".join(f'"{label}" {value:.6g} {low:.6g} {high:.6g} {1 if label in OURS else 0} {i}'
                     for i, (label, value, low, high) in enumerate(reversed(rows)))
    script = f"""
set terminal svg size 760,{80 + 26 * len(rows)} font 'sans,13' background rgb 'white'
set output '{folder / name}'
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
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def rows_of(values, question, between, size, detail, scale):
    chosen = [(key[4], v) for key, v in values.items() if key[0] == question and key[1] == between
              and key[3] == detail and (size is None or key[2] == size)]
    return [(peer, statistics.median(v) / scale, min(v) / scale, max(v) / scale) for peer, v in chosen]


def lines(folder, name, title, values, question, between, xlabel, ylabel, scale, size=None, batch=None):
    """A line per peer, over `bytes` (batch given) or over `detail` (size given)."""
    series = collections.defaultdict(list)
    for key, found in values.items():
        if key[0] != question or key[1] != between or (batch is not None and key[3] != batch):
            continue
        if size is not None and key[2] != size:
            continue
        series[key[4]].append((key[2] if size is None else key[3], statistics.median(found) / scale))
    if not series:
        return
    blocks, plots = [], []
    for index, (peer, points) in enumerate(series.items()):
        blocks.append(f"$d{index} << END\n" + "\n".join(f"{x} {y:.6g}" for x, y in sorted(points)) + "\nEND")
        width = 3 if peer in OURS else 1.5
        plots.append(f"$d{index} with linespoints lw {width} pt {index % 13 + 4} title '{peer}' noenhanced")
    script = f"""
set terminal svg size 760,460 font 'sans,13' background rgb 'white'
set output '{folder / name}'
set title '{title}' noenhanced
set logscale xy
set xlabel '{xlabel}'
set ylabel '{ylabel}'
set grid lc rgb '#dddddd'
set key outside right
""" + "\n".join(blocks) + "\nplot " + ", ".join(plots) + "\n"
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def latency_table(values, between):
    chosen = {key[1:]: v for key, v in values.items() if key[0].startswith("latency ") for key in [key]
              if key[1] == between}
    rates = sorted({key[2] for key in chosen})
    names = ("p50", "p99", "p99.9", "max")
    yield "| | " + " | ".join(f"{rate // 1000} k/s " + "/".join(names) for rate in rates) + " |"
    yield "|---" * (len(rates) + 1) + "|"
    peers = list(dict.fromkeys(key[4] for key in values if key[0] == "latency p50" and key[1] == between))
    for peer in peers:
        cells = []
        for rate in rates:
            found = [values.get((f"latency {name}", between, 16, rate, peer)) for name in names]
            cells.append(" / ".join(f"{statistics.median(v):.0f}" if v else "–" for v in found))
        yield f"| {peer} | " + " | ".join(cells) + " |"


def one_to_one(values, between):
    """The report of queues with one producer and one consumer, compared with the limits of the hardware."""
    for batch, title in ((1, "One item per call"), (8, "In batches of 8"), (32, "In batches of 32")):
        yield from [f"### {title}", "", *throughput_table(values, "throughput", between, batch), ""]
    yield from ["### The hardware's limits", "", *limits_table(values, between), ""]
    yield from ["### Round trip of 16 bytes, spinning", "",
                *trips_table(values, "round trip spinning", 0, between), ""]
    for cpus, title in ((1, "one processor"), (2, "two processors")):
        yield from [f"### Round trip of 16 bytes, sleeping, both on {title}", "",
                    *trips_table(values, "round trip sleeping", cpus, between), ""]
    if any(key[0] == "latency p50" and key[1] == between for key in values):
        yield from ["### Latency at fixed rates, ns from the intended moment", "",
                    *latency_table(values, between), ""]


def times_table(values, question, between):
    """ns per message, over its size."""
    chosen = {(key[2], key[4]): v for key, v in values.items() if key[0] == question and key[1] == between}
    sizes = sorted({size for size, _ in chosen})
    yield "| ns | " + " | ".join(f"{size // 1024} KiB" if size >= 1024 else f"{size} B" for size in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for peer in dict.fromkeys(peer for _, peer in chosen):
        yield f"| {peer} | " + " | ".join(figure(chosen[size, peer], 1) if (size, peer) in chosen else "–"
                                          for size in sizes) + " |"


def pool_table(values, between):
    yield "| ns a block taken and given back | bytes | held at once | |"
    yield "|---|---|---|---|"
    for (question, side, size, held, peer), found in values.items():
        if question == "pool pairs" and side == between:
            yield f"| {peer} | {size} | {held} | {figure(found, 1)} |"


def shell_table(values, between):
    yield "| | GB/s |"
    yield "|---|---|"
    for (asked, side, _, _, peer), found in values.items():
        if asked == "shell" and side == between:
            name = peer.replace("|", "\\|")
            yield f"| `{name}` | {figure(found, 1e9, 2)} |"


def fan_out_table(values, between):
    chosen = {(key[3], key[4]): v for key, v in values.items() if key[0] == "broadcast" and key[1] == between}
    counts = sorted({count for count, _ in chosen})
    yield "| | " + " | ".join(f"{count} subscriber{'s' if count > 1 else ''}" for count in counts) + " |"
    yield "|---" * (len(counts) + 1) + "|"
    for peer in dict.fromkeys(peer for _, peer in chosen):
        yield f"| {peer} | " + " | ".join(figure(chosen[count, peer], 1e6, 2) if (count, peer) in chosen else "–"
                                          for count in counts) + " |"


def many(values, between):
    for pairs, title in ((1, "One producer, one consumer"), (2, "Two producers, two consumers")):
        yield from [f"### {title}, one item per call", "", *throughput_table(values, "many", between, pairs), ""]


def plots(values, folder):
    side = "processes"
    ones = sorted(rows_of(values, "throughput", side, 16, 1, 1e6), key=lambda row: -row[1])
    bars(folder, "one_per_call.svg", "16-byte items, one item per call, between processes", ones, "million items a second")
    batches = sorted(rows_of(values, "throughput", side, 16, 32, 1e6), key=lambda row: -row[1])
    bars(folder, "batches.svg", "16-byte items in batches of 32, between processes", batches, "million items a second")
    trips = sorted(rows_of(values, "round trip spinning", side, None, 0, 1), key=lambda row: row[1])
    bars(folder, "round_trip.svg", "16 bytes there and back, spinning, between processes", trips, "ns")
    sleeping = sorted(rows_of(values, "round trip sleeping", side, None, 1, 1e3), key=lambda row: row[1])
    bars(folder, "sleeping.svg", "Round trip of 16 bytes, both sides blocked in between, on one processor", sleeping, "µs")
    crowd = sorted(rows_of(values, "many", side, 16, 2, 1e6), key=lambda row: -row[1])
    bars(folder, "many.svg", "16-byte items, two producers to two consumers, processes", crowd,
         "million items a second")
    lines(folder, "frames.svg", "Frames handed over in place, between processes", values, "frames", side,
          "bytes a frame", "ns a frame", 1, batch=1)
    lines(folder, "sizes.svg", "One item per call, between processes, over the item size", values, "throughput", side,
          "bytes an item", "million items a second", 1e6, batch=1)
    lines(folder, "capacity.svg", "16-byte items, one item per call, over the capacity", values, "capacity", side,
          "capacity", "million items a second", 1e6, size=16)


def main():
    values, canary, left_out, all_rows = load(sys.argv[1])
    output = pathlib.Path(sys.argv[2])
    asked = {key[0] for key in values}
    report = ["# Measured", ""] + [f"- {line}" for line in sys.argv[3:]]
    if canary > 0:
        report += [f"- One cache line bounced there and back: median {canary:.0f} ns; {left_out} of {all_rows} results "
                   "were measured while it was more than a third away, and are left out"]
    report += ["", "Medians [lowest–highest]" + ("" if "shell" in asked else "; throughput in million items a second")
               + ".", ""]
    for between in ("processes", "threads"):
        if not any(key[1] == between for key in values):
            continue
        report += [f"## Between {between}", ""]
        report += one_to_one(values, between) if "throughput" in asked else []
        report += many(values, between) if "many" in asked else []
        for question, title, table in (
                ("broadcast", "Broadcast of 64-byte items, all subscribers on one processor", fan_out_table),
                ("pool pairs", "Pools", pool_table), ("shell", "Through a shell", shell_table)):
            if any(key[:2] == (question, between) for key in values):
                report += [f"### {title}", "", *table(values, between), ""]
        for question, title in (("messages", "Messages copied in and out"),
                                ("frames", "Frames handed over in place, a word touched at each end")):
            if any(key[:2] == (question, between) for key in values):
                report += [f"### {title}", "", *times_table(values, question, between), ""]
    output.write_text("\n".join(report))
    plots(values, output.parent)



if __name__ == "__main__":
    main()
