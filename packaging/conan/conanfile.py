# SPDX-License-Identifier: MIT
"""The recipe for Conan 2."""
import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, get, rm, rmdir
from conan.tools.microsoft import is_msvc

required_conan_version = ">=2.4"


class QuoitConan(ConanFile):
    name = "quoit"
    version = "@VERSION@"
    description = "Messages between the processes of one machine, through shared memory"
    license = "MIT"
    homepage = "@HOME@"
    topics = ("shared-memory", "queue", "ipc", "lock-free")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False]}
    default_options = {"shared": False, "fPIC": True}
    implements = ["auto_shared_fpic"]
    languages = "C"

    def layout(self):
        cmake_layout(self, src_folder="src")

    def source(self):
        get(self, **self.conan_data["sources"][self.version], strip_root=True)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["QUOIT_SHARED"] = bool(self.options.shared)
        for part in ("WERROR", "TESTS", "BENCH", "EXAMPLES", "PYTHON", "BRIDGE", "TOOLS"):
            toolchain.cache_variables[f"QUOIT_{part}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        lib = os.path.join(self.package_folder, "lib")
        if self.options.shared:  # the static library is always built
            rm(self, "libquoit.a", lib)
            rm(self, "quoit_static.lib", lib)
        rmdir(self, os.path.join(lib, "cmake"))  # Conan makes these files itself
        rmdir(self, os.path.join(lib, "pkgconfig"))
        rmdir(self, os.path.join(self.package_folder, "share"))

    def package_info(self):
        static_msvc = is_msvc(self) and not self.options.shared
        self.cpp_info.libs = ["quoit_static" if static_msvc else "quoit"]
        self.cpp_info.set_property("cmake_file_name", "quoit")
        self.cpp_info.set_property("cmake_target_name", "quoit::quoit")
        self.cpp_info.set_property("pkg_config_name", "quoit")
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread", "rt"]
        if is_msvc(self):  # <quoit/typed.h> in C
            self.cpp_info.cflags = ["/experimental:c11atomics"]
