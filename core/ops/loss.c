/* core/ops/loss.c - the mean squared error and the relative L2 error of FNO papers (Li et al. 2020):
   mse = sum (y - t)^2 / n; relative = (1/B) sum_b |y_b - t_b| / max(|t_b|, eps). Sums are in double. */
#include "core/domain.h"
#include "core/ops.h"
#include "core/spans.h"
#include "core/sums.h"

#include <math.h>

typedef struct {
  int64_t B, n;    /* samples of n numbers */
  double  slope[]; /* [B]: d loss / d y = slope_b (y - t) */
} saved;

/* loss = sum_b f_b(|y_b - t_b|^2): dy += slope_b (y - t) d loss */
FC_SIMD static void backward_span(fc_real *restrict dx, const fc_real *restrict y, const fc_real *restrict t,
                                  fc_real slope, int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) dx[i] = fc_into(fresh, dx[i], slope * (y[i] - t[i]));
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved   *s = node->saved;
  const fc_real *y = node->in[0]->x, *t = node->in[1]->x;
  const double   g      = (double)node->out->g[0];
  const int64_t  pieces = fc_ceil_div(s->n, FC_SPAN);
  bool           fresh;
  fc_real       *dy = fc_grad_raw(c, node->in[0], &fresh);

  if (!dy) return;
  FC_FOR_ROWS(i, s->B * pieces, fc_min64(s->n, FC_SPAN)) {
    const int64_t b = i / pieces, from = i % pieces * FC_SPAN, at = b * s->n + from;
    backward_span(dy + at, y + at, t + at, (fc_real)(g * s->slope[b]), fc_min64(FC_SPAN, s->n - from), fresh);
  }
}

static const fc_op mse = {"mse", backward, false}, relative_l2 = {"relative_l2", backward, false};

static double mse_value(fc_arena *scratch, saved *s, const fc_real *y, const fc_real *t) {
  double sum;

  fc_sum_middle(scratch, &(fc_sum){FC_SUM_DISTANCE, 1, s->n, 1, .p = y, .q = t}, &sum);
  const double n = (double)fc_max64(1, s->n); /* a rank of a domain may have nothing */
  s->slope[0]    = 2 / n;
  return sum / n;
}

/* squares of the norms, of all ranks that share the samples */
static void sum_shares(fc_ctx *c, double *sum, int64_t n) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *x    = fc_arena_push(c->arena, (size_t)n * sizeof *x);

  for (int64_t i = 0; i < n; i++) x[i] = (fc_real)sum[i];
  fc_domain_sum(c, x, n);
  for (int64_t i = 0; i < n; i++) sum[i] = (double)x[i];
  fc_arena_pop(c->arena, mark);
}

/* d |y - t| / dy = (y - t) / |y - t|; where y = t the slope is taken as 0 */
static double relative_value(fc_ctx *c, saved *s, const fc_real *y, const fc_real *t, double eps) {
  fc_arena    *scratch = c->arena;
  const size_t mark    = fc_arena_mark(scratch);
  double *error = fc_arena_push(scratch, (size_t)(2 * s->B) * sizeof *error), *size = error + s->B, loss = 0;

  fc_sum_middle(scratch, &(fc_sum){FC_SUM_DISTANCE, s->B, s->n, 1, .p = y, .q = t}, error);
  fc_sum_middle(scratch, &(fc_sum){FC_SUM_PRODUCT, s->B, s->n, 1, .p = t, .q = t}, size);
  if (fc_domain_shared(c)) sum_shares(c, error, 2 * s->B);
  for (int64_t b = 0; b < s->B; b++) {
    const double e = sqrt(error[b]), weight = 1 / ((double)s->B * fmax(sqrt(size[b]), eps));
    loss += weight * e;
    s->slope[b] = e > 0 ? weight / e : 0;
  }
  fc_arena_pop(scratch, mark);
  return loss / fc_domain_size(c);
}

static saved *prepare(fc_ctx *c, const fc_op *op, const fc_tensor *y, const fc_tensor *target, int64_t B) {
  FC_ASSERT(fc_same_shape(y, target) && B > 0 && (fc_len(y) > 0 || fc_domain_shared(c)),
            "%s: prediction %s, target %s", op->name, fc_shape_text(y), fc_shape_text(target));
  FC_ASSERT(!target->needs_grad, "%s: the target takes no gradient", op->name);
  saved *s = fc_arena_push(c->arena, sizeof *s + (size_t)B * sizeof *s->slope);
  s->B = B, s->n = fc_len(y) / B;
  return s;
}

/* y, target of one shape -> scalar */
fc_tensor *fc_mse(fc_ctx *c, fc_tensor *y, fc_tensor *target) {
  fc_tensor *loss = fc_tensor_new(c->arena, 0, NULL);
  saved     *s    = prepare(c, &mse, y, target, 1);

  if (!c->dry) loss->x[0] = (fc_real)mse_value(c->arena, s, y->x, target->x);
  return fc_record(c, &mse, loss, s, FC_IN(y, target));
}

/* y, target [B, ..] of one shape -> scalar; eps > 0 bounds the denominator of a sample that is zero. Ranks
   that share the samples each get an equal part of the loss, with the whole gradient of their shares. */
fc_tensor *fc_relative_l2(fc_ctx *c, fc_tensor *y, fc_tensor *target, double eps) {
  FC_ASSERT(y->ndim > 0, "relative_l2: a scalar has no samples");
  fc_tensor *loss = fc_tensor_new(c->arena, 0, NULL);
  saved     *s    = prepare(c, &relative_l2, y, target, y->dim[0]);

  if (!c->dry) loss->x[0] = (fc_real)relative_value(c, s, y->x, target->x, eps);
  return fc_record(c, &relative_l2, loss, s, FC_IN(y, target));
}
