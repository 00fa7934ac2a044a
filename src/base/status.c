/* SPDX-License-Identifier: MIT */
/* Names and sentences of the statuses. The numbers are in <quoit/status.h>. */
#include <quoit/status.h>

#include "fail.h"
#include "printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_ROOM = 512 };
static _Thread_local char last_text[TEXT_ROOM];
static _Thread_local quoit_status last_status;

/* The switch has no default, so that a compiler reports a status without a name. */
static const char *name_and_meaning(quoit_status status, const char **meaning_out)
{
    switch (status) {
#define CASE(name, sentence)     \
    case name:                   \
        *meaning_out = sentence; \
        return #name;
        CASE(QUOIT_OK, "success")
        CASE(QUOIT_FULL, "the queue is full")
        CASE(QUOIT_EMPTY, "the queue is empty")
        CASE(QUOIT_TIMEOUT, "the timeout expired")
        CASE(QUOIT_FINISHED, "the stream has ended: a producer finished it")
        CASE(QUOIT_ABANDONED, "the last peer, or lock holder, crashed or closed too early")
        CASE(QUOIT_INTERRUPTED, "the wait was interrupted")
        CASE(QUOIT_EXHAUSTED, "no block of the pool is free")
        CASE(QUOIT_ERROR_INVALID, "an argument is not valid")
        CASE(QUOIT_ERROR_NAME, "the name is not valid")
        CASE(QUOIT_ERROR_UNSUPPORTED, "this system or this kind of object does not offer that")
        CASE(QUOIT_ERROR_EXISTS, "an object of that name exists already")
        CASE(QUOIT_ERROR_NOT_FOUND, "no object of that name exists")
        CASE(QUOIT_ERROR_PERMISSION, "the system does not permit it")
        CASE(QUOIT_ERROR_OTHER_USER, "the object belongs to another user")
        CASE(QUOIT_ERROR_NO_SPACE, "there is not enough space")
        CASE(QUOIT_ERROR_NO_MEMORY, "this process is out of memory")
        CASE(QUOIT_ERROR_LIMIT, "a limit on descriptors, members or values is reached")
        CASE(QUOIT_ERROR_NOT_QUOIT, "Quoit did not create the object of that name")
        CASE(QUOIT_ERROR_FORMAT, "the object, or the header, belongs to another version of Quoit")
        CASE(QUOIT_ERROR_DIFFERENT, "the object differs from the one requested")
        CASE(QUOIT_ERROR_TOO_BIG, "the item is larger than the buffer, or than the queue allows")
        CASE(QUOIT_ERROR_ROLE_TAKEN, "a live process already has that role")
        CASE(QUOIT_ERROR_BUSY, "other processes are using it: try again later")
        CASE(QUOIT_ERROR_WRONG_ROLE, "the handle was not opened in the role that the call needs")
        CASE(QUOIT_ERROR_FORKED, "the handle belongs to the parent process: open one in the child")
        CASE(QUOIT_ERROR_CORRUPT, "the shared memory is damaged: it holds impossible values")
        CASE(QUOIT_ERROR_SYSTEM, "the operating system reported an unexpected error")
        CASE(QUOIT_ERROR_NOT_YOURS, "the block, or the lock, does not belong to this handle")
        CASE(QUOIT_ERROR_REMOVED, "the name was removed, or leads to another object")
#undef CASE
    }
    *meaning_out = "this is not a status of Quoit";
    return "QUOIT_?";
}

uint32_t quoit_version(void)
{
    return QUOIT_VERSION;
}

const char *quoit_status_name(quoit_status status)
{
    const char *meaning;
    return name_and_meaning(status, &meaning);
}

const char *quoit_describe(quoit_status status)
{
    const char *meaning;
    (void)name_and_meaning(status, &meaning);
    return status != QUOIT_OK && status == last_status && last_text[0] ? last_text : meaning;
}

void quoit_set_sentence(quoit_status status, const char *format, ...)
{
    char text[TEXT_ROOM];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* The sentence may hold names that another user chose, and programs print it on terminals. */
    (void)quoit_printable(text, strlen(text), last_text, sizeof last_text);
    last_status = status;
}
