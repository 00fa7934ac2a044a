/* SPDX-License-Identifier: MIT */
/* The shared memory of a stepped process, read from /proc; and the instructions that may touch
   it. */
#include "watch.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

enum { RANGES_MAX = 32 };

/* ---- Memory ---------------------------------------------------------------------------------- */

struct range {
    uintptr_t begin, end;
    unsigned kind;
};

static struct range ranges[RANGES_MAX];
static int range_count;
static unsigned char *before, *now; /* the bytes of all ranges, one after the other */

static size_t all_bytes(void)
{
    size_t bytes = 0;
    for (int i = 0; i < range_count; i++)
        bytes += ranges[i].end - ranges[i].begin;
    return bytes;
}

/* Parses a line like "7f00a000-7f00c000 rw-s 00000000 00:1a 35    /dev/shm/name". Accepts only
   memory that other processes can see, except that which the test shares with its watcher. */
static bool parse_range(const char *line, struct range *range_out)
{
    char *rest;
    range_out->begin = (uintptr_t)strtoull(line, &rest, 16);
    range_out->end = (uintptr_t)strtoull(rest + 1, &rest, 16);
    range_out->kind = strstr(rest, "/dev/zero") ? WATCH_ANONYMOUS : WATCH_OBJECT;
    return strncmp(rest, " rw-s", 5) == 0 && !strstr(rest, TEST_WATCHED_FILE);
}

static void read_ranges(int pid)
{
    char path[64], line[512];
    (void)snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *file = fopen(path, "r");
    CHECK(file);
    range_count = 0;
    while (fgets(line, sizeof line, file)) {
        CHECK_LT(range_count, RANGES_MAX);
        range_count += parse_range(line, &ranges[range_count]);
    }
    (void)fclose(file);
}

/* Bytes after the end of a file cannot be read, and stay zero. */
static void read_bytes(int pid)
{
    unsigned char *place = now;
    for (int i = 0; i < range_count; i++) {
        size_t bytes = ranges[i].end - ranges[i].begin;
        struct iovec local = {.iov_base = place, .iov_len = bytes};
        struct iovec remote = {.iov_base = (void *)ranges[i].begin, .iov_len = bytes};
        (void)process_vm_readv(pid, &local, 1, &remote, 1, 0);
        place += bytes;
    }
}

unsigned watch_map(int pid)
{
    struct range old[RANGES_MAX];
    int old_count = range_count;
    memcpy(old, ranges, sizeof old);
    read_ranges(pid);
    if (before && old_count == range_count &&
        memcmp(old, ranges, (size_t)range_count * sizeof *ranges) == 0)
        return 0;
    free(before);
    free(now);
    before = calloc(1, all_bytes() + 1);
    now = calloc(1, all_bytes() + 1);
    CHECK(before);
    CHECK(now);
    read_bytes(pid);
    memcpy(before, now, all_bytes());
    return WATCH_OBJECT;
}

unsigned watch_changes(int pid)
{
    unsigned changed = 0;
    size_t at = 0;
    read_bytes(pid);
    for (int i = 0; i < range_count; i++) {
        size_t bytes = ranges[i].end - ranges[i].begin;
        if (memcmp(before + at, now + at, bytes) != 0) {
            memcpy(before + at, now + at, bytes);
            changed |= ranges[i].kind;
        }
        at += bytes;
    }
    return changed;
}

/* ---- Instructions ---------------------------------------------------------------------------- */

#if defined(__x86_64__)

/* The operand forms of the processor manual. UNKNOWN: assume that the instruction touches shared
   memory. */
enum form { NO_MEMORY, OPERAND, UNKNOWN };

static bool is_prefix(unsigned char byte)
{
    return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0xf0 || byte == 0x2e ||
           byte == 0x36 || byte == 0x3e || byte == 0x26;
}

