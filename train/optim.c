/* train/optim.c - the weights are walked in chunks that do not cross tensors and depend on shapes alone. */
#include "train/optim.h"

#include "core/parallel.h"
#include "core/vmath.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 14 };

typedef struct {
  int     tensor;
  int64_t at, len; /* in the block */
} chunk;

struct fc_optim {
  fc_params *p;
  fc_real   *m, *v, *ema;
  int64_t   *counts; /* steps each tensor has taken */
  double    *factor; /* by tensor; 0: not of a group */
  double    *partial;
  chunk     *chunks;
  int64_t    n_chunks, block;
};

static bool trained(const fc_params *p, int i) { return fc_params_kind(p, i) == FC_PARAM_TRAINED; }

/* counts when o->chunks is NULL, else fills */
static void cut(fc_optim *o) {
  fc_tensor *t;

  o->n_chunks = 0;
  for (int i = 0; i < fc_params_size(o->p); i++) {
    if (!trained(o->p, i)) continue;
    fc_params_at(o->p, i, &t);
    const int64_t from = t->x - fc_params_values(o->p), n = fc_len(t);
    for (int64_t k = 0; k < n; k += CHUNK, o->n_chunks++)
      if (o->chunks) o->chunks[o->n_chunks] = (chunk){i, from + k, fc_min64(CHUNK, n - k)};
  }
}

static fc_real *zeros(int64_t n) {
  const size_t bytes = (size_t)fc_ceil_div((n + 1) * (int64_t)sizeof(fc_real), 64) * 64;
  fc_real     *x     = aligned_alloc(64, bytes);

  if (x) memset(x, 0, bytes);
  return x;
}

int64_t fc_optim_bytes(int64_t n, bool ema) { return (2 + ema) * n * (int64_t)sizeof(fc_real); }

fc_status fc_optim_create(fc_params *p, bool ema, fc_optim **out) {
  fc_optim *o = calloc(1, sizeof *o);

  FC_REQUIRE(o, FC_E_SYSTEM, "no memory for the optimiser");
  o->p     = p;
  o->block = fc_params_block(p, true);
  cut(o);
  o->m       = zeros(o->block);
  o->v       = zeros(o->block);
  o->ema     = ema ? zeros(o->block) : NULL;
  o->counts  = calloc((size_t)fc_params_size(p) + 1, sizeof *o->counts);
  o->factor  = calloc((size_t)fc_params_size(p) + 1, sizeof *o->factor);
  o->chunks  = calloc((size_t)o->n_chunks + 1, sizeof *o->chunks);
  o->partial = calloc((size_t)o->n_chunks + 1, sizeof *o->partial);
  if (!o->m || !o->v || (ema && !o->ema) || !o->counts || !o->factor || !o->chunks || !o->partial) {
    fc_optim_destroy(o);
    return fc_fail(FC_E_SYSTEM, "no memory for the optimiser of %lld weights",
                   (long long)fc_params_trainable(p));
  }
  cut(o);
  if (ema) memcpy(o->ema, fc_params_values(p), (size_t)o->block * sizeof *o->ema);
  *out = o;
  return FC_OK;
}

void fc_optim_destroy(fc_optim *o) {
  if (!o) return;
  free(o->m);
  free(o->v);
  free(o->ema);
  free(o->counts);
  free(o->factor);
  free(o->chunks);
  free(o->partial);
  free(o);
}

FC_SIMD static double sum_of_squares(const fc_real *restrict g, int64_t n) {
  double s = 0;

  FC_REDUCE(+, s) for (int64_t i = 0; i < n; i++) s += (double)g[i] * (double)g[i];
  return s;
}

double fc_optim_grad_norm(fc_optim *o) {
  const fc_real *g   = fc_params_grads(o->p);
  double         sum = 0;

  FC_FOR_ROWS(k, o->n_chunks, CHUNK) o->partial[k] = sum_of_squares(g + o->chunks[k].at, o->chunks[k].len);
  for (int64_t k = 0; k < o->n_chunks; k++) sum += o->partial[k];
  return sqrt(sum);
}

