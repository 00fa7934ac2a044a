/* SPDX-License-Identifier: MIT */
/* Many items in one call: of lists, and of arrays without a loop in Python. */
#include "core.h"

enum { SCRATCH_BYTES = 1 << 16 };

/* Items one behind the other; of messages also their sizes. */
struct batch {
    const struct core_queue *queue;
    const char *data;
    size_t *sizes; /* of messages; else NULL */
    size_t count;
    size_t done;
};

static quoit_status push_messages(quoit_queue *queue, struct batch *batch, int64_t timeout_ns)
{
    const char *at = batch->data;
    quoit_status status = QUOIT_OK;
    for (size_t i = 0; i < batch->count; i++) {
        status = quoit_queue_push(queue, at, batch->sizes[i], i == 0 ? timeout_ns : QUOIT_NOW);
        if (status != QUOIT_OK)
            break; /* if some were pushed, the next call has the reason, if it lasts */
        at += batch->sizes[i];
        batch->done++;
    }
    return batch->done > 0 ? QUOIT_OK : status;
}

static quoit_status push_many_call(void *handle, void *context, int64_t timeout_ns)
{
    struct batch *batch = context;
    quoit_queue *queue = core_c_queue(handle);
    if (batch->sizes)
        return push_messages(queue, batch, timeout_ns);
    return quoit_queue_push_many(queue, batch->data, (size_t)batch->queue->item_bytes, batch->count,
                                 &batch->done, timeout_ns);
}

static PyObject *push_batch(struct core_queue *queue, struct batch *batch, size_t bytes,
                            struct core_deadline *deadline)
{
    quoit_status status = QUOIT_OK;
    if (batch->count == 0)
        return PyLong_FromLong(0);
    if (core_perform(&queue->handle, CORE_PRODUCER, QUOIT_FULL, bytes >= CORE_LONG_BYTES, deadline,
                     push_many_call, batch, &status) < 0 ||
        core_check(queue->handle.state, status) < 0)
        return NULL;
    return PyLong_FromSize_t(batch->done);
}

/* An array: whole items, one behind the other. */
static PyObject *push_array(struct core_queue *queue, PyObject *array,
                            struct core_deadline *deadline)
{
    struct core_input input;
    PyObject *made = queue->encode_many
                         ? PyObject_CallFunctionObjArgs(queue->encode_many, array, NULL)
                         : core_ref(array);
    if (!made)
        return NULL;
    PyObject *result = NULL;
    if (core_input_begin(made, &input) == 0) {
        struct batch batch = {.queue = queue, .data = input.data};
        batch.count = input.bytes / (size_t)queue->item_bytes;
        if (input.bytes % queue->item_bytes == 0)
            result = push_batch(queue, &batch, input.bytes, deadline);
        else
            PyErr_Format(PyExc_ValueError,
                         "an array of %zu bytes holds no whole number of items of %llu bytes",
                         input.bytes, (unsigned long long)queue->item_bytes);
        core_input_end(&input);
    }
    Py_DECREF(made);
    return result;
}

/* Bytes that grow. */
struct gathered {
    char *data;
    size_t *sizes;
    size_t bytes, room, count, count_room;
};

static bool grow(void **memory, size_t *room, size_t wanted, size_t unit)
{
    if (wanted <= *room)
        return true;
    size_t next = wanted < SIZE_MAX / 2 ? wanted * 2 : wanted;
    void *larger = next <= PY_SSIZE_T_MAX / unit ? PyMem_Realloc(*memory, next * unit) : NULL;
    if (!larger) {
        PyErr_NoMemory();
        return false;
    }
    *memory = larger;
    *room = next;
    return true;
}

static int gather(const struct core_queue *queue, PyObject *item, struct gathered *all)
{
    struct core_input input;
    void *data = all->data, *sizes = all->sizes;
    if (core_encoded(queue, item, &input) < 0)
        return -1;
    bool fits = grow(&data, &all->room, all->bytes + input.bytes, 1);
    all->data = data;
    fits = fits && grow(&sizes, &all->count_room, all->count + 1, sizeof *all->sizes);
    all->sizes = sizes;
    if (fits && input.bytes > 0)
        memcpy(all->data + all->bytes, input.data, input.bytes);
    if (fits) {
        all->sizes[all->count++] = input.bytes;
        all->bytes += input.bytes;
    }
    core_input_end(&input);
    return fits ? 0 : -1;
}

static PyObject *push_list(struct core_queue *queue, PyObject *items,
                           struct core_deadline *deadline)
{
    struct gathered all = {0};
    PyObject *result = NULL, *item = NULL, *iterator = PyObject_GetIter(items);
    int failed = iterator ? 0 : -1;
    while (failed == 0 && (item = PyIter_Next(iterator))) {
        failed = gather(queue, item, &all);
        Py_DECREF(item);
    }
    if (failed == 0 && !PyErr_Occurred()) {
        struct batch batch = {queue, all.data, queue->is_messages ? all.sizes : NULL, all.count, 0};
        result = push_batch(queue, &batch, all.bytes, deadline);
    }
    Py_XDECREF(iterator);
    PyMem_Free(all.data);
    PyMem_Free(all.sizes);
    return result;
}

