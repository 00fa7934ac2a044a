/* SPDX-License-Identifier: MIT */
/* The harness: sides on their processors, the canary, and the rounds of one part. */
#include "measure.hpp"

#include <algorithm>
#include <random>
#include <thread>

#include <signal.h>
#include <sys/wait.h>

namespace bench
{

static const double SLICE_NS = 20e6;
static const std::uint64_t COUNT_LEAST = 64, COUNT_MOST = 1u << 26;
static const int SIDES_MOST = 16;

static bool quick;
static std::vector<int> processors; /* those that this process may use */

void die(const char *what)
{
    std::perror(what);
    std::exit(1);
}

static void *map(std::size_t bytes, int sharing)
{
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        sharing | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    return memory;
}

void *map_shared(std::size_t bytes)
{
    return map(bytes, MAP_SHARED);
}

void *map_private(std::size_t bytes)
{
    return map(bytes, MAP_PRIVATE);
}

std::string unique_name(const char *what)
{
    static int number;
    return std::string("bench-") + what + "-" + std::to_string(getpid()) + "-" +
           std::to_string(number++);
}

/* ---- Sides ----------------------------------------------------------------------------------- */

static void find_processors()
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        die("sched_getaffinity");
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(static_cast<unsigned>(cpu), &allowed))
            processors.push_back(cpu);
    if (processors.size() < 2) {
        std::fprintf(stderr, "bench_peers may use only one processor; allow two, "
                             "for example with taskset\n");
        std::exit(77);
    }
}

static int processor_of(int side, const sides &who)
{
    const int all = static_cast<int>(processors.size());
    if (who.one_processor)
        return processors[0];
    if (who.consumers + who.producers <= all)
        return processors[static_cast<std::size_t>(side)];
    const int for_producers = std::min(who.producers, all / 2);
    const int index = side < who.consumers ? side % (all - for_producers)
                                           : all - 1 - (side - who.consumers) % for_producers;
    return processors[static_cast<std::size_t>(index)];
}

static void pin(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(processor), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("sched_setaffinity");
}

/* Waits for all of them. If one side fails, kills the others, which would wait for it forever. If
   seconds_most is not 0, kills them all after this time and returns false. */
static bool wait_for(std::vector<pid_t> children, unsigned seconds_most)
{
    bool failed = false, in_time = true;
    alarm(seconds_most);
    while (!children.empty()) {
        int status;
        pid_t ended = wait(&status);
        if (ended > 0)
            children.erase(std::remove(children.begin(), children.end(), ended), children.end());
        else
            in_time = false; /* the alarm */
        if ((ended > 0 && status == 0) || failed)
            continue;
        if (in_time)
            std::fprintf(stderr, "a side failed: wait status %d\n", status);
        failed = true;
        for (pid_t child : children)
            kill(child, SIGKILL);
    }
    alarm(0);
    if (failed && in_time)
        std::exit(1);
    return in_time;
}

struct meeting {
    alignas(128) std::atomic<int> ready;
    alignas(128) std::atomic<int> ended;
    stopwatch watches[SIDES_MOST];
};

/* All sides run in new processes, since some libraries cannot be used before and after a fork. */
double run_sides(const sides &who, const std::function<void(int)> &prepare,
                 const std::function<void(int, stopwatch &)> &act)
{
    const int all = who.consumers + who.producers;
    auto *meet = static_cast<meeting *>(map_shared(sizeof(meeting)));
    auto side = [&](int number) {
        pin(processor_of(number, who));
        prepare(number);
        meet->ready++;
        while (meet->ready.load() < all)
            sched_yield();
        act(number, meet->watches[number]);
        meet->watches[number].end = now_ns();
        meet->ended++;
        while (meet->ended.load() < all) /* libraries may still have to send data */
            usleep(100);
    };
    std::fflush(stdout);
    std::vector<pid_t> children;
    for (int i = 0; i < (who.processes ? all : 1); i++) {
        pid_t child = fork();
        if (child < 0)
            die("fork");
        if (child > 0) {
            children.push_back(child);
            continue;
        }
        if (who.processes) {
            side(i);
        } else {
            std::vector<std::thread> threads;
            for (int k = 0; k < all; k++)
                threads.emplace_back(side, k);
            for (auto &thread : threads)
                thread.join();
        }
        std::exit(0);
    }
    const bool may_stall = static_cast<std::size_t>(all) > processors.size();
    const bool in_time = wait_for(children, may_stall ? STALLED_SECONDS : 0);
    std::uint64_t begin = UINT64_MAX, end = 0;
    for (const stopwatch &watch : meet->watches) {
        if (watch.begin == 0)
            continue;
        begin = std::min(begin, watch.begin);
        end = std::max(end, watch.end);
    }
    munmap(meet, sizeof(meeting));
    return in_time ? static_cast<double>(end - begin) : STALLED_SECONDS * 1e9;
}

/* ---- The canary ------------------------------------------------------------------------------ */

/* Returns how many ns one cache line takes to the other processor and back. It is the median of
   BLOCKS, so that one interrupt does not change it. */
