/* io/series_hdf5.c - series from HDF5: our own layout, and files of others with bare data sets [rows] or
   [rows, columns] at the root, of which one may hold dates as texts or numbers. */
#include "io/series_arrays.h"

#include "core/text.h"
#include "io/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 256 };

typedef struct {
  fc_series_raw   *raw;
  hid_t            file;
  int              n;
  fc_series_array *a;
  fc_series_array *date, *id;
  int64_t          rows;
  fc_status        s;
} work;

static bool in_list(const char *list, const char *name) {
  char word[FC_NAME];

  while (list && fc_text_item(&list, sizeof word, word))
    if (!strcmp(word, name)) return true;
  return false;
}

/* ---- arrays ---- */

static bool load(void *user, hid_t at, const char *name) {
  work           *w = user;
  fc_series_array a;
  bool            texts;

  if (fc_h5_what(at, name) != FC_H5_DATASET || in_list(w->raw->told->ignore, name)) return true;
  if (!fc_series_array_shape(w->file, name, &a, &texts)) return true;
  fc_series_array *more = realloc(w->a, (size_t)(w->n + 1) * sizeof *more);
  if (!more) w->s = fc_fail(FC_E_SYSTEM, "%s: not enough memory", w->raw->path);
  if (!more) return false;
  w->a         = more;
  w->a[w->n++] = a;
  w->s         = texts ? fc_series_array_texts(w->file, w->raw->path, &w->a[w->n - 1])
                       : fc_series_array_numbers(w->file, w->raw->path, &w->a[w->n - 1]);
  return w->s == FC_OK;
}

/* ---- dates ---- */

static const char *const usual[] = {"time",      "date",       "dates", "datetime",
                                    "timestamp", "timestamps", "times", "index"};

static fc_series_array *find_array(const work *w, const char *name) {
  for (int k = 0; k < w->n; k++)
    if (!strcmp(w->a[k].name, name)) return &w->a[k];
  return NULL;
}

static fc_status named(const work *w, const char *key, const char *name, fc_series_array **out) {
  if (!fc_series_told(name) || fc_series_none(name)) return FC_OK;
  *out = find_array(w, name);
  FC_REQUIRE(*out && (*out)->width == 0, FC_E_USAGE,
             "%s: %s names the data set '%s', and there is none with one axis", w->raw->path, key, name);
  return FC_OK;
}

static fc_status find_dates(work *w) {
  FC_TRY(named(w, "data.date", w->raw->told->date, &w->date));
  FC_TRY(named(w, "data.id", w->raw->told->id, &w->id));
  if (fc_series_none(w->raw->told->date) || w->date) return FC_OK;
  for (int k = 0; k < FC_COUNT(usual) && !w->date; k++) {
    w->date = find_array(w, usual[k]);
    if (w->date && w->date->width) w->date = NULL;
  }
  return FC_OK;
}

/* ---- columns ---- */

static fc_status add_classes(work *w, const fc_series_array *a) {
  fc_series_class *c    = &w->raw->s->info.category[w->raw->s->info.n_columns];
  int              last = 0;
  char             number[40];

  for (int64_t i = 0; i < a->rows; i++) {
    const char *name = a->text ? a->text[i] : (fc_text_real(a->x[i], number, sizeof number), number);
    if (!*name || (!a->text && isnan(a->x[i])) || fc_series_class_find(c, name, &last) >= 0) continue;
    FC_REQUIRE(c->n < CLASSES || in_list(w->raw->told->categories, a->name), FC_E_INPUT,
               "%s: data set '%s' holds more than %d different texts; name it in data.categories, or in "
               "data.ignore",
               w->raw->path, a->name, CLASSES);
    FC_TRY(fc_series_class_add(c, name));
  }
  return fc_series_add_column(w->raw, a->name);
}

