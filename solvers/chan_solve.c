/* solvers/chan_solve.c - everything that happens at one wave number kx, for all y and kz: right-hand sides,
   viscous solves, pressure. Systems in y are tridiagonal; kz are the lanes of the vectors, so a row is
   (re[nk], im[nk]) and elimination runs over rows. With c = nu a/2 and L the second differences minus k^2, (1
   - c L) u* = u + c L u + g N + z N_old - a grad p + a G,   div grad phi = div u* / a, u = u* - a grad phi,
   p += phi - c L phi = phi - nu/2 div u*: the incremental fractional step, whose gradient and divergence are
   adjoint, so that div u is rounding. */
#include "core/parallel.h"
#include "solvers/chan.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct {
  const fc_chan *s;
  int64_t        n, nk, row;
  double         kx, keep, g, z, a, c; /* keep: 1, or 0 to leave the state out of the right-hand side */
  bool           mean;                 /* kx = 0: lane 0 is the mean flow */
  double        *u[4], *old[3];        /* state and old rates [n, row] */
  int64_t        i;                    /* number of kx on this rank */
  double        *r[3], *phi, *factor, *inverse, *k2, *zero, *rate[3];
} column;

/* ---- right-hand sides ---- */

INLINE const double *term(const column *k, int a, int64_t y) {
  return k->s->way->term[a * k->n + y] + k->i * k->row;
}

INLINE void rates(const column *k, int64_t j, const double *kz) {
  const int64_t nk   = k->nk;
  const bool    last = j == k->n - 1;
  const double  id = 1 / k->s->grid->dc[j], kx = k->kx, up = last ? 0 : id;
  const double *a = term(k, 0, j), *b = term(k, 1, j), *c = term(k, 2, j), *d = term(k, 3, j),
               *e  = term(k, 4, j);
  const double *c1 = last ? k->zero : term(k, 2, j + 1), *d1 = last ? k->zero : term(k, 3, j + 1);
  double *restrict nu = k->rate[0], *restrict nv = k->rate[1], *restrict nw = k->rate[2];

  FC_VECTOR for (int64_t l = 0; l < nk; l++) {
    const int64_t i = nk + l;
    nu[l]           = kx * a[i] + kz[l] * b[i] - up * c1[l] + id * c[l];
    nu[i]           = -kx * a[l] - kz[l] * b[l] - up * c1[i] + id * c[i];
    nw[l]           = kx * b[i] - up * d1[l] + id * d[l];
    nw[i]           = -kx * b[l] - up * d1[i] + id * d[i];
    nv[l]           = kx * c[i] + kz[l] * d[i] + e[l];
    nv[i]           = -kx * c[l] - kz[l] * d[l] + e[i];
  }
}

/* r = keep u + c L u + g N + z N_old; N_old = N */
INLINE void right(const column *k, double *restrict r, double *restrict old, const double *restrict rate,
                  const double *u, const double *below, const double *above, double lower, double upper) {
  const double  cl = k->c * lower, cu = k->c * upper, rest = k->keep - cl - cu, c = k->c, g = k->g, z = k->z;
  const double *k2 = k->k2;

  for (int64_t half = 0; half < 2; half++) {
    const int64_t at = half * k->nk;
    FC_VECTOR for (int64_t l = 0; l < k->nk; l++) {
      const int64_t i = at + l;
      r[i]            = (rest - c * k2[l]) * u[i] + cl * below[i] + cu * above[i] + g * rate[i] + z * old[i];
      old[i]          = rate[i];
    }
  }
}

INLINE void minus_gradient(const column *k, int64_t j, const double *kz) {
  const int64_t nk = k->nk, at = j * k->row;
  const double  a = k->a, ax = k->a * k->kx, ay = j > 0 ? a / k->s->grid->df[j] : 0;
  const double *p = k->u[FC_CHAN_P] + at, *below = j > 0 ? p - k->row : p;
  double *restrict u = k->r[0] + at, *restrict v = k->r[1] + at, *restrict w = k->r[2] + at;

  FC_VECTOR for (int64_t l = 0; l < nk; l++) {
    const int64_t i = nk + l;
    u[l] += ax * p[i];
    u[i] -= ax * p[l];
    w[l] += a * kz[l] * p[i];
    w[i] -= a * kz[l] * p[l];
    v[l] -= ay * (p[l] - below[l]);
    v[i] -= ay * (p[i] - below[i]);
  }
}