static PyObject *queue_push_many(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                 PyObject *words)
{
    static const char *const names[] = {"items", "timeout"};
    struct core_queue *queue = (struct core_queue *)self;
    struct core_deadline deadline;
    PyObject *values[2];
    if (core_parse("push_many", names, 1, 2, args, count, words, values) < 0 ||
        core_deadline(values[1], &deadline) < 0 || !core_open_thing(&queue->handle))
        return NULL;
    if (PyIter_Check(values[0])) {
        PyErr_SetString(
            PyExc_TypeError,
            "push_many needs a collection, such as a list: an iterator's items that find "
            "no room would be lost. Push the iterator's items one by one, or lists of "
            "some of them");
        return NULL;
    }
    if (queue->encode_many ||
        (!queue->is_messages && !queue->encode && PyObject_CheckBuffer(values[0])))
        return push_array(queue, values[0], &deadline);
    return push_list(queue, values[0], &deadline);
}

/* ---- Pop ------------------------------------------------------------------------------------- */

static quoit_status pop_many_call(void *handle, void *context, int64_t timeout_ns)
{
    struct batch *batch = context;
    union {
        const char *given;
        void *room;
    } to = {.given = batch->data};
    return quoit_queue_pop_many(core_c_queue(handle), to.room, (size_t)batch->queue->item_bytes,
                                batch->count, &batch->done, timeout_ns);
}

/* Up to count items to `to`: how many, or -1. If there was none: 0, and *status_out. */
static Py_ssize_t pop_to(struct core_queue *queue, void *to, size_t count,
                         struct core_deadline *deadline, quoit_status *status_out)
{
    struct batch batch = {.queue = queue, .data = to, .count = count};
    bool is_slow = count > CORE_LONG_BYTES / (size_t)queue->item_bytes;
    *status_out = QUOIT_OK;
    if (count == 0)
        return 0;
    if (core_perform(&queue->handle, CORE_CONSUMER, QUOIT_EMPTY, is_slow, deadline, pop_many_call,
                     &batch, status_out) < 0)
        return -1;
    return *status_out == QUOIT_OK ? (Py_ssize_t)batch.done : 0;
}

static int append(const struct core_queue *queue, PyObject *list, const char *data, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PyObject *bytes = PyBytes_FromStringAndSize(data + i * (size_t)queue->item_bytes,
                                                    (Py_ssize_t)queue->item_bytes);
        PyObject *item = core_decoded(queue, bytes);
        int failed = item ? PyList_Append(list, item) : -1;
        Py_XDECREF(item);
        if (failed < 0)
            return -1;
    }
    return 0;
}

/* Items in parts of at most SCRATCH_BYTES, until there are no more. */
static int pop_items(struct core_queue *queue, PyObject *list, size_t wanted,
                     struct core_deadline *deadline)
{
    size_t most = SCRATCH_BYTES / (size_t)queue->item_bytes;
    most = most > 0 ? most : 1;
    most = most < wanted ? most : wanted;
    char *scratch = PyMem_Malloc(most * (size_t)queue->item_bytes);
    if (!scratch) {
        PyErr_NoMemory();
        return -1;
    }
    struct core_deadline now = {QUOIT_NOW, 0};
    size_t done = 0;
    int failed = 0;
    while (failed == 0 && done < wanted) {
        size_t part = most < wanted - done ? most : wanted - done;
        quoit_status status = QUOIT_OK;
        Py_ssize_t got = pop_to(queue, scratch, part, done ? &now : deadline, &status);
        failed = got < 0 ? -1 : append(queue, list, scratch, (size_t)got);
        if (failed == 0 && status != QUOIT_OK && done == 0)
            failed = core_check(queue->handle.state, status);
        done += got > 0 ? (size_t)got : 0;
        if (got < (Py_ssize_t)part)
            break; /* if some were taken, the next call has the reason, if it lasts */
    }
    PyMem_Free(scratch);
    return failed;
}

static int pop_messages(struct core_queue *queue, PyObject *list, size_t wanted,
                        struct core_deadline *deadline)
{
    struct core_deadline now = {QUOIT_NOW, 0};
    for (size_t done = 0; done < wanted; done++) {
        quoit_status status = QUOIT_OK;
        PyObject *item = core_pop(queue, done ? &now : deadline, &status);
        if (!item && done > 0 && status != QUOIT_OK)
            break;
        if (!item)
            return status != QUOIT_OK ? core_check(queue->handle.state, status) : -1;
        int failed = PyList_Append(list, item);
        Py_DECREF(item);
        if (failed < 0)
            return -1;
    }
    return 0;
}

