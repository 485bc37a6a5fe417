/* tests/hpc/ranks_turn.c - run on 1 to 4 ranks: arrays turned from one shared axis to another and back. */
#include "solvers/turn.h"
#include "tests/check.h"

enum { FIELDS = 3 };

static double value(int f, int64_t i, int64_t j, int64_t l) {
  return (double)(((f * 100 + i) * 100 + j) * 100 + l);
}

static double *room(int64_t n) { return calloc((size_t)n + 1, sizeof(double)); }

static void turn(int64_t n0, int64_t n1, int64_t len) {
  double  *a[FIELDS], *b[FIELDS], *c[FIELDS];
  int64_t  lo0, hi0, lo1, hi1;
  fc_turn *t;

  fc_comm_block(NULL, n0, &lo0, &hi0);
  fc_comm_block(NULL, n1, &lo1, &hi1);
  CHECK_OK(fc_turn_create(NULL, n0, n1, len, FIELDS, &t));
  for (int f = 0; f < FIELDS; f++) {
    a[f] = room((hi0 - lo0) * n1 * len);
    b[f] = room((hi1 - lo1) * n0 * len);
    c[f] = room((hi0 - lo0) * n1 * len);
    for (int64_t i = 0; i < (hi0 - lo0) * n1 * len; i++)
      a[f][i] = value(f, lo0 + i / (n1 * len), i / len % n1, i % len);
  }
  CHECK_OK(fc_turn_there(t, FIELDS, a, b));
  CHECK_OK(fc_turn_back(t, FIELDS, b, c));
  for (int f = 0; f < FIELDS; f++) {
    for (int64_t i = 0; i < (hi1 - lo1) * n0 * len; i++)
      CHECK(b[f][i] == value(f, i / len % n0, lo1 + i / (n0 * len), i % len));
    CHECK(!memcmp(a[f], c[f], (size_t)((hi0 - lo0) * n1 * len) * sizeof(double)));
    free(a[f]);
    free(b[f]);
    free(c[f]);
  }
  fc_turn_destroy(t);
}

static void even(void) { turn(12, 24, 10); }
static void uneven(void) { turn(7, 5, 3); }
static void fewer_than_ranks(void) { turn(2, 3, 1); }

int main(int argc, char **argv) {
  static const check_case cases[] = {even, uneven, fewer_than_ranks};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("turn", FC_COUNT(cases), cases, "even, uneven, fewer_than_ranks");
  fc_comm_stop(failed);
  return failed;
}
