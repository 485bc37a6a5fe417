/* core/ops/axial_merge.c - parallel factorised attention (IFactFormer-m: Yang, Wang, Wang 2026, section 3):
   products along several axes of the same values, an instance norm, and the map that merges them:
     x_(h,i) = K_i v_h along axis i,   x^ = (x - mean) / sqrt(var + eps), biased variance,
     y = sum over heads h and parts i of W_(h,i) x^_(h,i)
   v [B, H, X.., c], K_i [B, H, n_i, n_i], W [O, H parts c], its columns ordered head, part, channel; y [B,
   X.., O]. Mean and variance belong to each channel of a sample over its N points; or, as the first releases
   of the official codes have it, to each index along X over the other axes and all channels, heads and parts.

   The parts together are several times as large as v. They are made head by head in scratch, never kept, and
   made again in backward: a product along an axis costs less than the two passes over memory. Kept: mean and
   1/sqrt(var + eps).

   Backward, with g = dL/dy and dx^ = g W_(h,i):
     dW_(h,i) = g^T x^,   dx = rstd (dx^ - mean of dx^ - x^ mean of dx^ x^),   dK = dx v^T,   dv += K^T dx.
   The two means take no pass over dx^. By channel, with g_bar the mean over points: g_bar W_(h,i), and the
   column sums of W_(h,i) * dW_(h,i) over N. By index, over the n numbers that share one: sums over its points
   of g . (W 1) / n and, since W x^ is y, of g . y / n.

   Values may be made head by head, too: v_h = u V_h^T of a state u [B, X.., D], V [H c, D]. Then no array
   wider than the state is kept, for one more product in backward: dV_h += dv_h^T u, du += dv_h V_h.

   Where ranks share the points, statistics by channel and the two means are those of all ranks: one sum of a
   few numbers for each head forward, one for each part backward. An index is taken to lie on one rank. */
#include "core/domain.h"
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/axial.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/sums.h"

#include <math.h>
#include <string.h>

enum { MAX_PARTS = 3 };

typedef struct {
  int64_t        B, H, X, N, c, O; /* X points along the first axis, N in all */
  double         all;              /* N of all ranks */
  int            parts, first;     /* first: of the parts that are products */
  bool           by_index;
  double         eps;
  fc_axial       axis[MAX_PARTS];
  bool           made[MAX_PARTS]; /* K is the part itself */
  const fc_real *K[MAX_PARTS], *v, *W;
  const fc_real *u, *V; /* what values are made of, then v is NULL; or NULL */
  int64_t        D;
  fc_real       *stats; /* mean and 1/sqrt(var + eps): [B, H, parts, 2, c] or, by index, [B, 2, X] */
} plan;

/* a head of one sample */
typedef struct {
  int64_t        b, h, at; /* at: number of the head over all samples */
  const fc_real *v, *W;    /* [N, c]; [O, parts c] with rows ld apart */
  fc_real       *dv;       /* in backward: [N, c] or NULL */
  int64_t        ld;
  fc_real       *stats; /* by channel: of this head; by index: of this sample */
} head;

static head head_of(const plan *p, int64_t at) {
  const int64_t h = at % p->H, b = at / p->H, width = p->parts * p->c;

  return (head){.b     = b,
                .h     = h,
                .at    = at,
                .v     = p->u ? NULL : p->v + at * p->N * p->c,
                .W     = p->W + h * width,
                .ld    = p->H * width,
                .stats = p->stats + (p->by_index ? b * 2 * p->X : at * 2 * width)};
}

/* mean of each channel of part i; c further on: 1/sqrt(var + eps) */
static fc_real *channel_stats(const plan *p, const head *h, int i) { return h->stats + 2 * i * p->c; }

static const fc_real *kernel_of(const plan *p, const head *h, int i) {
  return p->K[i] + h->at * (p->made[i] ? p->N * p->c : p->axis[i].n * p->axis[i].n);
}

