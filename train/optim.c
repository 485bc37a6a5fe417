/* train/optim.c - the weights are walked in chunks that do not cross tensors and depend on shapes alone. */
#include "train/optim.h"

#include "core/parallel.h"
#include "core/vmath.h"
#include "hpc/comm.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 14 };

typedef struct {
  int     tensor;
  int64_t at, len; /* in the block */
} chunk;

struct fc_optim {
  fc_params *p;
  fc_comm   *comm;                   /* NULL: not shared */
  int64_t   *border;                 /* shared: of the ranks' parts, [ranks + 1] */
  int64_t    lo, hi;                 /* numbers of the block whose state is here */
  fc_real   *state[FC_OPTIM_STATES]; /* [hi - lo] */
  int64_t   *counts;                 /* steps each tensor has taken */
  double    *factor;                 /* by tensor; 0: not of a group */
  double    *partial;
  chunk     *chunks;               /* of the whole block */
  int64_t    n_chunks, first, end; /* first .. end - 1 of them are between lo and hi */
};

static bool trained(const fc_params *p, int i) { return fc_params_kind(p, i) == FC_PARAM_TRAINED; }

static int64_t length(const fc_params *p, int i) {
  fc_tensor *t;

  fc_params_at(p, i, &t);
  return fc_len(t);
}

/* counts when o->chunks is NULL, else fills */
static void cut(fc_optim *o) {
  o->n_chunks = 0;
  for (int i = 0; i < fc_params_size(o->p); i++) {
    if (!trained(o->p, i)) continue;
    const int64_t from = fc_params_offset(o->p, i), n = length(o->p, i);
    for (int64_t k = 0; k < n; k += CHUNK, o->n_chunks++)
      if (o->chunks) o->chunks[o->n_chunks] = (chunk){i, from + k, fc_min64(CHUNK, n - k)};
  }
}

/* where part `part` of `parts` begins: with the first chunk that begins no earlier than an even share */
static int64_t part_at(const fc_params *p, int part, int parts) {
  const int64_t block = fc_params_block(p, true), share = block * part / parts;

  for (int i = 0; i < fc_params_size(p); i++) {
    if (!trained(p, i)) continue;
    const int64_t from = fc_params_offset(p, i);
    const int64_t at   = from + fc_ceil_div(fc_max64(0, share - from), CHUNK) * CHUNK;
    if (at < from + length(p, i)) return at;
  }
  return block;
}

int64_t fc_optim_part(const fc_params *p, int ranks) {
  int64_t most = 0;

  for (int r = 0; r < ranks; r++) most = fc_max64(most, part_at(p, r + 1, ranks) - part_at(p, r, ranks));
  return most;
}

static fc_real *zeros(int64_t n) {
  const size_t bytes = (size_t)fc_ceil_div((n + 1) * (int64_t)sizeof(fc_real), 64) * 64;
  fc_real     *x     = aligned_alloc(64, bytes);

  if (x) memset(x, 0, bytes);
  return x;
}

int64_t fc_optim_bytes(int64_t n, bool ema) { return (2 + ema) * n * (int64_t)sizeof(fc_real); }

static fc_status share(fc_optim *o) {
  const int ranks = fc_comm_size(NULL), me = fc_comm_rank(NULL);

  FC_TRY(fc_comm_split(NULL, 0, &o->comm));
  o->border = calloc((size_t)ranks + 1, sizeof *o->border);
  FC_REQUIRE(o->border, FC_E_SYSTEM, "no memory for the optimiser");
  for (int r = 0; r <= ranks; r++) o->border[r] = part_at(o->p, r, ranks);
  o->lo = o->border[me];
  o->hi = o->border[me + 1];
  return FC_OK;
}

static fc_status take_memory(fc_optim *o, bool ema) {
  const size_t tensors = (size_t)fc_params_size(o->p) + 1;
  bool         good    = true;

  cut(o);
  for (int s = 0; s < FC_OPTIM_STATES - !ema; s++) good &= !!(o->state[s] = zeros(o->hi - o->lo));
  o->counts  = calloc(tensors, sizeof *o->counts);
  o->factor  = calloc(tensors, sizeof *o->factor);
  o->chunks  = calloc((size_t)o->n_chunks + 1, sizeof *o->chunks);
  o->partial = calloc((size_t)o->n_chunks + 1, sizeof *o->partial);
  FC_REQUIRE(good && o->counts && o->factor && o->chunks && o->partial, FC_E_SYSTEM,
             "no memory for the optimiser of %lld weights", (long long)fc_params_trainable(o->p));
  return FC_OK;
}

