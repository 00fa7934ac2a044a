# SPDX-License-Identifier: MIT
# Which files of src/os this system is made of (docs/PORTING.md), and which of the examples and tests.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(QUOIT_OS_FILES
    liveness_ofd.c mapped_file.c mechanisms_linux.c process_posix.c sem_posix.c sem_sysv.c
    shm_file.c shm_local.c shm_posix.c shm_sysv.c system_error_posix.c sysv.c)
  set(QUOIT_OS_DEFINITIONS _GNU_SOURCE _FILE_OFFSET_BITS=64 QUOIT_LOCK_DIRECTORY="/dev/shm")
  set(QUOIT_OS_FAMILY posix)
elseif(WIN32)
  set(QUOIT_OS_FILES
    entry_windows.c liveness_windows.c mechanisms_windows.c names_windows.c nt_windows.c
    process_windows.c section_windows.c security_windows.c sem_windows.c shm_file_windows.c
    shm_local_windows.c shm_windows.c system_error_windows.c)
  set(QUOIT_OS_DEFINITIONS _WIN32_WINNT=0x0602 WIN32_LEAN_AND_MEAN)
  set(QUOIT_OS_FAMILY windows)
else()
  message(FATAL_ERROR
    "Quoit has no mechanisms for ${CMAKE_SYSTEM_NAME} yet; docs/PORTING.md says what one must supply")
endif()
