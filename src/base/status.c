/* SPDX-License-Identifier: MIT */
/* Names and sentences of the status codes. The table itself is in <quoit/status.h>. */
#include <quoit/status.h>

#include "fail.h"
#include "printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_ROOM = 512 };
static _Thread_local char error_text[TEXT_ROOM];

const char *quoit_status_name(quoit_status status)
{
    switch (status) {
#define CASE(name, number, sentence) \
    case name:                       \
        return #name;
        QUOIT_STATUS_TABLE(CASE)
#undef CASE
    }
    return "QUOIT_?";
}

const char *quoit_status_text(quoit_status status)
{
    switch (status) {
#define CASE(name, number, sentence) \
    case name:                       \
        return sentence;
        QUOIT_STATUS_TABLE(CASE)
#undef CASE
    }
    return "not a Quoit status code";
}

const char *quoit_error_text(void)
{
    return error_text;
}

void quoit_describe(const char *format, ...)
{
    char text[TEXT_ROOM];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* Names in it may be another user's choice, and programs print it on terminals. */
    (void)quoit_printable(text, strlen(text), error_text, sizeof error_text);
}
