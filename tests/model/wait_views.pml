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
 * `waits` lists 0 and 1; asleep's value is its place in its history. Stores to one word come in the
 * order in which they are made.
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
#define IS_ASLEEP(word) ((word) % 2 == 1)

byte published;
byte asleep;
byte waits_last;
bit waits[WAITS_MOST] = WAITS;
bit in_kernel[THREADS];
byte taken[THREADS];

/* Of each thread, and of all barriers. */
byte view_items[THREADS + 1], view_waits[THREADS + 1], view_asleep[THREADS + 1];
#define BARRIERS THREADS

/* The view that is attached to a value: to an item, to a value of waits, to the latest of asleep. */
byte item_waits[ITEMS + 1], item_asleep[ITEMS + 1];
byte waits_items[WAITS_MOST], waits_asleep[WAITS_MOST];
byte asleep_items, asleep_waits;
byte row_items, row_waits, row_asleep; /* with the first subscriber's row */

inline learn(thread, items, of_waits, of_asleep)
{
    view_items[thread] = MORE(view_items[thread], items);
    view_waits[thread] = MORE(view_waits[thread], of_waits);
    view_asleep[thread] = MORE(view_asleep[thread], of_asleep)
}

inline share_view(thread)
{
    learn(thread, view_items[BARRIERS], view_waits[BARRIERS], view_asleep[BARRIERS]);
    learn(BARRIERS, view_items[thread], view_waits[thread], view_asleep[thread])
}

inline full_barrier(thread)
{
    d_step { share_view(thread) }
}

/* An exchange of asleep is an acquire load of its latest value, and a release store. */
inline exchange_asleep(value)
{
    learn(me, asleep_items, asleep_waits, asleep);
    asleep = value;
    view_asleep[me] = asleep;
    asleep_items = view_items[me];
    asleep_waits = view_waits[me]
}

inline store_waits(value)
{
    waits_last++;
    waits[waits_last] = value;
    view_waits[me] = waits_last;
    waits_items[waits_last] = view_items[me];
    waits_asleep[waits_last] = view_asleep[me]
}

inline load_waits()
{
    atomic {
        do
        :: view_waits[me] < waits_last -> view_waits[me]++
        :: break
        od;
        saw = waits[view_waits[me]]
    }
}

inline load_asleep()
{
    atomic {
        do
        :: view_asleep[me] < asleep -> view_asleep[me]++
        :: break
        od;
        saw = view_asleep[me]
    }
}

/* ---- Waking ---------------------------------------------------------------------------------- */

/* That it counts up first is wait.pml's. */
inline wake()
{
    if
    :: d_step {
        asleep == saw ->
        exchange_asleep(saw + 1);
        for (number : 1 .. SLEEPERS) {
            in_kernel[number] = 0
        }
        number = 0
       }
    :: asleep != saw
    fi
}

inline wake_who_is_asleep()
{
    full_barrier(me);
    load_asleep();
    if
    :: IS_ASLEEP(saw) -> wake()
    :: !IS_ASLEEP(saw)
    :: !IS_ASLEEP(saw) && CLEARS -> /* in vain for a while */
        d_step {
            store_waits(0);
            share_view(me)
        }
        load_asleep();
        if
        :: IS_ASLEEP(saw) -> wake()
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
            item_waits[published] = view_waits[me];
            item_asleep[published] = view_asleep[me]
        }
        load_waits();
        if
        :: saw == 1 -> wake_who_is_asleep()
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
    learn(me, next, item_waits[next], item_asleep[next])
}

/* It may find none as long as this thread is not known to have come after it. */
#define MAY_MISS (view_items[me] <= taken[me])

/* Loads how many items the subscriber has taken, with the view that it had when it stored that. */
#if TAKER
#define LOOK_AT_ROW d_step { if :: me == 1 -> learn(me, row_items, row_waits, row_asleep) :: else fi }
#else
#define LOOK_AT_ROW skip
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
        exchange_asleep(asleep + 1 - asleep % 2);
        word = asleep;
#ifndef MUTANT_NO_FENCE
        share_view(me)
#endif
    }
    load_waits();
    if
    :: saw == 0 ->
        d_step {
            store_waits(1);
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
        d_step { learn(me, waits_items[view_waits[me]], 0, waits_asleep[view_waits[me]]) }
#endif
    fi;
    LOOK_AT_ROW;
    if
    :: published > taken[me] -> found = 1
    :: MAY_MISS
    fi;
    if
    :: imposed && PASSES_ON ->
        full_barrier(me);
        load_asleep();
        if
        :: IS_ASLEEP(saw) -> wake()
        :: else
        fi
    :: found && !(imposed && PASSES_ON)
    :: !found && !(imposed && PASSES_ON) ->
        if
        :: d_step { asleep == word -> in_kernel[me] = 1 }
end:
            in_kernel[me] == 0
        :: asleep != word
        fi
    fi;
    d_step { saw = 0; word = 0; imposed = 0; found = 0 }
}

proctype sleeper(byte me)
{
    byte saw, word, number;
    bit imposed, found;
    do
    :: LOOK_AT_ROW;
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
        row_items = view_items[me];
        row_waits = view_waits[me];
        row_asleep = view_asleep[me]
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
