#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs_test.py: runs each snippet of docs/PYTHON.md, and checks what it prints."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.environ.get("QUOIT_PYTHON", ROOT + "/build/release/python")
# The output of each snippet, by a word that only it has.
PRINTED = {
    '"objects"': "{'frame': 7, 'tags': ['left', 'raw']}\n",
    '"frames"': "(480, 640, 3)\n921600\n",
    '"readings"': "21.5\n",
    '"records"': "Reading(sensor=7, celsius=21.5)\n",
    '"in-place"': "b'hello'\n",
    '"tensors"': "65536.0\n",
    '"headlines"': "hello\n",
    '"news"': "[{'headline': 'hello'}]\n[{'headline': 'hello'}]\n",
    '"async"': "hello\n",
    "# workers.py": "[1, 4, 9]\n",
    '"slow"': "[]\n",
}
NAMES = "lines|objects|frames|readings|records|tensors|orders|headlines|in-place|news|async|slow"


class Snippets(unittest.TestCase):
    def setUp(self):
        with open(ROOT + "/docs/PYTHON.md") as file:
            self.snippets = re.findall(r"```python\n(.*?)```", file.read(), flags=re.S)
        self.environment = {**os.environ, "PYTHONPATH": PACKAGE, "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, folder, snippet):
        """The snippet as a program, with names of its own for what it makes."""
        path = f"{folder}/{self.snippets.index(snippet)}.py"
        with open(path, "w") as file:
            file.write(re.sub(rf'"({NAMES})"', rf'"qt-docs-{os.getpid()}-\1"', snippet))
        return subprocess.Popen([sys.executable, path], env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def finish(self, program, snippet):
        printed, errors = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 0, snippet + errors)
        return printed, errors

    def find(self, word):
        found, = (snippet for snippet in self.snippets if word in snippet)
        return found

    def test_all_are_known(self):
        pair = ["# producer.py", "# consumer.py"]
        self.assertEqual(len(self.snippets), len(PRINTED) + len(pair))
        for word in [*PRINTED, *pair]:
            self.find(word)

    def test_ten_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            consumer = self.start(folder, self.find("# consumer.py"))
            producer = self.start(folder, self.find("# producer.py"))
            self.finish(producer, self.find("# producer.py"))
            self.assertEqual(self.finish(consumer, self.find("# consumer.py"))[0], "line 0\nline 1\nline 2\n")

    def test_each(self):
        for word, expected in PRINTED.items():
            snippet = self.find(word)
            needed = [name for name in ("numpy", "torch") if f"import {name}" in snippet]
            if needed and subprocess.run([sys.executable, "-c", f"import {needed[0]}"], capture_output=True,
                                         check=False).returncode:
                continue
            with self.subTest(word), tempfile.TemporaryDirectory() as folder:
                printed, errors = self.finish(self.start(folder, snippet), snippet)
                self.assertEqual(printed, expected, errors)
                if word == '"slow"':
                    self.assertRegex(errors, "waiting for room since 0.1 s: there is no consumer")


if __name__ == "__main__":
    unittest.main()
