/* train/train_loop.c - the run around the steps: folder, log, validation, checkpoints, signals. */
#include "core/progress.h"
#include "hpc/comm.h"
#include "io/file.h"
#include "train/log.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- signals: the handler sets a flag, the loop looks at it after each step ---- */

static volatile sig_atomic_t asked_to_stop;
static const int             signals[] = {SIGTERM, SIGUSR1, SIGINT};

static void remember(int number) { asked_to_stop = number; }

static void catch_signals(struct sigaction old[]) {
  struct sigaction a;

  memset(&a, 0, sizeof a);
  a.sa_handler  = remember;
  a.sa_flags    = SA_RESTART;
  asked_to_stop = 0;
  for (int i = 0; i < FC_COUNT(signals); i++) sigaction(signals[i], &a, &old[i]);
}

static void release_signals(const struct sigaction old[]) {
  for (int i = 0; i < FC_COUNT(signals); i++) sigaction(signals[i], &old[i], NULL);
}

/* ---- the run folder ---- */

typedef struct {
  fc_trainer *t;
  fc_log      log;
  fc_progress bar;
  char        checkpoint[FC_TEXT + 32], previous[FC_TEXT + 32], best[FC_TEXT + 32];
  double      saved;      /* when, seconds */
  int64_t     saved_step; /* -1: not in this process */
  fc_scores   scores;
} run;

static fc_status write_config(const fc_trainer *t, const char *dir) {
  char        path[FC_TEXT + 32];
  fc_section  sections[FC_SETTINGS_SECTIONS];
  fc_settings set = t->k.settings;
  FILE       *f;

  snprintf(path, sizeof path, "%s/config.yaml", dir);
  FC_TRY(fc_file_begin(path, &f));
  fc_settings_sections(&set, t->k.def, t->k.args, sections);
  fc_config_write(FC_SETTINGS_SECTIONS, sections, true, f);
  return fc_file_commit(path, f);
}

fc_status fc_trainer_folder(const char *dir, bool resume) {
  char path[FC_TEXT + 32];

  FC_REQUIRE(strlen(dir) < FC_TEXT, FC_E_USAGE, "the name of the run folder is too long");
  snprintf(path, sizeof path, "%s/checkpoint.h5", dir);
  FC_REQUIRE(resume || !fc_file_exists(path), FC_E_USAGE,
             "%s already holds a run; --resume continues it, --out names another folder", dir);
  return FC_OK;
}

static fc_status prepare_folder(run *r, const char *dir, bool resume) {
  snprintf(r->checkpoint, sizeof r->checkpoint, "%s/checkpoint.h5", dir);
  snprintf(r->previous, sizeof r->previous, "%s/checkpoint-prev.h5", dir);
  snprintf(r->best, sizeof r->best, "%s/best.h5", dir);
  if (fc_comm_rank(NULL)) return FC_OK;
  FC_TRY(fc_trainer_folder(dir, resume));
  FC_TRY(fc_make_folder(dir));
  if (!resume) remove(r->best); /* of a run that never wrote a checkpoint of its own */
  return write_config(r->t, dir);
}

/* the newest checkpoint that can be read; none yet: start from the beginning */
static fc_status restore(run *r) {
  const bool newest = fc_file_exists(r->checkpoint), older = fc_file_exists(r->previous);

  if (newest) {
    const fc_status s = fc_trainer_restore(r->t, r->checkpoint);
    if (s != FC_E_INPUT || !older) return s; /* only a damaged file is a reason to take the one before */
    if (!fc_comm_rank(NULL)) fprintf(stderr, "fieldcast: %s; resuming from %s\n", fc_error(), r->previous);
  }
  return older ? fc_trainer_restore(r->t, r->previous) : FC_OK;
}

/* ---- what happens between steps ---- */

static bool due(int64_t every, int64_t step) { return every > 0 && step % every == 0; }

/* every so many steps, or with the step that ends an epoch */
static bool validation_due(const fc_trainer *t) {
  const fc_schedule *s     = &t->k.settings.train.schedule;
  const int64_t      every = t->k.settings.train.eval_every, step = t->k.step;

  if (!t->feed.validates) return false;
  return due(every, step) || step == t->total ||
         (every < 0 && fc_schedule_epoch(s, step) > fc_schedule_epoch(s, step - 1));
}

/* as many validations without a better score as train.patience allows */
static bool exhausted(const fc_trainer *t) {
  const int64_t patience = t->k.settings.train.patience;

  return patience && t->k.waited >= patience;
}

static fc_status validate(run *r, bool *looked) {
  fc_trainer *t = r->t;

  *looked = validation_due(t);
  if (!*looked) return FC_OK;
  FC_TRY(fc_trainer_validate(t, &r->scores));
  const double score = fc_feed_score(&t->feed, &r->scores);
  t->k.waited++;
  if (!(score <= t->k.best)) return FC_OK; /* a tie counts as better, as in the forecasters' codes */
  t->k.best   = score;
  t->k.waited = 0;
  return fc_trainer_save(t, r->best, NULL);
}

