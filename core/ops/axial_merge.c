/* core/ops/axial_merge.c - parallel factorised attention (IFactFormer-m: Yang, Wang, Wang 2026, section 3):
   products along several axes of the same values, an instance norm of every channel, and the map that merges
   them:
     x_(h,i) = K_i v_h along axis i,   x^ = (x - mean) / sqrt(var + eps) for each sample and channel over all
   N points (biased variance),   y = sum over heads h and parts i of W_(h,i) x^_(h,i) v [B, H, X.., c], K_i
   [B, H, n_i, n_i], W [O, H parts c], its columns ordered head, part, channel; y [B, X.., O].

   The parts together are several times as large as v. They are made head by head in scratch, never kept, and
   made again in backward: a product along an axis costs less than the two passes over memory. Kept: mean and
   1/sqrt(var + eps) of each channel.

   Backward, with g = dL/dy and bars for means over points: dW_(h,i) = g^T x^, and since dx^ = g W_(h,i),
     mean of dx^ = g_bar W_(h,i),   mean of dx^ x^ = column sums of W_(h,i) * dW_(h,i) / N,
   so dx = rstd (dx^ - mean of dx^ - x^ mean of dx^ x^) takes no pass over dx^ of its own. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/axial.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <math.h>
#include <string.h>

enum { MAX_PARTS = 3 };

typedef struct {
  int64_t        B, H, N, c, O;
  int            parts;
  double         eps;
  fc_axial       axis[MAX_PARTS];
  const fc_real *K[MAX_PARTS], *v, *W;
  fc_real       *stats; /* [B, H, parts, 2, c]: mean and 1/sqrt(var + eps) */
} plan;

/* a head of one sample */
typedef struct {
  int64_t        b, h, at; /* at: number of the head over all samples */
  const fc_real *v, *W;    /* [N, c]; [O, parts c] with rows ld apart */
  int64_t        ld;
  fc_real       *mean; /* of part 0; + c its rstd, + 2 c the next part */
} head;

static head head_of(const plan *p, int64_t at) {
  const int64_t h = at % p->H, width = p->parts * p->c;

  return (head){
      at / p->H, h, at, p->v + at * p->N * p->c, p->W + h * width, p->H * width, p->stats + at * 2 * width};
}

static const fc_real *kernel_of(const plan *p, const head *h, int i) {
  return p->K[i] + h->at * p->axis[i].n * p->axis[i].n;
}

/* ---- x and its statistics, in pieces ---- */

/* sums of x - first and of its square over a piece, by channel; first is the piece's first cell, near enough
   to the mean that nothing is lost */
FC_SIMD static void moments(fc_real *restrict sum, fc_real *restrict square, const fc_real *restrict x,
                            const fc_axial_piece *p, int64_t stride, int64_t c) {
  const fc_real *first = x;

  for (int64_t j = 0; j < c; j++) sum[j] = square[j] = 0;
  for (int64_t r = 0; r < p->rows; r++, x += stride)
    for (int64_t cell = 0; cell < p->cols; cell += c)
      for (int64_t j = 0; j < c; j++) {
        const fc_real d = x[cell + j] - first[j];
        sum[j] += d;
        square[j] += d * d;
      }
}

/* x^ of a piece over x */
FC_SIMD static void normalize(fc_real *restrict x, const fc_axial_piece *p, int64_t               stride,
                              const fc_real *restrict mean, const fc_real *restrict rstd, int64_t c) {
  for (int64_t r = 0; r < p->rows; r++, x += stride)
    for (int64_t cell = 0; cell < p->cols; cell += c)
      for (int64_t j = 0; j < c; j++) x[cell + j] = (x[cell + j] - mean[j]) * rstd[j];
}

/* From the sums of all pieces (first cell, sum, square: [pieces, 3, c]) to mean and rstd of channel j: each
   piece's mean and squares around it, then squares around the mean of all (Chan, Golub, LeVeque 1983). */
