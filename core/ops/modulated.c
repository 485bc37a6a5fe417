/* core/ops/modulated.c - layer norm with shift and scale of each sample (adaptive layer norm: Peebles and
   Xie 2023), alone or in front of a product:
     z = (x^ w + b) (1 + scale_s) + shift_s,   x^ = (x - mean) / sqrt(var + eps),   y = z W^T + a
   x [.., C] with N rows for each of B samples s, w, b [C] or NULL, W [O, C], a [O] or NULL.

   Both factors of a sample together are one norm: z = x^ A + D, A = w (1 + scale), D = b (1 + scale) +
   shift. z lives in the cache for a block of rows; backward makes it again from x and the kept means. */
#include "core/gemm.h"
#include "core/ops/epilogue.h"
#include "core/ops/modulation.h"
#include "core/ops/norm_rows.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <string.h>

enum { PLAIN_BLOCK = 64 }; /* rows at a time where no product asks for more */

typedef struct {
  fc_modulation m;
  int64_t       B, N, C, O;    /* O 0: no product */
  int64_t       block, blocks; /* rows of one task; tasks of a sample */
  fc_real       eps, *stats;   /* [B N, 2]; NULL if nothing is recorded */
} saved;

/* A and D of all samples: f [B, 2, C] */
static void factors(const saved *s, const fc_tensor *w, const fc_tensor *b, fc_real *f) {
  const int64_t C = s->C;

  for (int64_t i = 0; i < s->B; i++) {
    const fc_real *shift = s->m.rows->x + fc_modulation_at(&s->m, i, C, FC_MOD_SHIFT),
                  *scale = s->m.rows->x + fc_modulation_at(&s->m, i, C, FC_MOD_SCALE);
    fc_real *A = f + i * 2 * C, *D = A + C;
    for (int64_t j = 0; j < C; j++) {
      A[j] = (w ? w->x[j] : 1) * (1 + scale[j]);
      D[j] = (b ? b->x[j] : 0) * (1 + scale[j]) + shift[j];
    }
  }
}

/* room for z or its gradient, one block for each thread */
static fc_real *block_room(fc_arena *a, const saved *s) {
  return s->O ? fc_arena_push(a, (size_t)(fc_threads() * s->block * s->C) * sizeof(fc_real)) : NULL;
}

