/* tests/core/op_group_attention.c - cosine attention in windows, across fields and in runs of tokens. */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

static fc_window_grid grid; /* of the case under test */
static int64_t        first;

/* r, qkv, scale, modulation, bias */
static fc_tensor *in_windows(fc_ctx *c, fc_tensor **in) {
  return fc_group_attention(c, in[0], in[1], in[2], in[4], fc_groups_of_windows(c, &grid),
                            (fc_modulation){in[3], (int)first});
}
static fc_tensor *across_fields(fc_ctx *c, fc_tensor **in) {
  const fc_token_groups *g = fc_groups_of_fields(c, in[0]->dim[0], fc_rows(in[0]) / in[0]->dim[0]);
  return fc_group_attention(c, in[0], in[1], in[2], NULL, g, (fc_modulation){in[3], 0});
}
/* r, qkv, scale: no gate, no bias */
static fc_tensor *in_runs(fc_ctx *c, fc_tensor **in) {
  const fc_token_groups *g = fc_groups_of_runs(c, in[0]->dim[0], in[0]->dim[1]);
  return fc_group_attention(c, in[0], in[1], in[2], NULL, g, (fc_modulation){NULL, 0});
}

/* Directions of 3 or 4 numbers turn fast: the five-point rule is good to 1e-7, not 1e-8. */
static const double tolerance = 1e-6;

#define WINDOWS(...) (grid = (fc_window_grid){__VA_ARGS__}, first = 1)

static void gradient(void) {
  WINDOWS(.fields = 1, .B = 2, .H = 4, .W = 6, .size = 2);
  check_op("group_attention", in_windows,
           CHECK_INS({4, {2, 4, 6, 8}}, {4, {2, 4, 6, 24}}, {1, {2}}, {2, {2, 32}}, {3, {2, 4, 4}}),
           tolerance, 0);
  /* rolled, padded, masked, two fields */
  WINDOWS(.fields = 2, .B = 1, .H = 5, .W = 7, .size = 4, .shift = 2, .masked = true);
  check_op("group_attention_mask", in_windows,
           CHECK_INS({5, {2, 1, 5, 7, 6}}, {2, {2 * 64, 18}}, {3, {3, 1, 1}}, {2, {2, 24}}, {3, {3, 16, 16}}),
           tolerance, 0);
  /* products by the library, more windows than chunks of sums */
  WINDOWS(.fields = 1, .B = 3, .H = 18, .W = 24, .size = 6, .shift = 3);
  check_op("group_attention_large", in_windows,
           CHECK_INS({4, {3, 18, 24, 32}}, {4, {3, 18, 24, 96}}, {1, {2}}, {2, {3, 128}}, {3, {2, 36, 36}}),
           tolerance, 0);
}

static void gradient_of_other_groups(void) {
  check_op("group_attention_fields", across_fields,
           CHECK_INS({4, {3, 2, 5, 8}}, {4, {3, 2, 5, 24}}, {1, {2}}, {2, {6, 24}}), tolerance, 0);
  check_op("group_attention_one", across_fields,
           CHECK_INS({4, {1, 2, 5, 8}}, {4, {1, 2, 5, 24}}, {1, {2}, .fixed = true}, {2, {2, 24}}), tolerance,
           0);
  check_op("group_attention_runs", in_runs, CHECK_INS({3, {4, 9, 8}}, {3, {4, 9, 24}}, {1, {4}}), tolerance,
           0);
  check_op("group_attention_fixed", in_runs,
           CHECK_INS({3, {2, 3, 4}}, {3, {2, 3, 12}, .fixed = true}, {1, {1}}), tolerance, 0);
}

/* a carrier in front of each window: rows behind those of the grid, without a residual of their own */
static void gradient_with_carriers(void) {
  WINDOWS(.fields = 2, .B = 1, .H = 4, .W = 4, .size = 2, .shift = 1, .carriers = true);
  check_op("group_attention_carriers", in_windows,
           CHECK_INS({5, {2, 1, 4, 4, 4}}, {2, {2 * 16 + 2 * 4, 12}}, {1, {2}}, {2, {2, 16}}, {3, {2, 5, 5}}),
           tolerance, 0);
}

/* A rank has lines 2 and 3 of eight, and one more on each side; four of eight carriers are of other windows.
 */
