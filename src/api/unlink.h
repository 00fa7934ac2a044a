/* SPDX-License-Identifier: MIT */
/* Removing the name of a transient object, for the calls that make and join objects. */
#ifndef QUOIT_API_UNLINK_H
#define QUOIT_API_UNLINK_H

#include "members.h"

/* Called within quoit_os_fork_hold after a create of that name has returned EXISTS. true: it was a
   transient object without a live member, and it is removed. false: it stays, and the sentence for
   EXISTS is set. */
bool quoit_make_way(const char *name, uint32_t flags);

/* Called with an attached region before a member joins. NOT_FOUND: it was transient and without a
   live member, and it is removed. */
quoit_status quoit_remove_left_behind(const struct quoit_members *members, quoit_region *region);

/* Called after a member has left, or has given up joining: removes the name of a transient object
   if that was the last member. */
void quoit_remove_if_last(const struct quoit_members *members, quoit_region *region);

#endif
