/* cli/solve.c - fieldcast solve: runs a numerical solver and writes its frames. */
#include "cli/cli.h"
#include "core/parallel.h"
#include "core/progress.h"
#include "hpc/comm.h"
#include "io/file.h"
#include "solvers/attendant.h"
#include "solvers/solver.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SPLITS = 8, PATH_SIZE = 4096, MEASURES = 8 };

typedef struct { /* one output file: trajectories first..first + n - 1 */
  char             name[FC_NAME], path[PATH_SIZE];
  int64_t          first, n;
  fc_field_writer *writer;
} part;

typedef struct {
  part        parts[MAX_SPLITS];
  int         n_parts;
  int64_t     size, frames, total;
  fc_progress bar;
  double      lo, hi, square; /* of all values of the fields */
  int64_t     written;
  char        note[200]; /* the solver's last words: a summary */
  int         n_measured;
  char        name[MEASURES][FC_NAME];
  double     *measured; /* [trajectories][MEASURES], in the last frame */
} job;

static volatile sig_atomic_t interrupted;

static void on_signal(int number) { interrupted = number; }

/* Once: stop tidily. Twice: the default action. */
static void catch_signals(void) {
  struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

  sigaction(SIGINT, &a, NULL);
  sigaction(SIGTERM, &a, NULL);
  sigaction(SIGUSR1, &a, NULL); /* SLURM's, before the end of a job */
  sigaction(SIGUSR2, &a, NULL);
}

static fc_status check_signals(void) {
  FC_REQUIRE(!interrupted, FC_STOPPED, "stopped by a signal; nothing was written");
  return FC_OK;
}

/* ---- what the solver calls ---- */

static void gather(job *j, const fc_real *x) {
  for (int64_t i = 0; i < j->size; i++) {
    const double v = (double)x[i];
    j->lo          = fmin(j->lo, v);
    j->hi          = fmax(j->hi, v);
    j->square += v * v;
  }
  j->written++;
}

static fc_status take_frame(void *user, int64_t traj, int64_t t, const fc_real *x) {
  job  *j = user;
  part *p = j->parts;

  FC_TRY(check_signals());
  while (traj >= p->first + p->n) p++;
  if (t == FC_FRAME_CONSTANT && !p->writer) return FC_OK;
  if (t == FC_FRAME_CONSTANT) return fc_field_write_constant(p->writer, traj - p->first, x);
  gather(j, x);
  return p->writer ? fc_field_write(p->writer, traj - p->first, t, 1, x) : FC_OK;
}

static void take_measured(void *user, int64_t traj, int n, const char *const *name, const double *value) {
  job *j = user;

  j->n_measured = (int)fc_min64(n, MEASURES);
  for (int i = 0; i < j->n_measured; i++) {
    snprintf(j->name[i], FC_NAME, "%s", name[i]);
    j->measured[traj * MEASURES + i] = value[i];
  }
}

static fc_status show(void *user, double fraction, const char *note) {
  job *j = user;

  FC_TRY(check_signals());
  if (fraction >= 1) snprintf(j->note, sizeof j->note, "%s", note);
  fc_progress_update(&j->bar, (int64_t)(fraction * (double)j->total), note);
  return FC_OK;
}

/* ---- outputs ---- */

/* "train=40,valid=4,test=4": consecutive trajectories, so no two parts share an initial field */
static fc_status parse_splits(const char *text, job *j) {
  j->n_parts = 0;
  for (const char *at = text; *at;) {
    part     *p    = &j->parts[j->n_parts];
    int       used = 0;
    long long n;
    FC_REQUIRE(j->n_parts < MAX_SPLITS, FC_E_USAGE, "--split %s: more than %d parts", text, MAX_SPLITS);
    FC_REQUIRE(sscanf(at, "%31[A-Za-z0-9_-]=%lld%n", p->name, &n, &used) == 2 && n > 0 && n <= 1000000 &&
                   (!at[used] || at[used] == ','),
               FC_E_USAGE, "--split %s: wanted name=trajectories pairs like train=40,valid=4,test=4", text);
    for (int i = 0; i < j->n_parts; i++)
      FC_REQUIRE(strcmp(j->parts[i].name, p->name), FC_E_USAGE, "--split %s: '%s' occurs twice", text,
                 p->name);
    p->n     = n;
    p->first = j->n_parts ? p[-1].first + p[-1].n : 0;
    j->n_parts++;
    at += used + (at[used] == ',');
  }
  FC_REQUIRE(j->n_parts, FC_E_USAGE, "--split is empty: wanted something like train=40,valid=4,test=4");
  return FC_OK;
}

