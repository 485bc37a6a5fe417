/* solvers/chan_step.c - time stepping and diagnostics. */
#include "core/parallel.h"
#include "solvers/chan.h"

#include <math.h>
#include <string.h>

/* Wray's scheme as Spalart, Moser and Rogers, J. Comput. Phys. 96 (1991) have it: third order in the
   products, second in viscosity and pressure. */
void fc_chan_step(fc_chan *s, double h) {
  static const double gamma[3] = {8.0 / 15, 5.0 / 12, 3.0 / 4}, zeta[3] = {0, -17.0 / 60, -5.0 / 12};
  double              speed = 0, push = 0;

  for (int i = 0; i < 3; i++) {
    const double share = gamma[i] + zeta[i];
    s->hold            = i > 0; /* nu_t is renewed once a step */
    fc_chan_products(s);
    if (i == 0) speed = s->speed;
    if (!isfinite(s->speed)) break;
    push += share * fc_chan_advance(s, gamma[i] * h, zeta[i] * h, share * h);
  }
  s->hold = false;
  if (!isfinite(s->speed)) return;
  s->speed = speed;
  s->push  = push;
  s->time += h;
}

void fc_chan_settle(fc_chan *s) {
  fc_chan_project(s);
  fc_chan_products(s);
  fc_chan_find_pressure(s);
}

/* ---- between steps ---- */

static int64_t field_size(const fc_chan *s) { return s->k_n * s->grid->n * s->row; }

int64_t fc_chan_kept(const fc_chan *s) { return FC_CHAN_STATE * field_size(s) + 2; }

void fc_chan_keep(const fc_chan *s, double *x) {
  const int64_t n = field_size(s);

  for (int a = 0; a < FC_CHAN_STATE; a++) memcpy(x + a * n, s->state[a], (size_t)n * sizeof *x);
  x[FC_CHAN_STATE * n]     = s->time;
  x[FC_CHAN_STATE * n + 1] = s->push;
}

void fc_chan_restore(fc_chan *s, const double *x) {
  const int64_t n = field_size(s);

  for (int a = 0; a < FC_CHAN_STATE; a++) memcpy(s->state[a], x + a * n, (size_t)n * sizeof *x);
  s->time = x[FC_CHAN_STATE * n];
  s->push = x[FC_CHAN_STATE * n + 1];
}

/* ---- diagnostics ---- */

/* Parseval: modes with kz > 0 stand for themselves and their conjugates */
static double square(const double *x, int64_t nk) {
  double sum = 0;

  FC_REDUCE(+, sum) for (int64_t l = 1; l < nk; l++) sum += x[l] * x[l] + x[nk + l] * x[nk + l];
  return x[0] * x[0] + x[nk] * x[nk] + 2 * sum;
}

static double divergence_square(const fc_chan *s, double kx, const double *u, const double *v,
                                const double *w, const double *up, double inverse) {
  const int64_t nk  = s->nk;
  double        sum = 0, first = 0;

  for (int64_t l = 0; l < nk; l++) {
    const double re = -kx * u[nk + l] - s->kz[l] * w[nk + l] + inverse * ((up ? up[l] : 0) - v[l]);
    const double im = kx * u[l] + s->kz[l] * w[l] + inverse * ((up ? up[nk + l] : 0) - v[nk + l]);
    if (l == 0) first = re * re + im * im;
    sum += re * re + im * im;
  }
  return 2 * sum - first;
}

/* energy of the modes kx, and the mean square of their divergence in each plane */
static void measure_column(const fc_chan *s, int64_t i, double *out) {
  const int64_t       n = s->grid->n;
  const fc_chan_grid *g = s->grid;

  out[n] = 0;
  for (int64_t j = 0; j < n; j++) {
    const int64_t at = (i * n + j) * s->row;
    const double *u = s->state[FC_CHAN_U] + at, *v = s->state[FC_CHAN_V] + at, *w = s->state[FC_CHAN_W] + at;
    out[n] += 0.25 * (g->dc[j] * (square(u, s->nk) + square(w, s->nk)) + g->df[j] * square(v, s->nk));
    out[j] = divergence_square(s, s->kx[s->k_lo + i], u, v, w, j < n - 1 ? v + s->row : NULL, 1 / g->dc[j]);
  }
}

/* sums over kx of this rank into the first entry */
static void add_columns(fc_chan *s) {
  const int64_t n = s->grid->n + 1;

  for (int64_t i = 1; i < s->k_n; i++)
    for (int64_t j = 0; j < n; j++) s->sums[j] += s->sums[i * n + j];
  if (s->k_n == 0) memset(s->sums, 0, (size_t)n * sizeof *s->sums);
}

static void mean_flow(const fc_chan *s, double q[4]) {
  const int64_t n = s->grid->n;
  const double *u = s->state[FC_CHAN_U];

  memset(q, 0, 4 * sizeof *q);
  if (s->k_lo > 0 || s->k_n == 0) return;
  for (int64_t j = 0; j < n; j++) q[0] += 0.5 * s->grid->dc[j] * u[j * s->row];
  q[1] = s->c.nu * u[0] / s->grid->df[0];
  q[2] = s->c.nu * u[(n - 1) * s->row] / s->grid->df[n];
  q[3] = s->push;
}

fc_chan_budget fc_chan_measure(fc_chan *s) {
  const int64_t n = s->grid->n;
  double        q[4], top = 0;

  FC_FOR_ROWS(i, s->k_n, 8 * n * s->row) measure_column(s, i, s->sums + i * (n + 1));
  add_columns(s);
  mean_flow(s, q);
  if (s->status == FC_OK) s->status = fc_comm_sum_double(s->comm, s->sums, n + 1);
  if (s->status == FC_OK) s->status = fc_comm_sum_double(s->comm, q, 4);
  for (int64_t j = 0; j < n; j++) top = fmax(top, s->sums[j]);
  return (fc_chan_budget){s->sums[n], q[0], q[3], {q[1], q[2]}, sqrt(top)};
}
