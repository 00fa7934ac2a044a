/* SPDX-License-Identifier: MIT */
/* The module quoit._core: its types, constants and functions. */
#include "core.h"

#include <quoit/sem.h>

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    const char *dot = strrchr(spec->name, '.');
    if (type && PyModule_AddObject(module, dot + 1, core_ref(type)) < 0)
        Py_CLEAR(type);
    return (PyTypeObject *)type;
}

static int add_types(PyObject *module, struct core_state *state)
{
    PyType_Spec *const others[] = {&core_pool_spec, &core_region_spec, &core_lock_spec,
                                   &core_sem_spec, NULL};
    state->queue = add_type(module, &core_queue_spec);
    state->items = add_type(module, &core_items_spec);
    state->place = add_type(module, &core_place_spec);
    state->memory = add_type(module, &core_memory_spec);
    state->browser = add_type(module, &core_browser_spec);
    for (size_t i = 0; others[i]; i++) {
        PyTypeObject *type = add_type(module, others[i]);
        if (!type)
            return -1;
        Py_DECREF((PyObject *)type);
    }
    return state->queue && state->items && state->place && state->memory && state->browser ? 0 : -1;
}

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"SPSC", QUOIT_SPSC},
    {"MPMC", QUOIT_MPMC},
    {"BROADCAST", QUOIT_BROADCAST},
    {"WAIT_FOR_SLOWEST", QUOIT_WAIT_FOR_SLOWEST},
    {"DROP_OLDEST", QUOIT_DROP_OLDEST},
    {"PRODUCER", QUOIT_PRODUCER},
    {"CONSUMER", QUOIT_CONSUMER},
    {"OBSERVER", QUOIT_OBSERVER},
    {"ANY_OWNER", QUOIT_ANY_OWNER},
    {"FROM_OLDEST", QUOIT_FROM_OLDEST},
    {"TRANSIENT", QUOIT_TRANSIENT},
    {"PREFAULT", QUOIT_PREFAULT},
    {"LOCK_MEMORY", QUOIT_LOCK_MEMORY},
    {"HUGE_PAGES", QUOIT_HUGE_PAGES},
    {"ITEMS", QUOIT_ITEMS},
    {"ROOM", QUOIT_ROOM},
    {"MEMBERS_MAX", QUOIT_MEMBERS_MAX},
};

static int add_constants(PyObject *module)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return PyModule_AddStringConstant(module, "__version__", QUOIT_PYTHON_VERSION);
}

static int load_pickle(struct core_state *state)
{
    PyObject *pickle = PyImport_ImportModule("pickle");
    if (!pickle)
        return -1;
    state->dumps = PyObject_GetAttrString(pickle, "dumps");
    state->loads = PyObject_GetAttrString(pickle, "loads");
    Py_DECREF(pickle);
    state->protocol = PyLong_FromLong(5);
    state->append = PyUnicode_InternFromString("append");
    state->buffer_callback = PyUnicode_InternFromString("buffer_callback");
    state->buffers = PyUnicode_InternFromString("buffers");
    state->torch = PyUnicode_InternFromString("torch");
    return state->dumps && state->loads && state->protocol && state->append &&
                   state->buffer_callback && state->buffers && state->torch
               ? 0
               : -1;
}

static void begin_process(void)
{
    core_watch_forks();
    core_join_methods();
}

static int core_exec(PyObject *module)
{
    struct core_state *state = PyModule_GetState(module);
    core_once(begin_process);
    if (core_add_errors(module, state) < 0 || add_types(module, state) < 0 ||
        add_constants(module) < 0)
        return -1;
    return load_pickle(state);
}

/* ---- Functions ------------------------------------------------------------------------------- */

static bool append_name(void *context, const char *name)
{
    PyObject *text = PyUnicode_DecodeFSDefault(name);
    int failed = text ? PyList_Append(context, text) : -1;
    Py_XDECREF(text);
    return failed == 0;
}

/* Under the interpreter's lock, since each name becomes an object. */
static PyObject *core_list(PyObject *module, PyObject *where)
{
    const struct core_state *state = PyModule_GetState(module);
    PyObject *encoded = where == Py_None ? NULL : core_name(state, where);
    PyObject *names = PyErr_Occurred() ? NULL : PyList_New(0);
    if (names) {
        quoit_status status = quoit_list(encoded ? PyBytes_AsString(encoded) : NULL, append_name,
                                         names);
        if (PyErr_Occurred() || core_check(state, status) < 0)
            Py_CLEAR(names);
    }
    Py_XDECREF(encoded);
    return names;
}

