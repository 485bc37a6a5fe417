/* train/contest_report.c */
#include "train/contest_report.h"

#include "io/file.h"
#include "io/plot.h"
#include "train/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- collecting ---- */

fc_status fc_contest_shots(fc_contest *t, int64_t len) {
  t->n_shots = (int)fc_min64(t->cmp->frames, FC_CONTEST_SHOTS);
  for (int i = 0; i < t->n_shots; i++) {
    t->shot_frame[i] = t->n_shots == 1 ? 0 : i * (t->cmp->frames - 1) / (t->n_shots - 1);
    t->truth[i]      = calloc((size_t)len, sizeof(fc_real));
    FC_REQUIRE(t->truth[i], FC_E_SYSTEM, "no memory for the frames of pictures");
    for (int m = 0; m < FC_METHODS; m++) {
      t->rival[m].shot[i] = calloc((size_t)len, sizeof(fc_real));
      FC_REQUIRE(t->rival[m].shot[i], FC_E_SYSTEM, "no memory for the frames of pictures");
    }
  }
  return FC_OK;
}

void fc_contest_free(fc_contest *t) {
  fc_compare_destroy(t->cmp);
  for (int i = 0; i < FC_CONTEST_SHOTS; i++) {
    free(t->truth[i]);
    for (int m = 0; m < FC_METHODS; m++) free(t->rival[m].shot[i]);
  }
}

int fc_contest_method(fc_contest *t, const char *path, fc_rival_kind kind) {
  char  text[FC_TEXT];
  char *slash;

  snprintf(text, sizeof text, "%s", path);
  while ((slash = strrchr(text, '/')) && !slash[1]) *slash = 0; /* a folder named with a slash at its end */
  if (kind == FC_RIVAL_FILE && strrchr(text, '.') > strrchr(text, '/')) *strrchr(text, '.') = 0;
  const int m         = fc_compare_method(t->cmp, slash ? slash + 1 : text);
  t->rival[m].kind    = kind;
  t->rival[m].weights = t->rival[m].steps = 0;
  t->rival[m].train_seconds = t->rival[m].step_seconds = t->rival[m].memory_mib = NAN;
  t->rival[m].seconds_a_frame                                                   = NAN;
  return m;
}

int fc_contest_find(const fc_contest *t, const char *label) {
  for (int m = 0; m < t->cmp->methods; m++)
    if (!strcmp(t->cmp->label[m], label)) return m;
  return -1;
}

/* number of the column of that name in a header line, -1 */
static int column(const char *header, const char *name) {
  int          k = 0;
  const size_t n = strlen(name);

  for (const char *p = header; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL, k++)
    if (!strncmp(p, name, n) && (p[n] == ',' || p[n] == '\n' || !p[n])) return k;
  return -1;
}

static double cell(const char *line, int k) {
  if (k < 0) return NAN;
  while (line && k-- > 0) line = strchr(line, ',') ? strchr(line, ',') + 1 : NULL;
  return line && *line != ',' && *line ? strtod(line, NULL) : NAN;
}

void fc_contest_training(fc_contest *t, int method, const char *path, int64_t weights, int64_t steps) {
  fc_rival *r = &t->rival[method];
  char      name[FC_TEXT + 16], *text, *end;
  size_t    bytes;

  r->weights = weights;
  r->steps   = steps;
  snprintf(name, sizeof name, "%s/log.csv", path);
  if (!fc_file_exists(name) || fc_file_read(name, 1 << 30, &text, &bytes) != FC_OK) return;
  while (bytes && text[bytes - 1] == '\n') text[--bytes] = 0;
  if ((end = strrchr(text, '\n'))) {
    r->steps         = (int64_t)cell(end + 1, column(text, "step"));
    r->train_seconds = cell(end + 1, column(text, "seconds"));
    r->memory_mib    = cell(end + 1, column(text, "memory_mib"));
    r->step_seconds  = r->train_seconds / (double)r->steps;
  }
  free(text);
}

void fc_contest_shot(fc_contest *t, int method, int64_t frame, int64_t len, const fc_real *truth,
                     const fc_real *y) {
  for (int i = 0; i < t->n_shots; i++) {
    if (t->shot_frame[i] != frame) continue;
    memcpy(t->truth[i], truth, (size_t)len * sizeof *truth);
    memcpy(t->rival[method].shot[i], y, (size_t)len * sizeof *y);
  }
}

/* ---- the table ---- */

static double mean_over_frames(const fc_contest *t, int m, fc_compared q) {
  double sum = 0;

  for (int64_t k = 0; k < t->cmp->frames; k++) sum += fc_compare_at(t->cmp, m, q, k, -1);
  return sum / (double)t->cmp->frames;
}

static void number(FILE *f, int width, double v, const char *format) {
  char text[40];

  snprintf(text, sizeof text, isfinite(v) ? format : "-", v);
  fprintf(f, " %*s", width, text);
}

