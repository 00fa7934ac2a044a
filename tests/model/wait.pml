/* SPDX-License-Identifier: MIT */
/*
 * Waiting and waking (src/api/queue_wait.c), on processors that buffer stores: an item that a waker
 * has published may still be in its buffer when it checks for sleepers. run_models.py lists the
 * configurations that are searched, and the mutants.
 *
 * `sleepers` is a count: odd while a process is blocked, or is about to block. SINGLE: one sleeper
 * and one waker, and a sleeper that leaves makes the count even. Waits have no time limit here,
 * except for those that a killed waker would have ended.
 */
#ifndef SINGLE
#define SINGLE 0
#endif
#ifndef SLEEPERS
#define SLEEPERS 2
#endif
#ifndef WAKERS
#define WAKERS 2 /* at most 3 */
#endif
#ifndef ITEMS
#define ITEMS 2 /* that each waker publishes */
#endif
#ifndef SHARE
#define SHARE 1 /* what each sleeper takes before it is gone */
#endif
#ifndef KILLS
#define KILLS 0 /* of wakers */
#endif

#define BIT(number) (1 << (number))

#ifdef MUTANT_FLAG
#define WITH_SLEEPER(word) 1
#define WOKEN(word) 0
#define HAS_SLEEPERS(word) ((word) != 0)
#define CHANGES_FROM(word) true /* an exchange */
#else
#define WITH_SLEEPER(word) ((word) | 1)
#define WOKEN(word) ((word) + 1)
#define HAS_SLEEPERS(word) ((word) % 2 == 1)
#define CHANGES_FROM(word) (sleepers == (word)) /* a compare-and-exchange */
#endif

byte items; /* published, not taken, and visible to every process */
bit wake_needed;
byte sleepers;
byte in_kernel; /* sleepers, as bits */

/* Buffers. No more than one kind is in a buffer at a time: barriers stand between. */
byte published[WAKERS];
#define NO_STORE 0
#define STORE_0 1
#define STORE_1 2
byte to_wake_needed[WAKERS + SLEEPERS];
bit to_sleepers[SLEEPERS]; /* a 0 */

byte killed; /* wakers, as bits */

inline drain(number)
{
    d_step {
        if
        :: number < WAKERS -> items = items + published[number]; published[number] = 0
        :: number >= WAKERS && to_sleepers[number - WAKERS] ->
            sleepers = 0;
            to_sleepers[number - WAKERS] = 0
        :: else
        fi;
        if
        :: to_wake_needed[number] != NO_STORE -> wake_needed = to_wake_needed[number] - STORE_0
        :: else
        fi;
        to_wake_needed[number] = NO_STORE
    }
}

/* A full barrier is a step like any other, and drains the buffer of its process. */
inline full_barrier()
{
    drain(me)
}

/* Buffers drain at any time, the oldest store first. */
proctype memory()
{
end:
    do
    :: d_step { published[0] > 0 -> items++; published[0]-- }
#if WAKERS > 1
    :: d_step { published[1] > 0 -> items++; published[1]-- }
#endif
#if WAKERS > 2
    :: d_step { published[2] > 0 -> items++; published[2]-- }
#endif
    :: d_step { to_wake_needed[0] != NO_STORE -> drain(0) }
    :: d_step { to_wake_needed[1] != NO_STORE -> drain(1) }
#if WAKERS + SLEEPERS > 2
    :: d_step { to_wake_needed[2] != NO_STORE -> drain(2) }
#endif
#if WAKERS + SLEEPERS > 3
    :: d_step { to_wake_needed[3] != NO_STORE -> drain(3) }
#endif
#if WAKERS + SLEEPERS > 4
    :: d_step { to_wake_needed[4] != NO_STORE -> drain(4) }
#endif
    :: d_step { to_sleepers[0] -> drain(WAKERS) }
#if SLEEPERS > 1
    :: d_step { to_sleepers[1] -> drain(WAKERS + 1) }
#endif
    od
}

/* ---- Waking ---------------------------------------------------------------------------------- */

