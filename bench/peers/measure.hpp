/* SPDX-License-Identifier: MIT */
/*
 * Shared by the comparisons (Linux): two pinned sides, threads or processes, with memory that is
 * mapped before they start; the limits of the hardware, measured between the runs; raw results as
 * JSON lines.
 */
#ifndef QUOIT_BENCH_PEERS_MEASURE_HPP
#define QUOIT_BENCH_PEERS_MEASURE_HPP

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace bench
{

[[noreturn]] inline void die(const char *what)
{
    std::perror(what);
    std::exit(1);
}

inline std::uint64_t now_ns()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000000000u +
           static_cast<std::uint64_t>(time.tv_nsec);
}

inline void relax()
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/* A side that makes no progress lets the others of its CPU run: one of them may be in the middle of
   a push. */
template <class Try> void insist(Try attempt)
{
    for (int tries = 1; !attempt(); tries++)
        if (tries % 64 == 0)
            sched_yield();
        else
            relax();
}

inline void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("sched_setaffinity");
}

inline void *map_shared(std::size_t bytes)
{
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    return memory;
}

template <std::size_t Bytes> struct item {
    std::uint64_t words[Bytes / 8];
    void fill(std::uint64_t number)
    {
        for (std::size_t i = 0; i < Bytes / 8; i++)
            words[i] = number + i;
    }
    /* Reads all of it. */
    void check(std::uint64_t number) const
    {
        std::uint64_t wrong = 0;
        for (std::size_t i = 0; i < Bytes / 8; i++)
            wrong |= words[i] ^ (number + i);
        if (wrong != 0) {
            std::fprintf(stderr, "item %llu arrived as %llu\n",
                         static_cast<unsigned long long>(number),
                         static_cast<unsigned long long>(words[0]));
            std::abort();
        }
    }
};

struct options {
    int rounds = 7;
    bool processes = true;
    int near_cpu = 0, far_cpu = 1;
};
extern options settings;
extern double latest_canary;

/* The state that both sides share, and the measured result. */
struct meeting {
    std::atomic<int> arrived;
    std::atomic<int> go;
    double took;
};

/* The start and the end of more than two sides. */
struct start_line {
    std::atomic<int> ready, go, ended;
};

inline void wait_for(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) {
        std::fprintf(stderr, "a side failed: %d\n", status);
        std::exit(1);
    }
}

/*
 * Runs here() on one CPU and there() on the other, each after its own preparation. Returns the
 * duration of here(start) in ns; here may move the start. Uses two new processes, since some
 * libraries cannot be used before and after a fork, or two threads.
 */
template <class PrepareThere, class There, class PrepareHere, class Here>
double run_both(PrepareThere prepare_there, There there, PrepareHere prepare_here, Here here,
                int there_cpu = -1)
{
    auto *meet = static_cast<meeting *>(map_shared(4096));
    auto there_side = [&] {
        pin(there_cpu < 0 ? settings.far_cpu : there_cpu);
        prepare_there();
        meet->arrived++;
        while (meet->go.load() == 0)
            sched_yield();
        there();
        while (meet->go.load() != 2) /* libraries may still have to send data */
            usleep(100);
    };
    auto here_side = [&] {
        pin(settings.near_cpu);
        prepare_here();
        while (meet->arrived.load() == 0)
            sched_yield();
        std::uint64_t start = now_ns();
        meet->go.store(1);
        here(start);
        meet->took = static_cast<double>(now_ns() - start);
        meet->go.store(2);
    };
    std::fflush(stdout);
    if (settings.processes) {
        pid_t children[2];
        for (int side = 0; side < 2; side++) {
            children[side] = fork();
            if (children[side] == 0) {
                if (side == 0)
                    there_side();
                else
                    here_side();
                std::exit(0);
            }
        }
        wait_for(children[1]);
        wait_for(children[0]);
    } else {
        std::thread thread(there_side);
        here_side();
        thread.join();
    }
    double took = meet->took;
    munmap(meet, 4096);
    return took;
}

inline void nothing()
{
}

/* The round trip of one word between the two CPUs, in ns: the best possible on this machine, and a
   canary, since it changes several times over if a hypervisor moves the CPUs apart. */
inline double bounce_ns()
{
    const std::uint64_t rounds = 50000;
    auto *word = static_cast<std::atomic<std::uint64_t> *>(map_shared(4096));
    double took = run_both(
        nothing,
        [&] {
            for (std::uint64_t i = 0; i < rounds; i++) {
                while (word->load(std::memory_order_acquire) != 2 * i + 1)
                    ;
                word->store(2 * i + 2, std::memory_order_release);
            }
        },
        nothing,
        [&](std::uint64_t &) {
            for (std::uint64_t i = 0; i < rounds; i++) {
                word->store(2 * i + 1, std::memory_order_release);
                while (word->load(std::memory_order_acquire) != 2 * i + 2)
                    ;
            }
        });
    munmap(word, 4096);
    latest_canary = took / static_cast<double>(rounds);
    return latest_canary;
}

/* Whole cache lines per second: eight stores into each, or one; one load, or all; an index
   published every `every` lines. */
inline double lines_a_second(std::uint64_t every, bool whole)
{
    const std::uint64_t lines = 1 << 20, ring = 1024;
    auto *memory = static_cast<char *>(map_shared(8192 + ring * 64));
    auto *tail = reinterpret_cast<std::atomic<std::uint64_t> *>(memory);
    auto *head = reinterpret_cast<std::atomic<std::uint64_t> *>(memory + 4096);
    auto *line = reinterpret_cast<volatile std::uint64_t *>(memory + 8192);
    double took = run_both(
        nothing,
        [&] {
            std::uint64_t limit = ring;
            for (std::uint64_t i = 0; i < lines; i += every) {
                while (limit - i < every)
                    limit = head->load(std::memory_order_acquire) + ring;
                for (std::uint64_t k = i; k < i + every; k++)
                    for (std::uint64_t word = 0; word < (whole ? 8 : 1); word++)
                        line[k % ring * 8 + word] = k;
                tail->store(i + every, std::memory_order_release);
            }
        },
        nothing,
        [&](std::uint64_t &) {
            std::uint64_t limit = 0;
            for (std::uint64_t i = 0; i < lines; i += every) {
                while (limit - i < every)
                    limit = tail->load(std::memory_order_acquire);
                for (std::uint64_t k = i; k < i + every; k++)
                    for (std::uint64_t word = 0; word < (whole ? 8 : 1); word++)
                        (void)line[k % ring * 8 + word];
                head->store(i + every, std::memory_order_release);
            }
        });
    munmap(memory, 8192 + ring * 64);
    return static_cast<double>(lines) / took * 1e9;
}

inline void result(const char *question, const char *peer, std::size_t bytes, std::uint64_t detail,
                   int round, double value, const char *unit)
{
    std::printf(
        "{\"question\":\"%s\",\"peer\":\"%s\",\"bytes\":%zu,\"detail\":%llu,"
        "\"between\":\"%s\",\"round\":%d,\"value\":%.6g,\"unit\":\"%s\",\"bounce_ns\":%.1f}\n",
        question, peer, bytes, static_cast<unsigned long long>(detail),
        settings.processes ? "processes" : "threads", round, value, unit, latest_canary);
}

/* [--rounds N] [--threads] */
void parse(int argc, char **argv);

} // namespace bench
#endif
