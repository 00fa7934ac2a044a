/* SPDX-License-Identifier: MIT */
/* Stepping, killing and stopping by ptrace. */
#include "stepper.h"

#include "test.h"
#include "watch.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum mark { BEFORE, INSIDE, BEHIND };
enum { CALL_STOP = SIGTRAP | 0x80 };

/* The position of the child, in memory that it shares with its parent. */
static volatile uint32_t *mark;
static uintptr_t beginning; /* the address at which it is INSIDE, if that is known */

static int wait_for(const struct stepper *stepper)
{
    int status;
    while (waitpid(stepper->pid, &status, 0) < 0)
        if (errno != EINTR)
            test_fail(__FILE__, __LINE__, "waitpid: %s", strerror(errno));
    if (WIFEXITED(status) || WIFSIGNALED(status))
        test_child_ended((test_process){.id = stepper->pid});
    return status;
}

static void check_resumed(long result)
{
    if (result != 0)
        test_fail(__FILE__, __LINE__, "ptrace: %s", strerror(errno));
}

/* A macro, because C libraries differ in the type of a request. */
#define resume(stepper, request) check_resumed(ptrace(request, (stepper)->pid, NULL, NULL))

/* ---- The position of the process ------------------------------------------------------------- */

#if defined(__x86_64__) || defined(__i386__)
enum { STEPPER_KNOWS_CALLS = true };
#if defined(__x86_64__)
enum { AT_PLACE = offsetof(struct user, regs.rip) };
#else
enum { AT_PLACE = offsetof(struct user, regs.eip) };
#endif

enum { BREAKPOINT = 0xcc }; /* int3, one byte; after it has run, the process is at the next byte */

static uintptr_t register_of(const struct stepper *stepper, size_t offset)
{
    errno = 0;
    long value = ptrace(PTRACE_PEEKUSER, stepper->pid, offset, NULL);
    CHECK_EQ(errno, 0);
    return (uintptr_t)value;
}

static uintptr_t place_of(const struct stepper *stepper)
{
    return register_of(stepper, AT_PLACE);
}

/* Returns the word that the breakpoint replaces. */
static long set_breakpoint(const struct stepper *stepper, uintptr_t place)
{
    errno = 0;
    long word = ptrace(PTRACE_PEEKTEXT, stepper->pid, place, NULL);
    CHECK_EQ(errno, 0);
    long broken = (long)(((unsigned long)word & ~0xffUL) | BREAKPOINT);
    CHECK_EQ(ptrace(PTRACE_POKETEXT, stepper->pid, place, broken), 0);
    return word;
}

/* Runs at full speed to one of two addresses. Returns the one that it reached. */
static uintptr_t run_to(const struct stepper *stepper, uintptr_t place, uintptr_t end)
{
    long at_end = set_breakpoint(stepper, end), at_place = set_breakpoint(stepper, place);
    resume(stepper, PTRACE_CONT);
    int status = wait_for(stepper);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
        test_fail(__FILE__, __LINE__, "no breakpoint was met: 0x%x", (unsigned)status);
    uintptr_t met = place_of(stepper) - 1;
    CHECK(met == place || met == end);
    CHECK_EQ(ptrace(PTRACE_POKETEXT, stepper->pid, place, at_place), 0);
    CHECK_EQ(ptrace(PTRACE_POKETEXT, stepper->pid, end, at_end), 0);
    CHECK_EQ(ptrace(PTRACE_POKEUSER, stepper->pid, AT_PLACE, met), 0);
    return met;
}

bool stepper_is_call(const struct stepper_path *path, uint64_t step)
{
    static const unsigned char entries[][2] = {{0x0f, 0x05}, {0x0f, 0x34}, {0xcd, 0x80}};
    bool is = false;            /* syscall, sysenter, int 0x80 */
    for (int i = 0; i < 3; i++) /* a forked child's code is at our addresses */
        is |= memcmp((const void *)path->at[step], entries[i], sizeof entries[i]) == 0;
    return is;
}

#if defined(__x86_64__)
static bool is_in_vdso(uintptr_t place)
{
    const uintptr_t begin = getauxval(AT_SYSINFO_EHDR); /* the same in all of our children */
    if (begin == 0 || place < begin)
        return false;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)begin;
    const Elf64_Phdr *parts = (const Elf64_Phdr *)(begin + header->e_phoff);
    uintptr_t bytes = 0;
    for (int i = 0; i < header->e_phnum; i++)
        if (parts[i].p_type == PT_LOAD && parts[i].p_vaddr + parts[i].p_memsz > bytes)
            bytes = parts[i].p_vaddr + parts[i].p_memsz;
    return place - begin < bytes;
}

/* The kernel's code in each process (vDSO) reads the clocks, and repeats that if the kernel has
   updated them meanwhile. A slowly stepped process on a busy machine would never get out of it. It
   does not change shared memory, so no kill point is lost if it runs at full speed. */
