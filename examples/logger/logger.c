/* SPDX-License-Identifier: MIT */
/* Writes the lines of all applications to standard output. It releases a line only after it has
   written it. If this program crashes, no line is lost; the next logger may write one a second
   time. */
#include "log_queue.h"
#include "stop.h"

int main(void)
{
    quoit_queue *log;
    const void *line;
    size_t bytes;
    quoit_status status = join_log(QUOIT_CONSUMER, &log);
    if (status == QUOIT_OK)
        stop_on_signals(log);
    while (status == QUOIT_OK && !stopped) {
        status = quoit_queue_peek(log, &line, &bytes, QUOIT_FOREVER);
        if (status == QUOIT_OK) {
            if (fwrite(line, 1, bytes, stdout) < bytes || fflush(stdout) != 0) {
                perror("logger: standard output");
                break; /* the line stays for the next logger */
            }
            status = quoit_queue_release(log);
        } else if (status == QUOIT_INTERRUPTED || status == QUOIT_ABANDONED) {
            status = QUOIT_OK; /* another application may start */
        }
    }
    if (status != QUOIT_OK)
        fprintf(stderr, "logger: %s\n", quoit_describe(status));
    stop_ends();
    quoit_queue_close(log); /* queued lines stay for the next logger */
    return stopped ? 0 : 1;
}