static void gradient_of_a_share(void) {
  WINDOWS(.fields = 2, .B = 1, .H = 8, .W = 4, .size = 2, .shift = 1, .carriers = true,
          .lines = {2, 2, 1, 1});
  check_op("group_attention_share", in_windows,
           CHECK_INS({5, {2, 1, 2, 4, 4}}, {2, {2 * 16 + 2 * 8, 12}}, {1, {2}}, {2, {2, 16}}, {3, {2, 5, 5}}),
           tolerance, 0);
}

/* ---- the formula, token by token in double ---- */

static double unit_dot(const fc_real *q, const fc_real *k, int64_t d) {
  double dot = 0, qq = 0, kk = 0;

  for (int64_t j = 0; j < d; j++) {
    dot += (double)q[j] * (double)k[j];
    qq += (double)q[j] * (double)q[j];
    kk += (double)k[j] * (double)k[j];
  }
  return dot / (fmax(sqrt(qq), 1e-12) * fmax(sqrt(kk), 1e-12));
}

enum { H = 2, D = 8, SIZE = 4, SHIFT = 2, GY = 6, GX = 8, WIDE = 8 };

static int region_of(int64_t i, int64_t n) { return i < n - SIZE ? 0 : i < n - SHIFT ? 1 : 2; }

/* row of a cell of the rolled grid; cells beyond it are counted behind the grid, row by row */
static int64_t row_of(const int64_t a[2]) {
  if (a[0] < GY && a[1] < GX) return (a[0] + SHIFT) % GY * GX + (a[1] + SHIFT) % GX;
  return GY * GX + (a[0] - GY) * GX + a[1];
}

/* score of two cells of the rolled grid for head h */
static double score(const fc_tensor *qkv, const fc_tensor *scale, const fc_tensor *bias, int64_t h,
                    const int64_t a[2], const int64_t b[2], bool masked) {
  const int64_t i = a[0] % SIZE * SIZE + a[1] % SIZE, j = b[0] % SIZE * SIZE + b[1] % SIZE, d = D / H;
  const bool apart = region_of(a[0], GY) != region_of(b[0], GY) || region_of(a[1], GX) != region_of(b[1], GX);
  const fc_real *q = qkv->x + row_of(a) * 3 * D + h * d, *k = qkv->x + row_of(b) * 3 * D + D + h * d;

  return exp(fmin((double)scale->x[h], 4.6052)) * unit_dot(q, k, d) +
         (double)bias->x[(h * SIZE * SIZE + j) * SIZE * SIZE + i] - (masked && apart ? 200 : 0);
}

/* number j of the attended values of rolled cell a */
static double attended(const fc_tensor *qkv, const fc_tensor *scale, const fc_tensor *bias, int64_t j,
                       const int64_t a[2], bool masked) {
  double sum = 0, total = 0, top = -INFINITY, s[SIZE * SIZE];

  for (int pass = 0; pass < 2; pass++)
    for (int64_t n = 0; n < SIZE * SIZE; n++) {
      const int64_t b[2] = {a[0] / SIZE * SIZE + n / SIZE, a[1] / SIZE * SIZE + n % SIZE};
      if (pass == 0) {
        s[n] = score(qkv, scale, bias, j / (D / H), a, b, masked);
        top  = fmax(top, s[n]);
      } else {
        total += exp(s[n] - top);
        sum += exp(s[n] - top) * (double)qkv->x[row_of(b) * 3 * D + 2 * D + j];
      }
    }
  return sum / total;
}

static void as_the_formula(void) {
  for (int masked = 0; masked < 2; masked++) {
    fc_ctx    *c = check_ctx();
    fc_tensor *r = check_random(c, FC_DIMS(1, GY, GX, D)), *qkv = check_random(c, FC_DIMS(WIDE * GX, 3 * D)),
              *scale = check_random(c, FC_DIMS(H)), *rows = check_random(c, FC_DIMS(1, 3 * D)),
              *bias = check_random(c, FC_DIMS(H, SIZE * SIZE, SIZE * SIZE));
    scale->x[1]     = 5; /* beyond the limit */
    WINDOWS(.fields = 1, .B = 1, .H = GY, .W = GX, .size = SIZE, .shift = SHIFT, .masked = masked);
    const fc_tensor *y =
        fc_group_attention(c, r, qkv, scale, bias, fc_groups_of_windows(c, &grid), (fc_modulation){rows, 0});
    double off = 0;
    for (int64_t n = 0; n < GY * GX * D; n++) {
      const int64_t row = n / D, j = n % D;
      const int64_t a[2] = {(row / GX - SHIFT + GY) % GY, (row % GX - SHIFT + GX) % GX};
      const double  want =
          (double)r->x[n] + (1 + (double)rows->x[2 * D + j]) * attended(qkv, scale, bias, j, a, masked);
      off = fmax(off, fabs(want - (double)y->x[n]));
    }
    CHECK(off <= 400 * EPS); /* scores up to 100 carry a hundred roundings into the exponential */
  }
}

