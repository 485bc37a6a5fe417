/* tests/solvers/test_channel.c - the channel of solvers/chan.h against exact solutions, published
   eigenvalues, orders and invariants. FC_SHOW=1 prints the measured numbers that docs/validation.md quotes.
 */
#include "io/statistics.h"
#include "solvers/chan_eddy.h"
#include "solvers/chan_orr.h"
#include "solvers/channel_run.h"
#include "tests/check.h"

static void show(const char *what, double which, double value) {
  if (getenv("FC_SHOW")) printf("  %-44s %-8g %.6g\n", what, which, value);
}

static fc_chan_config base(int64_t nx, int64_t ny, int64_t nz) {
  return (fc_chan_config){.nx          = nx,
                          .ny          = ny,
                          .nz          = nz,
                          .length_x    = 2 * M_PI,
                          .length_z    = M_PI,
                          .map         = FC_CHAN_TANH,
                          .stretch     = 1.5,
                          .nu          = 1.0 / 4200,
                          .bulk        = 2.0 / 3,
                          .dt          = 0.01,
                          .frame_dt    = 1,
                          .frames      = 1,
                          .n_traj      = 1,
                          .noise       = 0.2,
                          .noise_modes = 3,
                          .points      = FC_CHAN_AT_NODES,
                          .nx_keep     = nx,
                          .nz_keep     = nz,
                          .y_stride    = 1};
}

static fc_chan *begin(const fc_chan_config *c) {
  fc_chan *s;

  if (fc_chan_create(c, NULL, &s) != FC_OK) abort();
  fc_chan_start(s, 0);
  CHECK(s->status == FC_OK);
  return s;
}

static void steps(fc_chan *s, int n, double h) {
  for (int i = 0; i < n; i++) fc_chan_step(s, h);
}

static int64_t size_of(const fc_chan *s) { return s->k_n * s->c.ny * s->row; }

/* mean of u in cell j */
static double mean_u(const fc_chan *s, int64_t j) { return s->state[FC_CHAN_U][j * s->row]; }

/* ---- grid ---- */

/* The 33 nodes of the published data set, as the y+ of its table of statistics (IUFNO-CHL,
   fdns_vel_stats_re180) over its last one, which is the middle. The table has nine digits or more of the map.
 */
static void nodes_of_the_published_set(void) {
  static const double plus[17] = {0,           3.890106829, 7.846573232, 11.94000936, 16.25005699,
                                  20.87132962, 25.92135536, 31.55173454, 37.96427802, 45.43457925,
                                  54.34583363, 65.23379695, 78.83285879, 96.07442710, 117.8893647,
                                  144.5480960, 174.5869506};
  double              y[33], wide[129], far = 0;

  fc_chan_nodes(FC_CHAN_ARCTAN, 0.259065151, 32, y);
  fc_chan_nodes(FC_CHAN_ARCTAN, 0.259065151, 128, wide);
  for (int j = 0; j < 17; j++) {
    far = fmax(far, fabs(y[j] - plus[j] / plus[16]));
    CHECK(y[j] + y[32 - j] == 2);
    CHECK_NEAR(wide[4 * j], y[j], 1e-15); /* a map of j/n alone */
  }
  show("nodes against the published ones", 33, far);
  CHECK(far < 2e-9);
}

static void maps_are_symmetric_and_rise(void) {
  for (int map = 0; map < 4; map++) {
    double y[18];
    fc_chan_nodes(map, map == FC_CHAN_ARCTAN ? 0.3 : 2, 17, y);
    CHECK(y[0] == 0 && y[17] == 2);
    for (int j = 0; j < 17; j++) CHECK(y[j + 1] > y[j] && fabs(y[j] + y[17 - j] - 2) < 1e-15);
    if (map > 0) CHECK(y[1] < 0.8 * 2 / 17.0);
  }
  double y[9];
  fc_chan_nodes(FC_CHAN_CHEBYSHEV, 0, 8, y);
  CHECK_NEAR(y[3], 1 - cos(3 * M_PI / 8), 1e-15);
  fc_chan_nodes(FC_CHAN_TANH, 1.5, 8, y);
  CHECK_NEAR(y[2], 1 + tanh(-0.75) / tanh(1.5), 1e-15);
}

