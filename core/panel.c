/* core/panel.c - products by tiles of 12 x 32 held in registers, panels of op(B) in the first cache. */
#include "core/panel.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(FC_NO_CLONES) &&             \
    !defined(FC_DOUBLE)
#include <immintrin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")

#define INLINE static inline __attribute__((always_inline))

/* 12 x 2 sums, 2 vectors of B and 1 of A take 27 of the 32 registers. A panel of DEPTH x 32 numbers takes 32
   kB, the rows of A that meet it up to 512 kB of the second cache. AHEAD iterations are the way from memory.
   An op(B) of SMALL numbers is copied before the library has looked at its arguments. */
enum { LANES = 16, WIDTH = 2 * LANES, HEIGHT = 12, DEPTH = 256, ROWS = 512, AHEAD = 24, SMALL = 2048 };

typedef struct {
  const float *A; /* element (i, p) of op(A) at i * lda + p, or p * lda + i if transposed */
  int64_t      lda, k;
  const float *panel; /* [k, WIDTH] */
  float       *C;
  int64_t      ldc;
  __mmask16    mask[2]; /* columns of C in each half of the panel */
  bool         accumulate;
} tile;

/* C[rows, 16 halves] (+)= op(A) panel; rows, halves and ta are constants of each copy of this function */
INLINE void tile_sum(const int rows, const int halves, const bool ta, const tile *t) {
  __m512        sum[HEIGHT][2];
  const float  *a = t->A, *b = t->panel;
  const int64_t lda = t->lda, k = t->k, step = lda == k ? rows : 0;
  const float  *next = lda == k ? a + rows * lda : a;

#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
    for (int h = 0; h < halves; h++) {
      __builtin_prefetch(t->C + i * t->ldc + h * LANES, 1);
      sum[i][h] = _mm512_setzero_ps();
    }
#pragma GCC unroll 2
  for (int64_t p = 0; p < k; p++) {
    __m512 right[2];
    if (ta) { /* a row of A for each p: without this its numbers are asked for again and again while on the
                 way */
      __builtin_prefetch(a + (p + AHEAD) * lda);
      __builtin_prefetch(a + (p + AHEAD) * lda + rows - 1);
    } else { /* the rows of the next tile, where rows follow each other without a gap; a hint never faults */
      __builtin_prefetch(next + p * step);
    }
#pragma GCC unroll 2
    for (int h = 0; h < halves; h++) right[h] = _mm512_load_ps(b + p * WIDTH + h * LANES);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
      const __m512 left = _mm512_set1_ps(ta ? a[p * lda + i] : a[i * lda + p]);
#pragma GCC unroll 2
      for (int h = 0; h < halves; h++) sum[i][h] = _mm512_fmadd_ps(left, right[h], sum[i][h]);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
    for (int h = 0; h < halves; h++) {
      float *c = t->C + i * t->ldc + h * LANES;
      if (t->accumulate) sum[i][h] = _mm512_add_ps(sum[i][h], _mm512_maskz_loadu_ps(t->mask[h], c));
      _mm512_mask_storeu_ps(c, t->mask[h], sum[i][h]);
    }
}

#define TILE(rows)                                                                                           \
  static void tile_##rows(const tile *t, bool ta) {                                                          \
    if (ta)                                                                                                  \
      t->mask[1] ? tile_sum(rows, 2, true, t) : tile_sum(rows, 1, true, t);                                  \
    else                                                                                                     \
      t->mask[1] ? tile_sum(rows, 2, false, t) : tile_sum(rows, 1, false, t);                                \
  }
#define NAME(rows)      tile_##rows,
#define EACH_HEIGHT(of) of(1) of(2) of(3) of(4) of(5) of(6) of(7) of(8) of(9) of(10) of(11) of(12)
EACH_HEIGHT(TILE)

static void (*const tiles[HEIGHT])(const tile *, bool) = {EACH_HEIGHT(NAME)};

INLINE __mmask16 first(int64_t lanes) {
  return (__mmask16)(lanes >= LANES ? 0xffff : lanes <= 0 ? 0 : (1u << lanes) - 1u);
}

/* ---- panels of op(B), columns beyond the matrix are zero ---- */

