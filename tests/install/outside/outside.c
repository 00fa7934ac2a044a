/* SPDX-License-Identifier: MIT */
/*
 * outside NAME: a program outside of this project, built with an installed Quoit. Sends itself one
 * item through a queue of that name, with the inlined functions and with the library's functions.
 */
#include <quoit/inspect.h>
#include <quoit/sem.h>
#include <quoit/typed.h>

#include <stdio.h>

struct point {
    double x, y;
};
QUOIT_DEFINE_QUEUE(point, struct point);

static int fail(const char *what, quoit_status status)
{
    fprintf(stderr, "outside: %s: %s\n", what, quoit_describe(status));
    return 1;
}

static int send(quoit_queue *queue)
{
    struct point first = {1.0, 2.0}, second = {3.0, 4.0}, got[2];
    quoit_status status = point_push((struct point_queue){queue}, &first, QUOIT_NOW);
    if (status == QUOIT_OK)
        status = quoit_queue_push(queue, &second, sizeof second, QUOIT_NOW);
    if (status != QUOIT_OK)
        return fail("push", status);
    status = point_push((struct point_queue){queue}, &first, QUOIT_NOW);
    if (status != QUOIT_FULL)
        return fail("push to a full queue", status);
    status = quoit_queue_pop(queue, &got[0], sizeof got[0], NULL, QUOIT_NOW);
    if (status == QUOIT_OK)
        status = point_pop((struct point_queue){queue}, &got[1], QUOIT_NOW);
    if (status != QUOIT_OK)
        return fail("pop", status);
    if (got[0].x != first.x || got[0].y != first.y || got[1].x != second.x || got[1].y != second.y)
        return fail("the popped items differ from those pushed", status);
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
    quoit_status status = quoit_queue_create(argv[1], &options, QUOIT_PRODUCER | QUOIT_CONSUMER,
                                             &queue);
    if (status != QUOIT_OK)
        return fail("create", status);
    int result = send(queue);
    status = quoit_queue_unlink(queue);
    if (status != QUOIT_OK)
        result = fail("unlink", status);
    quoit_queue_close(queue);
    if (result == 0)
        puts("outside: good");
    return result;
}
