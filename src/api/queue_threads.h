/* SPDX-License-Identifier: MIT */
/*
 * Finds two threads that use one side of a queue's handle at the same time, in builds with
 * QUOIT_CHECK_THREADS (CMake's build type Debug). Such calls silently lose items, or hang.
 *
 * A program then gets the address of a second struct quoit_queue behind the one that is used. The
 * sides in it are disabled, so every inlined call takes its slow path, and each call that uses a
 * side goes through queue_threads.c, which notes the thread. The macros below rename the functions
 * in the other files of this folder: their names begin with quoit_unchecked_.
 *
 * Without QUOIT_CHECK_THREADS this header changes nothing, and no call has an extra instruction.
 */
#ifndef QUOIT_API_QUEUE_THREADS_H
#define QUOIT_API_QUEUE_THREADS_H

#include <quoit.h>
#include <quoit/typed.h>

#ifdef QUOIT_CHECK_THREADS

/* Each call that uses a side: which side, its name, parameters and arguments. A new call that uses
   a side belongs here, and below. */
/* clang-format off */
#define QUOIT_PUSH_CALLS(CALL) \
    CALL(queue_push, (quoit_queue *queue, const void *data, size_t bytes, int64_t timeout_ns), \
         (used, data, bytes, timeout_ns)) \
    CALL(queue_push_slow, \
         (quoit_queue *queue, const void *data, size_t bytes, int64_t timeout_ns), \
         (used, data, bytes, timeout_ns)) \
    CALL(queue_push_many, \
         (quoit_queue *queue, const void *items, size_t item_bytes, size_t count, \
          size_t *count_out, int64_t timeout_ns), \
         (used, items, item_bytes, count, count_out, timeout_ns)) \
    CALL(queue_push_rest, \
         (quoit_queue *queue, const void *items, size_t item_bytes, size_t count, size_t pushed, \
          size_t *count_out, int64_t timeout_ns), \
         (used, items, item_bytes, count, pushed, count_out, timeout_ns)) \
    CALL(queue_claim, (quoit_queue *queue, size_t bytes, void **room_out, int64_t timeout_ns), \
         (used, bytes, room_out, timeout_ns)) \
    CALL(queue_claim_many, \
         (quoit_queue *queue, size_t wanted, void **items_out, size_t *count_out, \
          int64_t timeout_ns), \
         (used, wanted, items_out, count_out, timeout_ns)) \
    CALL(queue_commit, (quoit_queue *queue, size_t bytes), (used, bytes)) \
    CALL(queue_commit_many, (quoit_queue *queue, size_t count), (used, count)) \
    CALL(queue_discard, (quoit_queue *queue), (used)) \
    CALL(queue_finish, (quoit_queue *queue), (used)) \
    CALL(pool_push, \
         (quoit_pool *pool, quoit_queue *queue, quoit_block block, int64_t timeout_ns), \
         (pool, used, block, timeout_ns))

#define QUOIT_POP_CALLS(CALL) \
    CALL(queue_pop, \
         (quoit_queue *queue, void *buffer, size_t room_bytes, size_t *bytes_out, \
          int64_t timeout_ns), \
         (used, buffer, room_bytes, bytes_out, timeout_ns)) \
    CALL(queue_pop_slow, \
         (quoit_queue *queue, void *buffer, size_t room_bytes, size_t *bytes_out, \
          int64_t timeout_ns), \
         (used, buffer, room_bytes, bytes_out, timeout_ns)) \
    CALL(queue_pop_many, \
         (quoit_queue *queue, void *items, size_t item_bytes, size_t count, size_t *count_out, \
          int64_t timeout_ns), \
         (used, items, item_bytes, count, count_out, timeout_ns)) \
    CALL(queue_pop_rest, \
         (quoit_queue *queue, void *items, size_t item_bytes, size_t count, size_t popped, \
          size_t *count_out, int64_t timeout_ns), \
         (used, items, item_bytes, count, popped, count_out, timeout_ns)) \
    CALL(queue_peek, \
         (quoit_queue *queue, const void **data_out, size_t *bytes_out, int64_t timeout_ns), \
         (used, data_out, bytes_out, timeout_ns)) \
    CALL(queue_peek_many, \
         (quoit_queue *queue, const void **items_out, size_t *count_out, int64_t timeout_ns), \
         (used, items_out, count_out, timeout_ns)) \
    CALL(queue_release, (quoit_queue *queue), (used)) \
    CALL(queue_release_many, (quoit_queue *queue, size_t count), (used, count)) \
    CALL(queue_position, (quoit_queue *queue, uint64_t *position_out), (used, position_out)) \
    CALL(pool_pop, \
         (quoit_pool *pool, quoit_queue *queue, quoit_block *block_out, int64_t timeout_ns), \
         (pool, used, block_out, timeout_ns))