static void pack_rows(float *panel, const float *B, int64_t ldb, int64_t k, const __mmask16 mask[2]) {
  const int halves = mask[1] ? 2 : 1;

  for (int64_t p = 0; p < k; p++)
    for (int h = 0; h < halves; h++)
      _mm512_store_ps(panel + p * WIDTH + h * LANES, _mm512_maskz_loadu_ps(mask[h], B + p * ldb + h * LANES));
}

/* out[j][i] = in[i][j]: pairs of numbers, pairs of pairs, then whole quarters of the vectors change places */
INLINE void transpose(__m512 out[LANES], const __m512 in[LANES]) {
  __m512 u[LANES];

#pragma GCC unroll 4
  for (int g = 0; g < LANES; g += 4) {
    const __m512d lo0 = _mm512_castps_pd(_mm512_unpacklo_ps(in[g], in[g + 1])),
                  hi0 = _mm512_castps_pd(_mm512_unpackhi_ps(in[g], in[g + 1])),
                  lo1 = _mm512_castps_pd(_mm512_unpacklo_ps(in[g + 2], in[g + 3])),
                  hi1 = _mm512_castps_pd(_mm512_unpackhi_ps(in[g + 2], in[g + 3]));
    u[g]              = _mm512_castpd_ps(_mm512_unpacklo_pd(lo0, lo1));
    u[g + 1]          = _mm512_castpd_ps(_mm512_unpackhi_pd(lo0, lo1));
    u[g + 2]          = _mm512_castpd_ps(_mm512_unpacklo_pd(hi0, hi1));
    u[g + 3]          = _mm512_castpd_ps(_mm512_unpackhi_pd(hi0, hi1));
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) { /* quarter q of u[4 g + c]: rows 4 g .. of column 4 q + c */
    const __m512 front0 = _mm512_shuffle_f32x4(u[c], u[4 + c], 0x44),
                 front1 = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0x44),
                 back0  = _mm512_shuffle_f32x4(u[c], u[4 + c], 0xee),
                 back1  = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0xee);
    out[c]              = _mm512_shuffle_f32x4(front0, front1, 0x88);
    out[4 + c]          = _mm512_shuffle_f32x4(front0, front1, 0xdd);
    out[8 + c]          = _mm512_shuffle_f32x4(back0, back1, 0x88);
    out[12 + c]         = _mm512_shuffle_f32x4(back0, back1, 0xdd);
  }
}

/* a column of op(B) is a row of B: 16 of them, or n at the edge */
static void pack_half(float *panel, const float *B, int64_t ldb, int64_t k, int64_t n) {
  for (int64_t p = 0; p < k; p += LANES) {
    const __mmask16 mask = first(k - p);
    const int64_t   len  = fc_min64(LANES, k - p);
    __m512          in[LANES], out[LANES];
#pragma GCC unroll 16
    for (int j = 0; j < LANES; j++)
      in[j] = _mm512_maskz_loadu_ps(j < n ? mask : 0, B + fc_min64(j, n - 1) * ldb + p);
    transpose(out, in);
    if (len == LANES) {
#pragma GCC unroll 16
      for (int q = 0; q < LANES; q++) _mm512_store_ps(panel + (p + q) * WIDTH, out[q]);
    } else {
      for (int q = 0; q < len; q++) _mm512_store_ps(panel + (p + q) * WIDTH, out[q]);
    }
  }
}

static void pack(float *panel, bool tb, const float *B, int64_t ldb, int64_t k, int64_t n,
                 const __mmask16 mask[2]) {
  if (!tb) {
    pack_rows(panel, B, ldb, k, mask);
    return;
  }
  pack_half(panel, B, ldb, k, fc_min64(n, LANES));
  if (n > LANES) pack_half(panel + LANES, B + LANES * ldb, ldb, k, n - LANES);
}

/* ---- the whole product ---- */

/* a part of B that the next panel will copy: rows of so many numbers */
typedef struct {
  const float *at;
  int64_t      rows, cols, ld;
} region;

INLINE void prefetch(const region *r, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++)
    for (int64_t j = 0; j < r->cols; j += LANES) __builtin_prefetch(r->at + i * r->ld + j, 0, 2);
}

