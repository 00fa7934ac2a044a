/* SPDX-License-Identifier: MIT */
/*
 * Calls that may wait. One thread at a time uses a side of a queue's handle. A call that need not
 * wait keeps the interpreter's lock, which then is enough. A wait marks the side as taken and
 * releases that lock. No Python code runs while this thread has marked a side.
 *
 * A wait on a queue is one call of the C library. quoit_queue_interrupt ends it when Python has a
 * signal to handle, which only its main thread does, and when the handle is closed. Waits on locks
 * and semaphores, which cannot be interrupted, and those of systems without signals, are sequences
 * of waits of at most slice_ns.
 */
#include "core.h"

#include "relax.h"

static const int64_t slice_ns = 10000000;
static const int64_t unwatched_ns = 2000000; /* most waits end in it: they watch no signals */
static const int64_t turn_ns = 200000;       /* for the threads that want a side, before a wait */

enum { RUN_LEAST = 4, RELAXES = 8 };

/* ---- Turns ----------------------------------------------------------------------------------- */

void core_side_freed(struct core_side *side)
{
    if (side->queued == 0 || side->gate_is_open)
        return;
    side->gate_is_open = true;
    PyThread_release_lock(side->gate);
}

void core_free_gates(struct core_handle *self)
{
    for (int i = 0; i < CORE_SIDES; i++)
        if (self->sides[i].gate)
            PyThread_free_lock(self->sides[i].gate);
}

/* 1: this thread may use the side now; 0: another thread has it; -1: an exception is set. */
static int side_is_free(struct core_side *side)
{
    if (side->owner)
        return 0;
    if (side->left_over) {
        if (side->left_over->exports > 0) {
            PyErr_SetString(PyExc_BufferError, CORE_IN_USE);
            return -1;
        }
        core_clear_left_over(side);
    }
    return side->place ? core_place_is_free(side->place) : 1;
}

/* Python handles signals in its main thread. 1: this is it; 0: it is not; -1: an exception. */
static int is_main_thread(void)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *main = threading ? PyObject_CallMethod(threading, "main_thread", NULL) : NULL;
    PyObject *ident = main ? PyObject_GetAttrString(main, "ident") : NULL;
    unsigned long number = ident ? PyLong_AsUnsignedLong(ident) : 0;
    Py_XDECREF(threading);
    Py_XDECREF(main);
    Py_XDECREF(ident);
    return PyErr_Occurred() ? -1 : number == PyThread_get_thread_ident();
}

static bool make_gate(struct core_side *side)
{
    if (side->gate)
        return true;
    side->gate = PyThread_allocate_lock();
    if (!side->gate) {
        PyErr_NoMemory();
        return false;
    }
    (void)PyThread_acquire_lock(side->gate, NOWAIT_LOCK);
    return true;
}

/* Waits until the side may be free, at most for most_ns, and handles signals. */
static int wait_at_gate(struct core_side *side, int64_t most_ns)
{
    int is_main = is_main_thread();
    if (is_main < 0 || !make_gate(side))
        return -1;
    if (is_main && most_ns > slice_ns)
        most_ns = slice_ns;
    PyThread_type_lock gate = side->gate;
    int64_t most_us = most_ns / 1000 < 1000000000 ? most_ns / 1000 + 1 : 1000000000;
    PyLockStatus locked = PY_LOCK_FAILURE;
    side->queued++;
    Py_BEGIN_ALLOW_THREADS
    locked = PyThread_acquire_lock_timed(gate, most_us, 0);
    Py_END_ALLOW_THREADS
    side->queued--;
    if (locked == PY_LOCK_ACQUIRED)
        side->gate_is_open = false;
    if (PyErr_CheckSignals() == 0)
        return 0;
    core_side_freed(side); /* another thread looks in place of this one */
    return -1;
}

/* Waits for the side. 1: it is this thread's to use; 0: the deadline has passed; -1: exception. */
static int take_turn(struct core_handle *self, enum core_role role, struct core_deadline *deadline)
{
    struct core_side *side = &self->sides[role];
    for (;;) {
        int is_free = core_open_thing(self) ? side_is_free(side) : -1;
        if (is_free < 0)
            core_side_freed(side);
        if (is_free != 0)
            return is_free;
        /* A thread that waits has found nothing to do, so a call that does not wait would neither.
           A thread that copies is soon done. */
        bool is_copying = side->owner && !side->waits;
        int64_t left = is_copying ? slice_ns : core_left_ns(deadline);
        if (left <= 0)
            return 0;
        if (wait_at_gate(side, left) < 0)
            return -1;
    }
}

