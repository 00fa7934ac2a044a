/* SPDX-License-Identifier: MIT */
/*
 * bench_waits ROUNDS [PART]: measures waits on many queues, beside pipes and eventfds with epoll,
 * and how fast large items are with each bit of options.memory. Each round makes all measurements
 * once, so that all of them meet the same disturbances. Each result is a line of JSON.
 */
#include "waits.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int round_number;
static int processors[2];

void result(const char *question, const char *subject, double value, const char *unit)
{
    printf("{\"question\":\"%s\",\"subject\":\"%s\",\"round\":%d,\"value\":%.6g,\"unit\":\"%s\"}\n",
           question, subject, round_number, value, unit);
}

_Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

void check(quoit_status status, const char *what)
{
    if (status == QUOIT_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, quoit_describe(status));
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t dice(void)
{
    static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static long family; /* the process that made the names */

const char *name_of(int i)
{
    static char name[64];
    (void)snprintf(name, sizeof name, "bench-waits-%ld-%d", family, i);
    return name;
}

void remove_names(int count)
{
    for (int i = 0; i < count; i++)
        check(quoit_unlink(name_of(i), 0), "quoit_unlink");
}

/* ---- Processes ------------------------------------------------------------------------------- */

static void find_processors(void)
{
    cpu_set_t allowed;
    int found = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        die("sched_getaffinity");
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET((unsigned)cpu, &allowed))
            processors[found++] = cpu;
    if (found < 2) {
        fprintf(stderr, "bench_waits may use only one processor; allow two\n");
        exit(77);
    }
}

void pin(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)processors[processor], &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("sched_setaffinity");
}

int start(void (*run)(void *argument), void *argument)
{
    (void)fflush(stdout);
    int pid = fork();
    if (pid < 0)
        die("fork");
    if (pid > 0)
        return pid;
    run(argument);
    (void)fflush(stdout);
    _exit(0);
}

void finish(int pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "a process of the measurement failed\n");
        exit(1);
    }
}

void *shared_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    return memory;
}

void free_memory(void *memory, size_t bytes)
{
    (void)munmap(memory, bytes);
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    if (!directory)
        die(path);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(directory);
    return count;
}

int threads_of_process(void)
{
    return count_entries("/proc/self/task");
}

int descriptors_of_process(void)
{
    return count_entries("/proc/self/fd");
}

uint64_t blocks_of_process(void)
{
    uint64_t sum = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        die("/proc/self/task");
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], line[200];
        unsigned long long count;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "voluntary_ctxt_switches: %llu", &count) == 1)
                sum += count;
        if (file)
            (void)fclose(file);
    }
    (void)closedir(tasks);
    return sum;
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*measure)(void);
} parts[] = {{"lateness", measure_lateness},
             {"trips", measure_trips},
             {"idle", measure_idle},
             {"memory", measure_memory}};

int main(int argc, char **argv)
{
    int rounds = argc >= 2 ? atoi(argv[1]) : 0;
    if (rounds < 1 || argc > 3) {
        fprintf(stderr, "usage: bench_waits ROUNDS [lateness | trips | idle | memory]\n");
        return 2;
    }
    find_processors();
    family = (long)getpid();
    for (round_number = 0; round_number < rounds; round_number++) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            if (argc < 3 || strcmp(argv[2], parts[i].name) == 0)
                parts[i].measure();
        fprintf(stderr, "round %d of %d\n", round_number + 1, rounds);
    }
    return 0;
}
