/* train/report.c - tables and CSV. */
#include "train/report.h"

#include "io/file.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 12, WIDTH = 18 };

const char *fc_unit_text(const char *unit) { return strcmp(unit, "1") ? unit : ""; }

static const char *time_unit(const fc_report *r) {
  return isnan(r->geo->dt) ? "frames" : fc_unit_text(r->geo->time_unit);
}

/* at most ROWS frames, first and last among them */
static int pick_rows(int64_t frames, int64_t out[ROWS]) {
  const int n = (int)fc_min64(frames, ROWS);

  for (int i = 0; i < n; i++) out[i] = n == 1 ? 0 : i * (frames - 1) / (n - 1);
  return n;
}

static void print_head(const fc_report *r, FILE *f, fc_compared q) {
  fprintf(f, "\n%s\n%10s", fc_compared_name(q), "lead time");
  for (int m = 0; m < r->c->methods; m++) fprintf(f, " %*s", WIDTH, r->c->label[m]);
  fputc('\n', f);
}

static void print_value(FILE *f, double v) {
  if (isnan(v))
    fprintf(f, " %*s", WIDTH, "-");
  else
    fprintf(f, " %*.4g", WIDTH, v);
}

static void print_quantity(const fc_report *r, FILE *f, fc_compared q) {
  int64_t   rows[ROWS];
  const int n = pick_rows(r->c->frames, rows);

  print_head(r, f, q);
  for (int i = 0; i < n; i++) {
    fprintf(f, "%10.4g", r->c->lead[rows[i]]);
    for (int m = 0; m < r->c->methods; m++) print_value(f, fc_compare_at(r->c, m, q, rows[i], -1));
    fputc('\n', f);
  }
}

/* VRMSE by channel at the last frame: where several fields hide in one mean */
static void print_channels(const fc_report *r, FILE *f) {
  const int64_t last = r->c->frames - 1;

  if (r->channels->n < 2) return;
  fprintf(f, "\nVRMSE by channel at lead time %.4g\n%10s", r->c->lead[last], "");
  for (int m = 0; m < r->c->methods; m++) fprintf(f, " %*s", WIDTH, r->c->label[m]);
  fputc('\n', f);
  for (int k = 0; k < r->channels->n; k++) {
    fprintf(f, "%-10s", r->channels->channel[k].name);
    for (int m = 0; m < r->c->methods; m++) print_value(f, fc_compare_at(r->c, m, FC_C_VRMSE, last, k));
    fputc('\n', f);
  }
}

/* "> 7.2": good to the end; "< 0.2": bad from the first frame */
static fc_status print_valid_one(const fc_report *r, FILE *f, int m, fc_compared q, double threshold) {
  const fc_compare *c = r->c;
  char              text[32];
  double            t;

  FC_TRY(fc_compare_valid(c, m, q, threshold, &t));
  const double last = fc_compare_at(c, m, q, c->frames - 1, -1);
  const bool   held =
      t >= c->lead[c->frames - 1] && (q == FC_C_PEARSON ? last >= threshold : last <= threshold);
  const bool never = !held && t <= c->lead[0];
  snprintf(text, sizeof text, "%s%.4g", held ? "> " : never ? "< " : "", t);
  fprintf(f, " %*s", WIDTH, text);
  return FC_OK;
}

static fc_status print_valid(const fc_report *r, FILE *f) {
  fprintf(f, "\nvalid time%s%s\n%10s", time_unit(r)[0] ? ", " : "", time_unit(r), "");
  for (int m = 0; m < r->c->methods; m++) fprintf(f, " %*s", WIDTH, r->c->label[m]);
  fprintf(f, "\nVRMSE<%-4.2g", r->good_error);
  for (int m = 0; m < r->c->methods; m++) FC_TRY(print_valid_one(r, f, m, FC_C_VRMSE, r->good_error));
  fprintf(f, "\ncorr.>%-4.2g", r->good_correlation);
  for (int m = 0; m < r->c->methods; m++) FC_TRY(print_valid_one(r, f, m, FC_C_PEARSON, r->good_correlation));
  fputc('\n', f);
  return FC_OK;
}

static void print_definitions(const fc_report *r, FILE *f) {
  const bool marches = r->c->frames > 1;

  fprintf(f, "\nvalues are means over trajectories and channels\n");
  if (marches)
    fprintf(f, "lead time: since the last known frame%s%s\n", time_unit(r)[0] ? ", in " : "", time_unit(r));
  for (int q = 0; q < FC_C_COUNT; q++)
    fprintf(f, "%s: %s\n", fc_compared_name((fc_compared)q), fc_compared_definition((fc_compared)q));
  if (marches)
    fprintf(f, "persistence: the last known frame stays\n"
               "valid time: until the curve first leaves the good side, interpolated\n");
}

fc_status fc_report_print(const fc_report *r, FILE *f) {
  for (int q = 0; q < FC_C_COUNT; q++) print_quantity(r, f, (fc_compared)q);
  print_channels(r, f);
  if (r->c->frames > 1) FC_TRY(print_valid(r, f));
  print_definitions(r, f);
  return FC_OK;
}

/* ---- CSV ---- */

static void csv_name(const char *text, FILE *f) {
  for (; *text; text++) fputc(isalnum((unsigned char)*text) ? tolower((unsigned char)*text) : '_', f);
}

static void csv_line(const fc_report *r, FILE *f, int m, int64_t frame, int channel) {
  const fc_channel *h = channel < 0 ? NULL : &r->channels->channel[channel];

  fprintf(f, "%s,%.9g,%s,%s", r->c->label[m], r->c->lead[frame], h ? h->name : "mean", h ? h->unit : "");
  for (int q = 0; q < FC_C_COUNT; q++) {
    const double v = fc_compare_at(r->c, m, (fc_compared)q, frame, channel);
    if (isnan(v))
      fputc(',', f);
    else
      fprintf(f, ",%.9g", v);
  }
  fputc('\n', f);
}

fc_status fc_report_csv(const fc_report *r, const char *path) {
  FILE *f;

  FC_TRY(fc_file_begin(path, &f));
  fputs("method,lead_time,channel,unit", f);
  for (int q = 0; q < FC_C_COUNT; q++) {
    fputc(',', f);
    csv_name(fc_compared_name((fc_compared)q), f);
  }
  fputc('\n', f);
  for (int m = 0; m < r->c->methods; m++)
    for (int64_t t = 0; t < r->c->frames; t++)
      for (int k = -1; k < r->channels->n; k++) csv_line(r, f, m, t, k);
  return fc_file_commit(path, f);
}
