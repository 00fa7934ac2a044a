# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ./dev package and ./dev abi: makes the packages, installs them in systems without this project, and builds a separate
# program against each. Part of ./dev.

package_dir=$PWD/build/package
package_abi=tests/install/abi/quoit.abi

# quietly LOG COMMAND...: prints the command's output only if it fails.
quietly() {
    local log=$package_dir/$1.log
    shift
    "$@" >"$log" 2>&1 || { say "failed: $* (log: $log)"; tail -n 40 "$log" >&2; exit 1; }
}

package_configure() { # BUILD CMAKE_OPTION...
    local build=$package_dir/$1
    shift
    quietly configure cmake -S . -B "$build" -G Ninja -DQUOIT_TESTS=OFF -DQUOIT_BENCH=OFF -DQUOIT_EXAMPLES=OFF \
        -DQUOIT_PACKAGES=ON "$@"
    quietly build cmake --build "$build"
}

# outside NAME WORD...: runs one of the outside programs, and checks its output.
outside() {
    local name=$1
    shift
    "$@" "outside-$name-$$" | tr -d '\r' | grep -qx 'outside: good' ||
        { say "the outside program '$name' failed; run it again: $*"; exit 1; }
}

# outside_cmake NAME CMAKE_OPTION...
outside_cmake() {
    local name=$1 build=$package_dir/outside/$1 way
    shift
    quietly "outside-$name" cmake -S tests/install/outside -B "$build" -G Ninja "$@"
    quietly "outside-$name" cmake --build "$build"
    for way in shared static cpp_shared cpp_static; do
        outside "$name-$way" "$build/outside_$way"
    done
}

# outside_pkg_config NAME DIRECTORY: DIRECTORY has quoit.pc.
outside_pkg_config() {
    local name=$1 build=$package_dir/outside/$1 words
    mkdir -p "$build"
    export PKG_CONFIG_PATH=$2
    read -ra words <<<"$(pkg-config --cflags --libs quoit)"
    quietly "outside-$name" cc -std=c11 -o "$build/shared" tests/install/outside/outside.c "${words[@]}"
    outside "$name-shared" env LD_LIBRARY_PATH="$(pkg-config --variable=libdir quoit)" "$build/shared"
    read -ra words <<<"$(pkg-config --static --cflags --libs quoit)"
    quietly "outside-$name" cc -std=c11 -static -o "$build/static" tests/install/outside/outside.c "${words[@]}"
    outside "$name-static" "$build/static"
    unset PKG_CONFIG_PATH
}

# Installs below a DESTDIR, and moves the result: no file may contain the old path.
package_prefix() {
    local prefix=$package_dir/moved
    say "testing a prefix that was moved"
    rm -rf "$package_dir/destdir" "$prefix"
    quietly install env DESTDIR="$package_dir/destdir" cmake --install "$package_dir/linux" --prefix /opt/quoit
    mv "$package_dir/destdir/opt/quoit" "$prefix"
    local libdir
    libdir=$(dirname "$(find "$prefix" -name libquoit.a)")
    outside_cmake moved -DCMAKE_PREFIX_PATH="$prefix" -Dquoit_DIR="$libdir/cmake/quoit"
    outside_pkg_config moved "$libdir/pkgconfig"
    python3 tests/install/exports_test.py . "$libdir/libquoit.so"
    say "testing Quoit as part of another project"
    outside_cmake subproject -DQUOIT_SOURCE="$PWD"
}

