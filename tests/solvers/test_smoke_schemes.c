/* tests/solvers/test_smoke_schemes.c - the published step of solvers/smoke.h against a plain statement of it,
   orders of both schemes, the flow under a lid. */
#include "tests/solvers/smoke_box.h"

/* ---- the published step, stated plainly ---- */

typedef struct { /* values [n0, n1, n2] and where the first one lies, in cells from the corner of the box */
  int64_t n[3];
  double  first[3];
  double *x;
  bool    extend; /* beyond the values: the nearest one, or zero */
} grid;

static double grid_value(const grid *g, int64_t i, int64_t j, int64_t k) {
  const int64_t at[3] = {i, j, k};
  int64_t       in[3];

  for (int a = 0; a < 3; a++) {
    in[a] = at[a] < 0 ? 0 : at[a] >= g->n[a] ? g->n[a] - 1 : at[a];
    if (in[a] != at[a] && !g->extend) return 0;
  }
  return g->x[(in[0] * g->n[1] + in[1]) * g->n[2] + in[2]];
}

static double sampled(const grid *g, const double at[3]) {
  int64_t i[3];
  double  f[3], sum = 0;

  for (int a = 0; a < 3; a++) {
    const double q = at[a] - g->first[a];
    i[a]           = (int64_t)floor(q);
    f[a]           = q - floor(q);
  }
  for (int c = 0; c < 8; c++) {
    const int p = c >> 2, q = c >> 1 & 1, r = c & 1;
    sum += (p ? f[0] : 1 - f[0]) * (q ? f[1] : 1 - f[1]) * (r ? f[2] : 1 - f[2]) *
           grid_value(g, i[0] + p, i[1] + q, i[2] + r);
  }
  return sum;
}

static void position(const grid *g, int64_t i, double at[3]) {
  at[0] = g->first[0] + (double)(i / (g->n[1] * g->n[2]));
  at[1] = g->first[1] + (double)(i / g->n[2] % g->n[1]);
  at[2] = g->first[2] + (double)(i % g->n[2]);
}

static int64_t count(const grid *g) { return g->n[0] * g->n[1] * g->n[2]; }

static grid like(const grid *g) {
  grid r = *g;

  r.x = calloc((size_t)count(g), sizeof *r.x);
  return r;
}

/* g from where it comes from */
static grid fetched(const grid *g, const grid u[3], const double dx[3], double h) {
  grid r = like(g);

  for (int64_t i = 0; i < count(g); i++) {
    double at[3], v[3];
    position(g, i, at);
    for (int a = 0; a < 3; a++) v[a] = sampled(&u[a], at);
    for (int a = 0; a < 3; a++) at[a] -= h * v[a] / dx[a];
    r.x[i] = sampled(g, at);
  }
  return r;
}

static void diffuse(grid *g, const double dx[3], double amount) {
  grid         old  = *g;
  const double s[3] = {1 / dx[0] / dx[0], 1 / dx[1] / dx[1], 1 / dx[2] / dx[2]};

  *g = like(&old);
  for (int64_t i = 0; i < count(g); i++) {
    const int64_t p = i / (g->n[1] * g->n[2]), q = i / g->n[2] % g->n[1], r = i % g->n[2];
    g->x[i] =
        old.x[i] +
        amount * (s[0] * (grid_value(&old, p - 1, q, r) - 2 * old.x[i] + grid_value(&old, p + 1, q, r)) +
                  s[1] * (grid_value(&old, p, q - 1, r) - 2 * old.x[i] + grid_value(&old, p, q + 1, r)) +
                  s[2] * (grid_value(&old, p, q, r - 1) - 2 * old.x[i] + grid_value(&old, p, q, r + 1)));
  }
  free(old.x);
}

/* lower or upper face of a cell along axis a: zero on a wall; faces are stored from the second on */
static double face(const grid *u, const int64_t c[3], int a, int upper) {
  int64_t i[3] = {c[0], c[1], c[2]};

  i[a] += upper - 1;
  return grid_value(u, i[0], i[1], i[2]);
}

