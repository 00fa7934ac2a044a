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

# demo_start PROGRAM OPTION...: starts the producer or the consumer; its lines are shown as they are written. Its PID is in
# `started`.
demo_start() {
    local program=$1
    shift
    "$demo_bin/$program" --name "$demo_name" "$@" >>"$demo_output/$program" 2>/dev/null &
    started=$!
}

# demo_kill PROGRAM PID: kill -9, which no process can catch.
demo_kill() {
    kill -9 "$2" 2>/dev/null || give_up "the $1 ended before it was killed; its output is above"
    { wait "$2" || :; } 2>/dev/null
}

demo_tell() {
    sleep 0.3 # the lines that were written before are shown first
    echo
    printf '%s\n' "$@"
    echo
}

# demo_check: each product that a producer pushed must be in the consumers' output, once, and in order.
demo_check() {
    local pushed=$demo_output/pushed printed=$demo_output/printed missing
    awk '$1 == "DROPPED" { dropped[$2] = 1; next } { id[++n] = $1 } END { for (i = 1; i <= n; i++) if (!(id[i] in dropped)) print id[i] }' \
        "$demo_output/producer" >"$pushed"
    awk '$2 != "0.0" { print $1 }' "$demo_output/consumer" >"$printed"
    missing=$(comm -23 <(sort "$pushed") <(sort "$printed") | wc -l)
    sort --check=quiet --numeric-sort --unique "$printed" ||
        give_up "the consumers printed a product twice, or not in order; their output is above"
    echo "Pushed: $(wc -l <"$pushed"). Printed by a consumer: $(wc -l <"$printed"), each once and in order. Missing: $missing."
    # A consumer that is killed between its pop and its print takes one product with it.
    [ "$missing" -le 1 ] || give_up "$missing products are missing, but only one can be: that of the killed consumer"
}

demo_scenes() {
    local started producer consumer
    local makes=(--interval 0.25:0.75) takes=(--interval 0.4:1.2)
    demo_tell "A producer makes numbered products. A slower consumer takes them. Between them is a queue in shared memory," \
        "with room for 5. One product in 20 is lost on purpose: the consumer sees the gap, and prints 0.0."
    demo_start consumer "${takes[@]}" && consumer=$started
    demo_start producer "${makes[@]}" && producer=$started
    # Shows both outputs, in the order in which they are written.
    tail -q -n +1 -s 0.1 --pid=$$ -F "$demo_output/producer" 2>/dev/null | sed -u 's/^/    producer  /' &
    tail -q -n +1 -s 0.1 --pid=$$ -F "$demo_output/consumer" 2>/dev/null | sed -u 's/^/                                  consumer  /' &
    sleep 6
    demo_tell "kill -9 consumer. The producer does not wait for a crashed process. It fills the queue; products that find" \
        "no room are DROPPED, as with any slow consumer."
    demo_kill consumer "$consumer"
    sleep 3
    demo_tell "The consumer is started again, and continues with the oldest product in the queue."
    demo_start consumer "${takes[@]}" && consumer=$started
    sleep 6
    demo_tell "kill -9 producer. The products that it pushed are still in the queue, and the consumer takes them."
    demo_kill producer "$producer"
    sleep 3
    demo_tell "The producer is started again. The last number is in shared memory, so the numbering continues. After 8" \
        "products it ends the stream, and both programs end."
    demo_start producer "${makes[@]}" --count 8 && producer=$started
    wait "$producer" || give_up "the producer failed; its output is above"
    wait "$consumer" || give_up "the consumer failed; its output is above"
    sleep 0.5
    demo_tell "Both programs have ended."
}

demo() {
    local demo_bin=build/release/examples demo_name="demo-$$" demo_output
    build_tools
    build release -- --target producer consumer unlink_queue quoit_tool
    demo_output=$(mktemp -d)
    # shellcheck disable=SC2064  # expanded now, on purpose
    trap "clean_up_demo '$demo_bin' '$demo_name' '$demo_output'" EXIT
    demo_scenes
    demo_check
    echo
    echo "With room for more than 5, and nothing else to do, the same queue is fast. From one process to another, on this machine:"
    build/release/tools/quoit bench --seconds 3 | grep -E '^(SPSC, 8 bytes|SPSC, 64 bytes|round trip, spinning|a pipe, 64 bytes)  '
    cat <<'END'

Try next:
  ./dev install ~/.local                      the library, its headers and the tool `quoit`; README.md has a first program
  build/release/tools/quoit help              look inside live queues; push and pop lines in a shell
  build/release/examples/producer --help      the two programs of this demonstration
  ./dev test                                  all tests; some kill a process at each instruction
END
}
