/* core/ops/physics_attention.c - attention through a few slices of the points (Wu et al. 2024, arXiv
   2402.02366, eqs. 1 to 4), for each sample and head h with d channels: s_ng = softmax_g((a_n . W_g + b_g) /
   tau_h)         how much point n belongs to slice g Z_g  = sum_n s_ng f_n / (sum_n s_ng + 1e-5) tokens O =
   attention among the G tokens                 core/ops/token_attention.h y_n  = sum_g s_ng O_g a, f, y [R, H
   d] hold the rows of all samples (core/segments.h), channels of head h at h d. W [G, d], b [G] and the maps
   of the tokens are shared by all heads.

   Kept for backward: s [H, R, G], Z, O and n_g = sum_n s_ng + 1e-5. With E_g = dZ_g / n_g, two sweeps over s:
     dO_g = sum_n s_ng dy_n
     ds_ng = dy_n . O_g + f_n . E_g - Z_g . E_g,   df_n = sum_g s_ng E_g,
     dl_ng = s_ng (ds_ng - sum_g s_ng ds_ng),      da_n = sum_g dl_ng W_g / tau,
   and from D_hg = sum_n dl_ng a_n, e_hg = sum_n dl_ng:  dW_g = sum_h D_hg / tau_h, db_g likewise, and
   dtau_h = -(sum_g W_g . D_hg + b_g e_hg) / tau_h^2, without the logits.

   Work is cut in chunks of rows and heads. Chunks leave partial sums, added up in order. Ranks that share the
   points add up the sums of Z_g forward and dZ_g backward; everything else is their own. */
#include "core/domain.h"
#include "core/gemm.h"
#include "core/ops/token_attention.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <string.h>

/* a tile of s takes 32 kB in float; a chunk is a task, and a sample has at most MAX_CHUNKS of them */
enum { TILE_NUMBERS = 8192, MAX_TILE = 256, MIN_TILE = 16, CHUNK = 512, MAX_CHUNKS = 32 };
static const double slice_eps = 1e-5;

typedef struct {
  int64_t            samples, R, H, G, d, A; /* A = H d */
  int64_t            chunks, tile;
  int64_t           *row, *first;     /* [chunks + 1] rows; [samples + 1] chunks of each sample */
  double             lowest, highest; /* clamp of tau; lowest > highest: none */
  fc_token_attention tokens;
  fc_real           *s, *Z, *O, *norm; /* [H, R, G]; [samples, H, G, d] twice; [samples, H, G] */
} problem;

/* ---- division of the work ---- */

static int64_t chunks_of(int64_t rows) { return fc_min64(MAX_CHUNKS, fc_ceil_div(rows, CHUNK)); }

static void divide(fc_ctx *c, problem *p, const fc_segments *seg) {
  p->first    = fc_arena_push(c->arena, (size_t)(seg->n + 1) * sizeof *p->first);
  p->first[0] = 0;
  for (int64_t b = 0; b < seg->n; b++) p->first[b + 1] = p->first[b] + chunks_of(seg->at[b + 1] - seg->at[b]);
  p->chunks = p->first[seg->n];
  p->row    = fc_arena_push(c->arena, (size_t)(p->chunks + 1) * sizeof *p->row);
  for (int64_t b = 0; b < seg->n; b++) {
    const int64_t n = p->first[b + 1] - p->first[b], rows = seg->at[b + 1] - seg->at[b];
    for (int64_t i = 0; i < n; i++) p->row[p->first[b] + i] = seg->at[b] + rows * i / n;
  }
  p->row[p->chunks] = p->R;
  p->tile           = fc_max64(MIN_TILE, fc_min64(MAX_TILE, TILE_NUMBERS / p->G / 16 * 16));
}

static int64_t sample_of(const problem *p, int64_t chunk) {
  int64_t b = 0;

  while (p->first[b + 1] <= chunk) b++;
  return b;
}

static int64_t side(const problem *p) { return p->G * p->d; } /* numbers of one head's tokens */
static int64_t part_size(const problem *p) {
  return p->G * (p->d + 1);
} /* and of a part: tokens, then weights */
static double  products(const problem *p) { return 2 * (double)p->R * (double)p->A * (double)p->G; }
static int64_t work(const problem *p) { return p->R * p->A * p->G; }

/* ---- kernels on a few rows ---- */