static void cubics_are_exact_for_cubics(void) {
  const double x[7] = {0, 0.1, 0.4, 0.7, 1.3, 1.8, 2};

  for (int i = 0; i <= 40; i++) {
    const double t = 0.05 * i;
    int64_t      first;
    double       w[4], sum = 0;
    fc_chan_cubic(7, x, t, &first, w);
    for (int k = 0; k < 4; k++) sum += w[k] * (1 - x[first + k] + pow(x[first + k], 3));
    CHECK_NEAR(sum, 1 - t + t * t * t, 1e-13);
  }
}

/* ---- laminar flow ---- */

/* The start is the discrete laminar flow. 100 steps leave it where it is whichever way it is driven. */
static void laminar_flow_stays(void) {
  for (int driven = 0; driven < 2; driven++) {
    fc_chan_config c = base(8, 24, 8);
    double         before[24], off = 0;
    c.initial  = FC_CHAN_LAMINAR;
    fc_chan *s = begin(&c);
    if (driven)
      s->c.re_tau =
          sqrt(fc_chan_measure(s).shear[0]) / c.nu; /* the pressure gradient that the walls balance */
    for (int j = 0; j < 24; j++) before[j] = mean_u(s, j);
    steps(s, 100, 0.05);
    for (int j = 0; j < 24; j++) off = fmax(off, fabs(mean_u(s, j) - before[j]));
    show("laminar flow, change over 100 steps", driven, off);
    CHECK(off < 1e-13); /* 300 substeps of rounding */
    const fc_chan_budget q = fc_chan_measure(s);
    CHECK_NEAR(q.bulk, c.bulk, 1e-13);
    CHECK_NEAR((q.shear[0] + q.shear[1]) / 2, q.push, 1e-9 * q.push); /* the walls take what is put in */
    fc_chan_destroy(s);
  }
}

static double parabola_error(int64_t ny) {
  fc_chan_config c   = base(4, ny, 4);
  double         off = 0;

  c.initial  = FC_CHAN_LAMINAR;
  fc_chan *s = begin(&c);
  for (int64_t j = 0; j < ny; j++) {
    const double x = s->grid->c[j] - 1;
    off            = fmax(off, fabs(mean_u(s, j) - (1 - x * x)));
  }
  fc_chan_destroy(s);
  return off;
}

static void laminar_flow_is_of_second_order(void) {
  const double p = log2(parabola_error(32) / parabola_error(64));

  show("order of the laminar flow in y", 64, p);
  CHECK_NEAR(p, 2, 0.1);
}

/* From rest under a constant pressure gradient G (Batchelor 1967, section 4.3, between plates):
     u = G/(2 nu) (1 - x^2 - sum_n 32 (-1)^n/((2n+1) pi)^3 cos((2n+1) pi x/2) exp(-(2n+1)^2 pi^2 nu t/4)) */
static double start_up(double push, double nu, double x, double t) {
  double sum = 0;

  for (int n = 0; n < 60; n++) {
    const double m = (2 * n + 1) * M_PI;
    sum += 32 * (n % 2 ? -1 : 1) / (m * m * m) * cos(m * x / 2) * exp(-m * m * nu * t / 4);
  }
  return push / (2 * nu) * (1 - x * x - sum);
}

