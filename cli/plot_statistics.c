/* cli/plot_statistics.c - quantities of one or several files of statistics: a chart for each, a curve with
   its interval for each file. */
#include "cli/plot.h"

#include "core/options.h"
#include "io/plot.h"
#include "io/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHARTS = 24, FILES = 16, LABEL = 2 * FC_NAME + 8 };

typedef struct picture {
  const fc_plot_request *r;
  fc_statistics          s[FILES];
  int                    files, charts;
  const fc_quantity     *what[CHARTS]; /* of the first file that has it */
  fc_chart               chart[CHARTS];
  fc_curve               curve[CHARTS][FILES];
  char                   name[FILES][FC_NAME], x_label[CHARTS][LABEL], y_label[CHARTS][LABEL];
  double                *band; /* lower and upper ends of all intervals */
} picture;

/* ---- what is drawn ---- */

static const fc_quantity *find(const picture *p, const char *name) {
  for (int k = 0; k < p->files; k++) {
    const fc_quantity *q = fc_statistics_find(&p->s[k], name, NULL);
    if (q && q->n > 1) return q;
  }
  return NULL;
}

static fc_status add_named(picture *p, const char *name) {
  const char *names[1024];
  int         n = 0;

  for (int k = 0; k < p->files; k++)
    for (int i = 0; i < p->s[k].n && n < FC_COUNT(names); i++)
      if (p->s[k].q[i].n > 1) names[n++] = p->s[k].q[i].name;
  const fc_quantity *q    = find(p, name);
  const char        *near = q ? NULL : fc_nearest(name, n, names);
  FC_REQUIRE(q, FC_E_USAGE, "%s: there is no quantity '%s' over an axis%s%s%s", p->r->input, name,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  FC_REQUIRE(p->charts < CHARTS, FC_E_USAGE, "more than %d quantities in one picture", CHARTS);
  p->what[p->charts++] = q;
  return FC_OK;
}

static void add_if_there(picture *p, const char *name) {
  const fc_quantity *q = find(p, name);
  if (q && p->charts < CHARTS) p->what[p->charts++] = q;
}

/* Profiles in wall units, or as they are where no viscosity is known; spectra; histories. */
static void choose_usual(picture *p) {
  static const char *const profiles[] = {"mean_u", "u_rms", "v_rms", "w_rms", "uv", "total_stress"};
  static const char *const box[]      = {"E",           "energy_t",    "dissipation_t",
                                         "enstrophy_t", "Re_lambda_t", "skewness_t"};
  char                     plus[FC_NAME];

  for (int i = 0; i < FC_COUNT(profiles); i++) {
    snprintf(plus, sizeof plus, "%s_plus", profiles[i]);
    add_if_there(p, find(p, plus) ? plus : profiles[i]);
  }
  for (int i = 0; i < p->s[0].n; i++)
    if (!strncmp(p->s[0].q[i].name, "E_uu_", 5) || !strncmp(p->s[0].q[i].name, "E_vv_", 5))
      add_if_there(p, p->s[0].q[i].name);
  for (int i = 0; i < FC_COUNT(box); i++)
    if (find(p, box[i])) add_if_there(p, box[i]);
}

static fc_status choose(picture *p) {
  for (int i = 0; i < p->r->channels.n; i++) FC_TRY(add_named(p, p->r->channels.v[i]));
  if (!p->charts) choose_usual(p);
  for (int i = 0; !p->charts && i < p->s[0].n; i++)
    if (p->s[0].q[i].n > 1) add_if_there(p, p->s[0].q[i].name);
  FC_REQUIRE(p->charts, FC_E_INPUT, "%s: no profiles, spectra or histories to draw", p->r->input);
  return FC_OK;
}

/* ---- curves ---- */

static void with_unit(const char *name, const char *unit, char *out) {
  snprintf(out, LABEL, "%s%s%s%s", name, unit[0] ? " (" : "", unit, unit[0] ? ")" : "");
}

static bool is_spectrum(const fc_quantity *q) { return q->axis[0] == 'k'; }

/* Of wall distances in wall units and of spectra the axis is logarithmic, as they are usually drawn. */
static void axes_of(picture *p, int c) {
  const fc_quantity *q        = p->what[c];
  const bool         spectrum = is_spectrum(q);

  with_unit(q->axis, q->axis_unit, p->x_label[c]);
  with_unit(q->name, q->unit, p->y_label[c]);
  p->chart[c].axes = (fc_axes){.x_label = p->x_label[c],
                               .y_label = p->y_label[c],
                               .h_line  = NAN,
                               .log_x   = spectrum || !strcmp(q->name, "mean_u_plus"),
                               .log_y   = spectrum};
}

/* What lies below 1e-9 of the largest value of a spectrum is rounding of single precision, or was cut: curves
   end before it. */
static void limit_spectrum(picture *p, int c) {
  fc_chart *chart = &p->chart[c];
  double    hi = 0, lo = INFINITY;

  for (int k = 0; k < chart->n; k++)
    for (int64_t i = 0; i < p->curve[c][k].n; i++)
      hi = fmax(hi, p->curve[c][k].y[i]); /* fmax passes over NaN */
  for (int k = 0; k < chart->n; k++) {
    fc_curve *v = &p->curve[c][k];
    while (v->n > 1 && !(v->y[v->n - 1] >= 1e-9 * hi)) v->n--;
    for (int64_t i = 0; i < v->n; i++)
      if (v->y[i] >= 1e-9 * hi) lo = fmin(lo, v->y[i]);
  }
  if (hi > 0 && isfinite(lo)) chart->axes.y_lo = lo / 2, chart->axes.y_hi = hi * 2;
}

static double *add_curve(picture *p, int c, int file, double *room) {
  const fc_quantity *q = fc_statistics_find(&p->s[file], p->what[c]->name, p->what[c]->axis);
  fc_curve          *to;

  if (!q) return room;
  to          = &p->curve[c][p->chart[c].n++];
  *to         = (fc_curve){.label = p->files > 1 ? p->name[file] : NULL, .n = q->n, .x = q->x, .y = q->value};
  to->markers = q->n <= 24;
  if (!isfinite(q->half[q->n / 2])) return room;
  to->lo = room, to->hi = room + q->n;
  for (int64_t i = 0; i < q->n; i++) {
    const double half = isfinite(q->half[i]) ? q->half[i] : 0, lo = q->value[i] - half;
    room[i] = is_spectrum(q) ? fmax(lo, 1e-3 * q->value[i]) : lo; /* no logarithm of what is below zero */
    room[q->n + i] = q->value[i] + half;
  }
  return room + 2 * q->n;
}

static fc_status make_curves(picture *p) {
  int64_t n = 0;

  for (int k = 0; k < p->files; k++)
    for (int i = 0; i < p->s[k].n; i++) n += 2 * p->s[k].q[i].n;
  p->band      = malloc((size_t)fc_max64(n * fc_max64(1, p->r->channels.n), 1) * sizeof *p->band);
  double *room = p->band;
  FC_REQUIRE(room, FC_E_SYSTEM, "no memory for a picture");
  for (int c = 0; c < p->charts; c++) {
    axes_of(p, c);
    p->chart[c].curves = p->curve[c];
    for (int k = 0; k < p->files; k++) room = add_curve(p, c, k, room);
    if (is_spectrum(p->what[c])) limit_spectrum(p, c);
  }
  return FC_OK;
}

/* ---- files ---- */

/* "runs/les_wale.h5" is called les_wale */
static void name_file(const char *path, char out[FC_NAME]) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');

  snprintf(out, FC_NAME, "%.*s",
           (int)fc_min64(dot && dot > base ? dot - base : (int64_t)strlen(base), FC_NAME - 1), base);
}

