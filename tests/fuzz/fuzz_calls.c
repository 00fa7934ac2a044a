/* SPDX-License-Identifier: MIT */
/* The calls that the honest process of the region fuzzer makes on a queue. */
#include "fuzz.h"

#include <string.h>

/* Some calls wait for a moment. Not all: a wait without result takes longer than everything
   else. */
int64_t wait_ns(unsigned what)
{
    return what / 16 % 8 == 0 ? 20000 : 0;
}

/* Moves items of any size that a region can claim to have. An item that does not fit into `items`
   is not moved. */
void move_items(struct fuzz *fuzz, unsigned what)
{
    static uint8_t items[MANY * LARGEST];
    quoit_queue *queue = fuzz->queue;
    size_t count = what / 16 % MANY + 1, bytes = fuzz->item_bytes;
    void *room = NULL;
    const void *seen = NULL;
    if (fuzz->item_bytes > LARGEST)
        return;
    memset(items, (int)what, sizeof items);
    switch (what % 10) {
    case 0:
        (void)quoit_queue_push(queue, items, bytes, QUOIT_NOW);
        break;
    case 1:
        (void)quoit_queue_pop(queue, items, bytes, NULL, QUOIT_NOW);
        break;
    case 2:
        (void)quoit_queue_push_many(queue, items, bytes, count, NULL, wait_ns(what));
        break;
    case 3:
        (void)quoit_queue_pop_many(queue, items, bytes, count, NULL, wait_ns(what));
        break;
    case 4:
        (void)quoit_queue_push(queue, items, bytes, wait_ns(what));
        break;
    case 5:
        (void)quoit_queue_pop(queue, items, bytes, NULL, wait_ns(what));
        break;
    case 6:
        if (quoit_queue_claim_many(queue, count, &room, &count, QUOIT_NOW) == QUOIT_OK)
            memset(room, 1, (size_t)(count * fuzz->item_bytes));
        break;
    case 7:
        (void)quoit_queue_commit_many(queue, count);
        break;
    case 8:
        if (quoit_queue_peek_many(queue, &seen, &count, QUOIT_NOW) == QUOIT_OK && count > 0)
            items[0] = (uint8_t)(items[0] + *(const uint8_t *)seen +
                                 ((const uint8_t *)seen)[count * fuzz->item_bytes - 1]);
        break;
    default:
        (void)quoit_queue_release_many(queue, count);
        break;
    }
}

