#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""workflows.py [--self-test]: the hosted checks in .github are well-formed, and each ./dev call in them exists.

A call with `${{ matrix.NAME }}` is checked with each value of the matrix. The scripts themselves list the words that
may follow a command: the targets of `./dev cross`, the builds of `./dev test`, the parts of `./dev nightly`.
"""
import glob
import itertools
import re
import subprocess
import sys

import yaml

WORDS = {"cross": ("scripts/cross.sh", "cross_targets"), "test": ("scripts/test.sh", "test_builds"),
         "nightly": ("scripts/ci.sh", "nightly_parts")}


def array(script, name):
    """The words of a script's array."""
    return subprocess.run(["bash", "-c", f'. {script}; echo "${{{name}[@]}}"'], capture_output=True, text=True,
                          check=True).stdout.split()


def commands():
    """command -> the words that may follow it, None for any"""
    with open("dev") as file:
        names = re.findall(r"^    ([a-z]+)\) ", file.read(), flags=re.M)
    return {name: array(*WORDS[name]) if name in WORDS else None for name in names}


def combinations(matrix):
    """Each combination of a matrix's values, as name -> value."""
    lists = {name: values for name, values in matrix.items() if name != "include"}
    for values in itertools.product(*lists.values()):
        for extra in matrix.get("include", [{}]):
            yield {**dict(zip(lists, values)), **extra}


def calls(workflow):
    """(job, each shell command of it with the matrix's values put in)"""
    for name, job in workflow["jobs"].items():
        for values in combinations(job.get("strategy", {}).get("matrix", {})):
            for step in job["steps"]:
                run = step.get("run", step.get("with", {}).get("run"))  # of the job, or of a virtual machine in it
                if run:
                    yield name, re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found, values=values:
                                       str(values[found.group(1)]), run)


def faults(path, text, known):
    try:
        workflow = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"{path}: no YAML: {error}"]
    if not path.startswith(".github/workflows/"):
        return []
    found = []
    for job, call in calls(workflow):
        words = call.split()
        if words[0] != "./dev" or len(words) < 2:
            found.append(f"{path}: job '{job}' calls '{call}', which is no call of ./dev")
        elif words[1] not in known:
            found.append(f"{path}: job '{job}': ./dev has no command '{words[1]}'")
        elif known[words[1]] is not None:
            found += [f"{path}: job '{job}': './dev {words[1]}' does not know '{word}'" for word in words[2:]
                      if word not in known[words[1]]]
    return found


def main():
    known = commands()
    files = {}
    for path in sorted(glob.glob(".github/**/*.yml", recursive=True)):
        with open(path) as file:
            files[path] = file.read()
    checks = ".github/workflows/checks.yml"
    if sys.argv[1:] == ["--self-test"]:
        for old, new, expected in [("cross musl", "cross msul", "does not know 'msul'"), ("- lint", "- lnit", "no command"),
                                   ("./dev native\n", "make test\n", "no call of ./dev"),
                                   ("  linux:", "  linux: [", "no YAML")]:
            if old not in files[checks]:
                sys.exit(f"self-test: {checks} has no {old!r} to plant a fault in")
            if not any(expected in fault for fault in faults(checks, files[checks].replace(old, new, 1), known)):
                sys.exit(f"self-test: {new!r} was not found")
    found = [fault for path, text in files.items() for fault in faults(path, text, known)]
    print("\n".join(found) or f"workflows.py: {len(files)} files are well-formed")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
