/* core/ops/rotary.c - rotary position code (Su et al. 2021, eq. 34), pairs of the half-split kind:
     angle[i, j] = (scale position_i) inv_freq_j,   j < D/2
     y[.., i, j]       = x[.., i, j] cos - x[.., i, j + D/2] sin
     y[.., i, j + D/2] = x[.., i, j + D/2] cos + x[.., i, j] sin
   x [.., n, D], position [n], inv_freq [D/2]. The scale goes to the position first, as in the official codes.
   The map is a rotation, so its adjoint is the rotation by the opposite angle; nothing is saved. */
#include "core/ops.h"
#include "core/parallel.h"
#include "core/vmath.h"

/* one position: cosines in t[0 .. half), sines in t[half .. 2 half). Angles reach hundreds of radians: they
   are rounded to fc_real, as the codes that made the weights did, but sine and cosine are exact for that
   angle. */
FC_SIMD static void table_row(fc_real *restrict t, fc_real position, const fc_real *restrict inv_freq,
                              int64_t half) {
  for (int64_t j = 0; j < half; j++) t[j] = (fc_real)cos((double)(fc_real)(position * inv_freq[j]));
  for (int64_t j = 0; j < half; j++) t[half + j] = (fc_real)sin((double)(fc_real)(position * inv_freq[j]));
}

/* y (+)= R(angle) x for one row; sign -1 turns back: the inverse of "y = x cos -/+ x' sin" above */
FC_SIMD static void turn(fc_real *restrict y, const fc_real *restrict x, const fc_real *restrict t,
                         int64_t half, fc_real sign, bool add) {
  const fc_real *cosine = t, *sine = t + half, *x2 = x + half;
  fc_real       *y2 = y + half;

  if (add) {
    for (int64_t j = 0; j < half; j++) y[j] += x[j] * cosine[j] - sign * x2[j] * sine[j];
    for (int64_t j = 0; j < half; j++) y2[j] += x2[j] * cosine[j] + sign * x[j] * sine[j];
  } else {
    for (int64_t j = 0; j < half; j++) y[j] = x[j] * cosine[j] - sign * x2[j] * sine[j];
    for (int64_t j = 0; j < half; j++) y2[j] = x2[j] * cosine[j] + sign * x[j] * sine[j];
  }
}

typedef struct {
  const fc_tensor *position, *inv_freq;
  fc_real          scale;
} code;

/* turns all rows of x [rows, D]; the table of n rows is scratch */
static void turn_all(fc_ctx *c, const code *k, fc_real *y, const fc_real *x, int64_t rows, fc_real sign,
                     bool add) {
  const int64_t n = k->position->dim[0], half = k->inv_freq->dim[0];
  const size_t  mark  = fc_arena_mark(c->arena);
  fc_real      *table = fc_arena_push(c->arena, (size_t)(n * 2 * half) * sizeof *table);

  if (!c->dry) {
    FC_FOR_ROWS(i, n, 16 * half)
    table_row(table + i * 2 * half, k->scale * k->position->x[i], k->inv_freq->x, half);
    FC_FOR_ROWS(r, rows, 2 * half)
    turn(y + r * 2 * half, x + r * 2 * half, table + r % n * 2 * half, half, sign, add);
  }
  fc_arena_pop(c->arena, mark);
}

static void backward(fc_ctx *c, const fc_node *node) {
  bool           fresh;
  const fc_real *dy = node->out->g;
  fc_real       *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) turn_all(c, node->saved, dx, dy, fc_rows(node->out), -1, !fresh);
}

static const fc_op rotary = {"rotary", backward, true};

fc_tensor *fc_rotary(fc_ctx *c, fc_tensor *x, const fc_tensor *position, const fc_tensor *inv_freq,
                     double scale) {
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);

  FC_ASSERT(x->ndim >= 2 && position->ndim == 1 && inv_freq->ndim == 1 &&
                x->dim[x->ndim - 2] == position->dim[0] && fc_last(x) == 2 * inv_freq->dim[0],
            "rotary: x %s, positions %s, frequencies %s", fc_shape_text(x), fc_shape_text(position),
            fc_shape_text(inv_freq));
  code *k = fc_arena_push(c->arena, sizeof *k);
  *k      = (code){position, inv_freq, (fc_real)scale};
  turn_all(c, k, y->x, x->x, fc_rows(x), 1, false);
  return fc_record(c, &rotary, y, k, FC_IN(x));
}
