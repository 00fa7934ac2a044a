/* SPDX-License-Identifier: MIT */
/* Checks, and the messages of those that fail. */
#include "test.h"

#include <string.h>

void test_begin_failure(const char *file, int line)
{
    (void)fflush(stdout); /* both streams in the order in which they were written */
    (void)fprintf(stderr, "%s:%d: ", file, line);
}

/* ---- Values ---------------------------------------------------------------------------------- */

struct test_value test_of_signed(int64_t value)
{
    return (struct test_value){.kind = TEST_SIGNED, .as.i = value};
}

struct test_value test_of_unsigned(uint64_t value)
{
    return (struct test_value){.kind = TEST_UNSIGNED, .as.u = value};
}

struct test_value test_of_double(double value)
{
    return (struct test_value){.kind = TEST_DOUBLE, .as.d = value};
}

struct test_value test_of_pointer(const volatile void *value)
{
    return (struct test_value){.kind = TEST_POINTER, .as.p = value};
}

struct test_value test_of_nothing(void)
{
    return (struct test_value){.kind = TEST_NOTHING};
}

static double as_double(struct test_value value)
{
    if (value.kind == TEST_DOUBLE)
        return value.as.d;
    return value.kind == TEST_SIGNED ? (double)value.as.i : (double)value.as.u;
}

/* A literal 0 or -1 has a type of its own, so signs are compared before sizes. */
static int order_of(struct test_value a, struct test_value b)
{
    if (a.kind == TEST_DOUBLE || b.kind == TEST_DOUBLE)
        return (as_double(a) > as_double(b)) - (as_double(a) < as_double(b));
    if (a.kind == TEST_POINTER)
        a.as.u = (uintptr_t)a.as.p;
    if (b.kind == TEST_POINTER)
        b.as.u = (uintptr_t)b.as.p;
    bool a_negative = a.kind == TEST_SIGNED && a.as.i < 0;
    bool b_negative = b.kind == TEST_SIGNED && b.as.i < 0;
    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    return a_negative ? (a.as.i > b.as.i) - (a.as.i < b.as.i)
                      : (a.as.u > b.as.u) - (a.as.u < b.as.u);
}

static bool holds(struct test_value a, enum test_relation relation, struct test_value b)
{
    bool is_number = !(a.kind == TEST_DOUBLE && a.as.d != a.as.d) &&
                     !(b.kind == TEST_DOUBLE && b.as.d != b.as.d);
    int order = order_of(a, b);
    switch (relation) {
    case TEST_EQ:
        return is_number && order == 0;
    case TEST_NE:
        return !is_number || order != 0;
    case TEST_LT:
        return is_number && order < 0;
    case TEST_LE:
        return is_number && order <= 0;
    case TEST_GT:
        return is_number && order > 0;
    default:
        return is_number && order >= 0;
    }
}

static const char *show(struct test_value value, char *text, size_t room)
{
    switch (value.kind) {
    case TEST_NOTHING:
        text[0] = 0;
        break;
    case TEST_SIGNED:
        (void)snprintf(text, room, "%lld", (long long)value.as.i);
        break;
    case TEST_UNSIGNED:
        (void)snprintf(text, room, value.as.u < 65536 ? "%llu" : "%llu (0x%llx)",
                       (unsigned long long)value.as.u, (unsigned long long)value.as.u);
        break;
    case TEST_DOUBLE:
        (void)snprintf(text, room, "%.17g", value.as.d);
        break;
    default:
        (void)snprintf(text, room, value.as.p ? "0x%llx" : "NULL",
                       (unsigned long long)(uintptr_t)value.as.p);
    }
    return text;
}

void test_compare(const char *file, int line, enum test_relation relation, const char *actual_text,
                  const char *expected_text, struct test_value actual, struct test_value expected)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    char left[64], right[64];
    if (!holds(actual, relation, expected))
        test_fail(file, line, "expected %s %s %s, but the values are %s and %s", actual_text,
                  signs[relation], expected_text, show(actual, left, sizeof left),
                  show(expected, right, sizeof right));
}

bool test_in_loop(int level, const char *name, struct test_value value)
{
    char text[64];
    const char *blank = value.kind == TEST_NOTHING ? "" : " ";
    TEST_CONTEXT_AT(level, "%s%s%s", name, blank, show(value, text, sizeof text));
    return true;
}

bool test_behind_loop(int level)
{
    test_context_at(level)[0] = 0;
    return false;
}

/* ---- Texts and statuses ---------------------------------------------------------------------- */

void test_check_string(const char *file, int line, const char *what, const char *actual,
                       const char *expected)
{
    if (!actual || !expected || strcmp(actual, expected) != 0)
        test_fail(file, line, "%s is '%s'; expected: '%s'", what, actual ? actual : "(NULL)",
                  expected ? expected : "(NULL)");
}

static _Thread_local char latest_sentence[600];

const char *test_sentence(void)
{
    return latest_sentence;
}

/*
 * Keeps the sentence of the status that a call just returned. Then it makes another call fail, so
 * that the next status without a sentence of its own has only its plain meaning. Returns false if
 * this status has only its plain meaning already, although it is an error.
 */
static bool note_sentence(quoit_status status)
{
    (void)snprintf(latest_sentence, sizeof latest_sentence, "%s", quoit_describe(status));
    if (status >= 0)
        return true;
    if (status == QUOIT_ERROR_INVALID)
        (void)quoit_unlink("", 0);
    else
        (void)quoit_sem_post(NULL);
    return strcmp(latest_sentence, quoit_describe(status)) != 0;
}

void test_check_status(const char *file, int line, const char *what, quoit_status actual,
                       quoit_status expected)
{
    if (actual != expected)
        test_fail(file, line, "%s returned %s (%s); expected: %s", what, quoit_status_name(actual),
                  quoit_describe(actual), quoit_status_name(expected));
    if (!note_sentence(actual))
        test_fail(file, line, "%s returned %s without a sentence of its own", what,
                  quoit_status_name(actual));
}

void test_check_any(const char *file, int line, const char *what, quoit_status actual,
                    const char *text, const quoit_status *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (actual == expected[i]) {
            if (!note_sentence(actual))
                test_fail(file, line, "%s is %s without a sentence of its own", what,
                          quoit_status_name(actual));
            return;
        }
    test_fail(file, line, "%s is %s (%s); expected one of: %s", what, quoit_status_name(actual),
              quoit_describe(actual), text);
}