static bool is_free_still(const struct core_use *use)
{
    const struct core_side *side = &use->handle->sides[use->role];
    return use->handle->thing && !side->owner && !side->place && !side->left_over;
}

/* All sides at once: none is held while this thread waits for another one, which takes time. */
static int take_turns(const struct core_use *uses, size_t count, struct core_deadline *deadline)
{
    for (size_t free = 0; free < count;) {
        int turn = take_turn(uses[free].handle, uses[free].role, deadline);
        if (turn <= 0)
            return turn;
        free++;
        for (size_t i = 0; i + 1 < free; i++)
            if (!is_free_still(&uses[i]))
                free = 0;
    }
    return 1;
}

/* ---- Calls with the interpreter's lock released ---------------------------------------------- */

static void mark(const struct core_use *use, bool waits)
{
    struct core_side *side = &use->handle->sides[use->role];
    side->owner = PyThread_get_thread_ident();
    side->waits = waits;
}

static void unmark(const struct core_use *use)
{
    struct core_side *side = &use->handle->sides[use->role];
    side->owner = 0;
    core_side_freed(side);
}

/* seen: NULL, or how many signals were handled before this thread handled them in Python. One more
   ends the wait. */
static quoit_status call_unlocked(struct core_use *uses, size_t count, core_call *call,
                                  void *context, int64_t timeout_ns, const unsigned *seen)
{
    void *first = uses[0].handle->thing->handle;
    quoit_status status = QUOIT_INTERRUPTED;
    for (size_t i = 0; i < count; i++) {
        uses[i].thing = uses[i].handle->thing; /* which closing takes from the handle */
        core_thing_enter(uses[i].thing);
        mark(&uses[i], timeout_ns != QUOIT_NOW);
    }
    Py_BEGIN_ALLOW_THREADS
    if (!seen || core_signals_announce(core_c_queue(first), *seen))
        status = call(first, context, timeout_ns);
    if (seen)
        core_signals_withdraw();
    Py_END_ALLOW_THREADS
    for (size_t i = 0; i < count; i++)
        unmark(&uses[i]);
    for (size_t i = 0; i < count; i++)
        core_thing_leave(uses[i].thing);
    return status;
}

/* ---- Warnings -------------------------------------------------------------------------------- */

/* Of a call that waits on some handles: when it logs that it has waited long. */
struct patience {
    int64_t began_ns, next_ns; /* 0: it has not begun, or never warns */
};

static int64_t least_warn_ns(const struct core_use *uses, size_t count)
{
    int64_t least = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t ns = uses[i].handle->warn_ns;
        if (ns > 0 && (least == 0 || ns < least))
            least = ns;
    }
    return least;
}

/* Warns if it is time to. *most_ns_inout: the wait that follows is not longer than to the next
   warning. */
static int warn(const struct core_use *uses, size_t count, struct patience *patience,
                int64_t *most_ns_inout)
{
    int64_t after = least_warn_ns(uses, count);
    if (after == 0)
        return 0;
    int64_t now = core_now_ns();
    if (patience->next_ns == 0)
        *patience = (struct patience){now, now + after};
    int64_t waited = now - patience->began_ns;
    for (size_t i = 0; now >= patience->next_ns && i < count; i++) {
        if (uses[i].handle->warn_ns <= 0)
            continue;
        PyObject *done = PyObject_CallMethod((PyObject *)uses[i].handle, "_long_wait", "Od",
                                             uses[i].role == CORE_PRODUCER ? Py_True : Py_False,
                                             (double)waited / 1e9);
        if (!done)
            return -1;
        Py_DECREF(done);
    }
    if (now >= patience->next_ns)
        patience->next_ns = now + waited;
    if (*most_ns_inout > patience->next_ns - now)
        *most_ns_inout = patience->next_ns - now;
    return 0;
}

/* ---- Waits ----------------------------------------------------------------------------------- */

/* A call that waits: as many parts as signals, warnings and other threads make of it. */
struct waiting {
    struct patience patience;
    bool has_begun;
    bool is_main;  /* the thread that handles signals */
    bool watches;  /* ... and has them interrupt its wait */
    unsigned seen; /* signals, before they were handled last */
};

