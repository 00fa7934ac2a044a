/* SPDX-License-Identifier: MIT */
/*
 * One wait on many sides, of any queues. It takes the steps of a wait on one side (queue_wait.c):
 * poll, spin, announce the sleep, poll again, sleep. It takes each step on all sides before the
 * next step. It takes nothing from a queue, and uses up nothing that the next call reports.
 *
 * The thread sleeps on the first SIDES_MOST sides itself. The others get pollers (poller.h), which
 * stay: other threads sleep on these sides, and change a word that this thread also sleeps on. If
 * the system cannot sleep on several words, or no poller can be made, a sleep lasts for at most a
 * millisecond.
 */
#include "poller.h"

#include "relax.h"

enum {
    SIDES_MOST = QUOIT_OS_WORDS_MOST - 1,
    SEATS_MOST = 512,
    ROUNDS_PER_POLL = 16,
    SIDES_PER_CLOCK = 16, /* a reading of the clock costs about as much as some polls */
    NS_PER_CHECK = 50,    /* of a wait on one side, about: a poll and a pause */
    EVENTS = QUOIT_ITEMS | QUOIT_ROOM
};
static const int64_t slice_of_many_ns = 1000000;
static const uint64_t check_ns = 50000000;

/* ---- The sides of an array ------------------------------------------------------------------- */

/* A side as the steps use it. */
struct seat {
    struct quoit_wait *wait;
    quoit_queue *queue; /* the one that is used: queue_threads.h */
    struct quoit_waiter *waiter;
    uint32_t event;
};

/* A side of an array, with which to go through all of them. */
struct side {
    struct quoit_wait *waits; /* the array, of `count` */
    size_t count;
    const struct seat *seats; /* NULL: too many for a table on the stack */
    size_t seat_count;
    size_t next; /* the next seat; without seats two for each wait: its items and its room */
    struct quoit_wait *wait;
    uint32_t event;
    quoit_queue *queue;
    struct quoit_waiter *waiter;
};

static bool find_next_side(struct side *side)
{
    while (side->next < 2 * side->count) {
        side->wait = &side->waits[side->next / 2];
        side->event = side->next % 2 == 0 ? QUOIT_ITEMS : QUOIT_ROOM;
        side->next++;
        if (!(side->wait->events & side->event))
            continue;
        side->queue = side->wait->queue->handle->queue;
        side->waiter = quoit_waiter_of(side->queue, side->event == QUOIT_ITEMS ? QUOIT_CONSUMER
                                                                               : QUOIT_PRODUCER);
        return true;
    }
    return false;
}

/* Goes to the next side; false: there is none. */
static inline bool next_side(struct side *side)
{
    if (!side->seats)
        return find_next_side(side);
    if (side->next == side->seat_count)
        return false;
    const struct seat *seat = &side->seats[side->next++];
    side->wait = seat->wait;
    side->event = seat->event;
    side->queue = seat->queue;
    side->waiter = seat->waiter;
    return true;
}

/* Each step goes through all sides, so few enough of them are looked up once. */
static struct side take_seats(struct side all, struct seat *seats)
{
    size_t count = 0;
    for (struct side side = all; find_next_side(&side); count++) {
        if (count == SEATS_MOST)
            return all;
        seats[count] = (struct seat){side.wait, side.queue, side.waiter, side.event};
    }
    all.seats = seats;
    all.seat_count = count;
    return all;
}

static struct quoit_waiter *first_waiter(struct side all)
{
    (void)next_side(&all);
    return all.waiter;
}

static quoit_status check_wait(const struct quoit_wait *wait)
{
    quoit_status status = quoit_queue_check_handle(wait->queue);
    if (status == QUOIT_OK && (wait->events == 0 || wait->events & ~(uint32_t)EVENTS))
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "events 0x%x are not valid; pass QUOIT_ITEMS, QUOIT_ROOM or both",
                          (unsigned)wait->events);
    if (status == QUOIT_OK && wait->events & QUOIT_ITEMS)
        status = quoit_queue_check_role(wait->queue, QUOIT_CONSUMER);
    if (status == QUOIT_OK && wait->events & QUOIT_ROOM)
        status = quoit_queue_check_role(wait->queue, QUOIT_PRODUCER);
    return status;
}

