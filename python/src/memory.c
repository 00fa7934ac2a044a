/* SPDX-License-Identifier: MIT */
/*
 * Memory in place, which exports buffers: a memoryview that a program gets, slices of it, arrays
 * over it. If the number of exported buffers is 0, none of them uses the memory any more.
 */
#include "core.h"

struct core_memory *core_memory_new(const struct core_state *state, struct core_thing *thing,
                                    void *address, size_t bytes, bool is_readonly)
{
    struct core_memory *memory = (struct core_memory *)PyType_GenericAlloc(state->memory, 0);
    if (!memory)
        return NULL;
    memory->thing = thing;
    memory->address = address;
    memory->bytes = bytes;
    memory->is_readonly = is_readonly;
    core_thing_ref(thing);
    return memory;
}

static void memory_dealloc(PyObject *self)
{
    struct core_thing *thing = ((struct core_memory *)self)->thing;
    core_free(self);
    if (thing)
        core_thing_unref(thing);
}

static int memory_get(PyObject *self, Py_buffer *view, int flags)
{
    static char nothing;
    struct core_memory *memory = (struct core_memory *)self;
    view->obj = NULL;
    if (memory->is_ended) {
        PyErr_SetString(PyExc_BufferError, "the block of this view has ended");
        return -1;
    }
    if (PyBuffer_FillInfo(view, self, memory->bytes > 0 ? memory->address : &nothing,
                          (Py_ssize_t)memory->bytes, memory->is_readonly, flags) < 0)
        return -1;
    memory->exports++;
    return 0;
}

static void memory_release(PyObject *self, Py_buffer *view)
{
    (void)view;
    struct core_memory *memory = (struct core_memory *)self;
    memory->exports--;
    if (memory->exports == 0 && memory->late_side)
        core_clear_left_over(memory->late_side);
}

bool core_memory_end(struct core_memory *memory, PyObject **view_inout)
{
    PyObject *view = *view_inout;
    *view_inout = NULL;
    memory->is_ended = true;
    if (view) {
        PyObject *kind = NULL, *value = NULL, *trace = NULL;
        PyErr_Fetch(&kind, &value, &trace);
        PyObject *done = PyObject_CallMethod(view, "release", NULL);
        if (!done)
            PyErr_Clear(); /* an array over the view is in use: it counts as an export */
        Py_XDECREF(done);
        Py_DECREF(view);
        PyErr_Restore(kind, value, trace);
    }
    return memory->exports == 0;
}

static PyObject *memory_exports(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSize_t(((struct core_memory *)self)->exports);
}

static PyGetSetDef memory_properties[] = {
    {"exports", memory_exports, NULL, "How many buffers use the memory.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot memory_slots[] = {
    {Py_tp_getset, memory_properties},
    {Py_tp_dealloc, (void *)memory_dealloc},
    {Py_bf_getbuffer, (void *)memory_get},
    {Py_bf_releasebuffer, (void *)memory_release},
    {Py_tp_doc, (void *)"Shared memory in place, behind the memoryviews that Quoit returns."},
    {0, NULL},
};
PyType_Spec core_memory_spec = {
    .name = "quoit._core.Memory",
    .basicsize = sizeof(struct core_memory),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = memory_slots,
};