static double start_up_error(int64_t ny) {
  fc_chan_config c   = base(4, ny, 4);
  double         off = 0;

  c.initial  = FC_CHAN_LAMINAR;
  c.bulk     = 0;
  c.nu       = 0.1;
  c.re_tau   = 10; /* G = 1 */
  fc_chan *s = begin(&c);
  steps(s, 200, 0.005);
  for (int64_t j = 0; j < ny; j++)
    off = fmax(off, fabs(mean_u(s, j) - start_up(1, 0.1, s->grid->c[j] - 1, 1)));
  fc_chan_destroy(s);
  return off;
}

static void flow_from_rest_follows_the_series(void) {
  const double a = start_up_error(16), b = start_up_error(32), p = log2(a / b);

  show("start-up from rest, error", 32, b);
  show("  order in y", 32, p);
  CHECK(b < 4e-3);
  CHECK_NEAR(p, 2, 0.15);
}

/* ---- linear instability ---- */

static const double published[3][3] = {/* Re, c, as in the literature (Orszag 1971 for 10000) */
                                       {7500, 0.24989154, 0.00223498},
                                       {8000, 0.24707506, 0.00266441},
                                       {10000, 0.23752649, 0.00373967}};

/* collocation with 81 points; eight published digits */
static void eigenvalues_are_the_published_ones(void) {
  for (int i = 0; i < 3; i++) {
    fc_chan_orr o;
    CHECK_OK(fc_chan_orr_solve(published[i][0], 1, &o));
    show("Orr-Sommerfeld, error of c", published[i][0],
         hypot(o.c[0] - published[i][1], o.c[1] - published[i][2]));
    CHECK_NEAR(o.c[0], published[i][1], 2e-8);
    CHECK_NEAR(o.c[1], published[i][2], 2e-8);
  }
}

/* c of the wave in a run: v in the middle turns and grows as exp(-i c t), alpha = 1. The start is the
   eigenfunction of the equation, not of the grid; 4 time units let the rest of it die down. */
static void wave_speed(double re, int64_t ny, double c_out[2]) {
  fc_chan_config c = base(4, ny, 4);
  double         z[2], turn = 0;

  c.initial  = FC_CHAN_ORR_SOMMERFELD;
  c.map      = FC_CHAN_CHEBYSHEV;
  c.noise    = 1e-6;
  c.nu       = 1 / re;
  fc_chan *s = begin(&c);
  steps(s, 200, 0.02);
  const double *v = s->state[FC_CHAN_V] + (ny + ny / 2) * s->row; /* kx = 1 */
  z[0] = v[0], z[1] = v[s->nk];
  const double size = hypot(z[0], z[1]);
  for (int i = 0; i < 400; i++) {
    fc_chan_step(s, 0.02);
    turn += atan2(v[s->nk] * z[0] - v[0] * z[1], v[0] * z[0] + v[s->nk] * z[1]);
    z[0] = v[0], z[1] = v[s->nk];
  }
  c_out[0] = -turn / 8;
  c_out[1] = log(hypot(z[0], z[1]) / size) / 8;
  fc_chan_destroy(s);
}

static void waves_grow_as_published(void) {
  for (int i = 0; i < 3; i++) {
    double far[2];
    for (int k = 0; k < 2; k++) {
      double c[2];
      wave_speed(published[i][0], k ? 128 : 64, c);
      far[k] = hypot(c[0] - published[i][1], c[1] - published[i][2]);
      show(k ? "growth rate with 128 cells, Re" : "growth rate with 64 cells, Re", published[i][0], c[1]);
      if (k) CHECK_NEAR(c[1], published[i][2], 0.2 * published[i][2]);
    }
    show("  error of c with 128 cells", published[i][0], far[1]);
    show("  order in y", published[i][0], log2(far[0] / far[1]));
    CHECK_NEAR(log2(far[0] / far[1]), 2, 0.25);
  }
}

/* ---- invariants ---- */