static void print_training(FILE *f, const fc_rival *r) {
  const bool run = r->kind == FC_RIVAL_RUN;

  number(f, 9, run ? (double)r->weights * 1e-6 : NAN, "%.3f");
  number(f, 7, run ? (double)r->steps : NAN, "%.0f");
  number(f, 8, r->train_seconds, "%.0f");
  number(f, 9, 1e3 * r->step_seconds, "%.3g");
  number(f, 8, r->memory_mib, "%.0f");
}

static fc_status print_errors(const fc_contest *t, int m, FILE *f) {
  const int64_t last = t->cmp->frames - 1;
  double        valid;

  number(f, 9, 1e3 * t->rival[m].seconds_a_frame, "%.3g");
  number(f, 9, fc_compare_at(t->cmp, m, FC_C_VRMSE, 0, -1), "%.4f");
  number(f, 9, fc_compare_at(t->cmp, m, FC_C_RELATIVE_L2, 0, -1), "%.4f");
  if (!last) return FC_OK;
  number(f, 9, mean_over_frames(t, m, FC_C_VRMSE), "%.4f");
  number(f, 9, fc_compare_at(t->cmp, m, FC_C_VRMSE, last, -1), "%.4f");
  FC_TRY(fc_compare_valid(t->cmp, m, FC_C_VRMSE, t->good_error, &valid));
  number(f, 9, valid, "%.3g");
  return FC_OK;
}

static void print_notes(const fc_contest *t, FILE *f) {
  const char *time = fc_unit_text(t->geo.time_unit);

  fputs("\nweights in millions; training: optimiser steps, seconds, milliseconds a step, peak resident "
        "memory in MiB "
        "(log.csv of the run)\nms/frame: of a prediction, measured in this run\n",
        f);
  fprintf(f, "VRMSE: %s\nrelative L2: %s\n", fc_compared_definition(FC_C_VRMSE),
          fc_compared_definition(FC_C_RELATIVE_L2));
  if (t->cmp->frames > 1)
    fprintf(f,
            "errors at frame 1, mean over frames 1 to %lld, at frame %lld; valid: lead time%s%s until VRMSE "
            "exceeds %g\n",
            (long long)t->cmp->frames, (long long)t->cmp->frames, time[0] ? " in " : "", time, t->good_error);
  fprintf(f, "%s%s\n", t->linear[0] ? t->linear : "no linear baseline: ", t->linear[0] ? "" : t->no_linear);
  for (int m = 0; m < t->cmp->methods; m++)
    if (t->rival[m].kind == FC_RIVAL_SOLVER) {
      fputs("solver: the one that made the data, for each model the finest of a few coarser grids that costs "
            "no more; * no grid "
            "is as cheap as one of the models\n",
            f);
      return;
    }
  fprintf(f, "no coarse solver beside them: %s\n", t->no_solver);
}

fc_status fc_contest_print(const fc_contest *t, FILE *f) {
  const bool rolled = t->cmp->frames > 1;

  fprintf(f, "%d methods on %s, means over trajectories and channels\n\n", t->cmp->methods, t->data);
  fprintf(f, "%-20s %9s %7s %8s %9s %8s %9s %9s %9s", "", "weights", "steps", "seconds", "ms/step", "memory",
          "ms/frame", "VRMSE", "rel. L2");
  fprintf(f, rolled ? " %9s %9s %9s\n" : "\n", "mean", "last", "valid");
  for (int m = 0; m < t->cmp->methods; m++) {
    fprintf(f, "%-19.19s%c", t->cmp->label[m], t->rival[m].dearer ? '*' : ' ');
    print_training(f, &t->rival[m]);
    FC_TRY(print_errors(t, m, f));
    fputc('\n', f);
  }
  print_notes(t, f);
  return FC_OK;
}

/* ---- files ---- */

static fc_status write_csv(const fc_contest *t, const char *path) {
  FILE *f;

  FC_TRY(fc_file_begin(path, &f));
  fputs("method,kind,weights,steps,train_seconds,seconds_per_step,memory_mib,seconds_per_frame,vrmse_first,"
        "relative_l2_first,"
        "vrmse_mean,vrmse_last\n",
        f);
  for (int m = 0; m < t->cmp->methods; m++) {
    const fc_rival *r = &t->rival[m];
    fprintf(f, "%s,%s,%lld,%lld,%.6g,%.6g,%.6g,%.6g,%.8g,%.8g,%.8g,%.8g\n", t->cmp->label[m],
            r->kind == FC_RIVAL_RUN      ? "run"
            : r->kind == FC_RIVAL_SOLVER ? "solver"
            : r->kind == FC_RIVAL_FILE   ? "file"
                                         : "baseline",
            (long long)r->weights, (long long)r->steps, r->train_seconds, r->step_seconds, r->memory_mib,
            r->seconds_a_frame, fc_compare_at(t->cmp, m, FC_C_VRMSE, 0, -1),
            fc_compare_at(t->cmp, m, FC_C_RELATIVE_L2, 0, -1), mean_over_frames(t, m, FC_C_VRMSE),
            fc_compare_at(t->cmp, m, FC_C_VRMSE, t->cmp->frames - 1, -1));
  }
  return fc_file_commit(path, f);
}

