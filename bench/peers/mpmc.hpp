/* SPDX-License-Identifier: MIT */
/* Queues for several producers and consumers, in memory that all sides map, each typed and inlined
   if it supports that. Each side calls enter once. */
#ifndef QUOIT_BENCH_PEERS_MPMC_HPP
#define QUOIT_BENCH_PEERS_MPMC_HPP

#include "rings.hpp"

#include <boost/lockfree/queue.hpp>

namespace bench
{

template <class Item, bool Waits> struct quoit_mpmc {
    static constexpr const char *title = Waits ? "Quoit MPMC, waiting" : "Quoit MPMC";
    static constexpr std::int64_t timeout_ns = Waits ? QUOIT_FOREVER : QUOIT_NOW;
    typedef quoit_typed<Item> typed;
    std::string name = unique_name("mpmc");
    explicit quoit_mpmc(std::size_t capacity)
    {
        make_typed<Item>(name, QUOIT_MPMC, capacity);
    }
    ~quoit_mpmc()
    {
        (void)quoit_unlink(name.c_str(), 0);
    }
    struct side {
        typename typed::queue queue;
        bool push(const Item &value)
        {
            return typed::push(queue, &value, timeout_ns) == QUOIT_OK;
        }
        bool pop(Item &value)
        {
            return typed::pop(queue, &value, timeout_ns) == QUOIT_OK;
        }
    };
    side enter()
    {
        typename typed::queue queue;
        must(typed::open(name.c_str(), QUOIT_PRODUCER | QUOIT_CONSUMER, &queue));
        return side{queue};
    }
};

/* Its nodes are in a separate array: the form that can be in shared memory. */
template <class Item> struct boost_mpmc {
    static constexpr const char *title = "Boost.Lockfree queue";
    typedef boost::lockfree::queue<Item, boost::lockfree::capacity<1024>> queue_type;
    queue_type *queue;
    explicit boost_mpmc(std::size_t) : queue(new (map_shared(sizeof(queue_type))) queue_type)
    {
    }
    ~boost_mpmc()
    {
        munmap(queue, sizeof(queue_type));
    }
    struct side {
        queue_type *queue;
        bool push(const Item &value)
        {
            return queue->bounded_push(value);
        }
        bool pop(Item &value)
        {
            return queue->pop(value);
        }
    };
    side enter()
    {
        return side{queue};
    }
};

template <class Item> struct ck_mpmc : ck<Item> {
    static constexpr const char *title = "ck_ring MPMC";
    using ck<Item>::ck;
    struct side {
        ck_ring *queue;
        Item *items;
        bool push(const Item &value)
        {
            return _ck_ring_enqueue_mp(queue, items, &value, sizeof(Item), nullptr);
        }
        bool pop(Item &value)
        {
            return _ck_ring_trydequeue_mc(queue, items, &value, sizeof(Item)) != 0;
        }
    };
    side enter()
    {
        return side{&this->memory->queue, this->items};
    }
};

/* DPDK's three modes for many producers and consumers. */
enum class rte_mode { plain, hts, rts };
template <class Item, rte_mode Mode> struct rte_mpmc {
    static constexpr const char *title = Mode == rte_mode::plain ? "DPDK rte_ring MP/MC"
                                         : Mode == rte_mode::hts ? "DPDK rte_ring HTS"
                                                                 : "DPDK rte_ring RTS";
    rte_ring *queue;
    std::size_t bytes;
    explicit rte_mpmc(std::size_t capacity)
    {
        unsigned slots = 1;
        while (slots <= capacity) /* it holds one fewer */
            slots *= 2;
        bytes = static_cast<std::size_t>(rte_ring_get_memsize_elem(sizeof(Item), slots));
        queue = static_cast<rte_ring *>(map_shared(bytes));
        unsigned flags = Mode == rte_mode::plain ? 0
                         : Mode == rte_mode::hts ? RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ
                                                 : RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ;
        if (rte_ring_init(queue, "bench", slots, flags) != 0)
            die("rte_ring_init");
    }
    ~rte_mpmc()
    {
        munmap(queue, bytes);
    }
    struct side {
        rte_ring *queue;
        bool push(const Item &value)
        {
            void *item = const_cast<Item *>(&value);
            if (Mode == rte_mode::plain)
                return rte_ring_mp_enqueue_elem(queue, item, sizeof(Item)) == 0;
            if (Mode == rte_mode::hts)
                return rte_ring_mp_hts_enqueue_bulk_elem(queue, item, sizeof(Item), 1, nullptr) ==
                       1;
            return rte_ring_mp_rts_enqueue_bulk_elem(queue, item, sizeof(Item), 1, nullptr) == 1;
        }
        bool pop(Item &value)
        {
            if (Mode == rte_mode::plain)
                return rte_ring_mc_dequeue_elem(queue, &value, sizeof(Item)) == 0;
            if (Mode == rte_mode::hts)
                return rte_ring_mc_hts_dequeue_bulk_elem(queue, &value, sizeof(Item), 1, nullptr) ==
                       1;
            return rte_ring_mc_rts_dequeue_bulk_elem(queue, &value, sizeof(Item), 1, nullptr) == 1;
        }
    };
    side enter()
    {
        return side{queue};
    }
};

} // namespace bench
#endif
