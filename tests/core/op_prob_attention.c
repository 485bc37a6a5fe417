/* tests/core/op_prob_attention.c - a probe that shakes queries or keys may change which queries are sharpest,
   where the function jumps; the small sizes below are such that none does. */
#include "tests/check.h"

enum { MAX_STEPS = 160 };

/* the same for any context */
static fc_tensor *sample_of(fc_ctx *c, int64_t queries, int64_t samples, int64_t keys) {
  fc_tensor   *t = fc_tensor_new(c->arena, FC_DIMS(queries, samples));
  const fc_rng r = {11, (uint64_t)queries, FC_RNG_TEST};

  for (int64_t i = 0; !c->dry && i < fc_len(t); i++)
    t->x[i] = (fc_real)(int64_t)((double)keys * fc_rng_uniform(&r, (uint64_t)i));
  return t;
}

static fc_tensor *prob(fc_ctx *c, fc_tensor **in, int64_t samples, int64_t top, bool causal, bool shared) {
  const int64_t Nq   = in[0]->dim[2];
  const fc_prob spec = {sample_of(c, Nq, samples, in[1]->dim[2]), top ? top : Nq, causal, shared};

  return fc_prob_attention(c, in[0], in[1], in[2], &spec, 0.4);
}

static fc_tensor *all(fc_ctx *c, fc_tensor **in) { return prob(c, in, 3, 0, false, false); }
static fc_tensor *all_causal(fc_ctx *c, fc_tensor **in) { return prob(c, in, 3, 0, true, false); }
static fc_tensor *few(fc_ctx *c, fc_tensor **in) { return prob(c, in, 4, 3, false, false); }
static fc_tensor *few_causal(fc_ctx *c, fc_tensor **in) { return prob(c, in, 4, 3, true, false); }
static fc_tensor *few_shared(fc_ctx *c, fc_tensor **in) { return prob(c, in, 4, 2, true, true); }
static fc_tensor *many(fc_ctx *c, fc_tensor **in) { return prob(c, in, 9, 70, false, false); }
static fc_tensor *many_causal(fc_ctx *c, fc_tensor **in) { return prob(c, in, 9, 70, true, false); }
static fc_tensor *of_itself(fc_ctx *c, fc_tensor **in) {
  return prob(c, (fc_tensor *[]){in[0], in[0], in[0]}, 3, 0, true, false);
}

#define HEADS(B, H, Nq, Nk, D, E) CHECK_INS({4, {B, H, Nq, D}}, {4, {B, H, Nk, D}}, {4, {B, H, Nk, E}})
/* queries and keys stand still, and so does the choice */
#define STILL(B, H, N, D)                                                                                    \
  CHECK_INS({4, {B, H, N, D}, .fixed = true}, {4, {B, H, N, D}, .fixed = true}, {4, {B, H, N, D}})

static void gradient(void) {
  check_op("prob_attention_all", all, HEADS(2, 3, 5, 7, 4, 6), 0, 0);
  check_op("prob_attention_all_causal", all_causal, HEADS(2, 3, 6, 6, 4, 5), 0, 0);
  check_op("prob_attention_few", few, HEADS(1, 2, 9, 6, 4, 5), 0, 0);
  check_op("prob_attention_few_causal", few_causal, HEADS(2, 1, 8, 8, 4, 3), 0, 0);
  check_op("prob_attention_shared", few_shared, HEADS(1, 2, 7, 7, 4, 4), 0, 0);
  check_op("prob_attention_itself", of_itself, CHECK_INS({4, {2, 2, 9, 4}}), 0, 0);
}

/* several tiles of queries, more heads than one area of scratch each */
static void gradient_across_tiles(void) {
  check_op("prob_attention_tiles", all_causal, HEADS(1, 2, 150, 150, 5, 4), 0, 0);
  check_op("prob_attention_many", many, STILL(7, 11, 90, 4), 0, 0);
  check_op("prob_attention_many_causal", many_causal, STILL(3, 2, 140, 4), 0, 0);
}

