/* SPDX-License-Identifier: MIT */
/* Queues: how they are made, what they are, and what they have in them. */
#include "core.h"

#include <stddef.h>

/* ---- Making ---------------------------------------------------------------------------------- */

#define OPTION(member)                                           \
    {                                                            \
#member, offsetof(struct quoit_queue_options, member),   \
            sizeof(((struct quoit_queue_options *)NULL)->member) \
    }
static const struct core_option options[] = {
    OPTION(capacity),  OPTION(item_bytes), OPTION(user_bytes), OPTION(kind),
    OPTION(when_full), OPTION(messages),   OPTION(item_align), OPTION(permissions),
    OPTION(finishes),  OPTION(members),    OPTION(memory),
};

static void close_queue(void *handle)
{
    quoit_queue_close(core_c_queue(handle));
}

static void interrupt_queue(void *handle)
{
    (void)quoit_queue_interrupt(core_c_queue(handle)); /* an observer never waits */
}

static int set_type(struct quoit_queue_options *asked, PyObject *words)
{
    PyObject *type = PyDict_GetItemString(words, "type"); /* bytes, which Python has made */
    if (!type)
        return 0;
    char *text = NULL;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(type, &text, &size) < 0)
        return -1;
    if (size >= (Py_ssize_t)sizeof asked->type || strlen(text) != (size_t)size) {
        PyErr_Format(PyExc_ValueError, "type is %R; it must have at most 31 bytes, and no NUL",
                     type);
        return -1;
    }
    memcpy(asked->type, text, (size_t)size);
    return 0;
}

static PyObject *adopt(PyTypeObject *type, struct core_state *state, quoit_queue *c_queue,
                       PyObject *codec)
{
    struct core_thing *thing = core_thing_new(c_queue, close_queue);
    struct core_queue *queue = thing ? (struct core_queue *)PyType_GenericAlloc(type, 0) : NULL;
    struct quoit_queue_info info;
    if (!queue) {
        if (thing)
            core_thing_unref(thing);
        return NULL;
    }
    core_begin_handle(&queue->handle, state, thing);
    thing->interrupt = interrupt_queue;
    PyObject **parts[] = {&queue->record, &queue->encode, &queue->decode, &queue->encode_many,
                          &queue->decode_many};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        PyObject *part = PyTuple_GetItem(codec, (Py_ssize_t)i);
        if (part && part != Py_None)
            *parts[i] = core_ref(part);
        PyErr_Clear();
    }
    PyObject *is_pack = PyTuple_GetItem(codec, 5);
    queue->encode_is_pack = is_pack && PyObject_IsTrue(is_pack) == 1;
    if (!is_pack || core_check(state, quoit_queue_inspect(c_queue, &info)) < 0) {
        Py_DECREF((PyObject *)queue);
        return NULL;
    }
    queue->item_bytes = info.item_bytes;
    queue->is_messages = info.messages != 0;
    core_set_pauses(&queue->handle, info.capacity);
    return (PyObject *)queue;
}

