/* SPDX-License-Identifier: MIT */
/* How many items per second can one producer send to 1, 2, 4 and 8 subscribers, each of which
   receives all of them? The producer runs on one CPU, the subscribers on the other, each as a
   process. No item is dropped. The peers alternate in each round. */
#include "fan_out.hpp"

#include <vector>

using namespace bench;

static int round_number;
/* Several time slices of a processor that many processes share. */
static const double run_ns = 100e6;
typedef item<64> value;

template <class Peer>
static void run_one(Peer &peer, start_line *line, int subscribers, int number, std::uint64_t count)
{
    bool produces = number == subscribers;
    pin(produces ? settings.far_cpu : settings.near_cpu);
    if (produces)
        peer.produce(subscribers);
    else
        peer.subscribe();
    line->ready++;
    while (line->go.load() == 0)
        sched_yield();
    for (std::uint64_t i = 0; i < count; i++) {
        value item;
        if (produces) {
            item.fill(i);
            insist([&] { return peer.push(item); });
        } else {
            insist([&] { return peer.pop(item); });
            item.check(i);
        }
    }
    line->ended++;
    while (line->ended.load() <= subscribers) /* libraries may still have to send data */
        usleep(100);
}

/* ns until the last subscriber has received so many items. */
template <class Peer> static double run(int subscribers, std::uint64_t count)
{
    Peer peer;
    auto *line = static_cast<start_line *>(map_shared(4096));
    std::vector<pid_t> children;
    std::fflush(stdout);
    for (int i = 0; i <= subscribers; i++) {
        pid_t child = fork();
        if (child == 0) {
            run_one(peer, line, subscribers, i, count);
            std::exit(0);
        }
        children.push_back(child);
    }
    while (line->ready.load() <= subscribers)
        usleep(50);
    std::uint64_t start = now_ns();
    line->go.store(1);
    while (line->ended.load() <= subscribers)
        usleep(50);
    double took = static_cast<double>(now_ns() - start);
    for (pid_t child : children)
        wait_for(child);
    munmap(line, 4096);
    return took;
}

template <class Peer> static void measure()
{
    static std::uint64_t known[9];
    for (int subscribers : {1, 2, 4, 8}) {
        std::uint64_t &count = known[subscribers];
        if (count == 0)
            count = 1024;
        bounce_ns();
        double took = run<Peer>(subscribers, count);
        while (took < run_ns / 2 && count < (1u << 24)) {
            double factor = took < run_ns / 8 ? 4 : run_ns / took;
            count = static_cast<std::uint64_t>(static_cast<double>(count) * factor);
            took = run<Peer>(subscribers, count);
        }
        result("broadcast", Peer::title, sizeof(value), static_cast<std::uint64_t>(subscribers),
               round_number, static_cast<double>(count) / took * 1e9, "items/s");
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    if (!settings.processes)
        return 0; /* this comparison is only for processes */
    for (round_number = 0; round_number < settings.rounds; round_number++) {
        measure<quoit_fan_out<value, false>>();
        measure<quoit_fan_out<value, true>>();
        measure<zeromq_fan_out<value>>();
        measure<iceoryx_fan_out<value>>();
        std::fprintf(stderr, "round %d of %d\n", round_number + 1, settings.rounds);
    }
}
