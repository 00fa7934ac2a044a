/* SPDX-License-Identifier: MIT */
/*
 * The harness of all comparisons (Linux). A case answers a question about one queue. In each round
 * each case runs once, which is called a slice; the order of the cases is shuffled for each round.
 * The sides of a slice are processes or threads, each pinned to a processor. A result is a line of
 * JSON with the canary before and after its slice.
 */
#ifndef QUOIT_BENCH_PEERS_MEASURE_HPP
#define QUOIT_BENCH_PEERS_MEASURE_HPP

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

namespace bench
{

[[noreturn]] void die(const char *what);
/* Returns zeroed and resident memory, which the sides inherit and share. */
void *map_shared(std::size_t bytes);
/* Returns memory that shares no cache line with another side. It is never unmapped. */
void *map_private(std::size_t bytes);
std::string unique_name(const char *what);

inline std::uint64_t now_ns()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000000000u +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/* ---- Items ----------------------------------------------------------------------------------- */

template <std::size_t Bytes> struct word_of {
    typedef std::conditional_t<Bytes % 8 == 0, std::uint64_t,
                               std::conditional_t<Bytes % 4 == 0, std::uint32_t, std::uint8_t>>
        type;
};

/* The producer writes every word of an item, the consumer checks every word. */
template <std::size_t Bytes> struct item {
    typedef typename word_of<Bytes>::type word;
    word words[Bytes / sizeof(word)];
    void fill(std::uint64_t number)
    {
        for (std::size_t i = 0; i < Bytes / sizeof(word); i++)
            words[i] = static_cast<word>(number + i);
    }
    void check(std::uint64_t number) const
    {
        word wrong = 0;
        for (std::size_t i = 0; i < Bytes / sizeof(word); i++)
            wrong = static_cast<word>(wrong | (words[i] ^ static_cast<word>(number + i)));
        if (wrong == 0)
            return;
        std::fprintf(stderr, "item %llu arrived as %llu\n", static_cast<unsigned long long>(number),
                     static_cast<unsigned long long>(words[0]));
        std::abort();
    }
};

/* ---- Loops ----------------------------------------------------------------------------------- */

inline void relax()
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/* A side uses one of these loops to repeat a call that found the queue full or empty. `share` is
   for sides that share a processor: it also yields, since another side may be in the middle of a
   push. */
enum class loop { retry, pause, share };

template <loop Loop, class Attempt> void insist(Attempt attempt)
{
    for (unsigned tries = 1; !attempt(); tries++) {
        if (Loop == loop::share && tries % 64 == 0)
            sched_yield();
        else if (Loop != loop::retry)
            relax();
    }
}

/* ---- Sides ----------------------------------------------------------------------------------- */

/* Sides are numbered: first the consumers, then the producers. */
struct sides {
    int consumers, producers;
    bool processes;
    bool one_processor; /* all on the same */
};
const int CONSUMER = 0, PRODUCER = 1; /* with one of each */

/* One for each side. A side that measures calls start. */
struct alignas(128) stopwatch {
    std::uint64_t begin, end;
    void start()
    {
        begin = now_ns();
    }
};

/*
 * Runs prepare(side) on each side, then act(side, watch) on all of them at once. Sides share a
 * processor only if there are fewer processors than sides; even then no producer shares one with a
 * consumer. Returns the ns from the first start of a watch until the last side that started its
 * watch has ended.
 *
 * Sides that share a processor may wait for each other's time slices: some rings then move a few
 * items in each. Such a run is ended after STALLED_SECONDS, and counts as if it had done all of its
 * items by then.
 */
const unsigned STALLED_SECONDS = 2; /* a slice lasts 20 ms as a rule */
double run_sides(const sides &who, const std::function<void(int)> &prepare,
                 const std::function<void(int, stopwatch &)> &act);

/* ---- Cases ----------------------------------------------------------------------------------- */

/* detail: a batch, a rate, a capacity, or a number of sides, depending on the question. */
struct subject {
    const char *question;
    std::string peer;
    std::size_t bytes;
    std::uint64_t detail;
    bool processes;
};

/* Adds a case. run passes `count` items and returns ns per item. The result is that number if the
   unit is "ns", and items per second if it is "…/s". The harness finds the count that takes
   SLICE_NS. */
void add(const subject &about, const char *unit, std::function<double(std::uint64_t count)> run);
/* Adds a case whose run returns several results in ns. Result i has the question "QUESTION
   NAMES[i]". */
void add_figures(const subject &about, const std::vector<std::string> &names,
                 std::function<std::vector<double>()> run);

/* Returns whether a quick run omits this: it omits some sizes, and all threads. */
bool is_left_out(std::size_t bytes, bool processes);

/* Each of these adds the cases of one part. */
void one_per_call();
void batches();
void latency();
void mpmc();
void broadcast();
void messages();
void pools();
void limits(); /* added to each part */

} // namespace bench
#endif
