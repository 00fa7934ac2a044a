# SPDX-License-Identifier: MIT
# Linux on another processor, by Debian's cross compilers. QUOIT_TRIPLET: aarch64-linux-gnu, or the like. Tests run
# under qemu, but for i686, which x86-64 runs itself where its kernel has 32-bit programs.
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
# Of i686 the machine itself may have libraries too, of another version than the loader of these: none of theirs.
if(processor STREQUAL "i686")
  set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,--dynamic-linker=${libraries}/lib/ld-linux.so.2 -Wl,-rpath=${libraries}/lib")
endif()
if(NOT runs_itself EQUAL 0)
  string(REPLACE "i686" "i386" processor ${processor})
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${processor} -L ${libraries})
endif()
