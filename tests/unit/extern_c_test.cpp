// SPDX-License-Identifier: MIT
// <quoit.h> inside extern "C", as C++ programs include headers that are C: it compiles and works,
// and so does <quoit.hpp> after it.
extern "C" {
#include <quoit.h>
#include <quoit/inspect.h>
#include <quoit/sem.h>

struct item {
    uint64_t number;
};
QUOIT_DEFINE_QUEUE(item, item)
}
#include <quoit.hpp>

int main()
{
    auto queue = quoit::queue<item>::create("local:extern-c", {1},
                                            quoit::producer | quoit::consumer);
    item in = {7}, out = {0};
    bool good = item_push(queue.native_handle(), &in) == QUOIT_OK &&
                item_pop(queue.native_handle(), &out) == QUOIT_OK && out.number == 7 &&
                quoit_queue_is_empty(queue.native_handle());
    queue.unlink();
    return good ? 0 : 1;
}
