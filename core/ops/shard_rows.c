/* core/ops/shard_rows.c - entries of a shared axis fetched from the ranks that own them: halos, rolls, whole
   axes, other borders. x is seen as [outer, own entries, inner].

   What a rank wants is a range lo .. hi-1 that may go beyond 0 .. n-1; every rank knows the ranges of all.
   The entries that rank q owns and rank r wants are a few stretches, one for each period of the axis, in an
   order that both know, so nothing but numbers is sent. The adjoint sends the same stretches the other way
   round and adds them up where they came from. */
#include "core/copy.h"
#include "core/domain.h"
#include "core/ops.h"

typedef struct fetch {
  fc_cut          own, to; /* to: the wanted borders; to.unit 0: all entries */
  fc_halo         halo;
  const fc_range *want; /* of each rank, or NULL: as `to` and `halo` say */
  int64_t         outer, inner;
} fetch;

static fc_range owned(const fetch *f, int rank, int size) {
  return (fc_range){fc_cut_at(f->own, rank, size), fc_cut_at(f->own, rank + 1, size)};
}

static fc_range wanted(const fetch *f, int rank, int size) {
  if (f->want) return f->want[rank];
  if (!f->to.unit) return (fc_range){0, f->own.n};
  return (fc_range){fc_cut_at(f->to, rank, size) - f->halo.before,
                    fc_cut_at(f->to, rank + 1, size) + f->halo.after};
}

/* ---- stretches ---- */

/* entries `from` .. of the owner's block go to `to` .. of the receiver's array */
typedef struct {
  int64_t from, to, n;
} stretch;

/* the k-th copy of the axis lies at k n; copies that a range meets are first .. last */
static int64_t first_copy(const fetch *f, fc_range w) {
  return f->halo.wrap ? w.lo >= 0 ? w.lo / f->own.n : -fc_ceil_div(-w.lo, f->own.n) : 0;
}
static int64_t last_copy(const fetch *f, fc_range w) {
  return f->halo.wrap ? fc_ceil_div(w.hi, f->own.n) - 1 : 0;
}

static stretch meet(const fetch *f, fc_range have, fc_range want, int64_t copy) {
  const int64_t shift = copy * f->own.n, lo = fc_max64(have.lo + shift, want.lo),
                hi = fc_min64(have.hi + shift, want.hi);

  return (stretch){lo - shift - have.lo, lo - want.lo, fc_max64(0, hi - lo)};
}

static int64_t numbers(const fetch *f, int owner, int receiver, int size) {
  const fc_range have = owned(f, owner, size), want = wanted(f, receiver, size);
  int64_t        n = 0;

  for (int64_t k = first_copy(f, want); k <= last_copy(f, want); k++) n += meet(f, have, want, k).n;
  return n * f->outer * f->inner;
}

/* ---- between an array and a buffer in which each stretch lies as [outer, n, inner] ---- */

typedef struct {
  fc_real *x;
  int64_t  entries; /* of its axis */
  bool     owner;   /* stretches count in the owner's block, else in the receiver's array */
} side;

typedef enum { PACK, UNPACK, UNPACK_ADD } direction;

static fc_real *carry(const fetch *f, side s, int64_t at, int64_t n, fc_real *buffer, direction d) {
  fc_real      *x   = s.x + at * f->inner;
  const int64_t run = n * f->inner, stride = s.entries * f->inner;

  if (d == PACK)
    fc_copy_rows((fc_rows_of){buffer, run}, x, stride, f->outer, run, false);
  else
    fc_copy_rows((fc_rows_of){x, stride}, buffer, run, f->outer, run, d == UNPACK_ADD);
  return buffer + f->outer * run;
}

/* all stretches between this rank and the others, in their order */
static void carry_all(const fc_ctx *c, const fetch *f, side s, fc_real *buffer, direction d) {
  const int size = fc_domain_size(c), me = fc_domain_rank(c);

  for (int r = 0; r < size; r++) {
    const fc_range have = owned(f, s.owner ? me : r, size), want = wanted(f, s.owner ? r : me, size);
    for (int64_t k = first_copy(f, want); k <= last_copy(f, want); k++) {
      const stretch t = meet(f, have, want, k);
      if (t.n) buffer = carry(f, s, s.owner ? t.from : t.to, t.n, buffer, d);
    }
  }
}

