/* solvers/channel_run.c - steps and frames of solvers/chan.h as solvers/evolve.h wants them. */
#include "solvers/channel_run.h"

#include "solvers/chan_history.h"
#include "solvers/chan_statistics.h"
#include "solvers/sgs.h"

#include <math.h>
#include <string.h>

typedef struct {
  fc_chan            *s;
  fc_chan_frame      *frame;
  fc_chan_history    *history; /* NULL: none is wanted */
  fc_chan_statistics *statistics;
} flow;

static void start(void *state, int64_t traj) {
  const flow *f = state;

  fc_chan_start(f->s, traj);
  fc_chan_history_note(f->history, f->s, traj);
  fc_chan_statistics_begin(f->statistics);
}

static double speed(void *state) {
  const flow *f = state;

  fc_chan_products(f->s);
  return f->s->speed;
}

static double step(void *state, double h) {
  const flow *f = state;

  fc_chan_step(f->s, h);
  if (isfinite(f->s->speed)) {
    fc_chan_history_note(f->history, f->s, -1);
    fc_chan_statistics_look(f->statistics, f->s);
  }
  return f->s->speed;
}

static void measure(void *state, double *out) {
  const flow          *f = state;
  const fc_chan_budget q = fc_chan_measure(f->s);

  out[0] = q.energy;
  out[1] = fc_chan_re_tau(f->s, (q.shear[0] + q.shear[1]) / 2);
  out[2] = q.bulk;
  out[3] = q.push;
  out[4] = q.divergence;
}

static void values(void *state, fc_real *x) {
  const flow *f = state;

  fc_chan_history_flush(f->history);
  fc_chan_frame_values(f->s, f->frame, x);
  if (f->s->status != FC_OK && f->frame->x_n > 0) x[0] = (fc_real)NAN; /* evolve then asks for the status */
}

static fc_status status(void *state) { return ((const flow *)state)->s->status; }

/* ---- restarts: the flow, the place in the table, statistics ---- */

enum { HISTORY = 2 };

static int64_t flow_size(void *state) { return fc_chan_kept(((const flow *)state)->s); }

static int64_t state_size(void *state) {
  return flow_size(state) + HISTORY + fc_chan_statistics_kept(((const flow *)state)->statistics);
}

static void keep(void *state, double *x) {
  const flow *f    = state;
  double     *rest = x + flow_size(state);

  fc_chan_keep(f->s, x);
  rest[0] = (double)fc_chan_history_traj(f->history);
  rest[1] = fc_chan_history_keep(f->history);
  fc_chan_statistics_keep(f->statistics, rest + HISTORY);
}

static void restore(void *state, const double *x) {
  const flow   *f    = state;
  const double *rest = x + flow_size(state);

  fc_chan_restore(f->s, x);
  fc_chan_history_restore(f->history, (int64_t)rest[0], rest[1]);
  fc_chan_statistics_restore(f->statistics, rest + HISTORY);
}

static void begin_at(void *state, const double *x, int64_t traj) {
  const flow *f = state;

  fc_chan_restore(f->s, x);
  f->s->time = 0;
  fc_chan_history_note(f->history, f->s, traj);
  fc_chan_statistics_begin(f->statistics);
}

/* ---- runs ---- */

fc_evolve fc_channel_evolve(const fc_chan_config *c) {
  static const fc_evolve_def def = {
      start,   speed,      step,
      measure, values,     {"energy", "Re_tau", "bulk velocity", "pressure gradient", "divergence"},
      status,  state_size, keep,
      restore, flow_size,  begin_at};
  int64_t lo, n;

  fc_chan_frame_share(c, &lo, &n);
  return (fc_evolve){.def        = &def,
                     .t_skip     = c->t_skip,
                     .frame_dt   = c->frame_dt,
                     .frames     = c->frames,
                     .n_traj     = c->n_traj,
                     .first_traj = c->first_traj,
                     .dt         = c->dt,
                     .cfl        = c->cfl,
                     .dx         = 1, /* speeds are sums over the axes, each by its own spacing */
                     .points     = c->nx * c->ny * c->nz,
                     .size       = n * fc_chan_frame_points(c) * c->nz_keep * 3,
                     .together   = true};
}

static fc_status begin(const fc_chan_config *c, flow *f) {
  fc_status s = fc_chan_create(c, NULL, &f->s);

  if (s == FC_OK) s = fc_chan_frame_create(f->s, c, &f->frame);
  if (s == FC_OK && c->history[0]) s = fc_chan_history_create(c->history, c->sgs != FC_SGS_NONE, &f->history);
  if (s == FC_OK && c->statistics[0]) s = fc_chan_statistics_create(f->s, &f->statistics);
  return fc_comm_agree(NULL, s);
}

static fc_status end(flow *f, fc_status s) {
  const fc_status written = fc_chan_history_finish(f->history);

  if (s == FC_OK) s = written;
  if (s == FC_OK) s = fc_chan_statistics_write(f->statistics);
  fc_chan_statistics_destroy(f->statistics);
  fc_chan_frame_destroy(f->frame);
  fc_chan_destroy(f->s);
  return s;
}

fc_status fc_channel_run(const fc_chan_config *config, const fc_audience *to) {
  const fc_chan_config c     = fc_channel_resolve(config);
  const fc_evolve      e     = fc_channel_evolve(&c);
  flow                 f     = {0};
  void                *state = &f;
  fc_status            s     = begin(&c, &f);

  if (s == FC_OK) s = fc_evolve_run(&e, 1, &state, to);
  return end(&f, s);
}

/* dim tells the grid: points of y are the ny cells, or the ny + 1 nodes */
static fc_chan_config on_grid(const fc_chan_config *config, const int64_t *dim, double frame_dt) {
  fc_chan_config c = *config;

  c.nx = c.nx_keep = dim[0];
  c.ny             = dim[1] - (c.points == FC_CHAN_AT_NODES);
  c.nz = c.nz_keep = dim[2];
  c.y_stride       = 1;
  c.frame_dt       = frame_dt;
  c.history[0] = c.statistics[0] = 0;               /* of the run that made the frame */
  c.initial                      = FC_CHAN_LAMINAR; /* not used; its options need not fit this grid */
  return c;
}

fc_status fc_channel_advance(const fc_chan_config *config, const int64_t *dim, const fc_real *x, double t0,
                             double frame_dt, int64_t n, fc_frame_sink sink, void *user) {
  const fc_chan_config c = on_grid(config, dim, frame_dt);
  flow                 f = {0};
  fc_status            s;

  FC_REQUIRE(frame_dt > 0, FC_E_INPUT, "frames %g apart: the time between frames must be positive", frame_dt);
  FC_REQUIRE(dim[0] >= 4 && dim[2] >= 4 && dim[0] % 2 == 0 && dim[2] % 2 == 0 && c.ny >= 4, FC_E_INPUT,
             "channel continues fields on grids that are even along x and z and have 4 cells or more along "
             "y, not %lld x "
             "%lld x %lld",
             (long long)dim[0], (long long)dim[1], (long long)dim[2]);
  FC_TRY(fc_channel_check(&c));
  s = begin(&c, &f);
  if (s == FC_OK) {
    const fc_evolve e = fc_channel_evolve(&c);
    fc_chan_frame_set(f.s, f.frame, x);
    s = fc_evolve_on(&e, &f, t0, n, sink, user);
  }
  return end(&f, s);
}
