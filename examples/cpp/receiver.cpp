// SPDX-License-Identifier: MIT
// Prints readings until the stream ends, then removes the queue. Ctrl-C ends the program earlier.
#include "reading.hpp"

#include <chrono>
#include <csignal>
#include <iostream>

static volatile std::sig_atomic_t stopped;

static void stop(int signal_number)
{
    std::signal(signal_number, stop); // some systems handle only the first signal otherwise
    stopped = 1;
}

int main()
try {
    readings queue = readings::join("readings", {64}, quoit::consumer);
    // After Ctrl-C the items that are still queued stay for the next receiver.
    std::signal(SIGINT, stop);
    for (reading reading{}; !stopped;) {
        quoit::status status = queue.try_pop_for(reading, std::chrono::milliseconds(100));
        switch (status) {
        case quoit::status::ok:
            std::cout << "sensor " << reading.sensor << ": " << reading.celsius << " degrees\n";
            break;
        case quoit::status::empty: // no item arrived within that time
            break;
        case quoit::status::finished: // the sender has finished, and all items are taken
            queue.unlink();
            return 0;
        case quoit::status::abandoned:
            std::cerr << "the sender is gone and has not finished; waiting for the next one\n";
            break;
        default:
            throw quoit::error(status);
        }
    }
    return 0;
} catch (const quoit::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