/* sum over cells and faces of weight a b, all modes */
static double inner(const fc_chan *s, double *const *a, double *const *b, bool sizes) {
  double sum = 0;

  for (int f = 0; f < 3; f++)
    for (int64_t i = 0; i < size_of(s); i++) {
      const int64_t j = i / s->row % s->c.ny, l = i % s->nk;
      const double  w = (f == FC_CHAN_V ? s->grid->df[j] : s->grid->dc[j]) * (l ? 2 : 1),
                   p  = w * a[f][i] * b[f][i];
      sum += sizes ? fabs(p) : p;
    }
  return sum;
}

/* d(energy)/dt of the nonlinear term alone, on all maps: rounding of a sum of 10^4 products */
static void advection_makes_no_energy(void) {
  for (int map = 0; map < 4; map++) {
    fc_chan_config c = base(16, 13, 12);
    c.initial        = FC_CHAN_NOISE;
    c.map            = map;
    c.stretch        = map == FC_CHAN_ARCTAN ? 0.259 : 2;
    fc_chan *s       = begin(&c);
    fc_chan_products(s);
    fc_chan_find_pressure(s); /* leaves N in old */
    const double e = inner(s, s->state, s->old, false) / inner(s, s->state, s->old, true);
    show("d(energy)/dt by advection, map", map, e);
    CHECK(fabs(e) < 1e-15);
    fc_chan_destroy(s);
  }
}

static double drift(int n, double *bulk) {
  fc_chan_config c = base(16, 16, 12);

  c.initial      = FC_CHAN_NOISE;
  c.nu           = 0;
  fc_chan *s     = begin(&c);
  s->c.re_tau    = 1; /* a pressure gradient of (re_tau nu)^2 = 0 */
  const double e = fc_chan_measure(s).energy;
  steps(s, n, 0.4 / n);
  const fc_chan_budget q = fc_chan_measure(s);
  *bulk                  = q.bulk;
  fc_chan_destroy(s);
  return fabs(q.energy / e - 1);
}

/* what is left in a run is the error of the time stepping */
static void inviscid_flow_conserves_energy_and_momentum(void) {
  double       bulk;
  const double a = drift(20, &bulk), b = drift(40, &bulk), p = log2(a / b);

  show("inviscid energy drift, 40 steps", 0, b);
  show("  order in dt", 0, p);
  CHECK(p > 2.7);
  CHECK_NEAR(bulk, 2.0 / 3, 1e-14);
}

static void divergence_is_rounding(void) {
  fc_chan_config c = base(16, 24, 16);

  c.initial  = FC_CHAN_NOISE;
  fc_chan *s = begin(&c);
  steps(s, 20, 0.01);
  const fc_chan_budget q = fc_chan_measure(s);
  show("divergence, root mean square of a plane", 24, q.divergence);
  CHECK(q.divergence < 1e-14); /* gradients are of order one */
  CHECK_NEAR(q.bulk, c.bulk, 1e-15);
  fc_chan_destroy(s);
}

/* difference of two runs over the same time, largest number of the state */
static double apart(const fc_chan_config *c, int n, int m) {
  fc_chan *a = begin(c), *b = begin(c);
  double   off = 0;

  steps(a, n, 0.4 / n);
  steps(b, m, 0.4 / m);
  for (int f = 0; f < 3; f++)
    for (int64_t i = 0; i < size_of(a); i++) off = fmax(off, fabs(a->state[f][i] - b->state[f][i]));
  fc_chan_destroy(a);
  fc_chan_destroy(b);
  return off;
}

/* third order in the products, second in viscosity and pressure at the walls */
static void order_in_time(void) {
  fc_chan_config c = base(12, 16, 12);

  c.initial      = FC_CHAN_NOISE;
  c.nu           = 1e-3;
  const double p = log2(apart(&c, 20, 40) / apart(&c, 40, 80));
  show("order in dt, turbulent start", 80, p);
  CHECK(p > 1.8);
}

/* ---- subgrid models ---- */

static void constant_viscosity(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  (void)s;
  for (int64_t i = 0; i < p->points; i++) nu_t[i] = *(const double *)self;
}

