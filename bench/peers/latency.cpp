/* SPDX-License-Identifier: MIT */
/*
 * How late are items that are sent at a fixed rate? Measured from the moment at which each should
 * have been sent, so that a stall counts for all items that it delayed (no coordinated omission).
 * Both sides spin.
 */
#include "rings.hpp"

#include <algorithm>
#include <memory>
#include <vector>

using namespace bench;

static int round_number;
typedef item<16> value; /* the intended moment, twice */

template <class Peer> static void at_rate(std::uint64_t per_second)
{
    const std::uint64_t count = per_second / 10 < 2000 ? 2000
                                                       : per_second / 10; /* a tenth of a second */
    const double gap_ns = 1e9 / static_cast<double>(per_second);
    auto peer = std::make_unique<Peer>(1024);
    auto *late = static_cast<std::uint64_t *>(map_shared(count * sizeof(std::uint64_t)));
    bounce_ns();
    run_both([&] { peer->produce(); },
             [&] {
                 std::uint64_t start = now_ns() + 10000;
                 for (std::uint64_t i = 0; i < count; i++) {
                     auto meant = start +
                                  static_cast<std::uint64_t>(static_cast<double>(i) * gap_ns);
                     while (now_ns() < meant)
                         ;
                     value message;
                     message.fill(meant);
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
                     late[i] = now_ns() - message.words[0];
                 }
             });
    std::sort(late, late + count);
    auto say = [&](const char *question, std::uint64_t index) {
        result(question, Peer::title, sizeof(value), per_second, round_number,
               static_cast<double>(late[index]), "ns");
    };
    say("latency p50", count / 2);
    say("latency p99", count * 99 / 100);
    say("latency p99.9", count * 999 / 1000);
    say("latency max", count - 1);
    munmap(late, count * sizeof(std::uint64_t));
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    for (round_number = 0; round_number < settings.rounds; round_number++)
        for (std::uint64_t rate : {10000, 100000, 1000000}) {
            at_rate<quoit_items<value>>(rate);
            at_rate<quoit_waiting<value>>(rate);
            at_rate<boost_spsc<value>>(rate);
            at_rate<ck<value>>(rate);
            at_rate<rte<value>>(rate);
        }
}
