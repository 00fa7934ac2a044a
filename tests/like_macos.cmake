# SPDX-License-Identifier: MIT
# Tests of the build that has macOS's files on Linux (QUOIT_LIKE_MACOS). Each program loads a stand-in for macOS's waits.
if(QUOIT_LIKE_MACOS)
  add_library(quoit_os_sync SHARED support/os_sync_linux.c)
  target_link_libraries(quoit_os_sync PRIVATE quoit_flags)
  target_link_libraries(quoit PUBLIC $<BUILD_INTERFACE:-Wl,--push-state,--no-as-needed> $<BUILD_INTERFACE:quoit_os_sync>
    $<BUILD_INTERFACE:-Wl,--pop-state>)
  list(APPEND names_of_nightly # these test what is the same in the build "strict"
    arithmetic blocks broadcast broadcast_latest broadcast_lossy broadcast_process broadcast_queue browse crowd header
    hostile_peer latest messages messages_process misuse mpmc mpmc_crashes queue_many spsc status thread)
  quoit_test(unit/wait_macos_test.c)
endif()

# In this build locks belong to open file descriptions.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT QUOIT_STRICT_POSIX)
  list(APPEND test_definitions QUOIT_TEST_OFD_LOCKS)
elseif(QUOIT_OFD_LOCKS AND (QUOIT_LIKE_MACOS OR QUOIT_HAS_OFD_LOCKS))
  list(APPEND test_definitions QUOIT_TEST_OFD_LOCKS)
endif()
