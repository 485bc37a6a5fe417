/* core/ops/interpolate.c - channels resampled by linear interpolation with both ends kept: channel j of D
   lies at s = j (C - 1) / (D - 1) among those of x [.., C] (at 0 where D = 1), y[r, j] = (1 - u) x[r, i] + u
   x[r, i + 1],   i = floor(s), u = s - i */
#include "core/ops.h"
#include "core/spans.h"

typedef struct {
  int64_t C, D;
  struct {
    int64_t left, right;
    fc_real u; /* share of the right one */
  } at[];
} saved;

static void forward_rows(fc_real *restrict y, const fc_real *restrict x, const saved *s, int64_t rows) {
  for (int64_t r = 0; r < rows; r++, y += s->D, x += s->C)
    for (int64_t j = 0; j < s->D; j++)
      y[j] = (1 - s->at[j].u) * x[s->at[j].left] + s->at[j].u * x[s->at[j].right];
}

/* "y = (1 - u) x_i + u x_{i+1}" */
static void backward_rows(fc_real *restrict dx, const fc_real *restrict dy, const saved *s, int64_t rows) {
  for (int64_t r = 0; r < rows; r++, dy += s->D, dx += s->C)
    for (int64_t j = 0; j < s->D; j++) {
      dx[s->at[j].left] += (1 - s->at[j].u) * dy[j];
      dx[s->at[j].right] += s->at[j].u * dy[j];
    }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved *s  = node->saved;
  fc_real     *dx = fc_grad(c, node->in[0]);

  if (dx) FC_FOR_ROW_BLOCKS(r, n, fc_rows(node->out), s->C + s->D)
  backward_rows(dx + r * s->C, node->out->g + r * s->D, s, n);
}

static const fc_op interpolate = {"interpolate", backward, false};

static void find_places(saved *s) {
  const double step = s->D > 1 ? (double)(s->C - 1) / (double)(s->D - 1) : 0;

  for (int64_t j = 0; j < s->D; j++) {
    const double  at   = (double)j * step;
    const int64_t left = fc_min64((int64_t)at, s->C - 1);
    s->at[j].left      = left;
    s->at[j].right     = fc_min64(left + 1, s->C - 1);
    s->at[j].u         = (fc_real)(at - (double)left);
  }
}

fc_tensor *fc_interpolate(fc_ctx *c, fc_tensor *x, int64_t D) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(x->ndim > 0 && D > 0, "interpolate: %s to %lld channels", fc_shape_text(x), (long long)D);
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] = D;
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  saved     *s     = fc_arena_push(c->arena, sizeof *s + (size_t)D * sizeof *s->at);
  s->C = fc_last(x), s->D = D;
  find_places(s);
  if (!c->dry) FC_FOR_ROW_BLOCKS(r, n, fc_rows(x), s->C + D)
  forward_rows(y->x + r * D, x->x + r * s->C, s, n);
  return fc_record(c, &interpolate, y, s, FC_IN(x));
}
