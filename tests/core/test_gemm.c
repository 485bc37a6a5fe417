/* tests/core/test_gemm.c - products against a plain loop, exactly: with small whole numbers every sum is
   exact in float, in any order. Factors end where the readable memory ends, so a load beyond them stops the
   test. */
#include "core/gemm.h"
#include "core/panel.h"
#include "tests/check.h"

#include <sys/mman.h>
#include <unistd.h>

typedef struct {
  bool    ta, tb, accumulate;
  int64_t m, n, k, pad; /* pad: unused numbers at the end of each row */
} shape;

/* n numbers whose end is the end of a readable page; whole numbers -4 .. 4, NaN in the padding of rows */
static fc_real *factor(int64_t rows, int64_t cols, int64_t ld) {
  static char *room[2];
  static int   next;
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 64 * page;
  const size_t bytes = (size_t)((rows - 1) * ld + cols) * sizeof(fc_real);

  next ^= 1;
  if (!room[next]) {
    room[next] = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room[next] == MAP_FAILED || mprotect(room[next] + size, page, PROT_NONE)) abort();
  }
  if (bytes > size) abort();
  fc_real *x = (fc_real *)(void *)(room[next] + size - bytes);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < (i < rows - 1 ? ld : cols); j++)
      x[i * ld + j] = j < cols ? (fc_real)((i * 7 + j * 5 + i * j) % 9 - 4) : NAN;
  return x;
}

static double expected(const shape *s, const fc_real *A, int64_t lda, const fc_real *B, int64_t ldb,
                       int64_t i, int64_t j) {
  double sum = s->accumulate ? (double)(i - j) : 0;

  for (int64_t p = 0; p < s->k; p++)
    sum += (double)A[s->ta ? p * lda + i : i * lda + p] * (double)B[s->tb ? j * ldb + p : p * ldb + j];
  return sum;
}

/* number of wrong elements, the guards around C among them; C holds NaN if it must not be read */
static int64_t wrong(const shape *s) {
  enum { ROOM = 45 * 110 };
  static fc_real room[ROOM];
  const int64_t  lda = (s->ta ? s->m : s->k) + s->pad, ldb = (s->tb ? s->k : s->n) + s->pad,
                ldc  = s->n + s->pad;
  const fc_real *A   = s->ta ? factor(s->k, s->m, lda) : factor(s->m, s->k, lda);
  const fc_real *B   = s->tb ? factor(s->n, s->k, ldb) : factor(s->k, s->n, ldb);
  fc_real       *C   = room + 16;
  int64_t        bad = 0;

  FC_ASSERT(32 + s->m * ldc <= ROOM, "room for C");
  for (int64_t i = 0; i < ROOM; i++) room[i] = -77;
  for (int64_t i = 0; i < s->m; i++)
    for (int64_t j = 0; j < s->n; j++) C[i * ldc + j] = s->accumulate ? (fc_real)(i - j) : NAN;
  fc_gemm(s->ta, s->tb, s->m, s->n, s->k, 1, A, lda, B, ldb, s->accumulate, C, ldc);
  for (int64_t at = 0; at < ROOM; at++) {
    const int64_t i = (at - 16) / ldc, j = (at - 16) % ldc;
    const bool    inside = at >= 16 && i < s->m && j < s->n;
    bad += !(room[at] == (inside ? expected(s, A, lda, B, ldb, i, j) : -77));
  }
  return bad;
}

static void all_shapes(void) {
  static const int64_t widths[] = {1, 15, 16, 17, 32, 33, 47, 64, 97}, depths[] = {1, 2, 15, 16, 17, 257};
  shape                s;

  for (int kind = 0; kind < 8; kind++)
    for (s.m = 1; s.m <= 40; s.m++)
      for (size_t n = 0; n < sizeof widths / sizeof *widths; n++)
        for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) {
          s.ta = kind & 1, s.tb = kind & 2, s.accumulate = kind & 4;
          s.n = widths[n], s.k = depths[k], s.pad = (s.m + s.n + s.k) % 4;
          const int64_t bad = wrong(&s);
          if (bad)
            printf("%d%d%d: %lld x %lld x %lld, pad %lld: %lld wrong\n", s.ta, s.tb, s.accumulate,
                   (long long)s.m, (long long)s.n, (long long)s.k, (long long)s.pad, (long long)bad);
          CHECK(bad == 0);
        }
}