# These packages are not uploaded to an archive, so no bug is closed by them.
package_lint() {
    say "lintian"
    lintian --fail-on warning,error --suppress-tags initial-upload-closes-no-bugs --allow-root \
        "$package_dir"/linux/*.deb
}

package_abi_write() {
    abidw --exported-interfaces-only --headers-dir include --drop-private-types --no-corpus-path \
        --no-comp-dir-path --no-show-locs --out-file "$1" "$package_dir/linux/src/libquoit.so.0"
}

# Reports additions, removals, and changes in public structs, except those that are suppressed.
package_abi_check() {
    say "comparing the ABI with $package_abi"
    package_abi_write "$package_dir/quoit.abi"
    abidiff --no-show-locs "$package_abi" "$package_dir/quoit.abi" ||
        { say "the ABI differs from $package_abi; if that is intended, raise the versions that docs/RELEASE.md lists, and run ./dev abi"; exit 1; }
}

# A clean Debian, kept outside the project, and used by every checkout.
package_chroot() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/quoit release root=$package_dir/root needs clean
    if [ "$(id -u)" != 0 ] || ! unshare --mount true; then
        say "installing in a clean Debian needs root and private mounts; that part is skipped"
        return
    fi
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
    # With the libraries that the packages say that they need, so that one that they do not name is found missing.
    needs=$(for deb in "$package_dir"/linux/*.deb; do dpkg-deb --field "$deb" Depends; done | tr ',' '\n' |
        sed -E 's/ *[(|].*//; s/^ +//; /quoit/d' | LC_ALL=C sort -u | paste -sd,)
    clean=$cache/clean-$release-$(cksum <<<"$needs" | cut -d' ' -f1)
    if [ ! -e "$clean.tar" ]; then
        say "making a clean Debian ($release) in $cache"
        mkdir -p "$cache"
        if ! mmdebstrap --variant=essential --include="gcc,g++,cmake,ninja-build,pkg-config,python3,nats-server,$needs" \
            "$release" "$clean.new.tar" >"$package_dir/chroot.log" 2>&1; then
            say "cannot make a clean Debian (log: $package_dir/chroot.log); that part is skipped"
            return
        fi
        mv "$clean.new.tar" "$clean.tar"
    fi
    rm -rf "$root" && mkdir -p "$root"
    tar -xf "$clean.tar" -C "$root" --exclude='./dev/*'
    mkdir -p "$root/work" "$root/dev/shm" && chmod 1777 "$root/dev/shm"
    cp -r tests/install/outside "$package_dir"/linux/*.deb "$package_dir"/python/*.whl tests/install/in_chroot.sh "$root/work"
    say "installing the packages in a clean Debian"
    # With an empty environment: this one may name a compiler cache, which a clean Debian does not have.
    quietly in-chroot env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root unshare --mount --propagation private sh -c \
        "mount --rbind /proc '$root/proc' && mount --rbind /dev '$root/dev' && exec chroot '$root' sh /work/in_chroot.sh"
    grep -x 'good: .*' "$package_dir/in-chroot.log" >&2
    rm -rf "$root"
}

package_make_windows() {
    say "the zip for Windows"
    package_configure windows -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/toolchains/windows.cmake" -DQUOIT_EXAMPLES=ON
    rm -f "$package_dir"/windows/*.zip
    (cd "$package_dir/windows" && quietly cpack cpack -G ZIP)
}

package_zip() {
    local zip tree=$package_dir/unzipped
    say "testing the zip for Windows"
    rm -rf "$tree"
    zip=$(echo "$package_dir"/windows/*.zip)
    unzip -q "$zip" -d "$tree"
    tree=$(echo "$tree"/*)
    python3 tests/install/exports_test.py . "$tree/lib/libquoit.dll.a" x86_64-w64-mingw32-nm
    quietly outside-windows cmake -S tests/install/outside -B "$package_dir/outside/windows" -G Ninja \
        -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/toolchains/windows.cmake" -Dquoit_DIR="$tree/lib/cmake/quoit"
    quietly outside-windows cmake --build "$package_dir/outside/windows"
    if ! command -v wine >/dev/null; then
        say "wine is missing, so the programs for Windows are not run"
        return
    fi
    cross_start_wine
    cp "$tree/bin/quoit.dll" "$package_dir/outside/windows"
    local way
    for way in shared static cpp_shared cpp_static; do
        outside "windows-$way" wine "$package_dir/outside/windows/outside_$way.exe"
    done
}

# The sdist and the wheel, by Debian's own tools.
package_make_python() {
    local out=$package_dir/python python=/usr/bin/python3 name
    name=quoit-$(package_version)
    say "the Python package"
    rm -rf "$out"
    mkdir -p "$out"
    quietly sdist "$python" -m build --no-isolation --skip-dependency-check --sdist --outdir "$out" python
    tar -xzf "$out/$name.tar.gz" -C "$out"
    # Python's own archive has the times of this build.
    (cd "$out" && find "$name" -type f | LC_ALL=C sort | archive . "$name.tar.gz")
    quietly wheel env QUOIT_WHEEL_PLATFORM="manylinux_2_34_$(uname -m)" "$python" -m build --no-isolation \
        --skip-dependency-check --wheel --outdir "$out" "$out/$name"
}

# The tests of the package in a venv that has the wheel.
package_python() {
    local out=$package_dir/python python=/usr/bin/python3 venv=$package_dir/venv wheel test
    say "testing the wheel"
    rm -rf "$venv"
    wheel=$(echo "$out"/quoit-*.whl)
    python3 tests/install/wheel_test.py "$wheel" 2.34
    quietly venv "$python" -m venv --system-site-packages "$venv"
    quietly pip "$venv/bin/pip" install --no-index "$wheel"
    for test in tests/python/*_test.py; do
        quietly "$(basename "$test" .py)" env QUOIT_PYTHON="$(echo "$venv"/lib/python3*/site-packages)" \
            "$venv/bin/python" "$test"
    done
}

