/* SPDX-License-Identifier: MIT */
/*
 * The cost of a block: allocated and freed by one thread, compared with the C library's allocator
 * and Boost.Interprocess in shared memory; by two processes from one pool; and sent to another
 * process through a queue, where the cost does not depend on its size, compared with copying.
 */
#include "measure.hpp"

#include <quoit/typed.h>

#include <boost/interprocess/managed_shared_memory.hpp>
#include <memory>
#include <vector>

using namespace bench;

static int round_number;

static const std::uint64_t blocks = 1024;
static const char *const pool_name = "posix:quoit-bench-pool", *const queue_name =
                                                                   "posix:quoit-bench-blocks";

static void must(quoit_status status)
{
    if (status != QUOIT_OK)
        die(quoit_describe(status));
}

/* ---- Allocators ------------------------------------------------------------------------------ */

struct quoit_blocks_peer {
    static constexpr const char *title = "Quoit pool";
    std::size_t bytes;
    quoit_pool *pool = nullptr;
    explicit quoit_blocks_peer(std::size_t size) : bytes(size)
    {
        (void)quoit_unlink(pool_name, 0);
        quoit_pool_options options{};
        options.block_bytes = bytes;
        options.blocks = bytes < 65536 ? blocks : 16;
        must(quoit_pool_create(pool_name, &options, 0, &pool));
    }
    ~quoit_blocks_peer()
    {
        quoit_pool_close(pool);
        must(quoit_unlink(pool_name, 0));
    }
    typedef quoit_block handle;
    handle take()
    {
        quoit_block block;
        must(quoit_pool_alloc(pool, &block));
        *static_cast<volatile char *>(quoit_pool_at(pool, block)) = 1;
        return block;
    }
    void give(handle block)
    {
        must(quoit_pool_free(pool, block));
    }
};

struct malloc_peer {
    static constexpr const char *title = "malloc";
    std::size_t bytes;
    explicit malloc_peer(std::size_t size) : bytes(size)
    {
    }
    typedef void *handle;
    handle take()
    {
        void *memory = std::malloc(bytes);
        *static_cast<volatile char *>(memory) = 1;
        return memory;
    }
    void give(handle memory)
    {
        std::free(memory);
    }
};

struct boost_peer {
    static constexpr const char *title = "Boost.Interprocess managed_shared_memory";
    std::size_t bytes;
    std::unique_ptr<boost::interprocess::managed_shared_memory> memory;
    explicit boost_peer(std::size_t size) : bytes(size)
    {
        boost::interprocess::shared_memory_object::remove("quoit-bench-boost");
        memory = std::make_unique<boost::interprocess::managed_shared_memory>(
            boost::interprocess::create_only, "quoit-bench-boost",
            (bytes < 65536 ? blocks : 16) * (bytes + 64) + (1 << 20));
    }
    ~boost_peer()
    {
        boost::interprocess::shared_memory_object::remove("quoit-bench-boost");
    }
    typedef void *handle;
    handle take()
    {
        void *found = memory->allocate(bytes);
        *static_cast<volatile char *>(found) = 1;
        return found;
    }
    void give(handle found)
    {
        memory->deallocate(found);
    }
};

/* Pairs per second; `held` blocks are allocated before the first is freed. */
template <class Peer> static void pairs(std::size_t bytes, std::uint64_t held)
{
    Peer peer(bytes);
    std::vector<typename Peer::handle> handles(held);
    const std::uint64_t rounds = 200000 / held;
    bounce_ns();
    pin(settings.near_cpu);
    std::uint64_t start = now_ns();
    for (std::uint64_t i = 0; i < rounds; i++) {
        for (auto &handle : handles)
            handle = peer.take();
        for (auto &handle : handles)
            peer.give(handle);
    }
    double took = static_cast<double>(now_ns() - start);
    result("pool pairs", Peer::title, bytes, held, round_number,
           took / static_cast<double>(rounds * held), "ns");
}

/* ---- Two processes at once ------------------------------------------------------------------- */

static void both_at_once(std::size_t bytes)
{
    quoit_blocks_peer peer(bytes);
    const std::uint64_t count = 200000;
    quoit_pool *pool = nullptr;
    auto work = [&] {
        for (std::uint64_t i = 0; i < count; i++) {
            quoit_block block;
            must(quoit_pool_alloc(pool, &block));
            must(quoit_pool_free(pool, block));
        }
    };
    bounce_ns();
    double took = run_both([&] { must(quoit_pool_open(pool_name, 0, &pool)); }, work,
                           [&] { must(quoit_pool_open(pool_name, 0, &pool)); },
                           [&](std::uint64_t &) { work(); });
    result("pool pairs at once", quoit_blocks_peer::title, bytes, 2, round_number,
           took / static_cast<double>(count), "ns");
}

