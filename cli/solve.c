/* cli/solve.c - fieldcast solve: runs a numerical solver and writes its frames. */
#include "cli/solve.h"

#include "cli/cli.h"
#include "core/parallel.h"
#include "hpc/comm.h"
#include "hpc/stop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

fc_status fc_cmd_solve(int argc, char **argv);

/* ---- what was measured ---- */

static void take_measured(void *job, int64_t traj, int n, const char *const *name, const double *value) {
  fc_solve_job *j   = job;
  double       *row = j->measured + (j->first + traj) * FC_SOLVE_MEASURES;

  (void)name; /* come with the ranges */
  j->has_measured = true;
  memcpy(row, value, (size_t)fc_min64(n, FC_SOLVE_MEASURES) * sizeof *row);
}

static void take_ranges(void *job, int n, const char *const *name, const double (*range)[2]) {
  fc_solve_job *j = job;

  j->n_measured = (int)fc_min64(n, FC_SOLVE_MEASURES);
  for (int i = 0; i < j->n_measured; i++) {
    snprintf(j->name[i], FC_NAME, "%s", name[i]);
    memcpy(j->range[i], range[i], sizeof j->range[i]);
  }
}

/* ---- the run ---- */

static char *joined(int argc, char **argv) {
  char  *text = NULL;
  size_t size = 0;
  FILE  *f    = open_memstream(&text, &size);

  if (!f) return NULL;
  fputs("fieldcast", f);
  for (int i = 0; i < argc; i++) fprintf(f, " %s", argv[i]);
  return fclose(f) ? (free(text), NULL) : text;
}

static fc_status specify(fc_solve_job *j) {
  fc_field_spec *s = &j->spec;

  j->def->describe(j->config, s);
  if (j->start) FC_TRY(fc_solve_start_specify(j));
  FC_TRY(fc_solver_text(j->def, j->config, &j->text));
  const char *const more[][2] = {{"command", j->command},
                                 {"preset", j->preset},
                                 {"solver", j->def->name},
                                 {"solver_config", j->text},
                                 {"solver_source", j->def->source}};
  for (int i = 0; i < FC_COUNT(more); i++, s->n_texts++) { /* behind those of the solver */
    s->text[s->n_texts].name  = more[i][0];
    s->text[s->n_texts].value = more[i][1];
  }
  if (!j->split) j->n_parts = 1, j->part[0].n = s->n_traj;
  j->total    = s->n_traj;
  j->measured = calloc((size_t)j->total * FC_SOLVE_MEASURES, sizeof *j->measured);
  FC_REQUIRE(j->measured, FC_E_SYSTEM, "no memory for what is measured");
  for (int i = 0; i < FC_KEPT_RANGES; i++) j->sums.least[i] = INFINITY, j->sums.most[i] = -INFINITY;
  for (int i = 0; i < FC_SOLVE_MEASURES; i++) j->range[i][0] = INFINITY, j->range[i][1] = -INFINITY;
  return FC_OK;
}

static void ask_for_limit(void) {
  if (fc_comm_rank(NULL)) return;
  fc_stop_ask_job();
  if (isfinite(fc_stop_seconds_left()) && fc_verbosity)
    fprintf(stderr, "solve: ends before %.0f s are over, or when a signal comes\n", fc_stop_seconds_left());
}

static fc_status compute(fc_solve_job *j) {
  fc_progress_start(&j->bar, "solve", "frame", 0, j->total * j->spec.n_steps,
                    fc_verbosity == 0 || fc_comm_rank(NULL));
  j->kept_at = j->looked = fc_now();
  const fc_audience to   = {fc_solve_take, j, fc_solve_show, j, take_measured, take_ranges, j->kept};
  fc_stop_catch();
  fc_status s = j->start ? fc_solve_start_run(j) : j->def->run(j->config, &to);
  s           = fc_solve_settle(j, s);
  fc_stop_release();
  fc_progress_end(&j->bar, NULL);
  return s;
}

static fc_status conclude(fc_solve_job *j, double began) {
  if (j->last) FC_TRY(fc_solve_keep_last(j));
  FC_TRY(fc_solve_finish(j));
  if (j->stored && !fc_comm_rank(NULL)) unlink(j->state);
  fc_solve_report(j, fc_now() - began);
  return FC_OK;
}

