/* SPDX-License-Identifier: MIT */
/* The limits of the hardware, measured in the same run as the queues: cache lines that move from
   one processor to the other, and memory that one processor copies. */
#include "measure.hpp"

namespace bench
{

/* Returns ns per line. `words` words of each line are written and read. An index is published after
   each `every` lines. */
static double hand_over(std::uint64_t every, std::uint64_t words, std::uint64_t count)
{
    const std::uint64_t ring = 1024;
    struct shared {
        alignas(4096) std::atomic<std::uint64_t> tail;
        alignas(4096) std::atomic<std::uint64_t> head;
        alignas(4096) volatile std::uint64_t lines[ring][8];
    };
    auto *memory = static_cast<shared *>(map_shared(sizeof(shared)));
    count = (count + every - 1) / every * every;
    auto write_lines = [&] {
        std::uint64_t limit = ring;
        for (std::uint64_t i = 0; i < count; i += every) {
            while (limit - i < every)
                limit = memory->head.load(std::memory_order_acquire) + ring;
            for (std::uint64_t k = i; k < i + every; k++)
                for (std::uint64_t word = 0; word < words; word++)
                    memory->lines[k % ring][word] = k;
            memory->tail.store(i + every, std::memory_order_release);
        }
    };
    auto read_lines = [&] {
        std::uint64_t limit = 0;
        for (std::uint64_t i = 0; i < count; i += every) {
            while (limit - i < every)
                limit = memory->tail.load(std::memory_order_acquire);
            for (std::uint64_t k = i; k < i + every; k++)
                for (std::uint64_t word = 0; word < words; word++)
                    (void)memory->lines[k % ring][word];
            memory->head.store(i + every, std::memory_order_release);
        }
    };
    double took = run_sides(
        {1, 1, true, false}, [](int) {},
        [&](int side, stopwatch &watch) {
            if (side == PRODUCER)
                return write_lines();
            watch.start();
            read_lines();
        });
    munmap(memory, sizeof(shared));
    return took / static_cast<double>(count);
}

/* Returns ns per KiB. Copies 64 KiB per call, between buffers that do not fit into the caches. */
static double copy(std::uint64_t count)
{
    const std::size_t buffer = 32u << 20, piece = 64u << 10;
    const std::size_t bytes = (count * 1024 + piece - 1) / piece * piece;
    double took = run_sides(
        {1, 0, true, false}, [](int) {},
        [&](int, stopwatch &watch) {
            auto *from = static_cast<char *>(map_private(buffer));
            auto *to = static_cast<char *>(map_private(buffer));
            watch.start();
            for (std::size_t i = 0; i < bytes; i += piece) {
                std::memcpy(to + i % buffer, from + i % buffer, piece);
                asm volatile("" : : "r"(to) : "memory"); /* keeps the copy */
            }
        });
    return took / static_cast<double>(bytes) * 1024;
}

void limits()
{
    for (std::uint64_t every : {1, 8, 32, 128})
        for (std::uint64_t words : {1, 8})
            add({"limit, lines", words == 1 ? "lines, one word" : "lines, all words", 64, every,
                 true},
                "lines/s", [=](std::uint64_t count) { return hand_over(every, words, count); });
    add({"limit, memory", "memcpy", 1024, 1, true}, "KiB/s", copy);
}

} // namespace bench