/* names of the columns of a data set with two axes: its attribute "columns", or NAME_0, .. */
static fc_status add_wide(work *w, const fc_series_array *a) {
  char(*names)[FC_NAME] = calloc(FC_SERIES_COLUMNS, 2 * sizeof *names),
  (*units)[FC_NAME]     = names + FC_SERIES_COLUMNS;
  fc_status   s         = names ? FC_OK : fc_fail(FC_E_SYSTEM, "%s: not enough memory", w->raw->path);
  const hid_t set       = H5Dopen2(w->file, a->name, H5P_DEFAULT);
  const int   n         = names ? fc_h5_texts(set, "columns", FC_SERIES_COLUMNS, names) : 0;
  const int   n_units   = names ? fc_h5_texts(set, "units", FC_SERIES_COLUMNS, units) : 0;

  for (int k = 0; s == FC_OK && k < a->width; k++) {
    const int c = w->raw->s->info.n_columns;
    if (n != a->width) snprintf(names[k], FC_NAME, "%.50s_%d", a->name, k);
    s = fc_series_add_column(w->raw, names[k]);
    if (s != FC_OK || n_units != a->width) continue;
    snprintf(w->raw->s->info.column[c].name, FC_NAME, "%s", names[k]); /* own names hold no units */
    snprintf(w->raw->s->info.column[c].unit, FC_NAME, "%s", strcmp(units[k], "1") ? units[k] : "");
  }
  fc_h5_close(set);
  free(names);
  return s;
}

/* the names of the series are a column only if they are among the categories too */
static bool is_key(const work *w, const fc_series_array *a) {
  return a == w->date || (a == w->id && !in_list(w->raw->told->categories, a->name));
}

static fc_status add_column(work *w, fc_series_array *a) {
  char unit[FC_NAME];

  if (is_key(w, a)) return FC_OK;
  if (a->rows != w->rows) {
    fc_series_array_free(a);
    a->x = NULL, a->text = NULL; /* nobody's column */
    return fc_series_leave_out(w->raw, a->name, "another length than the dates");
  }
  if (a->text || in_list(w->raw->told->categories, a->name)) return add_classes(w, a);
  if (a->width) return add_wide(w, a);
  FC_TRY(fc_series_add_column(w->raw, a->name));
  const hid_t set = H5Dopen2(w->file, a->name, H5P_DEFAULT);
  if (fc_h5_text(set, "units", unit, sizeof unit) && strcmp(unit, "1"))
    snprintf(w->raw->s->info.column[w->raw->s->info.n_columns - 1].unit, FC_NAME, "%s", unit);
  fc_h5_close(set);
  return FC_OK;
}

/* our own files: names of the classes that the numbers of a column mean */
static fc_status own_classes(work *w) {
  fc_series_info *info = &w->raw->s->info;
  char            path[32];

  for (int c = 0; c < info->n_columns; c++) {
    fc_series_array a;
    bool            texts;
    snprintf(path, sizeof path, "classes/%d", c);
    if (fc_h5_what(w->file, "classes") != FC_H5_GROUP || fc_h5_what(w->file, path) != FC_H5_DATASET) continue;
    FC_REQUIRE(fc_series_array_shape(w->file, path, &a, &texts) && texts, FC_E_INPUT,
               "%s: '%s' holds no texts; the file is damaged", w->raw->path, path);
    fc_status s = fc_series_array_texts(w->file, w->raw->path, &a);
    for (int64_t i = 0; s == FC_OK && i < a.rows; i++) s = fc_series_class_add(&info->category[c], a.text[i]);
    fc_series_array_free(&a);
    FC_TRY(s);
  }
  return FC_OK;
}

/* ---- series ---- */

static fc_status own_series(work *w, fc_series_array *at) {
  fc_series_raw  *raw = w->raw;
  fc_series_array names;
  bool            texts;

  FC_REQUIRE(fc_series_array_shape(w->file, "series/names", &names, &texts) && texts &&
                 fc_series_array_shape(w->file, "series/offsets", at, &texts) && !texts &&
                 at->rows == names.rows + 1,
             FC_E_INPUT, "%s: the names of the series do not fit their offsets; the file is damaged",
             raw->path);
  FC_TRY(fc_series_array_numbers(w->file, w->raw->path, at));
  FC_TRY(fc_series_array_texts(w->file, w->raw->path, &names));
  raw->s->info.series   = names.text;
  raw->s->info.n_series = (int)names.rows;
  bool good             = at->x[0] == 0 && at->x[names.rows] == (double)w->rows;
  for (int64_t k = 0; k < names.rows; k++) good &= at->x[k] < at->x[k + 1];
  FC_REQUIRE(good, FC_E_INPUT, "%s: the offsets of the series do not cover its rows; the file is damaged",
             raw->path);
  return FC_OK;
}

