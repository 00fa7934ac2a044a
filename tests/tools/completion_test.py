#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""completion_test.py QUOIT: the shells' completions offer each command and each option that --help lists."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

FILES = pathlib.Path(__file__).resolve().parents[2] / "tools" / "completions"
VALUES = {"push --kind": {"spsc", "mpmc", "broadcast"}, "stat --format": {"text", "json", "prometheus"},
          "top --sort": {"name", "rate", "fill"}, "replay --speed": {"1", "2", "max"},
          "ls": {"posix", "sysv", "file", "file:"}, "push --count": set()}


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def output_of(*arguments, **environment):
    return subprocess.run(arguments, text=True, timeout=60, check=True, stdout=subprocess.PIPE,
                          env={**os.environ, **environment}).stdout


def options_of(text):
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", text, re.MULTILINE))


def bash(quoit, line):
    """Returns the words that bash offers after that line; an incomplete word is its last."""
    script = f'source "{FILES}/quoit.bash"; COMP_LINE=$1; COMP_POINT=${{#1}}; read -ra COMP_WORDS <<<"$1"; ' \
             '[[ $1 != *" " ]] || COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); ' \
             '_quoit; printf "%s\\n" "${COMPREPLY[@]}"'
    path = f"{os.path.dirname(quoit)}:{os.environ['PATH']}"
    return set(output_of("bash", "-c", script, "bash", line, PATH=path).split())


def zsh():
    """Returns each command's options in zsh's file."""
    text = (FILES / "_quoit").read_text(encoding="utf-8")
    shared = {name: set(re.findall(r"--[a-z-]+", words)) for name, words in re.findall(r"^ +(\w+)=\((.*)\)$", text, re.M)}
    cases = {}
    for command, words in re.findall(r"^    (\w+)\)\n(.*?);;", text, re.MULTILINE | re.DOTALL):
        cases[command] = set(re.findall(r"(?<![\w-])--[a-z-]+", words))
        for name in re.findall(r"\$(\w+)\[@\]", words):
            cases[command] |= shared[name]
    return cases


def main(quoit):
    commands = re.findall(r"^  (\w+) ", output_of(quoit, "--help"), re.MULTILINE)
    check(len(commands) > 5, f"--help lists {commands}")
    in_zsh = zsh()
    check(set(in_zsh) == set(commands), f"zsh's has {sorted(in_zsh)}, the tool {sorted(commands)}")
    check(bash(quoit, "quoit ") == {*commands, "--help", "--version"}, f"bash offers {bash(quoit, 'quoit ')}")
    for command in commands:
        options = options_of(output_of(quoit, command, "--help"))
        check("--help" in options, f"{command} --help lists {options}")
        for shell, offered in (("bash", bash(quoit, f"quoit {command} --")), ("zsh", in_zsh[command])):
            check(offered == options, f"{command}: only in {shell}'s {sorted(offered - options)}, "
                                      f"only in the tool's {sorted(options - offered)}")
    for line, values in VALUES.items():
        check(bash(quoit, f"quoit {line} ") == values, f"{line}: bash offers {bash(quoit, f'quoit {line} ')}")
    name = f"qt-{os.getpid()}-1"
    subprocess.run([quoit, "push", "--keep", name], input="a line\n", text=True, check=True, timeout=60)
    try:
        for command in ("stat", "pop", "rm"):
            check(name in bash(quoit, f"quoit {command} {name[:-1]}"), f"{command}: bash does not offer {name}")
    finally:
        subprocess.run([quoit, "rm", name], check=True, timeout=60)
    if shutil.which("zsh"):
        for file in ("_quoit", "_quoit-bridge"):
            output_of("zsh", "-n", FILES / file)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
