/* train/points_batch.c */
#include "train/points_batch.h"

#include "core/segments.h"

#include <string.h>

static const char *const f_names[FC_CLOUD_FUNCTIONS]  = {"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"};
static const char *const fl_names[FC_CLOUD_FUNCTIONS] = {"f0_lengths", "f1_lengths", "f2_lengths",
                                                         "f3_lengths", "f4_lengths", "f5_lengths",
                                                         "f6_lengths", "f7_lengths"};

/* ---- memory ---- */

/* the next n numbers of a block, on a border of 64 bytes; base NULL: only counts */
static fc_real *take(char *base, int64_t *at, int64_t n) {
  const int64_t begin = *at;

  *at = begin + (n * (int64_t)sizeof(fc_real) + 63) / 64 * 64;
  return base ? (fc_real *)(void *)(base + begin) : NULL;
}

/* cuts the block; returns its bytes */
static int64_t cut(const fc_points *p, int64_t n, char *base, fc_points_batch *b) {
  const int64_t rows = n * p->most.points;
  int64_t       at   = ((int64_t)sizeof *b + 63) / 64 * 64;

  b->x       = take(base, &at, rows * p->x.n);
  b->fx      = take(base, &at, rows * fc_points_features(p));
  b->params  = take(base, &at, n * p->params.n);
  b->time    = take(base, &at, n);
  b->target  = take(base, &at, rows * p->out.n);
  b->weight  = take(base, &at, p->masked ? rows * p->out.n : 0);
  b->lengths = take(base, &at, n);
  b->first   = (int64_t *)(void *)take(base, &at, n * (int64_t)(sizeof *b->first / sizeof(fc_real)));
  for (int f = 0; f < p->n_functions; f++) {
    b->f[f]         = take(base, &at, n * p->most.rows[p->function_pick[f]] * p->function[f].n);
    b->f_lengths[f] = take(base, &at, n);
  }
  if (!p->masked) b->weight = NULL;
  return at;
}

int64_t fc_points_batch_bytes(const fc_points *p, int64_t n) {
  fc_points_batch b;

  return cut(p, n, NULL, &b);
}

fc_points_batch *fc_points_batch_begin(const fc_points *p, int64_t n, void *block) {
  fc_points_batch *b = block;

  *b = (fc_points_batch){0};
  cut(p, n, block, b);
  return b;
}

/* ---- filling ---- */

/* given fields of the frame, then the frames of history from the oldest to the newest, for each point */
static void add_features(const fc_points *p, const fc_sample *s, int64_t at, fc_real *fx) {
  const int64_t  N = s->points, F = fc_points_features(p);
  const fc_real *in = s->in + (p->in_varies ? at * N * p->in.n : 0);

  for (int64_t i = 0; i < N && p->in.n; i++)
    memcpy(fx + i * F, in + i * p->in.n, (size_t)p->in.n * sizeof *fx);
  for (int64_t h = 0; h < p->history; h++) {
    const fc_real *frame = s->out + (at - p->history + h) * N * p->out.n;
    for (int64_t i = 0; i < N; i++)
      memcpy(fx + i * F + p->in.n + h * p->out.n, frame + i * p->out.n, (size_t)p->out.n * sizeof *fx);
  }
}

static void copy(fc_real *to, const fc_real *from, int64_t n) {
  if (n) memcpy(to, from, (size_t)n * sizeof *to);
}

