/* tests/train/test_points_evaluate.c - scores and predictions of runs on points, read back from the report
   and from the file that is written. */
#include "io/file.h"
#include "tests/train/toy_points.h"
#include "train/evaluate.h"
#include "train/points_linear.h"

static char *report; /* of the last evaluation */

static fc_status evaluate(const char *dir, const fc_evaluate_job *job) {
  fc_run *r;
  size_t  bytes;

  CHECK_OK(fc_run_load(dir, true, &r));
  free(report);
  FILE           *f = open_memstream(&report, &bytes);
  const fc_status s = fc_points_evaluate(r, job, f);
  fclose(f);
  fc_run_free(r);
  return s;
}

/* number `column` of the first line below `heading` that begins with `row` */
static double number(const char *heading, const char *row, int column) {
  const char *p = strstr(report, heading);
  double      v = NAN;

  p = p ? strstr(p, row) : NULL;
  if (!p) return NAN;
  p += strlen(row);
  for (int k = 0, n = 0; k <= column && sscanf(p, " %lf%n", &v, &n) == 1; k++) {
    p += n;
    if (*p == ' ' && p[1] == ' ' && p[2] == '|') p += 3;
  }
  return v;
}

static const char *run_folder(const char *name) {
  static char dir[FC_TEXT];

  snprintf(dir, sizeof dir, "%s", check_path(name));
  return dir;
}

/* With weights of zero the network gives the training mean. Targets are linear in the inputs, so the linear
   map is exact: the yardstick is as good as it claims. */
static void baselines(void) {
  for (int masked = 0; masked < 2; masked++) {
    const char *data = spots_file(masked ? "masked.h5" : "plain.h5", 12, masked),
               *dir  = run_folder(masked ? "a" : "b");
    fc_trainer *t =
        spots_trainer(data, "train.steps=1 train.lr=0 train.eval_every=0 data.valid_fraction=0.25");
    fc_evaluate_job job    = {.data = data, .quiet = true};
    double          square = 0, n = 0, mean[2] = {t->k.out.mean[0], t->k.out.mean[1]};

    memset(fc_params_values(t->network->params), 0,
           (size_t)fc_params_block(t->network->params, true) * sizeof(fc_real));
    CHECK_OK(fc_trainer_run(t, dir, false));
    CHECK_OK(evaluate(dir, &job));
    for (int64_t k = 0; k < 12; k++) {
      spots_sample s;
      spots_make(k, &s);
      for (int64_t i = 0; i < s.n; i++)
        if (!masked || s.mask[2 * i + 1] > 0) n++, square += pow((double)s.out[2 * i + 1] - mean[1], 2);
    }
    CHECK(strstr(report, "12 of 12 samples") && strstr(report, "b (K)"));
    CHECK_NEAR(number("b (K)", "RMSE", 0), sqrt(square / n),
               1e-3 * sqrt(square / n)); /* four digits are printed */
    CHECK_NEAR(number("b (K)", "RMSE", 2), sqrt(square / n), 1e-3 * sqrt(square / n));
    CHECK(number("a (Pa)", "relative L2", 1) < 1e-4 && number("b (K)", "R2", 1) > 0.9999);
    CHECK(fabs(number("a (Pa)", "R2", 2)) < 0.3);
    job.split = FC_SPLIT_VALID;
    CHECK_OK(evaluate(dir, &job));
    CHECK(strstr(report, "3 of 3 samples"));
    remove(data);
    job.data = spots_file("again.h5", 4, masked);
    CHECK_OK(evaluate(dir, &job));
    CHECK(strstr(report, "no linear baseline: the training data is no longer"));
    fc_trainer_destroy(t);
  }
}