/* ---- the formula in double ---- */

static double score(const fc_real *q, const fc_real *k, int64_t D) {
  double s = 0;

  for (int64_t d = 0; d < D; d++) s += (double)q[d] * (double)k[d];
  return s;
}

/* marks the queries of one head that are among the `top` sharpest */
static void sharpest(const fc_prob *spec, const fc_tensor *q, const fc_tensor *k, int64_t head,
                     bool *chosen) {
  const int64_t N = q->dim[2], Nk = k->dim[2], D = q->dim[3], U = spec->sample->dim[1];
  double        M[MAX_STEPS];

  for (int64_t i = 0; i < N; i++) {
    double high = -INFINITY, sum = 0;
    for (int64_t j = 0; j < U; j++) {
      const int64_t key = (int64_t)spec->sample->x[i * U + j];
      const double  s   = score(q->x + (head * N + i) * D, k->x + (head * Nk + key) * D, D);
      high              = fmax(high, s);
      sum += s;
    }
    M[i] = high - sum / (double)Nk;
  }
  for (int64_t i = 0; i < N; i++) {
    int64_t above = 0;
    for (int64_t j = 0; j < N; j++) above += M[j] > M[i];
    if (above < spec->top) chosen[i] = true;
  }
}

/* y_i [E] */
static void reference_row(const fc_tensor *q, const fc_tensor *k, const fc_tensor *v, int64_t head, int64_t i,
                          bool chosen, bool causal, double scale, double *y) {
  const int64_t N = q->dim[2], Nk = k->dim[2], D = q->dim[3], E = v->dim[3], seen = causal ? i + 1 : Nk;
  double        sum = 0;

  for (int64_t e = 0; e < E; e++) y[e] = 0;
  for (int64_t t = 0; t < seen; t++) {
    const double s = scale * score(q->x + (head * N + i) * D, k->x + (head * Nk + t) * D, D);
    const double w = chosen ? exp(s) : causal ? 1 / (double)seen : 1;
    sum += w;
    for (int64_t e = 0; e < E; e++) y[e] += w * (double)v->x[(head * Nk + t) * E + e];
  }
  for (int64_t e = 0; e < E; e++) y[e] /= sum;
  for (int64_t e = 0; e < E && causal && !chosen; e++) y[e] *= (double)seen; /* the sum itself */
}

static void compare(int64_t B, int64_t H, int64_t N, int64_t Nk, fc_prob spec) {
  enum { D = 8, E = 5 };
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(B, H, N, D)), *k = check_random(c, FC_DIMS(B, H, Nk, D)),
            *v = check_random(c, FC_DIMS(B, H, Nk, E));
  double off   = 0, y[E];

  spec.sample        = sample_of(c, N, 7, Nk);
  const fc_tensor *t = fc_prob_attention(c, q, k, v, &spec, 0.35);
  for (int64_t head = 0; head < B * H; head++) {
    bool chosen[MAX_STEPS] = {false};
    for (int64_t b = 0; b < B; b++)
      if (spec.shared || b == head / H) sharpest(&spec, q, k, b * H + head % H, chosen);
    for (int64_t i = 0; i < N; i++) {
      reference_row(q, k, v, head, i, chosen[i], spec.causal, 0.35, y);
      for (int e = 0; e < E; e++) off = fmax(off, fabs(y[e] - (double)t->x[(head * N + i) * E + e]));
    }
  }
  CHECK(off < (sizeof(fc_real) == 8 ? 1e-13 : 2e-5)); /* sums of up to 150 values near 1 */
}

static void as_the_formula(void) {
  compare(2, 3, 20, 13, (fc_prob){.top = 4});
  compare(2, 3, 13, 20, (fc_prob){.top = 13});
  compare(1, 1, 1, 5, (fc_prob){.top = 1});
  compare(2, 2, 150, 150, (fc_prob){.top = 15, .causal = true});
  compare(2, 2, 150, 31, (fc_prob){.top = 80});
  compare(3, 1, 40, 40, (fc_prob){.top = 5, .causal = true, .shared = true});
  compare(3, 2, 40, 22, (fc_prob){.top = 5, .shared = true});
}

