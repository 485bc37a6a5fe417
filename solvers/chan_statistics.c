/* solvers/chan_statistics.c */
#include "solvers/chan_statistics.h"

#include "core/parallel.h"
#include "solvers/chan_eddy.h"
#include "solvers/profiles.h"

#include <math.h>
#include <stdlib.h>

struct fc_chan_statistics {
  fc_chan_config c;
  fc_chan_frame *frame; /* its planes are what is needed */
  fc_profiles   *profiles;
  double         next, first, last; /* time of the next sample; of those taken */
  int64_t        samples;
  double        *mean[2], *flat[2]; /* of nu_t and the modelled stress: [y_n]; planes that hold their means */
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
                                 .model     = s->nu_t != NULL,
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
  for (int a = 0; a < 2 && s->nu_t && status == FC_OK; a++) {
    t->mean[a] = calloc((size_t)s->y_n, sizeof(double));
    t->flat[a] = calloc((size_t)(s->c.nx * s->c.nz), sizeof(double));
    if (!t->mean[a] || !t->flat[a]) status = fc_fail(FC_E_SYSTEM, "no memory for statistics");
  }
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
  for (int a = 0; a < 2; a++) free(t->mean[a]), free(t->flat[a]);
  free(t);
}

void fc_chan_statistics_begin(fc_chan_statistics *t) {
  if (t) t->next = t->c.stats_from;
}

/* means of nu_t and of nu_t (u_y + v_x) in a plane of this rank */
static void model_means(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  fc_chan_statistics *t   = self;
  double              sum = 0, stress = 0;

  if (p->j < s->y_lo || p->j >= s->y_lo + s->y_n) return;
  FC_REDUCE(+, sum) for (int64_t i = 0; i < p->points; i++) sum += nu_t[i];
  FC_REDUCE(+, stress) for (int64_t i = 0; i < p->points; i++) stress += nu_t[i] * (p->g[1][i] + p->g[3][i]);
  t->mean[0][p->j - s->y_lo] = sum / (double)p->points;
  t->mean[1][p->j - s->y_lo] = stress / (double)p->points;
}

/* profiles take planes and their means: planes of the mean will do, whose grid is that of the velocity */
static void flatten(fc_chan_statistics *t, int64_t j) {
  for (int a = 0; a < 2 && t->flat[a]; a++)
    for (int64_t i = 0; i < t->c.nx * t->c.nz; i++) t->flat[a][i] = t->mean[a][j];
}

static void sample(fc_chan_statistics *t, fc_chan *s) {
  const fc_chan_frame *f    = t->frame;
  const int64_t        size = f->X * f->Z;

  fc_chan_frame_planes(s, t->frame);
  if (t->flat[0]) {
    fc_chan_spread(s);
    fc_chan_each_plane(s, model_means, t);
  }
  for (int64_t j = 0; j < f->y_n; j++) {
    flatten(t, j);
    fc_profiles_plane(t->profiles, f->y_lo + j, f->point[0] + j * size, f->point[1] + j * size,
                      f->point[2] + j * size, NULL, t->flat[0], t->flat[1]);
  }
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
