// SPDX-License-Identifier: MIT
// A port from Boost. A comment that begins with "Boost:" shows the code from before the port.
// put.cpp and take.cpp share this file.
#include <quoit.hpp>

struct order {
    std::uint64_t number;
    double price;
};

// Boost: message_queue queue(open_or_create, "orders", 100, sizeof(order));
inline quoit::queue<order> join_orders(quoit::flags flags)
{
    quoit::options options{100, quoit::kind::mpmc};
    options.finishes = 2; // the stream ends when both threads of put.cpp have finished
    return quoit::queue<order>::join("orders", options, flags);
}
