# SPDX-License-Identifier: MIT
# Which files of src/os this system is made of (docs/PORTING.md), and which of the examples and tests.
include(CheckSymbolExists)
option(QUOIT_STRICT_POSIX
  "On Linux, to prove it: use nothing but POSIX.1-2008. Not beside an ordinary build, which has other locks" OFF)

if(WIN32)
  set(QUOIT_OS_FAMILY windows)
  set(QUOIT_OS_FILES
    entry_windows.c liveness_windows.c mechanisms_windows.c names_windows.c nt_windows.c
    process_windows.c section_windows.c security_windows.c sem_windows.c shm_file_windows.c spin.c
    list_windows.c shm_local_windows.c shm_windows.c system_error_windows.c wait_windows.c barrier_none.c)
  set(QUOIT_OS_DEFINITIONS _WIN32_WINNT=0x0602 WIN32_LEAN_AND_MEAN)
  return()
endif()

# Defines QUOIT_HAS_NAME where the system has the function.
function(quoit_has name header)
  string(TOUPPER ${name} upper)
  check_symbol_exists(${name} ${header} QUOIT_HAS_${upper})
  if(QUOIT_HAS_${upper})
    set(QUOIT_OS_DEFINITIONS ${QUOIT_OS_DEFINITIONS} QUOIT_HAS_${upper} PARENT_SCOPE)
  endif()
endfunction()

set(QUOIT_OS_FAMILY posix)
set(name_max 200) # of shared memory and semaphores; with a prefix it must fit a file's name
set(sem_prefix "/")
set(QUOIT_OS_FILES
  bell_posix.c fd.c list_directory.c lock_file.c locked_object.c mapped_file.c mechanisms_posix.c process_posix.c sem_posix.c sem_sysv.c
  sem_timed.c shm_file.c shm_local.c shm_sysv.c spin.c system_error_posix.c sysv.c)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT QUOIT_STRICT_POSIX)
  list(APPEND QUOIT_OS_FILES barrier_membarrier.c list_linux.c liveness_ofd.c memory_linux.c namespace_linux.c
    owner_linux.c shm_posix_linux.c wait_futex.c)
  set(QUOIT_OS_DEFINITIONS _GNU_SOURCE _FILE_OFFSET_BITS=64 QUOIT_LOCK_DIRECTORY="/dev/shm"
    QUOIT_SEM_FILE_PREFIX="/dev/shm/sem.")
  set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
  check_symbol_exists(__GLIBC__ features.h QUOIT_HAS_GLIBC)
  if(NOT QUOIT_HAS_GLIBC) # musl puts semaphores and shared memory into one directory, by their names alone
    set(sem_prefix "/sem.")
  endif()
else()
  list(APPEND QUOIT_OS_FILES barrier_none.c list_posix.c liveness_fcntl.c memory_posix.c namespace_none.c
    owner_posix.c shm_posix.c)
  set(QUOIT_OS_DEFINITIONS QUOIT_LOCK_DIRECTORY="/tmp")
  if(APPLE) # which cleans /tmp of what is some days old
    set(QUOIT_OS_DEFINITIONS QUOIT_LOCK_DIRECTORY="/var/tmp" _DARWIN_C_SOURCE QUOIT_NO_SEM_GETVALUE)
    set(name_max 30) # and the slash
    list(APPEND QUOIT_OS_FILES wait_macos.c)
  else()
    list(APPEND QUOIT_OS_FILES wait_pauses.c)
    list(APPEND QUOIT_OS_DEFINITIONS _POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700)
    set(CMAKE_REQUIRED_DEFINITIONS -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700)
    if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux") # Linux keeps to POSIX strictly, to prove that it is enough
      list(APPEND QUOIT_OS_DEFINITIONS __EXTENSIONS__ __BSD_VISIBLE=1 _BSD_SOURCE _NETBSD_SOURCE)
    endif()
    if(CMAKE_SIZEOF_VOID_P EQUAL 4)
      list(APPEND QUOIT_OS_DEFINITIONS _FILE_OFFSET_BITS=64)
    endif()
  endif()
endif()
list(APPEND QUOIT_OS_DEFINITIONS QUOIT_SHM_NAME_MAX=${name_max} QUOIT_SEM_NAME_PREFIX="${sem_prefix}")
set(CMAKE_REQUIRED_LIBRARIES pthread)
quoit_has(pipe2 unistd.h)
quoit_has(posix_fallocate fcntl.h)
quoit_has(sem_clockwait semaphore.h)
quoit_has(semtimedop sys/sem.h)
quoit_has(sigtimedwait signal.h)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_DEFINITIONS)
