/* io/cloud_stats.c - mean, deviation and range of coordinates, channels, parameters and functions, streaming
   one sample at a time. Moments of a piece are taken about its own mean and merged by count (Chan, Golub,
   LeVeque 1979), in double and always in the same order. */
#include "io/cloud_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* std holds the sum of squared deviations until the end */
static void merge(fc_cloud_moments *a, const fc_cloud_moments *b) {
  if (b->n == 0) return;
  if (a->n == 0) {
    *a = *b;
    return;
  }
  const double n = a->n + b->n, d = b->mean - a->mean;
  a->mean += d * b->n / n;
  a->std += b->std + d * d * a->n * b->n / n;
  a->n  = n;
  a->lo = fmin(a->lo, b->lo);
  a->hi = fmax(a->hi, b->hi);
}

/* of x[rows] with a stride, where mask[rows] (NULL: everywhere) is not zero */
static fc_cloud_moments of_column(int64_t rows, int64_t stride, const fc_real *x, int64_t mask_stride,
                                  const fc_real *mask) {
  fc_cloud_moments m = {0, 0, 0, INFINITY, -INFINITY};

  for (int64_t i = 0; i < rows; i++) {
    const double v = (double)x[i * stride];
    if (mask && mask[i * mask_stride] == 0) continue;
    m.n++;
    m.mean += v;
    m.lo = v < m.lo ? v : m.lo;
    m.hi = v > m.hi ? v : m.hi;
  }
  if (m.n > 0) m.mean /= m.n;
  for (int64_t i = 0; i < rows; i++) {
    const double d = (double)x[i * stride] - m.mean;
    if (!mask || mask[i * mask_stride] != 0) m.std += d * d;
  }
  return m;
}

typedef struct {
  fc_cloud       *c;
  fc_cloud_stats *out;
  fc_real        *x, *mask; /* the largest sample fits */
} walk;

static fc_status add(const walk *w, int64_t sample, const char *what, const char *name,
                     const fc_cloud_moments *m, fc_cloud_moments *sum) {
  FC_REQUIRE(m->n == 0 || (isfinite(m->mean) && isfinite(m->std)), FC_E_INPUT,
             "%s: %s '%s' has values that are not finite in sample %lld", fc_cloud_path(w->c, sample), what,
             name, (long long)sample);
  merge(sum, m);
  return FC_OK;
}

static fc_status add_points(const walk *w, int64_t sample, int64_t N) {
  const fc_cloud_info *i = fc_cloud_about(w->c);

  FC_TRY(fc_cloud_read_points(w->c, sample, w->x));
  for (int a = 0; a < i->space; a++) {
    const fc_cloud_moments m = of_column(N, i->space, w->x + a, 0, NULL);
    FC_TRY(add(w, sample, "coordinate", i->axis[a], &m, &w->out->axis[a]));
  }
  return FC_OK;
}

/* A mask of one number holds for all targets, one of several for the targets in order. */
static const fc_real *mask_of(const walk *w, int target) {
  const fc_cloud_info *i = fc_cloud_about(w->c);
  return i->mask == 1 ? w->mask : target < i->mask ? w->mask + target : NULL;
}

static fc_status add_frame(const walk *w, int64_t sample, int64_t N, int64_t t) {
  const fc_cloud_info *i      = fc_cloud_about(w->c);
  int                  target = 0;

  FC_TRY(fc_cloud_read(w->c, sample, t, 1, 0, NULL, w->x));
  for (int k = 0; k < i->n_channels; k++) {
    const bool             is_target = i->role[k] == FC_ROLE_TARGET;
    const fc_real         *mask      = is_target ? mask_of(w, target) : NULL;
    const fc_cloud_moments m         = of_column(N, i->n_channels, w->x + k, i->mask, mask);
    target += is_target;
    if (t == 0 || i->varying[k]) FC_TRY(add(w, sample, "field", i->channel[k].name, &m, &w->out->channel[k]));
  }
  return FC_OK;
}

