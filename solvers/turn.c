/* solvers/turn.c - messages are ordered as the receiver (there) or the sender (back) has its rows, so that
   one side copies long runs and the other transposes runs of len. */
#include "solvers/turn.h"

#include "core/parallel.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  int64_t lo, n;
} block;

static block of(int64_t n, int rank, int ranks) {
  const int64_t lo = n * rank / ranks;

  return (block){lo, n * (rank + 1) / ranks - lo};
}

fc_status fc_turn_create(const fc_comm *comm, int64_t n0, int64_t n1, int64_t len, int most, fc_turn **out) {
  const int     me = fc_comm_rank(comm), ranks = fc_comm_size(comm);
  const int64_t here = of(n0, me, ranks).n * n1 * len * most, there = of(n1, me, ranks).n * n0 * len * most;
  fc_turn      *t = calloc(1, sizeof *t);

  *out = NULL;
  if (t) {
    *t       = (fc_turn){comm, n0, n1, len, most};
    t->count = calloc(2 * (size_t)ranks, sizeof *t->count);
    t->send  = ranks > 1 ? malloc((size_t)fc_max64(1, fc_max64(here, there)) * sizeof *t->send) : NULL;
    t->recv  = ranks > 1 ? malloc((size_t)fc_max64(1, fc_max64(here, there)) * sizeof *t->recv) : NULL;
  }
  if (!t || !t->count || (ranks > 1 && (!t->send || !t->recv))) {
    fc_turn_destroy(t);
    return fc_fail(FC_E_SYSTEM, "no memory to turn arrays of %lld numbers", (long long)fc_max64(here, there));
  }
  *out = t;
  return FC_OK;
}

void fc_turn_destroy(fc_turn *t) {
  if (!t) return;
  free(t->send);
  free(t->recv);
  free(t->count);
  free(t);
}

/* to[j, i, :] = from[i, j, :], n0 x n1 runs; the strides of i in `from` and of j in `to` are longer */
static void transpose(const double *from, int64_t stride_from, double *to, int64_t stride_to, int64_t n0,
                      int64_t n1, int64_t len) {
  FC_FOR_ROWS(j, n1, n0 * len)
  for (int64_t i = 0; i < n0; i++)
    memcpy(to + j * stride_to + i * len, from + i * stride_from + j * len, (size_t)len * sizeof *to);
}

static void copy(const double *from, int64_t stride_from, double *to, int64_t stride_to, int64_t rows,
                 int64_t width) {
  FC_FOR_ROWS(i, rows, width)
  memcpy(to + i * stride_to, from + i * stride_from, (size_t)width * sizeof *to);
}

static void count(fc_turn *t, int k, bool there) {
  const int   me = fc_comm_rank(t->comm), ranks = fc_comm_size(t->comm);
  const block m0 = of(t->n0, me, ranks), m1 = of(t->n1, me, ranks);

  for (int r = 0; r < ranks; r++) {
    t->count[there ? r : ranks + r] = k * m0.n * of(t->n1, r, ranks).n * t->len;
    t->count[there ? ranks + r : r] = k * m1.n * of(t->n0, r, ranks).n * t->len;
  }
}

fc_status fc_turn_there(fc_turn *t, int k, double *const *a, double *const *b) {
  const int   me = fc_comm_rank(t->comm), ranks = fc_comm_size(t->comm);
  const block m0 = of(t->n0, me, ranks), m1 = of(t->n1, me, ranks);
  double     *at = t->send;

  FC_ASSERT(k <= t->most, "%d arrays in a turn of at most %d", k, t->most);
  if (ranks == 1) {
    for (int f = 0; f < k; f++) transpose(a[f], t->n1 * t->len, b[f], t->n0 * t->len, t->n0, t->n1, t->len);
    return FC_OK;
  }
  for (int r = 0; r < ranks; r++)
    for (int f = 0; f < k; f++) {
      const block o = of(t->n1, r, ranks);
      transpose(a[f] + o.lo * t->len, t->n1 * t->len, at, m0.n * t->len, m0.n, o.n, t->len);
      at += m0.n * o.n * t->len;
    }
  count(t, k, true);
  FC_TRY(fc_comm_exchange_double(t->comm, t->send, t->count, t->recv, t->count + ranks));
  at = t->recv;
  for (int r = 0; r < ranks; r++)
    for (int f = 0; f < k; f++) {
      const block o = of(t->n0, r, ranks);
      copy(at, o.n * t->len, b[f] + o.lo * t->len, t->n0 * t->len, m1.n, o.n * t->len);
      at += m1.n * o.n * t->len;
    }
  return FC_OK;
}

fc_status fc_turn_back(fc_turn *t, int k, double *const *b, double *const *a) {
  const int   me = fc_comm_rank(t->comm), ranks = fc_comm_size(t->comm);
  const block m0 = of(t->n0, me, ranks), m1 = of(t->n1, me, ranks);
  double     *at = t->send;

  FC_ASSERT(k <= t->most, "%d arrays in a turn of at most %d", k, t->most);
  if (ranks == 1) {
    for (int f = 0; f < k; f++) transpose(b[f], t->n0 * t->len, a[f], t->n1 * t->len, t->n1, t->n0, t->len);
    return FC_OK;
  }
  for (int r = 0; r < ranks; r++)
    for (int f = 0; f < k; f++) {
      const block o = of(t->n0, r, ranks);
      copy(b[f] + o.lo * t->len, t->n0 * t->len, at, o.n * t->len, m1.n, o.n * t->len);
      at += m1.n * o.n * t->len;
    }
  count(t, k, false);
  FC_TRY(fc_comm_exchange_double(t->comm, t->send, t->count, t->recv, t->count + ranks));
  at = t->recv;
  for (int r = 0; r < ranks; r++)
    for (int f = 0; f < k; f++) {
      const block o = of(t->n1, r, ranks);
      transpose(at, m0.n * t->len, a[f] + o.lo * t->len, t->n1 * t->len, o.n, m0.n, t->len);
      at += m0.n * o.n * t->len;
    }
  return FC_OK;
}
