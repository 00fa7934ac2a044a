/* SPDX-License-Identifier: MIT */
/*
 * A thread of the process watches sides for waits on many sides (src/api/poll_thread.c): one side
 * for each of two waits. It rests after it has woken the waits. Each wait, before it sleeps, arms
 * its poller and ends the rest (src/api/wait_any.c). Operations are sequentially consistent:
 * docs/ORDERING.md has the argument for their order (POLL). That a push ends a sleep on its side is
 * wait.pml's subject; here it does. DESCRIPTOR: meanwhile a third side gets a descriptor.
 */
#ifndef ITEMS
#define ITEMS 2 /* of each side */
#endif
#ifndef DESCRIPTOR
#define DESCRIPTOR 0
#endif

#define WAITS 2
#define SIDES 3
#define ARMED 0
#define NOTIFIED 1

byte items[SIDES];
bit state[SIDES]; /* of the poller */
bit rests, has_descriptor, is_readable;
bit control_changed, notices_changed[WAITS]; /* since a thread has loaded the word */
bit thread_sleeps, watches[SIDES], woken, wait_sleeps[WAITS]; /* woken: for a wait */

inline wake_thread()
{
    d_step { control_changed = 1; thread_sleeps = 0 }
}

proctype producer(byte side)
{
    byte made;
    do
    :: made < ITEMS ->
        d_step {
            items[side]++;
            made++;
            if
            :: watches[side] -> thread_sleeps = 0; woken = woken || side < WAITS
            :: else
            fi
        }
    :: else -> break
    od
}

/* ---- The thread ------------------------------------------------------------------------------ */

inline wake_waits()
{
    d_step {
        notices_changed[0] = 1;
        notices_changed[1] = 1;
        wait_sleeps[0] = 0;
        wait_sleeps[1] = 0
    }
}

inline rest()
{
#ifdef MUTANT_NOTICE_BEFORE_REST
    wake_waits();
    rests = 1
#else
    rests = 1;
#ifndef MUTANT_RESTS_QUIETLY
    wake_waits()
#endif
#endif
}

inline notify(side)
{
    state[side] = NOTIFIED;
    if
    :: side == 2 -> is_readable = 1
    :: else -> rest()
    fi
}

inline serve(side)
{
    if
    :: state[side] == NOTIFIED || (side == 2 -> !has_descriptor : rests) -> served[side] = 0
    :: else ->
        if
        :: items[side] > 0 -> notify(side); served[side] = 0
        :: else -> served[side] = 1
        fi
    fi
}

proctype thread()
{
    bit served[SIDES], rested;
end:
    do
    :: control_changed = 0;
        rested = rests;
        serve(0);
        serve(1);
        serve(2);
        if
        :: !rested && rests -> serve(0); serve(1); serve(2)
        :: else
        fi;
        if
        :: d_step { /* the system compares control, the last check of the sides compares these */
            !control_changed && !(served[0] && items[0] > 0) && !(served[1] && items[1] > 0) &&
                !(served[2] && items[2] > 0) ->
            watches[0] = served[0];
            watches[1] = served[1];
            watches[2] = served[2];
            thread_sleeps = 1
           }
end_asleep:
            d_step { !thread_sleeps -> watches[0] = 0; watches[1] = 0; watches[2] = 0 }
            if
            :: woken -> woken = 0; rest()
            :: else
            fi
        :: else
        fi;
        d_step { rested = 0; served[0] = 0; served[1] = 0; served[2] = 0 }
    od
}

/* ---- A wait ---------------------------------------------------------------------------------- */

proctype wait(byte me)
{
    bit wakes;
end:
    do
    :: items[me] > 0 -> items[me] = 0 /* it may spin for long, and take many */
    :: items[me] == 0 ->
#ifndef MUTANT_NOTICES_AFTER_ARMING
        notices_changed[me] = 0;
#endif
        d_step {
            if
            :: state[me] == NOTIFIED -> state[me] = ARMED; wakes = 1
            :: else
            fi
        }
#ifndef MUTANT_KEEPS_REST
        if
        :: rests -> rests = 0; wakes = 1
        :: else
        fi;
#endif
#ifndef MUTANT_DOES_NOT_WAKE
        if
        :: wakes -> wake_thread()
        :: else
        fi;
#endif
#ifdef MUTANT_NOTICES_AFTER_ARMING
        notices_changed[me] = 0;
#endif
        if
        :: d_step { !notices_changed[me] -> wait_sleeps[me] = 1 }
end_asleep:
            !wait_sleeps[me]
        :: notices_changed[me]
        fi;
        wakes = 0
    od
}

/* Another thread of the process makes a descriptor. */
proctype adder()
{
    has_descriptor = 1;
#ifndef MUTANT_ADDS_QUIETLY
    wake_thread()
#endif
}

/* When no thread can go on, no wait sleeps while there is something for it. */
proctype checker()
{
    timeout ->
        assert(items[0] == 0 && items[1] == 0);
        assert(!DESCRIPTOR || is_readable)
}

init
{
    atomic {
        run thread();
        run wait(0);
        run wait(1);
        run producer(0);
        run producer(1);
#if DESCRIPTOR
        run producer(2);
        run adder();
#endif
        run checker()
    }
}
