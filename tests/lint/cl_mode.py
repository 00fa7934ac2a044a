#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cl_mode.py [--self-test]: reads the project with clang as Microsoft's compiler, clang-cl, with /W4 /WX. Links nothing.

  headers   each public header alone; a program with typed queues, for x64 and x86; as C11 and as C++17
  sources   all C sources that the build for Windows has
  branches  the instructions for a pause and for a bit search in src/base, as clang-cl and as cl itself read it; for
            x64, x86 and ARM64

The headers of the system are MinGW's, in place of those of Microsoft's SDK and C library. They lack what Microsoft's
lack: <getopt.h>, <unistd.h> and others. So this proves nothing about Microsoft's own headers, about the warnings that only cl
has (C4127 and others), and about linking.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

from tracked import matching, tracked

MINGW = "/usr/share/mingw-w64/include"
TARGETS = ["x86_64-pc-windows-msvc", "i686-pc-windows-msvc", "aarch64-pc-windows-msvc"]
# MinGW's attributes in the places where only GNU's compilers accept them.
OVERLAY = """#pragma once
#include_next <_mingw.h>
#undef __attribute__
""" + "".join(f"#undef {name}\n#define {name}\n" for name in (
    "__MINGW_ATTRIB_NORETURN", "__MINGW_ATTRIB_DEPRECATED", "__MINGW_ATTRIB_MALLOC", "__MINGW_NOTHROW"))
MISSING = ["getopt.h", "unistd.h", "dirent.h", "strings.h", "pthread.h", "sched.h", "semaphore.h", "sys/time.h"]
# Declares what src/base uses of Microsoft's <intrin.h>; clang knows these functions.
INTRINSICS = """#pragma once
unsigned char _BitScanForward(unsigned long *at, unsigned long word);
#if defined(_M_X64) || defined(_M_ARM64)
unsigned char _BitScanForward64(unsigned long *at, unsigned long long word);
#endif
#if defined(_M_ARM64)
void __yield(void);
#else
void _mm_pause(void);
#endif
"""
# libstdc++ asks for these, which GNU's compilers define.
LIBSTDCXX = ["__STRICT_ANSI__", "_ALLOCA_S_MARKER_SIZE=16", "__GCC_ATOMIC_TEST_AND_SET_TRUEVAL=1"] + [
    f"__GCC_ATOMIC_{kind}_LOCK_FREE=2" for kind in (
        "BOOL CHAR CHAR8_T CHAR16_T CHAR32_T WCHAR_T SHORT INT LONG LLONG POINTER").split()]
PROGRAM = """
struct small { int number; };
struct large { char text[100]; };
QUOIT_DEFINE_QUEUE(small, struct small);
QUOIT_DEFINE_QUEUE(large, struct large);
int main(void) { struct small_queue queue; return small_join("orders", 64, QUOIT_PRODUCER, &queue) != QUOIT_OK; }
"""
OTHER_SYSTEMS = re.compile(r"_(posix|linux|macos|curses|sysv)(_test)?\.c$|/(fork|owner|space)_test\.c$"
                           r"|^bench/(peers|waits|bridge)/|^tools/bridge/|^tests/(crash|model|fuzz|install)/|^src/os/|\bpython/")


def sources():
    with open("cmake/mechanisms.cmake") as file:
        windows = re.search(r"if\(WIN32\).*?QUOIT_OS_FILES ([^)]*)\)", file.read(), flags=re.S).group(1)
    others = [name for name in matching(tracked(), ["*.c"]) if not OTHER_SYSTEMS.search(name)]
    return ["src/os/" + name for name in windows.split()] + others


class Compiler:
    def __init__(self, folder):
        self.folder = folder
        self.overlay = os.path.join(folder, "overlay")
        os.makedirs(os.path.join(self.overlay, "sys"))
        os.makedirs(os.path.join(folder, "intrinsics"))
        self.write("overlay/_mingw.h", OVERLAY)
        self.write("intrinsics/intrin.h", INTRINSICS)
        for name in MISSING:
            self.write(f"overlay/{name}", f'#error "Microsoft\'s toolchain has no <{name}>"\n')
        libstdcxx = sorted(glob.glob("/usr/lib/gcc/x86_64-w64-mingw32/*-win32/include/c++"))[-1:]
        self.cpp = [folder for path in libstdcxx for folder in (path, path + "/x86_64-w64-mingw32")]

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run(self, path, target=TARGETS[0], options=(), output="-fsyntax-only"):
        """The compiler's result: its exit code, its messages and its output."""
        is_cpp = path.endswith("pp")
        command = ["clang", "--driver-mode=cl", f"--target={target}", "-fms-compatibility-version=19.38", "/nologo",
                   "/W4", "/WX", "/utf-8", output]
        if is_cpp:
            command += ["/TP", "/std:c++17", "/EHsc", *(f"-D{name}" for name in LIBSTDCXX)]
        else:
            command += ["/TC", "/std:c11"]
        for system in [self.overlay, *(self.cpp if is_cpp else []), MINGW]:
            command += ["-imsvc", system]
        rooms = ["include", "src/base", "src/ring", "src/os", *sorted(glob.glob("src/os/*/")), "src/region", "src/api"]
        command += [f"-I{room}" for room in rooms + ["tools", "examples", "examples/product", "tests/support"]]
        return subprocess.run([*command, *options, path], capture_output=True, text=True, check=False)


