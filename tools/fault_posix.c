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

/* A mapping of a private file is not in the list of what POSIX allows here; it is one system call
   wherever there is mmap. */
static void on_bus(int number, siginfo_t *info, void *context)
{
    (void)context;
    char *page = (char *)info->si_addr - (uintptr_t)info->si_addr % page_bytes;
    faulted = 1;
    /* Another process's signal, or nothing helps: the default ends this process when it returns. */
    if (info->si_code <= 0 || mmap(page, page_bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_FIXED, zeros, 0) == MAP_FAILED) {
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

bool fault_end(void)
{
    if (zeros >= 0)
        (void)sigaction(SIGBUS, &before, NULL);
    return faulted != 0;
}