static fc_status name_series(work *w, fc_series_array *at) {
  fc_series_class c    = {0};
  fc_status       s    = FC_OK;
  int             last = 0;
  char            number[40];

  if (!w->id && fc_h5_what(w->file, "series") == FC_H5_GROUP) return own_series(w, at);
  FC_REQUIRE(!w->id || w->id->rows == w->rows, FC_E_INPUT,
             "%s: data set '%s' has another length than the dates", w->raw->path, w->id ? w->id->name : "");
  if (!w->id) s = fc_series_class_add(&c, "");
  for (int64_t i = 0; w->id && s == FC_OK && i < w->rows; i++) {
    const char *name =
        w->id->text ? w->id->text[i] : (fc_text_real(w->id->x[i], number, sizeof number), number);
    if (fc_series_class_find(&c, name, &last) < 0) s = fc_series_class_add(&c, name);
  }
  w->raw->s->info.series   = c.name;
  w->raw->s->info.n_series = c.n;
  return s;
}

static int owner_of(const work *w, const fc_series_array *at, int64_t row, int *last) {
  const fc_series_class c = {w->raw->s->info.n_series, w->raw->s->info.series};
  char                  number[40];

  if (at->x) {
    while (at->x[*last + 1] <= (double)row) ++*last;
    return *last;
  }
  if (!w->id) return 0;
  if (!w->id->text) fc_text_real(w->id->x[row], number, sizeof number);
  return fc_series_class_find(&c, w->id->text ? w->id->text[row] : number, last);
}

/* ---- rows ---- */

static double class_of(const work *w, const fc_series_array *a, int column, int64_t row, int *last) {
  char number[40];

  if (!a->text) fc_text_real(a->x[row], number, sizeof number);
  const int k =
      fc_series_class_find(&w->raw->s->info.category[column], a->text ? a->text[row] : number, last);
  return k < 0 ? NAN : k;
}

static fc_status fill_rows(work *w, const fc_series_array *a, int first) {
  const int  n      = w->raw->s->info.n_columns;
  const bool named_ = a->text || in_list(w->raw->told->categories, a->name);
  int        last   = 0;

  for (int64_t r = 0; r < w->rows; r++)
    for (int64_t k = 0; k < (a->width ? a->width : 1); k++) {
      const double x = named_ ? class_of(w, a, first, r, &last) : a->x[r * (a->width ? a->width : 1) + k];
      FC_REQUIRE(!isinf(x), FC_E_INPUT, "%s, row %lld: data set '%s' holds infinity", w->raw->path,
                 (long long)r + 1, a->name);
      w->raw->x[r * n + first + k] = x;
    }
  return FC_OK;
}

static fc_status rows(work *w, const fc_series_array *at) {
  fc_series_raw *raw = w->raw;
  int64_t        row;
  int            last = 0, column = 0;

  for (int64_t r = 0; r < w->rows; r++) {
    FC_TRY(fc_series_add_row(raw, &row));
    raw->line[row]  = r + 1;
    raw->owner[row] = owner_of(w, at, r, &last);
    FC_REQUIRE(
        !w->date || fc_series_array_date(w->date, r, &raw->time[row]), FC_E_INPUT,
        "%s, row %lld: data set '%s' holds no date here; texts like 2016-07-01 13:00:00, or whole seconds",
        raw->path, (long long)r + 1, w->date ? w->date->name : "");
  }
  for (int k = 0; k < w->n; k++) {
    const fc_series_array *a = &w->a[k];
    if (is_key(w, a) || (!a->x && !a->text)) continue;
    FC_TRY(fill_rows(w, a, column));
    column += a->width ? (int)a->width : 1;
  }
  return FC_OK;
}