/* The inlined calls, for the item types of these sizes. */
#define TYPED(bytes)       \
    struct item_##bytes {  \
        uint8_t of[bytes]; \
    };                     \
    QUOIT_DEFINE_QUEUE(item_##bytes, struct item_##bytes);
TYPED(1)
TYPED(8)
TYPED(12)
TYPED(16)
TYPED(24)
TYPED(257)
TYPED(300)
TYPED(301)

#define MOVE_TYPED(bytes)                                                                     \
    case bytes: {                                                                             \
        const struct item_##bytes##_queue typed = {queue};                                    \
        if (what % 4 == 0)                                                                    \
            (void)item_##bytes##_push(typed, (const struct item_##bytes *)at, wait_ns(what)); \
        else if (what % 4 == 1)                                                               \
            (void)item_##bytes##_pop(typed, at, wait_ns(what));                               \
        else if (what % 4 == 2)                                                               \
            (void)item_##bytes##_push_many(typed, at, count, NULL, QUOIT_NOW);                \
        else                                                                                  \
            (void)item_##bytes##_pop_many(typed, at, count, NULL, QUOIT_NOW);                 \
    } break

static void move_typed(struct fuzz *fuzz, unsigned what, size_t count)
{
    static uint8_t items[MANY * LARGEST];
    quoit_queue *queue = fuzz->queue;
    void *at = items;
    memset(items, (int)what, sizeof items);
    switch (fuzz->item_bytes) {
        MOVE_TYPED(1);
        MOVE_TYPED(8);
        MOVE_TYPED(12);
        MOVE_TYPED(16);
        MOVE_TYPED(24);
        MOVE_TYPED(257);
        MOVE_TYPED(300);
        MOVE_TYPED(301);
    default:
        break;
    }
}

static void look(struct fuzz *fuzz, unsigned what)
{
    static uint8_t item[LARGEST];
    uint64_t bytes;
    if (what / 16 % 8 == 0)
        fuzz->browser = (struct quoit_browser){0};
    else if (what / 16 % 8 == 1)
        fuzz->browser.next += take(&fuzz->input, 1) - 128;
    (void)quoit_queue_browse(fuzz->queue, &fuzz->browser, item, sizeof item, &bytes);
    size_t size;
    (void)quoit_queue_latest(fuzz->queue, item, sizeof item, &size);
}

/* The calls that drop a claim or a peek poll the other side again. This function does only that,
   and drops nothing. */
static void poll_again(struct fuzz *fuzz)
{
    const struct quoit_ring_view *ring = &fuzz->queue->handle->view.ring;
    if (fuzz->queue->handle->roles & QUOIT_PRODUCER)
        (void)ring->ops->poll_room(&fuzz->queue->handle->queue->producer, ring);
    if (fuzz->queue->handle->roles & QUOIT_CONSUMER)
        (void)ring->ops->poll_items(&fuzz->queue->handle->queue->consumer, ring);
}

/* A call between a claim and its commit, or between a peek and its release. */
static void wait_or_look(struct fuzz *fuzz, unsigned what)
{
    struct quoit_member_info members[2];
    uint64_t count;
    switch (what % 6) {
    case 0:
    case 1:
    case 2:
    case 3:
        poll_again(fuzz);
        break;
    case 4:
        (void)quoit_queue_members(fuzz->queue, members, 2, &count);
        (void)quoit_queue_repair(fuzz->queue, NULL);
        break;
    default:
        look(fuzz, what);
    }
}

void move_more(struct fuzz *fuzz, unsigned what)
{
    if (what % 12 < 6)
        wait_or_look(fuzz, what);
    else
        move_typed(fuzz, what % 12, what / 16 % MANY + 1);
}

/* Moves messages of any length. */
void move_messages(struct fuzz *fuzz, unsigned what)
{
    static uint8_t bytes[LARGEST];
    quoit_queue *queue = fuzz->queue;
    size_t count = what * 7 % LARGEST;
    void *room = NULL;
    const void *seen = NULL;
    if (what % 12 >= 6) {
        wait_or_look(fuzz, what);
        return;
    }
    switch (what % 12) {
    case 0:
        (void)quoit_queue_push(queue, bytes, count, QUOIT_NOW);
        break;
    case 1:
        (void)quoit_queue_pop(queue, bytes, count, &count, QUOIT_NOW);
        break;
    case 2:
        if (quoit_queue_claim(queue, count, &room, QUOIT_NOW) == QUOIT_OK)
            memset(room, 1, (size_t)count);
        break;
    case 3:
        (void)quoit_queue_commit(queue, count);
        break;
    case 4:
        if (quoit_queue_peek(queue, &seen, &count, QUOIT_NOW) == QUOIT_OK && count > 0)
            bytes[0] = (uint8_t)(bytes[0] + ((const uint8_t *)seen)[count - 1]);
        break;
    default:
        (void)quoit_queue_pop(queue, bytes, LARGEST, &count, wait_ns(what));
    }
}

/* Claims and commits in place, with changes of the memory and other calls in between. pop_in_halves
   does the same for peek and release. */
static void push_in_halves(struct fuzz *fuzz, unsigned what)
{
    quoit_queue *queue = fuzz->queue;
    bool messages = queue->handle->view.messages;
    static const uint8_t items[MANY * LARGEST] = {0};
    size_t count = what % MANY + 1;
    void *room = NULL;
    quoit_status status = messages ? quoit_queue_claim(queue, count, &room, QUOIT_NOW)
                                   : quoit_queue_claim_many(queue, count, &room, &count, QUOIT_NOW);
    if (what / 16 < 6)
        rewind_counter(fuzz, true);
    else
        change_counter(fuzz);
    if (what / 16 < 10)
        poll_again(fuzz);
    else
        wait_or_look(fuzz, what / 16);
    change_counter(fuzz);
    if (status == QUOIT_OK)
        memset(room, 1, (size_t)(messages ? count : count * fuzz->item_bytes));
    (void)(messages ? quoit_queue_commit(queue, count) : quoit_queue_commit_many(queue, count));
    if (!messages && what / 16 % 2 == 0)
        (void)quoit_queue_push_many(queue, items, fuzz->item_bytes, MANY, NULL, QUOIT_NOW);
}

static void pop_in_halves(struct fuzz *fuzz, unsigned what)
{
    static uint8_t seen, items[MANY * LARGEST];
    quoit_queue *queue = fuzz->queue;
    bool messages = queue->handle->view.messages;
    const void *at = NULL;
    size_t count = 0;
    quoit_status status = messages ? quoit_queue_peek(queue, &at, &count, QUOIT_NOW)
                                   : quoit_queue_peek_many(queue, &at, &count, QUOIT_NOW);
    if (what / 16 < 6)
        rewind_counter(fuzz, false);
    else
        change_counter(fuzz);
    if (what / 16 < 10)
        poll_again(fuzz);
    else
        wait_or_look(fuzz, what / 16);
    change_counter(fuzz);
    const uint8_t *bytes = at;
    for (uint64_t i = 0; status == QUOIT_OK && i < (messages ? count : count * fuzz->item_bytes);
         i++)
        seen = (uint8_t)(seen + bytes[i]);
    (void)quoit_queue_release_many(queue, messages ? 1 : count - what % 2);
    if (!messages && what / 16 % 2 == 0)
        (void)quoit_queue_pop_many(queue, items, fuzz->item_bytes, MANY, NULL, QUOIT_NOW);
}

void move_in_halves(struct fuzz *fuzz, unsigned what)
{
    if (what % 16 == 0) /* rarely: after it, few calls have an effect */
        (void)quoit_queue_finish(fuzz->queue);
    else if (what % 4 == 0 || fuzz->item_bytes > LARGEST)
        change_counter(fuzz);
    else if (what % 2 == 1)
        push_in_halves(fuzz, (unsigned)take(&fuzz->input, 1));
    else
        pop_in_halves(fuzz, (unsigned)take(&fuzz->input, 1));
}