/* counts [size] of what this rank gives as owner or gets as receiver; returns their sum */
static int64_t count_all(const fc_ctx *c, const fetch *f, bool owner, int64_t *n) {
  const int size = fc_domain_size(c), me = fc_domain_rank(c);
  int64_t   sum = 0;

  for (int r = 0; r < size; r++) sum += n[r] = owner ? numbers(f, me, r, size) : numbers(f, r, me, size);
  return sum;
}

/* ---- both ways ---- */

static side own_side(const fc_ctx *c, const fetch *f, fc_real *x) {
  return (side){x, fc_cut_len(c, f->own), true};
}
static side want_side(const fc_ctx *c, const fetch *f, fc_real *x) {
  const fc_range w = wanted(f, fc_domain_rank(c), fc_domain_size(c));

  return (side){x, w.hi - w.lo, false};
}

static void move(fc_ctx *c, const fetch *f, side from, side to, direction how) {
  const size_t mark = fc_arena_mark(c->arena), counts = (size_t)fc_domain_size(c);
  int64_t     *out = fc_arena_push(c->arena, counts * sizeof *out),
          *in      = fc_arena_push(c->arena, counts * sizeof *in);
  fc_real *send    = fc_arena_push(c->arena, (size_t)count_all(c, f, from.owner, out) * sizeof *send);
  fc_real *recv    = fc_arena_push(c->arena, (size_t)count_all(c, f, to.owner, in) * sizeof *recv);

  if (!c->dry) carry_all(c, f, from, send, PACK);
  fc_domain_exchange(c, send, out, recv, in);
  if (!c->dry) carry_all(c, f, to, recv, how);
  fc_arena_pop(c->arena, mark);
}

static void zero_all(const fc_ctx *c, const fetch *f, side s) {
  if (!c->dry) fc_zero_rows((fc_rows_of){s.x, s.entries * f->inner}, f->outer, s.entries * f->inner);
}

/* y = or += what is wanted of x; entries beyond the ends are zeros */
static void gather(fc_ctx *c, const fetch *f, fc_real *x, fc_real *y, bool fresh) {
  if (fresh) zero_all(c, f, want_side(c, f, y));
  move(c, f, own_side(c, f, x), want_side(c, f, y), fresh ? UNPACK : UNPACK_ADD);
}

/* x = or += the sum of what all ranks hold of its entries in their y */
static void scatter(fc_ctx *c, const fetch *f, fc_real *y, fc_real *x, bool fresh) {
  if (fresh) zero_all(c, f, own_side(c, f, x));
  move(c, f, want_side(c, f, y), own_side(c, f, x), UNPACK_ADD);
}

static void gather_back(fc_ctx *c, const fc_node *node) {
  bool     fresh;
  fc_real *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) scatter(c, node->saved, node->out->g, dx, fresh);
}

static void scatter_back(fc_ctx *c, const fc_node *node) {
  bool     fresh;
  fc_real *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) gather(c, node->saved, node->out->g, dx, fresh);
}

static const fc_op shard_gather  = {"shard_gather", gather_back, false};
static const fc_op shard_scatter = {"shard_scatter", scatter_back, false};

/* ---- constructors ---- */

static fetch *make_fetch(fc_ctx *c, const fc_tensor *x, int axis, fetch f) {
  fetch *made = fc_arena_push(c->arena, sizeof *made);

  f.outer = fc_span(x, 0, axis);
  f.inner = fc_span(x, axis + 1, x->ndim);
  *made   = f;
  return made;
}

static fc_tensor *with_axis(fc_ctx *c, const fc_tensor *x, int axis, int64_t n) {
  int64_t dim[FC_MAX_DIMS];

  for (int a = 0; a < x->ndim; a++) dim[a] = a == axis ? n : x->dim[a];
  return fc_tensor_new(c->arena, x->ndim, dim);
}

