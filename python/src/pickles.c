/* SPDX-License-Identifier: MIT */
/* Objects as pickles, whose buffers stay where they are: the first half of put(). */
#include "pickles.h"

enum { SEARCHED_MOST = 64 };

void core_pickled_end(struct pickled *pickled)
{
    for (uint32_t i = 0; i < pickled->count; i++)
        PyBuffer_Release(&pickled->views[i]);
    PyMem_Free(pickled->views);
    Py_XDECREF(pickled->stream);
    *pickled = (struct pickled){0};
}

static int take_stream(struct pickled *pickled)
{
    if (!pickled->stream)
        return -1;
    pickled->data = PyBytes_AsString(pickled->stream);
    pickled->data_bytes = (size_t)PyBytes_Size(pickled->stream);
    pickled->bytes = CORE_HEADER_BYTES + pickled->data_bytes;
    return pickled->data ? 0 : -1;
}

static int take_views(struct pickled *pickled, PyObject *buffers)
{
    Py_ssize_t count = PyList_Size(buffers);
    if (count <= 0)
        return 0;
    pickled->views = PyMem_Calloc((size_t)count, sizeof *pickled->views);
    if (!pickled->views) {
        PyErr_NoMemory();
        return -1;
    }
    pickled->bytes += 8 + 8 * (size_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_buffer *view = &pickled->views[i];
        if (PyObject_GetBuffer(PyList_GetItem(buffers, i), view, PyBUF_ANY_CONTIGUOUS) < 0)
            return -1;
        pickled->count++;
        pickled->bytes = core_aligned(pickled->bytes) + (size_t)view->len;
    }
    return 0;
}

static inline bool is_atom(PyObject *object)
{
    const PyTypeObject *type = Py_TYPE(object);
    return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type ||
           type == &PyBytes_Type || object == Py_None || type == &PyBool_Type;
}

static bool is_plain(PyObject *object, Py_ssize_t *left_inout);

static bool is_plain_dict(PyObject *dict, Py_ssize_t *left_inout)
{
    PyObject *key = NULL, *value = NULL;
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &key, &value))
        if ((!is_atom(key) && !is_plain(key, left_inout)) ||
            (!is_atom(value) && !is_plain(value, left_inout)))
            return false;
    return true;
}

/* No part of such an object is a buffer, so the list is not needed. *left_inout: how many parts are
   looked at. Larger objects are not searched: that would take longer than the list. */
static bool is_plain(PyObject *object, Py_ssize_t *left_inout)
{
    const PyTypeObject *type = Py_TYPE(object);
    bool is_dict = type == &PyDict_Type, is_list = type == &PyList_Type;
    if (is_atom(object))
        return true;
    if (!is_dict && !is_list && type != &PyTuple_Type)
        return false;
    Py_ssize_t count = PyObject_Size(object);
    *left_inout -= count + 1;
    if (*left_inout < 0)
        return false;
    if (is_dict)
        return is_plain_dict(object, left_inout);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *part = is_list ? PyList_GetItem(object, i) : PyTuple_GetItem(object, i);
        if (!is_atom(part) && !is_plain(part, left_inout))
            return false;
    }
    return true;
}

/* A list, and the keywords of dumps by which pickle appends buffers to it. Most objects have no
   buffers: then the next put uses both again. */
static bool take_list(struct core_state *state, PyObject **list_out, PyObject **words_out)
{
    *list_out = state->spare_list;
    *words_out = state->spare_words;
    state->spare_list = state->spare_words = NULL;
    if (*list_out)
        return true;
    *list_out = PyList_New(0);
    PyObject *append = *list_out ? PyObject_GetAttr(*list_out, state->append) : NULL;
    *words_out = append ? PyDict_New() : NULL;
    bool is_made = *words_out && PyDict_SetItem(*words_out, state->buffer_callback, append) == 0;
    Py_XDECREF(append);
    return is_made;
}

static void give_list_back(struct core_state *state, PyObject *list, PyObject *words)
{
    if (list && words && !state->spare_list && PyList_Size(list) == 0) {
        state->spare_list = list;
        state->spare_words = words;
        return;
    }
    Py_XDECREF(list);
    Py_XDECREF(words);
}

/* pickle.dumps; if the program uses torch, one that takes tensors out of band. Borrowed. */
static PyObject *dumps_of(struct core_state *state)
{
    if (state->dumps_tensors)
        return state->dumps_tensors;
    if (!PyDict_GetItemWithError(PyImport_GetModuleDict(), state->torch))
        return PyErr_Occurred() ? NULL : state->dumps;
    PyObject *tensors = PyImport_ImportModule("quoit._tensors");
    state->dumps_tensors = tensors ? PyObject_GetAttrString(tensors, "dumps") : NULL;
    Py_XDECREF(tensors);
    return state->dumps_tensors;
}

int core_pickle(struct core_state *state, PyObject *object, struct pickled *out)
{
    PyObject *list = NULL, *words = NULL, *args = NULL;
    *out = (struct pickled){0};
    Py_ssize_t left = SEARCHED_MOST;
    if (is_plain(object, &left)) {
        out->stream = PyObject_CallFunctionObjArgs(state->dumps, object, state->protocol, NULL);
        return take_stream(out);
    }
    PyObject *dumps = dumps_of(state);
    if (dumps && take_list(state, &list, &words))
        args = PyTuple_Pack(2, object, state->protocol);
    if (args)
        out->stream = PyObject_Call(dumps, args, words);
    int result = take_stream(out) == 0 ? take_views(out, list) : -1;
    Py_XDECREF(args);
    give_list_back(state, list, words);
    if (result < 0)
        core_pickled_end(out);
    return result;
}