/* A scale beyond the limit has no gradient; at most one head here is below it. */
static void limit_stops_the_gradient(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *r = check_random(c, FC_DIMS(1, 5, 8)), *qkv = check_random(c, FC_DIMS(1, 5, 24)),
            *scale = check_random(c, FC_DIMS(2)), *in[] = {r, qkv, scale};

  scale->x[0]       = 4.7f;
  scale->x[1]       = 4.5f;
  scale->needs_grad = c->grad = true;
  fc_tensor *y                = in_runs(c, in);
  fc_backward_from(c, y, check_random(c, FC_DIMS(1, 5, 8))->x);
  CHECK(scale->g[0] == 0 && scale->g[1] != 0);
}

/* ---- tables ---- */

/* Every row comes once; windows of several fields follow each other; carriers stand in front. */
static void tables_list_every_row_once(void) {
  static const fc_window_grid grids[] = {{1, 2, 8, 4, 4, 0, false, false, {0}},
                                         {2, 3, 5, 9, 4, 2, true, false, {0}},
                                         {3, 1, 6, 6, 3, 1, false, true, {0}},
                                         {1, 1, 2, 3, 8, 4, false, false, {0}}};

  for (int i = 0; i < FC_COUNT(grids); i++) {
    fc_ctx                *c       = check_ctx();
    const fc_window_grid  *w       = &grids[i];
    const fc_token_groups *g       = fc_groups_of_windows(c, w);
    const int64_t          samples = w->fields * w->B,
                  rows = samples * (w->H * w->W + fc_window_padding(w)) + (w->carriers ? g->count : 0);
    int *seen          = calloc((size_t)rows, sizeof *seen);
    for (int64_t n = 0; n < g->count * g->length; n++)
      if (g->row[n] >= 0 && g->row[n] < rows) seen[g->row[n]]++;
    for (int64_t n = 0; n < rows; n++) CHECK(seen[n] == 1);
    CHECK(!w->masked || g->masks * w->B == g->count);
    free(seen);
  }
}

/* ---- shares ---- */

/* what stands behind the tokens: carriers, or padding, which is the same everywhere */
static fc_tensor *behind(fc_ctx *c, const fc_window_grid *w, fc_tensor *carriers, fc_tensor *padding) {
  const int64_t n = w->fields * w->B * fc_window_padding(w);

  return w->carriers ? carriers : n ? fc_expand(c, padding, 0, n) : NULL;
}

static fc_tensor *attend(fc_ctx *c, const fc_window_grid *w, fc_tensor *r, fc_tensor *tokens, fc_tensor *more,
                         fc_tensor *const weights[3]) {
  fc_tensor *qkv = fc_reshape(c, tokens, FC_DIMS(fc_rows(tokens), fc_last(tokens)));

  if (more) qkv = fc_concat(c, 0, 2, (fc_tensor *[]){qkv, more});
  return fc_group_attention(c, r, qkv, weights[0], weights[1], fc_groups_of_windows(c, w),
                            (fc_modulation){weights[2], 0});
}

/* lines lo - before .. of x [samples, H, W, D], around the ends */
static fc_tensor *lines_of(fc_ctx *c, fc_tensor *x, const fc_window_lines *l) {
  x = fc_concat(c, 1, 3, (fc_tensor *[]){x, x, x});
  return fc_slice(c, x, 1, x->dim[1] / 3 + l->lo - l->before, l->before + l->own + l->after);
}