static quoit_status check_waits(struct quoit_wait *waits, size_t count)
{
    if (!waits || count == 0)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "waits is %s, and count is %zu; pass at least one queue",
                          waits ? "an array" : "NULL", count);
    for (size_t i = 0; i < count; i++)
        waits[i].ready = 0;
    for (size_t i = 0; i < count; i++) {
        quoit_status status = check_wait(&waits[i]);
        if (status != QUOIT_OK)
            return status;
    }
    return QUOIT_OK;
}

/* ---- Polling --------------------------------------------------------------------------------- */

static bool has_something(const struct side *side)
{
    const struct quoit_waiter *waiter = side->waiter;
    return quoit_poll_side(side->queue, waiter->role) !=
               (waiter->role == QUOIT_CONSUMER ? QUOIT_EMPTY : QUOIT_FULL) ||
           (waiter->role == QUOIT_PRODUCER && side->queue->handle->has_finished);
}

/* Is it time to check on all sides whether the peers have left? A queue that is always ready must
   not keep the call from seeing that another one was abandoned. */
static bool is_check_due(struct quoit_waiter *first)
{
    uint64_t now = quoit_os_coarse_ns();
    if (first->checked != 0 && now - first->checked < check_ns)
        return false;
    bool is_due = first->checked != 0;
    first->checked = now;
    return is_due;
}

enum depth {
    IN_A_SPIN, /* another poll follows: leaves out what crashed peers have left */
    PLAIN,
    THOROUGH /* also finds a stream that has ended without its mark, and peers that have left */
};

/* Sets `ready` of each wait. true: one of them is ready. asks: THOROUGH checks on all sides whether
   the peers have left; otherwise only on those that were woken, or noticed already. */
static bool poll_all(struct side all, enum depth depth, bool asks)
{
    bool found = false;
    for (struct side side = all; next_side(&side);) {
        *side.waiter->spinning = depth == IN_A_SPIN;
        bool is_ready = has_something(&side);
        *side.waiter->spinning = false;
        if (!is_ready && (depth == THOROUGH || quoit_is_noticed(side.waiter))) {
            quoit_queue_end_stream(side.queue);
            is_ready = has_something(&side) || quoit_peer_notice(side.queue, side.waiter, asks);
        }
        if (is_ready)
            side.wait->ready |= side.event;
        found = found || is_ready;
    }
    return found;
}

/* Called before a sleep, and at the end: polling a side of an MPMC queue may have made room, and a
   descriptor stops being readable while its side has nothing to do. target: of the pollers that are
   armed: before a sleep those of waits as well. A thread is woken once for all its pollers. */
static void note_nothing(struct side all, uint32_t targets)
{
    struct quoit_poll_thread *changed = NULL;
    while (next_side(&all)) {
        if (all.event == QUOIT_ITEMS)
            quoit_queue_note_freed(all.queue);
        if (!all.waiter->poller || all.wait->ready & all.event)
            continue;
        struct quoit_poll_thread *thread = quoit_poller_arm(all.waiter->poller, targets);
        if (thread && changed && thread != changed)
            quoit_poll_thread_wake(changed);
        changed = thread ? thread : changed;
    }
    if (changed)
        quoit_poll_thread_wake(changed);
}

static bool take_interrupts(struct side all)
{
    bool taken = false;
    while (next_side(&all))
        taken = (quoit_is_interrupted(all.waiter) && quoit_take_interrupt(all.waiter)) || taken;
    return taken;
}

/* ---- Spinning -------------------------------------------------------------------------------- */

/* The mark of a side's next slot, for a side whose fast path is enabled: while it stays the same, a
   poll finds nothing. (An exception is an item that looks like an empty slot: a poll finds it.) */
struct mark {
    quoit_atomic_u64 *word;
    uint64_t empty;
    bool waits_for_item;
};

