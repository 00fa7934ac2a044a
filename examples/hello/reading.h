/* SPDX-License-Identifier: MIT */
/* Shared by sender and receiver. */
#include <quoit/typed.h>

struct reading {
    uint64_t sensor;
    double celsius;
};
QUOIT_DEFINE_QUEUE(reading, struct reading);
