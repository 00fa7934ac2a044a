# SPDX-License-Identifier: MIT
"""Pickles PyTorch's tensors with their memory out of band, as NumPy's arrays are. put() calls dumps once torch is imported.

torch's own way of pickling copies a tensor into the pickle, and knows no out-of-band buffers. Programs that pickle
tensors by other means are not affected."""
from __future__ import annotations

import copyreg
import io
import pickle
import typing


class _Table(dict[typing.Any, typing.Any]):
    """How types are pickled: here tensors, and else as registered with copyreg."""

    def __missing__(self, kind: typing.Any) -> typing.Any:
        return copyreg.dispatch_table[kind]


_table = _Table()


def _is_plain(torch: typing.Any, tensor: typing.Any) -> bool:
    return (tensor.device.type == "cpu" and tensor.layout is torch.strided and not tensor.is_quantized
            and not tensor.__dict__ and not tensor._backward_hooks)


def _reduce(tensor: typing.Any) -> typing.Any:
    import torch  # pylint: disable=import-outside-toplevel,import-error
    if not _is_plain(torch, tensor):
        return tensor.__reduce_ex__(5)
    flat = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)  # a copy only if it must be
    return _rebuild, (pickle.PickleBuffer(flat.view(torch.uint8).numpy()), tensor.dtype, tuple(tensor.shape),
                      tensor.requires_grad)


def _rebuild(data: typing.Any, dtype: typing.Any, shape: typing.Any, requires_grad: bool) -> typing.Any:
    import torch  # pylint: disable=import-outside-toplevel,import-error
    if memoryview(data).readonly:  # of borrow(): torch has no tensors that cannot be written to
        data = bytearray(data)
    tensor = torch.frombuffer(data, dtype=dtype).reshape(shape) if len(data) else torch.empty(shape, dtype=dtype)
    return tensor.requires_grad_() if requires_grad else tensor


def dumps(thing: typing.Any, protocol: int, buffer_callback: typing.Any) -> bytes:
    """pickle.dumps, with tensors out of band."""
    import torch  # pylint: disable=import-outside-toplevel,import-error
    if hasattr(torch, "Tensor"):  # another module may have the name
        _table[torch.Tensor] = _reduce
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol, buffer_callback=buffer_callback)
    pickler.dispatch_table = _table  # type: ignore[assignment]
    pickler.dump(thing)
    return file.getvalue()
