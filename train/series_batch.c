/* train/series_batch.c - windows as tensors. */
#include "core/ops.h"
#include "core/parallel.h"
#include "train/series.h"

#include <string.h>

enum { MARKS = 8 };

typedef struct {
  const fc_series_set *s;
  int64_t              n;   /* windows */
  const int64_t       *row; /* [n] first rows of their lookbacks */
  int                  columns;
} job;

/* ---- numbers ---- */

static bool side_by_side(int n, const int *column) {
  for (int k = 1; k < n; k++)
    if (column[k] != column[k - 1] + 1) return false;
  return true;
}

/* out [n, steps, of] of each window's rows from + 0 .. steps-1; rows of the result stride apart */
static void gather(const job *j, int64_t from, int64_t steps, int of, const int *column, int64_t stride,
                   fc_real *out) {
  const bool    run = side_by_side(of, column);
  const int64_t C   = j->columns;

  FC_FOR_ROWS(b, j->n, steps * of)
  for (int64_t t = 0; t < steps; t++) {
    const fc_real *x = j->s->scaled + (j->row[b] + from + t) * C;
    fc_real       *y = out + b * stride + t * of;
    if (run)
      memcpy(y, x + column[0], (size_t)of * sizeof *y);
    else
      for (int k = 0; k < of; k++) y[k] = x[column[k]];
  }
}

static fc_tensor *numbers(fc_ctx *c, const job *j, int64_t from, int64_t steps, int of, const int *column) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(j->n, steps, of));

  if (!c->dry) gather(j, from, steps, of, column, steps * of, t->x);
  return t;
}

/* the last label known steps, then zeros */
static fc_tensor *decoder_input(fc_ctx *c, const job *j) {
  const fc_series_set *s    = j->s;
  const int64_t        span = s->wants.label + s->wants.horizon, N = s->n_variates;
  fc_tensor           *t = fc_tensor_new(c->arena, FC_DIMS(j->n, span, N));

  if (c->dry) return t;
  memset(t->x, 0, (size_t)fc_len(t) * sizeof *t->x);
  gather(j, s->wants.lookback - s->wants.label, s->wants.label, (int)N, s->variate, span * N, t->x);
  return t;
}

/* ---- marks ---- */

/* of a row that may lie behind the end of its series: dates go on by the step */
static void mark_at(const fc_series_set *s, int series, int64_t row, fc_real *out) {
  const fc_series_info *i    = fc_series_about(s->file);
  const int64_t         last = i->at[series + 1] - 1;
  fc_real               m[MARKS];

  if (row <= last) {
    memcpy(out, s->marks + row * s->n_marks, (size_t)s->n_marks * sizeof *out);
    return;
  }
  const int64_t date = fc_date_add(fc_series_times(s->file)[last], i->step, row - last);
  fc_marks_at(s->wants.marks, s->wants.freq, date, m);
  memcpy(out, m, (size_t)s->n_marks * sizeof *out);
}

static fc_tensor *marks(fc_ctx *c, const job *j, int64_t from, int64_t steps) {
  const int64_t M = j->s->n_marks;
  fc_tensor    *t = fc_tensor_new(c->arena, FC_DIMS(j->n, steps, M));

  if (c->dry) return t;
  FC_FOR_ROWS(b, j->n, steps * M) {
    const int series = fc_series_of_window(j->s, j->row[b]);
    for (int64_t k = 0; k < steps; k++)
      mark_at(j->s, series, j->row[b] + from + k, t->x + (b * steps + k) * M);
  }
  return t;
}

/* ---- columns by name ---- */

/* is the column known in the horizon? */
static bool ahead(const fc_series_column *w) {
  return w->role == FC_COLUMN_KNOWN || w->role == FC_COLUMN_STATIC;
}

/* One column of every window, steps of the result `width` apart; static ones stay at the first row. Known
   steps of a short lookback come first, zeros after them. */
static void fill_column(const job *j, int k, int width, fc_real *out) {
  const fc_series_wants  *w     = &j->s->wants;
  const fc_series_column *what  = &w->column[k];
  const int64_t           steps = w->lookback + w->horizon;

  FC_FOR_ROWS(b, j->n, steps) {
    const int64_t missing = fc_series_missing(j->s, j->row[b]);
    for (int64_t t = 0; t < steps; t++) {
      const bool     past          = t < w->lookback;
      const int64_t  at            = what->role == FC_COLUMN_STATIC ? missing : past ? t + missing : t;
      const bool     told          = past ? t + missing < w->lookback : ahead(what);
      const fc_real *x             = j->s->scaled + (j->row[b] + at) * j->columns + j->s->variate[k];
      out[(b * steps + t) * width] = told ? *x : 0;
    }
  }
}