/* An array, made by decode_many over the items' bytes. */
static PyObject *pop_array(struct core_queue *queue, size_t wanted, struct core_deadline *deadline)
{
    struct core_thing *thing = core_open_thing(&queue->handle);
    if (!thing)
        return NULL;
    uint64_t capacity = quoit_queue_capacity(core_c_queue(thing->handle));
    size_t most = wanted < capacity ? wanted : (size_t)capacity;
    if (most > PY_SSIZE_T_MAX / (size_t)queue->item_bytes)
        most = PY_SSIZE_T_MAX / (size_t)queue->item_bytes;
    PyObject *bytes = PyByteArray_FromStringAndSize(NULL,
                                                    (Py_ssize_t)(most * (size_t)queue->item_bytes));
    quoit_status status = QUOIT_OK;
    Py_ssize_t got = -1;
    if (bytes)
        got = pop_to(queue, PyByteArray_AsString(bytes), most, deadline, &status);
    if (got >= 0 && core_check(queue->handle.state, status) < 0)
        got = -1;
    if (got >= 0 && PyByteArray_Resize(bytes, got * (Py_ssize_t)queue->item_bytes) < 0)
        got = -1;
    PyObject *array = got >= 0 ? PyObject_CallFunctionObjArgs(queue->decode_many, bytes, NULL)
                               : NULL;
    Py_XDECREF(bytes);
    return array;
}

static PyObject *queue_pop_many(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                PyObject *words)
{
    static const char *const names[] = {"count", "timeout"};
    struct core_queue *queue = (struct core_queue *)self;
    struct core_deadline deadline;
    PyObject *values[2];
    size_t wanted = 0;
    if (core_parse("pop_many", names, 1, 2, args, count, words, values) < 0 ||
        core_size("count", values[0], 0, &wanted) < 0 || core_deadline(values[1], &deadline) < 0)
        return NULL;
    if (queue->decode_many)
        return pop_array(queue, wanted, &deadline);
    PyObject *list = PyList_New(0);
    if (!list || wanted == 0)
        return list;
    int failed = queue->is_messages ? pop_messages(queue, list, wanted, &deadline)
                                    : pop_items(queue, list, wanted, &deadline);
    if (failed < 0)
        Py_CLEAR(list);
    return list;
}

static PyObject *queue_pop_into(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                PyObject *words)
{
    static const char *const names[] = {"buffer", "timeout"};
    struct core_queue *queue = (struct core_queue *)self;
    struct core_deadline deadline;
    PyObject *values[2];
    Py_buffer view;
    if (core_parse("pop_into", names, 1, 2, args, count, words, values) < 0 ||
        core_deadline(values[1], &deadline) < 0 || !core_open_thing(&queue->handle))
        return NULL;
    if (queue->is_messages) {
        core_raise_text(queue->handle.state, QUOIT_ERROR_INVALID,
                        "pop_into takes items of one size; this is a queue of messages");
        return NULL;
    }
    if (PyObject_GetBuffer(values[0], &view, PyBUF_WRITABLE) < 0)
        return NULL;
    size_t room = (size_t)view.len / (size_t)queue->item_bytes;
    quoit_status status = QUOIT_OK;
    Py_ssize_t got = -1;
    if (room == 0)
        PyErr_Format(PyExc_ValueError, "a buffer of %zd bytes has no room for an item of %llu",
                     view.len, (unsigned long long)queue->item_bytes);
    else
        got = pop_to(queue, view.buf, room, &deadline, &status);
    PyBuffer_Release(&view);
    if (got < 0 || core_check(queue->handle.state, status) < 0)
        return NULL;
    return PyLong_FromSsize_t(got);
}

PyMethodDef core_many_methods[] = {
    {"push_many", CALL_FAST(queue_push_many), METH_FASTCALL | METH_KEYWORDS,
     "push_many($self, items, timeout=None)\n--\n\n"
     "Wait for room for one item, then push as many as possible, the first ones first.\n\n"
     "items: a list or another collection of items; of items of one size also an array of them\n"
     "(NumPy, array.array, bytes), which takes one call of the C library. timeout: as of push.\n"
     "Returns how many were pushed. Raises Full, Finished, Abandoned if there was none; TooBig,\n"
     "ValueError or TypeError if any item is wrong, and then nothing was pushed."},
    {"pop_many", CALL_FAST(queue_pop_many), METH_FASTCALL | METH_KEYWORDS,
     "pop_many($self, count, timeout=None)\n--\n\n"
     "Wait for an item, then take as many as there are, up to count. Returns a list; of a queue\n"
     "with dtype= a NumPy array. timeout: as of pop. Raises Empty, Finished, Abandoned if there\n"
     "is none. If this process crashes in it, the items that it has taken are lost."},
    {"pop_into", CALL_FAST(queue_pop_into), METH_FASTCALL | METH_KEYWORDS,
     "pop_into($self, buffer, timeout=None)\n--\n\n"
     "As pop_many, into a writable buffer (a bytearray, a NumPy array), as many items as it has\n"
     "room for. Returns how many. Raises also Invalid for messages."},
    {NULL, NULL, 0, NULL},
};
