#!/bin/sh
# SPDX-License-Identifier: MIT
# Run in a clean Debian: installs the packages beside it, and builds an outside program against them each way.
set -eu
cd /work
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
# A queue over a stream into another queue. The server takes a port that is free.
if [ -e /usr/bin/quoit-bridge ]; then
    quoit-bridge --help | grep -q '^usage: quoit-bridge'
    mkdir nats
    nats-server --addr 127.0.0.1 --port -1 --ports_file_dir "$PWD/nats" --jetstream --store_dir "$PWD/nats" &
    server=$!
    until url=$(grep -oh 'nats://127[^"]*' nats/*.ports); do
        kill -0 $server
        sleep 0.1
    done
    printf 'one\ntwo\n' | quoit push --each "$name"
    quoit-bridge out "$name" "$url/S/s" --create-stream
    quoit-bridge in "$url/S/s" "$name-2" --capacity 16 --item-bytes 1024 --messages &
    bridge=$!
    until quoit ls --names | grep -q "$name-2"; do
        kill -0 $bridge
        sleep 0.1
    done
    [ "$(quoit pop --count 2 "$name-2")" = "one
two" ]
    kill $bridge $server
    wait $bridge
    wait $server || true
    quoit rm "$name" "$name-2"
    echo "bridge: good"
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