FC_SIMD static void right_hand_sides(const column *k) {
  const fc_chan_grid *g = k->s->grid;

  for (int64_t j = 0; j < k->n; j++) {
    const int64_t at = j * k->row;
    rates(k, j, k->s->kz);
    for (int a = 0; a < 3; a++) {
      const int     kind  = a == FC_CHAN_V ? FC_CHAN_FACES : FC_CHAN_CELLS;
      const double *u     = k->u[a] + at;
      const double *below = j > 0 ? u - k->row : k->zero, *above = j < k->n - 1 ? u + k->row : k->zero;
      if (a == FC_CHAN_V && j == 0)
        memset(k->r[a], 0, (size_t)k->row * sizeof(double)); /* the wall */
      else
        right(k, k->r[a] + at, k->old[a] + at, k->rate[a], u, below, above, g->lower[kind][j],
              g->upper[kind][j]);
    }
    minus_gradient(k, j, k->s->kz);
  }
}

/* ---- viscous solves ---- */

/* factor = C/(B - A factor_below) and 1/(B - A factor_below) of row j: A x_below + B x + C x_above = r */
INLINE void factorise(const column *k, int64_t j, double lower, double upper, double one, double c) {
  double *restrict factor = k->factor + j * k->nk, *restrict inverse = k->inverse + j * k->nk;
  const double *before = j > 0 ? factor - k->nk : k->zero, *k2 = k->k2;
  const double  a = -c * lower, up = -c * upper, b = one + c * (lower + upper);

  FC_VECTOR for (int64_t l = 0; l < k->nk; l++) {
    inverse[l] = 1 / (b + c * k2[l] - a * before[l]);
    factor[l]  = up * inverse[l];
  }
}

/* r = (r - A r_below) inverse */
INLINE void eliminate(const column *k, double *r, const double *below, const double *inverse, double a) {
  for (int64_t half = 0; half < 2; half++) {
    double *restrict x                                 = r + half * k->nk;
    const double *xb                                   = below + half * k->nk;
    FC_VECTOR for (int64_t l = 0; l < k->nk; l++) x[l] = (x[l] - a * xb[l]) * inverse[l];
  }
}

/* x = r - factor x_above */
INLINE void substitute(const column *k, double *x, const double *r, const double *above,
                       const double *factor) {
  for (int64_t half = 0; half < 2; half++) {
    const int64_t at                                        = half * k->nk;
    FC_VECTOR for (int64_t l = 0; l < k->nk; l++) x[at + l] = r[at + l] - factor[l] * above[at + l];
  }
}

/* (1 - c L) x = r for one or two fields with the same matrix; row `first` is the first unknown */
FC_SIMD static void solve_viscous(const column *k, int kind, int64_t first, int fields, double *const *r,
                                  double *const *x) {
  const double *lower = k->s->grid->lower[kind], *upper = k->s->grid->upper[kind];

  memset(k->factor, 0, (size_t)k->nk * sizeof(double));
  for (int64_t j = first; j < k->n; j++) {
    factorise(k, j, lower[j], upper[j], 1, k->c);
    for (int a = 0; a < fields; a++)
      eliminate(k, r[a] + j * k->row, j > first ? r[a] + (j - 1) * k->row : k->zero, k->inverse + j * k->nk,
                -k->c * lower[j]);
  }
  for (int64_t j = k->n - 1; j >= first; j--)
    for (int a = 0; a < fields; a++)
      substitute(k, x[a] + j * k->row, r[a] + j * k->row, j < k->n - 1 ? x[a] + (j + 1) * k->row : k->zero,
                 k->factor + j * k->nk);
}

/* ---- pressure ---- */

INLINE void divergence_row(const column *k, double *const u[3], int64_t j, double scale, double *d,
                           const double *kz) {
  const int64_t nk = k->nk, at = j * k->row;
  const double  kx = scale * k->kx, id = scale / k->s->grid->dc[j];
  const double *x = u[0] + at, *v = u[1] + at, *w = u[2] + at, *up = j < k->n - 1 ? v + k->row : k->zero;

  FC_VECTOR for (int64_t l = 0; l < nk; l++) {
    const int64_t i = nk + l;
    d[l]            = -kx * x[i] - scale * kz[l] * w[i] + id * (up[l] - v[l]);
    d[i]            = kx * x[l] + scale * kz[l] * w[l] + id * (up[i] - v[i]);
  }
}

