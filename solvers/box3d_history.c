/* solvers/box3d_history.c - rows are collected and written every few seconds, not in every step. */
#include "solvers/box3d_history.h"

#include "core/progress.h"
#include "solvers/box3d_sgs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 12, MOST = COLUMNS + 4, ROWS = 256, SECONDS = 5 };

static const char header[] =
    "trajectory,t,energy,dissipation,enstrophy,helicity,given,lost,residual,re_lambda,integral_scale,cfl",
                  header_les[] = ",nu_t_mean,nu_t_max,sgs_constant,sgs_dissipation";

struct fc_box3d_history {
  FILE   *file;                            /* rank 0's */
  double  row[ROWS][MOST], t, next, start; /* time, of the next row; energy at the start */
  double  due;                             /* when rows should be written again */
  int64_t traj;
  int     n, columns;
  int64_t resume; /* bytes of the table that a run goes on behind; -1: as it is */
  bool    shared, begun;
  char    path[FC_TEXT];
  double *spectrum;
};

fc_box3d_scales fc_box3d_scales_of(const fc_box3d *s, const fc_box3d_budget *q, const double *e) {
  const double    u2 = 2 * q->energy / 3, unit = 2 * M_PI / s->c.length, nu = s->c.nu;
  fc_box3d_scales r = {.dissipation = 2 * nu * q->enstrophy};

  if (r.dissipation > 0) {
    r.re_lambda  = u2 * sqrt(15 / (nu * r.dissipation));
    r.kolmogorov = pow(nu * nu * nu / r.dissipation, 0.25);
  }
  for (int64_t k = 1; e && u2 > 0 && k < fc_box3d_shells(s); k++)
    r.integral += M_PI / (2 * u2) * e[k] / (unit * (double)k);
  return r;
}

/* What is in it stays until it is known whether the run begins or goes on. */
static fc_status open_file(fc_box3d_history *y) {
  y->file = fopen(y->path, "ae");
  FC_REQUIRE(y->file, FC_E_SYSTEM, "history=%s cannot be written: %s", y->path, strerror(errno));
  return FC_OK;
}

/* The first bytes of what is there; a pipe has none. Failures show at the end. */
static void cut(fc_box3d_history *y, int64_t bytes) {
  if (y->file && ftruncate(fileno(y->file), (off_t)bytes)) clearerr(y->file);
  y->begun  = true;
  y->resume = -1;
}

static void drop(fc_box3d_history *y) {
  if (!y) return;
  if (y->file) fclose(y->file);
  free(y->spectrum);
  free(y);
}

static fc_status create(const fc_box3d *s, fc_box3d_history **out) {
  fc_box3d_history *y = *out = calloc(1, sizeof *y);

  if (y) y->spectrum = calloc((size_t)fc_box3d_shells(s), sizeof *y->spectrum);
  FC_REQUIRE(y && y->spectrum, FC_E_SYSTEM, "no memory for the history of the run");
  y->shared  = s->shared;
  y->resume  = -1;
  y->columns = s->c.sgs ? MOST : COLUMNS;
  memcpy(y->path, s->c.history, sizeof y->path);
  return !s->shared || fc_comm_rank(NULL) == 0 ? open_file(y) : FC_OK;
}

fc_status fc_box3d_history_create(const fc_box3d *s, fc_box3d_history **out) {
  *out = NULL;
  if (!s->c.history[0]) return FC_OK;
  const fc_status mine = create(s, out), all = s->shared ? fc_comm_agree(NULL, mine) : mine;
  if (all == FC_OK) return FC_OK;
  drop(*out);
  *out = NULL;
  return mine == FC_OK ? fc_fail(all, "the first rank cannot write the history") : mine;
}

static void flush(fc_box3d_history *y) {
  for (int i = 0; y->file && i < y->n; i++) {
    fprintf(y->file, "%.0f", y->row[i][0]);
    for (int c = 1; c < y->columns; c++) fprintf(y->file, ",%.14g", y->row[i][c]);
    fputc('\n', y->file);
  }
  if (y->file) fflush(y->file);
  y->n   = 0;
  y->due = fc_now() + SECONDS;
}

static void add(fc_box3d_history *y, const fc_box3d *s, fc_box3d_work *k, double cfl) {
  const fc_box3d_budget q = fc_box3d_measure(s, k);

  if (y->resume >= 0) cut(y, y->resume);
  fc_box3d_spectrum(s, k, y->spectrum);
  const fc_box3d_scales r = fc_box3d_scales_of(s, &q, y->spectrum);
  if (y->n == ROWS || fc_now() > y->due) flush(y);
  const fc_box3d_eddies e         = k->sgs ? fc_box3d_sgs_measure(s, k) : (fc_box3d_eddies){0};
  const double          row[MOST] = {(double)y->traj, y->t,        q.energy,
                                     r.dissipation,   q.enstrophy, q.helicity,
                                     q.given,         q.lost,      (q.energy + q.lost - q.given - y->start) / y->start,
                                     r.re_lambda,     r.integral,  cfl,
                                     e.mean,          e.most,      e.constant,
                                     e.dissipation};
  memcpy(y->row[y->n++], row, sizeof row);
}

void fc_box3d_history_start(fc_box3d_history *y, const fc_box3d *s, fc_box3d_work *k, int64_t traj) {
  if (!y) return;
  y->resume = -1;
  if (!y->begun) {
    cut(y, 0);
    if (y->file) fprintf(y->file, "%s%s\n", header, y->columns > COLUMNS ? header_les : "");
  }
  if (k->sgs) fc_box3d_rate(s, k, k->u, k->stage); /* nu_t of the start */
  y->traj  = s->c.first_traj + traj;
  y->t     = 0;
  y->next  = s->c.history_dt;
  y->start = fc_box3d_measure(s, k).energy;
  add(y, s, k, 0);
}

void fc_box3d_history_step(fc_box3d_history *y, const fc_box3d *s, fc_box3d_work *k, double h) {
  if (!y) return;
  y->t += h;
  if (y->t < y->next - h / 2) return;
  y->next = fmax(y->next + s->c.history_dt, y->t);
  add(y, s, k, k->speed * h / s->dx);
}

void fc_box3d_history_keep(fc_box3d_history *y, double x[FC_BOX3D_HISTORY]) {
  memset(x, 0, FC_BOX3D_HISTORY * sizeof *x);
  if (!y) return;
  if (y->resume >= 0) cut(y, y->resume);
  flush(y);
  if (y->file) fflush(y->file);
  const double now[FC_BOX3D_HISTORY] = {(double)y->traj, y->t, y->next, y->start,
                                        y->file ? (double)ftello(y->file) : 0};
  memcpy(x, now, sizeof now);
}

void fc_box3d_history_restore(fc_box3d_history *y, const double x[FC_BOX3D_HISTORY]) {
  if (!y) return;
  y->traj = (int64_t)x[0], y->t = x[1], y->next = x[2], y->start = x[3];
  y->resume = (int64_t)x[4];
}

fc_status fc_box3d_history_finish(fc_box3d_history *y, fc_status run) {
  fc_status status = FC_OK;

  if (!y) return FC_OK;
  flush(y);
  if (y->file && (ferror(y->file) | fclose(y->file)))
    status = fc_fail(FC_E_SYSTEM, "history=%s could not be written to its end: is the disk full?", y->path);
  if (y->shared && run == FC_OK) {
    const fc_status all = fc_comm_agree(NULL, status);
    if (status == FC_OK && all != FC_OK) status = fc_fail(all, "the first rank could not write the history");
  }
  y->file = NULL;
  drop(y);
  return status;
}