/* m rows of C under one panel, in tiles of nearly equal height; between them a bit of B is fetched ahead */
static void multiply(tile t, bool ta, int64_t m, const region *ahead) {
  const int64_t count = fc_ceil_div(m, HEIGHT);

  for (int64_t i = 0; i < count; i++) {
    const int64_t rows = m / count + (i < m % count);
    prefetch(ahead, ahead->rows * i / count, ahead->rows * (i + 1) / count);
    tiles[rows - 1](&t, ta);
    t.A += ta ? rows : rows * t.lda;
    t.C += rows * t.ldc;
  }
}

/* rows p .. and columns j .. of op(B), at most DEPTH and WIDTH, as they lie in B */
static region part_of(bool tb, int64_t n, int64_t k, const float *B, int64_t ldb, int64_t p, int64_t j) {
  const int64_t depth = fc_min64(DEPTH, k - p), cols = fc_min64(WIDTH, n - j);

  return tb ? (region){B + j * ldb + p, cols, depth, ldb} : (region){B + p * ldb + j, depth, cols, ldb};
}

/* all blocks under one panel; what comes next of B is fetched during the first */
static void multiply_all(tile t, bool ta, int64_t m, const fc_panel_blocks *b, const region *ahead) {
  static const region none = {0};

  for (int64_t i = 0; i < b->count; i++) {
    multiply(t, ta, m, i ? &none : ahead);
    t.A += b->step_a;
    t.C += b->step_c;
  }
}

static void product(const fc_panel_blocks *b, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                    const float *A, int64_t lda, const float *B, int64_t ldb, bool accumulate, float *C,
                    int64_t ldc) {
  _Alignas(64) float panel[DEPTH * WIDTH];

  for (int64_t i = 0; i < m; i += ROWS)
    for (int64_t p = 0; p < k; p += DEPTH)
      for (int64_t j = 0; j < n; j += WIDTH) {
        const int64_t depth = fc_min64(DEPTH, k - p), cols = fc_min64(WIDTH, n - j);
        const tile    t     = {A + (ta ? p * lda + i : i * lda + p),
                               lda,
                               depth,
                               panel,
                               C + i * ldc + j,
                               ldc,
                               {first(cols), first(cols - LANES)},
                               accumulate || p > 0};
        region        ahead = {0};
        if (j + WIDTH < n)
          ahead = part_of(tb, n, k, B, ldb, p, j + WIDTH);
        else if (p + DEPTH < k)
          ahead = part_of(tb, n, k, B, ldb, p + DEPTH, 0);
        pack(panel, tb, B + (tb ? j * ldb + p : p * ldb + j), ldb, depth, cols, t.mask);
        multiply_all(t, ta, fc_min64(ROWS, m - i), b, &ahead);
      }
}
#pragma GCC pop_options

static bool wanted(void) {
  const char *choice = getenv("FIELDCAST_GEMM");

  return !(choice && !strcmp(choice, "openblas")) && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
}

bool fc_panel_product(const fc_panel_blocks *b, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                      const fc_real *A, int64_t lda, const fc_real *B, int64_t ldb, bool accumulate,
                      fc_real *C, int64_t ldc) {
  static atomic_int state; /* 0: not asked yet, 1: no, 2: yes; two threads that ask at once find the same */
  int               known = atomic_load_explicit(&state, memory_order_relaxed);

  if (!known) atomic_store_explicit(&state, known = 1 + wanted(), memory_order_relaxed);
  if (known == 1 || k < 1 || ((b->count * m < HEIGHT || n < LANES) && n * k > SMALL)) return false;
  product(b, ta, tb, m, n, k, A, lda, B, ldb, accumulate, C, ldc);
  return true;
}

#else
bool fc_panel_product(const fc_panel_blocks *b, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                      const fc_real *A, int64_t lda, const fc_real *B, int64_t ldb, bool accumulate,
                      fc_real *C, int64_t ldc) {
  (void)b, (void)ta, (void)tb, (void)m, (void)n, (void)k, (void)A, (void)lda, (void)B, (void)ldb,
      (void)accumulate, (void)C, (void)ldc;
  return false;
}
#endif
