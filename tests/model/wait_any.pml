/* SPDX-License-Identifier: MIT */
/*
 * A thread that sleeps on two queues at once (src/api/wait_any.c, queue_wait.c), on processors that
 * buffer stores, as in wait.pml. Each queue has a waker. The first queue also has a second sleeper,
 * which sleeps on it alone, as another consumer of an MPMC queue does. INTERRUPTS: a process
 * interrupts the thread. run_models.py lists the configurations that are searched, and the mutants.
 */
#ifndef ITEMS
#define ITEMS 1 /* that each waker publishes */
#endif
#ifndef SINGLES
#define SINGLES 1 /* sleepers on the first queue alone: 0 or 1 */
#endif
#ifndef INTERRUPTS
#define INTERRUPTS 0
#endif

#define QUEUES 2
/* Threads: a waker for each queue, the thread that waits on both, the sleeper on the first alone,
   the one that interrupts. */
#define ANY 2
#define SINGLE 3
#define INTERRUPTER 4
#define THREADS 5
#define HAS_SLEEPERS(word) ((word) % 2 == 1)

byte items[QUEUES]; /* published, not taken, and visible to all */
bit wake_needed[QUEUES];
byte sleepers[QUEUES];
bit any_in_kernel[QUEUES], single_in_kernel;
bit interrupted;
byte interrupts_taken;

/* Buffers. A waker stores into its own queue only. */
byte published[QUEUES];
bit to_interrupted;
#define NO_STORE 0
#define STORE_0 1
#define STORE_1 2
byte to_wake_needed[THREADS * QUEUES];
#define BUFFER(thread, queue) to_wake_needed[(thread) * QUEUES + (queue)]

inline drain_one(thread, queue)
{
    if
    :: BUFFER(thread, queue) != NO_STORE -> wake_needed[queue] = BUFFER(thread, queue) - STORE_0
    :: else
    fi;
    BUFFER(thread, queue) = NO_STORE
}

inline drain(thread)
{
    d_step {
        if
        :: thread < QUEUES -> items[thread] = items[thread] + published[thread]; published[thread] = 0
        :: thread == INTERRUPTER && to_interrupted -> interrupted = 1; to_interrupted = 0
        :: else
        fi;
        drain_one(thread, 0);
        drain_one(thread, 1)
    }
}

/* Buffers drain at any time. */
proctype memory()
{
end:
    do
    :: d_step { published[0] > 0 -> items[0]++; published[0]-- }
    :: d_step { published[1] > 0 -> items[1]++; published[1]-- }
    :: d_step { to_interrupted -> interrupted = 1; to_interrupted = 0 }
    :: d_step { BUFFER(0, 0) != NO_STORE -> drain_one(0, 0) }
    :: d_step { BUFFER(1, 1) != NO_STORE -> drain_one(1, 1) }
    :: d_step { BUFFER(ANY, 0) != NO_STORE -> drain_one(ANY, 0) }
    :: d_step { BUFFER(ANY, 1) != NO_STORE -> drain_one(ANY, 1) }
    :: d_step { BUFFER(SINGLE, 0) != NO_STORE -> drain_one(SINGLE, 0) }
    od
}

/* ---- Waking ---------------------------------------------------------------------------------- */

/* Changes sleepers, which was word, and wakes all that sleep there. */
inline wake(queue, word)
{
    d_step {
        drain(me);
        if
        :: sleepers[queue] == word && HAS_SLEEPERS(word) -> sleepers[queue] = word + 1
        :: else -> word = 0
        fi
    }
    if
    :: d_step {
        word != 0 ->
        any_in_kernel[queue] = 0;
        if
        :: queue == 0 -> single_in_kernel = 0
        :: else
        fi;
        word = 0
       }
    :: word == 0
    fi
}

inline wake_sleepers(queue)
{
    drain(me);
    saw = sleepers[queue];
    if
    :: HAS_SLEEPERS(saw) -> wake(queue, saw)
    :: !HAS_SLEEPERS(saw) -> saw = 0
    :: !HAS_SLEEPERS(saw) -> /* many times without a sleeper */
        d_step { BUFFER(me, queue) = STORE_0; saw = 0 }
        drain(me);
        saw = sleepers[queue];
        if
        :: !HAS_SLEEPERS(saw) -> saw = 0
        :: else -> wake(queue, saw)
        fi
    fi
}

proctype waker(byte me)
{
    byte made, saw;
    do
    :: made < ITEMS ->
        d_step { published[me]++; made++ }
        if
        :: wake_needed[me] -> wake_sleepers(me)
        :: !wake_needed[me]
        fi
    :: else -> break
    od
}

