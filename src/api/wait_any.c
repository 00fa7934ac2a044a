/* SPDX-License-Identifier: MIT */
/*
 * One wait on many sides, of any queues. It takes the steps of a wait on one side (queue_wait.c):
 * poll, spin, announce the sleep, poll again, sleep. It takes each step on all sides before the
 * next step. It takes nothing from a queue, and uses up nothing that the next call reports.
 *
 * A spin loads only the mark of each side's next slot (mark.h), and polls the sides whose marks
 * show something. The call does little before the spin, and after it nothing for the other sides.
 *
 * The thread sleeps on the first SIDES_MOST sides itself. The others get pollers (poller.h), which
 * stay: other threads sleep on these sides, and change a word that this thread also sleeps on. If
 * the system cannot sleep on several words, or no poller can be made, a sleep lasts for at most a
 * millisecond.
 */
#include "poller.h"

#include "noinline.h"
#include "relax.h"

enum {
    SIDES_MOST = QUOIT_OS_WORDS_MOST - 1,
    MARKS_MOST = 512,
    ROUNDS_PER_POLL = 64,
    SIDES_PER_CLOCK = 16, /* a reading of the clock costs about as much as some polls */
    NS_PER_CHECK = 50,    /* of a wait on one side, about: a poll and a pause */
    MARKS_PER_POLL = 32,  /* that are checked in the time of a poll */
    EVENTS = QUOIT_ITEMS | QUOIT_ROOM
};
static const int64_t slice_of_many_ns = 1000000;
static const uint64_t check_ns = 50000000;

/* ---- The sides of an array ------------------------------------------------------------------- */

/* One side of one queue. */
struct side {
    struct quoit_wait *wait;
    uint32_t event;
    quoit_queue *queue; /* the one that is used: queue_threads.h */
    struct quoit_waiter *waiter;
};

static inline unsigned role_of(uint32_t event)
{
    return event == QUOIT_ITEMS ? QUOIT_CONSUMER : QUOIT_PRODUCER;
}

static inline struct side side_of(struct quoit_wait *wait, uint32_t event)
{
    quoit_queue *queue = QUOIT_NOTES_THREADS ? wait->queue->handle->queue : wait->queue;
    return (struct side){.wait = wait,
                         .event = event,
                         .queue = queue,
                         .waiter = event == QUOIT_ITEMS ? &queue->handle->consumer_waiter
                                                        : &queue->handle->producer_waiter};
}

/* All sides of an array, to go through them. */
struct sides {
    struct quoit_wait *next, *end;
    uint32_t events; /* of the next wait that are left; 0: all */
    struct side at;
};

/* Goes to the next side, `at`; false: there is none. */
static inline bool next_side(struct sides *all)
{
    if (all->next == all->end)
        return false;
    uint32_t left = all->events ? all->events : all->next->events;
    uint32_t event = left & QUOIT_ITEMS ? QUOIT_ITEMS : QUOIT_ROOM;
    const struct side side = side_of(all->next, event); /* an analyser loses a whole copy */
    all->at.wait = side.wait;
    all->at.event = side.event;
    all->at.queue = side.queue;
    all->at.waiter = side.waiter;
    all->events = left & ~event;
    all->next += all->events == 0;
    return true;
}

static void pause_all(struct sides all)
{
    while (QUOIT_NOTES_THREADS && next_side(&all))
        quoit_threads_pause(all.at.queue, all.at.waiter->role);
}

