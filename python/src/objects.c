/* SPDX-License-Identifier: MIT */
/*
 * Objects, by pickle protocol 5, as messages:
 *
 *     0   magic          "qpy5"
 *     4   buffer_count
 *     8   pickle         of an object without buffers: up to the end of the message
 *
 *     8   pickle_bytes   of an object with buffers
 *    16   buffer_bytes   of each buffer, 8 bytes each
 *     …   pickle, then each buffer at a multiple of 64
 *
 * Buffers are what pickle takes out of band: NumPy's arrays, pickle.PickleBuffer. They are copied
 * once from the object to the queue, and once from the queue to the object that get() returns.
 * borrow() returns an object whose arrays lie in the queue.
 */
#include "pickles.h"
#include "place.h"

enum { MAGIC = 0x35797071 };

static PyObject *raise_for_queue(const struct core_queue *queue, quoit_status status,
                                 const char *text)
{
    core_raise_text(queue->handle.state, status, text);
    return NULL;
}

static bool takes_objects(struct core_queue *queue)
{
    if (!core_open_thing(&queue->handle))
        return false;
    if (!queue->is_messages)
        raise_for_queue(queue, QUOIT_ERROR_INVALID,
                        "objects need a queue of messages: make it with messages=True");
    return queue->is_messages;
}

/* ---- Put ------------------------------------------------------------------------------------- */

static void write_message(char *room, const struct pickled *pickled)
{
    const uint32_t head[2] = {MAGIC, pickled->count};
    uint64_t stream_bytes = pickled->data_bytes;
    size_t at = CORE_HEADER_BYTES;
    memcpy(room, head, sizeof head);
    if (pickled->count > 0) {
        memcpy(room + at, &stream_bytes, 8);
        at += 8;
        for (uint32_t i = 0; i < pickled->count; i++, at += 8) {
            uint64_t bytes = (uint64_t)pickled->views[i].len;
            memcpy(room + at, &bytes, 8);
        }
    }
    memcpy(room + at, pickled->data, pickled->data_bytes);
    at += pickled->data_bytes;
    for (uint32_t i = 0; i < pickled->count; i++) {
        at = core_aligned(at);
        if (pickled->views[i].len > 0)
            memcpy(room + at, pickled->views[i].buf, (size_t)pickled->views[i].len);
        at += (size_t)pickled->views[i].len;
    }
}

/* The interpreter's lock may be released here: the views keep the buffers, and the object its
   owners. */
static quoit_status put_call(void *handle, void *context, int64_t timeout_ns)
{
    const struct pickled *pickled = context;
    void *room = NULL;
    quoit_status status = quoit_queue_claim(core_c_queue(handle), pickled->bytes, &room,
                                            timeout_ns);
    if (status != QUOIT_OK)
        return status;
    write_message(room, pickled);
    return quoit_queue_commit(core_c_queue(handle), pickled->bytes);
}

