#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""recipes_test.py SOURCE: makes the recipes of packaging/ for an archive, and reads each with the program that it is for,
or with a parser of its language. Nothing is downloaded or built. A missing program skips its recipe; if any is missing
and QUOIT_RECIPES is "all", the test fails.
"""
import ast
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MADE = ["arch/PKGBUILD", "conan/conandata.yml", "conan/conanfile.py", "homebrew/quoit.rb", "nix/package.nix", "rpm/quoit.spec",
        "vcpkg/portfile.cmake", "vcpkg/usage", "vcpkg/vcpkg.json"]
HASHES = {"arch/PKGBUILD": "sha256", "conan/conandata.yml": "sha256", "homebrew/quoit.rb": "sha256",
          "nix/package.nix": "sha256", "vcpkg/portfile.cmake": "sha512"}
# recipe -> the command that parses it, without running it
PARSERS = {
    "arch/PKGBUILD": ["bash", "-n"],
    "homebrew/quoit.rb": ["ruby", "-c"],
    "nix/package.nix": ["nix-instantiate", "--parse"],
    "rpm/quoit.spec": ["rpmspec", "--parse"],
}


class Fault(Exception):
    pass


def make(source, folder, content):
    """Returns the recipes' folder, made for an archive with this content."""
    archive = folder / "archive.tar.gz"
    archive.write_bytes(content)
    subprocess.run([sys.executable, source / "packaging/make_recipes.py", archive, folder / "made"], check=True)
    return folder / "made"


def check_contents(made, version, upstream, content):
    for name in MADE:
        text = (made / name).read_text()
        if re.search(r"@[A-Z0-9_]+@", text):
            raise Fault(f"{name}: a name was not replaced")
        if name in HASHES and hashlib.new(HASHES[name], content).hexdigest() not in text:
            raise Fault(f"{name}: the archive's {HASHES[name]} is missing")
        for address in re.findall(r"https?://[^\s\"'>]+", text):
            if not address.startswith(upstream["home"]) and address != upstream["archive"].format(version=version):
                raise Fault(f"{name}: {address} is not from packaging/upstream")
        if name != "vcpkg/usage" and name != "conan/conanfile.py" and version not in text:
            raise Fault(f"{name}: the version {version} is missing")


def run(name, command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Fault(f"{name}: {' '.join(map(str, command))} fails:\n{done.stdout}{done.stderr}")


def check_conan(made):
    tree = ast.parse((made / "conan/conanfile.py").read_text())
    recipe, = (node for node in tree.body if isinstance(node, ast.ClassDef))
    methods = {node.name for node in recipe.body if isinstance(node, ast.FunctionDef)}
    missing = {"layout", "source", "generate", "build", "package", "package_info"} - methods
    if missing:
        raise Fault(f"conan/conanfile.py: it has no {', '.join(sorted(missing))}")


def check_vcpkg(made, folder, version):
    manifest = json.loads((made / "vcpkg/vcpkg.json").read_text())
    if manifest["version"] != version or manifest["name"] != "quoit":
        raise Fault(f"vcpkg/vcpkg.json: it is of {manifest['name']} {manifest['version']}")
    script = folder / "parse.cmake"  # CMake parses the whole file before it runs the first line
    script.write_text("return()\n" + (made / "vcpkg/portfile.cmake").read_text())
    run("vcpkg/portfile.cmake", ["cmake", "-P", script])


def options(source):
    """The options of CMakeLists.txt, which a recipe may set."""
    return set(re.findall(r"^(?:option\(|set\()(QUOIT_\w+)", (source / "CMakeLists.txt").read_text(), flags=re.M))


def check_options(source, made):
    for name in MADE:
        for option in re.findall(r"-D(QUOIT_\w+)=", (made / name).read_text()):
            if option not in options(source):
                raise Fault(f"{name}: CMakeLists.txt has no option {option}")
        text = (made / name).read_text()
        if "PYTHON" in text and "BRIDGE" not in text:  # otherwise it is built if libnats is there, and packed or not
            raise Fault(f"{name}: it does not set QUOIT_BRIDGE")


def check(source, folder, content=b"an archive"):
    """Returns the programs that are missing."""
    version = re.search(r"project\(quoit VERSION (\S+)", (source / "CMakeLists.txt").read_text()).group(1)
    upstream = dict(re.findall(r"^(\w+) = (.*)$", (source / "packaging/upstream").read_text(), flags=re.M))
    made = make(source, folder, content)
    check_contents(made, version, upstream, content)
    check_options(source, made)
    check_conan(made)
    check_vcpkg(made, folder, version)
    for name, parser in PARSERS.items():
        if shutil.which(parser[0]):
            run(name, [*parser, made / name])
    return sorted(parser[0] for parser in PARSERS.values() if not shutil.which(parser[0]))


# A fault that each check must find: recipe, text, replacement
PLANTS = [
    ("arch/PKGBUILD", "package() {", "package() {{ ("),
    ("arch/PKGBUILD", "-DQUOIT_BENCH", "-DQUOIT_BENCHES"),
    ("arch/PKGBUILD", " -DQUOIT_BRIDGE=OFF", ""),
    ("conan/conanfile.py", "def package(self)", "def pack(self)"),
    ("homebrew/quoit.rb", "depends_on \"cmake\"", "depends_on (\"cmake\""),
    ("homebrew/quoit.rb", "@ARCHIVE@", "https://example.com/quoit.tar.gz"),
    ("nix/package.nix", "cmakeFlags = [", "cmakeFlags = [["),
    ("nix/package.nix", "@SHA256@", "0000"),
    ("rpm/quoit.spec", "%prep", "%if 1\n%prep"),
    ("vcpkg/portfile.cmake", "endforeach()", "endforeach("),
    ("vcpkg/vcpkg.json", "\"version\": \"@VERSION@\"", "\"version\": \"0.0.1\""),
]


def self_test(source):
    for name, old, new in PLANTS:
        parser = PARSERS.get(name, ["cmake"])
        if not shutil.which(parser[0]):
            continue
        with tempfile.TemporaryDirectory(prefix="qt-recipes-") as folder:
            copy = pathlib.Path(folder) / "source"
            shutil.copytree(source / "packaging", copy / "packaging")
            for part in ("CMakeLists.txt", "src/CMakeLists.txt", "cmake/debian/changelog"):
                (copy / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / part, copy / part)
            recipe = copy / "packaging" / name
            text = recipe.read_text()
            if old not in text:
                sys.exit(f"self-test: {name} has no {old!r} to plant a fault in")
            recipe.write_text(text.replace(old, new, 1))
            try:
                check(copy, pathlib.Path(folder))
            except Fault:
                continue
            sys.exit(f"self-test: {new!r} in {name} was not found")


def main(source):
    with tempfile.TemporaryDirectory(prefix="qt-recipes-") as folder:
        try:
            missing = check(source, pathlib.Path(folder))
        except Fault as fault:
            sys.exit(f"packaging/{fault}")
    self_test(source)
    if missing and os.environ.get("QUOIT_RECIPES") == "all":
        sys.exit(f"not checked, since these programs are missing: {', '.join(missing)}")
    print(f"recipes: {len(MADE)} files, missing programs: {', '.join(missing) or 'none'}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
