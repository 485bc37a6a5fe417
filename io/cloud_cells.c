/* io/cloud_cells.c - triangles of a surface of which only the middles are stored: those three points whose
   mean is the middle. Candidates are the points near it, found through a lattice of boxes; of several triples
   that fit the most compact is taken (two triangles of a parallelogram share a middle with wider ones). */
#include "io/cloud_layout.h"

#include "core/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR = 24, BOXES = 64 };

typedef struct {
  int            D;
  int64_t        N;
  const fc_real *x;
  double         lo[3], side;   /* of a box */
  int64_t        n[3];          /* boxes along each axis */
  int64_t       *first, *point; /* of each box; sorted by box */
} lattice;

static int64_t box_along(const lattice *l, int a, double v) {
  const double at = (v - l->lo[a]) / l->side;
  return at < 0 ? 0 : at >= (double)l->n[a] ? l->n[a] - 1 : (int64_t)at;
}

static int64_t box_of(const lattice *l, const fc_real *p) {
  int64_t b = 0;

  for (int a = 0; a < l->D; a++) b = b * l->n[a] + box_along(l, a, (double)p[a]);
  return b;
}

static void measure(lattice *l) {
  double hi[3] = {0}, longest = 0;

  for (int a = 0; a < l->D; a++) {
    l->lo[a] = INFINITY, hi[a] = -INFINITY;
    for (int64_t i = 0; i < l->N; i++) {
      l->lo[a] = fmin(l->lo[a], (double)l->x[i * l->D + a]);
      hi[a]    = fmax(hi[a], (double)l->x[i * l->D + a]);
    }
    longest = fmax(longest, hi[a] - l->lo[a]);
  }
  /* on a surface about N^(1/2) boxes along an axis hold a point each */
  const double along = fmin(BOXES, fmax(1, sqrt((double)l->N) / 2));
  l->side            = longest > 0 ? longest / along : 1;
  for (int a = 0; a < l->D; a++) l->n[a] = 1 + (int64_t)((hi[a] - l->lo[a]) / l->side);
}

static bool sort_points(lattice *l) {
  int64_t boxes = 1;

  for (int a = 0; a < l->D; a++) boxes *= l->n[a];
  l->first = calloc((size_t)boxes + 2, sizeof *l->first);
  l->point = malloc((size_t)l->N * sizeof *l->point);
  if (!l->first || !l->point) return false;
  for (int64_t i = 0; i < l->N; i++) l->first[box_of(l, l->x + i * l->D) + 2]++;
  for (int64_t b = 2; b < boxes + 2; b++) l->first[b] += l->first[b - 1];
  for (int64_t i = 0; i < l->N; i++) l->point[l->first[box_of(l, l->x + i * l->D) + 1]++] = i;
  return true;
}

typedef struct {
  int     n;
  int64_t i[NEAR];
  double  d[NEAR]; /* squared distances, rising */
} nearest;

static double distance(const lattice *l, const fc_real *a, const fc_real *b) {
  double sum = 0;

  for (int k = 0; k < l->D; k++) sum += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
  return sum;
}

static void offer(nearest *q, int64_t i, double d) {
  if (q->n == NEAR && d >= q->d[NEAR - 1]) return;
  int k = q->n < NEAR ? q->n++ : NEAR - 1;
  for (; k > 0 && q->d[k - 1] > d; k--) q->d[k] = q->d[k - 1], q->i[k] = q->i[k - 1];
  q->d[k] = d;
  q->i[k] = i;
}

/* points in the boxes at most r away from the middle's own; a box not looked at is r sides away or more */
static void look_around(const lattice *l, const fc_real *c, int64_t r, nearest *q) {
  int64_t lo[3] = {0}, hi[3] = {0};

  q->n = 0;
  for (int a = 0; a < l->D; a++) {
    const int64_t at = box_along(l, a, (double)c[a]);
    lo[a] = fc_max64(0, at - r), hi[a] = fc_min64(l->n[a] - 1, at + r);
  }
  for (int64_t i = lo[0]; i <= hi[0]; i++)
    for (int64_t j = lo[1]; j <= hi[1]; j++)
      for (int64_t k = lo[2]; k <= hi[2]; k++) {
        const int64_t b = l->D == 3 ? (i * l->n[1] + j) * l->n[2] + k : l->D == 2 ? i * l->n[1] + j : i;
        for (int64_t p = l->first[b]; p < l->first[b + 1]; p++)
          offer(q, l->point[p], distance(l, c, l->x + l->point[p] * l->D));
      }
}

/* the best triple among the candidates; INFINITY if none has this middle */
static double best_triple(const lattice *l, const fc_real *c, const nearest *q, double tolerance,
                          int64_t out[3]) {
  double best = INFINITY;

  for (int i = 0; i < q->n; i++)
    for (int j = i + 1; j < q->n; j++)
      for (int k = j + 1; k < q->n; k++) {
        const fc_real *a = l->x + q->i[i] * l->D, *b = l->x + q->i[j] * l->D, *e = l->x + q->i[k] * l->D;
        double         off = 0;
        for (int d = 0; d < l->D; d++)
          off = fmax(off, fabs(((double)a[d] + (double)b[d] + (double)e[d]) / 3 - (double)c[d]));
        const double size = q->d[i] + q->d[j] + q->d[k];
        if (off > tolerance || size >= best) continue;
        best   = size;
        out[0] = q->i[i], out[1] = q->i[j], out[2] = q->i[k];
      }
  return best;
}

static bool one_triangle(const lattice *l, const fc_real *c, double tolerance, int64_t out[3]) {
  const int64_t far = fc_max64(l->n[0], fc_max64(l->n[1], l->n[2]));
  nearest       q;

  for (int64_t r = 1;; r *= 2) {
    look_around(l, c, r, &q);
    const double size = best_triple(l, c, &q, tolerance, out), seen = (double)r * l->side;
    if (isfinite(size) && size <= seen * seen) return true; /* nothing outside could be more compact */
    if (r > far || (q.n == NEAR && q.d[NEAR - 1] < seen * seen)) return isfinite(size);
  }
}

fc_status fc_cloud_triangles(int D, int64_t N, const fc_real *x, int64_t n, const fc_real *c, int64_t *cell) {
  lattice   l    = {.D = D, .N = N, .x = x, .n = {1, 1, 1}};
  int       lost = 0;
  fc_status s    = FC_OK;

  measure(&l);
  double size = l.side;
  for (int a = 0; a < D; a++) size = fmax(size, fmax(fabs(l.lo[a]), (double)l.n[a] * l.side));
  const double tolerance = 4e-7 * size; /* float32 coordinates, rounded once more by whoever took the mean */
  if (!sort_points(&l)) s = fc_fail(FC_E_SYSTEM, "no memory for the triangles of %lld points", (long long)N);
  for (int64_t i = 0; i < n && s == FC_OK; i++) lost += !one_triangle(&l, c + i * D, tolerance, cell + 3 * i);
  free(l.first);
  free(l.point);
  if (s == FC_OK && lost) s = fc_fail(FC_E_INPUT, "%d triangles have no corners among the points", lost);
  return s;
}
