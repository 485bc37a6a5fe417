/* core/domain.c - blocks of an axis, and collectives as kernels of operations call them. */
#include "core/domain.h"

bool fc_domain_shared(const fc_ctx *c) { return c->domain && c->domain->size > 1; }
int  fc_domain_rank(const fc_ctx *c) { return c->domain ? c->domain->rank : 0; }
int  fc_domain_size(const fc_ctx *c) { return c->domain ? c->domain->size : 1; }

void fc_ctx_share(fc_ctx *c, const fc_share *s) {
  c->domain = s ? s->domain : NULL;
  c->cut    = s ? s->cut : (fc_cut){0};
}

/* ---- blocks ---- */

int64_t fc_cut_at(fc_cut s, int rank, int size) {
  const int64_t blocks = fc_ceil_div(s.n, s.unit);

  return fc_min64(s.n, blocks * rank / size * s.unit);
}

int64_t fc_cut_lo(const fc_ctx *c, fc_cut s) { return fc_cut_at(s, fc_domain_rank(c), fc_domain_size(c)); }

int64_t fc_cut_len(const fc_ctx *c, fc_cut s) {
  return fc_cut_at(s, fc_domain_rank(c) + 1, fc_domain_size(c)) - fc_cut_lo(c, s);
}

fc_cut fc_cut_batch(const fc_ctx *c, int64_t n) { return fc_domain_shared(c) ? c->cut : (fc_cut){n, 1}; }

fc_cut fc_cut_coarser(fc_cut s, int64_t by) {
  FC_ASSERT(s.unit % by == 0, "cut: blocks of %lld entries do not end at multiples of %lld",
            (long long)s.unit, (long long)by);
  return (fc_cut){fc_ceil_div(s.n, by), s.unit / by};
}

bool fc_cut_same(const fc_ctx *c, fc_cut a, fc_cut b) {
  const int size = fc_domain_size(c);

  for (int r = 1; r < size; r++)
    if (fc_cut_at(a, r, size) != fc_cut_at(b, r, size)) return false;
  return a.n == b.n;
}

fc_status fc_cut_check(fc_cut s, int size, const char *what) {
  FC_REQUIRE(
      s.unit > 0 && fc_ceil_div(s.n, s.unit) >= size, FC_E_USAGE,
      "%s of %lld can be cut at multiples of %lld only, which is too few blocks for %d ranks; use fewer "
      "ranks in the domain",
      what, (long long)s.n, (long long)s.unit, size);
  return FC_OK;
}

/* ---- collectives ---- */

static void note(fc_ctx *c, fc_status s) {
  if (c->domain_status == FC_OK) c->domain_status = s;
}

static void count(fc_ctx *c, double numbers, int messages) {
  c->sent += numbers * (double)sizeof(fc_real);
  c->messages += messages;
}

/* Halves of the array go to and fro (Rabenseifner): twice log2 of the ranks, each number about twice. */
static void count_sum(fc_ctx *c, int64_t n) {
  const int p      = c->domain->size;
  int       rounds = 0;

  while (1 << rounds < p) rounds++;
  count(c, 2 * (double)n * (p - 1) / p, 2 * rounds);
}

void fc_domain_sum(fc_ctx *c, fc_real *x, int64_t n) {
  if (!fc_domain_shared(c)) return;
  count_sum(c, n);
  if (!c->dry) note(c, c->domain->sum(c->domain->comm, x, n));
}

void fc_domain_sum_double(fc_ctx *c, double *x, int64_t n) {
  if (!fc_domain_shared(c)) return;
  count_sum(c, n * (int64_t)(sizeof(double) / sizeof(fc_real)));
  if (!c->dry) note(c, c->domain->sum_double(c->domain->comm, x, n));
}

/* sum_r (sum (x - m)^2) = sum_r (square_r + n_r mean_r^2) - n m^2; in double nothing that floats hold is lost
 */
double fc_domain_moments(fc_ctx *c, int64_t rows, double n, double *mean, double *square) {
  if (!fc_domain_shared(c)) return n;
  const size_t mark = fc_arena_mark(c->arena);
  double      *sum = fc_arena_push(c->arena, (size_t)(2 * rows + 1) * sizeof *sum), all = n;

  for (int64_t r = 0; !c->dry && r < rows; r++) {
    sum[r]        = n * mean[r];
    sum[rows + r] = square[r] + n * mean[r] * mean[r];
  }
  if (!c->dry) sum[2 * rows] = n;
  fc_domain_sum_double(c, sum, 2 * rows + 1);
  if (!c->dry) all = sum[2 * rows];
  for (int64_t r = 0; !c->dry && r < rows; r++) {
    mean[r]   = sum[r] / all;
    square[r] = sum[rows + r] - all * mean[r] * mean[r];
    if (square[r] < 0) square[r] = 0;
  }
  fc_arena_pop(c->arena, mark);
  return all;
}

void fc_domain_max(fc_ctx *c, fc_real *x, int64_t n) {
  if (!fc_domain_shared(c)) return;
  count_sum(c, n);
  if (!c->dry) note(c, c->domain->max(c->domain->comm, x, n));
}

void fc_domain_exchange(fc_ctx *c, const fc_real *send, const int64_t *n_send, fc_real *recv,
                        const int64_t *n_recv) {
  int64_t n        = 0;
  int     messages = 0;

  for (int r = 0; r < c->domain->size; r++)
    if (r != c->domain->rank) n += n_send[r], messages += n_send[r] > 0;
  count(c, (double)n, messages);
  if (!c->dry) note(c, c->domain->exchange(c->domain->comm, send, n_send, recv, n_recv));
}

fc_status fc_domain_status(fc_ctx *c) {
  const fc_status s = c->domain_status;

  c->domain_status = FC_OK;
  return s;
}
