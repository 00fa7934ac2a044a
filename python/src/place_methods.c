/* SPDX-License-Identifier: MIT */
/* The methods of a queue that begin and end claims and peeks. */
#include "place.h"

static quoit_status commit_bytes(quoit_queue *queue, size_t bytes)
{
    return quoit_queue_commit(queue, bytes);
}

static quoit_status release_one(quoit_queue *queue, size_t unused)
{
    (void)unused;
    return quoit_queue_release(queue);
}

static quoit_status discard_one(quoit_queue *queue, size_t unused)
{
    (void)unused;
    return quoit_queue_discard(queue);
}

static struct core_place *new_place(PyObject *self, enum core_role role, PyObject *timeout)
{
    struct core_queue *queue = (struct core_queue *)self;
    struct core_deadline deadline;
    if (core_deadline(timeout, &deadline) < 0 || !core_open_thing(&queue->handle))
        return NULL;
    struct core_place *place = (struct core_place *)PyType_GenericAlloc(queue->handle.state->place,
                                                                        0);
    if (!place)
        return NULL;
    place->queue = (struct core_queue *)core_ref(self);
    place->role = role;
    place->deadline = deadline;
    return place;
}

static PyObject *claim(PyObject *self, PyObject *size, PyObject *timeout)
{
    struct core_queue *queue = (struct core_queue *)self;
    size_t wanted = (size_t)queue->item_bytes;
    if (size && size != Py_None && core_size("bytes", size, 0, &wanted) < 0)
        return NULL;
    struct core_place *place = new_place(self, CORE_PRODUCER, timeout);
    if (place) {
        place->wanted = place->count = wanted;
        place->action = commit_bytes;
    }
    return (PyObject *)place;
}

static PyObject *queue_claim(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *words)
{
    static const char *const names[] = {"bytes", "timeout"};
    PyObject *values[2];
    if (core_parse("claim", names, 0, 2, args, count, words, values) < 0)
        return NULL;
    return claim(self, values[0], values[1]);
}

static PyObject *queue_try_claim(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                 PyObject *words)
{
    static const char *const names[] = {"bytes"};
    PyObject *values[1], *made = NULL, *now = PyLong_FromLong(0);
    if (now && core_parse("try_claim", names, 0, 1, args, count, words, values) == 0)
        made = claim(self, values[0], now);
    Py_XDECREF(now);
    return made;
}

static PyObject *queue_claim_many(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                  PyObject *words)
{
    static const char *const names[] = {"wanted", "timeout"};
    PyObject *values[2];
    size_t wanted = 0;
    if (core_parse("claim_many", names, 1, 2, args, count, words, values) < 0 ||
        core_size("wanted", values[0], 0, &wanted) < 0)
        return NULL;
    struct core_place *place = new_place(self, CORE_PRODUCER, values[1]);
    if (place) {
        place->wanted = wanted;
        place->is_many = true;
        place->action = quoit_queue_commit_many;
    }
    return (PyObject *)place;
}

struct core_place *core_peek(PyObject *self, PyObject *timeout)
{
    struct core_place *place = new_place(self, CORE_CONSUMER, timeout);
    if (place)
        place->action = release_one;
    return place;
}

static PyObject *queue_peek(PyObject *self, PyObject *const *args, Py_ssize_t count,
                            PyObject *words)
{
    static const char *const names[] = {"timeout"};
    PyObject *values[1];
    if (core_parse("peek", names, 0, 1, args, count, words, values) < 0)
        return NULL;
    return (PyObject *)core_peek(self, values[0]);
}

static PyObject *queue_try_peek(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *now = PyLong_FromLong(0), *made = now ? (PyObject *)core_peek(self, now) : NULL;
    Py_XDECREF(now);
    return made;
}

static PyObject *queue_peek_many(PyObject *self, PyObject *const *args, Py_ssize_t count,
                                 PyObject *words)
{
    static const char *const names[] = {"limit", "timeout"};
    PyObject *values[2];
    size_t limit = 0;
    if (core_parse("peek_many", names, 1, 2, args, count, words, values) < 0 ||
        core_size("limit", values[0], 1, &limit) < 0)
        return NULL;
    struct core_place *place = new_place(self, CORE_CONSUMER, values[1]);
    if (place) {
        place->wanted = limit;
        place->is_many = true;
        place->action = quoit_queue_release_many;
    }
    return (PyObject *)place;
}

/* ---- Ends inside the block ------------------------------------------------------------------- */

/* The view of this thread's block that is open, or NULL with an exception set. */
static struct core_place *place_of(struct core_queue *queue, enum core_role role, const char *what)
{
    if (!core_open_thing(&queue->handle))
        return NULL;
    struct core_place *place = queue->handle.sides[role].place;
    if (!place || place->is_ended || place->thread != PyThread_get_thread_ident()) {
        PyErr_Format(queue->handle.state->errors[QUOIT_ERROR_INVALID - STATUS_LEAST],
                     "this thread has no %s open", what);
        return NULL;
    }
    return place;
}

static PyObject *end_place(struct core_place *place, core_place_action *action, size_t count)
{
    core_ref((PyObject *)place);
    place->count = count;
    int result = core_place_end(place, action);
    Py_DECREF((PyObject *)place);
    return result < 0 ? NULL : core_ref(Py_None);
}

static PyObject *queue_commit(PyObject *self, PyObject *value)
{
    struct core_queue *queue = (struct core_queue *)self;
    struct core_place *place = place_of(queue, CORE_PRODUCER, "claim");
    size_t bytes = 0;
    if (!place || core_size("bytes", value, 0, &bytes) < 0)
        return NULL;
    if (bytes > place->memory->bytes || (!queue->is_messages && bytes != queue->item_bytes))
        return PyErr_Format(PyExc_ValueError, "%zu bytes to commit; the claim is of %zu", bytes,
                            place->memory->bytes);
    return end_place(place, commit_bytes, bytes);
}

