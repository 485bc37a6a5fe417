/* solvers/kept.c */
#include "solvers/kept.h"

#include "core/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 4, SUMS = 2 * FC_KEPT_RANGES + 2, FLAGS = HEAD + SUMS };

/* ---- life ---- */

fc_status fc_kept_create(int64_t offset, int64_t n_traj, fc_kept **out) {
  fc_kept *k = calloc(1, sizeof *k);

  *out = NULL;
  FC_REQUIRE(k, FC_E_SYSTEM, "no memory for states");
  k->offset   = offset;
  k->room     = n_traj;
  k->record   = calloc((size_t)n_traj, sizeof *k->record);
  k->first    = calloc((size_t)n_traj, sizeof *k->first);
  k->finished = calloc((size_t)n_traj, sizeof *k->finished);
  for (int i = 0; i < FC_KEPT_RANGES; i++) k->sums.least[i] = INFINITY, k->sums.most[i] = -INFINITY;
  if (k->record && k->first && k->finished) {
    *out = k;
    return FC_OK;
  }
  fc_kept_destroy(k);
  return fc_fail(FC_E_SYSTEM, "no memory for states of %lld trajectories", (long long)n_traj);
}

static void unload(fc_kept *k) {
  for (int i = 0; i < k->n_loaded; i++) free(k->loaded[i]);
  free(k->loaded);
  k->loaded   = NULL;
  k->n_loaded = 0;
}

void fc_kept_destroy(fc_kept *k) {
  if (!k) return;
  unload(k);
  free(k->block);
  free(k->seen);
  free(k->active);
  free(k->record);
  free(k->first);
  free(k->finished);
  free(k);
}

/* ---- blocks of an earlier run ---- */

static int64_t block_size(int64_t n_traj, int64_t places, int64_t width) {
  return FLAGS + n_traj + places * width;
}

/* numbers of a file: any of them may be anything, so they are compared before they are converted */
static bool counts(const double *b, int64_t n, int64_t out[HEAD]) {
  if (n < FLAGS) return false;
  for (int i = 0; i < HEAD; i++) {
    if (!(b[i] >= 0 && b[i] <= 1e15)) return false;
    out[i] = (int64_t)b[i];
  }
  return out[0] <= n && out[1] <= n && out[2] <= n && (!out[1] || out[2] <= n / out[1]) &&
         block_size(out[0], out[1], out[2]) == n && out[2] > FC_KEPT_TIMES;
}

static void load_sums(fc_kept_sums *s, const double *b, bool squares) {
  for (int i = 0; i < FC_KEPT_RANGES; i++) {
    s->least[i] = fmin(s->least[i], b[i]);
    s->most[i]  = fmax(s->most[i], b[FC_KEPT_RANGES + i]);
  }
  if (!squares) return;
  s->square += b[2 * FC_KEPT_RANGES];
  s->count += b[2 * FC_KEPT_RANGES + 1];
}

static void load_finished(fc_kept *k, const double *flag, int64_t first, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const int64_t traj = first + i - k->offset;
    if (flag[i] > 0 && traj >= 0 && traj < k->room) k->finished[traj] = true;
  }
}

/* how many records are of this rank */
static int64_t load_records(fc_kept *k, const double *r, int64_t places, int64_t width, bool afresh) {
  const double **record = afresh ? k->first : k->record;
  int64_t        mine   = 0;

  for (int64_t i = 0; i < places; i++, r += width) {
    const double traj = r[0] - (double)k->offset;
    if (!(r[0] >= 0 && traj >= 0 && traj < (double)k->room)) continue;
    if (afresh && !(r[FC_KEPT_FLOW] <= (double)(width - FC_KEPT_TIMES))) continue;
    const int64_t at = (int64_t)traj;
    if (k->finished[at] && !afresh && !k->last) continue;
    if (!record[at]) k->waiting++;
    record[at] = r;
    if (!afresh) k->width = width; /* what the run must have too */
    mine++;
  }
  return mine;
}

static fc_status own(fc_kept *k, double *block) {
  double **more = realloc(k->loaded, (size_t)(k->n_loaded + 1) * sizeof *more);

  FC_REQUIRE(more, FC_E_SYSTEM, "no memory for states");
  k->loaded                = more;
  k->loaded[k->n_loaded++] = block;
  return FC_OK;
}

fc_status fc_kept_load(fc_kept *k, double *block, int64_t n, bool afresh, bool sums) {
  int64_t c[HEAD];

  if (!counts(block, n, c)) {
    free(block);
    return fc_fail(FC_E_INPUT, "the state of a run is none: its counts do not fit its size");
  }
  if (!afresh) {
    load_sums(&k->sums, block + HEAD, sums);
    load_finished(k, block + FLAGS, c[3], c[0]);
  }
  k->afresh |= afresh;
  if (load_records(k, block + FLAGS + c[0], c[1], c[2], afresh)) return own(k, block);
  free(block);
  return FC_OK;
}

/* ---- the owner's questions ---- */

bool fc_kept_ask(fc_kept *k, bool end) {
  if (!k->block) return false;
  k->left = 0;
  for (int i = 0; i < k->lanes; i++) k->left += k->active[i];
  if (end) atomic_store(&k->ending, 1);
  atomic_fetch_add(&k->asked, 1);
  if (!end && !k->left && k->ready) k->ready(k->self);
  return true;
}

