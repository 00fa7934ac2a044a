/* SPDX-License-Identifier: MIT */
/* Keys of System V objects, and names of their lock files. Both are part of the format, so all
   builds must agree on them. Also translates the errors of System V calls. */
#include "sysv.h"

#include "fail.h"
#include "hash.h"
#include "system_error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool hex_digit(char c, uint32_t *digit_out)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    if (found)
        *digit_out = (uint32_t)(found - digits) % 16;
    return found != NULL;
}

static quoit_status outright_key(const char *text, uint32_t *key_out)
{
    uint32_t key = 0, digit = 0;
    size_t length = strlen(text + 2);
    bool valid = length >= 1 && length <= 8;
    for (const char *c = text + 2; valid && *c; c++) {
        valid = hex_digit(*c, &digit);
        key = key * 16 + digit;
    }
    if (!valid || key == 0)
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'sysv:%s': this is not a System V key; use 0x1 to 0xffffffff", text);
    *key_out = key;
    return QUOIT_OK;
}

quoit_status quoit_os_sysv_key(const char *text, uint32_t *key_out)
{
    if (text[0] == '0' && text[1] == 'x')
        return outright_key(text, key_out);
    uint64_t hash = quoit_hash(QUOIT_HASH_START, "quoit:", 6);
    hash = quoit_hash(hash, text, strlen(text));
    uint32_t key = (uint32_t)(hash ^ hash >> 32) & 0x7fffffff;
    *key_out = key ? key : 1;
    return QUOIT_OK;
}

quoit_status quoit_os_sysv_fail(const char *doing, const char *text)
{
    return quoit_os_fail(errno == EINVAL || errno == EIDRM ? ENOENT : errno, doing, text);
}

void quoit_os_sysv_lock_name(uint32_t key, uint64_t ipc_namespace,
                             char name[QUOIT_OS_SYSV_LOCK_ROOM])
{
    int length = snprintf(name, QUOIT_OS_SYSV_LOCK_ROOM, "%08x", (unsigned)key);
    if (ipc_namespace != 0)
        (void)snprintf(name + length, QUOIT_OS_SYSV_LOCK_ROOM - (size_t)length, ".%llu",
                       (unsigned long long)ipc_namespace);
}
