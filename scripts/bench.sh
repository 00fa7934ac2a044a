# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev bench: measures Quoit and other queues, and makes tables and plots. Part of ./dev.

# measure NAME ROUNDS QUESTION...: writes raw data, tables and plots to bench/results/NAME.*.
measure() {
    local name=$1 rounds=$2 question results=bench/results/$1.jsonl
    shift 2
    : >"$results"
    for question in "$@"; do
        say "$question, $rounds rounds, between processes and between threads"
        "build/bench/bench/peers_$question" --rounds "$rounds" >>"$results"
        "build/bench/bench/peers_$question" --rounds "$rounds" --threads >>"$results"
    done
    report "$name"
}

# report NAME: makes tables and plots from the raw data.
report() {
    python3 bench/report.py "bench/results/$1.jsonl" "bench/results/$1.md" \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors, Linux $(uname -r)" \
        "$(cc --version | head -1), -O2" \
        "commit $(git describe --always --dirty 2>/dev/null || echo unknown), $(date -u +%F)"
}

# bench [ROUNDS [WHAT]]: measures Quoit and its peers in one run. WHAT is one_to_one, many, broadcast, payloads or
# shell; without it, all of them.
bench() {
    local rounds=${1:-9} what=${2:-one_to_one many broadcast payloads shell}
    say "measuring $what, $rounds rounds of about a minute each; run nothing else on this machine meanwhile"
    build_tools pkg-config=pkg-config python3=python3 gnuplot=gnuplot-nox valgrind=valgrind
    need /usr/include/boost/lockfree=libboost-dev /usr/include/ck_ring.h=libck-dev \
        /usr/include/dpdk=libdpdk-dev /usr/include/zmq.h=libzmq3-dev /usr/include/nng=libnng-dev \
        /usr/include/qb=libqb-dev iox-roudi=iceoryx /usr/include/iceoryx=libiceoryx-posh-dev \
        "/usr/include/$(cc -dumpmachine)/urcu/wfcqueue.h=liburcu-dev"
    build bench
    iox-roudi -m off >build/log/roudi.log 2>&1 &
    # shellcheck disable=SC2064  # $! of now: the daemon
    trap "kill $! 2>/dev/null || :" EXIT
    sleep 2 # until the daemon has allocated its memory
    [[ $what != *one_to_one* ]] || measure one_to_one "$rounds" throughput round_trip latency capacity
    [[ $what != *many* ]] || measure many "$rounds" many
    [[ $what != *broadcast* ]] || measure broadcast "$rounds" broadcast
    [[ $what != *payloads* ]] || measure payloads "$rounds" pool messages
    if [[ $what == *shell* ]]; then
        say "through a shell, $rounds rounds"
        python3 bench/shell.py build/bench/tools/quoit "$rounds" >bench/results/shell.jsonl
        report shell
    fi
    say "counting instructions"
    python3 bench/count_instructions.py build/bench/bench/instructions >bench/results/instructions.md
    cat bench/results/*.md
}
