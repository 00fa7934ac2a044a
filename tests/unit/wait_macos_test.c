/* SPDX-License-Identifier: MIT */
/* Waits of macOS's build, with the stand-in for its calls (QUOIT_LIKE_MACOS): a wait that the
   system refuses at once still pauses, so a caller that repeats it keeps no processor busy. */
#include "test.h"

#include "os.h"

#include <stdlib.h>

static uint64_t sleep_once(const struct quoit_os_shm *shm, const _Atomic uint32_t *word,
                           int64_t timeout_ns)
{
    uint64_t start = quoit_os_monotonic_ns();
    quoit_os_sleep(shm, 0, word, 7, timeout_ns);
    return quoit_os_monotonic_ns() - start;
}

static void wait_is_refused(void)
{
    const struct quoit_os_shm shm = {.lock = -1};
    _Atomic uint32_t word = 7;
    quoit_os_wake_begin();
    CHECK(setenv("QUOIT_TEST_OS_SYNC", "fails", 1) == 0);
    CHECK_GE(sleep_once(&shm, &word, 60000000000), 500000);
    CHECK_GE(sleep_once(&shm, &word, 300000), 300000);
    CHECK(unsetenv("QUOIT_TEST_OS_SYNC") == 0);
    CHECK_GE(sleep_once(&shm, &word, 2000000),
             2000000); /* through the stand-in, until it is over */
    atomic_store(&word, 8);
    CHECK_LT(sleep_once(&shm, &word, 60000000000), 60000000000); /* it has changed already */
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"wait_is_refused", wait_is_refused}, {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
