/* SPDX-License-Identifier: MIT */
/*
 * Sleeping and waking (src/api/queue_wait.c) of a broadcast's subscribers, in the C11 memory model.
 * A load may return any value that its thread is not known to have passed, even if a newer one was
 * stored long ago. wait.pml has processors that buffer stores; here loads are satisfied early, too.
 * run_models.py lists the configurations that are searched, and the mutants.
 *
 * Each word has a history. Each thread has a view: the latest position that it is known to have
 * reached in each history. A relaxed load moves forward in one history. An acquire load also takes
 * over the view that is attached to the value. A full barrier exchanges views with one view that
 * all barriers share. The waker executes an imposed barrier at some time before the call ends.
 *
 * Histories: `published` counts the items (of each, the slot's word is a history of two values);
 * `wake_needed` lists 0 and 1; the value of `sleepers` is its place in its history. Stores to one
 * word come in the order in which they are made.
 *
 * TAKER: the first sleeper is the thread of a descriptor (queue_poll.c), and the subscriber's own
 * thread takes items meanwhile.
 */
#ifndef SLEEPERS
#define SLEEPERS 2
#endif
#ifndef ITEMS
#define ITEMS 1 /* published; each subscriber takes them all */
#endif
#ifndef CLEARS
#define CLEARS 0 /* may the waker clear waits? */
#endif
#ifndef WAITS
#define WAITS 0 /* is waits set from before? */
#endif
#ifndef TAKER
#define TAKER 0
#endif

#define THREADS (2 + SLEEPERS)
#define WAKER 0
#define OWN_THREAD (1 + SLEEPERS) /* of the first sleeper's subscriber */
#define WAITS_MOST 6
#define MORE(one, other) ((one) > (other) -> (one) : (other))
#define HAS_SLEEPERS(word) ((word) % 2 == 1)

byte published;
byte sleepers;
byte wake_needed_last;
bit wake_needed[WAITS_MOST] = WAITS;
bit in_kernel[THREADS];
byte taken[THREADS];

/* Of each thread, and of all barriers. */
byte view_items[THREADS + 1], view_wake_needed[THREADS + 1], view_sleepers[THREADS + 1];
#define BARRIERS THREADS

/* The view that is attached to an item, to a value of wake_needed, to the latest of sleepers. */
byte item_wake_needed[ITEMS + 1], item_sleepers[ITEMS + 1];
byte wake_needed_items[WAITS_MOST], wake_needed_sleepers[WAITS_MOST];
byte sleepers_items, sleepers_wake_needed;
byte record_items, record_wake_needed, record_sleepers; /* with the first subscriber's row */

inline learn(thread, items, of_wake_needed, of_sleepers)
{
    view_items[thread] = MORE(view_items[thread], items);
    view_wake_needed[thread] = MORE(view_wake_needed[thread], of_wake_needed);
    view_sleepers[thread] = MORE(view_sleepers[thread], of_sleepers)
}

inline share_view(thread)
{
    learn(thread, view_items[BARRIERS], view_wake_needed[BARRIERS], view_sleepers[BARRIERS]);
    learn(BARRIERS, view_items[thread], view_wake_needed[thread], view_sleepers[thread])
}

inline full_barrier(thread)
{
    d_step { share_view(thread) }
}

/* An exchange of sleepers is an acquire load of its latest value, and a release store. */
inline exchange_sleepers(value)
{
    learn(me, sleepers_items, sleepers_wake_needed, sleepers);
    sleepers = value;
    view_sleepers[me] = sleepers;
    sleepers_items = view_items[me];
    sleepers_wake_needed = view_wake_needed[me]
}

inline store_wake_needed(value)
{
    wake_needed_last++;
    wake_needed[wake_needed_last] = value;
    view_wake_needed[me] = wake_needed_last;
    wake_needed_items[wake_needed_last] = view_items[me];
    wake_needed_sleepers[wake_needed_last] = view_sleepers[me]
}

inline load_wake_needed()
{
    atomic {
        do
        :: view_wake_needed[me] < wake_needed_last -> view_wake_needed[me]++
        :: break
        od;
        saw = wake_needed[view_wake_needed[me]]
    }
}

inline load_sleepers()
{
    atomic {
        do
        :: view_sleepers[me] < sleepers -> view_sleepers[me]++
        :: break
        od;
        saw = view_sleepers[me]
    }
}

/* ---- Waking ---------------------------------------------------------------------------------- */

/* That it counts up first is wait.pml's. */
inline wake()
{
    if
    :: d_step {
        sleepers == saw ->
        exchange_sleepers(saw + 1);
        for (number : 1 .. SLEEPERS) {
            in_kernel[number] = 0
        }
        number = 0
       }
    :: sleepers != saw
    fi
}

