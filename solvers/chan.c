/* solvers/chan.c - grid and memory. */
#include "solvers/chan.h"

#include "core/parallel.h"
#include "solvers/chan_sgs.h"
#include "solvers/fft2.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static int64_t padded(int64_t n) { return (n + 7) / 8 * 8; }

/* All arrays out of one block: with block NULL only their total is found. */
static int64_t lay_out(fc_chan *s, double *block) {
  const int64_t n = s->c.ny, lines = s->k_n * n * s->row;
  int64_t       at = 0;

#define TAKE(p, size) ((p) = block ? block + at : NULL, at += padded(size))
  TAKE(s->kx, s->nkx), TAKE(s->kz, s->nk);
  for (int a = 0; a < FC_CHAN_STATE; a++) TAKE(s->state[a], lines);
  for (int a = 0; a < 3; a++) TAKE(s->old[a], lines);
  for (int a = 0; a < FC_CHAN_PRODUCTS; a++) TAKE(s->product[a], s->y_n * s->k_n * s->row);
  TAKE(s->top, 2 * s->y_n), TAKE(s->drains, s->y_n), TAKE(s->shear, s->y_n),
      TAKE(s->sums, fc_max64(1, s->k_n) * (n + 1)), TAKE(s->ones, n);
  TAKE(s->columns, s->tasks * s->column_size), TAKE(s->planes, s->tasks * s->plane_size);
#undef TAKE
  return at;
}

static void fill_wave_numbers(fc_chan *s) {
  for (int64_t i = 0; i < s->nkx; i++)
    s->kx[i] = 2 * M_PI / s->c.length_x * (double)(i <= s->nkx / 2 ? i : i - s->nkx);
  for (int64_t l = 0; l < s->nk; l++) s->kz[l] = 2 * M_PI / s->c.length_z * (double)l;
}

static void share(fc_chan *s) {
  int64_t hi;

  s->nkx = s->c.nx - 1;
  s->nk  = s->c.nz / 2;
  s->row = 2 * s->nk;
  fc_comm_block(s->comm, s->nkx, &s->k_lo, &hi);
  s->k_n = hi - s->k_lo;
  fc_comm_block(s->comm, s->c.ny, &s->y_lo, &hi);
  s->y_n = hi - s->y_lo;
}

static void size_scratch(fc_chan *s) {
  s->tasks       = fc_threads();
  s->column_size = padded(fc_chan_column_size(s));
  s->plane_size  = padded(fc_chan_plane_size(s));
}

static fc_status allocate(fc_chan *s) {
  size_scratch(s);
  s->block = fc_fft2_alloc(lay_out(s, NULL));
  FC_REQUIRE(s->block, FC_E_SYSTEM,
             "no memory for a channel of %lld x %lld x %lld points: %.0f MB a rank; use more ranks or a "
             "smaller grid",
             (long long)s->c.nx, (long long)s->c.ny, (long long)s->c.nz, (double)lay_out(s, NULL) * 8e-6);
  lay_out(s, s->block);
  fill_wave_numbers(s);
  return fc_chan_way_create(s);
}

fc_status fc_chan_create(const fc_chan_config *c, const fc_comm *comm, fc_chan **out) {
  fc_chan  *s = calloc(1, sizeof *s);
  fc_status status;

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for the solver");
  s->c    = *c;
  s->comm = comm;
  share(s);
  status = fc_chan_grid_create(c->map, c->stretch, c->ny, &s->grid);
  if (status == FC_OK) status = fc_chan_fft_create(c->nx, c->nz, c->fft, &s->fft);
  if (status == FC_OK) status = allocate(s);
  if (status == FC_OK && c->sgs) status = fc_chan_sgs_create(s);
  if (status != FC_OK) {
    fc_chan_destroy(s);
    return status;
  }
  *out = s;
  return FC_OK;
}

/* scratch sizes follow from the grid of the transforms, which need not be planned for that */
double fc_chan_bytes(const fc_chan_config *c) {
  fc_chan_fft  f = fc_chan_fft_shape(c->nx, c->nz);
  fc_chan_grid g = {.n = c->ny};
  fc_chan      s = {.c = *c, .fft = &f, .grid = &g};

  share(&s);
  size_scratch(&s);
  return (c->sgs ? fc_chan_sgs_bytes(&s) : 0) + 8.0 * (double)(lay_out(&s, NULL) + fc_chan_way_size(&s));
}

void fc_chan_destroy(fc_chan *s) {
  if (!s) return;
  fc_chan_sgs_destroy(s->sgs);
  fc_chan_way_destroy(s->way);
  fc_chan_fft_destroy(s->fft);
  fc_chan_grid_destroy(s->grid);
  free(s->eddy_block);
  free(s->block);
  free(s);
}
