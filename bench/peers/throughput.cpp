/* SPDX-License-Identifier: MIT */
/* How many items per second pass from one CPU to the other: with one item per call, each visible
   when its push returns, and in batches? The queues alternate in each round, so that all see the
   same machine. */
#include "iceoryx.hpp"

#include <memory>
#include <type_traits>

using namespace bench;

static int round_number;

/* Runs that take about this long are enough. */
static const double run_ns = 20e6;

template <class Peer, class Item> static double one_per_call(std::uint64_t count)
{
    auto peer = std::make_unique<Peer>(1024);
    return run_both([&] { peer->produce(); },
                    [&] {
                        for (std::uint64_t i = 0; i < count; i++) {
                            Item value;
                            value.fill(i);
                            while (!peer->push(value))
                                relax();
                        }
                    },
                    [&] { peer->consume(); },
                    [&](std::uint64_t &start) {
                        for (std::uint64_t i = 0; i < count; i++) {
                            Item value;
                            while (!peer->pop(value))
                                relax();
                            value.check(i);
                            if (i == 0)
                                start = now_ns(); /* connections are complete */
                        }
                    });
}

template <class Peer, class Item> static double in_batches(std::uint64_t count, std::uint64_t batch)
{
    auto peer = std::make_unique<Peer>(1024);
    return run_both([&] { peer->produce(); },
                    [&] {
                        static Item values[32];
                        for (std::uint64_t i = 0; i < count; i += batch) {
                            for (std::uint64_t k = 0; k < batch; k++)
                                values[k].fill(i + k);
                            while (!peer->push_many(values, batch))
                                relax();
                        }
                    },
                    [&] { peer->consume(); },
                    [&](std::uint64_t &) {
                        static Item values[32];
                        for (std::uint64_t i = 0; i < count; i += batch) {
                            while (!peer->pop_many(values, batch))
                                relax();
                            for (std::uint64_t k = 0; k < batch; k++)
                                values[k].check(i + k);
                        }
                    });
}

/* count: the result of the last round, 0 at first. */
template <class Run> static double rate(std::uint64_t &count, Run run)
{
    if (count == 0)
        count = 1024;
    double took = run(count);
    while (took < run_ns / 8 && count < (1u << 24)) {
        count *= 4;
        took = run(count);
    }
    if (took < run_ns / 2) {
        count = static_cast<std::uint64_t>(static_cast<double>(count) * run_ns / took) / 32 * 32;
        took = run(count);
    }
    return static_cast<double>(count) / took * 1e9;
}

template <class Peer, class Item> static void ones()
{
    bounce_ns();
    static std::uint64_t known;
    result("throughput", Peer::title, sizeof(Item), 1, round_number,
           rate(known, [](std::uint64_t count) { return one_per_call<Peer, Item>(count); }),
           "items/s");
}

template <class Peer, class Item> static void batches()
{
    static std::uint64_t known[2];
    for (std::uint64_t batch : {8, 32}) {
        bounce_ns();
        result("throughput", Peer::title, sizeof(Item), batch, round_number,
               rate(known[batch == 32],
                    [&](std::uint64_t count) { return in_batches<Peer, Item>(count, batch); }),
               "items/s");
    }
}

template <std::size_t Bytes> static void all_of_size()
{
    typedef item<Bytes> value;
    ones<quoit_items<value>, value>();
    ones<boost_spsc<value>, value>();
    ones<ck<value>, value>();
    ones<rte<value>, value>();
    if (Bytes <= 256)
        ones<urcu<value>, value>();
    batches<quoit_items<value>, value>();
    batches<boost_spsc<value>, value>();
    batches<rte<value>, value>();
    if (!settings.processes)
        return;
    ones<quoit_waiting<value>, value>();
    ones<pipe_peer<value>, value>();
    ones<unix_peer<value>, value>();
    ones<posix_mq<value>, value>();
    ones<sysv_mq<value>, value>();
    ones<boost_mq<value>, value>();
    ones<qb<value>, value>();
    ones<zeromq<value>, value>();
    ones<nng_peer<value>, value>();
    ones<iceoryx<value>, value>();
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    for (round_number = 0; round_number < settings.rounds; round_number++) {
        result("limit", "one word, there and back", 8, 0, round_number, bounce_ns(), "ns");
        for (std::uint64_t every : {1, 8, 32, 128})
            for (bool whole : {false, true})
                result("limit", whole ? "lines, all words" : "lines, one word", 64, every,
                       round_number, lines_a_second(every, whole), "lines/s");
        all_of_size<8>();
        all_of_size<16>();
        all_of_size<64>();
        all_of_size<256>();
        all_of_size<4096>();
        std::fprintf(stderr, "round %d of %d\n", round_number + 1, settings.rounds);
    }
}
