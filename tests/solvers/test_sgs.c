/* tests/solvers/test_sgs.c - subgrid-scale models on fields with known answers and against plain statements
   of the same formulas (tests/solvers/sgs_plain.h). */
#include "solvers/sgs.h"

#include "tests/solvers/sgs_plain.h"

static void show(const char *what, double value) {
  if (getenv("FC_SHOW")) printf("  %-60s %.6g\n", what, value);
}

/* ---- pointwise models on linear fields ---- */

static const double width[3] = {0.5, 0.2, 0.8};

static double at_point(fc_sgs_model model, double constant, double damping, const double g[9]) {
  const double *one[9];
  double        nu_t = NAN;

  for (int k = 0; k < 9; k++) one[k] = &g[k];
  fc_sgs_viscosity(model, constant, 1, one, width, damping, &nu_t);
  return nu_t;
}

/* rounding: the closed forms below are a dozen operations long */
static const double tight = 1e-15;

static double length2(double constant) { return constant * constant * pow(0.5 * 0.2 * 0.8, 2.0 / 3); }

static void pure_shear(void) {
  const double g[9] = {0, 3, 0};

  CHECK_NEAR(at_point(FC_SGS_SMAGORINSKY, 0.1, 0.7, g), 0.49 * length2(0.1) * 3, tight);
  CHECK(at_point(FC_SGS_WALE, 0.325, 1, g) == 0);
  CHECK(at_point(FC_SGS_VREMAN, 0.07, 1, g) == 0);
}

static void pure_rotation(void) {
  const double g[9] = {0, -3, 0, 3};

  CHECK(at_point(FC_SGS_SMAGORINSKY, 0.1, 1, g) == 0);
  CHECK_NEAR(at_point(FC_SGS_WALE, 0.325, 1, g), length2(0.325) * pow(2.0 / 3, 0.25) * 3, tight);
  CHECK_NEAR(at_point(FC_SGS_VREMAN, 0.07, 1, g), 0.07 * 0.5 * 0.2 * 3 / sqrt(2), tight);
}

static void plane_strain(void) {
  const double g[9] = {3, 0, 0, 0, -3, 0, 0, 0, 0}, q = 2.0 / 3;

  CHECK_NEAR(at_point(FC_SGS_SMAGORINSKY, 0.1, 1, g), length2(0.1) * 2 * 3, tight);
  CHECK_NEAR(at_point(FC_SGS_WALE, 0.325, 1, g),
             length2(0.325) * 3 * pow(q, 1.5) / (pow(2, 2.5) + pow(q, 1.25)), tight);
  CHECK_NEAR(at_point(FC_SGS_VREMAN, 0.07, 1, g), 0.07 * 0.5 * 0.2 * 3 / sqrt(2), tight);
}

static void axisymmetric_strain(void) {
  const double g[9] = {6, 0, 0, 0, -3, 0, 0, 0, -3};
  const double B    = 4 * 0.25 * 0.04 + 4 * 0.25 * 0.64 + 0.04 * 0.64;

  CHECK_NEAR(at_point(FC_SGS_SMAGORINSKY, 0.1, 1, g), length2(0.1) * sqrt(12) * 3, tight);
  CHECK_NEAR(at_point(FC_SGS_WALE, 0.325, 1, g),
             length2(0.325) * 3 * pow(6, 1.5) / (pow(6, 2.5) + pow(6, 1.25)), tight);
  CHECK_NEAR(at_point(FC_SGS_VREMAN, 0.07, 1, g), 0.07 * 3 * sqrt(B / 6), tight);
}

/* components placed elsewhere: the models do not prefer an axis, so a rotated tensor gives the same with
   equal widths */
