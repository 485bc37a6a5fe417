/* tests/solvers/test_kept.c - runs that are cut at any step and go on, however many lanes they have: the
   frames are those of the run that was not cut, bit for bit. The solver is a map of one number. */
#include "solvers/crew.h"
#include "solvers/evolve.h"
#include "solvers/kept.h"
#include "tests/check.h"

#include <math.h>

enum { TRAJ = 5, FRAMES = 4, LANES = 3 };

typedef struct {
  double x;
} number;

static void start(void *state, int64_t traj) { ((number *)state)->x = 0.1 + (double)traj; }

static double speed(void *state) { return 1 + fabs(((number *)state)->x); }

static double step(void *state, double h) {
  number      *s = state;
  const double v = speed(state);

  s->x = sin(3 * s->x) + h;
  return v;
}

static void measure(void *state, double *out) { out[0] = ((number *)state)->x; }
static void values(void *state, fc_real *x) { *x = (fc_real)((number *)state)->x; }

static int64_t state_size(void *state) {
  (void)state;
  return 1;
}
static void keep(void *state, double *x) { *x = ((number *)state)->x; }
static void restore(void *state, const double *x) { ((number *)state)->x = *x; }

static const fc_evolve_def def = {.start      = start,
                                  .speed      = speed,
                                  .step       = step,
                                  .measure    = measure,
                                  .values     = values,
                                  .name       = {"x"},
                                  .state_size = state_size,
                                  .keep       = keep,
                                  .restore    = restore};

typedef struct {
  fc_real  frame[TRAJ][FRAMES];
  fc_kept *kept;
  int      calls, cut; /* of done; at which it asks for the end */
  double   last;       /* fraction */
} run;

static fc_status sink(void *user, int64_t traj, int64_t t, const fc_real *x) {
  ((run *)user)->frame[traj][t] = *x;
  return FC_OK;
}

static fc_status done(void *user, double fraction, const char *note) {
  run *r = user;

  (void)note;
  r->last = fraction;
  if (fraction < 1 && ++r->calls == r->cut) CHECK(fc_kept_ask(r->kept, true));
  return FC_OK;
}

/* cfl makes steps of uneven length, chosen anew when x grows */
static fc_status evolve(run *r, int lanes, double t_skip) {
  const fc_evolve e = {.def      = &def,
                       .t_skip   = t_skip,
                       .frame_dt = 0.37,
                       .frames   = FRAMES,
                       .n_traj   = TRAJ,
                       .cfl      = 0.5,
                       .dx       = 0.2,
                       .points   = 1,
                       .size     = 1};
  number          state[LANES];
  void           *states[LANES] = {&state[0], &state[1], &state[2]};

  r->calls = 0;
  return fc_evolve_run(
      &e, lanes, states,
      &(fc_audience){.sink = sink, .user = r, .done = done, .done_user = r, .kept = r->kept});
}

/* a copy of what was kept, in a new one */
static fc_kept *handed_on(fc_kept *old) {
  fc_kept *k;

  CHECK_OK(fc_kept_create(0, TRAJ, &k));
  if (!old) return k;
  fc_kept_seal(old);
  double *block = malloc((size_t)old->size * sizeof *block);
  memcpy(block, old->block, (size_t)old->size * sizeof *block);
  CHECK_OK(fc_kept_load(k, block, old->size, false, true));
  fc_kept_destroy(old);
  return k;
}

/* cut after so many steps again and again, lanes in turn */
static int pieces(int cut, double t_skip, const run *whole) {
  run       r = {.cut = cut};
  int       n = 0;
  fc_status s = FC_STOPPED;

  for (; s == FC_STOPPED && n < 1000; n++) {
    r.kept = handed_on(r.kept);
    s      = evolve(&r, 1 + n % LANES, t_skip);
  }
  CHECK_OK(s);
  CHECK(!memcmp(r.frame, whole->frame, sizeof r.frame));
  CHECK(r.last == 1);
  fc_kept_destroy(r.kept);
  return n;
}