static void run_through_vdso(const struct stepper *stepper)
{
    if (!is_in_vdso(place_of(stepper))) /* inside it: it was called by the last step */
        return;
    errno = 0;
    uintptr_t stack = register_of(stepper, offsetof(struct user, regs.rsp));
    uintptr_t caller = (uintptr_t)ptrace(PTRACE_PEEKDATA, stepper->pid, stack, NULL);
    CHECK_EQ(errno, 0);
    (void)run_to(stepper, caller, caller);
}
#endif

#else /* without it, stepping only takes longer */
enum { STEPPER_KNOWS_CALLS = false };

static uintptr_t place_of(const struct stepper *stepper)
{
    (void)stepper;
    return 0;
}

static uintptr_t run_to(const struct stepper *stepper, uintptr_t place, uintptr_t end)
{
    (void)stepper;
    (void)place;
    return end;
}

bool stepper_is_call(const struct stepper_path *path, uint64_t step)
{
    (void)path;
    (void)step;
    return false;
}

#endif

#if !defined(__x86_64__) /* on i386 the vDSO makes system calls, which must be found */
static void run_through_vdso(const struct stepper *stepper)
{
    (void)stepper;
}
#endif

/* ---- The operation's beginning and end ------------------------------------------------------- */

static void traced_child(void (*run)(void *), void *argument)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(TEST_SKIPPED);
    run(argument);
    _exit(EXIT_SUCCESS);
}

static void *share_page(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_NE(page, MAP_FAILED);
    return page;
}

static void do_nothing(void *unused)
{
    (void)unused;
    stepper_begin();
    stepper_end();
}

/* Parent and child take turns: on one CPU a step takes a third of the time that it takes on two. */
static void stay_on_one_cpu(void)
{
    cpu_set_t set;
    int cpu = sched_getcpu();
    CPU_ZERO(&set);
    CPU_SET((unsigned)(cpu < 0 ? 0 : cpu), &set);
    (void)sched_setaffinity(0, sizeof set, &set); /* if it fails, the test is only slower */
}

void stepper_require(void)
{
    if (getenv("QUOIT_TEST_EMULATOR"))
        test_skip("an emulator's process cannot be stepped");
    mark = share_page();
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid == 0)
        traced_child(do_nothing, NULL);
    struct stepper stepper = {.pid = pid};
    if (WIFEXITED(wait_for(&stepper)))
        test_skip("processes must not be traced here");
    stepper_kill(&stepper);
    stay_on_one_cpu();
}

struct stepper stepper_start(void (*run)(void *argument), void *argument)
{
    if (!mark) /* this part of the test runs without the first one */
        stepper_require();
    *mark = BEFORE;
    (void)fflush(NULL);
    pid_t pid = fork();
    CHECK_GE(pid, 0);
    if (pid == 0)
        traced_child(run, argument);
    struct stepper stepper = {.pid = pid};
    test_child_began((test_process){.id = pid}); /* a failing test kills it, and what it holds */
    int status = wait_for(&stepper);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
        test_fail(__FILE__, __LINE__, "the child did not come to its beginning: 0x%x",
                  (unsigned)status);
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, NULL, options), 0);
    if (beginning)
        (void)run_to(&stepper, beginning, beginning);
    while (*mark == BEFORE)
        CHECK(stepper_step(&stepper));
    beginning = place_of(&stepper);
    stepper.steps = 0;
    return stepper;
}

void stepper_begin(void)
{
    (void)raise(SIGSTOP);
    *mark = INSIDE;
}

