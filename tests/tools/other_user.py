# SPDX-License-Identifier: MIT
"""Other users, for tests: the objects that they leave in /dev/shm, with names that must not be printed unescaped.

Only root can become another user. If the tests run as any other user, the same objects belong to that user.
"""
import contextlib
import os
import shutil
import subprocess
import tempfile
import unicodedata

ONE, OTHER = 60001, 60002  # uids that no user has
HOSTILE = [b"\x9b31m", "\u009b31m".encode(), "\u202egnp".encode(), "\u200b".encode(), "\u2028".encode(), b"\xff\xfe",
           "\U000e0041".encode(), b"\\x9b31m", b"\\u009b31m", b'"\\', "\u00e9".encode()]


def as_user(uid):
    """For preexec_fn: the child becomes that user. None: it stays the user that runs the test."""
    def become():
        if uid is not None and os.getuid() == 0:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
    return become


def harm(text):
    """Returns the first character that is unsafe on a terminal, with its context; "" if there is none."""
    for at, character in enumerate(text):
        bad = unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs") and character not in "\n\t"
        if bad or ord(character) & 0xfffe == 0xfffe:
            return repr(text[max(0, at - 30):at + 30])
    return ""


class Program:
    """A copy of the command that every user may run."""

    def __init__(self, quoit):
        self.original = os.path.abspath(quoit)
        self.directory = tempfile.mkdtemp(prefix="quoit-test-")
        os.chmod(self.directory, 0o755)
        self.path = self.copy(b"quoit")

    def copy(self, name):
        """Under another name, which is then the name of its process."""
        path = os.path.join(self.directory.encode(), name)
        shutil.copy(self.original, path)
        os.chmod(path, 0o755)
        return path

    def remove(self):
        shutil.rmtree(self.directory)


@contextlib.contextmanager
def objects_of_other_user(quoit):
    """Queues of another user, which all users may read, with hostile names. Yields the names, as bytes."""
    program = Program(quoit)
    names = [b"posix:qt-%d-other-user-%d-" % (os.getpid(), n) + text for n, text in enumerate(HOSTILE)]
    try:
        for name in names:
            subprocess.run([program.path, b"push", b"--keep", b"--permissions", b"644", name], input=b"a line\n",
                           check=True, timeout=60, preexec_fn=as_user(ONE))
        yield names
    finally:
        for name in names:
            subprocess.run([program.path, b"rm", b"--force", name], check=False, timeout=60, preexec_fn=as_user(ONE))
        program.remove()
