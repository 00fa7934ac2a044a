# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Installs missing packages, and builds. Part of ./dev.

say() { printf '%s\n' "./dev: $*" >&2; }

# Fails with the reason, the remedy, and the name of the log.
give_up() {
    say "$*"
    exit 1
}

# need PROGRAM=PACKAGE...: installs each package whose program is not in the PATH, or whose file (/...) does not exist.
need() {
    local missing=() pair
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || [[ $pair = /* && -e ${pair%%=*} ]] || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || give_up "apt-get is missing; install these packages yourself (Debian's names): ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || give_up "sudo is missing; run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing with apt-get: ${missing[*]} (1 or 2 minutes; log: build/log/install.log)"
    mkdir -p build/log
    # If the list of packages is missing or old, the first attempt fails.
    install_packages() {
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "${missing[@]}" >build/log/install.log 2>&1
    }
    install_packages || { "${as_root[@]}" apt-get update -qq && install_packages; } ||
        { tail -n 20 build/log/install.log >&2; give_up "apt-get cannot install ${missing[*]}; read build/log/install.log"; }
}

build_tools() { need cc=gcc c++=g++ cmake=cmake ninja=ninja-build "$@"; }

# with_progress NAME COMMAND...: runs the command with its output in build/log/NAME.log. On a terminal one line shows
# Ninja's progress. Prints the end of the log if the command fails.
with_progress() {
    local name=$1 log=build/log/$1.log
    shift
    mkdir -p "$(dirname "$log")"
    if [ -t 2 ]; then
        "$@" 2>&1 | tee -a "$log" | show_progress "$name"
    else
        "$@" >>"$log" 2>&1
    fi && return 0
    grep -E 'error|Error|FAILED' "$log" | head -n 20 >&2 || tail -n 20 "$log" >&2
    say "$name failed; read $log"
    return 1
}

show_progress() {
    local line
    while IFS= read -r line; do
        [[ ! $line =~ ^\[([0-9]+/[0-9]+)\] ]] || printf '\r./dev: %s %s ' "$1" "${BASH_REMATCH[1]}" >&2
    done
    printf '\r\033[K' >&2
}

# use_compiler_cache: uses ccache if it is installed. The cache is shared by all checkouts of these sources.
use_compiler_cache() {
    command -v ccache >/dev/null || return 0
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD}
}

# configure_and_build NAME DIRECTORY CMAKE_OPTION... [-- BUILD_OPTION...]
configure_and_build() {
    local name=$1 directory=$2 options=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    mkdir -p "$(dirname "build/log/$name.log")" && : >"build/log/$name.log"
    with_progress "$name" cmake "${options[@]}" && with_progress "$name" cmake --build "$directory" "$@"
}

# build PRESET [CMAKE_OPTION... [-- BUILD_OPTION...]]
build() {
    local preset=$1
    shift
    say "building $preset (half a minute if it was not built before; log: build/log/$preset.log)"
    configure_and_build "$preset" "build/$preset" --preset "$preset" "$@"
}
