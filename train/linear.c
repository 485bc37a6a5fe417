/* train/linear.c */
#include "train/linear.h"

#include "core/parallel.h"
#include "core/ridge.h"
#include "train/windows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* enough for a map of MOST_INPUTS numbers; a fifth more is held out */
enum {
  MOST_INPUTS  = 1024,
  MOST_ROWS    = 40000,
  MOST_SAMPLES = 1500,
  MOST_WINDOWS = 400,
  LAMBDAS      = 6,
  HELD         = 5
};
static const double lambdas[LAMBDAS] = {1e-8, 1e-6, 1e-4, 1e-2, 1, 100};

struct fc_linear_map {
  bool     steady;
  int      ndim;
  int64_t  dim[3], points, n_in, C_in, C_out, radius, in; /* in: inputs of the map */
  bool     periodic[3];
  double  *W, *b;              /* [in, C_out], [C_out] */
  int64_t  n;                  /* steady: samples */
  fc_real *x, *a;              /* steady: centred inputs [n, in], coefficients [n, out] */
  double  *mean_x, *mean_y;    /* steady */
  fc_real *window, *row, *got; /* history; inputs of one point for each thread; a frame */
  double   lambda;
  char     text[160];
};

/* ---- inputs of one point ---- */

static int64_t side(const fc_linear_map *m) { return 2 * m->radius + 1; }

static int64_t stencil(const fc_linear_map *m) {
  int64_t n = 1;

  for (int a = 0; a < m->ndim; a++) n *= side(m);
  return n;
}

/* the point that lies `step` of the stencil away from point i, or -1 beyond a border */
static int64_t neighbour(const fc_linear_map *m, int64_t i, int64_t step) {
  int64_t at = 0, scale = 1;

  for (int a = m->ndim - 1; a >= 0; a--) {
    int64_t k = i % m->dim[a] + step % side(m) - m->radius;
    if (m->periodic[a]) k = (k % m->dim[a] + m->dim[a]) % m->dim[a];
    if (k < 0 || k >= m->dim[a]) return -1;
    at += k * scale;
    scale *= m->dim[a];
    i /= m->dim[a], step /= side(m);
  }
  return at;
}

static void gather(const fc_linear_map *m, const fc_real *window, int64_t i, fc_real *row) {
  const int64_t C = m->C_in, frame = m->points * C, steps = stencil(m);

  for (int64_t s = 0; s < steps; s++) {
    const int64_t at = neighbour(m, i, s);
    for (int64_t t = 0; t < m->n_in; t++, row += C)
      for (int64_t c = 0; c < C; c++) row[c] = at < 0 ? 0 : window[t * frame + at * C + c];
  }
}

/* ---- fields in time ---- */

static void apply_stencil(fc_linear_map *m, const fc_real *window, fc_real *y) {
  FC_FOR_ROWS(i, m->points, m->in * m->C_out) {
    fc_real *row = m->row + fc_thread() * m->in;
    gather(m, window, i, row);
    for (int64_t o = 0; o < m->C_out; o++) {
      double sum = m->b[o];
      for (int64_t j = 0; j < m->in; j++) sum += m->W[j * m->C_out + o] * (double)row[j];
      y[i * m->C_out + o] = (fc_real)sum;
    }
  }
}

static double distance(const fc_real *y, const fc_real *truth, int64_t n) {
  double sum = 0;

  for (int64_t i = 0; i < n; i++)
    sum += ((double)y[i] - (double)truth[i]) * ((double)y[i] - (double)truth[i]);
  return sum;
}

typedef struct { /* windows used: number k of count is window at(k) */
  fc_windows *w;
  int64_t     count, stride; /* every stride-th point */
  fc_real    *target, *rows, *answers;
} sample;

static int64_t window_of(const sample *s, int64_t k) {
  return (2 * k + 1) * fc_windows_size(s->w) / (2 * s->count);
}

static bool held_out(int64_t k) { return k % HELD == HELD - 1; }

static fc_status add_window(fc_linear_map *m, sample *s, int64_t k, fc_ridge *r) {
  int64_t n = 0;

  FC_TRY(fc_windows_read(s->w, window_of(s, k), m->window, s->target, NULL));
  for (int64_t i = k % s->stride; i < m->points; i += s->stride, n++) {
    gather(m, m->window, i, s->rows + n * m->in);
    memcpy(s->answers + n * m->C_out, s->target + i * m->C_out, (size_t)m->C_out * sizeof *s->answers);
  }
  fc_ridge_add(r, n, s->rows, s->answers);
  return FC_OK;
}

static fc_status judge_stencil(fc_linear_map *m, sample *s, double *error) {
  *error = 0;
  for (int64_t k = HELD - 1; k < s->count; k += HELD) {
    FC_TRY(fc_windows_read(s->w, window_of(s, k), m->window, s->target, NULL));
    apply_stencil(m, m->window, m->got);
    *error += distance(m->got, s->target, m->points * m->C_out);
  }
  return FC_OK;
}

