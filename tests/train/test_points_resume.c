/* tests/train/test_points_resume.c - an interrupted and resumed run on points ends with the same bits as one
   that was not; what a checkpoint knows of its data. */
#include "io/file.h"
#include "tests/train/toy_points.h"
#include "train/run.h"

#include <unistd.h>

#define OPTIONS                                                                                              \
  "train.steps=24 train.noise=0.05 train.ema=0.9 train.accumulate=2 train.eval_every=6 train.save_every=8 "  \
  "train.log_every=1 train.lr=1e-2 data.valid_fraction=0.2 "

static bool same_state(fc_trainer *a, fc_trainer *b) {
  const size_t n = (size_t)fc_params_block(a->network->params, true) * sizeof(fc_real);

  return !memcmp(fc_params_values(a->network->params), fc_params_values(b->network->params), n) &&
         !memcmp(fc_optim_m(a->optim), fc_optim_m(b->optim), n) &&
         !memcmp(fc_optim_v(a->optim), fc_optim_v(b->optim), n) &&
         !memcmp(fc_optim_ema(a->optim), fc_optim_ema(b->optim), n);
}

static void folder(char out[FC_TEXT], const char *name) { snprintf(out, FC_TEXT, "%s", check_path(name)); }

/* epochs end inside batches: 11 samples to learn from, 8 a step */
static void continues_bit_for_bit(void) {
  const char *data = spots_file("resume.h5", 14, true);
  char        dir[2][FC_TEXT];

  folder(dir[0], "whole"), folder(dir[1], "cut");
  fc_trainer *whole = spots_trainer(data, OPTIONS);
  CHECK_OK(fc_trainer_run(whole, dir[0], false));
  fc_trainer *first = spots_trainer(data, OPTIONS "data.cache_mb=0");
  first->total      = 8;
  CHECK_OK(fc_trainer_run(first, dir[1], false));
  fc_trainer_destroy(first);
  fc_trainer *again = spots_trainer(data, OPTIONS);
  CHECK_OK(fc_trainer_run(again, dir[1], true));
  CHECK(again->k.step == 24 && again->k.position == 24 * 8 && same_state(whole, again));
  CHECK_NEAR(whole->k.best, again->k.best, 0);
  fc_trainer_destroy(whole);
  fc_trainer_destroy(again);
}

/* normalisation, names and units come back; another set of the same form is read through them */
static void loads_a_run(void) {
  const char *data = spots_file("load.h5", 10, false);
  char        dir[FC_TEXT];
  fc_run     *r;
  fc_points   p;

  folder(dir, "load");
  fc_trainer *t = spots_trainer(data, OPTIONS);
  CHECK_OK(fc_trainer_run(t, dir, false));
  CHECK_OK(fc_run_load(dir, true, &r));
  CHECK(r->averaged && r->k.settings.data.kind == FC_KIND_POINTS && r->k.n_functions == 1);
  CHECK(!memcmp(&r->k.x, &t->k.x, sizeof r->k.x) || r->k.x.std[1] == t->k.x.std[1]);
  CHECK(r->k.function[0].std[2] == t->k.function[0].std[2] && r->k.params.mean[0] == t->k.params.mean[0]);
  CHECK(!strcmp(r->k.out.channel[1].name, "b") && !strcmp(r->k.out.channel[1].unit, "K"));
  CHECK(!strcmp(r->k.function[0].channel[2].unit, "N"));
  CHECK_OK(fc_run_open_points(r, spots_file("other.h5", 3, false), &p));
  CHECK(p.out.std[1] == t->k.out.std[1] && p.x.mean[0] == t->k.x.mean[0] &&
        p.function[0].std[2] == t->k.function[0].std[2]);
  fc_points_close(&p);
  fc_run_free(r);
  fc_trainer_destroy(t);
}

CHECK_SUITE(points_resume, continues_bit_for_bit, loads_a_run)
