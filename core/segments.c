/* core/segments.c */
#include "core/segments.h"

#include <math.h>

fc_segments fc_segments_equal(fc_arena *a, int64_t n, int64_t length) {
  fc_segments s = {n, fc_arena_push(a, (size_t)(n + 1) * sizeof *s.at)};

  for (int64_t b = 0; b <= n; b++) s.at[b] = b * length;
  return s;
}

fc_segments fc_segments_of(fc_arena *a, const fc_tensor *lengths) {
  fc_segments s = {fc_len(lengths), fc_arena_push(a, (size_t)(fc_len(lengths) + 1) * sizeof *s.at)};

  s.at[0] = 0;
  for (int64_t b = 0; b < s.n; b++) s.at[b + 1] = s.at[b] + (int64_t)lengths->x[b];
  return s;
}

int64_t fc_segments_rows(const fc_segments *s) { return s->at[s->n]; }

int64_t fc_segments_longest(const fc_segments *s) {
  int64_t longest = 0;

  for (int64_t b = 0; b < s->n; b++) longest = fc_max64(longest, s->at[b + 1] - s->at[b]);
  return longest;
}

fc_status fc_segments_check(const fc_tensor *lengths, const char *name, int64_t rows) {
  int64_t sum = 0;

  for (int64_t b = 0; b < fc_len(lengths); b++) {
    const double v = (double)lengths->x[b];
    FC_REQUIRE(v >= 1 && v == floor(v), FC_E_MISMATCH,
               "%s: sample %lld has length %g; a positive integer is wanted", name, (long long)b, v);
    sum += (int64_t)v;
  }
  FC_REQUIRE(sum == rows, FC_E_MISMATCH, "%s: the lengths add up to %lld, there are %lld rows", name,
             (long long)sum, (long long)rows);
  return FC_OK;
}