/* phi of div grad phi = div u / a. Signs turned, so that the matrix is positive; the mean lane, which only
   knows differences, is pinned at the lower wall. */
FC_SIMD static void solve_pressure(const column *k, double *const u[3]) {
  const fc_chan_grid *g     = k->s->grid;
  const double       *lower = g->lower[FC_CHAN_PRESSURE], *upper = g->upper[FC_CHAN_PRESSURE];

  for (int64_t j = 0; j < k->n; j++) {
    double *d = k->phi + j * k->row, pin = k->k2[0];
    divergence_row(k, u, j, -1 / k->a, d, k->s->kz);
    if (j == 0 && k->mean) k->k2[0] = upper[0];
    factorise(k, j, lower[j], upper[j], 0, 1);
    k->k2[0] = pin;
    eliminate(k, d, j > 0 ? d - k->row : k->zero, k->inverse + j * k->nk, -lower[j]);
  }
  for (int64_t j = k->n - 2; j >= 0; j--) {
    double *x = k->phi + j * k->row;
    substitute(k, x, x, x + k->row, k->factor + j * k->nk);
  }
}

/* u -= a grad phi, with p += phi - nu/2 div u before (nu = NAN: leave p) */
FC_SIMD static void correct(const column *k, bool pressure) {
  const fc_chan_grid *g  = k->s->grid;
  const int64_t       nk = k->nk;
  const double        ax = k->a * k->kx, half = -0.5 * k->s->c.nu, a = k->a, *kz = k->s->kz;

  for (int64_t j = 0; j < k->n; j++) {
    const int64_t at = j * k->row;
    const double *f = k->phi + at, *below = j > 0 ? f - k->row : f, ay = j > 0 ? a / g->df[j] : 0;
    double       *p = k->u[FC_CHAN_P] + at, *d = k->rate[0];
    double *restrict u = k->u[FC_CHAN_U] + at, *restrict v = k->u[FC_CHAN_V] + at,
                     *restrict w = k->u[FC_CHAN_W] + at;
    if (pressure) {
      divergence_row(k, k->u, j, half, d, kz); /* of v above, which is corrected after this row */
      FC_VECTOR for (int64_t i = 0; i < k->row; i++) p[i] += f[i] + d[i];
    }
    FC_VECTOR for (int64_t l = 0; l < nk; l++) {
      const int64_t i = nk + l;
      u[l] += ax * f[i];
      u[i] -= ax * f[l];
      w[l] += a * kz[l] * f[i];
      w[i] -= a * kz[l] * f[l];
      v[l] -= ay * (f[l] - below[l]);
      v[i] -= ay * (f[i] - below[i]);
    }
  }
}

/* ---- the mean flow ---- */

/* x of (1 - c L) x = 1 without k^2: what a unit pressure gradient adds to the mean flow in time 1 */
static void unit_answer(const column *k, double *x) {
  const double *lower = k->s->grid->lower[FC_CHAN_CELLS], *upper = k->s->grid->upper[FC_CHAN_CELLS];
  double       *factor = k->factor;

  for (int64_t j = 0; j < k->n; j++) {
    const double a = -k->c * lower[j],
                 m = 1 / (1 + k->c * (lower[j] + upper[j]) - (j > 0 ? a * factor[j - 1] : 0));
    factor[j]      = -k->c * upper[j] * m;
    x[j]           = (1 - (j > 0 ? a * x[j - 1] : 0)) * m;
  }
  for (int64_t j = k->n - 2; j >= 0; j--) x[j] -= factor[j] * x[j + 1];
}

/* adds the pressure gradient G to the mean of u: the given one, or what brings the flow rate to the wanted
 * value */
