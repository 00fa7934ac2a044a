/* SPDX-License-Identifier: MIT */
/* Pools: what quoit/_pool.py is made of. Blocks are numbers here. */
#include "core.h"

#include <stddef.h>

struct pool {
    struct core_handle handle; /* first; its sides are not used */
};

static quoit_pool *c_pool(void *handle)
{
    return (quoit_pool *)handle;
}

static void close_pool(void *handle)
{
    quoit_pool_close(c_pool(handle));
}

static const struct core_option options[] = {
    {"block_bytes", offsetof(struct quoit_pool_options, block_bytes), 8},
    {"blocks", offsetof(struct quoit_pool_options, blocks), 8},
    {"permissions", offsetof(struct quoit_pool_options, permissions), 4},
};

PyObject *core_make_pool(PyObject *module, PyObject *args)
{
    struct core_state *state = PyModule_GetState(module);
    PyObject *type = NULL, *name = NULL, *flags = NULL, *words = NULL;
    const char *how = NULL;
    struct quoit_pool_options asked = {0};
    uint32_t chosen = 0;
    if (!PyArg_ParseTuple(args, "OsOOO!", &type, &how, &name, &flags, &PyDict_Type, &words) ||
        core_options(words, options, sizeof options / sizeof *options, &asked) < 0 ||
        core_u32("flags", flags, &chosen) < 0)
        return NULL;
    PyObject *encoded = core_name(state, name);
    if (!encoded)
        return NULL;
    const char *text = PyBytes_AsString(encoded);
    quoit_pool *made = NULL;
    quoit_status status = QUOIT_OK;
    Py_BEGIN_ALLOW_THREADS
    if (strcmp(how, "create") == 0)
        status = quoit_pool_create(text, &asked, chosen, &made);
    else if (strcmp(how, "join") == 0)
        status = quoit_pool_join(text, &asked, chosen, &made);
    else
        status = quoit_pool_open(text, chosen, &made);
    Py_END_ALLOW_THREADS
    Py_DECREF(encoded);
    if (core_check(state, status) < 0)
        return NULL;
    struct core_thing *thing = core_thing_new(made, close_pool);
    struct core_handle *self =
        thing ? (struct core_handle *)PyType_GenericAlloc((PyTypeObject *)type, 0) : NULL;
    if (self)
        core_begin_handle(self, state, thing);
    else if (thing)
        core_thing_unref(thing);
    return (PyObject *)self;
}

static quoit_pool *open_pool(PyObject *self)
{
    struct core_thing *thing = core_open_thing((struct core_handle *)self);
    return thing ? c_pool(thing->handle) : NULL;
}

static int check(PyObject *self, quoit_status status)
{
    return core_check(((struct core_handle *)self)->state, status);
}

static PyObject *pool_alloc(PyObject *self, PyObject *unused)
{
    (void)unused;
    quoit_pool *pool = open_pool(self);
    quoit_block block = 0;
    if (!pool || check(self, quoit_pool_alloc(pool, &block)) < 0)
        return NULL;
    return PyLong_FromUnsignedLongLong(block);
}

