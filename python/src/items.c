/* SPDX-License-Identifier: MIT */
/* Push and pop: copies of items. A call that need not wait runs no Python code. */
#include "core.h"

enum { SMALL_BYTES = 512 };

/* ---- Items and what users see of them -------------------------------------------------------- */

PyObject *core_decoded(const struct core_queue *queue, PyObject *bytes)
{
    if (!queue->decode || !bytes)
        return bytes;
    PyObject *item = PyObject_CallFunctionObjArgs(queue->decode, bytes, NULL);
    Py_DECREF(bytes);
    return item;
}

static PyObject *encoded_object(const struct core_queue *queue, PyObject *item)
{
    if (!queue->encode_is_pack)
        return PyObject_CallFunctionObjArgs(queue->encode, item, NULL);
    PyObject *members = PySequence_Tuple(item);
    PyObject *bytes = members ? PyObject_Call(queue->encode, members, NULL) : NULL;
    Py_XDECREF(members);
    return bytes;
}

static int check_size(const struct core_queue *queue, size_t bytes)
{
    if (queue->is_messages ? bytes <= queue->item_bytes : bytes == queue->item_bytes)
        return 0;
    if (!queue->is_messages)
        PyErr_Format(
            PyExc_ValueError,
            "the item has %zu bytes, but the queue's items have %llu; pass an item of that size",
            bytes, (unsigned long long)queue->item_bytes);
    else
        PyErr_Format(queue->handle.state->errors[QUOIT_ERROR_TOO_BIG - STATUS_LEAST],
                     "the message has %zu bytes, but the queue's messages have at most %llu; send "
                     "a smaller one",
                     bytes, (unsigned long long)queue->item_bytes);
    return -1;
}

int core_encoded(const struct core_queue *queue, PyObject *item, struct core_input *out)
{
    PyObject *made = queue->encode ? encoded_object(queue, item) : NULL;
    if (queue->encode && !made)
        return -1;
    int result = core_input_begin(made ? made : item, out);
    if (result == 0 && made && !out->held)
        out->held = core_ref(made);
    Py_XDECREF(made);
    if (result == 0 && check_size(queue, out->bytes) < 0) {
        core_input_end(out);
        return -1;
    }
    return result;
}

/* ---- Push ------------------------------------------------------------------------------------ */

static quoit_status push_call(void *handle, void *context, int64_t timeout_ns)
{
    const struct core_input *input = context;
    return quoit_queue_push(core_c_queue(handle), input->data, input->bytes, timeout_ns);
}

static PyObject *push(PyObject *self, PyObject *item, PyObject *timeout)
{
    struct core_queue *queue = (struct core_queue *)self;
    struct core_deadline deadline;
    struct core_input input;
    quoit_status status = QUOIT_OK;
    if (core_deadline(timeout, &deadline) < 0 || core_encoded(queue, item, &input) < 0)
        return NULL;
    int result = core_perform(&queue->handle, CORE_PRODUCER, QUOIT_FULL,
                              input.bytes >= CORE_LONG_BYTES, &deadline, push_call, &input,
                              &status);
    core_input_end(&input);
    if (result < 0 || core_check(queue->handle.state, status) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *queue_push(PyObject *self, PyObject *const *args, Py_ssize_t count,
                            PyObject *words)
{
    static const char *const names[] = {"item", "timeout"};
    PyObject *values[2];
    if (count == 1 && !words)
        return push(self, args[0], NULL);
    if (core_parse("push", names, 1, 2, args, count, words, values) < 0)
        return NULL;
    return push(self, values[0], values[1]);
}

static PyObject *queue_try_push(PyObject *self, PyObject *item)
{
    PyObject *now = PyLong_FromLong(0), *done = now ? push(self, item, now) : NULL;
    Py_XDECREF(now);
    return done;
}

/* ---- Pop ------------------------------------------------------------------------------------- */

/* One pop. Small items go by way of the stack, others straight into a bytes object: an item into
   one of its size, a message from where it lies in the queue, once its size is known. */
struct popped {
    const struct core_queue *queue;
    PyObject *bytes;  /* for items that are not small */
    char *room;       /* in it */
    const void *data; /* of a message that is peeked */
    size_t size;
    char small[SMALL_BYTES];
};

static quoit_status pop_call(void *handle, void *context, int64_t timeout_ns)
{
    struct popped *popped = context;
    quoit_queue *queue = core_c_queue(handle);
    if (popped->queue->item_bytes <= SMALL_BYTES)
        return quoit_queue_pop(queue, popped->small, SMALL_BYTES, &popped->size, timeout_ns);
    if (popped->queue->is_messages)
        return quoit_queue_peek(queue, &popped->data, &popped->size, timeout_ns);
    return quoit_queue_pop(queue, popped->room, (size_t)popped->queue->item_bytes, &popped->size,
                           timeout_ns);
}

/* Copies a message that this thread has peeked at. No other call has used the side since: the
   interpreter's lock was not released. */
static PyObject *copied_message(struct core_queue *queue, const struct popped *popped)
{
    struct core_handle *handle = &queue->handle;
    struct core_thing *thing = core_open_thing(handle);
    PyObject *bytes = thing ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)popped->size) : NULL;
    if (!bytes)
        return NULL; /* the message stays */
    core_thing_ref(thing);
    core_copy(handle, CORE_CONSUMER, PyBytes_AsString(bytes), popped->data, popped->size);
    quoit_status status = quoit_queue_release(core_c_queue(thing->handle));
    core_thing_unref(thing);
    if (core_check(handle->state, status) == 0)
        return bytes;
    Py_DECREF(bytes);
    return NULL;
}