static double drive(const column *k) {
  const fc_chan *s = k->s;
  double        *x = s->ones, flow = 0, answer = 0, push = s->c.re_tau * s->c.nu;

  unit_answer(k, x);
  for (int64_t j = 0; j < k->n; j++) {
    flow += s->grid->dc[j] * k->u[FC_CHAN_U][j * k->row];
    answer += s->grid->dc[j] * x[j];
  }
  push = s->c.re_tau > 0 ? push * push : (2 * s->c.bulk - flow) / (k->a * answer);
  for (int64_t j = 0; j < k->n; j++) k->u[FC_CHAN_U][j * k->row] += k->a * push * x[j];
  return push;
}

/* ---- columns ---- */

static column column_of(fc_chan *s, double *scratch) {
  const int64_t block = s->grid->n * s->row, half = s->grid->n * s->nk;
  column        k = {.s = s, .n = s->grid->n, .nk = s->nk, .row = s->row};

  for (int a = 0; a < 3; a++) k.r[a] = scratch + a * block;
  k.phi     = scratch + 3 * block;
  k.factor  = scratch + 4 * block;
  k.inverse = k.factor + half;
  k.zero    = scratch + 5 * block;
  for (int a = 0; a < 3; a++) k.rate[a] = k.zero + (a + 1) * s->row;
  k.k2 = k.zero + 4 * s->row;
  return k;
}

int64_t fc_chan_column_size(const fc_chan *s) { return (5 * s->grid->n + 5) * s->row + s->grid->n + 8; }

static void place(column *k, fc_chan *s, int64_t i) {
  const int64_t block = k->n * k->row;

  k->kx   = s->kx[s->k_lo + i];
  k->mean = s->k_lo + i == 0;
  for (int a = 0; a < FC_CHAN_STATE; a++) k->u[a] = s->state[a] + i * block;
  for (int a = 0; a < 3; a++) k->old[a] = s->old[a] + i * block;
  k->i = i;
  for (int64_t l = 0; l < k->nk; l++) k->k2[l] = k->kx * k->kx + s->kz[l] * s->kz[l];
}

static void advance(column *k, double *push) {
  double *const pair[2] = {k->r[FC_CHAN_U], k->r[FC_CHAN_W]}, *const to[2] = {k->u[FC_CHAN_U],
                                                                              k->u[FC_CHAN_W]};

  right_hand_sides(k);
  solve_viscous(k, FC_CHAN_CELLS, 0, 2, pair, to);
  solve_viscous(k, FC_CHAN_FACES, 1, 1, &k->r[FC_CHAN_V], &k->u[FC_CHAN_V]);
  if (k->mean) *push = drive(k);
  solve_pressure(k, k->u);
  correct(k, true);
}

static void project(column *k) {
  solve_pressure(k, k->u);
  correct(k, false);
}

/* the pressure that goes with the state: div grad p = div (N + nu lap u) */
static void find_pressure(column *k) {
  right_hand_sides(k);
  solve_pressure(k, k->r);
  memcpy(k->u[FC_CHAN_P], k->phi, (size_t)(k->n * k->row) * sizeof(double));
}

static double all_columns(fc_chan *s, column q, void (*one)(column *, double *)) {
  double push = 0;

  FC_FOR_TASKS(t, s->tasks, INT64_MAX) {
    column k = column_of(s, s->columns + t * s->column_size);
    k.keep = q.keep, k.g = q.g, k.z = q.z, k.a = q.a, k.c = q.c;
    for (int64_t i = s->k_n * t / s->tasks; i < s->k_n * (t + 1) / s->tasks; i++) {
      place(&k, s, i);
      one(&k, &push);
    }
  }
  return push;
}

static void project_one(column *k, double *push) {
  (void)push;
  project(k);
}

static void pressure_one(column *k, double *push) {
  (void)push;
  find_pressure(k);
}

double fc_chan_advance(fc_chan *s, double g, double z, double a) {
  return all_columns(s, (column){.keep = 1, .g = g, .z = z, .a = a, .c = s->c.nu * a / 2}, advance);
}

void fc_chan_project(fc_chan *s) { all_columns(s, (column){.a = 1}, project_one); }

void fc_chan_find_pressure(fc_chan *s) {
  /* a = 1 scales the divergence; the gradient of the old pressure is taken off, so p must be zero */
  for (int64_t i = 0; i < s->k_n * s->grid->n * s->row; i++) s->state[FC_CHAN_P][i] = 0;
  all_columns(s, (column){.g = 1, .a = 1, .c = s->c.nu}, pressure_one);
}