/* A field free of divergence that is zero near the walls, where eddies stop and molecules do not: v of the
   start in the middle, u and w from its slope and from a vorticity of the same size */
static void keep_off_walls(fc_chan *s) {
  const int64_t n = s->c.ny, nk = s->nk;

  for (int64_t at = 0; at < size_of(s); at += s->row) {
    const int64_t j = at / s->row % n, i = at / (s->row * n);
    double       *u = s->state[FC_CHAN_U] + at, *v = s->state[FC_CHAN_V] + at, *w = s->state[FC_CHAN_W] + at;
    if (j == 0)
      for (int64_t f = 0; f < n; f++)
        if (f < 4 || f > n - 4) memset(v + f * s->row, 0, (size_t)s->row * sizeof *v);
    for (int64_t l = 0; l < nk; l++) {
      const double kx = s->kx[i], kz = s->kz[l], k2 = fmax(kx * kx + kz * kz, 1e-30), id = 1 / s->grid->dc[j];
      const double turn = l ? kx : 0; /* modes of kz = 0 come in conjugates, which this would break */
      const double re   = j < n - 1 ? -id * (v[s->row + l] - v[l]) : 0;
      const double im   = j < n - 1 ? -id * (v[s->row + nk + l] - v[nk + l]) : 0;
      u[l]              = kx * im / k2 + kz * v[l];
      u[nk + l]         = -kx * re / k2 + kz * v[nk + l];
      w[l]              = kz * im / k2 - turn * v[l];
      w[nk + l]         = -kz * re / k2 - turn * v[nk + l];
    }
  }
}

/* the change of the velocity in a short step, without that of an inviscid fluid */
static void viscous_change(double nu, double nu_t, double *const out[3]) {
  fc_chan_config c = base(12, 16, 12);
  fc_chan       *s[2];

  c.initial = FC_CHAN_NOISE;
  for (int k = 0; k < 2; k++) {
    c.nu           = k ? nu : 0;
    s[k]           = begin(&c);
    s[k]->c.re_tau = 1e-30; /* no pressure gradient */
    keep_off_walls(s[k]);
    if (k && nu_t > 0) CHECK_OK(fc_chan_set_model(s[k], constant_viscosity, &nu_t));
    fc_chan_settle(s[k]);
    fc_chan_step(s[k], 1e-6);
  }
  for (int a = 0; a < 3; a++)
    for (int64_t i = 0; i < size_of(s[0]); i++) out[a][i] = s[1]->state[a][i] - s[0]->state[a][i];
  fc_chan_destroy(s[0]);
  fc_chan_destroy(s[1]);
}

/* A constant nu_t is a viscosity: div(2 nu_t S) = nu_t lap u also on the staggered grid. Crank-Nicolson makes
   a difference of the size of the step, 1e-6. */
static void constant_eddy_viscosity_is_a_viscosity(void) {
  const int64_t n = 11 * 16 * 12;
  double       *a[3], *b[3], off = 0, top = 0;

  for (int f = 0; f < 3; f++) a[f] = calloc(n, sizeof(double)), b[f] = calloc(n, sizeof(double));
  viscous_change(0.01, 0, a);
  viscous_change(0, 0.01, b);
  for (int f = 0; f < 3; f++)
    for (int64_t i = 0; i < n; i++) {
      off = fmax(off, fabs(a[f][i] - b[f][i]));
      top = fmax(top, fabs(a[f][i]));
    }
  show("constant nu_t against viscosity", 16, off / top);
  CHECK(top > 1e-9);
  CHECK(off < 1e-5 * top);
  for (int f = 0; f < 3; f++) free(a[f]), free(b[f]);
}

/* something rough that depends on the flow and is known at no grid point but these */
static void rough_viscosity(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  (void)self, (void)s;
  for (int64_t i = 0; i < p->points; i++) nu_t[i] = 0.01 + 0.01 * fabs(p->g[1][i]) + 0.001 * (double)(i % 7);
}

