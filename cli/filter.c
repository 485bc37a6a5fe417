/* cli/filter.c - fieldcast filter IN -o OUT: from a resolved flow to training data. */
#include "cli/cli.h"
#include "hpc/comm.h"
#include "solvers/flow_filter.h"

#include <stdio.h>
#include <string.h>

fc_status fc_cmd_filter(int argc, char **argv);

static void more(FILE *f) {
  fputs(
      "\nOUT holds the fields of IN, filtered along each axis and on fewer points, in the same layout and "
      "units; its\n"
      "attribute 'filter' says what was done, as do the statistics made of it. Filters:\n"
      "  subsample  every k-th point; nothing is filtered\n"
      "  cutoff     sharp Fourier cut-off at the new points' highest mode over width (periodic axes)\n"
      "  box        periodic axes: Fourier transfer sin(kD/2)/(kD/2), D = width new spacings; others: "
      "averages\n"
      "             over the cells of the new points times width, of straight lines between the old ones\n"
      "  gaussian   Fourier transfer exp(-k^2 D^2 / 24) (periodic axes)\n"
      "Means along periodic axes are kept; integrals along others by box with keep_walls=false and width 1.\n"
      "\noptions (--set key=value):\n",
      f);
  fc_options_help(fc_filter_options_table, "", f);
}

static fc_status options(const fc_list *set, fc_filter_options *o) {
  fc_options_defaults(fc_filter_options_table, o);
  for (int i = 0; i < set->n; i++) {
    const char *equals = strchr(set->v[i], '=');
    char        key[FC_WORD];
    FC_REQUIRE(equals && equals - set->v[i] < FC_WORD, FC_E_USAGE, "--set %s: KEY=VALUE is wanted",
               set->v[i]);
    snprintf(key, sizeof key, "%.*s", (int)(equals - set->v[i]), set->v[i]);
    FC_TRY(fc_options_set(fc_filter_options_table, o, key, equals + 1, "--set"));
  }
  return FC_OK;
}

static void print(const fc_filter_report *r, const char *out) {
  printf("%s\n%lld trajectories of %lld frames, %lld", r->text, (long long)r->n_traj, (long long)r->frames,
         (long long)r->dim[0]);
  for (int a = 1; a < r->ndim; a++) printf(" x %lld", (long long)r->dim[a]);
  printf(" points\n");
  if (r->divergence[0] > 0)
    printf("rms of the divergence, the largest of all frames: %.3g before, %.3g after\n", r->divergence[0],
           r->divergence[1]);
  printf("written to %s\n", out);
}

fc_status fc_cmd_filter(int argc, char **argv) {
  const char       *out = NULL;
  fc_list           set = {0}, files;
  fc_filter_options o;
  fc_filter_report  report;
  bool              done;
  char              command[4096];
  const fc_arg args[] = {{"output", 'o', FC_ARG_VALUE, &out, "OUT", "where the filtered fields go (HDF5)"},
                         {"set", 's', FC_ARG_LIST, &set, "KEY=VALUE", "change an option"}};

  fc_command_line(argc, argv, command, sizeof command);
  FC_TRY(
      fc_args_parse(fc_command_find("filter"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more, &done));
  if (done) return FC_OK;
  FC_REQUIRE(out, FC_E_USAGE, "filter: -o OUT says where the filtered fields go");
  FC_REQUIRE(fc_comm_size(NULL) == 1, FC_E_USAGE, "filter runs in one process; start it without mpirun");
  FC_TRY(options(&set, &o));
  FC_TRY(fc_flow_filter(files.v[0], out, &o, command, fc_verbosity == 0, &report));
  print(&report, out);
  return FC_OK;
}
