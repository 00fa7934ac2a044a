#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tracked.py [PATTERN...]: the files of this project, one a line: those that git knows, or, in an unpacked release without
git, all but those that builds make. '*' matches '/' too. '!PATTERN' leaves out files that match."""
import fnmatch
import os
import shutil
import subprocess
import sys

MADE_BY_BUILDS = {"build", "__pycache__", ".git"}


def walked(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in MADE_BY_BUILDS and not name.endswith(".egg-info")]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)


def tracked(root="."):
    """Returns the paths below root, sorted. With git also new files, except ignored ones, but no removed ones."""
    # A folder, or a file in a worktree.
    if not os.path.exists(os.path.join(root, ".git")) or not shutil.which("git"):
        return sorted(walked(root))
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
                            capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted(name for name in set(listed) if name and os.path.exists(os.path.join(root, name)))


def matching(names, patterns):
    def matches(name, chosen):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in chosen)
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return [name for name in names if (not wanted or matches(name, wanted)) and not matches(name, unwanted)]


if __name__ == "__main__":
    print("\n".join(matching(tracked(), sys.argv[1:])))