/* runs in full lines, baselines and solvers dashed */
static fc_status draw_curves(const fc_contest *t, const char *path) {
  const fc_compare *c = t->cmp;
  fc_curve          curves[FC_METHODS];
  double           *v = malloc((size_t)(c->methods * c->frames) * sizeof *v);
  char              x_label[FC_NAME + 32];
  const char       *unit = fc_unit_text(t->geo.time_unit);
  fc_axes           axes = {.x_label = x_label, .y_label = "VRMSE", .log_y = true, .h_line = t->good_error};

  FC_REQUIRE(v, FC_E_SYSTEM, "no memory for a picture");
  snprintf(x_label, sizeof x_label, "lead time%s%s", unit[0] ? ", " : "", unit);
  for (int m = 0; m < c->methods; m++) {
    double *y = v + m * c->frames;
    for (int64_t k = 0; k < c->frames; k++) y[k] = fc_compare_at(c, m, FC_C_VRMSE, k, -1);
    curves[m] = (fc_curve){.label   = c->label[m],
                           .n       = c->frames,
                           .x       = c->lead,
                           .y       = y,
                           .dashed  = t->rival[m].kind != FC_RIVAL_RUN,
                           .markers = c->frames == 1};
  }
  const fc_status s = fc_plot_curves(path, &axes, c->methods, curves);
  free(v);
  return s;
}

static void symmetric(fc_panel *p, int n, const fc_panel *truth) {
  double lo = INFINITY, hi = -INFINITY;

  for (int64_t i = 0; i < truth->nx * truth->ny; i++) {
    lo = fmin(lo, (double)truth->x[i * truth->stride]);
    hi = fmax(hi, (double)truth->x[i * truth->stride]);
  }
  const bool both = lo < 0 && hi > 0;
  if (both) hi = fmax(-lo, hi), lo = -hi;
  if (!(lo < hi)) lo -= 1, hi += 1;
  for (int i = 0; i < n; i++)
    p[i].lo = lo, p[i].hi = hi, p[i].map = both ? FC_MAP_DIVERGING : FC_MAP_SEQUENTIAL;
}

/* first channel; rows: lead times; columns: truth, then the runs */
static fc_status draw_fields(const fc_contest *t, const char *path) {
  const int64_t depth = t->geo.ndim == 3 ? t->geo.dim[2] : 1, C = t->channels.n;
  int           runs = 0;
  fc_panel      p[FC_CONTEST_SHOTS * (FC_METHODS + 1)];
  char          when[FC_CONTEST_SHOTS][40];
  const char   *row[FC_CONTEST_SHOTS], *col[FC_METHODS + 1] = {"truth"}, *unit[FC_CONTEST_SHOTS];

  while (runs < t->cmp->methods && t->rival[runs].kind == FC_RIVAL_RUN) runs++;
  for (int m = 0; m < runs; m++) col[m + 1] = t->cmp->label[m];
  for (int i = 0; i < t->n_shots; i++) {
    fc_panel *line = p + i * (runs + 1);
    for (int m = 0; m <= runs; m++) {
      const fc_real *x = m ? t->rival[m - 1].shot[i] : t->truth[i];
      line[m] =
          (fc_panel){.nx = t->geo.dim[0], .ny = t->geo.dim[1], .x = x + depth / 2 * C, .stride = depth * C};
    }
    symmetric(line, runs + 1, &line[0]);
    snprintf(when[i], sizeof when[i], "+%.3g %.20s", t->cmp->lead[t->shot_frame[i]],
             fc_unit_text(t->geo.time_unit));
    row[i]  = t->steady ? NULL : when[i];
    unit[i] = fc_unit_text(t->channels.channel[0].unit);
  }
  return fc_plot_panels(path, t->channels.channel[0].name, t->n_shots, runs + 1, p, row, col, unit);
}

fc_status fc_contest_files(const fc_contest *t, const char *folder) {
  char      path[FC_TEXT + 32];
  fc_report r = {.c = t->cmp, .geo = &t->geo, .channels = &t->channels, .title = ""};

  snprintf(path, sizeof path, "%s/contest.csv", folder);
  FC_TRY(write_csv(t, path));
  snprintf(path, sizeof path, "%s/error.csv", folder);
  FC_TRY(fc_report_csv(&r, path));
  if (t->cmp->frames > 1) {
    snprintf(path, sizeof path, "%s/error.png", folder);
    FC_TRY(draw_curves(t, path));
  }
  if (t->geo.ndim < 2) return FC_OK;
  snprintf(path, sizeof path, "%s/fields.png", folder);
  return draw_fields(t, path);
}
