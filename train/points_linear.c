/* train/points_linear.c */
#include "train/points_linear.h"

#include "core/parallel.h"
#include "core/ridge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 400000, LAMBDAS = 5, HELD = 5 };
static const double lambdas[LAMBDAS] = {1e-8, 1e-6, 1e-4, 1e-2, 1};
static const double few_lambda       = 1e-6; /* where there are too few items to hold some out */

struct fc_points_linear {
  int64_t in, out;
  double *W, *b; /* [in, out], [out] */
  double  lambda;
  char    text[200];
};

/* ---- the numbers a point knows ---- */

static int64_t inputs_of(const fc_points *p) {
  int64_t n = p->x.n + fc_points_features(p) + p->params.n + p->time;

  for (int f = 0; f < p->n_functions; f++) n += p->function[f].n;
  return n;
}

static fc_real *append(fc_real *to, const fc_real *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = from[i];
  return to + n;
}

/* means of the columns of all functions of sample k of a batch, which begin at row first[f] */
static fc_real *append_means(const fc_points *p, const fc_points_batch *b, int64_t k, fc_real *to) {
  for (int f = 0; f < p->n_functions; f++) {
    const int64_t n = p->function[f].n, rows = (int64_t)b->f_lengths[f][k];
    int64_t       first = 0;
    for (int64_t j = 0; j < k; j++) first += (int64_t)b->f_lengths[f][j];
    for (int64_t c = 0; c < n; c++) {
      double sum = 0;
      for (int64_t r = 0; r < rows; r++) sum += (double)b->f[f][(first + r) * n + c];
      *to++ = (fc_real)(sum / (double)rows);
    }
  }
  return to;
}

/* row i of a batch of one sample; rest: what is the same for all its points */
static void gather(const fc_points *p, const fc_points_batch *b, int64_t i, const fc_real *rest,
                   int64_t n_rest, fc_real *row) {
  const int64_t F = fc_points_features(p);

  row = append(row, b->x + i * p->x.n, p->x.n);
  row = append(row, b->fx + i * F, F);
  append(row, rest, n_rest);
}

static int64_t gather_rest(const fc_points *p, const fc_points_batch *b, fc_real *rest) {
  fc_real *to = append(rest, b->params, p->params.n);

  if (p->time) *to++ = b->time[0];
  return append_means(p, b, 0, to) - rest;
}

/* ---- fitting ---- */

typedef struct {
  fc_points        p;
  fc_points_items *items;
  fc_points_batch *batch;  /* of one item */
  int64_t          stride; /* every stride-th point */
  fc_real         *rows, *answers, *rest;
  fc_ridge       **ridge; /* one for all targets, or with a mask one for each */
  int              n_ridges;
} work;

static fc_status load(work *w, int64_t item) {
  fc_points_batch_begin(&w->p, 1, w->batch);
  return fc_points_items_add(w->items, item, w->batch);
}

static void add_rows(work *w, const fc_points_linear *m, int target) {
  const fc_points_batch *b      = w->batch;
  const int64_t          n_rest = gather_rest(&w->p, b, w->rest), C = m->out;
  const int64_t          width = w->n_ridges == 1 ? C : 1;
  int64_t                n     = 0;

  for (int64_t i = 0; i < b->rows; i += w->stride) {
    if (b->weight && b->weight[i * C + target] == 0) continue;
    gather(&w->p, b, i, w->rest, n_rest, w->rows + n * m->in);
    append(w->answers + n * width, b->target + i * C + target, width);
    n++;
  }
  fc_ridge_add(w->ridge[target], n, w->rows, w->answers);
}

static bool held_out(int64_t item) { return item % HELD == HELD - 1; }

static fc_status add_items(work *w, const fc_points_linear *m, bool held) {
  for (int64_t k = 0; k < fc_points_items_size(w->items); k++) {
    if (held_out(k) != held) continue;
    FC_TRY(load(w, k));
    for (int t = 0; t < w->n_ridges; t++) add_rows(w, m, t);
  }
  return FC_OK;
}