static fc_real *reals(fc_arena *a, int64_t n) { return fc_arena_push(a, (size_t)n * sizeof(fc_real)); }

/* the head's values in v [N, c], if they are to be made */
static void make_values(const plan *p, head *h, fc_real *v) {
  if (!p->u) return;
  fc_gemm_rows(false, true, p->N, p->c, p->D, 1, p->u + h->b * p->N * p->D, p->D, p->V + h->h * p->c * p->D,
               p->D, 0, v, p->c);
  h->v = v;
}

/* ---- x and x^, in pieces ---- */

/* rows of cells of c channels, stride apart */
FC_SIMD static void normalize(fc_real *restrict x, int64_t rows, int64_t cols, int64_t stride,
                              const fc_real *restrict mean, const fc_real *restrict rstd, int64_t c) {
  for (int64_t r = 0; r < rows; r++, x += stride)
    for (int64_t cell = 0; cell < cols; cell += c)
      for (int64_t j = 0; j < c; j++) x[cell + j] = (x[cell + j] - mean[j]) * rstd[j];
}

FC_SIMD static void normalize_span(fc_real *x, fc_real mean, fc_real rstd, int64_t n) {
  for (int64_t j = 0; j < n; j++) x[j] = (x[j] - mean) * rstd;
}

/* x of part i becomes x^ on one piece */
static void normalize_piece(const plan *p, const head *h, int i, const fc_axial_piece *e, fc_real *x) {
  const int64_t stride = p->axis[i].right, per_index = p->N / p->X * p->c;

  if (!p->by_index) {
    const fc_real *mean = channel_stats(p, h, i);
    normalize(x + e->at, e->rows, e->cols, stride, mean, mean + p->c, p->c);
    return;
  }
  for (int64_t r = 0; r < e->rows; r++) { /* a row of a piece never crosses an index */
    const int64_t at = e->at + r * stride, k = at / per_index;
    normalize_span(x + at, h->stats[k], h->stats[p->X + k], e->cols);
  }
}

/* x of part i on one piece */
static void make_piece(const plan *p, const head *h, int i, const fc_axial_piece *e, fc_real *x) {
  const fc_axial *s = &p->axis[i];

  if (!p->made[i])
    fc_axial_apply(s, e, false, kernel_of(p, h, i), h->v, true, x);
  else
    for (int64_t r = 0, at = e->at; r < e->rows; r++, at += s->right)
      memcpy(x + at, kernel_of(p, h, i) + at, (size_t)e->cols * sizeof *x);
}

/* part i of a head, [N, c]: x, or x^ if its statistics are known */
static void make_part(const plan *p, const head *h, int i, bool known, fc_real *x) {
  const fc_axial *s = &p->axis[i];

  FC_FOR_TASKS(t, fc_axial_pieces(s, p->c), p->N * p->c * s->n) {
    const fc_axial_piece e = fc_axial_piece_at(s, p->c, t);
    make_piece(p, h, i, &e, x);
    if (known) normalize_piece(p, h, i, &e, x);
  }
}

/* ---- statistics by channel ---- */

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

/* total += n first + sum, and squares around the mean of all: (x - first)^2 shifted (Chan, Golub, LeVeque
   1983); part [3, c]: first cell, sum, square of a piece of n cells; for channels 0 .. width-1 */
FC_SIMD static void add_total(double *restrict total, const fc_real *restrict part, double n, int64_t c,
                              int64_t width) {
  for (int64_t j = 0; j < width; j++) total[j] += n * (double)part[j] + (double)part[c + j];
}
FC_SIMD static void add_square(double *restrict square, const double *restrict mean,
                               const fc_real *restrict part, double n, int64_t c, int64_t width) {
  for (int64_t j = 0; j < width; j++) {
    const double d = (double)part[j] - mean[j];
    square[j] += (double)part[2 * c + j] + 2 * d * (double)part[c + j] + n * d * d;
  }
}

