#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""engine_test.py: examples/python/engine.py: the log names the workers that were stopped and killed, and the rest goes on."""
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.environ.get("QUOIT_PYTHON", ROOT + "/build/release/python")


class Engine(unittest.TestCase):
    def test_example(self):
        done = subprocess.run([sys.executable, ROOT + "/examples/python/engine.py"], env={**os.environ, "PYTHONPATH": PACKAGE}, capture_output=True, text=True,
                              timeout=100, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        stopped, = set(line.split()[-1] for line in done.stdout.splitlines() if "stopping process" in line)
        self.assertRegex(done.stdout, rf"WARNING queue .*: waiting for room .*process {stopped} .*stopped, 8 items behind")
        self.assertRegex(done.stdout, rf"ERROR process {stopped} .*: the engine kills it")
        self.assertIn("workers that got all batches: 2, of [60, 60]", done.stdout)


if __name__ == "__main__":
    unittest.main()
