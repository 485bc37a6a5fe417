/* solvers/chan_sgs.c - the model: widths, damping, constants, and what is measured. Its planes are in
   chan_sgs_planes.c. */
#include "solvers/chan_sgs_planes.h"

#include "core/parallel.h"
#include "solvers/fft2.h"
#include "solvers/sgs_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t padded(int64_t n) { return (n + 7) / 8 * 8; }

/* all arrays out of one block; block NULL: only its size */
static int64_t lay_out(const fc_chan *s, fc_chan_sgs *e, double *block) {
  int64_t at = 0;

#define TAKE(p, size) ((p) = block ? block + at : NULL, at += padded(size))
  TAKE(e->damping, s->c.ny);
  TAKE(e->found, s->c.ny);
  TAKE(e->mean, s->y_n), TAKE(e->most, s->y_n), TAKE(e->shear, s->y_n);
  TAKE(e->lines, e->model == FC_SGS_DYNAMIC_CLIPPED ? s->c.ny * s->c.nx : 0);
#undef TAKE
  return at;
}

static fc_status create_model(const fc_chan *s, fc_chan_sgs *e) {
  const fc_chan_config *c    = &s->c;
  const int64_t         n[3] = {c->ny, s->fft->mx, s->fft->mz}, m[3] = {c->ny, c->nx, c->nz};
  const double          d[3] = {0, c->length_x / (double)c->nx, c->length_z / (double)c->nz};

  if (e->model == FC_SGS_DYNAMIC)
    return fc_sgs_plane_create((fc_sgs_filter_kind)c->test_filter, n[1], n[2], m[1], m[2], fc_threads(),
                               c->fft, &e->plane);
  if (e->model == FC_SGS_DYNAMIC_CLIPPED)
    return fc_sgs_clipped_create(fc_comm_size(s->comm) > 1, n, m, s->grid->c, d, e->constant, &e->clipped);
  return FC_OK;
}

fc_status fc_chan_sgs_create(fc_chan *s) {
  fc_chan_sgs *e = calloc(1, sizeof *e);
  fc_status    status;

  FC_REQUIRE(e, FC_E_SYSTEM, "no memory for the subgrid model");
  *e       = (fc_chan_sgs){.model    = (fc_sgs_model)s->c.sgs,
                           .constant = fc_sgs_constant(s->c.sgs, s->c.sgs_constant, true),
                           .least    = fc_sgs_least(s->c.sgs_clip, s->c.nu),
                           .due      = true};
  s->sgs   = e;
  e->block = fc_fft2_alloc(lay_out(s, e, NULL));
  status   = e->block ? create_model(s, e) : fc_fail(FC_E_SYSTEM, "no memory for the subgrid model");
  if (status == FC_OK) lay_out(s, e, e->block);
  return status;
}

void fc_chan_sgs_destroy(fc_chan_sgs *e) {
  if (!e) return;
  fc_sgs_plane_destroy(e->plane);
  fc_sgs_clipped_destroy(e->clipped);
  free(e->block);
  free(e);
}

/* ---- a substep ---- */

void fc_chan_sgs_renew(fc_chan_sgs *e) { e->due = true; }

/* van Driest's damping by the distance to the nearer wall and the shear there, mean over the wall, at this
 * time */
static void damp(fc_chan *s) {
  const int64_t n        = s->c.ny;
  const double *u        = s->state[FC_CHAN_U];
  double        shear[2] = {0, 0};

  if (s->k_lo == 0 && s->k_n > 0) {
    shear[0] = fabs(s->c.nu * u[0] / s->grid->df[0]);
    shear[1] = fabs(s->c.nu * u[(n - 1) * s->row] / s->grid->df[n]);
  }
  if (s->status == FC_OK) s->status = fc_comm_sum_double(s->comm, shear, 2);
  for (int64_t j = 0; j < n; j++) {
    const double y = s->grid->c[j], near = fmin(y, 2 - y) * sqrt(shear[y > 1]);
    s->sgs->damping[j] = s->c.nu > 0 ? fc_sgs_damping(near / s->c.nu) : 1;
  }
}

void fc_chan_sgs_before(fc_chan *s) {
  if (s->sgs->model == FC_SGS_SMAGORINSKY && s->sgs->due) damp(s);
}

bool fc_chan_sgs_looks(const fc_chan *s) { return s->sgs->clipped && s->sgs->due; }

void fc_chan_sgs_found(fc_chan *s) {
  fc_chan_sgs *e = s->sgs;

  if (s->status == FC_OK) s->status = fc_sgs_clipped_rest(e->clipped, e->lines);
  for (int64_t j = 0; j < s->c.ny; j++) {
    e->found[j] = 0;
    for (int64_t i = 0; i < s->c.nx; i++) e->found[j] += e->lines[j * s->c.nx + i] / (double)s->c.nx;
  }
}

void fc_chan_sgs_after(fc_chan *s) { s->sgs->due = false; }

/* Runge-Kutta: nu_t k^2 dt < 2.5, the largest k^2 of all axes together */
double fc_chan_sgs_limit(const fc_chan *s, int64_t j) {
  const double kx = M_PI * (double)s->c.nx / s->c.length_x, kz = M_PI * (double)s->c.nz / s->c.length_z,
               dc = s->grid->dc[j];

  return s->c.cfl * s->sgs->most[j - s->y_lo] * (kx * kx + kz * kz + 4 / (dc * dc)) / 2;
}

/* ---- what is measured ---- */

double fc_chan_sgs_width(const fc_chan *s, int64_t j) {
  return cbrt(s->c.length_x / (double)s->c.nx * s->grid->dc[j] * s->c.length_z / (double)s->c.nz);
}

fc_chan_eddies fc_chan_sgs_measure(fc_chan *s) {
  const fc_chan_sgs *e    = s->sgs;
  double             x[2] = {0, 0}, most = 0;

  for (int64_t i = 0; i < s->y_n; i++) {
    const int64_t j     = s->y_lo + i;
    const double  share = s->grid->dc[j] / 2;
    x[0] += share * e->mean[i];
    x[1] += share * sqrt(fmax(e->found[j], 0)) / fc_chan_sgs_width(s, j);
    most = fmax(most, e->most[i]);
  }
  if (s->status == FC_OK) s->status = fc_comm_sum_double(s->comm, x, 2);
  if (s->status == FC_OK) s->status = fc_comm_max_double(s->comm, &most, 1);
  return (fc_chan_eddies){x[0], most, e->plane || e->clipped ? x[1] : e->constant};
}

const double *fc_chan_sgs_shear(const fc_chan *s) { return s->sgs->shear; }
