/* tests/train/test_resume.c - an interrupted and resumed run ends with the same bits as one that was not. */
#include "io/file.h"
#include "tests/train/toy.h"
#include "train/run.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* everything that carries state: noise, average, curriculum, pushforward, a momentum cycle, an epoch that
   ends inside a batch */
#define OPTIONS                                                                                              \
  "args.max_out=2 args.n_in=2 train.steps=24 train.noise=0.05 train.ema=0.9 train.curriculum.start=1 "       \
  "train.curriculum.over=12 train.pushforward.after=6 train.pushforward.every=2 train.pushforward.pushes=1 " \
  "train.eval_every=6 train.save_every=8 train.log_every=1 train.lr=1e-2 "

static fc_real *weights_of(fc_trainer *t) { return fc_params_values(t->network->params); }
static bool     same_weights(fc_trainer *a, fc_trainer *b) {
      const size_t n = (size_t)fc_params_block(a->network->params, true) * sizeof(fc_real);

      return !memcmp(weights_of(a), weights_of(b), n) && !memcmp(fc_optim_m(a->optim), fc_optim_m(b->optim), n) &&
             !memcmp(fc_optim_v(a->optim), fc_optim_v(b->optim), n) &&
             !memcmp(fc_optim_ema(a->optim), fc_optim_ema(b->optim), n);
}

static int lines_of(const char *path) {
  char  *text;
  size_t bytes;
  int    n = 0;

  CHECK_OK(fc_file_read(path, 1 << 20, &text, &bytes));
  for (size_t i = 0; i < bytes; i++) n += text[i] == '\n';
  free(text);
  return n;
}

/* a run that dies at step 11: its last checkpoint is of step 8, its log already has lines up to 11 */
static void die_at_step_11(const char *data, const char *dir, const char *options) {
  fc_trainer *t = toy_trainer(data, options);
  char        path[FC_TEXT + 16];
  FILE       *f;

  t->total = 8;
  CHECK_OK(fc_trainer_run(t, dir, false));
  fc_trainer_destroy(t);
  snprintf(path, sizeof path, "%s/log.csv", dir);
  f = fopen(path, "a");
  fprintf(f, "9,0,0,1\n10,0,0,1\n11,0,0");
  fclose(f);
}

static void continues_bit_for_bit(void) {
  static const char *const storage[] = {OPTIONS "data.cache_mb=0", OPTIONS "data.cache_mb=10"};
  const char              *data      = toy_file("resume.hdf5", 4, 14);
  char                     path[FC_TEXT + 16];

  for (int k = 0; k < 2; k++) {
    char dir[2][FC_TEXT];
    for (int i = 0; i < 2; i++) {
      snprintf(path, sizeof path, "run-%d-%d", k, i);
      snprintf(dir[i], sizeof dir[i], "%s", check_path(path));
    }
    fc_trainer *whole = toy_trainer(data, storage[k]);
    CHECK_OK(fc_trainer_run(whole, dir[0], false));
    die_at_step_11(data, dir[1], storage[k]);
    fc_trainer *again = toy_trainer(data, storage[1 - k]); /* and the storage does not matter */
    CHECK_OK(fc_trainer_run(again, dir[1], true));
    CHECK(again->k.step == 24 && same_weights(whole, again));
    CHECK_NEAR(whole->k.best, again->k.best, 0);
    snprintf(path, sizeof path, "%s/log.csv", dir[1]);
    CHECK(lines_of(path) == 25); /* the header and one line a step: none twice */
    fc_trainer_destroy(whole);
    fc_trainer_destroy(again);
  }
}

/* not before the trainer listens: on a busy machine that takes a while */
static void *interrupt(void *unused) {
  struct sigaction now = {0};

  (void)unused;
  for (int i = 0; i < 10000 && now.sa_handler == SIG_DFL; i++) {
    usleep(1000);
    sigaction(SIGTERM, NULL, &now);
  }
  usleep(30000);
  kill(getpid(), SIGTERM);
  return NULL;
}