static fc_status fill(fc_optim *o, bool ema, bool shared) {
  o->hi = fc_params_block(o->p, true);
  if (shared) FC_TRY(share(o));
  FC_TRY(take_memory(o, ema));
  cut(o);
  while (o->first < o->n_chunks && o->chunks[o->first].at < o->lo) o->first++;
  for (o->end = o->first; o->end < o->n_chunks && o->chunks[o->end].at < o->hi;) o->end++;
  if (ema) memcpy(fc_optim_ema(o), fc_params_values(o->p) + o->lo, (size_t)(o->hi - o->lo) * sizeof(fc_real));
  return FC_OK;
}

static fc_status create(fc_params *p, bool ema, bool shared, fc_optim **out) {
  fc_optim *o = calloc(1, sizeof *o);

  FC_REQUIRE(o, FC_E_SYSTEM, "no memory for the optimiser");
  o->p              = p;
  const fc_status s = fill(o, ema, shared);
  if (s != FC_OK)
    fc_optim_destroy(o);
  else
    *out = o;
  return s;
}

fc_status fc_optim_create(fc_params *p, bool ema, fc_optim **out) { return create(p, ema, false, out); }

fc_status fc_optim_create_shared(fc_params *p, bool ema, fc_optim **out) {
  return create(p, ema, fc_comm_size(NULL) > 1, out);
}

void fc_optim_destroy(fc_optim *o) {
  if (!o) return;
  for (int s = 0; s < FC_OPTIM_STATES; s++) free(o->state[s]);
  fc_comm_free(o->comm);
  free(o->border);
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

/* the ranks' parts of a block to all */
static fc_status gather(fc_optim *o, fc_real *block) {
  return o->comm ? fc_comm_gather(o->comm, block, o->border) : FC_OK;
}

fc_status fc_optim_step(fc_optim *o, const fc_adamw_rates *r, double grad_scale) {
  fc_real       *w = fc_params_values(o->p), *m = fc_optim_m(o), *v = fc_optim_v(o);
  const fc_real *g = fc_params_grads(o->p);

  for (int i = 0; i < fc_params_size(o->p); i++) o->counts[i] += trained(o->p, i) && reached(o, i);
  FC_FOR_ROWS(k, o->end - o->first, CHUNK) {
    const chunk *q = &o->chunks[o->first + k];
    if (reached(o, q->tensor))
      adamw(factors_at(r, rate_of(o, r, q->tensor), o->counts[q->tensor], grad_scale), q->len, w + q->at,
            g + q->at, m + q->at - o->lo, v + q->at - o->lo);
  }
  return gather(o, w);
}

FC_SIMD static void blend(fc_real d, int64_t n, fc_real *restrict a, const fc_real *restrict w) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) a[i] = d * a[i] + (1 - d) * w[i];
}

void fc_optim_average(fc_optim *o, double decay, int64_t updates) {
  const double   early = (1 + (double)updates) / (10 + (double)updates), d = decay < early ? decay : early;
  const fc_real *w = fc_params_values(o->p);
  fc_real       *a = fc_optim_ema(o);

  if (!a) return;
  FC_FOR_ROWS(k, o->end - o->first, CHUNK) {
    const chunk *q = &o->chunks[o->first + k];
    blend((fc_real)d, q->len, a + q->at - o->lo, w + q->at);
  }
}

fc_status fc_optim_swap_average(fc_optim *o) {
  fc_real *a = fc_optim_ema(o), *w = fc_params_values(o->p);

  if (!a) return FC_OK;
  for (int64_t i = o->lo; i < o->hi; i++) {
    const fc_real keep = a[i - o->lo];
    a[i - o->lo]       = w[i];
    w[i]               = keep;
  }
  return gather(o, w);
}

/* ---- for checkpoints ---- */

fc_real *fc_optim_m(fc_optim *o) { return o->state[FC_OPTIM_M]; }
fc_real *fc_optim_v(fc_optim *o) { return o->state[FC_OPTIM_V]; }
fc_real *fc_optim_ema(fc_optim *o) { return o->state[FC_OPTIM_EMA]; }
int64_t *fc_optim_counts(fc_optim *o) { return o->counts; }

void fc_optim_range(const fc_optim *o, int64_t *lo, int64_t *hi) {
  *lo = o->lo;
  *hi = o->hi;
}

fc_real *fc_optim_own(fc_optim *o, fc_optim_state s) { return o->state[s]; }
bool     fc_optim_is_shared(const fc_optim *o) { return o->comm != NULL; }
