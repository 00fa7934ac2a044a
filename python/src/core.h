/* SPDX-License-Identifier: MIT */
/*
 * Declarations that the files of quoit._core share. Each Python handle owns a `thing`, which owns
 * the C handle.
 * Everything here is guarded by the interpreter's lock (GIL): fields change only while it is held.
 */
#ifndef QUOIT_PYTHON_CORE_H
#define QUOIT_PYTHON_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <quoit.h>
#include <quoit/inspect.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CALL_FAST(name) ((PyCFunction)(void (*)(void))(name))

enum { STATUS_COUNT = 30, STATUS_LEAST = -22 };

struct core_state {
    PyObject *error;                /* quoit.Error */
    PyObject *errors[STATUS_COUNT]; /* by status - STATUS_LEAST; NULL: no such status */
    PyTypeObject *queue, *items, *place, *memory, *browser;
    PyObject *dumps, *loads;                                         /* pickle's */
    PyObject *protocol, *append, *buffer_callback, *buffers, *torch; /* 5, and names */
    PyObject *dumps_tensors; /* quoit._tensors.dumps; NULL: no program has imported torch */
    PyObject *spare_list, *spare_words; /* of puts whose objects had no buffers; NULL: in use */
};

static inline PyObject *core_ref(PyObject *object)
{
    Py_INCREF(object);
    return object;
}

/* ---- Errors and arguments (arguments.c) ------------------------------------------------------ */

int core_add_errors(PyObject *module, struct core_state *state);
/* Sets the exception of that status, with the library's sentence about it. */
void core_raise(const struct core_state *state, quoit_status status);
void core_raise_text(const struct core_state *state, quoit_status status, const char *text);
/* 0, or -1 with the exception set. */
static inline int core_check(const struct core_state *state, quoit_status status)
{
    if (status == QUOIT_OK)
        return 0;
    core_raise(state, status);
    return -1;
}

/* The integer, if it is from `least` to `most`: 0; otherwise -1 with an exception set. */
int core_number(const char *name, PyObject *value, uint64_t least, uint64_t most, uint64_t *out);
int core_size(const char *name, PyObject *value, size_t least, size_t *out);
int core_u32(const char *name, PyObject *value, uint32_t *out);
/* An object's name as bytes, to be released. NULL with an exception set. */
PyObject *core_name(const struct core_state *state, PyObject *name);

/* Arguments of a fast call, by position or by name. values has `most` entries, NULL where none was
   passed. 0, or -1 with TypeError set. */
int core_parse(const char *function, const char *const *names, size_t least, size_t most,
               PyObject *const *args, Py_ssize_t count, PyObject *words, PyObject **values);

/* When a wait ends. The clock is read only once a call has to wait. */
struct core_deadline {
    int64_t timeout_ns; /* QUOIT_NOW, QUOIT_FOREVER, or a time */
    int64_t end_ns;     /* by core_now_ns; 0: not computed yet */
};
/* timeout: NULL or None: for ever; otherwise seconds. 0, or -1 with an exception set. */
int core_deadline_of(PyObject *timeout, struct core_deadline *out);
static inline int core_deadline(PyObject *timeout, struct core_deadline *out)
{
    *out = (struct core_deadline){QUOIT_FOREVER, 0};
    return timeout ? core_deadline_of(timeout, out) : 0;
}
int64_t core_left_ns(struct core_deadline *deadline);

/* The bytes of a bytes-like object, without a copy if they lie in one piece. */
struct core_input {
    const void *data;
    size_t bytes;
    PyObject *held; /* NULL, or an object that keeps the bytes */
    Py_buffer view;
    bool has_view;
};
int core_input_of_other(PyObject *object, struct core_input *out);
static inline int core_input_begin(PyObject *object, struct core_input *out)
{
    char *data = NULL;
    Py_ssize_t bytes = 0;
    out->held = NULL;
    out->has_view = false;
    if (Py_TYPE(object) != &PyBytes_Type)
        return core_input_of_other(object, out);
    (void)PyBytes_AsStringAndSize(object, &data, &bytes); /* which do not change */
    out->data = data;
    out->bytes = (size_t)bytes;
    return 0;
}
void core_input_end(struct core_input *input);

/* ---- The system (system_posix.c, system_windows.c) ------------------------------------------- */

int64_t core_now_ns(void);
void core_sleep_ns(int64_t ns);
extern unsigned core_generation; /* grows in each forked child */
void core_watch_forks(void);
bool core_dup(int fd, int *fd_out);
void core_once(void (*call)(void)); /* one call for the whole process */

/* Signals. While they are watched, each signal that has a handler also interrupts the wait that was
   announced last. false: this system cannot, or another call watches them. */
bool core_signals_watch(void);
void core_signals_unwatch(void);
unsigned core_signals_seen(void); /* how many were handled while they were watched */
/* This thread is about to wait on the queue. false: a signal was handled since `seen`. */
bool core_signals_announce(quoit_queue *queue, unsigned seen);
void core_signals_withdraw(void); /* from here on no handler uses the queue */

/* ---- Handles (handle.c) ---------------------------------------------------------------------- */

