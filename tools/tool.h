/* SPDX-License-Identifier: MIT */
/* What the quoit command's subcommands share: their table, their exit codes, and how they say that
   something went wrong. A file per subcommand, over <quoit.h> alone. */
#ifndef QUOIT_TOOLS_TOOL_H
#define QUOIT_TOOLS_TOOL_H

#include <quoit.h>

#include <stdbool.h>
#include <stdio.h>

/* Exit codes, the same for every subcommand (docs/man/quoit.1). */
enum tool_exit {
    TOOL_OK = 0,
    TOOL_FAILED = 1,  /* said on stderr: what, with which value, and what would be right */
    TOOL_USAGE = 2,   /* the command line is not one */
    TOOL_NOTHING = 3, /* a time-out or --no-wait ended it before all was done; nothing is wrong */
    TOOL_DAMAGED = 4  /* check: an invariant does not hold */
};

struct tool_command {
    const char *name;
    const char *arguments;             /* "[OPTION...] NAME" */
    const char *summary;               /* one line of `quoit --help` */
    const char *help;                  /* the rest of `quoit NAME --help` */
    bool any_owner;                    /* it has the option --any-owner */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns enum tool_exit */
};

extern const struct tool_command tool_ls, tool_stat, tool_top, tool_push, tool_pop, tool_tail,
    tool_rm, tool_check, tool_bench;

/* "quoit COMMAND: MESSAGE" on stderr, as a terminal may get it; returns TOOL_FAILED, or TOOL_USAGE
   with a hint at --help. Macros, so that compilers check the arguments against the format. */
#define tool_fail(...)  (tool_write(__VA_ARGS__), tool_end(TOOL_FAILED))
#define tool_usage(...) (tool_write(__VA_ARGS__), tool_end(TOOL_USAGE))
#define tool_write(...) ((void)snprintf(tool_text, TOOL_TEXT_ROOM, __VA_ARGS__))
enum { TOOL_TEXT_ROOM = 8192 };
extern char tool_text[TOOL_TEXT_ROOM];
int tool_end(int code);
/* tool_fail with quoit_describe(status), and the option that helps, if there is one. */
int tool_fail_quoit(quoit_status status);
/* A hint on stderr if that is a terminal: nothing is wrong. */
#define tool_hint(...) (tool_write(__VA_ARGS__), tool_end_hint())
void tool_end_hint(void);

/* --help of the subcommand that runs, on stdout; returns TOOL_OK. */
int tool_help(void);

#endif
