/* tests/train/test_trainer.c - training on a problem with a known answer. */
#include "tests/train/toy.h"
#include "train/run.h"

static double loss_after(fc_trainer *t, int64_t steps, double *first) {
  fc_step_facts f = {0};

  for (int64_t i = 0; i < steps; i++) {
    CHECK_OK(fc_trainer_step(t, &f));
    if (!i && first) *first = f.loss;
  }
  return f.loss;
}

/* teacher forcing over n calls is the mean of n windows one frame apart: with one window to draw from, the
   same step as a batch of those windows */
static void teacher_calls_average_windows(void) {
  const char *data = toy_file("teacher.hdf5", 2, 4);
  fc_trainer *t    = toy_trainer(data, "train.batch=1 train.teacher_calls=3 train.loss=mse train.clip=0 "
                                          "data.valid_fraction=0.5"),
             *u    = toy_trainer(data, "train.batch=3 train.loss=mse train.clip=0 data.valid_fraction=0.5");
  fc_step_facts a, b;

  CHECK_OK(fc_trainer_step(t, &a));
  CHECK_OK(fc_trainer_step(u, &b));
  CHECK_NEAR(a.loss, b.loss, 1e-6 * b.loss); /* sums of the same numbers in another order */
  CHECK_NEAR(a.grad_norm, b.grad_norm, 1e-6 * b.grad_norm);
  fc_trainer_destroy(t);
  fc_trainer_destroy(u);
}

/* the data is an exact linear map, so the loss goes to zero and the weights to a turn by toy_angle */
static void finds_the_optimum(void) {
  const char  *data = toy_file("optimum.hdf5", 4, 12);
  fc_trainer  *t    = toy_trainer(data, "train.steps=600 train.lr=0.05 train.loss=mse train.weight_decay=0");
  double       first;
  const double last = loss_after(t, 600, &first);

  CHECK(first > 0.05);
  CHECK(last < 1e-8); /* float rounding of a field of size one: (6e-8)^2 is far below */
  const fc_tensor *W     = fc_params_find(t->network->params, "map.weight");
  const double     ratio = t->k.out.std[1] / t->k.out.std[0]; /* weights act on normalised channels */
  CHECK_NEAR(W->x[0], toy_decay * cos(toy_angle), 1e-3);
  CHECK_NEAR(W->x[1], -toy_decay * sin(toy_angle) * ratio, 1e-3);
  CHECK_NEAR(fc_params_find(t->network->params, "spare.weight")->x[0], 1,
             0); /* never reached, never decayed */
  fc_scores s;
  CHECK_OK(fc_trainer_validate(t, &s));
  CHECK(s.v[FC_SCORE_ONE_STEP] < 1e-3 && s.v[FC_SCORE_ROLLOUT] < 1e-2);
  CHECK(s.v[FC_SCORE_ONE_STEP_BASE] > 0.2 &&
        s.v[FC_SCORE_ROLLOUT_BASE] > s.v[FC_SCORE_ONE_STEP_BASE]); /* persistence turns away from the truth */
  fc_trainer_destroy(t);
}

/* the gradient of two half batches is that of the whole: equal up to the order of float sums */
static void accumulation_is_a_larger_batch(void) {
  const char *data = toy_file("accumulate.hdf5", 4, 12);
  fc_trainer *a    = toy_trainer(data, "train.batch=4 train.steps=30 train.clip=0");
  fc_trainer *b    = toy_trainer(data, "train.batch=2 train.accumulate=2 train.steps=30 train.clip=0");

  for (int i = 0; i < 30; i++) {
    fc_step_facts f, g;
    CHECK_OK(fc_trainer_step(a, &f));
    CHECK_OK(fc_trainer_step(b, &g));
    CHECK_NEAR(f.loss, g.loss, 2e-6 * f.loss);
    CHECK_NEAR(f.grad_norm, g.grad_norm, 1e-5 * f.grad_norm);
  }
  CHECK(a->k.position == b->k.position && a->k.position == 120);
  fc_trainer_destroy(a);
  fc_trainer_destroy(b);
}

/* start + floor((end - start) step / over); pushes at every third step from step 4 on */
static void sequences(void) {
  const char      *data = toy_file("sequences.hdf5", 4, 16);
  static const int k[]  = {1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4};
  static const int p[]  = {0, 0, 0, 0, 2, 0, 0, 2, 0, 0, 2, 0};
  fc_trainer      *t    = toy_trainer(data, "args.max_out=4 train.curriculum.start=1 train.curriculum.over=6 "
                                                    "train.pushforward.after=4 train.pushforward.every=3 "
                                                    "train.pushforward.pushes=2 train.lr=1e-3");
  CHECK(((const fc_grid_feed *)t->feed.self)->n_target == 12);
  for (int i = 0; i < FC_COUNT(k); i++) {
    fc_step_facts f;
    CHECK_OK(fc_trainer_step(t, &f));
    CHECK(f.k == k[i] && f.pushes == p[i]);
  }
  fc_trainer_destroy(t);
}