DEFINITIONS = ["-D_WIN32_WINNT=0x0602", "-DWIN32_LEAN_AND_MEAN", "-D_CRT_SECURE_NO_WARNINGS",
               '-DQUOIT_TOOL_VERSION="0"', '-DQUOIT_TEST_EXAMPLES="."', '-DQUOIT_TEST_LIBRARY="."', '-DQUOIT_TEST_DLL="."',
               "-DEXPECTED_VERSION=0", "-DQUOIT_NATIVE_NAME_MAX=200"]


def tasks(compiler):
    """(name, path, target, options) of each compilation."""
    public = [name.removeprefix("include/") for name in matching(tracked(), ["include/*"])]
    for number, header in enumerate(public):
        for language in ("cpp",) if header.endswith("pp") else ("c", "cpp"):
            path = compiler.write(f"header{number}.{language}", f"#include <{header}>\n")
            yield f"<{header}> ({language})", path, TARGETS[0], ()
    for target in TARGETS[:2]:  # MinGW's headers of Debian 12 do not know ARM64
        for language, header in (("c", "quoit/typed.h"), ("cpp", "quoit.hpp")):
            path = compiler.write(f"program.{language}", f"#include <quoit/typed.h>\n#include <{header}>\n{PROGRAM}")
            yield f"a program ({language}, {target})", path, target, ()
    for path in sources():
        yield path, path, TARGETS[0], DEFINITIONS


BRANCHES = [(TARGETS[0], "pause", "bsf|tzcnt"), (TARGETS[1], "pause", "bsf|tzcnt"), (TARGETS[2], "yield|hint", "clz")]


def check_branches(compiler):
    """The instructions of quoit_relax and quoit_lowest_bit, by clang-cl's branch and by cl's."""
    path = compiler.write("branches.c", '#include "bits.h"\n#include "noinline.h"\n#include "relax.h"\n'
                          "void relax(void); unsigned find(uint64_t);\n"
                          "QUOIT_NOINLINE void relax(void) { quoit_relax(); }\n"
                          "unsigned find(uint64_t word) { return quoit_lowest_bit(word); }\n")
    for target, pause, search in BRANCHES:
        for branch, options in (("clang-cl", ()), ("cl", ("/clang:-U__clang__",))):
            made = compiler.run(path, target, ["/O2", "/clang:-S", "/clang:-o-", "/clang:-ffreestanding",
                                                "-I" + os.path.join(compiler.folder, "intrinsics"), *options], "/c")
            if made.returncode != 0 or not re.search(pause, made.stdout) or not re.search(search, made.stdout):
                yield f"src/base as {branch} reads it, {target}: no {pause}, or no {search}\n{made.stderr}{made.stdout}"


def check(compiler, chosen):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [(name, pool.submit(compiler.run, path, target, options)) for name, path, target, options in chosen]
        for name, result in results:
            if result.result().returncode != 0:
                yield f"{name} does not compile in cl mode:\n{result.result().stderr}"


def self_test(compiler):
    """Planted faults, and a source without a fault."""
    plants = ["#include <getopt.h>\n", "#include <unistd.h>\n", "static int unused;\n",
              "#include <quoit.h>\nint wrong(void) { return quoit_no_such_call(); }\n"]
    for number, text in enumerate(plants):
        path = compiler.write(f"plant{number}.c", text)
        if compiler.run(path).returncode == 0:
            sys.exit(f"self-test: {text!r} was not found")
    if compiler.run(compiler.write("clean.c", "#include <quoit.h>\n#include <windows.h>\n")).returncode != 0:
        sys.exit("self-test: a source without a fault does not compile")
    print(f"cl_mode.py: {len(plants)} planted faults found")


def main():
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(folder)
        if sys.argv[1:] == ["--self-test"]:
            self_test(compiler)
            return
        chosen = list(tasks(compiler))
        faults = list(check(compiler, chosen)) + list(check_branches(compiler))
        print("\n".join(faults) or f"cl_mode.py: {len(chosen)} compilations")
        sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
