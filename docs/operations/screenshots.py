#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""screenshots.py BUILD [OUTPUT]: pictures of `quoit top`, taken from a real terminal with real queues.

BUILD is a build folder with `quoit` and the examples. tmux runs `quoit top` beside programs that use queues; its screen,
with its colours, becomes OUTPUT/top.svg. OUTPUT is docs/operations if it is not given. `screenshots.py --self-test` draws a
screen that is known.
"""
import html
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

COLUMNS, ROWS = 90, 8
CELL, LINE, MARGIN = 8.4, 18, 12
GROUND, TEXT = "#15181e", "#d8dee9"
COLOURS = ["#15181e", "#f2777a", "#99cc99", "#ffcc66", "#6eb5ff", "#cc99cc", "#66cccc", "#d8dee9"]
EIGHTHS, SHADES = "▁▂▃▄▅▆▇█", "░▒▓"
BLOCKS = EIGHTHS + SHADES
QUEUES = ("events", "jobs", "products", "ticks")


def runs_of(line):
    """Yields (column, text, foreground, background, bold) of a line with escape sequences."""
    foreground, background, bold, reverse, column = TEXT, None, False, False, 0
    for code, text in re.findall(r"\x1b\[([\d;]*)m|([^\x1b]+)", line.replace("\x0f", "").replace("\x0e", "")):
        if text:
            ground = background or GROUND
            yield (column, text, ground if reverse else foreground, foreground if reverse else background, bold)
            column += len(text)
            continue
        for number in [int(each or 0) for each in code.split(";")]:
            if number == 0:
                foreground, background, bold, reverse = TEXT, None, False, False
            elif number == 1:
                bold = True
            elif number == 7:
                reverse = True
            elif number == 27:
                reverse = False
            elif 30 <= number <= 37:
                foreground = COLOURS[number - 30]
            elif number == 39:
                foreground = TEXT
            elif 40 <= number <= 47:
                background = COLOURS[number - 40]
            elif number == 49:
                background = None


def bar(left, top, block, colour):
    """A block character as a rectangle, since fonts leave gaps between them."""
    if block in SHADES:
        return (f'<rect x="{left:.1f}" y="{top}" width="{CELL}" height="{LINE}" fill="{colour}" '
                f'opacity="{(SHADES.index(block) + 1) / 5}"/>')
    height = LINE * (EIGHTHS.index(block) + 1) / 8
    return f'<rect x="{left:.1f}" y="{top + LINE - height:.1f}" width="{CELL}" height="{height:.1f}" fill="{colour}"/>'


def draw(screen, title):
    """The screen as SVG. Each word has its place and its length, so columns stay in line with any font."""
    lines = screen.rstrip("\n").split("\n")
    width, height = COLUMNS * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
           f'height="{height:.0f}" role="img">', f"<title>{html.escape(title)}</title>",
           f'<rect width="100%" height="100%" rx="6" fill="{GROUND}"/>',
           '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" shape-rendering="crispEdges">']
    for row, line in enumerate(lines):
        for column, text, foreground, background, bold in runs_of(line):
            left, top, length = MARGIN + column * CELL, MARGIN + row * LINE, len(text) * CELL
            if background:
                out.append(f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{LINE}" fill="{background}"/>')
            weight = ' font-weight="bold"' if bold else ""
            for word in re.finditer(rf"[{BLOCKS}]+|[^\s{BLOCKS}]+", text):
                at = left + word.start() * CELL
                if word.group()[0] in BLOCKS:
                    out += [bar(at + index * CELL, top, block, foreground) for index, block in enumerate(word.group())]
                else:
                    out.append(f'<text x="{at:.1f}" y="{top + 13}" textLength="{len(word.group()) * CELL:.1f}" '
                               f'lengthAdjust="spacingAndGlyphs" fill="{foreground}"{weight}>{html.escape(word.group())}</text>')
    return "\n".join([*out, "</g>", "</svg>", ""])


class Stage:
    """Programs and queues of their own, which end with the block."""

    def __init__(self, build):
        self.build, self.programs = pathlib.Path(build).resolve(), []
        self.quoit = str(self.build / "tools/quoit")

    def __enter__(self):
        listed = subprocess.run([self.quoit, "ls", "--names"], capture_output=True, text=True, check=True).stdout.split()
        taken = {name.removeprefix("posix:") for name in listed} & set(QUEUES)
        if taken:
            sys.exit(f"screenshots.py: the queues {sorted(taken)} exist; remove them with 'quoit rm {' '.join(sorted(taken))}'")
        return self

    def __exit__(self, *_reason):
        for program in self.programs:
            try:
                os.killpg(program.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            program.wait()
        subprocess.run([self.quoit, "rm", "--force", *QUEUES], check=False, capture_output=True)

    def start(self, command):
        program = subprocess.Popen(["bash", "-c", command], cwd=self.build / "examples", start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.programs.append(program)
        return program


def capture(stage, seconds):
    """The screen of `quoit top` in a terminal of its own."""
    with tempfile.TemporaryDirectory() as folder:
        tmux = ["tmux", "-S", f"{folder}/socket", "-f", "/dev/null"]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), f"{stage.quoit} top {' '.join(QUEUES)}"],
                       env=environment, check=True)
        try:
            time.sleep(seconds)
            return subprocess.run([*tmux, "capture-pane", "-e", "-N", "-p"], env=environment, capture_output=True, text=True,
                                  check=True).stdout
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)


def take(build, output):
    with Stage(build) as stage:
        stage.start("./producer --name products --interval 0.02:0.06")
        stage.start("./consumer --name products --interval 0.02:0.08")
        stage.start("while :; do seq 1 200000; sleep 0.3; done | ../tools/quoit push events --keep")
        stage.start("../tools/quoit pop events")
        stage.start("while :; do seq 1 20; sleep 0.1; done | ../tools/quoit push jobs --kind mpmc --capacity 100 --each --keep")
        stage.start("sleep 0.5; ../tools/quoit pop jobs & ../tools/quoit pop jobs")
        stage.start("../tools/quoit push ticks --kind broadcast --keep < <(while :; do echo tick; sleep 0.01; done)")
        time.sleep(1)
        subscriber = stage.start("exec ../tools/quoit pop ticks")
        time.sleep(3)
        os.killpg(subscriber.pid, signal.SIGSTOP)
        screen = capture(stage, 8)
        os.killpg(subscriber.pid, signal.SIGCONT)
    missing = [name for name in QUEUES if name not in screen]
    if missing:
        sys.exit(f"screenshots.py: the screen does not show {missing}:\n{screen}")
    (output / "top.svg").write_text(draw(screen, "quoit top: four queues"), encoding="utf-8")


def self_test():
    picture = draw("\x1b[1mNAME\x1b[0m a<b\n\x1b[31mfull\x1b[39;49m \x1b[7mbar\x1b[27m end ▄\n", "a & b")
    for part in ("a &amp; b", 'font-weight="bold">NAME<', "a&lt;b", f'fill="{COLOURS[1]}">full<', f'fill="{GROUND}">bar<',
                 f'x="{MARGIN + 9 * CELL:.1f}"', f'height="{LINE / 2:.1f}"'):
        if part not in picture:
            sys.exit(f"screenshots.py: {part} is not in\n{picture}")
    print("screenshots.py: a known screen was drawn")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif len(sys.argv) in (2, 3):
        take(sys.argv[1], pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else pathlib.Path(__file__).resolve().parent)
    else:
        sys.exit(__doc__)
