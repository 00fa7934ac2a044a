/* SPDX-License-Identifier: MIT */
/* unlink_queue NAME…: removes queues that nobody drains to the end, with their semaphores. */
#include "guard.h"
#include "pause.h"

#include <stdio.h>
#include <stdlib.h>

static bool remove_queue(const char *name)
{
    quoit_queue *queue;
    if (quoit_queue_open(name, QUOIT_OBSERVER, &queue) != QUOIT_OK)
        return quoit_queue_unlink(name) == QUOIT_OK; /* a damaged one, perhaps */
    bool removed = quoit_queue_unlink(name) == QUOIT_OK;
    if (removed)
        guard_unlink(queue);
    quoit_queue_close(queue);
    return removed;
}

int main(int argc, char **argv)
{
    argv = arguments_utf8(argc, argv);
    int result = argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc < 2)
        fprintf(stderr, "usage: unlink_queue NAME...\n");
    for (int i = 1; i < argc; i++)
        if (!remove_queue(argv[i])) {
            fprintf(stderr, "unlink_queue: %s\n", quoit_error_text());
            result = EXIT_FAILURE;
        }
    return result;
}
