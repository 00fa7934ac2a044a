/* SPDX-License-Identifier: MIT */
/*
 * Two subscribers of a broadcast begin to wait on a queue (src/api/queue_wait.c) while an item is
 * published. At the end no subscriber may both lack the item and be blocked on a word that has not
 * changed. The ring is one word. The waker executes the barrier that a sleeper imposes: the sleeper
 * requests it, and continues when it is done. The waker may execute it between any two steps.
 */
#include "genmc_posix.h"

void __VERIFIER_assume(bool condition);

#include "queue_wait.c"

enum { SLEEPERS = 2 };

static struct quoit_queue_handle handles[SLEEPERS + 1];
static struct quoit_region region;
static struct quoit_member_shm entries[SLEEPERS + 1];
static quoit_queue queues[SLEEPERS + 1];
static quoit_atomic_u32 wake_needed, sleepers, published;
static quoit_atomic_u32 asked[SLEEPERS], done[SLEEPERS];
static quoit_atomic_u32 taken[SLEEPERS];
static unsigned sleeps[SLEEPERS]; /* the value that each sleeper waits on, or 0 */
static _Thread_local unsigned self;

/* ---- The system ------------------------------------------------------------------------------ */

bool quoit_os_barrier_join(void)
{
    return true;
}

bool quoit_os_barrier_impose(void)
{
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store_explicit(&asked[self], 1, memory_order_relaxed);
    __VERIFIER_assume(atomic_load_explicit(&done[self], memory_order_relaxed) != 0);
    atomic_thread_fence(memory_order_seq_cst);
    return true;
}

static void interrupt(void)
{
    for (unsigned i = 0; i < SLEEPERS; i++)
        if (atomic_load_explicit(&asked[i], memory_order_relaxed)) {
            atomic_thread_fence(memory_order_seq_cst);
            atomic_store_explicit(&done[i], 1, memory_order_relaxed);
        }
}

void quoit_os_sleep(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                    uint32_t value, int64_t timeout_ns)
{
    (void)shm;
    (void)number;
    (void)word;
    (void)timeout_ns;
    sleeps[self] = value;
}

void quoit_os_wake(const struct quoit_os_shm *shm, uint32_t number, const _Atomic uint32_t *word,
                   uint32_t value)
{
    (void)shm;
    (void)number;
    (void)word;
    (void)value;
}

void quoit_os_sleep_any(const struct quoit_os_word *words, uint32_t count, int64_t timeout_ns)
{
    (void)words;
    (void)count;
    (void)timeout_ns;
}

uint64_t quoit_os_monotonic_ns(void)
{
    return 0;
}

bool quoit_members_has(const struct quoit_members *members, unsigned role)
{
    (void)members;
    (void)role;
    return true;
}

void quoit_poller_end(struct quoit_poller *poller, bool forked)
{
    (void)poller;
    (void)forked;
}

/* ---- The threads ----------------------------------------------------------------------------- */

static bool has_item(quoit_queue *queue, unsigned role)
{
    (void)queue;
    (void)role;
    unsigned position = atomic_load_explicit(&taken[self], memory_order_acquire);
    return atomic_load_explicit(&published, memory_order_acquire) > position;
}

static void take(unsigned number)
{
    atomic_store_explicit(&taken[number], 1, memory_order_release);
}

static void begin(unsigned number)
{
    struct quoit_queue_handle *handle = &handles[number];
    handle->region = &region;
    queues[number].handle = handle;
    handle->consumer_waiter.role = QUOIT_CONSUMER;
    handle->consumer_waiter.wake_needed = &wake_needed;
    handle->consumer_waiter.sleepers = &sleepers;
    handle->consumer_waiter.is_shared = true;
    handle->view.members.entries = entries;
    handle->view.members.own_entry = number;
}

static void wait_once(unsigned number)
{
    self = number;
#ifdef TAKER
    if (number == 0)
        handles[0].consumer_waiter.poller = (struct quoit_poller *)&handles[0];
#endif
    bool is_own = !handles[number].consumer_waiter.poller;
    if (is_own && has_item(&queues[number], QUOIT_CONSUMER))
        take(number);
    quoit_sleep_unless(&queues[number], &handles[number].consumer_waiter, has_item, INT64_MAX);
}

static void *first(void *unused)
{
    wait_once(0);
    return unused;
}

static void *second(void *unused)
{
    wait_once(1);
    return unused;
}

/* TAKER: the first sleeper is the thread of a descriptor, and this is the subscriber's own
   thread. */
static void *own(void *unused)
{
    if (atomic_load_explicit(&published, memory_order_acquire) > 0)
        take(0);
    return unused;
}

static void *wake(void *unused)
{
    interrupt();
    atomic_store_explicit(&published, 1, memory_order_release);
    interrupt();
    if (atomic_load_explicit(&wake_needed, memory_order_relaxed) != 0)
        quoit_wake(&queues[SLEEPERS], &handles[SLEEPERS].consumer_waiter);
    interrupt();
    return unused;
}

int main(void)
{
    pthread_t threads[SLEEPERS + 2];
    for (unsigned i = 0; i <= SLEEPERS; i++)
        begin(i);
    if (pthread_create(&threads[0], NULL, first, NULL) != 0 ||
        pthread_create(&threads[1], NULL, second, NULL) != 0 ||
        pthread_create(&threads[2], NULL, wake, NULL) != 0)
        abort();
#ifdef TAKER
    if (pthread_create(&threads[3], NULL, own, NULL) != 0)
        abort();
    (void)pthread_join(threads[3], NULL);
#endif
    for (int i = 0; i <= SLEEPERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < SLEEPERS; i++)
        assert(taken[i] == 1 || sleeps[i] == 0 ||
               sleeps[i] != atomic_load_explicit(&sleepers, memory_order_relaxed));
    return 0;
}
