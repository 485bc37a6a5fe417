/* solvers/chan_sgs.c */
#include "solvers/chan_sgs.h"

#include "core/parallel.h"
#include "solvers/fft2.h"
#include "solvers/sgs_clipped.h"
#include "solvers/sgs_dynamic.h"
#include "solvers/sgs_options.h"

#include <math.h>
#include <stdlib.h>

struct fc_chan_sgs {
  fc_sgs_model    model;
  double          constant, least;
  fc_sgs_plane   *plane;
  fc_sgs_clipped *clipped;
  double         *damping;     /* [ny] */
  double         *found;       /* [ny] (C D)^2 of this rank's planes */
  double         *lines;       /* [ny, nx] the same of the clipped model, on all ranks */
  double         *mean, *most; /* [y_n] of nu_t */
  double         *block;
};

/* ---- making ---- */

static int64_t padded(int64_t n) { return (n + 7) / 8 * 8; }

/* all arrays out of one block; block NULL: only its size */
static int64_t lay_out(const fc_chan *s, fc_chan_sgs *e, double *block) {
  int64_t at = 0;

#define TAKE(p, size) ((p) = block ? block + at : NULL, at += padded(size))
  TAKE(e->damping, s->c.ny), TAKE(e->found, s->c.ny);
  TAKE(e->mean, s->y_n), TAKE(e->most, s->y_n);
  TAKE(e->lines, e->model == FC_SGS_DYNAMIC_CLIPPED ? s->c.ny * s->c.nx : 0);
#undef TAKE
  return at;
}

static fc_status create_dynamic(const fc_chan *s, fc_chan_sgs *e) {
  const fc_chan_config *c    = &s->c;
  const int64_t         n[3] = {c->ny, s->fft->mx, s->fft->mz}, m[3] = {c->ny, c->nx, c->nz};
  const double          d[3] = {0, c->length_x / (double)c->nx, c->length_z / (double)c->nz};

  if (e->model == FC_SGS_DYNAMIC)
    return fc_sgs_plane_create((fc_sgs_filter_kind)c->test_filter, n[1], n[2], m[1], m[2], (int)s->tasks,
                               c->fft, &e->plane);
  if (e->model == FC_SGS_DYNAMIC_CLIPPED)
    return fc_sgs_clipped_create(fc_comm_size(s->comm) > 1, n, m, s->grid->c, d, e->constant, &e->clipped);
  return FC_OK;
}

static void model(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t);

fc_status fc_chan_sgs_create(fc_chan *s) {
  fc_chan_sgs *e = calloc(1, sizeof *e);

  FC_REQUIRE(e, FC_E_SYSTEM, "no memory for the subgrid model");
  e->model    = (fc_sgs_model)s->c.sgs;
  e->constant = fc_sgs_constant(s->c.sgs, s->c.sgs_constant, true);
  e->least    = fc_sgs_least(s->c.sgs_clip, s->c.nu);
  e->block    = fc_fft2_alloc(lay_out(s, e, NULL));
  s->sgs      = e;
  FC_REQUIRE(e->block, FC_E_SYSTEM, "no memory for the subgrid model");
  lay_out(s, e, e->block);
  FC_TRY(create_dynamic(s, e));
  return fc_chan_set_model(s, model, e);
}

void fc_chan_sgs_destroy(fc_chan_sgs *e) {
  if (!e) return;
  fc_sgs_plane_destroy(e->plane);
  fc_sgs_clipped_destroy(e->clipped);
  free(e->block);
  free(e);
}

double fc_chan_sgs_bytes(const fc_chan *s) {
  const int64_t points = s->fft->mx * s->fft->mz;
  const int64_t pairs  = s->c.sgs == FC_SGS_DYNAMIC ? 4 * FC_SGS_PAIRS * points * s->tasks
                         : s->c.sgs == FC_SGS_DYNAMIC_CLIPPED
                             ? 8 * FC_SGS_CLIPPED_PAIRS * s->y_n * s->c.nx * s->c.nz
                             : 0;

  return 8.0 * (double)((s->y_n + 2) * points + s->tasks * fc_chan_eddy_size(s) + pairs);
}

/* ---- before nu_t ---- */

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

/* the planes of this rank into the clipped model; nu_t is not touched */
static void look(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  fc_chan_sgs *e = self;

  (void)nu_t;
  if (p->j >= s->y_lo && p->j < s->y_lo + s->y_n) fc_sgs_clipped_line(e->clipped, p->j - s->y_lo, p->u, p->g);
}