static void check_shares(const fc_window_grid *whole, int64_t unit, int size) {
  fc_ctx       *c       = check_ctx();
  const int64_t samples = whole->fields * whole->B, lead = whole->carriers,
                len     = lead + whole->size * whole->size,
                windows = fc_ceil_div(whole->H, whole->size) * fc_ceil_div(whole->W, whole->size);
  fc_tensor *r          = check_random(c, FC_DIMS(samples, whole->H, whole->W, 8)),
            *tokens     = check_random(c, FC_DIMS(samples, whole->H, whole->W, 24)),
            *carriers   = check_random(c, FC_DIMS(samples * windows, 24)),
            *padding    = check_random(c, FC_DIMS(1, 24)),
            *weights[]  = {check_random(c, FC_DIMS(2)), check_random(c, FC_DIMS(2, len, len)),
                           check_random(c, FC_DIMS(samples, 24))};
  fc_tensor *y          = attend(c, whole, r, tokens, behind(c, whole, carriers, padding), weights);

  for (int rank = 0; rank < size; rank++) {
    fc_window_grid w = *whole;
    w.lines          = fc_window_lines_of(whole, (fc_cut){whole->H, unit}, rank, size);
    fc_tensor *own = attend(c, &w, fc_slice(c, r, 1, w.lines.lo, w.lines.own), lines_of(c, tokens, &w.lines),
                            behind(c, &w, carriers, padding), weights);
    CHECK(check_distance(own, fc_slice(c, y, 1, w.lines.lo, w.lines.own)) <= 40 * EPS);
    CHECK(w.lines.before + w.lines.own + w.lines.after <= w.H);
  }
}

/* Windows that end at borders between ranks or not, rolled, padded, masked, larger than the grid. */
static void shares_of_a_grid(void) {
  static const fc_window_grid grids[] = {
      {1, 2, 16, 8, 4, 0, false, false, {0}}, {1, 2, 16, 8, 4, 2, false, false, {0}},
      {2, 1, 16, 8, 4, 2, true, false, {0}},  {1, 1, 10, 7, 4, 2, false, false, {0}},
      {2, 2, 9, 6, 3, 1, false, true, {0}},   {1, 1, 5, 3, 8, 4, false, false, {0}},
      {1, 1, 11, 5, 8, 4, false, false, {0}}};

  for (int i = 0; i < FC_COUNT(grids); i++)
    for (int size = 1; size <= 4; size++) {
      check_shares(&grids[i], 1, size);
      if (grids[i].H == 16) check_shares(&grids[i], 4, size);
    }
}

/* ---- the bias of square windows ---- */

static fc_tensor *bias_of_3(fc_ctx *c, fc_tensor **in) { return fc_relative_bias(c, in[0], 3, 0); }
static fc_tensor *bias_behind_carrier(fc_ctx *c, fc_tensor **in) { return fc_relative_bias(c, in[0], 2, 1); }

static void relative_bias(void) {
  check_op("relative_bias", bias_of_3, CHECK_INS({2, {25, 2}}), 0, 0);
  check_op("relative_bias_lead", bias_behind_carrier, CHECK_INS({2, {9, 3}}), 0, 0);

  fc_ctx          *c     = check_ctx();
  fc_tensor       *table = check_random(c, FC_DIMS(25, 2));
  const fc_tensor *y = fc_relative_bias(c, table, 3, 0), *z = fc_relative_bias(c, table, 3, 1);
  for (int64_t i = 0; i < 9; i++)
    for (int64_t j = 0; j < 9; j++) {
      const int64_t dy = i / 3 - j / 3, dx = i % 3 - j % 3;
      for (int64_t h = 0; h < 2; h++) {
        const fc_real want = table->x[((dy + 2) * 5 + dx + 2) * 2 + h];
        CHECK_NEAR(y->x[(h * 9 + j) * 9 + i], want, 0);
        CHECK_NEAR(z->x[(h * 10 + j + 1) * 10 + i + 1], want, 0);
      }
      CHECK_NEAR(z->x[i], 0, 0);
      CHECK_NEAR(z->x[10 * i], 0, 0);
    }
}

CHECK_SUITE(group_attention, gradient, gradient_of_other_groups, gradient_with_carriers, gradient_of_a_share,
            as_the_formula, limit_stops_the_gradient, tables_list_every_row_once, shares_of_a_grid,
            relative_bias)
