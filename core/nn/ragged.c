/* core/nn/ragged.c - few samples with many rows each: one slice per sample and a concatenation. */
#include "core/nn/ragged.h"

#include <math.h>
#include <stdio.h>

enum { NAME = 40 };

static const char *lengths_of(char buf[NAME], const char *name) {
  snprintf(buf, NAME, "%s_lengths", name);
  return buf;
}

/* ---- what a user may have given ---- */

static fc_status check_padded(const char *name, const fc_tensor *lengths, const fc_tensor *x, int64_t B) {
  FC_REQUIRE(x->dim[0] == B, FC_E_MISMATCH, "%s: one mesh for all %lld samples has no lengths", name,
             (long long)B);
  for (int64_t i = 0; i < B; i++) {
    const double v = (double)lengths->x[i];
    FC_REQUIRE(v >= 1 && v <= (double)x->dim[1] && v == floor(v), FC_E_MISMATCH,
               "%s: sample %lld has length %g; a whole number from 1 to %lld is wanted", name, (long long)i,
               v, (long long)x->dim[1]);
  }
  return FC_OK;
}

fc_status fc_ragged_check(const fc_batch *b, const char *name, int64_t width, bool packed, int64_t B,
                          bool mesh) {
  char       buf[NAME];
  fc_tensor *x, *lengths;

  FC_TRY(packed ? fc_batch_need(b, name, FC_DIMS(-1, width), &x)
                : fc_batch_need(b, name, FC_DIMS(-1, -1, width), &x));
  FC_REQUIRE(packed || x->dim[0] == B || (mesh && x->dim[0] == 1), FC_E_MISMATCH,
             "input %s has %lld samples, others have %lld", name, (long long)x->dim[0], (long long)B);
  if (!packed && !fc_batch_get(b, lengths_of(buf, name))) return FC_OK;
  FC_TRY(fc_batch_need(b, lengths_of(buf, name), FC_DIMS(B), &lengths));
  return packed ? fc_segments_check(lengths, buf, x->dim[0]) : check_padded(buf, lengths, x, B);
}

/* ---- rows ---- */

static int64_t length(const fc_segments *s, int64_t b) { return s->at[b + 1] - s->at[b]; }

static bool equal_lengths(const fc_segments *s) {
  for (int64_t b = 1; b < s->n; b++)
    if (length(s, b) != length(s, 0)) return false;
  return true;
}

fc_segments fc_ragged_segments(fc_ctx *c, const fc_batch *b, const char *name, int64_t B) {
  char             buf[NAME];
  const fc_tensor *lengths = fc_batch_get(b, lengths_of(buf, name));

  return lengths ? fc_segments_of(c->arena, lengths)
                 : fc_segments_equal(c->arena, B, fc_batch_get(b, name)->dim[1]);
}

fc_tensor *fc_ragged_rows(fc_ctx *c, const fc_batch *b, const char *name, int64_t B, bool mask,
                          fc_segments *s) {
  fc_tensor *x = fc_batch_get(b, name);

  *s = fc_ragged_segments(c, b, name, B);
  if (x->ndim == 2) return x;
  if (mask && x->dim[0] == B) return fc_ragged_unpad(c, x, B, s);
  *s = fc_segments_equal(c->arena, B, x->dim[1]);
  return fc_reshape(c, x, FC_DIMS(x->dim[0] * x->dim[1], x->dim[2]));
}

/* the valid rows of each sample, with as many zeros behind as pad says */
static fc_tensor *pick(fc_ctx *c, fc_tensor *x, int64_t B, const fc_segments *s, bool pad) {
  const int64_t N = fc_rows(x) / B, w = fc_last(x);

  x = fc_reshape(c, x, FC_DIMS(B * N, w));
  if (fc_segments_rows(s) == B * N) return x;
  fc_tensor **part = fc_arena_push(c->arena, (size_t)B * sizeof *part);
  for (int64_t b = 0; b < B; b++) {
    part[b] = fc_slice(c, x, 0, b * N, length(s, b));
    if (pad && length(s, b) < N) part[b] = fc_pad(c, part[b], 0, 0, N - length(s, b));
  }
  return fc_concat(c, 0, (int)B, part);
}

fc_tensor *fc_ragged_unpad(fc_ctx *c, fc_tensor *x, int64_t B, const fc_segments *s) {
  return pick(c, x, B, s, false);
}

fc_tensor *fc_ragged_clear(fc_ctx *c, fc_tensor *x, int64_t B, const fc_segments *s) {
  return fc_reshape(c, pick(c, x, B, s, true), x->ndim, x->dim);
}

fc_tensor *fc_ragged_repeat(fc_ctx *c, fc_tensor *t, const fc_segments *s) {
  const int64_t B = t->dim[0], w = t->dim[1];

  if (equal_lengths(s)) {
    t = fc_expand(c, fc_reshape(c, t, FC_DIMS(B, 1, w)), 1, length(s, 0));
    return fc_reshape(c, t, FC_DIMS(B * length(s, 0), w));
  }
  fc_tensor **part = fc_arena_push(c->arena, (size_t)B * sizeof *part);
  for (int64_t b = 0; b < B; b++) part[b] = fc_expand(c, fc_slice(c, t, 0, b, 1), 0, length(s, b));
  return fc_concat(c, 0, (int)B, part);
}

fc_tensor *fc_ragged_tile(fc_ctx *c, fc_tensor *x, const fc_segments *s) {
  const int64_t N = fc_rows(x), w = fc_last(x);

  if (N == fc_segments_rows(s)) return x;
  x = fc_expand(c, fc_reshape(c, x, FC_DIMS(1, N, w)), 0, s->n);
  return fc_reshape(c, x, FC_DIMS(s->n * N, w));
}

/* ---- ranks that share the points ---- */

fc_cut fc_ragged_cut(const fc_tensor *lengths) {
  int64_t longest = 1;

  for (int64_t b = 0; b < fc_len(lengths); b++) longest = fc_max64(longest, (int64_t)lengths->x[b]);
  return (fc_cut){longest, 1};
}

fc_part fc_ragged_part(const fc_batch *whole, const char *name, fc_cut padded, fc_part_kind kind) {
  char             buf[NAME];
  const fc_tensor *x = fc_batch_get(whole, name), *lengths = fc_batch_get(whole, lengths_of(buf, name));
  const bool       packed = x->ndim == 2;

  if (packed && kind == FC_PART_AXIS) kind = FC_PART_ROWS;
  return (fc_part){.kind    = kind,
                   .axis    = 1,
                   .cut     = packed ? (fc_cut){0} : padded,
                   .samples = lengths ? fc_len(lengths) : x->dim[0],
                   .lengths = lengths};
}
