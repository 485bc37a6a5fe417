/* cli/plan.c - fieldcast plan CONFIG. */
#include "cli/cli.h"
#include "core/domain.h"
#include "train/outlook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

fc_status fc_cmd_plan(int argc, char **argv);

static void more(FILE *f) {
  fputs("\nThe model, its options and the batch are read from CONFIG, data are not needed. A small step runs "
        "here to "
        "measure the speed\nof the model's arithmetic; operations, messages and memory of each number of "
        "ranks come "
        "from a dry run. The network is a\nmodel: give the latency and bandwidth of yours. docs/scaling.md "
        "tells how "
        "well predictions were met here.\n",
        f);
}

/* "1024x1024x1024" */
static fc_status parse_grid(const char *text, fc_outlook_job *j) {
  const char *p = text;
  char       *end;

  for (j->ndim = 0; j->ndim < 3; j->ndim++, p = end + 1) {
    errno           = 0;
    j->dim[j->ndim] = strtoll(p, &end, 10);
    if (errno || end == p || j->dim[j->ndim] < 1 || (*end && *end != 'x')) break;
    if (!*end) return j->ndim++, FC_OK;
  }
  return fc_fail(FC_E_USAGE, "--grid %s: one to three lengths are wanted, like 128x128x64", text);
}

static fc_status load(const char *path, const fc_list *set, fc_settings *s, const fc_model_def **def,
                      void **args) {
  fc_config *c;

  FC_TRY(fc_config_load(path, &c));
  fc_status st = FC_OK;
  for (int i = 0; i < set->n && st == FC_OK; i++) st = fc_config_set(c, set->v[i]);
  if (st == FC_OK) st = fc_settings_bind(c, false, s, def, args);
  fc_config_destroy(c);
  return st;
}

static fc_status check(const fc_outlook_job *j, int64_t ranks, int64_t nodes, int64_t domain) {
  FC_REQUIRE(ranks >= 1 && ranks <= 1 << 24, FC_E_USAGE, "--ranks %lld: 1 to 16777216 are possible",
             (long long)ranks);
  FC_REQUIRE(nodes >= 1 && nodes <= ranks, FC_E_USAGE, "--nodes %lld: 1 to as many as ranks are possible",
             (long long)nodes);
  FC_REQUIRE(domain >= 0 && domain <= FC_DOMAIN_MAX, FC_E_USAGE, "--domain %lld: 0 to %d ranks are possible",
             (long long)domain, FC_DOMAIN_MAX);
  for (int i = 0; i < 2; i++)
    FC_REQUIRE(j->machine.latency[i] >= 0 && j->machine.bandwidth[i] > 0, FC_E_USAGE,
               "latencies must not be negative, bandwidths must be positive");
  return FC_OK;
}

fc_status fc_cmd_plan(int argc, char **argv) {
  fc_outlook_job job   = {.machine = {{1e-6, 3e-6}, {5e9, 12e9}}};
  const char    *grid  = NULL;
  int64_t        ranks = 1, nodes = 1, domain = 0;
  fc_list        set = {0}, files;
  bool           done;
  fc_settings    s;
  const fc_arg   args[] = {
        {"grid", 'g', FC_ARG_VALUE, &grid, "NxNxN", "points along each axis of a field"},
        {"ranks", 'n', FC_ARG_INT, &ranks, "N", "the largest number of ranks; default 1"},
        {"nodes", 'N', FC_ARG_INT, &nodes, "M", "nodes that hold them; default 1"},
        {"domain", 0, FC_ARG_INT, &domain, "D", "ranks that share a field; default: all (up to 4096)"},
        {"set", 's', FC_ARG_LIST, &set, "KEY=VALUE", "overrides the configuration"},
        {"latency", 0, FC_ARG_REAL, &job.machine.latency[0], "S",
         "seconds of a message within a node; default 1e-6"},
        {"bandwidth", 0, FC_ARG_REAL, &job.machine.bandwidth[0], "B/S",
         "bytes a second of a rank within a node; default 5e9"},
        {"network-latency", 0, FC_ARG_REAL, &job.machine.latency[1], "S",
         "seconds of a message between nodes; default 3e-6"},
        {"network-bandwidth", 0, FC_ARG_REAL, &job.machine.bandwidth[1], "B/S",
         "bytes a second of a node's network; default 12e9"},
  };
  const fc_model_def *def;
  void               *model;

  FC_TRY(fc_args_parse(fc_command_find("plan"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more, &done));
  if (done) return FC_OK;
  FC_REQUIRE(grid, FC_E_USAGE, "plan wants --grid NxNxN: the fields that the model shall work on");
  FC_TRY(parse_grid(grid, &job));
  FC_TRY(check(&job, ranks, nodes, domain));
  job.ranks = (int)ranks, job.nodes = (int)nodes, job.domain = (int)domain;
  job.quiet = fc_verbosity == 0;
  FC_TRY(load(files.v[0], &set, &s, &def, &model));
  fc_outlook     *o = malloc(sizeof *o);
  const fc_status st =
      o ? fc_outlook_make(&s, def, model, &job, o) : fc_fail(FC_E_SYSTEM, "no memory for a plan");
  if (st == FC_OK) fc_outlook_print(o, &job, def->name, stdout);
  free(o);
  free(model);
  return st;
}
