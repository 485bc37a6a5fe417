/* tests/core/op_physics_attention.c */
#include "tests/check.h"

static const int64_t *at; /* rows of the samples */
static int64_t        samples;
static double         lowest = 1, highest = 0, dropout;

static fc_tensor *physics(fc_ctx *c, fc_tensor **in) {
  const fc_physics  w = {in[2], in[3], in[4], in[5], in[6], in[7], lowest, highest, dropout};
  const fc_segments s = {samples, (int64_t *)at};

  c->training = dropout > 0;
  return fc_physics_attention(c, in[0], in[1], &w, &s);
}

/* H temperatures, G slices, heads of d channels, R rows */
static void check_sizes(const char *name, int64_t R, int64_t H, int64_t G, int64_t d, double float_tol) {
  check_op(name, physics,
           CHECK_INS({2, {R, H * d}}, {2, {R, H * d}}, {2, {G, d}}, {1, {G}},
                     {4, {1, H, 1, 1}, .positive = true}, {2, {d, d}}, {2, {d, d}}, {2, {d, d}}),
           1e-7, float_tol);
}

static void gradient(void) {
  static const int64_t ragged[] = {0, 11, 12, 30}, one[] = {0, 7}, large[] = {0, 1, 1201, 1300};

  at = ragged, samples = 3;
  check_sizes("physics_attention", 30, 3, 5, 4, 1e-4);
  lowest = 0.1, highest = 5;
  check_sizes("physics_attention_clamp", 30, 3, 5, 4, 1e-4);
  lowest = 1, highest = 0;
  at = one, samples = 1;
  check_sizes("physics_attention_one_head", 7, 1, 2, 3, 1e-4);
  at = large, samples = 3;
  check_sizes("physics_attention_large", 1300, 2, 20, 16, 1e-3);
  dropout = 0.25;
  at = ragged, samples = 3;
  check_sizes("physics_attention_dropout", 30, 2, 7, 3, 1e-4);
  dropout = 0;
}

typedef struct {
  fc_tensor *a, *f;
  fc_physics w;
} example;

static example make(fc_ctx *c, int64_t R, int64_t H, int64_t G, int64_t d) {
  example e = {.a = check_random(c, FC_DIMS(R, H * d)), .f = check_random(c, FC_DIMS(R, H * d))};

  e.w = (fc_physics){check_random(c, FC_DIMS(G, d)),
                     check_random(c, FC_DIMS(G)),
                     check_random(c, FC_DIMS(H)),
                     check_random(c, FC_DIMS(d, d)),
                     check_random(c, FC_DIMS(d, d)),
                     check_random(c, FC_DIMS(d, d)),
                     1,
                     0,
                     0};
  for (int64_t h = 0; h < H; h++) e.w.temperature->x[h] = (fc_real)(0.4 + 0.3 * (double)h);
  return e;
}

/* one head of one sample from the elementary operations */
static fc_tensor *by_definition(fc_ctx *c, const example *e, fc_tensor *a, fc_tensor *f, double tau) {
  const double one = 1e-5, root = 1 / sqrt((double)fc_last(a));
  fc_tensor   *s =
      fc_softmax(c, fc_affine(c, fc_linear_op(c, a, e->w.slice_w, e->w.slice_b, FC_ACT_NONE), 1 / tau, 0));
  fc_tensor *norm   = fc_affine(c, fc_sum_axes(c, s, 1u), 1, one); /* [G] */
  const int  swap[] = {1, 0};
  fc_tensor *Z      = fc_div(c, fc_matmul(c, f, true, s, false, 1), norm); /* [d, G] */
  Z                 = fc_permute(c, Z, swap);
  fc_tensor *q      = fc_linear_op(c, Z, e->w.q, NULL, FC_ACT_NONE),
            *k      = fc_linear_op(c, Z, e->w.k, NULL, FC_ACT_NONE),
            *v      = fc_linear_op(c, Z, e->w.v, NULL, FC_ACT_NONE);
  fc_tensor *O      = fc_matmul(c, fc_softmax(c, fc_matmul(c, q, false, k, true, root)), false, v, false, 1);
  return fc_matmul(c, s, false, O, false, 1);
}

static void definition(void) {
  fc_ctx       *c   = check_ctx();
  const example e   = make(c, 40, 2, 6, 3);
  fc_segments   s   = fc_segments_equal(c->arena, 2, 20);
  fc_tensor    *y   = fc_physics_attention(c, e.a, e.f, &e.w, &s);
  const double  tol = sizeof(fc_real) == 8 ? 1e-13 : 1e-5;

  for (int64_t b = 0; b < 2; b++)
    for (int64_t h = 0; h < 2; h++) {
      fc_tensor *a = fc_slice(c, fc_slice(c, e.a, 0, 20 * b, 20), 1, 3 * h, 3),
                *f = fc_slice(c, fc_slice(c, e.f, 0, 20 * b, 20), 1, 3 * h, 3),
                *z = fc_slice(c, fc_slice(c, y, 0, 20 * b, 20), 1, 3 * h, 3);
      CHECK(check_distance(z, by_definition(c, &e, a, f, (double)e.w.temperature->x[h])) < tol);
    }
}

/* outside the range a temperature acts as the border does and gets no gradient; inside it is untouched */
static void clamp(void) {
  fc_ctx     *c = check_ctx();
  example     e = make(c, 12, 3, 4, 2);
  fc_segments s = fc_segments_equal(c->arena, 1, 12);
  fc_tensor  *v = check_random(c, FC_DIMS(12, 6)), *tau = e.w.temperature;

  tau->x[0] = (fc_real)0.05, tau->x[1] = (fc_real)0.6, tau->x[2] = 6;
  e.w.lowest = 0.1, e.w.highest = 5;
  tau->needs_grad = c->grad = true;
  fc_tensor *y              = fc_physics_attention(c, e.a, e.f, &e.w, &s);
  fc_keep(y);
  fc_backward_from(c, y, v->x);
  CHECK_NEAR(tau->g[0], 0, 0);
  CHECK(tau->g[1] != 0);
  CHECK_NEAR(tau->g[2], 0, 0);
  c->grad   = false;
  tau->x[0] = (fc_real)0.1, tau->x[2] = 5;
  e.w.lowest = 1, e.w.highest = 0;
  CHECK(check_distance(fc_physics_attention(c, e.a, e.f, &e.w, &s), y) == 0);
}

/* samples of one batch do not see each other */
static void ragged_equals_single(void) {
  fc_ctx       *c     = check_ctx();
  const example e     = make(c, 900, 2, 5, 4);
  int64_t       at_[] = {0, 700, 703, 900};
  fc_segments   s     = {3, at_};
  fc_tensor    *y     = fc_physics_attention(c, e.a, e.f, &e.w, &s);

  for (int b = 0; b < 3; b++) {
    const int64_t n   = at_[b + 1] - at_[b];
    fc_segments   one = fc_segments_equal(c->arena, 1, n);
    fc_tensor    *z =
        fc_physics_attention(c, fc_slice(c, e.a, 0, at_[b], n), fc_slice(c, e.f, 0, at_[b], n), &e.w, &one);
    CHECK(check_distance(fc_slice(c, y, 0, at_[b], n), z) == 0);
  }
}

CHECK_SUITE(physics_attention, gradient, definition, clamp, ragged_equals_single)