static double *place(const fc_kept *k, int64_t i) { return k->block + FLAGS + k->n_traj + i * k->width; }

/* records that have not been taken so far: the lanes were more when they were written */
static void hand_on(fc_kept *k) {
  int64_t at = k->lanes;

  for (int64_t i = 0; i < k->n_traj; i++)
    if (k->record[i]) memcpy(place(k, k->last ? i : at++), k->record[i], (size_t)k->width * sizeof(double));
}

void fc_kept_seal(fc_kept *k) {
  double *b = k->block + HEAD;

  for (int i = 0; i < FC_KEPT_RANGES; i++) {
    b[i]                  = k->sums.least[i];
    b[FC_KEPT_RANGES + i] = k->sums.most[i];
  }
  b[2 * FC_KEPT_RANGES]     = k->sums.square;
  b[2 * FC_KEPT_RANGES + 1] = k->sums.count;
  for (int64_t i = 0; i < k->n_traj; i++) b[SUMS + i] = k->finished[i];
  hand_on(k);
}

/* ---- the run's answers ---- */

/* all the numbers of a run that goes on, the flow of one that begins */
static fc_status fits(const fc_kept *k, int64_t i, int64_t width, int64_t flow) {
  const double *r      = k->record[i] ? k->record[i] : k->first[i];
  const int64_t wanted = k->record[i] ? width - FC_KEPT_TIMES : flow;

  FC_REQUIRE(r || k->finished[i] || !k->afresh, FC_E_INPUT,
             "there is no state of trajectory %lld to begin with", (long long)(k->offset + i));
  if (!r) return FC_OK;
  const int64_t has = k->record[i] ? k->width - FC_KEPT_TIMES : (int64_t)fmin(fmax(r[FC_KEPT_FLOW], 0), 1e15);
  FC_REQUIRE(has == wanted, FC_E_INPUT,
             "the states have %lld numbers, and this run wants %lld: another grid, scheme or number of ranks",
             (long long)has, (long long)wanted);
  return FC_OK;
}

fc_status fc_kept_begin(fc_kept *k, int64_t n_traj, int lanes, int64_t state_size, int64_t flow_size) {
  const int64_t width = FC_KEPT_TIMES + state_size, places = k->last ? n_traj : lanes + k->waiting;

  FC_ASSERT(n_traj == k->room, "%lld trajectories to keep, not %lld", (long long)n_traj, (long long)k->room);
  for (int64_t i = 0; i < n_traj; i++) FC_TRY(fits(k, i, width, flow_size));
  k->width  = width;
  k->n_traj = n_traj;
  k->lanes  = lanes;
  k->size   = block_size(n_traj, places, width);
  k->block  = calloc((size_t)k->size, sizeof *k->block);
  k->seen   = calloc((size_t)lanes, sizeof *k->seen);
  k->active = calloc((size_t)lanes, sizeof *k->active);
  FC_REQUIRE(k->block && k->seen && k->active, FC_E_SYSTEM, "no memory to keep states: %.3g MB",
             8e-6 * (double)k->size);
  const double head[HEAD] = {(double)n_traj, (double)places, (double)width, (double)k->offset};
  memcpy(k->block, head, sizeof head);
  for (int64_t i = 0; i < places; i++) *place(k, i) = -1;
  for (int i = 0; i < lanes; i++) k->active[i] = i < n_traj;
  return FC_OK;
}

bool fc_kept_wants(const fc_kept *k, int lane) { return atomic_load(&k->asked) != k->seen[lane]; }

double *fc_kept_place(fc_kept *k, int lane, int64_t traj) {
  double *r = place(k, k->last ? traj : lane);

  r[0] = (double)(k->offset + traj);
  return r;
}

static void one_less(fc_kept *k) {
  if (--k->left == 0 && !atomic_load(&k->ending) && k->ready) k->ready(k->self);
}

fc_status fc_kept_given(fc_kept *k, int lane) {
  FC_CRITICAL(fc_solver_out) {
    k->seen[lane] = atomic_load(&k->asked);
    one_less(k);
  }
  return atomic_load(&k->ending) ? fc_fail(FC_STOPPED, "stopped") : FC_OK;
}

const double *fc_kept_record(const fc_kept *k, int64_t traj, bool *afresh) {
  *afresh = !k->record[traj];
  return *afresh ? k->first[traj] : k->record[traj];
}

void fc_kept_taken(fc_kept *k, int64_t traj) {
  FC_CRITICAL(fc_solver_out) {
    k->waiting -= (k->record[traj] != NULL) + (k->first[traj] != NULL);
    k->record[traj] = k->first[traj] = NULL;
    if (!k->waiting) unload(k);
  }
}

void fc_kept_measured(fc_kept *k, int n, const double *value) {
  FC_CRITICAL(fc_solver_out) {
    for (int i = 0; i < n; i++) {
      k->sums.least[i] = fmin(k->sums.least[i], value[i]);
      k->sums.most[i]  = fmax(k->sums.most[i], value[i]);
    }
  }
}

bool fc_kept_finished(const fc_kept *k, int64_t traj) { return k->finished[traj]; }

void fc_kept_finish(fc_kept *k, int lane, int64_t traj) {
  FC_CRITICAL(fc_solver_out) {
    k->finished[traj] = true;
    if (traj + k->lanes >= k->n_traj) { /* its last one */
      k->active[lane] = false;
      if (k->seen[lane] != atomic_load(&k->asked)) one_less(k);
    }
  }
}
