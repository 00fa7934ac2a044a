/* SPDX-License-Identifier: MIT */
/* Which peers came since a member joined, and whether any is left. */
#include "peers.h"

enum { LOOKS = 8 };

static const unsigned roles_of[QUOIT_PEER_ROLES] = {QUOIT_PRODUCER, QUOIT_CONSUMER};

static int index_of(unsigned role)
{
    return role == QUOIT_CONSUMER;
}

static uint32_t load_joined(const struct quoit_members *members, unsigned role)
{
    /* PEER-C1: of those counted the rows and locks are seen. Pairs with PEER-J1. */
    return atomic_load_explicit(members->joined[index_of(role)], memory_order_acquire);
}

/* One that is there already counts as not known yet: it is to be reported when it goes. */
void quoit_peers_begin(struct quoit_members *members, unsigned roles)
{
    for (int i = 0; i < QUOIT_PEER_ROLES && members->joined[i]; i++) {
        members->known[i] = load_joined(members, roles_of[i]); /* before the look at who lives */
        if ((roles & roles_of[!i]) != 0 && quoit_members_has(members, roles_of[i]))
            members->known[i]--;
    }
}

void quoit_peers_count(struct quoit_members *members, unsigned roles)
{
    for (int i = 0; i < QUOIT_PEER_ROLES; i++) {
        if (!(roles & roles_of[i]))
            continue;
        /* PEER-J1: counted when it has its locks and its row. Pairs with PEER-C1 and
           PEER-C2. */
        (void)atomic_fetch_add_explicit(members->joined[i], 1, memory_order_release);
        members->known[i]++; /* a handle is no peer of its own */
    }
}

uint32_t quoit_peers_known(const struct quoit_members *members, unsigned role)
{
    return members->known[index_of(role)];
}

bool quoit_peers_came(const struct quoit_members *members, unsigned role, uint32_t told)
{
    return load_joined(members, role) != told;
}

/* The look at who lives takes several steps: one may come behind it while another goes before it,
   and somebody was always there. Then the count has changed, and the look counts for nothing. */
bool quoit_peers_are_gone(const struct quoit_members *members, unsigned role, uint32_t told,
                          uint32_t *joined_out)
{
    for (int looks = 0; looks < LOOKS; looks++) {
        uint32_t joined = load_joined(members, role);
        if (joined == told || quoit_members_has(members, role))
            return false;
        /* PEER-C2: the next look at the count comes after the look at the rows. Pairs with
           PEER-J1. */
        atomic_thread_fence(memory_order_acquire);
        if (load_joined(members, role) != joined)
            continue;
        *joined_out = joined;
        return true;
    }
    return false;
}
