/* SPDX-License-Identifier: MIT */
/* Truncated files on POSIX systems: a SIGBUS handler maps a page of zeros in the missing place. */
#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile sig_atomic_t faulted;
static volatile sig_atomic_t zeros = -1; /* /dev/zero */
static uintptr_t page_bytes;
static struct sigaction before;

/* Neighbouring pages are to become one mapping, of which a process may have some ten thousand: so
   they lie in the file of zeros as they do in memory. The mask leaves room in any off_t. */
static void *map_zeros(char *page)
{
    const uintptr_t mask = 0x3fffffff;
    return mmap(page, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, zeros,
                (off_t)((uintptr_t)page & mask));
}

/* A mapping of a private file is not in the list of what POSIX allows here; it is one system call
   wherever there is mmap. */
static void on_bus(int number, siginfo_t *info, void *context)
{
    (void)context;
    char *page = (char *)info->si_addr - (uintptr_t)info->si_addr % page_bytes;
    faulted = 1;
    /* Another process's signal, or nothing helps: the default ends this process when it returns. */
    if (info->si_code <= 0 || map_zeros(page) == MAP_FAILED) {
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    }
}

void fault_begin(void)
{
    struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (zeros < 0)
        zeros = open("/dev/zero", O_RDWR | O_CLOEXEC);
    faulted = 0;
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
