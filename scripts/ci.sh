# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev ci and ./dev nightly: run all parts, and print the seconds of each in one table. Part of ./dev.

ci_warns_after=1800 # seconds
ci_fails_after=3600

# The parts that a change must pass. A nightly run has the same parts at full length, and more.
ci_parts=(install lint demo tests docs cross package fuzz)
nightly_parts=(lint demo tests docs crash models soak cross package fuzz)

part_install() {
    lint_tools
    test_tools
    fuzz_tools
    cross_all_tools
    package_tools
    docs_tools
    docs_browser_tools
}
part_lint() { lint; }
part_demo() (demo)
part_tests() { run_tests; }
part_docs() { # without npm only the site is built
    ./dev docs test || [ $? = 77 ]
}
part_cross() { # only macOS may be skipped: its compiler comes from npm, which not every machine can reach
    ./dev cross macos || [ $? = 77 ]
    ./dev cross windows strict like-macos musl i386 aarch64 armhf riscv64 s390x
}
part_package() { package; }
part_fuzz() { fuzz "${part_fuzz_seconds:-60}"; }
part_crash() { crash; }
part_models() { models; }
part_soak() { soak; }

# run_part DIRECTORY PART: writes "SECONDS RESULT COMMIT" to DIRECTORY/PART. A part that fails does not end the run.
run_part() {
    local directory=$1 part=$2 began=$SECONDS result=passed code
    say "=== $part"
    # In a subshell, so that a failure ends the part; `||` would disable set -e.
    set +e
    (
        set -e
        "part_$part"
    )
    code=$?
    set -e
    [ "$code" = 0 ] || result=FAILED
    echo "$((SECONDS - began)) $result $(git rev-parse --short HEAD 2>/dev/null || echo unknown)" >"$directory/$part"
    say "=== $part: $(cut -d' ' -f2 "$directory/$part")"
}

# part_table DIRECTORY PART...: prints the table. Returns 1 if a part failed or was not run.
part_table() {
    local directory=$1 part seconds result commit total=0 failed=0
    shift
    printf '%-10s %8s  %-8s %s\n' part seconds result commit
    for part in "$@"; do
        seconds=- result='not run' commit=
        [ ! -e "$directory/$part" ] || read -r seconds result commit <"$directory/$part"
        printf '%-10s %8s  %-8s %s\n' "$part" "$seconds" "$result" "$commit"
        [ "$seconds" = - ] || total=$((total + seconds))
        [ "$result" = passed ] || failed=1
    done
    printf '%-10s %8s\n' total "$total"
    return "$failed"
}

# The last line of its output is the summary of all tests.
ci() {
    local directory=build/ci part result=0 began=$SECONDS
    rm -rf "$directory" build/results && mkdir -p "$directory"
    for part in "${ci_parts[@]}"; do
        run_part "$directory" "$part"
    done
    echo
    part_table "$directory" "${ci_parts[@]}" || result=1
    local took=$((SECONDS - began))
    [ "$took" -le "$ci_warns_after" ] ||
        echo "WARNING: the run took $took s, but its budget is $ci_warns_after s; shorten the longest parts in the table"
    if [ "$took" -gt "$ci_fails_after" ]; then
        echo "FAILED: the run took $took s, but its limit is $ci_fails_after s; shorten the longest parts in the table, or move them to nightly"
        result=1
    fi
    python3 tests/summary.py build/results/*.xml || result=1
    exit "$result"
}

# nightly [PART...]: runs everything at full length. A part that passed at this commit is run again only if it is named.
nightly() {
    local directory=build/nightly part chosen=("$@") result=0 now
    now=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    for part in "$@"; do
        [[ " ${nightly_parts[*]} " == *" $part "* ]] ||
            { say "unknown part '$part' of nightly; use one of: ${nightly_parts[*]}"; exit 2; }
    done
    [ $# -gt 0 ] || chosen=("${nightly_parts[@]}")
    mkdir -p "$directory"
    export QUOIT_TEST_EFFORT=full
    part_fuzz_seconds=3600
    for part in "${chosen[@]}"; do
        if [ $# = 0 ] && grep -qsx "[0-9]* passed $now" "$directory/$part"; then
            say "$part passed at $now before; name it to run it again"
            continue
        fi
        run_part "$directory" "$part"
    done
    echo
    part_table "$directory" "${nightly_parts[@]}" | tee "$directory/table.txt"
    [ "${PIPESTATUS[0]}" = 0 ] || result=1
    exit "$result"
}
