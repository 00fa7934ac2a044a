// SPDX-License-Identifier: MIT
// <quoit.h> in a C++ program: it compiles with warnings on, and its inlined functions work.
#include <quoit/typed.h>

#include <cstdio>

struct item {
    uint64_t number;
    double value;
};
QUOIT_DEFINE_QUEUE(item, item);

int main()
{
    quoit_queue_options options = {};
    options.item_bytes = sizeof(item);
    options.capacity = 2;
    quoit_queue *queue = nullptr;
    item_queue items = {nullptr};
    quoit_status status = quoit_queue_create("local:header", &options,
                                             QUOIT_PRODUCER | QUOIT_CONSUMER, &queue);
    if (status == QUOIT_OK)
        status = item_from(queue, &items);
    if (status != QUOIT_OK) {
        std::fprintf(stderr, "%s\n", quoit_describe(status));
        return 1;
    }
    item in = {7, 0.5}, out = {0, 0};
    size_t count = 0;
    bool good = item_push(items, &in, QUOIT_NOW) == QUOIT_OK &&
                item_push(items, &in, QUOIT_NOW) == QUOIT_OK &&
                item_push(items, &in, QUOIT_NOW) == QUOIT_FULL &&
                item_pop(items, &out, QUOIT_NOW) == QUOIT_OK && out.number == 7 &&
                item_pop_many(items, &out, 1, &count, QUOIT_NOW) == QUOIT_OK && count == 1;
    good = quoit_queue_unlink(queue) == QUOIT_OK && good;
    quoit_queue_close(queue);
    return good ? 0 : 1;
}