void fc_points_batch_add(const fc_points *p, fc_points_batch *b, const fc_sample *s, int64_t at) {
  const int64_t N = s->points, C = p->out.n;

  copy(b->x + b->rows * p->x.n, s->x, N * p->x.n);
  add_features(p, s, at, b->fx + b->rows * fc_points_features(p));
  copy(b->params + b->n * p->params.n, s->params, p->params.n);
  b->time[b->n] = (fc_real)s->time[at];
  copy(b->target + b->rows * C, s->out + at * N * C, N * C);
  if (b->weight) copy(b->weight + b->rows * C, s->weight, N * C);
  b->lengths[b->n] = (fc_real)N;
  b->first[b->n]   = s->first;
  for (int f = 0; f < p->n_functions; f++) {
    const int64_t width = p->function[f].n;
    copy(b->f[f] + b->f_rows[f] * width, s->function[f], s->rows[f] * width);
    b->f_lengths[f][b->n] = (fc_real)s->rows[f];
    b->f_rows[f] += s->rows[f];
  }
  b->rows += N;
  b->n++;
}

static fc_real *same_lengths(fc_ctx *c, int64_t n, int64_t length) {
  fc_real *x = fc_arena_push(c->arena, (size_t)n * sizeof *x);

  for (int64_t i = 0; i < n; i++) x[i] = (fc_real)length;
  return x;
}

void fc_points_batch_plan(fc_ctx *c, const fc_points *p, const fc_cloud_size *size, int64_t n,
                          fc_points_batch *b) {
  *b         = (fc_points_batch){.n = n, .rows = n * size->points};
  b->lengths = same_lengths(c, n, size->points);
  for (int f = 0; f < p->n_functions; f++) {
    const int64_t rows = size->rows[p->function_pick[f]];
    b->f_lengths[f]    = same_lengths(c, n, rows);
    b->f_rows[f]       = n * rows;
  }
}

/* ---- use ---- */

void fc_points_inputs(fc_ctx *c, const fc_points *p, const fc_points_batch *b, fc_batch *out) {
  const int64_t F = fc_points_features(p);
  fc_arena     *a = c->arena;

  fc_batch_put(out, "x", fc_tensor_borrow(a, b->x, FC_DIMS(b->rows, p->x.n)));
  fc_batch_put(out, "x_lengths", fc_tensor_borrow(a, b->lengths, FC_DIMS(b->n)));
  if (F) fc_batch_put(out, "fx", fc_tensor_borrow(a, b->fx, FC_DIMS(b->rows, F)));
  if (p->params.n) fc_batch_put(out, "u_p", fc_tensor_borrow(a, b->params, FC_DIMS(b->n, p->params.n)));
  if (p->time) fc_batch_put(out, "T", fc_tensor_borrow(a, b->time, FC_DIMS(b->n, 1)));
  for (int f = 0; f < p->n_functions; f++) {
    fc_batch_put(out, f_names[f], fc_tensor_borrow(a, b->f[f], FC_DIMS(b->f_rows[f], p->function[f].n)));
    fc_batch_put(out, fl_names[f], fc_tensor_borrow(a, b->f_lengths[f], FC_DIMS(b->n)));
  }
}

fc_tensor *fc_points_call(fc_ctx *c, const fc_network *n, const fc_points *p, const fc_points_batch *b) {
  fc_batch *inputs =
      fc_arena_push(c->arena, sizeof *inputs); /* a recomputed block may look at it in backward */

  *inputs = (fc_batch){0};
  fc_points_inputs(c, p, b, inputs);
  fc_tensor *y = n->def->apply(c, n->self, inputs);
  FC_ASSERT(y->ndim == 2 && y->dim[0] == b->rows && y->dim[1] == p->out.n, "%s gives %s for %lld points",
            n->def->name, fc_shape_text(y), (long long)b->rows);
  return y;
}

fc_status fc_points_check(const fc_network *n, const fc_points *p) {
  fc_points_batch b;
  fc_batch        inputs = {0};
  fc_ctx         *c;

  if (!n->def->check) return FC_OK;
  FC_TRY(fc_ctx_create((size_t)1 << 40, true, &c));
  fc_points_batch_plan(c, p, &p->most, 1, &b);
  fc_points_inputs(c, p, &b, &inputs);
  const fc_status s = n->def->check(n->self, &inputs);
  fc_ctx_destroy(c);
  return s;
}