/* ---- From one process to the other ----------------------------------------------------------- */

static void make_queue(std::uint32_t item_bytes, std::uint64_t capacity)
{
    (void)quoit_unlink(queue_name, 0);
    quoit_queue_options options{};
    options.item_bytes = item_bytes;
    options.capacity = capacity;
    quoit_queue *queue;
    must(quoit_queue_create(queue_name, &options, QUOIT_OBSERVER, &queue));
    quoit_queue_close(queue);
}

/* Filled here, read there, completely. */
static void fill(void *block, std::size_t bytes, std::uint64_t number)
{
    std::memset(block, static_cast<int>(number & 0x7f), bytes);
}

static void read_all(const void *block, std::size_t bytes)
{
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < bytes; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, static_cast<const char *>(block) + i, 8);
        sum += word;
    }
    if (sum == 1) /* so that the sum is computed */
        std::fprintf(stderr, "a block of zeros and one\n");
}

static void through_pool(std::size_t bytes, std::uint64_t count, bool touch)
{
    quoit_blocks_peer peer(bytes);
    make_queue(8, 4);
    quoit_queue *queue = nullptr;
    quoit_pool *pool = nullptr;
    auto enter = [&](std::uint32_t role) {
        must(quoit_queue_open(queue_name, role, &queue));
        must(quoit_pool_open(pool_name, 0, &pool));
    };
    bounce_ns();
    double took = run_both(
        [&] { enter(QUOIT_PRODUCER); },
        [&] {
            for (std::uint64_t i = 0; i < count; i++) {
                quoit_block block;
                must(quoit_pool_alloc(pool, &block));
                if (touch)
                    fill(quoit_pool_at(pool, block), bytes, i);
                while (quoit_pool_push(pool, queue, block, QUOIT_NOW) == QUOIT_FULL)
                    relax();
            }
        },
        [&] { enter(QUOIT_CONSUMER); },
        [&](std::uint64_t &) {
            for (std::uint64_t i = 0; i < count; i++) {
                quoit_block block;
                while (quoit_pool_pop(pool, queue, &block, QUOIT_NOW) == QUOIT_EMPTY)
                    relax();
                if (touch)
                    read_all(quoit_pool_at(pool, block), bytes);
                must(quoit_pool_free(pool, block));
            }
        });
    result("pool exchange", touch ? "Quoit pool, filled and read" : "Quoit pool, handed over",
           bytes, 1, round_number, static_cast<double>(count) / took * 1e9, "items/s");
    must(quoit_unlink(queue_name, 0));
}

static void by_copy(std::size_t bytes, std::uint64_t count)
{
    make_queue(static_cast<std::uint32_t>(bytes), 4);
    quoit_queue *queue = nullptr;
    std::vector<char> here(bytes), there(bytes);
    bounce_ns();
    double took = run_both(
        [&] { must(quoit_queue_open(queue_name, QUOIT_PRODUCER, &queue)); },
        [&] {
            for (std::uint64_t i = 0; i < count; i++) {
                fill(there.data(), bytes, i);
                while (quoit_queue_push(queue, there.data(), bytes, QUOIT_NOW) == QUOIT_FULL)
                    relax();
            }
        },
        [&] { must(quoit_queue_open(queue_name, QUOIT_CONSUMER, &queue)); },
        [&](std::uint64_t &) {
            for (std::uint64_t i = 0; i < count; i++) {
                while (quoit_queue_pop(queue, here.data(), bytes, nullptr, QUOIT_NOW) ==
                       QUOIT_EMPTY)
                    relax();
                read_all(here.data(), bytes);
            }
        });
    result("pool exchange", "Quoit queue, copied in and out", bytes, 1, round_number,
           static_cast<double>(count) / took * 1e9, "items/s");
    must(quoit_unlink(queue_name, 0));
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    if (!settings.processes) /* handles belong to one process, so threads would show nothing new */
        return 0;
    for (round_number = 0; round_number < settings.rounds; round_number++) {
        for (std::size_t bytes : {16, 4096, 1 << 20})
            for (std::uint64_t held : {1, 8}) {
                pairs<quoit_blocks_peer>(bytes, held);
                pairs<malloc_peer>(bytes, held);
                pairs<boost_peer>(bytes, held);
            }
        both_at_once(4096);
        through_pool(1 << 20, 100000, false);
        through_pool(1 << 20, 300, true);
        by_copy(1 << 20, 300);
        std::fprintf(stderr, "round %d of %d\n", round_number + 1, settings.rounds);
    }
}
