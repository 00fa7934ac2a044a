/* SPDX-License-Identifier: MIT */
/* Checked arithmetic at its limits. */
#include "test.h"

#include "arithmetic.h"
#include "hash.h"

static void sums_and_products(void)
{
    uint64_t result = 7;
    CHECK(quoit_add(UINT64_MAX - 1, 1, &result));
    CHECK_EQ(result, UINT64_MAX);
    CHECK(!quoit_add(UINT64_MAX, 1, &result));
    CHECK_EQ(result, UINT64_MAX);
    CHECK(quoit_multiply(UINT64_C(1) << 32, (UINT64_C(1) << 32) - 1, &result));
    CHECK(!quoit_multiply(UINT64_C(1) << 32, UINT64_C(1) << 32, &result));
    CHECK(quoit_multiply(UINT64_MAX, 0, &result));
    CHECK_EQ(result, 0);
}

static void alignment(void)
{
    uint64_t result;
    CHECK(quoit_align_up(0, 64, &result));
    CHECK_EQ(result, 0);
    CHECK(quoit_align_up(1, 64, &result));
    CHECK_EQ(result, 64);
    CHECK(quoit_align_up(64, 64, &result));
    CHECK_EQ(result, 64);
    CHECK(quoit_align_up(UINT64_MAX - 63, 64, &result));
    CHECK_EQ(result, UINT64_MAX - 63);
    CHECK(!quoit_align_up(UINT64_MAX - 62, 64, &result));
}

static void powers_of_two(void)
{
    CHECK(quoit_is_power_of_two(1));
    CHECK(!quoit_is_power_of_two(0));
    CHECK(!quoit_is_power_of_two(6));
}

static void ranges(void)
{
    CHECK(quoit_is_inside(0, 10, 10));
    CHECK(quoit_is_inside(10, 0, 10));
    CHECK(!quoit_is_inside(1, 10, 10));
    CHECK(!quoit_is_inside(11, 0, 10));
    CHECK(!quoit_is_inside(UINT64_MAX, 2, 10));
    CHECK(!quoit_is_inside(5, UINT64_MAX, 10));
}

/* The published FNV-1a value of "foobar". The format depends on it. */
static void hash(void)
{
    CHECK_EQUAL(quoit_hash(QUOIT_HASH_START, "foobar", 6), UINT64_C(0x85944171f73967e8));
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"sums_and_products", sums_and_products},
                                             {"alignment", alignment},
                                             {"powers_of_two", powers_of_two},
                                             {"ranges", ranges},
                                             {"hash", hash},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