/* y = n softmax(..) v + (1 - chosen) mean v, n the number of samples that chose a query: it has not the
   values but the gradients of the shared choice */
static fc_tensor *counted(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, const fc_prob *spec) {
  const int64_t N = q->dim[2], E = v->dim[3];
  fc_tensor    *n = fc_tensor_new(c->arena, FC_DIMS(N, E)), *other = fc_tensor_new(c->arena, FC_DIMS(N, E));

  for (int64_t i = 0; i < N * E; i++) n->x[i] = 0, other->x[i] = 1;
  for (int64_t b = 0; b < q->dim[0]; b++) {
    bool chosen[MAX_STEPS] = {false};
    sharpest(spec, q, k, b, chosen);
    for (int64_t i = 0; i < N * E; i++)
      if (chosen[i / E]) n->x[i] += 1, other->x[i] = 0;
  }
  fc_tensor *mean = fc_reshape(c, fc_mean_axes(c, v, 1u << 2), FC_DIMS(q->dim[0], 1, 1, E));
  return fc_add(c, fc_mul(c, fc_attention(c, q, k, v, NULL, 0.4), n),
                fc_mul(c, fc_expand(c, mean, 2, N), other));
}

static void shared_gradients(void) {
  enum { B = 3, N = 12, E = 4 };
  fc_ctx       *c     = check_ctx();
  fc_tensor    *in[3] = {check_random(c, FC_DIMS(B, 1, N, E)), check_random(c, FC_DIMS(B, 1, N, E)),
                         check_random(c, FC_DIMS(B, 1, N, E))};
  const fc_prob spec  = {sample_of(c, N, 5, N), 5, false, true};
  fc_tensor    *dy    = check_random(c, FC_DIMS(B, 1, N, E)), *g[2][3];

  for (int way = 0; way < 2; way++) {
    for (int i = 0; i < 3; i++) in[i]->needs_grad = true, in[i]->g = NULL;
    c->grad = true;
    fc_tensor *y =
        way ? counted(c, in[0], in[1], in[2], &spec) : fc_prob_attention(c, in[0], in[1], in[2], &spec, 0.4);
    fc_backward_from(c, y, dy->x);
    c->grad = false;
    for (int i = 0; i < 3; i++) {
      g[way][i] = fc_tensor_new(c->arena, FC_DIMS(B, 1, N, E));
      memcpy(g[way][i]->x, in[i]->g, sizeof(fc_real) * B * N * E);
    }
  }
  for (int i = 0; i < 3; i++) CHECK(check_distance(g[0][i], g[1][i]) < 1e-5);
}

/* the same keys tried by a query in any order, and equal queries: the first ones are taken */
static void equal_queries(void) {
  enum { N = 6, D = 2 };
  fc_ctx       *c = check_ctx();
  fc_tensor    *q = check_random(c, FC_DIMS(1, 1, N, D)), *k = check_random(c, FC_DIMS(1, 1, N, D));
  fc_tensor    *v = check_random(c, FC_DIMS(1, 1, N, 1)), *sample = fc_tensor_new(c->arena, FC_DIMS(N, 2));
  const fc_prob spec = {sample, 2, false, false};
  double        mean = 0;

  for (int i = 0; i < N * 2; i++) sample->x[i] = (fc_real)(i % 2), q->x[i] = (fc_real)(i % 2);
  for (int i = 0; i < N; i++) mean += (double)v->x[i] / N;
  const fc_tensor *y = fc_prob_attention(c, q, k, v, &spec, 1);
  for (int i = 0; i < N; i++)
    if (i < 2)
      CHECK(fabs((double)y->x[i] - mean) > 1e-3);
    else
      CHECK_NEAR(y->x[i], mean, 1e-6);
}

CHECK_SUITE(prob_attention, gradient, gradient_across_tiles, as_the_formula, shared_gradients, equal_queries)
