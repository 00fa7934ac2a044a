/* SPDX-License-Identifier: MIT */
/*
 * Locks as named mutexes, which Windows releases when their owner ends. A mutex belongs to a
 * thread, but a lock belongs to a handle, which may outlive the thread that took the lock. So one
 * thread of this process, the lock thread, owns all mutexes. It runs while this process holds a
 * lock.
 */
#include "win32.h"

#include "fail.h"
#include "system_error.h"

#include <stdlib.h>

/* A lock that this process holds. */
struct held {
    struct held *next;
    const struct quoit_os_shm *owner;
    uint32_t number;
    HANDLE mutex;
};

enum task { TAKE, GIVE_BACK, END };

static SRWLOCK guard = SRWLOCK_INIT; /* protects all that follows */
static struct held *all_held;
static struct {
    HANDLE thread;
    HANDLE asked, answered; /* events */
    enum task task;
    HANDLE mutex;
    DWORD answer, error;
} lock_thread;

/* Takes a mutex that no thread owns. A thread may take a mutex again that it owns: two names that
   lead to one object would give two handles one lock. So its owner is read first. */
static DWORD take_mutex(HANDLE mutex)
{
    bool is_held = false, by_this_thread = false;
    if (quoit_os_mutex_query(mutex, &is_held, &by_this_thread) && by_this_thread)
        return WAIT_TIMEOUT;
    return WaitForSingleObject(mutex, 0);
}

/*
 * Microsoft's rules for threads of a DLL: this one holds a reference of the module whose code it
 * runs. So FreeLibrary does not unmap the code before the thread has ended. A thread that ends
 * needs the loader lock, which the closing thread may have: so that thread waits for the last
 * answer, and not for the end.
 */
static DWORD WINAPI run_lock_thread(void *module)
{
    enum task task;
    do {
        (void)WaitForSingleObject(lock_thread.asked, INFINITE);
        task = lock_thread.task;
        if (task == TAKE) {
            lock_thread.answer = take_mutex(lock_thread.mutex);
            lock_thread.error = GetLastError();
        } else if (task == GIVE_BACK) {
            (void)ReleaseMutex(lock_thread.mutex);
        }
        (void)SetEvent(lock_thread.answered);
    } while (task != END);
    FreeLibraryAndExitThread(module, 0);
}

/* WAIT_FAILED: the lock thread is gone. When a process ends, Windows first ends all threads but
   one, and then calls the destructors of DLLs. The system has released the locks of the thread. */
static DWORD ask(enum task task, HANDLE mutex)
{
    HANDLE const events[] = {lock_thread.answered, lock_thread.thread};
    lock_thread.task = task;
    lock_thread.mutex = mutex;
    (void)SetEvent(lock_thread.asked);
    if (WaitForMultipleObjects(2, events, FALSE, INFINITE) == WAIT_OBJECT_0)
        return lock_thread.answer;
    lock_thread.error = ERROR_SHUTDOWN_IN_PROGRESS;
    return WAIT_FAILED;
}

static void close_lock_thread(void)
{
    HANDLE *const handles[] = {&lock_thread.thread, &lock_thread.asked, &lock_thread.answered};
    for (int i = 0; i < 3; i++) {
        if (*handles[i])
            (void)CloseHandle(*handles[i]);
        *handles[i] = NULL;
    }
}

static quoit_status start_lock_thread(void)
{
    if (lock_thread.thread)
        return QUOIT_OK;
    HMODULE module = NULL;
    lock_thread.asked = CreateEventW(NULL, FALSE, FALSE, NULL);
    lock_thread.answered = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (lock_thread.asked && lock_thread.answered &&
        GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const wchar_t *)&lock_thread,
                           &module))
        lock_thread.thread = CreateThread(NULL, 65536, run_lock_thread, module,
                                          STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (lock_thread.thread)
        return QUOIT_OK;
    quoit_status status = quoit_os_fail((int)GetLastError(), "start a thread in", "this process");
    if (module)
        (void)FreeLibrary(module);
    close_lock_thread();
    return status;
}

static void end_lock_thread_if_idle(void)
{
    if (all_held || !lock_thread.thread)
        return;
    (void)ask(END, NULL);
    close_lock_thread();
}

static bool is_same(const struct held *held, const struct quoit_os_shm *shm, uint32_t number)
{
    return held->number == number && held->owner->identity == shm->identity &&
           held->owner->key == shm->key;
}

static struct held **find(const struct quoit_os_shm *shm, uint32_t number)
{
    struct held **at = &all_held;
    while (*at && !is_same(*at, shm, number))
        at = &(*at)->next;
    return at;
}

