# SPDX-License-Identifier: MIT
"""MCAP files for record_test.py: a second reader of the format, and a writer for files that `quoit record` never writes."""
import struct
import zlib

MAGIC = b"\x89MCAP0\r\n"
HEADER, FOOTER, CHANNEL, MESSAGE, CHUNK, METADATA, DATA_END = 1, 2, 4, 5, 6, 12, 15
HEAD = 9  # bytes of a record before its content
CHUNK_HEAD = HEAD + 40


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<I", len(data)) + data


def texts(data):
    """Splits a row of texts."""
    found, at = [], 0
    while at < len(data):
        size = struct.unpack_from("<I", data, at)[0]
        found.append(data[at + 4:at + 4 + size])
        at += 4 + size
    return found


def record(op, content):
    return struct.pack("<BQ", op, len(content)) + content


def header():
    return MAGIC + record(HEADER, text("") + text("record_test.py"))


def channel(number, topic, metadata):
    pairs = b"".join(text(key) + text(value) for key, value in metadata.items())
    return record(CHANNEL, struct.pack("<HH", number, 0) + text(topic) + text("quoit") + text(pairs))


def queue(number, topic, **options):
    """The channel of a queue; by default SPSC, with 8 items of 8 bytes."""
    metadata = {"kind": "spsc", "capacity": 8, "item_bytes": 8, "user_bytes": 0, "when_full": 0, "messages": 0,
                "item_align": 8, "members": 64, **options}
    return channel(number, topic, {f"quoit.{key}": str(value) for key, value in metadata.items()})


def message(number, sequence, time, data):
    return record(MESSAGE, struct.pack("<HIQQ", number, sequence, time, time) + data)


def chunk(records, compression="", crc=None):
    crc = zlib.crc32(records) if crc is None else crc
    return record(CHUNK, struct.pack("<QQQI", 0, 0, len(records), crc) + text(compression)
                  + struct.pack("<Q", len(records)) + records)


def metadata(name, pairs):
    return record(METADATA, text(name) + text(b"".join(text(key) + text(value) for key, value in pairs.items())))


def end(number, topic):
    return metadata("quoit.end", {"channel": str(number), "topic": topic, "messages": "0", "missed": "0",
                                  "end": "finished"})


def footer():
    return record(DATA_END, bytes(4)) + record(FOOTER, bytes(20)) + MAGIC


def records(data, at=len(MAGIC)):
    """Yields (type, offset, content) of each whole record."""
    while at + HEAD <= len(data):
        op, size = struct.unpack_from("<BQ", data, at)
        if at + HEAD + size > len(data):
            return
        yield op, at, data[at + HEAD:at + HEAD + size]
        at += HEAD + size


def chunks(data):
    """The messages of each whole chunk: lists of (channel, sequence, log time, data)."""
    result = []
    for op, _, content in records(data):
        if op == DATA_END:
            break
        if op != CHUNK:
            continue
        inner = content[40:]
        if struct.unpack_from("<I", content, 24)[0] != zlib.crc32(inner):
            raise AssertionError("a chunk has a wrong checksum")
        result.append([(*struct.unpack_from("<HIQ", body), body[22:]) for kind, _, body in records(inner, 0)
                       if kind == MESSAGE])
    return result


def messages(data):
    return [each for one in chunks(data) for each in one]
