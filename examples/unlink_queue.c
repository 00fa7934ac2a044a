/* SPDX-License-Identifier: MIT */
/* unlink_queue NAME…: removes queues that nobody drained to the end. */
#include <quoit.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    int failures = argc < 2;
    if (argc < 2)
        fprintf(stderr, "usage: unlink_queue NAME...\n");
    for (int i = 1; i < argc; i++) {
        if (quoit_queue_unlink(argv[i]) == QUOIT_OK)
            continue;
        fprintf(stderr, "unlink_queue: %s\n", quoit_error_text());
        failures++;
    }
    return failures ? 1 : 0;
}
