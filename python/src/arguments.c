/* SPDX-License-Identifier: MIT */
/* Arguments from Python: numbers, names, times and bytes. A number that C cannot hold is
   refused. */
#include "core.h"

#include <math.h>

int core_number(const char *name, PyObject *value, uint64_t least, uint64_t most, uint64_t *out)
{
    PyObject *index = PyNumber_Index(value);
    if (!index) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%s is %R; it must be an integer", name, value);
        return -1;
    }
    unsigned long long number = PyLong_AsUnsignedLongLong(index);
    bool fits = !PyErr_Occurred();
    if (!fits && PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_Clear();
    if (PyErr_Occurred()) {
        Py_DECREF(index);
        return -1;
    }
    if (!fits || number < least || number > most) {
        PyErr_Format(PyExc_ValueError, "%s is %S; it must be from %llu to %llu", name, index,
                     (unsigned long long)least, (unsigned long long)most);
        Py_DECREF(index);
        return -1;
    }
    Py_DECREF(index);
    *out = number;
    return 0;
}

int core_size(const char *name, PyObject *value, size_t least, size_t *out)
{
    uint64_t number = 0;
    if (core_number(name, value, least, SIZE_MAX, &number) < 0)
        return -1;
    *out = (size_t)number;
    return 0;
}

int core_u32(const char *name, PyObject *value, uint32_t *out)
{
    uint64_t number = 0;
    if (core_number(name, value, 0, UINT32_MAX, &number) < 0)
        return -1;
    *out = (uint32_t)number;
    return 0;
}

PyObject *core_name(const struct core_state *state, PyObject *name)
{
    PyObject *bytes = NULL;
    char *text = NULL;
    Py_ssize_t size = 0;
    if (!PyUnicode_FSConverter(name, &bytes)) { /* which refuses a NUL without saying where */
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
            PyErr_Format(state->errors[QUOIT_ERROR_NAME - STATUS_LEAST],
                         "the name %R holds a NUL, or a character that the system cannot encode",
                         name);
        }
        return NULL;
    }
    if (PyBytes_AsStringAndSize(bytes, &text, &size) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    return bytes;
}

static int index_of(const char *const *names, size_t most, PyObject *word, size_t *out)
{
    for (size_t i = 0; i < most; i++)
        if (PyUnicode_CompareWithASCIIString(word, names[i]) == 0) {
            *out = i;
            return 0;
        }
    return -1;
}

int core_parse(const char *function, const char *const *names, size_t least, size_t most,
               PyObject *const *args, Py_ssize_t count, PyObject *words, PyObject **values)
{
    size_t passed = (size_t)count;
    if (passed > most) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %zu arguments (%zu given)", function,
                     most, passed);
        return -1;
    }
    for (size_t i = 0; i < most; i++)
        values[i] = i < passed ? args[i] : NULL;
    Py_ssize_t word_count = words ? PyTuple_Size(words) : 0;
    for (Py_ssize_t i = 0; i < word_count; i++) {
        PyObject *word = PyTuple_GetItem(words, i);
        size_t at = 0;
        if (index_of(names, most, word, &at) < 0) {
            PyErr_Format(PyExc_TypeError, "%s() has no argument '%U'", function, word);
            return -1;
        }
        if (values[at]) {
            PyErr_Format(PyExc_TypeError, "%s() got '%U' twice", function, word);
            return -1;
        }
        values[at] = args[count + i];
    }
    for (size_t i = 0; i < least; i++)
        if (!values[i]) {
            PyErr_Format(PyExc_TypeError, "%s() needs '%s'", function, names[i]);
            return -1;
        }
    return 0;
}

int core_deadline_of(PyObject *timeout, struct core_deadline *out)
{
    if (timeout == Py_None)
        return 0;
    double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1.0 && PyErr_Occurred())
        return -1;
    if (isnan(seconds)) {
        PyErr_Format(PyExc_ValueError, "timeout is %R; it must be None, or a number of seconds",
                     timeout);
        return -1;
    }
    if (seconds <= 0)
        out->timeout_ns = QUOIT_NOW;
    else if (seconds <= 1e9)
        out->timeout_ns = (int64_t)(seconds * 1e9);
    return 0;
}

int64_t core_left_ns(struct core_deadline *deadline)
{
    if (deadline->timeout_ns == QUOIT_NOW || deadline->timeout_ns == QUOIT_FOREVER)
        return deadline->timeout_ns;
    int64_t now = core_now_ns();
    if (deadline->end_ns == 0)
        deadline->end_ns = now + deadline->timeout_ns;
    return deadline->end_ns > now ? deadline->end_ns - now : 0;
}

int core_input_of_other(PyObject *object, struct core_input *out)
{
    if (PyObject_GetBuffer(object, &out->view, PyBUF_SIMPLE) == 0) {
        out->has_view = true;
        out->data = out->view.buf;
        out->bytes = (size_t)out->view.len;
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_BufferError))
        return -1;
    PyErr_Clear(); /* its bytes do not lie in one piece */
    out->held = PyBytes_FromObject(object);
    if (!out->held)
        return -1;
    out->data = PyBytes_AsString(out->held);
    out->bytes = (size_t)PyBytes_Size(out->held);
    return 0;
}

void core_input_end(struct core_input *input)
{
    if (input->has_view)
        PyBuffer_Release(&input->view);
    Py_XDECREF(input->held);
    input->has_view = false;
    input->held = NULL;
}

int core_options(PyObject *words, const struct core_option *options, size_t count, void *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct core_option *option = &options[i];
        PyObject *value = PyDict_GetItemString(words, option->name);
        uint64_t number = 0;
        if (!value)
            continue;
        if (core_number(option->name, value, 0, option->bytes == 8 ? UINT64_MAX : UINT32_MAX,
                        &number) < 0)
            return -1;
        uint32_t small = (uint32_t)number;
        char *at = (char *)out + option->offset;
        if (option->bytes == 8)
            memcpy(at, &number, sizeof number);
        else
            memcpy(at, &small, sizeof small);
    }
    return 0;
}
