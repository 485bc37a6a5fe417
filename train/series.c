/* train/series.c - opening: scaled numbers, marks, what a checkpoint keeps. */
#include "train/series.h"

#include "core/parallel.h"
#include "train/series_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- classes: numbers of the file -> numbers of the training ---- */

static int find_class(const fc_series_class *in, const char *name) {
  int k = 0;

  while (k < in->n && strcmp(in->name[k], name)) k++;
  return k;
}

static fc_status class_table(const fc_series_set *s, const fc_series_known *known, int k, double *number) {
  const fc_series_info  *i    = fc_series_about(s->file);
  const fc_series_class *have = &i->category[s->variate[k]];

  for (int c = 0; c < have->n; c++) {
    const int at = known ? find_class(&known->category[k], have->name[c]) : c;
    FC_REQUIRE(!known || at < known->category[k].n, FC_E_MISMATCH,
               "%s: '%s' in column %s was not among the training data", s->path, have->name[c],
               known->column[k].name);
    number[c] = at;
  }
  return FC_OK;
}

/* a column of classes in the numbers of the training */
static fc_status renumber(fc_series_set *s, const fc_series_known *known, int k) {
  const fc_series_info *i      = fc_series_about(s->file);
  const int             column = s->variate[k];
  const double         *x      = fc_series_values(s->file) + column;
  double               *number = malloc((size_t)i->category[column].n * sizeof *number);

  FC_REQUIRE(number, FC_E_SYSTEM, "no memory for the classes of %s", s->path);
  const fc_status st = class_table(s, known, k, number);
  for (int64_t r = 0; st == FC_OK && r < i->rows; r++) {
    const double v                       = x[r * i->n_columns]; /* NaN: the open end */
    s->scaled[r * i->n_columns + column] = (fc_real)(isnan(v) ? v : number[(int)v]);
  }
  free(number);
  return st;
}

/* x -> (x - mean) / std in double, stored as fc_real */
static fc_status scale(fc_series_set *s, const fc_series_known *known) {
  const fc_series_info *i = fc_series_about(s->file);
  const double         *x = fc_series_values(s->file);
  const int             C = i->n_columns;

  s->scaled = malloc((size_t)(i->rows * C + 1) * sizeof *s->scaled);
  FC_REQUIRE(s->scaled, FC_E_SYSTEM, "no memory for the scaled numbers of %s", s->path);
  FC_FOR_ROWS(r, i->rows, C) {
    const int     k    = s->own_mean ? fc_series_of_row(s, r) : 0;
    const double *mean = s->own_mean ? s->own_mean + k * C : s->scale.mean;
    const double *std  = s->own_std ? s->own_std + k * C : s->scale.std;
    for (int c = 0; c < C; c++) s->scaled[r * C + c] = (fc_real)((x[r * C + c] - mean[c]) / std[c]);
  }
  for (int k = 0; k < s->n_variates; k++)
    if (i->category[s->variate[k]].n) FC_TRY(renumber(s, known, k));
  return FC_OK;
}

/* ---- calendar marks ---- */

static fc_status set_marks(fc_series_set *s, const char *model) {
  const fc_series_info *i = fc_series_about(s->file);
  fc_real               one[8];

  if (s->wants.marks == FC_MARKS_NONE) return FC_OK;
  FC_REQUIRE(i->dated, FC_E_MISMATCH,
             "%s takes calendar marks, but %s has no dates; name their column with data.date, or switch the "
             "marks off in the model's options",
             model, s->path);
  s->n_marks = fc_marks_at(s->wants.marks, s->wants.freq, 0, one);
  s->marks   = malloc((size_t)(i->rows * s->n_marks + 8) * sizeof *s->marks);
  FC_REQUIRE(s->marks, FC_E_SYSTEM, "no memory for the calendar marks of %s", s->path);
  for (int64_t r = 0; r < i->rows; r++)
    fc_marks_at(s->wants.marks, s->wants.freq, fc_series_times(s->file)[r], s->marks + r * s->n_marks);
  return FC_OK;
}

/* ---- whole sets ---- */

static fc_status build(fc_series_set *s, const fc_data_settings *d, const char *model,
                       const fc_series_known *known) {
  FC_TRY(fc_series_choose(s, d, model, known));
  FC_TRY(fc_series_cut(s, d, known != NULL));
  FC_TRY(fc_series_take_scale(s, d, known));
  FC_TRY(scale(s, known));
  return set_marks(s, model);
}

/* Rows of further files, then what formulas give; in a forecast these go on through the horizon. */
static fc_status complete(fc_series_set *s, const fc_data_settings *d, const fc_series_mapping *m) {
  if (d->continued[0]) FC_TRY(fc_series_append(s->file, d->continued, m));
  if (d->future[0]) FC_TRY(fc_series_append(s->file, d->future, m));
  return fc_series_derive(s->file, d->derive, d->ahead ? s->wants.horizon : 0);
}

fc_status fc_series_set_open(const char *path, const fc_data_settings *d, const fc_network *n,
                             const fc_series_known *known, fc_series_set *out) {
  char                    categories[2 * FC_TEXT + FC_COLUMNS * FC_NAME];
  const fc_series_mapping m = {.date       = d->date,
                               .id         = d->id,
                               .categories = categories,
                               .ignore     = d->ignore,
                               .step       = d->step,
                               .missing    = (fc_missing_kind)d->missing,
                               .sort       = d->sort};

  memset(out, 0, sizeof *out);
  FC_REQUIRE(n->on_series, FC_E_MISMATCH, "%s", n->not_on_series);
  out->wants = n->series;
  snprintf(out->path, sizeof out->path, "%s", path);
  fc_series_categories(&out->wants, d, sizeof categories, categories);
  FC_TRY(fc_series_open(path, &m, &out->file));
  fc_status s = complete(out, d, &m);
  if (s == FC_OK) s = build(out, d, n->def->name, known);
  if (s == FC_OK) s = fc_series_check(n, out);
  if (s != FC_OK) fc_series_set_close(out);
  return s;
}

void fc_series_set_close(fc_series_set *s) {
  fc_series_close(s->file);
  free(s->lo);
  free(s->hi);
  free(s->before);
  free(s->own_mean);
  free(s->own_std);
  free(s->scaled);
  free(s->marks);
  s->file = NULL;
  s->lo = s->hi = s->before = NULL;
  s->own_mean = s->own_std = NULL;
  s->scaled = s->marks = NULL;
}