static void turned_axes(void) {
  static const fc_sgs_model models[] = {FC_SGS_SMAGORINSKY, FC_SGS_WALE, FC_SGS_VREMAN};
  static const double       equal[3] = {0.3, 0.3, 0.3};
  const double              c = cos(0.7), s = sin(0.7), R[9] = {c, -s * c, s * s, s, c * c, -c * s, 0, s, c};
  const double              g[9] = {1, -2, 0.3, 0.7, 0.4, 1.1, -0.6, 0.9, -1.4};
  double                    h[9] = {0}, a, b;

  for (int i = 0; i < 9; i++)
    for (int k = 0; k < 9; k++) h[i] += R[i / 3 * 3 + k / 3] * g[k] * R[i % 3 * 3 + k % 3];
  for (int m = 0; m < 3; m++) {
    const double *gp[9], *hp[9];
    for (int k = 0; k < 9; k++) gp[k] = &g[k], hp[k] = &h[k];
    fc_sgs_viscosity(models[m], 0.2, 1, gp, equal, 1, &a);
    fc_sgs_viscosity(models[m], 0.2, 1, hp, equal, 1, &b);
    CHECK(a > 0);
    CHECK_NEAR(b / a, 1, 1e-13);
  }
}

/* A solenoidal field that does not slip: u, w ~ y and v ~ y^2. The slope over y = 1e-3 .. 1e-2 has an error
   of the order of y. */
static double wall_slope(fc_sgs_model model) {
  double nu[2];

  for (int k = 0; k < 2; k++) {
    const double y    = k ? 1e-2 : 1e-3;
    const double g[9] = {0.7 * y,     1 + 0.4 * y, 0.5 * y,       0.3 * y * y, -0.3 * y,
                         0.6 * y * y, 0.9 * y,     0.8 - 0.2 * y, -0.4 * y};
    nu[k]             = at_point(model, 0.325, 1, g);
  }
  return log10(nu[1] / nu[0]);
}

static void slopes_at_walls(void) {
  show("slope of nu_t at a wall, WALE", wall_slope(FC_SGS_WALE));
  show("slope of nu_t at a wall, Vreman", wall_slope(FC_SGS_VREMAN));
  CHECK_NEAR(wall_slope(FC_SGS_WALE), 3, 0.03);
  CHECK_NEAR(wall_slope(FC_SGS_VREMAN), 1, 0.03);
  CHECK_NEAR(wall_slope(FC_SGS_SMAGORINSKY), 0, 0.01);
  CHECK_NEAR(fc_sgs_damping(25), 1 - exp(-1), 1e-15);
  CHECK_NEAR(fc_sgs_damping(1e-3), 4e-5, 1e-9);
}

static void uniform_flow(void) {
  const double g[9] = {0};

  for (fc_sgs_model m = FC_SGS_SMAGORINSKY; m <= FC_SGS_VREMAN; m++)
    if (m != FC_SGS_DYNAMIC) CHECK(at_point(m, 0.1, 1, g) == 0);
}

/* ---- filters ---- */

static double transfer(fc_sgs_filter_kind kind, int64_t k, int64_t n) {
  const double t = 2 * M_PI * (double)k / (double)n;

  if (kind == FC_SGS_CUTOFF) return 4 * k < n ? 1 : 0;
  if (kind == FC_SGS_TRAPEZOID) return cos(t / 2) * cos(t / 2);
  return (22 + 15 * cos(t) - 6 * cos(2 * t) + cos(3 * t)) / 32;
}

/* A wave in one half of the pair, another in the other: each comes out with its own factor. n points of a
   flow with `keep`; inner numbers side by side hold the same wave times 1, 2, ... */
