/* SPDX-License-Identifier: MIT */
/* Windows only: the rights that each open asks for, objects that other programs made, and paths
   that are no local file. */
#include "test.h"

#include "os.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>

extern const struct quoit_os_shm_ops quoit_os_shm_windows;

static const struct quoit_queue_options options = {.item_bytes = 8, .capacity = 5};

struct sleeper {
    struct quoit_os_shm *shm;
    _Atomic uint32_t *word;
    _Atomic uint32_t found; /* the word when the sleep ended, plus 1 */
};

static void sleep_long(void *sleeper)
{
    struct sleeper *self = sleeper;
    quoit_os_sleep(self->shm, 1, self->word, 0, INT64_C(3600000000000));
    atomic_store(&self->found, atomic_load(self->word) + 1);
}

/* A sleeper that may not open the event of another one would poll, and return with an unchanged
   word. Wine 8 grants all rights here, so only Windows shows that fault. */
static void each_sleeper_sleeps(void)
{
    enum { SLEEPERS = 3 };
    struct quoit_os_shm shm;
    static _Atomic uint32_t word;
    struct sleeper sleepers[SLEEPERS];
    test_thread *threads[SLEEPERS];
    CHECK_STATUS(quoit_os_shm_windows.create("sleepers", 4096, 0600, &shm), QUOIT_OK);
    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i] = (struct sleeper){.shm = &shm, .word = &word};
        threads[i] = test_thread_start(sleep_long, &sleepers[i]);
    }
    test_sleep_ms(300); /* a poll lasts 1 ms; a slow machine may miss the fault, and reports none */
    for (int i = 0; i < SLEEPERS; i++)
        CHECK_EQ(atomic_load(&sleepers[i].found), 0);
    atomic_store(&word, 1);
    quoit_os_wake(&shm, 1, &word, 0);
    for (int i = 0; i < SLEEPERS; i++) {
        test_thread_join(threads[i]);
        CHECK_EQ(atomic_load(&sleepers[i].found), 2);
    }
    quoit_os_shm_windows.close(&shm);
}

/* In session 0 two scopes lead to one object. Here a third number of a scope does, which stands for
   Local as well: the lock is not taken twice. */
static void lock_has_one_holder(void)
{
    struct quoit_os_shm shm;
    CHECK_STATUS(quoit_os_shm_windows.create("one_holder", 4096, 0600, &shm), QUOIT_OK);
    struct quoit_os_shm other = shm;
    other.key = 2;
    CHECK_STATUS(quoit_os_lock_try(&shm, 1), QUOIT_OK);
    CHECK_EQ((int)quoit_os_lock_try(&other, 1), (int)QUOIT_ERROR_BUSY);
    CHECK(quoit_os_lock_is_held(&other, 1));
    quoit_os_lock_release(&shm, 1);
    CHECK_STATUS(quoit_os_lock_try(&other, 1), QUOIT_OK);
    quoit_os_lock_release(&other, 1);
    quoit_os_shm_windows.close(&shm);
}

static void wide_name(wchar_t out[128], const char *kind, const char *rest)
{
    (void)swprintf(out, 128, L"Local\\quoit.%hs.%hs", kind, rest);
}

/* Reads what an entry leads to, as any program that may read it can. */
static uint64_t identity_of(const char *name)
{
    wchar_t wide[128];
    wide_name(wide, "name.memory", test_path(name));
    HANDLE section = OpenFileMappingW(FILE_MAP_READ, FALSE, wide);
    CHECK(section);
    const uint64_t *page = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 16);
    CHECK(page);
    uint64_t identity = page[1];
    CHECK(UnmapViewOfFile(page));
    CHECK(CloseHandle(section));
    return identity;
}

/* Makes a mutex with the name of a lock, which grants nothing. */
static HANDLE squat(uint64_t identity, int lock)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    char kind[32], rest[32];
    wchar_t wide[128];
    (void)snprintf(kind, sizeof kind, "lock%d", lock);
    (void)snprintf(rest, sizeof rest, "%08lx%08lx", (unsigned long)(identity >> 32),
                   (unsigned long)(identity & 0xffffffff));
    wide_name(wide, kind, rest);
    CHECK(ConvertStringSecurityDescriptorToSecurityDescriptorW(
        L"D:P", SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
    HANDLE mutex = CreateMutexW(&attributes, TRUE, wide);
    CHECK(mutex);
    CHECK_EQ(GetLastError(), 0);
    (void)LocalFree(attributes.lpSecurityDescriptor);
    return mutex;
}

/* A member takes another entry. If the lock of a role is another program's, the call
   returns PERMISSION. */
static void locks_of_others(void)
{
    enum { FIRST_ENTRY = 16, CONSUMER = 2 };
    const char *name = test_name("windows");
    quoit_queue *queue, *other;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_PRODUCER, &queue), QUOIT_OK);
    uint64_t identity = identity_of(name);
    HANDLE entry = squat(identity, FIRST_ENTRY + 1);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &other), QUOIT_OK);
    quoit_queue_close(other);
    HANDLE role = squat(identity, CONSUMER);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &other), QUOIT_ERROR_PERMISSION);
    CHECK(CloseHandle(role));
    CHECK(CloseHandle(entry));
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &other), QUOIT_OK);
    quoit_queue_close(other);
    quoit_queue_close(queue);
}

