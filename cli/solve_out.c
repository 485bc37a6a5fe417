/* cli/solve_out.c - the output of a solver: files for its frames, or for each split of its trajectories, and
   the summary. */
#include "cli/solve.h"
#include "hpc/comm.h"
#include "io/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- files ---- */

fc_status fc_solve_splits(const char *text, fc_solve_job *j) {
  j->n_parts = 0;
  for (const char *at = text; *at;) {
    fc_solve_part *p    = &j->part[j->n_parts];
    int            used = 0;
    long long      n;
    FC_REQUIRE(j->n_parts < FC_SOLVE_PARTS, FC_E_USAGE, "--split %s: more than %d parts", text,
               FC_SOLVE_PARTS);
    FC_REQUIRE(sscanf(at, "%31[A-Za-z0-9_-]=%lld%n", p->name, &n, &used) == 2 && n > 0 && n <= 1000000 &&
                   (!at[used] || at[used] == ','),
               FC_E_USAGE, "--split %s: wanted name=trajectories pairs like train=40,valid=4,test=4", text);
    for (int i = 0; i < j->n_parts; i++)
      FC_REQUIRE(strcmp(j->part[i].name, p->name), FC_E_USAGE, "--split %s: '%s' occurs twice", text,
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
static fc_status split_path(fc_solve_part *p, const char *out, const char *preset) {
  char folder[FC_SOLVE_PATH];
  int  n = snprintf(folder, sizeof folder, "%s/data/%s", out, p->name);

  FC_REQUIRE(n > 0 && n + strlen(preset) + 8 < sizeof p->path, FC_E_USAGE, "-o %s: the path is too long",
             out);
  FC_TRY(fc_make_folder(folder));
  snprintf(p->path, sizeof p->path, "%.3900s/%.150s.hdf5", folder, preset);
  return FC_OK;
}

static fc_status open_part(fc_solve_job *j, fc_solve_part *p, bool again) {
  fc_status s = FC_OK;

  if (j->split)
    s = split_path(p, j->out, j->preset);
  else
    snprintf(p->path, sizeof p->path, "%s", j->out); /* its length has been looked at */
  FC_TRY(fc_comm_agree(NULL, s));
  j->spec.n_traj = p->n;
  if (again) return fc_comm_agree(NULL, fc_field_writer_reopen(p->path, &j->spec, &p->writer));
  return fc_comm_agree(NULL, fc_field_writer_create(p->path, &j->spec, &p->writer));
}

fc_status fc_solve_open(fc_solve_job *j, bool again) {
  for (int i = 0; i < j->n_parts && j->out; i++) FC_TRY(open_part(j, &j->part[i], again));
  return FC_OK;
}

fc_status fc_solve_finish(fc_solve_job *j) {
  for (int i = 0; i < j->n_parts; i++) {
    fc_field_writer *w = j->part[i].writer;
    j->part[i].writer  = NULL; /* gone, whatever finish returns */
    if (w) FC_TRY(fc_field_writer_finish(w));
  }
  return FC_OK;
}

void fc_solve_close(fc_solve_job *j, bool leave) {
  for (int i = 0; i < j->n_parts; i++) {
    if (leave && j->part[i].writer)
      fc_field_writer_leave(j->part[i].writer); /* what was synced when the state was kept is there anyway */
    else
      fc_field_writer_abandon(j->part[i].writer);
    j->part[i].writer = NULL;
  }
}

/* ---- frames ---- */

static void gather(fc_solve_job *j, const fc_real *x) {
  fc_kept_sums *s  = j->kept ? &j->kept->sums : &j->sums;
  double       *lo = &s->least[FC_KEPT_RANGES - 1], *hi = &s->most[FC_KEPT_RANGES - 1];

  for (int64_t i = 0; i < j->size; i++) {
    const double v = (double)x[i];
    *lo            = fmin(*lo, v);
    *hi            = fmax(*hi, v);
    s->square += v * v;
  }
  s->count += (double)j->size;
  j->written++;
}

fc_status fc_solve_take(void *job, int64_t traj, int64_t t, const fc_real *x) {
  fc_solve_job  *j = job;
  fc_solve_part *p = j->part;
  fc_status      s = FC_OK;

  traj += j->first;
  while (traj >= p->first + p->n) p++;
  if (t != FC_FRAME_CONSTANT) gather(j, x);
  if (p->writer && t == FC_FRAME_CONSTANT)
    s = fc_field_write_constant(p->writer, traj - p->first, x);
  else if (p->writer)
    s = fc_field_write(p->writer, traj - p->first, t, 1, x);
  return j->together ? fc_comm_agree(NULL, s) : s;
}

/* ---- the summary ---- */

/* of all ranks; those that compute together have measured the same */
static fc_status sum_up(fc_solve_job *j) {
  fc_kept_sums *s = &j->sums;
  double        most[2 * FC_SOLVE_MEASURES + 2], sum[3];
  int           n = 0;

  if (j->kept) *s = j->kept->sums;
  for (int i = 0; i < FC_SOLVE_MEASURES; i++) most[n++] = -j->range[i][0], most[n++] = j->range[i][1];
  most[n++] = -s->least[FC_KEPT_RANGES - 1], most[n++] = s->most[FC_KEPT_RANGES - 1];
  FC_TRY(fc_comm_max_double(NULL, most, n));
  for (int i = 0; i < FC_SOLVE_MEASURES; i++) j->range[i][0] = -most[2 * i], j->range[i][1] = most[2 * i + 1];
  s->least[FC_KEPT_RANGES - 1] = -most[n - 2], s->most[FC_KEPT_RANGES - 1] = most[n - 1];
  sum[0] = s->square, sum[1] = s->count, sum[2] = j->together && fc_comm_rank(NULL) ? 0 : (double)j->written;
  FC_TRY(fc_comm_sum_double(NULL, sum, 3));
  s->square = sum[0], s->count = sum[1], j->written = (int64_t)sum[2];
  if (j->together) return FC_OK;
  return fc_comm_sum_double(NULL, j->measured, j->total * FC_SOLVE_MEASURES);
}

/* Without a file these numbers are what is left of a run: all digits that two machines should share. */
static void report_measured(const fc_solve_job *j) {
  for (int64_t i = 0; i < j->total && j->has_measured; i++) {
    if (j->total > 1) printf("trajectory %lld\n", (long long)i);
    for (int k = 0; k < j->n_measured; k++)
      printf("%-10s %.12g\n", j->name[k], j->measured[i * FC_SOLVE_MEASURES + k]);
  }
}

static void report_grid(const fc_field_spec *s) {
  printf("grid       %lld", (long long)s->dim[0]);
  for (int a = 1; a < s->ndim; a++) printf(" x %lld", (long long)s->dim[a]);
  if (s->n_constant)
    printf(", steady\n");
  else
    printf(", time %g to %g every %g\n", s->t0, s->t0 + (double)(s->n_steps - 1) * s->dt, s->dt);
}

void fc_solve_report(fc_solve_job *j, double seconds) {
  const fc_kept_sums *s = &j->sums;

  if (sum_up(j) != FC_OK || fc_comm_rank(NULL)) return;
  printf("frames     %lld of %lld trajectories\n", (long long)(j->total * j->spec.n_steps),
         (long long)j->total);
  report_grid(&j->spec);
  printf("%-10s %.4g to %.4g, rms %.4g\n", j->spec.n_fields == 1 ? j->spec.field[0].name : "values",
         s->least[FC_KEPT_RANGES - 1], s->most[FC_KEPT_RANGES - 1], sqrt(s->square / s->count));
  for (int i = 0; i < j->n_measured; i++)
    printf("%s%s %.4g to %.4g",
           !i                  ? "range      "
           : j->n_measured > 2 ? "\n           "
                               : ", ",
           j->name[i], j->range[i][0], j->range[i][1]);
  printf("\nwall time  %.1f s, %.3g s a frame\n", seconds, seconds / fmax(1, (double)j->written));
  for (int i = 0; i < j->n_parts && j->out; i++)
    printf("%s %s%s%s\n", i ? "          " : "written to", j->part[i].path, j->n_parts > 1 ? "  " : "",
           j->n_parts > 1 ? j->part[i].name : "");
  if (!j->out) report_measured(j);
}