static void channel_stats(const plan *p, int i, const fc_real *part, int64_t j, fc_real *mean,
                          fc_real *rstd) {
  const int64_t pieces = fc_axial_pieces(&p->axis[i], p->c);
  double        total = 0, square = 0;

  for (int64_t t = 0; t < pieces; t++) {
    const fc_axial_piece e = fc_axial_piece_at(&p->axis[i], p->c, t);
    const fc_real       *s = part + t * 3 * p->c + j;
    total += (double)s[0] * (double)(e.rows * e.cols / p->c) + (double)s[p->c];
  }
  total /= (double)p->N;
  for (int64_t t = 0; t < pieces; t++) {
    const fc_axial_piece e = fc_axial_piece_at(&p->axis[i], p->c, t);
    const fc_real       *s = part + t * 3 * p->c + j;
    const double         n = (double)(e.rows * e.cols / p->c), d = (double)s[0] - total;
    square += (double)s[2 * p->c] + 2 * d * (double)s[p->c] + n * d * d;
  }
  *mean = (fc_real)total;
  *rstd = (fc_real)(1 / sqrt(fmax(square, 0) / (double)p->N + p->eps));
}

/* x of all parts of a head, [parts, N, c], and its statistics */
static void make_parts(fc_arena *scratch, const plan *p, const head *h, fc_real *x) {
  const size_t mark                = fc_arena_mark(scratch);
  int64_t      from[MAX_PARTS + 1] = {0}, work = 0;

  for (int i = 0; i < p->parts; i++) {
    from[i + 1] = from[i] + fc_axial_pieces(&p->axis[i], p->c);
    work += p->N * p->c * p->axis[i].n;
  }
  fc_real *part = fc_arena_push(scratch, (size_t)(from[p->parts] * 3 * p->c) * sizeof *part);
  FC_FOR_TASKS(t, from[p->parts], work) {
    const int            i = (t >= from[1]) + (p->parts > 2 && t >= from[2]);
    const fc_axial_piece e = fc_axial_piece_at(&p->axis[i], p->c, t - from[i]);
    fc_real             *y = x + i * p->N * p->c, *s = part + t * 3 * p->c;
    fc_axial_apply(&p->axis[i], &e, false, kernel_of(p, h, i), h->v, true, y);
    memcpy(s, y + e.at, (size_t)p->c * sizeof *s);
    moments(s + p->c, s + 2 * p->c, y + e.at, &e, p->axis[i].right, p->c);
  }
  FC_FOR_ROWS(k, p->parts * p->c, 8 * from[1]) {
    const int64_t i = k / p->c, j = k % p->c;
    fc_real      *mean = h->mean + 2 * i * p->c + j;
    channel_stats(p, (int)i, part + from[i] * 3 * p->c, j, mean, mean + p->c);
  }
  fc_arena_pop(scratch, mark);
}

/* x^ of part i of a head, [N, c], its statistics known */
static void make_again(const plan *p, const head *h, int i, fc_real *x) {
  const fc_axial *s    = &p->axis[i];
  const fc_real  *mean = h->mean + 2 * i * p->c;

  FC_FOR_TASKS(t, fc_axial_pieces(s, p->c), p->N * p->c * s->n) {
    const fc_axial_piece e = fc_axial_piece_at(s, p->c, t);
    fc_axial_apply(s, &e, false, kernel_of(p, h, i), h->v, true, x);
    normalize(x + e.at, &e, s->right, mean, mean + p->c, p->c);
  }
}

/* ---- forward ---- */

/* y of the head's sample (+)= W x^, the norm done on a block of rows in the cache */
static void merge_parts(const plan *p, const head *h, fc_real *x, fc_real *y) {
  const int64_t block = fc_gemm_block(p->N, p->O, p->parts * p->c), c = p->c;

  FC_FOR_TASKS(t, fc_ceil_div(p->N, block), p->N * p->O * p->parts * c) {
    const int64_t        at = t * block, rows = fc_min64(block, p->N - at);
    const fc_axial_piece all = {0, rows, c};
    for (int i = 0; i < p->parts; i++) {
      fc_real       *xi   = x + (i * p->N + at) * c;
      const fc_real *mean = h->mean + 2 * i * c;
      normalize(xi, &all, c, mean, mean + c, c);
      fc_gemm(false, true, rows, p->O, c, 1, xi, c, h->W + i * c, h->ld, h->h > 0 || i > 0,
              y + (h->b * p->N + at) * p->O, p->O);
    }
  }
}