package_tools() {
    local python
    python=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    need "/usr/lib/$python/test/_test_multiprocessing.py=lib$python-testsuite"
    need python3-config=python3-dev pyproject-build=python3-build /usr/lib/python3/dist-packages/wheel=python3-wheel \
        /usr/lib/python3/dist-packages/numpy=python3-numpy
    /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || need /usr/lib/python3/ensurepip=python3-venv
    need rpmbuild=rpm ruby=ruby nix-instantiate=nix-bin makepkg=makepkg pacman=pacman-package-manager bsdtar=libarchive-tools
    build_tools python3=python3 pkg-config=pkg-config lintian=lintian abidw=abigail-tools \
        /usr/include/nats/nats.h=libnats-dev /usr/include/ini.h=libinih-dev dpkg-shlibdeps=dpkg-dev unzip=unzip mmdebstrap=mmdebstrap \
        x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 x86_64-w64-mingw32-g++=g++-mingw-w64-x86-64
    mkdir -p "$package_dir"
}

# Builds as Debian does, with its hardening flags. A compiler cache with a base directory would write other paths into the
# debug information, and the identifier of each build depends on that.
package_make_linux() {
    local -x CCACHE_BASEDIR=
    rm -rf "$package_dir/outside" "$package_dir/linux"
    say "building the packages"
    CFLAGS="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)" \
        LDFLAGS="$(dpkg-buildflags --get LDFLAGS)" \
        package_configure linux -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX=/usr \
        -DCMAKE_INSTALL_LIBDIR="lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
    rm -f "$package_dir"/linux/*.deb
    (cd "$package_dir/linux" && quietly cpack cpack -G DEB)
}

# package_make [PART...]: makes the packages, and tests nothing.
package_make() {
    local part parts=("$@") file
    [ $# -gt 0 ] || parts=(source linux python windows)
    package_tools
    package_environment
    for part in "${parts[@]}"; do
        case $part in
            source | linux | python | windows) "package_make_$part" ;;
            *) give_up "unknown part '$part' of ./dev package make; use some of: source linux python windows" ;;
        esac
    done
    for file in $(package_files "$package_dir"); do
        [[ $file = *[-_]$(package_version)[-_.]* ]] || give_up "the name of $file does not have the version $(package_version)"
    done
}

# package [make [PART...]]
package() {
    if [ "${1:-}" = make ]; then
        shift
        package_make "$@"
        say "made, not tested: $(package_files "$package_dir")"
        return
    fi
    package_make
    package_lint
    package_abi_check
    package_prefix
    package_python
    package_chroot
    package_zip
    package_recipes
    package_again
    if [ "${QUOIT_TEST_EFFORT:-short}" = full ]; then
        package_rpm
        package_arch
    fi
    say "all packages passed: $(package_files "$package_dir")"
}

abi() {
    package_tools
    package_environment
    package_make_linux
    mkdir -p "$(dirname "$package_abi")"
    package_abi_write "$package_abi"
    [ ! -e .git ] || git diff --stat -- "$package_abi"
}
