/* SPDX-License-Identifier: MIT */
/* How long does it take to allocate and to free a block, in one thread? A pool is compared with the
   C library's allocator, and with that of Boost.Interprocess in shared memory. */
#include "measure.hpp"

#include <quoit.h>

#include <boost/interprocess/managed_shared_memory.hpp>
#include <memory>

namespace bench
{

static void must(quoit_status status)
{
    if (status == QUOIT_OK)
        return;
    std::fprintf(stderr, "%s\n", quoit_describe(status));
    std::exit(1);
}

static std::uint64_t blocks_of(std::size_t bytes)
{
    return bytes < 65536 ? 1024 : 16;
}

struct quoit_blocks {
    static constexpr const char *title = "Quoit pool";
    typedef quoit_block block;
    std::string name = unique_name("pool");
    quoit_pool *pool = nullptr;
    explicit quoit_blocks(std::size_t bytes)
    {
        quoit_pool_options options{};
        options.block_bytes = bytes;
        options.blocks = blocks_of(bytes);
        must(quoit_pool_create(name.c_str(), &options, 0, &pool));
        must(quoit_unlink(name.c_str(), 0));
    }
    ~quoit_blocks()
    {
        quoit_pool_close(pool);
    }
    block alloc()
    {
        quoit_block found;
        must(quoit_pool_alloc(pool, &found));
        return found;
    }
    void *at(block found)
    {
        return quoit_pool_at(pool, found);
    }
    void free(block found)
    {
        must(quoit_pool_free(pool, found));
    }
};

struct malloc_blocks {
    static constexpr const char *title = "malloc";
    typedef void *block;
    std::size_t bytes;
    explicit malloc_blocks(std::size_t size) : bytes(size)
    {
    }
    block alloc()
    {
        return std::malloc(bytes);
    }
    void *at(block found)
    {
        return found;
    }
    void free(block found)
    {
        std::free(found);
    }
};

struct boost_blocks {
    static constexpr const char *title = "Boost.Interprocess managed_shared_memory";
    typedef void *block;
    std::size_t bytes;
    std::string name = unique_name("boost");
    boost::interprocess::managed_shared_memory memory;
    explicit boost_blocks(std::size_t size)
        : bytes(size), memory(boost::interprocess::create_only, name.c_str(),
                              blocks_of(size) * (size + 64) + (1 << 20))
    {
        boost::interprocess::shared_memory_object::remove(name.c_str());
    }
    block alloc()
    {
        return memory.allocate(bytes);
    }
    void *at(block found)
    {
        return found;
    }
    void free(block found)
    {
        memory.deallocate(found);
    }
};

/* Returns ns per block. `held` blocks are allocated before the first is freed. */
template <class Peer>
static double pairs(std::size_t bytes, std::uint64_t held, std::uint64_t count)
{
    const std::uint64_t rounds = (count + held - 1) / held;
    double took = run_sides(
        {1, 0, true, false}, [](int) {},
        [&](int, stopwatch &watch) {
            Peer peer(bytes);
            std::vector<typename Peer::block> blocks(held);
            auto round = [&] {
                for (auto &block : blocks) {
                    block = peer.alloc();
                    *static_cast<volatile char *>(peer.at(block)) = 1;
                }
                for (auto &block : blocks)
                    peer.free(block);
            };
            for (std::uint64_t i = 0; i < blocks_of(bytes); i += held) /* the first use of each */
                round();
            watch.start();
            for (std::uint64_t i = 0; i < rounds; i++)
                round();
        });
    return took / static_cast<double>(rounds * held);
}

template <class Peer> static void pairs_of(std::size_t bytes)
{
    for (std::uint64_t held : {1, 8})
        add({"pool pairs", Peer::title, bytes, held, true}, "ns",
            [=](std::uint64_t count) { return pairs<Peer>(bytes, held, count); });
}

void pools()
{
    for (std::size_t bytes : {16, 4096, 1 << 20}) {
        pairs_of<quoit_blocks>(bytes);
        pairs_of<malloc_blocks>(bytes);
        pairs_of<boost_blocks>(bytes);
    }
}

} // namespace bench
