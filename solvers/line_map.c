/* solvers/line_map.c */
#include "solvers/line_map.h"

#include "core/parallel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 }; /* numbers of a row worked on at a time, so that they stay in the first cache */

/* ---- what is possible ---- */

static bool divides(const fc_line_axis *a, int64_t m) {
  return a->periodic ? a->n % m == 0 : m > 1 && (a->n - 1) % (m - 1) == 0;
}

static fc_line_kind usual(const fc_line_axis *a, int64_t m) {
  if (m == a->n) return FC_LINE_NONE;
  if (a->periodic && a->even) return FC_LINE_CUTOFF;
  return divides(a, m) ? FC_LINE_SUBSAMPLE : FC_LINE_BOX;
}

static fc_status check(const fc_line_axis *a, fc_line_kind kind, int64_t m) {
  FC_REQUIRE(m <= a->n, FC_E_USAGE, "axis %s has %lld points; a filter cannot make %lld of them", a->name,
             (long long)a->n, (long long)m);
  FC_REQUIRE(m >= 2 || m == a->n, FC_E_USAGE, "axis %s: %lld points are too few", a->name, (long long)m);
  FC_REQUIRE(kind != FC_LINE_NONE || m == a->n, FC_E_USAGE,
             "axis %s: %lld to %lld points without a filter; choose subsample, cutoff, box or gaussian",
             a->name, (long long)a->n, (long long)m);
  FC_REQUIRE(
      kind != FC_LINE_SUBSAMPLE || divides(a, m), FC_E_USAGE,
      "axis %s: %lld of %lld points cannot be every k-th one%s; choose another number, or another filter",
      a->name, (long long)m, (long long)a->n, a->periodic ? "" : " with both ends");
  FC_REQUIRE((kind != FC_LINE_CUTOFF && kind != FC_LINE_GAUSSIAN) || (a->periodic && a->even), FC_E_USAGE,
             "axis %s is not periodic with even spacing, so it has no Fourier modes to filter; choose "
             "subsample or box",
             a->name);
  FC_REQUIRE(kind != FC_LINE_BOX || !a->periodic || a->even, FC_E_USAGE,
             "axis %s is periodic with uneven spacing; choose subsample", a->name);
  return FC_OK;
}

/* ---- periodic, even: Fourier series ---- */

/* transfer of mode k; angle = k D / 2 */
static double transfer(const fc_line_map *l, double k) {
  const double angle = M_PI * k * l->width / (double)l->m;

  if (l->m < l->n && 2 * k >= (double)l->m) return 0; /* would be aliased */
  if (l->kind == FC_LINE_CUTOFF) return angle < M_PI / 2 * (1 - 1e-12) ? 1 : 0;
  if (l->kind == FC_LINE_BOX) return k > 0 ? sin(angle) / angle : 1;
  return exp(-angle * angle / 6);
}

static void fourier(fc_line_map *l, const fc_line_axis *a) {
  const int64_t n = l->n, m = l->m;
  const double  length = (double)n * (a->x[1] - a->x[0]);

  memset(l->w, 0, (size_t)(m * n) * sizeof *l->w);
  for (int64_t k = 0; k <= n / 2; k++) {
    const double g = transfer(l, (double)k) * (k == 0 || 2 * k == n ? 1 : 2) / (double)n;
    for (int64_t i = 0; g != 0 && i < m; i++)
      for (int64_t j = 0; j < n; j++)
        l->w[i * n + j] += g * cos(2 * M_PI * (double)k * ((double)i / (double)m - (double)j / (double)n));
  }
  for (int64_t i = 0; i < m; i++) l->x[i] = a->x[0] + length * (double)i / (double)m;
}

/* ---- others ---- */

static void subsample(fc_line_map *l, const fc_line_axis *a) {
  const int64_t step = a->periodic || l->m == 1 ? l->n / l->m : (l->n - 1) / (l->m - 1);

  memset(l->w, 0, (size_t)(l->m * l->n) * sizeof *l->w);
  for (int64_t i = 0; i < l->m; i++) {
    l->w[i * l->n + i * step] = 1;
    l->x[i]                   = a->x[i * step];
  }
}

/* coordinate at a fractional number of a point, by the cubic through four: the grid's own map, continued */
static double point_at(const fc_line_axis *a, double at) {
  const int64_t first = fc_max64(0, fc_min64((int64_t)at - 1, a->n - 4)), count = fc_min64(4, a->n);
  double        sum = 0;

  for (int64_t i = first; i < first + count; i++) {
    double w = 1;
    for (int64_t k = first; k < first + count; k++)
      if (k != i) w *= (at - (double)k) / (double)(i - k);
    sum += w * a->x[i];
  }
  return sum;
}

/* adds to w[n] the integral from lo to hi of the straight lines between the points */
static void integrate(const fc_line_axis *a, double lo, double hi, double *w) {
  for (int64_t j = 0; j + 1 < a->n; j++) {
    const double h = a->x[j + 1] - a->x[j], from = fmax(lo, a->x[j]), to = fmin(hi, a->x[j + 1]);
    if (!(to > from)) continue;
    const double middle = ((from + to) / 2 - a->x[j]) / h;
    w[j] += (to - from) * (1 - middle);
    w[j + 1] += (to - from) * middle;
  }
}

