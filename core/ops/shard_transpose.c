/* core/ops/shard_transpose.c - from shares along one axis to shares along another: x whole along `to` and cut
   along `from` becomes y whole along `from` and cut along `to`. Each rank sends each other one block
     x [.., own block of from, .., rank q's block of to, ..].
   The adjoint is the transposition back. */
#include "core/copy.h"
#include "core/ops.h"
#include "core/ops/shard_turn.h"

typedef fc_shard_turn turn;

/* ---- blocks: entries lo .. lo + n - 1 of both axes in an array of na x nb ---- */

typedef struct {
  fc_real *x;
  int64_t  na, nb;
} array;

typedef struct {
  int64_t a, na, b, nb;
} block;

static fc_real *carry(const turn *t, array s, block k, fc_real *buffer, bool pack, bool add) {
  const int64_t run = k.nb * t->inner, stride = s.nb * t->inner, rows = k.na * t->middle;

  for (int64_t o = 0; o < t->outer; o++, buffer += rows * run) {
    fc_real *x = s.x + ((o * s.na + k.a) * t->middle * s.nb + k.b) * t->inner;
    if (pack)
      fc_copy_rows((fc_rows_of){buffer, run}, x, stride, rows, run, false);
    else
      fc_copy_rows((fc_rows_of){x, stride}, buffer, run, rows, run, add);
  }
  return buffer;
}

/* a rank's block of an axis */
static int64_t lo_of(fc_cut s, int rank, int size) { return fc_cut_at(s, rank, size); }
static int64_t len_of(fc_cut s, int rank, int size) {
  return fc_cut_at(s, rank + 1, size) - fc_cut_at(s, rank, size);
}

/* what lies in rank r's reach: its block of the axis that is whole here */
static block block_of(const turn *t, bool cut_a, array s, int r, int size) {
  if (cut_a) return (block){0, s.na, lo_of(t->b, r, size), len_of(t->b, r, size)};
  return (block){lo_of(t->a, r, size), len_of(t->a, r, size), 0, s.nb};
}

static array array_of(const fc_ctx *c, const turn *t, bool cut_a, fc_real *x) {
  return (array){x, cut_a ? fc_cut_len(c, t->a) : t->a.n, cut_a ? t->b.n : fc_cut_len(c, t->b)};
}

static int64_t count(const fc_ctx *c, const turn *t, bool cut_a, int64_t *n) {
  const array s   = array_of(c, t, cut_a, NULL);
  int64_t     sum = 0;

  for (int r = 0; r < fc_domain_size(c); r++) {
    const block k = block_of(t, cut_a, s, r, fc_domain_size(c));
    sum += n[r]   = k.na * k.nb * t->outer * t->middle * t->inner;
  }
  return sum;
}

static void carry_all(const fc_ctx *c, const turn *t, bool cut_a, fc_real *x, fc_real *buffer, bool pack,
                      bool add) {
  const array s = array_of(c, t, cut_a, x);

  for (int r = 0; r < fc_domain_size(c); r++)
    buffer = carry(t, s, block_of(t, cut_a, s, r, fc_domain_size(c)), buffer, pack, add);
}

void fc_turn_shards(fc_ctx *c, const turn *t, bool cut_a, fc_real *from, fc_real *to, bool add) {
  const size_t mark = fc_arena_mark(c->arena), counts = (size_t)fc_domain_size(c);
  int64_t     *out = fc_arena_push(c->arena, counts * sizeof *out),
          *in      = fc_arena_push(c->arena, counts * sizeof *in);
  fc_real *send    = fc_arena_push(c->arena, (size_t)count(c, t, cut_a, out) * sizeof *send);
  fc_real *recv    = fc_arena_push(c->arena, (size_t)count(c, t, !cut_a, in) * sizeof *recv);

  if (!c->dry) carry_all(c, t, cut_a, from, send, true, false);
  fc_domain_exchange(c, send, out, recv, in);
  if (!c->dry) carry_all(c, t, !cut_a, to, recv, false, add);
  fc_arena_pop(c->arena, mark);
}

typedef struct {
  turn t;
  bool first; /* the axis that is cut in x is a */
} saved;

static void backward(fc_ctx *c, const fc_node *node) {
  const saved *s = node->saved;
  bool         fresh;
  fc_real     *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) fc_turn_shards(c, &s->t, !s->first, node->out->g, dx, !fresh);
}

static const fc_op shard_transpose = {"shard_transpose", backward, false};

fc_tensor *fc_transpose_shards(fc_ctx *c, fc_tensor *x, fc_cut_axis from, fc_cut_axis to) {
  FC_ASSERT(from.axis != to.axis && x->dim[from.axis] == fc_cut_len(c, from.cut) &&
                x->dim[to.axis] == to.cut.n,
            "transpose_shards: %s is not cut along axis %d and whole along axis %d", fc_shape_text(x),
            from.axis, to.axis);
  if (!fc_domain_shared(c)) return x;
  const bool first = from.axis < to.axis;
  const int  a = first ? from.axis : to.axis, b = first ? to.axis : from.axis;
  int64_t    dim[FC_MAX_DIMS];
  saved     *s = fc_arena_push(c->arena, sizeof *s);

  *s = (saved){{fc_span(x, 0, a), fc_span(x, a + 1, b), fc_span(x, b + 1, x->ndim), first ? from.cut : to.cut,
                first ? to.cut : from.cut},
               first};
  for (int i = 0; i < x->ndim; i++)
    dim[i] = i == from.axis ? from.cut.n : i == to.axis ? fc_cut_len(c, to.cut) : x->dim[i];
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, dim);
  fc_turn_shards(c, &s->t, first, x->x, y->x, false);
  return fc_record(c, &shard_transpose, y, s, FC_IN(x));
}
