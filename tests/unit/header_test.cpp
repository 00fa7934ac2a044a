// SPDX-License-Identifier: MIT
// <quoit.h> as C++ programs see it: it compiles with warnings on, and its inlined half works.
#include <quoit.h>

#include <cstdio>

struct item {
    uint64_t number;
    double value;
};
QUOIT_DEFINE_QUEUE(item, item)

int main()
{
    quoit_queue_options options = {};
    options.item_bytes = sizeof(item);
    options.capacity = 2;
    quoit_queue *queue;
    quoit_status status = quoit_queue_create("local:header", &options,
                                             QUOIT_PRODUCER | QUOIT_CONSUMER, &queue);
    if (status != QUOIT_OK) {
        std::fprintf(stderr, "%s\n", quoit_describe(status));
        return 1;
    }
    item in = {7, 0.5}, out = {0, 0};
    bool good = item_push(queue, &in) == QUOIT_OK && item_push(queue, &in) == QUOIT_OK &&
                item_push(queue, &in) == QUOIT_FULL && item_pop(queue, &out) == QUOIT_OK &&
                out.number == 7 && item_pop_many(queue, &out, 1) == 1;
    quoit_queue_close(queue);
    good = good && quoit_queue_unlink("local:header") == QUOIT_OK;
    return good ? 0 : 1;
}
