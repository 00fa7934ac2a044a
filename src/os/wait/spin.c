/* SPDX-License-Identifier: MIT */
/* A busy pause that does not access shared memory. */
#include "os.h"

#include "relax.h"

enum { FEWEST_RELAXES = 32, MOST_RELAXES = 1 << 16, MEASUREMENTS = 4 };
enum { MEASURED_NS = 4000 };                /* some systems' clocks count whole microseconds */
enum { LEAST_PS = 100, MOST_PS = 1000000 }; /* limits for the measured time of one quoit_relax */

static uint64_t time_relaxes(uint32_t relaxes)
{
    uint64_t start = quoit_os_monotonic_ns();
    for (uint32_t i = 0; i < relaxes; i++)
        quoit_relax();
    return quoit_os_monotonic_ns() - start;
}

/* The shortest of some measurements: a longer one was interrupted. */
static uint32_t measure_relax_ps(void)
{
    uint32_t relaxes = FEWEST_RELAXES;
    while (relaxes < MOST_RELAXES && time_relaxes(relaxes) < MEASURED_NS)
        relaxes *= 2;
    uint64_t least_ns = UINT64_MAX;
    for (int i = 0; i < MEASUREMENTS; i++) {
        uint64_t took = time_relaxes(relaxes);
        least_ns = took < least_ns ? took : least_ns;
    }
    uint64_t ps = least_ns * 1000 / relaxes;
    if (ps < LEAST_PS)
        return LEAST_PS;
    return ps < MOST_PS ? (uint32_t)ps : MOST_PS;
}

void quoit_os_spin(uint32_t ns)
{
    static _Atomic uint32_t relax_ps; /* 0: not measured yet */
    /* Relaxed: threads that both measure get about the same value. */
    uint32_t ps = atomic_load_explicit(&relax_ps, memory_order_relaxed);
    if (ps == 0) {
        ps = measure_relax_ps();
        /* Relaxed: publishes no other data; a thread that misses it measures again. */
        atomic_store_explicit(&relax_ps, ps, memory_order_relaxed);
    }
    for (uint64_t left = (uint64_t)ns * 1000 / ps; left > 0; left--)
        quoit_relax();
}
