/* SPDX-License-Identifier: MIT */
/* Chooses the points of an operation that are tried, and their order. */
#include "stepper.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 4 }; /* points of each operation, in a short run */

static uint64_t candidates[2 * STEPPER_STEPS]; /* ascending */
static uint64_t candidate_count;

/* An operation is a case, numbered in each part: a kill point is printed as CASE:STEP. */
static uint64_t next_case(void)
{
    static const char *part;
    static uint64_t cases;
    if (part != test_part_name)
        cases = 0;
    part = test_part_name;
    return cases++;
}

static bool wants_every(void)
{
    const char *points = getenv("QUOIT_CRASH_POINTS");
    return test_point || (points && strcmp(points, "every") == 0);
}

static uint64_t limit(uint64_t most)
{
    const char *points = getenv("QUOIT_CRASH_POINTS");
    if (wants_every() || (!points && test_is_full()))
        return UINT64_MAX;
    if (!points)
        return most < SHORT ? most : SHORT;
    if (strcmp(points, "all") == 0)
        return UINT64_MAX;
    uint64_t wanted = strtoull(points, NULL, 10);
    return wanted < most ? wanted : most;
}

bool stepper_takes_all(void)
{
    const char *points = getenv("QUOIT_CRASH_POINTS");
    return points ? strcmp(points, "all") == 0 || strcmp(points, "every") == 0 : test_is_full();
}

bool stepper_wants_case(uint64_t number)
{
    return stepper_takes_all() || (number + test_seed) % 3 == 0;
}

static bool is_wanted(uint64_t number, uint64_t step)
{
    char *rest;
    if (!test_point)
        return true;
    bool is = strtoull(test_point, &rest, 10) == number && *rest == ':' &&
              strtoull(rest + 1, NULL, 10) == step;
    test_point_met |= is;
    return is;
}

/* Tries at most so many of the candidates. */
static uint64_t try_candidates(uint64_t most, stepper_try *at, void *context)
{
    uint64_t number = next_case(), tried = 0;
    CHECK_GT(candidate_count, 0);
    CHECK_GT(most, 0); /* otherwise nothing would be tried, and the test would pass */
    uint64_t stride = candidate_count <= most ? 1 : candidate_count / most + 1;
    for (uint64_t i = test_random() % stride; i < candidate_count; i += stride) {
        uint64_t step = candidates[i];
        if (!is_wanted(number, step))
            continue;
        (void)snprintf(test_point_now, TEST_POINT_ROOM, "%llu:%llu", (unsigned long long)number,
                       (unsigned long long)step);
        at(step, context);
        tried++;
    }
    test_point_now[0] = 0;
    return tried;
}

uint64_t stepper_points(uint64_t steps, uint64_t most, stepper_try *at, void *context)
{
    CHECK_GT(steps, 0);
    CHECK_LT(steps, STEPPER_STEPS);
    candidate_count = 0;
    for (uint64_t step = 0; step <= steps; step++)
        candidates[candidate_count++] = step;
    return try_candidates(limit(most), at, context);
}

uint64_t stepper_crashes(const struct stepper_path *path, uint64_t most, stepper_try *at,
                         void *context)
{
    if (wants_every())
        return stepper_points(path->steps, most, at, context);
    CHECK_GT(path->steps, 0);
    candidate_count = 0;
    for (uint64_t begin = 0, end; begin <= path->steps; begin = end) {
        for (end = begin + 1; end <= path->steps; end++)
            if (path->marks[end] & STEPPER_CHANGED)
                break;
        candidates[candidate_count++] = begin + test_random() % (end - begin);
    }
    return try_candidates(limit(most), at, context);
}

uint64_t stepper_stops(const struct stepper_path *path, uint64_t most, stepper_try *at,
                       void *context)
{
    if (wants_every())
        return stepper_points(path->steps, most, at, context);
    CHECK_GT(path->steps, 0);
    candidate_count = 0;
    for (uint64_t step = 0; step <= path->steps; step++)
        if (step == path->steps || (path->marks[step] & STEPPER_TOUCHES))
            candidates[candidate_count++] = step;
    return try_candidates(limit(most), at, context);
}

uint64_t stepper_calls(const struct stepper_path *path, stepper_try *at, void *context)
{
    candidate_count = 0;
    for (uint64_t step = 0; step < path->steps; step++)
        if (stepper_is_call(path, step)) {
            candidates[candidate_count++] = step;
            candidates[candidate_count++] = step + 1;
        }
    return candidate_count > 0 ? try_candidates(UINT64_MAX, at, context) : 0;
}
