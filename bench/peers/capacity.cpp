/* SPDX-License-Identifier: MIT */
/* How does the capacity change the throughput? 16 bytes, one item per call, from 64 items to
   65536. */
#include "rings.hpp"

#include <memory>

using namespace bench;

static int round_number;
typedef item<16> value;

template <class Peer> static void with_capacity(std::size_t capacity)
{
    const std::uint64_t count = 2000000;
    auto peer = std::make_unique<Peer>(capacity);
    bounce_ns();
    double took = run_both([&] { peer->produce(); },
                           [&] {
                               for (std::uint64_t i = 0; i < count; i++) {
                                   value message;
                                   message.fill(i);
                                   while (!peer->push(message))
                                       relax();
                               }
                           },
                           [&] { peer->consume(); },
                           [&](std::uint64_t &) {
                               for (std::uint64_t i = 0; i < count; i++) {
                                   value message;
                                   while (!peer->pop(message))
                                       relax();
                                   message.check(i);
                               }
                           });
    result("capacity", Peer::title, sizeof(value), capacity, round_number,
           static_cast<double>(count) / took * 1e9, "items/s");
}

template <std::size_t Capacity> static void all()
{
    with_capacity<quoit_items<value>>(Capacity);
    with_capacity<boost_spsc<value, Capacity>>(Capacity);
    with_capacity<ck<value>>(Capacity);
    with_capacity<rte<value>>(Capacity);
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    for (round_number = 0; round_number < settings.rounds; round_number++) {
        all<64>();
        all<256>();
        all<1024>();
        all<4096>();
        all<16384>();
        all<65536>();
    }
}
