/* SPDX-License-Identifier: MIT */
/* The quoit command: finds the subcommand and runs it. */
#include "print.h"
#include "stream.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const struct tool_command *const commands[] = {
    &tool_ls, &tool_stat,  &tool_top,   &tool_push,   &tool_pop,    &tool_tail,
    &tool_rm, &tool_check, &tool_bench, &tool_record, &tool_replay, NULL};
static const struct tool_command *running;

char tool_text[TOOL_TEXT_ROOM];

int tool_end(int code)
{
    const char *blank = running ? " " : "", *name = running ? running->name : "";
    fprintf(stderr, "quoit%s%s: ", blank, name);
    print_text(stderr, tool_text);
    fputc('\n', stderr);
    if (code == TOOL_USAGE)
        fprintf(stderr, "see `quoit%s%s --help`\n", blank, name);
    return code;
}

void tool_end_hint(void)
{
    enum { STDERR = 2 };
    if (stream_is_terminal(STDERR))
        (void)tool_end(TOOL_OK);
}

int tool_fail_quoit(quoit_status status)
{
    bool helps = status == QUOIT_ERROR_OTHER_USER && running && running->any_owner;
    return tool_fail("%s%s", quoit_describe(status), helps ? "; use --any-owner" : "");
}

int tool_help(void)
{
    printf("usage: quoit %s %s\n\n%s", running->name, running->arguments, running->help);
    return TOOL_OK;
}

static int help(FILE *out)
{
    fputs("usage: quoit COMMAND [OPTION...] [NAME...]\n\nInspects shared-memory queues, and uses "
          "them from a shell.\n\n",
          out);
    for (const struct tool_command *const *command = commands; *command; command++)
        fprintf(out, "  %-6s %s\n", (*command)->name, (*command)->summary);
    fputs("\nA NAME is [SCHEME:]TEXT: products, sysv:products, file:/var/tmp/products.\n`quoit "
          "help COMMAND` describes a command; `man quoit` is the manual.\n",
          out);
    return TOOL_OK;
}

static const struct tool_command *find(const char *name)
{
    for (const struct tool_command *const *command = commands; *command; command++)
        if (strcmp(name, (*command)->name) == 0)
            return *command;
    return NULL;
}

static int unknown(const char *name)
{
    return tool_usage(
        "unknown command '%s'; use ls, stat, top, push, pop, tail, rm, check, bench, record or "
        "replay",
        name);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        if (argc <= 2 || argv[2][0] == '-')
            return help(stdout);
        running = find(argv[2]);
        return running ? tool_help() : unknown(argv[2]);
    }
    if (strcmp(name, "--version") == 0) {
        printf("quoit %s\n", QUOIT_TOOL_VERSION);
        return TOOL_OK;
    }
    running = find(name);
    if (running)
        return running->run(argc - 1, argv + 1);
    if (argc > 1)
        return unknown(name);
    help(stderr);
    return TOOL_USAGE;
}