/* Gauss and Seidel until nothing changes */
static void project(grid u[3], const int64_t n[3], const double dx[3]) {
  double       *p       = calloc((size_t)(n[0] * n[1] * n[2]), sizeof *p);
  const int64_t next[3] = {n[1] * n[2], n[2], 1};

  for (int sweep = 0; sweep < 4000; sweep++)
    for (int64_t i = 0; i < n[0] * n[1] * n[2]; i++) {
      const int64_t c[3] = {i / next[0], i / n[2] % n[1], i % n[2]};
      double        sum = 0, weight = 0;
      for (int a = 0; a < 3; a++) {
        const double f = 1 / dx[a] / dx[a];
        sum -= (face(&u[a], c, a, 1) - face(&u[a], c, a, 0)) / dx[a];
        if (c[a] > 0) sum += f * p[i - next[a]], weight += f;
        if (c[a] < n[a] - 1) sum += f * p[i + next[a]], weight += f;
      }
      p[i] = sum / weight;
    }
  for (int a = 0; a < 3; a++)
    for (int64_t i = 0; i < count(&u[a]); i++) {
      int64_t       c[3] = {i / (u[a].n[1] * u[a].n[2]), i / u[a].n[2] % u[a].n[1], i % u[a].n[2]};
      const int64_t at   = c[0] * next[0] + c[1] * next[1] + c[2];
      u[a].x[i] -= (p[at + next[a]] - p[at]) / dx[a];
    }
  free(p);
}

static void plain_step(grid *s, grid u[3], const int64_t n[3], const double dx[3], double h, double nu,
                       double b) {
  grid smoke = fetched(s, u, dx, h), v[3];

  for (int a = 0; a < 3; a++) v[a] = fetched(&u[a], u, dx, h);
  for (int64_t i = 0; i < count(&v[2]); i++) {
    double at[3];
    position(&v[2], i, at);
    v[2].x[i] += h * b * sampled(&smoke, at);
  }
  for (int a = 0; a < 3; a++) diffuse(&v[a], dx, h * nu);
  project(v, n, dx);
  free(s->x);
  *s = smoke;
  for (int a = 0; a < 3; a++) free(u[a].x), u[a] = v[a];
}

/* from our arrays, where faces begin with the wall */
static void copy(box b, grid *s, grid u[3]) {
  for (int64_t r = 0; r < b.s->rows; r++)
    for (int64_t k = 0; k < b.s->n[2]; k++)
      s->x[r * b.s->n[2] + k] = b.w->now[FC_SMOKE][fc_smoke_row(b.s, r) + k];
  for (int a = b.s->first; a < 3; a++)
    for (int64_t i = 0; i < count(&u[a]); i++) {
      const int64_t c[3] = {i / (u[a].n[1] * u[a].n[2]), i / u[a].n[2] % u[a].n[1], i % u[a].n[2]};
      u[a].x[i] =
          b.w->now[a][(c[0] + (b.s->ndim == 3)) * b.s->step[0] + (c[1] + 1) * b.s->step[1] + c[2] + 1];
    }
}