/* a singular system only rules out its lambda */
static fc_status choose_lambda(fc_linear_map *m, sample *s, fc_ridge *r) {
  double best = INFINITY, error;

  for (int k = 0; k < LAMBDAS; k++) {
    const fc_status st = fc_ridge_solve(r, lambdas[k], m->W, m->b);
    if (st == FC_E_NUMERIC) continue;
    FC_TRY(st);
    FC_TRY(judge_stencil(m, s, &error));
    if (error < best) best = error, m->lambda = lambdas[k];
  }
  FC_REQUIRE(isfinite(best), FC_E_NUMERIC, "no linear regression fits this data");
  return FC_OK;
}

static fc_status fit_stencil(fc_linear_map *m, sample *s) {
  fc_ridge *r;
  fc_status st = fc_ridge_create(m->in, m->C_out, &r);

  for (int64_t k = 0; k < s->count && st == FC_OK; k++)
    if (!held_out(k)) st = add_window(m, s, k, r);
  if (st == FC_OK) st = choose_lambda(m, s, r);
  for (int64_t k = 0; k < s->count && st == FC_OK; k++)
    if (held_out(k)) st = add_window(m, s, k, r);
  if (st == FC_OK) st = fc_ridge_solve(r, m->lambda, m->W, m->b);
  fc_ridge_destroy(r);
  snprintf(m->text, sizeof m->text,
           "linear: ridge regression of the next frame on %lld frame%s of the %lld^%d points around, "
           "%lld windows, lambda %g",
           (long long)m->n_in, m->n_in > 1 ? "s" : "", (long long)side(m), m->ndim, (long long)s->count,
           m->lambda);
  return st;
}

/* ---- steady problems ---- */

static void apply_dual(fc_linear_map *m, const fc_real *input, fc_real *y) {
  const int64_t out = m->points * m->C_out;
  double       *k   = m->W; /* [n]: products with the samples */

  FC_FOR_ROWS(i, m->n, m->in) {
    double sum = 0;
    for (int64_t j = 0; j < m->in; j++)
      sum += (double)m->x[i * m->in + j] * ((double)input[j] - m->mean_x[j]);
    k[i] = sum;
  }
  FC_FOR_ROWS(j, out, m->n) {
    double sum = m->mean_y[j];
    for (int64_t i = 0; i < m->n; i++) sum += k[i] * (double)m->a[i * out + j];
    y[j] = (fc_real)sum;
  }
}

/* reads the samples again (the fit overwrites them), those held out last; n: how many of them take part */
static fc_status read_samples(fc_linear_map *m, sample *s, int64_t *fitted) {
  const int64_t out = m->points * m->C_out;
  int64_t       at = 0, held = s->count - s->count / HELD;

  *fitted = held;
  for (int64_t k = 0; k < s->count; k++) {
    const int64_t row = held_out(k) ? held++ : at++;
    FC_TRY(fc_windows_read(s->w, window_of(s, k), m->x + row * m->in, m->a + row * out, NULL));
  }
  return FC_OK;
}

static fc_status judge_dual(fc_linear_map *m, sample *s, double lambda, double *error) {
  const int64_t out = m->points * m->C_out;

  *error = 0;
  FC_TRY(read_samples(m, s, &m->n));
  FC_TRY(fc_ridge_dual(m->n, m->in, out, lambda, m->x, m->a, m->mean_x, m->mean_y));
  for (int64_t i = m->n; i < s->count; i++) {
    apply_dual(m, m->x + i * m->in, m->got);
    *error += distance(m->got, m->a + i * out, out);
  }
  return FC_OK;
}

static fc_status fit_dual(fc_linear_map *m, sample *s) {
  double best = INFINITY, error;

  for (int k = 0; k < LAMBDAS; k++) {
    const fc_status st = judge_dual(m, s, lambdas[k], &error);
    if (st == FC_E_NUMERIC) continue;
    FC_TRY(st);
    if (error < best) best = error, m->lambda = lambdas[k];
  }
  FC_REQUIRE(isfinite(best), FC_E_NUMERIC, "no linear regression fits this data");
  FC_TRY(read_samples(m, s, &m->n));
  m->n = s->count;
  snprintf(m->text, sizeof m->text,
           "linear: ridge regression of the whole field on the whole input, %lld samples, lambda %g",
           (long long)m->n, m->lambda);
  return fc_ridge_dual(m->n, m->in, m->points * m->C_out, m->lambda, m->x, m->a, m->mean_x, m->mean_y);
}

/* ---- fitting ---- */

