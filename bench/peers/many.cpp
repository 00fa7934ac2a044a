/* SPDX-License-Identifier: MIT */
/* How many items per second pass through MPMC queues, with one item per call: from one producer to
   one consumer, and from two to two, with the producers on one CPU and the consumers on the other?
   The queues alternate in each round. */
#include "many.hpp"

#include <vector>

using namespace bench;

static int round_number;
static const double run_ns = 20e6;

template <class Peer, class Item>
static void run_one(Peer &peer, start_line *line, bool produces, std::uint64_t count)
{
    pin(produces ? settings.far_cpu : settings.near_cpu);
    auto side = peer.enter();
    line->ready++;
    while (line->go.load() == 0)
        sched_yield();
    for (std::uint64_t i = 0; i < count; i++) {
        Item value;
        if (produces) {
            value.fill(i);
            insist([&] { return side.push(value); });
        } else {
            insist([&] { return side.pop(value); });
            value.check(value.words[0]);
        }
    }
    line->ended++;
    while (line->ended.load() < line->ready.load())
        sched_yield();
}

/* ns that count items took, with count divided among the pairs. */
template <class Peer, class Item> static double run(int pairs, std::uint64_t count)
{
    Peer peer(1024);
    auto *line = static_cast<start_line *>(map_shared(4096));
    int all = 2 * pairs;
    std::uint64_t each = count / static_cast<std::uint64_t>(pairs);
    std::vector<std::thread> threads;
    std::vector<pid_t> children;
    std::fflush(stdout);
    for (int i = 0; i < all; i++) {
        auto body = [&, i] { run_one<Peer, Item>(peer, line, i % 2 == 0, each); };
        if (!settings.processes) {
            threads.emplace_back(body);
            continue;
        }
        pid_t child = fork();
        if (child == 0) {
            body();
            _exit(0);
        }
        children.push_back(child);
    }
    while (line->ready.load() < all)
        usleep(50);
    std::uint64_t start = now_ns();
    line->go.store(1);
    while (line->ended.load() < all)
        usleep(50);
    double took = static_cast<double>(now_ns() - start);
    for (auto &thread : threads)
        thread.join();
    for (pid_t child : children)
        wait_for(child);
    munmap(line, 4096);
    return took;
}

template <class Peer, class Item> static void measure()
{
    static std::uint64_t known[3];
    for (int pairs : {1, 2}) {
        std::uint64_t &count = known[pairs];
        if (count == 0)
            count = 256; /* some of them do not run for whole time slices */
        bounce_ns();
        double took = run<Peer, Item>(pairs, count);
        while (took < run_ns / 2 && count < (1u << 24)) {
            double factor = took < run_ns / 8 ? 4 : run_ns / took;
            count = static_cast<std::uint64_t>(static_cast<double>(count) * factor) / 2 * 2;
            took = run<Peer, Item>(pairs, count);
        }
        result("many", Peer::title, sizeof(Item), static_cast<std::uint64_t>(pairs), round_number,
               static_cast<double>(count) / took * 1e9, "items/s");
    }
}

template <std::size_t Bytes> static void all_of_size()
{
    typedef item<Bytes> value;
    measure<quoit_many<value>, value>();
    measure<boost_many<value>, value>();
    measure<ck_many<value>, value>();
    measure<rte_many<value, rte_way::plain>, value>();
    measure<rte_many<value, rte_way::hts>, value>();
    measure<rte_many<value, rte_way::rts>, value>();
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    for (round_number = 0; round_number < settings.rounds; round_number++) {
        all_of_size<8>();
        all_of_size<16>();
        all_of_size<64>();
        std::fprintf(stderr, "round %d of %d\n", round_number + 1, settings.rounds);
    }
}