/* What nu_t takes from the energy, by the stresses in the spectrum, is the sum of 2 nu_t S:S over points */
static void eddies_take_what_they_should(void) {
  for (int map = 0; map < 2; map++) {
    fc_chan_config c = base(16, 13, 12);
    double        *with[3], *none[3];
    c.initial  = FC_CHAN_NOISE;
    c.map      = map;
    fc_chan *s = begin(&c);
    fc_chan_products(s);
    fc_chan_find_pressure(s);
    for (int a = 0; a < 3; a++) {
      none[a] = malloc((size_t)size_of(s) * sizeof(double));
      memcpy(none[a], s->old[a], (size_t)size_of(s) * sizeof(double));
      with[a] = s->old[a];
    }
    CHECK_OK(fc_chan_set_model(s, rough_viscosity, NULL));
    fc_chan_products(s);
    fc_chan_find_pressure(s);
    const double taken = (inner(s, s->state, none, false) - inner(s, s->state, with, false)) / 2;
    show("energy taken by eddies against 2 nu_t S:S, map", map, taken / s->drain - 1);
    CHECK(s->drain > 1e-3);
    CHECK_NEAR(taken, s->drain, 1e-13 * s->drain + 1e-16);
    for (int a = 0; a < 3; a++) free(none[a]);
    fc_chan_destroy(s);
  }
}

typedef struct {
  const fc_chan *s;
  double         off, trace;
  int64_t        planes;
} look;

/* a mean flow U(y) alone has one slope; u itself comes through */
static void look_at_slopes(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  look               *l = self;
  const fc_chan_grid *g = s->grid;
  const double        u = mean_u(s, p->j), below = p->j > 0 ? mean_u(s, p->j - 1) : 0,
               above = p->j < g->n - 1 ? mean_u(s, p->j + 1) : 0;
  const double slope = 0.5 * ((u - below) / g->df[p->j] + (above - u) / g->df[p->j + 1]);

  for (int64_t i = 0; i < p->points; i++) {
    nu_t[i]  = 0;
    l->off   = fmax(l->off, fmax(fabs(p->u[0][i] - u), fabs(p->g[1][i] - slope)));
    l->trace = fmax(l->trace, fabs(p->g[0][i] + p->g[4][i] + p->g[8][i]));
  }
  CHECK(p->width[1] == g->dc[p->j] && p->wall > 0 && p->wall <= 1);
  l->planes++;
}

static void models_see_the_slopes(void) {
  for (int noise = 0; noise < 2; noise++) {
    fc_chan_config c = base(12, 14, 8);
    look           l = {0};
    c.initial        = noise;
    fc_chan *s       = begin(&c);
    CHECK_OK(fc_chan_set_model(s, look_at_slopes, &l));
    fc_chan_eddies(s);
    CHECK(l.planes == 14);
    CHECK(l.trace < 1e-13); /* continuity at every point */
    if (!noise) CHECK(l.off < 1e-14);
    fc_chan_destroy(s);
  }
}

/* ---- frames and runs ---- */

typedef struct {
  fc_real *x;
  int64_t  n, frames;
} basket;

static fc_status take(void *user, int64_t traj, int64_t t, const fc_real *x) {
  basket *b = user;

  (void)traj;
  (void)t;
  memcpy(b->x, x, (size_t)b->n * sizeof *x);
  b->frames++;
  return FC_OK;
}

