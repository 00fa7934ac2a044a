#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tensors_test.py: what programs for machine learning send: PyTorch's CPU tensors, and arrays by DLPack. Both are skipped
where the library is not installed (Debian: python3-torch, python3-numpy)."""
import pickle
import os
import subprocess
import sys
import unittest
import warnings

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from quoit_test import Case, quoit, run  # noqa: E402  pylint: disable=wrong-import-position

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
except ImportError:
    torch = None


class Tensors(Case):
    def setUp(self):
        super().setUp()
        if not torch or not numpy:
            self.skipTest("PyTorch is not installed")
        self.queue = self.make(item_bytes=1 << 20, messages=True)

    def sent(self, thing):
        self.queue.put(thing)
        return self.queue.get()

    def test_kinds(self):
        real = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
        for tensor in (real, real.to(torch.int64), real.to(torch.bfloat16), real.to(torch.complex64), real > 3, real[:, 1:, ::2],
                       real.permute(2, 0, 1), torch.tensor(7.5), torch.empty(0, 5), torch.tensor([1 + 2j]).conj(),
                       torch.ones(3, requires_grad=True)):
            got = self.sent({"it": tensor})["it"]
            self.assertEqual((got.dtype, got.shape, got.requires_grad), (tensor.dtype, tensor.shape, tensor.requires_grad))
            self.assertTrue(torch.equal(got, tensor))
            if not got.requires_grad:
                got.zero_()  # it is the receiver's own
        self.assertIsInstance(self.sent(torch.nn.Parameter(torch.ones(3))), torch.nn.Parameter)
        sparse = torch.eye(3).to_sparse()
        self.assertTrue(torch.equal(self.sent(sparse).to_dense(), torch.eye(3)))  # by torch's own way

    def test_copied_once(self):
        """The tensor's memory is not in the pickle: it goes from the tensor to the queue."""
        from quoit import _tensors  # pylint: disable=import-outside-toplevel
        tensor, buffers = torch.zeros(1 << 16), []
        self.assertLess(len(_tensors.dumps([tensor], 5, buffers.append)), 1000)
        buffer, = buffers
        shared = numpy.frombuffer(buffer, numpy.float32)
        tensor[5] = 7
        self.assertEqual(shared[5], 7)
        self.assertGreater(len(pickle.dumps([tensor], 5, buffer_callback=[].append)), 1 << 18)  # unlike torch's own

    def test_borrow(self):
        """torch has no read-only tensors, so a borrowed one is a copy, which may be written to."""
        self.queue.put(torch.ones(1000))
        with warnings.catch_warnings(), self.queue.borrow() as tensor:
            warnings.simplefilter("error")
            tensor += 1
            self.assertEqual(tensor.sum(), 2000)
            del tensor
        self.assertRaises(quoit.Empty, self.queue.try_get)

    def test_registered_types(self):
        """copyreg's functions are used, as by pickle."""
        import copyreg  # pylint: disable=import-outside-toplevel
        copyreg.pickle(Registered, lambda thing: (Registered, (thing.number + 1,)))
        self.addCleanup(copyreg.dispatch_table.pop, Registered)
        self.assertEqual(self.sent(Registered(1)).number, 2)
        self.assertEqual(self.sent(Plain(torch.ones(2))).tensor.sum(), 2)

    def test_another_process(self):
        """The receiver has not imported torch."""
        self.queue.put([torch.arange(5), "end"])
        receiver = run("queue = quoit.Queue.open(sys.argv[1], quoit.CONSUMER)\nassert 'torch' not in sys.modules\n"
                       "print(queue.get(timeout=60)[0].sum().item())", self.other())
        printed, errors = receiver.communicate(timeout=60)
        self.assertEqual((printed, errors), ("10\n", ""))

    def other(self):
        """Another queue with the same object, which the receiver may consume."""
        other = quoit.Queue.create(self.name + "-other", quoit.PRODUCER, capacity=2, item_bytes=1000, messages=True)
        self.addCleanup(other.close)
        self.addCleanup(other.unlink)
        other.put(self.queue.get())
        return other.name

    def test_dlpack(self):
        """An array of any library, by DLPack, without a copy before put()."""
        tensor = torch.arange(10)
        self.assertEqual(self.sent(numpy.from_dlpack(tensor)).sum(), 45)
        self.assertEqual(torch.from_dlpack(self.sent(tensor.numpy())).sum(), 45)


class Registered:
    def __init__(self, number):
        self.number = number


class Plain:
    def __init__(self, tensor):
        self.tensor = tensor


class DlPack(Case):
    def test_numpy(self):
        """NumPy's arrays, which have DLPack, stand for those of other libraries."""
        if not numpy or not hasattr(numpy, "from_dlpack"):
            self.skipTest("NumPy is not installed, or has no DLPack")
        queue = self.make(item_bytes=1 << 12, messages=True)
        source = numpy.arange(10.0)
        taken = numpy.from_dlpack(source)
        self.assertTrue(numpy.shares_memory(taken, source))
        queue.put(taken)
        got = queue.get()
        self.assertEqual(got.tolist(), source.tolist())
        queue.put(source)
        self.assertEqual(numpy.from_dlpack(queue.get()).sum(), 45)  # so any other library can take it


class WithoutTorch(Case):
    def test_not_imported(self):
        """put() imports neither torch nor NumPy by itself."""
        done = subprocess.run([sys.executable, "-B", "-c", "import sys\nimport quoit\n"
                               "q = quoit.Queue.create(sys.argv[1], 3, capacity=1, item_bytes=100, messages=True)\nq.unlink()\n"
                               "q.put([1])\nassert q.get() == [1]\n"
                               "print([name for name in ('torch', 'numpy', 'quoit._tensors') if name in sys.modules])",
                               self.name + "-without"], env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(
                                   quoit.__file__))}, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.stdout, done.stderr), ("[]\n", ""))


if __name__ == "__main__":
    unittest.main()
