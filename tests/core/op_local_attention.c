/* tests/core/op_local_attention.c */
#include "core/ops/windows.h"
#include "tests/check.h"

static fc_window_layout spec;
static int64_t          heads;
static double           dropout;

static fc_tensor *local(fc_ctx *c, fc_tensor **in) {
  c->training = dropout > 0;
  return fc_local_attention(c, in[0], heads, spec, 0.7, dropout, 0);
}
/* the input is read elsewhere too, so its gradient is not fresh */
static fc_tensor *twice(fc_ctx *c, fc_tensor **in) {
  const int64_t I = fc_last(in[0]) / 3;
  return fc_add(c, local(c, in), fc_slice(c, in[0], 3, 0, I));
}

static void one(const char *name, fc_window_layout s, int64_t h, int64_t B, int64_t X, int64_t Y, int64_t d) {
  char full[64];

  spec = s, heads = h;
  snprintf(full, sizeof full, "local_attention_%s", name);
  check_op(full, local, CHECK_INS({4, {B, X, Y, 3 * h * d}}), 0, 5e-5);
  snprintf(full, sizeof full, "local_attention_%s_twice", name);
  check_op(full, twice, CHECK_INS({4, {B, X, Y, 3 * h * d}}), 0, 5e-5);
}

static void gradient(void) {
  one("pairs", (fc_window_layout){2, 2, 0, false}, 2, 2, 4, 6, 3);
  one("thirds", (fc_window_layout){3, 3, 0, false}, 1, 1, 6, 9, 2);
  one("overlapping", (fc_window_layout){4, 2, 0, false}, 2, 2, 8, 6, 2);
  one("every_cell", (fc_window_layout){2, 1, 0, false}, 1, 1, 5, 4, 3);
  one("uneven", (fc_window_layout){3, 2, 0, false}, 3, 1, 7, 5, 1);
  one("shifted", (fc_window_layout){2, 2, 1, true}, 1, 2, 5, 7, 2);
  one("large", (fc_window_layout){8, 8, 0, false}, 2, 1, 16, 24, 16);
  one("large_overlapping", (fc_window_layout){8, 4, 0, false}, 1, 1, 20, 16, 12);
  dropout = 0.3;
  one("dropout", (fc_window_layout){3, 2, 0, false}, 3, 1, 7, 5, 2);
  dropout = 0;
}

/* the same from the separate operations; the windows come back by their mean */
static fc_tensor *composed(fc_ctx *c, fc_tensor *x) {
  const int64_t I = fc_last(x) / 3, T = spec.size * spec.size;
  fc_tensor    *w = fc_window_split(c, x, spec), *part[3];

  for (int i = 0; i < 3; i++) {
    part[i] = fc_reshape(c, fc_slice(c, w, 2, i * I, I), FC_DIMS(w->dim[0], T, heads, I / heads));
    part[i] = fc_permute(c, part[i], (int[]){0, 2, 1, 3});
  }
  fc_tensor *o = fc_permute(c, fc_attention(c, part[0], part[1], part[2], NULL, 0.7), (int[]){0, 2, 1, 3});
  o            = fc_reshape(c, o, FC_DIMS(w->dim[0], T, I));
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(x->dim[0], x->dim[1], x->dim[2], I));
  fc_windows_scatter(fc_window_plan_new(c, y->dim, spec, true), y->x, o->x, false);
  return y;
}

static void equals_separate_operations(void) {
  const fc_window_layout specs[] = {{2, 2, 0, false}, {3, 2, 0, false}, {4, 4, 1, true}, {6, 6, 0, false}};

  for (int i = 0; i < FC_COUNT(specs); i++) {
    fc_ctx    *c = check_ctx();
    fc_tensor *x = check_random(c, FC_DIMS(2, 12, 18, 24));
    spec = specs[i], heads = 2;
    if (spec.stride == 2) x = fc_slice(c, fc_slice(c, x, 1, 0, 11), 2, 0, 17);
    CHECK(check_distance(local(c, &x), composed(c, x)) < (sizeof(fc_real) == 8 ? 1e-13 : 2e-6));
  }
}

/* a window's results are sums of at most T values with weights 0 or P / (1 - p): with equal keys and values 1
   their mean is 1 */
static void dropout_keeps_the_mean(void) {
  fc_ctx    *c   = check_ctx();
  fc_tensor *x   = fc_affine(c, check_random(c, FC_DIMS(4, 40, 40, 12)), 0, 1);
  double     sum = 0, square = 0;

  spec = (fc_window_layout){2, 2, 0, false}, heads = 4, dropout = 0.5;
  const fc_tensor *y = local(c, &x);
  dropout            = 0;
  for (int64_t i = 0; i < fc_len(y); i++) sum += (double)y->x[i], square += pow((double)y->x[i] - 1, 2);
  CHECK_NEAR(sum / (double)fc_len(y), 1, 0.02);       /* four standard deviations of 25600 results */
  CHECK_NEAR(square / (double)fc_len(y), 0.25, 0.02); /* p / (1 - p) / T */
}

CHECK_SUITE(local_attention, gradient, equals_separate_operations, dropout_keeps_the_mean)
