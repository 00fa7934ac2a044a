// SPDX-License-Identifier: MIT
// What sender and receiver agree on.
#include <quoit.hpp>

struct reading {
    std::uint64_t sensor;
    double celsius;
};
using readings = quoit::queue<reading>;
