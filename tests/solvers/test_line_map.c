/* tests/solvers/test_line_map.c - filters along one axis against closed forms; what they keep; what they
 * refuse. */
#include "solvers/line_map.h"
#include "tests/check.h"

enum { N = 24 };

static double       x[N], a[N], b[N];
static fc_line_axis axis;

static const fc_line_axis *even(void) {
  for (int i = 0; i < N; i++) x[i] = 0.5 + 2 * M_PI * i / N;
  axis = (fc_line_axis){"x", N, x, true, true};
  return &axis;
}

static const fc_line_axis *walls(int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] = tanh(1.5 * (2.0 * (double)i / (double)(n - 1) - 1)) / tanh(1.5);
  axis = (fc_line_axis){"y", n, x, false, false};
  return &axis;
}

static fc_line_map make(const fc_line_axis *g, fc_line_kind kind, int64_t m, double width, bool keep_ends) {
  fc_line_map l;
  CHECK_OK(fc_line_map_create(g, kind, m, width, keep_ends, &l));
  return l;
}

/* mode k in, mode k times factor out, at the new points */
static void passes(fc_line_kind kind, int64_t m, double width, int k, double factor) {
  fc_line_map l = make(even(), kind, m, width, true);

  for (int i = 0; i < N; i++) a[i] = cos(k * x[i] + 0.3);
  fc_line_map_apply(&l, 1, 1, a, b);
  for (int64_t i = 0; i < m; i++) {
    CHECK_NEAR(l.x[i], 0.5 + 2 * M_PI * (double)i / (double)m, 1e-14);
    CHECK_NEAR(b[i], factor * cos(k * l.x[i] + 0.3), 2e-14);
  }
  fc_line_map_free(&l);
}

static void transfers(void) {
  const double h = 2 * M_PI / 8; /* the new spacing */

  passes(FC_LINE_CUTOFF, 8, 0, 3, 1);
  passes(FC_LINE_CUTOFF, 8, 0, 4, 0); /* the highest mode of 8 points */
  passes(FC_LINE_CUTOFF, 8, 0, 7, 0);
  passes(FC_LINE_CUTOFF, 8, 2, 1, 1);
  passes(FC_LINE_CUTOFF, 8, 2, 2, 0);
  passes(FC_LINE_CUTOFF, 10, 0, 4, 1); /* 24 is no multiple of 10 */
  passes(FC_LINE_BOX, 8, 0, 3, sin(3 * h / 2) / (3 * h / 2));
  passes(FC_LINE_BOX, 8, 2, 3, sin(3 * h) / (3 * h));
  passes(FC_LINE_BOX, 8, 0, 5, 0);
  passes(FC_LINE_GAUSSIAN, 8, 0, 3, exp(-9 * 4 * h * h / 24));
  passes(FC_LINE_GAUSSIAN, N, 3, 2, exp(-4 * 9 * (h / 3) * (h / 3) / 24));
  passes(FC_LINE_SUBSAMPLE, 8, 0, 3, 1);
  passes(FC_LINE_NONE, N, 0, 11, 1);
}

/* what subsampling does that the others do not: mode 7 looks like mode -1 on 8 points */
static void aliases(void) {
  fc_line_map l = make(even(), FC_LINE_SUBSAMPLE, 8, 0, true);

  for (int i = 0; i < N; i++) a[i] = cos(7 * (x[i] - x[0]));
  fc_line_map_apply(&l, 1, 1, a, b);
  for (int64_t i = 0; i < 8; i++) CHECK_NEAR(b[i], cos(2 * M_PI * (double)i / 8), 1e-14);
  fc_line_map_free(&l);
}

static double trapezoid(int64_t n, const double *at, const double *f) {
  double sum = 0;
  for (int64_t i = 0; i + 1 < n; i++) sum += (at[i + 1] - at[i]) * (f[i + 1] + f[i]) / 2;
  return sum;
}

/* cells: midway between the new points */
static double cells(const fc_line_map *l, const double *f) {
  double sum = 0;
  for (int64_t i = 0; i < l->m; i++)
    sum += f[i] * (l->x[fc_min64(i + 1, l->m - 1)] - l->x[fc_max64(i - 1, 0)]) / 2;
  return sum;
}

static void keeps_integrals(void) {
  const fc_rng r    = {1, 0, FC_RNG_TEST};
  const int    m[3] = {11, 8, 21};

  for (int k = 0; k < 3; k++) {
    fc_line_map l = make(walls(21), FC_LINE_BOX, m[k], 0, false);
    for (int i = 0; i < 21; i++) a[i] = fc_rng_normal(&r, (uint64_t)i);
    fc_line_map_apply(&l, 1, 1, a, b);
    CHECK_NEAR(cells(&l, b), trapezoid(21, x, a), 1e-14);
    fc_line_map_free(&l);
  }
  for (int kind = FC_LINE_CUTOFF; kind <= FC_LINE_GAUSSIAN; kind++) { /* means along periodic axes */
    fc_line_map l      = make(even(), (fc_line_kind)kind, 10, 0, true);
    double      sum[2] = {0};
    for (int i = 0; i < N; i++) sum[0] += a[i] = fc_rng_normal(&r, (uint64_t)i);
    fc_line_map_apply(&l, 1, 1, a, b);
    for (int i = 0; i < 10; i++) sum[1] += b[i];
    CHECK_NEAR(sum[1] / 10, sum[0] / N, 1e-14);
    fc_line_map_free(&l);
  }
}