/* Changes sleepers, if its value is word, and wakes all of them. */
inline wake(word)
{
#ifdef MUTANT_LATE_CLEAR
    d_step { in_kernel = 0 }
    d_step { sleepers = WOKEN(sleepers); word = 0 }
#else
    atomic {
        drain(me);
        if
        :: CHANGES_FROM(word) && HAS_SLEEPERS(sleepers) -> sleepers = WOKEN(sleepers)
        :: else -> word = 0
        fi
    }
    if
    :: d_step { word != 0 -> in_kernel = 0; word = 0 }
    :: word == 0
    fi
#endif
}

inline wake_sleepers()
{
    full_barrier();
    saw = sleepers;
    if
    :: HAS_SLEEPERS(saw) -> wake(saw)
    :: !HAS_SLEEPERS(saw) -> saw = 0
    :: !HAS_SLEEPERS(saw) -> /* without success for a while */
        d_step { to_wake_needed[me] = STORE_0; saw = 0 }
        full_barrier();
#ifndef MUTANT_NO_SECOND_CHECK
        saw = sleepers;
        if
        :: !HAS_SLEEPERS(saw) -> saw = 0
        :: else ->
#ifdef MUTANT_SETS_WAKE_NEEDED
            to_wake_needed[me] = STORE_1;
#endif
            wake(saw)
        fi
#endif
    fi
}

proctype waker(byte me)
{
    byte made, saw;
    {
        do
        :: made < ITEMS ->
            d_step { published[me]++; made++ }
            if
            :: wake_needed -> wake_sleepers()
            :: !wake_needed
            fi
        :: else -> break
        od
    } unless {
        killed & BIT(me)
    }
}

/* ---- Sleeping -------------------------------------------------------------------------------- */

proctype sleeper(byte me)
{
    byte taken, saw, number;
    bool imposed;
    do
    :: taken == SHARE -> break
    :: d_step { taken < SHARE && items > 0 -> items--; taken++ }
    :: taken < SHARE && items == 0 ->
        do
        :: atomic {
            drain(me);
            sleepers = WITH_SLEEPER(sleepers);
            saw = sleepers;
            imposed = false
           }
            if
            :: wake_needed
            :: !wake_needed ->
                to_wake_needed[me] = STORE_1;
                imposed = true;
                full_barrier();
#ifndef MUTANT_NO_BARRIER
                do
                :: number < WAKERS -> drain(number); number++
                :: else -> break
                od;
                number = 0
#endif
            fi;
            if
            :: items > 0 ->
#if !SINGLE && !defined(MUTANT_NO_PASSING_ON)
                if
                :: imposed -> full_barrier(); saw = sleepers; wake(saw)
                :: else
                fi
#endif
            :: items == 0 ->
                if
                :: d_step { sleepers == saw -> in_kernel = in_kernel | BIT(me) }
end:
                    if
                    :: (in_kernel & BIT(me)) == 0
                    :: d_step { killed && items > 0 -> in_kernel = in_kernel & ~BIT(me) }
                    fi
                :: sleepers != saw
                fi
            fi;
            d_step { imposed = false; saw = 0 }
            if
            :: d_step { items > 0 -> items--; taken++ } break
            :: items == 0
            fi
        od;
#ifdef MUTANT_LEAVER_CLEARS
        to_sleepers[me - WAKERS] = 1
#elif SINGLE
        if
        :: d_step { HAS_SLEEPERS(sleepers) -> sleepers = WOKEN(sleepers) }
        :: !HAS_SLEEPERS(sleepers)
        fi
#endif
    od
}

proctype killer()
{
    byte kills;
    do
    :: kills < KILLS -> killed = killed | BIT(0); kills++
    :: kills < KILLS && WAKERS > 1 -> killed = killed | BIT(1); kills++
    :: break
    od
}

/* When no process can continue, none is blocked while there is an item for it. */
proctype checker()
{
    timeout -> assert(items == 0 || in_kernel == 0)
}

init
{
    byte number;
    atomic {
        do
        :: number < WAKERS -> run waker(number); number++
        :: number >= WAKERS && number < WAKERS + SLEEPERS -> run sleeper(number); number++
        :: else -> break
        od;
        number = 0;
        run memory();
        run killer();
        run checker()
    }
}
