/* tests/train/test_linear.c - the linear baseline is exact on data that a linear map makes. */
#include "tests/train/toy.h"
#include "train/linear.h"

static fc_run *trained(const char *data, const char *options) {
  fc_trainer *t    = toy_trainer(data, options);
  const char *path = check_path("linear.h5");
  fc_run     *r;

  CHECK_OK(fc_trainer_save(t, path, NULL));
  fc_trainer_destroy(t);
  CHECK_OK(fc_run_load(path, false, &r));
  return r;
}

/* toy data turns by a fixed angle: the linear map of one point predicts it to rounding, also fed back */
static void turns_exactly(void) {
  const char    *data = toy_file("linear.hdf5", 6, 12), *why;
  fc_run        *r    = trained(data, "");
  fc_linear_map *m;
  fc_source      s;
  fc_real        in[TOY_N * TOY_N * 2], truth[8 * TOY_N * TOY_N * 2], y[8 * TOY_N * TOY_N * 2];

  CHECK_OK(fc_run_open_data(r, data, &s));
  CHECK_OK(fc_linear_fit(r, &s, &m, &why));
  CHECK(m && strstr(fc_linear_text(m), "7^2 points"));
  CHECK_OK(fc_source_frames(&s, 5, 2, 1, in));
  CHECK_OK(fc_source_frames(&s, 5, 3, 8, truth));
  fc_linear_predict(m, in, 8, y);
  for (int i = 0; i < FC_COUNT(y); i++)
    CHECK_NEAR(y[i], truth[i], 1e-3); /* float data, regularised by 1e-8 */
  fc_linear_free(m);
  fc_source_close(&s);
  fc_run_free(r);
}

static void missing_data_is_said(void) {
  const char *data = toy_file("linear-gone.hdf5", 4, 12), *other = toy_file("linear-here.hdf5", 4, 12), *why;
  fc_run     *r = trained(data, "");
  fc_linear_map *m;
  fc_source      s;

  remove(data);
  CHECK_OK(fc_run_open_data(r, other, &s));
  CHECK_OK(fc_linear_fit(r, &s, &m, &why));
  CHECK(!m && strstr(why, "no longer"));
  fc_source_close(&s);
  fc_run_free(r);
}

CHECK_SUITE(linear, turns_exactly, missing_data_is_said)
