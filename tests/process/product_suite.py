# SPDX-License-Identifier: MIT
"""Helpers of product_test.py: starts, ends and checks the example programs."""
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time


class Failure(Exception):
    pass


def check(condition, sentence):
    if not condition:
        raise Failure(sentence)


class Suite:
    def __init__(self, directory):
        self.directory = os.path.abspath(directory)
        self.emulator = shlex.split(os.environ.get("QUOIT_TEST_EMULATOR", ""))
        self.windows = os.path.exists(os.path.join(self.directory, "producer.exe"))
        self.schemes = ["windows:", "file:", ""] if self.windows else ["posix:", "sysv:", "file:", ""]
        # For queues that must outlive all handles.
        self.durable = "file:" if self.windows else "posix:"
        self.foreign = "posix:" if self.windows else "windows:"
        self.work = tempfile.mkdtemp(prefix="quoit-test-")
        self.made = 0
        self.names, self.processes = [], []

    def name(self, scheme):
        self.made += 1
        text = f"qt-{os.getpid()}-{self.made}"
        self.names.append(f"file:{self.work}/{text}" if scheme == "file:" else scheme + text)
        return self.names[-1]

    def command(self, program, *options):
        path = os.path.join(self.directory, program + (".exe" if self.windows else ""))
        return [*self.emulator, path, *options]

    def start(self, program, *options):
        output = open(os.path.join(self.work, f"{program}-{time.monotonic_ns()}"), "w+")
        process = subprocess.Popen(self.command(program, *options), stdout=output,
                                   stderr=subprocess.PIPE, text=True)
        process.output = output
        self.processes.append(process)
        return process

    def ask_to_end(self, process, ending):
        """Sends one signal. But ThreadSanitizer sometimes does not deliver one of the first signals after a start, also
        in a program with only a handler and a loop around nanosleep; then this sends it until it arrives."""
        process.send_signal(ending)
        if os.environ.get("QUOIT_TEST_SANITIZED") == "thread":
            def again():
                while process.poll() is None:
                    process.send_signal(ending)
                    time.sleep(0.2)
            threading.Thread(target=again, daemon=True).start()

    def await_handler(self, process, ending):
        """Returns when the process handles that signal, if the system reports it."""
        try:
            while True:
                with open(f"/proc/{process.pid}/status") as status:
                    caught = [int(line.split()[1], 16) for line in status if line.startswith("SigCgt:")]
                if not caught or caught[0] >> (ending - 1) & 1:
                    return
                check(process.poll() is None, f"{process.args} ended early")
                time.sleep(0.01)
        except FileNotFoundError:
            time.sleep(0.5)

    def end(self, process, code=0, seconds=60):
        """Returns its lines, after it has ended with that code."""
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{process.args} does not end") from None
        process.output.seek(0)
        lines = process.output.read().splitlines()
        process.output.close()
        process.errors = errors
        check(process.returncode == code,
              f"{process.args} ended with {process.returncode}, not {code}: {errors}")
        return lines

    def refused(self, program, *options, word, code):
        process = self.start(program, *options)
        lines = self.end(process, code)
        check(word in process.errors and program + ":" in process.errors and not lines,
              f"{program} {options}: the error does not name {word!r}: {process.errors!r}")

    def unlink(self, name):
        subprocess.run(self.command("unlink_queue", name), check=True)

    def give_up(self):
        """After a failure: ends all processes, and removes all queues and files."""
        for process in self.processes:
            process.kill()
            process.wait()
        for name in self.names:
            self.is_there(name)
        shutil.rmtree(self.work, ignore_errors=True)

    def is_there(self, name):
        """Returns whether the queue could be unlinked, so that it existed."""
        return subprocess.run(self.command("unlink_queue", name),
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def lines_so_far(self, process):
        return os.path.getsize(process.output.name) and open(process.output.name).read().count("\n")
