/* SPDX-License-Identifier: MIT */
/* Makes, attaches, validates and removes regions of any content. Plain regions as objects are in
   region_plain.c, the pieces of a region in region_pieces.c. */
#include "region_handle.h"

#include "arithmetic.h"
#include "fail.h"
#include "hash.h"
#include "once.h"
#include "owner.h"
#include "permissions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 4096, MEMORY = QUOIT_PREFAULT | QUOIT_LOCK_MEMORY | QUOIT_HUGE_PAGES };
_Static_assert((int)QUOIT_PREFAULT == (int)QUOIT_OS_PREFAULT &&
                   (int)QUOIT_LOCK_MEMORY == (int)QUOIT_OS_LOCK_MEMORY &&
                   (int)QUOIT_HUGE_PAGES == (int)QUOIT_OS_HUGE_PAGES,
               "os.h numbers them as <quoit.h> does");

static uint64_t checksum_of(const struct quoit_region_shm *header)
{
    const size_t first = offsetof(struct quoit_region_shm, format);
    const size_t first_end = offsetof(struct quoit_region_shm, checksum);
    uint64_t hash = quoit_hash(QUOIT_HASH_START, (const uint8_t *)header + first,
                               first_end - first);
    return quoit_hash(hash, header->name, sizeof header->name);
}

/* Writes the name's text as the header keeps it: all of it, or the end of a long path. */
static void header_name(const char *text, char name[QUOIT_REGION_NAME_ROOM])
{
    size_t length = strlen(text);
    size_t skip = length >= QUOIT_REGION_NAME_ROOM ? length - (QUOIT_REGION_NAME_ROOM - 1) : 0;
    memset(name, 0, QUOIT_REGION_NAME_ROOM);
    memcpy(name, text + skip, length - skip);
}

/* Makes a handle for a name: finds its scheme, and checks its text. */
static quoit_status new_handle(const char *name, quoit_region **region_out)
{
    struct quoit_region *region = calloc(1, sizeof *region);
    if (!region)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory: cannot allocate a region handle");
    region->shm.lock = -1;
    quoit_status status = quoit_name_split(name, &region->name);
    if (status != QUOIT_OK)
        goto free_region;
    for (const struct quoit_os_shm_ops *const *ops = quoit_os_shm_schemes; *ops; ops++)
        if (quoit_name_matches(&region->name, &(*ops)->scheme, ops == quoit_os_shm_schemes))
            region->ops = *ops;
    status = region->ops ? quoit_name_check(&region->name, &region->ops->scheme)
                         : quoit_name_unmatched(&region->name, "");
    if (status != QUOIT_OK)
        goto free_region;
    *region_out = region;
    return QUOIT_OK;

free_region:
    free(region);
    return status;
}

static quoit_status new_nameless(const char *text, quoit_region **region_out)
{
    struct quoit_region *region = calloc(1, sizeof *region);
    if (!region)
        return quoit_fail(QUOIT_ERROR_NO_MEMORY, "out of memory for a region's handle");
    region->shm.lock = -1;
    region->ops = &quoit_os_shm_nameless;
    (void)snprintf(region->name.text, sizeof region->name.text, "%s", text);
    *region_out = region;
    return QUOIT_OK;
}

const char *quoit_region_scheme(const quoit_region *region)
{
    return region->ops->scheme.name;
}

const char *quoit_region_text(const quoit_region *region)
{
    return region->name.text;
}

const char *quoit_region_what(uint32_t content)
{
    static const char *const what[] = {[QUOIT_CONTENT_PLAIN] = "a plain region",
                                       [QUOIT_CONTENT_QUEUE] = "a queue",
                                       [QUOIT_CONTENT_POOL] = "a pool",
                                       [QUOIT_CONTENT_LOCK] = "a lock"};
    return content < sizeof what / sizeof what[0] ? what[content] : "an object of a later version";
}

quoit_status quoit_region_differs(const quoit_region *region, const char *noun, const char *what,
                                  uint64_t there, uint64_t asked)
{
    return quoit_fail(QUOIT_ERROR_DIFFERENT,
                      "%s '%s:%s': %s is %llu, but %llu was requested; use the same options in "
                      "every process, or remove it with 'quoit rm %s:%s'",
                      noun, QUOIT_REGION_NAME(region), what, (unsigned long long)there,
                      (unsigned long long)asked, QUOIT_REGION_NAME(region));
}

