/* SPDX-License-Identifier: MIT */
/*
 * Statuses: each Quoit function that can fail returns one. 0 is success, a positive status is a
 * normal answer, a negative one is an error.
 *
 * QUOIT_ABANDONED: the last peer has left (for a lock: the last holder, see <quoit/lock.h>). A call
 * on a queue returns it instead of EMPTY or FULL if all of this is true:
 *   - The call cannot proceed. Queued items come first, and a push with room returns OK.
 *   - The stream has not ended. After that, calls return FINISHED.
 *   - No live peer is left. The peers of a producer are the consumers, and the peers of a consumer
 *     are the producers. A handle is not its own peer. Observers and tools are not peers.
 *   - A peer was alive when this handle joined, or joined later. It has crashed or closed since,
 *     whether or not this handle was in a call then. Peers that left before this handle joined do
 *     not count.
 * Each side of a handle gets it once each time the last peer leaves. After that, calls return EMPTY
 * or FULL again, or wait for a new peer. The producer of a broadcast never gets it. A call that
 * waits returns it within about a tenth of a second. A call with QUOIT_NOW asks the kernel which
 * peers are alive only if its side has found the queue empty or full for 50 ms, so that polling
 * makes no system call otherwise. A descriptor (quoit_queue_poll_fd) becomes readable for it, and
 * stays readable until a call has returned it.
 */
#ifndef QUOIT_STATUS_H
#define QUOIT_STATUS_H

#include <stdint.h>

typedef enum quoit_status {
    QUOIT_OK = 0,
    QUOIT_FULL = 1,        /* there is no room, also when the time is over */
    QUOIT_EMPTY = 2,       /* there is no item, also when the time is over */
    QUOIT_TIMEOUT = 3,     /* quoit_wait_any, semaphores and locks: the time is over */
    QUOIT_FINISHED = 4,    /* the stream has ended; a consumer gets this after the last item */
    QUOIT_ABANDONED = 5,   /* the last peer or lock holder crashed, or left too early */
    QUOIT_INTERRUPTED = 6, /* quoit_queue_interrupt has ended the wait */
    QUOIT_EXHAUSTED = 7,   /* the pool has no free block */

    QUOIT_ERROR_INVALID = -1,     /* an argument is not valid */
    QUOIT_ERROR_NAME = -2,        /* the name is not valid, or its System V key is taken */
    QUOIT_ERROR_UNSUPPORTED = -3, /* this system or this kind of object does not have it */
    QUOIT_ERROR_EXISTS = -4,      /* an object of that name exists already */
    QUOIT_ERROR_NOT_FOUND = -5,   /* no object of that name exists */
    QUOIT_ERROR_PERMISSION = -6,  /* the system does not permit it */
    QUOIT_ERROR_OTHER_USER = -7,  /* the object belongs to another user: QUOIT_ANY_OWNER */
    QUOIT_ERROR_NO_SPACE = -8,    /* there is not enough shared memory or disk */
    QUOIT_ERROR_NO_MEMORY = -9,   /* this process is out of memory */
    QUOIT_ERROR_LIMIT = -10,      /* a limit on descriptors, members or values is reached */
    QUOIT_ERROR_NOT_QUOIT = -11,  /* the object of that name was not made by Quoit */
    QUOIT_ERROR_FORMAT = -12,     /* the object, or the header, is of another version */
    QUOIT_ERROR_DIFFERENT = -13,  /* the object is not as requested: kind, size, type, capacity */
    QUOIT_ERROR_TOO_BIG = -14,    /* the message is larger than its room */
    QUOIT_ERROR_ROLE_TAKEN = -15, /* a live process has the role, which only one can have */
    QUOIT_ERROR_BUSY = -16,       /* other processes are using the object; try again later */
    QUOIT_ERROR_WRONG_ROLE = -17, /* the flags of the handle do not permit this call */
    QUOIT_ERROR_FORKED = -18,     /* the handle belongs to the parent process */
    QUOIT_ERROR_CORRUPT = -19,    /* the shared memory contains impossible values */
    QUOIT_ERROR_SYSTEM = -20,     /* the operating system reported an unexpected error */
    QUOIT_ERROR_NOT_YOURS = -21,  /* the block or the lock does not belong to this handle */
    QUOIT_ERROR_REMOVED = -22     /* the object's name was removed, or leads to another object */
} quoit_status;

#ifdef __cplusplus
#define QUOIT_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define QUOIT_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif
/* The library was compiled with enumerations of an int's size. Any other size reads wrong
   numbers. */
#define QUOIT_ASSERT_ENUM(type)                                                \
    QUOIT_STATIC_ASSERT(sizeof(type) == sizeof(int),                           \
                        "Quoit: compile without -fshort-enums, so that " #type \
                        " has an int's size")
QUOIT_ASSERT_ENUM(quoit_status);

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers (QUOIT_VERSION) and of the library (quoit_version): 10000 * major +
   100 * minor + patch. A library has all that the headers of its own and of earlier versions
   declare. Any thread. */
#define QUOIT_VERSION 100
uint32_t quoit_version(void);

/* Return the name of the status, "QUOIT_FULL"; "QUOIT_?" for other numbers. Never NULL. Any
   thread. */
const char *quoit_status_name(quoit_status status);

/*
 * Return a sentence about this status, for people. If this thread's last failing call returned it,
 * the sentence names the object, the value and the remedy: "queue 'products': its capacity is 5,
 * but 9 was requested". Otherwise it explains the status. Never NULL or empty. Valid until the
 * thread's next failing call.
 */
const char *quoit_describe(quoit_status status);

#ifdef __cplusplus
}
#endif
#endif
