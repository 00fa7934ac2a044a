/* SPDX-License-Identifier: MIT */
/* A pickled object: pickles.c makes it, objects.c writes it to a message. */
#ifndef QUOIT_PYTHON_PICKLES_H
#define QUOIT_PYTHON_PICKLES_H

#include "core.h"

enum { CORE_HEADER_BYTES = 8, CORE_BUFFER_ALIGN = 64 };

static inline size_t core_aligned(size_t offset)
{
    return (offset + CORE_BUFFER_ALIGN - 1) / CORE_BUFFER_ALIGN * CORE_BUFFER_ALIGN;
}

struct pickled {
    PyObject *stream;
    const char *data; /* of the stream */
    size_t data_bytes;
    Py_buffer *views;
    uint32_t count;
    size_t bytes; /* of the whole message */
};

/* 0, or -1 with an exception set. */
int core_pickle(struct core_state *state, PyObject *object, struct pickled *out);
void core_pickled_end(struct pickled *pickled);

#endif