static void waves(fc_sgs_filter_kind kind, int64_t n, int64_t keep, int64_t inner) {
  fc_sgs_filter *f;
  double        *x = fc_fft2_alloc(2 * n * inner), *y = fc_fft2_alloc(2 * n * inner), off = 0;

  CHECK_OK(fc_sgs_filter_create(kind, false, 1, n, keep, inner, false, &f));
  for (int64_t k = 0; k < (keep + 1) / 2; k++) {
    const double q = 2 * M_PI * (double)k, p = 2 * M_PI * (double)(k / 2);
    for (int64_t i = 0; i < n * inner; i++) {
      const double s = (double)(i / inner) / (double)n;
      x[2 * i]       = (double)(i % inner + 1) * cos(q * s + 0.3);
      x[2 * i + 1]   = sin(p * s + 0.9);
    }
    fc_sgs_filter_apply(f, x, y);
    for (int64_t i = 0; i < f->m * inner; i++) {
      const double s = (double)(i / inner) / (double)f->m;
      off = fmax(off, fabs(y[2 * i] - (double)(i % inner + 1) * transfer(kind, k, keep) * cos(q * s + 0.3)));
      off = fmax(off, fabs(y[2 * i + 1] - transfer(kind, k / 2, keep) * sin(p * s + 0.9)));
    }
  }
  CHECK(off < 1e-13);
  fc_sgs_filter_destroy(f);
  free(x), free(y);
}

static void filters_of_waves(void) {
  for (int64_t n = 4; n <= 18; n += 2) {
    waves(FC_SGS_CUTOFF, n, n, 1);
    waves(FC_SGS_CUTOFF, n, n, 3);
    waves(FC_SGS_CUTOFF, n + n / 2, n, 2);
    waves(FC_SGS_TRAPEZOID, n, n, 1);
    waves(FC_SGS_TRAPEZOID, n, n, 5);
    waves(FC_SGS_TRAPEZOID, n + n / 2, n, 3);
    waves(FC_SGS_SIXTH, n + n / 2, n, 1);
    waves(FC_SGS_SIXTH, n, n, 1);
    waves(FC_SGS_SIXTH, n, n, 5);
  }
}

/* widths as solvers/sgs_filter.h states them: the wave that is halved, over that of a filter of one spacing
 * (pi) */
static void ratios_as_stated(void) {
  double half = 0;

  CHECK_NEAR(transfer(FC_SGS_TRAPEZOID, 1, 4), 0.5, 1e-15);
  while ((22 + 15 * cos(half) - 6 * cos(2 * half) + cos(3 * half)) / 32 > 0.5) half += 1e-4;
  show("ratio of the sixth-order filter", M_PI / half);
  CHECK_NEAR(half, 2.2, 0.01);
}

/* Cubics are kept by the sixth-order filter everywhere but beside walls, where weights of third and fifth
   order keep parabolas and more; the wall itself is not touched. */
static void filter_at_walls(void) {
  enum { N = 9 };
  fc_sgs_filter *f;
  double        *x = fc_fft2_alloc(2 * N), *y = fc_fft2_alloc(2 * N);

  CHECK_OK(fc_sgs_filter_create(FC_SGS_SIXTH, true, 1, N, N, 1, false, &f));
  for (int64_t i = 0; i < N; i++) {
    const double s = (double)i - 3;
    x[2 * i] = 1 + s + s * s, x[2 * i + 1] = 7;
  }
  fc_sgs_filter_apply(f, x, y);
  for (int64_t i = 0; i < 2 * N; i++) CHECK_NEAR(y[i], x[i], 1e-13);
  x[0] += 1; /* and a change at the wall gets where its weights say */
  fc_sgs_filter_apply(f, x, y);
  CHECK_NEAR(y[0], x[0], 1e-13);
  CHECK_NEAR(y[2], x[2] + 0.125, 1e-13);
  CHECK_NEAR(y[4], x[4] - 0.03125, 1e-13);
  CHECK_NEAR(y[6], x[6] + 0.015625, 1e-13);
  fc_sgs_filter_destroy(f);
  free(x), free(y);
}

/* ---- the dynamic procedure ---- */