/* In two dimensions the plain statement has one layer of cells and no velocity through it. */
static double apart_from_plain(box b, int steps, double h) {
  const bool    flat  = b.s->ndim == 2;
  const int64_t n[3]  = {b.s->n[0], b.s->n[1], b.s->n[2]};
  const double  dx[3] = {flat ? 1e9 : b.s->dx[0], b.s->dx[1], b.s->dx[2]};
  grid          s     = {{n[0], n[1], n[2]}, {0.5, 0.5, 0.5}, NULL, true}, u[3], mine[3];
  double        worst = 0;

  s.x = calloc((size_t)count(&s), sizeof *s.x);
  for (int a = 0; a < 3; a++) {
    u[a] = (grid){{n[0], n[1], n[2]}, {0.5, 0.5, 0.5}, NULL, false};
    u[a].n[a]--;
    u[a].first[a] = 1;
    u[a].x        = calloc((size_t)fc_max64(1, count(&u[a])), sizeof(double));
  }
  copy(b, &s, u);
  for (int i = 0; i < steps; i++) {
    fc_smoke_step(b.w, h);
    plain_step(&s, u, n, dx, h, b.s->c.nu, b.s->c.buoyancy);
  }
  grid smoke = like(&s);
  for (int a = 0; a < 3; a++) mine[a] = like(&u[a]);
  copy(b, &smoke, mine);
  for (int64_t i = 0; i < count(&s); i++) worst = fmax(worst, fabs(smoke.x[i] - s.x[i]));
  for (int a = 0; a < 3; a++)
    for (int64_t i = 0; i < count(&u[a]); i++) worst = fmax(worst, fabs(mine[a].x[i] - u[a].x[i]));
  for (int a = 0; a < 3; a++) free(u[a].x), free(mine[a].x);
  free(s.x), free(smoke.x);
  return worst;
}

/* Gauss and Seidel stop at rounding; smoke moves by up to two cells a step. */
static void data_are_made_as_published(void) {
  box solid      = made("factformer-smoke3d", SET("nx=7", "ny=6", "nz=8")),
      flat       = made("pdearena-smoke2d", SET("nx=12", "ny=9", "lx=3", "ly=2.25", "nu=1e-3", "dt=0.75"));
  const double a = apart_from_plain(solid, 6, 0.75), b = apart_from_plain(flat, 6, 0.75);

  show("published step against a plain statement, 3-D, 6 steps", a);
  show("the same, 2-D", b);
  CHECK(a < 1e-12 && b < 1e-12);
  CHECK(fastest(solid) > 0.1 && fastest(flat) > 0.1);
  drop(solid), drop(flat);
}

/* ---- advection ---- */

/* rigid rotation about the centre of the unit square with angular velocity 1, at the faces; smoke: a round
 * blob */
static void blob(const double at[2], double out[1]) {
  const double x = at[0] - 0.5, y = at[1] - 0.7;

  out[0] = exp(-(x * x + y * y) / 0.01);
}

static void rotate(box b) {
  for (int64_t i = 0; i < b.s->p[1]; i++)
    for (int64_t j = 0; j < b.s->p[2]; j++) {
      const double at[2] = {((double)i - 0.5) * b.s->dx[1], ((double)j - 0.5) * b.s->dx[2]};
      blob(at, b.w->now[FC_SMOKE] + i * b.s->p[2] + j);
      b.w->now[1][i * b.s->p[2] + j] = -(at[1] - 0.5);
      b.w->now[2][i * b.s->p[2] + j] = at[0] - 0.5;
    }
  b.w->frozen = true;
}

/* mean distance from the blob, carried by a map x -> A x about the centre, A given by its first column */
static double off(box b, double c, double s) {
  double sum = 0;

  for (int64_t r = 0; r < b.s->rows; r++)
    for (int64_t k = 0; k < b.s->n[2]; k++) {
      const double x = ((double)r + 0.5) * b.s->dx[1] - 0.5, y = ((double)k + 0.5) * b.s->dx[2] - 0.5;
      const double from[2] = {0.5 + c * x - s * y, 0.5 + s * x + c * y};
      double       v;
      blob(from, &v);
      sum += fabs(b.w->now[FC_SMOKE][fc_smoke_row(b.s, r) + k] - v);
    }
  return sum / (double)b.s->cells;
}

/* A quarter of a turn in n steps on an m x m grid. Against the exact turn, or against the turn by Euler
   steps, which leaves the error of interpolation: those map x to (I - h W) x, so n of them to a turn and
   stretch by powers of 1 - i h. */
