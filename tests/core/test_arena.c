/* tests/core/test_arena.c */
#include "core/arena.h"
#include "tests/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static fc_arena *fresh(size_t bytes) {
  fc_arena *a = NULL;

  CHECK_OK(fc_arena_create(bytes, false, &a));
  return a;
}

static void pieces_are_aligned_and_apart(void) {
  fc_arena      *a = fresh(1 << 20);
  unsigned char *p[10];

  for (int i = 0; i < 10; i++) {
    p[i] = fc_arena_push(a, (size_t)(7 * i + 1));
    CHECK((uintptr_t)p[i] % 64 == 0);
    memset(p[i], i, (size_t)(7 * i + 1));
  }
  for (int i = 0; i < 10; i++) CHECK(p[i][0] == i && p[i][7 * i] == i);
  CHECK(fc_arena_push(a, 0) != NULL);
  fc_arena_destroy(a);
  fc_arena_destroy(NULL);
}

static void pop_gives_back(void) {
  fc_arena    *a      = fresh(1 << 20);
  void        *first  = fc_arena_push(a, 100);
  const size_t mark   = fc_arena_mark(a);
  void        *second = fc_arena_push(a, 1000);

  CHECK(fc_arena_above(a, mark, second) && !fc_arena_above(a, mark, first));
  fc_arena_pop(a, mark);
  CHECK(!fc_arena_above(a, mark, second));
  CHECK(fc_arena_push(a, 8) == second);
  fc_arena_destroy(a);
}

static void peak_remembers(void) {
  fc_arena    *a    = fresh(1 << 20);
  const size_t mark = fc_arena_mark(a);

  fc_arena_push(a, 6400);
  fc_arena_pop(a, mark);
  fc_arena_push(a, 64);
  CHECK(fc_arena_peak(a) == 6400);
  fc_arena_peak_reset(a);
  CHECK(fc_arena_peak(a) == 64);
  fc_arena_destroy(a);
}

/* the kept bytes move over themselves: source and target overlap */
static void keep_moves_down(void) {
  fc_arena    *a    = fresh(1 << 20);
  const size_t mark = fc_arena_mark(a);
  bool         same = true;

  fc_arena_push(a, 640);
  unsigned char *p = fc_arena_push(a, 10000);
  for (int i = 0; i < 10000; i++) p[i] = (unsigned char)(i % 251);
  const unsigned char *q = fc_arena_keep(a, mark, p, 10000, true);
  for (int i = 0; i < 10000; i++) same = same && q[i] == i % 251;
  CHECK(same && q == p - 640);
  CHECK(fc_arena_mark(a) == mark + (10000 + 63) / 64 * 64);
  fc_arena_destroy(a);
}

static void impossible_reserve_is_refused(void) {
  fc_arena *a = NULL;

  CHECK_FAILS(fc_arena_create((size_t)1 << 60, false, &a), FC_E_SYSTEM, "address space");
  CHECK(a == NULL);
}

/* running past the reserve, or popping what was not pushed, is a programming error: it aborts and says so */
static void misuse_aborts(void) {
  for (int kind = 0; kind < 2; kind++) {
    fc_arena   *a      = fresh(1 << 16);
    const pid_t child  = fork();
    int         status = 0;
    if (child == 0) {
      if (!freopen("/dev/null", "w", stderr)) _exit(3);
      if (kind == 0)
        fc_arena_push(a, 1 << 17);
      else
        fc_arena_pop(a, 64);
      _exit(0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    fc_arena_destroy(a);
  }
}

CHECK_SUITE(arena, pieces_are_aligned_and_apart, pop_gives_back, peak_remembers, keep_moves_down,
            impossible_reserve_is_refused, misuse_aborts)