static int64_t longest_part(const struct waiting *waiting)
{
    if (!waiting->has_begun)
        return unwatched_ns;
    return waiting->is_main && !waiting->watches ? slice_ns : QUOIT_FOREVER;
}

/* From its second part on, a wait of the main thread watches signals. Most waits end in their first
   part, and do not pay for that. 0; -1 with an exception. */
static int watch_signals(struct waiting *waiting)
{
    int is_main = is_main_thread();
    if (is_main < 0)
        return -1;
    waiting->is_main = is_main;
    if (is_main && !waiting->watches)
        waiting->watches = core_signals_watch();
    return 0;
}

/* Handles signals, lets other threads use the sides, and warns, between two parts. 0; -1 with an
   exception. *most_ns_out: how long the next part may be. */
static int prepare_part(struct waiting *waiting, const struct core_use *uses, size_t count,
                        int64_t *most_ns_out)
{
    bool is_wanted = false;
    if (waiting->has_begun && watch_signals(waiting) < 0)
        return -1;
    waiting->seen = core_signals_seen();
    *most_ns_out = longest_part(waiting);
    waiting->has_begun = true;
    for (size_t i = 0; i < count; i++)
        is_wanted = is_wanted || uses[i].handle->sides[uses[i].role].queued > 0;
    if (is_wanted) { /* the interpreter's lock would go to this thread again */
        Py_BEGIN_ALLOW_THREADS
        core_sleep_ns(turn_ns);
        Py_END_ALLOW_THREADS
    }
    if (PyErr_CheckSignals() < 0)
        return -1;
    return warn(uses, count, &waiting->patience, most_ns_out);
}

/* Did interrupt() end the wait? It ends one wait of each side. */
static bool take_interrupt(const struct core_use *uses, size_t count)
{
    bool is_interrupted = false;
    for (size_t i = 0; i < count; i++) {
        struct core_side *side = &uses[i].handle->sides[uses[i].role];
        is_interrupted = is_interrupted || side->is_interrupted;
        side->is_interrupted = false;
    }
    return is_interrupted;
}

/* 0: *status_out is not `unready`, or the deadline has passed; -1 with an exception. */
static int wait_for(struct core_use *uses, size_t count, struct waiting *waiting,
                    quoit_status unready, struct core_deadline *deadline, core_call *call,
                    void *context, quoit_status *status_out)
{
    for (;;) {
        int64_t most_ns = QUOIT_FOREVER;
        if (prepare_part(waiting, uses, count, &most_ns) < 0)
            return -1;
        int turn = take_turns(uses, count, deadline);
        if (turn < 0)
            return -1;
        *status_out = unready;
        int64_t left = core_left_ns(deadline);
        if (turn == 0)
            return 0;
        *status_out = call_unlocked(uses, count, call, context, left < most_ns ? left : most_ns,
                                    waiting->watches ? &waiting->seen : NULL);
        if (*status_out == QUOIT_INTERRUPTED && !take_interrupt(uses, count))
            *status_out = unready; /* by a signal, or by closing */
        if (*status_out != unready)
            return 0;
        for (size_t i = 0; i < count; i++)
            if (!core_open_thing(uses[i].handle))
                return -1;
        if (core_left_ns(deadline) <= 0)
            return 0;
    }
}

/* The part after a first call, which has returned `unready`. */
static int wait_if_wanted(struct core_use *uses, size_t count, quoit_status unready,
                          struct core_deadline *deadline, core_call *call, void *context,
                          quoit_status *status_out)
{
    if (core_left_ns(deadline) <= 0)
        return 0;
    struct waiting waiting = {.has_begun = false};
    int result = wait_for(uses, count, &waiting, unready, deadline, call, context, status_out);
    if (waiting.watches)
        core_signals_unwatch();
    return result;
}

static int perform(struct core_use *uses, size_t count, quoit_status unready, bool slow,
                   struct core_deadline *deadline, core_call *call, void *context,
                   quoit_status *status_out)
{
    int turn = take_turns(uses, count, deadline);
    if (turn < 0)
        return -1;
    *status_out = unready;
    if (turn == 0)
        return 0;
    if (slow)
        *status_out = call_unlocked(uses, count, call, context, QUOIT_NOW, NULL);
    else
        *status_out = call(uses[0].handle->thing->handle, context, QUOIT_NOW);
    for (size_t i = 0; i < count; i++)
        core_side_freed(&uses[i].handle->sides[uses[i].role]); /* which has woken this thread */
    if (*status_out != unready)
        return 0;
    return wait_if_wanted(uses, count, unready, deadline, call, context, status_out);
}