/* Opens the mutex, or creates it without an owner. */
static quoit_status open_mutex(const wchar_t *name, uint32_t permissions, const char *what,
                               HANDLE *mutex_out)
{
    struct quoit_os_security security;
    quoit_status status = quoit_os_security_make(permissions, true, &security);
    if (status != QUOIT_OK)
        return status;
    *mutex_out = CreateMutexExW(&security.attributes, name, 0, SYNCHRONIZE | MUTEX_MODIFY_STATE);
    DWORD error = GetLastError();
    quoit_os_security_free(&security);
    if (*mutex_out)
        return QUOIT_OK;
    if (error == ERROR_ACCESS_DENIED || error == ERROR_INVALID_HANDLE)
        return quoit_fail(QUOIT_ERROR_PERMISSION,
                          "'%s': another user or another program has made an object with the name "
                          "of one of its locks; end that program, or use another name",
                          what);
    return quoit_os_fail((int)error, "open a lock of", what);
}

/* Called with the guard held. No handle of this process holds the lock. */
static quoit_status take(const struct quoit_os_shm *shm, uint32_t number)
{
    struct quoit_os_object_name name = quoit_os_name_numbered(shm, L"lock", number);
    struct held *held = calloc(1, sizeof *held);
    if (!held)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a lock");
    quoit_status status = start_lock_thread();
    if (status == QUOIT_OK)
        status = open_mutex(name.text, shm->permissions, "a shared object", &held->mutex);
    if (status != QUOIT_OK)
        goto free_held;
    DWORD answer = ask(TAKE, held->mutex);
    if (answer == WAIT_OBJECT_0 || answer == WAIT_ABANDONED) {
        held->owner = shm;
        held->number = number;
        held->next = all_held;
        all_held = held;
        return QUOIT_OK;
    }
    status = answer == WAIT_TIMEOUT
                 ? QUOIT_ERROR_BUSY
                 : quoit_fail(QUOIT_ERROR_SYSTEM,
                              "cannot lock a shared-memory object: Windows error %lu",
                              lock_thread.error);
    (void)CloseHandle(held->mutex);
free_held:
    free(held);
    return status;
}

quoit_status quoit_os_lock_try(const struct quoit_os_shm *shm, uint32_t number)
{
    AcquireSRWLockExclusive(&guard);
    quoit_status status = *find(shm, number) ? QUOIT_ERROR_BUSY : take(shm, number);
    end_lock_thread_if_idle();
    ReleaseSRWLockExclusive(&guard);
    return status;
}

/* Removes a lock from the list and releases it. */
static void give_back(struct held **at)
{
    struct held *held = *at;
    *at = held->next;
    (void)ask(GIVE_BACK, held->mutex);
    (void)CloseHandle(held->mutex);
    free(held);
}

void quoit_os_lock_release(const struct quoit_os_shm *shm, uint32_t number)
{
    AcquireSRWLockExclusive(&guard);
    struct held **at = find(shm, number);
    if (*at && (*at)->owner == shm)
        give_back(at);
    end_lock_thread_if_idle();
    ReleaseSRWLockExclusive(&guard);
}

void quoit_os_lock_release_all(const struct quoit_os_shm *shm)
{
    AcquireSRWLockExclusive(&guard);
    for (struct held **at = &all_held; *at;)
        if ((*at)->owner == shm)
            give_back(at);
        else
            at = &(*at)->next;
    end_lock_thread_if_idle();
    ReleaseSRWLockExclusive(&guard);
}

/* Does another process hold the lock? It does if the mutex exists and has an owner. */
static bool is_held_elsewhere(const struct quoit_os_shm *shm, uint32_t number)
{
    struct quoit_os_object_name name = quoit_os_name_numbered(shm, L"lock", number);
    bool is_held = true, by_caller; /* unknown counts as alive */
    HANDLE mutex = OpenMutexW(MUTEX_MODIFY_STATE, FALSE, name.text);
    if (!mutex)
        return GetLastError() != ERROR_FILE_NOT_FOUND;
    if (!quoit_os_mutex_query(mutex, &is_held, &by_caller))
        is_held = true;
    (void)CloseHandle(mutex);
    return is_held;
}

bool quoit_os_lock_is_held(const struct quoit_os_shm *shm, uint32_t number)
{
    AcquireSRWLockShared(&guard);
    const struct held *held = *find(shm, number);
    bool is_held = held ? held->owner != shm : is_held_elsewhere(shm, number);
    ReleaseSRWLockShared(&guard);
    return is_held;
}

quoit_status quoit_os_gate_enter(const wchar_t *name, uint32_t permissions, const char *what,
                                 HANDLE *gate_out)
{
    quoit_status status = open_mutex(name, permissions, what, gate_out);
    if (status != QUOIT_OK)
        return status;
    quoit_os_fork_hold();
    DWORD answer = WaitForSingleObject(*gate_out, (DWORD)(quoit_os_hold_left_ns() / 1000000));
    quoit_os_fork_release();
    if (answer == WAIT_OBJECT_0 || answer == WAIT_ABANDONED)
        return QUOIT_OK;
    (void)CloseHandle(*gate_out);
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "'%s': another process keeps it locked and makes no progress; continue or "
                      "kill that process if it is stopped",
                      what);
}

void quoit_os_gate_leave(HANDLE gate)
{
    (void)ReleaseMutex(gate);
    (void)CloseHandle(gate);
}
