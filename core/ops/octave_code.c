/* core/ops/octave_code.c - every column x_j followed by cos(2^k x_j) and then sin(2^k x_j), k = -n .. n:
   x [.., K] -> y [.., K (4 n + 3)] (GNOT's horizontal Fourier embedding). */
#include "core/ops.h"
#include "core/spans.h"
#include "core/vmath.h"

enum { CHUNK = 1024 }; /* angles worked on at once */

typedef struct {
  int64_t n, K;
} saved;

/* 2^k */
static fc_real octave(int64_t k) { return (fc_real)ldexp(1, (int)k); }

static int64_t width(const saved *s) { return 4 * s->n + 3; }

/* sine holds angles before and their sines after */
FC_SIMD static void waves(fc_real *restrict cosine, fc_real *restrict sine, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const fc_real angle = sine[i];
    cosine[i]           = fc_cos(angle);
    sine[i]             = fc_sin(angle);
  }
}

/* y for `count` numbers x; count (2 n + 1) <= CHUNK */
static void forward_some(fc_real *y, const fc_real *x, const saved *s, int64_t count) {
  fc_real       cosine[CHUNK], sine[CHUNK];
  const int64_t m = 2 * s->n + 1;

  for (int64_t i = 0; i < count; i++)
    for (int64_t k = 0; k < m; k++) sine[i * m + k] = octave(k - s->n) * x[i];
  waves(cosine, sine, count * m);
  for (int64_t i = 0; i < count; i++, y += width(s)) {
    y[0] = x[i];
    for (int64_t k = 0; k < m; k++) y[1 + k] = cosine[i * m + k], y[1 + m + k] = sine[i * m + k];
  }
}

/* y = [x, cos(2^k x), sin(2^k x)]: dx += dy_0 + sum_k 2^k (cos(2^k x) dsin_k - sin(2^k x) dcos_k) */
static void backward(fc_ctx *c, const fc_node *node) {
  const saved   *s = node->saved;
  const int64_t  w = width(s), m = 2 * s->n + 1, count = fc_len(node->in[0]);
  const fc_real *y = node->out->x, *dy = node->out->g;
  fc_real       *dx = fc_grad(c, node->in[0]);

  if (!dx) return;
  FC_FOR_ROWS(i, count, w) {
    const fc_real *v = y + i * w, *g = dy + i * w;
    fc_real        sum = g[0];
    for (int64_t k = 0; k < m; k++)
      sum += octave(k - s->n) * (v[1 + k] * g[1 + m + k] - v[1 + m + k] * g[1 + k]);
    dx[i] += sum;
  }
}

static const fc_op octave_code = {"octave_code", backward, false};

fc_tensor *fc_octave_code(fc_ctx *c, fc_tensor *x, int64_t n) {
  int64_t       dim[FC_MAX_DIMS];
  saved        *s    = fc_arena_push(c->arena, sizeof *s);
  const int64_t each = CHUNK / (2 * n + 1);

  FC_ASSERT(n >= 0 && each > 0, "octave_code: %lld octaves", (long long)n);
  *s = (saved){n, fc_last(x)};
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] = s->K * width(s);
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  if (!c->dry) FC_FOR_ROWS(t, fc_ceil_div(fc_len(x), each), 16 * CHUNK)
  forward_some(y->x + t * each * width(s), x->x + t * each, s, fc_min64(each, fc_len(x) - t * each));
  return fc_record(c, &octave_code, y, s, FC_IN(x));
}
