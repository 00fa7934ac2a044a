/* SPDX-License-Identifier: MIT */
/* Shared by the sensor and its displays: a broadcast queue that keeps the newest value. */
#include <quoit/typed.h>

struct temperature {
    uint64_t number;
    double celsius;
};
QUOIT_DEFINE_QUEUE(temperature, struct temperature);
