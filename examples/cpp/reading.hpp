// SPDX-License-Identifier: MIT
// Shared by the sender and the receiver.
#include <quoit.hpp>

struct reading {
    std::uint64_t sensor;
    double celsius;
};
using readings = quoit::queue<reading>;