PyObject *core_pop(struct core_queue *queue, struct core_deadline *deadline,
                   quoit_status *status_out)
{
    struct popped popped;
    bool is_small = queue->item_bytes <= SMALL_BYTES;
    bool is_slow = !is_small && !queue->is_messages && queue->item_bytes >= CORE_LONG_BYTES;
    *status_out = QUOIT_OK;
    popped.queue = queue;
    popped.bytes = NULL;
    if (!is_small && !queue->is_messages) {
        popped.bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)queue->item_bytes);
        if (!popped.bytes)
            return NULL;
        popped.room = PyBytes_AsString(popped.bytes);
    }
    int failed = core_perform(&queue->handle, CORE_CONSUMER, QUOIT_EMPTY, is_slow, deadline,
                              pop_call, &popped, status_out);
    if (failed < 0)
        *status_out = QUOIT_OK;
    if (failed < 0 || *status_out != QUOIT_OK) {
        Py_XDECREF(popped.bytes);
        return NULL;
    }
    if (is_small)
        popped.bytes = PyBytes_FromStringAndSize(popped.small, (Py_ssize_t)popped.size);
    else if (!popped.bytes)
        popped.bytes = copied_message(queue, &popped);
    return core_decoded(queue, popped.bytes);
}

static PyObject *pop(struct core_queue *queue, struct core_deadline *deadline)
{
    quoit_status status = QUOIT_OK;
    PyObject *item = core_pop(queue, deadline, &status);
    if (status != QUOIT_OK)
        core_raise(queue->handle.state, status);
    return item;
}

static PyObject *queue_pop(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *words)
{
    static const char *const names[] = {"timeout"};
    PyObject *values[1] = {NULL};
    struct core_deadline deadline;
    if ((count > 0 || words) && core_parse("pop", names, 0, 1, args, count, words, values) < 0)
        return NULL;
    if (core_deadline(values[0], &deadline) < 0)
        return NULL;
    return pop((struct core_queue *)self, &deadline);
}

static PyObject *queue_try_pop(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_deadline deadline = {QUOIT_NOW, 0};
    return pop((struct core_queue *)self, &deadline);
}

/* ---- Iteration ------------------------------------------------------------------------------- */

struct items {
    PyObject ob_base;
    struct core_queue *queue;
};

PyObject *core_iter(PyObject *self)
{
    struct core_queue *queue = (struct core_queue *)self;
    struct items *items = (struct items *)PyType_GenericAlloc(queue->handle.state->items, 0);
    if (items)
        items->queue = (struct core_queue *)core_ref(self);
    return (PyObject *)items;
}

static PyObject *items_next(PyObject *self)
{
    struct core_queue *queue = ((struct items *)self)->queue;
    struct core_deadline deadline = {QUOIT_FOREVER, 0};
    PyObject *item = pop(queue, &deadline);
    if (!item && PyErr_ExceptionMatches(queue->handle.state->errors[QUOIT_FINISHED - STATUS_LEAST]))
        PyErr_Clear();
    return item;
}

static void items_dealloc(PyObject *self)
{
    PyObject *queue = (PyObject *)((struct items *)self)->queue;
    core_free(self);
    Py_XDECREF(queue);
}

static PyType_Slot items_slots[] = {
    {Py_tp_dealloc, (void *)items_dealloc},
    {Py_tp_iter, (void *)PyObject_SelfIter},
    {Py_tp_iternext, (void *)items_next},
    {Py_tp_doc, (void *)"The items of a queue until its stream ends."},
    {0, NULL},
};
PyType_Spec core_items_spec = {
    .name = "quoit._core.Items",
    .basicsize = sizeof(struct items),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = items_slots,
};

PyMethodDef core_item_methods[] = {
    {"push", CALL_FAST(queue_push), METH_FASTCALL | METH_KEYWORDS,
     "push($self, item, timeout=None)\n--\n\n"
     "Push a copy of a bytes-like object; of a queue with a format, of an item of that.\n\n"
     "timeout: seconds to wait for room; None: for ever; 0 or less: not at all.\n"
     "Raises Full when the time is over, Finished, Abandoned, TooBig (a message of more than\n"
     "item_bytes), ValueError (an item of another size). The item is then visible to the\n"
     "consumer, and survives a crash of this process.\n\n"
     "    queue.push(b\"hello\")"},
    {"try_push", queue_try_push, METH_O,
     "try_push($self, item, /)\n--\n\n"
     "push without a wait. Raises Full if there is no room."},
    {"pop", CALL_FAST(queue_pop), METH_FASTCALL | METH_KEYWORDS,
     "pop($self, timeout=None)\n--\n\n"
     "Take the next item off, and return it as bytes, or as the queue's format requires.\n\n"
     "timeout: seconds to wait for an item; None: for ever; 0 or less: not at all.\n"
     "Raises Empty when the time is over; Finished after the last item of a stream; Abandoned if\n"
     "the last producer crashed, or closed without finish().\n\n"
     "    item = queue.pop(timeout=2.5)"},
    {"try_pop", queue_try_pop, METH_NOARGS,
     "try_pop($self, /)\n--\n\n"
     "pop without a wait. Raises Empty if there is no item."},
    {NULL, NULL, 0, NULL},
};
