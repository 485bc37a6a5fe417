/* tests/core/op_conv.c - against the defining sum as a plain loop, on impulses, and the adjoints. */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

/* a check_op function for one set of {stride, pad, groups, periodic}, with and without bias */
#define CONV(name, ...)                                                                                      \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) {                                                        \
    return fc_conv(c, in[0], in[1], in[2], (fc_conv_spec){__VA_ARGS__});                                     \
  }
CONV(valid, 1, 0, 1, false)
CONV(same, 1, 1, 1, false)
CONV(stride_2, 2, 1, 1, false)
CONV(stride_3, 3, 2, 1, false)
CONV(ring, 1, 1, 1, true)
CONV(ring_2, 2, 2, 1, true)
CONV(far_ring, 1, 7, 1, true)
CONV(groups_2, 1, 1, 2, false)
CONV(depthwise, 1, 1, 6, true)

static fc_tensor *no_bias(fc_ctx *c, fc_tensor **in) {
  return fc_conv(c, in[0], in[1], NULL, (fc_conv_spec){2, 1, 1, false});
}

static void gradient_1d(void) {
  check_op("conv1_valid", valid, CHECK_INS({3, {2, 7, 3}}, {3, {4, 3, 3}}, {1, {4}}), 0, 0);
  check_op("conv1_same", same, CHECK_INS({3, {3, 8, 2}}, {3, {5, 2, 3}}, {1, {5}}), 0, 0);
  check_op("conv1_even_kernel", same, CHECK_INS({3, {1, 9, 3}}, {3, {2, 3, 4}}, {1, {2}}), 0, 0);
  check_op("conv1_stride", stride_3, CHECK_INS({3, {2, 11, 3}}, {3, {4, 3, 5}}, {1, {4}}), 0, 0);
  check_op("conv1_ring", ring, CHECK_INS({3, {2, 5, 3}}, {3, {4, 3, 3}}, {1, {4}}), 0, 0);
  check_op("conv1_point", valid, CHECK_INS({3, {2, 5, 3}}, {3, {4, 3, 1}}, {1, {4}}), 0, 0);
  /* padding of more than one period: some inputs are read more than once per kernel position */
  check_op("conv1_far_ring", far_ring, CHECK_INS({3, {2, 3, 2}}, {3, {3, 2, 5}}, {1, {3}}), 0, 0);
}

static void gradient_2d(void) {
  check_op("conv2_same", same, CHECK_INS({4, {2, 5, 7, 3}}, {4, {4, 3, 3, 3}}, {1, {4}}), 0, 0);
  check_op("conv2_uneven", same, CHECK_INS({4, {1, 6, 5, 2}}, {4, {3, 2, 1, 4}}, {1, {3}}), 0, 0);
  check_op("conv2_stride", stride_2, CHECK_INS({4, {2, 7, 6, 3}}, {4, {4, 3, 3, 3}}, {1, {4}}), 0, 0);
  check_op("conv2_no_bias", no_bias, CHECK_INS({4, {2, 6, 7, 3}}, {4, {4, 3, 3, 3}}), 0, 0);
  check_op("conv2_ring", ring, CHECK_INS({4, {2, 4, 5, 3}}, {4, {4, 3, 3, 3}}, {1, {4}}), 0, 0);
  check_op("conv2_ring_stride", ring_2, CHECK_INS({4, {2, 5, 4, 3}}, {4, {4, 3, 3, 3}}, {1, {4}}), 0, 0);
  check_op("conv2_groups", groups_2, CHECK_INS({4, {2, 4, 5, 6}}, {4, {4, 3, 3, 3}}, {1, {4}}), 0, 0);
  check_op("conv2_depthwise", depthwise, CHECK_INS({4, {2, 4, 5, 6}}, {4, {12, 1, 3, 3}}, {1, {12}}), 0, 0);
  check_op("conv2_fixed_x", same, CHECK_INS({4, {2, 5, 4, 3}, .fixed = true}, {4, {4, 3, 3, 3}}, {1, {4}}), 0,
           0);
  check_op("conv2_fixed_w", same, CHECK_INS({4, {2, 5, 4, 3}}, {4, {4, 3, 3, 3}, .fixed = true}, {1, {4}}), 0,
           0);
  /* several blocks, chunks and threads; 20 x 20 x 3 = 1200 rows of 9 x 24 columns */
  check_op("conv2_blocks", same, CHECK_INS({4, {3, 20, 20, 24}}, {4, {17, 24, 3, 3}}, {1, {17}}), 0, 0);
}

