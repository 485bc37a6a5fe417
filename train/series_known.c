/* train/series_known.c - what a checkpoint keeps of the columns of a series. Entries: series/columns, text
   "name<TAB>unit<TAB>number of classes" per line; series/classes, text, the names of the classes of all
   columns, one per line; series/mean, series/std; series/about [targets, dated, step in seconds, in months].
   With a scale for each series also series/names, text, one per line; series/own_mean, series/own_std
   [series, columns]. */
#include "train/series_known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a copy of a set's columns ---- */

fc_status fc_series_known_create(int n, fc_series_known **out) {
  fc_series_known *k = calloc(1, sizeof *k);

  FC_REQUIRE(k, FC_E_SYSTEM, "no memory for the columns of a series");
  k->n        = n;
  k->column   = calloc((size_t)n + 1, sizeof *k->column);
  k->mean     = calloc((size_t)n + 1, sizeof *k->mean);
  k->std      = calloc((size_t)n + 1, sizeof *k->std);
  k->category = calloc((size_t)n + 1, sizeof *k->category);
  *out        = k;
  if (k->column && k->mean && k->std && k->category) return FC_OK;
  fc_series_known_free(k);
  *out = NULL;
  return fc_fail(FC_E_SYSTEM, "no memory for the columns of a series");
}

void fc_series_known_free(fc_series_known *k) {
  if (!k) return;
  for (int i = 0; k->category && i < k->n; i++) {
    for (int c = 0; c < k->category[i].n; c++) free(k->category[i].name[c]);
    free(k->category[i].name);
  }
  for (int i = 0; k->series && i < k->n_series; i++) free(k->series[i]);
  free(k->series);
  free(k->own_mean);
  free(k->own_std);
  free(k->column);
  free(k->mean);
  free(k->std);
  free(k->category);
  free(k);
}

static fc_status add_class(fc_series_class *to, const char *name) {
  to->name[to->n] = strdup(name);
  FC_REQUIRE(to->name[to->n], FC_E_SYSTEM, "no memory for the classes of a column");
  to->n++;
  return FC_OK;
}

static fc_status room_for(fc_series_class *to, int n) {
  to->name = calloc((size_t)n + 1, sizeof *to->name);
  FC_REQUIRE(to->name, FC_E_SYSTEM, "no memory for the classes of a column");
  return FC_OK;
}

static fc_status copy_classes(const fc_series_class *from, fc_series_class *to) {
  FC_TRY(room_for(to, from->n));
  for (int c = 0; c < from->n; c++) FC_TRY(add_class(to, from->name[c]));
  return FC_OK;
}

/* room for the scales of n series */
static fc_status own_room(fc_series_known *k, int n) {
  const size_t all = (size_t)n * (size_t)k->n;

  k->n_series = n;
  k->series   = calloc((size_t)n + 1, sizeof *k->series);
  k->own_mean = calloc(all + 1, sizeof *k->own_mean);
  k->own_std  = calloc(all + 1, sizeof *k->own_std);
  FC_REQUIRE(k->series && k->own_mean && k->own_std, FC_E_SYSTEM, "no memory for the scales of %d series", n);
  return FC_OK;
}

static fc_status copy_own(const fc_series_set *s, fc_series_known *k) {
  const fc_series_info *i = fc_series_about(s->file);

  if (!s->own_mean) return FC_OK;
  FC_TRY(own_room(k, i->n_series));
  for (int q = 0; q < k->n_series; q++) {
    k->series[q] = strdup(i->series[q]);
    FC_REQUIRE(k->series[q], FC_E_SYSTEM, "no memory for the names of %d series", k->n_series);
    for (int v = 0; v < k->n; v++) {
      k->own_mean[q * k->n + v] = fc_series_mean(s, q, s->variate[v]);
      k->own_std[q * k->n + v]  = fc_series_std(s, q, s->variate[v]);
    }
  }
  return FC_OK;
}

fc_status fc_series_remember(const fc_series_set *s, fc_series_known **out) {
  const fc_series_info *i = fc_series_about(s->file);
  fc_status             st;

  FC_TRY(fc_series_known_create(s->n_variates, out));
  fc_series_known *k = *out;
  k->n_targets       = s->n_targets;
  k->step            = i->step;
  k->dated           = i->dated;
  for (int v = 0; v < s->n_variates; v++) {
    const int c  = s->variate[v];
    k->column[v] = i->column[c];
    k->mean[v]   = s->scale.mean[c];
    k->std[v]    = s->scale.std[c];
    FC_TRY_TO(fail, st, copy_classes(&i->category[c], &k->category[v]));
  }
  FC_TRY_TO(fail, st, copy_own(s, k));
  return FC_OK;
fail:
  fc_series_known_free(k);
  *out = NULL;
  return st;
}

/* ---- writing ---- */

static void print_columns(const fc_series_known *k, FILE *f) {
  for (int v = 0; v < k->n; v++)
    fprintf(f, "%s\t%s\t%d\n", k->column[v].name, k->column[v].unit, k->category[v].n);
}

static void print_classes(const fc_series_known *k, FILE *f) {
  for (int v = 0; v < k->n; v++)
    for (int c = 0; c < k->category[v].n; c++) fprintf(f, "%s\n", k->category[v].name[c]);
}

static void print_series(const fc_series_known *k, FILE *f) {
  for (int q = 0; q < k->n_series; q++) fprintf(f, "%s\n", k->series[q]);
}