double fc_optim_clip(double norm, double max_norm) {
  const double c = max_norm > 0 ? max_norm / (norm + 1e-6) : 1;

  return c < 1 ? c : 1;
}

int fc_optim_group(fc_optim *o, const char *part, double factor) {
  fc_tensor *t;
  int        n = 0;

  for (int i = 0; i < fc_params_size(o->p); i++) {
    if (!trained(o->p, i) || !strstr(fc_params_at(o->p, i, &t), part)) continue;
    o->factor[i] = factor;
    n++;
  }
  return n;
}

typedef struct {
  fc_real decay, l2, beta1, rest1, beta2, rest2, rate, root2, eps, scale;
} factors; /* of one tensor: its number of steps enters the bias corrections */

static factors factors_at(const fc_adamw_rates *r, double lr, int64_t t, double scale) {
  const double c1 = 1 - pow(r->beta1, (double)t), c2 = 1 - pow(r->beta2, (double)t);

  return (factors){.decay = (fc_real)(r->coupled ? 1 : 1 - lr * r->weight_decay),
                   .l2    = (fc_real)(r->coupled ? r->weight_decay : 0),
                   .beta1 = (fc_real)r->beta1,
                   .rest1 = (fc_real)(1 - r->beta1),
                   .beta2 = (fc_real)r->beta2,
                   .rest2 = (fc_real)(1 - r->beta2),
                   .rate  = (fc_real)(lr / c1),
                   .root2 = (fc_real)sqrt(c2),
                   .eps   = (fc_real)r->eps,
                   .scale = (fc_real)scale};
}

FC_SIMD static void adamw(factors f, int64_t n, fc_real *restrict w, const fc_real *restrict grad,
                          fc_real *restrict m, fc_real *restrict v) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const fc_real g = f.scale * grad[i] + f.l2 * w[i];
    m[i]            = f.beta1 * m[i] + f.rest1 * g;
    v[i]            = f.beta2 * v[i] + f.rest2 * g * g;
    w[i]            = f.decay * w[i] - f.rate * m[i] / (fc_sqrt(v[i]) / f.root2 + f.eps);
  }
}

static bool reached(const fc_optim *o, int tensor) {
  fc_tensor *t;

  fc_params_at(o->p, tensor, &t);
  return t->has_grad;
}

static double rate_of(const fc_optim *o, const fc_adamw_rates *r, int tensor) {
  return o->factor[tensor] > 0 && r->group_lr > 0 ? o->factor[tensor] * r->group_lr : r->lr;
}

void fc_optim_step(fc_optim *o, const fc_adamw_rates *r, double grad_scale) {
  fc_real       *w = fc_params_values(o->p);
  const fc_real *g = fc_params_grads(o->p);

  for (int i = 0; i < fc_params_size(o->p); i++) o->counts[i] += trained(o->p, i) && reached(o, i);
  FC_FOR_ROWS(k, o->n_chunks, CHUNK) {
    const chunk *q = &o->chunks[k];
    if (reached(o, q->tensor))
      adamw(factors_at(r, rate_of(o, r, q->tensor), o->counts[q->tensor], grad_scale), q->len, w + q->at,
            g + q->at, o->m + q->at, o->v + q->at);
  }
}

FC_SIMD static void blend(fc_real d, int64_t n, fc_real *restrict a, const fc_real *restrict w) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) a[i] = d * a[i] + (1 - d) * w[i];
}

void fc_optim_average(fc_optim *o, double decay, int64_t updates) {
  const double   early = (1 + (double)updates) / (10 + (double)updates), d = decay < early ? decay : early;
  const fc_real *w = fc_params_values(o->p);

  if (!o->ema) return;
  FC_FOR_ROWS(k, o->n_chunks, CHUNK)
  blend((fc_real)d, o->chunks[k].len, o->ema + o->chunks[k].at, w + o->chunks[k].at);
}

fc_real *fc_optim_m(fc_optim *o) { return o->m; }
fc_real *fc_optim_v(fc_optim *o) { return o->v; }
fc_real *fc_optim_ema(fc_optim *o) { return o->ema; }
int64_t *fc_optim_counts(fc_optim *o) { return o->counts; }
