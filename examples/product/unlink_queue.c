/* SPDX-License-Identifier: MIT */
/* unlink_queue NAME…: removes queues and their semaphores. (A consumer that has drained a finished
   stream removes its queue itself.) */
#include "guard.h"
#include "pause.h"

#include <stdio.h>
#include <stdlib.h>

static quoit_status remove_queue(const char *name)
{
    quoit_queue *queue;
    if (quoit_queue_open(name, QUOIT_OBSERVER, &queue) != QUOIT_OK)
        return quoit_unlink(name, 0); /* the queue may be damaged */
    quoit_status status = quoit_unlink(name, 0);
    if (status == QUOIT_OK)
        guard_unlink(queue);
    quoit_queue_close(queue);
    return status;
}

int main(int argc, char **argv)
{
    argv = arguments_utf8(argc, argv);
    int result = argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc < 2)
        fprintf(stderr, "usage: unlink_queue NAME...\n");
    for (int i = 1; i < argc; i++) {
        quoit_status status = remove_queue(argv[i]);
        if (status != QUOIT_OK) {
            fprintf(stderr, "unlink_queue: %s\n", quoit_describe(status));
            result = EXIT_FAILURE;
        }
    }
    return result;
}
