/* SPDX-License-Identifier: MIT */
/* What sender and receiver agree on. */
#include <quoit/typed.h>

struct reading {
    uint64_t sensor;
    double celsius;
};
QUOIT_DEFINE_QUEUE(reading, struct reading);