inline wake_sleepers()
{
    full_barrier(me);
    load_sleepers();
    if
    :: HAS_SLEEPERS(saw) -> wake()
    :: !HAS_SLEEPERS(saw)
    :: !HAS_SLEEPERS(saw) && CLEARS -> /* without success for a while */
        d_step {
            store_wake_needed(0);
            share_view(me)
        }
        load_sleepers();
        if
        :: HAS_SLEEPERS(saw) -> wake()
        :: else
        fi
    fi;
    saw = 0
}

proctype waker()
{
    byte saw, number, me = WAKER;
    do
    :: published < ITEMS ->
        d_step {
            published++;
            view_items[me] = published;
            item_wake_needed[published] = view_wake_needed[me];
            item_sleepers[published] = view_sleepers[me]
        }
        load_wake_needed();
        if
        :: saw == 1 -> wake_sleepers()
        :: saw == 0
        fi
    :: else -> break
    od
}

/* ---- Sleeping -------------------------------------------------------------------------------- */

#define HAS_TAKER (TAKER && me == 1)

/* An acquire load of the next slot's word finds the item. */
inline learn_item(next)
{
    learn(me, next, item_wake_needed[next], item_sleepers[next])
}

/* It may find none as long as this thread is not known to have come after it. */
#define MAY_MISS (view_items[me] <= taken[me])

/* Loads how many items the subscriber has taken, with the view that it had when it stored that. */
#if TAKER
#define CHECK_RECORD d_step { if :: me == 1 -> learn(me, record_items, record_wake_needed, record_sleepers) :: else fi }
#else
#define CHECK_RECORD skip
#endif

#ifdef MUTANT_NO_PASSING_ON
#define PASSES_ON 0
#elif defined(MUTANT_POLLER_SLEEPS)
#define PASSES_ON found
#else
#define PASSES_ON (found || HAS_TAKER)
#endif

inline sleep_unless_ready()
{
    d_step {
        exchange_sleepers(sleepers + 1 - sleepers % 2);
        word = sleepers;
#ifndef MUTANT_NO_FENCE
        share_view(me)
#endif
    }
    load_wake_needed();
    if
    :: saw == 0 ->
        d_step {
            store_wake_needed(1);
            share_view(me);
            imposed = 1
        }
#ifndef MUTANT_NO_BARRIER
        full_barrier(WAKER);
#endif
        full_barrier(me)
    :: saw == 1 ->
#ifdef MUTANT_RELAXED
        skip
#else
        d_step { learn(me, wake_needed_items[view_wake_needed[me]], 0, wake_needed_sleepers[view_wake_needed[me]]) }
#endif
    fi;
    CHECK_RECORD;
    if
    :: published > taken[me] -> found = 1
    :: MAY_MISS
    fi;
    if
    :: imposed && PASSES_ON ->
        full_barrier(me);
        load_sleepers();
        if
        :: HAS_SLEEPERS(saw) -> wake()
        :: else
        fi
    :: found && !(imposed && PASSES_ON)
    :: !found && !(imposed && PASSES_ON) ->
        if
        :: d_step { sleepers == word -> in_kernel[me] = 1 }
end:
            in_kernel[me] == 0
        :: sleepers != word
        fi
    fi;
    d_step { saw = 0; word = 0; imposed = 0; found = 0 }
}

proctype sleeper(byte me)
{
    byte saw, word, number;
    bit imposed, found;
    do
    :: CHECK_RECORD;
        if
        :: d_step {
            !HAS_TAKER && published > taken[me] ->
            taken[me]++;
            learn_item(taken[me])
           }
        :: HAS_TAKER && published > taken[me] /* rings */
        :: MAY_MISS -> sleep_unless_ready()
        fi
    od
}

/* The first subscriber's own thread: its row comes with what it has read. */
proctype taker()
{
    byte me = OWN_THREAD;
    do
    :: d_step {
        published > taken[1] ->
        taken[1]++;
        learn_item(taken[1]);
        record_items = view_items[me];
        record_wake_needed = view_wake_needed[me];
        record_sleepers = view_sleepers[me]
       }
    :: taken[1] == ITEMS -> break
    od
}

/* When no process can go on, none sleeps while there is an item for it. */
proctype checker()
{
    byte number;
    timeout ->
        for (number : 1 .. SLEEPERS) {
            assert(!in_kernel[number] || published == taken[number])
        }
}

init
{
    byte number;
    atomic {
        run waker();
        for (number : 1 .. SLEEPERS) {
            run sleeper(number)
        }
#if TAKER
        run taker();
#endif
        run checker()
    }
}
