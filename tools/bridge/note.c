/* SPDX-License-Identifier: MIT */
/* Notes in the queue's user area: note.h. */
#include "note.h"

#include <inttypes.h>
#include <string.h>

static const uint64_t magic = UINT64_C(0x65676469726271); /* qbridge */
static const uint64_t begun = UINT64_C(1) << 63;

struct note_entry {
    uint64_t sequence;
    uint64_t pushed; /* the highest bit: the push has begun, and may not have ended */
};

struct note_shm {
    _Atomic uint64_t magic; /* 0: no notes yet */
    uint64_t stream_created;
    struct note_entry entries[2];
    _Atomic uint64_t current; /* the entry that is valid; the other one is being written */
    uint64_t reserved;
};
_Static_assert(sizeof(struct note_shm) == NOTE_BYTES, "its place is the end of the user area");

static bool read_counts(struct note *note, struct bridge_route *route, const quoit_queue *queue,
                        struct quoit_queue_info *info)
{
    if (quoit_queue_inspect(queue, info) != QUOIT_OK) {
        (void)bridge_error(route, "%s", quoit_describe(QUOIT_ERROR_CORRUPT));
        return false;
    }
    note->pushed = info->pushed_messages;
    if (info->user_bytes >= NOTE_BYTES)
        return true;
    (void)bridge_error(route,
                       "queue '%s': has a user area of %" PRIu64 " bytes, but the bridge needs %d "
                       "for its notes; create the queue with user_bytes = %d, or pass --capacity "
                       "and --item-bytes and let the bridge create it",
                       route->settings.queue, info->user_bytes, NOTE_BYTES, NOTE_BYTES);
    return false;
}

/* The bridge is the only writer. Its stores must be done in their order, so that a crash leaves the
   first ones done. */
static uint64_t load(const _Atomic uint64_t *word)
{
    /* NOTE-R1: what was noted before is visible. Pairs with NOTE-P1. */
    return atomic_load_explicit(word, memory_order_acquire);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
    /* NOTE-P1: the stores before are done first. Pairs with NOTE-R1. */
    atomic_store_explicit(word, value, memory_order_release);
}

/* Was the item pushed whose push had begun? */
static bool finish_push(struct note *note, struct bridge_route *route,
                        const struct quoit_queue_info *info, const struct note_entry *entry)
{
    const uint64_t before = entry->pushed & ~begun;
    note->done = entry->sequence;
    if (!(entry->pushed & begun))
        return true;
    /* An MPMC queue also counts claims that were not committed. So the item is pushed again: it may
       come twice, but it is not lost. */
    if (info->kind == QUOIT_MPMC || note->pushed == before) {
        note->done = entry->sequence - 1;
        return true;
    }
    if (note->pushed == before + 1)
        return true;
    (void)bridge_error(route,
                       "queue '%s': another producer has pushed to it after the bridge crashed, so "
                       "it is not known whether it has the message with sequence %" PRIu64
                       "; remove the queue, and let only the bridge push to it",
                       route->settings.queue, entry->sequence);
    return false;
}

bool note_open(struct note *note, struct bridge_route *route, const quoit_queue *queue)
{
    struct quoit_queue_info info;
    *note = (struct note){.fresh = true};
    if (!read_counts(note, route, queue, &info))
        return false;
    uint8_t *area = quoit_queue_user_area(queue);
    static const uint8_t zeros[NOTE_BYTES] = {0};
    area += (info.user_bytes - NOTE_BYTES) / 8 * 8; /* the struct needs a multiple of 8 */
    note->shm = (void *)area;
    if (load(&note->shm->magic) == magic) {
        const struct note_entry entry = note->shm->entries[load(&note->shm->current) & 1];
        note->fresh = entry.sequence == 0;
        return finish_push(note, route, &info, &entry);
    }
    if (memcmp(area, zeros, NOTE_BYTES) == 0)
        return true;
    (void)bridge_error(route,
                       "queue '%s': the last %d bytes of its user area are in use, but the bridge "
                       "needs them for its notes; create the queue with %d bytes more",
                       route->settings.queue, NOTE_BYTES, NOTE_BYTES);
    return false;
}

void note_use_stream(struct note *note, int64_t created)
{
    struct note_shm *shm = note->shm;
    if (load(&shm->magic) == magic && shm->stream_created == (uint64_t)created)
        return;
    store(&shm->magic, 0);
    shm->stream_created = (uint64_t)created;
    memset(shm->entries, 0, sizeof shm->entries);
    store(&shm->current, 0);
    store(&shm->magic, magic);
    note->done = 0;
    note->fresh = true;
}

/* A crash between two instructions leaves the entry before. */
static void write_entry(struct note *note, uint64_t sequence, uint64_t pushed)
{
    const uint64_t other = (load(&note->shm->current) & 1) ^ 1;
    note->shm->entries[other] = (struct note_entry){.sequence = sequence, .pushed = pushed};
    store(&note->shm->current, other);
}

void note_begin(struct note *note, uint64_t sequence)
{
    write_entry(note, sequence, note->pushed | begun);
}

void note_end(struct note *note, uint64_t sequence)
{
    note->done = sequence;
    note->fresh = false;
    write_entry(note, sequence, ++note->pushed);
}
