/* SPDX-License-Identifier: MIT */
/* Browsing: reading what is queued without taking it. */
#include "core.h"

#include <stddef.h>

struct browser {
    PyObject ob_base;
    struct quoit_browser browser;
};

static uint64_t *member_of(PyObject *self, void *closure)
{
    struct quoit_browser *browser = &((struct browser *)self)->browser;
    switch (*(const char *)closure) {
    case 'n':
        return &browser->next;
    case 'm':
        return &browser->missed;
    default:
        return &browser->begun;
    }
}

static PyObject *get_member(PyObject *self, void *closure)
{
    return PyLong_FromUnsignedLongLong(*member_of(self, closure));
}

static int set_member(PyObject *self, PyObject *value, void *closure)
{
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "a member of a Browser cannot be deleted");
        return -1;
    }
    return core_number(closure, value, 0, UINT64_MAX, member_of(self, closure));
}

static char next_name[] = "next", missed_name[] = "missed", begun_name[] = "begun";

static int browser_init(PyObject *self, PyObject *args, PyObject *words)
{
    static char *names[] = {next_name, missed_name, begun_name, NULL};
    PyObject *values[3] = {NULL, NULL, NULL};
    if (!PyArg_ParseTupleAndKeywords(args, words, "|OOO", names, &values[0], &values[1],
                                     &values[2]))
        return -1;
    for (int i = 0; i < 3; i++)
        if (values[i] && set_member(self, values[i], names[i]) < 0)
            return -1;
    return 0;
}

static PyObject *browser_repr(PyObject *self)
{
    const struct quoit_browser *browser = &((struct browser *)self)->browser;
    return PyUnicode_FromFormat(
        "Browser(next=%llu, missed=%llu, begun=%llu)", (unsigned long long)browser->next,
        (unsigned long long)browser->missed, (unsigned long long)browser->begun);
}

/* The next item, or None if there is none. */
PyObject *core_browse(PyObject *self, PyObject *object)
{
    struct core_queue *queue = (struct core_queue *)self;
    const struct core_state *state = queue->handle.state;
    struct core_thing *thing = core_open_thing(&queue->handle);
    uint64_t size = 0;
    if (!thing)
        return NULL;
    if (Py_TYPE(object) != state->browser)
        return PyErr_Format(PyExc_TypeError, "%R is no quoit.Browser", object);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)queue->item_bytes);
    if (!bytes)
        return NULL;
    quoit_status status = quoit_queue_browse(core_c_queue(thing->handle),
                                             &((struct browser *)object)->browser,
                                             PyBytes_AsString(bytes), queue->item_bytes, &size);
    PyObject *item = NULL;
    if (status == QUOIT_EMPTY || status == QUOIT_FINISHED)
        item = core_ref(Py_None);
    else if (core_check(state, status) == 0)
        item = core_decoded(queue,
                            PyBytes_FromStringAndSize(PyBytes_AsString(bytes), (Py_ssize_t)size));
    Py_DECREF(bytes);
    return item;
}

static PyGetSetDef browser_members[] = {
    {"next", get_member, set_member, "A position, as in QueueInfo.pushed and .popped.", next_name},
    {"missed", get_member, set_member, "Items that were gone before it came to them.", missed_name},
    {"begun", get_member, set_member, "1: begin at next. 0: at the oldest item that is queued.",
     begun_name},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot browser_slots[] = {
    {Py_tp_init, (void *)browser_init},
    {Py_tp_dealloc, (void *)core_free},
    {Py_tp_getset, browser_members},
    {Py_tp_repr, (void *)browser_repr},
    {Py_tp_doc, (void *)"Browser(next=0, missed=0, begun=0)\n--\n\n"
                        "How far a process has browsed a queue; see Queue.browse."},
    {0, NULL},
};
PyType_Spec core_browser_spec = {
    .name = "quoit.Browser",
    .basicsize = sizeof(struct browser),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = browser_slots,
};
