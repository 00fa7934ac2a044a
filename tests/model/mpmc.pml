// SPDX-License-Identifier: MIT
//
// The MPMC ring, with members that crash: a model for spin.
//
// A position is claimed by a compare-and-swap of tail or head; slot p % C serves position p in lap
// p / C. Before it claims, a member stores the position in its entry (pushing, popping). It holds a
// kernel lock on the entry, which ends with the process. So a member that meets an unfinished slot
// can check whether its owner is alive: it skips the position of a crashed producer, and adopts the
// item of a crashed consumer under the next generation.
//
// One step is one access to shared memory, together with the member's private computation. A member
// may crash before any of its stores: reads leave no trace, so other moments add nothing.
// Memory is sequentially consistent here. run_models.py names the configurations that are searched,
// and the mutants: the same protocol with one rule left out each.
//
// Delivered once means: the slot was freed for each item once. A consumer that crashes between
// reading and freeing may have used the item, so each such crash allows one more reading. Order is
// promised only for items from the head; an adopted item comes later.

#ifndef C
#define C 1        // slots
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 1
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifndef BOTH
#define BOTH 0     // members that push and pop
#endif
#ifndef NEWCOMERS
#define NEWCOMERS 0 // newcomer k takes the row of member k when that one is dead
#endif
#ifndef PUSHES
#define PUSHES 1   // attempts of each producer
#endif
#ifndef POPS
#define POPS 1     // attempts of each consumer
#endif
#ifndef NEW_PUSHES
#define NEW_PUSHES 0
#endif
#ifndef NEW_POPS
#define NEW_POPS 1
#endif
#ifndef FINISH
#define FINISH 0   // 1: a process finishes the ring at any moment
#endif
#ifndef FILLED
#define FILLED 0   // items in the ring at the start
#endif

#define ENTRIES (PRODUCERS + CONSUMERS + BOTH)
#define SURVIVOR ENTRIES   // a row of its own, after all others
#define NONE 255

// A word only ever grows: EMPTY(lap), FULL(lap, 0), FULL(lap, 1), ..., EMPTY(lap + 1).
#define EMPTY(lap) ((lap) * 8)
#define FULL(lap, g) ((lap) * 8 + 4 + (g))
#define LAP(w) ((w) / 8)
#define IS_FULL(w) (((w) & 4) != 0)
#define GENERATION(w) ((w) & 3)

// Row words: 0 is none.
#define PUSHING(p) ((p) + 1)
#define POPPING(p, g) ((p) * 4 + (g) + 1)

// tail is twice the position, plus the FINISHED bit.
#define FINISHED(x) (((x) & 1) != 0)

byte head;
byte tail;
byte word[C];
byte first[C];     // the payload, in two parts so that it can be torn
byte second[C];
byte pushing[ENTRIES + 1];
byte popping[ENTRIES + 1];
bool lock[ENTRIES + 1];
byte marked;       // a hint: items below are given back

// Used only by the assertions, not by the protocol.
byte crashes = CRASHES;
byte settled;      // members that have crashed or finished their work
byte owner[C];     // the owner of the slot: NONE, or a process; crashed members own nothing
byte committed;    // sets of items
byte seen;
byte taken;
byte spare;        // crashes of consumers that no second delivery was charged to yet
bool closed;       // a consumer got FINISHED

#define BIT(item) (1 << (item))

// A store, or a step that counts as one: the member may crash before it.
#define STORE(x) if :: atomic { x } :: atomic { crashes > 0 -> DIE; goto gone } fi

// The kernel drops the lock at the moment of the crash.
#define DIE crashes--; lock[me] = false; spare = spare + consumer; LOSE(0); LOSE(C - 1)
#define LOSE(slot) owner[slot] = (owner[slot] == _pid -> NONE : owner[slot])

// Asserts that the slot of position p has no owner, and makes this process its owner.
#define OWN(p) assert(owner[(p) % C] == NONE); owner[(p) % C] = _pid
#define MINE(p) assert(owner[(p) % C] == _pid)
#define DISOWN(p) MINE(p); owner[(p) % C] = NONE

