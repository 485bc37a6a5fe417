/* tests/train/test_optim.c - AdamW, clipping, average and schedules against values from their formulas. */
#include "tests/check.h"
#include "train/optim.h"
#include "train/schedule.h"

static const double f32 = 2e-7; /* a few roundings of float numbers near one */

/* two tensors; "reached" says which a backward pass has touched */
static fc_params *two(fc_tensor **a, fc_tensor **b) {
  fc_params *p;

  CHECK_OK(fc_params_create(&p));
  *a = fc_param(p, "a", fc_init_constant(1), FC_DIMS(2));
  *b = fc_param(p, "b", fc_init_constant(3), FC_DIMS(1));
  CHECK_OK(fc_params_commit(p, 0, false));
  return p;
}

/* f(w) = (w0^2 + 4 w1^2) / 2 from (1, 1): gradient (1, 4). Bias correction makes the first step lr * sign(g)
   (up to eps), whatever the size of g; with decay w -> (1 - lr wd) w - lr. */
static void first_steps_by_hand(void) {
  fc_tensor           *a, *b;
  fc_params           *p = two(&a, &b);
  fc_optim            *o;
  const fc_adamw_rates r    = {0.1, 0.9, 0.999, 1e-8, 0.5};
  double               w[2] = {1, 1}, m[2] = {0, 0}, v[2] = {0, 0};

  CHECK_OK(fc_optim_create(p, false, &o));
  for (int t = 1; t <= 3; t++) {
    const double g[2] = {(double)a->x[0], 4 * (double)a->x[1]};
    a->g[0] = (fc_real)g[0], a->g[1] = (fc_real)g[1];
    a->has_grad = true;
    fc_optim_step(o, &r, 1);
    for (int i = 0; i < 2; i++) { /* the definition, in double */
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      w[i] = w[i] * (1 - 0.1 * 0.5) -
             0.1 * (m[i] / (1 - pow(0.9, t))) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8);
      CHECK_NEAR(a->x[i], w[i], 4 * f32); /* both are followed over three steps */
    }
    if (t == 1) CHECK_NEAR(a->x[0], 0.95 - 0.1, f32);
    if (t == 1) CHECK_NEAR(a->x[1], 0.95 - 0.1, f32);
  }
  CHECK_NEAR(b->x[0], 3, 0); /* no gradient reached b: no decay either */
  CHECK(fc_optim_counts(o)[0] == 3 && fc_optim_counts(o)[1] == 0);
  fc_optim_destroy(o);
  fc_params_destroy(p);
}

/* a tensor reached later starts its bias correction then */
static void late_tensors_start_fresh(void) {
  fc_tensor           *a, *b;
  fc_params           *p = two(&a, &b);
  fc_optim            *o;
  const fc_adamw_rates r = {0.01, 0.9, 0.999, 1e-8, 0};

  CHECK_OK(fc_optim_create(p, false, &o));
  a->has_grad = true;
  for (int t = 0; t < 5; t++) fc_optim_step(o, &r, 1);
  b->has_grad = true;
  b->g[0]     = 7;
  fc_optim_step(o, &r, 1);
  CHECK_NEAR(b->x[0], 3 - 0.01, 3 * f32); /* its own first step: lr times the sign */
  fc_optim_destroy(o);
  fc_params_destroy(p);
}

static void norm_and_clip(void) {
  fc_tensor *a, *b;
  fc_params *p = two(&a, &b);
  fc_optim  *o;

  CHECK_OK(fc_optim_create(p, false, &o));
  a->g[0] = 2, a->g[1] = 3, b->g[0] = 6;
  CHECK_NEAR(fc_optim_grad_norm(o), 7, 1e-12);
  CHECK_NEAR(fc_optim_clip(7, 3.5), 3.5 / (7 + 1e-6), 1e-15);
  CHECK_NEAR(fc_optim_clip(2, 3.5), 1, 0);
  CHECK_NEAR(fc_optim_clip(7, 0), 1, 0);
  fc_optim_destroy(o);
  fc_params_destroy(p);
}

