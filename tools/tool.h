/* SPDX-License-Identifier: MIT */
/* Shared by the quoit command's subcommands: their table, their exit codes and their error
   messages. Each subcommand has a file of its own, and uses the public headers alone. */
#ifndef QUOIT_TOOLS_TOOL_H
#define QUOIT_TOOLS_TOOL_H

#include <quoit.h>

#include <stdbool.h>
#include <stdio.h>

/* Exit codes, the same for every subcommand (docs/man/quoit.1). */
enum tool_exit {
    TOOL_OK = 0,
    TOOL_FAILED = 1,  /* stderr names what failed, with which value, and what to do */
    TOOL_USAGE = 2,   /* the command line is wrong */
    TOOL_NOTHING = 3, /* a time-out or --no-wait ended the command early; this is no error */
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
    tool_rm, tool_check, tool_bench, tool_record, tool_replay;

/* Print "quoit COMMAND: MESSAGE" on stderr, made safe for a terminal. Return TOOL_FAILED, or
   TOOL_USAGE with a hint at --help. Macros, so that compilers check the arguments. */
#define tool_fail(...)  (tool_write(__VA_ARGS__), tool_end(TOOL_FAILED))
#define tool_usage(...) (tool_write(__VA_ARGS__), tool_end(TOOL_USAGE))
#define tool_write(...) ((void)snprintf(tool_text, TOOL_TEXT_ROOM, __VA_ARGS__))
enum { TOOL_TEXT_ROOM = 8192 };
extern char tool_text[TOOL_TEXT_ROOM];
int tool_end(int code);
/* tool_fail with quoit_describe(status), and the option that helps, if there is one. */
int tool_fail_quoit(quoit_status status);
/* Prints a hint on stderr if that is a terminal; it is no error. */
#define tool_hint(...) (tool_write(__VA_ARGS__), tool_end_hint())
void tool_end_hint(void);

/* Prints --help of the subcommand that runs; returns TOOL_OK. */
int tool_help(void);

#endif
