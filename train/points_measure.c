/* train/points_measure.c - means and deviations by which points are normalised. Groups of ranks take samples
   of their own and the ranks of a group look at their shares; moments are then merged in two steps, first
   means, then deviations from the mean of all, so nothing is lost where a mean is large. */
#include "core/progress.h"
#include "train/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- moments of all ranks ---- */

static fc_status merge_means(int n, fc_cloud_moments *m, double *x) {
  double *count = x, *sum = x + n;

  for (int k = 0; k < n; k++) count[k] = m[k].n, sum[k] = m[k].n * m[k].mean;
  FC_TRY(fc_comm_sum_double(NULL, x, 2 * n));
  for (int k = 0; k < n; k++) {
    const double mean = count[k] > 0 ? sum[k] / count[k] : 0, off = m[k].mean - mean;
    sum[k]    = m[k].n * (m[k].std * m[k].std + off * off);
    m[k].n    = count[k];
    m[k].mean = mean;
  }
  FC_TRY(fc_comm_sum_double(NULL, sum, n));
  for (int k = 0; k < n; k++) m[k].std = count[k] > 0 ? sqrt(sum[k] / count[k]) : 0;
  return FC_OK;
}

static fc_status merge_extremes(int n, fc_cloud_moments *m, double *x) {
  for (int k = 0; k < n; k++) {
    x[k]     = m[k].n > 0 ? -m[k].lo : -INFINITY;
    x[n + k] = m[k].n > 0 ? m[k].hi : -INFINITY;
  }
  FC_TRY(fc_comm_max_double(NULL, x, 2 * n));
  for (int k = 0; k < n; k++) m[k].lo = -x[k], m[k].hi = x[n + k];
  return FC_OK;
}

static fc_status merge(fc_cloud_stats *s) {
  enum { N = sizeof *s / sizeof(fc_cloud_moments) };
  fc_cloud_moments *m  = malloc(sizeof *s);
  double           *x  = malloc(2 * N * sizeof *x);
  fc_status         st = FC_OK;

  if (!m || !x) st = fc_fail(FC_E_SYSTEM, "no memory for statistics");
  if (m) memcpy(m, s, sizeof *s);
  st = fc_comm_agree(NULL, st);
  if (st == FC_OK) st = merge_extremes(N, m, x);
  if (st == FC_OK) st = merge_means(N, m, x);
  if (st == FC_OK) memcpy(s, m, sizeof *s);
  free(m);
  free(x);
  return st;
}

/* ---- what they become ---- */

static double usable(double std) { return std > 0 ? std : 1; }

static void set_scale(fc_scaling *s, int k, const fc_cloud_moments *m) {
  s->mean[k] = m->mean;
  s->std[k]  = usable(m->std);
}

static void scale_coordinates(fc_points *p, const fc_cloud_stats *s) {
  for (int a = 0; a < p->x.n; a++) {
    if (p->scale == FC_COORDINATES_STANDARD) set_scale(&p->x, a, &s->axis[a]);
    if (p->scale != FC_COORDINATES_BOX) continue;
    p->x.mean[a] = s->axis[a].lo;
    p->x.std[a]  = usable(s->axis[a].hi - s->axis[a].lo);
  }
}

/* the coordinates of a function's points are measured like those of the points */
static void scale_functions(fc_points *p, const fc_cloud_stats *s) {
  for (int f = 0; f < p->n_functions; f++) {
    const fc_cloud_function *from = &fc_cloud_about(p->file)->function[p->function_pick[f]];
    for (int k = 0; k < p->function[f].n; k++) {
      const bool coordinate = from->space == p->x.n && k < from->space;
      if (coordinate)
        p->function[f].mean[k] = p->x.mean[k], p->function[f].std[k] = p->x.std[k];
      else
        set_scale(&p->function[f], k, &s->function[p->function_pick[f]][k]);
    }
  }
}

static void show(void *user, int64_t done, int64_t total) {
  fc_progress *p = user;

  p->total = total;
  fc_progress_update(p, done, NULL);
}

static void set_scales(fc_points *p, const fc_cloud_stats *s) {
  scale_coordinates(p, s);
  for (int k = 0; k < p->in.n; k++) set_scale(&p->in, k, &s->channel[p->in_pick[k]]);
  for (int k = 0; k < p->out.n; k++) set_scale(&p->out, k, &s->channel[p->out_pick[k]]);
  for (int k = 0; k < p->params.n; k++) set_scale(&p->params, k, &s->param[p->param_pick[k]]);
  scale_functions(p, s);
}

/* of this rank; there may be more groups than samples */
static fc_status look(fc_points *p, const fc_process_grid *ranks, int64_t lo, int64_t hi, bool quiet,
                      fc_cloud_stats *s) {
  fc_progress bar;
  int64_t     first, end;

  memset(s, 0, sizeof *s);
  fc_comm_block(ranks->data, hi - lo, &first, &end);
  if (first == end) return FC_OK;
  fc_progress_start(&bar, "statistics", "sample", 0, end - first, quiet);
  const fc_status st = fc_cloud_statistics(p->file, lo + first, lo + end, quiet ? NULL : show, &bar, s);
  if (!quiet) fc_progress_end(&bar, NULL);
  return st;
}

fc_status fc_points_measure(fc_points *p, const fc_process_grid *ranks, int64_t lo, int64_t hi, bool quiet) {
  fc_cloud_stats *s = malloc(sizeof *s);
  fc_status st      = s ? look(p, ranks, lo, hi, quiet, s) : fc_fail(FC_E_SYSTEM, "no memory for statistics");

  st = fc_comm_agree(NULL, st);
  if (st == FC_OK && fc_comm_size(NULL) > 1) st = merge(s);
  if (st == FC_OK) set_scales(p, s);
  free(s);
  return st;
}
