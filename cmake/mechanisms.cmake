# SPDX-License-Identifier: MIT
# Which files of src/os this system is made of (docs/PORTING.md), and which of the examples and tests.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(QUOIT_OS_FILES
    liveness_ofd.c mapped_file.c mechanisms_linux.c process_posix.c sem_posix.c sem_sysv.c
    shm_file.c shm_local.c shm_posix.c shm_sysv.c system_error_posix.c sysv.c)
  set(QUOIT_OS_DEFINITIONS _GNU_SOURCE _FILE_OFFSET_BITS=64 QUOIT_LOCK_DIRECTORY="/dev/shm")
  set(QUOIT_OS_FAMILY posix)
else()
  message(FATAL_ERROR
    "Quoit has no mechanisms for ${CMAKE_SYSTEM_NAME} yet; docs/PORTING.md says what one must supply")
endif()