/* x = softmax(x + b) in each row. Loops over all rows, so that one row need not wait for another's sum. */
FC_SIMD static void softmax_rows(fc_real *restrict x, const fc_real *restrict b, int64_t rows, int64_t n) {
  fc_real top[MAX_TILE];

  for (int64_t r = 0; r < rows; r++) {
    fc_real high = x[r * n] + b[0];
    FC_REDUCE(max, high) for (int64_t j = 0; j < n; j++) {
      x[r * n + j] += b[j];
      high = x[r * n + j] > high ? x[r * n + j] : high;
    }
    top[r] = high;
  }
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < n; j++) x[r * n + j] = fc_exp(x[r * n + j] - top[r]);
  for (int64_t r = 0; r < rows; r++) {
    fc_real sum = 0;
    FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += x[r * n + j];
    const fc_real scale = 1 / sum;
    for (int64_t j = 0; j < n; j++) x[r * n + j] *= scale;
  }
}

/* "s = softmax(l)": x = s (x - shift - sum s (x - shift)) */
FC_SIMD static void softmax_rows_back(fc_real *restrict x, const fc_real *restrict s,
                                      const fc_real *restrict shift, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++, x += n, s += n) {
    fc_real dot = 0;
    FC_REDUCE(+, dot) for (int64_t j = 0; j < n; j++) {
      x[j] -= shift[j];
      dot += s[j] * x[j];
    }
    for (int64_t j = 0; j < n; j++) x[j] = s[j] * (x[j] - dot);
  }
}

FC_SIMD static void add_rows(fc_real *restrict sum, const fc_real *restrict x, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++, x += n)
    for (int64_t j = 0; j < n; j++) sum[j] += x[j];
}

/* ---- slices over temperature ---- */

static fc_real clamped(const problem *p, fc_real tau) {
  if (p->lowest > p->highest) return tau;
  return tau < (fc_real)p->lowest    ? (fc_real)p->lowest
         : tau > (fc_real)p->highest ? (fc_real)p->highest
                                     : tau;
}

/* [H, G (d + 1)]: W / tau_h, then b / tau_h, as a part lies */
static fc_real *divided(fc_ctx *c, const problem *p, const fc_real *W, const fc_real *b, const fc_real *tau) {
  fc_real *to = fc_arena_push(c->arena, (size_t)(p->H * part_size(p)) * sizeof *to);

  if (c->dry) return to;
  for (int64_t h = 0; h < p->H; h++) {
    fc_real      *x = to + h * part_size(p);
    const fc_real t = clamped(p, tau[h]);
    for (int64_t i = 0; i < side(p); i++) x[i] = W[i] / t;
    for (int64_t g = 0; g < p->G; g++) x[side(p) + g] = b[g] / t;
  }
  return to;
}

/* sums over the chunks of each sample: to [samples, H, size] from part [chunks, H, size] */
static void add_parts(const problem *p, fc_real *to, const fc_real *part, int64_t size) {
  FC_FOR_ROWS(i, p->samples * p->H, size * p->chunks) {
    const int64_t b = i / p->H, h = i % p->H;
    memset(to + i * size, 0, (size_t)size * sizeof *to);
    for (int64_t k = p->first[b]; k < p->first[b + 1]; k++)
      fc_span_add(to + i * size, part + (k * p->H + h) * size, size);
  }
}

/* ---- forward ---- */

/* s of one chunk and head, and what the chunk adds to its sample's tokens and norms: part [G (d + 1)] */
static void slice_chunk(const problem *p, const fc_real *a, const fc_real *f, const fc_real *slices,
                        int64_t k, int64_t h, fc_real *part) {
  const int64_t G = p->G, d = p->d, A = p->A;

  memset(part, 0, (size_t)part_size(p) * sizeof *part);
  for (int64_t r = p->row[k], n; r < p->row[k + 1]; r += n) {
    fc_real *s = p->s + (h * p->R + r) * G;
    n          = fc_min64(p->tile, p->row[k + 1] - r);
    fc_gemm(false, true, n, G, d, 1, a + r * A + h * d, A, slices, d, 0, s, G);
    softmax_rows(s, slices + side(p), n, G);
    fc_gemm(true, false, G, d, n, 1, s, G, f + r * A + h * d, A, 1, part, d);
    add_rows(part + side(p), s, n, G);
  }
}

/* Z = sums / (norm + eps) */
static void finish_tokens(const problem *p, const fc_real *sums) {
  for (int64_t i = 0; i < p->samples * p->H; i++, sums += part_size(p))
    for (int64_t g = 0; g < p->G; g++) {
      const fc_real n       = sums[side(p) + g] + (fc_real)slice_eps;
      p->norm[i * p->G + g] = n;
      for (int64_t j = 0; j < p->d; j++) p->Z[i * side(p) + g * p->d + j] = sums[g * p->d + j] / n;
    }
}