static HANDLE reserve(const wchar_t *name)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0,
                                        65536, name);
    CHECK(section);
    CHECK_EQ(GetLastError(), 0);
    return section;
}

/* A section without memory, in place of an entry or of a queue: reading it would crash. */
static void reserved_memory(void)
{
    const char *name = test_name("windows");
    quoit_queue *queue;
    wchar_t wide[128];
    wide_name(wide, "name.memory", test_path(name));
    HANDLE section = reserve(wide);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_ERROR_NOT_QUOIT);
    CHECK(CloseHandle(section));

    HANDLE entry = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 16, wide);
    CHECK(entry);
    CHECK_EQ(GetLastError(), 0);
    uint64_t *page = MapViewOfFile(entry, FILE_MAP_WRITE, 0, 0, 16);
    CHECK(page);
    page[0] = UINT64_C(0x7972746e65007471);
    page[1] = UINT64_C(0x1122334455667788);
    wide_name(wide, "memory", "1122334455667788");
    section = reserve(wide);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_CONSUMER, &queue), QUOIT_ERROR_NOT_QUOIT);
    CHECK(CloseHandle(section));
    CHECK(UnmapViewOfFile(page));
    CHECK(CloseHandle(entry));
}

static void paths_of_no_file(void)
{
    static const struct {
        const char *name;
        quoit_status status;
    } cases[] = {{"file:NUL", QUOIT_ERROR_NOT_QUOIT},
                 {"file:COM1", QUOIT_ERROR_NOT_QUOIT},
                 {"file:c:/windows/com1", QUOIT_ERROR_NOT_QUOIT},
                 {"file://./pipe/quoit", QUOIT_ERROR_NOT_QUOIT},
                 {"file:\\\\.\\C:", QUOIT_ERROR_NOT_QUOIT},
                 {"file:\\\\?\\pipe\\quoit", QUOIT_ERROR_NOT_QUOIT},
                 {"file://server/share/queue", QUOIT_ERROR_UNSUPPORTED},
                 {"file:\\\\?\\UNC\\server\\share\\queue", QUOIT_ERROR_UNSUPPORTED},
                 {"file:queue.txt:stream", QUOIT_ERROR_NAME},
                 {"file:c:\\queue:stream", QUOIT_ERROR_NAME}};
    for (size_t i = 0; TEST_LOOP_TEXT(i < sizeof cases / sizeof cases[0], 0, cases[i].name); i++) {
        quoit_queue *queue;
        CHECK_STATUS(quoit_queue_create(cases[i].name, &options, QUOIT_OBSERVER, &queue),
                     cases[i].status);
        CHECK_STATUS(quoit_queue_open(cases[i].name, QUOIT_OBSERVER, &queue), cases[i].status);
        CHECK_STATUS(quoit_unlink(cases[i].name, 0), cases[i].status);
    }
}

static void release_after_a_while(void *file)
{
    test_sleep_ms(200);
    CHECK(CloseHandle(file));
}

/* As a virus scanner does: opens the file, and does not let it be renamed. */
static void scanned_file(void)
{
    const char *name = test_name("file");
    quoit_queue *queue;
    CHECK_STATUS(quoit_queue_create(name, &options, QUOIT_OBSERVER, &queue), QUOIT_OK);
    HANDLE scanner = CreateFileA(test_path(name), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 NULL, OPEN_EXISTING, 0, NULL);
    CHECK_NE(scanner, INVALID_HANDLE_VALUE);
    quoit_os_hold_ns *= 60; /* tries for a minute: a slow machine is no failure */
    test_thread *thread = test_thread_start(release_after_a_while, scanner);
    CHECK_STATUS(quoit_unlink(name, 0), QUOIT_OK);
    test_thread_join(thread);
    quoit_queue_close(queue);
    CHECK_STATUS(quoit_queue_open(name, QUOIT_OBSERVER, &queue), QUOIT_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    static const struct test_part parts[] = {{"each_sleeper_sleeps", each_sleeper_sleeps},
                                             {"lock_has_one_holder", lock_has_one_holder},
                                             {"locks_of_others", locks_of_others},
                                             {"reserved_memory", reserved_memory},
                                             {"paths_of_no_file", paths_of_no_file},
                                             {"scanned_file", scanned_file},
                                             {NULL, NULL}};
    return test_main(argc, argv, parts, NULL);
}
