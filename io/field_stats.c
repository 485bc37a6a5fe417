/* io/field_stats.c - mean, deviation, rms, range of each channel and of its change from frame to
   frame, streaming one frame at a time. Moments of a frame are taken about its own mean and merged by count
   (Chan, Golub, LeVeque 1979), in double and always in the same order: no cancellation, and the same bits
   for any number of threads. Definitions are those of The Well's stats.yaml (population moments). */
#include "io/field_part.h"

#include "core/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct moments {
  double n, mean, m2, lo, hi;
} moments; /* m2: sum of squared deviations */

static void merge(moments *a, const moments *b) {
  if (a->n == 0) {
    *a = *b;
    return;
  }
  const double n = a->n + b->n, d = b->mean - a->mean;
  a->mean += d * b->n / n;
  a->m2 += b->m2 + d * d * a->n * b->n / n;
  a->n  = n;
  a->lo = fmin(a->lo, b->lo);
  a->hi = fmax(a->hi, b->hi);
}

/* values of channel c of a frame, minus the frame before if there is one */
static double value(const fc_real *x, const fc_real *before, int64_t i) {
  return before ? (double)x[i] - (double)before[i] : (double)x[i];
}

static moments of_frame(int64_t points, int stride, const fc_real *x, const fc_real *before) {
  moments m = {(double)points, 0, 0, INFINITY, -INFINITY};

  for (int64_t i = 0; i < points; i++) {
    const double v = value(x, before, i * stride);
    m.mean += v;
    m.lo = v < m.lo ? v : m.lo;
    m.hi = v > m.hi ? v : m.hi;
  }
  m.mean /= (double)points;
  for (int64_t i = 0; i < points; i++) {
    const double d = value(x, before, i * stride) - m.mean;
    m.m2 += d * d;
  }
  return m;
}

typedef struct walk {
  fc_field      *f;
  const int64_t *space_stride;
  int            n; /* channels */
  int64_t        points;
  fc_real       *now, *before;
  moments       *all, *delta;
} walk;

/* A sum is finite only if every term is. */
static fc_status check_finite(const walk *w, int64_t traj, int64_t t, const moments *m) {
  const fc_field_info *info = fc_field_about(w->f);

  for (int c = 0; c < w->n; c++) {
    fc_field_part *p;
    int64_t        local;
    if (isfinite(m[c].mean) && isfinite(m[c].m2)) continue;
    FC_TRY(fc_field_locate(w->f, traj, &p, &local));
    return fc_fail(FC_E_INPUT,
                   "%s: channel '%s' has values that are not finite in trajectory %lld, frame %lld", p->path,
                   info->channel[c].name, (long long)traj, (long long)t);
  }
  return FC_OK;
}

static fc_status one_frame(walk *w, int64_t traj, int64_t t) {
  moments now[FC_FIELD_CHANNELS], delta[FC_FIELD_CHANNELS];

  FC_TRY(fc_field_read(w->f, traj, t, 1, 1, w->space_stride, 0, NULL, w->now));
  FC_FOR_ROWS(c, w->n, 2 * w->points) {
    now[c] = of_frame(w->points, w->n, w->now + c, NULL);
    if (t > 0) delta[c] = of_frame(w->points, w->n, w->now + c, w->before + c);
  }
  FC_TRY(check_finite(w, traj, t, now));
  for (int c = 0; c < w->n; c++) {
    merge(&w->all[c], &now[c]);
    if (t > 0) merge(&w->delta[c], &delta[c]);
  }
  fc_real *swap = w->before;
  w->before     = w->now;
  w->now        = swap;
  return FC_OK;
}

static double deviation(const moments *m) { return m->n > 0 ? sqrt(m->m2 / m->n) : 0; }
static double root_mean_square(const moments *m) {
  return m->n > 0 ? sqrt(m->m2 / m->n + m->mean * m->mean) : 0;
}

static void report(const walk *w, fc_field_stats *out) {
  out->n_channels = w->n;
  for (int c = 0; c < w->n; c++) {
    const moments *a = &w->all[c], *d = &w->delta[c];
    out->mean[c]       = a->mean;
    out->std[c]        = deviation(a);
    out->rms[c]        = root_mean_square(a);
    out->min[c]        = a->lo;
    out->max[c]        = a->hi;
    out->mean_delta[c] = d->mean;
    out->std_delta[c]  = deviation(d);
    out->rms_delta[c]  = root_mean_square(d);
  }
}

static fc_status walk_all(walk *w, int64_t lo, int64_t hi, void (*progress)(void *, int64_t, int64_t),
                          void *user, fc_field_stats *out) {
  int64_t total = 0;

  for (int64_t b = lo; b < hi; b++) total += fc_field_steps(w->f, b);
  for (int64_t b = lo; b < hi; b++)
    for (int64_t t = 0; t < fc_field_steps(w->f, b); t++) {
      FC_TRY(one_frame(w, b, t));
      out->frames++;
      if (progress) progress(user, out->frames, total);
    }
  report(w, out);
  return FC_OK;
}

fc_status fc_field_statistics(fc_field *f, int64_t lo, int64_t hi, const int64_t *space_stride,
                              void (*progress)(void *, int64_t done, int64_t total), void *user,
                              fc_field_stats *out) {
  const fc_field_info *info = fc_field_about(f);
  walk                 w    = {.f = f, .space_stride = space_stride, .n = info->n_channels, .points = 1};
  fc_status            s;

  memset(out, 0, sizeof *out);
  FC_REQUIRE(lo >= 0 && lo < hi && hi <= info->n_traj, FC_E_USAGE,
             "statistics of trajectories %lld to %lld are asked for; there are %lld", (long long)lo,
             (long long)hi - 1, (long long)info->n_traj);
  for (int a = 0; a < info->ndim; a++) {
    FC_REQUIRE(!space_stride || space_stride[a] >= 1, FC_E_USAGE,
               "a stride of %lld along axis %d; it must be 1 or more", (long long)space_stride[a], a);
    w.points *=
        a == 0 && f->share_n ? f->share_n : fc_ceil_div(info->dim[a], space_stride ? space_stride[a] : 1);
  }
  const size_t bytes = (size_t)w.points * (size_t)w.n * sizeof(fc_real);
  w.now              = malloc(bytes);
  w.before           = malloc(bytes);
  w.all              = calloc((size_t)w.n, sizeof *w.all);
  w.delta            = calloc((size_t)w.n, sizeof *w.delta);
  if (w.now && w.before && w.all && w.delta)
    s = walk_all(&w, lo, hi, progress, user, out);
  else
    s = fc_fail(FC_E_SYSTEM, "not enough memory for two frames of %.3g GB", (double)bytes / 1e9);
  free(w.now);
  free(w.before);
  free(w.all);
  free(w.delta);
  return s;
}