enum { CHANNELS = 32 }; /* at once in what follows */

/* mean and squares around it of `width` channels of part i, the first of which part [pieces, 3, c] begins
   with */
static void add_pieces(const plan *p, int i, const fc_real *part, int64_t width, double *mean,
                       double *square) {
  const int64_t pieces = fc_axial_pieces(&p->axis[i], p->c), c = p->c;

  for (int64_t j = 0; j < width; j++) mean[j] = square[j] = 0;
  for (int64_t t = 0; t < pieces; t++) {
    const fc_axial_piece e = fc_axial_piece_at(&p->axis[i], c, t);
    add_total(mean, part + t * 3 * c, (double)(e.rows * e.cols / c), c, width);
  }
  for (int64_t j = 0; j < width; j++) mean[j] /= (double)p->N;
  for (int64_t t = 0; t < pieces; t++) {
    const fc_axial_piece e = fc_axial_piece_at(&p->axis[i], c, t);
    add_square(square, mean, part + t * 3 * c, (double)(e.rows * e.cols / c), c, width);
  }
}

/* x of all parts of a head, [parts, N, c], and its moments [parts, c] each */
static void make_parts(fc_arena *scratch, const plan *p, const head *h, fc_real *x, double *mean,
                       double *square) {
  const size_t mark                = fc_arena_mark(scratch);
  int64_t      from[MAX_PARTS + 1] = {0}, work = 0;

  for (int i = 0; i < p->parts; i++) {
    from[i + 1] = from[i] + fc_axial_pieces(&p->axis[i], p->c);
    work += p->N * p->c * p->axis[i].n;
  }
  fc_real *part = reals(scratch, from[p->parts] * 3 * p->c);
  FC_FOR_TASKS(t, from[p->parts], work) {
    const int            i = (t >= from[1]) + (p->parts > 2 && t >= from[2]);
    const fc_axial_piece e = fc_axial_piece_at(&p->axis[i], p->c, t - from[i]);
    fc_real             *y = x + i * p->N * p->c, *s = part + t * 3 * p->c;
    make_piece(p, h, i, &e, y);
    memcpy(s, y + e.at, (size_t)p->c * sizeof *s);
    moments(s + p->c, s + 2 * p->c, y + e.at, &e, p->axis[i].right, p->c);
  }
  const int64_t blocks = fc_ceil_div(p->c, CHANNELS);
  FC_FOR_ROWS(k, p->parts * blocks, 8 * CHANNELS * from[1]) {
    const int64_t i = k / blocks, j = k % blocks * CHANNELS;
    add_pieces(p, (int)i, part + from[i] * 3 * p->c + j, fc_min64(CHANNELS, p->c - j), mean + i * p->c + j,
               square + i * p->c + j);
  }
  fc_arena_pop(scratch, mark);
}

