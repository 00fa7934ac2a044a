/* SPDX-License-Identifier: MIT */
/* How many items per second pass from one processor to the other? With one item per call, in
   batches, and in place; with several capacities; and with one slow side. */
#include "iceoryx.hpp"

#include <algorithm>
#include <memory>

namespace bench
{

/* As many items as fit into 4 MiB, and at most 1024. */
static constexpr std::size_t capacity_for(std::size_t bytes)
{
    return std::min<std::size_t>((4u << 20) / bytes, 1024);
}

/* Passes `lap` items, and then `count` items. The consumer measures only the time of the latter,
   since the first lap includes the first use of the memory, and connecting. send(queue, from, to)
   and receive(queue, from, to) pass the items with these numbers. Returns ns per item. */
template <class Peer, class Send, class Receive>
static double pass(std::size_t capacity, std::size_t lap, bool processes, std::uint64_t count,
                   Send send, Receive receive)
{
    auto peer = std::make_unique<Peer>(capacity);
    double took = run_sides(
        {1, 1, processes, false},
        [&](int side) {
            if (side == CONSUMER)
                peer->consume();
            else
                peer->produce();
        },
        [&](int side, stopwatch &watch) {
            Peer &queue = *peer;
            if (side == PRODUCER)
                return send(queue, 0, lap + count);
            receive(queue, 0, lap);
            watch.start();
            receive(queue, lap, lap + count);
        });
    return took / static_cast<double>(count);
}

/* ---- One item per call ----------------------------------------------------------------------- */

static void no_work()
{
}

template <loop Loop, class Item> struct one_by_one {
    template <class Peer, class Work>
    static void send(Peer &queue, std::uint64_t from, std::uint64_t to, Work work)
    {
        for (std::uint64_t i = from; i < to; i++) {
            Item value;
            work();
            value.fill(i);
            insist<Loop>([&] { return queue.push(value); });
        }
    }
    template <class Peer, class Work>
    static void receive(Peer &queue, std::uint64_t from, std::uint64_t to, Work work)
    {
        for (std::uint64_t i = from; i < to; i++) {
            Item value;
            insist<Loop>([&] { return queue.pop(value); });
            value.check(i);
            work();
        }
    }
};

template <class Peer, class Item, loop Loop>
static double one_way(std::size_t capacity, bool processes, std::uint64_t count)
{
    typedef one_by_one<Loop, Item> way;
    return pass<Peer>(
        capacity, capacity, processes, count,
        [](Peer &queue, std::uint64_t from, std::uint64_t to) {
            way::send(queue, from, to, no_work);
        },
        [](Peer &queue, std::uint64_t from, std::uint64_t to) {
            way::receive(queue, from, to, no_work);
        });
}

template <class Peer, class Item, loop Loop> static void ones(const char *question, bool processes)
{
    const std::size_t capacity = capacity_for(sizeof(Item));
    add({question, Peer::title, sizeof(Item), 1, processes}, "items/s",
        [=](std::uint64_t count) { return one_way<Peer, Item, Loop>(capacity, processes, count); });
}

template <class Peer, class Item> static void both_loops(bool processes)
{
    ones<Peer, Item, loop::retry>("one per call, retry", processes);
    ones<Peer, Item, loop::pause>("one per call, pause", processes);
}

/* ---- In batches ------------------------------------------------------------------------------ */

template <class Peer, class Item>
static double in_batches(std::uint64_t batch, bool processes, std::uint64_t count)
{
    const std::size_t capacity = capacity_for(sizeof(Item));
    auto whole = [batch](std::uint64_t items) { return (items + batch - 1) / batch * batch; };
    return pass<Peer>(
        capacity, whole(capacity), processes, whole(count),
        [batch](Peer &queue, std::uint64_t from, std::uint64_t to) {
            auto *values = static_cast<Item *>(map_private(batch * sizeof(Item)));
            for (std::uint64_t i = from; i < to; i += batch) {
                for (std::uint64_t k = 0; k < batch; k++)
                    values[k].fill(i + k);
                insist<loop::pause>([&] { return queue.push_many(values, batch); });
            }
        },
        [batch](Peer &queue, std::uint64_t from, std::uint64_t to) {
            auto *values = static_cast<Item *>(map_private(batch * sizeof(Item)));
            for (std::uint64_t i = from; i < to; i += batch) {
                insist<loop::pause>([&] { return queue.pop_many(values, batch); });
                for (std::uint64_t k = 0; k < batch; k++)
                    values[k].check(i + k);
            }
        });
}

/* A batch is at most half of the queue. */
static bool is_too_long(std::uint64_t batch, std::size_t bytes)
{
    return batch > capacity_for(bytes) / 2;
}

template <class Peer, class Item> static void batches_of(bool processes)
{
    for (std::uint64_t batch : {2, 8, 32, 256})
        if (!is_too_long(batch, sizeof(Item)))
            add({"batches", Peer::title, sizeof(Item), batch, processes}, "items/s",
                [=](std::uint64_t count) {
                    return in_batches<Peer, Item>(batch, processes, count);
                });
}

/* ---- In place -------------------------------------------------------------------------------- */

/* Items are written and read in the queue's memory: claim and commit, peek and release. */
template <class Item> static double in_place(bool processes, std::uint64_t count)
{
    typedef quoit_ring<Item> peer;
    typedef quoit_typed<Item> typed;
    const std::size_t capacity = capacity_for(sizeof(Item));
    return pass<peer>(
        capacity, capacity, processes, count,
        [](peer &queue, std::uint64_t from, std::uint64_t to) {
            for (std::uint64_t i = from; i < to; i++) {
                Item *value = nullptr;
                insist<loop::pause>(
                    [&] { return typed::claim(queue.producer, &value) == QUOIT_OK; });
                value->fill(i);
                must(typed::commit(queue.producer));
            }
        },
        [](peer &queue, std::uint64_t from, std::uint64_t to) {
            for (std::uint64_t i = from; i < to; i++) {
                const Item *value = nullptr;
                insist<loop::pause>(
                    [&] { return typed::peek(queue.consumer, &value) == QUOIT_OK; });
                value->check(i);
                must(typed::release(queue.consumer));
            }
        });
}

/* Each call may claim or return fewer items than `batch`. */
template <class Item>
static double batches_in_place(std::uint64_t batch, bool processes, std::uint64_t count)
{
    typedef quoit_ring<Item> peer;
    const std::size_t capacity = capacity_for(sizeof(Item));
    return pass<peer>(
        capacity, capacity, processes, count,
        [batch](peer &side, std::uint64_t from, std::uint64_t to) {
            quoit_queue *queue = side.producer.queue;
            for (std::uint64_t i = from; i < to;) {
                void *room = nullptr;
                std::size_t some = 0;
                insist<loop::pause>([&] {
                    return quoit_queue_claim_many(queue, std::min(batch, to - i), &room, &some,
                                                  QUOIT_NOW) == QUOIT_OK;
                });
                for (std::size_t k = 0; k < some; k++)
                    static_cast<Item *>(room)[k].fill(i++);
                must(quoit_queue_commit_many(queue, some));
            }
        },
        [batch](peer &side, std::uint64_t from, std::uint64_t to) {
            quoit_queue *queue = side.consumer.queue;
            for (std::uint64_t i = from; i < to;) {
                const void *items = nullptr;
                std::size_t some = 0;
                insist<loop::pause>([&] {
                    return quoit_queue_peek_many(queue, &items, &some, QUOIT_NOW) == QUOIT_OK;
                });
                some = std::min(some, std::min(batch, to - i));
                for (std::size_t k = 0; k < some; k++)
                    static_cast<const Item *>(items)[k].check(i++);
                must(quoit_queue_release_many(queue, some));
            }
        });
}

template <class Item> static void batches_of_claims(bool processes)
{
    for (std::uint64_t batch : {8, 32})
        if (!is_too_long(batch, sizeof(Item)))
            add({"batches", "Quoit, in place", sizeof(Item), batch, processes}, "items/s",
                [=](std::uint64_t count) {
                    return batches_in_place<Item>(batch, processes, count);
                });
}

/* ---- One slow side --------------------------------------------------------------------------- */

/* Takes about 100 ns, and uses no memory. */
static void work()
{
    std::uint64_t number = 1;
    for (int i = 0; i < 64; i++) {
        number = number * 6364136223846793005u + 1442695040888963407u;
        asm volatile("" : "+r"(number));
    }
}

/* Returns ns per item without the slow side's work, whose duration that side measures first. */
template <class Peer, class Item> static double uneven(int slow_side, std::uint64_t count)
{
    typedef one_by_one<loop::pause, Item> way;
    auto *alone_ns = static_cast<double *>(map_shared(sizeof(double)));
    auto alone = [=] {
        const int rounds = 20000;
        std::uint64_t begin = now_ns();
        for (int i = 0; i < rounds; i++)
            work();
        *alone_ns = static_cast<double>(now_ns() - begin) / rounds;
    };
    double each_ns = pass<Peer>(
        1024, 1024, true, count,
        [=](Peer &queue, std::uint64_t from, std::uint64_t to) {
            if (slow_side != PRODUCER)
                return way::send(queue, from, to, no_work);
            alone();
            way::send(queue, from, to, work);
        },
        [=](Peer &queue, std::uint64_t from, std::uint64_t to) {
            if (slow_side != CONSUMER)
                return way::receive(queue, from, to, no_work);
            if (from == 0)
                alone();
            way::receive(queue, from, to, work);
        });
    each_ns -= *alone_ns;
    munmap(alone_ns, sizeof(double));
    return each_ns;
}

template <class Peer, class Item> static void both_uneven()
{
    const std::uint64_t count = 100000;
    for (int slow_side : {CONSUMER, PRODUCER})
        add_figures({"slow", Peer::title, sizeof(Item), 100, true},
                    {slow_side == CONSUMER ? "consumer" : "producer"},
                    [=] { return std::vector<double>{uneven<Peer, Item>(slow_side, count)}; });
}

/* ---- Cases ----------------------------------------------------------------------------------- */

/* The size of DPDK's elements is a multiple of 4 bytes. liburcu's list has 16384 nodes, so it gets
   no large items. */
template <std::size_t Bytes> static void ones_of_size()
{
    typedef item<Bytes> value;
    for (bool processes : {true, false}) {
        both_loops<quoit_ring<value>, value>(processes);
        both_loops<boost_spsc<value, capacity_for(Bytes)>, value>(processes);
        both_loops<ck<value>, value>(processes);
        if constexpr (Bytes % 4 == 0)
            both_loops<rte<value>, value>(processes);
        if constexpr (Bytes <= 1024)
            ones<urcu<value>, value, loop::pause>("one per call, pause", processes);
        ones<quoit_ring<value, true>, value, loop::pause>("one per call, waiting", processes);
        add({"one per call, pause", "Quoit, in place", Bytes, 1, processes}, "items/s",
            [=](std::uint64_t count) { return in_place<value>(processes, count); });
    }
}

template <std::size_t Bytes> static void transports_of_size()
{
    typedef item<Bytes> value;
    const char *const question = "one per call, waiting";
    ones<pipe_peer<value>, value, loop::pause>(question, true);
    ones<unix_peer<value>, value, loop::pause>(question, true);
    ones<posix_mq<value>, value, loop::pause>(question, true);
    ones<sysv_mq<value>, value, loop::pause>(question, true);
    ones<boost_mq<value>, value, loop::pause>(question, true);
    ones<qb<value>, value, loop::pause>(question, true);
    ones<zeromq<value>, value, loop::pause>(question, true);
    ones<nng_peer<value>, value, loop::pause>(question, true);
    ones<iceoryx<value>, value, loop::pause>(question, true);
}

template <std::size_t Bytes> static void batches_of_size()
{
    typedef item<Bytes> value;
    for (bool processes : {true, false}) {
        batches_of<quoit_ring<value>, value>(processes);
        batches_of<boost_spsc<value, capacity_for(Bytes)>, value>(processes);
        if constexpr (Bytes % 4 == 0)
            batches_of<rte<value>, value>(processes);
        batches_of_claims<value>(processes);
    }
}

template <class Peer> static void with_capacity(std::size_t capacity)
{
    add({"capacity", Peer::title, 16, capacity, true}, "items/s", [=](std::uint64_t count) {
        return one_way<Peer, item<16>, loop::pause>(capacity, true, count);
    });
}

template <std::size_t Capacity> static void of_capacity()
{
    typedef item<16> value;
    with_capacity<quoit_ring<value>>(Capacity);
    with_capacity<boost_spsc<value, Capacity>>(Capacity);
    with_capacity<ck<value>>(Capacity);
    with_capacity<rte<value>>(Capacity);
}

template <std::size_t Bytes> static void uneven_of_size()
{
    typedef item<Bytes> value;
    both_uneven<quoit_ring<value>, value>();
    both_uneven<quoit_ring<value, true>, value>();
    both_uneven<boost_spsc<value>, value>();
    both_uneven<ck<value>, value>();
    both_uneven<rte<value>, value>();
}

template <std::size_t... Bytes> static void ones_of_sizes()
{
    (ones_of_size<Bytes>(), ...);
}

template <std::size_t... Bytes> static void batches_of_sizes()
{
    (batches_of_size<Bytes>(), ...);
}

void one_per_call()
{
    ones_of_sizes<1, 8, 12, 16, 24, 64, 100, 256, 300, 1024, 4096, 65536>();
    transports_of_size<16>();
    transports_of_size<1024>();
    transports_of_size<4096>();
    of_capacity<64>();
    of_capacity<256>();
    of_capacity<1024>();
    of_capacity<4096>();
    of_capacity<16384>();
    of_capacity<65536>();
    uneven_of_size<16>();
    uneven_of_size<1024>();
}

void batches()
{
    batches_of_sizes<1, 8, 12, 16, 24, 64, 100, 256, 300, 1024, 4096, 65536>();
}

} // namespace bench
