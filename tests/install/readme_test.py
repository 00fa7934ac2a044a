#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readme_test.py SOURCE BUILD: follows README.md and docs/TUTORIAL.md as a new user does, with an installed BUILD.

The blocks below `<!-- run -->` run in bash, all blocks of a document in one shell, in a fresh directory that contains
the source as ./quoit; ~/.local is the installation. Queues of another user, with hostile names, exist as well. The text
below `<!-- prints -->` must be in the output of the block before it.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
from other_user import objects_of_other_user  # noqa: E402

DOCUMENTS = {"README.md": 1, "docs/TUTORIAL.md": 4}  # and the minimum number of blocks to run
NAMES = ["greetings", "readings", "jobs", "results"]  # of queues that a failed block leaves
BLOCK = re.compile(r"<!-- run -->\n```sh\n(.*?)```\n(?:<!-- prints -->\n```\n(.*?)```)?", flags=re.S)


def script(blocks):
    """Returns the blocks, with a line between the outputs of two blocks."""
    return "set -eu\n" + "".join(f"{block}\necho '=== end of block'\n" for block, _ in blocks)


def run(text, home, work):
    """Returns the output of the script, and whether it succeeded. Processes that it started end with it."""
    environment = dict(os.environ, HOME=str(home))
    process = subprocess.Popen(["bash", "-c", text], cwd=work, env=environment, text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output = process.communicate(timeout=120)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0] + "\n(it did not end)", False
    if process.returncode != 0:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return output, process.returncode == 0


def check(document, source, home, work):
    blocks = BLOCK.findall((source / document).read_text())
    if len(blocks) < DOCUMENTS[document]:
        return [f"{document}: only {len(blocks)} blocks to run were found"]
    output, good = run(script(blocks), home, work)
    if not good:
        return [f"{document}: a block failed; all printed:\n{output}"]
    faults = []
    for (block, wanted), printed in zip(blocks, output.split("=== end of block\n")):
        if wanted not in printed:
            faults.append(f"{document}: the block\n{block}printed\n{printed}and not\n{wanted}")
    return faults


def main():
    source, build = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    faults = []
    quoit = pathlib.Path(build) / "tools" / "quoit"
    with objects_of_other_user(quoit), tempfile.TemporaryDirectory(prefix="quoit-test-") as directory:
        home = pathlib.Path(directory)
        subprocess.run(["cmake", "--install", build, "--prefix", str(home / ".local")], check=True,
                       stdout=subprocess.DEVNULL)
        for document in DOCUMENTS:
            work = home / document.replace("/", "-")
            work.mkdir()
            (work / "quoit").symlink_to(source)
            faults += check(document, source, home, work)
        if faults:
            for name in NAMES:
                subprocess.run([home / ".local/bin/quoit", "rm", "--force", name], check=False)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
