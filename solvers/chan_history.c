/* solvers/chan_history.c */
#include "solvers/chan_history.h"

#include "solvers/chan_sgs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 4096, COLUMNS = 8, MOST = COLUMNS + 4 };

struct fc_chan_history {
  FILE   *file;            /* NULL on other ranks */
  int64_t traj, n, resume; /* bytes of the table that a run goes on behind; -1: as it is */
  int     columns;
  bool    failed, begun;
  double  row[ROWS][MOST];
};

fc_status fc_chan_history_create(const char *path, bool les, fc_chan_history **out) {
  fc_chan_history *h = calloc(1, sizeof *h);

  *out = NULL;
  FC_REQUIRE(h, FC_E_SYSTEM, "no memory for a history");
  h->columns = les ? MOST : COLUMNS;
  if (fc_comm_rank(NULL) == 0) {
    h->file = fopen(path, "ae"); /* what is in it stays until it is known whether the run begins or goes on */
    if (!h->file) {
      free(h);
      return fc_fail(FC_E_USAGE, "history=%s: %s", path, strerror(errno));
    }
  }
  h->resume = -1;
  *out      = h;
  return FC_OK;
}

/* to its first bytes; a pipe stays as it is */
static void cut(fc_chan_history *h, int64_t bytes) {
  if (h->file && ftruncate(fileno(h->file), (off_t)bytes)) clearerr(h->file);
  h->begun  = true;
  h->resume = -1;
}

static void begin(fc_chan_history *h) {
  cut(h, 0);
  if (h->file)
    fprintf(h->file,
            "trajectory,t,bulk_velocity,pressure_gradient,re_tau_lower,re_tau_upper,energy,divergence%s\n",
            h->columns > COLUMNS ? ",nu_t_mean,nu_t_max,sgs_constant,sgs_dissipation" : "");
}

void fc_chan_history_note(fc_chan_history *h, fc_chan *s, int64_t traj) {
  if (!h) return;
  if (traj >= 0) h->traj = traj, h->resume = -1;
  if (h->resume >= 0) cut(h, h->resume);
  if (!h->begun) begin(h);
  if (h->n == ROWS) fc_chan_history_flush(h);
  const fc_chan_budget      q         = fc_chan_measure(s);
  const fc_chan_eddy_budget e         = fc_chan_sgs_measure(s);
  const double              row[MOST] = {(double)h->traj,
                                         s->time,
                                         q.bulk,
                                         q.push,
                                         fc_chan_re_tau(s, q.shear[0]),
                                         fc_chan_re_tau(s, q.shear[1]),
                                         q.energy,
                                         q.divergence,
                                         e.mean,
                                         e.most,
                                         e.constant,
                                         s->drain};
  memcpy(h->row[h->n++], row, sizeof row);
}

void fc_chan_history_flush(fc_chan_history *h) {
  if (!h) return;
  for (int64_t i = 0; i < h->n && h->file; i++) {
    const double *r = h->row[i];
    h->failed |= fprintf(h->file, "%.0f,%.9g,%.12g,%.9g,%.9g,%.9g,%.12g,%.3g", r[0], r[1], r[2], r[3], r[4],
                         r[5], r[6], r[7]) < 0;
    for (int c = COLUMNS; c < h->columns; c++) h->failed |= fprintf(h->file, ",%.9g", r[c]) < 0;
    h->failed |= fputc('\n', h->file) < 0;
  }
  h->n = 0;
}

double fc_chan_history_keep(fc_chan_history *h) {
  if (h && h->resume >= 0) cut(h, h->resume);
  fc_chan_history_flush(h);
  if (!h || !h->file) return 0;
  h->failed |= fflush(h->file) != 0;
  return (double)ftello(h->file);
}

void fc_chan_history_restore(fc_chan_history *h, int64_t traj, double bytes) {
  if (!h) return;
  h->traj   = traj;
  h->resume = (int64_t)bytes;
}

int64_t fc_chan_history_traj(const fc_chan_history *h) { return h ? h->traj : 0; }

fc_status fc_chan_history_finish(fc_chan_history *h) {
  bool failed;

  if (!h) return FC_OK;
  fc_chan_history_flush(h);
  failed = h->failed;
  if (h->file && fclose(h->file)) failed = true;
  free(h);
  FC_REQUIRE(!failed, FC_E_SYSTEM, "the history could not be written: %s", strerror(errno));
  return FC_OK;
}

double fc_chan_re_tau(const fc_chan *s, double shear) {
  return s->c.nu > 0 ? sqrt(fabs(shear)) / s->c.nu : 0;
}
