// SPDX-License-Identifier: MIT
// Prints readings until the stream ends, then removes the queue. Ctrl-C ends the program earlier.
#include "reading.hpp"

#include <csignal>
#include <iostream>

static volatile std::sig_atomic_t stopped;
static readings *volatile receiving;

// If the program waits, or is about to, its call returns status::interrupted.
static void stop(int)
{
    stopped = 1;
    receiving->interrupt();
}

int main()
try {
    readings queue = readings::join("readings", {64}, quoit::consumer);
    // After Ctrl-C the items that are still queued stay for the next receiver.
    receiving = &queue;
    std::signal(SIGINT, stop);
    bool ended = false;
    for (reading reading{}; !stopped && !ended;) {
        quoit::status status = queue.try_pop_for(reading, quoit::forever);
        switch (status) {
        case quoit::status::ok:
            std::cout << "sensor " << reading.sensor << ": " << reading.celsius << " degrees\n";
            break;
        case quoit::status::interrupted: // by Ctrl-C
            break;
        case quoit::status::finished: // the sender has finished, and all items are taken
            queue.unlink();
            ended = true;
            break;
        case quoit::status::abandoned:
            std::cerr << "the sender is gone and has not finished; waiting for the next one\n";
            break;
        default:
            throw quoit::error(status);
        }
    }
    std::signal(SIGINT, SIG_DFL); // before the queue is closed
    return 0;
} catch (const quoit::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