static PyObject *queue_commit_many(PyObject *self, PyObject *value)
{
    struct core_queue *queue = (struct core_queue *)self;
    struct core_place *place = place_of(queue, CORE_PRODUCER, "claim");
    size_t count = 0;
    if (!place || core_size("count", value, 0, &count) < 0)
        return NULL;
    if (queue->is_messages || count > place->memory->bytes / queue->item_bytes)
        return PyErr_Format(PyExc_ValueError, "%zu items to commit; the claim is of %zu bytes",
                            count, place->memory->bytes);
    return end_place(place, quoit_queue_commit_many, count);
}

static quoit_status discard_call(void *handle, void *context, int64_t timeout_ns)
{
    (void)context;
    (void)timeout_ns;
    return quoit_queue_discard(core_c_queue(handle));
}

static PyObject *queue_discard(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_queue *queue = (struct core_queue *)self;
    struct core_place *place = queue->handle.sides[CORE_PRODUCER].place;
    struct core_deadline deadline = {QUOIT_FOREVER, 0};
    quoit_status status = QUOIT_OK;
    if (place && !place->is_ended) {
        place = place_of(queue, CORE_PRODUCER, "claim");
        return place ? end_place(place, discard_one, 0) : NULL;
    }
    if (core_perform(&queue->handle, CORE_PRODUCER, QUOIT_FULL, false, &deadline, discard_call,
                     NULL, &status) < 0 ||
        core_check(queue->handle.state, status) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *queue_release(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_place *place = place_of((struct core_queue *)self, CORE_CONSUMER, "peek");
    return place ? end_place(place, release_one, 0) : NULL;
}

static PyObject *queue_release_many(PyObject *self, PyObject *value)
{
    struct core_queue *queue = (struct core_queue *)self;
    struct core_place *place = place_of(queue, CORE_CONSUMER, "peek");
    size_t count = 0;
    if (!place || core_size("count", value, 0, &count) < 0)
        return NULL;
    size_t most = place->memory->bytes / (size_t)queue->item_bytes;
    if (count > (most > 1 ? most : 1))
        return PyErr_Format(PyExc_ValueError, "%zu items to release; the peek is at %zu", count,
                            most);
    return end_place(place, quoit_queue_release_many, count);
}

PyMethodDef core_place_methods[] = {
    {"claim", CALL_FAST(queue_claim), METH_FASTCALL | METH_KEYWORDS,
     "claim($self, bytes=None, timeout=None)\n--\n\n"
     "A context manager: room for an item, or for a message of so many bytes, as a writable\n"
     "memoryview in place. The end of the block pushes it, an exception drops it.\n\n"
     "bytes: size of the message; None: item_bytes. timeout: seconds, as of push.\n"
     "Raises Full, Finished, Abandoned, TooBig; BufferError at the end of the block if a slice of\n"
     "the view, or an array over it, is still in use: then nothing is pushed.\n\n"
     "    with queue.claim(5) as room:\n"
     "        room[:] = b\"hello\""},
    {"try_claim", CALL_FAST(queue_try_claim), METH_FASTCALL | METH_KEYWORDS,
     "try_claim($self, bytes=None)\n--\n\n"
     "claim without a wait. The block raises Full if there is no room."},
    {"claim_many", CALL_FAST(queue_claim_many), METH_FASTCALL | METH_KEYWORDS,
     "claim_many($self, wanted, timeout=None)\n--\n\n"
     "As claim, for up to `wanted` items, one behind the other. The view has as many as there was\n"
     "room for. Raises Invalid for messages."},
    {"commit", queue_commit, METH_O,
     "commit($self, bytes, /)\n--\n\n"
     "Inside the block of a claim: push this many of the message's bytes. The view ends."},
    {"commit_many", queue_commit_many, METH_O,
     "commit_many($self, count, /)\n--\n\n"
     "Inside the block of claim_many: push the first count items. The view ends."},
    {"discard", queue_discard, METH_NOARGS,
     "discard($self, /)\n--\n\n"
     "Inside the block of a claim: drop it. The view ends. Does nothing if there is no claim."},
    {"peek", CALL_FAST(queue_peek), METH_FASTCALL | METH_KEYWORDS,
     "peek($self, timeout=None)\n--\n\n"
     "A context manager: the next item or message as a read-only memoryview in place. The end of\n"
     "the block takes it off; an exception leaves it in the queue. timeout: seconds, as of pop.\n"
     "Raises Empty, Finished, Abandoned; BufferError at the end of the block if a slice of the\n"
     "view, or an array over it, is still in use: then the item stays.\n\n"
     "    with queue.peek() as view:\n"
     "        print(view[0])"},
    {"try_peek", queue_try_peek, METH_NOARGS,
     "try_peek($self, /)\n--\n\n"
     "peek without a wait. The block raises Empty if there is no item."},
    {"peek_many", CALL_FAST(queue_peek_many), METH_FASTCALL | METH_KEYWORDS,
     "peek_many($self, limit, timeout=None)\n--\n\n"
     "As peek, for up to limit items, one behind the other. Raises Invalid for messages."},
    {"release", queue_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Inside the block of a peek: take the item off now. The view ends."},
    {"release_many", queue_release_many, METH_O,
     "release_many($self, count, /)\n--\n\n"
     "Inside the block of peek_many: take the first count items off, and leave the others. The\n"
     "view ends."},
    {NULL, NULL, 0, NULL},
};