/* predictions beside the truth, in units, with coordinates and parameters; a picture for each field */
static void writes_predictions(void) {
  const char           *data = spots_file("write.h5", 5, false), *dir = run_folder("write");
  fc_trainer           *t = spots_trainer(data, "train.steps=1 train.lr=0 train.eval_every=0");
  char                  out[FC_TEXT], path[FC_TEXT + 32];
  const fc_evaluate_job job = {.data = data, .quiet = true, .out = out, .command = "a test", .up = 2};
  fc_cloud             *c;
  fc_real               v[4 * SPOTS_MOST], Re;
  spots_sample          s;

  memset(fc_params_values(t->network->params), 0,
         (size_t)fc_params_block(t->network->params, true) * sizeof(fc_real));
  CHECK_OK(fc_trainer_run(t, dir, false));
  snprintf(out, sizeof out, "%s", check_path("written"));
  CHECK_OK(evaluate(dir, &job));
  snprintf(path, sizeof path, "%s/b.png", out);
  CHECK(fc_file_exists(path));
  snprintf(path, sizeof path, "%s/prediction.hdf5", out);
  CHECK_OK(fc_cloud_open(path, NULL, &c));
  const fc_cloud_info *i = fc_cloud_about(c);
  CHECK(i->n_samples == 5 && i->n_channels == 4 && i->n_params == 1 &&
        !strcmp(i->channel[3].name, "b_truth"));
  CHECK(!strcmp(fc_cloud_text(c, "command"), "a test") && !strcmp(i->channel[1].unit, "K"));
  spots_make(3, &s);
  CHECK_OK(fc_cloud_read(c, 3, 0, 1, 0, NULL, v));
  CHECK_OK(fc_cloud_read_params(c, 3, &Re));
  CHECK_NEAR(v[4 * 2 + 1], t->k.out.mean[1], 1e-3);
  CHECK_NEAR(v[4 * 2 + 3], s.out[2 * 2 + 1], 1e-4 * fabs((double)s.out[5]));
  CHECK(Re == s.Re);
  fc_cloud_close(c);
  fc_trainer_destroy(t);
}

/* rolled out from the first frame; the linear map finds the turn and feeds itself, persistence turns away */
static void rolls_out(void) {
  const char           *data = spots_movie("movie.h5", 6, 9), *dir = run_folder("movie");
  char                  out[FC_TEXT];
  const fc_evaluate_job job = {.data = data, .quiet = true, .out = out, .command = "a test"};
  fc_trainer *t = spots_trainer(data, "args.features=2 args.params=0 args.function=0 data.channels=a,b "
                                      "data.history=1 train.steps=1500 train.lr=0.05 train.loss=mse "
                                      "train.weight_decay=0 train.eval_every=0");
  fc_cloud   *c;
  fc_real     v[4 * SPOTS_MOST], x[2 * SPOTS_MOST], a[3][SPOTS_MOST];
  double      time;

  snprintf(out, sizeof out, "%s", check_path("movie-out.h5"));
  CHECK_OK(fc_trainer_run(t, dir, false));
  CHECK_OK(evaluate(dir, &job));
  CHECK(number("a (m)", "RMSE", 0) < 1e-2 &&
        number("a (m)", "RMSE", 4) < 1e-2); /* model: first frame, all frames */
  CHECK(number("a (m)", "RMSE", 2) < 1e-4 && number("a (m)", "RMSE", 6) < 1e-4); /* linear */
  CHECK(number("a (m)", "RMSE", 5) > 2 * number("a (m)", "RMSE", 1));            /* persistence */
  CHECK_OK(fc_cloud_open(out, NULL, &c));
  CHECK(fc_cloud_about(c)->n_steps == 8 && fc_cloud_about(c)->varying[0]);
  CHECK_OK(fc_cloud_times(c, 0, 0, 1, &time));
  CHECK_NEAR(time, 0.5, 0);
  spots_frame(2, 4, x, a[0], a[1], a[2]);
  CHECK_OK(fc_cloud_read(c, 2, 3, 1, 0, NULL, v)); /* frame 4 of the data is frame 3 of the prediction */
  CHECK_NEAR(v[4 * 5 + 2], a[0][5], 1e-5);
  CHECK_NEAR(v[4 * 5], a[0][5], 2e-2);
  fc_cloud_close(c);
  fc_trainer_destroy(t);
}

CHECK_SUITE(points_evaluate, baselines, writes_predictions, rolls_out)
