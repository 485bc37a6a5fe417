/* train/shares.c */
#include "train/shares.h"

#include "core/ops.h"

#include <string.h>

fc_part fc_part_of(const fc_ctx *c, const fc_model_def *def, const void *self, const fc_batch *whole,
                   const char *name) {
  if (!fc_domain_shared(c)) return (fc_part){FC_PART_WHOLE};
  fc_part p = def->sharing->part(self, whole, name);
  if (p.kind == FC_PART_AXIS && !p.cut.n) p.cut = c->cut;
  return p;
}

/* ---- ragged samples ---- */

static int64_t length(const fc_part *p, int64_t b) {
  return p->lengths ? (int64_t)p->lengths->x[b] : p->cut.n;
}

/* rows of sample b in front of this rank's (next = 0) or the next rank's block (1) */
static int64_t border(const fc_ctx *c, const fc_part *p, int64_t b, int next) {
  const fc_cut s = p->cut.n ? p->cut : (fc_cut){length(p, b), 1};

  return fc_min64(fc_cut_at(s, fc_domain_rank(c) + next, fc_domain_size(c)), length(p, b));
}

static fc_tensor *take_lengths(fc_ctx *c, const fc_part *p) {
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(p->samples));

  for (int64_t b = 0; b < p->samples; b++) y->x[b] = (fc_real)(border(c, p, b, 1) - border(c, p, b, 0));
  return y;
}

static fc_tensor *take_rows(fc_ctx *c, const fc_part *p, fc_tensor *x) {
  fc_tensor **part = fc_arena_push(c->arena, (size_t)p->samples * sizeof *part);
  int64_t     at   = 0;

  for (int64_t b = 0; b < p->samples; at += length(p, b), b++) {
    const int64_t lo = border(c, p, b, 0);
    part[b]          = fc_slice(c, x, 0, at + lo, border(c, p, b, 1) - lo);
  }
  return fc_concat(c, 0, (int)p->samples, part);
}

/* every rank puts its rows where they belong among zeros */
static fc_tensor *join_rows(fc_ctx *c, const fc_part *p, const fc_tensor *own) {
  const int64_t  w    = fc_last(own);
  const fc_real *from = own->x;
  int64_t        R = 0, at = 0;

  for (int64_t b = 0; b < p->samples; b++) R += length(p, b);
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(R, w));
  memset(y->x, 0, (size_t)fc_len(y) * sizeof *y->x);
  for (int64_t b = 0; b < p->samples; at += length(p, b), b++) {
    const int64_t lo = border(c, p, b, 0), n = (border(c, p, b, 1) - lo) * w;
    memcpy(y->x + (at + lo) * w, from, (size_t)n * sizeof *from);
    from += n;
  }
  fc_domain_sum(c, y->x, fc_len(y));
  return y;
}

/* ---- all forms ---- */

fc_tensor *fc_part_take(fc_ctx *c, const fc_part *p, fc_tensor *x) {
  switch (p->kind) {
  case FC_PART_AXIS:
    return fc_slice(c, x, p->axis, fc_cut_lo(c, p->cut), fc_cut_len(c, p->cut));
  case FC_PART_ROWS:
    return take_rows(c, p, x);
  case FC_PART_LENGTHS:
    return take_lengths(c, p);
  default:
    return x;
  }
}

fc_tensor *fc_part_join(fc_ctx *c, const fc_part *p, fc_tensor *own) {
  return p->kind == FC_PART_AXIS   ? fc_allgather(c, own, p->axis, p->cut)
         : p->kind == FC_PART_ROWS ? join_rows(c, p, own)
                                   : own;
}
