/* SPDX-License-Identifier: MIT */
/* The exceptions: one class for each status of <quoit/status.h>. */
#include "core.h"

struct error {
    quoit_status status;
    const char *name; /* in Python */
    const char *also; /* a built-in class that it derives from, too */
    const char *doc;
};

static const struct error errors[] = {
    {QUOIT_FULL, "Full", NULL, "There is no room; also when the time was over."},
    {QUOIT_EMPTY, "Empty", NULL, "There is no item; also when the time was over."},
    {QUOIT_TIMEOUT, "Timeout", "TimeoutError", "Semaphores and locks: the time was over."},
    {QUOIT_FINISHED, "Finished", NULL,
     "The stream has ended. A consumer gets this after the last item."},
    {QUOIT_ABANDONED, "Abandoned", NULL,
     "The last peer crashed, or closed without finish(). Raised once for each time that the last\n"
     "peer leaves; the next call waits for a new one."},
    {QUOIT_INTERRUPTED, "Interrupted", NULL, "The wait was interrupted."},
    {QUOIT_EXHAUSTED, "Exhausted", NULL, "The pool has no free block."},
    {QUOIT_ERROR_INVALID, "Invalid", "ValueError", "An argument is not valid."},
    {QUOIT_ERROR_NAME, "Name", "ValueError",
     "The name is not valid, or its System V key is taken."},
    {QUOIT_ERROR_UNSUPPORTED, "Unsupported", NULL,
     "This system, or this kind of object, does not offer that."},
    {QUOIT_ERROR_EXISTS, "Exists", "FileExistsError", "An object of that name exists already."},
    {QUOIT_ERROR_NOT_FOUND, "NotFound", "FileNotFoundError", "No object of that name exists."},
    {QUOIT_ERROR_PERMISSION, "Permission", "PermissionError", "The system does not permit it."},
    {QUOIT_ERROR_OTHER_USER, "OtherUser", NULL,
     "The object belongs to another user: use quoit.ANY_OWNER to accept that."},
    {QUOIT_ERROR_NO_SPACE, "NoSpace", NULL, "There is not enough shared memory or disk."},
    {QUOIT_ERROR_NO_MEMORY, "NoMemory", "MemoryError", "This process is out of memory."},
    {QUOIT_ERROR_LIMIT, "Limit", NULL, "A limit on descriptors, members or values is reached."},
    {QUOIT_ERROR_NOT_QUOIT, "NotQuoit", NULL, "The object of that name was not made by Quoit."},
    {QUOIT_ERROR_FORMAT, "Format", NULL, "The object is of another version of Quoit."},
    {QUOIT_ERROR_DIFFERENT, "Different", NULL,
     "The object is not as requested: kind, size, type or capacity."},
    {QUOIT_ERROR_TOO_BIG, "TooBig", "ValueError", "The message is larger than its room."},
    {QUOIT_ERROR_ROLE_TAKEN, "RoleTaken", NULL,
     "A live process has the role that only one can have."},
    {QUOIT_ERROR_BUSY, "Busy", NULL, "Other processes are using it; try again later."},
    {QUOIT_ERROR_WRONG_ROLE, "WrongRole", NULL, "The handle was not opened for that."},
    {QUOIT_ERROR_FORKED, "Forked", NULL, "The handle belongs to the parent process: open anew."},
    {QUOIT_ERROR_CORRUPT, "Corrupt", NULL, "The shared memory holds values that cannot be right."},
    {QUOIT_ERROR_SYSTEM, "System", NULL, "The operating system reported an unexpected error."},
    {QUOIT_ERROR_NOT_YOURS, "NotYours", NULL, "The block, or the lock, is not this handle's."},
    {QUOIT_ERROR_REMOVED, "Removed", NULL,
     "The object's name was removed, or leads to another object."},
};

static int set_status(PyObject *words, quoit_status status)
{
    PyObject *number = PyLong_FromLong(status);
    PyObject *name = PyUnicode_FromString(quoit_status_name(status));
    int result = number && name && PyDict_SetItemString(words, "status", number) == 0 &&
                         PyDict_SetItemString(words, "name", name) == 0
                     ? 0
                     : -1;
    Py_XDECREF(number);
    Py_XDECREF(name);
    return result;
}

static PyObject *bases_of(const struct core_state *state, const char *also)
{
    if (!also)
        return PyTuple_Pack(1, state->error);
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *base = builtins ? PyObject_GetAttrString(builtins, also) : NULL;
    PyObject *bases = base ? PyTuple_Pack(2, state->error, base) : NULL;
    Py_XDECREF(builtins);
    Py_XDECREF(base);
    return bases;
}

static int add_error(PyObject *module, struct core_state *state, const struct error *error,
                     PyObject *table)
{
    char full[40] = "";
    PyOS_snprintf(full, sizeof full, "quoit.%s", error->name);
    PyObject *bases = bases_of(state, error->also);
    PyObject *words = PyDict_New();
    PyObject *number = PyLong_FromLong(error->status);
    PyObject *made = NULL;
    int result = -1;
    if (bases && words && number && set_status(words, error->status) == 0)
        made = PyErr_NewExceptionWithDoc(full, error->doc, bases, words);
    if (made && PyObject_SetItem(table, number, made) == 0) {
        state->errors[error->status - STATUS_LEAST] = made;
        Py_INCREF(made);
        result = PyModule_AddObject(module, error->name, made);
    }
    Py_XDECREF(bases);
    Py_XDECREF(words);
    Py_XDECREF(number);
    return result;
}

int core_add_errors(PyObject *module, struct core_state *state)
{
    PyObject *words = Py_BuildValue("{s:O,s:O}", "status", Py_None, "name", Py_None);
    PyObject *table = PyDict_New();
    if (!words || !table)
        return -1;
    state->error = PyErr_NewExceptionWithDoc("quoit.Error",
                                             "An error of the library. status is its number, name "
                                             "its name in C, such as \"QUOIT_FULL\".",
                                             NULL, words);
    Py_DECREF(words);
    if (!state->error)
        return -1;
    Py_INCREF(state->error);
    if (PyModule_AddObject(module, "Error", state->error) < 0)
        return -1;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (add_error(module, state, &errors[i], table) < 0)
            return -1;
    return PyModule_AddObject(module, "errors", table);
}

void core_raise_text(const struct core_state *state, quoit_status status, const char *text)
{
    int index = status - STATUS_LEAST;
    PyObject *kind = index >= 0 && index < STATUS_COUNT ? state->errors[index] : NULL;
    PyObject *sentence = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    if (sentence)
        PyErr_SetObject(kind ? kind : state->error ? state->error : PyExc_RuntimeError, sentence);
    Py_XDECREF(sentence);
}

void core_raise(const struct core_state *state, quoit_status status)
{
    core_raise_text(state, status, quoit_describe(status));
}