static fc_status put_lines(fc_store *s, const char *name, const fc_series_known *k,
                           void (*print)(const fc_series_known *, FILE *)) {
  char  *text;
  size_t bytes;
  FILE  *f = open_memstream(&text, &bytes);

  FC_REQUIRE(f, FC_E_SYSTEM, "no memory for the columns of a series");
  print(k, f);
  FC_REQUIRE(!fclose(f), FC_E_SYSTEM, "no memory for the columns of a series");
  const fc_status st = fc_store_put_text(s, name, text);
  free(text);
  return st;
}

static fc_status put_own(fc_store *s, const fc_series_known *k) {
  const int64_t all = (int64_t)k->n_series * k->n;

  if (!k->n_series) return FC_OK;
  FC_TRY(put_lines(s, "series/names", k, print_series));
  FC_TRY(fc_store_put_doubles(s, "series/own_mean", all, k->own_mean));
  return fc_store_put_doubles(s, "series/own_std", all, k->own_std);
}

fc_status fc_series_known_put(fc_store *s, const fc_series_known *k) {
  const int64_t about[4] = {k->n_targets, k->dated, k->step.seconds, k->step.months};

  FC_TRY(put_lines(s, "series/columns", k, print_columns));
  FC_TRY(put_lines(s, "series/classes", k, print_classes));
  FC_TRY(fc_store_put_doubles(s, "series/mean", k->n, k->mean));
  FC_TRY(fc_store_put_doubles(s, "series/std", k->n, k->std));
  FC_TRY(put_own(s, k));
  return fc_store_put_ints(s, "series/about", 4, about);
}

/* ---- reading ---- */

static int lines_in(const char *text) {
  int n = 0;

  for (; *text; text++) n += *text == '\n';
  return n;
}

/* the next line, its end cut off */
static char *next_line(char **text) {
  char *line = *text, *end = strchr(line, '\n');

  if (!end) return NULL;
  *end  = 0;
  *text = end + 1;
  return line;
}

/* name, unit, number of classes between tabs; -1: damaged */
static int parse_column(const char *line, fc_channel *c) {
  const char *tab = strchr(line, '\t'), *second = tab ? strchr(tab + 1, '\t') : NULL;

  if (!second || tab - line >= FC_NAME || second - tab - 1 >= FC_NAME) return -1;
  snprintf(c->name, sizeof c->name, "%.*s", (int)(tab - line), line);
  snprintf(c->unit, sizeof c->unit, "%.*s", (int)(second - tab - 1), tab + 1);
  return atoi(second + 1);
}

static fc_status parse(const char *path, char *columns, char *classes, fc_series_known *k) {
  for (int v = 0; v < k->n; v++) {
    const int n = parse_column(next_line(&columns), &k->column[v]);
    FC_REQUIRE(n >= 0 && n <= lines_in(classes), FC_E_INPUT, "%s: the list series/columns is damaged", path);
    FC_TRY(room_for(&k->category[v], n));
    for (int c = 0; c < n; c++) FC_TRY(add_class(&k->category[v], next_line(&classes)));
  }
  return FC_OK;
}

static fc_status get_numbers(const fc_store *s, const char *path, fc_series_known *k) {
  int64_t about[4];

  FC_TRY(fc_store_get_doubles(s, "series/mean", k->n, k->mean));
  FC_TRY(fc_store_get_doubles(s, "series/std", k->n, k->std));
  FC_TRY(fc_store_get_ints(s, "series/about", 4, about));
  FC_REQUIRE(about[0] > 0 && about[0] <= k->n, FC_E_INPUT, "%s: series/about is damaged", path);
  k->n_targets = (int)about[0];
  k->dated     = about[1] != 0;
  k->step      = (fc_date_step){about[2], about[3]};
  return FC_OK;
}

static fc_status get_own(const fc_store *s, fc_series_known *k) {
  char     *names, *at;
  fc_status st;

  if (!fc_store_has(s, "series/names")) return FC_OK;
  FC_TRY(fc_store_get_text(s, "series/names", &names));
  at = names;
  FC_TRY_TO(done, st, own_room(k, lines_in(names)));
  for (int q = 0; q < k->n_series; q++)
    if (!(k->series[q] = strdup(next_line(&at)))) st = fc_fail(FC_E_SYSTEM, "no memory for names of series");
  const int64_t all = (int64_t)k->n_series * k->n;
  if (st == FC_OK) st = fc_store_get_doubles(s, "series/own_mean", all, k->own_mean);
  if (st == FC_OK) st = fc_store_get_doubles(s, "series/own_std", all, k->own_std);
done:
  free(names);
  return st;
}

fc_status fc_series_known_get(const fc_store *s, const char *path, fc_series_known **out) {
  char     *columns = NULL, *classes = NULL;
  fc_status st;

  *out = NULL;
  if (!fc_store_has(s, "series/columns")) return FC_OK;
  FC_TRY(fc_store_get_text(s, "series/columns", &columns));
  FC_TRY_TO(done, st, fc_store_get_text(s, "series/classes", &classes));
  FC_TRY_TO(done, st, fc_series_known_create(lines_in(columns), out));
  FC_TRY_TO(done, st, parse(path, columns, classes, *out));
  FC_TRY_TO(done, st, get_numbers(s, path, *out));
  st = get_own(s, *out);
done:
  if (st != FC_OK) {
    fc_series_known_free(*out);
    *out = NULL;
  }
  free(columns);
  free(classes);
  return st;
}
