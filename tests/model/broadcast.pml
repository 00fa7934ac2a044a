/* SPDX-License-Identifier: MIT */
/*
 * New subscribers and a producer that moves its limit (src/ring/broadcast_push.c and broadcast_pop.c),
 * on processors that buffer stores: a store of one may be in its buffer while it loads a word of the
 * other. A subscriber may crash before any of its steps, and a new subscriber gets its entry; a
 * producer may crash too, and another one takes over. run_models.py lists the configurations, and
 * the mutants.
 *
 * Positions are small numbers, at most 7. Slot p % C has the item of position item[p % C] - 1; a
 * subscriber that finds a later one than it expects has been overrun. Buffers hold one store of a
 * kind: a second one waits until the first is seen.
 */
#ifndef C
#define C 2 /* capacity, and slots: one fewer than the code has, so items are overwritten earlier */
#endif
#ifndef SUBSCRIBERS
#define SUBSCRIBERS 2
#endif
#ifndef ITEMS
#define ITEMS 4 /* positions that are filled */
#endif
#ifndef OLDEST
#define OLDEST 1 /* subscribers begin there */
#endif
#ifndef CRASHES
#define CRASHES 1 /* of subscribers, each with a newcomer */
#endif
#ifndef PRODUCERS
#define PRODUCERS 1 /* one after the other's death */
#endif

#define NOTHING 255
#define THERE 128 /* in a row, beside a tag and the position */
#define POSITION(record) ((record) & 7)
#ifdef MUTANT_NO_TAG
#define NEXT_TAG(record) 0
#else
#define NEXT_TAG(record) (((record) & 120) + 8)
#endif

byte item[C];    /* a position + 1 */
byte tail, floor;
byte record[SUBSCRIBERS];
bool lock[SUBSCRIBERS]; /* the kernel's */
bool killed[SUBSCRIBERS], producer_killed;

/* Stores that other processes do not see yet. */
byte floor_buffer = NOTHING;
byte row_buffer[SUBSCRIBERS] = NOTHING;

inline drain_floor()
{
    d_step {
        if
        :: floor_buffer != NOTHING -> floor = floor_buffer; floor_buffer = NOTHING
        :: else
        fi
    }
}

inline drain_row(number)
{
    d_step {
        if
        :: row_buffer[number] != NOTHING -> record[number] = row_buffer[number]; row_buffer[number] = NOTHING
        :: else
        fi
    }
}

proctype memory()
{
end:
    do
    :: d_step { floor_buffer != NOTHING -> floor = floor_buffer; floor_buffer = NOTHING }
    :: d_step { row_buffer[0] != NOTHING -> record[0] = row_buffer[0]; row_buffer[0] = NOTHING }
#if SUBSCRIBERS > 1
    :: d_step { row_buffer[1] != NOTHING -> record[1] = row_buffer[1]; row_buffer[1] = NOTHING }
#endif
    od
}

/* ---- The producer ---------------------------------------------------------------------------- */

/* Sets lag to the largest distance of a subscriber that counts, and slowest to its entry. */
inline scan()
{
    i = 0;
    lag = 0;
    do
    :: i < SUBSCRIBERS ->
        d_step {
            if
            :: (record[i] & THERE) && POSITION(record[i]) <= position && position - POSITION(record[i]) <= C &&
               position - POSITION(record[i]) > lag ->
                lag = position - POSITION(record[i]); slowest = i; word = record[i]
            :: else
            fi;
            i++
        }
    :: else -> break
    od
}

/* Never lower than it was when this producer came, or raised it last. */
#define HIGHER(wanted) ((wanted) > my_floor -> (wanted) : my_floor)

