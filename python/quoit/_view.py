# SPDX-License-Identifier: MIT
"""A view of shared memory that ends when its owner ends it."""
IN_USE = "a slice of the view, or an array over it, is still in use; delete it before the block ends"


class View:
    """The memoryview that was handed out. Slices of it, and arrays over it, keep the C handle open."""

    def __init__(self, memory):
        self._memory = memory
        self.view = memoryview(memory)
        self.ended = False

    def is_open(self):
        """False: ended, or released by the user."""
        try:
            len(self.view)
        except ValueError:
            return False
        return True

    def end(self):
        """The view raises from now on. False: slices of it, or arrays over it, are still in use."""
        self.ended = True
        try:
            self.view.release()
        except BufferError:
            return False
        return self._memory.exports == 0
