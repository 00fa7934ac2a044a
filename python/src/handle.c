/* SPDX-License-Identifier: MIT */
/*
 * Handles. The C handle is closed when nothing refers to it any more: no Python handle, no call,
 * and no view. So it is not closed while a thread is inside the C library with it, or while a view
 * leads into its memory.
 *
 * One thread at a time uses a side of a queue's handle. A call that need not wait keeps the
 * interpreter's lock, which then is enough. A wait marks the side as taken and releases that lock.
 * No Python code runs while this thread has marked a side.
 */
#include "core.h"

/* A wait is a sequence of waits of this length: in between it handles Python's signals, notices
   that the handle was closed, and lets other threads use the side. */
static const int64_t slice_ns = 10000000, shared_slice_ns = 2000000;
static const int64_t turn_ns = 200000; /* between two attempts to use a side that is taken */
static const int64_t close_most_ns = 1000000000;

/* ---- The C handle ---------------------------------------------------------------------------- */

struct core_thing *core_thing_new(void *handle, void (*close)(void *handle))
{
    struct core_thing *thing = PyMem_Calloc(1, sizeof *thing);
    if (!thing) {
        close(handle);
        PyErr_NoMemory();
        return NULL;
    }
    *thing = (struct core_thing){.users = 1, .handle = handle, .close = close};
    return thing;
}

void core_thing_ref(struct core_thing *thing)
{
    thing->users++;
}

void core_thing_unref(struct core_thing *thing)
{
    if (--thing->users > 0)
        return;
    Py_BEGIN_ALLOW_THREADS
    thing->close(thing->handle);
    Py_END_ALLOW_THREADS
    PyMem_Free(thing);
}

static void thing_enter(struct core_thing *thing)
{
    thing->users++;
    thing->calls++;
}

static void thing_leave(struct core_thing *thing)
{
    thing->calls--;
    core_thing_unref(thing);
}

/* ---- The Python handle ----------------------------------------------------------------------- */

void core_begin_handle(struct core_handle *self, struct core_state *state, struct core_thing *thing)
{
    self->state = state;
    self->thing = thing;
    self->generation = core_fork_generation();
}

static void *raise_closed(struct core_handle *self)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE((PyObject *)self), "__name__");
    if (name)
        PyErr_Format(PyExc_ValueError, "this %U is closed; open it again", name);
    Py_XDECREF(name);
    return NULL;
}

static void drop_left_over(struct core_side *side)
{
    struct core_memory *left_over = side->left_over;
    side->left_over = NULL;
    side->left_over_end = NULL;
    if (left_over)
        left_over->late_side = NULL;
    Py_XDECREF((PyObject *)left_over);
}

/* In a forked child: threads that used a side at the fork, in a call or in the block of a view, do
   not exist here. The C handle is disabled. */
static void forget_other_threads(struct core_handle *self)
{
    self->generation = core_fork_generation();
    self->thing->calls = 0;
    for (int i = 0; i < CORE_SIDES; i++) {
        self->sides[i].owner = 0;
        self->sides[i].queued = 0;
        self->sides[i].place = NULL;
        drop_left_over(&self->sides[i]);
    }
}

struct core_thing *core_open_thing(struct core_handle *self)
{
    if (!self->thing)
        return raise_closed(self);
    if (self->generation != core_fork_generation())
        forget_other_threads(self);
    return self->thing;
}

void core_clear_left_over(struct core_side *side)
{
    struct core_memory *memory = side->left_over;
    core_late_end *end = side->left_over_end;
    side->left_over = NULL;
    side->left_over_end = NULL;
    memory->late_side = NULL;
    if (end)
        (void)end(core_c_queue(memory->thing->handle));
    Py_DECREF((PyObject *)memory);
}

void core_close(struct core_handle *self)
{
    struct core_thing *thing = self->thing;
    if (!thing)
        return;
    core_open_thing(self); /* after a fork: forget other threads */
    self->thing = NULL;
    for (int i = 0; i < CORE_SIDES; i++) {
        struct core_side *side = &self->sides[i];
        drop_left_over(side);
        core_place_drop(side->place);
        side->place = NULL;
    }
    int64_t end = 0;
    while (thing->calls > 0 && (end == 0 || core_now_ns() < end)) {
        if (end == 0)
            end = core_now_ns() + close_most_ns;
        Py_BEGIN_ALLOW_THREADS
        core_sleep_ns(turn_ns);
        Py_END_ALLOW_THREADS
    }
    core_thing_unref(thing);
}

