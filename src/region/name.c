/* SPDX-License-Identifier: MIT */
/* Names: "[scheme:]text". */
#include "name.h"

#include "fail.h"

#include <stdio.h>
#include <string.h>

static const char *const known_schemes[] = {"posix", "sysv", "windows", "file", "local"};

quoit_status quoit_name_split(const char *name, struct quoit_name *name_out)
{
    if (!name)
        return quoit_fail(QUOIT_ERROR_INVALID, "the name is NULL; \"products\" would be one");
    if (!name[0])
        return quoit_fail(QUOIT_ERROR_NAME, "the name is empty; \"products\" would be one");
    *name_out = (struct quoit_name){{0}, {0}};
    const char *text = name;
    const char *colon = strchr(name, ':');
    if (colon) {
        size_t length = (size_t)(colon - name);
        if (length == 0 || length >= sizeof name_out->scheme)
            return quoit_fail(QUOIT_ERROR_NAME,
                              "'%.80s' has no known scheme before its colon; posix, sysv, windows, "
                              "file and local are known",
                              name);
        memcpy(name_out->scheme, name, length);
        text = colon + 1;
    }
    if (!text[0])
        return quoit_fail(QUOIT_ERROR_NAME, "the name '%s' is empty after its scheme", name);
    if (strlen(text) >= sizeof name_out->text)
        return quoit_fail(QUOIT_ERROR_NAME, "a name of %zu bytes is too long: '%.40s…'",
                          strlen(text), name);
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
        return quoit_fail(QUOIT_ERROR_NAME,
                          "a %s name of %zu bytes is too long, at most %u: '%.40s…'", scheme->name,
                          length, (unsigned)scheme->text_max, text);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return quoit_fail(QUOIT_ERROR_NAME, "a name holds the control character 0x%02x",
                              (unsigned)(unsigned char)*c);
    if (!scheme->is_path && strchr(text, '/'))
        return quoit_fail(
            QUOIT_ERROR_NAME,
            "'%.200s' holds a slash, which %s names cannot; file:%.100s would be a path", text,
            scheme->name, text);
    if (!scheme->is_path && (strcmp(text, ".") == 0 || strcmp(text, "..") == 0))
        return quoit_fail(QUOIT_ERROR_NAME, "'%s' is no name but a directory", text);
    if (scheme->is_path && text[length - 1] == '/')
        return quoit_fail(QUOIT_ERROR_NAME, "'%.200s' ends in a slash: that is a directory", text);
    if (scheme->is_key && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text[1] = 'x';
        normalize_key(text);
    }
    return QUOIT_OK;
}

quoit_status quoit_name_unmatched(const struct quoit_name *name, const char *kind)
{
    for (size_t i = 0; i < sizeof known_schemes / sizeof known_schemes[0]; i++)
        if (strcmp(name->scheme, known_schemes[i]) == 0)
            return quoit_fail(QUOIT_ERROR_UNSUPPORTED,
                              "'%s:%.100s': a %s of the scheme %s is not to be "
                              "had on this system",
                              name->scheme, name->text, kind, name->scheme);
    return quoit_fail(QUOIT_ERROR_NAME,
                      "'%s' is no scheme; posix, sysv, windows, file and local are known",
                      name->scheme);
}