static double canary_ns()
{
    const std::uint64_t BLOCKS = 15, TRIPS = 200;
    struct shared {
        alignas(128) std::atomic<std::uint64_t> word;
        alignas(128) double blocks[BLOCKS];
    };
    auto *memory = static_cast<shared *>(map_shared(sizeof(shared)));
    auto await = [&](std::uint64_t value) {
        while (memory->word.load(std::memory_order_acquire) != value)
            ;
    };
    run_sides(
        {1, 1, true, false}, [](int) {},
        [&](int side, stopwatch &) {
            std::uint64_t at = 0;
            for (double &block : memory->blocks) {
                std::uint64_t begin = now_ns();
                for (std::uint64_t i = 0; i < TRIPS; i++, at += 2) {
                    if (side == PRODUCER)
                        await(at + 1);
                    memory->word.store(at + 1 + static_cast<std::uint64_t>(side),
                                       std::memory_order_release);
                    if (side == CONSUMER)
                        await(at + 2);
                }
                if (side == CONSUMER)
                    block = static_cast<double>(now_ns() - begin) / TRIPS;
            }
        });
    std::sort(memory->blocks, memory->blocks + BLOCKS);
    double median = memory->blocks[BLOCKS / 2];
    munmap(memory, sizeof(shared));
    return median;
}

/* ---- Cases and rounds ------------------------------------------------------------------------ */

struct test_case {
    subject about;
    std::string unit;
    std::vector<std::string> names; /* of several results; empty: there is one result */
    std::function<double(std::uint64_t)> each_ns;
    std::function<std::vector<double>()> figures;
    std::uint64_t count; /* items in a slice; 0: not known yet */
};
static std::vector<test_case> cases;

bool is_left_out(std::size_t bytes, bool processes)
{
    return quick && (!processes || bytes == 1 || bytes == 12 || bytes == 24 || bytes == 100 ||
                     bytes == 256 || bytes == 300 || bytes == 65536);
}

void add(const subject &about, const char *unit, std::function<double(std::uint64_t)> run)
{
    if (!is_left_out(about.bytes, about.processes))
        cases.push_back({about, unit, {}, std::move(run), nullptr, 0});
}

void add_figures(const subject &about, const std::vector<std::string> &names,
                 std::function<std::vector<double>()> run)
{
    if (!is_left_out(about.bytes, about.processes))
        cases.push_back({about, "ns", names, nullptr, std::move(run), 0});
}

/* Returns the number of items for a slice of SLICE_NS, if `count` items took each_ns each. */
static std::uint64_t next_count(std::uint64_t count, double each_ns)
{
    const double last = static_cast<double>(count);
    const double wanted = std::clamp(SLICE_NS / std::max(each_ns, 1e-3), last / 4, last * 16);
    return std::clamp(static_cast<std::uint64_t>(wanted), COUNT_LEAST, COUNT_MOST);
}

static std::vector<double> run_slice(test_case &one)
{
    if (one.figures)
        return one.figures();
    double each_ns = one.each_ns(one.count);
    one.count = next_count(one.count, each_ns);
    return {one.unit == "ns" ? each_ns : 1e9 / each_ns};
}

static void find_count(test_case &one)
{
    double each_ns;
    one.count = COUNT_LEAST;
    do {
        each_ns = one.each_ns(one.count);
        one.count = next_count(one.count, each_ns);
    } while (static_cast<double>(one.count) * each_ns < SLICE_NS / 2 && one.count < COUNT_MOST);
}

static void measure(test_case &one, int round)
{
    if (one.each_ns && one.count == 0)
        find_count(one);
    const double before = canary_ns();
    const std::vector<double> values = run_slice(one);
    const double after = canary_ns();
    for (std::size_t i = 0; i < values.size(); i++)
        std::printf("{\"question\":\"%s%s%s\",\"peer\":\"%s\",\"bytes\":%zu,\"detail\":%llu,"
                    "\"between\":\"%s\",\"round\":%d,\"value\":%.6g,\"unit\":\"%s\","
                    "\"canary_ns\":[%.1f,%.1f]}\n",
                    one.about.question, one.names.empty() ? "" : " ",
                    one.names.empty() ? "" : one.names[i].c_str(), one.about.peer.c_str(),
                    one.about.bytes, static_cast<unsigned long long>(one.about.detail),
                    one.about.processes ? "processes" : "threads", round, values[i],
                    one.unit.c_str(), before, after);
}

static void payloads()
{
    messages();
    pools();
}

static const struct {
    const char *name;
    void (*add)();
} parts[] = {{"one_per_call", one_per_call}, {"batches", batches},
             {"latency", latency},           {"mpmc", mpmc},
             {"broadcast", broadcast},       {"payloads", payloads}};

[[noreturn]] static void usage()
{
    std::fprintf(stderr, "usage: bench_peers PART ROUNDS [quick] | bench_peers canary; PART is");
    for (const auto &part : parts)
        std::fprintf(stderr, " %s", part.name);
    std::fprintf(stderr, "\n");
    std::exit(2);
}

static void run_part(const char *name, int rounds)
{
    for (const auto &part : parts)
        if (std::strcmp(part.name, name) == 0)
            part.add();
    if (cases.empty() || rounds <= 0)
        usage();
    limits();
    for (int round = 0; round < rounds; round++) {
        std::shuffle(cases.begin(), cases.end(), std::mt19937(static_cast<unsigned>(round)));
        for (test_case &one : cases)
            measure(one, round);
        std::fprintf(stderr, "round %d of %d: %zu cases\n", round + 1, rounds, cases.size());
    }
}

static int run(int argc, char **argv)
{
    find_processors();
    struct sigaction end_wait = {}; /* without SA_RESTART */
    end_wait.sa_handler = [](int) {};
    sigaction(SIGALRM, &end_wait, nullptr);
    if (argc == 2 && std::strcmp(argv[1], "canary") == 0) {
        std::printf("%.1f\n", canary_ns());
        return 0;
    }
    quick = argc == 4 && std::strcmp(argv[3], "quick") == 0;
    if (argc != (quick ? 4 : 3))
        usage();
    run_part(argv[1], std::atoi(argv[2]));
    return 0;
}

} // namespace bench

int main(int argc, char **argv)
{
    return bench::run(argc, argv);
}
