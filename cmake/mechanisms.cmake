# SPDX-License-Identifier: MIT
# Chooses the files of src/os for this system (docs/PORTING.md), and the examples and tests.
include(CheckSymbolExists)
option(QUOIT_STRICT_POSIX
  "On Linux, for tests: use only POSIX.1-2008. Do not run it together with an ordinary build, which has other locks" OFF)

option(QUOIT_LIKE_MACOS
  "On Linux, for tests: as QUOIT_STRICT_POSIX, with macOS's files, limits and lock directory, and a stand-in for its waits" OFF)
option(QUOIT_OFD_LOCKS "On macOS: use locks of open file descriptions, if the system has them" ON)
if(QUOIT_LIKE_MACOS)
  set(QUOIT_STRICT_POSIX ON)
endif()

set(QUOIT_OS_FOLDERS shm sem wait liveness list process)
if(WIN32)
  set(QUOIT_OS_FAMILY windows)
  set(QUOIT_PIN windows) # how programs that measure choose a processor
  list(APPEND QUOIT_OS_FOLDERS windows)
  set(QUOIT_OS_FILES windows/entry_windows.c liveness/liveness_windows.c liveness/locks_each.c mechanisms_windows.c windows/names_windows.c
      windows/nt_windows.c windows/paths_windows.c process/process_windows.c windows/section_windows.c windows/security_windows.c
      sem/sem_windows.c shm/local_names.c shm/placement_windows.c shm/shm_fd_none.c shm/shm_file_windows.c wait/spin.c list/list_windows.c shm/shm_local_windows.c
      shm/shm_windows.c system_error_windows.c wait/wait_windows.c wait/barrier_none.c)
  set(QUOIT_OS_DEFINITIONS _WIN32_WINNT=0x0602 WIN32_LEAN_AND_MEAN)
  return()
endif()

# Defines QUOIT_HAS_NAME if the system has the function.
function(quoit_has name header)
  string(TOUPPER ${name} upper)
  check_symbol_exists(${name} ${header} QUOIT_HAS_${upper})
  if(QUOIT_HAS_${upper})
    set(QUOIT_OS_DEFINITIONS ${QUOIT_OS_DEFINITIONS} QUOIT_HAS_${upper} PARENT_SCOPE)
  endif()
endfunction()

set(QUOIT_OS_FAMILY posix)
set(QUOIT_PIN none)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(QUOIT_PIN linux)
endif()
set(name_max 200) # of shared memory and semaphores; with the prefix it must fit into a file name
set(sem_prefix "/")
set(QUOIT_OS_FILES wait/thread_posix.c shm/fd.c list/list_directory.c liveness/lock_file.c shm/local_names.c shm/locked_object.c
    shm/mapped_file.c shm/placement_posix.c mechanisms_posix.c process/process_posix.c sem/sem_posix.c sem/sem_sysv.c sem/sem_timed.c
    shm/shm_file.c shm/shm_local.c shm/shm_sysv.c wait/pauses.c wait/spin.c system_error_posix.c sysv.c)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT QUOIT_STRICT_POSIX)
  list(APPEND QUOIT_OS_FILES wait/notifier_eventfd.c wait/barrier_membarrier.c list/list_linux.c liveness/liveness_ofd.c shm/memory_linux.c
      process/namespace_linux.c process/owner_linux.c shm/shm_fd_linux.c shm/shm_posix_linux.c wait/wait_futex.c)
  set(QUOIT_OS_DEFINITIONS _GNU_SOURCE _FILE_OFFSET_BITS=64 QUOIT_LOCK_DIRECTORY="/dev/shm"
    QUOIT_SEM_FILE_PREFIX="/dev/shm/sem.")
  set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
  check_symbol_exists(__GLIBC__ features.h QUOIT_HAS_GLIBC)
  if(NOT QUOIT_HAS_GLIBC) # musl puts semaphores and shared memory into one directory, without prefixes
    set(sem_prefix "/sem.")
  endif()