quoit_status quoit_region_damaged(const quoit_region *region, const char *noun, const char *what)
{
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "%s '%s:%s': its header is damaged: %s; remove it with 'quoit rm %s:%s'",
                      noun, QUOIT_REGION_NAME(region), what, QUOIT_REGION_NAME(region));
}

quoit_status quoit_region_fail_replaced(const char *name)
{
    return quoit_fail(QUOIT_ERROR_BUSY,
                      "'%s': other processes keep creating and removing it; try again later", name);
}

bool quoit_region_join_again(const char *name, quoit_status *status_inout)
{
    if (*status_inout != QUOIT_ERROR_EXISTS)
        return false;
    if (quoit_os_hold_left_ns() > 0)
        return true;
    *status_inout = quoit_region_fail_replaced(name);
    return false;
}

quoit_status quoit_region_check_locks(const quoit_region *region)
{
    if (!region->shm.locks_missing)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "'%s:%s': its lock file is missing, so live and crashed members cannot be "
                      "distinguished; a container must share the directory of lock files (on Linux "
                      "/dev/shm), too; if the file was removed, remove the object with 'quoit rm', "
                      "and create it again",
                      QUOIT_REGION_NAME(region));
}

/* Copies the fields of a validated header. The shared fields are not read again. */
static void adopt(quoit_region *region, const struct quoit_region_shm *header)
{
    region->header = (struct quoit_region_shm *)(void *)region->shm.base;
    region->size_bytes = header->size_bytes;
    region->data_bytes = header->data_bytes;
    region->content = header->content;
    region->created_by = header->created_by;
    region->created_at_unix_ns = header->created_at_unix_ns;
    region->has_lock_file = header->lock_file != 0;
    region->transient = header->transient != 0;
    region->memory = header->memory;
    region->identity = header->checksum;
}

static void fill_header(quoit_region *region, const struct quoit_region_plan *plan,
                        uint64_t size_bytes)
{
    struct quoit_region_shm *header = (struct quoit_region_shm *)(void *)region->shm.base;
    header->format = QUOIT_FORMAT_VERSION;
    header->content = plan->content;
    header->size_bytes = size_bytes;
    header->created_at_unix_ns = quoit_os_unix_time_ns();
    header->created_by = quoit_os_process_id();
    header->lock_file = region->shm.lock_path != NULL;
    header->transient = plan->transient;
    header->memory = (uint8_t)plan->memory;
    header_name(region->name.text, header->name);
    header->checksum = checksum_of(header);
    /* Relaxed: REGION-M1 orders it; no other process sees the region before. */
    atomic_store_explicit(&header->used, sizeof *header, memory_order_relaxed);
    adopt(region, header);
}

quoit_status quoit_region_begin(const char *name, const struct quoit_region_plan *plan,
                                quoit_region **region_out)
{
    uint64_t size_bytes;
    uint32_t permissions;
    quoit_status status = quoit_permissions(plan->permissions, &permissions);
    if (status != QUOIT_OK)
        return status;
    uint64_t unit = plan->memory & QUOIT_HUGE_PAGES ? quoit_os_huge_page_bytes() : 0;
    if (!quoit_add(plan->piece_bytes, sizeof(struct quoit_region_shm), &size_bytes) ||
        !quoit_align_up(size_bytes, unit ? unit : PAGE_BYTES, &size_bytes) ||
        size_bytes > INT64_MAX)
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "the object needs %llu bytes, which is more than a file can have; use smaller options",
            (unsigned long long)plan->piece_bytes);

    quoit_region *region;
    status = name || !plan->transient ? new_handle(name, &region) : new_nameless("new", &region);
    if (status != QUOIT_OK)
        return status;
    status = region->ops->create(region->name.text, size_bytes, permissions, &region->shm);
    if (status != QUOIT_OK) {
        free(region);
        return status;
    }
    status = quoit_os_place(&region->shm, plan->memory, true, QUOIT_REGION_NAME(region));
    if (status != QUOIT_OK) {
        quoit_region_close(region);
        return status;
    }
    fill_header(region, plan, size_bytes);
    region->is_new = true;
    *region_out = region;
    return QUOIT_OK;
}

