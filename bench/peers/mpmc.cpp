/* SPDX-License-Identifier: MIT */
/* How many items per second pass through MPMC queues, with one item per call: from one producer to
   one consumer, and from two to two? */
#include "mpmc.hpp"

#include <memory>

namespace bench
{

/* A consumer finds the number of an item in its first word. Returns ns per item. */
template <class Peer, class Item> static double pass(int pairs, bool processes, std::uint64_t count)
{
    Peer peer(1024);
    const std::uint64_t each = (count + 1) / static_cast<std::uint64_t>(pairs);
    std::vector<std::unique_ptr<typename Peer::side>> entered(2 * static_cast<std::size_t>(pairs));
    double took = run_sides(
        {pairs, pairs, processes, false},
        [&](int number) {
            entered[static_cast<std::size_t>(number)] = std::make_unique<typename Peer::side>(
                peer.enter());
        },
        [&](int number, stopwatch &watch) {
            typename Peer::side side = *entered[static_cast<std::size_t>(number)];
            watch.start();
            for (std::uint64_t i = 0; i < each; i++) {
                Item value;
                if (number < pairs) {
                    insist<loop::share>([&] { return side.pop(value); });
                    value.check(value.words[0]);
                } else {
                    value.fill(i);
                    insist<loop::share>([&] { return side.push(value); });
                }
            }
        });
    return took / static_cast<double>(each * static_cast<std::uint64_t>(pairs));
}

template <class Peer, class Item> static void pairs()
{
    for (bool processes : {true, false})
        for (int pairs : {1, 2})
            add({"mpmc", Peer::title, sizeof(Item), static_cast<std::uint64_t>(pairs), processes},
                "items/s",
                [=](std::uint64_t count) { return pass<Peer, Item>(pairs, processes, count); });
}

template <std::size_t Bytes> static void all_of_size()
{
    typedef item<Bytes> value;
    pairs<quoit_mpmc<value, false>, value>();
    pairs<quoit_mpmc<value, true>, value>();
    pairs<boost_mpmc<value>, value>();
    pairs<ck_mpmc<value>, value>();
    pairs<rte_mpmc<value, rte_mode::plain>, value>();
    pairs<rte_mpmc<value, rte_mode::hts>, value>();
    pairs<rte_mpmc<value, rte_mode::rts>, value>();
}

void mpmc()
{
    all_of_size<8>();
    all_of_size<16>();
    all_of_size<64>();
}

} // namespace bench
