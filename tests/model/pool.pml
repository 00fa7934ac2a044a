/* SPDX-License-Identifier: MIT */
/*
 * The owners of a pool's blocks, through a queue and after a crash (src/ring/blocks.c,
 * blocks_reclaim.c, src/api/pool_queue.c). A member may crash before any of its steps, and a new
 * member gets its entry. The pool and the queue detect the crash one after the other, in either
 * order. run_models.py lists the configurations, and the mutants.
 *
 * The queue is modelled by its contract: an item is in a slot until it is released; the consumer
 * that peeks at it holds it, and after a crash of that consumer another one gets it. A block id is
 * its generation * 4 and its block + 1.
 */
#ifndef BLOCKS
#define BLOCKS 1
#endif
#ifndef MEMBERS
#define MEMBERS 2
#endif
#ifndef STEPS
#define STEPS 3 /* calls of each member, those of its successors in that row included */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define SLOTS 2 /* of the queue */
#define NONE 255

#define FREE  0
#define OWNED 1
#define SENT  2
#define TAKEN 3
#define STATE(word) ((word) & 3)
#define ENTRY(word) ((word) >> 2 & 3)
#define INCARNATION(word) ((word) >> 4 & 7)
#define GENERATION(word) ((word) >> 7)
#define FREE_WORD(generation) ((generation) << 7)
#define OWN_WORD(state, generation) ((generation) << 7 | incarnation << 4 | me << 2 | (state))
#ifdef MUTANT_NO_GENERATION
#define NEXT(generation) (generation)
#else
#define NEXT(generation) ((generation) + 1)
#endif

#define ENTRIES (MEMBERS + 1) /* and the entry of the last member, which joins when all have ended */
#define LAST MEMBERS

short words[BLOCKS];
byte incarnations[ENTRIES];
bool lock[ENTRIES]; /* the kernel's */
bool killed[ENTRIES];
byte slot[SLOTS], hand[SLOTS] = NONE;
byte crashes, ended;

/* Not part of the protocol: the process that may use a block's bytes. */
byte holder[BLOCKS] = NONE;

#define BLOCK(handle) (((handle) & 3) - 1)
#define HANDLE(block) (GENERATION(words[block]) * 4 + (block) + 1)

/* Exchanges a block's word, if it is `from`. */
#define exchange(block, from, to) \
    d_step { good = (words[block] == (from)); if :: good -> words[block] = (to) :: else fi }

inline receive(block)
{
    assert(holder[block] == NONE);
    holder[block] = me
}

inline part_with(block)
{
    assert(holder[block] == me);
    holder[block] = NONE
}

inline find(handle)
{
    d_step { found = (slot[0] == (handle) || slot[1] == (handle)) }
}

/* ---- The steps of a member ------------------------------------------------------------------- */

inline alloc()
{
    word = words[b];
    if
    :: STATE(word) == FREE ->
        d_step {
            good = (words[b] == word);
            if
            :: good ->
                words[b] = OWN_WORD(OWNED, GENERATION(word));
                held = HANDLE(b);
                receive(b)
            :: else
            fi
        }
    :: else
    fi
}

inline free(handle)
{
    d_step {
        good = (words[BLOCK(handle)] == OWN_WORD(OWNED, (handle) >> 2));
        if
        :: good ->
            part_with(BLOCK(handle));
            words[BLOCK(handle)] = FREE_WORD(NEXT((handle) >> 2))
        :: else
        fi
    }
}

inline enqueue()
{
    d_step {
        good = true;
        if
        :: slot[0] == 0 -> slot[0] = held
        :: slot[0] != 0 && slot[1] == 0 -> slot[1] = held
        :: else -> good = false
        fi
    }
}

inline push()
{
    b = BLOCK(held);
#ifdef MUTANT_PUSHES_FIRST
    d_step { part_with(b) }
    enqueue();
    if
    :: good -> exchange(b, OWN_WORD(OWNED, held >> 2), OWN_WORD(SENT, held >> 2)); held = 0
    :: else -> d_step { receive(b) }
    fi;
#else
    d_step { words[b] = OWN_WORD(SENT, held >> 2); part_with(b) }
    enqueue();
    if
    :: good -> held = 0
    :: else -> /* it was full */
        d_step {
            assert(words[b] == OWN_WORD(SENT, held >> 2));
            words[b] = OWN_WORD(OWNED, held >> 2);
            receive(b)
        }
    fi;
#endif
    b = 0
}

/* Of a word that was read before. */
inline is_crashed()
{
#ifdef MUTANT_NO_INCARNATION
    crashed = (ENTRY(word) != me && !lock[ENTRY(word)]);
#else
    if
    :: ENTRY(word) == me -> crashed = (INCARNATION(word) != incarnation)
    :: ENTRY(word) != me ->
        crashed = (INCARNATION(word) != incarnations[ENTRY(word)]);
        if
        :: !crashed -> crashed = !lock[ENTRY(word)]
        :: else
        fi
    fi;
#endif
    skip
}

