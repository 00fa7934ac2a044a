/* SPDX-License-Identifier: MIT */
/* Regions, locks and semaphores: what quoit/_shared.py is made of. */
#include "core.h"

#include <quoit/lock.h>
#include <quoit/region.h>
#include <quoit/sem.h>

#include <stddef.h>

/* ---- Making ---------------------------------------------------------------------------------- */

enum how { CREATE, JOIN, OPEN };

struct request {
    enum how how;
    const char *name;
    uint32_t flags;
    struct quoit_region_options region;
    struct quoit_lock_options lock;
    struct quoit_sem_options sem;
    void *made;
};

static const struct core_option region_options[] = {
    {"data_bytes", offsetof(struct quoit_region_options, data_bytes), 8},
    {"permissions", offsetof(struct quoit_region_options, permissions), 4},
};
static const struct core_option lock_options[] = {
    {"permissions", offsetof(struct quoit_lock_options, permissions), 4},
};
static const struct core_option sem_options[] = {
    {"value", offsetof(struct quoit_sem_options, value), 4},
    {"permissions", offsetof(struct quoit_sem_options, permissions), 4},
    {"give_back", offsetof(struct quoit_sem_options, give_back), 4},
};

static int parse_options(PyObject *words, struct request *request)
{
    if (core_options(words, region_options, 2, &request->region) < 0 ||
        core_options(words, lock_options, 1, &request->lock) < 0)
        return -1;
    return core_options(words, sem_options, 3, &request->sem);
}

static quoit_status make_region(struct request *r)
{
    quoit_region *made = NULL;
    quoit_status status = r->how == CREATE
                              ? quoit_region_create(r->name, &r->region, r->flags, &made)
                          : r->how == JOIN ? quoit_region_join(r->name, &r->region, r->flags, &made)
                                           : quoit_region_open(r->name, r->flags, &made);
    r->made = made;
    return status;
}

static quoit_status make_lock(struct request *r)
{
    quoit_lock *made = NULL;
    quoit_status status = r->how == CREATE ? quoit_lock_create(r->name, &r->lock, r->flags, &made)
                          : r->how == JOIN ? quoit_lock_join(r->name, &r->lock, r->flags, &made)
                                           : quoit_lock_open(r->name, r->flags, &made);
    r->made = made;
    return status;
}

static quoit_status make_sem(struct request *r)
{
    quoit_sem *made = NULL;
    quoit_status status = r->how == CREATE ? quoit_sem_create(r->name, &r->sem, r->flags, &made)
                          : r->how == JOIN ? quoit_sem_join(r->name, &r->sem, r->flags, &made)
                                           : quoit_sem_open(r->name, r->flags, &made);
    r->made = made;
    return status;
}

static void close_region(void *handle)
{
    quoit_region_close((quoit_region *)handle);
}

static void close_lock(void *handle)
{
    quoit_lock_close((quoit_lock *)handle);
}

static void close_sem(void *handle)
{
    quoit_sem_close((quoit_sem *)handle);
}

static const struct kind {
    const char *name;
    quoit_status (*make)(struct request *request);
    void (*close)(void *handle);
} kinds[] = {
    {"region", make_region, close_region},
    {"lock", make_lock, close_lock},
    {"sem", make_sem, close_sem},
};

static PyObject *adopt(PyObject *type, struct core_state *state, const struct kind *kind,
                       void *made)
{
    struct core_thing *thing = core_thing_new(made, kind->close);
    struct core_handle *self =
        thing ? (struct core_handle *)PyType_GenericAlloc((PyTypeObject *)type, 0) : NULL;
    if (self)
        core_begin_handle(self, state, thing);
    else if (thing)
        core_thing_unref(thing);
    return (PyObject *)self;
}