static void plane_of(const plain_flow *f, fc_sgs_filter_kind kind, double *c) {
  const int64_t n = f->n[1] * f->n[2];
  fc_sgs_plane *d;
  double       *strain = fc_fft2_alloc(n);

  CHECK_OK(fc_sgs_plane_create(kind, f->n[1], f->n[2], f->n[1], f->n[2], 2, false, &d));
  for (int64_t i = 0; i < f->n[0]; i++) {
    const double *u[3], *g[9];
    for (int k = 0; k < 3; k++) u[k] = f->u[k] + i * n;
    for (int k = 0; k < 9; k++) g[k] = f->g[k] + i * n;
    c[i] = fc_sgs_plane_find(d, i % 2, u, g, strain);
  }
  fc_sgs_plane_destroy(d);
  free(strain);
}

static double box_of(const plain_flow *f, fc_sgs_filter_kind kind) {
  fc_sgs_box *d;
  double      c = NAN;

  CHECK_OK(fc_sgs_box_create(false, kind, f->n, f->n, false, &d));
  CHECK_OK(fc_sgs_box_find(d, (const double *const *)f->u, (const double *const *)f->g, &c));
  fc_sgs_box_destroy(d);
  return c;
}

/* Germano's identity made to hold. g is constant but for a part that changes its sign from point to point
   along one axis: S^ is the constant part, (|S| S)^ the mean of two tensors, so M is one known tensor. u is
   made of three vectors that change their signs along axis 1, axis 2 and both: their own products stay, mixed
   ones vanish, u^ = 0, and L = sum of r_k r_k. With r_k the columns of the Cholesky factor of c M + b, this
   is c M but for the invisible multiple b of the identity: tau_ij = -2 c |S| S_ij holds at both levels
   exactly. */
typedef double tensor[3][3];

static double size_of(const double g[9], tensor S) {
  double sum = 0;

  for (int i = 0; i < 9; i++) {
    S[i / 3][i % 3] = (g[i] + g[i % 3 * 3 + i / 3]) / 2;
    sum += 2 * S[i / 3][i % 3] * S[i / 3][i % 3];
  }
  return sqrt(sum);
}

static void cholesky(tensor A) {
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      double sum = A[i][j];
      for (int k = 0; k < j && k < i; k++) sum -= A[i][k] * A[j][k];
      A[i][j] = j > i ? 0 : j == i ? sqrt(sum) : sum / A[j][j];
    }
}

static const double still[9] = {1, 2, -0.5, 0.3, -1.7, 0.8, 0.4, -0.9, 0.7},
                    flip[9]  = {0.5, -1, 0.2, 0.7, 0.3, -0.6, 1.1, 0.2, -0.8};

static plain_flow built_in(int64_t n0, int64_t n1, int64_t n2, double c, double a) {
  plain_flow f = plain_flow_make(n0, n1, n2, 1);
  double     up[9], down[9];
  tensor     P, Q, Z, R;

  for (int k = 0; k < 9; k++) up[k] = still[k] + flip[k], down[k] = still[k] - flip[k];
  const double p = size_of(up, P), q = size_of(down, Q), z = size_of(still, Z);
  for (int i = 0; i < 9; i++)
    R[i / 3][i % 3] = 2 * c * ((p * P[i / 3][i % 3] + q * Q[i / 3][i % 3]) / 2 - a * z * Z[i / 3][i % 3]) +
                      (i % 4 ? 0 : 20);
  cholesky(R);
  for (int64_t at = 0; at < f.points; at++) {
    const double s = at / n2 % n1 % 2 ? -1 : 1, t = at % n2 % 2 ? -1 : 1;
    for (int k = 0; k < 9; k++) f.g[k][at] = still[k] + s * flip[k];
    for (int i = 0; i < 3; i++) f.u[i][at] = s * R[i][0] + t * R[i][1] + s * t * R[i][2];
  }
  return f;
}

static void constant_returns(void) {
  static const double given[] = {0.03, -0.02};

  for (int k = 0; k < 2; k++)
    for (int kind = FC_SGS_CUTOFF; kind <= FC_SGS_TRAPEZOID; kind++) {
      plain_flow f = built_in(4, 8, 12, given[k], cbrt(16));
      double     c[4];
      plane_of(&f, kind, c);
      for (int j = 0; j < 4; j++) CHECK_NEAR(c[j], given[k], 1e-14);
      plain_flow_drop(f);
      f = built_in(4, 8, 12, given[k], 4);
      CHECK_NEAR(box_of(&f, kind), given[k], 1e-14);
      plain_flow_drop(f);
    }
}

