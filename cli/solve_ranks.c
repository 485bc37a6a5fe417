/* cli/solve_ranks.c - the ranks of a run of a solver: who computes what, what they hear of each other, and
   what is kept of the run for one that goes on. Where a trajectory belongs to one rank, nobody waits:
   signals, failures and what is done go round in a tally (hpc/tally.h). Where all compute a trajectory
   together they vote after each step. */
#include "cli/solve.h"
#include "hpc/comm.h"
#include "hpc/stop.h"
#include "hpc/watch.h"
#include "io/file.h"
#include "io/state_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* what is summed over the ranks */
enum { STOP, KEEP, FAILED, FINISHED, DONE };

static const double interval = 0.05; /* seconds between two rounds */

/* ---- shares ---- */

/* the value of KEY in lines KEY=VALUE, to the end of its line; NULL: no such line */
static const char *value_of(const char *text, const char *key, size_t *length) {
  const size_t n = strlen(key);

  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    if (strncmp(line, key, n) || line[n] != '=') continue;
    *length = strcspn(line + n + 1, "\n");
    return line + n + 1;
  }
  return NULL;
}

static fc_status set_count(fc_solve_job *j, const char *key, int64_t value) {
  char text[32];

  snprintf(text, sizeof text, "%lld", (long long)value);
  return fc_options_set(j->def->options, j->config, key, text, "the share of a rank");
}

/* a block of the trajectories, which keep their numbers and so their initial fields */
static fc_status divide_trajectories(fc_solve_job *j) {
  size_t      length;
  const char *first = value_of(j->text, "first_traj", &length);
  int64_t     end;

  FC_REQUIRE(first, FC_E_USAGE, "%s cannot be divided between ranks: run it in one process", j->def->name);
  FC_REQUIRE(fc_comm_size(NULL) <= j->total, FC_E_USAGE,
             "%d ranks for %lld trajectories: a trajectory of %s belongs to one rank; start fewer, or give "
             "each more threads",
             fc_comm_size(NULL), (long long)j->total, j->def->name);
  fc_comm_block(NULL, j->total, &j->first, &end);
  j->n = end - j->first;
  FC_TRY(set_count(j, "first_traj", atoll(first) + j->first));
  return set_count(j, "n_traj", j->n);
}

fc_status fc_solve_divide(fc_solve_job *j) {
  const int ranks = fc_comm_size(NULL);

  j->together = ranks > 1 && j->def->share;
  j->lasting  = j->out && !j->spec.n_constant;
  /* Numbers at places that are known from the start: ranks write theirs, and a cut run goes on in the file.
   */
  j->spec.shared   = ranks > 1 || j->lasting;
  j->spec.compress = !j->spec.shared;
  j->spec.lo       = 0;
  j->spec.n        = j->spec.dim[0];
  j->first         = 0;
  j->n             = j->total;
  if (j->together)
    j->def->share(j->config, &j->spec.lo, &j->spec.n);
  else if (ranks > 1)
    FC_TRY(divide_trajectories(j));
  j->size = j->spec.n;
  for (int a = 1; a < j->spec.ndim; a++) j->size *= j->spec.dim[a];
  int channels = 0;
  for (int i = 0; i < j->spec.n_fields; i++) channels += j->spec.field[i].rank ? j->spec.ndim : 1;
  j->size *= channels;
  return j->together ? FC_OK : fc_tally_create(&j->tally);
}

/* ---- states of an earlier run ---- */

/* what a state has in front: it fits a run that has the same */
static fc_status identify(fc_solve_job *j) {
  size_t size = 0;
  FILE  *f    = open_memstream(&j->id, &size);

  FC_REQUIRE(f, FC_E_SYSTEM, "no memory for the description of a run");
  fprintf(f, "solver=%s\nprecision=%s\nranks=%d\nsplit=%s\n%s", j->def->name, FC_REAL_NAME,
          j->together ? fc_comm_size(NULL) : 0, j->split ? j->split : "", j->text);
  FC_REQUIRE(!fclose(f), FC_E_SYSTEM, "no memory for the description of a run");
  return FC_OK;
}

static fc_status differs(const char *path, const char *key, int n_key, const char *then, const char *now) {
  const int a = (int)strcspn(then, "\n"), b = (int)strcspn(now, "\n");

  if (n_key == 5 && !strncmp(key, "ranks", 5))
    return fc_fail(FC_E_USAGE,
                   "%s: kept by %.*s ranks that computed together, not %.*s; as many have to go on (0: one "
                   "process)",
                   path, a, then, b, now);
  return fc_fail(FC_E_USAGE, "%s: kept by a run with %.*s=%.*s, not %.*s", path, n_key, key, a, then, b, now);
}

