/* tests/train/test_points.c - training on points with a known answer. */
#include "tests/train/toy_points.h"

static double loss_after(fc_trainer *t, int64_t steps, double *first) {
  fc_step_facts f = {0};

  for (int64_t i = 0; i < steps; i++) {
    CHECK_OK(fc_trainer_step(t, &f));
    if (!i && first) *first = f.loss;
  }
  return f.loss;
}

static double weight_in_units(const fc_trainer *t, int target, int column, double std) {
  const fc_tensor *W = fc_params_find(t->network->params, "map.weight");

  return (double)W->x[target * W->dim[1] + column] * t->k.out.std[target] / std;
}

/* the data is an exact linear map, so the loss goes to zero and the weights to it, with and without mask */
static void finds_the_optimum(void) {
  for (int masked = 0; masked < 2; masked++) {
    fc_trainer  *t     = spots_trainer(spots_file("optimum.h5", 12, masked),
                                       "train.steps=4000 train.lr=0.05 train.loss=mse train.weight_decay=0 "
                                            "data.valid_fraction=0.25");
    double       first = 0;
    const double last  = loss_after(t, 4000, &first);
    fc_scores    s;

    CHECK(t->feed.items == 9 && t->feed.in_memory);
    CHECK(first > 0.05 && last < 1e-6);
    CHECK_NEAR(weight_in_units(t, 0, 0, t->k.x.std[0]), 2, 1e-3);
    CHECK_NEAR(weight_in_units(t, 0, 2, t->k.in.std[0]), 0.5, 3e-3);
    CHECK_NEAR(weight_in_units(t, 0, 3, t->k.params.std[0]), 1, 5e-3);
    CHECK_NEAR(weight_in_units(t, 1, 1, t->k.x.std[1]), 100, 0.1);
    CHECK_OK(fc_trainer_validate(t, &s));
    CHECK(s.v[FC_SCORE_ONE_STEP] < 1e-3 && s.v[FC_SCORE_ONE_STEP_BASE] > 0.5 && isnan(s.v[FC_SCORE_ROLLOUT]));
    fc_trainer_destroy(t);
  }
}

/* where the numbers come from makes no difference in a single bit */
static void memory_and_disk_agree(void) {
  const char *data = spots_file("stream.h5", 9, true);
  fc_trainer *t[2] = {spots_trainer(data, "data.cache_mb=10"), spots_trainer(data, "data.cache_mb=0")};

  CHECK(t[0]->feed.in_memory && !t[1]->feed.in_memory);
  for (int i = 0; i < 20; i++) {
    fc_step_facts f, g;
    CHECK_OK(fc_trainer_step(t[0], &f));
    CHECK_OK(fc_trainer_step(t[1], &g));
    CHECK(f.loss == g.loss && f.grad_norm == g.grad_norm);
  }
  fc_trainer_destroy(t[1]); /* its thread reads ahead: HDF5 is for one thread at a time */
  fc_trainer_destroy(t[0]);
}

/* statistics of the training samples, in units; coordinates of the function are scaled like those of the
 * points */
static void normalisation(void) {
  fc_trainer *t    = spots_trainer(spots_file("scale.h5", 8, false), "data.valid_fraction=0.25");
  fc_trainer *box  = spots_trainer(check_path("scale.h5"), "data.scale_coordinates=box");
  fc_trainer *none = spots_trainer(check_path("scale.h5"), "data.normalize=false");
  double      n = 0, sum = 0, square = 0, lo = INFINITY;

  for (int64_t k = 0; k < 8; k++) {
    spots_sample s;
    spots_make(k, &s);
    for (int64_t i = 0; i < s.n; i++) lo = fmin(lo, (double)s.x[2 * i]);
    for (int64_t i = 0; i < s.n && k < 6; i++)
      n++, sum += (double)s.out[2 * i], square += (double)s.out[2 * i] * (double)s.out[2 * i];
  }
  CHECK_NEAR(t->k.out.mean[0], sum / n, 1e-4);
  CHECK_NEAR(t->k.out.std[0], sqrt(square / n - sum * sum / n / n), 1e-3);
  CHECK(!strcmp(t->k.out.channel[1].name, "b") && !strcmp(t->k.out.channel[1].unit, "K"));
  CHECK(t->k.n_functions == 1 && t->k.function[0].mean[1] == t->k.x.mean[1]);
  CHECK(t->k.function[0].std[2] != t->k.x.std[0]);
  CHECK_NEAR(box->k.x.mean[0], lo, 10);
  CHECK(none->k.out.mean[0] == 0 && none->k.out.std[0] == 1 && none->k.x.std[1] == 1);
  fc_trainer_destroy(t);
  fc_trainer_destroy(box);
  fc_trainer_destroy(none);
}

