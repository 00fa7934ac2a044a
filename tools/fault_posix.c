/* SPDX-License-Identifier: MIT */
/* Truncated files on POSIX systems: a SIGBUS handler maps zeros over the missing pages. */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile sig_atomic_t faulted;
static volatile sig_atomic_t zeros = -1; /* /dev/zero */
static uintptr_t page_bytes;
static volatile uintptr_t mapped; /* the page of the latest fault, which zeros replace; 0: none */
static struct sigaction before;

/* Returns the end of the mapping that contains this page, from /proc/self/maps; without that file,
   the page's own end. Calls only functions that a signal handler may call. */
static uintptr_t end_of_mapping(uintptr_t page)
{
    static const char digits[] = "0123456789abcdef";
    char text[512];
    uintptr_t first = 0, value = 0, end = page + page_bytes;
    bool in_range = true, found = false; /* each line begins with first-end */
    ssize_t count;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && !found && (count = read(fd, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < count && !found; i++) {
            if (text[i] == '\n') {
                in_range = true;
                value = 0;
            } else if (in_range && text[i] == '-') {
                first = value;
                value = 0;
            } else if (in_range && text[i] == ' ') {
                in_range = false;
                found = first <= page && page < value;
                end = found ? value : end;
            } else if (in_range) {
                for (uintptr_t k = 0; k < 16; k++)
                    if (digits[k] == text[i])
                        value = value * 16 + k;
            }
        }
    if (fd >= 0)
        (void)close(fd);
    return end;
}

/* The kernel limits the number of mappings, 65530 on Linux, and merges neighbours only if their
   offsets continue. So the offset follows the address; the mask makes it fit into any off_t. */
static bool map_zeros(char *page, uintptr_t bytes)
{
    const uintptr_t mask = 0x3fffffff;
    return mmap(page, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, zeros,
                (off_t)((uintptr_t)page & mask)) != MAP_FAILED;
}

/*
 * Maps zeros to the end of the mapping, or for one page if that end is unknown. The command reports
 * the object as truncated in both cases. mmap is not in POSIX's list of functions that a signal
 * handler may call; but it is a single system call wherever it exists.
 * If the same page faults twice in a row, zeros do not help: an emulator may report a wrong
 * address. The process then ends, instead of repeating the fault for ever.
 */
static void on_bus(int number, siginfo_t *info, void *context)
{
    (void)context;
    int error = errno;
    char *page = (char *)info->si_addr - (uintptr_t)info->si_addr % page_bytes;
    faulted = 1;
    /* If another process sent the signal, or zeros do not help, the default action ends this
       process when the handler returns. */
    bool helped = info->si_code > 0 && (uintptr_t)page != mapped &&
                  (map_zeros(page, end_of_mapping((uintptr_t)page) - (uintptr_t)page) ||
                   map_zeros(page, page_bytes));
    mapped = (uintptr_t)page;
    if (!helped) {
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    }
    errno = error;
}

void fault_begin(void)
{
    struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (zeros < 0)
        zeros = open("/dev/zero", O_RDWR | O_CLOEXEC);
    faulted = 0;
    mapped = 0;
    (void)sigemptyset(&action.sa_mask);
    if (zeros >= 0)
        (void)sigaction(SIGBUS, &action, &before);
}

bool fault_seen(void)
{
    return faulted != 0;
}

bool fault_end(void)
{
    if (zeros >= 0)
        (void)sigaction(SIGBUS, &before, NULL);
    return faulted != 0;
}
