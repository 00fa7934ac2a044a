# SPDX-License-Identifier: MIT
# Linux on another processor, with Debian's cross compilers. QUOIT_TRIPLET is aarch64-linux-gnu, for example. Tests run
# under qemu, except for i686 on an x86-64 kernel that runs 32-bit programs.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES QUOIT_TRIPLET)
string(REGEX MATCH "^[^-]+" processor ${QUOIT_TRIPLET})
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${processor})
set(CMAKE_C_COMPILER ${QUOIT_TRIPLET}-gcc)
set(CMAKE_CXX_COMPILER ${QUOIT_TRIPLET}-g++)
set(libraries /usr/${QUOIT_TRIPLET})
set(runs_itself 1)
if(processor STREQUAL "i686")
  execute_process(COMMAND ${libraries}/lib/ld-linux.so.2 --version RESULT_VARIABLE runs_itself
    OUTPUT_QUIET ERROR_QUIET)
endif()
# The machine may have its own i686 libraries, of another version than this loader; do not use them.
if(processor STREQUAL "i686")
  set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,--dynamic-linker=${libraries}/lib/ld-linux.so.2 -Wl,-rpath=${libraries}/lib")
endif()
if(NOT runs_itself EQUAL 0)
  string(REPLACE "i686" "i386" processor ${processor})
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${processor} -L ${libraries})
endif()
