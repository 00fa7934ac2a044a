/* SPDX-License-Identifier: MIT */
/* Waiting for several queues: what quoit.wait is made of. */
#include "core.h"

struct any {
    struct quoit_wait *waits;
    struct core_use *uses; /* room for both sides of each queue */
    size_t count, use_count;
};

static quoit_status wait_call(void *handle, void *context, int64_t timeout_ns)
{
    const struct any *any = context;
    (void)handle;
    return quoit_wait_any(any->waits, any->count, timeout_ns);
}

static void add_use(struct any *any, struct core_handle *handle, enum core_role role)
{
    for (size_t i = 0; i < any->use_count; i++)
        if (any->uses[i].handle == handle && any->uses[i].role == role)
            return;
    any->uses[any->use_count++] = (struct core_use){.handle = handle, .role = role};
}

/* Takes a pair: a queue, and events. */
static int add_pair(struct any *any, const struct core_state *state, PyObject *pair)
{
    PyObject *object = NULL, *events = NULL;
    uint32_t wanted = 0;
    if (!PyArg_ParseTuple(pair, "OO", &object, &events) || core_u32("events", events, &wanted) < 0)
        return -1;
    struct core_queue *queue = core_queue_of(state, object);
    struct core_thing *thing = queue ? core_open_thing(&queue->handle) : NULL;
    if (!thing)
        return -1;
    any->waits[any->count++] = (struct quoit_wait){core_c_queue(thing->handle), wanted, 0};
    if (wanted & QUOIT_ITEMS)
        add_use(any, &queue->handle, CORE_CONSUMER);
    if (wanted & QUOIT_ROOM || !(wanted & QUOIT_ITEMS))
        add_use(any, &queue->handle, CORE_PRODUCER);
    return 0;
}

static PyObject *ready_events(const struct any *any)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < any->count; i++) {
        PyObject *ready = PyLong_FromUnsignedLong(any->waits[i].ready);
        if (!ready || PyList_Append(list, ready) < 0)
            Py_CLEAR(list);
        Py_XDECREF(ready);
    }
    return list;
}

static PyObject *wait_on(struct any *any, const struct core_state *state, PyObject *pairs,
                         struct core_deadline *deadline)
{
    Py_ssize_t count = PyTuple_Size(pairs);
    quoit_status status = QUOIT_OK;
    for (Py_ssize_t i = 0; i < count; i++)
        if (add_pair(any, state, PyTuple_GetItem(pairs, i)) < 0)
            return NULL;
    if (core_perform_all(any->uses, any->use_count, QUOIT_TIMEOUT, deadline, wait_call, any,
                         &status) < 0)
        return NULL;
    if (status != QUOIT_TIMEOUT && core_check(state, status) < 0)
        return NULL;
    if (status == QUOIT_TIMEOUT)
        for (size_t i = 0; i < any->count; i++)
            any->waits[i].ready = 0;
    return ready_events(any);
}

/* wait(((queue, events), ...), timeout): the events that are ready, of each queue. */
PyObject *core_wait(PyObject *module, PyObject *args)
{
    const struct core_state *state = PyModule_GetState(module);
    PyObject *pairs = NULL, *timeout = NULL, *result = NULL;
    struct core_deadline deadline;
    struct any any = {0};
    if (!PyArg_ParseTuple(args, "O!O", &PyTuple_Type, &pairs, &timeout) ||
        core_deadline(timeout, &deadline) < 0)
        return NULL;
    size_t count = (size_t)PyTuple_Size(pairs);
    if (count == 0)
        return PyList_New(0);
    any.waits = PyMem_Calloc(count, sizeof *any.waits);
    any.uses = PyMem_Calloc(count, 2 * sizeof *any.uses);
    if (any.waits && any.uses)
        result = wait_on(&any, state, pairs, &deadline);
    else
        PyErr_NoMemory();
    PyMem_Free(any.waits);
    PyMem_Free(any.uses);
    return result;
}
