#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""import_test.py: how the Python module is imported, and from which places."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = os.environ.get("QUOIT_PYTHON", ROOT + "/build/release/python")


class Importing(unittest.TestCase):
    def run_python(self, code, folder=None, flags=("-B",), **environment):
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run([sys.executable, *flags, "-c", code], cwd=folder, env={**kept, **environment}, text=True,
                              capture_output=True, timeout=60)

    def test_starts_no_process(self):
        code = """
import sys
started = []
sys.addaudithook(lambda event, _: started.append(event) if event.startswith(
    ("subprocess", "os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system")) else None)
import quoit
sys.exit(str(started) if started else 0)
"""
        done = self.run_python(code, PYTHONPATH=PACKAGE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_sub_interpreters(self):
        """Since Python 3.12 a new sub-interpreter has a lock (GIL) of its own, and the module must say that it allows that."""
        code = """
import quoit
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
interpreter = interpreters.create()
failed = interpreters.run_string(interpreter, '''
import quoit, os
with quoit.Queue.create(f"local:qt-python-{os.getpid()}", 3, capacity=2, item_bytes=9, messages=True) as queue:
    queue.push(b"hello")
    assert queue.pop() == b"hello"
    queue.unlink()
    try:
        queue.pop(timeout=0.01)
    except quoit.Empty:
        print("well")
''')
if failed:
    print(failed)
interpreters.destroy(interpreter)
"""
        done = self.run_python(code, PYTHONPATH=PACKAGE)
        if "No module named '_interpreters'" in done.stderr:
            self.skipTest("this Python has no module for sub-interpreters")
        self.assertEqual(done.stdout.strip(), "well", done.stderr)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_beside_a_clone(self):
        """The folder of a clone is named quoit, so Python would take it for an empty package."""
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(ROOT, folder + "/quoit")
            done = self.run_python("import quoit", folder, ("-B", "-S"))  # without what is installed
            self.assertEqual(done.returncode, 1)
            self.assertIn("ImportError", done.stderr)
            self.assertIn("pip install", done.stderr)
            done = self.run_python("import quoit, quoit._queue; print(quoit.Queue.__name__, quoit.__file__)", folder,
                                   PYTHONPATH=PACKAGE)
            self.assertEqual(done.stdout.strip(), f"Queue {PACKAGE}/quoit/__init__.py", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
