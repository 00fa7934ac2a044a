/* SPDX-License-Identifier: MIT */
/* An event loop over a queue and anything else that has a descriptor: here, standard input. The
   same descriptor goes into epoll, kqueue, or libuv's uv_poll_init. */
#include "reading.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* Takes all there is: the descriptor stays readable until a call has found nothing. */
static quoit_status take_readings(quoit_queue *queue)
{
    struct reading reading;
    quoit_status status;
    while ((status = reading_pop(queue, &reading)) == QUOIT_OK)
        printf("sensor %d: %.1f degrees\n", (int)reading.sensor, reading.celsius);
    return status;
}

int main(void)
{
    struct quoit_queue_options options = {.item_bytes = sizeof(struct reading), .capacity = 64};
    quoit_queue *queue;
    int readings;
    if (quoit_queue_join("readings", &options, QUOIT_CONSUMER, &queue) != QUOIT_OK ||
        quoit_queue_poll_fd(queue, QUOIT_CONSUMER, &readings) != QUOIT_OK) {
        fprintf(stderr, "%s\n", quoit_error_text());
        return 1;
    }
    struct pollfd sources[] = {{.fd = readings, .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
    char line[256];
    while (poll(sources, 2, -1) >= 0) {
        if (sources[0].revents && take_readings(queue) != QUOIT_EMPTY)
            break; /* the sender has finished, or crashed */
        if (sources[1].revents && read(STDIN_FILENO, line, sizeof line) <= 0)
            sources[1].fd = -1; /* the end of the input: poll passes over it */
    }
    quoit_queue_unlink_self(queue);
    quoit_queue_close(queue);
    return 0;
}