/* any field, against the formulas with filters as matrices */
static void agrees_with_formulas(void) {
  plain_flow f = plain_flow_make(8, 12, 16, 40);
  double     c[8];

  for (int kind = FC_SGS_CUTOFF; kind <= FC_SGS_TRAPEZOID; kind++) {
    plane_of(&f, kind, c);
    for (int64_t i = 0; i < 8; i += 3)
      CHECK_NEAR(c[i] / plain_dynamic(&f, 1, kind, pow(4, 2.0 / 3), i), 1, 1e-12);
    CHECK_NEAR(box_of(&f, kind) / plain_dynamic(&f, 0, kind, 4, 0), 1, 1e-12);
  }
  plain_flow_drop(f);
}

/* nu_t = c |S|, but not below what is allowed; |S| as the dynamic model gives it */
static void eddies(void) {
  plain_flow    f = plain_flow_make(1, 8, 8, 3);
  fc_sgs_plane *d;
  double        strain[64], nu_t[64];

  CHECK_OK(fc_sgs_plane_create(FC_SGS_CUTOFF, 8, 8, 8, 8, 1, false, &d));
  fc_sgs_plane_find(d, 0, (const double *const *)f.u, (const double *const *)f.g, strain);
  for (int k = 0; k < 3; k++) {
    static const double c[] = {0.02, -0.02, -0.02}, least[] = {0, 0, -0.03}; /* |S| is 1 to 3 */
    fc_sgs_eddies(64, (const double *const *)f.g, c[k], least[k], nu_t);
    for (int p = 0; p < 64; p++) {
      double g[9];
      tensor S;
      for (int i = 0; i < 9; i++) g[i] = f.g[i][p];
      CHECK_NEAR(nu_t[p], fmax(c[k] * size_of(g, S), least[k]), 1e-15);
      CHECK_NEAR(strain[p], size_of(g, S), 1e-14);
    }
  }
  fc_sgs_plane_destroy(d);
  plain_flow_drop(f);
}

/* The same field on the grid of the flow and on a padded one gives the same c, if products fit both grids:
   waves up to 3 of 16 along each axis. */
static double smooth_c(fc_sgs_filter_kind kind, int64_t n, int64_t keep) {
  plain_flow    f = plain_flow_make(1, n, n, 1);
  fc_sgs_plane *d;
  double       *strain = fc_fft2_alloc(f.points), c;

  for (int64_t p = 0; p < f.points; p++) {
    const double x = 2 * M_PI * (double)(p / n) / (double)n, z = 2 * M_PI * (double)(p % n) / (double)n;
    for (int k = 0; k < 3; k++) f.u[k][p] = cos(3 * x + k) + sin((k + 1) * z) + 0.3 * cos(x - 2 * z + k);
    for (int k = 0; k < 9; k++) f.g[k][p] = still[k] * (1 + 0.5 * cos(x) * sin(z)); /* |S|: the same waves */
  }
  CHECK_OK(fc_sgs_plane_create(kind, n, n, keep, keep, 1, false, &d));
  c = fc_sgs_plane_find(d, 0, (const double *const *)f.u, (const double *const *)f.g, strain);
  fc_sgs_plane_destroy(d);
  plain_flow_drop(f);
  free(strain);
  return c;
}

static void padded_grids(void) {
  for (int kind = FC_SGS_CUTOFF; kind <= FC_SGS_TRAPEZOID; kind++)
    CHECK_NEAR(smooth_c(kind, 24, 16) / smooth_c(kind, 16, 16), 1, 1e-12);
}

/* c does not change with a uniform velocity added: L does not, but for the rounding of u u, which grows from
   1 to 100 while L:M is a difference ten to a thousand times smaller. */
