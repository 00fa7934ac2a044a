# SPDX-License-Identifier: MIT
"""Builds quoit._core by CMake, as the project's own tests do: CMakeLists.txt beside this file has the rules.

An sdist has the C library's sources in library/; in a clone they are one folder up. The version is that of the C library,
in its CMakeLists.txt."""
import os
import re
import shutil
import subprocess
import sys
import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

HERE = os.path.dirname(os.path.abspath(__file__))
PACKED = os.path.join(HERE, "library")
LIBRARY = PACKED if os.path.exists(PACKED) else os.path.dirname(HERE)
# Parts of the C library that an sdist includes.
PARTS = ("CMakeLists.txt", "LICENSE", "README.md", "CHANGELOG.md", "cmake", "include", "src")
IS_LIMITED = sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED") and os.name == "posix"


def version():
    with open(os.path.join(LIBRARY, "CMakeLists.txt")) as file:
        return re.search(r"project\(quoit VERSION (\S+)", file.read()).group(1)


class BuildByCMake(build_ext):
    def build_extension(self, ext):
        folder = os.path.abspath(os.path.join(self.build_temp, "cmake"))
        target = os.path.abspath(self.get_ext_fullpath(ext.name))
        parts = ("TESTS", "BENCH", "BRIDGE", "EXAMPLES", "TOOLS", "SHARED", "INSTALL", "WERROR")
        subprocess.run(["cmake", "-S", LIBRARY, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DQUOIT_PYTHON=ON",
                        f"-DPython3_EXECUTABLE={sys.executable}", f"-DQUOIT_PYTHON_DIR={HERE}",
                        *(f"-DQUOIT_{part}=OFF" for part in parts)], check=True)
        subprocess.run(["cmake", "--build", folder, "--config", "Release", "--target", "quoit_python"], check=True)
        built, = (name for name in os.listdir(os.path.join(folder, "python", "quoit")) if name.startswith("_core."))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.join(folder, "python", "quoit", built), target)


class PackLibrary(sdist):
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        for part in PARTS:
            source, target = os.path.join(LIBRARY, part), os.path.join(base_dir, "library", part)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.isdir(source):
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)


def wheel_options():
    options = {"py_limited_api": "cp311"} if IS_LIMITED else {}
    if os.environ.get("QUOIT_WHEEL_PLATFORM"):  # set by a caller that checks which symbols of the C library are needed
        options["plat_name"] = os.environ["QUOIT_WHEEL_PLATFORM"]
    return options


setup(version=version(), ext_modules=[Extension("quoit._core", [], py_limited_api=IS_LIMITED)],
      cmdclass={"build_ext": BuildByCMake, "sdist": PackLibrary},
      options={"bdist_wheel": wheel_options()})
