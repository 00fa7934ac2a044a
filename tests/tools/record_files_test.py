#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""record_files_test.py QUOIT [PART...]: quoit replay and record --info read files that are damaged, hostile, or another
program's."""
import os
import pathlib
import random
import struct

import mcap_file
from push_pop_test import FAILED, LIMIT, OK, check, lines, main
from record_test import CUT_OFF, Recorder, read

DAMAGED = "is damaged"


def bad_files(shell):
    name, other = shell.name(), shell.name()
    header, footer, one = mcap_file.header(), mcap_file.footer(), mcap_file.message(1, 0, 0, bytes(8))
    queue, foreign = mcap_file.queue(1, name), mcap_file.channel(1, name, {})
    for parts, word in [
            ([b"not an MCAP file"], "is not an MCAP file"), ([b""], CUT_OFF), ([header], CUT_OFF),
            ([header, queue, mcap_file.chunk(one, "zstd"), footer], "compressed by 'zstd'"),
            ([header, queue, mcap_file.chunk(one, crc=1), footer], "checksum"),
            ([header, queue, mcap_file.chunk(one[:-1]), footer], DAMAGED),
            ([header, one, footer], "channel 1, which the file lacks"),
            ([header, queue, mcap_file.queue(1, other), footer], "two topics"),
            ([header, mcap_file.queue(1, name, kind="ring"), footer], "does not describe a queue"),
            ([header, mcap_file.queue(1, name, capacity="-1"), footer], "does not describe a queue"),
            ([header, mcap_file.queue(1, name, members=2**32), footer], "does not describe a queue"),
            ([header, mcap_file.queue(1, ""), footer], "topic that is empty"),
            ([header, queue, footer, header, queue, footer], "other bytes follow"),
            ([header, bytes(20), footer], "begins no record"),
            ([mcap_file.MAGIC, queue, footer], "begins no record"),
            ([header, mcap_file.record(mcap_file.MESSAGE, b"short"), footer], "impossible lengths")]:
        file = shell.write(*parts)
        shell.run(FAILED, "record", "--info", file, word=word)
        shell.run(FAILED, "replay", "--speed", "max", file, word=word)
    shell.run(OK, "rm", "--force", name)
    for parts, word in [
            ([header, foreign, footer], "does not exist, and the file does not describe it"),
            ([header, mcap_file.queue(1, other, capacity=2**40), footer], "more than 1G"),
            ([header, mcap_file.queue(1, other, user_bytes=2**40), footer], "more than 1G"),
            ([header, mcap_file.queue(1, other, capacity=2**63, item_bytes=2**63), footer], "more than 1G"),
            ([header, queue, mcap_file.queue(2, other, capacity=2**27), footer], "more than 1G"),
            ([header, mcap_file.queue(1, other, item_align=3), footer], "item_align"),
            ([header, mcap_file.queue(1, "no:such/scheme"), footer], "is not a scheme"),
            ([header, queue, mcap_file.message(1, 0, 0, bytes(9)), footer], "has 9 bytes, but items")]:
        shell.run(FAILED, "replay", "--speed", "max", shell.write(*parts), word=word)
        shell.run(OK, "rm", "--force", name)
    check(not os.path.exists(other[5:]), "a queue was made that nothing can be pushed into")
    shell.push(b"x\n", name, "--each", "--item-bytes", "4")
    shell.run(FAILED, "replay", shell.write(header, queue, footer), word="finished")
    shell.run(OK, "pop", name)
    shell.push(b"", name, "--raw", "--item-bytes", "16", "--keep")
    shell.run(FAILED, "replay", shell.write(header, queue, footer), word="it has items of 16 bytes")
    good = shell.write(header, mcap_file.queue(1, other), mcap_file.message(1, 0, 0, bytes(8)), footer)
    shell.run(FAILED, "replay", "--rename", f"{name}={other}", good, word="no recording of a queue")
    shell.run(FAILED, "replay", shell.path("none"), word="cannot read")


def foreign(shell):
    """Messages outside of chunks, and a channel of another program, go into a queue that exists."""
    name = shell.name()
    shell.push(b"first\n", name, "--each", "--keep", "--item-bytes", "100")
    shell.run(OK, "replay", "--speed", "max", "--rename", f"/topic={name}", shell.write(
        mcap_file.header(), mcap_file.channel(7, "/topic", {}), mcap_file.message(7, 0, 5, b"second"),
        mcap_file.record(9, b"an attachment"), mcap_file.record(0x80, b"an extension"), mcap_file.chunk(
            mcap_file.message(7, 1, 6, b"third")), mcap_file.footer()))
    check(shell.run(OK, "pop", name, "--no-wait") == b"first\nsecond\nthird\n", "not all is there")


def mutated(shell):
    """Files with random faults: no crash, no endless loop, and a file that is read as complete is read in full."""
    dice, name = random.Random(11), shell.name()
    push = shell.feed(lines(30), name, "--each", "--capacity", "8")
    data = bytearray(read(shell.recorded("--flush", "0", name)))
    shell.end(push, OK)
    for op, at, _ in list(mcap_file.records(data)):  # without checksums, faults in chunks get further
        if op == mcap_file.CHUNK:
            data[at + 33:at + 37] = bytes(4)
    file, codes = shell.path("m.mcap"), {OK: 0, FAILED: 0}
    starts = [at for _, at, _ in mcap_file.records(data)]
    for turn in range(400):
        changed = bytearray(data)
        for _ in range(dice.choice([1, 1, 2, 5])):
            at = min(dice.choice(starts) + dice.randrange(70), len(changed) - 1)
            how = dice.randrange(4)
            if how == 0:
                changed[at] = dice.randrange(256)
            elif how == 1:
                changed[at:at + 8] = struct.pack("<Q", dice.choice([0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**64 - 9]))
            elif how == 2:
                del changed[at:at + dice.randrange(1, 40)]
            else:
                changed[at:at] = dice.randbytes(dice.randrange(1, 40))
        pathlib.Path(file).write_bytes(changed)
        info = shell.start("record", "--info", file)
        output, errors = info.communicate(timeout=LIMIT)
        check(info.returncode in codes, f"{file}: exit code {info.returncode}: {errors!r}")
        check(info.returncode == OK or errors, f"{file}: failed without a message")
        codes[info.returncode] += 1
        # The topic is read as it was, so the replay makes no other queue.
        if turn % 4 == 0 and name.encode() in output.split(b"\n") and output.count(b"  messages ") == 1:
            pop = shell.start("pop", name, "--raw", "--follow", "--keep")
            replay = shell.start("replay", "--speed", "max", file)
            errors = replay.communicate(timeout=LIMIT)[1]
            check(replay.returncode in codes, f"{file}: replay ended with {replay.returncode}: {errors}")
            pop.kill()
            pop.communicate()
            shell.run(OK, "rm", "--force", name)
    check(min(codes.values()) > 10, f"the faults are too strong, or have no effect: {codes}")


if __name__ == "__main__":
    main([bad_files, foreign, mutated], Recorder)
