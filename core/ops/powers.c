/* core/ops/powers.c - powers of a_h = sigmoid(w_h), H numbers -> y [n, H]:
     rising  y_i = a^(i+1);   falling  y_i = a^(n-i);   sums  y_i = a + a^2 + .. + a^(i+1)
   Damped trends (Gardner 1985) and fading memories of ETSformer (Woo et al. 2022). n H numbers are few: one
   thread, in double. */
#include "core/ops.h"

#include <math.h>

static double base(const fc_tensor *w, int64_t h) { return 1 / (1 + exp(-(double)w->x[h])); }

static int64_t row_of(fc_powers_kind kind, int64_t i, int64_t n) {
  return kind == FC_POWERS_FALLING ? n - 1 - i : i;
}

static void forward(fc_powers_kind kind, fc_tensor *y, const fc_tensor *w) {
  const int64_t n = y->dim[0], H = y->dim[1];

  for (int64_t h = 0; h < H; h++) {
    const double a     = base(w, h);
    double       power = 1, sum = 0;
    for (int64_t i = 0; i < n; i++) {
      power *= a;
      sum += power;
      y->x[row_of(kind, i, n) * H + h] = (fc_real)(kind == FC_POWERS_SUMS ? sum : power);
    }
  }
}

/* d a^m / dw = m a^m (1 - a). In a sum a^m stands in row m - 1 and all later ones: `later` goes down from the
   sum of all rows. */
static double gradient_of(fc_powers_kind kind, const fc_tensor *y, double a, int64_t h) {
  const int64_t n = y->dim[0], H = y->dim[1];
  double        total = 0, later = 0, power = 1;

  for (int64_t i = 0; i < n; i++) later += (double)y->g[i * H + h];
  for (int64_t i = 0; i < n; i++) {
    const double dy = (double)y->g[row_of(kind, i, n) * H + h];
    power *= a;
    total += (double)(i + 1) * power * (1 - a) * (kind == FC_POWERS_SUMS ? later : dy);
    later -= dy;
  }
  return total;
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_powers_kind kind = *(const fc_powers_kind *)node->saved;
  fc_real             *dw   = fc_grad(c, node->in[0]);

  for (int64_t h = 0; dw && h < node->out->dim[1]; h++)
    dw[h] += (fc_real)gradient_of(kind, node->out, base(node->in[0], h), h);
}

static const fc_op powers = {"powers", backward, false};

fc_tensor *fc_powers(fc_ctx *c, fc_powers_kind kind, fc_tensor *w, int64_t n) {
  fc_tensor      *y     = fc_tensor_new(c->arena, FC_DIMS(n, fc_len(w)));
  fc_powers_kind *saved = fc_arena_push(c->arena, sizeof *saved);

  FC_ASSERT(n > 0, "powers: %lld of them", (long long)n);
  *saved = kind;
  if (!c->dry) forward(kind, y, w);
  return fc_record(c, &powers, y, saved, FC_IN(w));
}
