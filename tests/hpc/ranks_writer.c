/* tests/hpc/ranks_writer.c - run on 1 to 4 ranks: one file written in shares, with uneven coordinates. */
#include "hpc/comm.h"
#include "io/field_writer.h"
#include "tests/check.h"

enum { X = 9, Y = 4, Z = 3, FRAMES = 2, LINE = Y * Z * 3 };

static const double       y[Y]     = {-1, -0.5, 0.75, 1};
static const fc_out_field velocity = {"velocity", "", 1};
static char               path[4200];

static fc_real number(int64_t t, int64_t i) { return (fc_real)(t * 1000 + i * 37 % 1009) / 8; }

static fc_status write_share(void) {
  fc_field_spec s = {
      .name = "shares", .ndim = 3, .dim = {X, Y, Z}, .spacing = {1, 0, 1}, .points = {NULL, y}};
  fc_field_writer *w;
  int64_t          lo, hi;
  fc_real          x[X * LINE];

  fc_comm_block(NULL, X, &lo, &hi);
  s.n_traj = 1, s.n_steps = FRAMES, s.dt = 1, s.n_fields = 1, s.field = &velocity;
  s.shared = true, s.lo = lo, s.n = hi - lo;
  FC_TRY(fc_field_writer_create(path, &s, &w));
  for (int64_t t = 0; t < FRAMES; t++) {
    for (int64_t i = 0; i < (hi - lo) * LINE; i++) x[i] = number(t, lo * LINE + i);
    CHECK_OK(fc_field_write(w, 0, t, 1, x));
  }
  return fc_field_writer_finish(w);
}

static void written_in_shares(void) {
  fc_real   x[X * LINE];
  double    at[X];
  fc_field *f;
  int       wrong = 0;

  CHECK_OK(write_share());
  CHECK_OK(fc_field_open(path, &f));
  CHECK(!fc_field_about(f)->uniform[1] && fc_field_about(f)->uniform[2]);
  CHECK_OK(fc_field_points(f, 1, at));
  CHECK(!memcmp(at, y, sizeof y));
  for (int64_t t = 0; t < FRAMES; t++) {
    CHECK_OK(fc_field_read(f, 0, t, 1, 1, NULL, 0, NULL, x));
    for (int64_t i = 0; i < X * LINE; i++) wrong += x[i] != number(t, i);
  }
  CHECK(wrong == 0);
  fc_field_close(f);
  CHECK_OK(fc_comm_agree(NULL, FC_OK)); /* rank 0 removes the file when all have read it */
}

/* a folder of rank 0, whose name all know */
int main(int argc, char **argv) {
  static const check_case cases[] = {written_in_shares};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  snprintf(path, sizeof path, "%s", check_path("shares.h5"));
  if (fc_comm_broadcast(NULL, path, sizeof path, 0) != FC_OK) return 2;
  const int failed = check_run("writer", FC_COUNT(cases), cases, "written_in_shares");
  fc_comm_stop(failed);
  return failed;
}