static fc_status classes_fit(const work *w) {
  const fc_series_info *i = &w->raw->s->info;

  for (int64_t r = 0; r < w->rows; r++)
    for (int c = 0; c < i->n_columns; c++) {
      const double x = w->raw->x[r * i->n_columns + c];
      FC_REQUIRE(!i->category[c].n || isnan(x) || (x >= 0 && x < i->category[c].n && x == floor(x)),
                 FC_E_INPUT, "%s, row %lld: column '%s' holds %g, which is none of its classes", w->raw->path,
                 (long long)r + 1, i->column[c].name, x);
    }
  return FC_OK;
}

static int64_t common_rows(const work *w) {
  int64_t most = 0;

  for (int k = 0; k < w->n; k++) most = fc_max64(most, w->a[k].rows);
  return w->date ? w->date->rows : most;
}

static fc_status build(work *w, fc_series_array *at) {
  fc_series_info *info = &w->raw->s->info;

  FC_TRY(find_dates(w));
  FC_REQUIRE(w->date || fc_series_none(w->raw->told->date) || H5Aexists(w->file, "fieldcast_series") > 0,
             FC_E_INPUT,
             "%s: no data set of dates called date or time; name it with data.date, or say data.date=none",
             w->raw->path);
  info->layout_name = "HDF5";
  info->dated       = w->date != NULL;
  if (w->date) snprintf(info->date_column, sizeof info->date_column, "%s", w->date->name);
  w->rows = common_rows(w);
  for (int k = 0; k < w->n; k++) FC_TRY(add_column(w, &w->a[k]));
  FC_TRY(own_classes(w));
  FC_TRY(name_series(w, at));
  FC_TRY(rows(w, at));
  return classes_fit(w);
}

static fc_status read_now(fc_series_raw *raw) {
  const fc_h5_quiet q  = fc_h5_hush();
  work              w  = {.raw = raw, .file = -1};
  fc_series_array   at = {0};

  w.s = fc_h5_open(raw->path, &w.file);
  if (w.s == FC_OK) fc_h5_each(w.file, load, &w);
  if (w.s == FC_OK) w.s = build(&w, &at);
  for (int k = 0; k < w.n; k++) fc_series_array_free(&w.a[k]);
  fc_series_array_free(&at);
  free(w.a);
  fc_h5_close(w.file);
  fc_h5_unhush(q);
  return w.s;
}

static fc_status attempt(void *raw, int *answer) {
  (void)answer;
  return read_now(raw);
}

/* read once in a child process, which damage may crash, then here */
fc_status fc_series_read_hdf5(fc_series_raw *raw) {
  FC_TRY(fc_trial(raw->path, fc_trial_seconds(raw->path), attempt, raw, NULL));
  return read_now(raw);
}

/* ---- is it one? ---- */

/* ours, or texts that are dates beside data sets of the same length */
static bool is_series(const char *path, hid_t file) {
  bool            yes = H5Aexists(file, "fieldcast_series") > 0, texts;
  fc_series_array a;
  int64_t         t;

  for (int k = 0; !yes && k < FC_COUNT(usual); k++) {
    if (fc_h5_what(file, usual[k]) != FC_H5_DATASET || !fc_series_array_shape(file, usual[k], &a, &texts) ||
        !texts)
      continue;
    yes = fc_series_array_texts(file, path, &a) == FC_OK && fc_date_read(a.text[0], FC_DATE_ISO, &t);
    fc_series_array_free(&a);
  }
  return yes;
}

static fc_status recognise(void *path, int *yes) {
  hid_t file;

  FC_TRY(fc_h5_open(path, &file));
  *yes = is_series(path, file);
  fc_h5_close(file);
  return FC_OK;
}

/* what crashes may be one: opening it gives the reason */
bool fc_series_hdf5_recognised(const char *path) {
  int yes = -1;

  fc_trial(path, fc_trial_seconds(path), recognise, (void *)path, &yes);
  return yes != 0;
}