static enum form form_of_two(unsigned char code)
{
    bool jumps = code >= 0x80 && code <= 0x8f, swaps = code >= 0xc8 && code <= 0xcf;
    bool reads_nothing = code == 0x1e || code == 0x1f || code == 0x31 || code == 0xa2;
    if (jumps || swaps || reads_nothing)
        return NO_MEMORY;
    bool moves = (code >= 0x10 && code <= 0x17) || (code >= 0x28 && code <= 0x2f);
    bool of_vectors = (code >= 0x54 && code <= 0x76) || (code >= 0xd0 && code != 0xff);
    bool of_words = (code >= 0x40 && code <= 0x4f) || (code >= 0x90 && code <= 0x9f) ||
                    (code >= 0xaf && code <= 0xc1) || code == 0xa3 || code == 0xab ||
                    code == 0xc7 || code == 0x7e || code == 0x7f || code == 0x18;
    return moves || of_vectors || of_words ? OPERAND : UNKNOWN;
}

static enum form form_of_one(unsigned char code)
{
    bool stack = (code >= 0x50 && code <= 0x5f) || code == 0x68 || code == 0x6a || code == 0xc2 ||
                 code == 0xc3 || code == 0xc9 || code == 0xe8;
    bool jumps = (code >= 0x70 && code <= 0x7f) || code == 0xe9 || code == 0xeb;
    bool constant = (code >= 0x90 && code <= 0x99) || (code >= 0xb0 && code <= 0xbf) ||
                    code == 0xa8 || code == 0xa9 || (code < 0x40 && (code & 6) == 4);
    if (stack || jumps || constant || code == 0x8d)
        return NO_MEMORY;
    bool arithmetic = code < 0x40 && (code & 4) == 0;
    bool moves = (code >= 0x80 && code <= 0x8f) || code == 0xc6 || code == 0xc7;
    bool others = code == 0x63 || code == 0x69 || code == 0x6b || code == 0xc0 || code == 0xc1 ||
                  (code >= 0xd0 && code <= 0xd3) || code == 0xf6 || code == 0xf7 || code >= 0xfe;
    return arithmetic || moves || others ? OPERAND : UNKNOWN;
}

static uintptr_t value_of(const struct user_regs_struct *r, unsigned number)
{
    const unsigned long long values[] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp,
                                         r->rsi, r->rdi, r->r8,  r->r9,  r->r10, r->r11,
                                         r->r12, r->r13, r->r14, r->r15};
    return (uintptr_t)values[number];
}

static bool is_shared(uintptr_t address)
{
    enum { WIDEST = 64 }; /* bytes of one operand */
    for (int i = 0; i < range_count; i++)
        if (address + WIDEST > ranges[i].begin && address < ranges[i].end)
            return true;
    return false;
}

/* code: the byte that selects the operand; rex: the prefix that extends it, or 0. */
static bool operand_is_shared(const unsigned char *code, unsigned rex,
                              const struct user_regs_struct *registers)
{
    unsigned mode = code[0] >> 6, base = code[0] & 7;
    uintptr_t address = 0;
    if (mode == 3 || (mode == 0 && base == 5))
        return false; /* a register, or a variable of the program itself */
    code++;
    bool has_base = true;
    if (base == 4) {
        unsigned scale = *code >> 6, index = (*code >> 3 & 7) | (rex & 2) << 2;
        base = *code++ & 7;
        has_base = !(mode == 0 && base == 5);
        if (index != 4)
            address += value_of(registers, index) << scale;
    }
    if (has_base)
        address += value_of(registers, base | (rex & 1) << 3);
    int32_t far = 0;
    if (mode == 1)
        far = (signed char)*code;
    else if (mode == 2 || !has_base)
        memcpy(&far, code, sizeof far);
    return is_shared(address + (uintptr_t)(intptr_t)far);
}

bool watch_may_touch(int pid)
{
    struct user_regs_struct registers;
    CHECK_EQ(ptrace(PTRACE_GETREGS, pid, NULL, &registers), 0);
    const unsigned char *code =
        (const unsigned char *)(uintptr_t)registers.rip; /* a forked child's code: ours */
    unsigned rex = 0;
    while (is_prefix(*code))
        code++;
    if (*code >= 0x40 && *code <= 0x4f)
        rex = *code++;
    bool two = *code == 0x0f;
    enum form form = two ? form_of_two(code[1]) : form_of_one(*code);
    if (form == OPERAND)
        return operand_is_shared(code + (two ? 2 : 1), rex, &registers);
    return form == UNKNOWN;
}

#else

bool watch_may_touch(int pid)
{
    (void)pid;
    return true;
}

#endif
