/* tests/io/test_series_damage.c - altered and truncated series in HDF5, told apart and opened in this very
   process: an answer in words, whatever libhdf5 does with them. And the trial that stands in between. */
#include "tests/check.h"

#include "io/data_kind.h"
#include "io/series.h"
#include "io/trial.h"

#include <sys/resource.h>
#include <unistd.h>

enum { ROWS = 60, COLUMNS = 2, FILES = 300 };

/* as in test_field_damage.c */
const char *__asan_default_options(void);
const char *__asan_default_suppressions(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
const char *__asan_default_suppressions(void) { return "interceptor_via_lib:libhdf5"; }

static unsigned char *whole;
static long           size;

static void make(void) {
  static const fc_series_text by       = {"command", "none"};
  fc_series_info             *info     = calloc(1, sizeof *info);
  char                       *names[2] = {"north", "south"}, *kinds[2] = {"work", "free"};
  int64_t                     at[3] = {0, 40, ROWS}, time[ROWS];
  double                      x[ROWS * COLUMNS];

  for (int r = 0; r < ROWS; r++) time[r] = 3600 * r, x[2 * r] = r * 0.37, x[2 * r + 1] = r % 2;
  *info             = (fc_series_info){.n_columns = COLUMNS,
                                       .n_series  = 2,
                                       .series    = names,
                                       .at        = at,
                                       .rows      = ROWS,
                                       .dated     = true,
                                       .step      = {3600, 0}};
  info->column[0]   = (fc_channel){.name = "load", .unit = "kW"};
  info->column[1]   = (fc_channel){.name = "kind", .field = 1};
  info->category[1] = (fc_series_class){2, kinds};
  CHECK_OK(fc_series_write(check_path("whole.h5"), info, x, time, 1, &by));
  free(info);
  FILE *f = fopen(check_path("whole.h5"), "rb");
  fseek(f, 0, SEEK_END);
  size  = ftell(f);
  whole = malloc((size_t)size);
  rewind(f);
  CHECK(fread(whole, 1, (size_t)size, f) == (size_t)size);
  fclose(f);
}

static void put_file(const char *path, const unsigned char *x, long n) {
  FILE *f = fopen(path, "wb");
  CHECK(fwrite(x, 1, (size_t)n, f) == (size_t)n);
  fclose(f);
}

/* false: refused, in words that name the file */
static bool opens(const char *path, const char *name) {
  fc_series *s = NULL;

  if (fc_data_kind_of(path) != FC_DATA_SERIES) return false;
  const fc_status status = fc_series_open(path, NULL, &s);
  if (status == FC_OK) CHECK(fc_series_about(s)->rows > 0);
  if (status != FC_OK) CHECK(status == FC_E_INPUT && strstr(fc_error(), name) && !s);
  fc_series_close(s);
  return status == FC_OK;
}

static void truncated(void) {
  const char *path = check_path("cut.h5");

  make();
  CHECK(opens(check_path("whole.h5"), "whole.h5"));
  for (long n = 0; n < size; n += n < 64 ? 7 : size / 20) {
    put_file(path, whole, n);
    CHECK(!opens(path, "cut.h5"));
  }
  free(whole);
}

/* bytes replaced at places from a fixed sequence; values may change unseen */
static void altered(void) {
  const char *path = check_path("altered.h5");
  int         fine = 0;
  uint64_t    r    = 2718;

  make();
#ifndef FC_NO_CLONES /* damaged lengths ask for gigabytes, which HDF5 would clear; sanitizers need terabytes \
                      */
  struct rlimit before, limit;
  getrlimit(RLIMIT_AS, &before);
  limit = (struct rlimit){(rlim_t)2 << 30, before.rlim_max};
  setrlimit(RLIMIT_AS, &limit);
#endif
  for (int k = 0; k < FILES; k++) {
    unsigned char *x = malloc((size_t)size);
    memcpy(x, whole, (size_t)size);
    for (int j = 0; j < 1 + k % 6; j++) {
      r                             = r * 6364136223846793005ULL + 1442695040888963407ULL;
      x[(r >> 33) % (uint64_t)size] = (unsigned char)(r >> 20);
    }
    put_file(path, x, size);
    fine += opens(path, "altered.h5");
    free(x);
  }
  CHECK(fine > 10 && fine < FILES - 10); /* values are hit, and headers */
#ifndef FC_NO_CLONES
  setrlimit(RLIMIT_AS, &before);
#endif
  free(whole);
}

/* ---- the trial itself ---- */

static fc_status well(void *user, int *answer) {
  *(int *)user = 1; /* in the child alone */
  *answer      = 42;
  return FC_OK;
}
static fc_status refuse(void *user, int *answer) {
  (void)user, (void)answer;
  return fc_fail(FC_E_USAGE, "not that one");
}
static fc_status crash(void *user, int *answer) {
  (void)user, (void)answer;
  abort();
}
static fc_status loop(void *user, int *answer) {
  volatile bool more = true;
  (void)user, (void)answer;
  while (more) {}
  return FC_OK;
}
static fc_status leave(void *user, int *answer) {
  (void)user, (void)answer;
  _exit(0);
}

static void trials(void) {
  int here = 0, answer = 7;

  CHECK_OK(fc_trial("a.h5", 5, well, &here, &answer));
  CHECK(here == 0 && answer == 42);
  CHECK_FAILS(fc_trial("a.h5", 5, refuse, &here, NULL), FC_E_USAGE, "not that one");
  answer = 7;
  CHECK_FAILS(fc_trial("a.h5", 5, crash, &here, &answer), FC_E_INPUT, "a.h5: reading it crashed");
  CHECK_FAILS(fc_trial("a.h5", 1, loop, &here, &answer), FC_E_INPUT,
              "a.h5: reading it took more than 1 s of processor time; the file is damaged");
  CHECK_FAILS(fc_trial("a.h5", 5, leave, &here, &answer), FC_E_INPUT,
              "a.h5: reading it ended without a word");
  CHECK(answer == 7);
  CHECK(fc_trial_seconds("absent") == 5);
}

CHECK_SUITE(series_damage, truncated, altered, trials)
