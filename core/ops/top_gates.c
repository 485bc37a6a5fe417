/* core/ops/top_gates.c - noisy top-k gating (Shazeer et al. 2017, section 2.1 and appendix A). Rows are
   samples, columns are experts.
     gates        g_i = exp(l_i) / sum of exp(l_j) over the k largest, 0 for all others
     probability  P_i = Phi((l_i - t_i) / s_i), l without noise: that expert i is among the k largest if its
                  noise alone is drawn again. t_i is the k-th largest of the other noisy logits: number k + 1
                  of all if i is among the k largest, else number k
     imbalance    unbiased variance of the columns' sums over the square of their mean */
#include "core/ops.h"
#include "core/ops/softmax_rows.h"
#include "core/vmath.h"

/* which[0 .. n-1]: the largest of x, in falling order; of equal ones the first */
static void sort_largest(const fc_real *x, int64_t E, int64_t n, int64_t *which) {
  bool taken[FC_EXPERTS] = {false};

  for (int64_t i = 0; i < n; i++) {
    int64_t best = -1;
    for (int64_t e = 0; e < E; e++)
      if (!taken[e] && (best < 0 || x[e] > x[best])) best = e;
    /* cppcheck-suppress negativeIndex ; n <= E: one is left */
    taken[best] = true;
    which[i]    = best;
  }
}

/* ---- gates ---- */

static void gate_row(fc_real *g, const fc_real *l, int64_t E, int64_t k) {
  int64_t which[FC_EXPERTS];
  fc_real value[FC_EXPERTS] = {0};

  sort_largest(l, E, k, which);
  for (int64_t i = 0; i < k; i++) value[i] = l[which[i]];
  fc_softmax_rows(value, value, 1, k);
  for (int64_t e = 0; e < E; e++) g[e] = 0;
  for (int64_t i = 0; i < k; i++) g[which[i]] = value[i];
}

/* a softmax whose other weights are 0: dl = g (dg - dg . g) */
static void gates_backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *g = node->out;
  bool             fresh;
  fc_real         *dl = fc_grad_raw(c, node->in[0], &fresh);

  if (dl) fc_softmax_rows_back(dl, g->g, g->x, fc_rows(g), fc_last(g), fresh);
}

static const fc_op top_gates = {"top_gates", gates_backward, false};

fc_tensor *fc_top_gates(fc_ctx *c, fc_tensor *logits, int64_t k) {
  const int64_t E = fc_last(logits);
  fc_tensor    *g = fc_tensor_new(c->arena, logits->ndim, logits->dim);

  FC_ASSERT(k >= 1 && k <= E && E <= FC_EXPERTS, "top_gates: %lld of %s", (long long)k,
            fc_shape_text(logits));
  for (int64_t r = 0; !c->dry && r < fc_rows(g); r++) gate_row(g->x + r * E, logits->x + r * E, E, k);
  return fc_record(c, &top_gates, g, NULL, FC_IN(logits));
}

fc_tensor *fc_gates_open(fc_ctx *c, const fc_tensor *gates) {
  fc_tensor *y = fc_tensor_new(c->arena, gates->ndim, gates->dim);

  for (int64_t i = 0; !c->dry && i < fc_len(y); i++) y->x[i] = gates->x[i] > 0;
  return y;
}

/* ---- probability ---- */

static double normal_cdf(double u) { return (1 + erf(u * 0.70710678118654752)) / 2; }
static double normal_density(double u) { return 0.39894228040143268 * exp(-u * u / 2); }

/* at[e]: which logit is expert e's threshold */
static void thresholds(const fc_real *noisy, int64_t E, int64_t k, int64_t *at) {
  int64_t which[FC_EXPERTS];

  sort_largest(noisy, E, k + 1, which);
  for (int64_t e = 0; e < E; e++) at[e] = noisy[e] > noisy[which[k]] ? which[k] : which[k - 1];
}

static double distance(const fc_real *clean, const fc_real *noisy, const fc_real *deviation, int64_t e,
                       const int64_t *at) {
  return ((double)clean[e] - (double)noisy[at[e]]) / (double)deviation[e];
}