static double turned(const char *scheme, int m, int n, bool euler) {
  char nx[32], ny[32];

  snprintf(nx, sizeof nx, "nx=%d", m), snprintf(ny, sizeof ny, "ny=%d", m);
  box          b = made("smoke", SET(nx, ny, scheme, "nu=0", "initial=none"));
  const double h = M_PI / 2 / n;
  double       c = 1, s = 0;
  rotate(b);
  for (int i = 0; i < n; i++) {
    fc_smoke_step(b.w, h);
    const double t = c + h * s; /* (c + i s)(1 - i h) */
    s              = s - h * c;
    c              = t;
  }
  const double e = euler ? off(b, c, s) : off(b, 0, -1);
  drop(b);
  return e;
}

static void rotation(void) {
  const char *const back = "scheme=semi_lagrangian", *const volumes = "scheme=volumes";
  const double t1 = turned(back, 256, 8, false), t2 = turned(back, 256, 16, false);
  const double x1 = turned(back, 64, 8, true), x2 = turned(back, 128, 8, true);
  const double v1 = turned(volumes, 48, 100, false), v2 = turned(volumes, 96, 200, false);

  show("rotation: semi_lagrangian, order in dt", log2(t1 / t2));
  show("rotation: semi_lagrangian, order in dx", log2(x1 / x2));
  show("rotation: semi_lagrangian, 96^2 in 200 steps, mean error", turned(back, 96, 200, false));
  show("rotation: volumes, order in both", log2(v1 / v2));
  show("rotation: volumes, 96^2 in 200 steps, mean error", v2);
  CHECK_NEAR(log2(t1 / t2), 1, 0.15); /* the rest of the spatial error and of higher orders at large steps */
  CHECK_NEAR(log2(x1 / x2), 2, 0.15);
  CHECK(log2(v1 / v2) > 1.8); /* limits act at the top of the blob */
  CHECK(v2 < 0.2 * turned(back, 96, 200, false));
}

/* ---- order of the accurate scheme ---- */

/* A smooth start, the same on every grid: waves of smoke, and a velocity from a stream function that vanishes
   with its slope at the walls, psi = (sin pi x sin pi y)^2 / pi, exactly divergence-free on the grid. */
static double stream(double x, double y) {
  const double p = sin(M_PI * x) * sin(M_PI * y);

  return p * p / M_PI;
}

static void begin_smoothly(box b) {
  const double dx = b.s->dx[1], dy = b.s->dx[2];

  for (int64_t i = 0; i < b.s->p[1]; i++)
    for (int64_t j = 0; j < b.s->p[2]; j++) {
      const int64_t at = i * b.s->p[2] + j;
      const double  x = (double)i * dx, y = (double)j * dy; /* the upper corner of the cell */
      b.w->now[FC_SMOKE][at] = cos(M_PI * (x - dx / 2)) * cos(2 * M_PI * (y - dy / 2));
      b.w->now[1][at]        = i < b.s->p[1] - 1 ? (stream(x, y) - stream(x, y - dy)) / dy : 0;
      b.w->now[2][at]        = j < b.s->p[2] - 1 ? -(stream(x, y) - stream(x - dx, y)) / dx : 0;
    }
  for (int f = 1; f < FC_SMOKE_FIELDS; f++) fc_smoke_borders(b.s, f, b.w->now[f]);
}

static box flown(int n, int steps, const char *scheme) {
  char nx[32], ny[32];

  snprintf(nx, sizeof nx, "nx=%d", n), snprintf(ny, sizeof ny, "ny=%d", n);
  box b = made("smoke", SET(nx, ny, "initial=none", "nu=5e-3", "dt=0.02", scheme));
  begin_smoothly(b);
  for (int i = 0; i < steps; i++) fc_smoke_step(b.w, 0.2 / steps);
  return b;
}

/* mean distances of smoke, and of the velocity through faces, from a run on twice the grid (means of four
   cells, of two faces) or on the same one */
