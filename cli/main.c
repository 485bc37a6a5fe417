/* cli/main.c - fieldcast <command> [options] [files]. */
#include "cli/cli.h"
#include "core/options.h"
#include "core/parallel.h"
#include "hpc/comm.h"
#include "hpc/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FC_COMMAND(name, usage, summary) fc_status fc_cmd_##name(int argc, char **argv);
#include "cli/commands.def"
#undef FC_COMMAND

#define FC_COMMAND(name, usage, summary) {#name, usage, summary, fc_cmd_##name},
const fc_command fc_commands[] = {
#include "cli/commands.def"
    {NULL, NULL, NULL, NULL}};
#undef FC_COMMAND

int fc_verbosity = 1;

const fc_command *fc_command_find(const char *name) {
  for (const fc_command *k = fc_commands; k->name; k++)
    if (!strcmp(k->name, name)) return k;
  return NULL;
}

static void usage(FILE *f) {
  fputs("usage: fieldcast <command> [options] [files]\n\n"
        "Trains and runs transformer surrogates for PDE fields and time series.\n\ncommands:\n",
        f);
  for (const fc_command *k = fc_commands; k->name; k++) fprintf(f, "  %-10s %s\n", k->name, k->summary);
  fputs("\n'fieldcast <command> --help' tells the options of a command.\n"
        "-q before the command: no progress; -v: more of it. OMP_NUM_THREADS sets the threads;\n"
        "without it each rank takes its share of the cores.\n",
        f);
}

static fc_status unknown(const char *word) {
  const char *names[64];
  int         n = 0;

  for (const fc_command *k = fc_commands; k->name; k++) names[n++] = k->name;
  const char *near = fc_nearest(word, n, names);
  return fc_fail(FC_E_USAGE, "there is no command '%s'%s%s%s; 'fieldcast --help' lists them", word,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

static fc_status dispatch(int argc, char **argv) {
  int i = 1;

  FC_TRY(fc_comm_start(&argc, &argv));
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (!strcmp(argv[i], "-q"))
      fc_verbosity = 0;
    else if (!strcmp(argv[i], "-v"))
      fc_verbosity = 2;
    else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
      return usage(stdout), FC_OK;
    else if (!strcmp(argv[i], "--version"))
      return printf("fieldcast %s (%s)\n", FC_VERSION, FC_REAL_NAME), FC_OK;
    else
      return fc_fail(FC_E_USAGE, "unknown option %s before the command; see 'fieldcast --help'", argv[i]);
  }
  if (i == argc) {
    if (!fc_comm_rank(NULL)) usage(stderr);
    return fc_fail(FC_E_USAGE, "no command given");
  }
  const fc_command *k = fc_command_find(argv[i]);
  if (!k) return unknown(argv[i]);
  fc_parallel_start();
  if (!fc_blas_reentrant())
    fputs("fieldcast: this OpenBLAS has no locks (serial flavour), so only one thread is used; install "
          "libopenblas0-pthread\n",
          stderr);
  FC_TRY(fc_threads_choose(fc_verbosity));
  return k->run(argc - i, argv + i);
}

/* Idle threads of the OpenMP team spin for a long time by default; on a machine that runs other jobs too this
   was measured to slow a training step by 3 to 40 times. The runtime reads its settings when it is loaded, so
   the program starts itself once more, with half a millisecond of spinning. OMP_WAIT_POLICY or GOMP_SPINCOUNT
   overrule. */
static void spin_briefly(char **argv) {
  char          path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

  if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || n <= 0) return;
  path[n] = 0;
  setenv("GOMP_SPINCOUNT", "10000", 1);
  execv(path, argv); /* returns only if it fails: then the default stays */
}

int main(int argc, char **argv) {
  spin_briefly(argv);
  fc_status s = dispatch(argc, argv);

  if (s == FC_OK && (fflush(stdout) || ferror(stdout)))
    s = fc_fail(FC_E_SYSTEM, "cannot write to standard output");
  int        code;
  const bool speaks = fc_comm_meet(s, &code);
  if (speaks && s != FC_OK && s != FC_E_DIFFERS && fc_error()[0])
    fprintf(stderr, "fieldcast: %s\n", fc_error());
  fc_comm_stop(code);
  return code;
}
