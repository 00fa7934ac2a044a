# SPDX-License-Identifier: MIT
"""A clone of Quoit is not a Python package; the module is in python/quoit. But Python takes any folder with the name
quoit for a package, and so a clone in the current directory. Then this file runs: it imports an installed module, or
raises ImportError with the reason."""
import importlib.machinery
import importlib.util
import os
import sys

_clone = os.path.dirname(os.path.abspath(__file__))
_holder = os.path.dirname(_clone)
_spec = importlib.machinery.PathFinder.find_spec(
    __name__, [place for place in sys.path if os.path.abspath(place or os.curdir) != _holder])
if _spec is None or _spec.loader is None:
    raise ImportError(f"{_clone} is a clone of Quoit, not the Python module; install it by "
                      f"'pip install {_clone}/python', or add the folder python of a build to PYTHONPATH",
                      name=__name__, path=__file__)
sys.modules[__name__] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[__name__])