static fc_status solve(const work *w, fc_points_linear *m, double lambda) {
  const int64_t width = m->out / w->n_ridges;
  double       *W     = malloc((size_t)(m->in * width) * sizeof *W);

  FC_REQUIRE(W, FC_E_SYSTEM, "no memory for the linear baseline");
  fc_status s = FC_OK;
  for (int t = 0; t < w->n_ridges && s == FC_OK; t++) {
    s = fc_ridge_solve(w->ridge[t], lambda, W, m->b + t);
    for (int64_t i = 0; i < m->in && s == FC_OK; i++)
      memcpy(m->W + i * m->out + t, W + i * width, (size_t)width * sizeof *W);
  }
  free(W);
  m->lambda = lambda;
  return s;
}

static void predict_row(const fc_points_linear *m, const fc_real *row, fc_real *y) {
  for (int64_t o = 0; o < m->out; o++) {
    double sum = m->b[o];
    for (int64_t j = 0; j < m->in; j++) sum += m->W[j * m->out + o] * (double)row[j];
    y[o] = (fc_real)sum;
  }
}

static fc_status judge(work *w, const fc_points_linear *m, double *error) {
  *error = 0;
  for (int64_t k = HELD - 1; k < fc_points_items_size(w->items); k += HELD) {
    FC_TRY(load(w, k));
    const fc_points_batch *b      = w->batch;
    const int64_t          n_rest = gather_rest(&w->p, b, w->rest);
    for (int64_t i = 0; i < b->rows; i += w->stride) {
      gather(&w->p, b, i, w->rest, n_rest, w->rows);
      predict_row(m, w->rows, w->answers);
      for (int64_t o = 0; o < m->out; o++) {
        const double d = (double)w->answers[o] - (double)b->target[i * m->out + o];
        if (!b->weight || b->weight[i * m->out + o] > 0) *error += d * d;
      }
    }
  }
  return FC_OK;
}

/* a singular system only rules out its lambda */
static fc_status choose_lambda(work *w, fc_points_linear *m, double *lambda) {
  double best = INFINITY, error;

  *lambda = few_lambda;
  if (fc_points_items_size(w->items) < HELD) return FC_OK;
  for (int k = 0; k < LAMBDAS; k++) {
    const fc_status s = solve(w, m, lambdas[k]);
    if (s == FC_E_NUMERIC) continue;
    FC_TRY(s);
    FC_TRY(judge(w, m, &error));
    if (error < best) best = error, *lambda = lambdas[k];
  }
  return FC_OK;
}

static fc_status fit(work *w, fc_points_linear *m) {
  double lambda;

  FC_TRY(add_items(w, m, false));
  FC_TRY(choose_lambda(w, m, &lambda));
  FC_TRY(add_items(w, m, true));
  FC_TRY(solve(w, m, lambda));
  snprintf(m->text, sizeof m->text,
           "linear: ridge regression of a point's targets on its %lld numbers (coordinates, given fields, "
           "parameters, means of functions), %lld items, lambda %g",
           (long long)m->in, (long long)fc_points_items_size(w->items), m->lambda);
  return FC_OK;
}

