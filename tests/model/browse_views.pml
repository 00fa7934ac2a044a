/* SPDX-License-Identifier: MIT */
/*
 * An observer copies an item while its slot is given back and filled again (docs/ORDERING.md,
 * BROWSE-S1), in the C11 memory model as in wait_views.pml: each word has a history, each thread a
 * view. A release store attaches its thread's view to the value. A relaxed store attaches the view
 * that its thread had at its last release fence. The observer's acquire fence takes over the views
 * of all values that it has loaded.
 *
 * The ring has one slot: a mark, which is the first word of an item, and a second word. In both,
 * the item is 1, then 2.
 * MULTI_COPY: a store reaches all processors at once. Then all that was stored before comes with
 *             each value, and the producer needs no fence.
 * LOSSY: no consumer takes the item; before the producer overwrites it, it stores that in the mark.
 */
#ifndef MULTI_COPY
#define MULTI_COPY 0
#endif
#ifndef LOSSY
#define LOSSY 0
#endif

#define HEAD 0
#define MARK 1
#define WORD 2
#define WORDS 3
#define LENGTH 3 /* of a history */
#define EMPTY 0  /* or torn */

#define PRODUCER 0
#define CONSUMER 1
#define OBSERVER 2
#define FENCED 3  /* not a thread: the producer's view at its last release fence */
#define WAITING 4 /* what came with the observer's loads, for its acquire fence */

#define MORE(one, other) ((one) > (other) -> (one) : (other))
#define VALUE(word, at) value[(word) * LENGTH + (at)]
#define VIEW(thread, word) view[(thread) * WORDS + (word)]
#define COMES_WITH(word, at, other) comes[((word) * LENGTH + (at)) * WORDS + (other)]

byte last[WORDS];
byte value[9];
byte comes[27];
byte view[15];
byte i, at;

/* With it comes the view `known`. */
inline store(thread, name, new, known)
{
    d_step {
        last[name]++;
        VALUE(name, last[name]) = new;
        VIEW(thread, name) = last[name];
        for (i : 0 .. WORDS - 1) {
            COMES_WITH(name, last[name], i) = (MULTI_COPY -> last[i] : VIEW(known, i))
        }
        COMES_WITH(name, last[name], name) = last[name];
        i = 0
    }
}

/* Any value that the thread is not known to have gone beyond. */
inline load(thread, name, result)
{
    atomic {
        do
        :: VIEW(thread, name) < last[name] -> VIEW(thread, name)++
        :: break
        od;
        result = VALUE(name, VIEW(thread, name));
        if
        :: thread == OBSERVER -> learn(WAITING, name, thread)
        :: else
        fi
    }
}

/* The view that came with the value that the reader has loaded last. */
inline learn(thread, name, reader)
{
    d_step {
        at = VIEW(reader, name);
        for (i : 0 .. WORDS - 1) {
            VIEW(thread, i) = MORE(VIEW(thread, i), COMES_WITH(name, at, i))
        }
        i = 0;
        at = 0
    }
}

inline acquire_load(thread, name, result)
{
    atomic {
        load(thread, name, result);
        learn(thread, name, thread)
    }
}

inline release_fence()
{
    d_step {
        for (i : 0 .. WORDS - 1) {
            VIEW(FENCED, i) = VIEW(PRODUCER, i)
        }
        i = 0
    }
}

inline acquire_fence()
{
    d_step {
        for (i : 0 .. WORDS - 1) {
            VIEW(OBSERVER, i) = MORE(VIEW(OBSERVER, i), VIEW(WAITING, i))
        }
        i = 0
    }
}

proctype producer()
{
    byte saw = 1;
#if LOSSY
    store(PRODUCER, MARK, EMPTY, FENCED);
#else
    do
    :: saw != EMPTY -> acquire_load(PRODUCER, MARK, saw) /* SPSC-P1 */
    :: saw == EMPTY -> break
    od;
#endif
#ifndef MUTANT_NO_RELEASE_FENCE
    release_fence(); /* BROWSE-P1, CAST-P6 */
#endif
    store(PRODUCER, WORD, 2, FENCED);
    store(PRODUCER, MARK, 2, PRODUCER) /* SPSC-P2, CAST-P1 */
}

/* SPSC-P2 orders its reads. It reads the first item, since the second one waits for it. */
proctype consumer()
{
#ifdef MUTANT_COUNTS_LATE
    store(CONSUMER, MARK, EMPTY, CONSUMER);
    store(CONSUMER, HEAD, 1, CONSUMER)
#else
    store(CONSUMER, HEAD, 1, CONSUMER); /* SPSC-C3 */
    store(CONSUMER, MARK, EMPTY, CONSUMER) /* SPSC-C2 */
#endif
}

proctype observer()
{
    byte saw, mark, word, head = 0;
    acquire_load(OBSERVER, HEAD, head);
    acquire_load(OBSERVER, MARK, saw);
    if
    :: head == 0 && saw != EMPTY && (!LOSSY || saw == 1) ->
        load(OBSERVER, MARK, mark);
        load(OBSERVER, WORD, word);
#ifndef MUTANT_NO_ACQUIRE_FENCE
        acquire_fence(); /* BROWSE-S1, CAST-S6 */
#endif
        load(OBSERVER, HEAD, head);
        load(OBSERVER, MARK, saw);
        /* The slots ring decides by the head, the lossy one by the mark. */
        assert((LOSSY && saw != 1) || (!LOSSY && head != 0) || word == (LOSSY -> 1 : mark))
    :: else
    fi
}

init
{
    atomic {
        VALUE(MARK, 0) = 1;
        VALUE(WORD, 0) = 1;
        run producer();
#if !LOSSY
        run consumer();
#endif
        run observer()
    }
}
