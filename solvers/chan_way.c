/* solvers/chan_way.c - a message from rank r to rank q holds velocities [3, kx of r, planes of q and halo,
   row], or products [5, planes of r, kx of q, row]. */
#include "solvers/chan_way.h"

#include "solvers/chan.h"
#include "solvers/fft2.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  int64_t lo, n;
} block;

static block modes_of(const fc_chan *s, int r) {
  const int64_t ranks = fc_comm_size(s->comm), lo = s->nkx * r / ranks;

  return (block){lo, s->nkx * (r + 1) / ranks - lo};
}

static block planes_of(const fc_chan *s, int r) {
  const int64_t ranks = fc_comm_size(s->comm), lo = s->c.ny * r / ranks;

  return (block){lo, s->c.ny * (r + 1) / ranks - lo};
}

/* with those beside them, as far as there are any */
static block wide_planes(const fc_chan *s, int r) {
  const block   p  = planes_of(s, r);
  const int64_t lo = fc_max64(0, p.lo - FC_CHAN_HALO);

  return (block){lo, fc_min64(s->c.ny, p.lo + p.n + FC_CHAN_HALO) - lo};
}

/* numbers to (out) or from rank r: nothing to oneself */
static int64_t velocities(const fc_chan *s, int r, bool out) {
  const int me = fc_comm_rank(s->comm);

  return r == me ? 0 : 3 * modes_of(s, out ? me : r).n * wide_planes(s, out ? r : me).n * s->row;
}

static int64_t terms(const fc_chan *s, int r, bool out) {
  const int me = fc_comm_rank(s->comm);

  return r == me ? 0 : FC_CHAN_PRODUCTS * planes_of(s, out ? me : r).n * modes_of(s, out ? r : me).n * s->row;
}

static int64_t total(const fc_chan *s, int64_t (*numbers)(const fc_chan *, int, bool), bool out) {
  int64_t sum = 0;

  for (int r = 0; r < fc_comm_size(s->comm); r++) sum += numbers(s, r, out);
  return sum;
}

static int64_t most_sent(const fc_chan *s) {
  return fc_max64(total(s, velocities, true), total(s, terms, true));
}

int64_t fc_chan_way_size(const fc_chan *s) {
  return most_sent(s) + total(s, velocities, false) + total(s, terms, false);
}

/* ---- tables ---- */

static void find_velocities(const fc_chan *s, fc_chan_way *w) {
  const int     me = fc_comm_rank(s->comm);
  const double *at = w->arrived[0];

  for (int r = 0; r < fc_comm_size(s->comm); r++) {
    const block k = modes_of(s, r);
    for (int a = 0; a < 3; a++)
      for (int64_t i = 0; i < k.n; i++)
        w->velocity[a][k.lo + i] = r == me ? s->state[a] + (i * s->c.ny + w->first) * s->row
                                           : at + (a * k.n + i) * w->planes * s->row;
    at += velocities(s, r, false);
  }
}

static void find_terms(const fc_chan *s, fc_chan_way *w) {
  const int     me = fc_comm_rank(s->comm);
  const double *at = w->arrived[1];

  for (int r = 0; r < fc_comm_size(s->comm); r++) {
    const block p = planes_of(s, r);
    for (int a = 0; a < FC_CHAN_PRODUCTS; a++)
      for (int64_t j = 0; j < p.n; j++)
        w->term[a * s->c.ny + p.lo + j] =
            r == me ? s->product[a] + j * s->k_n * s->row : at + (a * p.n + j) * s->k_n * s->row;
    at += terms(s, r, false);
  }
}

static void fill_counts(const fc_chan *s, fc_chan_way *w) {
  const int ranks = fc_comm_size(s->comm);

  for (int r = 0; r < ranks; r++) {
    w->count[r]             = velocities(s, r, true);
    w->count[ranks + r]     = velocities(s, r, false);
    w->count[2 * ranks + r] = terms(s, r, true);
    w->count[3 * ranks + r] = terms(s, r, false);
  }
}

