// SPDX-License-Identifier: MIT
// Prints readings until the stream ends, then removes the queue. An exception ends the program.
#include <quoit.hpp>

#include <iostream>

struct reading {
    std::uint64_t sensor;
    double celsius;
};

int main()
{
    auto queue = quoit::queue<reading>::join("readings", {64}, quoit::consumer);
    while (auto item = queue.next())
        std::cout << "sensor " << item->sensor << ": " << item->celsius << " degrees\n";
    queue.unlink();
}