/* With the exact weights a pushed window is the later window itself, so the loss stays zero: the shift is
 * right. */
static void pushes_follow_the_data(void) {
  const char *data = toy_file("push.hdf5", 3, 14);
  fc_trainer *t    = toy_trainer(
         data, "args.max_out=2 args.n_in=3 train.pushforward.pushes=3 data.normalize=false train.lr=0");
  fc_real *W = fc_params_find(t->network->params, "map.weight")->x,
          *b = fc_params_find(t->network->params, "map.bias")->x;

  memset(W, 0, 4 * 6 * sizeof *W);
  for (int j = 1; j <= 2; j++) { /* frame j ahead of the last one: turned j times about the offset */
    const double s = pow(toy_decay, j), c = s * cos(j * toy_angle), n = s * sin(j * toy_angle);
    fc_real     *row = W + (2 * (j - 1)) * 6 + 4;
    row[0] = (fc_real)c, row[1] = (fc_real)-n, row[6] = (fc_real)n, row[7] = (fc_real)c;
    b[2 * (j - 1)]     = (fc_real)(toy_offset * (1 - c));
    b[2 * (j - 1) + 1] = (fc_real)(-toy_offset * n);
  }
  CHECK(loss_after(t, 6, NULL) < 3e-6); /* 4 calls, each rounding fields of size 3 to float */
  fc_trainer_destroy(t);
}

static void numbers_that_explode(void) {
  const char   *data = toy_file("explode.hdf5", 3, 8);
  fc_trainer   *t    = toy_trainer(data, "");
  fc_real      *W    = fc_params_find(t->network->params, "map.weight")->x;
  fc_step_facts f;

  CHECK_OK(fc_trainer_step(t, &f));
  const fc_real before = W[1];
  W[0]                 = (fc_real)NAN;
  CHECK_FAILS(fc_trainer_step(t, &f), FC_E_NUMERIC, "loss became NaN at step 1");
  CHECK(W[1] == before && t->k.step == 1);
  fc_trainer_destroy(t);
}

/* the plan is an upper bound for what the step really takes, and not a wild one */
static void plan_is_true(void) {
  const char *data = toy_file("plan.hdf5", 3, 12);
  fc_trainer *t    = toy_trainer(data, "args.max_out=2 train.pushforward.pushes=1 train.batch=3");

  loss_after(t, 3, NULL);
  const double peak = (double)fc_arena_peak(t->ctx->arena), plan = (double)t->plan.activation_bytes;
  CHECK(peak <= plan);
  CHECK(peak > 0.6 * plan);
  /* forward 2 * 2 out * (2 in) multiply-adds per point, backward twice that, the pushed call once more */
  const double point = 2.0 * 4 * 2, points = 3 * TOY_N * TOY_N;
  CHECK_NEAR(t->plan.flops, points * point * 4, 1e-9);
  CHECK(t->plan.weights == 4 * 2 + 4 + 3);
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
  const char *data = toy_file("memory.hdf5", 4, 14);
  fc_trainer *t =
      toy_trainer(data, "args.max_out=2 train.pushforward.pushes=1 train.noise=0.1 train.ema=0.9");
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
  const char *data = toy_file("bad.hdf5", 2, 4);
  static const struct {
    const char *set;
    fc_status   s;
    const char *text;
  } cases[] = {
      {"train.lrr=1", FC_E_USAGE, "train.lr"},
      {"train.out_frames=3", FC_E_USAGE, "at most 1 frames per call"},
      {"args.n_in=4", FC_E_INPUT, "no trajectory"},
      {"data.channels=a", FC_E_MISMATCH, "takes 2 channels"},
      {"data.window_out=1 train.pushforward.pushes=2", FC_E_USAGE, "data.window_out"},
      {"data.history=1", FC_E_USAGE, "data.history is for points"},
      {"train.channel_weights=1", FC_E_USAGE, "1 numbers for 2 channels"},
      {"model=toi", FC_E_USAGE, "did you mean 'toy'"},
  };

  for (int i = 0; i < FC_COUNT(cases); i++) {
    fc_config  *c = toy_config_of(data, cases[i].set);
    fc_trainer *t;
    CHECK_FAILS(fc_trainer_create(c, false, true, &t), cases[i].s, cases[i].text);
    fc_config_destroy(c);
  }
}

CHECK_SUITE(trainer, teacher_calls_average_windows, finds_the_optimum, accumulation_is_a_larger_batch,
            sequences, pushes_follow_the_data, numbers_that_explode, plan_is_true, steps_take_no_memory,
            bad_settings)
