/* SPDX-License-Identifier: MIT */
/* Names of objects, "[scheme:]text", taken apart and checked. */
#ifndef QUOIT_REGION_NAME_H
#define QUOIT_REGION_NAME_H

#include "os.h"

enum { QUOIT_NAME_ROOM = 4096 };

struct quoit_name {
    char scheme[16]; /* "" if none was given */
    char text[QUOIT_NAME_ROOM];
};

/* NAME: it is empty or too long, or its scheme is not known. */
quoit_status quoit_name_split(const char *name, struct quoit_name *name_out);

/* Does the name select this scheme? A name without a scheme selects the first one, the native
   one. */
bool quoit_name_matches(const struct quoit_name *name, const struct quoit_os_scheme *scheme,
                        bool is_native);

/* Checks the text against the scheme's rules, and gives a key's text its one spelling. NAME: the
   text breaks a rule. */
quoit_status quoit_name_check(struct quoit_name *name, const struct quoit_os_scheme *scheme);

/* Called if no scheme matched. Returns UNSUPPORTED if the scheme is a known one, which another
   system, or another kind of object, has; else NAME. objects: "", or " for semaphores". */
quoit_status quoit_name_unmatched(const struct quoit_name *name, const char *objects);

#endif
