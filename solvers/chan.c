/* solvers/chan.c - grid, memory, and the way of the velocities to the planes. */
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
  const int64_t n = s->c.ny, lines = s->k_n * n * s->row, planes = s->nkx * s->row;
  int64_t       at = 0;

#define TAKE(p, size) ((p) = block ? block + at : NULL, at += padded(size))
  TAKE(s->kx, s->nkx), TAKE(s->kz, s->nk);
  for (int a = 0; a < FC_CHAN_STATE; a++) TAKE(s->state[a], lines);
  for (int a = 0; a < 3; a++) TAKE(s->old[a], lines);
  for (int a = 0; a < FC_CHAN_PRODUCTS; a++) TAKE(s->product[a], s->y_n * planes);
  TAKE(s->top, 2 * s->y_n), TAKE(s->drains, s->y_n), TAKE(s->sums, fc_max64(1, s->k_n) * (n + 1)),
      TAKE(s->ones, n);
  TAKE(s->columns, s->tasks * s->column_size), TAKE(s->planes, s->tasks * s->plane_size);
  if (fc_comm_size(s->comm) > 1) {
    for (int a = 0; a < 3; a++) TAKE(s->slab[a], (s->y_n + 2 * FC_CHAN_HALO) * planes);
    for (int a = 0; a < FC_CHAN_PRODUCTS; a++) TAKE(s->turned[a], lines);
    for (int i = 0; i < 2; i++) TAKE(s->halo[i], 6 * FC_CHAN_HALO * planes);
  }
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
  const int ranks = fc_comm_size(s->comm);

  size_scratch(s);
  s->block = fc_fft2_alloc(lay_out(s, NULL));
  s->count = calloc(2 * (size_t)ranks, sizeof *s->count);
  FC_REQUIRE(s->block && s->count, FC_E_SYSTEM,
             "no memory for a channel of %lld x %lld x %lld points: %.0f MB a rank; use more ranks or a "
             "smaller grid",
             (long long)s->c.nx, (long long)s->c.ny, (long long)s->c.nz, (double)lay_out(s, NULL) * 8e-6);
  lay_out(s, s->block);
  fill_wave_numbers(s);
  return ranks > 1 ? fc_turn_create(s->comm, s->nkx, s->c.ny, s->row, FC_CHAN_PRODUCTS, &s->turn) : FC_OK;
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
  return (c->sgs ? fc_chan_sgs_bytes(&s) : 0) +
         8.0 * (double)(lay_out(&s, NULL) + (fc_comm_size(NULL) > 1 ? 10 * s.k_n * c->ny * s.row : 0));
}

void fc_chan_destroy(fc_chan *s) {
  if (!s) return;
  fc_chan_sgs_destroy(s->sgs);
  fc_turn_destroy(s->turn);
  fc_chan_fft_destroy(s->fft);
  fc_chan_grid_destroy(s->grid);
  free(s->count);
  free(s->eddy_block);
  free(s->block);
  free(s);
}

/* ---- velocities to planes ---- */

fc_chan_row fc_chan_source(fc_chan *s, int a) {
  if (!s->turn) return (fc_chan_row){s->state[a], s->grid->n * s->row, s->row, 0};
  return (fc_chan_row){s->slab[a], s->row, s->nkx * s->row, s->y_lo - FC_CHAN_HALO};
}

/* HALO planes of each field to the rank below and above; what lies beyond the walls is never read */
static fc_status exchange_halo(fc_chan *s) {
  const int     me = fc_comm_rank(s->comm), ranks = fc_comm_size(s->comm);
  const int64_t piece = FC_CHAN_HALO * s->nkx * s->row, inner = s->y_n * s->nkx * s->row;
  int64_t      *out = s->count, *in = s->count + ranks;
  double       *to = s->halo[0], *from = s->halo[1];

  memset(s->count, 0, 2 * (size_t)ranks * sizeof *s->count);
  for (int side = -1; side <= 1; side += 2) {
    if (me + side < 0 || me + side >= ranks) continue;
    out[me + side] = in[me + side] = 3 * piece;
    for (int a = 0; a < 3; a++, to += piece)
      memcpy(to, s->slab[a] + (side < 0 ? piece : inner), (size_t)piece * sizeof *to);
  }
  FC_TRY(fc_comm_exchange_double(s->comm, s->halo[0], out, s->halo[1], in));
  for (int side = -1; side <= 1; side += 2) {
    if (me + side < 0 || me + side >= ranks) continue;
    for (int a = 0; a < 3; a++, from += piece)
      memcpy(s->slab[a] + (side < 0 ? 0 : piece + inner), from, (size_t)piece * sizeof *from);
  }
  return FC_OK;
}

void fc_chan_spread(fc_chan *s) {
  double *to[3];

  if (!s->turn || s->status != FC_OK) return;
  for (int a = 0; a < 3; a++) to[a] = s->slab[a] + FC_CHAN_HALO * s->nkx * s->row;
  s->status = fc_turn_there(s->turn, 3, s->state, to);
  if (s->status == FC_OK) s->status = exchange_halo(s);
}
