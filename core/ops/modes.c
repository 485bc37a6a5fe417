/* core/ops/modes.c - which frequency each number of a spectral weight belongs to. */
#include "core/ops/modes.h"
#include "core/domain.h"

#include <string.h>

typedef struct { /* the weights' rows along one axis: rows first .. first+count-1 are shift + row */
  int64_t first, count, shift;
} rows;

typedef struct {
  fc_modes *m;
  int64_t   M[3]; /* of a weight */
  int       n_space, n_w;
  int64_t   lo, hi; /* this rank's columns, if ranks share the first axis */
} builder;

/* Does weight w hold the negative frequencies of axis a? Axes that are not there have no sign. */
static bool negative(const builder *b, int w, int a) {
  const int axis = a - (3 - b->n_space);
  return axis >= 0 && (w >> axis & 1);
}

static rows rows_of(const builder *b, int w, int a) {
  const int64_t M = b->M[a], n = b->m->n[a];

  if (a == 2) return (rows){0, fc_min64(M, n / 2 + 1), 0};
  if (b->n_w == 1) {
    const int64_t count = fc_min64(M, n), first = (M - count) / 2;
    return (rows){first, count, -first - count / 2};
  }
  if (negative(b, w, a)) return (rows){0, M, -M};
  return (rows){0, a < 3 - b->n_space ? M : fc_min64(M, n - M),
                0}; /* the rest belongs to the negative ones */
}

/* the largest frequency on an axis, by size */
static int64_t reach(const builder *b, int a) {
  int64_t K = 0;

  for (int w = 0; w < b->n_w; w++) {
    const rows r = rows_of(b, w, a);
    K            = fc_max64(K, fc_max64(-(r.first + r.shift), r.first + r.count - 1 + r.shift));
  }
  return K;
}

static int64_t wrap(int64_t k, int64_t n) { return (k % n + n) % n; }

static int32_t spot_of(const fc_modes *m, const int64_t k[3], int64_t sign) {
  int64_t at = 0;

  for (int a = 0; a < 3; a++) at = at * m->kept[a] + wrap(sign * k[a], m->kept[a]);
  return (int32_t)at;
}

/* ---- vectors ---- */

/* len modes from offset on; they continue the newest vector if they follow it */
static void add_run(builder *b, int w, int64_t offset, int64_t len) {
  fc_modes *m = b->m;

  while (len > 0) {
    fc_mode_vector *v = m->vectors ? &m->vector[m->vectors - 1] : NULL;
    if (!v || v->weight != w || v->offset + v->lanes != offset || v->lanes == FC_LANES) {
      v  = &m->vector[m->vectors++];
      *v = (fc_mode_vector){w, 0, offset};
    }
    const int64_t n = fc_min64(len, FC_LANES - v->lanes);
    v->lanes += (int)n;
    m->count += n;
    offset += n, len -= n;
  }
}

/* column of row j on the middle axis and frequency 0 on the last: positive frequencies of the middle axis
   come before negative ones. Where the middle axis is the shared one or is not there, it has no columns. */
static int64_t column_of(const builder *b, int w, int64_t j) {
  if (b->m->shards->first > 0) return 0;
  const int64_t before = negative(b, w, 1) ? rows_of(b, w & ~2, 1).count : 0;
  return (before + j - rows_of(b, w, 1).first) * rows_of(b, w, 2).count;
}

static void add_weight(builder *b, int w) {
  const rows r0 = rows_of(b, w, 0), r1 = rows_of(b, w, 1), r2 = rows_of(b, w, 2);

  for (int64_t i = r0.first; i < r0.first + r0.count; i++)
    for (int64_t j = r1.first; j < r1.first + r1.count; j++) {
      int64_t from = 0, to = r2.count;
      if (b->m->shards) {
        const int64_t column = column_of(b, w, j);
        from                 = fc_max64(from, b->lo - column);
        to                   = fc_min64(to, b->hi - column);
      }
      add_run(b, w, (i * b->M[1] + j) * b->M[2] + from, to - from);
    }
}

/* a bound for the number of vectors: every row of every weight begins a new one */
static int64_t most_vectors(const builder *b) {
  return b->n_w * b->M[0] * b->M[1] * fc_ceil_div(b->M[2], FC_LANES);
}

/* ---- tables ---- */

/* frequency of mode number `at` of weight w */
static void frequency(const builder *b, int w, int64_t at, int64_t k[3]) {
  for (int a = 2; a >= 0; at /= b->M[a], a--) k[a] = at % b->M[a] + rows_of(b, w, a).shift;
}

static void fill_tables(const builder *b) {
  fc_modes *m = b->m;
  int64_t   k[3];

  for (int64_t v = 0; v < m->vectors; v++)
    for (int l = 0; l < m->vector[v].lanes; l++) {
      const int64_t lane = v * FC_LANES + l;
      frequency(b, m->vector[v].weight, m->vector[v].offset + l, k);
      m->plus[lane]               = spot_of(m, k, 1);
      m->minus[lane]              = spot_of(m, k, -1);
      m->single[lane]             = k[2] == 0 || 2 * k[2] == m->n[2];
      m->at_plus[m->plus[lane]]   = (int32_t)lane;
      m->at_minus[m->minus[lane]] = (int32_t)lane;
    }
}