static void forward(fc_ctx *c, const plan *p, fc_real *y) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *x    = fc_arena_push(c->arena, (size_t)(p->parts * p->N * p->c) * sizeof *x);

  for (int64_t at = 0; !c->dry && at < p->B * p->H; at++) {
    const head h = head_of(p, at);
    make_parts(c->arena, p, &h, x);
    merge_parts(p, &h, x, y);
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

typedef struct {
  const fc_real *g; /* dL/dy [B, N, O] */
  fc_real       *dK[MAX_PARTS], *dv, *dW;
  bool           fresh;                      /* dv is to be overwritten */
  fc_real       *x, *G, *Wr, *slope, *shift; /* scratch: [N, c], [O, c], [O, c], [c], [c] */
  fc_real       *g_sum;                      /* [B, O] sums of g over points */
} gradients;

/* "y = sum W x^": G = g^T x^ and its part in dW */
static void weight_gradient(fc_arena *scratch, const plan *p, const gradients *d, const head *h, int i) {
  const int64_t c = p->c, from = h->W - p->W + i * c;

  fc_gemm_reduce(scratch, p->O, c, p->N, d->g + h->b * p->N * p->O, p->O, d->x, c, false, d->G, c);
  for (int64_t o = 0; d->dW && o < p->O; o++) fc_span_add(d->dW + o * h->ld + from, d->G + o * c, c);
}

/* "x^ = (x - mean) rstd": dx = g (W rstd) - x^ slope - shift with slope = rstd mean of dx^ x^ and
   shift = rstd mean of dx^ */
static void coefficients(const plan *p, const gradients *d, const head *h, int i) {
  const int64_t  c = p->c;
  const fc_real *W = h->W + i * c, *rstd = h->mean + (2 * i + 1) * c, *sum = d->g_sum + h->b * p->O;

  FC_FOR_ROWS(j, c, 4 * p->O) {
    double dot = 0, bar = 0;
    for (int64_t o = 0; o < p->O; o++) {
      const fc_real w = W[o * h->ld + j];
      dot += (double)w * (double)d->G[o * c + j];
      bar += (double)w * (double)sum[o];
      d->Wr[o * c + j] = w * rstd[j];
    }
    d->slope[j] = (fc_real)((double)rstd[j] * dot / (double)p->N);
    d->shift[j] = (fc_real)((double)rstd[j] * bar / (double)p->N);
  }
}

FC_SIMD static void start_rows(fc_real *restrict x, const fc_real *restrict slope,
                               const fc_real *restrict shift, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; r++, x += c)
    for (int64_t j = 0; j < c; j++) x[j] = -x[j] * slope[j] - shift[j];
}

/* x^ becomes dx */
static void input_gradient(const plan *p, const gradients *d, const head *h) {
  const int64_t block = fc_gemm_block(p->N, p->c, p->O);

  FC_FOR_TASKS(t, fc_ceil_div(p->N, block), p->N * p->O * p->c) {
    const int64_t at = t * block, rows = fc_min64(block, p->N - at);
    start_rows(d->x + at * p->c, d->slope, d->shift, rows, p->c);
    fc_gemm(false, false, rows, p->c, p->O, 1, d->g + (h->b * p->N + at) * p->O, p->O, d->Wr, p->c, 1,
            d->x + at * p->c, p->c);
  }
}

static void part_backward(fc_arena *scratch, const plan *p, const gradients *d, const head *h, int i) {
  const fc_axial *s = &p->axis[i];

  make_again(p, h, i, d->x);
  weight_gradient(scratch, p, d, h, i);
  if (!d->dv && !d->dK[i]) return;
  coefficients(p, d, h, i);
  input_gradient(p, d, h);
  if (d->dK[i])
    fc_axial_kernel_gradient(scratch, s, 1, d->dK[i] + h->at * s->n * s->n, d->x, h->v); /* "x = K v" */
  if (d->dv)
    fc_axial_apply_all(s, 1, true, kernel_of(p, h, i), d->x, d->fresh && i == 0, d->dv + h->at * p->N * p->c);
}

