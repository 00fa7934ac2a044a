/* SPDX-License-Identifier: MIT */
/* An event loop for a queue and for anything else that has a descriptor: here, standard input. The
   queue's descriptor also works with epoll, kqueue, and uv_poll_init of libuv. */
#include "reading.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { SECOND_MS = 1000 };

/* Takes all items: the descriptor stays readable until a call has found no item. */
static quoit_status take_readings(struct reading_queue queue)
{
    struct reading reading;
    quoit_status status;
    while ((status = reading_pop(queue, &reading, QUOIT_NOW)) == QUOIT_OK)
        printf("sensor %d: %.1f degrees\n", (int)reading.sensor, reading.celsius);
    if (status == QUOIT_ABANDONED)
        fprintf(stderr, "the sender is gone and has not finished; waiting for the next one\n");
    return status == QUOIT_EMPTY || status == QUOIT_ABANDONED ? QUOIT_OK : status;
}

int main(void)
{
    struct reading_queue queue;
    struct pollfd sources[] = {{.events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    char line[256];
    quoit_status status = reading_join("readings", 64, QUOIT_CONSUMER, &queue);
    if (status == QUOIT_OK)
        status = quoit_queue_poll_fd(queue.queue, QUOIT_ITEMS, &sources[0].fd);
    if (status == QUOIT_OK)
        stop_on_signals(NULL); /* ends poll; a signal just before poll is noticed within a second */
    while (status == QUOIT_OK && !stopped) {
        int ready = poll(sources, 2, SECOND_MS);
        if (ready < 0 && errno != EINTR) {
            perror("poll");
            status = QUOIT_ERROR_SYSTEM;
        }
        if (ready > 0 && sources[0].revents)
            status = take_readings(queue);
        if (ready > 0 && sources[1].revents && read(STDIN_FILENO, line, sizeof line) <= 0)
            sources[1].fd = -1; /* the end of the input: poll ignores a negative descriptor */
    }
    if (status == QUOIT_FINISHED) /* the sender has finished, and all items are taken */
        status = quoit_queue_unlink(queue.queue);
    if (status != QUOIT_OK)
        fprintf(stderr, "%s\n", quoit_describe(status));
    quoit_queue_close(queue.queue);
    return status != QUOIT_OK;
}