#define QUOIT_DECLARE_UNCHECKED(name, parameters, arguments) \
    quoit_status quoit_unchecked_##name parameters;
QUOIT_PUSH_CALLS(QUOIT_DECLARE_UNCHECKED)
QUOIT_POP_CALLS(QUOIT_DECLARE_UNCHECKED)
#undef QUOIT_DECLARE_UNCHECKED
/* clang-format on */
quoit_status quoit_unchecked_queue_poll_fd(quoit_queue *queue, uint32_t events, int *fd_out);
uint64_t quoit_unchecked_queue_missed(const quoit_queue *queue);
void quoit_unchecked_queue_close(quoit_queue *queue);

#ifndef QUOIT_KEEPS_NAMES /* queue_threads.c defines both */
#define quoit_queue_push         quoit_unchecked_queue_push
#define quoit_queue_push_slow    quoit_unchecked_queue_push_slow
#define quoit_queue_push_many    quoit_unchecked_queue_push_many
#define quoit_queue_push_rest    quoit_unchecked_queue_push_rest
#define quoit_queue_claim        quoit_unchecked_queue_claim
#define quoit_queue_claim_many   quoit_unchecked_queue_claim_many
#define quoit_queue_commit       quoit_unchecked_queue_commit
#define quoit_queue_commit_many  quoit_unchecked_queue_commit_many
#define quoit_queue_discard      quoit_unchecked_queue_discard
#define quoit_queue_finish       quoit_unchecked_queue_finish
#define quoit_queue_pop          quoit_unchecked_queue_pop
#define quoit_queue_pop_slow     quoit_unchecked_queue_pop_slow
#define quoit_queue_pop_many     quoit_unchecked_queue_pop_many
#define quoit_queue_pop_rest     quoit_unchecked_queue_pop_rest
#define quoit_queue_peek         quoit_unchecked_queue_peek
#define quoit_queue_peek_many    quoit_unchecked_queue_peek_many
#define quoit_queue_release      quoit_unchecked_queue_release
#define quoit_queue_release_many quoit_unchecked_queue_release_many
#define quoit_queue_position     quoit_unchecked_queue_position
#define quoit_pool_push          quoit_unchecked_pool_push
#define quoit_pool_pop           quoit_unchecked_pool_pop
#define quoit_queue_poll_fd      quoit_unchecked_queue_poll_fd
#define quoit_queue_missed       quoit_unchecked_queue_missed
#define quoit_queue_close        quoit_unchecked_queue_close
#endif

/* The struct whose address the program gets. */
struct quoit_shown_queue {
    quoit_queue queue;
    quoit_atomic_u64 users[2]; /* of the producer's and the consumer's side: a thread, 0: none */
};
enum {
    QUOIT_SHOWN_AT = (sizeof(quoit_queue) + 63) / 64 * 64, /* behind the queue that is used */
    QUOIT_QUEUE_ROOM = QUOIT_SHOWN_AT + sizeof(struct quoit_shown_queue),
    QUOIT_NOTES_THREADS = 1
};

/* Prepares the second struct behind this queue, whose sides are attached, and returns it. */
quoit_queue *quoit_threads_show(quoit_queue *queue);

/* Called in a call on that side, around a point at which the thread can be cancelled: a cancelled
   thread does not use the side any more. */
void quoit_threads_pause(quoit_queue *queue, uint32_t role);
void quoit_threads_resume(quoit_queue *queue, uint32_t role);

#else

enum { QUOIT_QUEUE_ROOM = sizeof(quoit_queue), QUOIT_NOTES_THREADS = 0 };

static inline quoit_queue *quoit_threads_show(quoit_queue *queue)
{
    return queue;
}

static inline void quoit_threads_pause(quoit_queue *queue, uint32_t role)
{
    (void)queue;
    (void)role;
}

static inline void quoit_threads_resume(quoit_queue *queue, uint32_t role)
{
    (void)queue;
    (void)role;
}

#endif
#endif