static void gradient_3d(void) {
  check_op("conv3_same", same, CHECK_INS({5, {2, 3, 4, 5, 2}}, {5, {3, 2, 3, 3, 3}}, {1, {3}}), 0, 0);
  check_op("conv3_stride", stride_2, CHECK_INS({5, {1, 4, 5, 6, 2}}, {5, {3, 2, 3, 3, 3}}, {1, {3}}), 0, 0);
  check_op("conv3_ring_groups", groups_2, CHECK_INS({5, {2, 3, 4, 3, 4}}, {5, {6, 2, 3, 2, 3}}, {1, {6}}), 0,
           0);
  check_op("conv3_ring", ring_2, CHECK_INS({5, {1, 3, 4, 5, 2}}, {5, {3, 2, 3, 3, 3}}, {1, {3}}), 0, 0);
  check_op("conv3_blocks", ring, CHECK_INS({5, {1, 9, 10, 11, 16}}, {5, {8, 16, 3, 3, 3}}, {1, {8}}), 0, 0);
}

/* ---- the defining sum: everything as three axes ---- */

typedef struct {
  int64_t X[3], k[3], C, O;
} shape;

static double defining_sum(const fc_tensor *x, const fc_tensor *W, const shape *s, fc_conv_spec spec,
                           int64_t b, const int64_t *i, int64_t o) {
  const int64_t Cg = s->C / spec.groups, group = o / (s->O / spec.groups);
  double        sum = 0;

  for (int64_t ch = 0; ch < Cg; ch++)
    for (int64_t t = 0; t < s->k[0] * s->k[1] * s->k[2]; t++) {
      const int64_t tap[3] = {t / s->k[2] / s->k[1], t / s->k[2] % s->k[1], t % s->k[2]};
      int64_t       at     = b;
      bool          inside = true;
      for (int a = 0; a < 3; a++) {
        int64_t p = s->X[a] == 1 && s->k[a] == 1 ? 0 : spec.stride * i[a] + tap[a] - spec.pad;
        while (spec.periodic && p < 0) p += s->X[a];
        while (spec.periodic && p >= s->X[a]) p -= s->X[a];
        inside = inside && p >= 0 && p < s->X[a];
        at     = at * s->X[a] + p;
      }
      const int64_t taps = s->k[0] * s->k[1] * s->k[2];
      if (inside) sum += (double)x->x[at * s->C + group * Cg + ch] * (double)W->x[(o * Cg + ch) * taps + t];
    }
  return sum;
}

static void compare(const int64_t *X, const int64_t *k, int n_space, int64_t C, int64_t O,
                    fc_conv_spec spec) {
  fc_ctx *c    = check_ctx();
  shape   s    = {{1, 1, 1}, {1, 1, 1}, C, O};
  int64_t Y[3] = {1, 1, 1}, x_dim[5] = {2}, w_dim[5] = {O, C / spec.groups};

  for (int a = 0; a < n_space; a++) {
    x_dim[1 + a] = s.X[a] = X[a];
    w_dim[2 + a] = s.k[a] = k[a];
    Y[a]                  = (X[a] + 2 * spec.pad - k[a]) / spec.stride + 1;
  }
  x_dim[1 + n_space] = C;
  fc_tensor       *x = check_random(c, n_space + 2, x_dim), *W = check_random(c, n_space + 2, w_dim);
  fc_tensor       *bias   = check_random(c, FC_DIMS(O));
  const fc_tensor *y      = fc_conv(c, x, W, bias, spec);
  const int64_t    points = Y[0] * Y[1] * Y[2];

  CHECK(y->ndim == x->ndim && y->dim[0] == 2 && fc_last(y) == O && fc_len(y) == 2 * points * O);
  for (int a = 0; a < n_space; a++) CHECK(y->dim[1 + a] == Y[a]);
  double off = 0;
  for (int64_t n = 0; n < 2 * points * O; n++) {
    const int64_t p = n / O % points, i[3] = {p / Y[2] / Y[1], p / Y[2] % Y[1], p % Y[2]};
    const double  d =
        (double)y->x[n] - (double)bias->x[n % O] - defining_sum(x, W, &s, spec, n / O / points, i, n % O);
    if (!(fabs(d) <= off)) off = fabs(d); /* NaN sticks */
  }
  CHECK_NEAR(off, 0, 400 * EPS); /* at most 108 products; sums reach 40, where one rounding is up to 16 EPS */
}