static PyObject *unlink_by(PyObject *module, PyObject *args,
                           quoit_status (*call)(const char *name, uint32_t flags))
{
    const struct core_state *state = PyModule_GetState(module);
    PyObject *name = NULL, *flags = NULL;
    uint32_t chosen = 0;
    if (!PyArg_ParseTuple(args, "OO", &name, &flags) || core_u32("flags", flags, &chosen) < 0)
        return NULL;
    PyObject *encoded = core_name(state, name);
    if (!encoded)
        return NULL;
    const char *text = PyBytes_AsString(encoded);
    quoit_status status = QUOIT_OK;
    Py_BEGIN_ALLOW_THREADS
    status = call(text, chosen);
    Py_END_ALLOW_THREADS
    Py_DECREF(encoded);
    if (core_check(state, status) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *core_unlink(PyObject *module, PyObject *args)
{
    return unlink_by(module, args, quoit_unlink);
}

static PyObject *core_unlink_semaphore(PyObject *module, PyObject *args)
{
    return unlink_by(module, args, quoit_sem_unlink);
}

static PyMethodDef functions[] = {
    {"make_queue", core_make_queue, METH_VARARGS, NULL},
    {"make_pool", core_make_pool, METH_VARARGS, NULL},
    {"make_shared", core_make_shared, METH_VARARGS, NULL},
    {"list", core_list, METH_O, NULL},
    {"wait", core_wait, METH_VARARGS, NULL},
    {"unlink", core_unlink, METH_VARARGS, NULL},
    {"unlink_semaphore", core_unlink_semaphore, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* ---- The module's life ----------------------------------------------------------------------- */

static PyObject **objects_of(struct core_state *state, size_t index)
{
    PyObject **const all[] = {&state->error,    &state->dumps,        &state->loads,
                              &state->protocol, &state->append,       &state->buffer_callback,
                              &state->buffers,  &state->spare_list,   &state->spare_words,
                              &state->torch,    &state->dumps_tensors};
    PyTypeObject **const types[] = {&state->queue, &state->items, &state->place, &state->memory,
                                    &state->browser};
    size_t count = sizeof all / sizeof *all, type_count = sizeof types / sizeof *types;
    if (index < count)
        return all[index];
    if (index < count + type_count)
        return (PyObject **)types[index - count];
    index -= count + type_count;
    return index < STATUS_COUNT ? &state->errors[index] : NULL;
}

static int core_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct core_state *state = PyModule_GetState(module);
    PyObject **object = NULL;
    for (size_t i = 0; state && (object = objects_of(state, i)); i++)
        Py_VISIT(*object);
    return 0;
}

static int core_clear(PyObject *module)
{
    struct core_state *state = PyModule_GetState(module);
    PyObject **object = NULL;
    for (size_t i = 0; state && (object = objects_of(state, i)); i++)
        Py_CLEAR(*object);
    return 0;
}

static void core_release(void *module)
{
    core_clear(module);
}

/* Nothing of one interpreter is used in another, so each may have a lock (GIL) of its own. Python
   3.12 asks for that by a slot that 3.11 refuses, and one binary is for both. */
enum { SLOT_MULTIPLE_INTERPRETERS = 3 };
static const union {
    uintptr_t number;
    void *value;
} per_interpreter_gil_supported = {2};
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)core_exec},
    {0, NULL},
    {0, NULL},
};
static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "quoit._core",
    .m_doc = "The C library, and what runs without a Python frame. Use the package quoit.",
    .m_size = sizeof(struct core_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_release,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
#if PY_VERSION_HEX >= 0x030B0000
    unsigned long version = Py_Version;
#else
    unsigned long version = PY_VERSION_HEX;
#endif
    if (version >= 0x030C0000)
        slots[1] = (PyModuleDef_Slot){SLOT_MULTIPLE_INTERPRETERS,
                                      per_interpreter_gil_supported.value};
    return PyModuleDef_Init(&definition);
}