static builder begin(fc_arena *a, int n_space, const int64_t *n, int n_w, fc_tensor *const *W) {
  fc_modes *m = fc_arena_push(a, sizeof *m);
  builder   b = {m, {1, 1, 1}, n_space, n_w, 0, 0};

  *m = (fc_modes){.n = {1, 1, 1}, .spots = 1};
  for (int i = 0; i < n_space; i++) {
    m->n[3 - n_space + i] = n[i];
    b.M[3 - n_space + i]  = W[0]->dim[2 + i];
  }
  for (int i = 0; i < 3; i++) {
    m->kept[i] = fc_min64(m->n[i], 2 * reach(&b, i) + 1);
    m->spots *= m->kept[i];
  }
  return b;
}

static void add_vectors(fc_arena *a, builder *b) {
  fc_modes *m = b->m;

  m->vector = fc_arena_push(a, (size_t)most_vectors(b) * sizeof *m->vector);
  for (int w = 0; w < b->n_w; w++) add_weight(b, w);
  m->single = fc_arena_push(a, (size_t)(m->vectors * FC_LANES) * sizeof *m->single);
}

static void push_tables(fc_arena *a, fc_modes *m, int64_t lanes) {
  m->plus     = fc_arena_push(a, (size_t)lanes * sizeof *m->plus);
  m->minus    = fc_arena_push(a, (size_t)lanes * sizeof *m->minus);
  m->at_plus  = fc_arena_push(a, (size_t)m->spots * sizeof *m->at_plus);
  m->at_minus = fc_arena_push(a, (size_t)m->spots * sizeof *m->at_minus);
  memset(m->at_plus, -1, (size_t)m->spots * sizeof *m->at_plus);
  memset(m->at_minus, -1, (size_t)m->spots * sizeof *m->at_minus);
}

fc_modes *fc_modes_of(fc_arena *a, int n_space, const int64_t *n, int n_w, fc_tensor *const *W) {
  builder b = begin(a, n_space, n, n_w, W);

  add_vectors(a, &b);
  push_tables(a, b.m, b.m->vectors * FC_LANES);
  fill_tables(&b);
  return b.m;
}

/* ---- shares ---- */

static int64_t columns(const builder *b) {
  const int64_t last = rows_of(b, 0, 2).count;

  if (b->m->shards->first > 0) return last;
  return last * (rows_of(b, 0, 1).count + (b->n_w == 4 ? rows_of(b, 2, 1).count : 0));
}

static void set_column(fc_modes *across, const int64_t k[3], int64_t column) {
  across->plus[column]                    = spot_of(across, k, 1);
  across->minus[column]                   = spot_of(across, k, -1);
  across->at_plus[across->plus[column]]   = (int32_t)column;
  across->at_minus[across->minus[column]] = (int32_t)column;
}

/* the columns as modes of a grid that has one line */
static fc_modes *modes_across(fc_arena *a, const builder *b) {
  const fc_mode_shards *s = b->m->shards;
  fc_modes             *m = fc_arena_push(a, sizeof *m);

  *m             = (fc_modes){.n = {b->m->n[0], b->m->n[1], b->m->n[2]}, .spots = 1};
  m->n[s->first] = 1;
  for (int i = 0; i < 3; i++) m->spots *= m->kept[i] = i == s->first ? 1 : b->m->kept[i];
  push_tables(a, m, s->columns.n);
  for (int w = 0; s->first < 2 && w < b->n_w; w++) {
    const rows r1 = s->first > 0 ? (rows){0, 1, 0} : rows_of(b, w, 1), r2 = rows_of(b, w, 2);
    for (int64_t j = r1.first; j < r1.first + r1.count; j++)
      for (int64_t l = 0; l < r2.count; l++)
        set_column(m, (int64_t[]){0, j + r1.shift, l}, column_of(b, w, j) + l);
  }
  return m;
}

static void fill_places(const builder *b) {
  fc_modes       *m = b->m;
  fc_mode_shards *s = m->shards;
  int64_t         k[3];

  for (int64_t v = 0; v < m->vectors; v++)
    for (int l = 0; l < m->vector[v].lanes; l++) {
      const int64_t lane = v * FC_LANES + l, at = m->vector[v].offset + l;
      frequency(b, m->vector[v].weight, at, k);
      m->single[lane] = k[2] == 0 || 2 * k[2] == m->n[2];
      s->row[lane]    = (int32_t)wrap(k[s->first], m->kept[s->first]);
      s->column[lane] = (int32_t)(column_of(b, m->vector[v].weight, at / b->M[2] % b->M[1]) + k[2] - b->lo);
    }
}

fc_modes *fc_modes_of_shares(fc_ctx *c, int n_space, const int64_t *n, fc_cut lines, int n_w,
                             fc_tensor *const *W) {
  int64_t whole[3] = {lines.n, 0, 0};

  for (int i = 1; i < n_space; i++) whole[i] = n[i];
  builder         b = begin(c->arena, n_space, whole, n_w, W);
  fc_mode_shards *s = fc_arena_push(c->arena, sizeof *s);
  b.m->shards       = s;
  *s                = (fc_mode_shards){.lines = lines, .first = 3 - n_space};
  s->columns        = (fc_cut){columns(&b), 1};
  s->across         = modes_across(c->arena, &b);
  b.lo              = fc_cut_lo(c, s->columns);
  b.hi              = b.lo + fc_cut_len(c, s->columns);
  add_vectors(c->arena, &b);
  s->row    = fc_arena_push(c->arena, (size_t)(b.m->vectors * FC_LANES) * sizeof *s->row);
  s->column = fc_arena_push(c->arena, (size_t)(b.m->vectors * FC_LANES) * sizeof *s->column);
  fill_places(&b);
  return b.m;
}

int64_t fc_modes_length(const fc_modes *m, int64_t B, int64_t C) { return m->vectors * B * C * 2 * FC_LANES; }