/* border between new points i - 1 and i */
static double border(const fc_line_map *l, int64_t i) {
  if (i == 0) return l->x[0];
  return i == l->m ? l->x[l->m - 1] : (l->x[i - 1] + l->x[i]) / 2;
}

static void boxes(fc_line_map *l, const fc_line_axis *a, bool keep_ends) {
  const int64_t n = l->n, m = l->m;

  memset(l->w, 0, (size_t)(m * n) * sizeof *l->w);
  for (int64_t i = 0; i < m; i++) l->x[i] = point_at(a, (double)i * (double)(n - 1) / (double)(m - 1));
  l->x[0] = a->x[0], l->x[m - 1] = a->x[n - 1];
  for (int64_t i = 0; i < m; i++) {
    double      *w  = l->w + i * n;
    const double lo = fmax(l->x[i] - l->width * (l->x[i] - border(l, i)), a->x[0]);
    const double hi = fmin(l->x[i] + l->width * (border(l, i + 1) - l->x[i]), a->x[n - 1]);
    integrate(a, lo, hi, w);
    for (int64_t j = 0; j < n; j++) w[j] /= hi - lo;
  }
  if (!keep_ends) return;
  memset(l->w, 0, (size_t)n * sizeof *l->w);
  memset(l->w + (m - 1) * n, 0, (size_t)n * sizeof *l->w);
  l->w[0] = l->w[m * n - 1] = 1;
}

/* ---- all ---- */

fc_status fc_line_map_create(const fc_line_axis *a, fc_line_kind kind, int64_t m, double width,
                             bool keep_ends, fc_line_map *out) {
  if (!m) m = a->n;
  if (kind == FC_LINE_AUTO) kind = usual(a, m);
  *out = (fc_line_map){.kind = kind, .n = a->n, .m = m};
  FC_TRY(check(a, kind, m));
  out->width = width > 0 ? width : kind == FC_LINE_GAUSSIAN ? 2 : 1;
  out->w     = malloc((size_t)(m * a->n) * sizeof *out->w);
  out->x     = malloc((size_t)m * sizeof *out->x);
  if (!out->w || !out->x) {
    fc_line_map_free(out);
    return fc_fail(FC_E_SYSTEM, "no memory for the filter along axis %s", a->name);
  }
  if (kind == FC_LINE_NONE || kind == FC_LINE_SUBSAMPLE)
    subsample(out, a);
  else if (a->periodic)
    fourier(out, a);
  else
    boxes(out, a, keep_ends);
  return FC_OK;
}

void fc_line_map_free(fc_line_map *l) {
  free(l->w);
  free(l->x);
  l->w = l->x = NULL;
}

void fc_line_map_apply(const fc_line_map *l, int64_t before, int64_t after, const double *in, double *out) {
  const int64_t blocks = fc_ceil_div(after, BLOCK), n = l->n;

  FC_FOR_TASKS(task, before * l->m * blocks, before * l->m * after * n) {
    const int64_t row = task / blocks, k0 = task % blocks * BLOCK, len = fc_min64(BLOCK, after - k0);
    const double *w = l->w + row % l->m * n, *from = in + row / l->m * n * after + k0;
    double       *to = out + row * after + k0;
    memset(to, 0, (size_t)len * sizeof *to);
    for (int64_t j = 0; j < n; j++) {
      const double factor = w[j], *x = from + j * after;
      if (factor == 0) continue;
      for (int64_t k = 0; k < len; k++) to[k] += factor * x[k];
    }
  }
}

void fc_line_map_text(const fc_line_map *l, const fc_line_axis *a, bool keep_ends, char *buf, size_t size) {
  char what[120];

  if (l->kind == FC_LINE_NONE)
    snprintf(what, sizeof what, "as it is");
  else if (l->kind == FC_LINE_SUBSAMPLE)
    snprintf(what, sizeof what, "every %lld. point",
             (long long)(a->periodic ? l->n / l->m : (l->n - 1) / (l->m - 1)));
  else if (l->kind == FC_LINE_CUTOFF)
    snprintf(what, sizeof what, "sharp Fourier cut-off, modes below %g", (double)l->m / 2 / l->width);
  else if (l->kind == FC_LINE_GAUSSIAN)
    snprintf(what, sizeof what, "Gaussian exp(-k^2 D^2/24), D = %g new spacings, modes below %g", l->width,
             (double)l->m / 2);
  else if (a->periodic)
    snprintf(what, sizeof what, "box of D = %g new spacings by its Fourier transfer, modes below %g",
             l->width, (double)l->m / 2);
  else
    snprintf(what, sizeof what, "averages over %g new cells%s", l->width,
             keep_ends ? ", values on the ends kept" : "");
  snprintf(buf, size, "%s: %s, %lld to %lld points", a->name, what, (long long)l->n, (long long)l->m);
}