/* every line of the text, or those of some keys, in both */
static fc_status compare(const char *path, const char *then, const char *now, const char *const *keys) {
  for (const char *line = now; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    char         key[FC_WORD];
    size_t       n, m = strcspn(line, "=");
    bool         wanted = !keys;
    const char  *value  = line + m + 1;
    const size_t length = strcspn(value, "\n");
    snprintf(key, sizeof key, "%.*s", (int)m, line);
    for (int i = 0; keys && keys[i]; i++) wanted |= !strcmp(keys[i], key);
    const char *old = value_of(then, key, &n);
    if (!wanted || (keys && !old)) continue;
    FC_REQUIRE(old, FC_E_USAGE, "%s: kept by a run that knew no option %s", path, key);
    if (n != length || strncmp(old, value, n)) return differs(path, key, (int)strlen(key), old, value);
  }
  return FC_OK;
}

static fc_status load(fc_solve_job *j, const fc_state_file *f, const char *path, bool afresh) {
  const int me = fc_comm_rank(NULL), ranks = fc_comm_size(NULL);

  for (int64_t r = 0; r < fc_state_file_ranks(f); r++) {
    if (j->together && r != me) continue;
    const int64_t n = fc_state_file_size(f, r);
    double       *x = malloc((size_t)fc_max64(1, n) * sizeof *x);
    FC_REQUIRE(x, FC_E_SYSTEM, "%s: no memory for %lld numbers", path, (long long)n);
    const fc_status s = fc_state_file_read(f, r, x);
    if (s != FC_OK) {
      free(x);
      return s;
    }
    FC_TRY(fc_kept_load(j->kept, x, n, afresh, j->together || r % ranks == me));
  }
  return FC_OK;
}

static fc_status read_state(fc_solve_job *j, const char *path, bool afresh) {
  static const char *const same[] = {"solver", "ranks", "n",  "nx", "ny", "nz",
                                     "length", "lx",    "ly", "lz", NULL};
  fc_state_file           *f;

  FC_TRY(fc_state_file_open(path, &f));
  fc_status s = compare(path, fc_state_file_text(f), j->id, afresh ? same : NULL);
  if (s == FC_OK) s = load(j, f, path, afresh);
  fc_state_file_close(f);
  return s;
}

static void name_state(fc_solve_job *j) {
  size_t n = strlen(j->out);

  while (n > 1 && j->out[n - 1] == '/') n--;
  snprintf(j->state, sizeof j->state, "%.*s.state", (int)n, j->out);
}

fc_status fc_solve_recall(fc_solve_job *j, bool *again) {
  *again = false;
  FC_TRY(fc_comm_agree(NULL, identify(j)));
  if (!j->lasting && !j->from && !j->last) return FC_OK;
  FC_TRY(fc_comm_agree(NULL, fc_kept_create(j->first, j->n, &j->kept)));
  j->kept->ready = fc_solve_ready;
  j->kept->self  = j;
  j->kept->last  = j->last != NULL;
  if (j->from) FC_TRY(fc_comm_agree(NULL, read_state(j, j->from, true)));
  if (!j->lasting) return FC_OK;
  name_state(j);
  *again = fc_comm_any(NULL, !fc_comm_rank(NULL) && fc_file_exists(j->state));
  FC_REQUIRE(!*again || j->resume, FC_E_USAGE,
             "%s: a run into this file was cut; --resume goes on with it, or remove that file to start anew",
             j->state);
  return *again ? fc_comm_agree(NULL, read_state(j, j->state, false)) : FC_OK;
}

/* ---- keeping ---- */

static fc_status sync_parts(const fc_solve_job *j) {
  for (int i = 0; i < j->n_parts; i++)
    if (j->part[i].writer) FC_TRY(fc_field_writer_sync(j->part[i].writer));
  return FC_OK;
}

/* Frames first: a state speaks of frames that are on the disk. */
static void store(fc_solve_job *j, fc_status mine) {
  const double began = fc_now();

  j->storing = false;
  if (mine == FC_OK) mine = sync_parts(j);
  if (mine == FC_OK) fc_kept_seal(j->kept);
  j->status = fc_state_file_write(j->state, j->id, j->kept->size, j->kept->block, mine);
  if (j->status != FC_OK)
    snprintf(j->why, sizeof j->why, "%s", fc_error());
  else
    j->stored = true;
  if (j->stored) fc_watch_advise("--resume goes on from %s", j->state);
  j->kept_at = j->looked = fc_now();
  j->writing             = fmax(j->writing, j->kept_at - began);
}

void fc_solve_ready(void *job) { store(job, FC_OK); }

fc_status fc_solve_keep_last(fc_solve_job *j) {
  FC_REQUIRE(j->kept && j->kept->block, FC_E_USAGE, "--last: %s has no states to keep", j->def->name);
  fc_kept_seal(j->kept);
  return fc_state_file_write(j->last, j->id, j->kept->size, j->kept->block, FC_OK);
}

/* ---- what ranks say ---- */

/* seconds that have to be left: all lanes finish their steps, then the state is written */
static double margin(const fc_solve_job *j) {
  const int lanes = j->kept && j->kept->block ? j->kept->lanes : 1;

  return 2 * (j->longest * lanes + j->writing) + 1;
}

static void say(const fc_solve_job *j, double mine[FC_TALLY]) {
  const bool first = !fc_comm_rank(NULL);

  memset(mine, 0, FC_TALLY * sizeof *mine);
  mine[STOP] = fc_stop_signal() || (first && fc_stop_due(margin(j)));
  mine[KEEP] =
      first && j->lasting && j->kept->block && j->keep_every > 0 && fc_now() - j->kept_at > j->keep_every;
  mine[DONE] = j->fraction * (double)j->n / (double)j->total;
}

