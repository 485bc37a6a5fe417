/* cli/statistics.c - fieldcast statistics FILE: means, profiles and spectra of flows, with intervals. */
#include "cli/statistics.h"

#include "hpc/comm.h"
#include "io/file.h"
#include "solvers/flow_statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

fc_status fc_cmd_statistics(int argc, char **argv);

static void more(FILE *f) {
  fputs("\nFILE holds the velocity of a flow in three dimensions: of a solver, of 'fieldcast filter', of a "
        "rollout. "
        "OUT.h5 gets\nall quantities with 95 % intervals (batch means), units and definitions; 'fieldcast "
        "plot' draws "
        "such files.\nChannels are reported in the file's own units and in wall units, with the friction "
        "velocity of the "
        "same run: u_tau^2 = tau_w,\nthe mean of both walls, from the slope of U at the wall (option "
        "shear).\n\n"
        "REF is another file of statistics, fields (statistics are then made of it in the same way), or a "
        "table of "
        "numbers whose\ncolumns --columns names, the axis first: y_plus=2,mean_u_plus=3 with the names of "
        "our own "
        "quantities.\nThe relative L2 difference of each quantity is printed beside the combined interval; "
        "what lies "
        "within is a tie.\n\noptions (--set key=value):\n",
        f);
  fc_options_help(fc_flow_options_table, "", f);
}

static fc_status options(const fc_list *set, double from, double to, fc_flow_options *o) {
  fc_options_defaults(fc_flow_options_table, o);
  for (int i = 0; i < set->n; i++) {
    const char *equals = strchr(set->v[i], '=');
    char        key[FC_WORD];
    FC_REQUIRE(equals && equals - set->v[i] < FC_WORD, FC_E_USAGE, "--set %s: KEY=VALUE is wanted",
               set->v[i]);
    snprintf(key, sizeof key, "%.*s", (int)(equals - set->v[i]), set->v[i]);
    FC_TRY(fc_options_set(fc_flow_options_table, o, key, equals + 1, "--set"));
  }
  if (isfinite(from)) o->from = from;
  if (isfinite(to)) o->to = to;
  FC_REQUIRE(o->from <= o->to, FC_E_USAGE, "--from %g is later than --to %g", o->from, o->to);
  return FC_OK;
}

/* statistics, or fields of which they are made */
static fc_status open_any(const char *path, const fc_flow_options *o, fc_statistics *out) {
  if (fc_statistics_recognised(path)) return fc_statistics_read(path, out);
  return fc_flow_statistics(path, o, fc_verbosity == 0, out);
}

/* table may be NULL */
static fc_status compare(const fc_statistics *s, const char *reference, const char *columns,
                         const fc_flow_options *o, FILE *table) {
  fc_statistics r;

  if (columns && strcmp(columns, "-"))
    FC_TRY(fc_statistics_read_table(reference, columns, &r));
  else
    FC_TRY(open_any(reference, o, &r));
  const bool alike  = !strcmp(r.kind, "table") || !strcmp(r.kind, s->kind);
  const int  common = alike ? fc_statistics_print_errors(s, &r, reference, stdout) : 0;
  if (alike && table) fc_statistics_write_errors(s, &r, reference, table);
  fc_statistics_free(&r);
  FC_REQUIRE(common, FC_E_INPUT, "%s: no quantity in common with the statistics of %s", reference,
             fc_statistics_say(s, "source"));
  return FC_OK;
}

static fc_status compare_all(const fc_statistics *s, const fc_list *reference, const fc_list *columns,
                             const fc_flow_options *o, const char *errors) {
  FILE     *table  = NULL;
  fc_status status = FC_OK;

  if (errors) FC_TRY(fc_file_begin(errors, &table));
  if (table) fputs("reference,quantity,axis,points,error,by_rows,interval,verdict\n", table);
  for (int i = 0; i < reference->n && status == FC_OK; i++)
    status = compare(s, reference->v[i], columns->n ? columns->v[i] : NULL, o, table);
  if (table && status == FC_OK) return fc_file_commit(errors, table);
  fc_file_abandon(errors, table);
  return status;
}

fc_status fc_cmd_statistics(int argc, char **argv) {
  const char     *out = NULL, *errors = NULL;
  double          from = NAN, to = NAN;
  fc_list         set = {0}, reference = {0}, columns = {0}, files;
  fc_flow_options o;
  fc_statistics   s;
  bool            done;
  char            command[4096];
  const fc_arg    args[] = {
         {"output", 'o', FC_ARG_VALUE, &out, "OUT.h5", "where the statistics go (HDF5)"},
         {"from", 0, FC_ARG_REAL, &from, "T", "time of the first frame that counts; default the first"},
         {"to", 0, FC_ARG_REAL, &to, "T", "time of the last one; default the last"},
         {"reference", 'r', FC_ARG_LIST, &reference, "REF", "statistics, fields or a table to compare with"},
         {"columns", 0, FC_ARG_LIST, &columns, "LIST",
          "REF is a table: what its columns hold; one for each REF, - for files"},
         {"errors", 'e', FC_ARG_VALUE, &errors, "OUT.csv", "the differences from REF as a table"},
         {"set", 's', FC_ARG_LIST, &set, "KEY=VALUE", "change an option"}};

  fc_command_line(argc, argv, command, sizeof command);
  FC_TRY(fc_args_parse(fc_command_find("statistics"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more,
                       &done));
  if (done) return FC_OK;
  FC_REQUIRE(fc_comm_size(NULL) == 1, FC_E_USAGE, "statistics runs in one process; start it without mpirun");
  FC_REQUIRE(!columns.n || columns.n == reference.n, FC_E_USAGE,
             "%d tables of columns for %d references; give --columns once for each --reference", columns.n,
             reference.n);
  FC_REQUIRE(!errors || reference.n, FC_E_USAGE, "--errors %s: there is no --reference to differ from",
             errors);
  FC_TRY(options(&set, from, to, &o));
  FC_TRY(open_any(files.v[0], &o, &s));
  fc_statistics_text(&s, "command", command);
  fc_statistics_print(&s, stdout);
  fc_status status = out ? fc_statistics_write(out, &s) : FC_OK;
  if (status == FC_OK) status = compare_all(&s, &reference, &columns, &o, errors);
  if (status == FC_OK && out) printf("written to %s\n", out);
  fc_statistics_free(&s);
  return status;
}