static void apart(box a, box b, double out[2]) {
  const int64_t  f = b.s->n[1] / a.s->n[1], p = b.s->p[2];
  double *const *y = b.w->now;

  out[0] = out[1] = 0;
  for (int64_t i = 1; i <= a.s->n[1]; i++)
    for (int64_t j = 1; j <= a.s->n[2]; j++) {
      const int64_t at = i * a.s->p[2] + j, i0 = (i - 1) * f + 1, j0 = (j - 1) * f + 1, i1 = i0 + f - 1,
                    j1 = j0 + f - 1;
      const double s   = (y[FC_SMOKE][i0 * p + j0] + y[FC_SMOKE][i1 * p + j0] + y[FC_SMOKE][i0 * p + j1] +
                        y[FC_SMOKE][i1 * p + j1]) /
                       4;
      out[0] += fabs(s - a.w->now[FC_SMOKE][at]) / (double)a.s->cells;
      out[1] += fabs((y[1][i1 * p + j0] + y[1][i1 * p + j1]) / 2 - a.w->now[1][at]) / (double)a.s->cells;
    }
}

static void order_in(const char *scheme, const int n[3], const int steps[3], double order[2]) {
  box    b[3];
  double coarse[2], fine[2];

  for (int i = 0; i < 3; i++) b[i] = flown(n[i], steps[i], scheme);
  apart(b[0], b[1], coarse);
  apart(b[1], b[2], fine);
  for (int i = 0; i < 2; i++) order[i] = log2(coarse[i] / fine[i]);
  for (int i = 0; i < 3; i++) drop(b[i]);
}

static void accurate_is_of_second_order(void) {
  static const int grids[3] = {32, 64, 128}, same[3] = {32, 32, 32}, steps[3] = {40, 80, 160},
                   few[3] = {10, 20, 40};
  double space[2], time[2], back[2];

  order_in("scheme=volumes", grids, steps, space);
  order_in("scheme=volumes", same, few, time);
  order_in("scheme=semi_lagrangian", same, steps, back);
  show("volumes, grid and step halved: order of smoke", space[0]);
  show("volumes, grid and step halved: order of velocity", space[1]);
  show("volumes, step halved: order of smoke", time[0]);
  show("volumes, step halved: order of velocity", time[1]);
  show("semi_lagrangian, step halved: order of velocity", back[1]);
  CHECK(space[0] > 1.7); /* limits act where smoke has its extremes */
  CHECK(space[1] > 1.7);
  CHECK(time[1] > 2.7);
}

/* ---- the lid ---- */

/* Ghia, Ghia and Shin, J. Comput. Phys. 48 (1982), Re = 100: u on the vertical line through the centre */
static void cavity(void) {
  static const double ghia[][2] = {{0.0547, -0.03717}, {0.1719, -0.10150}, {0.4531, -0.21090},
                                   {0.6172, -0.13641}, {0.7344, 0.00332},  {0.8516, 0.23151},
                                   {0.9531, 0.68717}};
  box    b     = made("smoke", SET("nx=32", "ny=32", "nu=0.01", "lid=1", "initial=none", "accurate=true"));
  double worst = 0;

  for (int i = 0; i < 1000; i++) fc_smoke_step(b.w, 0.015);
  for (int i = 0; i < FC_COUNT(ghia); i++) {
    const double  y = ghia[i][0] * 32 + 0.5, f = y - floor(y); /* in indices of cells */
    const int64_t j = 16 * b.s->p[2] + (int64_t)floor(y);
    const double  u = (1 - f) * b.w->now[1][j] + f * b.w->now[1][j + 1];
    worst           = fmax(worst, fabs(u - ghia[i][1]));
  }
  show("cavity, Re = 100, 32^2: largest distance from Ghia et al.", worst);
  CHECK(worst < 5e-3); /* theirs are off by as much: finer grids do not come closer (docs/validation.md) */
  drop(b);
}

CHECK_SUITE(smoke_schemes, data_are_made_as_published, rotation, accurate_is_of_second_order, cavity)
