# SPDX-License-Identifier: MIT
# Tests that are built from more than their own file. Part of tests/CMakeLists.txt.
if(QUOIT_OS_FAMILY STREQUAL "posix")
  quoit_test(unit/fault_posix_test.c)
  target_sources(fault_posix_test PRIVATE ${PROJECT_SOURCE_DIR}/tools/fault_posix.c)
  target_include_directories(fault_posix_test PRIVATE ${PROJECT_SOURCE_DIR}/tools)
  target_compile_definitions(fault_posix_test PRIVATE _XOPEN_SOURCE=700)
endif()
if(QUOIT_HAS_GLIBC) # the options of the command follow its getopt_long
  quoit_test(unit/options_linux_test.c)
  target_sources(options_linux_test PRIVATE ${PROJECT_SOURCE_DIR}/tools/options.c)
  target_include_directories(options_linux_test PRIVATE ${PROJECT_SOURCE_DIR}/tools)
  target_compile_definitions(options_linux_test PRIVATE _GNU_SOURCE)
endif()
if(QUOIT_OS_FAMILY STREQUAL "windows" AND TARGET quoit_shared)
  quoit_test(process/detach_windows_test.c TIMEOUT 600)
  add_library(quoit_detach_dll MODULE process/detach_dll_windows.c)
  set_target_properties(quoit_detach_dll PROPERTIES WINDOWS_EXPORT_ALL_SYMBOLS ON)
  target_compile_definitions(quoit_detach_dll PRIVATE ${test_definitions})
  target_link_libraries(quoit_detach_dll PRIVATE quoit_shared quoit_flags)
  add_dependencies(detach_windows_test quoit_detach_dll)
  target_compile_definitions(detach_windows_test PRIVATE QUOIT_TEST_LIBRARY="$<TARGET_FILE:quoit_shared>"
    QUOIT_TEST_DLL="$<TARGET_FILE:quoit_detach_dll>")
endif()
