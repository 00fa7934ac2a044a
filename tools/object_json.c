/* SPDX-License-Identifier: MIT */
/* Objects as JSON (RFC 8259): what `quoit ls --help` lists. */
#include "object.h"
#include "process.h"

#include <inttypes.h>
#include <string.h>

/* The length of the UTF-8 character at text, 0 if there is none. */
static size_t character(const unsigned char *text)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : 3;
    if (text[0] >= 0xf0)
        length = text[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    bool outside = (text[0] == 0xed && text[1] > 0x9f) || (text[0] == 0xf4 && text[1] > 0x8f);
    return overlong || outside ? 0 : length;
}

void object_print_json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *at = text; *at;) {
        size_t length = character((const unsigned char *)at);
        if (length == 0)
            fputs("\\ufffd", out);
        else if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if ((unsigned char)*at < 0x20 || *at == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)*at);
        else
            fwrite(at, 1, length, out);
        at += length > 0 ? length : 1;
    }
    fputc('"', out);
}

static void number(FILE *out, const char *indent, const char *key, uint64_t value)
{
    fprintf(out, ",\n%s  \"%s\": %" PRIu64, indent, key, value);
}

static void truth(FILE *out, const char *indent, const char *key, bool value)
{
    fprintf(out, ",\n%s  \"%s\": %s", indent, key, value ? "true" : "false");
}

static void queue(FILE *out, const struct quoit_queue_info *info, const char *indent)
{
    truth(out, indent, "sized", info->sized);
    truth(out, indent, "lossy", info->broadcast == QUOIT_LOSSY);
    fprintf(out, ",\n%s  \"tuning\": \"%s\"", indent,
            info->tuning == QUOIT_FOR_SPANS ? "spans" : "items");
    truth(out, indent, "finished", info->finished);
    number(out, indent, "user_bytes", info->user_bytes);
    number(out, indent, "pushed", info->pushed);
    number(out, indent, "popped", info->popped);
    number(out, indent, "full", info->full);
    number(out, indent, "empty", info->empty);
    number(out, indent, "sleeps", info->sleeps);
    number(out, indent, "wakes", info->wakes);
    number(out, indent, "repairs", info->repairs);
    number(out, indent, "high_water", info->high_water);
    number(out, indent, "created_by", info->created_by);
    number(out, indent, "created_at_unix_ns", info->created_at_unix_ns);
}

static void roles(FILE *out, unsigned roles)
{
    fprintf(out, "[%s%s%s]", roles & QUOIT_PRODUCER ? "\"producer\"" : "",
            (roles & QUOIT_PRODUCER) && (roles & QUOIT_CONSUMER) ? ", " : "",
            roles & QUOIT_CONSUMER ? "\"consumer\"" : "");
}

static void member(FILE *out, const struct quoit_member_info *member)
{
    char process[PROCESS_NAME_ROOM];
    process_name(member->alive ? member->pid : 0, process);
    fprintf(out, "{\"pid\": %" PRIu32 ", \"process\": ", member->pid);
    object_print_json_text(out, process);
    fputs(", \"roles\": ", out);
    roles(out, member->roles);
    fprintf(out,
            ", \"alive\": %s, \"holds_up\": %s, \"lag\": %" PRIu64
            ", \"joined_at_unix_ns\": %" PRIu64 "}",
            member->alive ? "true" : "false", member->holds_up ? "true" : "false", member->lag,
            member->joined_at_unix_ns);
}

void object_print_json(FILE *out, const struct object *object, const char *indent)
{
    const char *kind = object_kind(object), *state = object_state(object);
    fprintf(out, "%s{\n%s  \"name\": ", indent, indent);
    object_print_json_text(out, object->name);
    fprintf(out, ",\n%s  \"kind\": ", indent);
    object_print_json_text(out, strcmp(kind, "?") == 0 ? "unknown" : kind);
    fprintf(out, ",\n%s  \"state\": ", indent);
    object_print_json_text(out, strcmp(state, "-") == 0 ? "unknown" : state);
    fprintf(out, ",\n%s  \"damage\": ", indent);
    if (object->damage[0] != '\0')
        object_print_json_text(out, object->damage);
    else
        fputs("null", out);
    if (object->type != OBJECT_UNKNOWN) {
        number(out, indent, "item_bytes", object->item_bytes);
        number(out, indent, "capacity", object->capacity);
        number(out, indent, "size", object->used);
        fprintf(out, ",\n%s  \"fill\": %.4f", indent, object->fill);
    }
    if (object->type == OBJECT_QUEUE)
        queue(out, &object->queue, indent);
    fprintf(out, ",\n%s  \"members\": [", indent);
    for (uint64_t i = 0; i < object->member_count; i++) {
        fprintf(out, "%s\n%s    ", i > 0 ? "," : "", indent);
        member(out, &object->members[i]);
    }
    fprintf(out, "%s%s%s]\n%s}", object->member_count > 0 ? "\n" : "",
            object->member_count > 0 ? indent : "", object->member_count > 0 ? "  " : "", indent);
}