int core_perform_slow(struct core_handle *self, enum core_role role, quoit_status unready,
                      bool slow, struct core_deadline *deadline, core_call *call, void *context,
                      quoit_status *status_out)
{
    struct core_use use = {.handle = self, .role = role};
    return perform(&use, 1, unready, slow, deadline, call, context, status_out);
}

/* true: this thread has paused, and is to try once more. Two processes that pass a stream of items
   are about equally fast. If the faster one checks the queue all the time, it takes the queue's
   cache lines from the other one. So it pauses, and then finds several items, or room for several,
   at once. A consumer that gets one item at a time, as in a round trip, does not pause. */
static bool pause_after_run(struct core_side *side, enum core_role role)
{
    uint32_t run = side->run - 1; /* without the call that found nothing */
    side->run = 0;
    if (side->pause_ns == 0 || run < (role == CORE_CONSUMER ? RUN_LEAST : 1))
        return false;
    int64_t end = core_now_ns() + side->pause_ns;
    while (core_now_ns() < end)
        for (int i = 0; i < RELAXES; i++)
            quoit_relax();
    return true;
}

int core_perform_rest(struct core_handle *self, enum core_role role, quoit_status unready,
                      struct core_deadline *deadline, core_call *call, void *context,
                      quoit_status *status_out)
{
    if (deadline->timeout_ns != QUOIT_NOW && pause_after_run(&self->sides[role], role)) {
        *status_out = call(self->thing->handle, context, QUOIT_NOW);
        if (*status_out != unready)
            return 0;
    }
    struct core_use use = {.handle = self, .role = role};
    return wait_if_wanted(&use, 1, unready, deadline, call, context, status_out);
}

int core_perform_all(struct core_use *uses, size_t count, quoit_status unready,
                     struct core_deadline *deadline, core_call *call, void *context,
                     quoit_status *status_out)
{
    return perform(uses, count, unready, false, deadline, call, context, status_out);
}

/* ---- Calls without a side -------------------------------------------------------------------- */

static quoit_status call_any(struct core_handle *self, core_call *call, void *context,
                             int64_t timeout_ns)
{
    struct core_thing *thing = self->thing;
    quoit_status status = QUOIT_OK;
    core_thing_enter(thing);
    Py_BEGIN_ALLOW_THREADS
    status = call(thing->handle, context, timeout_ns);
    Py_END_ALLOW_THREADS
    core_thing_leave(thing);
    return status;
}

int core_perform_any(struct core_handle *self, quoit_status unready, struct core_deadline *deadline,
                     core_call *call, void *context, quoit_status *status_out)
{
    const struct core_use use = {.handle = self, .role = CORE_CONSUMER};
    struct patience patience = {0, 0};
    struct core_thing *thing = core_open_thing(self);
    if (!thing)
        return -1;
    *status_out = call(thing->handle, context, QUOIT_NOW);
    while (*status_out == unready && core_left_ns(deadline) > 0) {
        int64_t most_ns = slice_ns, left = core_left_ns(deadline);
        if (PyErr_CheckSignals() < 0 || warn(&use, 1, &patience, &most_ns) < 0 ||
            !core_open_thing(self))
            return -1;
        *status_out = call_any(self, call, context, left < most_ns ? left : most_ns);
    }
    return 0;
}

int core_unlocked(struct core_handle *self, core_call *call, void *context,
                  quoit_status *status_out)
{
    if (!core_open_thing(self))
        return -1;
    *status_out = call_any(self, call, context, QUOIT_NOW);
    return 0;
}

void core_copy(struct core_handle *self, enum core_role role, void *to, const void *from,
               size_t bytes)
{
    struct core_thing *thing = self->thing;
    const struct core_use use = {.handle = self, .role = role};
    if (bytes < CORE_LONG_BYTES) {
        memcpy(to, from, bytes);
        return;
    }
    core_thing_enter(thing);
    mark(&use, false);
    Py_BEGIN_ALLOW_THREADS
    memcpy(to, from, bytes);
    Py_END_ALLOW_THREADS
    unmark(&use);
    core_thing_leave(thing);
}
