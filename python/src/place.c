/* SPDX-License-Identifier: MIT */
/*
 * Claims and peeks: context managers that return a memoryview of an item in place. The side of the
 * handle is theirs until the block ends. The view is released then. If a slice of it, or an array
 * over it, is still in use, the block raises BufferError, and the side stays taken until that is
 * gone: otherwise it would read or write items that come later.
 */
#include "place.h"

static struct core_side *side_of(const struct core_place *place)
{
    return &place->queue->handle.sides[place->role];
}

/* ---- The beginning --------------------------------------------------------------------------- */

struct begun {
    struct core_place *place;
    void *address;
    size_t bytes;
};

static quoit_status begin_call(void *handle, void *context, int64_t timeout_ns)
{
    struct begun *begun = context;
    struct core_place *place = begun->place;
    quoit_queue *queue = core_c_queue(handle);
    const void *data = NULL;
    quoit_status status = QUOIT_OK;
    begun->bytes = place->wanted;
    if (place->role == CORE_PRODUCER && place->is_many) {
        status = quoit_queue_claim_many(queue, place->wanted, &begun->address, &place->count,
                                        timeout_ns);
        begun->bytes = place->count * (size_t)place->queue->item_bytes;
    } else if (place->role == CORE_PRODUCER) {
        status = quoit_queue_claim(queue, place->wanted, &begun->address, timeout_ns);
    } else if (place->is_many) {
        status = quoit_queue_peek_many(queue, &data, &place->count, timeout_ns);
        place->count = place->count < place->wanted ? place->count : place->wanted;
        begun->bytes = place->count * (size_t)place->queue->item_bytes;
    } else {
        status = quoit_queue_peek(queue, &data, &begun->bytes, timeout_ns);
    }
    if (data)
        memcpy(&begun->address, &data, sizeof data); /* the memory is exported as read-only */
    return status;
}

quoit_status core_give_up_claim(quoit_queue *queue)
{
    return quoit_queue_discard(queue);
}

int core_place_begin(struct core_place *place)
{
    struct core_queue *queue = place->queue;
    struct core_handle *handle = &queue->handle;
    struct begun begun = {.place = place};
    quoit_status unready = place->role == CORE_PRODUCER ? QUOIT_FULL : QUOIT_EMPTY;
    quoit_status status = QUOIT_OK;
    if (place->is_begun) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this view was begun before: ask the queue for another");
        return -1;
    }
    struct core_thing *thing = core_open_thing(handle);
    if (!thing)
        return -1;
    /* Made before there is anything to lose. */
    struct core_memory *memory = core_memory_new(handle->state, thing, NULL, 0,
                                                 place->role == CORE_CONSUMER);
    if (!memory)
        return -1;
    if (core_perform(handle, place->role, unready, false, &place->deadline, begin_call, &begun,
                     &status) < 0 ||
        core_check(handle->state, status) < 0) {
        Py_DECREF(memory);
        return -1;
    }
    if (!handle->thing) { /* closed while this thread waited: closing gives the item up */
        Py_DECREF(memory);
        core_open_thing(handle);
        return -1;
    }
    memory->address = begun.address;
    memory->bytes = begun.bytes;
    place->memory = memory;
    place->thread = PyThread_get_thread_ident();
    place->is_begun = true;
    side_of(place)->place = place; /* from here on no other call uses the side */
    return 0;
}

/* The block is over, and slices are still in use: the side waits for them. */
static void leave_over(struct core_place *place, core_late_end *end)
{
    struct core_side *side = side_of(place);
    if (place->is_done || side->place != place)
        return;
    side->place = NULL;
    core_side_freed(side); /* the threads that want it raise BufferError, or find it free */
    side->left_over = place->memory;
    side->left_over->late_side = side;
    side->left_over_end = end;
    place->memory = NULL;
    place->is_done = true;
    if (side->left_over->exports == 0)
        core_clear_left_over(side);
}

/* The message is no object's, and stays; or it cannot be loaded, and is taken off as get() does. */
static void fail_to_load(struct core_place *place)
{
    PyObject *kind = NULL, *value = NULL, *trace = NULL;
    PyErr_Fetch(&kind, &value, &trace);
    PyObject *different = place->queue->handle.state->errors[QUOIT_ERROR_DIFFERENT - STATUS_LEAST];
    bool stays = PyErr_GivenExceptionMatches(kind, different);
    if (core_place_end(place, stays ? NULL : place->action) < 0)
        PyErr_Clear();
    leave_over(place, stays ? NULL : core_release_one);
    PyErr_Restore(kind, value, trace);
}

static PyObject *place_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_place *place = (struct core_place *)self;
    if (core_place_begin(place) < 0)
        return NULL;
    PyObject *view = PyMemoryView_FromObject((PyObject *)place->memory);
    if (!view) {
        (void)core_place_end(place, NULL);
        return NULL;
    }
    if (place->is_ended) { /* a finalizer has closed the queue meanwhile */
        Py_DECREF(view);
        core_open_thing(&place->queue->handle);
        return NULL;
    }
    place->view = core_ref(view);
    if (!place->is_borrow)
        return view;
    PyObject *object = core_object_in_place(place, view);
    Py_DECREF(view);
    if (!object)
        fail_to_load(place);
    return object;
}

