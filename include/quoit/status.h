/* SPDX-License-Identifier: MIT */
/*
 * Status codes: every Quoit function that can fail returns one, from one table. 0 is success,
 * positive is a normal state, negative is an error. quoit_status_text() returns the sentence,
 * quoit_error_text() the details of the latest error.
 *
 * QUOIT_ABANDONED: the other side is gone. A call on a queue returns it instead of EMPTY, FULL or
 * TIMEOUT if
 *   - it cannot proceed: items that are queued come first, and a push with room returns OK;
 *   - the stream has not ended: after finish calls return CLOSED;
 *   - no live peer is left. A producer's peers are the consumers, a consumer's the producers. A
 *     handle is not its own peer; observers and tools are no peers of any handle;
 *   - a peer was alive when this handle joined, or joined later. It may have crashed or closed, and
 *     this handle need not have been in a call then. Peers that were gone before this handle joined
 *     do not count.
 * Each side of a handle returns it once each time the last peer goes. After that, calls return
 * EMPTY, FULL or TIMEOUT again, or wait for a successor. A broadcast's producer never returns it.
 * A wait returns it within a tenth of a second, or a little more. A call that does not wait (push,
 * pop, claim, peek, and a wait with a time-out of 0) asks the kernel which peers are alive only if
 * its side has found the queue empty or full for 50 ms. Otherwise a program that polls makes no
 * system call. A batch returns no status: the next call that has one returns it. A descriptor
 * (quoit_queue_poll_fd) becomes readable for it, and stays so until a call has returned it.
 */
#ifndef QUOIT_STATUS_H
#define QUOIT_STATUS_H

/* X(name, number, sentence) */
#define QUOIT_STATUS_TABLE(X)                                                                  \
    X(QUOIT_OK, 0, "success")                                                                  \
    X(QUOIT_FULL, 1, "the queue is full")                                                      \
    X(QUOIT_EMPTY, 2, "the queue is empty")                                                    \
    X(QUOIT_TIMEOUT, 3, "the time ran out")                                                    \
    X(QUOIT_CLOSED, 4, "the stream has ended: a producer finished it")                         \
    X(QUOIT_ABANDONED, 5, "the other side is gone, and did not finish the stream")             \
    X(QUOIT_EXHAUSTED, 6, "no block of the pool is free")                                      \
    X(QUOIT_INVALID, -1, "an argument is not valid")                                           \
    X(QUOIT_NAME_EMPTY, -2, "the name is empty")                                               \
    X(QUOIT_NAME_TOO_LONG, -3, "the name is too long")                                         \
    X(QUOIT_NAME_CHARACTER, -4, "the name holds a character that is not allowed there")        \
    X(QUOIT_SCHEME, -5, "the name's scheme is not known")                                      \
    X(QUOIT_UNSUPPORTED, -6, "this system or this kind of object does not offer that")         \
    X(QUOIT_CAPACITY, -7, "the capacity is 0")                                                 \
    X(QUOIT_ITEM_SIZE, -8, "the item size is 0")                                               \
    X(QUOIT_OVERFLOW, -9, "a size or a count is larger than can be represented")               \
    X(QUOIT_EXISTS, -10, "an object of that name exists already")                              \
    X(QUOIT_NOT_FOUND, -11, "no object of that name exists")                                   \
    X(QUOIT_PERMISSION, -12, "the system does not permit it")                                  \
    X(QUOIT_OWNER, -13, "the object belongs to another user")                                  \
    X(QUOIT_NOSPACE, -14, "there is not enough space")                                         \
    X(QUOIT_LIMIT, -15, "a limit on the number of objects, descriptors or members is reached") \
    X(QUOIT_NO_MEMORY, -16, "this process is out of memory")                                   \
    X(QUOIT_NOT_QUOIT, -17, "what stands under that name was not made by Quoit")               \
    X(QUOIT_VERSION, -18, "the format, or the header compiled against, is of another version") \
    X(QUOIT_MISMATCH, -19, "the object's properties differ from those asked for")              \
    X(QUOIT_COLLISION, -20, "the System V key of that name is taken by another name")          \
    X(QUOIT_CORRUPT, -21, "the shared memory holds values that cannot be right")               \
    X(QUOIT_BUSY, -22, "a living process holds it")                                            \
    X(QUOIT_ROLE, -23, "the handle was not opened in the role that this needs")                \
    X(QUOIT_FORKED, -24, "the handle belongs to the parent process: open one in the child")    \
    X(QUOIT_SYSTEM, -25, "the operating system reported an unexpected error")                  \
    X(QUOIT_STALE, -26, "the handle leads to no block that is this member's")                  \
    X(QUOIT_TOO_BIG, -27, "the message is larger than what it is to go into")

#define QUOIT_STATUS_ENUMERATOR(name, number, sentence) name = (number),
typedef enum quoit_status { QUOIT_STATUS_TABLE(QUOIT_STATUS_ENUMERATOR) } quoit_status;
#undef QUOIT_STATUS_ENUMERATOR

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

/* The code's name, "QUOIT_FULL"; "QUOIT_?" for a number that is no code. Never NULL. Any thread. */
const char *quoit_status_name(quoit_status status);

/* The code's meaning, one sentence without a full stop. Never NULL. Any thread. */
const char *quoit_status_text(quoit_status status);

/*
 * The calling thread's latest failure (a negative status) as a sentence that names the object, the
 * value and what would be right: "queue 'products': capacity is 5 there, 9 was asked for". ""
 * before the first. Valid until the thread's next failing call. Success and normal states leave it
 * as it is.
 */
const char *quoit_error_text(void);

#ifdef __cplusplus
}
#endif
#endif