PyObject *core_make_shared(PyObject *module, PyObject *args)
{
    struct core_state *state = PyModule_GetState(module);
    PyObject *type = NULL, *name = NULL, *flags = NULL, *words = NULL;
    const char *which = NULL, *how = NULL;
    struct request request = {.how = OPEN};
    if (!PyArg_ParseTuple(args, "OssOOO!", &type, &which, &how, &name, &flags, &PyDict_Type,
                          &words) ||
        parse_options(words, &request) < 0 || core_u32("flags", flags, &request.flags) < 0)
        return NULL;
    const struct kind *kind = &kinds[which[0] == 'r' ? 0 : which[0] == 'l' ? 1 : 2];
    if (how[0] != 'o')
        request.how = how[0] == 'c' ? CREATE : JOIN;
    PyObject *encoded = core_name(state, name);
    if (!encoded)
        return NULL;
    request.name = PyBytes_AsString(encoded);
    quoit_status status = QUOIT_OK;
    Py_BEGIN_ALLOW_THREADS
    status = kind->make(&request);
    Py_END_ALLOW_THREADS
    Py_DECREF(encoded);
    if (core_check(state, status) < 0)
        return NULL;
    return adopt(type, state, kind, request.made);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void *open_handle(PyObject *self)
{
    struct core_thing *thing = core_open_thing((struct core_handle *)self);
    return thing ? thing->handle : NULL;
}

static const struct core_state *state_of(PyObject *self)
{
    return ((struct core_handle *)self)->state;
}

static PyObject *region_memory(PyObject *self, PyObject *is_readonly)
{
    quoit_region *region = open_handle(self);
    if (!region)
        return NULL;
    void *data = quoit_region_data(region);
    return (PyObject *)core_memory_new(state_of(self), ((struct core_handle *)self)->thing, data,
                                       data ? (size_t)quoit_region_data_bytes(region) : 0,
                                       PyObject_IsTrue(is_readonly) != 0);
}

static PyObject *get_data_bytes(PyObject *self, void *unused)
{
    (void)unused;
    const quoit_region *region = open_handle(self);
    return region ? PyLong_FromUnsignedLongLong(quoit_region_data_bytes(region)) : NULL;
}

static quoit_status lock_call(void *handle, void *context, int64_t timeout_ns)
{
    (void)context;
    return quoit_lock_lock((quoit_lock *)handle, timeout_ns);
}

static quoit_status sem_call(void *handle, void *context, int64_t timeout_ns)
{
    (void)context;
    return quoit_sem_wait((quoit_sem *)handle, timeout_ns);
}

/* Waits, and returns the status as a number: OK, ABANDONED (of a lock) or TIMEOUT. */
static PyObject *acquire(PyObject *self, PyObject *timeout, core_call *call)
{
    struct core_deadline deadline;
    quoit_status status = QUOIT_OK;
    if (core_deadline(timeout, &deadline) < 0 ||
        core_perform_any((struct core_handle *)self, QUOIT_TIMEOUT, &deadline, call, NULL,
                         &status) < 0)
        return NULL;
    if (status != QUOIT_TIMEOUT && status != QUOIT_ABANDONED &&
        core_check(state_of(self), status) < 0)
        return NULL;
    return PyLong_FromLong(status);
}

static PyObject *lock_acquire(PyObject *self, PyObject *timeout)
{
    return acquire(self, timeout, lock_call);
}

static PyObject *sem_acquire(PyObject *self, PyObject *timeout)
{
    return acquire(self, timeout, sem_call);
}

static PyObject *lock_release(PyObject *self, PyObject *unused)
{
    (void)unused;
    quoit_lock *lock = open_handle(self);
    if (!lock || core_check(state_of(self), quoit_lock_unlock(lock)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *sem_release(PyObject *self, PyObject *unused)
{
    (void)unused;
    quoit_sem *sem = open_handle(self);
    if (!sem || core_check(state_of(self), quoit_sem_post(sem)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *get_holder(PyObject *self, void *unused)
{
    (void)unused;
    const quoit_lock *lock = open_handle(self);
    uint32_t pid = 0;
    if (!lock)
        return NULL;
    quoit_status status = quoit_lock_holder(lock, &pid);
    if (status != QUOIT_ABANDONED && core_check(state_of(self), status) < 0)
        return NULL;
    return PyLong_FromUnsignedLong(pid);
}

static PyObject *get_value(PyObject *self, void *unused)
{
    (void)unused;
    quoit_sem *sem = open_handle(self);
    uint32_t value = 0;
    if (!sem || core_check(state_of(self), quoit_sem_value(sem, &value)) < 0)
        return NULL;
    return PyLong_FromUnsignedLong(value);
}

static void handle_dealloc(PyObject *self)
{
    core_end_handle((struct core_handle *)self);
}

/* ---- The types ------------------------------------------------------------------------------- */

#define COMMON_METHODS                                       \
    {"close", core_handle_close, METH_NOARGS, NULL},         \
        {"__enter__", core_handle_enter, METH_NOARGS, NULL}, \
    {                                                        \
        "__exit__", core_handle_exit, METH_VARARGS, NULL     \
    }
#define CLOSED_PROPERTY                                                 \
    {                                                                   \
        "closed", core_handle_closed, NULL, "True after close().", NULL \
    }

static PyMethodDef region_methods[] = {
    COMMON_METHODS, {"_memory", region_memory, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static PyMethodDef lock_methods[] = {COMMON_METHODS,
                                     {"_acquire", lock_acquire, METH_O, NULL},
                                     {"_release", lock_release, METH_NOARGS, NULL},
                                     {NULL, NULL, 0, NULL}};
static PyMethodDef sem_methods[] = {COMMON_METHODS,
                                    {"_acquire", sem_acquire, METH_O, NULL},
                                    {"_release", sem_release, METH_NOARGS, NULL},
                                    {NULL, NULL, 0, NULL}};
static PyGetSetDef region_properties[] = {
    {"data_bytes", get_data_bytes, NULL, "Size of the data, in bytes.", NULL},
    CLOSED_PROPERTY,
    {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef lock_properties[] = {
    {"holder", get_holder, NULL,
     "The PID of the process that has the lock; 0 if none has. A snapshot.", NULL},
    CORE_WARN_AFTER,
    CLOSED_PROPERTY,
    {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef sem_properties[] = {
    {"value", get_value, NULL, "How many there are. A snapshot.", NULL},
    CLOSED_PROPERTY,
    {NULL, NULL, NULL, NULL, NULL}};

#define SHARED_TYPE(kind, name_)                                                  \
    static PyType_Slot kind##_slots[] = {{Py_tp_new, (void *)core_no_new},        \
                                         {Py_tp_dealloc, (void *)handle_dealloc}, \
                                         {Py_tp_methods, kind##_methods},         \
                                         {Py_tp_getset, kind##_properties},       \
                                         {0, NULL}};                              \
    PyType_Spec core_##kind##_spec = {                                            \
        .name = "quoit._core." name_,                                             \
        .basicsize = sizeof(struct core_handle),                                  \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                        \
        .slots = kind##_slots,                                                    \
    }
SHARED_TYPE(region, "Region");
SHARED_TYPE(lock, "Lock");
SHARED_TYPE(sem, "Semaphore");
