/* tests/solvers/ranks_channel_sgs.c - run on 1 to 4 ranks: a large-eddy simulation of the channel by all
   ranks against one that a rank computes alone. */
#include "solvers/chan_sgs.h"
#include "solvers/sgs.h"
#include "tests/check.h"

static fc_chan *begin(const fc_chan_config *c, const fc_comm *comm) {
  fc_chan *s;

  if (fc_chan_create(c, comm, &s) != FC_OK) abort();
  fc_chan_start(s, 0);
  for (int i = 0; i < 5; i++) fc_chan_step(s, 0.02);
  CHECK_OK(s->status);
  return s;
}

static void compare(const fc_chan_config *c) {
  fc_comm *self;
  double   off = 0;

  CHECK_OK(fc_comm_split(NULL, fc_comm_rank(NULL), &self));
  fc_chan      *all = begin(c, NULL), *one = begin(c, self);
  const int64_t block = c->ny * one->row;
  for (int f = 0; f < FC_CHAN_STATE; f++)
    for (int64_t i = 0; i < all->k_n * block; i++)
      off = fmax(off, fabs(all->state[f][i] - one->state[f][all->k_lo * block + i]));
  CHECK_NEAR(off, 0, 1e-12); /* c is a ratio of sums that nearly cancel: rounding grows a little */
  const fc_chan_eddy_budget a = fc_chan_sgs_measure(all), b = fc_chan_sgs_measure(one);
  CHECK(b.mean > 0);
  CHECK_NEAR(a.mean / b.mean, 1, 1e-9);
  CHECK_NEAR(a.most / b.most, 1, 1e-9);
  CHECK_NEAR(a.constant / b.constant, 1, 1e-9);
  CHECK_NEAR(all->drain / one->drain, 1, 1e-9);
  fc_chan_destroy(all);
  fc_chan_destroy(one);
  fc_comm_free(self);
}

static void every_model(void) {
  fc_chan_config c = {.nx          = 16,
                      .ny          = 19,
                      .nz          = 20,
                      .length_x    = 2 * M_PI,
                      .length_z    = M_PI,
                      .map         = FC_CHAN_TANH,
                      .stretch     = 1.5,
                      .nu          = 1.0 / 1000,
                      .bulk        = 2.0 / 3,
                      .initial     = FC_CHAN_NOISE,
                      .noise       = 0.3,
                      .noise_modes = 3};

  for (c.sgs = FC_SGS_SMAGORINSKY; c.sgs <= FC_SGS_DYNAMIC_CLIPPED; c.sgs++) compare(&c);
  c.sgs         = FC_SGS_DYNAMIC;
  c.test_filter = 1;
  compare(&c);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {every_model};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("channel_sgs", FC_COUNT(cases), cases, "every_model");
  fc_comm_stop(failed);
  return failed;
}