/* A run that failed for want of a disk or a rank may go on; the same numbers blow up again. */
static fc_status give_up(fc_solve_job *j, fc_status s) {
  const bool leave = j->stored && s != FC_E_NUMERIC;
  char       why[512];

  fc_solve_close(j, leave);
  if (j->stored && !leave && !fc_comm_rank(NULL)) unlink(j->state);
  if (!leave || s == FC_STOPPED) return s;
  snprintf(why, sizeof why, "%s", fc_error());
  return fc_fail(s, "%s; %s is there, --resume goes on from it", why, j->state);
}

static fc_status solve(fc_solve_job *j) {
  const double began = fc_now();
  bool         again = false;
  fc_status    s;

  FC_TRY(specify(j));
  FC_TRY(fc_solve_divide(j));
  FC_TRY(fc_solve_recall(j, &again));
  s = fc_solve_open(j, again);
  if (s == FC_OK) {
    j->stored = again;
    ask_for_limit();
    s = compute(j);
    if (s == FC_OK) s = conclude(j, began);
  } else
    j->stored = again; /* what was kept stays */
  return s == FC_OK ? s : give_up(j, s);
}

/* ---- the command ---- */

static void list(FILE *f) {
  fputs("\npresets:\n", f);
  for (int i = 0; fc_preset_at(i); i++)
    fprintf(f, "  %-20s %s\n", fc_preset_at(i)->name, fc_preset_at(i)->summary);
  fputs("\nsolvers (presets too, with their defaults):\n", f);
  for (int i = 0; fc_solver_at(i); i++)
    fprintf(f, "  %-20s %s\n", fc_solver_at(i)->name, fc_solver_at(i)->summary);
}

/* --about: a preset's texts, or those of a solver */
static fc_status tell(const char *name) {
  const fc_preset     *p = fc_preset_find(name);
  const fc_solver_def *def;
  void                *config;

  FC_TRY(fc_solver_configure(name, 0, NULL, &def, &config));
  free(config);
  if (p) fc_preset_print(p, stdout);
  printf("\n%s: %s\n", def->name, def->summary);
  fc_options_help(def->options, "", stdout);
  printf("source: %s\n", def->source);
  return FC_OK;
}

/* --help of one solver, or of all */
static void help_text(FILE *f) {
  list(f);
  for (int i = 0; fc_solver_at(i); i++) {
    fprintf(f, "\noptions of %s (--set key=value):\n", fc_solver_at(i)->name);
    fc_options_help(fc_solver_at(i)->options, "", f);
    fprintf(f, "source: %s\n", fc_solver_at(i)->source);
  }
}

/* the sum of the splits is the number of trajectories */
static fc_status settings(const fc_list *set, bool accurate, fc_solve_job *j, char *buffer, size_t size,
                          fc_list *out) {
  *out = *set;
  FC_REQUIRE(out->n + 2 <= FC_ARG_REPEAT, FC_E_USAGE, "--set is given more than %d times", FC_ARG_REPEAT - 2);
  if (accurate) out->v[out->n++] = "accurate=true";
  if (!j->split) return FC_OK;
  FC_TRY(fc_solve_splits(j->split, j));
  const fc_solve_part *last = &j->part[j->n_parts - 1];
  snprintf(buffer, size, "n_traj=%lld", (long long)(last->first + last->n));
  out->v[out->n++] = buffer;
  return FC_OK;
}

static fc_status plausible(const fc_solve_job *j, double keep_minutes, double limit, bool planning) {
  FC_REQUIRE(!j->split || j->out || planning, FC_E_USAGE,
             "solve --split: -o FOLDER says where the frames go");
  FC_REQUIRE(!j->out || strlen(j->out) < sizeof j->state - 16, FC_E_USAGE, "-o %.60s..: the path is too long",
             j->out);
  FC_REQUIRE(
      !j->start || !(j->from || j->last || j->split || fc_comm_size(NULL) > 1), FC_E_USAGE,
      "solve --start runs in one process, to the end, into one file: without --from, --last and --split");
  FC_REQUIRE(keep_minutes >= 0, FC_E_USAGE, "--keep-every %g: minutes from 0 on are wanted", keep_minutes);
  FC_REQUIRE(limit >= 0, FC_E_USAGE, "--max-seconds %g is in the past", limit);
  return FC_OK;
}