#define COMMIT word[t % C] = FULL(t / C, 0); committed = committed | BIT(item); assert(!closed)
#define PUSHED DISOWN(t); t++; item++; goto work

// Each producer has SHARE items from 2 on, and pushes them in rising order.
#define WRITERS (PRODUCERS + BOTH + (NEW_PUSHES > 0) * NEWCOMERS + (FILLED > 0))
#define SHARE (6 / WRITERS)
#define ITEM(k) (2 + ((k) + (FILLED > 0)) * SHARE)
#define LATER(item) (BIT(2 + ((item) - 2) / SHARE * SHARE + SHARE) - BIT((item) + 1))

proctype member(byte me; byte pushes; byte pops; byte item; bool newcomer)
{
  byte t, h;       // own positions: where this member thinks tail and head are
  byte m;          // and marked
  byte f;          // the first item that the deep look found not given back
  byte w, p, a, i;
  bool pops_now;   // the operation under way is a pop
  bool stale;      // the row names a position that another one got
  bool flying;     // the deep look met an item that is not, or no more, an orphan
  bool consumer = (pops > 0);
  byte had;        // items that came from the head

  if
  :: newcomer ->
     do
     :: atomic { !lock[me] -> lock[me] = true; break }
     :: atomic { me < ENTRIES - 1 -> me++ }
     :: atomic { true -> goto gone }
     od;
#ifndef KEEP_RECORD
     STORE(pushing[me] = 0);
     STORE(popping[me] = 0);
#endif
    m = marked
  :: me == SURVIVOR ->
     atomic { settled == ENTRIES + NEWCOMERS + FINISH -> crashes = 0; m = marked }
  :: else
  fi;

work:
  atomic {
    w = 0; p = 0; a = 0; i = 0; f = 0; stale = false; flying = false; pops_now = false;
    if
    :: pops > 0 -> pops_now = true; pops = pops - (me != SURVIVOR); goto pop
    :: pushes > 0 && (me != SURVIVOR || pops == 0) -> pushes--; goto push
    :: pushes == 0 && pops == 0 -> goto rest
    fi
  }

push:
  atomic {
    w = word[t % C];
    if
    :: w == EMPTY(t / C) -> goto claim_tail
    :: else -> goto poll_tail
    fi
  }
claim_tail:
#ifndef CLAIM_AFTER
  STORE(pushing[me] = PUSHING(t));
#endif
  STORE(
    a = tail;
    if
    :: a == 2 * t -> tail = 2 * (t + 1); OWN(t); stale = false
    :: else -> stale = true; t = a / 2;
       if
       :: FINISHED(a) -> goto push_fails
       :: else -> goto push
       fi
    fi
  );
#ifdef CLAIM_AFTER
  STORE(pushing[me] = PUSHING(t));
#endif
#ifdef COMMIT_EARLY
  STORE(MINE(t); COMMIT);
#endif
  STORE(MINE(t); first[t % C] = item);
  STORE(MINE(t); second[t % C] = item);
#ifdef COMMIT_EARLY
  atomic { PUSHED };
#else
  STORE(MINE(t); COMMIT; PUSHED);
#endif
poll_tail:
  atomic {
    a = tail;
    if
    :: a != 2 * t ->
       t = a / 2;
       if
       :: FINISHED(a) -> goto push_fails
       :: else -> goto push
       fi
    :: a == 2 * t && IS_FULL(w) -> goto push_fails
    :: else -> assert(w == EMPTY(t / C - 1)); p = t - C; i = 0; goto skip_records
    fi
  }
push_fails:
#ifndef KEEP_CLAIM
  if
  :: stale -> STORE(pushing[me] = 0)
  :: else
  fi;
#endif
  atomic { assert(me != SURVIVOR || FINISHED(tail)); goto work }

  // Position p is claimed and not committed: is a live member about to commit it?
skip_records:
#ifdef SKIP_BLINDLY
  goto skip_again;
#endif
  atomic {
    if
    :: i == me -> i++
    :: else
    fi;
    if
    :: i >= ENTRIES -> goto skip_again
    :: i < ENTRIES && pushing[i] == PUSHING(p) -> goto skip_alive
    :: else -> i++; goto skip_records
    fi
  }
skip_alive:
  atomic {
    if
    :: !lock[i] -> i++; goto skip_records
    :: lock[i] && pops_now -> goto deep
    :: else -> goto push_fails
    fi
  }
skip_again:
  // Reading again only saves a vain compare-and-swap: the word never comes back to an old value.
#ifndef UNREAD
  atomic {
    if
    :: word[p % C] == EMPTY(p / C)
    :: word[p % C] != EMPTY(p / C) && pops_now -> goto pop
    :: else -> goto push
    fi
  };
#endif
  STORE(
    if
    :: word[p % C] == EMPTY(p / C) ->
       assert(owner[p % C] == NONE);
       word[p % C] = EMPTY(p / C + 1)
    :: else
    fi;
    if
    :: pops_now -> goto pop
    :: else -> goto push
    fi
  );

pop:
  atomic {
    w = word[h % C];
    if
    :: IS_FULL(w) && LAP(w) == h / C -> goto claim_head
    :: else -> goto poll_head
    fi
  }
claim_head:
#ifndef CLAIM_AFTER
  STORE(popping[me] = POPPING(h, GENERATION(w)));
#endif
  STORE(
    if
    :: head == h -> head = h + 1; OWN(h); stale = false; p = h
    :: else -> stale = true; h = head; goto pop
    fi
  );
#ifdef CLAIM_AFTER
  STORE(popping[me] = POPPING(h, GENERATION(w)));
#endif
  goto take;
poll_head:
  atomic {
    if
    :: head != h -> h = head; goto pop
    :: head == h && LAP(w) > h / C -> goto skip_position
    :: else -> goto poll_again
    fi
  }
skip_position:
  STORE(
    if
    :: head == h -> head = h + 1; h++
    :: else -> h = head
    fi;
    goto pop
  );
poll_again:
  atomic {
    a = tail;
    if
#ifdef CLOSE_EARLY
    :: FINISHED(a) -> goto close
#endif
    :: a / 2 > h && w == EMPTY(h / C) -> p = h; i = 0; goto skip_records
    :: else -> goto deep
    fi
  }

  // Nothing at the head. Is there an item whose consumer is dead?
deep:
#ifdef NO_SEARCH
  goto pop_fails;
#endif
#if !defined(POLL_STALE) && !defined(KEEP_CLAIM)
  // Not later: two losers would take each other for the owner, or one itself, and miss the orphan.
  if
  :: stale -> STORE(popping[me] = 0; stale = false)
  :: else
  fi;
#endif
  atomic {
    p = (h > C -> h - C : 0);
    p = (m > p && m <= h -> m : p);
    f = NONE; flying = false
  };
look:
  atomic {
    if
    :: p == h -> f = (f == NONE -> h : f); goto looked
    :: else
    fi;
    w = word[p % C];
    if
    :: IS_FULL(w) && LAP(w) == p / C -> i = 0; goto rows
    :: else -> p++; goto look
    fi
  }
rows:
  atomic {
#ifndef POLL_STALE
    if
    :: i == me -> i++
    :: else
    fi;
#endif
    if
    :: i >= ENTRIES -> goto search_unheld
    :: i < ENTRIES && popping[i] == POPPING(p, GENERATION(w)) -> goto alive
    :: else -> i++; goto rows
    fi
  }
alive:
  atomic {
    if
    :: lock[i] -> flying = flying || i != me; f = (f == NONE -> p : f); p++; goto look
    :: else -> i++; goto rows
    fi
  }
search_unheld:
#ifdef UNREAD
  goto adopt;
#endif
  atomic {
    if
#ifdef FORGET_ADOPTED
    :: word[p % C] != w -> p++; goto look
#else
    :: IS_FULL(word[p % C]) && LAP(word[p % C]) == p / C && word[p % C] != w ->
       flying = true; f = (f == NONE -> p : f); p++; goto look
    :: word[p % C] != w && !(IS_FULL(word[p % C]) && LAP(word[p % C]) == p / C) -> p++; goto look
#endif
    :: else -> goto adopt
    fi
  }
adopt:
  f = (f == NONE -> p : f);
  if
  :: f != m -> STORE(m = f; marked = f)
  :: else
  fi;
#ifdef NO_GENERATION
#define ADOPTED w
#else
#define ADOPTED (w + 1)
#endif
  STORE(popping[me] = POPPING(p, GENERATION(ADOPTED)));
  STORE(
    if
    :: word[p % C] == w -> w = ADOPTED; word[p % C] = w; OWN(p); goto take
    :: else -> flying = true
    fi
  );
#ifndef KEEP_CLAIM
  STORE(popping[me] = 0);
#endif
  atomic { p++; goto look };
looked:
  if
  :: f != m -> STORE(m = f; marked = f)
  :: else
  fi;
  atomic {
    f = 0;
    if
    :: a == 2 * h + 1 && !flying -> goto close
    :: else -> goto pop_fails
    fi
  }
close:
  atomic {
    // No committed item is left, except those that live consumers are reading.
    i = 0;
    do
    :: i < C -> assert(!IS_FULL(word[i]) || owner[i] != NONE); i++
    :: else -> break
    od;
    closed = true
  }
pop_fails:
#ifndef KEEP_CLAIM
  if
  :: stale -> STORE(popping[me] = 0)
  :: else
  fi;
#endif
  atomic {
    if
    :: me == SURVIVOR -> assert(taken == committed); pops = 0
    :: else
    fi;
    goto work
  }

take:
  atomic { MINE(p); a = first[p % C] }
  STORE(
    MINE(p);
    assert(a == second[p % C] && (committed & BIT(a)) != 0);
    if
    :: (seen & BIT(a)) != 0 -> assert(spare > 0); spare--
    :: else -> seen = seen | BIT(a)
    fi;
    if
    :: GENERATION(w) == 0 ->
       assert((had & LATER(a)) == 0);
       had = had | BIT(a)
    :: else
    fi
  );
  STORE(
    assert((taken & BIT(a)) == 0);
    taken = taken | BIT(a);
    word[p % C] = EMPTY(p / C + 1);
    DISOWN(p);
    h = (p == h -> h + 1 : h);
    goto work
  );

rest:
  STORE(goto gone);
gone:
  // Clears the private state, so that states differ only in the member's entry.
  atomic {
    t = 0; h = 0; m = 0; f = 0; w = 0; p = 0; a = 0; i = 0; pops_now = false; stale = false; flying = false;
    had = 0; pushes = 0; pops = 0; item = 0; consumer = false;
    settled++
  }
}