proctype interrupter(byte me)
{
    byte saw;
    to_interrupted = 1;
#ifndef MUTANT_INTERRUPT_WITHOUT_FENCE
    drain(me);
#endif
    saw = sleepers[1];
    if
    :: HAS_SLEEPERS(saw) -> wake(1, saw)
    :: else
    fi
}

/* ---- Sleeping -------------------------------------------------------------------------------- */

#define SOMETHING (items[0] > 0 || items[1] > 0 || interrupted)

inline impose()
{
    d_step { drain(me) }
    drain(0);
    drain(1)
}

/* Takes all that it finds, as a thread does that calls quoit_wait_any again and again. */
inline take_any()
{
    d_step {
        items[0] = 0;
        items[1] = 0;
        if
        :: interrupted -> interrupted = 0; interrupts_taken++
        :: else
        fi
    }
}

inline pass_on(queue)
{
    if
    :: imposes[queue] && items[queue] > 0 -> drain(me); saw = sleepers[queue]; wake(queue, saw)
    :: else
    fi
}

proctype any(byte me)
{
    byte word[QUEUES], saw;
    bit imposes[QUEUES], ready;
end:
    do
    :: SOMETHING -> take_any()
    :: !SOMETHING ->
        d_step { drain(me); sleepers[0] = sleepers[0] | 1; word[0] = sleepers[0] }
#ifdef MUTANT_ANNOUNCES_ONE
        word[1] = sleepers[1];
#else
        d_step { drain(me); sleepers[1] = sleepers[1] | 1; word[1] = sleepers[1] }
#endif
        drain(me);
        if
        :: wake_needed[0] -> imposes[0] = 0
        :: !wake_needed[0] -> d_step { imposes[0] = 1; BUFFER(me, 0) = STORE_1 }
        fi;
        if
        :: wake_needed[1] -> imposes[1] = 0
        :: !wake_needed[1] -> d_step { imposes[1] = 1; BUFFER(me, 1) = STORE_1 }
        fi;
#if defined(MUTANT_NO_BARRIER)
        skip;
#elif defined(MUTANT_IMPOSES_FIRST_ONLY)
        if
        :: imposes[0] -> impose()
        :: else
        fi;
#else
        if
        :: imposes[0] || imposes[1] -> impose()
        :: else
        fi;
#endif
        ready = 0;
        if
        :: items[0] > 0 -> ready = 1
        :: items[0] == 0
        fi;
        pass_on(0);
        if
        :: items[1] > 0 || interrupted -> ready = 1
        :: items[1] == 0 && !interrupted
        fi;
        if
        :: ready
        :: !ready ->
            if
            :: d_step { /* the system compares both words before it sleeps */
                sleepers[0] == word[0] && sleepers[1] == word[1] ->
                any_in_kernel[0] = 1;
                any_in_kernel[1] = 1
               }
end_asleep:
                d_step { !(any_in_kernel[0] && any_in_kernel[1]) -> any_in_kernel[0] = 0; any_in_kernel[1] = 0 }
            :: sleepers[0] != word[0] || sleepers[1] != word[1]
            fi
        fi;
        d_step { word[0] = 0; word[1] = 0; saw = 0; ready = 0; imposes[0] = 0; imposes[1] = 0 }
    od
}

/* Sleeps on the first queue, takes one item there, and leaves. */
proctype single(byte me)
{
    byte word, saw;
    bit imposes[QUEUES];
    do
    :: d_step { items[0] > 0 -> items[0]--; } break
    :: items[0] == 0 ->
        d_step { drain(me); sleepers[0] = sleepers[0] | 1; word = sleepers[0] }
        drain(me);
        if
        :: wake_needed[0] -> imposes[0] = 0
        :: !wake_needed[0] -> d_step { imposes[0] = 1; BUFFER(me, 0) = STORE_1 } impose()
        fi;
        if
        :: items[0] > 0 -> pass_on(0)
        :: items[0] == 0 ->
            if
            :: d_step { sleepers[0] == word -> single_in_kernel = 1 }
end_asleep:
                single_in_kernel == 0
            :: sleepers[0] != word
            fi
        fi;
        d_step { word = 0; saw = 0; imposes[0] = 0 }
    od
}

/* When no process can go on, none sleeps while there is something for it, and no interrupt waits. */
proctype checker()
{
    timeout ->
        assert(items[0] == 0 && items[1] == 0 && !interrupted);
        assert(!INTERRUPTS || interrupts_taken == 1)
}

init
{
    atomic {
        run waker(0);
        run waker(1);
        run any(ANY);
#if SINGLES
        run single(SINGLE);
#endif
#if INTERRUPTS
        run interrupter(INTERRUPTER);
#endif
        run memory();
        run checker()
    }
}