quoit_status quoit_region_publish(quoit_region *region)
{
    /* REGION-M1: stored after the header, and after all that lies behind it. Pairs with
       REGION-M2. */
    atomic_store_explicit(&region->header->magic, QUOIT_REGION_MAGIC, memory_order_release);
    quoit_status status = region->ops->publish(&region->shm, region->name.text);
    region->is_new = status != QUOIT_OK;
    return status;
}

quoit_status quoit_region_check_memory(uint32_t memory)
{
    if (memory <= MEMORY)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                      "options.memory is 0x%x; use QUOIT_PREFAULT, QUOIT_LOCK_MEMORY and "
                      "QUOIT_HUGE_PAGES only",
                      (unsigned)memory);
}

quoit_status quoit_region_place(quoit_region *region, uint32_t also)
{
    quoit_status status = quoit_os_place(&region->shm,
                                         region->memory | (also & ~(uint32_t)QUOIT_HUGE_PAGES),
                                         false, QUOIT_REGION_NAME(region));
    region->header = (struct quoit_region_shm *)(void *)region->shm.base;
    return status;
}

bool quoit_region_is_named(const quoit_region *region)
{
    return region->is_new || region->ops->is_named(&region->shm, region->name.text);
}

static quoit_status check_size(const quoit_region *region, uint64_t claimed)
{
    if (claimed >= sizeof(struct quoit_region_shm) && claimed <= region->shm.size_bytes)
        return QUOIT_OK;
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "'%s:%s': its header states %llu bytes, but %llu exist, so it was truncated; "
                      "remove it with 'quoit rm'",
                      QUOIT_REGION_NAME(region), (unsigned long long)claimed,
                      (unsigned long long)region->shm.size_bytes);
}

/* Is the header that of an object of this name? A key may lead to an object of another name. */
static bool is_of_name(const quoit_region *region, const struct quoit_region_shm *header)
{
    char name[QUOIT_REGION_NAME_ROOM];
    header_name(region->name.text, name);
    return !region->ops->scheme.is_key || header->checksum != checksum_of(header) ||
           memcmp(header->name, name, sizeof name) == 0;
}

/* The first bytes of an object, as peeked at. */
union first {
    uint64_t magic;
    struct quoit_region_shm header;
};

static bool peek(const quoit_region *region, union first *first_out)
{
    return region->ops->peek &&
           region->ops->peek(region->name.text, first_out, sizeof *first_out) == QUOIT_OK &&
           first_out->magic == QUOIT_REGION_MAGIC && is_of_name(region, &first_out->header);
}

/* Reads no byte through the mapping: each page that is touched would take memory. */
static quoit_status refuse_holes(const quoit_region *region)
{
    const char *scheme = quoit_region_scheme(region), *text = quoit_region_text(region);
    union first first;
    if (!peek(region, &first))
        return quoit_fail(QUOIT_ERROR_NOT_QUOIT,
                          "'%s:%s': Quoit did not create this object; use another name", scheme,
                          text);
    return quoit_fail(QUOIT_ERROR_CORRUPT,
                      "'%s:%s': parts of its %llu bytes have no memory, so it was truncated, or "
                      "copied as a sparse file; remove it with 'quoit rm'",
                      scheme, text, (unsigned long long)region->shm.size_bytes);
}

