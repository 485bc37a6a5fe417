/* train/series_scale.c - mean and population deviation of training rows, by column or by series and column:

     z = (x - mean) / std     means over the training rows of all series, or of the row's own series

   By series, columns that the model calls static keep those of the column, since they do not change within
   one. Classes are no numbers: they stay as they are. */
#include "train/series_columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- series from .. to-1 ---- */

/* sum over their training rows of (x - shift)^power, column by column */
static void add_rows(const fc_series_set *s, int from, int to, const double *shift, int power, double *sum) {
  const fc_series_info *i = fc_series_about(s->file);
  const double         *x = fc_series_values(s->file);

  memset(sum, 0, (size_t)i->n_columns * sizeof *sum);
  for (int k = from; k < to; k++)
    for (int64_t r = s->lo[FC_PART_TRAIN * i->n_series + k]; r < s->hi[FC_PART_TRAIN * i->n_series + k]; r++)
      for (int c = 0; c < i->n_columns; c++) {
        const double d = x[r * i->n_columns + c] - shift[c];
        sum[c] += power == 2 ? d * d : d;
      }
}

static int64_t training_rows(const fc_series_set *s, int from, int to) {
  const int n    = fc_series_about(s->file)->n_series;
  int64_t   rows = 0;

  for (int k = from; k < to; k++) rows += s->hi[FC_PART_TRAIN * n + k] - s->lo[FC_PART_TRAIN * n + k];
  return rows;
}

static void measure(const fc_series_set *s, int from, int to, double *mean, double *std) {
  const fc_series_info *i    = fc_series_about(s->file);
  const double          rows = (double)training_rows(s, from, to);
  double                sum[FC_SERIES_COLUMNS], zero[FC_SERIES_COLUMNS] = {0};

  add_rows(s, from, to, zero, 1, sum);
  for (int c = 0; c < i->n_columns; c++) mean[c] = i->category[c].n || rows == 0 ? 0 : sum[c] / rows;
  add_rows(s, from, to, mean, 2, sum);
  for (int c = 0; c < i->n_columns; c++) {
    const double d = i->category[c].n || rows == 0 ? 0 : sqrt(sum[c] / rows);
    std[c]         = d > 0 ? d : 1;
  }
}

/* ---- by column ---- */

static void by_column(fc_series_set *s, const fc_series_known *known) {
  if (!known) measure(s, 0, fc_series_about(s->file)->n_series, s->scale.mean, s->scale.std);
  for (int v = 0; known && v < known->n; v++) {
    s->scale.mean[s->variate[v]] = known->mean[v];
    s->scale.std[s->variate[v]]  = known->std[v];
  }
}

/* ---- by series ---- */

static bool is_static(const fc_series_set *s, int column) {
  for (int v = 0; v < s->wants.n_columns; v++)
    if (s->variate[v] == column) return s->wants.column[v].role == FC_COLUMN_STATIC;
  return false;
}

static int find_series(const fc_series_known *known, const char *name) {
  for (int k = 0; known && k < known->n_series; k++)
    if (!strcmp(known->series[k], name)) return k;
  return -1;
}

/* one that the training has not seen is measured on the training part of its own rows */
static fc_status one_series(fc_series_set *s, const fc_series_known *known, int k) {
  const fc_series_info *i    = fc_series_about(s->file);
  const int             seen = find_series(known, i->series[k]);
  double               *mean = s->own_mean + k * i->n_columns, *std = s->own_std + k * i->n_columns;

  FC_REQUIRE(
      seen >= 0 || training_rows(s, k, k + 1) > 0, FC_E_MISMATCH,
      "%s: series '%s' has no training rows to take its scale from (data.scale = series); give it more "
      "rows or leave it out",
      s->path, i->series[k]);
  measure(s, k, k + 1, mean, std);
  for (int v = 0; seen >= 0 && v < known->n; v++) {
    mean[s->variate[v]] = known->own_mean[seen * known->n + v];
    std[s->variate[v]]  = known->own_std[seen * known->n + v];
  }
  for (int c = 0; c < i->n_columns; c++)
    if (is_static(s, c)) mean[c] = s->scale.mean[c], std[c] = s->scale.std[c];
  return FC_OK;
}

static fc_status by_series(fc_series_set *s, const fc_series_known *known) {
  const fc_series_info *i = fc_series_about(s->file);
  const size_t          n = (size_t)i->n_series * (size_t)i->n_columns;

  s->own_mean = calloc(n, sizeof *s->own_mean);
  s->own_std  = calloc(n, sizeof *s->own_std);
  FC_REQUIRE(s->own_mean && s->own_std, FC_E_SYSTEM, "no memory for the scales of %d series", i->n_series);
  for (int k = 0; k < i->n_series; k++) FC_TRY(one_series(s, known, k));
  return FC_OK;
}

/* ---- both ---- */

fc_status fc_series_take_scale(fc_series_set *s, const fc_data_settings *d, const fc_series_known *known) {
  FC_REQUIRE(d->normalize || d->scale != FC_SCALE_SERIES, FC_E_USAGE,
             "data.scale = series: data.normalize = false leaves nothing to scale");
  for (int c = 0; c < FC_SERIES_COLUMNS; c++) s->scale.mean[c] = 0, s->scale.std[c] = 1;
  if (d->normalize || known) by_column(s, known);
  return d->scale == FC_SCALE_SERIES ? by_series(s, known) : FC_OK;
}

double fc_series_mean(const fc_series_set *s, int series, int column) {
  return s->own_mean ? s->own_mean[series * fc_series_about(s->file)->n_columns + column]
                     : s->scale.mean[column];
}

double fc_series_std(const fc_series_set *s, int series, int column) {
  return s->own_std ? s->own_std[series * fc_series_about(s->file)->n_columns + column]
                    : s->scale.std[column];
}
