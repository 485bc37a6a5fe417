/* solvers/box3d.c - grid and memory. */
#include "solvers/box3d.h"

#include "core/parallel.h"
#include "solvers/box3d_sgs.h"
#include "solvers/fft2.h"

#include <math.h>
#include <stdlib.h>

fc_box3d_config fc_box3d_resolve(const fc_box3d_config *c) {
  fc_box3d_config r = *c;

  if (r.t_end > 0 && r.frames > 1) r.frame_dt = (r.t_end - r.t_skip) / (double)(r.frames - 1);
  if (r.t_end > 0 && r.frames == 1) r.t_skip = r.t_end;
  if (!r.accurate) return r;
  r.scheme = FC_BOX3D_RK4;
  if (r.dealias == FC_BOX3D_ALIASED) r.dealias = FC_BOX3D_SQUARE;
  if (r.initial == FC_BOX3D_FACTFORMER) r.initial = FC_BOX3D_ISOTROPIC;
  if (r.cfl == 0) r.cfl = 0.75;
  r.dt = 0;
  return r;
}

void fc_box3d_grid(const fc_box3d_config *c, int64_t *m, int64_t *top) {
  const bool third = c->dealias == FC_BOX3D_SQUARE || c->dealias == FC_BOX3D_SPHERICAL;

  *m   = c->dealias == FC_BOX3D_THREE_HALVES ? 3 * c->n / 2 : c->n;
  *top = third ? (c->n - 1) / 3 : c->n / 2 - 1; /* 3 k = n would still be aliased onto itself */
}

int64_t fc_box3d_kept(const fc_box3d *s, int64_t j, int64_t i) {
  const int64_t n = s->c.n, kx = fc_slab3_mode(s->grid, i), ky = fc_slab3_mode(s->grid, s->grid->k0 + j);

  if (s->c.dealias != FC_BOX3D_SPHERICAL) return s->grid->mz;
  const double left = (double)(n * n - 1) / 9 - (double)(kx * kx + ky * ky);
  return left < 0 ? 0 : (int64_t)floor(sqrt(left)) + 1;
}

int64_t fc_box3d_size(const fc_box3d *s) { return 2 * s->grid->ny * s->grid->my * s->grid->mz; }

/* at a time on the grid: velocity and vorticity, or what a subgrid model wants */
static int fields(const fc_box3d_config *c) { return c->sgs ? fc_box3d_sgs_fields(c) : 6; }

/* the next n doubles of a block, on a cache line */
static double *carve(double **block, int64_t n) {
  double *p = *block;

  *block += (n + 7) / 8 * 8;
  return p;
}

static void fill_wave_numbers(fc_box3d *s) {
  const double unit = 2 * M_PI / s->c.length;

  for (int64_t i = 0; i < s->grid->my; i++) s->k[i] = unit * (double)fc_slab3_mode(s->grid, i);
  for (int64_t i = 0; i < s->grid->mz; i++) {
    s->kz[i]  = unit * (double)i;
    s->kz2[i] = s->kz[i] * s->kz[i];
  }
}

fc_status fc_box3d_create(const fc_box3d_config *config, bool shared, fc_box3d **out) {
  fc_box3d *s = calloc(1, sizeof *s);
  int64_t   m, top;
  fc_status status;

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for the solver");
  s->c      = fc_box3d_resolve(config);
  s->shared = shared && fc_comm_size(NULL) > 1;
  s->dx     = s->c.length / (double)s->c.n;
  fc_box3d_grid(&s->c, &m, &top);
  FC_TRY_TO(fail, status, fc_slab3_create(s->shared, m, top, fields(&s->c), s->c.fft, &s->grid));
  s->frame = s->grid;
  if (m != s->c.n) FC_TRY_TO(fail, status, fc_slab3_create(s->shared, s->c.n, top, 4, s->c.fft, &s->frame));
  s->block = fc_fft2_alloc(s->grid->my + 2 * s->grid->mz + 3 * 8);
  status   = s->block ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for the solver");
  if (status != FC_OK) goto fail;
  double *p = s->block;
  s->k      = carve(&p, s->grid->my);
  s->kz     = carve(&p, s->grid->mz);
  s->kz2    = carve(&p, s->grid->mz);
  fill_wave_numbers(s);
  *out = s;
  return FC_OK;
fail:
  fc_box3d_destroy(s);
  return status;
}

void fc_box3d_destroy(fc_box3d *s) {
  if (!s) return;
  if (s->frame != s->grid) fc_slab3_destroy(s->frame);
  fc_slab3_destroy(s->grid);
  free(s->block);
  free(s);
}

static int64_t work_size(int64_t spectrum, int64_t rows, int64_t my, int64_t mz) {
  return 9 * (spectrum + 8) + FC_BOX3D_PARTS * (rows + 8) + 2 * (my + 8) + mz + 8;
}

fc_status fc_box3d_work_create(const fc_box3d *s, fc_box3d_work **out) {
  const int64_t  size = fc_box3d_size(s), rows = fc_max64(s->grid->m, s->grid->my);
  const int64_t  total = work_size(size, rows, s->grid->my, s->grid->mz);
  fc_box3d_work *k     = calloc(1, sizeof *k);

  *out = NULL;
  FC_REQUIRE(k, FC_E_SYSTEM, "no memory for the solver");
  k->block = fc_fft2_alloc(total);
  if (!k->block) {
    free(k);
    return fc_fail(FC_E_SYSTEM, "no memory for the solver: %.0f MB; use a smaller grid or more ranks",
                   (double)total * 8e-6);
  }
  double *p = k->block;
  for (int a = 0; a < 3; a++) {
    k->u[a]     = carve(&p, size);
    k->sum[a]   = carve(&p, size);
    k->stage[a] = carve(&p, size);
    k->e[a]     = carve(&p, a < 2 ? s->grid->my : s->grid->mz);
  }
  for (int a = 0; a < FC_BOX3D_PARTS; a++) k->part[a] = carve(&p, rows);
  k->e_h               = -1;
  const fc_status made = s->c.sgs ? fc_box3d_sgs_create(s, &k->sgs) : FC_OK;
  if (made == FC_OK)
    *out = k;
  else
    fc_box3d_work_destroy(k);
  return made;
}

void fc_box3d_work_destroy(fc_box3d_work *k) {
  if (!k) return;
  fc_box3d_sgs_destroy(k->sgs);
  free(k->block);
  free(k);
}

int64_t fc_box3d_bytes(const fc_box3d_config *config, int ranks) {
  const fc_box3d_config c = fc_box3d_resolve(config);
  int64_t               m, top;

  fc_box3d_grid(&c, &m, &top);
  const int64_t my = 2 * top + 1, mz = top + 1, spectrum = 2 * fc_ceil_div(my, ranks) * my * mz;
  return fc_slab3_bytes(m, top, fields(&c), ranks, fc_threads()) +
         (m == c.n ? 0 : fc_slab3_bytes(c.n, top, 4, ranks, fc_threads())) +
         work_size(spectrum, fc_max64(m, my), my, mz) * (int64_t)sizeof(double) +
         (c.sgs ? fc_box3d_sgs_bytes(&c, ranks) : 0);
}
