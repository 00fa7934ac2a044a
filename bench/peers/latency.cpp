/* SPDX-License-Identifier: MIT */
/*
 * How late are items that are sent at a fixed rate, and bursts of 100? Measured from the moment at
 * which each should have been sent, so that a stall counts for all items that it delayed (no
 * coordinated omission). The first tenth of each slice is not counted, since its stalls belong to
 * the start. And how long does a round trip of 16 bytes take?
 */
#include "transports.hpp"

#include <algorithm>
#include <memory>

#include <linux/futex.h>
#include <sys/syscall.h>

namespace bench
{

typedef item<16> value; /* filled with the intended moment */

/* ---- At fixed rates -------------------------------------------------------------------------- */

static void wait_until(std::uint64_t moment_ns)
{
    while (now_ns() < moment_ns)
        ;
}

/* Sends `burst` items, one per call, every gap_ns. Returns p50, p99, p99.9 and the highest of the
   ns after which the last item of a burst arrived. */
template <class Peer>
static std::vector<double> lateness(std::uint64_t burst, double gap_ns, std::uint64_t bursts)
{
    const std::uint64_t skipped = bursts / 10, counted = bursts - skipped;
    auto peer = std::make_unique<Peer>(1024);
    auto *late = static_cast<std::uint64_t *>(map_shared(counted * sizeof(std::uint64_t)));
    auto send = [&](Peer &queue) {
        const std::uint64_t start = now_ns() + 10000;
        for (std::uint64_t i = 0; i < bursts; i++) {
            value message;
            auto offset_ns = static_cast<std::uint64_t>(static_cast<double>(i) * gap_ns);
            message.fill(start + offset_ns);
            wait_until(start + offset_ns);
            for (std::uint64_t k = 0; k < burst; k++)
                insist<loop::pause>([&] { return queue.push(message); });
        }
    };
    auto receive = [&](Peer &queue) {
        for (std::uint64_t i = 0; i < bursts; i++) {
            value message;
            for (std::uint64_t k = 0; k < burst; k++)
                insist<loop::pause>([&] { return queue.pop(message); });
            if (i >= skipped)
                late[i - skipped] = now_ns() - message.words[0];
        }
    };
    run_sides(
        {1, 1, true, false},
        [&](int side) {
            if (side == CONSUMER)
                peer->consume();
            else
                peer->produce();
        },
        [&](int side, stopwatch &) {
            if (side == CONSUMER)
                receive(*peer);
            else
                send(*peer);
        });
    std::sort(late, late + counted);
    std::vector<double> figures;
    for (std::uint64_t index : {counted / 2, counted * 99 / 100, counted * 999 / 1000, counted - 1})
        figures.push_back(static_cast<double>(late[index]));
    munmap(late, counted * sizeof(std::uint64_t));
    return figures;
}

template <class Peer> static void at_rates()
{
    const std::vector<std::string> names = {"p50", "p99", "p99.9", "max"};
    for (std::uint64_t per_second : {100000, 1000000})
        add_figures({"latency", Peer::title, sizeof(value), per_second, true}, names, [=] {
            return lateness<Peer>(1, 1e9 / static_cast<double>(per_second), per_second / 10);
        });
    add_figures({"burst", Peer::title, sizeof(value), 100, true}, names,
                [] { return lateness<Peer>(100, 20000, 2000); });
}

/* ---- Round trips ----------------------------------------------------------------------------- */

/* The peer sends each item back through a second queue. Returns ns per round trip. */
template <class Peer, loop Loop>
static double trip(bool processes, bool one_processor, std::uint64_t count)
{
    const std::uint64_t skipped = 64; /* trips of the start, which are not measured */
    auto out = std::make_unique<Peer>(64), back = std::make_unique<Peer>(64);
    auto ask = [&](std::uint64_t from, std::uint64_t to) {
        Peer &there = *out, &here = *back;
        value message;
        for (std::uint64_t i = from; i < to; i++) {
            message.fill(i);
            insist<Loop>([&] { return there.push(message); });
            insist<Loop>([&] { return here.pop(message); });
            message.check(i);
        }
    };
    auto answer = [&](std::uint64_t trips) {
        Peer &here = *out, &there = *back;
        value message;
        for (std::uint64_t i = 0; i < trips; i++) {
            insist<Loop>([&] { return here.pop(message); });
            insist<Loop>([&] { return there.push(message); });
        }
    };
    double took = run_sides(
        {1, 1, processes, one_processor},
        [&](int side) {
            if (side == CONSUMER) {
                back->consume();
                out->produce();
            } else {
                out->consume();
                back->produce();
            }
        },
        [&](int side, stopwatch &watch) {
            if (side != CONSUMER)
                return answer(skipped + count);
            ask(0, skipped);
            watch.start();
            ask(skipped, skipped + count);
        });
    return took / static_cast<double>(count);
}

template <class Peer, loop Loop>
static void trips(const char *question, bool processes, std::uint64_t processors)
{
    add({question, Peer::title, sizeof(value), processors, processes}, "ns",
        [=](std::uint64_t count) { return trip<Peer, Loop>(processes, processors == 1, count); });
}

template <class Peer> static void spinning(bool processes)
{
    trips<Peer, loop::retry>("round trip, retry", processes, 2);
    trips<Peer, loop::pause>("round trip, pause", processes, 2);
}

/* With both sides on one processor, the time is the cost of the design. With two processors, most
   of it is the wake-up of an idle processor, if the design does not spin before it blocks. */
template <class Peer> static void waiting(bool processes)
{
    for (std::uint64_t processors : {1, 2})
        trips<Peer, loop::pause>("round trip, waiting", processes, processors);
}

/* Two words; each side blocks on one. */
struct bare_futex : ring {
    static constexpr const char *title = "bare futex";
    std::atomic<std::uint32_t> *word;
    explicit bare_futex(std::size_t)
        : word(static_cast<std::atomic<std::uint32_t> *>(map_shared(4096)))
    {
    }
    ~bare_futex()
    {
        munmap(word, 4096);
    }
    bool push(const value &message)
    {
        std::memcpy(word + 2, &message, sizeof message);
        word->store(1);
        syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
        return true;
    }
    bool pop(value &message)
    {
        while (word->load() == 0)
            syscall(SYS_futex, word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
        std::memcpy(&message, word + 2, sizeof message);
        word->store(0);
        return true;
    }
};

/* ---- Cases ----------------------------------------------------------------------------------- */

void latency()
{
    at_rates<quoit_ring<value>>();
    at_rates<quoit_ring<value, true>>();
    at_rates<boost_spsc<value>>();
    at_rates<ck<value>>();
    at_rates<rte<value>>();
    for (bool processes : {true, false}) {
        spinning<quoit_ring<value>>(processes);
        spinning<boost_spsc<value>>(processes);
        spinning<ck<value>>(processes);
        spinning<rte<value>>(processes);
        spinning<urcu<value>>(processes);
        waiting<bare_futex>(processes);
        waiting<quoit_ring<value, true>>(processes);
    }
    waiting<pipe_peer<value>>(true);
    waiting<unix_peer<value>>(true);
    waiting<posix_mq<value>>(true);
    waiting<sysv_mq<value>>(true);
    waiting<boost_mq<value>>(true);
}

} // namespace bench