static fc_tensor *gathered(fc_ctx *c, fc_tensor *x, int axis, fetch f) {
  FC_ASSERT(axis >= 0 && axis < x->ndim && x->dim[axis] == fc_cut_len(c, f.own),
            "shards: axis %d of %s is not this rank's block of %lld entries", axis, fc_shape_text(x),
            (long long)f.own.n);
  if (!fc_domain_shared(c)) return NULL;
  const fc_range w = wanted(&f, fc_domain_rank(c), fc_domain_size(c));
  fc_tensor     *y = with_axis(c, x, axis, w.hi - w.lo);
  fetch         *s = make_fetch(c, x, axis, f);
  gather(c, s, x->x, y->x, true);
  return fc_record(c, &shard_gather, y, s, FC_IN(x));
}

fc_tensor *fc_allgather(fc_ctx *c, fc_tensor *x, int axis, fc_cut s) {
  fc_tensor *y = gathered(c, x, axis, (fetch){.own = s});

  return y ? y : x;
}

fc_tensor *fc_recut(fc_ctx *c, fc_tensor *x, int axis, fc_cut from, fc_cut to) {
  if (fc_cut_same(c, from, to)) return x;
  fc_tensor *y = gathered(c, x, axis, (fetch){.own = from, .to = to});
  if (y || from.n == to.n) return y ? y : x;
  return to.n > from.n ? fc_pad(c, x, axis, 0, to.n - from.n) : fc_slice(c, x, axis, 0, to.n);
}

/* one rank: the halo comes from the axis itself */
static fc_tensor *alone(fc_ctx *c, fc_tensor *x, int axis, fc_halo h) {
  const int64_t n = x->dim[axis];

  if (h.before + h.after == 0) return h.wrap ? fc_roll(c, x, axis, h.before) : x;
  if (!h.wrap) return fc_pad(c, x, axis, h.before, h.after);
  FC_ASSERT(h.before >= 0 && h.after >= 0 && h.before <= n && h.after <= n,
            "halo: %lld and %lld entries around an axis of %lld", (long long)h.before, (long long)h.after,
            (long long)n);
  fc_tensor *part[3];
  int        k = 0;
  if (h.before) part[k++] = fc_slice(c, x, axis, n - h.before, h.before);
  part[k++] = x;
  if (h.after) part[k++] = fc_slice(c, x, axis, 0, h.after);
  return fc_concat(c, axis, k, part);
}

fc_tensor *fc_halo_rows(fc_ctx *c, fc_tensor *x, int axis, fc_cut s, fc_halo h) {
  fc_tensor *y = gathered(c, x, axis, (fetch){.own = s, .to = s, .halo = h});

  return y ? y : alone(c, x, axis, h);
}

fc_tensor *fc_fetch_rows(fc_ctx *c, fc_tensor *x, int axis, fc_cut s, const fc_range *want, bool wrap) {
  fc_tensor *y = gathered(c, x, axis, (fetch){.own = s, .want = want, .halo = {0, 0, wrap}});

  FC_ASSERT(y || (want->lo == 0 && want->hi == s.n),
            "fetch_rows: one rank has the whole axis, not %lld .. %lld", (long long)want->lo,
            (long long)want->hi);
  return y ? y : x;
}

fc_tensor *fc_reduce_scatter(fc_ctx *c, fc_tensor *x, int axis, fc_cut s) {
  FC_ASSERT(axis >= 0 && axis < x->ndim && x->dim[axis] == s.n,
            "reduce_scatter: axis %d of %s is not %lld long", axis, fc_shape_text(x), (long long)s.n);
  if (!fc_domain_shared(c)) return x;
  fc_tensor *y = with_axis(c, x, axis, fc_cut_len(c, s));
  fetch     *f = make_fetch(c, x, axis, (fetch){.own = s});
  scatter(c, f, x->x, y->x, true);
  return fc_record(c, &shard_scatter, y, f, FC_IN(x));
}