fc_status fc_chan_way_create(fc_chan *s) {
  const block  mine = wide_planes(s, fc_comm_rank(s->comm));
  fc_chan_way *w    = calloc(1, sizeof *w);

  s->way = w;
  FC_REQUIRE(w, FC_E_SYSTEM, "no memory for messages");
  w->first  = mine.lo;
  w->planes = mine.n;
  bool ok   = (w->count = calloc(4 * (size_t)fc_comm_size(s->comm), sizeof *w->count)) != NULL;
  for (int a = 0; a < 3; a++) ok &= (w->velocity[a] = calloc((size_t)s->nkx, sizeof(double *))) != NULL;
  ok &= (w->term = calloc((size_t)(FC_CHAN_PRODUCTS * s->c.ny), sizeof(double *))) != NULL;
  ok &= (w->send = fc_fft2_alloc(most_sent(s) + 8)) != NULL;
  ok &= (w->arrived[0] = fc_fft2_alloc(total(s, velocities, false) + 8)) != NULL;
  ok &= (w->arrived[1] = fc_fft2_alloc(total(s, terms, false) + 8)) != NULL;
  FC_REQUIRE(ok, FC_E_SYSTEM, "no memory for messages of %.0f MB", 8e-6 * (double)fc_chan_way_size(s));
  find_velocities(s, w);
  find_terms(s, w);
  fill_counts(s, w);
  return FC_OK;
}

void fc_chan_way_destroy(fc_chan_way *w) {
  if (!w) return;
  for (int a = 0; a < 3; a++) free(w->velocity[a]);
  for (int i = 0; i < 2; i++) free(w->arrived[i]);
  free(w->term);
  free(w->send);
  free(w->count);
  free(w);
}

/* ---- journeys ---- */

static double *put(double *to, const double *from, int64_t n) {
  memcpy(to, from, (size_t)n * sizeof *to);
  return to + n;
}

void fc_chan_spread(fc_chan *s) {
  const int    me = fc_comm_rank(s->comm), ranks = fc_comm_size(s->comm);
  fc_chan_way *w  = s->way;
  double      *at = w->send;

  if (ranks == 1 || s->status != FC_OK) return;
  for (int r = 0; r < ranks; r++) {
    const block p = wide_planes(s, r);
    for (int a = 0; a < 3 && r != me; a++)
      for (int64_t i = 0; i < s->k_n; i++)
        at = put(at, s->state[a] + (i * s->c.ny + p.lo) * s->row, p.n * s->row);
  }
  s->status = fc_comm_exchange_double(s->comm, w->send, w->count, w->arrived[0], w->count + ranks);
}

void fc_chan_product_rows(const fc_chan *s, int a, int64_t y, double **rows) {
  const int     me = fc_comm_rank(s->comm), ranks = fc_comm_size(s->comm);
  const int64_t j  = y - s->y_lo;
  double       *at = s->way->send;

  for (int r = 0; r < ranks; r++) {
    const block k     = modes_of(s, r);
    double     *first = r == me ? s->product[a] + j * s->k_n * s->row : at + (a * s->y_n + j) * k.n * s->row;
    for (int64_t i = 0; i < k.n; i++) rows[k.lo + i] = first + i * s->row;
    at += s->way->count[2 * ranks + r];
  }
}

void fc_chan_return(fc_chan *s) {
  const int    ranks = fc_comm_size(s->comm);
  fc_chan_way *w     = s->way;

  if (ranks == 1 || s->status != FC_OK) return;
  s->status =
      fc_comm_exchange_double(s->comm, w->send, w->count + 2 * ranks, w->arrived[1], w->count + 3 * ranks);
}

fc_chan_rows fc_chan_velocity(const fc_chan *s, int a, int64_t y) {
  return (fc_chan_rows){.at = s->way->velocity[a], .offset = (y - s->way->first) * s->row};
}
