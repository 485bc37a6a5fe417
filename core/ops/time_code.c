/* core/ops/time_code.c - sinusoidal code of one number per sample (Vaswani et al. 2017, cosines first):
     y_b = [cos(t f_0), .., cos(t f_{k-1}), sin(t f_0), .., sin(t f_{k-1}), 0 if width is odd],
     t = scale T_b,   f_i = exp(-ln(10000) i / k),   k = width / 2
   Published weights were trained on float32 numbers made in one order of rounding, and with times in the
   thousands that order shows: each step is rounded, and the exponential of the frequencies takes the
   roundings of PyTorch's vector code. Sine and cosine are taken in double, their own error is half a unit in
   the last place. */
#include "core/ops.h"
#include "core/parallel.h"
#include "core/vmath.h"

typedef struct {
  fc_real  scale;
  fc_real *f; /* [k] */
} saved;

#ifdef FC_DOUBLE
#define exp_as_published exp
#else
/* exp(x) for -80 < x <= 0 with the roundings of the vector code in PyTorch (SLEEF: Shibata and Petrogalli
   2020): x = q ln 2 + s with ln 2 in two parts, exp(s) = 1 + s + s^2 (1/2 + s/6 + ..) with fitted
   coefficients. A correctly rounded exp differs in every eighth frequency by one unit, which is 6e-5 rad at t
   = 1000. */
static float exp_as_published(float x) {
  static const float a[] = {0.000198527617612853646f, 0.00139304355252534151f, 0.00833336077630519867f,
                            0.0416664853692054749f,   0.166666671633720398f,   0.5f};
  const float        q   = rintf(x * 1.44269504088896341f);
  const float        s   = fmaf(q, -1.428606765330187e-06f, fmaf(q, -0.693145751953125f, x));
  float              p   = a[0];

  for (int i = 1; i < FC_COUNT(a); i++) p = fmaf(p, s, a[i]);
  return ldexpf(1 + fmaf(s * s, p, s), (int)q);
}
#endif

/* torch.exp(-math.log(10000) * arange(k) / k) */
static fc_real frequency(int64_t i, int64_t k) {
  const fc_real exponent = (fc_real)-9.210340371976182736 * (fc_real)i;

  return exp_as_published(exponent / (fc_real)k);
}

static void forward_row(fc_real *y, fc_real t, const fc_real *f, int64_t width) {
  const int64_t k = width / 2;

  for (int64_t i = 0; i < k; i++) {
    const fc_real z = t * f[i];
    y[i]            = (fc_real)cos((double)z);
    y[k + i]        = (fc_real)sin((double)z);
  }
  if (width % 2) y[width - 1] = 0;
}

/* y = [cos(t f), sin(t f)]: dT += scale sum_i f_i (cos dsin - sin dcos) */
static void backward(fc_ctx *c, const fc_node *node) {
  const saved     *s     = node->saved;
  const fc_tensor *y     = node->out;
  const int64_t    width = fc_last(y), k = width / 2;
  fc_real         *dT = fc_grad(c, node->in[0]);

  for (int64_t b = 0; dT && b < y->dim[0]; b++) {
    const fc_real *v = y->x + b * width, *g = y->g + b * width;
    fc_real        sum = 0;
    for (int64_t i = 0; i < k; i++) sum += s->f[i] * (v[i] * g[k + i] - v[k + i] * g[i]);
    dT[b] += s->scale * sum;
  }
}

static const fc_op time_code = {"time_code", backward, false};

fc_tensor *fc_time_code(fc_ctx *c, fc_tensor *T, int64_t width, double scale) {
  const int64_t B = fc_len(T), k = width / 2;
  fc_tensor    *y = fc_tensor_new(c->arena, FC_DIMS(B, width));
  saved        *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(T->ndim >= 1 && T->dim[0] == B && width >= 1, "time_code: times %s, width %lld", fc_shape_text(T),
            (long long)width);
  *s = (saved){(fc_real)scale, fc_arena_push(c->arena, (size_t)k * sizeof *s->f)};
  if (!c->dry) {
    for (int64_t i = 0; i < k; i++) s->f[i] = frequency(i, k);
    FC_FOR_ROWS(b, B, 16 * width) forward_row(y->x + b * width, s->scale * T->x[b], s->f, width);
  }
  return fc_record(c, &time_code, y, s, FC_IN(T));
}
