/* tests/core/test_params.c */
#include "core/params.h"
#include "tests/check.h"

static fc_params *start(void) {
  fc_params *p = NULL;

  CHECK_OK(fc_params_create(&p));
  return p;
}

static fc_params *two_layers(fc_tensor **w, fc_tensor **scale, fc_tensor **b) {
  fc_params *p = start();

  fc_params_push(p, "blocks.%d", 3);
  *scale = fc_param_of(p, FC_PARAM_CONSTANT, "scale", fc_init_constant(2.5), FC_DIMS(3));
  fc_params_push(p, "mlp");
  *w = fc_param(p, "weight", fc_init_fan_in(16), FC_DIMS(5, 16));
  fc_param_alias(p, "linear.weight");
  fc_params_pop(p);
  *b = fc_param(p, "bias", fc_init_normal(0.5), FC_DIMS(7));
  fc_params_pop(p);
  return p;
}

static void names(void) {
  fc_tensor  *w, *scale, *b, *t;
  fc_params  *p      = two_layers(&w, &scale, &b);
  const char *want[] = {"blocks.3.scale", "blocks.3.mlp.weight", "blocks.3.bias"};

  CHECK(fc_params_size(p) == 3);
  for (int i = 0; i < 3; i++) CHECK(strcmp(fc_params_at(p, i, &t), want[i]) == 0);
  CHECK(t == b);
  CHECK(fc_params_find(p, "blocks.3.mlp.weight") == w);
  CHECK(fc_params_find(p, "blocks.3.mlp.linear.weight") == w);
  CHECK(fc_params_find(p, "blocks.3.mlp") == NULL);
  CHECK(fc_params_find(p, "") == NULL);
  CHECK(fc_params_kind(p, 0) == FC_PARAM_CONSTANT && fc_params_kind(p, 1) == FC_PARAM_TRAINED);
  fc_params_destroy(p);
  fc_params_destroy(NULL);
}

/* one block: trained tensors first, each on a 64-byte boundary, gradients at the same offsets */
static void layout(void) {
  fc_tensor *w, *scale, *b;
  fc_params *p = two_layers(&w, &scale, &b);

  CHECK_OK(fc_params_commit(p, 1, false));
  const fc_real *x = fc_params_values(p), *g = fc_params_grads(p);
  const int64_t  trained = fc_params_block(p, true);
  CHECK(w->x - x == w->g - g && b->x - x == b->g - g);
  CHECK((uintptr_t)w->x % 64 == 0 && (uintptr_t)b->x % 64 == 0 && (uintptr_t)scale->x % 64 == 0);
  CHECK(w->x < x + trained && b->x + 7 <= x + trained && scale->x >= x + trained);
  CHECK(scale->x + 3 <= x + fc_params_block(p, false));
  CHECK(scale->g == NULL && !scale->needs_grad && w->needs_grad && w->is_param);
  CHECK(fc_params_trainable(p) == 5 * 16 + 7);
  for (int i = 0; i < 3; i++) CHECK_NEAR(scale->x[i], 2.5, 0);
  fc_params_destroy(p);
}

static void gradients_are_cleared(void) {
  fc_tensor *w, *scale, *b;
  fc_params *p    = two_layers(&w, &scale, &b);
  double     left = 0;

  CHECK_OK(fc_params_commit(p, 1, false));
  for (int64_t i = 0; i < fc_params_block(p, true); i++) left += fabs((double)fc_params_grads(p)[i]);
  CHECK_NEAR(left, 0, 0);
  w->g[3] = 1, w->has_grad = true;
  fc_params_zero_grads(p);
  CHECK(w->g[3] == 0 && !w->has_grad);
  fc_params_destroy(p);
}

static void dry_commit_counts_only(void) {
  fc_tensor *w, *scale, *b;
  fc_params *p = two_layers(&w, &scale, &b);

  CHECK_OK(fc_params_commit(p, 1, true));
  CHECK(w->x == NULL && fc_params_values(p) == NULL);
  CHECK(fc_params_trainable(p) == 87 && fc_params_block(p, true) >= 87);
  fc_params_destroy(p);
}

/* values come from (seed, tensor number, element), so a longer model begins with the same numbers */
static void seeds(void) {
  fc_tensor *w[3], *scale, *b;
  fc_params *p[3];

  for (int i = 0; i < 3; i++) {
    p[i] = two_layers(&w[i], &scale, &b);
    if (i == 1) fc_param(p[i], "more", fc_init_normal(1), FC_DIMS(100));
    CHECK_OK(fc_params_commit(p[i], i == 2 ? 8 : 9, false));
  }
  CHECK(memcmp(w[0]->x, w[1]->x, 80 * sizeof(fc_real)) == 0);
  CHECK(memcmp(w[0]->x, w[2]->x, 80 * sizeof(fc_real)) != 0);
  for (int i = 0; i < 3; i++) fc_params_destroy(p[i]);
}

