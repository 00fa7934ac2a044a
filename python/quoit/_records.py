# SPDX-License-Identifier: MIT
"""Items that are records: how format=, dtype= and record= become bytes and are made from them."""
from __future__ import annotations

import dataclasses
import operator
import struct
import sys
import typing

_CODES = {int: "q", float: "d", bool: "?", "int": "q", "float": "d", "bool": "?"}
_CTYPES_CODES = {"c_int8": "b", "c_uint8": "B", "c_int16": "h", "c_uint16": "H", "c_int32": "i", "c_uint32": "I",
                 "c_int64": "q", "c_uint64": "Q", "c_float": "f", "c_double": "d", "c_bool": "?"}


def _ctypes() -> typing.Any:
    """The module ctypes, if the program uses it. Not every sub-interpreter can import it."""
    return sys.modules.get("ctypes")


def _codes() -> dict[typing.Any, str]:
    ctypes = _ctypes()
    return {**_CODES, **{getattr(ctypes, name): code for name, code in _CTYPES_CODES.items()}} if ctypes else _CODES


class Codec(typing.NamedTuple):
    """How items become bytes: sizes for C programs, and what quoit._core calls. None: bytes stay bytes."""
    item_bytes: int
    item_align: int
    calls: tuple[typing.Any, ...]  # record, encode, decode, encode_many, decode_many, encode takes members


NOTHING = (None, None, None, None, None, False)


def _largest_align(codes: str) -> int:
    """The alignment that a C compiler gives to a struct of these."""
    return max((struct.calcsize("=" + code) for code in codes if code in "hHiIlLqQefd"), default=1)


def _fitting(align: int, size: int) -> int:
    while size % align:
        align //= 2
    return align


def _of_format(text: str) -> Codec:
    packed = struct.Struct(text)
    align = _fitting(_largest_align(text), packed.size) if packed.size else 0
    return Codec(packed.size, align, (("format", text), packed.pack, packed.unpack, None, None, True))


def _of_structure(record: typing.Any) -> Codec:
    return Codec(_ctypes().sizeof(record), _ctypes().alignment(record),
                 (("record", record), None, record.from_buffer_copy, None, None, False))


def _of_dataclass(record: typing.Any) -> Codec:
    hints = typing.get_type_hints(record)
    names, known = [field.name for field in dataclasses.fields(record)], _codes()
    try:
        codes = "".join(known[hints[name]] for name in names)
    except KeyError as unknown:
        raise TypeError(f"{record.__name__} has a member of type {unknown}: a record's members are int (64 bits), float, "
                        "bool, or numbers of ctypes") from None
    largest = max(codes, key=lambda code: struct.calcsize("=" + code))
    packed = struct.Struct(f"@{codes}0{largest}")  # with the padding of a C struct
    members = operator.attrgetter(*names) if len(names) > 1 else lambda item: (getattr(item, names[0]),)
    return Codec(packed.size, _largest_align(codes),
                 (("record", record), lambda item: packed.pack(*members(item)),
                  lambda data: record(*packed.unpack(data)), None, None, False))


def _numpy_align(numpy: typing.Any, dtype: typing.Any) -> int:
    """The alignment of a C struct with these members, if they lie as in one; otherwise 1."""
    if dtype.subdtype:
        return _numpy_align(numpy, dtype.subdtype[0])
    if dtype.fields is None:
        return dtype.alignment
    aligns = [(_numpy_align(numpy, field[0]), field[1]) for field in dtype.fields.values()]
    align = max((align for align, _offset in aligns), default=1)
    lies_so = all(offset % align == 0 for align, offset in aligns) and dtype.itemsize % align == 0
    return align if lies_so else 1


def _of_dtype(wanted: typing.Any) -> Codec:
    import numpy  # pylint: disable=import-outside-toplevel
    dtype = numpy.dtype(wanted)
    if dtype.hasobject:
        raise TypeError(f"dtype {dtype} holds Python objects, which other processes cannot read: use put and get")
    base, shape = dtype.subdtype or (dtype, ())

    def converted(items: typing.Any) -> typing.Any:
        if isinstance(items, numpy.ndarray) and items.dtype != base:
            items = items.astype(base, casting="same_kind")
        return numpy.asarray(items, dtype=base, order="C")

    def encode(item: typing.Any) -> typing.Any:
        array = converted(item)
        if array.shape != shape:
            raise ValueError(f"an item of shape {array.shape}; the queue's have {shape}")
        return array

    def encode_many(items: typing.Any) -> typing.Any:
        array = converted(items)
        if array.shape[1:] != shape:
            raise ValueError(f"items of shape {array.shape[1:]}; the queue's have {shape}")
        return array

    def decode(data: bytes) -> typing.Any:
        return numpy.frombuffer(data, dtype)[0]

    def decode_many(data: bytearray) -> typing.Any:
        return numpy.frombuffer(data, dtype)

    return Codec(dtype.itemsize, _numpy_align(numpy, dtype),
                 (("dtype", dtype), encode, decode, encode_many, decode_many, False))


def codec(format: str | None, dtype: typing.Any, record: typing.Any) -> Codec | None:  # pylint: disable=redefined-builtin
    """The codec of what was passed; None if nothing was."""
    given = [value for value in (format, dtype, record) if value is not None]
    if len(given) > 1:
        raise ValueError("only one of format, dtype and record can be passed")
    if format is not None:
        return _of_format(format)
    if dtype is not None:
        return _of_dtype(dtype)
    if record is None:
        return None
    ctypes = _ctypes()
    if ctypes and isinstance(record, type) and issubclass(record, (ctypes.Structure, ctypes.Union)):
        return _of_structure(record)
    if isinstance(record, type) and dataclasses.is_dataclass(record):
        return _of_dataclass(record)
    raise TypeError(f"record is {record!r}; it must be a ctypes.Structure or a dataclass")