/* Validates a copy of the header, which cannot change afterwards. */
static quoit_status validate(quoit_region *region)
{
    const char *scheme = quoit_region_scheme(region), *text = quoit_region_text(region);
    struct quoit_region_shm *header = (struct quoit_region_shm *)(void *)region->shm.base;
    if (region->shm.size_bytes < sizeof *header)
        return quoit_fail(
            QUOIT_ERROR_NOT_QUOIT,
            "'%s:%s': it has only %llu bytes, so Quoit did not create it; use another name", scheme,
            text, (unsigned long long)region->shm.size_bytes);
    /* REGION-M2: after a load of the magic, the whole header is visible. Pairs with REGION-M1. */
    uint64_t magic = atomic_load_explicit(&header->magic, memory_order_acquire);
    struct quoit_region_shm copy;
    quoit_copy_once(&copy, header, sizeof copy);
    if (magic == QUOIT_REGION_MAGIC_SWAPPED)
        return quoit_fail(QUOIT_ERROR_FORMAT,
                          "'%s:%s': a machine with the other byte order created it; copy the items "
                          "to this machine in another way",
                          scheme, text);
    if (magic != QUOIT_REGION_MAGIC)
        return quoit_fail(
            QUOIT_ERROR_NOT_QUOIT,
            "'%s:%s': it begins with 0x%016llx, so Quoit did not create it; use another name",
            scheme, text, (unsigned long long)magic);
    if (copy.format != QUOIT_FORMAT_VERSION)
        return quoit_fail(QUOIT_ERROR_FORMAT,
                          "'%s:%s': it has format %u, but this library reads format %u; use one "
                          "version of Quoit in all programs",
                          scheme, text, (unsigned)copy.format, (unsigned)QUOIT_FORMAT_VERSION);
    if (copy.checksum != checksum_of(&copy))
        return quoit_fail(QUOIT_ERROR_CORRUPT,
                          "'%s:%s': its header is damaged: the checksum is 0x%016llx, but should "
                          "be 0x%016llx; remove it with 'quoit rm'",
                          scheme, text, (unsigned long long)copy.checksum,
                          (unsigned long long)checksum_of(&copy));
    quoit_status status = check_size(region, copy.size_bytes);
    if (status != QUOIT_OK)
        return status;
    if (!quoit_is_inside(sizeof *header, copy.data_bytes, copy.size_bytes))
        return quoit_region_damaged(region, "region", "its data is larger than the region");
    if (copy.lock_file > 1 || (copy.lock_file && !region->ops->open_locks))
        return quoit_region_damaged(region, "region", "its lock_file field is out of range");
    if (copy.transient > (copy.content == QUOIT_CONTENT_QUEUE) || copy.memory > MEMORY)
        return quoit_region_damaged(region, "region", "its transient or memory field is not right");
    char name[QUOIT_REGION_NAME_ROOM];
    header_name(text, name);
    if (region->ops->scheme.is_key && memcmp(copy.name, name, sizeof name) != 0)
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'%s:%s': '%s:%.*s' has the same System V key; use another name", scheme,
                          text, scheme, QUOIT_REGION_NAME_ROOM - 1, copy.name);
    adopt(region, &copy);
    return QUOIT_OK;
}

/* Finds an object of any kind, even a damaged one: of that one *transient_out is unspecified. */
static bool find(const char *name, bool *transient_out)
{
    uint32_t flags = QUOIT_OBSERVER | QUOIT_ANY_OWNER | QUOIT_REGION_DAMAGED_TOO;
    union first first;
    quoit_region *region;
    bool found = false;
    if (new_handle(name, &region) != QUOIT_OK)
        return false;
    bool peeks = region->ops->peek != NULL;
    if (peeks)
        found = peek(region, &first);
    free(region);
    *transient_out = found && first.header.transient;
    if (peeks || quoit_region_attach(name, flags, &region) != QUOIT_OK)
        return found;
    *transient_out = region->transient;
    quoit_region_close(region);
    return true;
}

bool quoit_region_is_there(const char *name)
{
    bool transient;
    return find(name, &transient);
}

bool quoit_region_is_transient(const char *name)
{
    bool transient;
    return find(name, &transient) && transient;
}

/* Opens the object of a new handle; frees the handle on failure. */
static quoit_status attach(quoit_region *region, uint32_t flags, quoit_region **region_out)
{
    quoit_status status;
    bool read_only = (flags & QUOIT_OBSERVER) != 0;
    region->shm.any_owner = (flags & QUOIT_ANY_OWNER) != 0;
    status = region->ops->open(region->name.text, read_only, &region->shm);
    if (status != QUOIT_OK)
        goto free_region;
    if (region->shm.owner != quoit_os_user_id() && !(flags & QUOIT_ANY_OWNER))
        status = quoit_os_fail_owner("", QUOIT_REGION_NAME(region), region->shm.owner);
    if (status == QUOIT_OK)
        status = region->shm.has_holes ? refuse_holes(region) : validate(region);
    if (status == QUOIT_OK && region->has_lock_file)
        status = region->ops->open_locks(&region->shm, region->name.text);
    if ((status == QUOIT_ERROR_CORRUPT || status == QUOIT_ERROR_FORMAT) &&
        flags & QUOIT_REGION_DAMAGED_TOO) {
        region->content = QUOIT_CONTENT_UNKNOWN;
        status = QUOIT_OK;
    }
    if (status != QUOIT_OK)
        goto close_shm;
    *region_out = region;
    return QUOIT_OK;

close_shm:
    region->ops->close(&region->shm);
free_region:
    free(region);
    return status;
}