/* P = Phi(u), u = (l - t) / s: dl += w, dt -= w, ds -= w u with w = dP phi(u) / s */
static void probability_backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *l = node->in[0], *t = node->in[1], *s = node->in[2];
  const int64_t    k = *(const int64_t *)node->saved, E = fc_last(l);
  fc_real         *dl = fc_grad(c, node->in[0]), *dt = fc_grad(c, node->in[1]), *ds = fc_grad(c, node->in[2]);
  int64_t          at[FC_EXPERTS];

  for (int64_t r = 0; r < fc_len(l); r += E) {
    thresholds(t->x + r, E, k, at);
    for (int64_t e = 0; e < E; e++) {
      const double u = distance(l->x + r, t->x + r, s->x + r, e, at);
      const double w = (double)node->out->g[r + e] * normal_density(u) / (double)s->x[r + e];
      if (dl) dl[r + e] += (fc_real)w;
      if (dt) dt[r + at[e]] -= (fc_real)w;
      if (ds) ds[r + e] -= (fc_real)(w * u);
    }
  }
}

static const fc_op top_probability = {"top_probability", probability_backward, false};

fc_tensor *fc_top_probability(fc_ctx *c, fc_tensor *clean, fc_tensor *noisy, fc_tensor *deviation,
                              int64_t k) {
  const int64_t E = fc_last(clean);
  fc_tensor    *y = fc_tensor_new(c->arena, clean->ndim, clean->dim);
  int64_t      *s = fc_arena_push(c->arena, sizeof *s), at[FC_EXPERTS];

  FC_ASSERT(k >= 1 && k < E && E <= FC_EXPERTS && fc_same_shape(clean, noisy) &&
                fc_same_shape(clean, deviation),
            "top_probability: %lld of %s", (long long)k, fc_shape_text(clean));
  *s = k;
  for (int64_t r = 0; !c->dry && r < fc_len(y); r += E) {
    thresholds(noisy->x + r, E, k, at);
    for (int64_t e = 0; e < E; e++)
      y->x[r + e] = (fc_real)normal_cdf(distance(clean->x + r, noisy->x + r, deviation->x + r, e, at));
  }
  return fc_record(c, &top_probability, y, s, FC_IN(clean, noisy, deviation));
}

/* ---- imbalance ---- */

typedef struct {
  bool   shared;            /* the samples of all ranks were counted */
  double slope[FC_EXPERTS]; /* dy / d sum_e */
} balance;

/* y = v / q, q = m^2 + 1e-10: dy/ds_e = 2 (s_e - m) / ((E - 1) q) - 2 m v / (E q^2) */
static double imbalance_of(const double *sum, int64_t E, double *slope) {
  double m = 0, v = 0;

  for (int64_t e = 0; e < E; e++) slope[e] = 0;
  if (E == 1) return 0;
  for (int64_t e = 0; e < E; e++) m += sum[e] / (double)E;
  for (int64_t e = 0; e < E; e++) v += (sum[e] - m) * (sum[e] - m) / (double)(E - 1);
  const double q = m * m + 1e-10;
  for (int64_t e = 0; e < E; e++)
    slope[e] = 2 * (sum[e] - m) / ((double)(E - 1) * q) - 2 * m * v / ((double)E * q * q);
  return v / q;
}

/* every rank's loss holds the same number, which the samples of all of them made */
static void imbalance_backward(fc_ctx *c, const fc_node *node) {
  const balance *s  = node->saved;
  const int64_t  E  = fc_last(node->in[0]);
  fc_real       *dx = fc_grad(c, node->in[0]);
  double         dy = (double)node->out->g[0];

  if (s->shared) c->batch_sum(&dy, 1);
  for (int64_t i = 0; dx && i < fc_len(node->in[0]); i++) dx[i] += (fc_real)(dy * s->slope[i % E]);
}

static const fc_op imbalance = {"imbalance", imbalance_backward, false};

fc_tensor *fc_imbalance(fc_ctx *c, fc_tensor *x) {
  const int64_t E               = fc_last(x);
  double        sum[FC_EXPERTS] = {0};
  fc_tensor    *y               = fc_tensor_new(c->arena, 0, NULL);
  balance      *s               = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(E <= FC_EXPERTS, "imbalance: %s", fc_shape_text(x));
  s->shared = c->training && c->batch_sum;
  if (!c->dry) {
    for (int64_t i = 0; i < fc_len(x); i++) sum[i % E] += (double)x->x[i];
    if (s->shared) c->batch_sum(sum, E);
    y->x[0] = (fc_real)imbalance_of(sum, E, s->slope);
  }
  return fc_record(c, &imbalance, y, s, FC_IN(x));
}