static fc_status add_rest(const walk *w, int64_t sample, const fc_cloud_size *size) {
  const fc_cloud_info *i = fc_cloud_about(w->c);

  FC_TRY(fc_cloud_read_params(w->c, sample, w->x));
  for (int k = 0; k < i->n_params; k++) {
    const fc_cloud_moments m = of_column(w->c->rank == 0, 1, w->x + k, 0, NULL);
    FC_TRY(add(w, sample, "parameter", i->param[k].name, &m, &w->out->param[k]));
  }
  for (int f = 0; f < i->n_functions; f++) {
    const int n = i->function[f].n;
    FC_TRY(fc_cloud_read_function(w->c, sample, f, w->x));
    for (int k = 0; k < n; k++) {
      const fc_cloud_moments m = of_column(size->rows[f], n, w->x + k, 0, NULL);
      FC_TRY(add(w, sample, "function column", i->function[f].column[k].name, &m, &w->out->function[f][k]));
    }
  }
  return FC_OK;
}

static fc_status one_sample(const walk *w, int64_t sample) {
  const fc_cloud_size size = fc_cloud_own_size(w->c, sample);

  FC_TRY(add_points(w, sample, size.points));
  if (w->mask) FC_TRY(fc_cloud_read_mask(w->c, sample, w->mask));
  for (int64_t t = 0; t < size.steps; t++) FC_TRY(add_frame(w, sample, size.points, t));
  return add_rest(w, sample, &size);
}

/* numbers of the largest piece that is read at once */
static int64_t largest(const fc_cloud *c, int64_t lo, int64_t hi, int64_t *points) {
  const fc_cloud_info *i    = fc_cloud_about(c);
  int64_t              most = i->n_params + 1;

  *points = 1;
  for (int64_t s = lo; s < hi; s++) {
    const fc_cloud_size z = fc_cloud_own_size(c, s);
    *points               = fc_max64(*points, z.points);
    for (int f = 0; f < i->n_functions; f++) most = fc_max64(most, z.rows[f] * i->function[f].n);
  }
  return fc_max64(most, *points * fc_max64(i->space, i->n_channels));
}

static void finish(fc_cloud_moments *m, int n) {
  for (int k = 0; k < n; k++) m[k].std = m[k].n > 0 ? sqrt(m[k].std / m[k].n) : 0;
}

static void finish_all(fc_cloud_stats *s) {
  finish(s->axis, 3);
  finish(s->channel, FC_FIELD_CHANNELS);
  finish(s->param, FC_CLOUD_PARAMS);
  finish(s->function[0], FC_CLOUD_FUNCTIONS * FC_CLOUD_COLUMNS);
}

fc_status fc_cloud_statistics(fc_cloud *c, int64_t lo, int64_t hi,
                              void (*progress)(void *, int64_t done, int64_t total), void *user,
                              fc_cloud_stats *out) {
  const fc_cloud_info *i = fc_cloud_about(c);
  walk                 w = {.c = c, .out = out};
  int64_t              points;
  fc_status            s = FC_OK;

  memset(out, 0, sizeof *out);
  FC_REQUIRE(lo >= 0 && lo < hi && hi <= i->n_samples, FC_E_USAGE,
             "statistics of samples %lld to %lld are asked for; there are %lld", (long long)lo,
             (long long)hi - 1, (long long)i->n_samples);
  w.x = malloc((size_t)largest(c, lo, hi, &points) * sizeof *w.x);
  if (i->mask) w.mask = malloc((size_t)(points * i->mask) * sizeof *w.mask);
  if (!w.x || (i->mask && !w.mask)) s = fc_fail(FC_E_SYSTEM, "not enough memory for one sample");
  for (int64_t k = lo; k < hi && s == FC_OK; k++) {
    s = one_sample(&w, k);
    if (progress) progress(user, k + 1 - lo, hi - lo);
  }
  finish_all(out);
  free(w.x);
  free(w.mask);
  return s;
}