static fc_status save(run *r) {
  FC_TRY(fc_trainer_save(r->t, r->checkpoint, r->previous));
  r->saved      = fc_now();
  r->saved_step = r->t->k.step;
  return FC_OK;
}

static fc_status log_step(run *r, const fc_step_facts *f, bool looked) {
  const int64_t step = r->t->k.step;
  char          note[64];

  fc_log_add(&r->log, f);
  if (fc_progress_due(&r->bar)) {
    snprintf(note, sizeof note, "loss %.3e", f->loss);
    fc_progress_update(&r->bar, step, note);
  }
  if (!looked && !due(r->t->k.settings.train.log_every, step) && step != r->t->total) return FC_OK;
  return fc_log_line(&r->log, r->t, f, looked ? &r->scores : NULL);
}

/* All ranks must decide alike: rank 0's clock counts, a signal to any rank counts. */
static fc_status decide(const run *r, bool *stop, bool *store) {
  const fc_train_settings *s        = &r->t->k.settings.train;
  const bool               late     = s->save_minutes > 0 && fc_now() - r->saved > 60 * s->save_minutes;
  double                   votes[2] = {asked_to_stop != 0, late && !fc_comm_rank(NULL)};

  FC_TRY(fc_comm_sum_double(NULL, votes, 2));
  *stop  = votes[0] > 0;
  *store = *stop || votes[1] > 0 || due(s->save_every, r->t->k.step) || r->t->k.step == r->t->total ||
           exhausted(r->t);
  return FC_OK;
}

static fc_status loop(run *r) {
  fc_trainer *t = r->t;

  while (t->k.step < t->total && !exhausted(t)) {
    fc_step_facts f;
    bool          looked, stop, store;

    FC_TRY(fc_trainer_step(t, &f));
    FC_TRY(validate(r, &looked));
    FC_TRY(fc_comm_agree(NULL, log_step(r, &f, looked)));
    FC_TRY(decide(r, &stop, &store));
    if (store) FC_TRY(save(r));
    if (stop && t->k.step < t->total && !exhausted(t))
      return fc_fail(FC_STOPPED,
                     "stopped by signal %d after step %lld; %s is written, --resume goes on from there",
                     (int)asked_to_stop, (long long)t->k.step, r->checkpoint);
  }
  return FC_OK;
}

static void announce(const fc_trainer *t) {
  if (t->quiet) return;
  fprintf(stderr, "train: %s, %lld weights, %lld %s%s%s, %lld steps, %.0f MiB per rank\n", t->k.def->name,
          (long long)t->plan.weights, (long long)t->feed.items, t->feed.kind->items,
          t->feed.in_memory ? " in memory" : " streamed", t->feed.validates ? "" : ", none for validation",
          (long long)t->total, (double)t->plan.total_bytes / 0x1p20);
}

/* what the progress line ends with */
static void conclude(const fc_trainer *t, size_t size, char *note) {
  note[0] = 0;
  if (!t->feed.validates) return;
  const int n = snprintf(note, size, "best validation %s %.4g", t->feed.measure, t->k.best);
  if (t->k.step < t->total && exhausted(t) && (size_t)n < size)
    snprintf(note + n, size - (size_t)n, ", none better in the last %lld", (long long)t->k.waited);
}

fc_status fc_trainer_run(fc_trainer *t, const char *dir, bool resume) {
  run             *r = calloc(1, sizeof *r);
  struct sigaction old[FC_COUNT(signals)];
  fc_status        s;
  char             note[96] = "";

  FC_REQUIRE(r, FC_E_SYSTEM, "no memory for a run");
  r->t          = t;
  r->saved_step = -1;
  FC_TRY_TO(done, s, fc_comm_agree(NULL, prepare_folder(r, dir, resume)));
  if (resume) FC_TRY_TO(done, s, fc_comm_agree(NULL, restore(r)));
  if (!fc_comm_rank(NULL)) s = fc_log_open(&r->log, dir, t);
  FC_TRY_TO(done, s, fc_comm_agree(NULL, s));
  announce(t);
  r->saved = fc_now();
  fc_progress_start(&r->bar, "train", "step", t->k.step, t->total, t->quiet);
  catch_signals(old);
  s = loop(r);
  release_signals(old);
  fc_progress_update(&r->bar, t->k.step, NULL); /* the last count, due or not */
  if (s == FC_OK) conclude(t, sizeof note, note);
  fc_progress_end(&r->bar, note);
done:
  fc_log_close(&r->log);
  free(r);
  return s;
}
