/* SPDX-License-Identifier: MIT */
/*
 * Whether a queue's other side has left: QUOIT_ABANDONED, as <quoit/status.h> defines it. A peer is
 * there from the moment when it counts itself, its last step of joining, until its locks are free.
 * The counts are in shared memory, so a member also knows of a peer that came and went unseen.
 */
#ifndef QUOIT_REGION_PEERS_H
#define QUOIT_REGION_PEERS_H

#include "members.h"

/* Called by a member that has its locks but has not counted itself: notes the peers before it. */
void quoit_peers_begin(struct quoit_members *members, unsigned roles);

/* The last step of joining: from here on this member is a peer of the others. */
void quoit_peers_count(struct quoit_members *members, unsigned roles);

/* The first value of `known` for the next two functions: a count of members in that role. */
uint32_t quoit_peers_known(const struct quoit_members *members, unsigned role);

/* Has a peer of that role joined that `known` does not count? Makes no system call. */
bool quoit_peers_came(const struct quoit_members *members, unsigned role, uint32_t known);

/* Have all such peers left? If true, joined_out is the next `known` of a handle that reports it.
   Makes system calls unless no peer came. */
bool quoit_peers_have_left(const struct quoit_members *members, unsigned role, uint32_t known,
                           uint32_t *joined_out);

#endif