/* walls are zero to the last bit; the mean of the laminar flow at nodes is the parabola to second order */
static void frames_hold_nodes_and_walls(void) {
  fc_chan_config c = base(8, 32, 8);
  fc_real        x[4 * 17 * 4 * 3];
  basket         b = {x, 4 * 17 * 4 * 3, 0};
  double         y[18];

  c.initial  = FC_CHAN_LAMINAR;
  c.nx_keep  = 4;
  c.nz_keep  = 4;
  c.y_stride = 2;
  CHECK_OK(fc_channel_run(&c, &(fc_audience){.sink = take, .user = &b}));
  CHECK(b.frames == 1);
  fc_chan_frame_y(&c, y);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 17; j++)
      for (int l = 0; l < 4; l++) {
        const fc_real *u = x + 3 * ((i * 17 + j) * 4 + l);
        CHECK_NEAR(u[0], 1 - (y[j] - 1) * (y[j] - 1), 5e-3);
        CHECK(u[1] == 0 && u[2] == 0);
        if (j % 16 == 0) CHECK(u[0] == 0);
      }
}

/* a frame at all points continues as the run it was taken from: float frames, cubic polynomials in y and the
   new pressure are what differs */
static void a_frame_continues_the_run(void) {
  for (int points = 0; points < 2; points++) {
    fc_chan_config c      = base(8, 48, 8);
    const int64_t  dim[3] = {8, 48 + points, 8};
    fc_real        first[8 * 49 * 8 * 3], straight[8 * 49 * 8 * 3], on[8 * 49 * 8 * 3];
    basket         b   = {first, dim[0] * dim[1] * dim[2] * 3, 0};
    double         off = 0;
    c.initial          = FC_CHAN_NOISE;
    c.points           = points;
    c.frame_dt         = 0.1;
    CHECK_OK(fc_channel_run(&c, &(fc_audience){.sink = take, .user = &b}));
    c.frames = 2, b.x = straight;
    CHECK_OK(fc_channel_run(&c, &(fc_audience){.sink = take, .user = &b}));
    b.x = on;
    CHECK_OK(fc_channel_advance(&c, dim, first, 0, 0.1, 1, take, &b));
    for (int64_t i = 0; i < b.n; i++) off = fmax(off, fabs((double)on[i] - (double)straight[i]));
    show("continued frame, largest difference", points, off);
    CHECK(off < 2e-3 && off > 0);
  }
}

static void threads_do_not_change_bits(void) {
  fc_chan_config c = base(16, 15, 20);
  fc_chan       *s[3];

  c.initial = FC_CHAN_NOISE;
  for (int i = 0; i < 3; i++) {
    fc_threads_set(i + 1);
    s[i] = begin(&c);
    steps(s[i], 3, 0.01);
    CHECK_OK(fc_chan_set_model(s[i], rough_viscosity, NULL));
    steps(s[i], 2, 0.01);
    if (i)
      for (int f = 0; f < FC_CHAN_STATE; f++)
        CHECK(!memcmp(s[i]->state[f], s[0]->state[f], (size_t)size_of(s[0]) * sizeof(double)));
  }
  fc_threads_set(1);
  for (int i = 0; i < 3; i++) fc_chan_destroy(s[i]);
}

/* the modes that two grids share are the same */
static void starts_do_not_depend_on_the_grid(void) {
  fc_chan_config c = base(8, 16, 8), d = base(16, 16, 12);

  c.initial = d.initial = FC_CHAN_NOISE;
  fc_chan *a = begin(&c), *b = begin(&d);
  for (int f = 0; f < 3; f++)
    for (int64_t j = 0; j < 16; j++)
      for (int64_t l = 0; l < a->nk; l++) {
        const double *x = a->state[f] + (2 * 16 + j) * a->row, *y = b->state[f] + (2 * 16 + j) * b->row;
        CHECK(x[l] == y[l] && x[a->nk + l] == y[b->nk + l]);
      }
  fc_chan_destroy(a);
  fc_chan_destroy(b);
}

static double number(const fc_statistics *s, const char *name) {
  const fc_quantity *q = fc_statistics_find(s, name, NULL);

  return q && q->n > 0 ? q->value[0] : NAN;
}

