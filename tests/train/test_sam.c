/* tests/train/test_sam.c - sharpness-aware minimisation on a quadratic, and in the trainer. */
#include "tests/train/toy.h"
#include "train/sam.h"

/* f(w) = (w0^2 + 4 w1^2) / 2 at (3, 1): g = (3, 4), |g| = 5; with rho = 0.5 the gradient is taken at
 * (3.3, 1.4) */
static void climbs_a_quadratic(void) {
  fc_params *p;
  fc_sam    *s;

  CHECK_OK(fc_params_create(&p));
  fc_tensor *w = fc_param(p, "w", fc_init_constant(3), FC_DIMS(2));
  CHECK_OK(fc_params_commit(p, 0, false));
  CHECK_OK(fc_sam_create(p, &s));
  w->x[1] = 1;
  w->g[0] = w->x[0], w->g[1] = 4 * w->x[1];
  fc_sam_climb(s, 0.5, 5);
  CHECK_NEAR(w->x[0], 3.3, 1e-6);
  CHECK_NEAR(w->x[1], 1.4, 1e-6);
  fc_sam_return(s);
  CHECK(w->x[0] == 3 && w->x[1] == 1);
  w->g[0] = w->g[1] = 0; /* on flat ground nothing moves, and nothing is divided by zero */
  fc_sam_climb(s, 0.5, 0);
  CHECK(w->x[0] == 3 && w->x[1] == 1);
  fc_sam_destroy(s);
  fc_params_destroy(p);
}

/* one step of the trainer by hand, with steps of length zero that leave their gradient behind: noise, batches
   and accumulation must be the same in both passes */
static void trainer_takes_the_gradient_there(void) {
  const char   *data    = toy_file("sam.hdf5", 4, 12);
  const char   *storage = "train.noise=0.1 train.accumulate=2 train.lr=0 train.weight_decay=0 ";
  char          options[256];
  fc_step_facts f, g;

  snprintf(options, sizeof options, "%strain.sam_rho=0.3 data.cache_mb=0", storage); /* read by a thread */
  fc_trainer   *a = toy_trainer(data, options), *b = toy_trainer(data, storage);
  fc_real      *w = fc_params_values(b->network->params), *grad = fc_params_grads(b->network->params);
  const int64_t n = fc_params_block(b->network->params, true);
  CHECK_OK(fc_trainer_step(a, &f));
  CHECK_OK(fc_trainer_step(b, &g));
  CHECK_NEAR(f.loss, g.loss, 0); /* told is the loss at w */
  for (int64_t i = 0; i < n; i++) w[i] += (fc_real)(0.3 / (g.grad_norm + 1e-12)) * grad[i];
  b->k.step = b->k.position = 0;
  CHECK_OK(fc_trainer_step(b, &g));
  CHECK_NEAR(f.grad_norm, g.grad_norm, 1e-6 * g.grad_norm);
  for (int64_t i = 0; i < n; i++)
    CHECK_NEAR(fc_params_grads(a->network->params)[i], grad[i], 1e-5 * g.grad_norm);
  CHECK(a->k.position == b->k.position);
  fc_trainer_destroy(a);
  fc_trainer_destroy(b);
}

CHECK_SUITE(sam, climbs_a_quadratic, trainer_takes_the_gradient_there)