/* ---- The end --------------------------------------------------------------------------------- */

static void finish(struct core_place *place)
{
    place->is_done = true;
    if (side_of(place)->place == place)
        side_of(place)->place = NULL;
    core_side_freed(side_of(place));
    Py_CLEAR(place->memory);
}

static quoit_status give_up(struct core_place *place, void *handle)
{
    return place->role == CORE_PRODUCER ? core_give_up_claim(core_c_queue(handle)) : QUOIT_OK;
}

int core_place_end(struct core_place *place, core_place_action *action)
{
    struct core_handle *handle = &place->queue->handle;
    if (place->is_done)
        return 0;
    struct core_thing *thing = handle->thing;
    bool is_current = thing && side_of(place)->place == place;
    if (place->is_ended) /* a commit or a release failed, since a slice was in use */
        action = NULL;
    place->is_ended = true;
    bool is_free = !place->memory || core_memory_end(place->memory, &place->view);
    if (!is_current) {
        finish(place);
        PyErr_SetString(PyExc_ValueError,
                        "this Queue was closed before the block of its view ended");
        return -1;
    }
    if (!is_free) {
        PyErr_SetString(PyExc_BufferError, CORE_IN_USE);
        return -1;
    }
    finish(place);
    quoit_status status = action ? action(core_c_queue(thing->handle), place->count)
                                 : give_up(place, thing->handle);
    return core_check(handle->state, status);
}

int core_place_is_free(struct core_place *place)
{
    if (!place->is_ended) {
        if (place->thread != PyThread_get_thread_ident())
            return 0;
        PyErr_SetString(PyExc_RuntimeError, "a peek or a claim of this side of the handle is open; "
                                            "end its block first");
        return -1;
    }
    if (place->memory->exports > 0) {
        PyErr_SetString(PyExc_BufferError, CORE_IN_USE);
        return -1;
    }
    void *handle = place->memory->thing->handle;
    finish(place);
    (void)give_up(place, handle);
    return 1;
}

void core_place_drop(struct core_place *place)
{
    if (!place)
        return;
    place->is_ended = true;
    if (place->memory)
        (void)core_memory_end(place->memory, &place->view);
}

/* The call that is due once no slice is in use any more. A borrowed object's block may end
   before. */
static core_late_end *late_end(const struct core_place *place, bool is_good)
{
    if (place->role == CORE_PRODUCER)
        return core_give_up_claim;
    return place->is_borrow && is_good ? core_release_one : NULL;
}

static PyObject *place_exit(PyObject *self, PyObject *args)
{
    struct core_place *place = (struct core_place *)self;
    PyObject *kind = PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : Py_None;
    if (!kind)
        return NULL;
    bool is_good = kind == Py_None, was_ended = place->is_ended;
    int result = core_place_end(place, is_good ? place->action : NULL);
    if (result < 0 && (!is_good || (place->is_borrow && !was_ended &&
                                    PyErr_ExceptionMatches(PyExc_BufferError)))) {
        PyErr_Clear(); /* the block's own exception goes on; a borrowed object may live on */
        result = 0;
    }
    leave_over(place, late_end(place, is_good));
    if (result < 0)
        return NULL;
    Py_RETURN_FALSE;
}

/* A block that never ends, in a generator say, is given up. */
static void place_dealloc(PyObject *self)
{
    struct core_place *place = (struct core_place *)self;
    PyObject *kind = NULL, *value = NULL, *trace = NULL;
    PyErr_Fetch(&kind, &value, &trace);
    if (place->is_begun && !place->is_done) {
        if (core_place_end(place, NULL) < 0)
            PyErr_Clear();
        leave_over(place, late_end(place, false));
    }
    if (side_of(place)->place == place)
        side_of(place)->place = NULL;
    core_side_freed(side_of(place));
    PyErr_Restore(kind, value, trace);
    Py_CLEAR(place->memory);
    Py_CLEAR(place->view);
    PyObject *queue = (PyObject *)place->queue;
    core_free(self);
    Py_DECREF(queue);
}

static PyMethodDef place_methods[] = {
    {"__enter__", place_enter, METH_NOARGS, "Wait, and return the view."},
    {"__exit__", place_exit, METH_VARARGS, "End the view, and push or take off the item."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot place_slots[] = {
    {Py_tp_dealloc, (void *)place_dealloc},
    {Py_tp_methods, place_methods},
    {Py_tp_doc, (void *)"A claim or a peek: `with queue.peek() as view:`"},
    {0, NULL},
};
PyType_Spec core_place_spec = {
    .name = "quoit._core.Place",
    .basicsize = sizeof(struct core_place),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = place_slots,
};
