/* core/ops/batch_norm.c - y = x^ w + b, x^ = (x - mean) / sqrt(var + eps), mean and biased variance of each
   channel over all rows of the batch and all ranks that share it (Ioffe and Szegedy 2015); outside training
   the running ones. Kept for backward: mean and 1 / sqrt(var + eps). */
#include "core/ops.h"
#include "core/spans.h"

#include <math.h>

enum { CHUNK = 256 }; /* rows summed in fc_real */

typedef struct {
  bool   of_batch;                         /* the statistics depend on x */
  double rows;                             /* over all ranks */
  void (*batch_sum)(double *x, int64_t n); /* the context's, when forward ran */
  fc_real mean[];                          /* [C], then [C] 1 / sqrt(var + eps) */
} saved;

static void over_ranks(const saved *s, double *x, int64_t n) {
  if (s->batch_sum) s->batch_sum(x, n);
}

/* total[i] = sum over chunks of part [chunks, n], in order */
static void combine(const fc_real *part, int64_t chunks, int64_t n, double *total) {
  for (int64_t i = 0; i < n; i++) total[i] = 0;
  for (int64_t k = 0; k < chunks; k++)
    for (int64_t i = 0; i < n; i++) total[i] += (double)part[k * n + i];
}

/* ---- forward ---- */

/* moment [2, C]: sums of a chunk, and of the squared distances from its own mean, while it is in the cache */
FC_SIMD static void moments(fc_real *restrict moment, const fc_real *restrict x, int64_t rows, int64_t C) {
  const fc_real each = 1 / (fc_real)rows;

  for (int64_t j = 0; j < 2 * C; j++) moment[j] = 0;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) moment[j] += x[r * C + j];
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) {
      const fc_real off = x[r * C + j] - each * moment[j];
      moment[C + j] += off * off;
    }
}

/* Squared distances from the mean of all: those from a chunk's mean, and that mean's from the mean of all,
   once for each row (Chan, Golub and LeVeque 1983). part [chunks, 2, C] */
static void spread_of(const fc_real *part, int64_t chunks, int64_t rows, int64_t C, const double *mean,
                      double *total) {
  for (int64_t j = 0; j < C; j++) total[j] = 0;
  for (int64_t k = 0; k < chunks; k++) {
    const double n = (double)fc_min64(CHUNK, rows - k * CHUNK);
    for (int64_t j = 0; j < C; j++) {
      const double off = (double)part[2 * k * C + j] / n - mean[j];
      total[j] += (double)part[(2 * k + 1) * C + j] + n * off * off;
    }
  }
}

FC_SIMD static void apply_rows(fc_real *restrict y, const fc_real *restrict x, const fc_real *restrict mean,
                               const fc_real *restrict rstd, const fc_real *restrict w,
                               const fc_real *restrict b, int64_t rows, int64_t C) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) y[r * C + j] = (x[r * C + j] - mean[j]) * rstd[j] * w[j] + b[j];
}

/* mean, into s, and biased variance of the batch, in one pass over x */
static void statistics(const fc_ctx *c, const fc_tensor *x, saved *s, double *var) {
  const int64_t C = fc_last(x), rows = fc_rows(x), chunks = fc_ceil_div(rows, CHUNK);
  double       *sum  = fc_arena_push(c->arena, (size_t)(2 * C + 1) * sizeof *sum);
  fc_real      *part = fc_arena_push(c->arena, (size_t)(2 * chunks * C) * sizeof *part);

  FC_FOR_ROWS(k, chunks, CHUNK * C)
  moments(part + 2 * k * C, x->x + k * CHUNK * C, fc_min64(CHUNK, rows - k * CHUNK), C);
  combine(part, chunks, 2 * C, sum);
  sum[C] = (double)rows;
  over_ranks(s, sum, C + 1);
  s->rows = sum[C];
  for (int64_t j = 0; j < C; j++) s->mean[j] = (fc_real)(sum[j] /= s->rows);
  spread_of(part, chunks, rows, C, sum, var);
  over_ranks(s, var, C);
  for (int64_t j = 0; j < C; j++) var[j] /= s->rows;
}

/* running = (1 - momentum) running + momentum batch; the variance unbiased, as PyTorch has it */
static void move_running(const saved *s, const double *var, double momentum, fc_tensor *mean,
                         fc_tensor *run) {
  const double unbiased = s->rows > 1 ? s->rows / (s->rows - 1) : 1;

  for (int64_t j = 0; j < fc_len(mean); j++) {
    mean->x[j] += (fc_real)(momentum * ((double)s->mean[j] - (double)mean->x[j]));
    run->x[j] += (fc_real)(momentum * (unbiased * var[j] - (double)run->x[j]));
  }
}

