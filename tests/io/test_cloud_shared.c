/* tests/io/test_cloud_shared.c - one file of points that several ranks write. */
#include "tests/check.h"

#include "io/cloud_writer.h"

enum { SAMPLES = 3, STEPS = 2, MOST = 8 };
static const int64_t points_of[SAMPLES] = {5, 3, 8};

static fc_real value(int what, int64_t s, int64_t t, int64_t i, int k) {
  return (fc_real)(1000 * what + 100 * s + 31 * t + i + 0.25 * k);
}

/* Ranks write blocks of samples in any order; a reader finds what one writer appends. (One process plays
 * them.) */
static void shared_file(void) {
  static const char *const         components[] = {"u", "v"};
  static const fc_out_points_field fields[]     = {{"velocity", "m/s", 2, components, FC_ROLE_TARGET, true},
                                                   {"p", "Pa", 1, NULL, FC_ROLE_TARGET, false}};
  static const double              times[STEPS] = {0.5, 1.5};
  static const int64_t             cell[6]      = {0, 1, 2, 2, 1, 0};
  fc_cloud_size                    size[SAMPLES];
  fc_cloud_spec                    spec = {.name      = "shared",
                                           .space     = 2,
                                           .n_steps   = STEPS,
                                           .time      = times,
                                           .n_fields  = 2,
                                           .field     = fields,
                                           .n_params  = 1,
                                           .corners   = 3,
                                           .shared    = true,
                                           .n_samples = SAMPLES,
                                           .size      = size};
  const char                      *path = check_path("shared.h5");
  fc_real                          x[STEPS * MOST * 4];
  int64_t                          got[6];
  fc_cloud_writer                 *w;
  fc_cloud                        *c;

  spec.param[0].name = "Re", spec.param[0].unit = "";
  for (int64_t s = 0; s < SAMPLES; s++) size[s] = (fc_cloud_size){.points = points_of[s], .cells = s};
  CHECK_OK(fc_cloud_writer_create(path, &spec, &w));
  for (int64_t s = SAMPLES - 1; s >= 0; s--)
    for (int r = 2; r >= 0; r--) {
      const int64_t        N = points_of[s], lo = N * r / 3, n = N * (r + 1) / 3 - lo;
      fc_real              at[MOST * 2], v[STEPS * MOST * 2], p[MOST], re = value(4, s, 0, 0, 0);
      const fc_real *const field[] = {v, p};
      for (int64_t i = 0; i < n; i++) {
        p[i] = value(3, s, 0, lo + i, 0);
        for (int k = 0; k < 2; k++) {
          at[2 * i + k] = value(0, s, 0, lo + i, k);
          for (int64_t t = 0; t < STEPS; t++) v[(t * n + i) * 2 + k] = value(1, s, t, lo + i, k);
        }
      }
      const fc_cloud_sample part = {.points = n,
                                    .x      = at,
                                    .field  = field,
                                    .params = r == 1 ? &re : NULL,
                                    .cells  = s,
                                    .cell   = r == 2 ? cell : NULL};
      CHECK_OK(fc_cloud_write_share(w, s, lo, &part));
    }
  CHECK_OK(fc_cloud_writer_finish(w));
  CHECK_OK(fc_cloud_open(path, NULL, &c));
  for (int64_t s = 0; s < SAMPLES; s++) {
    const int64_t N = points_of[s];
    CHECK(fc_cloud_size_of(c, s).points == N && fc_cloud_size_of(c, s).cells == s);
    CHECK_OK(fc_cloud_read_points(c, s, x));
    for (int64_t i = 0; i < N; i++)
      CHECK(x[2 * i] == value(0, s, 0, i, 0) && x[2 * i + 1] == value(0, s, 0, i, 1));
    CHECK_OK(fc_cloud_read(c, s, 0, STEPS, 0, NULL, x));
    for (int64_t k = 0; k < STEPS * N; k++) {
      CHECK(x[3 * k] == value(1, s, k / N, k % N, 0) && x[3 * k + 1] == value(1, s, k / N, k % N, 1));
      CHECK(x[3 * k + 2] == value(3, s, 0, k % N, 0));
    }
    CHECK_OK(fc_cloud_read_params(c, s, x));
    CHECK(x[0] == value(4, s, 0, 0, 0));
    CHECK_OK(fc_cloud_read_cells(c, s, got));
    CHECK(!memcmp(got, cell, (size_t)(3 * s) * sizeof *cell));
  }
  fc_cloud_close(c);
  spec.n_samples = 0;
  CHECK_FAILS(fc_cloud_writer_create(path, &spec, &w), FC_E_USAGE, "no samples");
}

CHECK_SUITE(cloud_shared, shared_file)
