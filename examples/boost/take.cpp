// SPDX-License-Identifier: MIT
// Takes orders until the stream ends, and then removes the queue. After Ctrl-C, queued orders stay
// for the next run.
#include "orders.hpp"
#include "stop.h"

#include <chrono>
#include <iostream>

int main()
try {
    quoit::queue<order> queue = join_orders(quoit::consumer);
    stop_on_signals();
    for (order item{}; !stopped;) {
        // Boost: if (queue.timed_receive(&item, sizeof item, size, priority, now() + moment))
        quoit::status status = queue.try_pop_for(item, std::chrono::milliseconds(100));
        if (status == quoit::status::ok)
            std::cout << "order " << item.number << '\n';
        else if (status == quoit::status::abandoned) // Boost: does not report a crash
            std::cerr << "all producers have ended; waiting for the next one\n";
        else if (status == quoit::status::finished) {
            queue.unlink(); // Boost: message_queue::remove("orders");
            return 0;
        } else if (status != quoit::status::empty)
            throw quoit::error(status);
    }
    return 0;
} catch (const quoit::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
