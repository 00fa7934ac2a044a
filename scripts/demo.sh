# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev demo and ./dev install, which share the release build with ./dev test. Part of ./dev.

# install_to [DIRECTORY]: installs the tools that are needed, builds, and runs `cmake --install`.
install_to() {
    local prefix=${1:-/usr/local}
    [[ $prefix = /* ]] || { say "the directory '$prefix' is not absolute; pass one that begins with /"; exit 2; }
    build_tools python3=python3 python3-config=python3-dev /usr/include/curses.h=libncurses-dev
    build release -- --target quoit_installed
    cmake --install build/release --prefix "$prefix" >build/log/install_to.log
    say "installed below $prefix; build/release/install_manifest.txt lists each file"
}

# A step may have nothing to do, so no step changes the exit code.
clean_up_demo() {
    local jobs
    jobs=$(jobs -p)
    # shellcheck disable=SC2086  # one word each
    [ -z "$jobs" ] || kill $jobs 2>/dev/null || :
    "$1/unlink_queue" "$2" 2>/dev/null || :
    rm -rf "$3"
}

demo() {
    local name="demo-$$" bin=build/release/examples
    build_tools
    build release -- --target producer consumer unlink_queue quoit_tool
    local output
    output=$(mktemp -d)
    # shellcheck disable=SC2064  # expanded now, on purpose
    trap "clean_up_demo '$bin' '$name' '$output'" EXIT
    echo "A producer makes 30 products, and a slower consumer pops them. Their queue has room for 5."
    echo "(producer --interval 0.25:0.75, consumer --interval 0.5:1.5: half the default intervals; half a minute)"
    echo
    "$bin/consumer" --name "$name" --interval 0.5:1.5 >"$output/consumed" 2>/dev/null &
    local consumer=$!
    "$bin/producer" --name "$name" --interval 0.25:0.75 --count 30 >"$output/produced" &
    local producer=$!
    # Shows both outputs together, in the order in which they are written.
    tail -q -n +1 -s 0.1 --pid="$consumer" -F "$output/produced" 2>/dev/null |
        sed -u 's/^/producer  /' &
    tail -q -n +1 -s 0.1 --pid="$consumer" -F "$output/consumed" 2>/dev/null |
        sed -u 's/^/                                    consumer  /' &
    wait "$producer" || { say "the producer failed; its output is above"; exit 1; }
    wait "$consumer" || { say "the consumer failed; its output is above"; exit 1; }
    sleep 0.5
    local printed dropped shown gaps
    printed=$(grep -vc DROPPED "$output/produced") || true
    dropped=$(grep -c DROPPED "$output/produced") || true
    shown=$(grep -vc ' 0\.0$' "$output/consumed") || true
    gaps=$(grep -c ' 0\.0$' "$output/consumed") || true
    echo
    echo "made 30: $((30 - printed)) omitted on purpose, $dropped dropped because the queue was full"
    echo "consumed $shown of the $((printed - dropped)) pushed, with 0.0 in $gaps gaps"
    [ "$shown" = "$((printed - dropped))" ] || { say "the consumer printed $shown products, but $((printed - dropped)) were pushed"; exit 1; }
    build/release/tools/quoit bench --seconds 3
}
