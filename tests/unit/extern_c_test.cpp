// SPDX-License-Identifier: MIT
// <quoit.h> inside extern "C", as C++ programs include C headers: it compiles and works, and so
// does <quoit.hpp> after it.
extern "C" {
#include <quoit/inspect.h>
#include <quoit/sem.h>
#include <quoit/typed.h>

struct item {
    uint64_t number;
};
QUOIT_DEFINE_QUEUE(item, item);
}
#include <quoit.hpp>

int main()
{
    auto queue = quoit::queue<item>::create("local:extern-c", {1},
                                            quoit::producer | quoit::consumer);
    item in = {7}, out = {0};
    item_queue items = {nullptr};
    bool good = item_from(queue.native_handle(), &items) == QUOIT_OK &&
                item_push(items, &in, QUOIT_NOW) == QUOIT_OK &&
                item_pop(items, &out, QUOIT_NOW) == QUOIT_OK && out.number == 7 &&
                quoit_queue_size(items.queue) == 0;
    queue.unlink();
    return good ? 0 : 1;
}