static fc_status read_files(picture *p) {
  FC_REQUIRE(p->r->n_inputs <= FILES, FC_E_USAGE, "%d files; at most %d fit into one picture", p->r->n_inputs,
             FILES);
  for (int k = 0; k < p->r->n_inputs; k++) {
    FC_TRY(fc_statistics_read(p->r->inputs[k], &p->s[k]));
    p->files++;
    name_file(p->r->inputs[k], p->name[k]);
  }
  return FC_OK;
}

static fc_status draw(picture *p) {
  FC_TRY(read_files(p));
  FC_TRY(choose(p));
  FC_TRY(make_curves(p));
  const int cols = p->charts <= 3 ? p->charts : p->charts == 4 ? 2 : 3, rows = (p->charts + cols - 1) / cols;
  fc_chart  all[CHARTS + 2] = {{{0}}};
  memcpy(all, p->chart, (size_t)p->charts * sizeof *all);
  return fc_plot_charts(p->r->png, p->files == 1 ? p->name[0] : NULL, rows, cols, all);
}

fc_status fc_plot_statistics_files(const fc_plot_request *r) {
  picture *p = calloc(1, sizeof *p);

  FC_REQUIRE(p, FC_E_SYSTEM, "no memory for a picture");
  p->r              = r;
  const fc_status s = draw(p);
  for (int k = 0; k < p->files; k++) fc_statistics_free(&p->s[k]);
  free(p->band);
  free(p);
  return s;
}