struct core_thing {
    size_t users; /* a Python handle, views' memory, calls; the C handle is closed at 0 */
    size_t calls; /* threads inside the C library with it */
    void *handle;
    void (*close)(void *handle);
    void (*interrupt)(void *handle); /* ends its waits; NULL: they end by themselves, soon */
};
struct core_thing *core_thing_new(void *handle, void (*close)(void *handle));
void core_thing_ref(struct core_thing *thing);
void core_thing_unref(struct core_thing *thing);
void core_thing_enter(struct core_thing *thing); /* a call begins, and ends */
void core_thing_leave(struct core_thing *thing);

struct core_place;
struct core_memory;

/* Called for an item once no slice of its view is in use any more. */
typedef quoit_status core_late_end(quoit_queue *queue);

/* A side of a queue's handle (producing, consuming): one thread at a time uses it. */
struct core_side {
    unsigned long owner;     /* the thread inside the C library on this side; 0: none */
    bool waits;              /* ... which waits there: it has found nothing to do */
    bool is_interrupted;     /* by interrupt(): the next wait raises Interrupted */
    unsigned queued;         /* threads that want it: they wait for `gate` */
    PyThread_type_lock gate; /* NULL: no thread ever had to. Locked, unless gate_is_open */
    bool gate_is_open;
    uint32_t run;      /* calls that found something to do, since the last one that did not */
    uint32_t pause_ns; /* before a wait, if there was a run; 0: none */
    struct core_place *place;      /* borrowed: of the block of a claim or a peek that is open */
    struct core_memory *left_over; /* owned: in use after the end of its block */
    core_late_end *left_over_end;  /* NULL: nothing is to be done */
};

enum core_role { CORE_PRODUCER, CORE_CONSUMER, CORE_SIDES };

struct core_handle {
    PyObject ob_base;
    struct core_state *state;
    struct core_thing *thing; /* NULL: closed */
    unsigned generation;      /* of core_fork_generation, when the sides were last reset */
    int64_t warn_ns;          /* a wait that takes longer calls _long_wait; 0: none does */
    struct core_side sides[CORE_SIDES];
};

void core_begin_handle(struct core_handle *self, struct core_state *state,
                       struct core_thing *thing);
/* Sets how long the sides of a queue of that capacity pause. */
void core_set_pauses(struct core_handle *self, uint64_t capacity);
/* The thing, or NULL with ValueError set: the handle is closed. */
struct core_thing *core_open_thing(struct core_handle *self);
/* Ends all views of the handle; waits until no call of other threads is in the C library. */
void core_close(struct core_handle *self);
void core_end_handle(struct core_handle *self); /* of dealloc */

/* Frees a side whose left_over is not in use any more. */
void core_clear_left_over(struct core_side *side);

/* ---- Calls that may wait (waits.c) ----------------------------------------------------------- */

/* The side may be free: one of the threads that want it looks. */
void core_side_freed(struct core_side *side);
void core_free_gates(struct core_handle *self);

typedef quoit_status core_call(void *handle, void *context, int64_t timeout_ns);
/* Calls call(C handle, context, timeout_ns) on a side: first without waiting, and then, if it
   returns `unready`, until the deadline, with the interpreter's lock released. `slow`: also the
   first call may take long, so that other threads are to run meanwhile. 0, or -1 with an exception
   set; the exception of *status_out is the caller's to set. */
int core_perform_slow(struct core_handle *self, enum core_role role, quoit_status unready,
                      bool slow, struct core_deadline *deadline, core_call *call, void *context,
                      quoit_status *status_out);
/* The part after a first call, which has returned `unready` in *status_out. */
int core_perform_rest(struct core_handle *self, enum core_role role, quoit_status unready,
                      struct core_deadline *deadline, core_call *call, void *context,
                      quoit_status *status_out);
/* May this thread use the side at once, and does no other thread want it? false: perhaps. */
static inline bool core_side_is_idle(const struct core_handle *self, enum core_role role)
{
    const struct core_side *side = &self->sides[role];
    return self->thing && self->generation == core_generation && !side->owner && !side->place &&
           !side->left_over && side->queued == 0;
}
/* Inlined together with the call: most calls find something to do at once. */
static inline int core_perform(struct core_handle *self, enum core_role role, quoit_status unready,
                               bool slow, struct core_deadline *deadline, core_call *call,
                               void *context, quoit_status *status_out)
{
    if (slow || !core_side_is_idle(self, role))
        return core_perform_slow(self, role, unready, slow, deadline, call, context, status_out);
    *status_out = call(self->thing->handle, context, QUOIT_NOW);
    self->sides[role].run++;
    if (*status_out != unready)
        return 0;
    return core_perform_rest(self, role, unready, deadline, call, context, status_out);
}
/* The same for a call on several sides at once. */
struct core_use {
    struct core_handle *handle;
    enum core_role role;
    struct core_thing *thing; /* during the call */
};
int core_perform_all(struct core_use *uses, size_t count, quoit_status unready,
                     struct core_deadline *deadline, core_call *call, void *context,
                     quoit_status *status_out);
