# SPDX-License-Identifier: MIT
# macOS with zig's C compiler, which compiles and links on Linux. QUOIT_ZIG is that program, QUOIT_MACOS_PROCESSOR
# x86_64 or aarch64; QUOIT_MACOS_CPP OFF leaves out all C++ targets.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES QUOIT_ZIG QUOIT_MACOS_PROCESSOR QUOIT_MACOS_CPP)
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR ${QUOIT_MACOS_PROCESSOR})
foreach(language C CXX)
  set(command cc)
  if(language STREQUAL "CXX")
    set(command c++)
  endif()
  set(CMAKE_${language}_COMPILER ${QUOIT_ZIG} ${command} -target ${QUOIT_MACOS_PROCESSOR}-macos)
  set(CMAKE_${language}_COMPILER_WORKS TRUE) # the check needs Apple's tools
  set(CMAKE_${language}_ARCHIVE_CREATE "${QUOIT_ZIG} ar qc <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_FINISH "${QUOIT_ZIG} ranlib <TARGET>")
endforeach()
if(NOT QUOIT_MACOS_CPP)
  set(CMAKE_CXX_COMPILER CMAKE_CXX_COMPILER-NOTFOUND)
endif()
set(CMAKE_SIZEOF_VOID_P 8)
set(CMAKE_INSTALL_NAME_TOOL true) # required by CMake, but used only for installing
set(CMAKE_OSX_SYSROOT "")
set(CMAKE_OSX_DEPLOYMENT_TARGET "")
