/* SPDX-License-Identifier: MIT */
/* The quoit command: finds the subcommand and runs it. */
#include "tool.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct tool_command *const commands[] = {
    &tool_ls,   &tool_stat, &tool_top,   &tool_push,  &tool_pop,
    &tool_tail, &tool_rm,   &tool_check, &tool_bench, NULL};
static const struct tool_command *running;

void tool_begin(void)
{
    fprintf(stderr, "quoit%s%s: ", running ? " " : "", running ? running->name : "");
}

int tool_end(int code)
{
    fputc('\n', stderr);
    if (code == TOOL_USAGE)
        fprintf(stderr, "`quoit%s%s --help` says more\n", running ? " " : "",
                running ? running->name : "");
    return code;
}

int tool_fail_quoit(void)
{
    return tool_fail("%s", quoit_error_text());
}

int tool_help(void)
{
    printf("usage: quoit %s %s\n\n%s", running->name, running->arguments, running->help);
    return TOOL_OK;
}

static int help(FILE *out)
{
    fputs("usage: quoit COMMAND [OPTION...] [NAME...]\n\n"
          "Looks into queues between processes, and lets shells use them.\n\n",
          out);
    for (const struct tool_command *const *command = commands; *command; command++)
        fprintf(out, "  %-6s %s\n", (*command)->name, (*command)->summary);
    fputs("\nA NAME is [SCHEME:]TEXT: products, sysv:products, file:/var/tmp/products.\n"
          "`quoit COMMAND --help` teaches one of them; `man quoit` has it all.\n",
          out);
    return TOOL_OK;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(stdout);
    if (strcmp(name, "--version") == 0) {
        printf("quoit %s\n", QUOIT_TOOL_VERSION);
        return TOOL_OK;
    }
    for (const struct tool_command *const *command = commands; *command; command++)
        if (strcmp(name, (*command)->name) == 0) {
            running = *command;
            opterr = 0; /* print_bad_option says it */
            return running->run(argc - 1, argv + 1);
        }
    if (argc > 1)
        fprintf(stderr, "quoit: there is no command '%s'\n\n", name);
    help(stderr);
    return TOOL_USAGE;
}
