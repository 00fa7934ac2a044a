/* SPDX-License-Identifier: MIT */
/*
 * The mark of a side's next slot, for waits on many sides (src/api/wait_any.c): one word that shows
 * whether a poll of the side can find something. To load it costs much less than the poll, which is
 * a call by pointer.
 */
#ifndef QUOIT_RING_MARK_H
#define QUOIT_RING_MARK_H

#include "mpmc.h"

struct quoit_mark {
    quoit_atomic_u64 *word; /* NULL: the ring has no marks */
    uint64_t empty;         /* the word's value while the slot is empty */
};

/* While the slot is empty, a consumer's poll finds no item. While it is not, a producer's poll
   finds no room. Only a poll finds the exceptions: an item that looks like an empty slot, the end
   of the stream, claims and items of crashed members, and room in an MPMC ring whose tail other
   producers have moved. */
static inline bool quoit_mark_is_empty(struct quoit_mark mark)
{
    /* Relaxed: a hint; a poll or the call itself follows, which loads the word with acquire. */
    return atomic_load_explicit(mark.word, memory_order_relaxed) == mark.empty;
}

/* Of a ring without slots that show their items: MPMC rings have marks, others have none. */
static inline struct quoit_mark quoit_mark_of_many(const struct quoit_mpmc_side *mpmc,
                                                   const struct quoit_ring_view *view)
{
    return view->ops->many_producers ? (struct quoit_mark){quoit_spsc_word(mpmc->slot), mpmc->lap}
                                     : (struct quoit_mark){NULL, 0};
}

static inline struct quoit_mark quoit_consumer_mark(struct quoit_ring_consumer *consumer,
                                                    const struct quoit_ring_view *view)
{
    if (view->ops->shows_items)
        return (struct quoit_mark){quoit_spsc_word(quoit_ring_consumer_slot(consumer)),
                                   consumer->empty};
    return quoit_mark_of_many(&consumer->state->mpmc, view);
}

static inline struct quoit_mark quoit_producer_mark(struct quoit_ring_producer *producer,
                                                    const struct quoit_ring_view *view)
{
    if (view->ops->shows_items)
        return (struct quoit_mark){quoit_spsc_word(quoit_ring_producer_slot(producer)),
                                   producer->empty};
    return quoit_mark_of_many(&producer->state->mpmc, view);
}

/* Slots: is there an item that looks like an empty slot? */
static inline bool quoit_slots_hide_item(const struct quoit_ring_view *view)
{
    /* Relaxed: a hint, as the mark. */
    uint64_t head = atomic_load_explicit(&view->shm->head, memory_order_relaxed);
    /* Relaxed: a hint; a poll follows if there is one. */
    uint64_t committed = atomic_load_explicit(&view->shm->committed_below, memory_order_relaxed);
    return quoit_ring_is_before(head, committed);
}

#endif