/* A line is its own average over a cell that is symmetric about its point; the ends stay if they shall. New
   points follow the map of the old ones: every second one of 21 by name and by cubic are the same. */
static void boxes_at_walls(void) {
  fc_line_map l = make(walls(21), FC_LINE_BOX, 11, 0, true),
              s = make(walls(21), FC_LINE_SUBSAMPLE, 11, 0, true);

  for (int i = 0; i < 21; i++) a[i] = 2 + 3 * x[i];
  fc_line_map_apply(&l, 1, 1, a, b);
  CHECK(b[0] == a[0] && b[10] == a[20]);
  CHECK_NEAR(b[5], 2, 1e-14);
  for (int i = 0; i < 11; i++) CHECK_NEAR(l.x[i], s.x[i], 1e-15);
  CHECK_NEAR(b[3], 2 + 3 * ((l.x[2] + 2 * l.x[3] + l.x[4]) / 4), 1e-14); /* the middle of its cell */
  fc_line_map_free(&l);
  l = make(walls(21), FC_LINE_BOX, 11, 0.5, true); /* half as wide */
  fc_line_map_apply(&l, 1, 1, a, b);
  CHECK_NEAR(b[3], 2 + 3 * ((l.x[2] + 6 * l.x[3] + l.x[4]) / 8), 1e-14);
  fc_line_map_free(&l);
  fc_line_map_free(&s);
}

/* [before, n, after]: each line by itself, with the same bits for any number of threads */
static void lines_side_by_side(void) {
  enum { BEFORE = 3, AFTER = 700, M = 8 };
  fc_line_map l  = make(even(), FC_LINE_BOX, M, 0, true);
  double     *in = malloc(BEFORE * N * AFTER * sizeof *in), *out = malloc(BEFORE * M * AFTER * sizeof *out),
         *again  = malloc(BEFORE * M * AFTER * sizeof *again);
  const fc_rng r = {2, 0, FC_RNG_TEST};

  for (int i = 0; i < BEFORE * N * AFTER; i++) in[i] = fc_rng_normal(&r, (uint64_t)i);
  fc_line_map_apply(&l, BEFORE, AFTER, in, out);
  for (int i = 0; i < N; i++) a[i] = in[(2 * N + i) * AFTER + 600];
  fc_line_map_apply(&l, 1, 1, a, b);
  for (int i = 0; i < M; i++) CHECK(out[(2 * M + i) * AFTER + 600] == b[i]);
  fc_threads_set(3);
  fc_line_map_apply(&l, BEFORE, AFTER, in, again);
  fc_threads_set(1);
  CHECK(!memcmp(out, again, BEFORE * M * AFTER * sizeof *out));
  free(in), free(out), free(again);
  fc_line_map_free(&l);
}

static void usual(void) {
  fc_line_map l = make(even(), FC_LINE_AUTO, 0, 0, true);

  CHECK(l.kind == FC_LINE_NONE && l.m == N);
  fc_line_map_free(&l), l = make(even(), FC_LINE_AUTO, 7, 0, true);
  CHECK(l.kind == FC_LINE_CUTOFF);
  fc_line_map_free(&l), l = make(walls(21), FC_LINE_AUTO, 6, 0, true);
  CHECK(l.kind == FC_LINE_SUBSAMPLE);
  fc_line_map_free(&l), l = make(walls(21), FC_LINE_AUTO, 8, 0, true);
  CHECK(l.kind == FC_LINE_BOX);
  fc_line_map_free(&l);
}

static void refused(void) {
  fc_line_map l;

  even();
  CHECK_FAILS(fc_line_map_create(&axis, FC_LINE_CUTOFF, 32, 0, true, &l), FC_E_USAGE, "cannot make 32");
  CHECK_FAILS(fc_line_map_create(&axis, FC_LINE_NONE, 12, 0, true, &l), FC_E_USAGE, "without a filter");
  CHECK_FAILS(fc_line_map_create(&axis, FC_LINE_SUBSAMPLE, 7, 0, true, &l), FC_E_USAGE, "every k-th");
  CHECK_FAILS(fc_line_map_create(&axis, FC_LINE_CUTOFF, 1, 0, true, &l), FC_E_USAGE, "too few");
  walls(21);
  CHECK_FAILS(fc_line_map_create(&axis, FC_LINE_CUTOFF, 8, 0, true, &l), FC_E_USAGE, "no Fourier modes");
  CHECK_FAILS(fc_line_map_create(&axis, FC_LINE_SUBSAMPLE, 10, 0, true, &l), FC_E_USAGE, "with both ends");
  axis.periodic = true;
  CHECK_FAILS(fc_line_map_create(&axis, FC_LINE_BOX, 8, 0, true, &l), FC_E_USAGE, "uneven spacing");
}

CHECK_SUITE(line_map, transfers, aliases, keeps_integrals, boxes_at_walls, lines_side_by_side, usual, refused)