/* The same for calls that any number of threads make at the same time: locks, semaphores. */
int core_perform_any(struct core_handle *self, quoit_status unready, struct core_deadline *deadline,
                     core_call *call, void *context, quoit_status *status_out);
/* Calls call(C handle, context, 0) without the interpreter's lock. */
int core_unlocked(struct core_handle *self, core_call *call, void *context,
                  quoit_status *status_out);

/* A copy from or to an item that this thread has claimed or peeked at. A long one lets other
   threads run, but none on that side. */
enum { CORE_LONG_BYTES = 1 << 16 };
void core_copy(struct core_handle *self, enum core_role role, void *to, const void *from,
               size_t bytes);

PyObject *core_handle_close(PyObject *self, PyObject *unused);
PyObject *core_handle_enter(PyObject *self, PyObject *unused);
PyObject *core_handle_exit(PyObject *self, PyObject *args);
PyObject *core_handle_closed(PyObject *self, void *unused);
PyObject *core_get_warn_after(PyObject *self, void *unused);
int core_set_warn_after(PyObject *self, PyObject *value, void *unused);
#define CORE_WARN_AFTER                                                                            \
    {                                                                                              \
        "warn_after", core_get_warn_after, core_set_warn_after,                                    \
            "Seconds after which a wait that goes on logs a warning (logger 'quoit') that names\n" \
            "the processes that hold it up, and again after twice the time; None: no warning.",    \
            NULL                                                                                   \
    }
void core_free(PyObject *self); /* memory and type of an object of a type of this module */

/* ---- Memory in place (memory.c) -------------------------------------------------------------- */

/* Exports memory of a C handle, and keeps the handle open until the last buffer is released. */
struct core_memory {
    PyObject ob_base;
    struct core_thing *thing;
    void *address;
    size_t bytes;
    bool is_readonly;
    bool is_ended; /* exports no more */
    size_t exports;
    struct core_side *late_side; /* whose left_over it is; NULL: of none */
};
struct core_memory *core_memory_new(const struct core_state *state, struct core_thing *thing,
                                    void *address, size_t bytes, bool is_readonly);
/* Releases *view_inout, so that it raises from now on, and clears it. true: nothing else uses the
   memory. */
bool core_memory_end(struct core_memory *memory, PyObject **view_inout);
#define CORE_IN_USE \
    "a slice of the view, or an array over it, is still in use; delete it before the block ends"

/* ---- Claims and peeks (place.c) -------------------------------------------------------------- */

/* 1: its block has ended, and the side is free; 0: it is another thread's, whose block is open;
   -1: an exception is set: it is this thread's, or still in use. */
int core_place_is_free(struct core_place *place);
/* The queue is closed: end the view. NULL is allowed. */
void core_place_drop(struct core_place *place);

/* ---- Queues ---------------------------------------------------------------------------------- */

struct core_queue {
    struct core_handle handle; /* first */
    uint64_t item_bytes;
    bool is_messages;
    bool encode_is_pack;                          /* encode takes the item's members */
    PyObject *encode, *decode;                    /* of one item; NULL: bytes */
    PyObject *encode_many, *decode_many, *record; /* record: what the user passed as format= … */
};
static inline quoit_queue *core_c_queue(void *handle)
{
    return (quoit_queue *)handle;
}
/* The object as a queue: NULL with TypeError set if it is none. */
struct core_queue *core_queue_of(const struct core_state *state, PyObject *object);
PyObject *core_decoded(const struct core_queue *queue, PyObject *bytes); /* steals bytes */
/* The item's bytes, which have the right size. 0, or -1 with an exception set. */
int core_encoded(const struct core_queue *queue, PyObject *item, struct core_input *out);
/* The next item. NULL with *status_out not OK: that is what happened, and no exception is set; NULL
   with OK: an exception is set. */
PyObject *core_pop(struct core_queue *queue, struct core_deadline *deadline,
                   quoit_status *status_out);
PyObject *core_iter(PyObject *self);
PyObject *core_wait(PyObject *module, PyObject *args);

extern PyMethodDef core_item_methods[], core_many_methods[], core_place_methods[],
    core_object_methods[];

/* Functions of the module that make handles. */
PyObject *core_make_queue(PyObject *module, PyObject *args);
PyObject *core_make_pool(PyObject *module, PyObject *args);
PyObject *core_make_shared(PyObject *module, PyObject *args);

/* A member of a struct of options. */
struct core_option {
    const char *name;
    size_t offset;
    size_t bytes; /* 4 or 8 */
};
/* Sets the struct's members from a dict. 0, or -1 with an exception set. */
int core_options(PyObject *words, const struct core_option *options, size_t count, void *out);
PyObject *core_no_new(PyTypeObject *type, PyObject *args, PyObject *words);

PyObject *core_browse(PyObject *self, PyObject *object);
void core_join_methods(void); /* of the type Queue, before it is made */
extern PyType_Spec core_queue_spec, core_items_spec, core_place_spec, core_memory_spec,
    core_browser_spec, core_pool_spec, core_region_spec, core_lock_spec, core_sem_spec;

#endif