/* five standard errors of the mean square; bounds are exact */
static void distributions(void) {
  enum { N = 40000 };
  fc_params *p      = start();
  fc_tensor *u      = fc_param(p, "u", fc_init_fan_in(25), FC_DIMS(N));
  fc_tensor *x      = fc_param(p, "x", fc_init_xavier(1, 2, 3), FC_DIMS(N));
  fc_tensor *z      = fc_param(p, "z", fc_init_normal(0.3), FC_DIMS(N));
  fc_tensor *t      = fc_param(p, "t", (fc_init){FC_INIT_TRUNC_NORMAL, 0.02}, FC_DIMS(N));
  double     top[4] = {0}, square[4] = {0};

  CHECK_OK(fc_params_commit(p, 1, false));
  const fc_tensor *all[] = {u, x, z, t};
  for (int k = 0; k < 4; k++)
    for (int64_t i = 0; i < N; i++) {
      top[k] = fmax(top[k], fabs((double)all[k]->x[i]));
      square[k] += pow((double)all[k]->x[i], 2) / N;
    }
  CHECK(top[0] <= 0.2 + 1e-8 && top[0] > 0.199);                  /* 1 / sqrt 25 */
  CHECK(top[1] <= 3 * sqrt(2) + 1e-6 && top[1] > 4.2);            /* 3 sqrt(6 / 3) */
  CHECK(top[3] <= 0.04 + 1e-8 && top[3] > 0.0399);                /* two deviations */
  CHECK_NEAR(square[0], 0.04 / 3, 5 * 0.04 * sqrt(4.0 / 45 / N)); /* a^2/3 of U(-a, a) */
  CHECK_NEAR(square[2], 0.09, 5 * 0.09 * sqrt(2.0 / N));
  CHECK_NEAR(square[3] / 4e-4, 0.773741, 5 * 0.8 * sqrt(2.0 / N)); /* 1 - 4 phi(2) / (2 Phi(2) - 1) */
  fc_params_destroy(p);
}

/* a complex tensor has a pair of reals for each of its numbers, and all of them are trained */
static void complex_pairs(void) {
  fc_params       *p = start();
  const fc_tensor *w = fc_param_complex(p, "w", fc_init_constant(2), FC_DIMS(3, 5));

  fc_param(p, "b", fc_init_constant(0), FC_DIMS(2));
  CHECK_OK(fc_params_commit(p, 1, false));
  CHECK(w->ndim == 3 && w->dim[0] == 3 && w->dim[1] == 5 && w->dim[2] == 2 && w->x[29] == 2);
  CHECK(fc_params_complex(p, 0) && !fc_params_complex(p, 1));
  CHECK(fc_params_trainable(p) == 32);
  fc_params_destroy(p);
}

static void positive(void) {
  enum { N = 40000 };
  fc_params *p   = start();
  fc_tensor *x   = fc_param(p, "x", fc_init_positive(0.5), FC_DIMS(N));
  double     low = 1, top = 0, mean = 0;

  CHECK_OK(fc_params_commit(p, 1, false));
  for (int64_t i = 0; i < N; i++) {
    low = fmin(low, (double)x->x[i]), top = fmax(top, (double)x->x[i]);
    mean += (double)x->x[i] / N;
  }
  CHECK(low >= 0 && low < 1e-3 && top <= 0.5 && top > 0.499);
  CHECK_NEAR(mean, 0.25, 5 * 0.5 / sqrt(12.0 * N));
  fc_params_destroy(p);
}

/* an embedding with a padding row */
static void padded(void) {
  fc_params *p      = start();
  fc_tensor *x      = fc_param(p, "x", fc_init_normal_padded(2), FC_DIMS(500, 40));
  double     square = 0;

  CHECK_OK(fc_params_commit(p, 1, false));
  for (int64_t i = 0; i < 40; i++) CHECK_NEAR(x->x[i], 0, 0);
  for (int64_t i = 40; i < fc_len(x); i++) square += (double)x->x[i] * (double)x->x[i] / (499 * 40);
  CHECK_NEAR(square, 4, 5 * 4 * sqrt(2.0 / (499 * 40)));
  fc_params_destroy(p);
}

/* what is below one name is below another one too; the look-up finds every name */
static void mirrored(void) {
  fc_params *p = start();
  fc_tensor *w, *v;

  fc_params_push(p, "first");
  w = fc_param(p, "gate.weight", fc_init_constant(1), FC_DIMS(2));
  v = fc_param(p, "gates.weight", fc_init_constant(1), FC_DIMS(2));
  fc_params_pop(p);
  fc_params_mirror(p, "first.gate", "second");
  fc_params_mirror(p, "first.gate", "third.gate");
  CHECK(fc_params_find(p, "second.weight") == w && fc_params_find(p, "third.gate.weight") == w);
  CHECK(fc_params_find(p, "first.gates.weight") == v && !fc_params_find(p, "seconds.weight"));
  CHECK(!strcmp(fc_params_mirrored(p, 0, 0), "second.weight"));
  CHECK(!strcmp(fc_params_mirrored(p, 0, 1), "third.gate.weight") && !fc_params_mirrored(p, 0, 2));
  CHECK(!fc_params_mirrored(p, 1, 0) && fc_params_size(p) == 2);
  fc_params_destroy(p);
}

/* the shorter side is orthonormal times the gain; float dot products of up to 40 terms */
static void orthogonal(void) {
  const int64_t shape[3][2] = {{6, 40}, {40, 6}, {9, 9}};

  for (int k = 0; k < 3; k++) {
    fc_params    *p    = start();
    const int64_t rows = shape[k][0], cols = shape[k][1], n = fc_min64(rows, cols),
                  len = fc_max64(rows, cols);
    fc_tensor *w      = fc_param(p, "w", (fc_init){FC_INIT_ORTHOGONAL, 1.5}, FC_DIMS(rows, cols));
    CHECK_OK(fc_params_commit(p, 3, false));
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) {
        double dot = 0;
        for (int64_t l = 0; l < len; l++)
          dot += rows <= cols ? (double)w->x[i * cols + l] * (double)w->x[j * cols + l]
                              : (double)w->x[l * cols + i] * (double)w->x[l * cols + j];
        CHECK_NEAR(dot, i == j ? 2.25 : 0, 2e-6);
      }
    fc_params_destroy(p);
  }
}

CHECK_SUITE(params, names, layout, gradients_are_cleared, dry_commit_counts_only, seeds, distributions,
            complex_pairs, positive, padded, mirrored, orthogonal)
