/* SPDX-License-Identifier: MIT */
/* application [NAME]: logs 100 lines and never waits for the logger. If there is no room for a
   line, the program drops and counts it. Lines that were pushed survive a crash of this program. */
#include "log_queue.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "application";
    quoit_queue *log;
    int dropped = 0;
    quoit_status status = join_log(QUOIT_PRODUCER, &log);
    for (int i = 0; i < 100 && status >= QUOIT_OK; i++) {
        char line[LINE_BYTES];
        int bytes = snprintf(line, sizeof line, "%.100s: request %d is done\n", name, i);
        status = quoit_queue_push(log, line, (size_t)bytes, QUOIT_NOW);
        if (status > QUOIT_OK) /* FULL or ABANDONED: the logger is too slow, or has ended */
            dropped++;
    }
    if (dropped > 0)
        fprintf(stderr, "%s: %d lines were dropped\n", name, dropped);
    if (status < QUOIT_OK)
        fprintf(stderr, "%s: %s\n", name, quoit_describe(status));
    quoit_queue_close(log);
    return status < QUOIT_OK;
}
