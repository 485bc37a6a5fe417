/* tests/train/test_flow.c - flow matching on a problem whose flow is known: the next frame is x = -0.5 known,
   and what the network is given tells the noise, e = (x_t - t x) / (1 - (1 - s) t), so the exact velocity x -
   (1 - s) e can be computed instead of learned. */
#include "tests/check.h"
#include "train/flow.h"

enum { N = 3, C = 2, LEN = N * N * C };
static const double s = 1e-4;

typedef struct {
  int64_t unused;
} config;
static const fc_option options[] = {FC_OPT_END};
static double          last_t[4];

static fc_status init(void *self, fc_params *p, const void *cfg) {
  (void)self, (void)cfg;
  fc_param(p, "w", fc_init_constant(1), FC_DIMS(1));
  return FC_OK;
}

static fc_status frames(const void *self, fc_frames *out) {
  (void)self;
  *out = (fc_frames){.n_in         = 2,
                     .max_out      = 1,
                     .ndim         = 2,
                     .channels_in  = C,
                     .channels_out = C,
                     .multiple     = 1,
                     .timestep     = true};
  return FC_OK;
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  (void)c, (void)self, (void)n_out;
  fc_batch_put(out, "u", window);
}

static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const fc_tensor *u = fc_batch_get(b, "u"), *t = fc_batch_get(b, "timestep");
  fc_tensor       *v = fc_tensor_new(c->arena, FC_DIMS(u->dim[0], 1, N, N, C));

  (void)self;
  for (int64_t k = 0; k < u->dim[0]; k++) {
    last_t[k] = (double)t->x[k];
    for (int64_t i = 0; i < LEN; i++) {
      const double x    = -0.5 * (double)u->x[(2 * k + 1) * LEN + i];
      const double e    = ((double)u->x[2 * k * LEN + i] - last_t[k] * x) / (1 - (1 - s) * last_t[k]);
      v->x[k * LEN + i] = (fc_real)(x - (1 - s) * e);
    }
  }
  return v;
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  (void)c, (void)self;
  return y;
}

static const fc_model_def def = {.name        = "known-flow",
                                 .task        = "operator",
                                 .summary     = "of a test",
                                 .paper       = "none",
                                 .options     = options,
                                 .config_size = sizeof(config),
                                 .self_size   = sizeof(config),
                                 .init        = init,
                                 .apply       = apply,
                                 .frames      = frames,
                                 .pack        = pack,
                                 .unpack      = unpack};

static fc_network *network(int64_t steps) {
  const config cfg = {0};
  fc_settings  set = {.train.flow_steps = steps};
  fc_network  *n;

  CHECK_OK(fc_network_create(&def, &cfg, 1, false, &n));
  CHECK_OK(fc_network_prepare(n, &set, NULL));
  CHECK(n->frames.n_in == 1);
  return n;
}

/* the official sampler written out in double: N Euler steps with the velocity of time k/N. This velocity
   grows like 1 / s at t = 1, which no trained network's does, so the steps are compared, not where they
   arrive. */
static void sampler_follows_the_velocity(void) {
  fc_ctx     *c     = check_ctx();
  fc_network *n     = network(5);
  fc_tensor  *known = check_random(c, FC_DIMS(2, 1, N, N, C));
  double      x[LEN];

  c->seed = 5, c->step = 2;
  const fc_tensor *y = fc_flow_sample(c, n, known, NULL);
  const fc_rng     r = {5, 2, FC_RNG_FLOW};
  for (int i = 0; i < LEN; i++) { /* second window of the batch */
    const double goal = -0.5 * (double)known->x[LEN + i];
    x[i]              = fc_rng_normal(&r, (uint64_t)(LEN + i));
    for (int k = 1; k <= 5; k++) {
      const double t = k / 5.0, e = (x[i] - t * goal) / (1 - (1 - s) * t);
      x[i] += (goal - (1 - s) * e) / 5;
    }
    CHECK_NEAR(y->x[LEN + i], x[i], 2e-3 * (1 + fabs(x[i]))); /* t = 1 divides rounding by s */
  }
  CHECK_NEAR(last_t[1], 1, 1e-7);
  c->step            = 3;
  const fc_tensor *z = fc_flow_sample(c, n, known, NULL);
  CHECK(check_distance(y, z) > 1e-3); /* other noise, another sample */
  fc_network_destroy(n);
}

/* with the exact velocity the loss is zero at every place, times are stratified, and a part of a batch draws
   the same places */
static void places_lie_on_the_way(void) {
  fc_ctx     *c     = check_ctx();
  fc_network *n     = network(10);
  fc_tensor  *known = check_random(c, FC_DIMS(4, 1, N, N, C)), *target = fc_affine(c, known, -0.5, 0);

  c->seed = 3, c->step = 7;
  const fc_flow_place p = fc_flow_draw(c, target, 0, 4);
  const fc_tensor    *v = fc_flow_velocity(c, n, p.state, known, p.t, NULL);
  CHECK(check_distance(v, p.velocity) < 1e-4); /* rounding, divided by 1 - t */
  for (int b = 0; b < 4; b++) CHECK(p.t->x[b] >= 0.25 * b && p.t->x[b] <= 0.25 * (b + 1));
  const fc_flow_place q = fc_flow_draw(c, fc_slice(c, target, 0, 2, 2), 2, 4);
  CHECK(!memcmp(q.state->x, p.state->x + 2 * LEN, 2 * LEN * sizeof(fc_real)));
  CHECK(q.t->x[1] == p.t->x[3]);
  fc_network_destroy(n);
}

static void what_cannot_flow(void) {
  const config cfg     = {0};
  fc_settings  set     = {.train.flow_steps = 4, .data.predict = FC_PREDICT_INCREMENT};
  double       step[C] = {1, 1};
  fc_network  *n;

  CHECK_OK(fc_network_create(&def, &cfg, 1, false, &n));
  CHECK_FAILS(fc_network_prepare(n, &set, step), FC_E_USAGE, "data.predict = state");
  n->frames.timestep = false;
  CHECK_FAILS(fc_network_prepare(n, &set, step), FC_E_USAGE, "no velocity of a flow");
  fc_network_destroy(n);
}

CHECK_SUITE(flow, sampler_follows_the_velocity, places_lie_on_the_way, what_cannot_flow)
