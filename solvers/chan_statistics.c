/* solvers/chan_statistics.c */
#include "solvers/chan_statistics.h"

#include "solvers/profiles.h"

#include <math.h>
#include <stdlib.h>

struct fc_chan_statistics {
  fc_chan_config c;
  fc_chan_frame *frame; /* its planes are what is needed */
  fc_profiles   *profiles;
  double         next, first, last; /* time of the next sample; of those taken */
  int64_t        samples;
};

static fc_status open_profiles(fc_chan_statistics *t, const fc_chan *s) {
  const fc_profiles_spec spec = {.nx        = t->c.nx,
                                 .ny        = t->c.ny,
                                 .nz        = t->c.nz,
                                 .lx        = t->c.length_x,
                                 .lz        = t->c.length_z,
                                 .y         = s->grid->c,
                                 .wall      = {0, 2},
                                 .n_spectra = 2,
                                 .spectra   = {0.1, 1},
                                 .shared    = fc_comm_size(s->comm) > 1,
                                 .ranks     = s->comm};

  return fc_profiles_create(&spec, &t->profiles);
}

fc_status fc_chan_statistics_create(const fc_chan *s, fc_chan_statistics **out) {
  fc_chan_statistics *t = calloc(1, sizeof *t);
  fc_status           status;

  *out = NULL;
  FC_REQUIRE(t, FC_E_SYSTEM, "no memory for statistics");
  t->c          = s->c;
  t->c.points   = FC_CHAN_AT_CENTRES;
  t->c.nx_keep  = s->c.nx;
  t->c.nz_keep  = s->c.nz;
  t->c.y_stride = 1;
  t->first      = INFINITY;
  t->last       = -INFINITY;
  status        = fc_chan_frame_create(s, &t->c, &t->frame);
  if (status == FC_OK) status = open_profiles(t, s);
  if (status != FC_OK) {
    fc_chan_statistics_destroy(t);
    return status;
  }
  *out = t;
  return FC_OK;
}

void fc_chan_statistics_destroy(fc_chan_statistics *t) {
  if (!t) return;
  fc_chan_frame_destroy(t->frame);
  fc_profiles_destroy(t->profiles);
  free(t);
}

void fc_chan_statistics_begin(fc_chan_statistics *t) {
  if (t) t->next = t->c.stats_from;
}

static void sample(fc_chan_statistics *t, fc_chan *s) {
  const fc_chan_frame *f    = t->frame;
  const int64_t        size = f->X * f->Z;

  fc_chan_frame_planes(s, t->frame);
  for (int64_t j = 0; j < f->y_n; j++)
    fc_profiles_plane(t->profiles, f->y_lo + j, f->point[0] + j * size, f->point[1] + j * size,
                      f->point[2] + j * size, NULL, NULL, NULL);
  if (s->status == FC_OK) s->status = fc_profiles_sample(t->profiles);
  t->first = fmin(t->first, s->time);
  t->last  = fmax(t->last, s->time);
  t->samples++;
}

void fc_chan_statistics_look(fc_chan_statistics *t, fc_chan *s) {
  if (!t || s->time < t->next - 1e-9) return; /* steps end on round times but for rounding */
  while (t->next - 1e-9 <= s->time) t->next += t->c.stats_every;
  sample(t, s);
}

static fc_status report(const fc_chan_statistics *t, fc_statistics *out) {
  const fc_profiles_use use = {.nu = t->c.nu, .halves = true, .velocity_unit = "", .length_unit = ""};

  FC_TRY(fc_profiles_report(t->profiles, &use, out));
  out->from = t->first;
  out->to   = t->last;
  fc_statistics_text(out, "solver", "channel");
  fc_statistics_text(out, "source", "samples taken while the solver ran");
  return fc_statistics_write(t->c.statistics, out);
}

fc_status fc_chan_statistics_write(const fc_chan_statistics *t) {
  fc_statistics out;
  fc_status     s = FC_OK;

  if (!t) return FC_OK;
  FC_REQUIRE(t->samples, FC_E_USAGE,
             "statistics=%s: the run ends before stats_from=%g, so there is no sample", t->c.statistics,
             t->c.stats_from);
  if (fc_comm_rank(NULL) == 0) {
    fc_statistics_init(&out, "channel");
    s = report(t, &out);
    fc_statistics_free(&out);
  }
  return s;
}

/* ---- restarts ---- */

enum { OWN = 4 };

int64_t fc_chan_statistics_kept(const fc_chan_statistics *t) {
  return t ? OWN + fc_profiles_state(t->profiles) : 0;
}

void fc_chan_statistics_keep(const fc_chan_statistics *t, double *x) {
  if (!t) return;
  x[0] = t->next, x[1] = t->first, x[2] = t->last, x[3] = (double)t->samples;
  fc_profiles_keep(t->profiles, x + OWN);
}

void fc_chan_statistics_restore(fc_chan_statistics *t, const double *x) {
  if (!t) return;
  t->next = x[0], t->first = x[1], t->last = x[2], t->samples = (int64_t)x[3];
  fc_profiles_restore(t->profiles, x + OWN);
}
