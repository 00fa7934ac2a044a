// SPDX-License-Identifier: MIT
// Two threads put 50 orders each into the queue.
#include "orders.hpp"

#include <atomic>
#include <iostream>
#include <thread>

static std::atomic<bool> failed;

// Boost: static void put(message_queue &queue, std::uint64_t first)
// All threads shared one object. In Quoit each thread has a handle of its own.
static void put(quoit::queue<order> queue, std::uint64_t first)
try {
    for (std::uint64_t number = first; number < first + 50; number++) {
        // Boost: queue.send(&item, sizeof item, 0);       (interprocess)
        // Boost: while (!queue.push(item)) yield();       (lockfree)
        queue.push({number, 9.5}); // waits for room; throws if the other side has crashed
    }
    // Boost: an order with a special value meant the end.
    queue.finish();
} catch (const quoit::error &error) {
    std::cerr << error.what() << '\n';
    failed = true;
}

int main()
try {
    quoit::queue<order> queue = join_orders(quoit::producer);
    // Boost: std::thread second([&queue] { put(queue, 50); });
    std::thread second(put, queue.again(quoit::producer), 50);
    put(std::move(queue), 0);
    second.join();
    return failed;
} catch (const quoit::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
