/* SPDX-License-Identifier: MIT */
/* How many items per second does one producer pass to 1, 2 and 4 subscribers that each get all of
   them? Each side is a process. No item is dropped. */
#include "fan_out.hpp"

namespace bench
{

typedef item<64> value;

/* Returns ns per item, until the last subscriber has received all items. */
template <class Peer> static double pass(int subscribers, std::uint64_t count)
{
    Peer peer;
    double took = run_sides(
        {subscribers, 1, true, false},
        [&](int side) {
            if (side == subscribers)
                peer.produce(subscribers);
            else
                peer.subscribe();
        },
        [&](int side, stopwatch &watch) {
            watch.start();
            for (std::uint64_t i = 0; i < count; i++) {
                value item;
                if (side == subscribers) {
                    item.fill(i);
                    insist<loop::share>([&] { return peer.push(item); });
                } else {
                    insist<loop::share>([&] { return peer.pop(item); });
                    item.check(i);
                }
            }
        });
    return took / static_cast<double>(count);
}

template <class Peer> static void to_subscribers()
{
    for (int subscribers : {1, 2, 4})
        add({"broadcast", Peer::title, sizeof(value), static_cast<std::uint64_t>(subscribers),
             true},
            "items/s", [=](std::uint64_t count) { return pass<Peer>(subscribers, count); });
}

void broadcast()
{
    to_subscribers<quoit_fan_out<value, false>>();
    to_subscribers<quoit_fan_out<value, true>>();
    to_subscribers<zeromq_fan_out<value>>();
    to_subscribers<iceoryx_fan_out<value>>();
}

} // namespace bench
