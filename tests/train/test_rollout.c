/* tests/train/test_rollout.c - rollout, comparison, resampling, on data whose future is known. */
#include "io/file.h"
#include "tests/train/toy.h"
#include "train/compare.h"
#include "train/resample.h"
#include "train/rollout.h"
#include "train/rollout_run.h"

#ifdef __SANITIZE_ADDRESS__
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
} /* its caches live to the end */
#endif

enum { FRAME = TOY_N * TOY_N * 2 };

/* a run whose weights are the exact turn: saved, so that rollout loads it as a user would */
static void exact_run(const char *data, char dir[FC_TEXT], const char *options) {
  fc_trainer *t = toy_trainer(data, options);
  char        path[FC_TEXT + 32];

  CHECK_OK(fc_make_folder(dir));
  fc_real *W     = fc_params_find(t->network->params, "map.weight")->x,
          *b     = fc_params_find(t->network->params, "map.bias")->x;
  const double c = toy_decay * cos(toy_angle), n = toy_decay * sin(toy_angle);
  const double ratio = t->k.out.std[1] / t->k.out.std[0],
               shift = (toy_offset - t->k.out.mean[0]) / t->k.out.std[0];
  const double other = -t->k.out.mean[1] / t->k.out.std[1]; /* where zero lies in normalised numbers */
  W[0] = (fc_real)c, W[1] = (fc_real)(-n * ratio), W[2] = (fc_real)(n / ratio), W[3] = (fc_real)c;
  b[0] = (fc_real)(shift - c * shift + n * ratio * other);
  b[1] = (fc_real)(other - n / ratio * shift - c * other);
  snprintf(path, sizeof path, "%s/checkpoint.h5", dir);
  CHECK_OK(fc_trainer_save(t, path, NULL));
  fc_trainer_destroy(t);
}

static void follows_the_truth(void) {
  const char *data = toy_file("follow.hdf5", 3, 20);
  char        dir[FC_TEXT];
  fc_run     *run;
  fc_source   s;
  fc_rollout *r;
  fc_real     x[FRAME];

  snprintf(dir, sizeof dir, "%s", check_path("exact"));
  exact_run(data, dir, "");
  CHECK_OK(fc_run_load(dir, true, &run));
  CHECK_OK(fc_run_open_data(run, data, &s));
  CHECK_OK(fc_rollout_create(run, &s, NULL, &r));
  CHECK_OK(fc_rollout_start(r, 2, 4));
  toy_frame(2, 4, x);
  CHECK_NEAR(fc_rollout_last(r)[5], x[5], 1e-5); /* to normalised numbers and back */
  for (int t = 5; t < 60; t++) {                 /* far beyond the file */
    const fc_real *y = fc_rollout_next(r);
    toy_frame(2, t, x);
    for (int i = 0; i < FRAME; i++) CHECK_NEAR(y[i], x[i], 5e-5); /* 60 roundings of numbers of size 3 */
  }
  fc_rollout_destroy(r);
  fc_source_close(&s);
  fc_run_free(run);
}

/* the file of a rollout is a field file with units, and holds the frames after the history */
static void writes_fields(void) {
  const char *data = toy_file("write.hdf5", 3, 20);
  char        dir[FC_TEXT], out[FC_TEXT], path[FC_TEXT + 32], *text;
  size_t      bytes;
  fc_run     *run;
  fc_field   *f;
  fc_real     x[FRAME], y[FRAME];
  double      time;
  FILE       *report = tmpfile();

  snprintf(dir, sizeof dir, "%s", check_path("exact-2"));
  snprintf(out, sizeof out, "%s", check_path("out"));
  exact_run(data, dir, "");
  CHECK_OK(fc_run_load(dir, true, &run));
  const fc_rollout_job job = {.data             = data,
                              .out              = out,
                              .command          = "test",
                              .traj             = -1,
                              .start            = 3,
                              .compare          = true,
                              .good_error       = 0.5,
                              .good_correlation = 0.8,
                              .quiet            = true};
  CHECK_OK(fc_rollout_run(run, &job, report));
  snprintf(path, sizeof path, "%s/prediction.hdf5", out);
  CHECK_OK(fc_field_open(path, &f));
  const fc_field_info *i = fc_field_about(f);
  CHECK(i->n_traj == 3 && i->n_steps == 16 && i->n_channels == 2);
  CHECK(!strcmp(i->channel[0].unit, "m") && !strcmp(i->time_unit, "s") && i->periodic[0]);
  CHECK(!strcmp(fc_field_text(f, "model"), "toy"));
  CHECK_OK(fc_field_times(f, 1, 0, 1, &time));
  CHECK_NEAR(time, 4 * 0.5, 1e-6); /* history is frame 3 alone: the first prediction is frame 4 */
  CHECK_OK(fc_field_read(f, 1, 10, 1, 1, NULL, 0, NULL, x));
  toy_frame(1, 14, y);
  for (int k = 0; k < FRAME; k++) CHECK_NEAR(x[k], y[k], 5e-5);
  fc_field_close(f);
  snprintf(path, sizeof path, "%s/error.csv", out);
  CHECK_OK(fc_file_read(path, 1 << 20, &text, &bytes));
  int lines = 0;
  for (size_t k = 0; k < bytes; k++) lines += text[k] == '\n';
  CHECK(lines == 1 + 3 * 16 * 3); /* two methods, 16 frames, mean and two channels */
  free(text);
  fc_run_free(run);
  fclose(report);
}