quoit_status quoit_region_attach(const char *name, uint32_t flags, quoit_region **region_out)
{
    quoit_region *region;
    quoit_status status = new_handle(name, &region);
    return status == QUOIT_OK ? attach(region, flags, region_out) : status;
}

/* A file with a name is opened by its path: the name can be removed, and its lock file is there. */
static quoit_status attach_path(int fd, const char *path, uint32_t flags, quoit_region **region_out)
{
    char name[QUOIT_NAME_ROOM + 8];
    (void)snprintf(name, sizeof name, "file:%s", path);
    quoit_status status = quoit_region_attach(name, flags, region_out);
    if (status != QUOIT_OK || (quoit_os_fd_is_at(fd, path) && quoit_region_is_named(*region_out)))
        return status;
    quoit_region_close(*region_out);
    return quoit_fail(QUOIT_ERROR_NOT_FOUND,
                      "'%s', the file of descriptor %d, was replaced; open the new queue by name",
                      path, fd);
}

quoit_status quoit_region_attach_fd(int fd, uint32_t flags, quoit_region **region_out)
{
    char path[QUOIT_NAME_ROOM], number[16];
    quoit_region *region;
    quoit_status status = quoit_os_fd_find_path(fd, path, sizeof path);
    if (status == QUOIT_OK && path[0])
        return attach_path(fd, path, flags, region_out);
    (void)snprintf(number, sizeof number, "%d", fd);
    if (status == QUOIT_OK)
        status = new_nameless(number, &region);
    return status == QUOIT_OK ? attach(region, flags, region_out) : status;
}

quoit_status quoit_region_attach_again(const quoit_region *region, uint32_t flags,
                                       quoit_region **region_out)
{
    char name[QUOIT_NAME_ROOM + 32];
    if (region->ops == &quoit_os_shm_nameless)
        return quoit_region_attach_fd((int)region->shm.lock, flags, region_out);
    (void)snprintf(name, sizeof name, "%s:%s", QUOIT_REGION_NAME(region));
    return quoit_region_attach(name, flags, region_out);
}

quoit_status quoit_region_share(quoit_region *region, int *fd_out)
{
    int made, before = 0;
    if (!region->ops->share)
        return quoit_fail(QUOIT_ERROR_UNSUPPORTED, "'%s:%s' has a name: open it by that",
                          QUOIT_REGION_NAME(region));
    /* Relaxed: a number; nothing depends on it but the kernel's calls. */
    *fd_out = atomic_load_explicit(&region->shared_fd, memory_order_relaxed);
    if (*fd_out != 0)
        return QUOIT_OK;
    quoit_status status = region->ops->share(&region->shm, quoit_region_text(region), &made);
    if (status != QUOIT_OK)
        return status;
    *fd_out = made;
    /* Relaxed: a number. If another thread was faster, its descriptor is the region's. */
    if (!atomic_compare_exchange_strong_explicit(&region->shared_fd, &before, made,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        quoit_os_fd_end_share(made);
        *fd_out = before;
    }
    return QUOIT_OK;
}

void quoit_region_close(quoit_region *region)
{
    if (!region)
        return;
    quoit_os_fork_hold(); /* else a forked child keeps a System V name's gate */
    /* Relaxed: no other thread uses the region any more. */
    int shared_fd = atomic_load_explicit(&region->shared_fd, memory_order_relaxed);
    if (shared_fd != 0)
        quoit_os_fd_end_share(shared_fd);
    region->ops->close(&region->shm);
    free(region); /* held: a handler that forks needs the allocator's lock */
    quoit_os_fork_release();
}
