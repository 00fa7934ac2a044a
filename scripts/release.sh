# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The source archive of ./dev package, and the check that two builds make the same packages. Part of ./dev; package_dir is
# of scripts/package.sh.
# shellcheck disable=SC2154

package_version() { sed -n 's/^project(quoit VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt; }

# The packages contain no time but that of the last entry in the changelog, no path, and no mode of the caller's umask.
package_environment() {
    local changed
    changed=$(sed -n 's/^ -- .*>  //p' cmake/debian/changelog | head -n 1)
    SOURCE_DATE_EPOCH=$(date --utc --date "$changed" +%s)
    export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
    umask 022
}

# archive FOLDER ARCHIVE [TAR_OPTION...]: makes a .tar.gz of the files that standard input lists, relative to FOLDER.
archive() {
    local folder=$1 archive=$2
    shift 2
    tar --create --directory="$folder" --format=ustar --owner=0 --group=0 --numeric-owner --mode=a=rX,u+w \
        --mtime="@$SOURCE_DATE_EPOCH" "$@" --no-recursion --files-from=- | gzip -9n >"$archive"
}

# The source archive: all tracked files.
package_make_source() {
    local version out=$package_dir/source
    version=$(package_version)
    say "the source archive"
    rm -rf "$out" && mkdir -p "$out"
    python3 tests/lint/tracked.py | archive . "$out/quoit-$version.tar.gz" --transform="s,^,quoit-$version/,S"
}

# package_files FOLDER: the packages in FOLDER, which is a build/package.
package_files() { (cd "$1" && shopt -s nullglob && echo source/*.tar.gz linux/*.deb windows/*.zip python/*.whl python/*.tar.gz); }

# unpacked COMMAND...: runs the command in the unpacked source archive, without git.
unpacked() { quietly again env PATH="$elsewhere/bin:$PATH" "$@"; }

# Makes the archive and the Python packages again from the source archive, at night all packages: elsewhere, without git and
# without a compiler cache, with another umask and time zone. Each must be the same, byte by byte. Then builds and runs some
# tests there, so the archive is complete.
package_again() (
    version=$(package_version)
    tests=(golden_posix messages mpmc name queue spsc status stream takeover)
    elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/quoit-again.XXXXXX")
    trap 'rm -rf "$elsewhere"' EXIT
    say "making the packages again, from the source archive in $elsewhere"
    tar -xzf "$package_dir/source/quoit-$version.tar.gz" -C "$elsewhere"
    mkdir "$elsewhere/bin"
    printf '#!/bin/sh\necho "git is not needed here: git $*" >&2\nexit 1\n' >"$elsewhere/bin/git"
    chmod +x "$elsewhere/bin/git"
    cd "$elsewhere/quoit-$version" || exit
    parts=(source python)
    [ "${QUOIT_TEST_EFFORT:-short}" != full ] || parts+=(windows linux)
    (umask 077 && unpacked env -u SOURCE_DATE_EPOCH TZ=Asia/Tokyo LC_ALL=C CCACHE_DISABLE=1 ./dev package make "${parts[@]}")
    package_compare "$PWD/build/package"
    say "testing the unpacked source archive, without git"
    export CCACHE_BASEDIR=$PWD
    unpacked cmake --preset release
    unpacked cmake --build build/release --target "${tests[@]/%/_test}"
    unpacked ctest --test-dir build/release --no-tests=error -j2 -R "^($(IFS='|'; echo "${tests[*]}|versions"))$"
    unpacked python3 tests/lint/source_rules.py
    unpacked python3 tests/lint/documents.py
)

# package_compare FOLDER: fails if a package in FOLDER differs from that in build/package, and keeps a copy of it.
package_compare() {
    local file files different=0
    read -ra files <<<"$(package_files "$1")"
    [ "${#files[@]}" -ge 3 ] || give_up "$1 has only ${#files[@]} packages to compare: ${files[*]}"
    for file in "${files[@]}"; do
        cmp -s "$package_dir/$file" "$1/$file" && continue
        mkdir -p "$package_dir/again"
        cp "$1/$file" "$package_dir/again"
        say "$file differs in a second build; compare: diffoscope build/package/$file build/package/again/${file##*/}"
        different=1
    done
    [ "$different" = 0 ] || exit 1
    say "a second build made the same packages: ${files[*]}"
}

# The recipes of packaging/ for this source archive; each is parsed by its own program.
package_recipes() {
    say "the recipes for other package managers"
    rm -rf "$package_dir/recipes"
    python3 packaging/make_recipes.py "$package_dir/source/quoit-$(package_version).tar.gz" "$package_dir/recipes"
    quietly recipes env QUOIT_RECIPES=all python3 tests/install/recipes_test.py .
}

# outside_unpacked NAME ROOT PACKAGE...: unpacks the packages below ROOT, and builds programs against the result.
outside_unpacked() {
    local name=$1 root=$2 package found
    shift 2
    rm -rf "$root" && mkdir -p "$root"
    for package in "$@"; do
        bsdtar -xf "$package" -C "$root"
    done
    found=$(find "$root" -name quoitConfig.cmake)
    outside_cmake "$name" -Dquoit_DIR="${found%/*}"
    "$(find "$root" -path '*/bin/quoit')" --version >/dev/null
}

# Build the packages for rpm and for Arch Linux by their own programs, without their dependencies, which have other names on
# Debian.
package_rpm() {
    local top=$package_dir/rpm
    say "building the packages for rpm"
    rm -rf "$top" && mkdir -p "$top/SOURCES"
    cp "$package_dir/source/quoit-$(package_version).tar.gz" "$top/SOURCES"
    quietly rpm rpmbuild -bb --nodeps --define "_topdir $top" "$package_dir/recipes/rpm/quoit.spec"
    outside_unpacked rpm "$top/root" "$top"/RPMS/*/quoit*.rpm
}

package_arch() (
    as_builder=()
    say "building the package for Arch Linux"
    top=$(mktemp -d "${TMPDIR:-/tmp}/quoit-arch.XXXXXX")
    trap 'rm -rf "$top"' EXIT
    cp "$package_dir/source/quoit-$(package_version).tar.gz" "$package_dir/recipes/arch/PKGBUILD" "$top"
    if [ "$(id -u)" = 0 ]; then # which makepkg refuses
        chown -R 65534 "$top"
        as_builder=(setpriv --reuid=65534 --regid=65534 --clear-groups env CCACHE_DISABLE=1)
    fi
    cd "$top" || exit
    quietly arch "${as_builder[@]}" env HOME="$top" PKGEXT=.pkg.tar.gz makepkg --nodeps
    rm -rf "$package_dir/arch" && mkdir "$package_dir/arch" && cp ./*.pkg.tar.gz "$package_dir/arch"
    cd - >/dev/null || exit
    outside_unpacked arch "$package_dir/arch/root" "$package_dir"/arch/*.pkg.tar.gz
)