/* more rows than one block and more terms than one panel holds; the largest sum stays below 2^24 */
static void large(void) {
  const int64_t m = 1100, n = 70, k = 600;
  fc_ctx       *c = check_ctx();
  fc_tensor    *A = check_random(c, FC_DIMS(m, k)), *B = check_random(c, FC_DIMS(k, n)),
            *C = fc_tensor_new(c->arena, FC_DIMS(m, n));
  int64_t bad  = 0;

  for (int64_t i = 0; i < m * k; i++) A->x[i] = (fc_real)(i * i % 13 - 6);
  for (int64_t i = 0; i < k * n; i++) B->x[i] = (fc_real)(i * i % 11 - 5);
  fc_gemm(false, false, m, n, k, 1, A->x, k, B->x, n, 0, C->x, n);
  const shape s = {.m = m, .n = n, .k = k};
  for (int64_t i = 0; i < m * n; i++) bad += !(C->x[i] == expected(&s, A->x, k, B->x, n, i / n, i % n));
  CHECK(bad == 0);
}

/* alpha and beta other than 0 and 1 */
static void scaled(void) {
  const fc_real A[2] = {1, 2}, B[2] = {3, 4};
  fc_real       C[4] = {1, 1, 1, 1};

  fc_gemm(false, false, 2, 2, 1, 2, A, 1, B, 2, 3, C, 2);
  CHECK(C[0] == 9 && C[1] == 11 && C[2] == 15 && C[3] == 19);
  fc_gemm(false, false, 2, 2, 0, 2, A, 1, B, 2, 3, C, 2); /* an empty sum */
  CHECK(C[0] == 27 && C[3] == 57);
}

/* blocks with gaps between them equal the products one by one, and nothing between them is touched */
static void blocks_of_rows(void) {
  static const int64_t rows[] = {1, 3, 5, 40};
  const int64_t        n = 70, k = 33, step = 50;
  fc_ctx              *c = check_ctx();
  fc_tensor           *A = check_random(c, FC_DIMS(3 * step, k)), *B = check_random(c, FC_DIMS(k, n)), *C[2];

  for (int r = 0; r < FC_COUNT(rows); r++)
    for (int beta = 0; beta < 2; beta++) {
      for (int i = 0; i < 2; i++) {
        C[i] = fc_tensor_new(c->arena, FC_DIMS(3 * step, n));
        for (int64_t j = 0; j < 3 * step * n; j++) C[i]->x[j] = (fc_real)(j % 17);
      }
      fc_gemm_blocks(3, rows[r], n, k, A->x, k, step * k, B->x, n, beta, C[0]->x, n, step * n);
      for (int64_t i = 0; i < 3; i++)
        fc_gemm(false, false, rows[r], n, k, 1, A->x + i * step * k, k, B->x, n, beta, C[1]->x + i * step * n,
                n);
      CHECK(check_distance(C[0], C[1]) < 1e-6); /* few rows: the library's order of summation against ours */
    }
}

static const fc_panel_blocks one = {1, 0, 0};

/* a caller may cut C anywhere and gets the same bits, whatever the numbers */
static void any_blocks(void) {
  const int64_t m = 90, n = 80, k = 300;
  fc_ctx       *c = check_ctx();
  fc_tensor    *A = check_random(c, FC_DIMS(m, k)), *B = check_random(c, FC_DIMS(n, k)),
            *C = fc_tensor_new(c->arena, FC_DIMS(m, n)), *D = fc_tensor_new(c->arena, FC_DIMS(m, n));

  if (!fc_panel_product(&one, false, true, m, n, k, A->x, k, B->x, k, false, C->x, n))
    return; /* not this processor */
  for (int64_t i = 0; i < m; i += 45)
    for (int64_t j = 0; j < n; j += 40)
      CHECK(fc_panel_product(&one, false, true, 45, 40, k, A->x + i * k, k, B->x + j * k, k, false,
                             D->x + i * n + j, n));
  CHECK(!memcmp(C->x, D->x, (size_t)(m * n) * sizeof(fc_real)));
}

static void any_threads(void) {
  const int64_t m = 700, n = 96, k = 5000;
  fc_ctx       *c = check_ctx();
  fc_tensor    *A = check_random(c, FC_DIMS(k, m)), *B = check_random(c, FC_DIMS(k, n)), *C[3], *D[3];
  const int     before = fc_threads();

  for (int i = 0; i < 3; i++) {
    C[i] = fc_tensor_new(c->arena, FC_DIMS(m, n));
    D[i] = fc_tensor_new(c->arena, FC_DIMS(m, n));
    fc_threads_set(i + 1);
    fc_gemm_rows(true, false, m, n, k, 1, A->x, m, B->x, n, 0, C[i]->x, n);
    fc_gemm_reduce(c->arena, m, n, k, A->x, m, B->x, n, false, D[i]->x, n);
    CHECK(!memcmp(C[0]->x, C[i]->x, (size_t)(m * n) * sizeof(fc_real)));
    CHECK(!memcmp(D[0]->x, D[i]->x, (size_t)(m * n) * sizeof(fc_real)));
  }
  fc_threads_set(before);
  CHECK(check_distance(C[0], D[0]) < 1e-5); /* 5000 terms in two orders: 6e-8 sqrt(5000) */
}

CHECK_SUITE(gemm, all_shapes, large, scaled, blocks_of_rows, any_blocks, any_threads)