static void stops_at_a_signal(void) {
  const char *data = toy_file("signal.hdf5", 4, 14);
  const char *options =
      OPTIONS "train.steps=100000000 train.eval_every=0 train.log_every=1000 train.save_every=0";
  char      dir[FC_TEXT];
  pthread_t thread;

  snprintf(dir, sizeof dir, "%s", check_path("run-signal"));
  fc_trainer *t = toy_trainer(data, options);
  pthread_create(&thread, NULL, interrupt, NULL);
  CHECK_FAILS(fc_trainer_run(t, dir, false), FC_STOPPED, "--resume");
  pthread_join(thread, NULL);
  CHECK(t->k.step > 0);

  fc_trainer   *again = toy_trainer(data, options);
  char          path[FC_TEXT + 32];
  fc_step_facts f;
  snprintf(path, sizeof path, "%s/checkpoint.h5", dir);
  CHECK_OK(fc_trainer_restore(again, path));
  CHECK(again->k.step == t->k.step && same_weights(again, t));
  for (int i = 0; i < 3; i++) {
    CHECK_OK(fc_trainer_step(t, &f));
    CHECK_OK(fc_trainer_step(again, &f));
  }
  CHECK(same_weights(again, t));
  fc_trainer_destroy(t);
  fc_trainer_destroy(again);
}

/* a damaged newest checkpoint: the one before serves, and the end is still the same */
static void falls_back(void) {
  const char *data = toy_file("fallback.hdf5", 4, 14);
  char        dir[FC_TEXT], path[FC_TEXT + 32];

  snprintf(dir, sizeof dir, "%s", check_path("run-fallback"));
  fc_trainer *whole = toy_trainer(data, OPTIONS);
  CHECK_OK(fc_trainer_run(whole, dir, false)); /* checkpoints at 8, 16, 24: the last two are kept */
  snprintf(path, sizeof path, "%s/checkpoint.h5", dir);
  CHECK(!truncate(path, 1000));
  fc_trainer *again = toy_trainer(data, OPTIONS);
  FILE       *keep  = stderr;
  stderr            = fopen("/dev/null", "w"); /* it says so there */
  CHECK_OK(fc_trainer_run(again, dir, true));
  fclose(stderr);
  stderr = keep;
  CHECK(same_weights(whole, again));
  fc_trainer_destroy(whole);
  fc_trainer_destroy(again);
}

static void refuses(void) {
  const char *data = toy_file("refuse.hdf5", 4, 14);
  char        dir[FC_TEXT];
  fc_run     *r;

  snprintf(dir, sizeof dir, "%s", check_path("run-refuse"));
  fc_trainer *t = toy_trainer(data, OPTIONS);
  CHECK_OK(fc_trainer_run(t, dir, false));
  CHECK_FAILS(fc_trainer_run(t, dir, false), FC_E_USAGE, "already holds a run");
  fc_trainer_destroy(t);
  t = toy_trainer(data, OPTIONS "args.n_in=3");
  CHECK_FAILS(fc_trainer_run(t, dir, true), FC_E_MISMATCH, "map.weight");
  fc_trainer_destroy(t);
  CHECK_FAILS(fc_run_load(data, true, &r), FC_E_INPUT, "not a fieldcast checkpoint");
  CHECK_FAILS(fc_run_load("/nowhere", true, &r), FC_E_INPUT, "no such checkpoint");
}

/* what a rollout sees: the average, the normalisation, channels with units, the grid */
static void loads_a_run(void) {
  const char *data = toy_file("load.hdf5", 4, 14);
  char        dir[FC_TEXT];
  fc_run     *r, *raw;
  fc_source   s;

  snprintf(dir, sizeof dir, "%s", check_path("run-load"));
  fc_trainer *t = toy_trainer(data, OPTIONS "train.eval_every=1000");
  CHECK_OK(fc_trainer_run(t, dir, false));
  CHECK_OK(fc_run_load(dir, true, &r));
  CHECK_OK(fc_run_load(dir, false, &raw));
  const size_t n = (size_t)fc_params_block(t->network->params, true) * sizeof(fc_real);
  CHECK(r->averaged && !memcmp(fc_params_values(r->network->params), fc_optim_ema(t->optim), n));
  CHECK(!raw->averaged && !memcmp(fc_params_values(raw->network->params), weights_of(t), n));
  CHECK(!strcmp(r->k.out.channel[1].name, "b") && !strcmp(r->k.out.channel[1].unit, "m"));
  CHECK_NEAR(r->k.out.mean[0], t->k.out.mean[0], 0);
  CHECK(r->k.geo.ndim == 2 && r->k.geo.dim[1] == TOY_N && r->k.geo.periodic[0] && !r->k.geo.periodic[2]);
  CHECK_NEAR(r->k.geo.dt, 0.5, 0);
  CHECK_OK(fc_run_open_data(r, data, &s));
  CHECK_NEAR(s.out.std[1], t->k.out.std[1], 0);
  fc_source_close(&s);
  fc_run_free(r);
  fc_run_free(raw);
  fc_trainer_destroy(t);
}

CHECK_SUITE(resume, continues_bit_for_bit, stops_at_a_signal, falls_back, refuses, loads_a_run)
