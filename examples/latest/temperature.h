/* SPDX-License-Identifier: MIT */
/* What the sensor and its displays agree on: a broadcast that keeps the newest value. */
#include <quoit/typed.h>

struct temperature {
    uint64_t number;
    double celsius;
};
QUOIT_DEFINE_QUEUE(temperature, struct temperature);
