/* SPDX-License-Identifier: MIT */
/* Objects as JSON (RFC 8259), with the keys that `quoit ls --help` lists. */
#include "object.h"
#include "printable.h"
#include "process_info.h"

#include <inttypes.h>
#include <string.h>

/* JSON also escapes the characters that must not reach a terminal, as UTF-16. */
static void escape(FILE *out, uint32_t code)
{
    if (code > 0xffff)
        fprintf(out, "\\u%04x\\u%04x", 0xd7c0u + (unsigned)(code >> 10),
                0xdc00u + (unsigned)(code & 0x3ff));
    else
        fprintf(out, "\\u%04x", (unsigned)code);
}

void object_print_json_text(FILE *out, const char *text)
{
    size_t left = strlen(text), length;
    fputc('"', out);
    for (; left > 0; text += length, left -= length) {
        uint32_t code = quoit_utf8_next(text, left, &length);
        if (code == '"' || code == '\\')
            fprintf(out, "\\%c", (char)code);
        else if (code == QUOIT_NO_CHARACTER)
            fputs("\\ufffd", out);
        else if (!quoit_is_printable(code))
            escape(out, code);
        else
            fwrite(text, 1, length, out);
    }
    fputc('"', out);
}

static void number(FILE *out, const char *indent, const char *key, uint64_t value)
{
    fprintf(out, ",\n%s  \"%s\": %" PRIu64, indent, key, value);
}

static void number_or_null(FILE *out, const char *indent, const char *key, uint64_t value, bool is)
{
    if (is)
        number(out, indent, key, value);
    else
        fprintf(out, ",\n%s  \"%s\": null", indent, key);
}

static void truth(FILE *out, const char *indent, const char *key, bool value)
{
    fprintf(out, ",\n%s  \"%s\": %s", indent, key, value ? "true" : "false");
}

static void queue(FILE *out, const struct object *object, const char *indent)
{
    const struct quoit_queue_info *info = &object->queue;
    fprintf(out, ",\n%s  \"item_type\": ", indent);
    object_print_json_text(out, info->type);
    number(out, indent, "item_align", info->item_align);
    number(out, indent, "finishes", info->finishes);
    number(out, indent, "most_members", info->members);
    truth(out, indent, "messages", info->messages);
    truth(out, indent, "drop_oldest", info->when_full == QUOIT_DROP_OLDEST);
    truth(out, indent, "finished", info->finished);
    truth(out, indent, "transient", info->transient);
    truth(out, indent, "prefault", (info->memory & QUOIT_PREFAULT) != 0);
    truth(out, indent, "lock_memory", (info->memory & QUOIT_LOCK_MEMORY) != 0);
    truth(out, indent, "huge_pages", (info->memory & QUOIT_HUGE_PAGES) != 0);
    number(out, indent, "user_bytes", info->user_bytes);
    number(out, indent, "pushed", object->pushed);
    number(out, indent, "popped", object->popped);
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
            ", \"alive\": %s, \"stopped\": %s, \"holds_up\": %s, \"lag\": %" PRIu64
            ", \"joined_at_unix_ns\": %" PRIu64 "}",
            member->alive ? "true" : "false",
            member->alive && process_is_stopped(member->pid) ? "true" : "false",
            member->holds_up ? "true" : "false", member->lag, member->joined_at_unix_ns);
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
        fprintf(out, ",\n%s  \"unit\": \"%s\"", indent, object->unit);
        number_or_null(out, indent, "size_bytes", object->used_bytes, object_is_bytes(object));
        number_or_null(out, indent, "capacity_bytes", object->capacity_bytes,
                       object_is_bytes(object));
        fprintf(out, ",\n%s  \"fill\": %.4f", indent, object->fill);
    }
    if (object->type == OBJECT_QUEUE)
        queue(out, object, indent);
    if (object->type == OBJECT_REGION)
        number(out, indent, "data_bytes", object->data_bytes);
    if (object->type == OBJECT_LOCK) {
        number_or_null(out, indent, "holder", object->holder, object->holder != 0);
        truth(out, indent, "abandoned", object->abandoned);
    }
    fprintf(out, ",\n%s  \"members\": [", indent);
    for (uint64_t i = 0; i < object->member_count; i++) {
        fprintf(out, "%s\n%s    ", i > 0 ? "," : "", indent);
        member(out, &object->members[i]);
    }
    fprintf(out, "%s%s%s]\n%s}", object->member_count > 0 ? "\n" : "",
            object->member_count > 0 ? indent : "", object->member_count > 0 ? "  " : "", indent);
}