/* and their statistics over the points of all ranks */
static void make_head(fc_ctx *c, plan *p, const head *h, fc_real *x) {
  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t n    = p->parts * p->c;
  double       *mean = fc_arena_push(c->arena, (size_t)(2 * n) * sizeof *mean), *square = mean + n;

  if (!c->dry) make_parts(c->arena, p, h, x, mean, square);
  p->all = fc_domain_moments(c, n, (double)p->N, mean, square);
  for (int64_t k = 0; !c->dry && k < n; k++) {
    fc_real *stats = channel_stats(p, h, (int)(k / p->c)) + k % p->c;
    stats[0]       = (fc_real)mean[k];
    stats[p->c]    = (fc_real)(1 / sqrt(fmax(square[k], 0) / p->all + p->eps));
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- statistics by index along the first axis ---- */

/* of part i of a head: for each index the mean and the sum of squares around it, [X] each */
static void index_moments(fc_arena *scratch, const plan *p, const fc_real *x, double *mean, double *square) {
  const size_t  mark  = fc_arena_mark(scratch);
  const int64_t n     = p->N / p->X * p->c;
  fc_real      *shift = reals(scratch, p->X);

  fc_sum_middle(scratch, &(fc_sum){FC_SUM_PLAIN, p->X, n, 1, .p = x}, mean);
  for (int64_t k = 0; k < p->X; k++) mean[k] /= (double)n, shift[k] = (fc_real)mean[k];
  fc_sum_middle(scratch, &(fc_sum){FC_SUM_SQUARE, p->X, n, 1, .p = x, .shift = shift}, square);
  for (int64_t k = 0; k < p->X; k++) {
    const double off = mean[k] - (double)shift[k];
    square[k] -= (double)n * off * off;
  }
  fc_arena_pop(scratch, mark);
}

/* the statistics of a sample from those of its H parts arrays, all of one length */
static void add_indices(const plan *p, const double *mean, const double *square, fc_real *stats) {
  const int64_t arrays = p->H * p->parts;
  const double  n      = (double)(p->N / p->X * p->c);

  for (int64_t k = 0; k < p->X; k++) {
    double all = 0, around = 0;
    for (int64_t a = 0; a < arrays; a++) all += mean[a * p->X + k] / (double)arrays;
    for (int64_t a = 0; a < arrays; a++) {
      const double d = mean[a * p->X + k] - all;
      around += square[a * p->X + k] + n * d * d;
    }
    stats[k]        = (fc_real)all;
    stats[p->X + k] = (fc_real)(1 / sqrt(fmax(around, 0) / (n * (double)arrays) + p->eps));
  }
}

/* all parts of all heads of sample b are made once, one after the other, for their statistics */
static void sample_stats(fc_arena *scratch, const plan *p, int64_t b, fc_real *x) {
  const size_t  mark = fc_arena_mark(scratch);
  const int64_t all  = p->H * p->parts * p->X;
  double       *mean = fc_arena_push(scratch, (size_t)(2 * all) * sizeof *mean), *square = mean + all;

  for (int64_t a = 0; a < p->H * p->parts; a++) {
    const head h = head_of(p, b * p->H + a / p->parts);
    make_part(p, &h, (int)(a % p->parts), false, x);
    index_moments(scratch, p, x, mean + a * p->X, square + a * p->X);
  }
  add_indices(p, mean, square, p->stats + b * 2 * p->X);
  fc_arena_pop(scratch, mark);
}

/* ---- forward ---- */

/* y of the head's sample (+)= W x^; by channel the norm is done here, on a block of rows in the cache */
static void merge_parts(const plan *p, const head *h, fc_real *x, fc_real *y) {
  const int64_t block = fc_gemm_block(p->N, p->O, p->parts * p->c), c = p->c;

  FC_FOR_TASKS(t, fc_ceil_div(p->N, block), p->N * p->O * p->parts * c) {
    const int64_t at = t * block, rows = fc_min64(block, p->N - at);
    for (int i = 0; i < p->parts; i++) {
      fc_real       *xi   = x + (i * p->N + at) * c;
      const fc_real *mean = channel_stats(p, h, i);
      if (!p->by_index) normalize(xi, rows, c, c, mean, mean + c, c);
      fc_gemm(false, true, rows, p->O, c, 1, xi, c, h->W + i * c, h->ld, h->h > 0 || i > 0,
              y + (h->b * p->N + at) * p->O, p->O);
    }
  }
}

static void forward(fc_ctx *c, plan *p, fc_real *y) {
  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t len  = p->N * p->c;
  fc_real      *x = reals(c->arena, p->parts * len), *v = p->u ? reals(c->arena, len) : NULL;

  for (int64_t at = 0; at < p->B * p->H; at++) {
    head h = head_of(p, at);
    if (!c->dry) make_values(p, &h, v);
    if (!p->by_index) make_head(c, p, &h, x);
    if (c->dry) continue;
    if (p->by_index && h.h == 0) sample_stats(c->arena, p, h.b, x);
    for (int i = 0; p->by_index && i < p->parts; i++) make_part(p, &h, i, true, x + i * len);
    merge_parts(p, &h, x, y);
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

typedef struct {
  const fc_real *g, *y;                        /* dL/dy and y [B, N, O] */
  fc_real       *dK[MAX_PARTS], *dv, *dW, *dV; /* dv: of u where values are made of it */
  bool           fresh;                        /* dv is to be overwritten */
  /* scratch: x [N, c], G [O, c]; slope and shift of dx = (g W_) - x^ slope - shift: by channel [c], with W_
     the copy Wr = W rstd [O, c]; by index [B, X] and still to be multiplied by rstd; g_sum: [B, O] sums of g
     over points, or W 1 [O] */
  fc_real *x, *G, *Wr, *slope, *shift, *g_sum;
  double  *dot; /* [c]: sums of dx^ x^ */
} gradients;

/* "y = sum W x^": G = g^T x^ and its part in dW */
static void weight_gradient(fc_arena *scratch, const plan *p, const gradients *d, const head *h, int i) {
  const int64_t c = p->c, from = h->W - p->W + i * c;

  if (p->by_index && !d->dW) return;
  fc_gemm_reduce(scratch, p->O, c, p->N, d->g + h->b * p->N * p->O, p->O, d->x, c, false, d->G, c);
  for (int64_t o = 0; d->dW && o < p->O; o++) fc_span_add(d->dW + o * h->ld + from, d->G + o * c, c);
}

/* by channel: shift = rstd mean of dx^, and what slope is made of */
static void channel_sums(const plan *p, const gradients *d, const head *h, int i) {
  const int64_t  c = p->c;
  const fc_real *W = h->W + i * c, *rstd = channel_stats(p, h, i) + c, *sum = d->g_sum + h->b * p->O;

  FC_FOR_ROWS(j, c, 4 * p->O) {
    double dot = 0, bar = 0;
    for (int64_t o = 0; o < p->O; o++) {
      const fc_real w = W[o * h->ld + j];
      dot += (double)w * (double)d->G[o * c + j];
      bar += (double)w * (double)sum[o];
      d->Wr[o * c + j] = w * rstd[j];
    }
    d->dot[j]   = dot;
    d->shift[j] = (fc_real)((double)rstd[j] * bar / p->all);
  }
}

/* and slope = rstd mean of dx^ x^ */
static void channel_coefficients(fc_ctx *c, const plan *p, const gradients *d, const head *h, int i) {
  const fc_real *rstd = channel_stats(p, h, i) + p->c;

  if (!c->dry) channel_sums(p, d, h, i);
  fc_domain_sum_double(c, d->dot, p->c);
  for (int64_t j = 0; !c->dry && j < p->c; j++) d->slope[j] = (fc_real)((double)rstd[j] * d->dot[j] / p->all);
}

FC_SIMD static fc_real dot_span(const fc_real *a, const fc_real *b, int64_t n) {
  fc_real s = 0;

  FC_REDUCE(+, s) for (int64_t j = 0; j < n; j++) s += a[j] * b[j];
  return s;
}

/* by index: slope = mean of dx^ x^ and shift = mean of dx^ for all indices of all samples */
static void index_coefficients(const plan *p, const gradients *d) {
  const int64_t points = p->N / p->X, columns = p->H * p->parts * p->c;
  const double  n = (double)(points * columns);

  for (int64_t o = 0; o < p->O; o++) {
    double sum = 0;
    for (int64_t j = 0; j < columns; j++) sum += (double)p->W[o * columns + j];
    d->g_sum[o] = (fc_real)sum;
  }
  FC_FOR_ROWS(k, p->B * p->X, points * p->O) {
    double dot = 0, bar = 0;
    for (int64_t at = k * points * p->O; at < (k + 1) * points * p->O; at += p->O) {
      dot += (double)dot_span(d->g + at, d->y + at, p->O);
      bar += (double)dot_span(d->g + at, d->g_sum, p->O);
    }
    d->slope[k] = (fc_real)(dot / n);
    d->shift[k] = (fc_real)(bar / n);
  }
}

FC_SIMD static void start_rows(fc_real *restrict x, const fc_real *restrict slope,
                               const fc_real *restrict shift, int64_t rows, int64_t c) {
  for (int64_t r = 0; r < rows; r++, x += c)
    for (int64_t j = 0; j < c; j++) x[j] = -x[j] * slope[j] - shift[j];
}

FC_SIMD static void affine_span(fc_real *x, fc_real slope, fc_real shift, int64_t n) {
  for (int64_t j = 0; j < n; j++) x[j] = slope * x[j] + shift;
}

/* x^ of a block of rows from point `at` on becomes dx */
static void block_gradient(const plan *p, const gradients *d, const head *h, int i, int64_t at,
                           int64_t rows) {
  const fc_real *g = d->g + (h->b * p->N + at) * p->O;
  fc_real       *x = d->x + at * p->c;
  const int64_t  c = p->c, points = p->N / p->X;

  if (!p->by_index) {
    start_rows(x, d->slope, d->shift, rows, c);
    fc_gemm(false, false, rows, c, p->O, 1, g, p->O, d->Wr, c, 1, x, c);
    return;
  }
  for (int64_t r = 0; r < rows; r++) {
    const int64_t k = h->b * p->X + (at + r) / points;
    affine_span(x + r * c, -d->slope[k], -d->shift[k], c);
  }
  fc_gemm(false, false, rows, c, p->O, 1, g, p->O, h->W + i * c, h->ld, 1, x, c);
  for (int64_t r = 0; r < rows; r++) affine_span(x + r * c, h->stats[p->X + (at + r) / points], 0, c);
}

/* dx of a part [N, c] goes on into what the part was made of: "x = K v" */
static void give_part(fc_arena *scratch, const plan *p, const gradients *d, const head *h, int i) {
  const fc_axial *s   = &p->axis[i];
  const int64_t   len = p->N * p->c;

  if (p->made[i]) {
    FC_FOR_ROWS(k, p->N, p->c) fc_span_add(d->dK[i] + h->at * len + k * p->c, d->x + k * p->c, p->c);
    return;
  }
  if (d->dK[i]) fc_axial_kernel_gradient(scratch, s, 1, d->dK[i] + h->at * s->n * s->n, d->x, h->v);
  if (h->dv)
    fc_axial_apply_all(s, 1, true, kernel_of(p, h, i), d->x, (p->u || d->fresh) && i == p->first, h->dv);
}

static void part_backward(fc_ctx *c, const plan *p, const gradients *d, const head *h, int i) {
  const int64_t block = fc_gemm_block(p->N, p->c, p->O);

  if (!c->dry) make_part(p, h, i, true, d->x);
  if (!c->dry) weight_gradient(c->arena, p, d, h, i);
  if (!d->dK[i] && (p->made[i] || !h->dv)) return;
  if (!p->by_index) channel_coefficients(c, p, d, h, i);
  if (c->dry) return;
  FC_FOR_TASKS(t, fc_ceil_div(p->N, block), p->N * p->O * p->c)
  block_gradient(p, d, h, i, t * block, fc_min64(block, p->N - t * block));
  give_part(c->arena, p, d, h, i);
}

/* "v = u V^T" */
static void values_backward(fc_arena *scratch, const plan *p, const gradients *d, const head *h) {
  const int64_t at = h->b * p->N * p->D, from = h->h * p->c * p->D;

  if (d->dV)
    fc_gemm_reduce(scratch, p->c, p->D, p->N, h->dv, p->c, p->u + at, p->D, true, d->dV + from, p->D);
  if (d->dv)
    fc_gemm_rows(false, false, p->N, p->D, p->c, 1, h->dv, p->c, p->V + from, p->D, h->h > 0 || !d->fresh,
                 d->dv + at, p->D);
}

static double work(const plan *p, double axial, double dense, double values) {
  double n = p->u ? values * (double)p->D : 0;

  for (int i = 0; i < p->parts; i++)
    n += (p->made[i] ? 0 : axial * (double)p->axis[i].n) + dense * (double)p->O;
  return 2 * (double)(p->B * p->N) * (double)(p->H * p->c) * n;
}

/* g over the points of all ranks */
static void sum_points(fc_ctx *c, const plan *p, const gradients *d) {
  if (!c->dry) memset(d->g_sum, 0, (size_t)(p->B * p->O) * sizeof *d->g_sum);
  for (int64_t b = 0; !c->dry && b < p->B; b++)
    fc_column_sums(c->arena, d->g + b * p->N * p->O, p->N, p->O, d->g_sum + b * p->O);
  fc_domain_sum(c, d->g_sum, p->B * p->O);
}

static void head_backward(fc_ctx *c, const plan *p, const gradients *d, int64_t at, fc_real *v, fc_real *dv) {
  head h = head_of(p, at);

  if (d->dv || (p->u && d->dV)) h.dv = p->u ? dv : d->dv + at * p->N * p->c;
  if (!c->dry) make_values(p, &h, v);
  for (int i = 0; i < p->parts; i++) part_backward(c, p, d, &h, i);
  if (p->u && h.dv && !c->dry) values_backward(c->arena, p, d, &h);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const plan   *p = node->saved;
  gradients     d = {.g = node->out->g, .y = node->out->x};
  const int64_t k = p->by_index ? p->B * p->X : p->c, len = p->N * p->c;

  for (int i = 0; i < p->parts; i++) d.dK[i] = fc_grad(c, node->in[2 + i]);
  d.dv              = fc_grad_raw(c, node->in[0], &d.fresh);
  d.dW              = fc_grad(c, node->in[1]);
  d.dV              = p->u ? fc_grad(c, node->in[2 + p->parts]) : NULL;
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *v = p->u ? reals(c->arena, 2 * len) : NULL, *dv = p->u ? v + len : NULL;
  d.x     = reals(c->arena, len);
  d.G     = reals(c->arena, p->O * p->c);
  d.Wr    = reals(c->arena, p->O * p->c);
  d.slope = reals(c->arena, k);
  d.shift = reals(c->arena, k);
  d.g_sum = reals(c->arena, p->B * p->O);
  d.dot   = fc_arena_push(c->arena, (size_t)p->c * sizeof *d.dot);
  if (!p->by_index)
    sum_points(c, p, &d);
  else if (!c->dry)
    index_coefficients(p, &d);
  for (int64_t at = 0; at < p->B * p->H; at++) head_backward(c, p, &d, at, v, dv);
  c->flops += work(p, 3, 2, 3);
  fc_arena_pop(c->arena, mark);
}

static const fc_op axial_merge = {"axial_merge", backward, true};

/* part i: a product along its axis, or made already */
static void plan_part(plan *p, int i, const fc_tensor *K, int axis, const fc_tensor *v) {
  p->made[i] = axis == FC_AXIAL_MADE;
  p->K[i]    = K->x;
  FC_ASSERT(p->made[i] ? fc_same_shape(K, v) : axis >= 0 && axis < v->ndim - 3,
            "axial_merge: part %s along space axis %d of %s", fc_shape_text(K), axis, fc_shape_text(v));
  p->axis[i]      = fc_axial_of(v, p->made[i] ? 0 : axis);
  const int64_t n = p->axis[i].n;
  FC_ASSERT(p->made[i] ||
                (K->ndim == 4 && fc_span(K, 0, 2) == p->B * p->H && K->dim[2] == n && K->dim[3] == n),
            "axial_merge: kernel %s for axis %d of %s", fc_shape_text(K), axis, fc_shape_text(v));
}

static plan *make_plan(fc_ctx *c, int parts, fc_tensor *const *kernel, const int *axis, const fc_tensor *v,
                       const fc_tensor *W, bool by_index, double eps) {
  plan *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(parts >= 1 && parts <= MAX_PARTS && v->ndim >= 4 &&
                fc_span(W, 1, W->ndim) == v->dim[1] * fc_last(v) * parts,
            "axial_merge: %d parts of values %s, weight %s", parts, fc_shape_text(v), fc_shape_text(W));
  *p     = (plan){.B        = v->dim[0],
                  .H        = v->dim[1],
                  .X        = v->dim[2],
                  .N        = fc_span(v, 2, v->ndim - 1),
                  .c        = fc_last(v),
                  .O        = W->dim[0],
                  .parts    = parts,
                  .by_index = by_index,
                  .eps      = eps,
                  .v        = v->x,
                  .W        = W->x};
  p->all = (double)p->N;
  for (int i = 0; i < parts; i++) plan_part(p, i, kernel[i], axis[i], v);
  while (p->first < parts - 1 && p->made[p->first]) p->first++;
  FC_ASSERT(!p->made[p->first], "axial_merge: %s is in no product", fc_shape_text(v));
  p->stats = reals(c->arena, 2 * p->B * (by_index ? p->X : p->H * parts * p->c));
  return p;
}

/* v: shape of the values, which are x's or made of it by V */
static fc_tensor *run(fc_ctx *c, plan *p, fc_tensor *const *kernel, const fc_tensor *v, fc_tensor *x,
                      fc_tensor *W, fc_tensor *V) {
  fc_tensor *in[3 + MAX_PARTS] = {x, W};
  int64_t    dim[FC_MAX_DIMS]  = {p->B};

  for (int i = 0; i < p->parts; i++) in[2 + i] = kernel[i];
  in[2 + p->parts] = V;
  for (int i = 2; i < v->ndim - 1; i++) dim[i - 1] = v->dim[i];
  dim[v->ndim - 2] = p->O;
  fc_tensor *y     = fc_tensor_new(c->arena, v->ndim - 1, dim);
  forward(c, p, y->x);
  c->flops += work(p, p->by_index ? 2 : 1, 1, 1);
  return fc_record(c, &axial_merge, y, p, (V ? 3 : 2) + p->parts, in);
}

fc_tensor *fc_axial_merge(fc_ctx *c, int parts, fc_tensor *const *kernel, const int *axis, fc_tensor *v,
                          fc_tensor *W, bool by_index, double eps) {
  return run(c, make_plan(c, parts, kernel, axis, v, W, by_index, eps), kernel, v, v, W, NULL);
}

fc_tensor *fc_axial_merge_of(fc_ctx *c, int parts, fc_tensor *const *kernel, const int *axis, fc_tensor *u,
                             fc_tensor *V, int64_t heads, fc_tensor *W, double eps) {
  fc_tensor v = {.ndim = u->ndim + 1, .dim = {u->dim[0], heads}};

  FC_ASSERT(V->ndim == 2 && V->dim[1] == fc_last(u) && V->dim[0] % heads == 0,
            "axial_merge_of: state %s, values %s in %lld heads", fc_shape_text(u), fc_shape_text(V),
            (long long)heads);
  for (int i = 1; i < u->ndim - 1; i++) v.dim[1 + i] = u->dim[i];
  v.dim[u->ndim] = V->dim[0] / heads;
  plan *p        = make_plan(c, parts, kernel, axis, &v, W, false, eps);
  p->u = u->x, p->V = V->x, p->D = fc_last(u);
  return run(c, p, kernel, &v, u, W, V);
}