static void find_lines(fc_chan *s) {
  fc_chan_sgs *e = s->sgs;

  fc_chan_each_plane(s, look, e);
  if (s->status == FC_OK) s->status = fc_sgs_clipped_rest(e->clipped, e->lines);
  for (int64_t j = 0; j < s->c.ny; j++) {
    e->found[j] = 0;
    for (int64_t i = 0; i < s->c.nx; i++) e->found[j] += e->lines[j * s->c.nx + i] / (double)s->c.nx;
  }
}

void fc_chan_sgs_before(fc_chan *s) {
  if (s->sgs->model == FC_SGS_SMAGORINSKY) damp(s);
  if (s->sgs->clipped) find_lines(s);
}

/* ---- nu_t of a plane ---- */

/* c of a line x, between those of the flow's points: straight lines keep it positive */
static void clipped(const fc_chan_sgs *e, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  const int64_t nx = s->c.nx, mz = s->fft->mz;
  const double *c = e->lines + p->j * nx, step = (double)nx / (double)s->fft->mx;

  fc_sgs_eddies(p->points, p->g, 1, 0, nu_t);
  for (int64_t i = 0; i < s->fft->mx; i++) {
    const int64_t lo = (int64_t)(step * (double)i);
    const double  a  = step * (double)i - (double)lo;
    fc_sgs_close(mz, (1 - a) * c[lo] + a * c[(lo + 1) % nx], 0, nu_t + i * mz);
  }
}

FC_SIMD static void note(const double *nu_t, int64_t n, double *mean, double *most) {
  double all = 0, top = 0;

  FC_REDUCE(+, all) for (int64_t i = 0; i < n; i++) all += nu_t[i];
  FC_REDUCE(max, top) for (int64_t i = 0; i < n; i++) top = nu_t[i] > top ? nu_t[i] : top;
  *mean                                                   = all / (double)n;
  *most                                                   = top;
}

static void model(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  fc_chan_sgs *e   = self;
  const bool   own = p->j >= s->y_lo && p->j < s->y_lo + s->y_n;

  if (e->plane) {
    const double c = fc_sgs_plane_find(e->plane, p->task, p->u, p->g, nu_t);
    fc_sgs_close(p->points, c, e->least, nu_t);
    e->found[p->j] = c;
  } else if (e->clipped) {
    clipped(e, s, p, nu_t);
  } else {
    fc_sgs_viscosity(e->model, e->constant, p->points, p->g, p->width, e->damping[p->j], nu_t);
  }
  if (own) note(nu_t, p->points, &e->mean[p->j - s->y_lo], &e->most[p->j - s->y_lo]);
}

/* ---- what is measured ---- */

static double width(const fc_chan *s, int64_t j) {
  return cbrt(s->c.length_x / (double)s->c.nx * s->grid->dc[j] * s->c.length_z / (double)s->c.nz);
}

/* Runge-Kutta: nu_t k^2 dt < 2.5, k^2 the largest of all axes together; 2 leaves a margin */
double fc_chan_sgs_speed(const fc_chan *s) {
  const double kx = M_PI * (double)s->c.nx / s->c.length_x, kz = M_PI * (double)s->c.nz / s->c.length_z;
  double       top = 0;

  for (int64_t i = 0; i < s->y_n; i++) {
    const double dc = s->grid->dc[s->y_lo + i];
    top             = fmax(top, s->sgs->most[i] * (kx * kx + kz * kz + 4 / (dc * dc)));
  }
  return s->c.cfl * top / 2;
}

const double *fc_chan_sgs_found(const fc_chan *s) { return s->sgs->found; }

fc_chan_eddy_budget fc_chan_sgs_measure(fc_chan *s) {
  const fc_chan_sgs *e    = s->sgs;
  double             x[2] = {0, 0}, most = 0;

  if (!e) return (fc_chan_eddy_budget){0};
  for (int64_t i = 0; i < s->y_n; i++) {
    const int64_t j     = s->y_lo + i;
    const double  share = s->grid->dc[j] / 2;
    x[0] += share * e->mean[i];
    x[1] += share * sqrt(fmax(e->found[j], 0)) / width(s, j);
    most = fmax(most, e->most[i]);
  }
  if (s->status == FC_OK) s->status = fc_comm_sum_double(s->comm, x, 2);
  if (s->status == FC_OK) s->status = fc_comm_max_double(s->comm, &most, 1);
  return (fc_chan_eddy_budget){x[0], most, e->plane || e->clipped ? x[1] : e->constant};
}