inline pop()
{
    at = NONE;
    d_step {
        if
        :: slot[0] != 0 && hand[0] == NONE -> at = 0; hand[0] = me
        :: slot[1] != 0 && hand[1] == NONE -> at = 1; hand[1] = me
        :: else
        fi
    }
    if
    :: at == NONE
    :: at != NONE ->
        held = slot[at];
#ifdef MUTANT_RELEASES_FIRST
        d_step { slot[at] = 0; hand[at] = NONE }
#endif
        good = false;
        do
        :: good -> break
        :: else ->
            word = words[BLOCK(held)];
            assert(GENERATION(word) == held >> 2 && (STATE(word) == SENT || STATE(word) == TAKEN));
            if
            :: STATE(word) == TAKEN ->
                is_crashed();
                if
                :: crashed
                :: else -> word = -1 /* it is about to end: check again */
                fi
            :: STATE(word) == SENT
            fi;
            exchange(BLOCK(held), word, OWN_WORD(TAKEN, held >> 2))
        od;
        skip;
#ifndef MUTANT_RELEASES_FIRST
        d_step { slot[at] = 0; hand[at] = NONE }
#endif
        d_step {
            assert(words[BLOCK(held)] == OWN_WORD(TAKEN, held >> 2));
            words[BLOCK(held)] = OWN_WORD(OWNED, held >> 2);
            receive(BLOCK(held))
        }
    fi;
    at = 0
}

inline reclaim()
{
#ifdef MUTANT_SEARCHES_FIRST
    find(HANDLE(b));
#endif
    word = words[b];
    crashed = false;
    if
    :: STATE(word) != FREE -> is_crashed()
    :: else
    fi;
#ifndef MUTANT_SEARCHES_FIRST
    found = false;
    if
    :: crashed && STATE(word) != OWNED -> find(GENERATION(word) * 4 + b + 1)
    :: else
    fi;
#endif
#ifdef MUTANT_DOES_NOT_SEARCH
    found = false;
#endif
    if
    :: crashed && !found ->
        d_step {
            good = (words[b] == word);
            if
            :: good ->
                /* no live process has it, and no process will get it */
                assert(holder[b] == NONE);
                assert(slot[0] != HANDLE(b) && slot[1] != HANDLE(b));
                words[b] = FREE_WORD(NEXT(GENERATION(word)))
            :: else
            fi
        }
    :: else
    fi;
    crashed = false; found = false
}

inline choose()
{
    if
    :: b = 0
#if BLOCKS > 1
    :: b = 1
#endif
    fi
}

/* The queue gives the items that it held to others. */
inline give_back()
{
    d_step {
        if
        :: hand[0] == me -> hand[0] = NONE
        :: else
        fi;
        if
        :: hand[1] == me -> hand[1] = NONE
        :: else
        fi
    }
}

proctype member(byte me; byte left)
{
    byte incarnation, held, old, b, at;
    short word;
    bool good, crashed, found;
    {
        lock[me] = true;
        incarnations[me]++;
        incarnation = incarnations[me];
        do
        :: left == 0 -> break
        :: left > 0 ->
            left--;
            if
            :: held == 0 -> choose(); alloc()
            :: held == 0 -> pop()
            :: old != 0 -> free(old); assert(!good)
            :: held != 0 -> free(held); assert(good); old = held; held = 0
            :: held != 0 -> push()
            :: choose(); reclaim()
            fi;
            b = 0; word = 0; good = false
        od;
        atomic { !killed[me] -> killed[me] = true } /* leaves with its blocks, as after a crash */
    } unless {
        killed[me]
    }
    d_step {
        b = 0;
        do
        :: b < BLOCKS ->
            if
            :: holder[b] == me -> holder[b] = NONE
            :: else
            fi;
            b++
        :: else -> break
        od
    }
    if
    :: lock[me] = false; give_back()
    :: give_back(); lock[me] = false
    fi;
    if
    :: atomic { left > 0 -> killed[me] = false; run member(me, left) }
    :: left == 0 -> ended++
    fi
}

proctype killer()
{
    do
    :: d_step { crashes < CRASHES && lock[0] && !killed[0] -> killed[0] = true; crashes++ }
#if MEMBERS > 1
    :: d_step { crashes < CRASHES && lock[1] && !killed[1] -> killed[1] = true; crashes++ }
#endif
    :: break
    od
}

/* When all have ended, queued blocks can be popped, and all others are free again. */
proctype last()
{
    byte me = LAST, incarnation, held, b, at;
    short word;
    bool good, crashed, found;
    ended == MEMBERS;
    lock[me] = true;
#ifdef MUTANT_NO_INCARNATION
    me = 0; /* in the entry of a crashed member */
    lock[me] = true;
#endif
    incarnations[me]++;
    incarnation = incarnations[me];
    do
    :: slot[0] != 0 || slot[1] != 0 -> pop(); free(held); assert(good); held = 0
    :: else -> break
    od;
    do
    :: b < BLOCKS -> reclaim(); assert(STATE(words[b]) == FREE); b++
    :: else -> break
    od
}

init
{
    byte number;
    atomic {
        run last();
        run killer();
        do
        :: number < MEMBERS -> run member(number, STEPS); number++
        :: else -> break
        od
    }
}