/* those of numbers, or those of classes, in the order of the model */
static fc_tensor *named(fc_ctx *c, const job *j, bool classes) {
  const fc_series_wants *w     = &j->s->wants;
  int                    width = 0, at = 0;

  for (int k = 0; k < w->n_columns; k++) width += (w->column[k].categories > 0) == classes;
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(j->n, w->lookback + w->horizon, width));
  for (int k = 0; k < w->n_columns && !c->dry; k++)
    if ((w->column[k].categories > 0) == classes) fill_column(j, k, width, t->x + at++);
  return t;
}

/* [n, L, targets], known steps first as above */
static fc_tensor *past_targets(fc_ctx *c, const job *j) {
  const int64_t L = j->s->wants.lookback, K = j->s->n_targets;
  fc_tensor    *t = fc_tensor_new(c->arena, FC_DIMS(j->n, L, K));

  if (c->dry) return t;
  memset(t->x, 0, (size_t)fc_len(t) * sizeof *t->x);
  FC_FOR_ROWS(b, j->n, L * K) {
    const int64_t from = j->row[b] + fc_series_missing(j->s, j->row[b]);
    for (int64_t i = 0; i < (j->row[b] + L - from) * K; i++)
      t->x[b * L * K + i] = j->s->scaled[(from + i / K) * j->columns + j->s->target[i % K]];
  }
  return t;
}

/* also in dry contexts: models count with them */
static fc_tensor *lengths(fc_ctx *c, const job *j) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(j->n, 2));

  for (int64_t b = 0; b < j->n; b++) {
    t->x[2 * b]     = (fc_real)(j->s->wants.lookback - (j->row ? fc_series_missing(j->s, j->row[b]) : 0));
    t->x[2 * b + 1] = (fc_real)j->s->wants.horizon;
  }
  return t;
}

/* ---- batches ---- */

void fc_series_batch(fc_ctx *c, const fc_series_set *s, int64_t n, const int64_t *row, fc_batch *out,
                     fc_tensor **target) {
  const fc_series_wants *w = &s->wants;
  const int64_t          L = w->lookback, P = w->horizon, label = w->label;
  const job              j = {s, n, row, fc_series_about(s->file)->n_columns};

  *out = (fc_batch){0};
  if (w->n_columns) {
    fc_batch_put(out, "reals", named(c, &j, false));
    fc_batch_put(out, "categories", named(c, &j, true));
    fc_batch_put(out, "lengths", lengths(c, &j));
    fc_batch_put(out, "target", past_targets(c, &j));
  } else {
    fc_batch_put(out, "x_enc", numbers(c, &j, 0, L, s->n_variates, s->variate));
    if (s->n_marks) fc_batch_put(out, "x_mark_enc", marks(c, &j, 0, L));
    fc_batch_put(out, "x_dec", decoder_input(c, &j));
    if (s->n_marks) fc_batch_put(out, "x_mark_dec", marks(c, &j, L - label, label + P));
  }
  if (target) *target = numbers(c, &j, L, P, s->n_targets, s->target);
}

static void pack(fc_ctx *c, const fc_network *net, const fc_batch *standard, fc_batch *out) {
  *out = *standard;
  if (!net->def->series_pack) return;
  *out = (fc_batch){0};
  net->def->series_pack(c, net->self, standard, out);
}

fc_tensor *fc_series_call(fc_ctx *c, const fc_network *net, const fc_series_set *s,
                          const fc_batch *standard) {
  fc_batch b;

  pack(c, net, standard, &b);
  fc_tensor *y = net->def->apply(c, net->self, &b);
  if (net->def->series_unpack) y = net->def->series_unpack(c, net->self, y);
  const int64_t have = y->dim[2];
  return have == s->n_targets ? y : fc_slice(c, y, 2, have - s->n_targets, s->n_targets);
}

fc_status fc_series_check(const fc_network *net, const fc_series_set *s) {
  fc_batch standard, b;
  fc_ctx  *c;

  FC_TRY(fc_ctx_create((size_t)1 << 40, true, &c));
  fc_series_batch(c, s, 1, NULL, &standard, NULL);
  pack(c, net, &standard, &b);
  const fc_status st = net->def->check ? net->def->check(net->self, &b) : FC_OK;
  fc_ctx_destroy(c);
  return st;
}
