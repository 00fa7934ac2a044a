/* SPDX-License-Identifier: MIT */
/* The fields of options that later versions use. */
#ifndef QUOIT_BASE_RESERVED_H
#define QUOIT_BASE_RESERVED_H

#include "fail.h"

#include <stddef.h>
#include <stdint.h>

/* INVALID unless all words are 0, and so is `other`, the value of further reserved fields. */
static inline quoit_status quoit_check_reserved(const uint64_t *words, size_t count, uint64_t other)
{
    for (size_t i = 0; i < count; i++)
        other |= words[i];
    if (other != 0)
        return quoit_fail(
            QUOIT_ERROR_INVALID,
            "options.reserved is not 0; set the whole struct to zero before you fill it");
    return QUOIT_OK;
}
/* The same for the reserved words of a struct of options. */
#define QUOIT_CHECK_RESERVED(options, other)  \
    quoit_check_reserved((options)->reserved, \
                         sizeof(options)->reserved / sizeof *(options)->reserved, (other))

#endif
