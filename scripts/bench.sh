# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev bench: measures Quoit and other queues, and makes tables and plots. Part of ./dev.

bench_parts=(one_per_call batches latency mpmc broadcast payloads waits shell python instructions)

# bench_part PART ROUNDS DIRECTORY [quick]: writes raw data, tables and plots to DIRECTORY/PART.*.
bench_part() {
    local part=$1 rounds=$2 directory=$3 quick=${4:-}
    local results=$directory/$part.jsonl peers=build/bench/bench/bench_peers
    say "$part"
    case $part in
        instructions)
            python3 bench/count_instructions.py build/bench/bench/instructions >"$directory/$part.md"
            return
            ;;
        python)
            PYTHONPATH=build/bench_python/python /usr/bin/python3 bench/python.py "$rounds" >"$results"
            python3 bench/python_report.py "$results" "$directory/$part.md" "$(bench_machine)" \
                "$(/usr/bin/python3 --version), $(cc --version | head -1), -O2" "$(bench_commit)"
            return
            ;;
        waits)
            build/bench/bench/bench_waits "$rounds" >"$results"
            python3 bench/waits_report.py "$results" >"$directory/$part.md"
            return
            ;;
        shell) python3 bench/shell.py build/bench/tools/quoit "$peers" "$rounds" >"$results" ;;
        *) "$peers" "$part" "$rounds" ${quick:+quick} >"$results" ;;
    esac
    python3 bench/report.py "$results" "$directory/$part.md" \
        "$(bench_machine)" "$(cc --version | head -1), -O2" "$(bench_commit)"
}

bench_machine() {
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors, Linux $(uname -r)"
}

bench_commit() { echo "commit $(git describe --always --dirty 2>/dev/null || echo unknown), $(date -u +%F)"; }

# The Python module, for Debian's Python, without the programs that the other parts compare with.
bench_python_build() {
    need python3-config=python3-dev /usr/lib/python3/dist-packages/zmq=python3-zmq \
        /usr/lib/python3/dist-packages/numpy=python3-numpy
    build_tools
    configure_and_build bench_python build/bench_python -S . -B build/bench_python -G Ninja -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_C_FLAGS="-O2 -DNDEBUG" -DPython3_EXECUTABLE=/usr/bin/python3 -DQUOIT_TESTS=OFF -DQUOIT_BENCH=OFF \
        -DQUOIT_EXAMPLES=OFF -DQUOIT_TOOLS=OFF -DQUOIT_SHARED=OFF -- --target quoit_python_package
}

# bench [ROUNDS | quick] [PART...]: measures Quoit and other queues in one run. Without ROUNDS it makes 9 rounds, without
# PART it measures all parts.
bench() {
    local rounds=9 directory=bench/results quick='' part
    if [[ ${1:-} =~ ^[0-9]+$ ]]; then
        rounds=$1
        [ "$rounds" -ge 9 ] || { say "$rounds rounds are too few; pass 9 or more, or 'quick'"; exit 2; }
        shift
    elif [ "${1:-}" = quick ]; then
        quick=quick directory=build/bench_quick
        shift
    fi
    [ $# -gt 0 ] || set -- "${bench_parts[@]}"
    for part in "$@"; do
        [[ " ${bench_parts[*]} " = *" $part "* ]] || { say "there is no part '$part'; the parts are ${bench_parts[*]}"; exit 2; }
    done
    mkdir -p "$directory"
    [[ " $* " != *" python "* ]] || bench_python_build
    if [ "$*" = python ]; then
        bench_part python "$rounds" "$directory" "$quick"
        say "the report is $directory/python.md"
        return
    fi
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
    say "$rounds rounds of: $* (the machine should do nothing else)"
    for part in "$@"; do
        bench_part "$part" "$rounds" "$directory" "$quick"
    done
    say "the reports are in $directory"
}
