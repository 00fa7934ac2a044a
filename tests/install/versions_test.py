#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""versions_test.py SOURCE: project(VERSION) in CMakeLists.txt is the version of everything. Fails with the name of each
file that has another one. Does the same for the numbers of compatibility: the soname, the shared format and the inlined
code, each of which one file of src or include defines.

`versions_test.py SOURCE --write` writes these numbers to all other files, and a new entry to both changelogs if the
version is new. `--release` writes today's date into both.
"""
import datetime
import email.utils
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lint"))
from tracked import tracked  # noqa: E402

# number -> the file that defines it
SOURCES = {
    "version": ("CMakeLists.txt", r"project\(quoit VERSION (\d+\.\d+\.\d+)"),
    "soversion": ("src/CMakeLists.txt", r"\bSOVERSION (\d+)"),
    "format": ("src/base/region_shm.h", r"\bQUOIT_FORMAT_VERSION = (\d+)"),
    "inline layout": ("include/quoit/typed.h", r"#define QUOIT_INLINE_LAYOUT (\d+)u"),
}
# file, number, and the text around it, which must be there
PLACES = [
    ("include/quoit/status.h", "version as a number", r"#define QUOIT_VERSION (\d+)"),
    ("cmake/debian/changelog", "version", r"\Aquoit \((\S+)-\d+\)"),
    ("CHANGELOG.md", "version", r"\A# Changes\n(?:(?!## )[^\n]*\n)*## (\S+)"),
    ("docs/PYTHON.md", "version", r"pip install quoit-([\d.]+)-cp"),
    ("docs/FORMAT.md", "format", r"\A# The shared format, version (\d+)"),
    ("docs/RELEASE.md", "version", r"^\| version \| (\S+) \|"),
    ("docs/RELEASE.md", "soversion", r"^\| ABI \| `libquoit\.so\.(\d+)` \|"),
    ("docs/RELEASE.md", "format", r"^\| shared format \| (\d+) \|"),
    ("docs/RELEASE.md", "inline layout", r"^\| inlined code \| (\d+) \|"),
    ("cmake/exports.cmake", "soversion", r"quoit\.map CONTENT \"QUOIT_(\d+) "),
    ("cmake/packages.cmake", "soversion", r"\"libquoit (\d+) libquoit"),
    ("cmake/packages.cmake", "soversion", r"\bQUOIT_(\d+)@QUOIT_"),
    ("cmake/packages.cmake", "soversion", r"@QUOIT_(\d+) \d"),
    ("tests/install/exports_test.py", "soversion", r"\"@@QUOIT_(\d+)\""),
]
# The same in every other file: names of packages and of the shared library.
EVERYWHERE = [
    ("version", r"\b(?:lib|python3-)?quoit\d?(?:-dev|-tools)?[-_](\d+\.\d+\.\d+)\b"),
    ("version without patch", r"\bfind_package\(quoit (\d+\.\d+)\b"),
    ("soversion", r"\blibquoit\.so\.(\d+)\b(?!\.)"),
    ("soversion", r"\blibquoit(\d+)\b"),
]
# Past versions, reports of measurements, and this test.
EXCEPT = ("CHANGELOG.md", "cmake/debian/changelog", "bench/results/", "tests/install/versions_test.py")


def numbers_of(files):
    """Returns number -> its value, from the files that define them."""
    numbers = {}
    for name, (path, pattern) in SOURCES.items():
        found = re.search(pattern, files[path])
        if not found:
            sys.exit(f"versions_test.py: {path} does not define the {name}: nothing matches {pattern}")
        numbers[name] = found.group(1)
    major, minor, patch = map(int, numbers["version"].split("."))
    numbers["version without patch"] = f"{major}.{minor}"
    numbers["version as a number"] = str(10000 * major + 100 * minor + patch)
    return numbers


def wrong(files, numbers):
    """Yields (path, start, end, number) for each wrong value, and a sentence for each place that is missing."""
    for path, name, pattern in PLACES:
        matches = list(re.finditer(pattern, files.get(path, ""), flags=re.M))
        if not matches:
            yield f"{path}: there is no {name}: nothing matches {pattern}"
        for found in matches:
            if found.group(1) != numbers[name]:
                yield path, *found.span(1), name
    for path, text in files.items():
        for name, pattern in () if path.startswith(EXCEPT) else EVERYWHERE:
            for found in re.finditer(pattern, text):
                if found.group(1) != numbers[name]:
                    yield path, *found.span(1), name


def check(files):
    numbers = numbers_of(files)
    for fault in wrong(files, numbers):
        if isinstance(fault, str):
            yield fault
            continue
        path, start, end, name = fault
        line = files[path].count("\n", 0, start) + 1
        yield (f"{path}:{line}: the {name} is {files[path][start:end]}, but {SOURCES[re.sub(' (as|without) .*', '', name)][0]} has"
               f" {numbers[name]}; python3 tests/install/versions_test.py . --write corrects it")
    if "version" not in re.search(r"^dynamic = \[(.*)\]", files["python/pyproject.toml"], flags=re.M).group(1):
        yield "python/pyproject.toml: the version must be dynamic: python/setup.py reads it from CMakeLists.txt"
    newest = max(re.findall(r"@QUOIT_\d+ (\d+\.\d+\.\d+)", files["cmake/packages.cmake"]), key=as_tuple,
                 default="0.0.0")
    if as_tuple(newest) > as_tuple(numbers["version"]):
        yield f"cmake/packages.cmake: a symbol is of version {newest}, which is newer than {numbers['version']}"


def as_tuple(version):
    return tuple(map(int, version.split(".")))


def read(source):
    files = {}
    for name in tracked(source):
        try:
            files[name] = (source / name).read_text()
        except UnicodeDecodeError:  # an input of the fuzzer
            pass
    return files


def with_entries(files, version):
    """Returns the changelogs, with an entry of this version at the top."""
    now = email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc))
    head, entries = re.match(r"(# Changes\n(?:(?!## )[^\n]*\n)*)(.*)", files["CHANGELOG.md"], flags=re.S).groups()
    return {
        "CHANGELOG.md": f"{head}## {version} (not released)\n\n{entries}",
        "cmake/debian/changelog": f"quoit ({version}-1) UNRELEASED; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
                                  f" -- The Quoit developers <maintainers@quoit.invalid>  {now}\n\n"
                                  f"{files['cmake/debian/changelog']}",
    }


def write(source, files):
    numbers = numbers_of(files)
    for path, text in with_entries(files, numbers["version"]).items():
        if not re.search(next(pattern for place, _, pattern in PLACES if place == path).replace(
                r"(\S+)", re.escape(numbers["version"])), files[path]):
            files[path] = text
            (source / path).write_text(text)
    faults = [fault for fault in wrong(files, numbers) if not isinstance(fault, str)]
    for path, start, end, name in sorted(faults, reverse=True):  # from the end, so that positions stay valid
        files[path] = files[path][:start] + numbers[name] + files[path][end:]
    for path in {fault[0] for fault in faults}:
        (source / path).write_text(files[path])
        print(f"wrote {path}")


def release(source, files):
    """Writes the date of the release into the newest entry of both changelogs."""
    now = datetime.datetime.now(datetime.timezone.utc)
    for path, changes in {
        "CHANGELOG.md": [(r"\(not released\)", f"({now:%Y-%m-%d})")],
        "cmake/debian/changelog": [("UNRELEASED", "unstable"),
                                   (r"(?m)^( -- .*>  ).*$", rf"\g<1>{email.utils.format_datetime(now)}")],
    }.items():
        for pattern, text in changes:
            files[path], count = re.subn(pattern, text, files[path], count=1)
            if count == 0:
                sys.exit(f"versions_test.py: {path} has no {pattern}: its newest entry is released; set a new version first")
    for path in ("CHANGELOG.md", "cmake/debian/changelog"):
        (source / path).write_text(files[path])


def self_test(files):
    """Each place fails with its own name if its number differs, and if its number is missing."""
    needed = {path for path, _, _ in PLACES} | {path for path, _ in SOURCES.values()} | {"python/pyproject.toml"}
    files = {path: files[path] for path in needed}
    for path, name, pattern in PLACES:
        start, end = re.search(pattern, files[path], flags=re.M).span(1)
        other = files[path][:start] + ("9.9.9" if name == "version" else "99") + files[path][end:]
        for text in (other, re.sub(pattern, "", files[path], flags=re.M)):
            faults = list(check({**files, path: text}))
            if not any(fault.startswith(path) for fault in faults):
                sys.exit(f"self-test: a change in {path} was not found for {pattern}: {faults}")
    for text in ("libquoit0_9.9.9-1_amd64.deb", "quoit-9.9.9.tar.gz", "libquoit.so.99", "libquoit99", "find_package(quoit 9.9"):
        if not any(fault.startswith("docs/NEW.md:1") for fault in check({**files, "docs/NEW.md": text})):
            sys.exit(f"self-test: {text!r} was not found")
    for path, pattern in SOURCES.values():
        start, end = re.search(pattern, files[path]).span(1)
        other = files[path][:start] + ("9.9.9" if "." in files[path][start:end] else "99") + files[path][end:]
        if not list(check({**files, path: other})):
            sys.exit(f"self-test: another number in {path} was not found")


def main():
    source = pathlib.Path(sys.argv[1])
    files = read(source)
    if sys.argv[2:] == ["--write"]:
        write(source, files)
    if sys.argv[2:] == ["--release"]:
        release(source, files)
    faults = list(check(files))
    print("\n".join(faults) if faults else f"every file has version {numbers_of(files)['version']}")
    if not faults:
        self_test(files)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