/* The Well's folders: OUT/data/train/PRESET.hdf5 */
static fc_status split_path(part *p, const char *out, const char *preset) {
  char folder[PATH_SIZE];
  int  n = snprintf(folder, sizeof folder, "%s/data/%s", out, p->name);

  FC_REQUIRE(n > 0 && n + strlen(preset) + 8 < sizeof p->path, FC_E_USAGE, "-o %s: the path is too long",
             out);
  FC_TRY(fc_make_folder(folder));
  snprintf(p->path, sizeof p->path, "%.3900s/%.150s.hdf5", folder, preset);
  return FC_OK;
}

static fc_status open_parts(job *j, const char *out, bool split, const char *preset, fc_field_spec *spec) {
  for (int i = 0; i < j->n_parts; i++) {
    part *p = &j->parts[i];
    if (split)
      FC_TRY(split_path(p, out, preset));
    else {
      FC_REQUIRE(strlen(out) < sizeof p->path, FC_E_USAGE, "-o %s: the path is too long", out);
      strcpy(p->path, out);
    }
    spec->n_traj = p->n;
    FC_TRY(fc_field_writer_create(p->path, spec, &p->writer));
  }
  return FC_OK;
}

static fc_status finish_parts(job *j) {
  for (int i = 0; i < j->n_parts; i++) {
    fc_field_writer *w = j->parts[i].writer;
    j->parts[i].writer = NULL; /* gone, whatever finish returns */
    if (w) FC_TRY(fc_field_writer_finish(w));
  }
  return FC_OK;
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

/* Without a file these numbers are what is left of a run: all digits that two machines should share. */
static void report_measured(const job *j) {
  const int64_t n = j->total / j->frames;

  for (int64_t i = 0; i < n && j->n_measured; i++) {
    if (n > 1) printf("trajectory %lld\n", (long long)i);
    for (int k = 0; k < j->n_measured; k++)
      printf("%-10s %.12g\n", j->name[k], j->measured[i * MEASURES + k]);
  }
}

static void report(const job *j, const fc_field_spec *spec, double seconds) {
  const double n = (double)j->written * (double)j->size;

  printf("frames     %lld of %lld trajectories\n", (long long)j->written, (long long)(j->total / j->frames));
  printf("grid       %lld", (long long)spec->dim[0]);
  for (int a = 1; a < spec->ndim; a++) printf(" x %lld", (long long)spec->dim[a]);
  if (spec->n_constant)
    printf(", steady\n");
  else
    printf(", time %g to %g every %g\n", spec->t0, spec->t0 + (double)(j->frames - 1) * spec->dt, spec->dt);
  printf("%-10s %.4g to %.4g, rms %.4g\n", spec->n_fields == 1 ? spec->field[0].name : "values", j->lo, j->hi,
         sqrt(j->square / n));
  printf("range      %s\n", j->note);
  printf("wall time  %.1f s, %.3g s a frame\n", seconds, seconds / (double)j->written);
  for (int i = 0; i < j->n_parts && j->parts[i].path[0]; i++)
    printf("%s %s%s%s\n", i ? "          " : "written to", j->parts[i].path, j->n_parts > 1 ? "  " : "",
           j->n_parts > 1 ? j->parts[i].name : "");
  if (!j->parts[0].path[0]) report_measured(j);
}

static fc_status solve(const fc_solver_def *def, const void *config, const char *preset, const char *out,
                       bool split, const char *command, job *j) {
  fc_field_spec spec;
  char         *text = NULL;
  fc_status     s;

  def->describe(config, &spec);
  FC_TRY(fc_solver_text(def, config, &text));
  spec.text[0].name = "command", spec.text[0].value = command;
  spec.text[1].name = "preset", spec.text[1].value = preset;
  spec.text[2].name = "solver", spec.text[2].value = def->name;
  spec.text[3].name = "solver_config", spec.text[3].value = text;
  spec.text[4].name = "solver_source", spec.text[4].value = def->source;
  spec.n_texts  = 5;
  spec.compress = true;
  if (!split) j->n_parts = 1, j->parts[0].n = spec.n_traj;
  j->frames = spec.n_steps;
  j->total  = spec.n_traj * spec.n_steps;
  j->size   = spec.n_fields;
  for (int a = 0; a < spec.ndim; a++) j->size *= spec.dim[a];
  j->lo = INFINITY, j->hi = -INFINITY;
  j->measured = calloc((size_t)spec.n_traj * MEASURES, sizeof *j->measured);
  if (!j->measured) FC_TRY_TO(end, s, fc_fail(FC_E_SYSTEM, "no memory for what is measured"));
  if (out) FC_TRY_TO(end, s, open_parts(j, out, split, preset, &spec));
  fc_attendant_set(&(fc_attendant){j, take_measured});
  catch_signals();
  const double start = fc_now();
  fc_progress_start(&j->bar, "solve", "frame", 0, j->total, fc_verbosity == 0);
  s = def->run(config, take_frame, j, show, j);
  fc_attendant_set(NULL);
  fc_progress_end(&j->bar, NULL);
  if (s == FC_OK) s = check_signals();
  if (s == FC_OK) s = finish_parts(j);
  if (s == FC_OK) report(j, &spec, fc_now() - start);
end:
  for (int i = 0; i < j->n_parts; i++) fc_field_writer_abandon(j->parts[i].writer);
  free(j->measured);
  free(text);
  return s;
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
static fc_status settings(const fc_list *set, bool accurate, const char *split, job *j, char *buffer,
                          size_t size, fc_list *out) {
  *out = *set;
  FC_REQUIRE(out->n + 2 <= FC_ARG_REPEAT, FC_E_USAGE, "--set is given more than %d times", FC_ARG_REPEAT - 2);
  if (accurate) out->v[out->n++] = "accurate=true";
  if (!split) return FC_OK;
  FC_TRY(parse_splits(split, j));
  const part *last = &j->parts[j->n_parts - 1];
  snprintf(buffer, size, "n_traj=%lld", (long long)(last->first + last->n));
  out->v[out->n++] = buffer;
  return FC_OK;
}

fc_status fc_cmd_solve(int argc, char **argv) {
  const char  *out = NULL, *split = NULL;
  bool         listing = false, planning = false, about = false, accurate = false, done;
  fc_list      set = {0}, all, files;
  char         n_traj[64];
  const fc_arg args[] = {
      {"output", 'o', FC_ARG_VALUE, &out, "FILE",
       "where the frames go (HDF5); with --split a folder; without it only what is measured is printed"},
      {"set", 's', FC_ARG_LIST, &set, "KEY=VALUE", "change an option of the preset"},
      {"split", 0, FC_ARG_VALUE, &split, "LIST", "write folders, e.g. train=40,valid=4,test=4 trajectories"},
      {"accurate", 'a', FC_ARG_FLAG, &accurate, NULL, "our best scheme instead of the published one"},
      {"list", 'l', FC_ARG_FLAG, &listing, NULL, "list presets and solvers"},
      {"about", 0, FC_ARG_FLAG, &about, NULL, "say what a preset copies and what --accurate changes"},
      {"plan", 0, FC_ARG_FLAG, &planning, NULL, "only say what the run would cost"}};
  const fc_solver_def *def;
  void                *config  = NULL;
  job                 *j       = NULL;
  char                *command = joined(argc, argv); /* getopt reorders argv */
  fc_status            s;

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
  if (s == FC_OK && split && !out && !planning)
    s = fc_fail(FC_E_USAGE, "solve --split: -o FOLDER says where the frames go");
  if (s == FC_OK && fc_comm_size(NULL) > 1)
    s = fc_fail(FC_E_USAGE,
                "solve runs in one process; use threads (OMP_NUM_THREADS), or one process for each seed");
  if (s == FC_OK && (!(j = calloc(1, sizeof *j)) || !command)) s = fc_fail(FC_E_SYSTEM, "no memory");
  if (s != FC_OK) goto end;
  FC_TRY_TO(end, s, settings(&set, accurate, split, j, n_traj, sizeof n_traj, &all));
  FC_TRY_TO(end, s, fc_solver_configure(files.v[0], all.n, all.v, &def, &config));
  if (planning)
    def->plan(config, stdout);
  else
    s = solve(def, config, files.v[0], out, split != NULL, command, j);
end:
  free(config);
  free(command);
  free(j);
  return s;
}