static PyObject *pool_free(PyObject *self, PyObject *number)
{
    quoit_pool *pool = open_pool(self);
    quoit_block block = 0;
    if (!pool || core_number("number", number, 0, UINT64_MAX, &block) < 0 ||
        check(self, quoit_pool_free(pool, block)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *pool_memory(PyObject *self, PyObject *number)
{
    struct core_handle *handle = (struct core_handle *)self;
    quoit_pool *pool = open_pool(self);
    quoit_block block = 0;
    if (!pool || core_number("number", number, 0, UINT64_MAX, &block) < 0)
        return NULL;
    void *memory = quoit_pool_at(pool, block);
    if (!memory) {
        core_raise_text(handle->state, QUOIT_ERROR_NOT_YOURS, "the block was freed or pushed");
        return NULL;
    }
    return (PyObject *)core_memory_new(handle->state, handle->thing, memory,
                                       (size_t)quoit_pool_block_bytes(pool), false);
}

/* A call on both handles. */
struct passed {
    quoit_pool *pool;
    quoit_block block;
};

static quoit_status push_call(void *handle, void *context, int64_t timeout_ns)
{
    const struct passed *passed = context;
    return quoit_pool_push(passed->pool, core_c_queue(handle), passed->block, timeout_ns);
}

static quoit_status pop_call(void *handle, void *context, int64_t timeout_ns)
{
    struct passed *passed = context;
    return quoit_pool_pop(passed->pool, core_c_queue(handle), &passed->block, timeout_ns);
}

static PyObject *pass(PyObject *self, PyObject *args, enum core_role role, core_call *call,
                      quoit_status unready)
{
    struct core_handle *handle = (struct core_handle *)self;
    PyObject *object = NULL, *timeout = NULL, *number = NULL;
    struct core_deadline deadline;
    struct passed passed = {0};
    quoit_status status = QUOIT_OK;
    if (!PyArg_ParseTuple(args, "OO|O", &object, &timeout, &number) ||
        core_deadline(timeout, &deadline) < 0 ||
        (number && core_number("number", number, 0, UINT64_MAX, &passed.block) < 0))
        return NULL;
    struct core_queue *queue = core_queue_of(handle->state, object);
    if (!queue)
        return NULL;
    /* Waits on the queue are cut into parts here, since closing the pool has to end them, too. */
    do {
        struct core_deadline part = deadline;
        int64_t left = core_left_ns(&deadline);
        if (left > 20000000)
            part = (struct core_deadline){20000000, 0};
        struct core_thing *thing = core_open_thing(handle);
        if (!thing)
            return NULL;
        passed.pool = c_pool(thing->handle);
        core_thing_ref(thing);
        int failed = core_perform(&queue->handle, role, unready, false, &part, call, &passed,
                                  &status);
        core_thing_unref(thing);
        if (failed < 0)
            return NULL;
    } while (status == unready && core_left_ns(&deadline) > 0);
    if (check(self, status) < 0)
        return NULL;
    return PyLong_FromUnsignedLongLong(passed.block);
}

static PyObject *pool_push(PyObject *self, PyObject *args)
{
    return pass(self, args, CORE_PRODUCER, push_call, QUOIT_FULL);
}

static PyObject *pool_pop(PyObject *self, PyObject *args)
{
    return pass(self, args, CORE_CONSUMER, pop_call, QUOIT_EMPTY);
}

static PyObject *pool_reclaim(PyObject *self, PyObject *queues)
{
    struct core_handle *handle = (struct core_handle *)self;
    Py_ssize_t count = PyTuple_Size(queues);
    quoit_queue **c_queues = count < 0 ? NULL
                                       : PyMem_Calloc((size_t)count + 1, sizeof(quoit_queue *));
    quoit_pool *pool = open_pool(self);
    uint64_t freed = 0;
    bool is_good = c_queues && pool;
    for (Py_ssize_t i = 0; is_good && i < count; i++) {
        struct core_queue *queue = core_queue_of(handle->state, PyTuple_GetItem(queues, i));
        struct core_thing *thing = queue ? core_open_thing(&queue->handle) : NULL;
        is_good = thing;
        if (is_good)
            c_queues[i] = core_c_queue(thing->handle);
    }
    /* The interpreter's lock keeps all of them open. */
    if (is_good)
        is_good = check(self, quoit_pool_reclaim(pool, c_queues, (uint64_t)count, &freed)) == 0;
    PyMem_Free(c_queues);
    return is_good ? PyLong_FromUnsignedLongLong(freed) : NULL;
}

typedef uint64_t number_of(const quoit_pool *pool);

static PyObject *get_number(PyObject *self, void *closure)
{
    static number_of *const calls[] = {quoit_pool_block_bytes, quoit_pool_blocks,
                                       quoit_pool_free_count};
    const quoit_pool *pool = open_pool(self);
    return pool ? PyLong_FromUnsignedLongLong(calls[*(const int *)closure](pool)) : NULL;
}

static void pool_dealloc(PyObject *self)
{
    core_end_handle((struct core_handle *)self);
}

static PyMethodDef pool_methods[] = {
    {"close", core_handle_close, METH_NOARGS, NULL},
    {"__enter__", core_handle_enter, METH_NOARGS, NULL},
    {"__exit__", core_handle_exit, METH_VARARGS, NULL},
    {"_alloc", pool_alloc, METH_NOARGS, NULL},
    {"_free", pool_free, METH_O, NULL},
    {"_memory", pool_memory, METH_O, NULL},
    {"_push", pool_push, METH_VARARGS, NULL},
    {"_pop", pool_pop, METH_VARARGS, NULL},
    {"_reclaim", pool_reclaim, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static int which[] = {0, 1, 2};
static PyGetSetDef pool_properties[] = {
    {"block_bytes", get_number, NULL, "Size of a block.", &which[0]},
    {"blocks", get_number, NULL, "How many blocks the pool has.", &which[1]},
    {"free_count", get_number, NULL, "How many are free: a look at each.", &which[2]},
    {"closed", core_handle_closed, NULL, "True after close().", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot pool_slots[] = {
    {Py_tp_new, (void *)core_no_new},
    {Py_tp_dealloc, (void *)pool_dealloc},
    {Py_tp_methods, pool_methods},
    {Py_tp_getset, pool_properties},
    {0, NULL},
};
PyType_Spec core_pool_spec = {
    .name = "quoit._core.Pool",
    .basicsize = sizeof(struct pool),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = pool_slots,
};
