/* train/series.c - opening: scale, marks, what a checkpoint keeps. */
#include "train/series.h"

#include "core/parallel.h"
#include "train/series_columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- scale ---- */

/* sum over the training rows of (x - shift)^power, column by column */
static void add_rows(const fc_series_set *s, const double *shift, int power, double *sum) {
  const fc_series_info *i = fc_series_about(s->file);
  const double         *x = fc_series_values(s->file);

  memset(sum, 0, (size_t)i->n_columns * sizeof *sum);
  for (int k = 0; k < i->n_series; k++)
    for (int64_t r = s->lo[FC_PART_TRAIN * i->n_series + k]; r < s->hi[FC_PART_TRAIN * i->n_series + k]; r++)
      for (int c = 0; c < i->n_columns; c++) {
        const double d = x[r * i->n_columns + c] - shift[c];
        sum[c] += power == 2 ? d * d : d;
      }
}

static int64_t training_rows(const fc_series_set *s) {
  const int n    = fc_series_about(s->file)->n_series;
  int64_t   rows = 0;

  for (int k = 0; k < n; k++) rows += s->hi[FC_PART_TRAIN * n + k] - s->lo[FC_PART_TRAIN * n + k];
  return rows;
}

/* classes are no numbers: they stay as they are */
static void measure(fc_series_set *s) {
  const fc_series_info *i    = fc_series_about(s->file);
  const double          rows = (double)training_rows(s);
  double                sum[FC_SERIES_COLUMNS], zero[FC_SERIES_COLUMNS] = {0};

  add_rows(s, zero, 1, sum);
  for (int c = 0; c < i->n_columns; c++) s->scale.mean[c] = i->category[c].n || rows == 0 ? 0 : sum[c] / rows;
  add_rows(s, s->scale.mean, 2, sum);
  for (int c = 0; c < i->n_columns; c++) {
    const double std = i->category[c].n || rows == 0 ? 0 : sqrt(sum[c] / rows);
    s->scale.std[c]  = std > 0 ? std : 1;
  }
}

static void adopt_scale(fc_series_set *s, const fc_series_known *known) {
  for (int k = 0; k < known->n; k++) {
    s->scale.mean[s->variate[k]] = known->mean[k];
    s->scale.std[s->variate[k]]  = known->std[k];
  }
}

static void set_scale(fc_series_set *s, const fc_data_settings *d, const fc_series_known *known) {
  for (int c = 0; c < FC_SERIES_COLUMNS; c++) s->scale.mean[c] = 0, s->scale.std[c] = 1;
  if (d->normalize && !known) measure(s);
  if (known) adopt_scale(s, known);
}

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
  FC_FOR_ROWS(r, i->rows, C)
  for (int c = 0; c < C; c++)
    s->scaled[r * C + c] = (fc_real)((x[r * C + c] - s->scale.mean[c]) / s->scale.std[c]);
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
  set_scale(s, d, known);
  FC_TRY(scale(s, known));
  return set_marks(s, model);
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
  fc_status s = d->future[0] ? fc_series_append(out->file, d->future, &m) : FC_OK;
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
  free(s->scaled);
  free(s->marks);
  s->file = NULL;
  s->lo = s->hi = s->before = NULL;
  s->scaled = s->marks = NULL;
}