/* laminar flow: U_b, C_f = 2 nu U'/U_b^2, and a stress that is 1 - y, to the second order of 32 cells */
static void statistics_come_with_the_run(void) {
  fc_chan_config c = base(8, 32, 8);
  fc_real       *x = calloc(8 * 33 * 8 * 3, sizeof *x);
  basket         b = {x, 8 * 33 * 8 * 3, 0};
  fc_statistics  out;

  c.initial     = FC_CHAN_LAMINAR;
  c.t_skip      = 1;
  c.dt          = 0.1;
  c.stats_from  = 0.5;
  c.stats_every = 0.2;
  snprintf(c.statistics, sizeof c.statistics, "%s", check_path("channel.h5"));
  CHECK_OK(fc_channel_run(&c, &(fc_audience){.sink = take, .user = &b}));
  CHECK_OK(fc_statistics_read(c.statistics, &out));
  CHECK(out.samples == 3);
  CHECK_NEAR(out.from, 0.5, 1e-9);
  CHECK_NEAR(out.to, 0.9, 1e-9);
  CHECK_NEAR(number(&out, "U_b"), c.bulk, 2e-3);
  CHECK_NEAR(number(&out, "C_f") * c.bulk / (6 * c.nu), 1, 5e-3); /* 2 nu 3 U_b/U_b^2 */
  CHECK_NEAR(number(&out, "stress_imbalance"), 0, 1e-2);
  fc_statistics_free(&out);
  c.stats_from = 2;
  CHECK_FAILS(fc_channel_run(&c, &(fc_audience){.sink = take, .user = &b}), FC_E_USAGE, "there is no sample");
  free(x);
}

static void blow_ups_are_reported(void) {
  fc_chan_config c = base(16, 16, 16);
  fc_real       *x = calloc(16 * 17 * 16 * 3, sizeof *x);
  basket         b = {x, 16 * 17 * 16 * 3, 0};

  c.initial = FC_CHAN_NOISE;
  c.nu      = 1e-6;
  c.dt      = 5;
  c.t_skip  = 2000;
  CHECK_FAILS(fc_channel_run(&c, &(fc_audience){.sink = take, .user = &b}), FC_E_NUMERIC,
              "became infinite or NaN");
  free(x);
}

static void nonsense_is_refused(void) {
  fc_chan_config c = base(8, 16, 8);

  c.nx = 9;
  CHECK_FAILS(fc_channel_check(&c), FC_E_USAGE, "must be even");
  c          = base(8, 16, 8);
  c.y_stride = 3;
  CHECK_FAILS(fc_channel_check(&c), FC_E_USAGE, "must divide ny=16");
  c    = base(8, 16, 8);
  c.dt = 0;
  CHECK_FAILS(fc_channel_check(&c), FC_E_USAGE, "leaves the time step open");
  c         = base(8, 16, 8);
  c.nx_keep = 10;
  CHECK_FAILS(fc_channel_check(&c), FC_E_USAGE, "at most nx=8");
  c = base(8, 16, 8);
  strcpy(c.history, "/nowhere/at/all.csv");
  CHECK_FAILS(fc_channel_run(&c, &(fc_audience){.sink = NULL, .user = NULL}), FC_E_USAGE,
              "history=/nowhere/at/all.csv");
}

CHECK_SUITE(channel, nodes_of_the_published_set, maps_are_symmetric_and_rise, cubics_are_exact_for_cubics,
            laminar_flow_stays, laminar_flow_is_of_second_order, flow_from_rest_follows_the_series,
            eigenvalues_are_the_published_ones, waves_grow_as_published, advection_makes_no_energy,
            inviscid_flow_conserves_energy_and_momentum, divergence_is_rounding, order_in_time,
            constant_eddy_viscosity_is_a_viscosity, eddies_take_what_they_should, models_see_the_slopes,
            frames_hold_nodes_and_walls, a_frame_continues_the_run, threads_do_not_change_bits,
            starts_do_not_depend_on_the_grid, statistics_come_with_the_run, blow_ups_are_reported,
            nonsense_is_refused)