static double work(const plan *p, double axial, double dense) {
  double n = 0;

  for (int i = 0; i < p->parts; i++) n += axial * (double)p->axis[i].n + dense * (double)p->O;
  return 2 * (double)(p->B * p->N) * (double)(p->H * p->c) * n;
}

static fc_real *reals(fc_ctx *c, int64_t n) { return fc_arena_push(c->arena, (size_t)n * sizeof(fc_real)); }

static void sum_points(fc_ctx *c, const plan *p, const gradients *d) {
  memset(d->g_sum, 0, (size_t)(p->B * p->O) * sizeof *d->g_sum);
  for (int64_t b = 0; b < p->B; b++)
    fc_column_sums(c->arena, d->g + b * p->N * p->O, p->N, p->O, d->g_sum + b * p->O);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const plan *p = node->saved;
  gradients   d = {.g = node->out->g};

  for (int i = 0; i < p->parts; i++) d.dK[i] = fc_grad(c, node->in[2 + i]);
  d.dv              = fc_grad_raw(c, node->in[0], &d.fresh);
  d.dW              = fc_grad(c, node->in[1]);
  const size_t mark = fc_arena_mark(c->arena);
  d.x               = reals(c, p->N * p->c);
  d.G               = reals(c, p->O * p->c);
  d.Wr              = reals(c, p->O * p->c);
  d.slope           = reals(c, p->c);
  d.shift           = reals(c, p->c);
  d.g_sum           = reals(c, p->B * p->O);
  if (!c->dry) {
    sum_points(c, p, &d);
    for (int64_t at = 0; at < p->B * p->H; at++) {
      const head h = head_of(p, at);
      for (int i = 0; i < p->parts; i++) part_backward(c->arena, p, &d, &h, i);
    }
  }
  c->flops += work(p, 3, 2);
  fc_arena_pop(c->arena, mark);
}

static const fc_op axial_merge = {"axial_merge", backward, true};

static plan *make_plan(fc_ctx *c, int parts, fc_tensor *const *kernel, const int *axis, const fc_tensor *v,
                       const fc_tensor *W, double eps) {
  plan *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(parts >= 1 && parts <= MAX_PARTS && v->ndim >= 4 &&
                fc_span(W, 1, W->ndim) == v->dim[1] * fc_last(v) * parts,
            "axial_merge: %d parts of values %s, weight %s", parts, fc_shape_text(v), fc_shape_text(W));
  *p = (plan){v->dim[0], v->dim[1], fc_span(v, 2, v->ndim - 1), fc_last(v), W->dim[0], parts, eps};
  for (int i = 0; i < parts; i++) {
    const fc_tensor *K = kernel[i];
    FC_ASSERT(axis[i] >= 0 && axis[i] < v->ndim - 3, "axial_merge: %s has no space axis %d", fc_shape_text(v),
              axis[i]);
    p->axis[i]      = fc_axial_of(v, axis[i]);
    const int64_t n = p->axis[i].n;
    FC_ASSERT(K->ndim == 4 && fc_span(K, 0, 2) == p->B * p->H && K->dim[2] == n && K->dim[3] == n,
              "axial_merge: kernel %s for axis %d of %s", fc_shape_text(K), axis[i], fc_shape_text(v));
    p->K[i] = K->x;
  }
  p->v     = v->x;
  p->W     = W->x;
  p->stats = reals(c, p->B * p->H * parts * 2 * p->c);
  return p;
}

fc_tensor *fc_axial_merge(fc_ctx *c, int parts, fc_tensor *const *kernel, const int *axis, fc_tensor *v,
                          fc_tensor *W, double eps) {
  plan      *p                 = make_plan(c, parts, kernel, axis, v, W, eps);
  fc_tensor *in[2 + MAX_PARTS] = {v, W};
  int64_t    dim[FC_MAX_DIMS]  = {p->B};

  for (int i = 0; i < parts; i++) in[2 + i] = kernel[i];
  for (int i = 2; i < v->ndim - 1; i++) dim[i - 1] = v->dim[i];
  dim[v->ndim - 2] = p->O;
  fc_tensor *y     = fc_tensor_new(c->arena, v->ndim - 1, dim);
  forward(c, p, y->x);
  c->flops += work(p, 1, 1);
  return fc_record(c, &axial_merge, y, p, 2 + parts, in);
}
