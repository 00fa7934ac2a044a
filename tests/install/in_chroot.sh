#!/bin/sh
# SPDX-License-Identifier: MIT
# Run in a clean Debian: installs the packages beside it, and builds an outside program against them each way.
set -eu
cd /work
rm -f ./quoit-bridge_*.deb # it needs packages that are not in a clean Debian
dpkg -i ./*.deb
name=outside-chroot-$$
ldconfig -p | grep -q libquoit.so.0
cmake -S outside -B build -G Ninja
cmake --build build
for way in shared static cpp_shared cpp_static; do
    "build/outside_$way" "$name" | grep -x 'outside: good'
done
# shellcheck disable=SC2046  # words
cc -std=c11 -o shared outside/outside.c $(pkg-config --cflags --libs quoit)
./shared "$name" | grep -x 'outside: good'
# shellcheck disable=SC2046
cc -std=c11 -static -o static outside/outside.c $(pkg-config --static --cflags --libs quoit)
./static "$name" | grep -x 'outside: good'
if [ -e /usr/lib/python3/dist-packages/quoit ]; then
    python3 -B - "$name" <<'END'
import sys
import quoit
queue = quoit.Queue.create(sys.argv[1], quoit.PRODUCER | quoit.CONSUMER, capacity=2, format="dd")
queue.push((1.0, 2.0))
assert queue.pop() == (1.0, 2.0)
queue.unlink()
END
fi
if [ -e /usr/bin/quoit ]; then
    quoit --version
fi
# The wheel has the C library inside: it needs none of the packages.
for package in ./*.deb; do
    dpkg-deb --field "$package" Package
done | xargs dpkg --purge
if find / -xdev -name '*quoit*' ! -path '/work/*' ! -path '/proc/*' ! -path '/dev/*' | grep .; then
    echo "purging the packages left these behind" >&2
    exit 1
fi
if [ -e /usr/bin/python3 ]; then
    python3 -m zipfile -e ./quoit-*.whl wheel
    PYTHONPATH=wheel python3 -B - "$name-wheel" <<'END'
import sys
import quoit
queue = quoit.Queue.create(sys.argv[1], quoit.PRODUCER | quoit.CONSUMER, capacity=2, item_bytes=1000, messages=True)
queue.put({"hello": [1, 2.5]})
assert queue.get() == {"hello": [1, 2.5]}
queue.unlink()
END
fi
echo "good: installed, built against each way, and purged"