proctype producer(byte successors)
{
    byte position, limit, my_floor, lag, slowest, word, i, room;
    {
        position = tail;
        do
        :: item[position % C] == position + 1 -> position++
        :: else -> break
        od;
        tail = position;
        limit = position;
        my_floor = floor;
        assert(my_floor <= position);
#ifdef MUTANT_KEEPS_LIMIT
        limit = my_floor + C; /* takes the published floor of the last producer for its limit */
#endif
        do
        :: position == ITEMS -> break
        :: position < ITEMS && position < limit ->
            item[position % C] = position + 1;
            position++;
            tail = position
        :: position < ITEMS && position == limit ->
            scan();
            if
            :: lag == C ->
                if
                :: lock[slowest] -> /* full, until something has changed */
                    (record[slowest] != word || !lock[slowest])
                :: !lock[slowest] ->
                    if
                    :: d_step { record[slowest] == word -> record[slowest] = word & 127 }
                    :: record[slowest] != word
                    fi
                fi
            :: lag < C ->
                room = C - lag;
                if
                :: room > 1 -> room = 1 /* a part of the ring */
                :: true
                fi;
#ifdef MUTANT_PUBLISHES_LATE
                scan();
                room = (C - lag < room -> C - lag : room);
#endif
                floor_buffer = HIGHER(position + room > C -> position + room - C : 0);
#ifndef MUTANT_NO_FENCE
                drain_floor();
#endif
#if !defined(MUTANT_NO_SECOND_SCAN) && !defined(MUTANT_PUBLISHES_LATE)
                scan();
                if
                :: C - lag < room ->
                    drain_floor();
                    room = C - lag;
                    floor_buffer = HIGHER(position + room > C -> position + room - C : 0)
                :: C - lag >= room
                fi;
#endif
                drain_floor(); /* long before the next store there */
                my_floor = HIGHER(position + room > C -> position + room - C : 0);
                limit = position + room
            fi;
            room = 0; lag = 0; slowest = 0; word = 0; i = 0
        od
    } unless {
        producer_killed
    }
    if
    :: producer_killed && successors > 0 ->
        /* The next one knows from the kernel that it is dead: its stores are seen. */
        atomic { drain_floor(); producer_killed = false; run producer(successors - 1) }
    :: else
    fi
}

/* ---- Subscribers ----------------------------------------------------------------------------- */

proctype subscriber(byte me)
{
    byte position, seen, tag;
    {
        lock[me] = true;
        if
        :: OLDEST -> position = floor
        :: !OLDEST -> position = tail
        fi;
        tag = NEXT_TAG(record[me]);
        do
        :: true ->
            drain_row(me);
            row_buffer[me] = THERE | tag | position;
#ifndef MUTANT_NO_FENCE_OF_NEWCOMER
            drain_row(me);
#endif
#ifdef MUTANT_NO_CHECK
            break;
#endif
            seen = floor;
            if
            :: seen <= position -> break
            :: seen > position -> position = seen
            fi
        od;
        seen = 0;
        do
        :: position == ITEMS -> break
        :: position < ITEMS && item[position % C] >= position + 1 ->
            assert(item[position % C] == position + 1);
            assert(item[position % C] == position + 1); /* it reads meanwhile */
            position++;
            drain_row(me);
            row_buffer[me] = THERE | tag | position
        od;
        drain_row(me);
        record[me] = tag | position /* leaves */
    } unless {
        killed[me]
    }
    drain_row(me);
    lock[me] = false;
    if
    :: atomic { killed[me] -> killed[me] = false; run subscriber(me) }
    :: !killed[me]
    fi
}

proctype killer()
{
    byte crashes, ends;
    do
    :: d_step { crashes < CRASHES && lock[0] -> killed[0] = true; crashes++ }
#if SUBSCRIBERS > 1
    :: d_step { crashes < CRASHES && lock[1] -> killed[1] = true; crashes++ }
#endif
    :: ends < PRODUCERS - 1 && !producer_killed -> producer_killed = true; ends++
    :: break
    od
}

init
{
    byte number;
    atomic {
        run memory();
        run killer();
        run producer(PRODUCERS - 1);
        do
        :: number < SUBSCRIBERS -> run subscriber(number); number++
        :: else -> break
        od
    }
}
