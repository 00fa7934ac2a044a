/* SPDX-License-Identifier: MIT */
/* Names and sentences of the status codes. The table itself is in <quoit/status.h>. */
#include <quoit/status.h>

#include "fail.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char error_text[512];

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
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error_text, sizeof error_text, format, arguments);
    va_end(arguments);
}