void stepper_end(void)
{
    *mark = BEHIND;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

bool stepper_step(struct stepper *stepper)
{
    if (*mark == BEHIND)
        return false;
    resume(stepper, PTRACE_SINGLESTEP);
    int status = wait_for(stepper);
    if (!WIFSTOPPED(status))
        test_fail(__FILE__, __LINE__, "the stepped process ended by itself: 0x%x",
                  (unsigned)status);
    if (WSTOPSIG(status) != SIGTRAP)
        test_fail(__FILE__, __LINE__, "the stepped process got signal %d", WSTOPSIG(status));
    run_through_vdso(stepper);
    stepper->steps++;
    return true;
}

bool stepper_advance(struct stepper *stepper, uint64_t steps)
{
    for (uint64_t i = 0; i < steps; i++)
        if (!stepper_step(stepper))
            return false;
    return true;
}

/* ---- The operation's path -------------------------------------------------------------------- */

/* Searches the path. A table would be slower, since each fork would copy its pages. */
static bool is_first_time(const struct stepper_path *path, uint64_t step)
{
    for (uint64_t i = 0; i < step; i++)
        if (path->at[i] == path->at[step])
            return false;
    return true;
}

/* touched: the last instruction may have touched shared memory. After any other instruction only a
   full run compares the memory, to check that it did not change. That check is only for a process
   whose memory no other process changes. */
static unsigned marks_behind(const struct stepper *stepper, bool called, bool touched)
{
    unsigned changed = touched || test_is_full() ? watch_changes(stepper->pid) : 0u;
    if (changed && !touched && !stepper->has_company)
        test_fail(__FILE__, __LINE__, "what the instruction at step %llu writes was not seen",
                  (unsigned long long)stepper->steps - 1);
    if (called)
        changed |= watch_map(stepper->pid);
    return (changed || called || !STEPPER_KNOWS_CALLS ? STEPPER_CHANGED : 0u) |
           (changed & WATCH_OBJECT ? STEPPER_OBJECT : 0u);
}

void stepper_explore(struct stepper *stepper, struct stepper_path *path)
{
    unsigned marks = STEPPER_CHANGED | STEPPER_OBJECT;
    bool more = true;
    CHECK_EQ(stepper->steps, 0);
    (void)watch_map(stepper->pid);
    (void)watch_changes(stepper->pid);
    for (uint64_t at = 0; more; at++) {
        CHECK_LT(at, STEPPER_STEPS);
        path->at[path->steps = at] = place_of(stepper);
        bool calls = stepper_is_call(path, at);
        bool touches = calls || watch_may_touch(stepper->pid);
        marks |= touches ? STEPPER_TOUCHES : 0u;
        marks |= is_first_time(path, at) ? STEPPER_FIRST : 0u;
        path->marks[at] = (uint8_t)marks;
        more = stepper_step(stepper);
        marks = more ? marks_behind(stepper, calls, touches) : 0;
    }
    stepper_kill(stepper);
}

void stepper_go_to(struct stepper *stepper, const struct stepper_path *path, uint64_t step)
{
    uint64_t from = step;
    while (!(path->marks[from] & STEPPER_FIRST))
        from--;
    uintptr_t end = path->at[path->steps];
    if (from > 0)
        stepper->steps = run_to(stepper, path->at[from], end) == end ? path->steps : from;
    while (stepper->steps < step && stepper_step(stepper))
        ;
}

/* ---- System calls ---------------------------------------------------------------------------- */

/* Runs to the next entrance or exit of a system call. */
static void run_to_stop(const struct stepper *stepper)
{
    resume(stepper, PTRACE_SYSCALL);
    int status = wait_for(stepper);
    if (!WIFSTOPPED(status))
        test_fail(__FILE__, __LINE__, "the process ended by itself: 0x%x", (unsigned)status);
    if (WSTOPSIG(status) != CALL_STOP)
        test_fail(__FILE__, __LINE__, "the process got signal %d", WSTOPSIG(status));
}

static long entered_call(const struct stepper *stepper)
{
    struct __ptrace_syscall_info info;
    CHECK_GT(ptrace(PTRACE_GET_SYSCALL_INFO, stepper->pid, sizeof info, &info), 0);
    return (long)info.entry.nr;
}

bool stepper_run_to_call(struct stepper *stepper, long number)
{
    for (bool entering = true; *mark != BEHIND; entering = !entering) {
        run_to_stop(stepper);
        if (entering && *mark != BEHIND && entered_call(stepper) == number)
            return true;
    }
    return false;
}

/* Call it at the entrance of a system call. The kernel executes no call, and the process sees the
   error. */
static void let_call_fail(const struct stepper *stepper, int error)
{
#if defined(__x86_64__)
    struct user_regs_struct registers;
    CHECK_EQ(ptrace(PTRACE_GETREGS, stepper->pid, NULL, &registers), 0);
    registers.orig_rax = (unsigned long)-1L;
    CHECK_EQ(ptrace(PTRACE_SETREGS, stepper->pid, NULL, &registers), 0);
    run_to_stop(stepper);
    registers.rax = (unsigned long)-(long)error;
    CHECK_EQ(ptrace(PTRACE_SETREGS, stepper->pid, NULL, &registers), 0);
#else
    (void)stepper;
    (void)error;
    test_skip("how a call is made to fail is not written for this processor");
#endif
}

bool stepper_fail_call(struct stepper *stepper, uint64_t call, int error,
                       bool (*wanted)(long number))
{
    for (uint64_t seen = 0;; seen++) {
        run_to_stop(stepper);
        if (*mark == BEHIND)
            return false;
        if (seen == call) {
            if (wanted(entered_call(stepper)))
                let_call_fail(stepper, error);
            return true;
        }
        run_to_stop(stepper);
    }
}

void stepper_kill(struct stepper *stepper)
{
    CHECK_EQ(kill(stepper->pid, SIGKILL), 0);
    while (!WIFSIGNALED(wait_for(stepper)))
        ;
}

void stepper_finish(struct stepper *stepper)
{
    resume(stepper, PTRACE_DETACH);
    int status = wait_for(stepper);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
        test_fail(__FILE__, __LINE__, "the stopped process did not end well: 0x%x",
                  (unsigned)status);
}