static void galilean(void) {
  plain_flow   f = plain_flow_make(4, 8, 8, 7);
  double       a[4], b[4];
  const double A = box_of(&f, FC_SGS_CUTOFF);

  plane_of(&f, FC_SGS_CUTOFF, a);
  for (int64_t p = 0; p < f.points; p++) f.u[0][p] += 10, f.u[1][p] -= 3, f.u[2][p] += 5;
  plane_of(&f, FC_SGS_CUTOFF, b);
  for (int j = 0; j < 4; j++) CHECK_NEAR(b[j] / a[j], 1, 1e-9);
  CHECK_NEAR(box_of(&f, FC_SGS_CUTOFF) / A, 1, 1e-9);
  plain_flow_drop(f);
}

/* a field at rest divides nothing by nothing */
static void at_rest(void) {
  plain_flow f = plain_flow_make(4, 8, 8, 7);
  double     c[4];

  for (int k = 0; k < 3; k++) memset(f.u[k], 0, (size_t)f.points * sizeof(double));
  for (int k = 0; k < 9; k++) memset(f.g[k], 0, (size_t)f.points * sizeof(double));
  plane_of(&f, FC_SGS_CUTOFF, c);
  CHECK(c[0] == 0);
  CHECK(box_of(&f, FC_SGS_CUTOFF) == 0);
  plain_flow_drop(f);
}

/* ---- the clipped variant ---- */

static const double spacing[3] = {0.4, 0.3, 0.2};

static double *clipped_of(const plain_flow *f, const double *x, double limit) {
  fc_sgs_clipped *s;
  double         *c = fc_fft2_alloc(f->n[0] * f->n[1]);

  CHECK_OK(fc_sgs_clipped_create(false, f->n, f->n, x, spacing, limit, &s));
  CHECK_OK(fc_sgs_clipped_find(s, (const double *const *)f->u, (const double *const *)f->g, c));
  fc_sgs_clipped_destroy(s);
  return c;
}

/* with a limit that cuts a part of the points */
static void clipped_as_stated(void) {
  static const double y[] = {0, 0.05, 0.2, 0.5, 0.9, 1.2, 1.35, 1.4};
  plain_flow          f   = plain_flow_make(8, 6, 10, 90);

  for (int walls = 0; walls < 2; walls++) {
    const double *x = walls ? y : NULL;
    double *a = clipped_of(&f, x, 0.01), *b = plain_clipped(&f, x, spacing, 0.01), *c = clipped_of(&f, x, 5);
    double  off = 0, cut = 0;
    for (int64_t p = 0; p < f.points; p++) {
      off = fmax(off, fabs(a[p / 10] - b[p]));
      cut = fmax(cut, fabs(a[p / 10] - c[p / 10]));
    }
    CHECK(off < 1e-16); /* values are about 1e-4 */
    CHECK(cut > 1e-6);
    free(a), free(b), free(c);
  }
  plain_flow_drop(f);
}

/* ---- threads ---- */

static void same_bits(void) {
  plain_flow f = plain_flow_make(8, 16, 16, 3);
  double     box[3], *clipped[3];

  for (int t = 0; t < 3; t++) {
    fc_threads_set(t + 1);
    box[t]     = box_of(&f, FC_SGS_TRAPEZOID);
    clipped[t] = clipped_of(&f, NULL, 5);
    CHECK(box[t] == box[0] && !memcmp(clipped[t], clipped[0], 8 * 16 * sizeof(double)));
  }
  fc_threads_set(1);
  for (int t = 0; t < 3; t++) free(clipped[t]);
  plain_flow_drop(f);
}

CHECK_SUITE(sgs, pure_shear, pure_rotation, plane_strain, axisymmetric_strain, turned_axes, slopes_at_walls,
            uniform_flow, filters_of_waves, ratios_as_stated, filter_at_walls, constant_returns,
            agrees_with_formulas, eddies, padded_grids, galilean, at_rest, clipped_as_stated, same_bits)
