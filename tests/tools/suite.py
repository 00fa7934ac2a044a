# SPDX-License-Identifier: MIT
"""Shared by the parts of monitor_test.py: the quoit command, and objects and processes that are removed at the end."""
import json
import os
import shutil
import subprocess
import tempfile
import time


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


class Suite:
    def __init__(self, quoit):
        self.quoit = os.path.abspath(quoit)
        self.work = tempfile.mkdtemp(prefix="quoit-test-")
        self.names, self.processes, self.made = [], [], 0

    def name(self, scheme="posix:"):
        self.made += 1
        text = f"qt-{os.getpid()}-{self.made}"
        self.names.append(f"file:{self.work}/{text}" if scheme == "file:" else scheme + text)
        return self.names[-1]

    def run(self, *arguments, code=0, text=None, environment=None):
        done = subprocess.run([self.quoit, *arguments], input=text, text=True, timeout=300, check=False,
                              capture_output=True, env={**os.environ, **(environment or {})})
        check(done.returncode == code, f"quoit {arguments} ended with {done.returncode}, not {code}: "
                                       f"{done.stdout}{done.stderr}")
        check(code not in (1, 2) or done.stderr, f"quoit {arguments} failed without a word")
        return done

    def object(self, name):
        return json.loads(self.run("stat", "--json", name).stdout)[0]

    def queue(self, name, *options, lines=0):
        """Creates it, with so many lines in it."""
        text = "".join(f"{n}\n" for n in range(lines))
        self.run("push", "--keep", "--each", *options, name, text=text)
        return name

    def hold(self, command, name, role, *options):
        """A process that has the queue open until it is killed."""
        process = subprocess.Popen([self.quoit, command, *options, name], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.processes.append(process)
        self.until(lambda: any(member["pid"] == process.pid and member["roles"] == [role]
                               for member in self.object(name)["members"]), f"{command} is no member")
        return process

    @staticmethod
    def until(condition, sentence):
        deadline = time.monotonic() + 300
        while not condition():
            check(time.monotonic() < deadline, sentence)
            time.sleep(0.02)

    @staticmethod
    def kill(process):
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def give_up(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for name in self.names:
            subprocess.run([self.quoit, "rm", "--force", "--any-owner", name], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.work)