static void destroy(fc_solve_job *j) {
  if (!j) return;
  fc_tally_destroy(j->tally);
  fc_kept_destroy(j->kept);
  free(j->config);
  free(j->text);
  free(j->id);
  free(j->measured);
  free(j);
}

fc_status fc_cmd_solve(int argc, char **argv) {
  bool          listing = false, planning = false, about = false, accurate = false, done;
  double        minutes = 30, limit = 0;
  fc_list       set = {0}, all, files;
  char          n_traj[64];
  fc_solve_job *j       = calloc(1, sizeof *j);
  char         *command = joined(argc, argv); /* getopt reorders argv */
  fc_status     s       = j && command ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory");

  if (s != FC_OK) goto end;
  j->start_at         = NAN;
  const fc_arg args[] = {
      {"output", 'o', FC_ARG_VALUE, &j->out, "FILE",
       "where the frames go (HDF5); with --split a folder; without it only what is measured is printed"},
      {"set", 's', FC_ARG_LIST, &set, "KEY=VALUE", "change an option of the preset"},
      {"split", 0, FC_ARG_VALUE, &j->split, "LIST",
       "write folders, e.g. train=40,valid=4,test=4 trajectories"},
      {"accurate", 'a', FC_ARG_FLAG, &accurate, NULL, "our best scheme instead of the published one"},
      {"resume", 'r', FC_ARG_FLAG, &j->resume, NULL,
       "go on with a run that was cut (from the start if there is none)"},
      {"keep-every", 0, FC_ARG_REAL, &minutes, "MINUTES",
       "keep the state of the run so often, for --resume after a crash; default 30, 0: never"},
      {"max-seconds", 0, FC_ARG_REAL, &limit, "S", "end, with the state kept, before S seconds are over"},
      {"last", 0, FC_ARG_VALUE, &j->last, "STATE", "also keep the states at the end of all trajectories"},
      {"from", 0, FC_ARG_VALUE, &j->from, "STATE",
       "begin at the states that another run has kept, on the same grid and as many ranks"},
      {"start", 0, FC_ARG_VALUE, &j->start, "FIELDS",
       "begin at a frame of each trajectory of a file, on its points: large-eddy simulation of filtered "
       "fields"},
      {"start-at", 0, FC_ARG_REAL, &j->start_at, "T", "time of that frame; default the first one"},
      {"list", 'l', FC_ARG_FLAG, &listing, NULL, "list presets and solvers"},
      {"about", 0, FC_ARG_FLAG, &about, NULL, "say what a preset copies and what --accurate changes"},
      {"plan", 0, FC_ARG_FLAG, &planning, NULL, "only say what the run would cost"}};
  FC_TRY_TO(end, s,
            fc_args_parse(fc_command_find("solve"), argc, argv, FC_COUNT(args), args, 0, 1, &files, help_text,
                          &done));
  if (done) goto end;
  if (listing) {
    list(stdout);
    goto end;
  }
  s = files.n ? FC_OK : fc_fail(FC_E_USAGE, "solve: which preset? 'fieldcast solve --list' lists them");
  if (s == FC_OK && about) {
    s = tell(files.v[0]);
    goto end;
  }
  if (s == FC_OK) s = plausible(j, minutes, limit, planning);
  if (s == FC_OK) s = settings(&set, accurate, j, n_traj, sizeof n_traj, &all);
  if (s == FC_OK) s = fc_solver_configure(files.v[0], all.n, all.v, &j->def, &j->config);
  if (s != FC_OK) goto end;
  j->preset     = files.v[0];
  j->command    = command;
  j->keep_every = 60 * minutes;
  if (limit > 0) fc_stop_after(limit);
  fc_stop_listen();
  if (!planning)
    s = solve(j);
  else if (!fc_comm_rank(NULL))
    j->def->plan(j->config, stdout);
end:
  destroy(j);
  free(command);
  return s;
}