/* the gradient of two half batches is that of the whole: equal up to the order of float sums */
static void accumulation_is_a_larger_batch(void) {
  static const char *const losses[] = {"relative_l2", "relative_l2_channels", "mse"};

  for (int k = 0; k < 6; k++) {
    const char *data = spots_file("accumulate.h5", 10, k > 2);
    char        options[2][256];
    fc_trainer *t[2];
    for (int i = 0; i < 2; i++) {
      snprintf(options[i], sizeof options[i],
               "train.batch=%d train.accumulate=%d train.steps=20 train.clip=0 train.loss=%s "
               "train.loss_in_units=%s",
               i ? 2 : 4, i ? 2 : 1, losses[k % 3], k % 2 ? "true" : "false");
      t[i] = spots_trainer(data, options[i]);
    }
    for (int i = 0; i < 20; i++) {
      fc_step_facts f, g;
      CHECK_OK(fc_trainer_step(t[0], &f));
      CHECK_OK(fc_trainer_step(t[1], &g));
      CHECK_NEAR(f.loss, g.loss, 3e-6 * f.loss);
      CHECK_NEAR(f.grad_norm, g.grad_norm, 2e-5 * f.grad_norm);
    }
    fc_trainer_destroy(t[0]);
    fc_trainer_destroy(t[1]);
  }
}

/* every item once per epoch, whole, in the order of the permutation that grids use */
static void stream(void) {
  enum { N = 10, BATCH = 3 };
  fc_trainer  *t = spots_trainer(spots_file("stream.h5", N, false),
                                 "data.valid_fraction=0 data.normalize=false train.batch=3");
  const fc_rng r = {1, 0, FC_RNG_SHUFFLE};
  int64_t      order[N], at = 0;
  fc_load      load;

  fc_rng_permutation(&r, N, order);
  fc_loader_seek(t->loader, 0);
  for (int b = 0; b < 3; b++) {
    CHECK_OK(fc_loader_next(t->loader, &load));
    const fc_points_batch *q   = load.batch;
    int64_t                row = 0, f_row = 0;
    CHECK(q->n == BATCH);
    for (int k = 0; k < BATCH; k++, at++) {
      spots_sample s;
      spots_make(order[at], &s);
      CHECK(q->lengths[k] == s.n && q->f_lengths[0][k] == s.rows && q->params[k] == s.Re);
      for (int64_t i = 0; i < s.n; i++, row++)
        CHECK(q->x[2 * row] == s.x[2 * i] && q->fx[row] == s.bump[i] &&
              q->target[2 * row + 1] == s.out[2 * i + 1]);
      for (int64_t i = 0; i < s.rows; i++, f_row++) CHECK(q->f[0][3 * f_row + 2] == s.f[3 * i + 2]);
    }
    CHECK(q->rows == row && q->f_rows[0] == f_row);
  }
  fc_trainer_destroy(t);
}

/* frames of the targets are given, their successor is learned: a turn by 0.3; predictions are fed back */
static void history(void) {
  fc_trainer *t =
      spots_trainer(spots_movie("history.h5", 5, 9),
                    "args.features=2 args.params=0 args.function=0 data.channels=a,b data.history=1 "
                    "train.steps=1500 train.lr=0.05 train.loss=mse train.weight_decay=0 "
                    "data.valid_fraction=0.2 train.eval_frames=6");
  fc_scores s;

  CHECK(t->feed.items == 4 * 8); /* eight of nine frames have one before them */
  CHECK(loss_after(t, 1500, NULL) < 1e-8);
  const double a = t->k.out.std[0], b = t->k.out.std[1];
  CHECK_NEAR(weight_in_units(t, 0, 2, a), 0.98 * cos(0.3), 2e-3);
  CHECK_NEAR(weight_in_units(t, 0, 3, b), -0.98 * sin(0.3), 2e-3);
  CHECK_OK(fc_trainer_validate(t, &s));
  CHECK(s.v[FC_SCORE_ONE_STEP] < 1e-3 && s.v[FC_SCORE_ROLLOUT] < 1e-2);
  CHECK(s.v[FC_SCORE_ONE_STEP_BASE] > 0.2 &&
        s.v[FC_SCORE_ROLLOUT_BASE] > s.v[FC_SCORE_ONE_STEP_BASE]); /* persistence turns away from the truth */
  fc_trainer_destroy(t);
}

/* the model is told the time of the frame, as the file has it */
static void time_as_input(void) {
  fc_trainer *t =
      spots_trainer(check_path("history.h5"),
                    "args.features=0 args.params=0 args.function=0 args.targets=1 args.time=true "
                    "data.channels=c train.steps=1500 train.lr=0.05 train.loss=mse train.weight_decay=0");

  CHECK(t->feed.items == 4 * 9);
  loss_after(t, 1500, NULL);
  CHECK_NEAR(weight_in_units(t, 0, 2, 1), 2, 5e-3); /* one frame is half a second */
  CHECK_NEAR(weight_in_units(t, 0, 0, t->k.x.std[0]), -1, 5e-3);
  fc_trainer_destroy(t);
}

/* weight 4 for channel a, 1 for b: at the start the loss is the weighted mean of the two channels' own losses
 */
