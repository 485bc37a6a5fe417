/* core/ops/fft_plans.c - the cache of FFTW plans behind fc_ctx.fft. */
#include "core/ops/fft_plans.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef FC_DOUBLE
#define FFTW(name) fftw_##name
#else
#define FFTW(name) fftwf_##name
#endif

struct fc_fft_plan {
  fc_fft_shape shape; /* of real transforms; n_space 0: a plan of lines */
  fc_fft_lines lines;
  int          align[2]; /* of both arrays: FFTW picks other kernels off its vector alignment */
  FFTW(plan) plan;
  fc_fft_plan *next;
};

struct fc_fft_cache {
  fc_fft_plan *first; /* a program uses a handful of shapes: a list is enough */
};

static void close_cache(struct fc_fft_cache *cache) {
  for (fc_fft_plan *p = cache->first, *next; p; p = next) {
    next = p->next;
    FFTW(destroy_plan)(p->plan);
    free(p);
  }
  free(cache);
}

static struct fc_fft_cache *cache_of(fc_ctx *c) {
  if (!c->fft) {
    c->fft = calloc(1, sizeof *c->fft);
    FC_ASSERT(c->fft, "no memory for the list of FFT plans");
    c->fft_close = close_cache;
  }
  return c->fft;
}

static bool same_shape(const fc_fft_shape *a, const fc_fft_shape *b) {
  return a->to_modes == b->to_modes && a->n_space == b->n_space && a->batch == b->batch &&
         a->apart == b->apart && memcmp(a->n, b->n, (size_t)a->n_space * sizeof *a->n) == 0;
}

static bool same_lines(const fc_fft_lines *a, const fc_fft_lines *b) {
  return a->inverse == b->inverse && a->n == b->n && a->batch == b->batch && a->stride_in == b->stride_in &&
         a->stride_out == b->stride_out;
}

/* the known plan like this one, or NULL */
static const fc_fft_plan *known(const struct fc_fft_cache *cache, const fc_fft_plan *like) {
  for (const fc_fft_plan *p = cache->first; p; p = p->next)
    if (same_shape(&p->shape, &like->shape) && same_lines(&p->lines, &like->lines) &&
        p->align[0] == like->align[0] && p->align[1] == like->align[1])
      return p;
  return NULL;
}

static const fc_fft_plan *keep(struct fc_fft_cache *cache, const fc_fft_plan *plan) {
  fc_fft_plan *p = malloc(sizeof *p);

  FC_ASSERT(p, "no memory for an FFT plan");
  *p                  = *plan;
  p->next             = cache->first;
  return cache->first = p;
}

/* row-major strides of the space and batch axes for both sides */
static void set_dims(const fc_fft_shape *s, FFTW(iodim64) * dims) {
  int64_t real = 1, modes = 1;

  for (int a = s->n_space - 1; a >= 0; a--) {
    dims[a] = (FFTW(iodim64)){s->n[a], s->to_modes ? real : modes, s->to_modes ? modes : real};
    real *= s->n[a];
    modes *= a == s->n_space - 1 ? s->n[a] / 2 + 1 : s->n[a];
  }
  if (s->apart) modes = s->apart;
  dims[s->n_space] = (FFTW(iodim64)){s->batch, s->to_modes ? real : modes, s->to_modes ? modes : real};
}

static FFTW(plan) make_plan(const fc_fft_shape *s, fc_real *real, fc_real *modes) {
  FFTW(complex) *z = (FFTW(complex) *)(void *)modes;
  FFTW(iodim64) dims[4];

  set_dims(s, dims);
  if (s->to_modes)
    return FFTW(plan_guru64_dft_r2c)(s->n_space, dims, 1, dims + s->n_space, real, z,
                                     FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
  return FFTW(plan_guru64_dft_c2r)(s->n_space, dims, 1, dims + s->n_space, z, real,
                                   FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
}

const fc_fft_plan *fc_fft_plan_find(fc_ctx *c, const fc_fft_shape *shape, fc_real *real, fc_real *modes) {
  struct fc_fft_cache *cache = cache_of(c);
  fc_fft_plan          p = {.shape = *shape, .align = {FFTW(alignment_of)(real), FFTW(alignment_of)(modes)}};
  const fc_fft_plan   *old = known(cache, &p);

  if (old) return old;
  p.plan = make_plan(shape, real, modes);
  FC_ASSERT(p.plan, "FFTW has no plan for %lld transforms of %s", (long long)shape->batch,
            fc_dims_text(shape->n_space, shape->n));
  return keep(cache, &p);
}

static FFTW(plan) make_lines(const fc_fft_lines *l, fc_real *in, fc_real *out) {
  const FFTW(iodim64) along = {l->n, l->stride_in, l->stride_out}, next = {l->batch, 1, 1};
  FFTW(complex) *from = (FFTW(complex) *)(void *)in, *to = (FFTW(complex) *)(void *)out;

  return FFTW(plan_guru64_dft)(1, &along, 1, &next, from, to, l->inverse ? FFTW_BACKWARD : FFTW_FORWARD,
                               FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
}

const fc_fft_plan *fc_fft_lines_find(fc_ctx *c, const fc_fft_lines *lines, fc_real *in, fc_real *out) {
  struct fc_fft_cache *cache = cache_of(c);
  fc_fft_plan          p     = {.lines = *lines, .align = {FFTW(alignment_of)(in), FFTW(alignment_of)(out)}};
  const fc_fft_plan   *old   = known(cache, &p);

  if (old) return old;
  p.plan = make_lines(lines, in, out);
  FC_ASSERT(p.plan, "FFTW has no plan for %lld lines of %lld", (long long)lines->batch, (long long)lines->n);
  return keep(cache, &p);
}

double fc_fft_scale(fc_fft_norm norm, bool inverse, int64_t points) {
  if (norm == FC_FFT_ORTHO) return 1 / sqrt((double)points);
  return (norm == FC_FFT_FORWARD) == inverse ? 1 : 1 / (double)points;
}

void fc_fft_plan_run(const fc_fft_plan *p, fc_real *real, fc_real *modes) {
  FFTW(complex) *z = (FFTW(complex) *)(void *)modes;

  if (p->shape.to_modes)
    FFTW(execute_dft_r2c)(p->plan, real, z);
  else
    FFTW(execute_dft_c2r)(p->plan, z, real);
}

void fc_fft_lines_run(const fc_fft_plan *p, const fc_real *in, fc_real *out) {
  FFTW(execute_dft)(p->plan, (FFTW(complex) *)(void *)in, (FFTW(complex) *)(void *)out);
}