#if FINISH
active proctype finisher()
{
  atomic { tail = tail | 1; settled++ }
}
#endif

init
{
  byte k;
  atomic {
    do
    :: k < C ->
       owner[k] = NONE;
       if
       :: k < FILLED ->
          word[k] = FULL(0, 0); first[k] = 2 + k; second[k] = 2 + k;
          committed = committed | BIT(2 + k)
       :: else
       fi;
       k++
    :: else -> break
    od;
    tail = tail + 2 * FILLED;
    k = 0;
    do
    :: k < PRODUCERS -> lock[k] = true; run member(k, PUSHES, 0, ITEM(k), false); k++
    :: k >= PRODUCERS && k < PRODUCERS + BOTH ->
       lock[k] = true; run member(k, PUSHES, POPS, ITEM(k), false); k++
    :: k >= PRODUCERS + BOTH && k < ENTRIES -> lock[k] = true; run member(k, 0, POPS, 0, false); k++
    :: k >= ENTRIES && k < ENTRIES + NEWCOMERS ->
       run member(0, NEW_PUSHES, NEW_POPS, ITEM(PRODUCERS + BOTH + k - ENTRIES), true); k++
    :: k == ENTRIES + NEWCOMERS -> break
    od;
    run member(SURVIVOR, C, 1, 0, false);
    k = 0
  }
}