static void channel_weights(void) {
  const char              *data = spots_file("weights.h5", 6, false);
  double                   loss[3];
  static const char *const how[] = {"train.channel_weights=[1,0]", "train.channel_weights=[0,1]",
                                    "train.channel_weights=[4,1]"};

  for (int k = 0; k < 3; k++) {
    char options[128];
    snprintf(options, sizeof options, "train.loss=mse %s", how[k]);
    fc_trainer *t = spots_trainer(data, options);
    loss_after(t, 1, &loss[k]);
    fc_trainer_destroy(t);
  }
  CHECK_NEAR(loss[2], 4 * loss[0] + loss[1], 1e-5 * loss[2]);
}

/* the plan is an upper bound for what the step really takes, and not a wild one for equal samples */
static void plan_is_true(void) {
  fc_trainer *t = spots_trainer(spots_file("plan.h5", 5, true), "train.batch=3");

  loss_after(t, 6, NULL);
  const double peak = (double)fc_arena_peak(t->ctx->arena), plan = (double)t->plan.activation_bytes;
  CHECK(peak <= plan);
  CHECK(peak > 0.3 * plan); /* the largest sample three times; the samples have 7 to 40 points */
  CHECK_NEAR(t->plan.flops,
             3.0 * 2 * 2 * 7 * 3 * (double)fc_cloud_about(((fc_points_feed *)t->feed.self)->train.file)->most,
             1e-9);
  fc_trainer_destroy(t);
}

/* Every allocation of the process passes here. The sanitizers bring an allocator of their own. */
#ifndef __SANITIZE_ADDRESS__
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
static int   allocations;
void        *malloc(size_t n) { return allocations++, __libc_malloc(n); }
void        *calloc(size_t n, size_t size) { return allocations++, __libc_calloc(n, size); }
void        *realloc(void *p, size_t n) { return allocations++, __libc_realloc(p, n); }

static void steps_take_no_memory(void) {
  fc_trainer   *t = spots_trainer(spots_file("memory.h5", 9, true), "train.noise=0.1 train.ema=0.9");
  fc_step_facts f;

  loss_after(t, 2, NULL);
  const int before = allocations;
  for (int i = 0; i < 10; i++)
    if (fc_trainer_step(t, &f) != FC_OK) break;
  const int after = allocations;
  CHECK(before > 0 && after == before && t->k.step == 12);
  fc_trainer_destroy(t);
}
#else
static void steps_take_no_memory(void) {}
#endif

static void bad_settings(void) {
  static const struct {
    const char *set;
    fc_status   s;
    const char *text;
  } cases[] = {
      {"args.targets=1", FC_E_MISMATCH, "predicts 1 numbers per point"},
      {"args.features=3", FC_E_MISMATCH, "takes 3 features per point"},
      {"data.inputs=none", FC_E_MISMATCH, "gives 0 and 0 frames"},
      {"data.channels=aa", FC_E_USAGE, "no field named 'aa'; did you mean 'a'"},
      {"data.params=Ma", FC_E_USAGE, "no parameter named 'Ma'"},
      {"data.params=none", FC_E_MISMATCH, "takes 1 parameters per sample"},
      {"args.function=2", FC_E_MISMATCH, "takes 2 columns of input function 0, 'force' has 3"},
      {"data.functions=none", FC_E_MISMATCH, "takes 1 input functions"},
      {"data.history=1 args.features=3", FC_E_INPUT, "data.history = 1 leaves none"},
      {"data.space_stride=2", FC_E_USAGE, "data.space_stride is for fields on a grid"},
      {"train.pushforward.pushes=1", FC_E_USAGE, "train.pushforward is for fields on a grid"},
      {"train.channel_weights=[1,2,3]", FC_E_USAGE, "3 numbers for 2 channels"},
      {"data.kind=grid", FC_E_MISMATCH, "spots works on points, not on grids"},
      {"model=factformer", FC_E_MISMATCH, "factformer works on grids, not on points"},
  };
  const char *data = spots_file("bad.h5", 2, false);
  fc_config  *timeless;
  fc_trainer *none;

  for (int i = 0; i < FC_COUNT(cases); i++) {
    fc_config  *c = spots_config_of(data, cases[i].set);
    fc_trainer *t;
    CHECK_FAILS(fc_trainer_create(c, false, true, &t), cases[i].s, cases[i].text);
    fc_config_destroy(c);
  }
  timeless = spots_config_of(spots_movie("movie.h5", 2, 4),
                             "args.features=0 args.params=0 args.function=0 args.targets=3");
  CHECK_FAILS(fc_trainer_create(timeless, false, true, &none), FC_E_USAGE, "set data.history");
  fc_config_destroy(timeless);
}

CHECK_SUITE(points, finds_the_optimum, memory_and_disk_agree, normalisation, accumulation_is_a_larger_batch,
            history, time_as_input, stream, channel_weights, plan_is_true, steps_take_no_memory, bad_settings)
