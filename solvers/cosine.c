/* solvers/cosine.c */
#include "solvers/cosine.h"

#include "core/parallel.h"
#include "solvers/fft2.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  LINES = 16,
  TASKS = 16
}; /* lines side by side; parts of the work, each with its own two buffers [n, LINES] */

/* ---- set-up ---- */

int64_t fc_cosine_work(int64_t n) { return 2 * TASKS * n * LINES; }

static fftw_plan plan(int64_t n, int sign, bool measure, double *work) {
  const int     size = (int)n;
  fftw_complex *from = (fftw_complex *)work, *to = (fftw_complex *)(work + n * LINES);

  return fftw_plan_many_dft(1, &size, LINES / 2, from, NULL, LINES / 2, 1, to, NULL, LINES / 2, 1, sign,
                            (measure ? FFTW_MEASURE : FFTW_ESTIMATE) | FFTW_DESTROY_INPUT);
}

fc_status fc_cosine_create(int64_t n, bool measure, fc_cosine **out) {
  fc_cosine *c    = calloc(1, sizeof *c);
  double    *work = fc_fft2_alloc(2 * n * LINES);
  fc_status  s    = FC_OK;

  if (c && work) {
    c->n       = n;
    c->turn    = fc_fft2_alloc(n + 2);
    c->forward = plan(n, FFTW_FORWARD, measure, work);
    c->inverse = plan(n, FFTW_BACKWARD, measure, work);
    for (int64_t k = 0; c->turn && k <= n / 2; k++) {
      c->turn[2 * k]     = cos(M_PI * (double)k / (double)(2 * n));
      c->turn[2 * k + 1] = sin(M_PI * (double)k / (double)(2 * n));
    }
  }
  if (!c || !c->turn || !c->forward || !c->inverse) {
    s = fc_fail(FC_E_SYSTEM, "no memory to plan cosine transforms of %lld points", (long long)n);
    fc_cosine_destroy(c);
    c = NULL;
  }
  free(work);
  *out = c;
  return s;
}

void fc_cosine_destroy(fc_cosine *c) {
  if (!c) return;
  if (c->forward) fftw_destroy_plan(c->forward);
  if (c->inverse) fftw_destroy_plan(c->inverse);
  free(c->turn);
  free(c);
}

/* ---- a block of lines ---- */

typedef struct { /* x + l apart + j step is number j of line l */
  double *x;
  int64_t lines, apart, step;
} block;

/* even places upwards, then odd ones downwards */
static int64_t place(int64_t n, int64_t m) { return 2 * m < n ? 2 * m : 2 * (n - m) - 1; }

FC_SIMD static void gather(const block *b, int64_t n, bool reorder, double *restrict z) {
  if (b->lines < LINES) memset(z, 0, (size_t)(n * LINES) * sizeof *z);
  for (int64_t m = 0; m < n; m++) {
    const double *x = b->x + (reorder ? place(n, m) : m) * b->step;
    if (b->apart == 1 && b->lines == LINES)
      FC_VECTOR for (int l = 0; l < LINES; l++) z[m * LINES + l] = x[l];
    else
      for (int64_t l = 0; l < b->lines; l++) z[m * LINES + l] = x[l * b->apart];
  }
}

FC_SIMD static void scatter(const block *b, int64_t n, bool reorder, const double *restrict z) {
  for (int64_t m = 0; m < n; m++) {
    double *x = b->x + (reorder ? place(n, m) : m) * b->step;
    if (b->apart == 1 && b->lines == LINES)
      FC_VECTOR for (int l = 0; l < LINES; l++) x[l] = z[m * LINES + l];
    else
      for (int64_t l = 0; l < b->lines; l++) x[l * b->apart] = z[m * LINES + l];
  }
}

/* The spectrum z of a + i b at k and n - k holds those of a and b there; turned by pi k / 2n, their real
   parts are the coefficients of cosines. */
FC_SIMD static void to_cosines(const fc_cosine *t, double *restrict z) {
  FC_VECTOR for (int l = 0; l < LINES; l++) z[l] *= 2;
  for (int64_t k = 1; 2 * k <= t->n; k++) {
    const double c = t->turn[2 * k], s = t->turn[2 * k + 1];
    double      *u = z + k * LINES, *v = z + (t->n - k) * LINES;
    FC_VECTOR for (int l = 0; l < LINES; l += 2) {
      const double p = u[l] + v[l], q = u[l + 1] - v[l + 1], r = u[l + 1] + v[l + 1], w = u[l] - v[l];
      u[l]     = c * p + s * q;
      u[l + 1] = c * r - s * w;
      v[l]     = s * p - c * q;
      v[l + 1] = s * r + c * w;
    }
  }
}

/* the way back, which leaves a factor of 2 to the complex transform's n */
FC_SIMD static void from_cosines(const fc_cosine *t, double *restrict z) {
  for (int64_t k = 1; 2 * k <= t->n; k++) {
    const double c = t->turn[2 * k], s = t->turn[2 * k + 1];
    double      *u = z + k * LINES, *v = z + (t->n - k) * LINES;
    FC_VECTOR for (int l = 0; l < LINES; l += 2) {
      const double ar = c * u[l] + s * v[l], ai = s * u[l] - c * v[l];
      const double br = c * u[l + 1] + s * v[l + 1], bi = s * u[l + 1] - c * v[l + 1];
      u[l]     = ar - bi;
      u[l + 1] = ai + br;
      v[l]     = ar + bi;
      v[l + 1] = br - ai;
    }
  }
}

static void run_block(const fc_cosine *c, bool forward, const block *b, double *from, double *to) {
  gather(b, c->n, forward, from);
  if (!forward) from_cosines(c, from);
  fftw_execute_dft(forward ? c->forward : c->inverse, (fftw_complex *)from, (fftw_complex *)to);
  if (forward) to_cosines(c, to);
  scatter(b, c->n, !forward, to);
}

/* ---- all of them ---- */

/* Lines lie beside each other where inner numbers do, else one behind the other. */
static block block_of(const fc_cosine *c, int64_t outer, int64_t inner, double *x, int64_t i) {
  if (inner == 1) return (block){x + i * LINES * c->n, fc_min64(LINES, outer - i * LINES), c->n, 1};
  const int64_t each = fc_ceil_div(inner, LINES), first = i % each * LINES;
  return (block){x + i / each * c->n * inner + first, fc_min64(LINES, inner - first), 1, inner};
}

static void run(const fc_cosine *c, bool forward, int64_t outer, int64_t inner, double *x, double *work) {
  const int64_t blocks = inner == 1 ? fc_ceil_div(outer, LINES) : outer * fc_ceil_div(inner, LINES);
  const int64_t size   = c->n * LINES;

  FC_FOR_TASKS(t, TASKS, 8 * outer * c->n * inner)
  for (int64_t i = blocks * t / TASKS; i < blocks * (t + 1) / TASKS; i++) {
    const block b = block_of(c, outer, inner, x, i);
    run_block(c, forward, &b, work + 2 * t * size, work + (2 * t + 1) * size);
  }
}

void fc_cosine_forward(const fc_cosine *c, int64_t outer, int64_t inner, double *x, double *work) {
  run(c, true, outer, inner, x, work);
}

void fc_cosine_inverse(const fc_cosine *c, int64_t outer, int64_t inner, double *x, double *work) {
  run(c, false, outer, inner, x, work);
}