static void as_the_defining_sum(void) {
  static const int64_t fields[][3]  = {{8, 8, 8}, {9, 7, 6}, {12, 5, 7}},
                       kernels[][3] = {{3, 3, 3}, {1, 2, 3}, {4, 3, 1}};

  for (int f = 0; f < FC_COUNT(fields); f++)
    for (int k = 0; k < FC_COUNT(kernels); k++)
      for (int n_space = 1; n_space <= 3; n_space++)
        for (int64_t stride = 1; stride <= 2; stride++)
          for (int64_t pad = 0; pad <= 2; pad++)
            for (int64_t groups = 1; groups <= 4; groups += n_space)
              for (int periodic = 0; periodic < 2; periodic++) {
                if (4 % groups) continue;
                compare(fields[f], kernels[k], n_space, 4, 8, (fc_conv_spec){stride, pad, groups, periodic});
              }
}

/* A single one in the field brings the kernel out, reversed around it: y[i] = W[p - i + pad]. */
static void an_impulse_shows_the_kernel(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(1, 7, 9, 1)), *W = check_random(c, FC_DIMS(1, 1, 3, 5));

  memset(x->x, 0, 63 * sizeof(fc_real));
  x->x[3 * 9 + 4]    = 1;
  const fc_tensor *y = fc_conv(c, x, W, NULL, (fc_conv_spec){1, 2, 1, false}); /* [1, 9, 9, 1] */
  for (int64_t i = 0; i < 9; i++)
    for (int64_t j = 0; j < 9; j++) {
      const int64_t t = 3 - i + 2, u = 4 - j + 2;
      const bool    under = t >= 0 && t < 3 && u >= 0 && u < 5;
      CHECK_NEAR(y->x[i * 9 + j], under ? W->x[t * 5 + u] : 0, 0);
    }
}

/* On a periodic field, convolution commutes with shifts. */
static void shifts_pass_through(void) {
  enum { N = 10, C = 3, O = 4 };
  fc_ctx      *c = check_ctx();
  fc_tensor   *x = check_random(c, FC_DIMS(1, N, C)), *W = check_random(c, FC_DIMS(O, C, 3));
  fc_tensor   *moved = fc_tensor_new(c->arena, FC_DIMS(1, N, C));
  fc_conv_spec spec  = {1, 1, 1, true};

  for (int64_t i = 0; i < N * C; i++) moved->x[(i + 4 * C) % (N * C)] = x->x[i];
  const fc_tensor *y = fc_conv(c, x, W, NULL, spec), *z = fc_conv(c, moved, W, NULL, spec);
  for (int64_t i = 0; i < N * O; i++) CHECK_NEAR(z->x[(i + 4 * O) % (N * O)], y->x[i], 40 * EPS);
}

static void operations_are_counted(void) {
  fc_ctx      *c      = check_ctx();
  const double before = c->flops;

  fc_conv(c, check_random(c, FC_DIMS(2, 8, 6, 4)), check_random(c, FC_DIMS(6, 2, 3, 3)), NULL,
          (fc_conv_spec){1, 1, 2, false});
  CHECK_NEAR(c->flops - before, 2.0 * (2 * 8 * 6) * 6 * (2 * 9),
             0); /* two per output number and input under its kernel */
}

CHECK_SUITE(conv, gradient_1d, gradient_2d, gradient_3d, as_the_defining_sum, an_impulse_shows_the_kernel,
            shifts_pass_through, operations_are_counted)
