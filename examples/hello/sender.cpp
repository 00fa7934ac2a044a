// SPDX-License-Identifier: MIT
// Sends ten readings, then ends the stream. An exception ends the program.
#include <quoit.hpp>

struct reading {
    std::uint64_t sensor;
    double celsius;
};

int main()
{
    auto queue = quoit::queue<reading>::join("readings", {64}, quoit::producer);
    for (std::uint64_t i = 0; i < 10; i++)
        queue.push({i, 20.0});
    queue.finish();
}
