/* SPDX-License-Identifier: MIT */
/* Names: "[scheme:]text". */
#include "name.h"

#include "fail.h"

#include <string.h>

static const char *const known_schemes[] = {"posix", "sysv", "windows", "file", "local"};

quoit_status quoit_name_split(const char *name, struct quoit_name *name_out)
{
    if (!name)
        return quoit_fail(QUOIT_ERROR_INVALID,
                          "the name is NULL; pass a name such as \"products\"");
    if (!name[0])
        return quoit_fail(QUOIT_ERROR_NAME, "the name is empty; pass a name such as \"products\"");
    *name_out = (struct quoit_name){{0}, {0}};
    const char *text = name;
    const char *colon = strchr(name, ':');
    if (colon) {
        size_t length = (size_t)(colon - name);
        if (length == 0 || length >= sizeof name_out->scheme)
            return quoit_fail(QUOIT_ERROR_NAME,
                              "'%.80s': the text before the colon is not a scheme; use posix, "
                              "sysv, windows, file or local",
                              name);
        memcpy(name_out->scheme, name, length);
        text = colon + 1;
    }
    if (!text[0])
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'%s': the name is empty after its scheme; add a name, such as products",
                          name);
    if (strlen(text) >= sizeof name_out->text)
        return quoit_fail(QUOIT_ERROR_NAME, "'%.40s…': the name has %zu bytes; use at most %zu",
                          name, strlen(text), sizeof name_out->text - 1);
    memcpy(name_out->text, text, strlen(text) + 1);
    return QUOIT_OK;
}

bool quoit_name_matches(const struct quoit_name *name, const struct quoit_os_scheme *scheme,
                        bool is_native)
{
    return name->scheme[0] ? strcmp(name->scheme, scheme->name) == 0 : is_native;
}

/* "0x00AB" and "0xab" are one key: spell it one way, since the text is stored and compared. */
static void normalize_key(char *text)
{
    const char *from = text + 2;
    char *to = text + 2;
    while (from[0] == '0' && from[1])
        from++;
    for (; *from; from++)
        *to++ = *from >= 'A' && *from <= 'F' ? (char)(*from - 'A' + 'a') : *from;
    *to = '\0';
}

quoit_status quoit_name_check(struct quoit_name *name, const struct quoit_os_scheme *scheme)
{
    char *text = name->text;
    size_t length = strlen(text);
    if (length > scheme->text_max)
        return quoit_fail(
            QUOIT_ERROR_NAME,
            "'%.40s…': the name has %zu bytes, but the scheme '%s:' allows %u; use a shorter name",
            text, length, scheme->name, (unsigned)scheme->text_max);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return quoit_fail(QUOIT_ERROR_NAME,
                              "'%.80s': the name contains the control character 0x%02x; remove it",
                              text, (unsigned)(unsigned char)*c);
    if (!scheme->is_path && strchr(text, '/'))
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'%.150s': a name of the scheme '%s:' cannot contain a slash; use "
                          "'file:%.100s' for a path",
                          text, scheme->name, text);
    if (!scheme->is_path && (strcmp(text, ".") == 0 || strcmp(text, "..") == 0))
        return quoit_fail(QUOIT_ERROR_NAME, "'%s': this is a directory; add a name", text);
    if (scheme->is_path && text[length - 1] == '/')
        return quoit_fail(QUOIT_ERROR_NAME,
                          "'%.200s': a name that ends in a slash is a directory; add a file name",
                          text);
    if (scheme->is_key && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text[1] = 'x';
        normalize_key(text);
    }
    return QUOIT_OK;
}

quoit_status quoit_name_unmatched(const struct quoit_name *name, const char *objects)
{
    for (size_t i = 0; i < sizeof known_schemes / sizeof known_schemes[0]; i++)
        if (strcmp(name->scheme, known_schemes[i]) == 0)
            return quoit_fail(
                QUOIT_ERROR_UNSUPPORTED,
                "'%s:%.100s': the scheme '%s:' is not available%s on %s; use another scheme",
                name->scheme, name->text, name->scheme, objects, quoit_os_system);
    return quoit_fail(QUOIT_ERROR_NAME,
                      "'%s:': this is not a scheme; use posix, sysv, windows, file or local",
                      name->scheme);
}
