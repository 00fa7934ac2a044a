/* SPDX-License-Identifier: MIT */
/* Shared by the applications and the logger: a queue of lines from many processes to one. */
#include <quoit.h>

enum { LINE_BYTES = 1000 };

static inline quoit_status join_log(uint32_t flags, quoit_queue **log_out)
{
    struct quoit_queue_options options = {
        .capacity = 1024, .item_bytes = LINE_BYTES, .kind = QUOIT_MPMC, .messages = 1};
    return quoit_queue_join("log", &options, flags, log_out);
}