static void set_sizes(fc_linear_map *m, const fc_source *s, int64_t n_in) {
  m->steady = s->steady;
  m->ndim   = s->geo.ndim;
  m->points = s->points;
  m->n_in   = s->steady ? 1 : n_in;
  m->C_in   = s->in.n;
  m->C_out  = s->out.n;
  memcpy(m->dim, s->geo.dim, sizeof m->dim);
  memcpy(m->periodic, s->geo.periodic, sizeof m->periodic);
  for (m->radius = 3; m->radius > 0; m->radius--)
    if (stencil(m) * m->n_in * m->C_in <= MOST_INPUTS) break;
  m->in = m->steady ? m->points * m->C_in : stencil(m) * m->n_in * m->C_in;
}

static fc_status allocate(fc_linear_map *m, sample *s) {
  const int64_t size = fc_windows_size(s->w), out = m->points * m->C_out;
  const size_t  real = sizeof(fc_real);

  s->count           = fc_min64(size, m->steady ? MOST_SAMPLES : MOST_WINDOWS);
  s->stride          = fc_max64(1, m->points * s->count / MOST_ROWS);
  const int64_t rows = fc_ceil_div(m->points, s->stride), kept = m->steady ? s->count : 0;
  m->W       = malloc((size_t)(m->steady ? s->count : m->in * m->C_out) * sizeof *m->W);
  m->b       = malloc((size_t)m->C_out * sizeof *m->b);
  m->window  = malloc((size_t)(m->n_in * m->points * m->C_in) * real);
  m->row     = malloc((size_t)(fc_threads() * m->in) * real);
  m->got     = malloc((size_t)out * real);
  m->x       = malloc((size_t)(kept * m->in + 1) * real);
  m->a       = malloc((size_t)(kept * out + 1) * real);
  m->mean_x  = malloc((size_t)m->in * sizeof(double));
  m->mean_y  = malloc((size_t)out * sizeof(double));
  s->target  = malloc((size_t)out * real);
  s->rows    = malloc((size_t)(m->steady ? 1 : rows * m->in) * real);
  s->answers = malloc((size_t)(rows * m->C_out) * real);
  FC_REQUIRE(m->W && m->b && m->window && m->row && m->got && m->x && m->a && m->mean_x && m->mean_y &&
                 s->target && s->rows && s->answers,
             FC_E_SYSTEM, "no memory for the linear baseline");
  return FC_OK;
}

static fc_status fit(const fc_run *run, fc_source *data, fc_linear_map *m) {
  const fc_data_settings *d    = &run->k.settings.data;
  const int64_t           n    = fc_field_about(data->field)->n_traj;
  const fc_window_spec    spec = {
         0, d->valid[0] ? n : fc_source_split(n, d->valid_fraction), run->network->frames.n_in, 1, 1, 0};
  sample s = {0};

  set_sizes(m, data, run->network->frames.n_in);
  FC_TRY(fc_windows_create(data, &spec, &s.w));
  fc_status st = allocate(m, &s);
  if (st == FC_OK) st = m->steady ? fit_dual(m, &s) : fit_stencil(m, &s);
  fc_windows_destroy(s.w);
  free(s.target);
  free(s.rows);
  free(s.answers);
  return st;
}

static bool same_grid(const fc_geometry *a, const fc_geometry *b) {
  bool same = a->ndim == b->ndim;

  for (int i = 0; same && i < a->ndim; i++) same = a->dim[i] == b->dim[i];
  return same;
}

fc_status fc_linear_fit(const fc_run *run, const fc_source *s, fc_linear_map **out, const char **why) {
  fc_source data;

  *out = NULL;
  *why = "weights were imported: no training data is known";
  if (!run->k.out.n) return FC_OK;
  *why = "the training data is no longer where the run's configuration says";
  if (fc_run_open_data(run, run->k.settings.data.train, &data) != FC_OK) return FC_OK;
  *why              = "the grid is not that of the training data";
  fc_linear_map *m  = same_grid(&data.geo, &s->geo) ? calloc(1, sizeof *m) : NULL;
  fc_status      st = m ? fit(run, &data, m) : FC_OK;
  fc_source_close(&data);
  if (st == FC_OK)
    *out = m;
  else
    fc_linear_free(m);
  return st;
}

void fc_linear_free(fc_linear_map *m) {
  if (!m) return;
  free(m->W);
  free(m->b);
  free(m->window);
  free(m->row);
  free(m->got);
  free(m->x);
  free(m->a);
  free(m->mean_x);
  free(m->mean_y);
  free(m);
}

void fc_linear_predict(fc_linear_map *m, const fc_real *history, int64_t frames, fc_real *y) {
  const int64_t len = m->points * m->C_out, known = m->n_in * m->points * m->C_in;

  if (m->steady) {
    apply_dual(m, history, y);
    return;
  }
  memcpy(m->window, history, (size_t)known * sizeof *history);
  for (int64_t t = 0; t < frames; t++) {
    apply_stencil(m, m->window, y + t * len);
    memmove(m->window, m->window + len, (size_t)(known - len) * sizeof *m->window);
    memcpy(m->window + known - len, y + t * len, (size_t)len * sizeof *m->window);
  }
}

const char *fc_linear_text(const fc_linear_map *m) { return m->text; }
