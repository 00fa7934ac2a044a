// SPDX-License-Identifier: MIT
// Takes orders until the stream ends, and then removes the queue. After Ctrl-C, queued orders stay
// for the next run.
#include "orders.hpp"
#include "stop.h"

#include <iostream>

int main()
try {
    quoit::queue<order> queue = join_orders(quoit::consumer);
    stop_on_signals(queue.native_handle()); // Boost: no signal ends a wait
    for (order item{}; !stopped;) {
        // Boost: queue.receive(&item, sizeof item, size, priority);
        quoit::status status = queue.try_pop_for(item, quoit::forever);
        if (status == quoit::status::ok)
            std::cout << "order " << item.number << '\n';
        else if (status == quoit::status::abandoned) // Boost: does not report a crash
            std::cerr << "all producers have ended; waiting for the next one\n";
        else if (status == quoit::status::finished) {
            queue.unlink(); // Boost: message_queue::remove("orders");
            break;
        } else if (status != quoit::status::interrupted)
            throw quoit::error(status);
    }
    stop_ends();
    return 0;
} catch (const quoit::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
