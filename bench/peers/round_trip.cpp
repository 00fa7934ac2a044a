/* SPDX-License-Identifier: MIT */
/* How long does a round trip of 16 bytes take, if both sides spin, and if both block between the
   messages? Compared with a bare round trip of one cache line, and a bare futex. */
#include "transports.hpp"

#include <memory>

using namespace bench;

static int round_number;
typedef item<16> value;

/* The peer answers every item, through a second queue. */
template <class Peer> static double trip(std::uint64_t count, bool spins, int there_cpu)
{
    auto out = std::make_unique<Peer>(64), back = std::make_unique<Peer>(64);
    double took = run_both(
        [&] {
            out->consume();
            back->produce();
        },
        [&] {
            value message;
            for (std::uint64_t i = 0; i < count; i++) {
                while (!out->pop(message))
                    if (spins)
                        relax();
                while (!back->push(message))
                    if (spins)
                        relax();
            }
        },
        [&] {
            back->consume();
            out->produce();
        },
        [&](std::uint64_t &) {
            value message;
            for (std::uint64_t i = 0; i < count; i++) {
                message.fill(i);
                while (!out->push(message))
                    if (spins)
                        relax();
                while (!back->pop(message))
                    if (spins)
                        relax();
                message.check(i);
            }
        },
        there_cpu);
    return took / static_cast<double>(count);
}

template <class Peer> static void spinning()
{
    bounce_ns();
    result("round trip spinning", Peer::title, sizeof(value), 0, round_number,
           trip<Peer>(50000, true, settings.far_cpu), "ns");
}

/* detail 1: both on one CPU, which shows the cost of a design; 2: on two, where waking an idle CPU
   is most of the time. */
template <class Peer> static void sleeping()
{
    for (int cpus = 1; cpus <= 2; cpus++)
        result("round trip sleeping", Peer::title, sizeof(value), static_cast<std::uint64_t>(cpus),
               round_number,
               trip<Peer>(cpus == 1 ? 5000 : 1000, false,
                          cpus == 1 ? settings.near_cpu : settings.far_cpu),
               "ns");
}

/* Two words, each of which one side waits on. */
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

int main(int argc, char **argv)
{
    parse(argc, argv);
    for (round_number = 0; round_number < settings.rounds; round_number++) {
        result("round trip spinning", "one bare line", 8, 0, round_number, bounce_ns(), "ns");
        spinning<quoit_items<value>>();
        spinning<boost_spsc<value>>();
        spinning<ck<value>>();
        spinning<rte<value>>();
        spinning<urcu<value>>();
        sleeping<bare_futex>();
        sleeping<quoit_waiting<value>>();
        if (!settings.processes)
            continue;
        sleeping<pipe_peer<value>>();
        sleeping<unix_peer<value>>();
        sleeping<posix_mq<value>>();
        sleeping<sysv_mq<value>>();
        sleeping<boost_mq<value>>();
        std::fprintf(stderr, "round %d of %d\n", round_number + 1, settings.rounds);
    }
}