static fc_status open_work(work *w, fc_points_linear *m, int64_t n_train) {
  const int64_t most = w->p.most.points;

  m->in       = inputs_of(&w->p);
  m->out      = w->p.out.n;
  w->n_ridges = w->p.masked ? (int)m->out : 1;
  FC_TRY(fc_points_items_create(&w->p, 0, n_train, 0, &w->items));
  w->stride  = fc_max64(1, fc_cloud_about(w->p.file)->points / MOST_ROWS);
  w->batch   = malloc((size_t)fc_points_batch_bytes(&w->p, 1));
  w->rows    = malloc((size_t)(most * m->in) * sizeof *w->rows);
  w->answers = malloc((size_t)(most * m->out) * sizeof *w->answers);
  w->rest    = malloc((size_t)m->in * sizeof *w->rest);
  w->ridge   = calloc((size_t)w->n_ridges, sizeof *w->ridge);
  m->W       = malloc((size_t)(m->in * m->out) * sizeof *m->W);
  m->b       = malloc((size_t)m->out * sizeof *m->b);
  FC_REQUIRE(w->batch && w->rows && w->answers && w->rest && w->ridge && m->W && m->b, FC_E_SYSTEM,
             "no memory for the linear baseline");
  for (int t = 0; t < w->n_ridges; t++) FC_TRY(fc_ridge_create(m->in, m->out / w->n_ridges, &w->ridge[t]));
  return FC_OK;
}

static void close_work(work *w) {
  for (int t = 0; w->ridge && t < w->n_ridges; t++) fc_ridge_destroy(w->ridge[t]);
  free(w->ridge);
  free(w->batch);
  free(w->rows);
  free(w->answers);
  free(w->rest);
  fc_points_items_destroy(w->items);
  fc_points_close(&w->p);
}

fc_status fc_points_linear_fit(const fc_run *run, fc_points_linear **out, const char **why) {
  const fc_data_settings *d = &run->k.settings.data;
  work                    w = {0};

  *out = NULL;
  *why = "weights were imported: no training data is known";
  if (!run->k.out.n) return FC_OK;
  *why = "the training data is no longer where the run's configuration says";
  if (fc_run_open_points(run, d->train, &w.p) != FC_OK) return FC_OK;
  const int64_t     all = fc_cloud_about(w.p.file)->n_samples;
  fc_points_linear *m   = calloc(1, sizeof *m);
  fc_status         s   = m ? open_work(&w, m, d->valid[0] ? all : fc_source_split(all, d->valid_fraction))
                            : fc_fail(FC_E_SYSTEM, "no memory for the linear baseline");
  if (s == FC_OK) s = fit(&w, m);
  close_work(&w);
  if (s == FC_OK)
    *out = m;
  else
    fc_points_linear_free(m);
  *why = "no linear regression fits this data";
  return s == FC_E_NUMERIC ? FC_OK : s;
}

void fc_points_linear_free(fc_points_linear *m) {
  if (!m) return;
  free(m->W);
  free(m->b);
  free(m);
}

static void predict(const fc_points_linear *m, const fc_points *p, const fc_points_batch *b, fc_real *scratch,
                    fc_real *y) {
  const int64_t n_rest = gather_rest(p, b, scratch);
  fc_real      *rows   = scratch + m->in; /* one for each thread */

  FC_FOR_ROWS(i, b->rows, m->in * m->out) {
    fc_real *row = rows + fc_thread() * m->in;
    gather(p, b, i, scratch, n_rest, row);
    predict_row(m, row, y + i * m->out);
  }
}

fc_status fc_points_linear_frame(const fc_points_linear *m, const fc_points *p, fc_sample *s, int64_t at,
                                 bool feed_back, fc_real *y) {
  void      *block   = malloc((size_t)fc_points_batch_bytes(p, 1));
  fc_real   *scratch = malloc((size_t)(fc_threads() + 1) * (size_t)m->in * sizeof *scratch);
  const bool good    = block && scratch;

  if (good) {
    fc_points_batch *b = fc_points_batch_begin(p, 1, block);
    fc_points_batch_add(p, b, s, at);
    predict(m, p, b, scratch, y);
    if (feed_back) memcpy(s->out + at * s->points * m->out, y, (size_t)(s->points * m->out) * sizeof *y);
    fc_points_undo(p, s->points, y);
  }
  free(block);
  free(scratch);
  return good ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for the linear baseline");
}

const char *fc_points_linear_text(const fc_points_linear *m) { return m->text; }