else()
  list(APPEND QUOIT_OS_FILES wait/notifier_pipe.c wait/barrier_none.c list/list_posix.c liveness/liveness_fcntl.c liveness/locks_each.c shm/memory_posix.c
      process/namespace_none.c process/owner_posix.c shm/shm_fd_none.c shm/shm_posix.c)
  set(QUOIT_OS_DEFINITIONS QUOIT_LOCK_DIRECTORY="/tmp" QUOIT_LOCKS_OUTLIVE_OBJECTS)
  if(APPLE OR QUOIT_LIKE_MACOS) # macOS removes files from /tmp after some days
    set(QUOIT_OS_DEFINITIONS QUOIT_LOCK_DIRECTORY="/var/tmp" QUOIT_LOCKS_OUTLIVE_OBJECTS QUOIT_NO_SEM_GETVALUE
      QUOIT_NO_SHM_READ)
    set(name_max 30) # without the slash
    list(APPEND QUOIT_OS_FILES wait/wait_macos.c)
  else()
    list(APPEND QUOIT_OS_FILES wait/wait_pauses.c)
  endif()
  if(APPLE) # its CLOCK_MONOTONIC counts microseconds
    list(APPEND QUOIT_OS_DEFINITIONS _DARWIN_C_SOURCE QUOIT_CLOCK=CLOCK_MONOTONIC_RAW
      QUOIT_COARSE_CLOCK=CLOCK_MONOTONIC_RAW_APPROX)
    set(CMAKE_REQUIRED_DEFINITIONS -D_DARWIN_C_SOURCE)
    if(QUOIT_OFD_LOCKS) # illumos has them too, but for whole files only
      check_symbol_exists(F_OFD_SETLK fcntl.h QUOIT_HAS_OFD_LOCKS)
    endif()
  else()
    list(APPEND QUOIT_OS_DEFINITIONS _POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700)
    set(CMAKE_REQUIRED_DEFINITIONS -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700)
    if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux") # on Linux this build uses strict POSIX, to prove that POSIX is enough
      list(APPEND QUOIT_OS_DEFINITIONS __EXTENSIONS__ __BSD_VISIBLE=1 _BSD_SOURCE _NETBSD_SOURCE)
    endif()
    if(CMAKE_SIZEOF_VOID_P EQUAL 4)
      list(APPEND QUOIT_OS_DEFINITIONS _FILE_OFFSET_BITS=64)
    endif()
  endif()
endif()
# In messages: the system, and its limits of System V segments, of semaphores, and of their undo structures.
set(system ${CMAKE_SYSTEM_NAME})
set(shm_limits "the system's limits of System V shared memory")
set(sem_limits "the system's limits of System V semaphores")
set(undo_limits "of System V semaphores")
if(APPLE)
  set(system macOS)
  set(shm_limits "kern.sysv.shmmax, kern.sysv.shmall or kern.sysv.shmmni")
  set(sem_limits "kern.sysv.semmni or kern.sysv.semmns")
  set(undo_limits "kern.sysv.semmnu, kern.sysv.semume")
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(shm_limits "kernel.shmmax, kernel.shmall or kernel.shmmni")
  set(sem_limits "kernel.sem")
  set(undo_limits "kernel.sem")
elseif(CMAKE_SYSTEM_NAME STREQUAL "FreeBSD")
  set(shm_limits "kern.ipc.shmmax, kern.ipc.shmall or kern.ipc.shmmni")
  set(sem_limits "kern.ipc.semmni or kern.ipc.semmns")
  set(undo_limits "kern.ipc.semmnu, kern.ipc.semume")
elseif(CMAKE_SYSTEM_NAME STREQUAL "NetBSD")
  set(shm_limits "kern.ipc.shmmax, kern.ipc.shmmaxpgs or kern.ipc.shmmni")
  set(sem_limits "kern.ipc.semmni or kern.ipc.semmns")
  set(undo_limits "kern.ipc.semmnu")
elseif(CMAKE_SYSTEM_NAME STREQUAL "OpenBSD")
  set(shm_limits "kern.shminfo.shmmax, kern.shminfo.shmall or kern.shminfo.shmmni")
  set(sem_limits "kern.seminfo.semmni or kern.seminfo.semmns")
  set(undo_limits "kern.seminfo.semmnu, kern.seminfo.semume")
elseif(CMAKE_SYSTEM_NAME STREQUAL "SunOS")
  set(shm_limits "the resource controls project.max-shm-memory or project.max-shm-ids")
  set(sem_limits "the resource control project.max-sem-ids")
endif()
list(APPEND QUOIT_OS_DEFINITIONS QUOIT_SYSTEM_NAME="${system}" QUOIT_SHM_NAME_MAX=${name_max} QUOIT_SEM_NAME_PREFIX="${sem_prefix}"
    QUOIT_SHM_LIMITS="${shm_limits}" QUOIT_SEM_LIMITS="${sem_limits}" QUOIT_UNDO_LIMITS="${undo_limits}")
if(QUOIT_HAS_OFD_LOCKS)
  list(APPEND QUOIT_OS_DEFINITIONS QUOIT_OFD_LOCKS)
endif()
set(CMAKE_REQUIRED_LIBRARIES pthread)
quoit_has(pipe2 unistd.h)
quoit_has(posix_fallocate fcntl.h)
quoit_has(sem_clockwait semaphore.h)
quoit_has(semtimedop sys/sem.h)
quoit_has(sigtimedwait signal.h)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_DEFINITIONS)
