#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dev_test.py SOURCE: runs the scripts of ./dev in an empty folder, with parts and programs that this test defines."""
import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(sys.argv[1])
REPORT = """<testsuite><testcase name="release.one" status="run"/><testcase name="asan.two" status="{}"/>
<testcase name="asan.three" status="notrun"/></testsuite>"""


def run(script, path=None):
    """Runs the bash script with the functions of ./dev, in its own folder."""
    with tempfile.TemporaryDirectory(prefix="qt-dev-") as folder:
        os.symlink(f"{SOURCE}/tests", f"{folder}/tests")
        sources = "".join(f". {SOURCE}/scripts/{name}.sh\n" for name in ("build", "test", "ci"))
        environment = {**os.environ, "PATH": path or os.environ["PATH"]}
        return subprocess.run(["/bin/bash", "-c", "set -euo pipefail\n" + sources + script], cwd=folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False)


def expect(result, code, *patterns):
    for pattern in patterns:
        if not re.search(pattern, result.stdout, flags=re.M):
            sys.exit(f"no {pattern!r} in:\n{result.stdout}")
    if result.returncode != code:
        sys.exit(f"the exit code is {result.returncode}, expected {code}:\n{result.stdout}")


def report(status):
    return f"mkdir -p build/results; cat >build/results/x.xml <<'END'\n{REPORT.format(status)}\nEND\n"


def usage_names_each_command():
    with open(f"{SOURCE}/dev") as file:
        text = file.read()
    for command in re.findall(r"^    ([a-z]+)\) ", text, flags=re.M):
        if not re.search(rf"^  {command} ", text, flags=re.M):
            sys.exit(f"the usage of ./dev does not name '{command}'")
    unknown = subprocess.run([f"{SOURCE}/dev", "frobnicate"], capture_output=True, text=True, check=False)
    if unknown.returncode != 2 or "frobnicate" not in unknown.stderr:
        sys.exit(f"./dev frobnicate: {unknown}")


def a_run_prints_its_parts_and_the_summary_last():
    good = "part_good() { " + report("run") + "}\nci_parts=(good)\n"
    expect(run(good + "ci"), 0, r"^good +\d+  passed", r"\ntests: 2 passed, 0 failed, 1 skipped\n\Z")


def a_part_that_fails_ends_itself_and_not_the_run():
    parts = "part_bad() { false; echo after the failure; }\npart_good() { " + report("run") + "}\nci_parts=(bad good)\n"
    result = run(parts + "ci")
    expect(result, 1, r"^bad +\d+  FAILED", r"^good +\d+  passed")
    if "after the failure" in result.stdout:
        sys.exit(f"a part went on after a command that failed:\n{result.stdout}")


def a_test_that_fails_fails_the_run():
    expect(run("part_x() { " + report("fail") + "}\nci_parts=(x)\nci"), 1, "^failed: asan.two$",
           r"\ntests: 1 passed, 1 failed, 1 skipped\n\Z")


def the_budget():
    late = "part_x() { " + report("run") + "}\nci_parts=(x)\nSECONDS=0\nci_warns_after=-1\n"
    expect(run(late + "ci"), 0, "^WARNING: the run took", r"\ntests: 2 passed, 0 failed, 1 skipped\n\Z")
    expect(run(late + "ci_fails_after=-1\nci"), 1, "^FAILED: the run took", r"\ntests: 2 passed")


def nightly_goes_on_where_it_was():
    parts = "part_a() { echo a runs; }\npart_b() { echo b runs; [ -e again ]; }\nnightly_parts=(a b)\n"
    result = run(parts + "(nightly) || :\ntouch again\nnightly")
    expect(result, 0, "a passed at", r"^b +\d+  passed")
    if result.stdout.count("a runs") != 1 or result.stdout.count("b runs") != 2:
        sys.exit(f"a part that had passed ran again, or one that had failed did not:\n{result.stdout}")
    expect(run(parts + "nightly c"), 2, "unknown part 'c' of nightly; use one of: a b")


def without_apt_it_names_what_is_missing():
    with tempfile.TemporaryDirectory(prefix="qt-dev-") as programs:
        for name in ("mkdir", "sed"):
            os.symlink(f"/bin/{name}", f"{programs}/{name}")
        expect(run("need sed=sed no-such-program=some-package", programs), 1, "install these packages yourself .*: some-package$")
        expect(run("need sed=sed /bin=no-package\necho goes on", programs), 0, "^goes on$")


def main():
    usage_names_each_command()
    a_run_prints_its_parts_and_the_summary_last()
    a_part_that_fails_ends_itself_and_not_the_run()
    a_test_that_fails_fails_the_run()
    the_budget()
    nightly_goes_on_where_it_was()
    without_apt_it_names_what_is_missing()


if __name__ == "__main__":
    main()