PyObject *core_make_queue(PyObject *module, PyObject *args)
{
    struct core_state *state = PyModule_GetState(module);
    PyObject *type = NULL, *name = NULL, *flags = NULL, *words = NULL, *codec = NULL;
    const char *how = NULL;
    struct quoit_queue_options asked = {0};
    uint32_t roles = 0;
    if (!PyArg_ParseTuple(args, "OsOOO!O!", &type, &how, &name, &flags, &PyDict_Type, &words,
                          &PyTuple_Type, &codec) ||
        core_options(words, options, sizeof options / sizeof *options, &asked) < 0 ||
        set_type(&asked, words) < 0 || core_u32("flags", flags, &roles) < 0)
        return NULL;
    quoit_queue *c_queue = NULL;
    quoit_status status = QUOIT_OK;
    if (strcmp(how, "again") == 0) { /* name is a queue */
        struct core_queue *other = core_queue_of(state, name);
        struct core_thing *thing = other ? core_open_thing(&other->handle) : NULL;
        if (!thing)
            return NULL;
        status = quoit_queue_again(core_c_queue(thing->handle), roles, &c_queue);
        if (core_check(state, status) < 0)
            return NULL;
        return adopt((PyTypeObject *)type, state, c_queue, codec);
    }
    PyObject *encoded = core_name(state, name);
    if (!encoded)
        return NULL;
    const char *text = PyBytes_AsString(encoded);
    Py_BEGIN_ALLOW_THREADS
    if (strcmp(how, "create") == 0)
        status = quoit_queue_create(text, &asked, roles, &c_queue);
    else if (strcmp(how, "join") == 0)
        status = quoit_queue_join(text, &asked, roles, &c_queue);
    else
        status = quoit_queue_open(text, roles, &c_queue);
    Py_END_ALLOW_THREADS
    Py_DECREF(encoded);
    if (core_check(state, status) < 0)
        return NULL;
    return adopt((PyTypeObject *)type, state, c_queue, codec);
}

struct core_queue *core_queue_of(const struct core_state *state, PyObject *object)
{
    int is_queue = PyObject_IsInstance(object, (PyObject *)state->queue);
    if (is_queue == 1)
        return (struct core_queue *)object;
    if (is_queue == 0)
        PyErr_Format(PyExc_TypeError, "%R is no quoit.Queue", object);
    return NULL;
}

static void queue_dealloc(PyObject *self)
{
    struct core_queue *queue = (struct core_queue *)self;
    PyObject *kind = NULL, *value = NULL, *trace = NULL;
    PyErr_Fetch(&kind, &value, &trace);
    core_close(&queue->handle);
    PyErr_Restore(kind, value, trace);
    Py_CLEAR(queue->record);
    Py_CLEAR(queue->encode);
    Py_CLEAR(queue->decode);
    Py_CLEAR(queue->encode_many);
    Py_CLEAR(queue->decode_many);
    core_free_gates(&queue->handle);
    core_free(self);
}

/* ---- Properties ------------------------------------------------------------------------------ */

static quoit_queue *open_queue(PyObject *self)
{
    struct core_thing *thing = core_open_thing((struct core_handle *)self);
    return thing ? core_c_queue(thing->handle) : NULL;
}

static PyObject *get_item_bytes(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((struct core_queue *)self)->item_bytes);
}

static PyObject *get_messages(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct core_queue *)self)->is_messages);
}

static PyObject *get_record(PyObject *self, void *unused)
{
    (void)unused;
    PyObject *record = ((struct core_queue *)self)->record;
    return core_ref(record ? record : Py_None);
}

static PyObject *get_capacity(PyObject *self, void *unused)
{
    (void)unused;
    const quoit_queue *queue = open_queue(self);
    return queue ? PyLong_FromUnsignedLongLong(quoit_queue_capacity(queue)) : NULL;
}

static PyObject *get_missed(PyObject *self, void *unused)
{
    (void)unused;
    const quoit_queue *queue = open_queue(self);
    return queue ? PyLong_FromUnsignedLongLong(quoit_queue_missed(queue)) : NULL;
}

static Py_ssize_t queue_length(PyObject *self)
{
    const quoit_queue *queue = open_queue(self);
    return queue ? (Py_ssize_t)quoit_queue_size(queue) : -1;
}

static int queue_bool(PyObject *self)
{
    (void)self;
    return 1; /* and not whether it has items */
}

/* ---- Calls of any thread --------------------------------------------------------------------- */

static quoit_status check_call(void *handle, void *context, int64_t timeout_ns)
{
    (void)context;
    (void)timeout_ns;
    return quoit_queue_check(core_c_queue(handle));
}