/* many chunks: the norm and the step have the same bits with one and three threads */
static void threads_do_not_matter(void) {
  enum { N = 200000 };
  const fc_adamw_rates r = {1e-3, 0.9, 0.999, 1e-8, 1e-2};
  double               norm[2];
  fc_real             *kept = malloc(N * sizeof *kept);

  for (int k = 0; k < 2; k++) {
    fc_params *p;
    fc_optim  *o;
    CHECK_OK(fc_params_create(&p));
    fc_tensor *t = fc_param(p, "w", fc_init_normal(1), FC_DIMS(N));
    CHECK_OK(fc_params_commit(p, 3, false));
    CHECK_OK(fc_optim_create(p, true, &o));
    for (int64_t i = 0; i < N; i++) t->g[i] = (fc_real)sin((double)i);
    t->has_grad = true;
    fc_threads_set(k ? 3 : 1);
    norm[k] = fc_optim_grad_norm(o);
    fc_optim_step(o, &r, 0.5);
    fc_optim_average(o, 0.9, 100);
    for (int64_t i = 0; i < N; i++) t->x[i] += fc_optim_ema(o)[i];
    if (k)
      CHECK(!memcmp(kept, t->x, N * sizeof *kept));
    else
      memcpy(kept, t->x, N * sizeof *kept);
    fc_optim_destroy(o);
    fc_params_destroy(p);
  }
  fc_threads_set(1);
  CHECK_NEAR(norm[0], norm[1], 0);
  free(kept);
}

static void average(void) {
  fc_tensor *a, *b;
  fc_params *p = two(&a, &b);
  fc_optim  *o;

  CHECK_OK(fc_optim_create(p, true, &o));
  CHECK_NEAR(fc_optim_ema(o)[0], 1, 0); /* starts at the weights */
  a->x[0] = 2;
  fc_optim_average(o, 0.999, 0); /* early: d = 1/10 */
  CHECK_NEAR(fc_optim_ema(o)[0], 0.1 * 1 + 0.9 * 2, f32);
  fc_optim_average(o, 0.5, 1000); /* late: d = decay */
  CHECK_NEAR(fc_optim_ema(o)[0], 0.5 * 1.9 + 0.5 * 2, f32);
  fc_optim_destroy(o);
  fc_params_destroy(p);
}

/* Adam with an L2 norm: the decay goes through the moments, so the first step is lr times the sign of g + wd
 * w */