/* numbers with a known answer: y = truth, y = mean of truth, y = 2 truth (zero mean) */
static void compares(void) {
  const fc_geometry g = {.ndim = 2, .dim = {8, 8}, .dt = 0.5};
  fc_compare       *c;
  fc_real           truth[64], y[64];
  double            t;

  CHECK_OK(fc_compare_create(&g, 1, 3, NULL, &c));
  const int m = fc_compare_method(c, "model");
  for (int i = 0; i < 64; i++)
    truth[i] = (fc_real)(sin(2 * M_PI * (i / 8) / 8) + cos(2 * M_PI * 2 * (i % 8) / 8));
  CHECK_OK(fc_compare_add(c, m, 0, truth, truth));
  for (int i = 0; i < 64; i++) y[i] = 2 * truth[i];
  CHECK_OK(fc_compare_add(c, m, 1, y, truth));
  memset(y, 0, sizeof y);
  CHECK_OK(fc_compare_add(c, m, 2, y, truth));
  CHECK_NEAR(fc_compare_at(c, m, FC_C_VRMSE, 0, 0), 0, 0);
  CHECK_NEAR(fc_compare_at(c, m, FC_C_SPECTRUM, 0, 0), 0, 1e-12);
  CHECK_NEAR(fc_compare_at(c, m, FC_C_RELATIVE_L2, 1, -1), 1, 1e-6);
  CHECK_NEAR(fc_compare_at(c, m, FC_C_SPECTRUM, 1, 0), log(4),
             1e-6);                                           /* energy is four times as large at each k */
  CHECK_NEAR(fc_compare_at(c, m, FC_C_VRMSE, 2, 0), 1, 0.01); /* unbiased variance: sqrt(63/64) */
  CHECK_OK(fc_compare_valid(c, m, FC_C_VRMSE, 0.5, &t));
  CHECK_NEAR(t, 0.75, 0.01); /* half way from 0 at 0.5 to nearly 1 at 1.0 */
  fc_compare_destroy(c);
}

/* a field of few modes is the same function on both grids; coarse and back is the identity on it */
static void resamples(void) {
  enum { N = 16, M = 12 };
  const int64_t fine[2] = {N, N}, coarse[2] = {M, 6};
  fc_real       x[N * N], y[M * 6], z[N * N];

  for (int i = 0; i < N * N; i++)
    x[i] = (fc_real)(0.5 + sin(2 * M_PI * 3 * (i / N) / N) * cos(2 * M_PI * 2 * (i % N) / N + 0.4));
  CHECK_OK(fc_resample(2, fine, coarse, 1, x, y));
  for (int i = 0; i < M * 6; i++) /* 1e-5: products of 16 float numbers of size one, twice */
    CHECK_NEAR(y[i], 0.5 + sin(2 * M_PI * 3 * (i / 6) / M) * cos(2 * M_PI * 2 * (i % 6) / 6.0 + 0.4), 1e-5);
  CHECK_OK(fc_resample(2, coarse, fine, 1, y, z));
  for (int i = 0; i < N * N; i++) CHECK_NEAR(z[i], x[i], 1e-5);
  /* a mode that the coarse grid cannot carry disappears instead of becoming another one */
  for (int i = 0; i < N * N; i++) x[i] = (fc_real)cos(2 * M_PI * 7 * (i / N) / N);
  CHECK_OK(fc_resample(2, fine, coarse, 1, x, y));
  for (int i = 0; i < M * 6; i++) CHECK_NEAR(y[i], 0, 1e-5);
}

static void refuses(void) {
  const char    *data = toy_file("refuse2.hdf5", 2, 6);
  char           dir[FC_TEXT];
  fc_run        *run;
  fc_rollout_job job = {.data = data, .out = "x", .command = "", .traj = 5, .quiet = true};

  snprintf(dir, sizeof dir, "%s", check_path("exact-3"));
  exact_run(data, dir, "");
  CHECK_OK(fc_run_load(dir, true, &run));
  CHECK_FAILS(fc_rollout_run(run, &job, stdout), FC_E_USAGE, "trajectories 0 to 1");
  job.traj = 0, job.start = 6;
  CHECK_FAILS(fc_rollout_run(run, &job, stdout), FC_E_INPUT, "lower --start");
  job.start = 5;
  CHECK_FAILS(fc_rollout_run(run, &job, stdout), FC_E_USAGE, "--steps");
  fc_run_free(run);
}

CHECK_SUITE(rollout, follows_the_truth, writes_fields, compares, resamples, refuses)
