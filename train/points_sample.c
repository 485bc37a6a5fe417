/* train/points_sample.c - one sample in memory, normalised and checked. */
#include "train/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one block: counted first, then cut ---- */

static void *take(char **at, size_t bytes) {
  char *p = *at;

  *at = p + (bytes + 63) / 64 * 64;
  return p;
}

static int64_t sum_of(const int64_t *n, int count) {
  int64_t sum = 0;

  for (int i = 0; i < count; i++) sum += (n[i] * (int64_t)sizeof(fc_real) + 63) / 64 * 64;
  return sum;
}

/* numbers of each part, in order */
static int parts(const fc_points *p, const fc_cloud_size *z, int64_t nt, int64_t n[8 + FC_CLOUD_FUNCTIONS]) {
  const int64_t N = z->points;
  int           k = 0;

  n[k++] = fc_ceil_div(nt * (int64_t)sizeof(double), (int64_t)sizeof(fc_real));
  n[k++] = N * p->x.n;
  n[k++] = (p->in_varies ? nt : 1) * N * p->in.n;
  n[k++] = nt * N * p->out.n;
  n[k++] = p->masked ? N * p->out.n : 0;
  n[k++] = p->masked ? N * fc_cloud_about(p->file)->mask : 0;
  n[k++] = fc_cloud_about(p->file)->n_params + 1;
  for (int f = 0; f < p->n_functions; f++) n[k++] = z->rows[p->function_pick[f]] * p->function[f].n;
  return k;
}

int64_t fc_sample_bytes(const fc_points *p, const fc_cloud_size *size, int64_t nt) {
  int64_t   n[8 + FC_CLOUD_FUNCTIONS];
  const int count = parts(p, size, nt, n);
  return sum_of(n, count) + 64;
}

fc_status fc_sample_create(const fc_points *p, const fc_cloud_size *size, int64_t nt, fc_sample *out) {
  int64_t n[8 + FC_CLOUD_FUNCTIONS];

  parts(p, size, nt, n);
  memset(out, 0, sizeof *out);
  out->block = malloc((size_t)fc_sample_bytes(p, size, nt));
  FC_REQUIRE(out->block, FC_E_SYSTEM, "no memory for a sample of %lld points", (long long)size->points);
  char          *at = (char *)out->block + (64 - (uintptr_t)out->block % 64) % 64;
  const size_t   r  = sizeof(fc_real);
  const int64_t *k  = n;
  out->time         = take(&at, (size_t)*k++ * r);
  out->x            = take(&at, (size_t)*k++ * r);
  out->in           = take(&at, (size_t)*k++ * r);
  out->out          = take(&at, (size_t)*k++ * r);
  out->weight       = take(&at, (size_t)*k++ * r);
  out->mask         = take(&at, (size_t)*k++ * r);
  out->params       = take(&at, (size_t)*k++ * r);
  for (int f = 0; f < p->n_functions; f++) out->function[f] = take(&at, (size_t)*k++ * r);
  if (!p->masked) out->weight = out->mask = NULL;
  return FC_OK;
}

void fc_sample_free(fc_sample *s) {
  free(s->block);
  s->block = NULL;
}

/* ---- reading ---- */

static fc_status not_finite(const fc_points *p, int64_t sample, const char *what, const char *name) {
  return fc_fail(FC_E_INPUT, "%s: %s '%s' of sample %lld is not finite everywhere",
                 fc_cloud_path(p->file, sample), what, name, (long long)sample);
}

/* scales x[rows, n] and checks it; weight[N, n] (NULL: 1) says where a number counts, others become 0 */
static fc_status settle(const fc_points *p, int64_t sample, const char *what, const fc_scaling *s,
                        int64_t rows, const fc_real *weight, int64_t N, fc_real *x) {
  for (int64_t i = 0; weight && i < rows * s->n; i++)
    if (weight[i % (N * s->n)] == 0) x[i] = (fc_real)s->mean[i % s->n];
  for (int64_t i = 0; i < rows * s->n; i++)
    if (!isfinite(x[i])) return not_finite(p, sample, what, s->channel[i % s->n].name);
  fc_scaling_apply(s, rows, x);
  for (int64_t i = 0; weight && i < rows * s->n; i++)
    if (weight[i % (N * s->n)] == 0) x[i] = 0;
  return FC_OK;
}

static fc_status read_weights(const fc_points *p, int64_t sample, fc_sample *s) {
  const int width = fc_cloud_about(p->file)->mask, n = p->out.n;

  if (!p->masked) return FC_OK;
  FC_TRY(fc_cloud_read_mask(p->file, sample, s->mask));
  for (int64_t i = 0; i < s->points; i++)
    for (int k = 0; k < n; k++) {
      const fc_real w = p->mask[k] < 0 ? 1 : s->mask[i * width + p->mask[k]];
      FC_REQUIRE(isfinite(w) && w >= 0, FC_E_INPUT,
                 "%s: the mask of sample %lld holds %g at point %lld; weights are zero or more",
                 fc_cloud_path(p->file, sample), (long long)sample, (double)w, (long long)(s->first + i));
      s->weight[i * n + k] = w;
    }
  return FC_OK;
}

static fc_status read_params(const fc_points *p, int64_t sample, fc_sample *s) {
  fc_real all[FC_CLOUD_PARAMS];

  if (!p->params.n) return FC_OK;
  FC_TRY(fc_cloud_read_params(p->file, sample, all));
  for (int k = 0; k < p->params.n; k++) s->params[k] = all[p->param_pick[k]];
  return settle(p, sample, "parameter", &p->params, 1, NULL, 1, s->params);
}

fc_status fc_points_read(fc_points *p, int64_t sample, int64_t t0, int64_t nt, fc_sample *s) {
  const fc_cloud_size z = fc_cloud_own_size(p->file, sample);
  const int64_t       N = z.points, given = p->in_varies ? nt : 1;

  s->points = N, s->t0 = t0, s->nt = nt;
  s->first = fc_cloud_own(p->file, fc_cloud_size_of(p->file, sample).points).lo;
  FC_TRY(fc_cloud_times(p->file, sample, t0, nt, s->time));
  FC_TRY(fc_cloud_read_points(p->file, sample, s->x));
  FC_TRY(settle(p, sample, "coordinate", &p->x, N, NULL, N, s->x));
  FC_TRY(read_weights(p, sample, s));
  FC_TRY(fc_cloud_read(p->file, sample, p->in_varies ? t0 : 0, given, p->in.n, p->in_pick, s->in));
  FC_TRY(settle(p, sample, "field", &p->in, given * N, NULL, N, s->in));
  FC_TRY(fc_cloud_read(p->file, sample, t0, nt, p->out.n, p->out_pick, s->out));
  FC_TRY(settle(p, sample, "field", &p->out, nt * N, s->weight, N, s->out));
  FC_TRY(read_params(p, sample, s));
  for (int f = 0; f < p->n_functions; f++) {
    s->rows[f] = z.rows[p->function_pick[f]];
    FC_TRY(fc_cloud_read_function(p->file, sample, p->function_pick[f], s->function[f]));
    FC_TRY(settle(p, sample, "function column", &p->function[f], s->rows[f], NULL, 1, s->function[f]));
  }
  return FC_OK;
}

void fc_points_undo(const fc_points *p, int64_t rows, fc_real *x) { fc_scaling_undo(&p->out, rows, x); }
