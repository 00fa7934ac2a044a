/* SPDX-License-Identifier: MIT */
/* Queues in memory that both sides map, each typed and inlined where it is made for that. push and
   pop say whether they did; push_many and pop_many move all or nothing. */
#ifndef QUOIT_BENCH_PEERS_RINGS_HPP
#define QUOIT_BENCH_PEERS_RINGS_HPP

#include "bench.hpp"

#include <quoit.h>

#include <boost/lockfree/spsc_queue.hpp>

/* Made for C, where false converts to a pointer. */
#define false 0
#include <ck_ring.h>
#undef false

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <urcu/wfcqueue.h>

namespace bench
{

/* Moves count items by calls that move some of what is left, or 0. */
template <class Move> static bool move_all(std::size_t count, Move move)
{
    for (std::size_t done = 0; done < count;) {
        std::size_t moved = move(done, count - done);
        if (moved == 0)
            relax();
        done += moved;
    }
    return true;
}

/* What a side that has to be opened needs: nothing, for most. */
struct ring {
    void produce()
    {
    }
    void consume()
    {
    }
};

template <class Item> struct quoit_typed;
#define BENCH_TYPED(bytes)                                                                         \
    typedef item<bytes> item##bytes;                                                               \
    QUOIT_DEFINE_QUEUE(q##bytes, item##bytes)                                                      \
    template <> struct quoit_typed<item##bytes> {                                                  \
        static bool push(quoit_queue *queue, const item##bytes &value)                             \
        {                                                                                          \
            return q##bytes##_push(queue, &value) == QUOIT_OK;                                     \
        }                                                                                          \
        static bool pop(quoit_queue *queue, item##bytes &value)                                    \
        {                                                                                          \
            return q##bytes##_pop(queue, &value) == QUOIT_OK;                                      \
        }                                                                                          \
        static std::size_t push_many(quoit_queue *queue, const item##bytes *values, std::size_t n) \
        {                                                                                          \
            return q##bytes##_push_many(queue, values, n);                                         \
        }                                                                                          \
        static std::size_t pop_many(quoit_queue *queue, item##bytes *values, std::size_t n)        \
        {                                                                                          \
            return q##bytes##_pop_many(queue, values, n);                                          \
        }                                                                                          \
        static bool push_wait(quoit_queue *queue, const item##bytes &value)                        \
        {                                                                                          \
            return q##bytes##_push_wait(queue, &value, QUOIT_FOREVER) == QUOIT_OK;                 \
        }                                                                                          \
        static bool pop_wait(quoit_queue *queue, item##bytes &value)                               \
        {                                                                                          \
            return q##bytes##_pop_wait(queue, &value, QUOIT_FOREVER) == QUOIT_OK;                  \
        }                                                                                          \
    };
BENCH_TYPED(8)
BENCH_TYPED(16)
BENCH_TYPED(64)
BENCH_TYPED(256)
BENCH_TYPED(4096)

template <class Item, quoit_tuning Tuning, bool Waits = false> struct quoit_ring : ring {
    std::string name;
    quoit_queue *producer = nullptr, *consumer = nullptr;

    static void must(quoit_status status)
    {
        if (status == QUOIT_OK)
            return;
        std::fprintf(stderr, "%s\n", quoit_describe(status));
        std::exit(1);
    }
    explicit quoit_ring(std::size_t capacity)
    {
        static int number;
        name = "bench-" + std::to_string(getpid()) + "-" + std::to_string(number++);
        quoit_queue_options options = {};
        options.item_bytes = sizeof(Item);
        options.capacity = capacity;
        options.tuning = Tuning;
        quoit_queue *queue;
        must(quoit_queue_create(name.c_str(), &options, QUOIT_OBSERVER, &queue));
        quoit_queue_close(queue);
    }
    ~quoit_ring()
    {
        quoit_queue_close(producer);
        quoit_queue_close(consumer);
        (void)quoit_queue_unlink(name.c_str());
    }
    void produce()
    {
        must(quoit_queue_open(name.c_str(), QUOIT_PRODUCER, &producer));
    }
    void consume()
    {
        must(quoit_queue_open(name.c_str(), QUOIT_CONSUMER, &consumer));
    }
    bool push(const Item &value)
    {
        return Waits ? quoit_typed<Item>::push_wait(producer, value)
                     : quoit_typed<Item>::push(producer, value);
    }
    bool pop(Item &value)
    {
        return Waits ? quoit_typed<Item>::pop_wait(consumer, value)
                     : quoit_typed<Item>::pop(consumer, value);
    }
    /* Batches go on from where a shorter one ended. */
    bool push_many(const Item *values, std::size_t count)
    {
        return move_all(count, [&](std::size_t done, std::size_t left) {
            return quoit_typed<Item>::push_many(producer, values + done, left);
        });
    }
    bool pop_many(Item *values, std::size_t count)
    {
        return move_all(count, [&](std::size_t done, std::size_t left) {
            return quoit_typed<Item>::pop_many(consumer, values + done, left);
        });
    }
};
template <class Item> struct quoit_items : quoit_ring<Item, QUOIT_FOR_ITEMS> {
    using quoit_ring<Item, QUOIT_FOR_ITEMS>::quoit_ring;
    static constexpr const char *title = "Quoit";
};
template <class Item> struct quoit_spans : quoit_ring<Item, QUOIT_FOR_SPANS> {
    using quoit_ring<Item, QUOIT_FOR_SPANS>::quoit_ring;
    static constexpr const char *title = "Quoit (spans)";
};
template <class Item> struct quoit_waiting : quoit_ring<Item, QUOIT_FOR_ITEMS, true> {
    using quoit_ring<Item, QUOIT_FOR_ITEMS, true>::quoit_ring;
    static constexpr const char *title = "Quoit (push_wait, pop_wait)";
};

/* Boost.Lockfree, its capacity known when compiled. */
template <class Item, std::size_t Capacity = 1024> struct boost_spsc : ring {
    static constexpr const char *title = "Boost.Lockfree spsc_queue";
    typedef boost::lockfree::spsc_queue<Item, boost::lockfree::capacity<Capacity>> queue_type;
    queue_type *queue;
    explicit boost_spsc(std::size_t) : queue(new (map_shared(sizeof(queue_type))) queue_type)
    {
    }
    ~boost_spsc()
    {
        munmap(queue, sizeof(queue_type));
    }
    bool push(const Item &value)
    {
        return queue->push(value);
    }
    bool pop(Item &value)
    {
        return queue->pop(value);
    }
    bool push_many(const Item *values, std::size_t count)
    {
        return move_all(count, [&](std::size_t done, std::size_t left) {
            return queue->push(values + done, left);
        });
    }
    bool pop_many(Item *values, std::size_t count)
    {
        return move_all(count, [&](std::size_t done, std::size_t left) {
            return queue->pop(values + done, left);
        });
    }
};

/* DPDK's ring, one producer and one consumer, elements of the item's size. */
template <class Item> struct rte : ring {
    static constexpr const char *title = "DPDK rte_ring SP/SC";
    rte_ring *queue;
    std::size_t bytes;
    explicit rte(std::size_t capacity)
    {
        unsigned slots = 1;
        while (slots <= capacity) /* it holds one fewer */
            slots *= 2;
        bytes = static_cast<std::size_t>(rte_ring_get_memsize_elem(sizeof(Item), slots));
        queue = static_cast<rte_ring *>(map_shared(bytes));
        if (rte_ring_init(queue, "bench", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0)
            die("rte_ring_init");
    }
    ~rte()
    {
        munmap(queue, bytes);
    }
    bool push(const Item &value)
    {
        return rte_ring_sp_enqueue_elem(queue, const_cast<Item *>(&value), sizeof(Item)) == 0;
    }
    bool pop(Item &value)
    {
        return rte_ring_sc_dequeue_elem(queue, &value, sizeof(Item)) == 0;
    }
    bool push_many(const Item *values, std::size_t count)
    {
        return rte_ring_sp_enqueue_bulk_elem(queue, values, sizeof(Item),
                                             static_cast<unsigned>(count), nullptr) != 0;
    }
    bool pop_many(Item *values, std::size_t count)
    {
        return rte_ring_sc_dequeue_bulk_elem(queue, values, sizeof(Item),
                                             static_cast<unsigned>(count), nullptr) != 0;
    }
};

/* Concurrency Kit's ring, one producer and one consumer, elements of the item's size. */
template <class Item> struct ck : ring {
    static constexpr const char *title = "ck_ring SPSC";
    struct shared {
        ck_ring queue;
        char pad[128];
    };
    shared *memory;
    Item *items;
    std::size_t bytes;
    explicit ck(std::size_t capacity)
    {
        unsigned slots = 1;
        while (slots <= capacity) /* it holds one fewer */
            slots *= 2;
        bytes = sizeof(shared) + slots * sizeof(Item) + 4096;
        memory = static_cast<shared *>(map_shared(bytes));
        items = reinterpret_cast<Item *>(reinterpret_cast<char *>(memory) + 4096);
        ck_ring_init(&memory->queue, slots);
    }
    ~ck()
    {
        munmap(memory, bytes);
    }
    bool push(const Item &value)
    {
        return _ck_ring_enqueue_sp(&memory->queue, items, &value, sizeof(Item), nullptr);
    }
    bool pop(Item &value)
    {
        return _ck_ring_dequeue_sc(&memory->queue, items, &value, sizeof(Item));
    }
};

/* liburcu's wait-free-enqueue queue: a list of nodes, here taken from an array in turn. It is as
   long as the array; its counters and nodes are never reused before they were read. */
template <class Item> struct urcu : ring {
    static constexpr const char *title = "liburcu wfcqueue";
    struct node {
        cds_wfcq_node link;
        Item value;
    };
    struct shared {
        alignas(128) cds_wfcq_tail tail;
        alignas(128) __cds_wfcq_head head;
        alignas(128) std::atomic<std::uint64_t> popped;
    };
    enum { NODES = 1 << 14 };
    shared *memory;
    node *nodes;
    std::uint64_t pushed = 0, seen = 0, taken = 0;
    explicit urcu(std::size_t)
    {
        memory = static_cast<shared *>(map_shared(4096 + NODES * sizeof(node)));
        nodes = reinterpret_cast<node *>(reinterpret_cast<char *>(memory) + 4096);
        __cds_wfcq_init(&memory->head, &memory->tail);
    }
    ~urcu()
    {
        munmap(memory, 4096 + NODES * sizeof(node));
    }
    bool push(const Item &value)
    {
        if (pushed - seen >= NODES - 2) {
            seen = memory->popped.load(std::memory_order_acquire);
            if (pushed - seen >= NODES - 2)
                return false;
        }
        node *next = &nodes[pushed++ % NODES];
        next->value = value;
        cds_wfcq_node_init(&next->link);
        cds_wfcq_enqueue(__cds_wfcq_head_cast(&memory->head), &memory->tail, &next->link);
        return true;
    }
    bool pop(Item &value)
    {
        cds_wfcq_node *link = __cds_wfcq_dequeue_nonblocking(__cds_wfcq_head_cast(&memory->head),
                                                             &memory->tail);
        if (link == nullptr || link == CDS_WFCQ_WOULDBLOCK)
            return false;
        value = reinterpret_cast<node *>(link)->value;
        memory->popped.store(++taken, std::memory_order_release);
        return true;
    }
};

} // namespace bench
#endif
