/* cli/args.c - option tables on top of getopt_long. */
#include "cli/cli.h"
#include "core/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGS = 40 };

static void help(const fc_command *cmd, int n, const fc_arg *args, void (*extra)(FILE *)) {
  printf("usage: fieldcast %s %s\n\n%s\n\noptions:\n", cmd->name, cmd->usage, cmd->summary);
  for (int i = 0; i < n; i++) {
    char left[80], letter[8] = "    ";
    if (args[i].letter) snprintf(letter, sizeof letter, "-%c, ", args[i].letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, args[i].name, args[i].meta ? " " : "",
             args[i].meta ? args[i].meta : "");
    printf("  %-28s %s%s\n", left, args[i].help, args[i].type == FC_ARG_LIST ? " (repeatable)" : "");
  }
  printf("  %-28s %s\n", "-h, --help", "this text");
  if (extra) extra(stdout);
}

static fc_status number(const fc_arg *a, const char *text) {
  char *end;

  errno = 0;
  if (a->type == FC_ARG_INT)
    *(int64_t *)a->value = strtoll(text, &end, 10);
  else
    *(double *)a->value = strtod(text, &end);
  FC_REQUIRE(!errno && end != text && !*end, FC_E_USAGE, "--%s %s: a %snumber is wanted", a->name, text,
             a->type == FC_ARG_INT ? "whole " : "");
  return FC_OK;
}

static fc_status assign(const fc_arg *a, const char *text) {
  fc_list *list = a->value;

  switch (a->type) {
  case FC_ARG_FLAG:
    *(bool *)a->value = true;
    break;
  case FC_ARG_VALUE:
    *(const char **)a->value = text;
    break;
  case FC_ARG_LIST:
    FC_REQUIRE(list->n < FC_ARG_REPEAT, FC_E_USAGE, "--%s is given more than %d times", a->name,
               FC_ARG_REPEAT);
    list->v[list->n++] = text;
    break;
  default:
    return number(a, text);
  }
  return FC_OK;
}

static fc_status unknown_option(const fc_command *cmd, const char *word, int n, const fc_arg *args) {
  const char  *names[MAX_ARGS] = {NULL}, *near = NULL;
  char         plain[64];
  const size_t length = strcspn(word, "=");

  for (int i = 0; i < n; i++) names[i] = args[i].name;
  if (!strncmp(word, "--", 2)) {
    snprintf(plain, sizeof plain, "%.*s", length > 2 ? (int)length - 2 : 0, word + 2);
    near = fc_nearest(plain, n, names);
  }
  return fc_fail(FC_E_USAGE, "%s: unknown option '%.*s'%s%s; 'fieldcast %s --help' lists the options",
                 cmd->name, (int)length, word, near ? "; nearest is --" : "", near ? near : "", cmd->name);
}

static fc_status wrong_count(const fc_command *cmd, int got, int min, int max) {
  char wanted[40];

  if (min == max)
    snprintf(wanted, sizeof wanted, "%d", min);
  else if (max >= FC_ARG_REPEAT && got < min)
    snprintf(wanted, sizeof wanted, "at least %d", min);
  else
    snprintf(wanted, sizeof wanted, "%d to %d", min, max);
  return fc_fail(FC_E_USAGE, "%s wants %s argument%s, not %d; usage: fieldcast %s %s", cmd->name, wanted,
                 (min == max ? max : min) == 1 ? "" : "s", got, cmd->name, cmd->usage);
}

fc_status fc_args_parse(const fc_command *cmd, int argc, char **argv, int n_args, const fc_arg *args, int min,
                        int max, fc_list *files, void (*extra)(FILE *), bool *done) {
  struct option lng[MAX_ARGS + 2]     = {0};
  char          sht[2 * MAX_ARGS + 4] = ":h";
  int           k, at;

  FC_ASSERT(n_args <= MAX_ARGS, "%s has too many options", cmd->name);
  *done = false;
  for (int i = 0; i < n_args; i++) {
    lng[i] =
        (struct option){args[i].name, args[i].type == FC_ARG_FLAG ? no_argument : required_argument, NULL, 0};
    const char letter[3] = {args[i].letter, args[i].type == FC_ARG_FLAG ? 0 : ':', 0};
    if (args[i].letter) strcat(sht, letter);
  }
  lng[n_args] = (struct option){"help", no_argument, NULL, 'h'};
  optind      = 0;
  opterr      = 0;
  while ((k = getopt_long(argc, argv, sht, lng, &at)) != -1) {
    if (k == 'h') {
      help(cmd, n_args, args, extra);
      *done = true;
      return FC_OK;
    }
    FC_REQUIRE(k != ':', FC_E_USAGE, "%s: option '%s' wants a value; 'fieldcast %s --help' tells which",
               cmd->name, argv[optind - 1], cmd->name);
    if (k == '?') return unknown_option(cmd, argv[optind - 1], n_args, args);
    if (k != 0)
      for (at = 0; args[at].letter != k; at++) {}
    FC_TRY(assign(&args[at], optarg));
  }
  files->n = 0;
  for (; optind < argc && files->n < FC_ARG_REPEAT; optind++) files->v[files->n++] = argv[optind];
  const int count = files->n + argc - optind;
  return count >= min && count <= max && optind == argc ? FC_OK : wrong_count(cmd, count, min, max);
}

void fc_command_line(int argc, char **argv, char *out, size_t size) {
  size_t at = (size_t)snprintf(out, size, "fieldcast");

  for (int i = 0; i < argc && at < size; i++) at += (size_t)snprintf(out + at, size - at, " %s", argv[i]);
}
