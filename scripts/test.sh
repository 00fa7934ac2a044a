# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev test and the long tests: fuzz, soak, crash, models. Part of ./dev.

# run_ctest NAME BUILDS [CTEST OPTION...]: runs one ctest for all builds. Before and after it, checks that no objects are
# left in the system. Skips tests with the label nightly unless QUOIT_TEST_EFFORT is full. Writes the report to
# build/results/NAME.xml.
run_ctest() {
    local name=$1 builds=$2 chosen=(-LE nightly)
    shift 2
    [ "${QUOIT_TEST_EFFORT:-short}" != full ] || chosen=()
    cat >build/CTestTestfile.cmake <<END
subdirs($builds)
add_test(leftovers.before python3 "$PWD/tests/leftovers.py" before "$PWD/build/leftovers.txt")
add_test(leftovers.after python3 "$PWD/tests/leftovers.py" after "$PWD/build/leftovers.txt")
set_tests_properties(leftovers.before PROPERTIES FIXTURES_SETUP leftovers)
set_tests_properties(leftovers.after PROPERTIES FIXTURES_CLEANUP leftovers)
END
    mkdir -p build/results
    local at_once=$((($(nproc) * 3 + 1) / 2)) # more than the processors, since many tests wait most of the time
    ctest --test-dir build --output-on-failure --no-tests=error -j"$at_once" "${chosen[@]}" \
        --output-junit "$PWD/build/results/$name.xml" "$@"
}

test_tools() {
    build_tools clang=clang python3=python3 python3-config=python3-dev spin=spin mandoc=mandoc /usr/include/curses.h=libncurses-dev \
        /usr/sbin/nats-server=nats-server /usr/include/nats/nats.h=libnats-dev /usr/include/ini.h=libinih-dev
    clang_runtime
    # CPython's own tests of its queues, which quoit.mp's queues have to pass.
    local python
    python=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    need "/usr/lib/$python/test/_test_multiprocessing.py=lib$python-testsuite"
}

# Installs the libraries that clang's sanitizers and its fuzzer link.
clang_runtime() {
    local runtime
    runtime=$(clang -print-runtime-dir)/libclang_rt.fuzzer-$(uname -m).a
    need "$runtime=libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
}

# test_targets: prints further arguments of a build, for the tests that run_ctest runs.
test_targets() { [ "${QUOIT_TEST_EFFORT:-short}" != full ] || echo "-- --target all nightly_tests"; }

# asan is built by clang, with its warnings, so clang without a sanitizer runs only at night.
test_builds=(release asan tsan clang)
test_builds_of_each_run=(release asan tsan)

# run_tests [BUILD...] [CTEST OPTION...]
run_tests() {
    local preset chosen=()
    while [ $# -gt 0 ] && [[ " ${test_builds[*]} " == *" $1 "* ]]; do
        chosen+=("$1")
        shift
    done
    if [ ${#chosen[@]} -eq 0 ]; then
        chosen=("${test_builds_of_each_run[@]}")
        [ "${QUOIT_TEST_EFFORT:-short}" != full ] || chosen=("${test_builds[@]}")
    fi
    if [ $# -gt 0 ] && [[ $1 != -* ]]; then
        say "unknown build '$1'; use one of: ${test_builds[*]}"
        exit 2
    fi
    test_tools
    for preset in "${chosen[@]}"; do
        # shellcheck disable=SC2046  # several words, or none
        build "$preset" -DQUOIT_TEST_PREFIX="$preset." $(test_targets)
    done
    say "running the tests (log: build/Testing/Temporary/LastTest.log)"
    run_ctest tests "${chosen[*]}" "$@"
}

# native [--build-only | --peers OPTIONS] [CMAKE_OPTION...]: for systems without apt. Needs the system's compiler and cmake;
# must work with old versions of bash. A warning is no error. With --peers, builds a second time with these options, and runs
# only the tests in which processes of both builds use one queue.
native() {
    local tests=yes pattern=. name=native peers=
    case ${1-} in
        --build-only) tests=no && shift ;;
        --peers)
            # shellcheck disable=SC2086 # several options
            native_build native_peers $2
            pattern=_peers name=native_pairs peers=-DQUOIT_PEERS=$PWD/build/native_peers/tests
            shift 2
            ;;
    esac
    native_build "$name" ${peers:+"$peers"} ${1+"$@"}
    [ "$tests" = yes ] || return 0
    say "running the tests"
    ctest --test-dir "build/$name" --build-config Release --output-on-failure --no-tests=error -j2 -R "$pattern"
}

native_build() {
    local name=$1
    shift
    say "building with this system's compiler (in build/$name)"
    cmake -S . -B "build/$name" -DCMAKE_BUILD_TYPE=Release ${1+"$@"}
    cmake --build "build/$name" --config Release --parallel 2
}

fuzz_tools() {
    build_tools clang=clang
    clang_runtime
}

# Random calls of the Python package, built with AddressSanitizer, which the interpreter loads first.
fuzz_python() {
    local seconds=$1
    build_tools python3-config=python3-dev
    configure_and_build fuzz_python build/fuzz_python -S . -B build/fuzz_python -G Ninja -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_C_FLAGS="-O1 -g" -DQUOIT_SANITIZE=address -DQUOIT_TESTS=OFF -DQUOIT_BENCH=OFF -DQUOIT_EXAMPLES=OFF \
        -DQUOIT_TOOLS=OFF -DQUOIT_SHARED=OFF -- --target quoit_python_package
    say "random calls of the Python package for $seconds s"
    LD_PRELOAD=$(cc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
        QUOIT_TEST_SECONDS=$seconds QUOIT_PYTHON=$PWD/build/fuzz_python/python python3 tests/python/random_calls_test.py
}

# fuzz [SECONDS [python]]
fuzz() {
    local seconds=${1:-3600}
    if [ "${2:-}" = python ]; then
        fuzz_python "$seconds"
        return
    fi
    fuzz_tools
    build fuzz -- --target region_fuzz
    mkdir -p build/fuzz/corpus build/fuzz/findings
    rm -f build/fuzz/findings/*
    say "fuzzing for $seconds s (log: build/fuzz/fuzz.log; inputs that fail are in build/fuzz/findings)"
    (cd build/fuzz && tests/region_fuzz corpus ../../tests/fuzz/corpus -max_total_time="$seconds" -timeout=100 \
        -max_len=400 -len_control=0 -artifact_prefix=findings/ -print_final_stats=1 2>fuzz.log) ||
        { tail -60 build/fuzz/fuzz.log >&2; give_up "the fuzzer found a failure; its input is in build/fuzz/findings"; }
    grep -E "number_of_executed_units|peak_rss" build/fuzz/fuzz.log
    say "the fuzzer found no failure"
}

soak() {
    build_tools
    build release -- --target storm_test
    local seconds=${1:-600}
    QUOIT_STORM_SECONDS=$seconds QUOIT_TEST_TIMEOUT=$((seconds + 300)) build/release/tests/storm_test
}

crash() {
    local test tests=(crash_{ring,broadcast,repair,waiting,lifecycle,pool,lock}_linux_test)
    build_tools
    build release -- --target "${tests[@]}"
    for test in "${tests[@]}"; do
        QUOIT_CRASH_POINTS=${QUOIT_CRASH_POINTS:-all} QUOIT_TEST_TIMEOUT=7200 "build/release/tests/$test"
    done
}

models() {
    need cc=gcc python3=python3 spin=spin
    python3 tests/model/run_models.py --large mpmc wait wait_any notices wait_views browse_views broadcast pool
    python3 tests/model/check_genmc.py || [ $? -eq 77 ]
}
