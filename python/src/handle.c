/* SPDX-License-Identifier: MIT */
/*
 * Handles. The C handle is closed when nothing refers to it any more: no Python handle, no call,
 * and no view. So it is not closed while a thread is inside the C library with it, or while a view
 * leads into its memory. waits.c has the calls that may wait.
 */
#include "core.h"

static const int64_t close_pause_ns = 200000, close_most_ns = 1000000000;

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

void core_thing_enter(struct core_thing *thing)
{
    thing->users++;
    thing->calls++;
}

void core_thing_leave(struct core_thing *thing)
{
    thing->calls--;
    core_thing_unref(thing);
}

/* ---- The Python handle ----------------------------------------------------------------------- */

void core_begin_handle(struct core_handle *self, struct core_state *state, struct core_thing *thing)
{
    self->state = state;
    self->thing = thing;
    self->generation = core_generation;
}

/* Meanwhile the other side, which takes 50 ns or more for an item, neither fills nor empties the
   queue. */
void core_set_pauses(struct core_handle *self, uint64_t capacity)
{
    static const uint32_t most_ns[CORE_SIDES] = {[CORE_PRODUCER] = 3000, [CORE_CONSUMER] = 1000};
    for (int i = 0; i < CORE_SIDES; i++)
        self->sides[i].pause_ns = capacity < 64 ? (uint32_t)capacity * most_ns[i] / 64 : most_ns[i];
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
    self->generation = core_generation;
    self->thing->calls = 0;
    for (int i = 0; i < CORE_SIDES; i++) {
        self->sides[i].owner = 0;
        self->sides[i].queued = 0;
        self->sides[i].gate = NULL; /* in an unknown state: not freed */
        self->sides[i].gate_is_open = false;
        self->sides[i].place = NULL;
        drop_left_over(&self->sides[i]);
    }
}

struct core_thing *core_open_thing(struct core_handle *self)
{
    if (!self->thing)
        return raise_closed(self);
    if (self->generation != core_generation)
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
        core_side_freed(side);
    }
    if (thing->calls > 0 && thing->interrupt)
        thing->interrupt(thing->handle);
    int64_t end = 0;
    while (thing->calls > 0 && (end == 0 || core_now_ns() < end)) {
        if (end == 0)
            end = core_now_ns() + close_most_ns;
        Py_BEGIN_ALLOW_THREADS
        core_sleep_ns(close_pause_ns);
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