/* the same on all ranks, since the sums are */
static void hear(fc_solve_job *j, const double sum[FC_TALLY]) {
  const bool finished = sum[FINISHED] > (double)fc_comm_size(NULL) - 0.5;

  j->heard    = j->together ? j->fraction : sum[DONE];
  j->stopping = sum[STOP] > 0 && sum[FAILED] == 0 && !finished;
  j->over     = j->stopping || sum[FAILED] > 0 || finished;
  j->storing  = sum[KEEP] > 0 && !j->over;
  if (j->storing) j->kept_at = fc_now();
}

static fc_status heed(fc_solve_job *j) {
  if (j->stopping && j->kept && fc_kept_ask(j->kept, true))
    return FC_OK; /* lanes stop when they have given */
  if (j->over) return fc_fail(FC_STOPPED, "stopped");
  if (j->storing && !fc_kept_ask(j->kept, false)) j->storing = false; /* there is nothing to keep */
  return j->status == FC_OK ? FC_OK : fc_fail(j->status, "%s", j->why);
}

static fc_status look_around(fc_solve_job *j) {
  double       mine[FC_TALLY], sum[FC_TALLY];
  bool         complete = true;
  const double now      = fc_now();

  if (j->status != FC_OK) return fc_fail(j->status, "%s", j->why);
  if (j->over) return j->stopping && j->kept && j->kept->block ? FC_OK : fc_fail(FC_STOPPED, "stopped");
  j->longest = fmax(j->longest, now - j->looked);
  j->looked  = now;
  if (!j->together && now - j->asked < interval && !fc_stop_signal()) return FC_OK;
  j->asked = now;
  say(j, mine);
  if (j->together) {
    FC_TRY(fc_comm_sum_double(NULL, mine, FC_TALLY));
    memcpy(sum, mine, sizeof sum);
  } else
    FC_TRY(fc_tally_look(j->tally, mine, sum, &complete));
  if (!complete) return FC_OK;
  hear(j, sum);
  return heed(j);
}

fc_status fc_solve_show(void *job, double fraction, const char *note) {
  fc_solve_job *j = job;

  j->fraction = fraction;
  if (fraction < 1) FC_TRY(look_around(j));
  if (fc_comm_size(NULL) == 1 || j->together) j->heard = fraction;
  fc_progress_update(&j->bar, (int64_t)(j->heard * (double)(j->total * j->spec.n_steps)), note);
  return FC_OK;
}

/* ---- the end ---- */

/* This rank has finished, or failed: it hears the others until all have, and keeps with them what they keep.
 */
static fc_status outlast(fc_solve_job *j, fc_status s) {
  const fc_status bad = s == FC_STOPPED ? FC_OK : s;
  double          mine[FC_TALLY], sum[FC_TALLY];
  bool            complete = false;

  if (j->storing) store(j, bad); /* the others are there already */
  while (!j->over) {
    if (!fc_tally_open(j->tally)) {
      say(j, mine);
      mine[bad == FC_OK ? FINISHED : FAILED] = 1;
      FC_TRY(fc_tally_look(j->tally, mine, sum, &complete));
    }
    if (!complete) FC_TRY(fc_tally_wait(j->tally, sum));
    complete = false;
    hear(j, sum);
    if (j->storing) store(j, bad);
    fc_progress_update(&j->bar, (int64_t)(j->heard * (double)(j->total * j->spec.n_steps)),
                       "waiting for other ranks");
  }
  return bad != FC_OK ? bad : j->status == FC_OK ? FC_OK : fc_fail(j->status, "%s", j->why);
}

/* any rank may know why; one speaks */
static fc_status stopped(const fc_solve_job *j) {
  char why[64] = "by a signal to another rank";

  if (fc_stop_signal())
    snprintf(why, sizeof why, "by signal %d", fc_stop_signal());
  else if (fc_stop_seconds_left() <= margin(j))
    snprintf(why, sizeof why, "before the time limit");
  if (j->stored)
    return fc_fail(FC_STOPPED, "stopped %s; %s is written, --resume goes on from there", why, j->state);
  /* a job would come back for ever */
  FC_REQUIRE(!j->resume, FC_E_USAGE, "stopped %s; this run has no state to go on with: give it more time", why);
  return fc_fail(FC_STOPPED, "stopped %s; nothing was written", why);
}

fc_status fc_solve_settle(fc_solve_job *j, fc_status s) {
  if (j->together) { /* has been agreed on, or this rank is alone with it */
    if (s != FC_OK && s != FC_STOPPED) return s;
  } else {
    s = outlast(j, s);
    FC_TRY(fc_comm_agree(NULL, s == FC_STOPPED ? FC_OK : s));
  }
  if (!j->stopping) return s;
  if (j->lasting && j->kept->block) {
    store(j, FC_OK);
    if (j->status != FC_OK) return fc_fail(j->status, "%s", j->why);
  }
  return stopped(j);
}
