/* core/ops/reduce.c - sums and means over any axes: y[kept] = scale sum over the others of x.
   Neighbouring axes of one kind are merged, then the summed blocks go one by one, last first. */
#include "core/ops.h"
#include "core/ops/odometer.h"
#include "core/spans.h"
#include "core/sums.h"

typedef struct {
  int     nd; /* merged axes of x, alternately kept and summed */
  int64_t n[FC_MAX_DIMS];
  bool    summed[FC_MAX_DIMS];
  double  scale;
} pattern;

static pattern merge(const fc_tensor *x, unsigned axes) {
  pattern p = {.scale = 1};

  for (int i = 0; i < x->ndim; i++) {
    const bool summed = axes >> i & 1u;
    if (x->dim[i] == 1) continue;
    if (p.nd && p.summed[p.nd - 1] == summed)
      p.n[p.nd - 1] *= x->dim[i];
    else {
      p.n[p.nd]        = x->dim[i];
      p.summed[p.nd++] = summed;
    }
  }
  return p;
}

static int64_t product(const int64_t *n, int from, int to) {
  int64_t len = 1;

  for (int i = from; i < to; i++) len *= n[i];
  return len;
}

/* y = scale sum x; results between two blocks are scratch */
static void forward(fc_arena *scratch, const pattern *p, fc_real *y, const fc_real *x) {
  const size_t mark  = fc_arena_mark(scratch);
  pattern      left  = *p;
  int          first = 0;

  while (first < p->nd && !p->summed[first]) first++;
  if (first == p->nd) { /* nothing to sum: one row */
    fc_sum_store(scratch, &(fc_sum){FC_SUM_PLAIN, 1, 1, product(p->n, 0, p->nd), .p = x}, p->scale, false, y);
    return;
  }
  for (int k = p->nd - 1; k >= first; k--) {
    if (!p->summed[k]) continue;
    const fc_sum s = {FC_SUM_PLAIN, product(left.n, 0, k), left.n[k], product(left.n, k + 1, p->nd), .p = x};
    fc_real     *out = k == first ? y : fc_arena_push(scratch, (size_t)(s.O * s.I) * sizeof *out);
    fc_sum_store(scratch, &s, k == first ? p->scale : 1, false, out);
    left.n[k] = 1;
    x         = out;
  }
  fc_arena_pop(scratch, mark);
}

/* dx += scale dy along one run of the last merged axis, which is a kept axis or a summed one */
FC_SIMD static void add_run(fc_real *restrict dx, const fc_real *restrict dy, fc_real scale, int64_t n,
                            bool fresh) {
  for (int64_t j = 0; j < n; j++) dx[j] = fc_into(fresh, dx[j], scale * dy[j]);
}
FC_SIMD static void add_constant(fc_real *restrict dx, fc_real value, int64_t n, bool fresh) {
  for (int64_t j = 0; j < n; j++) dx[j] = fc_into(fresh, dx[j], value);
}

/* y = scale sum x: dx[kept, summed] += scale dy[kept]. The odometer runs over all merged axes but the
   last and knows where in y they are; summed axes have stride 0 there. */
static void spread(const pattern *p, fc_real *dx, const fc_real *dy, bool fresh) {
  fc_odometer   all  = {.nd = p->nd ? p->nd - 1 : 0};
  const bool    flat = p->nd && p->summed[p->nd - 1];
  const int64_t run = p->nd ? p->n[p->nd - 1] : 1, rows = product(p->n, 0, all.nd);
  const fc_real scale = (fc_real)p->scale;

  for (int64_t k = all.nd - 1, step = flat ? 1 : run; k >= 0; k--) {
    all.n[k]      = p->n[k];
    all.stride[k] = p->summed[k] ? 0 : step;
    if (!p->summed[k]) step *= p->n[k];
  }
  FC_FOR_ROW_BLOCKS(row, count, rows, run) {
    fc_odometer o = all;
    fc_odometer_set(&o, row);
    for (int64_t r = row; r < row + count; r++, fc_odometer_next(&o))
      if (flat)
        add_constant(dx + r * run, scale * dy[o.at], run, fresh);
      else
        add_run(dx + r * run, dy + o.at, scale, run, fresh);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  bool     fresh;
  fc_real *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx && fc_len(node->in[0])) spread(node->saved, dx, node->out->g, fresh);
}

static const fc_op sum = {"sum_axes", backward, false}, mean = {"mean_axes", backward, false};

static fc_tensor *reduce(fc_ctx *c, const fc_op *op, fc_tensor *x, unsigned axes) {
  int64_t dim[FC_MAX_DIMS], count = 1;
  int     ndim = 0;

  FC_ASSERT(axes >> x->ndim == 0, "%s: axes 0x%x of %s", op->name, axes, fc_shape_text(x));
  for (int i = 0; i < x->ndim; i++)
    if (axes >> i & 1u)
      count *= x->dim[i];
    else
      dim[ndim++] = x->dim[i];
  fc_tensor *y = fc_tensor_new(c->arena, ndim, dim);
  pattern   *p = fc_arena_push(c->arena, sizeof *p);
  *p           = merge(x, axes);
  if (op == &mean) p->scale = 1 / (double)count;
  if (!c->dry) forward(c->arena, p, y->x, x->x);
  return fc_record(c, op, y, p, FC_IN(x));
}

/* axes: bit i set sums over axis i, which disappears from the shape; all axes give a scalar */
fc_tensor *fc_sum_axes(fc_ctx *c, fc_tensor *x, unsigned axes) { return reduce(c, &sum, x, axes); }
fc_tensor *fc_mean_axes(fc_ctx *c, fc_tensor *x, unsigned axes) { return reduce(c, &mean, x, axes); }
fc_tensor *fc_sum_all(fc_ctx *c, fc_tensor *x) { return reduce(c, &sum, x, (1u << x->ndim) - 1u); }