static void resume_all(struct sides all)
{
    while (QUOIT_NOTES_THREADS && next_side(&all))
        quoit_threads_resume(all.at.queue, all.at.waiter->role);
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

/* The same without calls. */
static inline bool is_right(const struct quoit_wait *wait)
{
    uint32_t roles = (wait->events & QUOIT_ITEMS ? QUOIT_CONSUMER : 0u) |
                     (wait->events & QUOIT_ROOM ? QUOIT_PRODUCER : 0u);
    return wait->queue && !wait->queue->handle->forked && roles != 0 &&
           !(wait->events & ~(uint32_t)EVENTS) && (wait->queue->handle->roles & roles) == roles;
}

/* ---- Polling --------------------------------------------------------------------------------- */

/* spins: another poll follows, so leave out what crashed peers have left. */
static bool finds_something(const struct side *side, bool spins)
{
    const struct quoit_waiter *waiter = side->waiter;
    const bool pops = side->event == QUOIT_ITEMS;
    *waiter->spinning = spins;
    quoit_status status = quoit_poll_side(side->queue, waiter->role);
    *waiter->spinning = false;
    if (pops && !spins)
        quoit_queue_note_freed(side->queue);
    return status != (pops ? QUOIT_EMPTY : QUOIT_FULL) ||
           (!pops && side->queue->handle->has_finished);
}

/* Sets `ready` of the side's wait if the side is ready, and returns whether it is. Also finds a
   stream that has ended without its mark. asks: checks whether the peers have left; otherwise only
   if the side was woken, or that is noticed already. */
static QUOIT_NOINLINE bool poll_side(struct quoit_wait *wait, uint32_t event, bool asks)
{
    const struct side side = side_of(wait, event);
    bool is_ready = finds_something(&side, false);
    if (!is_ready && quoit_queue_can_end(side.queue)) {
        quoit_queue_end_stream(side.queue);
        is_ready = finds_something(&side, false);
    }
    if (!is_ready)
        is_ready = quoit_peer_notice(side.queue, side.waiter, asks);
    side.waiter->was_woken = false;
    if (is_ready)
        wait->ready |= event;
    return is_ready;
}

/* true: poll_side would do nothing, unless the side was woken, or it is to ask. */
static inline bool is_idle(struct side side, struct quoit_mark mark)
{
    return quoit_queue_is_idle(side.queue, role_of(side.event), mark) &&
           !quoit_is_noticed(side.waiter) &&
           (side.event == QUOIT_ITEMS || !side.queue->handle->has_finished);
}

/* true: one of them is ready. */
static bool poll_all(struct sides all, bool asks)
{
    bool found = false;
    while (next_side(&all)) {
        const struct quoit_mark mark = quoit_queue_mark(all.at.queue, role_of(all.at.event));
        if (asks || all.at.waiter->was_woken || !is_idle(all.at, mark))
            found = poll_side(all.at.wait, all.at.event, asks) || found;
    }
    return found;
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

/* The first poll of a call notes these: the mark of each side, for a spin. */
struct mark {
    struct quoit_mark slot;
    struct quoit_wait *wait;
    uint32_t event;
};
struct notes {
    bool is_found; /* a side is ready */
    bool is_interrupted;
    bool has_descriptor;
    size_t count; /* of sides; beyond MARKS_MOST their marks are not here */
    struct mark marks[MARKS_MOST];
};

/* The first poll of a side. Inlined for each event. */
static inline void poll_first(struct quoit_wait *wait, uint32_t event, struct notes *notes)
{
    const struct side side = side_of(wait, event);
    quoit_threads_resume(side.queue, side.waiter->role);
    const struct quoit_mark mark = quoit_queue_mark(side.queue, role_of(event));
    if (notes->count < MARKS_MOST)
        notes->marks[notes->count] = (struct mark){mark, wait, event};
    notes->count++;
    if (quoit_is_interrupted(side.waiter))
        notes->is_interrupted = true;
    if (side.waiter->poller && quoit_poller_has(side.waiter->poller, QUOIT_SETS_DESCRIPTOR))
        notes->has_descriptor = true;
    if (!is_idle(side, mark) && poll_side(wait, event, false))
        notes->is_found = true;
}

/* Checks the waits, and polls each. Returns how many are right, up to the first wrong one. */
static size_t begin(struct quoit_wait *waits, size_t count, struct notes *notes)
{
    for (size_t i = 0; i < count; i++) {
        waits[i].ready = 0;
        if (!is_right(&waits[i]))
            return i;
        if (waits[i].events & QUOIT_ITEMS)
            poll_first(&waits[i], QUOIT_ITEMS, notes);
        if (waits[i].events & QUOIT_ROOM)
            poll_first(&waits[i], QUOIT_ROOM, notes);
    }
    return count;
}

/* Those before number `wrong` were polled. Makes `ready` 0 in all. */
static quoit_status fail_wrong(struct quoit_wait *waits, size_t count, size_t wrong)
{
    pause_all((struct sides){.next = waits, .end = waits + wrong});
    for (size_t i = 0; i < count; i++)
        waits[i].ready = 0;
    return check_wait(&waits[wrong]);
}

static struct quoit_waiter *first_of(const struct notes *notes)
{
    return side_of(notes->marks[0].wait, notes->marks[0].event).waiter;
}

/* Called before a sleep, and at the end: a descriptor stops being readable while its side has
   nothing to do. target: of the pollers that are armed: before a sleep those of waits as well. A
   thread is woken once for all its pollers. */
static void arm_pollers(struct sides all, uint32_t targets)
{
    struct quoit_poll_thread *changed = NULL;
    while (next_side(&all)) {
        if (!all.at.waiter->poller || all.at.wait->ready & all.at.event)
            continue;
        struct quoit_poll_thread *thread = quoit_poller_arm(all.at.waiter->poller, targets);
        if (thread && changed && thread != changed)
            quoit_poll_thread_wake(changed);
        changed = thread ? thread : changed;
    }
    if (changed)
        quoit_poll_thread_wake(changed);
}

static bool take_interrupts(struct sides all)
{
    bool taken = false;
    while (next_side(&all))
        taken = (quoit_is_interrupted(all.at.waiter) && quoit_take_interrupt(all.at.waiter)) ||
                taken;
    return taken;
}

/* ---- Spinning -------------------------------------------------------------------------------- */

/* A poll in a spin. It does not find peers that have left. */
static bool spin_once(struct mark *mark)
{
    const struct side side = side_of(mark->wait, mark->event);
    if (quoit_queue_shows_item(side.queue, role_of(mark->event), mark->slot) ||
        finds_something(&side, true)) {
        side.wait->ready |= side.event;
        return true;
    }
    mark->slot = quoit_queue_mark(side.queue,
                                  role_of(mark->event)); /* an MPMC side may have moved */
    return false;
}

/* Polls the sides whose marks show something, those that have none, or all. true: one is ready. */
static bool check_marks(struct notes *notes, bool polls_all)
{
    bool found = false;
    for (size_t i = 0; i < notes->count; i++) {
        struct mark *mark = &notes->marks[i];
        const bool pops = mark->event == QUOIT_ITEMS;
        if (polls_all || !mark->slot.word || quoit_mark_is_empty(mark->slot) != pops)
            found = spin_once(mark) || found;
    }
    return found;
}

static bool is_any_interrupted(struct sides all)
{
    while (next_side(&all))
        if (quoit_is_interrupted(all.at.waiter))
            return true;
    return false;
}

/* The length of a spin, in checks of a wait on one side. A round over many sides takes longer than
   such a check, so the clock counts as well. */
struct spin_length {
    uint32_t checks;
    size_t sides;   /* polled since the clock was read */
    uint64_t start; /* when it was read first */
};

static void count_round(struct spin_length *length, size_t marks, size_t polls)
{
    length->checks++;
    length->sides += 1 + marks / MARKS_PER_POLL + polls;
    if (length->sides < SIDES_PER_CLOCK)
        return;
    uint64_t now = quoit_os_monotonic_ns();
    length->start = length->start == 0 ? now : length->start;
    uint64_t passed = (now - length->start) / NS_PER_CHECK;
    length->sides = 0;
    if (passed > length->checks)
        length->checks = passed < UINT32_MAX / 8 ? (uint32_t)passed : UINT32_MAX / 8;
}

/* As many rounds as the first side's spin would have, but not for longer than that would take.
   true: a side is ready. */
static bool spin(struct sides all, struct notes *notes)
{
    struct spin_length length = {.checks = 0};
    struct quoit_waiter *first = first_of(notes);
    uint32_t most = quoit_spin_checks(first);
    bool found = false;
    for (uint32_t i = 1; length.checks < most && !found; i++) { /* all were polled just before */
        bool polls = notes->count > MARKS_MOST || i % ROUNDS_PER_POLL == 0;
        found = notes->count > MARKS_MOST ? poll_all(all, false) : check_marks(notes, polls);
        if (!found && polls && is_any_interrupted(all))
            break;
        if (!found)
            quoit_relax();
        count_round(&length, notes->count, polls ? notes->count : 0);
    }
    if (found)
        quoit_spin_found(first, length.checks - 1);
    else
        quoit_spin_failed(first, notes->count);
    return found;
}

/* ---- Sleeping -------------------------------------------------------------------------------- */

/* Threads can be cancelled here; they use no side then. */
static void cancel_point(struct sides all)
{
    pause_all(all);
    quoit_os_cancel_point();
    resume_all(all);
}

/* Returns the sides behind the first SIDES_MOST. */
static struct sides others_of(struct sides all)
{
    for (uint32_t i = 0; i < SIDES_MOST && next_side(&all); i++)
        ;
    return all;
}

static bool have_pollers(struct sides others)
{
    while (next_side(&others))
        if (!others.at.waiter->poller ||
            !quoit_poller_has(others.at.waiter->poller, QUOIT_WAKES_WAIT))
            return false;
    return true;
}

/* Gives the other sides pollers, at their first wait. false: one has none. */
static bool watch_others(struct sides others)
{
    if (!quoit_os_can_sleep_any())
        return false;
    if (have_pollers(others))
        return true;
    quoit_status status = QUOIT_OK;
    quoit_os_fork_hold();
    while (status == QUOIT_OK && next_side(&others))
        status = quoit_poller_add(others.at.queue, others.at.waiter, QUOIT_WAKES_WAIT);
    quoit_os_fork_release();
    return status == QUOIT_OK;
}

/* words: the first `known` of them are set already. */
static void sleep_on_first(struct sides all, struct quoit_os_word *words, uint32_t known,
                           int64_t timeout_ns)
{
    struct quoit_sleep sleeps[SIDES_MOST];
    uint32_t count = 0;
    while (count < SIDES_MOST && next_side(&all))
        sleeps[count++] = (struct quoit_sleep){.queue = all.at.queue, .waiter = all.at.waiter};
    quoit_sleep_unless_any(sleeps, count, words, known, quoit_is_ready_or_interrupted, timeout_ns);
    for (uint32_t i = 0; i < count; i++)
        sleeps[i].waiter->was_woken = quoit_was_woken(&sleeps[i]);
}

/* Sleeps once. */
static void sleep_on_all(struct sides all, const struct notes *notes, int64_t timeout_ns)
{
    struct quoit_os_word words[QUOIT_OS_WORDS_MOST];
    const bool has_others = notes->count > SIDES_MOST;
    const bool are_watched = has_others && watch_others(others_of(all));
    if (has_others && !are_watched && timeout_ns > slice_of_many_ns)
        timeout_ns = slice_of_many_ns;
    words[0] = quoit_poller_notices(); /* before the pollers are armed */
    if (are_watched || notes->has_descriptor)
        arm_pollers(all, QUOIT_WAKES_WAIT | QUOIT_SETS_DESCRIPTOR);
    sleep_on_first(all, words, are_watched, timeout_ns);
}

static quoit_status sleep_until_ready(struct sides all, const struct notes *notes,
                                      int64_t timeout_ns)
{
    struct quoit_waiter *first = first_of(notes);
    uint64_t start = quoit_os_monotonic_ns();
    int64_t left = timeout_ns;
    for (;;) {
        sleep_on_all(all, notes, left);
        cancel_point(all); /* it holds no item; as after a kill, sleepers may stay odd */
        if (poll_all(all, is_check_due(first))) {
            quoit_spin_slept(first, quoit_os_monotonic_ns() - start);
            return QUOIT_OK;
        }
        if (take_interrupts(all))
            return QUOIT_INTERRUPTED;
        if (timeout_ns != QUOIT_FOREVER)
            left = timeout_ns - (int64_t)(quoit_os_monotonic_ns() - start);
        if (left <= 0)
            return QUOIT_TIMEOUT;
    }
}

static quoit_status wait_on(struct sides all, int64_t timeout_ns, struct notes *notes)
{
    if ((is_check_due(first_of(notes)) && poll_all(all, true)) || notes->is_found)
        return QUOIT_OK;
    if (timeout_ns <= 0)
        return QUOIT_TIMEOUT;
    cancel_point(all);
    if (notes->is_interrupted && take_interrupts(all))
        return QUOIT_INTERRUPTED;
    if (spin(all, notes))
        return QUOIT_OK;
    quoit_status status = sleep_until_ready(all, notes, timeout_ns);
    while (next_side(&all))
        quoit_sleep_end(all.at.waiter);
    return status;
}

quoit_status quoit_wait_any(struct quoit_wait *waits, size_t count, int64_t timeout_ns)
{
    struct notes notes; /* its marks are set as they are counted */
    notes.is_found = notes.is_interrupted = notes.has_descriptor = false;
    notes.count = 0;
    if (!waits || count == 0)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "waits is %s, and count is %zu; pass at least one queue",
                          waits ? "an array" : "NULL", count);
    const size_t right = begin(waits, count, &notes);
    if (right < count)
        return fail_wrong(waits, count, right);
    const struct sides all = {.next = waits, .end = waits + count};
    quoit_status status = wait_on(all, timeout_ns, &notes);
    if (notes.has_descriptor)
        arm_pollers(all, QUOIT_SETS_DESCRIPTOR);
    pause_all(all);
    return status;
}
