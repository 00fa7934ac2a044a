/* SPDX-License-Identifier: MIT */
/* Counts the peers that joined since a member did, and finds whether any is left. */
#include "peers.h"

enum { TRIES = 8 };

static const unsigned roles_of[QUOIT_PEER_ROLES] = {QUOIT_PRODUCER, QUOIT_CONSUMER};

static int index_of(unsigned role)
{
    return role == QUOIT_CONSUMER;
}

static uint32_t load_joined(const struct quoit_members *members, unsigned role)
{
    /* PEER-C1: the entries and locks of all counted members are visible. Pairs with PEER-J1. */
    return atomic_load_explicit(members->joined[index_of(role)], memory_order_acquire);
}

/* A peer that is there already counts as not known yet, so that its end is reported. */
void quoit_peers_begin(struct quoit_members *members, unsigned roles)
{
    for (int i = 0; i < QUOIT_PEER_ROLES && members->joined[i]; i++) {
        members->known[i] = load_joined(members, roles_of[i]); /* before liveness is checked */
        if ((roles & roles_of[!i]) != 0 && quoit_members_has(members, roles_of[i]))
            members->known[i]--;
    }
}

void quoit_peers_count(struct quoit_members *members, unsigned roles)
{
    for (int i = 0; i < QUOIT_PEER_ROLES; i++) {
        if (!(roles & roles_of[i]))
            continue;
        /* PEER-J1: the member has its locks and its entry by now. Pairs with PEER-C1 and
           PEER-C2. */
        (void)atomic_fetch_add_explicit(members->joined[i], 1, memory_order_release);
        members->known[i]++; /* a handle is not its own peer */
    }
}

uint32_t quoit_peers_known(const struct quoit_members *members, unsigned role)
{
    return members->known[index_of(role)];
}

bool quoit_peers_came(const struct quoit_members *members, unsigned role, uint32_t known)
{
    return load_joined(members, role) != known;
}

/* quoit_members_has checks entry by entry. A peer may join in an entry that was checked already,
   and then another may leave an entry that was not checked yet: no entry showed a peer, but there
   always was one. In that case the count has changed, and the check is repeated. */
bool quoit_peers_have_left(const struct quoit_members *members, unsigned role, uint32_t known,
                           uint32_t *joined_out)
{
    for (int tries = 0; tries < TRIES; tries++) {
        uint32_t joined = load_joined(members, role);
        if (joined == known || quoit_members_has(members, role))
            return false;
        /* PEER-C2: the count is loaded again after the entries were checked. Pairs with PEER-J1. */
        atomic_thread_fence(memory_order_acquire);
        if (load_joined(members, role) != joined)
            continue;
        *joined_out = joined;
        return true;
    }
    return false;
}