static PyObject *put(PyObject *self, PyObject *object, PyObject *timeout)
{
    struct core_queue *queue = (struct core_queue *)self;
    struct core_deadline deadline;
    struct pickled pickled;
    quoit_status status = QUOIT_OK;
    if (core_deadline(timeout, &deadline) < 0 || !takes_objects(queue) ||
        core_pickle(queue->handle.state, object, &pickled) < 0)
        return NULL;
    int result = -1;
    if (pickled.bytes > queue->item_bytes)
        PyErr_Format(
            queue->handle.state->errors[QUOIT_ERROR_TOO_BIG - STATUS_LEAST],
            "an object of %zu bytes, the queue's messages have at most %llu: make it with a "
            "larger item_bytes",
            pickled.bytes, (unsigned long long)queue->item_bytes);
    else
        result = core_perform(&queue->handle, CORE_PRODUCER, QUOIT_FULL,
                              pickled.bytes >= CORE_LONG_BYTES, &deadline, put_call, &pickled,
                              &status);
    core_pickled_end(&pickled);
    if (result < 0 || core_check(queue->handle.state, status) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *queue_put(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *words)
{
    static const char *const names[] = {"object", "timeout"};
    PyObject *values[2];
    if (count == 1 && !words)
        return put(self, args[0], NULL);
    if (core_parse("put", names, 1, 2, args, count, words, values) < 0)
        return NULL;
    return put(self, values[0], values[1]);
}

static PyObject *queue_try_put(PyObject *self, PyObject *object)
{
    PyObject *now = PyLong_FromLong(0), *done = now ? put(self, object, now) : NULL;
    Py_XDECREF(now);
    return done;
}

/* ---- Get ------------------------------------------------------------------------------------- */

/* A message that is peeked at. Its header is read once, and each number checked against the
   message's size: another process may change it at any time. */
struct parts {
    const char *data;
    size_t bytes;
    uint32_t count;
    size_t stream_at, stream_bytes;
};

static bool parse_message(const char *data, size_t bytes, struct parts *out)
{
    uint32_t head[2];
    uint64_t stream_bytes = 0;
    *out = (struct parts){.data = data, .bytes = bytes};
    if (bytes < CORE_HEADER_BYTES)
        return false;
    memcpy(head, data, sizeof head);
    if (head[0] != MAGIC)
        return false;
    out->count = head[1];
    out->stream_at = CORE_HEADER_BYTES;
    out->stream_bytes = bytes - CORE_HEADER_BYTES;
    if (out->count == 0)
        return true;
    if (bytes < 16 || out->count > (bytes - 16) / 8)
        return false;
    memcpy(&stream_bytes, data + CORE_HEADER_BYTES, 8);
    out->stream_at = 16 + 8 * (size_t)out->count;
    out->stream_bytes = (size_t)stream_bytes;
    return stream_bytes <= bytes - out->stream_at;
}

/* The buffer behind *at_inout, which becomes its end. */
static bool next_buffer(const struct parts *parts, uint32_t index, size_t *at_inout,
                        size_t *begin_out)
{
    uint64_t bytes = 0;
    memcpy(&bytes, parts->data + 16 + 8 * (size_t)index, 8);
    size_t begin = core_aligned(*at_inout);
    if (begin > parts->bytes || bytes > parts->bytes - begin)
        return false;
    *begin_out = begin;
    *at_inout = begin + (size_t)bytes;
    return true;
}

struct got {
    PyObject *stream;
    PyObject **buffers;
    uint32_t count;
};

static void got_end(struct got *got)
{
    for (uint32_t i = 0; i < got->count; i++)
        Py_XDECREF(got->buffers[i]);
    PyMem_Free(got->buffers);
    Py_XDECREF(got->stream);
}

/* Copies the parts. No Python code may run before the message is released; so nothing is made here
   that the garbage collector watches. 1; 0 if it is no object's message; -1 with an exception. */
static int copy_parts(struct core_handle *handle, const struct parts *parts, struct got *got)
{
    size_t at = parts->stream_at + parts->stream_bytes, begin = 0;
    got->stream = PyBytes_FromStringAndSize(parts->data + parts->stream_at,
                                            (Py_ssize_t)parts->stream_bytes);
    if (!got->stream)
        return -1;
    if (parts->count == 0)
        return 1;
    got->buffers = PyMem_Calloc(parts->count, sizeof(PyObject *));
    if (!got->buffers) {
        PyErr_NoMemory();
        return -1;
    }
    for (uint32_t i = 0; i < parts->count; i++) {
        if (!next_buffer(parts, i, &at, &begin))
            return 0;
        got->buffers[i] = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(at - begin));
        if (!got->buffers[i])
            return -1;
        got->count++;
        core_copy(handle, CORE_CONSUMER, PyByteArray_AsString(got->buffers[i]), parts->data + begin,
                  at - begin);
    }
    return 1;
}

static PyObject *loads(const struct core_state *state, PyObject *stream, PyObject *buffers)
{
    if (!buffers)
        return PyObject_CallFunctionObjArgs(state->loads, stream, NULL);
    PyObject *args = PyTuple_Pack(1, stream), *words = PyDict_New(), *object = NULL;
    if (args && words && PyDict_SetItem(words, state->buffers, buffers) == 0)
        object = PyObject_Call(state->loads, args, words);
    Py_XDECREF(args);
    Py_XDECREF(words);
    return object;
}

static PyObject *loaded(const struct core_state *state, const struct got *got)
{
    if (got->count == 0)
        return loads(state, got->stream, NULL);
    PyObject *buffers = PyList_New(0), *object = NULL;
    bool is_good = buffers;
    for (uint32_t i = 0; is_good && i < got->count; i++)
        is_good = PyList_Append(buffers, got->buffers[i]) == 0;
    if (is_good)
        object = loads(state, got->stream, buffers);
    Py_XDECREF(buffers);
    return object;
}

struct peeked {
    const void *data;
    size_t bytes;
};

static quoit_status peek_call(void *handle, void *context, int64_t timeout_ns)
{
    struct peeked *peeked = context;
    return quoit_queue_peek(core_c_queue(handle), &peeked->data, &peeked->bytes, timeout_ns);
}

static const char no_object[] =
    "the next message is no object that put() made; it stays in the queue: pop() takes it";

static PyObject *get(struct core_queue *queue, struct core_deadline *deadline)
{
    struct core_handle *handle = &queue->handle;
    const struct core_state *state = handle->state;
    struct peeked peeked = {NULL, 0};
    struct parts parts;
    struct got got = {NULL, NULL, 0};
    quoit_status status = QUOIT_OK;
    if (!takes_objects(queue) ||
        core_perform(handle, CORE_CONSUMER, QUOIT_EMPTY, false, deadline, peek_call, &peeked,
                     &status) < 0 ||
        core_check(state, status) < 0)
        return NULL;
    struct core_thing *thing = core_open_thing(handle);
    if (!thing)
        return NULL;
    core_thing_ref(thing);
    int result = parse_message(peeked.data, peeked.bytes, &parts) ? copy_parts(handle, &parts, &got)
                                                                  : 0;
    if (result == 0)
        raise_for_queue(queue, QUOIT_ERROR_DIFFERENT, no_object);
    else if (result > 0 && core_check(state, quoit_queue_release(core_c_queue(thing->handle))) < 0)
        result = -1;
    core_thing_unref(thing);
    PyObject *object = result > 0 ? loaded(state, &got) : NULL;
    got_end(&got);
    return object;
}

static PyObject *queue_get(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *words)
{
    static const char *const names[] = {"timeout"};
    PyObject *values[1] = {NULL};
    struct core_deadline deadline;
    if (((count > 0 || words) && core_parse("get", names, 0, 1, args, count, words, values) < 0) ||
        core_deadline(values[0], &deadline) < 0)
        return NULL;
    return get((struct core_queue *)self, &deadline);
}

static PyObject *queue_try_get(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_deadline deadline = {QUOIT_NOW, 0};
    return get((struct core_queue *)self, &deadline);
}

/* ---- Borrow ---------------------------------------------------------------------------------- */

quoit_status core_release_one(quoit_queue *queue)
{
    return quoit_queue_release(queue);
}

/* The object of a message in place: its buffers are slices of a read-only view of the message. */
PyObject *core_object_in_place(struct core_place *place, PyObject *view)
{
    const struct core_memory *memory = place->memory;
    const struct core_state *state = place->queue->handle.state;
    struct parts parts;
    if (!parse_message(memory->address, memory->bytes, &parts))
        return raise_for_queue(place->queue, QUOIT_ERROR_DIFFERENT, no_object);
    PyObject *buffers = PyList_New(0), *object = NULL;
    PyObject *stream = PyBytes_FromStringAndSize(parts.data + parts.stream_at,
                                                 (Py_ssize_t)parts.stream_bytes);
    size_t at = parts.stream_at + parts.stream_bytes, begin = 0;
    bool is_good = buffers && stream;
    for (uint32_t i = 0; is_good && i < parts.count; i++) {
        if (!next_buffer(&parts, i, &at, &begin)) {
            raise_for_queue(place->queue, QUOIT_ERROR_DIFFERENT, no_object);
            is_good = false;
            break;
        }
        PyObject *slice = PySequence_GetSlice(view, (Py_ssize_t)begin, (Py_ssize_t)at);
        is_good = slice && PyList_Append(buffers, slice) == 0;
        Py_XDECREF(slice);
    }
    if (is_good)
        object = loads(state, stream, parts.count > 0 ? buffers : NULL);
    Py_XDECREF(buffers);
    Py_XDECREF(stream);
    return object;
}

static PyObject *queue_borrow(PyObject *self, PyObject *const *args, Py_ssize_t count,
                              PyObject *words)
{
    static const char *const names[] = {"timeout"};
    PyObject *values[1];
    if (core_parse("borrow", names, 0, 1, args, count, words, values) < 0 ||
        !takes_objects((struct core_queue *)self))
        return NULL;
    struct core_place *place = core_peek(self, values[0]);
    if (place)
        place->is_borrow = true;
    return (PyObject *)place;
}

PyMethodDef core_object_methods[] = {
    {"put", CALL_FAST(queue_put), METH_FASTCALL | METH_KEYWORDS,
     "put($self, object, timeout=None)\n--\n\n"
     "Push any object that pickle takes, as one message (pickle protocol 5). NumPy arrays and\n"
     "pickle.PickleBuffers in it are copied once, straight into the queue.\n\n"
     "timeout: as of push. Raises Full, Finished, Abandoned; TooBig if the object needs more than\n"
     "item_bytes; Invalid unless the queue was made with messages=True; and what pickle raises.\n"
     "As with pickle: only get() objects from processes that you trust.\n\n"
     "    queue.put({\"frame\": 7, \"pixels\": array})"},
    {"try_put", queue_try_put, METH_O,
     "try_put($self, object, /)\n--\n\n"
     "put without a wait. Raises Full if there is no room."},
    {"get", CALL_FAST(queue_get), METH_FASTCALL | METH_KEYWORDS,
     "get($self, timeout=None)\n--\n\n"
     "Take the next message off, and return the object that put() made it from. Arrays in it are\n"
     "new ones, and writable if the sent ones were.\n\n"
     "timeout: as of pop. Raises Empty, Finished, Abandoned; Different if the message was not "
     "made\n"
     "by put(); and what pickle raises: then the message is taken off all the same."},
    {"try_get", queue_try_get, METH_NOARGS,
     "try_get($self, /)\n--\n\n"
     "get without a wait. Raises Empty if there is no object."},
    {"borrow", CALL_FAST(queue_borrow), METH_FASTCALL | METH_KEYWORDS,
     "borrow($self, timeout=None)\n--\n\n"
     "A context manager: the next object, with its arrays read-only and in place, without a copy.\n"
     "The message is taken off once the block has ended and no array of it is alive. Until then\n"
     "the next call on this side of the handle raises BufferError: `del` the variables.\n\n"
     "    with queue.borrow() as frame:\n"
     "        total = frame.sum()\n"
     "        del frame"},
    {NULL, NULL, 0, NULL},
};
