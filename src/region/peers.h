/* SPDX-License-Identifier: MIT */
/*
 * Whether a queue's other side is gone: QUOIT_ABANDONED, as <quoit/status.h> defines it. A peer is
 * there from when it has counted itself, as the last step of joining, until its locks are free. The
 * counts are in shared memory, so a member knows of a peer that it never saw.
 */
#ifndef QUOIT_REGION_PEERS_H
#define QUOIT_REGION_PEERS_H

#include "members.h"

/* By a member that has its locks and that nobody has seen yet: notes who was there before it. */
void quoit_peers_begin(struct quoit_members *members, unsigned roles);

/* The last step of joining: from here on this member is a peer of the others. */
void quoit_peers_count(struct quoit_members *members, unsigned roles);

/* The count of that role to begin with: as `told` of the next two. */
uint32_t quoit_peers_known(const struct quoit_members *members, unsigned role);

/* Was a peer of that role there that `told` does not count? No system call. */
bool quoit_peers_came(const struct quoit_members *members, unsigned role, uint32_t told);

/* Did all that came go? True: joined_out is the next `told`, of a handle that reports it. System
   calls, unless none came. */
bool quoit_peers_are_gone(const struct quoit_members *members, unsigned role, uint32_t told,
                          uint32_t *joined_out);

#endif