/* Returns how many marks there are. is_every_out: each side has one. */
static uint32_t find_marks(struct side all, struct mark *marks, bool *is_every_out)
{
    uint32_t count = 0;
    *is_every_out = true;
    while (next_side(&all)) {
        struct quoit_ring_consumer *consumer = &all.queue->consumer;
        struct quoit_ring_producer *producer = &all.queue->producer;
        bool items = all.event == QUOIT_ITEMS;
        uint8_t *slot = items ? consumer->next : producer->next;
        uint8_t *disabled = items ? quoit_ring_consumer_disabled_slot(consumer)
                                  : quoit_ring_producer_disabled_slot(producer);
        if (slot == disabled || count == SIDES_MOST)
            *is_every_out = false;
        else
            marks[count++] = (struct mark){.word = quoit_spsc_word(slot),
                                           .empty = items ? consumer->empty : producer->empty,
                                           .waits_for_item = items};
    }
    return count;
}

static bool is_any_changed(const struct mark *marks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        /* Relaxed: a hint; a poll follows, which loads the word with acquire. */
        uint64_t mark = atomic_load_explicit(marks[i].word, memory_order_relaxed);
        if ((mark != marks[i].empty) == marks[i].waits_for_item)
            return true;
    }
    return false;
}

static bool is_any_interrupted(struct side all)
{
    while (next_side(&all))
        if (quoit_is_interrupted(all.waiter))
            return true;
    return false;
}

/* The length of a spin, in checks of a wait on one side. A round over many sides takes longer than
   such a check, so the clock counts as well. */
struct spin_length {
    uint32_t checks;
    size_t sides; /* polled since the clock was read */
    uint64_t start;
};

static void count_round(struct spin_length *length, size_t sides)
{
    length->checks++;
    length->sides += sides;
    if (length->sides < SIDES_PER_CLOCK)
        return;
    uint64_t passed = (quoit_os_monotonic_ns() - length->start) / NS_PER_CHECK;
    length->sides = 0;
    if (passed > length->checks)
        length->checks = passed < UINT32_MAX / 8 ? (uint32_t)passed : UINT32_MAX / 8;
}

/* As many rounds as the first side's spin would have, but not for longer than that would take.
   true: a side is ready. */
static bool spin(struct side all)
{
    struct mark marks[SIDES_MOST];
    struct spin_length length = {.start = quoit_os_monotonic_ns()};
    struct quoit_waiter *first = first_waiter(all);
    bool found = false, has_every_mark;
    uint32_t most = quoit_spin_checks(first), count = find_marks(all, marks, &has_every_mark);
    for (uint32_t i = 1; length.checks < most && !found; i++) { /* all were polled just before */
        bool polls = !has_every_mark || i % ROUNDS_PER_POLL == 0 || is_any_changed(marks, count);
        found = polls && poll_all(all, IN_A_SPIN, false);
        if (!found && polls && is_any_interrupted(all))
            break;
        count_round(&length, polls ? all.count : 1);
        quoit_relax();
    }
    if (found)
        quoit_spin_found(first, length.checks - 1);
    else
        quoit_spin_failed(first);
    return found;
}

/* ---- Sleeping -------------------------------------------------------------------------------- */

/* Threads can be cancelled here; they use no side then. */
static void cancel_point(struct side all)
{
    for (struct side side = all; next_side(&side);)
        quoit_threads_pause(side.queue, side.waiter->role);
    quoit_os_cancel_point();
    for (struct side side = all; next_side(&side);)
        quoit_threads_resume(side.queue, side.waiter->role);
}

/* Returns the sides behind the first SIDES_MOST. */
static struct side others_of(struct side all)
{
    for (uint32_t i = 0; i < SIDES_MOST && next_side(&all); i++)
        ;
    return all;
}

static bool have_pollers(struct side others)
{
    while (next_side(&others))
        if (!others.waiter->poller || !quoit_poller_has(others.waiter->poller, QUOIT_WAKES_WAIT))
            return false;
    return true;
}

