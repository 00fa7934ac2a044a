// SPDX-License-Identifier: MIT
// Sends ten readings, and waits for room if the queue is full. Then it ends the stream.
#include "reading.hpp"

#include <iostream>

int main()
try {
    readings queue = readings::join("readings", {64}, quoit::producer);
    for (std::uint64_t i = 0; i < 10; i++)
        queue.push({i, 20.0});
    queue.finish();
    return 0;
} catch (const quoit::error &error) { // for example, the stream has ended already
    std::cerr << error.what() << '\n';
    return 1;
}
