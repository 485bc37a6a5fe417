/* train/train_loop.c - the run around the steps: folder, log, validation, checkpoints, ending in time. */
#include "core/progress.h"
#include "hpc/comm.h"
#include "hpc/stop.h"
#include "io/file.h"
#include "train/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the run folder ---- */

typedef struct {
  fc_trainer *t;
  fc_log      log;
  fc_progress bar;
  char        checkpoint[FC_TEXT + 32], previous[FC_TEXT + 32], best[FC_TEXT + 32];
  double      saved;             /* when, seconds */
  int64_t     saved_step;        /* -1: not in this process */
  double      writing, stepping; /* longest checkpoint and step so far, seconds */
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

/* a checkpoint that has not been measured yet: weights, average and two moments at 100 MB/s */
static double guessed_writing(const fc_trainer *t) {
  return 4 * sizeof(fc_real) * (double)t->plan.weights / 1e8;
}

/* What has to be left when another step begins: it and the checkpoint after it, and as much again. */
static double margin(const run *r) { return 2 * (r->stepping + r->writing); }

static fc_status save(run *r) {
  const double began = fc_now();

  FC_TRY(fc_trainer_save(r->t, r->checkpoint, r->previous));
  r->saved      = fc_now();
  r->writing    = r->saved_step < 0 ? r->saved - began : fmax(r->writing, r->saved - began);
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
  const bool               first    = !fc_comm_rank(NULL);
  const bool               late     = s->save_minutes > 0 && fc_now() - r->saved > 60 * s->save_minutes;
  double                   votes[2] = {fc_stop_signal() || (first && fc_stop_due(margin(r))), first && late};

  FC_TRY(fc_comm_sum_double(NULL, votes, 2));
  *stop  = votes[0] > 0;
  *store = *stop || votes[1] > 0 || due(s->save_every, r->t->k.step) || r->t->k.step == r->t->total ||
           exhausted(r->t);
  return FC_OK;
}

/* any rank may know why; rank 0 speaks */
static fc_status stopped(const run *r) {
  char why[64] = "by a signal to another rank";

  if (fc_stop_signal())
    snprintf(why, sizeof why, "by signal %d", fc_stop_signal());
  else if (fc_stop_seconds_left() <= margin(r))
    snprintf(why, sizeof why, "before the time limit");
  return fc_fail(FC_STOPPED, "stopped %s after step %lld; %s is written, --resume goes on from there", why,
                 (long long)r->t->k.step, r->checkpoint);
}

static fc_status loop(run *r) {
  fc_trainer *t = r->t;

  while (t->k.step < t->total && !exhausted(t)) {
    fc_step_facts f;
    bool          looked, stop, store;
    const double  began = fc_now();

    FC_TRY(fc_trainer_step(t, &f));
    FC_TRY(validate(r, &looked));
    FC_TRY(fc_comm_agree(NULL, log_step(r, &f, looked)));
    r->stepping = fmax(r->stepping, fc_now() - began);
    FC_TRY(decide(r, &stop, &store));
    if (store) FC_TRY(save(r));
    if (stop && t->k.step < t->total && !exhausted(t)) return stopped(r);
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

/* the limit of the job, or of --max-seconds, which only rank 0 knows */
static void ask_for_limit(bool quiet) {
  if (fc_comm_rank(NULL)) return;
  fc_stop_ask_job();
  const double left = fc_stop_seconds_left();
  if (isfinite(left) && !quiet)
    fprintf(stderr, "train: ends with a checkpoint before %.0f s are over, or when a signal comes\n", left);
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
  run      *r = calloc(1, sizeof *r);
  fc_status s;
  char      note[96] = "";

  FC_REQUIRE(r, FC_E_SYSTEM, "no memory for a run");
  r->t          = t;
  r->saved_step = -1;
  r->writing    = guessed_writing(t);
  FC_TRY_TO(done, s, fc_comm_agree(NULL, prepare_folder(r, dir, resume)));
  if (resume) FC_TRY_TO(done, s, fc_comm_agree(NULL, restore(r)));
  if (!fc_comm_rank(NULL)) s = fc_log_open(&r->log, dir, t);
  FC_TRY_TO(done, s, fc_comm_agree(NULL, s));
  announce(t);
  ask_for_limit(t->quiet);
  r->saved = fc_now();
  fc_progress_start(&r->bar, "train", "step", t->k.step, t->total, t->quiet);
  fc_stop_catch();
  s = loop(r);
  fc_stop_release();
  fc_progress_update(&r->bar, t->k.step, NULL); /* the last count, due or not */
  if (s == FC_OK) conclude(t, sizeof note, note);
  fc_progress_end(&r->bar, note);
done:
  fc_log_close(&r->log);
  free(r);
  return s;
}