/* Gives the other sides pollers, at their first wait. false: one has none. */
static bool watch_others(struct side others)
{
    if (!quoit_os_can_sleep_any())
        return false;
    if (have_pollers(others))
        return true;
    quoit_status status = QUOIT_OK;
    quoit_os_fork_hold();
    while (status == QUOIT_OK && next_side(&others))
        status = quoit_poller_add(others.queue, others.waiter, QUOIT_WAKES_WAIT);
    quoit_os_fork_release();
    return status == QUOIT_OK;
}

/* words: the first `known` of them are set already. */
static void sleep_on_first(struct side all, struct quoit_os_word *words, uint32_t known,
                           int64_t timeout_ns)
{
    struct quoit_sleep sleeps[SIDES_MOST];
    uint32_t count = 0;
    while (count < SIDES_MOST && next_side(&all))
        sleeps[count++] = (struct quoit_sleep){.queue = all.queue, .waiter = all.waiter};
    quoit_sleep_unless_any(sleeps, count, words, known, quoit_is_ready_or_interrupted, timeout_ns);
    for (uint32_t i = 0; i < count; i++)
        sleeps[i].waiter->was_woken = quoit_was_woken(&sleeps[i]);
}

/* Sleeps once. */
static void sleep_on_all(struct side all, int64_t timeout_ns)
{
    struct quoit_os_word words[QUOIT_OS_WORDS_MOST];
    struct side others = others_of(all), first_other = others;
    bool has_others = next_side(&first_other);
    bool are_watched = has_others && watch_others(others);
    if (has_others && !are_watched && timeout_ns > slice_of_many_ns)
        timeout_ns = slice_of_many_ns;
    words[0] = quoit_poller_notices(); /* before the pollers are armed */
    note_nothing(all, QUOIT_WAKES_WAIT | QUOIT_SETS_DESCRIPTOR);
    sleep_on_first(all, words, are_watched, timeout_ns);
}

static quoit_status sleep_until_ready(struct side all, int64_t timeout_ns)
{
    uint64_t start = quoit_os_monotonic_ns();
    int64_t left = timeout_ns;
    for (;;) {
        sleep_on_all(all, left);
        cancel_point(all); /* it holds no item; as after a kill, sleepers may stay odd */
        if (poll_all(all, THOROUGH, is_check_due(first_waiter(all))))
            return QUOIT_OK;
        if (take_interrupts(all))
            return QUOIT_INTERRUPTED;
        if (timeout_ns != QUOIT_FOREVER)
            left = timeout_ns - (int64_t)(quoit_os_monotonic_ns() - start);
        if (left <= 0)
            return QUOIT_TIMEOUT;
    }
}

static quoit_status wait_on(struct side all, int64_t timeout_ns)
{
    bool asks = is_check_due(first_waiter(all));
    if (poll_all(all, asks || timeout_ns <= 0 ? THOROUGH : PLAIN, asks))
        return QUOIT_OK;
    if (timeout_ns <= 0)
        return QUOIT_TIMEOUT;
    cancel_point(all);
    if (take_interrupts(all))
        return QUOIT_INTERRUPTED;
    if (spin(all) || poll_all(all, THOROUGH, false))
        return QUOIT_OK;
    quoit_status status = sleep_until_ready(all, timeout_ns);
    while (next_side(&all))
        quoit_sleep_end(all.waiter);
    return status;
}

quoit_status quoit_wait_any(struct quoit_wait *waits, size_t count, int64_t timeout_ns)
{
    quoit_status status = check_waits(waits, count);
    if (status != QUOIT_OK)
        return status;
    struct seat seats[SEATS_MOST];
    const struct side all = take_seats((struct side){.waits = waits, .count = count}, seats);
    for (struct side side = all; next_side(&side);)
        quoit_threads_resume(side.queue, side.waiter->role);
    status = wait_on(all, timeout_ns);
    note_nothing(all, QUOIT_SETS_DESCRIPTOR);
    for (struct side side = all; next_side(&side);)
        quoit_threads_pause(side.queue, side.waiter->role);
    return status;
}