static void prepare(const fc_ctx *c, const fc_tensor *x, saved *s, fc_tensor *mean, fc_tensor *run,
                    double momentum, double eps) {
  const int64_t C    = fc_last(x);
  const size_t  mark = fc_arena_mark(c->arena);
  double       *var  = fc_arena_push(c->arena, (size_t)C * sizeof *var);

  if (s->of_batch) {
    statistics(c, x, s, var);
    move_running(s, var, momentum, mean, run);
  } else {
    for (int64_t j = 0; j < C; j++) s->mean[j] = mean->x[j], var[j] = (double)run->x[j];
  }
  for (int64_t j = 0; j < C; j++) s->mean[C + j] = (fc_real)(1 / sqrt(var[j] + eps));
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

/* sum [2, C]: of dy, and of dy x^; outside training dx = w rstd dy on the way, NULL: not yet, or nobody asks
 */
FC_SIMD static void row_sums(fc_real *restrict sum, const fc_real *restrict dy, const fc_real *restrict x,
                             const fc_real *restrict mean, const fc_real *restrict rstd,
                             const fc_real *restrict w, fc_real *restrict dx, int64_t rows, int64_t C,
                             bool fresh) {
  for (int64_t j = 0; j < 2 * C; j++) sum[j] = 0;
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t j = 0; j < C; j++) {
      sum[j] += dy[r * C + j];
      sum[C + j] += dy[r * C + j] * ((x[r * C + j] - mean[j]) * rstd[j]);
    }
    for (int64_t j = 0; dx && j < C; j++)
      dx[r * C + j] = fc_into(fresh, dx[r * C + j], w[j] * rstd[j] * dy[r * C + j]);
  }
}

/* dx = w rstd (dy - bar - x^ dot) */
FC_SIMD static void back_rows(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict x,
                              const fc_real *restrict mean, const fc_real *restrict rstd,
                              const fc_real *restrict w, const fc_real *restrict bar,
                              const fc_real *restrict dot, int64_t rows, int64_t C, bool fresh) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) {
      const fc_real hat = (x[r * C + j] - mean[j]) * rstd[j];
      dx[r * C + j] = fc_into(fresh, dx[r * C + j], w[j] * rstd[j] * (dy[r * C + j] - bar[j] - hat * dot[j]));
    }
}

/* y = x^ w + b: db += sum dy, dw += sum dy x^; in training the means of both, over the whole batch, are taken
   off dy in dx, as they move mean and variance */
static void backward(fc_ctx *c, const fc_node *node) {
  const saved     *s = node->saved;
  const fc_tensor *x = node->in[0], *w = node->in[1];
  const int64_t    C = fc_last(x), rows = fc_rows(x), chunks = fc_ceil_div(rows, CHUNK);
  const fc_real   *dy = node->out->g, *mean = s->mean, *rstd = s->mean + C;
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh), *dw = fc_grad(c, node->in[1]),
          *db       = fc_grad(c, node->in[2]);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *part = fc_arena_push(c->arena, (size_t)(2 * chunks * C) * sizeof *part);
  fc_real     *bar  = fc_arena_push(c->arena, (size_t)(2 * C) * sizeof *bar);
  double      *sum  = fc_arena_push(c->arena, (size_t)(2 * C) * sizeof *sum);

  FC_FOR_ROWS(k, chunks, CHUNK * C)
  row_sums(part + 2 * k * C, dy + k * CHUNK * C, x->x + k * CHUNK * C, mean, rstd, w->x,
           dx && !s->of_batch ? dx + k * CHUNK * C : NULL, fc_min64(CHUNK, rows - k * CHUNK), C, fresh);
  combine(part, chunks, 2 * C, sum);
  for (int64_t j = 0; db && j < C; j++) db[j] += (fc_real)sum[j];
  for (int64_t j = 0; dw && j < C; j++) dw[j] += (fc_real)sum[C + j];
  if (s->of_batch) over_ranks(s, sum, 2 * C);
  for (int64_t j = 0; j < 2 * C; j++) bar[j] = (fc_real)(sum[j] / s->rows);
  if (dx && s->of_batch) FC_FOR_ROWS(k, chunks, CHUNK * C)
  back_rows(dx + k * CHUNK * C, dy + k * CHUNK * C, x->x + k * CHUNK * C, mean, rstd, w->x, bar, bar + C,
            fc_min64(CHUNK, rows - k * CHUNK), C, fresh);
  fc_arena_pop(c->arena, mark);
}

static const fc_op batch_norm = {"batch_norm", backward, false};

fc_tensor *fc_batch_norm(fc_ctx *c, fc_tensor *x, fc_tensor *weight, fc_tensor *bias, fc_tensor *mean,
                         fc_tensor *var, double momentum, double eps) {
  const int64_t C = fc_last(x), rows = fc_rows(x);

  FC_ASSERT(fc_len(weight) == C && fc_len(bias) == C && fc_len(mean) == C && fc_len(var) == C,
            "batch_norm: %s with weight %s", fc_shape_text(x), fc_shape_text(weight));
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  saved     *s = fc_arena_push(c->arena, sizeof *s + (size_t)(2 * C) * sizeof *s->mean);
  s->of_batch  = c->training;
  s->rows      = (double)rows;
  s->batch_sum = c->batch_sum;
  if (!c->dry) {
    prepare(c, x, s, mean, var, momentum, eps);
    FC_FOR_ROW_BLOCKS(r, n, rows, C)
    apply_rows(y->x + r * C, x->x + r * C, s->mean, s->mean + C, weight->x, bias->x, n, C);
  }
  return fc_record(c, &batch_norm, y, s, FC_IN(x, weight, bias));
}
