// SPDX-License-Identifier: MIT
// Prints readings until the stream ends, then removes the queue.
#include "reading.hpp"

#include <iostream>

int main()
try {
    readings queue = readings::join("readings", {64}, quoit::consumer);
    while (std::optional<reading> reading = queue.next())
        std::cout << "sensor " << reading->sensor << ": " << reading->celsius << " degrees\n";
    queue.unlink();
    return 0;
} catch (const quoit::error &error) { // the sender died, say
    std::cerr << error.what() << '\n';
    return 1;
}
