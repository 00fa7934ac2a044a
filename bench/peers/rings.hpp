/* SPDX-License-Identifier: MIT */
/* Queues in memory that both sides map, each typed and inlined if it supports that. push and pop
   return false if the queue is full or empty; push_many and pop_many move all items or none. */
#ifndef QUOIT_BENCH_PEERS_RINGS_HPP
#define QUOIT_BENCH_PEERS_RINGS_HPP

#include "measure.hpp"

#include <quoit/typed.h>

#include <boost/lockfree/spsc_queue.hpp>

/* A header for C, where false converts to a pointer. */
#define false 0
#include <ck_ring.h>
#undef false

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <urcu/wfcqueue.h>

namespace bench
{

/* Moves count items by calls that move some of the remaining items, or 0. */
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

/* The preparation of a side: nothing, for most queues. */
struct ring {
    void produce()
    {
    }
    void consume()
    {
    }
};

/* The typed calls of an item type. */
template <class Item> struct quoit_typed;
#define BENCH_CALL(bytes, call, parameters, arguments) \
    static quoit_status call parameters                \
    {                                                  \
        return q##bytes##_##call arguments;            \
    }
#define BENCH_TYPED(bytes)                                                                      \
    typedef item<bytes> item##bytes;                                                            \
    QUOIT_DEFINE_QUEUE(q##bytes, item##bytes);                                                  \
    template <> struct quoit_typed<item##bytes> {                                               \
        typedef q##bytes##_queue queue;                                                         \
        typedef item##bytes value;                                                              \
        static quoit_queue_options options(std::uint64_t capacity)                              \
        {                                                                                       \
            return q##bytes##_options(capacity);                                                \
        }                                                                                       \
        BENCH_CALL(bytes, open, (const char *name, std::uint32_t role, queue *out),             \
                   (name, role, out))                                                           \
        BENCH_CALL(bytes, push, (queue q, const value *in, std::int64_t wait), (q, in, wait))   \
        BENCH_CALL(bytes, pop, (queue q, value *out, std::int64_t wait), (q, out, wait))        \
        BENCH_CALL(bytes, push_many, (queue q, const value *in, std::size_t n, std::size_t *d), \
                   (q, in, n, d, QUOIT_NOW))                                                    \
        BENCH_CALL(bytes, pop_many, (queue q, value *out, std::size_t n, std::size_t *d),       \
                   (q, out, n, d, QUOIT_NOW))                                                   \
        BENCH_CALL(bytes, claim, (queue q, value **out), (q, out, QUOIT_NOW))                   \
        BENCH_CALL(bytes, commit, (queue q), (q))                                               \
        BENCH_CALL(bytes, peek, (queue q, const value **out), (q, out, QUOIT_NOW))              \
        BENCH_CALL(bytes, release, (queue q), (q))                                              \
    };
BENCH_TYPED(1)
BENCH_TYPED(8)
BENCH_TYPED(12)
BENCH_TYPED(16)
BENCH_TYPED(24)
BENCH_TYPED(64)
BENCH_TYPED(100)
BENCH_TYPED(256)
BENCH_TYPED(300)
BENCH_TYPED(1024)
BENCH_TYPED(4096)
BENCH_TYPED(65536)

static inline void must(quoit_status status)
{
    if (status == QUOIT_OK)
        return;
    std::fprintf(stderr, "%s\n", quoit_describe(status));
    std::exit(1);
}

/* A queue that no handle uses yet. */
static inline void make_quoit(const std::string &name, const quoit_queue_options &options)
{
    quoit_queue *queue;
    must(quoit_queue_create(name.c_str(), &options, QUOIT_OBSERVER, &queue));
    quoit_queue_close(queue);
}

template <class Item>
static void make_typed(const std::string &name, std::uint32_t kind, std::size_t capacity)
{
    quoit_queue_options options = quoit_typed<Item>::options(capacity);
    options.kind = kind;
    make_quoit(name, options);
}

template <class Item, bool Waits = false> struct quoit_ring : ring {
    static constexpr const char *title = Waits ? "Quoit, waiting" : "Quoit";
    static constexpr std::int64_t timeout_ns = Waits ? QUOIT_FOREVER : QUOIT_NOW;
    typedef quoit_typed<Item> typed;
    std::string name = unique_name("ring");
    typename typed::queue producer = {nullptr};
    alignas(128) typename typed::queue consumer = {nullptr};

    explicit quoit_ring(std::size_t capacity)
    {
        make_typed<Item>(name, QUOIT_SPSC, capacity);
    }
    ~quoit_ring()
    {
        (void)quoit_unlink(name.c_str(), 0);
    }
    void produce()
    {
        must(typed::open(name.c_str(), QUOIT_PRODUCER, &producer));
    }
    void consume()
    {
        must(typed::open(name.c_str(), QUOIT_CONSUMER, &consumer));
    }
    bool push(const Item &value)
    {
        return typed::push(producer, &value, timeout_ns) == QUOIT_OK;
    }
    bool pop(Item &value)
    {
        return typed::pop(consumer, &value, timeout_ns) == QUOIT_OK;
    }
    /* A batch continues after a shorter one. */
    bool push_many(const Item *values, std::size_t count)
    {
        return move_all(count, [&](std::size_t done, std::size_t left) {
            std::size_t some = 0;
            (void)typed::push_many(producer, values + done, left, &some);
            return some;
        });
    }
    bool pop_many(Item *values, std::size_t count)
    {
        return move_all(count, [&](std::size_t done, std::size_t left) {
            std::size_t some = 0;
            (void)typed::pop_many(consumer, values + done, left, &some);
            return some;
        });
    }
};

/* Boost.Lockfree, with its capacity known at compile time. */
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

/* liburcu's wait-free-enqueue queue: a list of nodes, which come from an array in turn. A node is
   used again after it was read. */
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
    alignas(128) std::uint64_t pushed = 0, seen = 0; /* the producer's */
    alignas(128) std::uint64_t taken = 0;            /* the consumer's */
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
