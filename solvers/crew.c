/* solvers/crew.c */
#include "solvers/crew.h"

#include "core/parallel.h"

#include <math.h>
#include <stdio.h>

static void stop(fc_crew *c, fc_status s) {
  FC_CRITICAL(fc_solver_out) {
    if (!atomic_load(&c->stopped)) {
      c->status = s;
      snprintf(c->text, sizeof c->text, "%s", fc_error());
    }
    atomic_store(&c->stopped, 1);
  }
}

static void work(fc_crew *c, int64_t n, int lane, int lanes, fc_status (*one)(void *, int, int64_t),
                 void *self) {
  for (int64_t traj = lane; traj < n && !atomic_load(&c->stopped); traj += lanes) {
    const fc_status s = one(self, lane, traj);
    if (s != FC_OK) stop(c, s);
  }
}

fc_status fc_crew_run(fc_crew *c, int64_t n, int lanes, fc_status (*one)(void *, int, int64_t), void *self) {
  c->status = FC_OK;
  if (lanes == 1)
    work(c, n, 0, 1, one, self);
  else
    FC_FOR_TASKS(lane, lanes, INT64_MAX) work(c, n, (int)lane, lanes, one, self);
  return c->status == FC_OK ? FC_OK : fc_fail(c->status, "%s", c->text);
}

fc_status fc_crew_emit(fc_crew *c, int64_t traj, int64_t t, const fc_real *x) {
  fc_status s = FC_OK;

  FC_CRITICAL(fc_solver_out) s = atomic_load(&c->stopped) ? FC_STOPPED : c->to->sink(c->to->user, traj, t, x);
  return s;
}

fc_status fc_crew_progress(fc_crew *c, double share, const char *note) {
  fc_status s = FC_OK;

  if (!c->to->done) return atomic_load(&c->stopped) ? FC_STOPPED : FC_OK;
  FC_CRITICAL(fc_solver_out) {
    c->fraction += share;
    s = atomic_load(&c->stopped) ? FC_STOPPED : c->to->done(c->to->done_user, fmin(c->fraction, 1), note);
  }
  return s;
}

void fc_crew_credit(fc_crew *c, double share) { FC_CRITICAL(fc_solver_out) c->fraction += share; }

void fc_crew_widen(fc_crew *c, int range, double value) {
  FC_CRITICAL(fc_solver_out) {
    double *r          = c->range[range];
    r[0]               = c->in_range[range] ? fmin(r[0], value) : value;
    r[1]               = c->in_range[range] ? fmax(r[1], value) : value;
    c->in_range[range] = true;
  }
}

fc_status fc_crew_finish(fc_crew *c, int n, const char *const *name) {
  const fc_audience *to        = c->to;
  char               note[200] = "";
  size_t             at        = 0;

  if (to->ranges) to->ranges(to->done_user, n, name, c->range);
  for (int i = 0; i < n && at < sizeof note; i++)
    at += (size_t)snprintf(note + at, sizeof note - at, "%s%s %.4g to %.4g", i ? ", " : "", name[i],
                           c->range[i][0], c->range[i][1]);
  return to->done ? to->done(to->done_user, 1, note) : FC_OK;
}