static void forward(fc_ctx *c, const saved *s, fc_real *y, fc_tensor *const *in) {
  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t C = s->C, O = s->O;
  fc_real      *f    = fc_arena_push(c->arena, (size_t)(s->B * 2 * C) * sizeof *f);
  fc_real      *room = block_room(c->arena, s);

  c->flops += 2.0 * (double)(s->B * s->N) * (double)O * (double)C;
  if (!c->dry) {
    factors(s, in[1], in[2], f);
    FC_FOR_TASKS(t, s->B * s->blocks, s->B * s->N * C * (O + 1)) {
      const int64_t  i = t / s->blocks, at = t % s->blocks * s->block, n = fc_min64(s->block, s->N - at);
      const int64_t  row = i * s->N + at;
      const fc_real *A   = f + i * 2 * C;
      fc_real       *z   = O ? room + fc_thread() * s->block * C : y + row * C;
      fc_norm_rows(z, in[0]->x + row * C, A, A + C, s->stats ? s->stats + 2 * row : NULL, n, C, s->eps);
      if (!O) continue;
      fc_gemm(false, true, n, O, C, 1, z, C, in[4]->x, C, 0, y + row * O, O);
      fc_epilogue_add(y + row * O, in[5] ? in[5]->x : NULL, NULL, n, O);
    }
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

typedef struct {
  const saved   *s;
  const fc_real *x, *dy, *W;
  fc_real       *dx, *room, *f;
  bool           fresh;
  fc_real       *z;    /* [B N, C] made again for the gradient of W; NULL: nobody asks */
  fc_real       *sums; /* [tasks, 2, C] what each task adds to the gradients of A and D */
} work;

/* "y = z W^T": dz = dy W; "z = x^ A + D": dA = sum dz x^, dD = sum dz, and dx as in layer norm */
static void backward_block(const work *k, int64_t t) {
  const saved  *s = k->s;
  const int64_t C = s->C, O = s->O, i = t / s->blocks, at = t % s->blocks * s->block,
                n = fc_min64(s->block, s->N - at), row = i * s->N + at;
  const fc_real *A = k->f + i * 2 * C, *x = k->x + row * C, *stats = s->stats + 2 * row,
                *dz = k->dy + row * C;

  if (k->z) fc_norm_rows(k->z + row * C, x, A, A + C, NULL, n, C, s->eps);
  if (O) {
    fc_real *mine = k->room + fc_thread() * s->block * C;
    fc_gemm(false, false, n, C, O, 1, k->dy + row * O, O, k->W, C, 0, mine, C);
    dz = mine;
  }
  fc_norm_rows_sums(k->sums + t * 2 * C, k->sums + (t * 2 + 1) * C, dz, x, stats, n, C);
  if (k->dx) fc_norm_rows_back(k->dx + row * C, dz, x, A, stats, n, C, k->fresh);
}

/* "A = w (1 + scale), D = b (1 + scale) + shift": gradients of sample i from dA and dD, the sums of its tasks
 */
static void share_out(const work *k, int64_t i, fc_tensor *const *in, fc_real *dw, fc_real *db, fc_real *dm) {
  const saved   *s     = k->s;
  const int64_t  C     = s->C;
  const fc_real *scale = s->m.rows->x + fc_modulation_at(&s->m, i, C, FC_MOD_SCALE);
  fc_real       *dA = k->sums + i * s->blocks * 2 * C, *dD = dA + C;

  for (int64_t t = 1; t < s->blocks; t++) fc_span_add(dA, dA + t * 2 * C, 2 * C);
  for (int64_t j = 0; j < C; j++) {
    if (dw) dw[j] += dA[j] * (1 + scale[j]);
    if (db) db[j] += dD[j] * (1 + scale[j]);
    if (!dm) continue;
    dm[fc_modulation_at(&s->m, i, C, FC_MOD_SCALE) + j] +=
        dA[j] * (in[1] ? in[1]->x[j] : 1) + dD[j] * (in[2] ? in[2]->x[j] : 0);
    dm[fc_modulation_at(&s->m, i, C, FC_MOD_SHIFT) + j] += dD[j];
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved      *s  = node->saved;
  fc_tensor *const *in = node->in;
  const int64_t     C = s->C, O = s->O, rows = s->B * s->N;
  bool              fresh;
  fc_real          *dx = fc_grad_raw(c, in[0], &fresh), *dw = fc_grad(c, in[1]), *db = fc_grad(c, in[2]);
  fc_real          *dm = fc_grad(c, in[3]), *dW = fc_grad(c, in[4]), *da = fc_grad(c, in[5]);
  const size_t      mark = fc_arena_mark(c->arena);
  work k = {.s = s, .x = in[0]->x, .dy = node->out->g, .W = O ? in[4]->x : NULL, .dx = dx, .fresh = fresh};

  k.f    = fc_arena_push(c->arena, (size_t)(s->B * 2 * C) * sizeof *k.f);
  k.room = block_room(c->arena, s);
  k.sums = fc_arena_push(c->arena, (size_t)(s->B * s->blocks * 2 * C) * sizeof *k.sums);
  k.z    = dW ? fc_arena_push(c->arena, (size_t)(rows * C) * sizeof *k.z) : NULL;
  c->flops += 4.0 * (double)rows * (double)O * (double)C;
  if (!c->dry) {
    factors(s, in[1], in[2], k.f);
    FC_FOR_TASKS(t, s->B * s->blocks, rows * C * (O + 1)) backward_block(&k, t);
    for (int64_t i = 0; i < s->B; i++) share_out(&k, i, in, dw, db, dm);
    if (da) fc_column_sums(c->arena, k.dy, rows, O, da);
    if (dW) fc_gemm_reduce(c->arena, O, C, rows, k.dy, O, k.z, C, true, dW, C);
  }
  fc_arena_pop(c->arena, mark);
}

static const fc_op modulated = {"modulated", backward, true};

static fc_tensor *build(fc_ctx *c, fc_tensor *x, fc_tensor *w, fc_tensor *b, double eps, fc_modulation m,
                        fc_tensor *W, fc_tensor *a) {
  fc_tensor *const in[] = {x, w, b, m.rows, W, a};
  const int64_t    C    = fc_last(x);
  int64_t          dim[FC_MAX_DIMS];
  saved           *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT((!w || fc_len(w) == C) && (!b || fc_len(b) == C) && (!W || fc_span(W, 1, W->ndim) == C) &&
                (!a || fc_len(a) == W->dim[0]),
            "modulated: input %s, norm %s, product %s", fc_shape_text(x), w ? fc_shape_text(w) : "plain",
            W ? fc_shape_text(W) : "none");
  *s        = (saved){.m = m, .B = m.rows->dim[0], .C = C, .O = W ? W->dim[0] : 0, .eps = (fc_real)eps};
  s->N      = fc_modulation_rows("modulated", &m, x, FC_MOD_SCALE);
  s->block  = W ? fc_gemm_block(s->N, s->O, C) : PLAIN_BLOCK;
  s->blocks = fc_ceil_div(s->N, s->block);
  memcpy(dim, x->dim, sizeof dim);
  if (W) dim[x->ndim - 1] = s->O;
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, dim);
  if (fc_needs_record(c, 6, in))
    s->stats = fc_arena_push(c->arena, (size_t)(2 * s->B * s->N) * sizeof(fc_real));
  forward(c, s, y->x, in);
  return fc_record(c, &modulated, y, s, 6, in);
}

fc_tensor *fc_modulate(fc_ctx *c, fc_tensor *x, fc_tensor *w, fc_tensor *b, double eps, fc_modulation m) {
  return build(c, x, w, b, eps, m, NULL, NULL);
}

fc_tensor *fc_linear_modulated(fc_ctx *c, fc_tensor *x, fc_tensor *w, fc_tensor *b, double eps,
                               fc_modulation m, fc_tensor *W, fc_tensor *a) {
  return build(c, x, w, b, eps, m, W, a);
}