static void attend(fc_ctx *c, const problem *p) {
  const int64_t heads = p->samples * p->H, room = fc_token_room(&p->tokens);
  fc_real      *all = fc_arena_push(c->arena, (size_t)(fc_threads() * room) * sizeof *all);

  FC_FOR_TASKS(i, heads, heads * side(p) * (p->G + p->d))
  fc_token_forward(&p->tokens, i, p->Z + i * side(p), p->O + i * side(p), all + fc_thread() * room);
}

/* y = s O for rows of one chunk and head */
static void deslice_chunk(const problem *p, int64_t k, int64_t h, fc_real *y) {
  const int64_t  r = p->row[k], n = p->row[k + 1] - r, G = p->G, d = p->d;
  const fc_real *O = p->O + (sample_of(p, k) * p->H + h) * side(p);

  fc_gemm(false, false, n, d, G, 1, p->s + (h * p->R + r) * G, G, O, d, 0, y + r * p->A + h * d, p->A);
}

static void forward(fc_ctx *c, const problem *p, const fc_real *a, const fc_real *f, const fc_real *W,
                    const fc_real *b, const fc_real *tau, fc_real *y) {
  const size_t   mark = fc_arena_mark(c->arena);
  const int64_t  size = part_size(p), tasks = p->chunks * p->H;
  const fc_real *slices = divided(c, p, W, b, tau);
  fc_real       *part   = fc_arena_push(c->arena, (size_t)(tasks * size) * sizeof *part);
  fc_real       *sums   = fc_arena_push(c->arena, (size_t)(p->samples * p->H * size) * sizeof *sums);

  if (!c->dry) {
    FC_FOR_TASKS(t, tasks, work(p))
    slice_chunk(p, a, f, slices + t % p->H * size, t / p->H, t % p->H, part + t * size);
    add_parts(p, sums, part, size);
  }
  fc_domain_sum(c, sums, p->samples * p->H * size);
  if (!c->dry) {
    finish_tokens(p, sums);
    attend(c, p);
    FC_FOR_TASKS(t, tasks, work(p)) deslice_chunk(p, t / p->H, t % p->H, y);
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

/* y = s O: part = sum over the chunk of s^T dy */
static void deslice_chunk_back(const problem *p, const fc_real *dy, int64_t k, int64_t h, fc_real *part) {
  const int64_t G = p->G, d = p->d, A = p->A;

  memset(part, 0, (size_t)side(p) * sizeof *part);
  for (int64_t r = p->row[k], n; r < p->row[k + 1]; r += n) {
    n = fc_min64(p->tile, p->row[k + 1] - r);
    fc_gemm(true, false, G, d, n, 1, p->s + (h * p->R + r) * G, G, dy + r * A + h * d, A, 1, part, d);
  }
}

static void token_gradients(fc_ctx *c, const problem *p, const fc_real *dO, fc_real *dZ, fc_real *dmap) {
  const int64_t heads = p->samples * p->H, room = fc_token_room(&p->tokens), maps = 3 * p->d * p->d;
  fc_real      *all = fc_arena_push(c->arena, (size_t)(fc_threads() * room) * sizeof *all);

  FC_FOR_TASKS(i, heads, 3 * heads * side(p) * (p->G + p->d))
  fc_token_backward(&p->tokens, i, p->Z + i * side(p), dO + i * side(p), dZ + i * side(p), dmap + i * maps,
                    all + fc_thread() * room);
}

/* over dZ: E = dZ / n, and shift_g = Z_g . E_g behind it, as a part lies: [samples, H, G (d + 1)] */
static void finish_gradients(const problem *p, const fc_real *dZ, fc_real *E) {
  for (int64_t i = 0; i < p->samples * p->H; i++, E += part_size(p))
    for (int64_t g = 0; g < p->G; g++) {
      const fc_real *z = p->Z + i * side(p) + g * p->d, *dz = dZ + i * side(p) + g * p->d;
      fc_real        dot = 0;
      for (int64_t j = 0; j < p->d; j++) {
        const fc_real e = dz[j] / p->norm[i * p->G + g];
        E[g * p->d + j] = e;
        dot += z[j] * e;
      }
      E[side(p) + g] = dot;
    }
}

typedef struct {
  const fc_real *a, *f, *dy, *slices, *E;
  fc_real       *da, *df; /* NULL: not wanted */
  bool           fresh_a, fresh_f;
} sweep;

/* dl of n rows into x, then what follows from it; part [G (d + 1)] += dl^T a, sum of dl */
static void slice_rows_back(const problem *p, const sweep *w, int64_t r, int64_t n, int64_t i, int64_t h,
                            fc_real *part, fc_real *x) {
  const int64_t  G = p->G, d = p->d, A = p->A, at = r * A + h * d;
  const fc_real *s = p->s + (h * p->R + r) * G, *E = w->E + i * part_size(p),
                *slices = w->slices + h * part_size(p);

  if (w->df) fc_gemm(false, false, n, d, G, 1, s, G, E, d, !w->fresh_f, w->df + at, A);
  fc_gemm(false, true, n, G, d, 1, w->dy + at, A, p->O + i * side(p), d, 0, x, G);
  fc_gemm(false, true, n, G, d, 1, w->f + at, A, E, d, 1, x, G);
  softmax_rows_back(x, s, E + side(p), n, G);
  if (w->da) fc_gemm(false, false, n, d, G, 1, x, G, slices, d, !w->fresh_a, w->da + at, A);
  fc_gemm(true, false, G, d, n, 1, x, G, w->a + at, A, 1, part, d);
  add_rows(part + side(p), x, n, G);
}

static void slice_chunk_back(const problem *p, const sweep *w, int64_t k, int64_t h, fc_real *part,
                             fc_real *x) {
  const int64_t i = sample_of(p, k) * p->H + h;

  memset(part, 0, (size_t)part_size(p) * sizeof *part);
  for (int64_t r = p->row[k], n; r < p->row[k + 1]; r += n) {
    n = fc_min64(p->tile, p->row[k + 1] - r);
    slice_rows_back(p, w, r, n, i, h, part, x);
  }
}

/* "slices = W / tau, b / tau" from sums [samples, H, G (d + 1)] = (D, e); the clamp lets nothing through */
static void slice_gradients(const problem *p, const fc_real *sums, const fc_real *slices, const fc_real *tau,
                            fc_real *dW, fc_real *db, fc_real *dtau) {
  for (int64_t i = 0; i < p->samples * p->H; i++, sums += part_size(p)) {
    const int64_t h = i % p->H;
    const fc_real t = clamped(p, tau[h]), *x = slices + h * part_size(p);
    double        dot = 0;
    for (int64_t j = 0; dW && j < side(p); j++) dW[j] += sums[j] / t;
    for (int64_t g = 0; db && g < p->G; g++) db[g] += sums[side(p) + g] / t;
    for (int64_t j = 0; j < part_size(p); j++) dot += (double)x[j] * (double)sums[j];
    if (dtau && t == tau[h]) dtau[h] -= (fc_real)(dot / (double)t);
  }
}

/* inputs of the node */
enum { IN_A, IN_F, IN_W, IN_B, IN_TAU, IN_Q, IN_K, IN_V, INPUTS };

static void backward_tokens(fc_ctx *c, const problem *p, const fc_real *dy, fc_real *const *dmap,
                            fc_real *E) {
  const size_t  mark  = fc_arena_mark(c->arena);
  const int64_t heads = p->samples * p->H, tasks = p->chunks * p->H, map = p->d * p->d;
  fc_real      *part = fc_arena_push(c->arena, (size_t)(tasks * side(p)) * sizeof *part);
  fc_real      *dO   = fc_arena_push(c->arena, (size_t)(heads * side(p)) * sizeof *dO);
  fc_real      *dZ   = fc_arena_push(c->arena, (size_t)(heads * side(p)) * sizeof *dZ);
  fc_real      *maps = fc_arena_push(c->arena, (size_t)(heads * 3 * map) * sizeof *maps);

  FC_FOR_TASKS(t, tasks, work(p)) deslice_chunk_back(p, dy, t / p->H, t % p->H, part + t * side(p));
  add_parts(p, dO, part, side(p));
  token_gradients(c, p, dO, dZ, maps);
  fc_domain_sum(c, dZ, heads * side(p));
  for (int64_t i = 0; i < 3 * heads; i++)
    if (dmap[i % 3]) fc_span_add(dmap[i % 3], maps + i * map, map);
  finish_gradients(p, dZ, E);
  fc_arena_pop(c->arena, mark);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p  = node->saved;
  fc_tensor    **in = node->in;
  sweep          w  = {.a = in[IN_A]->x, .f = in[IN_F]->x, .dy = node->out->g};
  fc_real       *g[INPUTS];

  w.da = fc_grad_raw(c, in[IN_A], &w.fresh_a);
  w.df = fc_grad_raw(c, in[IN_F], &w.fresh_f);
  for (int i = IN_W; i < INPUTS; i++) g[i] = fc_grad(c, in[i]);

  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t size = part_size(p), heads = p->samples * p->H, tasks = p->chunks * p->H,
                tile = p->tile * p->G;
  fc_real *E         = fc_arena_push(c->arena, (size_t)(heads * size) * sizeof *E);
  fc_real *part      = fc_arena_push(c->arena, (size_t)(tasks * size) * sizeof *part);
  fc_real *sums      = fc_arena_push(c->arena, (size_t)(heads * size) * sizeof *sums);
  fc_real *x         = fc_arena_push(c->arena, (size_t)(fc_threads() * tile) * sizeof *x);
  w.slices           = divided(c, p, in[IN_W]->x, in[IN_B]->x, in[IN_TAU]->x);
  w.E                = E;
  backward_tokens(c, p, w.dy, g + IN_Q, E);
  FC_FOR_TASKS(t, tasks, 5 * work(p))
  slice_chunk_back(p, &w, t / p->H, t % p->H, part + t * size, x + fc_thread() * tile);
  add_parts(p, sums, part, size);
  slice_gradients(p, sums, w.slices, in[IN_TAU]->x, g[IN_W], g[IN_B], g[IN_TAU]);
  c->flops += 2 * node->flops;
  fc_arena_pop(c->arena, mark);
}

static const fc_op physics_attention = {"physics_attention", backward, false};

/* ---- constructor ---- */

static problem *make_problem(fc_ctx *c, const fc_tensor *a, const fc_tensor *f, const fc_physics *w,
                             const fc_segments *seg) {
  problem *p = fc_arena_push(c->arena, sizeof *p);

  *p = (problem){.samples = seg->n,
                 .R       = fc_rows(a),
                 .H       = fc_len(w->temperature),
                 .G       = w->slice_w->dim[0],
                 .d       = fc_last(w->slice_w),
                 .A       = fc_last(a),
                 .lowest  = w->lowest,
                 .highest = w->highest};
  FC_ASSERT(fc_same_shape(a, f) && p->A == p->H * p->d && fc_segments_rows(seg) == p->R &&
                fc_len(w->slice_b) == p->G && fc_len(w->q) == p->d * p->d,
            "physics_attention: points %s and %s, slices %s, temperatures %s, maps %s", fc_shape_text(a),
            fc_shape_text(f), fc_shape_text(w->slice_w), fc_shape_text(w->temperature), fc_shape_text(w->q));
  divide(c, p, seg);
  const size_t tokens = (size_t)(p->samples * p->H * side(p)) * sizeof *p->Z;
  p->s                = fc_arena_push(c->arena, (size_t)(p->H * p->R * p->G) * sizeof *p->s);
  p->Z                = fc_arena_push(c->arena, tokens);
  p->O                = fc_arena_push(c->arena, tokens);
  p->norm             = fc_arena_push(c->arena, (size_t)(p->samples * p->H * p->G) * sizeof *p->norm);
  p->tokens           = (fc_token_attention){p->G, p->d, {w->q->x, w->k->x, w->v->x}, false, {{0}}};
  p->tokens.drops     = c->training && w->dropout > 0;
  if (p->tokens.drops)
    p->tokens.mask = fc_mask_draw(c, w->dropout, p->samples * p->H * (fc_ceil_div(p->G * p->G, 4) * 4));
  return p;
}

fc_tensor *fc_physics_attention(fc_ctx *c, fc_tensor *a, fc_tensor *f, const fc_physics *w,
                                const fc_segments *seg) {
  fc_tensor *y = fc_tensor_new(c->arena, a->ndim, a->dim);
  problem   *p = make_problem(c, a, f, w, seg);

  forward(c, p, a->x, f->x, w->slice_w->x, w->slice_b->x, w->temperature->x, y->x);
  c->flops += 3 * products(p) + (double)(p->samples * p->H) * fc_token_flops(&p->tokens);
  return fc_record(c, &physics_attention, y, p,
                   FC_IN(a, f, w->slice_w, w->slice_b, w->temperature, w->q, w->k, w->v));
}