static void coupled_decay(void) {
  fc_tensor           *a, *b;
  fc_params           *p = two(&a, &b);
  fc_optim            *o;
  const fc_adamw_rates r = {
      .lr = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.5, .coupled = true};
  double w = 3, m = 0, v = 0;

  CHECK_OK(fc_optim_create(p, false, &o));
  b->has_grad = true;
  for (int t = 1; t <= 3; t++) {
    b->g[0]        = (fc_real)-w; /* the decay brings half of it back */
    const double g = -w + 0.5 * (double)b->x[0];
    fc_optim_step(o, &r, 1);
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= 0.1 * (m / (1 - pow(0.9, t))) / (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
    CHECK_NEAR(b->x[0], w, 8 * f32);
  }
  CHECK_NEAR(b->x[0], 3.3, 1e-2);
  fc_optim_destroy(o);
  fc_params_destroy(p);
}

/* weights of a group have a rate of their own, until they are like all others */
static void groups(void) {
  fc_tensor     *a, *b;
  fc_params     *p = two(&a, &b);
  fc_optim      *o;
  fc_adamw_rates r = {.lr = 0, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-12, .group_lr = 1e-3};

  CHECK_OK(fc_optim_create(p, false, &o));
  CHECK(fc_optim_group(o, "b", 100) == 1 && fc_optim_group(o, "c", 100) == 0);
  a->has_grad = b->has_grad = true;
  a->g[0] = a->g[1] = b->g[0] = 2;
  fc_optim_step(o, &r, 1);
  CHECK_NEAR(a->x[0], 1, 0);
  CHECK_NEAR(b->x[0], 3 - 0.1, 3 * f32);
  r.lr = 0.01, r.group_lr = 0;
  fc_optim_step(o, &r, 1);
  CHECK_NEAR(a->x[0], 1 - 0.01, 3 * f32);
  CHECK_NEAR(b->x[0], 3 - 0.1 - 0.01, 6 * f32);
  fc_optim_destroy(o);
  fc_params_destroy(p);
}

static fc_schedule basic(fc_schedule_kind kind) {
  return (fc_schedule){.kind             = kind,
                       .total            = 100,
                       .lr               = 1e-3,
                       .beta1            = 0.9,
                       .pct_start        = 0.2,
                       .div_factor       = 1e4,
                       .final_div_factor = 1e5,
                       .cycle_momentum   = true,
                       .base_momentum    = 0.85,
                       .max_momentum     = 0.95,
                       .decay_every      = 10,
                       .decay_factor     = 0.5};
}

/* closed forms: ends of both phases, and the middle of each, where a cosine is the mean of its ends.
   pct_start * total - 1 = 19, so the rise is 0 .. 19 and the fall 19 .. 99. */
static void onecycle(void) {
  const fc_schedule s = basic(FC_SCHEDULE_ONECYCLE);
  double            lr, b;

  fc_schedule_at(&s, 0, &lr, &b);
  CHECK_NEAR(lr, 1e-7, 1e-18); /* the formula subtracts numbers near lr = 1e-3 */
  CHECK_NEAR(b, 0.95, 1e-15);
  fc_schedule_at(&s, 19, &lr, &b);
  CHECK_NEAR(lr, 1e-3, 1e-17);
  CHECK_NEAR(b, 0.85, 1e-15);
  fc_schedule_at(&s, 59, &lr, &b);
  CHECK_NEAR(lr, (1e-3 + 1e-12) / 2, 1e-17);
  CHECK_NEAR(b, 0.9, 1e-15);
  fc_schedule_at(&s, 99, &lr, &b);
  CHECK_NEAR(lr, 1e-12, 1e-18);
  CHECK_NEAR(b, 0.95, 1e-15);
  fc_schedule_at(&s, 1000, &lr, &b);
  CHECK_NEAR(lr, 1e-12, 1e-18);
}

static void other_schedules(void) {
  fc_schedule s = basic(FC_SCHEDULE_COSINE);
  double      lr, b;

  s.warmup = 20;
  s.lr_end = 1e-4;
  fc_schedule_at(&s, 0, &lr, &b);
  CHECK_NEAR(lr, 1e-3 / 20, 1e-18);
  fc_schedule_at(&s, 20, &lr, &b);
  CHECK_NEAR(lr, 1e-3, 1e-18);
  fc_schedule_at(&s, 60, &lr, &b); /* half way down */
  CHECK_NEAR(lr, (1e-3 + 1e-4) / 2, 1e-17);
  CHECK_NEAR(b, 0.9, 0);
  s = basic(FC_SCHEDULE_STEP);
  fc_schedule_at(&s, 9, &lr, &b);
  CHECK_NEAR(lr, 1e-3, 1e-18);
  fc_schedule_at(&s, 35, &lr, &b);
  CHECK_NEAR(lr, 1e-3 / 8, 1e-18);
  s = basic(FC_SCHEDULE_CONSTANT);
  fc_schedule_at(&s, 77, &lr, &b);
  CHECK_NEAR(lr, 1e-3, 0);
}

/* epochs of 25 items, steps of 10: step 2 ends the first one, step 3 begins in the second */
static double rate_in_epoch(fc_schedule_kind kind, int64_t epoch) {
  fc_schedule s = basic(kind);
  double      lr, beta1;

  s.items = 25, s.per_step = 10, s.epochs = 8, s.warmup_epochs = 3;
  const int64_t step = (25 * epoch + 9) / 10;
  CHECK(fc_schedule_epoch(&s, step) == epoch && (!step || fc_schedule_epoch(&s, step - 1) == epoch - 1));
  fc_schedule_at(&s, step, &lr, &beta1);
  CHECK_NEAR(beta1, 0.9, 0);
  return lr / s.lr;
}

static void schedules_by_epoch(void) {
  static const double type1[] = {1, 1, 0.5, 0.25, 0.125}, type3[] = {1, 1, 1, 1, 0.9, 0.81};
  static const double warm[] = {0, 0.25, 0.5, 0.75, 1, 0.5, 0.25};

  for (int e = 0; e < FC_COUNT(type1); e++) CHECK_NEAR(rate_in_epoch(FC_SCHEDULE_TYPE1, e), type1[e], 1e-15);
  for (int e = 0; e < FC_COUNT(type3); e++) CHECK_NEAR(rate_in_epoch(FC_SCHEDULE_TYPE3, e), type3[e], 1e-15);
  for (int e = 0; e < FC_COUNT(warm); e++)
    CHECK_NEAR(rate_in_epoch(FC_SCHEDULE_EXPONENTIAL_WITH_WARMUP, e), warm[e], 1e-15);
  CHECK_NEAR(rate_in_epoch(FC_SCHEDULE_COSINE_EPOCHS, 0), 1, 1e-15);
  CHECK_NEAR(rate_in_epoch(FC_SCHEDULE_COSINE_EPOCHS, 2), (1 + sqrt(0.5)) / 2, 1e-15);
  CHECK_NEAR(rate_in_epoch(FC_SCHEDULE_COSINE_EPOCHS, 4), 0.5, 1e-15);
}

CHECK_SUITE(optim, first_steps_by_hand, late_tensors_start_fresh, norm_and_clip, threads_do_not_matter,
            average, onecycle, other_schedules, coupled_decay, groups, schedules_by_epoch)