void core_end_handle(struct core_handle *self)
{
    core_close(self);
    core_free((PyObject *)self);
}

void core_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

int core_side_is_free(struct core_handle *self, enum core_role role)
{
    struct core_side *side = &self->sides[role];
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

/* Lets other threads run for a moment, then handles signals. */
static int pause_for(int64_t ns)
{
    Py_BEGIN_ALLOW_THREADS
    core_sleep_ns(ns);
    Py_END_ALLOW_THREADS
    return PyErr_CheckSignals();
}

/* Waits for the side. 1: it is this thread's to use; 0: the deadline has passed; -1: exception. */
static int take_turn(struct core_handle *self, enum core_role role, struct core_deadline *deadline)
{
    struct core_side *side = &self->sides[role];
    for (;;) {
        if (!core_open_thing(self))
            return -1;
        int is_free = core_side_is_free(self, role);
        if (is_free != 0)
            return is_free;
        side->is_shared = true;
        /* A thread that waits has found nothing to do, so a call that does not wait would neither.
           A thread that copies is soon done. */
        bool is_copying = side->owner && !side->waits;
        if (deadline && !is_copying && core_left_ns(deadline) <= 0)
            return 0;
        side->queued++;
        int failed = pause_for(turn_ns);
        if (side->queued > 0) /* a fork in a signal's handler has reset it */
            side->queued--;
        if (failed < 0)
            return -1;
    }
}

static quoit_status call_unlocked(struct core_handle *self, struct core_side *side, core_call *call,
                                  void *context, int64_t timeout_ns)
{
    struct core_thing *thing = self->thing;
    quoit_status status = QUOIT_OK;
    thing_enter(thing);
    if (side) {
        side->owner = PyThread_get_thread_ident();
        side->waits = timeout_ns != QUOIT_NOW;
    }
    Py_BEGIN_ALLOW_THREADS
    status = call(thing->handle, context, timeout_ns);
    Py_END_ALLOW_THREADS
    if (side)
        side->owner = 0;
    thing_leave(thing);
    return status;
}

/* One part of a wait, at most a slice long. This is the only place that knows of slices. */
static int wait_slice(struct core_handle *self, struct core_side *side,
                      struct core_deadline *deadline, core_call *call, void *context,
                      quoit_status *status_out)
{
    int64_t most = side && side->is_shared ? shared_slice_ns : slice_ns;
    int64_t left = core_left_ns(deadline);
    *status_out = call_unlocked(self, side, call, context, left < most ? left : most);
    return 0;
}

/* Warns of a wait that has taken long. role: which side waits; for a lock CORE_CONSUMER. */
struct patience {
    int64_t began_ns, next_ns; /* 0: it has not begun */
};

static int warn(struct core_handle *self, enum core_role role, struct patience *patience)
{
    if (self->warn_ns <= 0)
        return 0;
    int64_t now = core_now_ns();
    if (patience->began_ns == 0)
        *patience = (struct patience){now, now + self->warn_ns};
    if (now < patience->next_ns)
        return 0;
    int64_t waited = now - patience->began_ns;
    patience->next_ns = now + waited;
    PyObject *done = PyObject_CallMethod((PyObject *)self, "_long_wait", "Od",
                                         role == CORE_PRODUCER ? Py_True : Py_False,
                                         (double)waited / 1e9);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int core_perform(struct core_handle *self, enum core_role role, quoit_status unready, bool slow,
                 struct core_deadline *deadline, core_call *call, void *context,
                 quoit_status *status_out)
{
    struct core_side *side = &self->sides[role];
    struct patience patience = {0, 0};
    bool is_first = true;
    for (;;) {
        int turn = take_turn(self, role, deadline);
        if (turn < 0)
            return -1;
        if (turn == 0) {
            *status_out = unready;
            return 0;
        }
        if (is_first && !slow)
            *status_out = call(self->thing->handle, context, QUOIT_NOW);
        else if (is_first)
            *status_out = call_unlocked(self, side, call, context, QUOIT_NOW);
        else if (wait_slice(self, side, deadline, call, context, status_out) < 0)
            return -1;
        is_first = false;
        if (*status_out != unready || core_left_ns(deadline) <= 0)
            return 0;
        /* The interpreter's lock goes to the thread that runs: let those that want the side. */
        if (side->queued ? pause_for(turn_ns) < 0 : PyErr_CheckSignals() < 0)
            return -1;
        if (warn(self, role, &patience) < 0)
            return -1;
    }
}

int core_perform_any(struct core_handle *self, quoit_status unready, struct core_deadline *deadline,
                     core_call *call, void *context, quoit_status *status_out)
{
    struct patience patience = {0, 0};
    bool is_first = true;
    for (;;) {
        struct core_thing *thing = core_open_thing(self);
        if (!thing)
            return -1;
        if (is_first)
            *status_out = call(thing->handle, context, QUOIT_NOW);
        else if (wait_slice(self, NULL, deadline, call, context, status_out) < 0)
            return -1;
        is_first = false;
        if (*status_out != unready || core_left_ns(deadline) <= 0)
            return 0;
        if (PyErr_CheckSignals() < 0 || warn(self, CORE_CONSUMER, &patience) < 0)
            return -1;
    }
}

int core_unlocked(struct core_handle *self, core_call *call, void *context,
                  quoit_status *status_out)
{
    if (!core_open_thing(self))
        return -1;
    *status_out = call_unlocked(self, NULL, call, context, QUOIT_NOW);
    return 0;
}

void core_copy(struct core_handle *self, enum core_role role, void *to, const void *from,
               size_t bytes)
{
    struct core_thing *thing = self->thing;
    if (bytes < CORE_LONG_BYTES) {
        memcpy(to, from, bytes);
        return;
    }
    thing_enter(thing);
    self->sides[role].owner = PyThread_get_thread_ident();
    self->sides[role].waits = false;
    Py_BEGIN_ALLOW_THREADS
    memcpy(to, from, bytes);
    Py_END_ALLOW_THREADS
    self->sides[role].owner = 0;
    thing_leave(thing);
}

/* ---- Methods of all handles ------------------------------------------------------------------ */

PyObject *core_no_new(PyTypeObject *type, PyObject *args, PyObject *words)
{
    (void)args;
    (void)words;
    PyObject *name = PyObject_GetAttrString((PyObject *)type, "__name__");
    if (name)
        PyErr_Format(PyExc_TypeError,
                     "quoit.%U() cannot be called; use quoit.%U.create, open or join", name, name);
    Py_XDECREF(name);
    return NULL;
}

PyObject *core_handle_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    core_close((struct core_handle *)self);
    Py_RETURN_NONE;
}

PyObject *core_handle_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    Py_INCREF(self);
    return self;
}

PyObject *core_handle_exit(PyObject *self, PyObject *args)
{
    (void)args;
    PyObject *done = PyObject_CallMethod(self, "close", NULL);
    Py_XDECREF(done);
    return done ? core_ref(Py_None) : NULL;
}

PyObject *core_handle_closed(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(!((struct core_handle *)self)->thing);
}

PyObject *core_get_warn_after(PyObject *self, void *unused)
{
    (void)unused;
    int64_t ns = ((struct core_handle *)self)->warn_ns;
    return ns > 0 ? PyFloat_FromDouble((double)ns / 1e9) : core_ref(Py_None);
}

int core_set_warn_after(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    struct core_deadline after;
    if (!value || value == Py_None) {
        ((struct core_handle *)self)->warn_ns = 0;
        return 0;
    }
    if (core_deadline(value, &after) < 0)
        return -1;
    if (after.timeout_ns <= 0 || after.timeout_ns == QUOIT_FOREVER) {
        PyErr_Format(PyExc_ValueError, "warn_after is %R; it must be None, or seconds above 0",
                     value);
        return -1;
    }
    ((struct core_handle *)self)->warn_ns = after.timeout_ns;
    return 0;
}
