/* cli/cli.h - commands and their options. A command is one file with one function and
   one line in commands.def. Results go to stdout, progress and messages to stderr. */
#ifndef FC_CLI_H
#define FC_CLI_H
#include "core/base.h"

#include <stdio.h>

enum { FC_ARG_REPEAT = 512 }; /* as many files as a shell's pattern may give */

typedef struct fc_list {
  int         n;
  const char *v[FC_ARG_REPEAT];
} fc_list;

typedef enum {
  FC_ARG_FLAG /* bool */,
  FC_ARG_VALUE /* const char * */,
  FC_ARG_INT /* int64_t */,
  FC_ARG_REAL /* double */,
  FC_ARG_LIST /* fc_list: may be given several times */
} fc_arg_type;

typedef struct fc_arg {
  const char *name;   /* long option without dashes */
  char        letter; /* short option or 0 */
  fc_arg_type type;
  void       *value; /* keeps what it holds if the option is absent */
  const char *meta;  /* "FILE"; NULL for flags */
  const char *help;
} fc_arg;

typedef struct fc_command {
  const char *name, *usage, *summary; /* usage: "CONFIG [options]" */
  fc_status (*run)(int argc, char **argv);
} fc_command;

/* Parses argv with getopt_long. Positional arguments end up in files (at most max, at least min).
   --help prints usage, the options, and what extra (may be NULL) prints, and sets *done. */
fc_status fc_args_parse(const fc_command *cmd, int argc, char **argv, int n_args, const fc_arg *args, int min,
                        int max, fc_list *files, void (*extra)(FILE *), bool *done);

/* "fieldcast eval run --data x", as it is kept in files; before fc_args_parse, which reorders argv */
void fc_command_line(int argc, char **argv, char *out, size_t size);

extern const fc_command fc_commands[]; /* ends with name NULL */
const fc_command       *fc_command_find(const char *name);
extern int              fc_verbosity; /* 0 with -q, 1, 2 with -v */
#endif