static void cut_anywhere(void) {
  for (int k = 0; k < 2; k++) {
    run whole = {0};
    CHECK_OK(evolve(&whole, 2, k ? 0.21 : 0));
    const int steps = whole.calls;
    CHECK(steps > 50);
    for (int cut = 1; cut < steps; cut += 1 + cut / 8) CHECK(pieces(cut, k ? 0.21 : 0, &whole) > 1);
    CHECK(pieces(steps + 10, k ? 0.21 : 0, &whole) == 1);
  }
}

/* ---- asked without an end: what is ready then goes on to the same frames ---- */

static fc_kept *copied;

static void ready(void *self) {
  fc_kept *k = self;

  if (copied) return;
  fc_kept_seal(k);
  double *block = malloc((size_t)k->size * sizeof *block);
  memcpy(block, k->block, (size_t)k->size * sizeof *block);
  CHECK_OK(fc_kept_create(0, TRAJ, &copied));
  CHECK_OK(fc_kept_load(copied, block, k->size, false, true));
}

static fc_status ask_once(void *user, double fraction, const char *note) {
  run *r = user;

  (void)note;
  if (fraction < 1 && ++r->calls == r->cut) CHECK(fc_kept_ask(r->kept, false));
  return FC_OK;
}

static void asked_on_the_way(void) {
  const fc_evolve e = {.def      = &def,
                       .frame_dt = 0.37,
                       .frames   = FRAMES,
                       .n_traj   = TRAJ,
                       .dt       = 0.05,
                       .dx       = 0.2,
                       .points   = 1,
                       .size     = 1};
  number          state[LANES];
  void           *states[LANES] = {&state[0], &state[1], &state[2]};
  run             whole = {.cut = 41}, later = {0};

  CHECK_OK(fc_kept_create(0, TRAJ, &whole.kept));
  whole.kept->ready = ready;
  whole.kept->self  = whole.kept;
  CHECK_OK(fc_evolve_run(
      &e, LANES, states,
      &(fc_audience){
          .sink = sink, .user = &whole, .done = ask_once, .done_user = &whole, .kept = whole.kept}));
  CHECK(copied != NULL);
  if (!copied) return;
  later = whole; /* frames that the first run has written; none may change */
  CHECK_OK(fc_evolve_run(&e, 1, states, &(fc_audience){.sink = sink, .user = &later, .kept = copied}));
  CHECK(!memcmp(later.frame, whole.frame, sizeof whole.frame));
  fc_kept_destroy(whole.kept);
  fc_kept_destroy(copied);
}

/* ---- blocks that are none ---- */

static void nonsense(void) {
  run r = {.cut = 30};

  CHECK_OK(fc_kept_create(0, TRAJ, &r.kept));
  CHECK(evolve(&r, 2, 0) == FC_STOPPED);
  fc_kept_seal(r.kept);
  const double wrong[] = {NAN, -1, 1e300, 0.5, 6};
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < FC_COUNT(wrong); k++) {
      fc_kept *other;
      double  *block = malloc((size_t)r.kept->size * sizeof *block);
      CHECK_OK(fc_kept_create(0, TRAJ, &other));
      memcpy(block, r.kept->block, (size_t)r.kept->size * sizeof *block);
      block[i]          = wrong[k];
      const fc_status s = fc_kept_load(other, block, r.kept->size, false, true);
      CHECK(s == FC_E_INPUT || (i == 3 && s == FC_OK)); /* the first trajectory may be any */
      fc_kept_destroy(other);
    }
  fc_kept_destroy(r.kept);
}

int main(void) {
  static const check_case cases[] = {cut_anywhere, asked_on_the_way, nonsense};

  return check_run("kept", FC_COUNT(cases), cases, "cut_anywhere, asked_on_the_way, nonsense");
}
