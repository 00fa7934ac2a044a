# SPDX-License-Identifier: MIT
"""A pseudo terminal with a full-screen program, for monitor_test.py."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


class Screen:
    """A pseudo terminal with `quoit top` on it."""

    def __init__(self, suite, rows, columns, *arguments):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.text, self.lock, self.until = b"", threading.Lock(), suite.until
        self.process = subprocess.Popen(
            [suite.quoit, "top", *arguments], stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        suite.processes.append(self.process)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                more = os.read(self.master, 65536)
            except OSError:
                return
            with self.lock:
                self.text += more

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def take(self):
        """Returns the output since the last call."""
        with self.lock:
            text, self.text = self.text, b""
        return text.decode(errors="replace")

    def expect(self, *patterns):
        got = []

        def are_there():
            got.append(self.take())
            return all(re.search(pattern, "".join(got)) for pattern in patterns)
        self.until(are_there, f"the screen never shows {patterns}")
        return "".join(got)

    def end(self):
        """Checks that it has ended with success, and has restored the terminal."""
        check(self.process.wait(timeout=300) == 0, f"top ended with {self.process.returncode}")
        self.expect(r"\x1b\[\?1049l")
        check(termios.tcgetattr(self.slave) == self.before, "the terminal is not as it was")
        os.close(self.slave)