static PyObject *queue_check(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_handle *handle = (struct core_handle *)self;
    quoit_status status = QUOIT_OK;
    if (core_unlocked(handle, check_call, NULL, &status) < 0 ||
        core_check(handle->state, status) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *queue_inspect(PyObject *self, PyObject *unused)
{
    (void)unused;
    const quoit_queue *queue = open_queue(self);
    struct quoit_queue_info info;
    if (!queue ||
        core_check(((struct core_handle *)self)->state, quoit_queue_inspect(queue, &info)) < 0)
        return NULL;
    unsigned long long longs[] = {info.item_bytes,
                                  info.capacity,
                                  info.user_bytes,
                                  info.size,
                                  info.pushed,
                                  info.popped,
                                  info.pushed_messages,
                                  info.popped_messages,
                                  info.created_at_unix_ns};
    return Py_BuildValue("(IIOOKKKKKKKKKIIIIKKKKKKyIIOI)", info.kind, info.when_full,
                         info.messages ? Py_True : Py_False, info.finished ? Py_True : Py_False,
                         longs[0], longs[1], longs[2], longs[3], longs[4], longs[5], longs[6],
                         longs[7], longs[8], info.created_by, info.producer_pid, info.consumer_pid,
                         info.item_align, (unsigned long long)info.full,
                         (unsigned long long)info.empty, (unsigned long long)info.sleeps,
                         (unsigned long long)info.wakes, (unsigned long long)info.repairs,
                         (unsigned long long)info.high_water, info.type, info.finishes,
                         info.members, info.transient ? Py_True : Py_False, info.memory);
}

struct members {
    struct quoit_member_info rows[QUOIT_MEMBERS_MAX];
    uint64_t count;
};

static quoit_status members_call(void *handle, void *context, int64_t timeout_ns)
{
    struct members *members = context;
    (void)timeout_ns;
    return quoit_queue_members(core_c_queue(handle), members->rows, QUOIT_MEMBERS_MAX,
                               &members->count);
}

static PyObject *queue_members(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_handle *handle = (struct core_handle *)self;
    struct members *members = PyMem_Calloc(1, sizeof *members); /* too large for a stack */
    quoit_status status = QUOIT_OK;
    PyObject *list = NULL;
    if (!members)
        return PyErr_NoMemory();
    if (core_unlocked(handle, members_call, members, &status) == 0 &&
        core_check(handle->state, status) == 0)
        list = PyList_New(0);
    for (uint64_t i = 0; list && i < members->count && i < QUOIT_MEMBERS_MAX; i++) {
        const struct quoit_member_info *row = &members->rows[i];
        PyObject *member = Py_BuildValue(
            "(IIKOOK)", row->pid, row->roles, (unsigned long long)row->joined_at_unix_ns,
            row->alive ? Py_True : Py_False, row->holds_up ? Py_True : Py_False,
            (unsigned long long)row->lag);
        if (!member || PyList_Append(list, member) < 0)
            Py_CLEAR(list);
        Py_XDECREF(member);
    }
    PyMem_Free(members);
    return list;
}

static PyObject *queue_unlink(PyObject *self, PyObject *unused)
{
    (void)unused;
    quoit_queue *queue = open_queue(self);
    if (!queue || core_check(((struct core_handle *)self)->state, quoit_queue_unlink(queue)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *queue_latest(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_queue *queue = (struct core_queue *)self;
    const quoit_queue *c_queue = open_queue(self);
    size_t size = 0;
    PyObject *bytes = c_queue ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)queue->item_bytes)
                              : NULL;
    if (!bytes)
        return NULL;
    quoit_status status = quoit_queue_latest(c_queue, PyBytes_AsString(bytes),
                                             (size_t)queue->item_bytes, &size);
    PyObject *item = NULL;
    if (core_check(queue->handle.state, status) == 0)
        item = PyBytes_FromStringAndSize(PyBytes_AsString(bytes), (Py_ssize_t)size);
    Py_DECREF(bytes);
    return core_decoded(queue, item);
}

static PyObject *queue_user_memory(PyObject *self, PyObject *is_readonly)
{
    struct core_handle *handle = (struct core_handle *)self;
    const quoit_queue *queue = open_queue(self);
    struct quoit_queue_info info;
    if (!queue || core_check(handle->state, quoit_queue_inspect(queue, &info)) < 0)
        return NULL;
    void *memory = quoit_queue_user_area(queue);
    return (PyObject *)core_memory_new(handle->state, handle->thing, memory,
                                       memory ? (size_t)info.user_bytes : 0,
                                       PyObject_IsTrue(is_readonly) != 0);
}

static PyObject *queue_interrupt(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_handle *handle = (struct core_handle *)self;
    quoit_queue *queue = open_queue(self);
    if (!queue || core_check(handle->state, quoit_queue_interrupt(queue)) < 0)
        return NULL;
    for (int i = 0; i < CORE_SIDES; i++)
        handle->sides[i].is_interrupted = true; /* the wait needs the interpreter's lock to end */
    Py_RETURN_NONE;
}

/* ---- Calls of a side ------------------------------------------------------------------------- */

static quoit_status finish_call(void *handle, void *context, int64_t timeout_ns)
{
    (void)context;
    (void)timeout_ns;
    return quoit_queue_finish(core_c_queue(handle));
}

static PyObject *queue_finish(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct core_handle *handle = (struct core_handle *)self;
    struct core_deadline deadline = {QUOIT_FOREVER, 0};
    quoit_status status = QUOIT_OK;
    if (core_perform(handle, CORE_PRODUCER, QUOIT_FULL, false, &deadline, finish_call, NULL,
                     &status) < 0 ||
        core_check(handle->state, status) < 0)
        return NULL;
    Py_RETURN_NONE;
}

struct polled {
    uint32_t events;
    int fd;
};

/* An interrupt that no wait has taken would keep the descriptor readable. */
static quoit_status poll_call(void *handle, void *context, int64_t timeout_ns)
{
    struct polled *polled = context;
    struct quoit_wait wait = {.queue = core_c_queue(handle), .events = polled->events};
    (void)timeout_ns;
    quoit_status status = quoit_queue_poll_fd(wait.queue, polled->events, &polled->fd);
    if (status == QUOIT_OK)
        (void)quoit_wait_any(&wait, 1, 1);
    return status;
}

static int poll_fd(PyObject *self, PyObject *events, struct polled *polled)
{
    struct core_handle *handle = (struct core_handle *)self;
    struct core_deadline deadline = {QUOIT_FOREVER, 0};
    quoit_status status = QUOIT_OK;
    if (core_u32("events", events, &polled->events) < 0)
        return -1;
    enum core_role role = polled->events == QUOIT_ROOM ? CORE_PRODUCER : CORE_CONSUMER;
    if (core_perform(handle, role, QUOIT_EMPTY, true, &deadline, poll_call, polled, &status) < 0)
        return -1;
    if (status == QUOIT_OK && handle->sides[role].is_interrupted) {
        handle->sides[role].is_interrupted = false;
        status = QUOIT_INTERRUPTED;
    }
    return core_check(handle->state, status);
}

static PyObject *queue_poll_fd(PyObject *self, PyObject *events)
{
    struct polled polled = {0, -1};
    return poll_fd(self, events, &polled) < 0 ? NULL : PyLong_FromLong(polled.fd);
}

/* A descriptor of the caller's own: the queue's may be closed by another thread, and its number
   used for another file. */
static PyObject *queue_poll_dup(PyObject *self, PyObject *events)
{
    struct polled polled = {0, -1};
    int fd = -1;
    if (poll_fd(self, events, &polled) < 0)
        return NULL;
    if (!core_dup(polled.fd, &fd))
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyLong_FromLong(fd);
}

/* ---- The type -------------------------------------------------------------------------------- */

static PyMethodDef queue_methods[] = {
    {"close", core_handle_close, METH_NOARGS,
     "close($self, /)\n--\n\n"
     "Leave. The queue stays, with its content. Other threads' calls and waits raise ValueError,\n"
     "and so do views; slices of views keep the memory, and the roles, until they are gone."},
    {"__enter__", core_handle_enter, METH_NOARGS, NULL},
    {"__exit__", core_handle_exit, METH_VARARGS, NULL},
    {"check", queue_check, METH_NOARGS,
     "check($self, /)\n--\n\n"
     "Check the invariants of the shared memory. Raises Corrupt, whose text names the invariant "
     "that does not hold."},
    {"_inspect", queue_inspect, METH_NOARGS, NULL},
    {"_members", queue_members, METH_NOARGS, NULL},
    {"_user_memory", queue_user_memory, METH_O, NULL},
    {"_poll_dup", queue_poll_dup, METH_O, NULL},
    {"_browse", core_browse, METH_O, NULL},
    {"unlink", queue_unlink, METH_NOARGS,
     "unlink($self, /)\n--\n\n"
     "Remove the queue's name if it still leads to this queue; otherwise Removed is raised.\n"
     "Processes that have the queue open go on with it."},
    {"interrupt", queue_interrupt, METH_NOARGS,
     "interrupt($self, /)\n--\n\n"
     "End the wait of the call that waits on this handle, or of the next one that has to: it "
     "raises\n"
     "Interrupted, once on each side. From any thread."},
    {"latest", queue_latest, METH_NOARGS,
     "latest($self, /)\n--\n\n"
     "Of a broadcast: a copy of its newest item, which stays; with any flags, without a wait.\n"
     "Raises Empty if there never was an item, Unsupported for other kinds, and Busy if the\n"
     "producer has overwritten the item during each of 1000 copies: call again."},
    {"finish", queue_finish, METH_NOARGS,
     "finish($self, /)\n--\n\n"
     "End the stream: a consumer gets the queued items, then Finished. A producer that closes\n"
     "without it looks like one that crashed: then consumers get Abandoned."},
    {"poll_fd", queue_poll_fd, METH_O,
     "poll_fd($self, events, /)\n--\n\n"
     "A descriptor for select and its kin: readable while there are items (quoit.ITEMS) or room\n"
     "(quoit.ROOM), or after the end. It is the queue's: only wait on it, and do not close it."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef queue_properties[] = {
    {"item_bytes", get_item_bytes, NULL, "Size of every item, or of the longest message.", NULL},
    {"messages", get_messages, NULL, "True: every message has its own size, up to item_bytes.",
     NULL},
    {"capacity", get_capacity, NULL, "How many items the queue holds.", NULL},
    {"missed", get_missed, NULL,
     "Of a broadcast with DROP_OLDEST: how many items were overwritten before this subscriber "
     "came\n"
     "to them.",
     NULL},
    {"closed", core_handle_closed, NULL, "True after close().", NULL},
    CORE_WARN_AFTER,
    {"_record", get_record, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* One table of what several files define; it is the same for every interpreter. */
static PyMethodDef all_methods[64];

void core_join_methods(void)
{
    PyMethodDef *const parts[] = {queue_methods,      core_item_methods,   core_many_methods,
                                  core_place_methods, core_object_methods, NULL};
    size_t count = 0;
    for (size_t i = 0; parts[i]; i++)
        for (const PyMethodDef *method = parts[i]; method->ml_name; method++)
            all_methods[count++] = *method;
}

static PyType_Slot queue_slots[] = {
    {Py_tp_new, (void *)core_no_new}, {Py_tp_dealloc, (void *)queue_dealloc},
    {Py_tp_methods, all_methods},     {Py_tp_getset, queue_properties},
    {Py_tp_iter, (void *)core_iter},  {Py_mp_length, (void *)queue_length},
    {Py_nb_bool, (void *)queue_bool}, {0, NULL},
};
PyType_Spec core_queue_spec = {
    .name = "quoit._core.Queue",
    .basicsize = sizeof(struct core_queue),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = queue_slots,
};
