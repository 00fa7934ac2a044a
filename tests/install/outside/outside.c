/* SPDX-License-Identifier: MIT */
/*
 * outside NAME: a program of somebody else's, built against an installed Quoit. Sends itself one
 * item through a queue of that name, by the inlined functions and by the library's.
 */
#include <quoit.h>
#include <quoit/inspect.h>
#include <quoit/sem.h>

#include <stdio.h>

struct point {
    double x, y;
};
QUOIT_DEFINE_QUEUE(point, struct point)

static int fail(const char *what)
{
    fprintf(stderr, "outside: %s: %s\n", what, quoit_error_text());
    return 1;
}

static int send(quoit_queue *queue)
{
    struct point first = {1.0, 2.0}, second = {3.0, 4.0}, got[2];
    if (point_push(queue, &first) != QUOIT_OK || quoit_queue_push(queue, &second) != QUOIT_OK)
        return fail("push");
    if (point_push(queue, &first) != QUOIT_FULL)
        return fail("push to a full queue");
    if (quoit_queue_pop(queue, &got[0]) != QUOIT_OK || point_pop(queue, &got[1]) != QUOIT_OK)
        return fail("pop");
    if (got[0].x != first.x || got[0].y != first.y || got[1].x != second.x || got[1].y != second.y)
        return fail("what came out is not what went in");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: outside NAME\n");
        return 2;
    }
    struct quoit_queue_options options = {.item_bytes = sizeof(struct point), .capacity = 2};
    quoit_queue *queue;
    if (quoit_queue_create(argv[1], &options, QUOIT_PRODUCER | QUOIT_CONSUMER, &queue) != QUOIT_OK)
        return fail("create");
    int result = send(queue);
    if (quoit_queue_unlink_self(queue) != QUOIT_OK)
        result = fail("unlink");
    quoit_queue_close(queue);
    if (result == 0)
        puts("outside: good");
    return result;
}
