/* io/series.c - life of a series, and what its sources share. */
#include "io/series_layout.h"

#include "io/csv.h"
#include "io/hdf5_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fc_series_told(const char *word) { return word && *word; }
bool fc_series_none(const char *word) { return word && !strcmp(word, "none"); }

/* ---- columns and rows of a source ---- */

static int find_header(const fc_series *s, const char *name) {
  for (int c = 0; c < s->info.n_columns; c++)
    if (!strcmp(s->header[c], name)) return c;
  return -1;
}

fc_status fc_series_add_column(fc_series_raw *raw, const char *header) {
  fc_series *s   = raw->s;
  const int  c   = s->info.n_columns;
  fc_channel one = {.field = c};

  FC_REQUIRE(c < FC_SERIES_COLUMNS, FC_E_INPUT, "%s: more than %d columns; leave some out with data.ignore",
             raw->path, FC_SERIES_COLUMNS);
  FC_REQUIRE(find_header(s, header) < 0, FC_E_INPUT, "%s: two columns are called '%s'; rename one", raw->path,
             header);
  fc_csv_split_unit(header, one.name, one.unit);
  for (int k = 0; k < c; k++) /* "Load (MW)" beside "Load (%)": the unit belongs to the name */
    if (!strcmp(s->info.column[k].name, one.name)) snprintf(one.name, FC_NAME, "%.*s", FC_NAME - 1, header);
  char **more = realloc(s->header, (size_t)(c + 1) * sizeof *more);
  if (more) s->header = more;
  if (more) more[c] = strdup(header);
  FC_REQUIRE(more && more[c], FC_E_SYSTEM, "%s: not enough memory", raw->path);
  s->info.column[c] = one;
  s->info.n_columns = c + 1;
  return FC_OK;
}

fc_status fc_series_leave_out(fc_series_raw *raw, const char *header, const char *why) {
  fc_series_info *i = &raw->s->info;

  if (i->n_left_out < FC_COUNT(i->left_out))
    snprintf(i->left_out[i->n_left_out], sizeof i->left_out[0], "%.60s: %.60s", header, why);
  i->n_left_out++;
  return FC_OK;
}

static bool grow(void *array, int64_t room, size_t size) {
  void **a    = array;
  void  *more = realloc(*a, (size_t)room * size);

  if (more) *a = more;
  return more;
}

fc_status fc_series_add_row(fc_series_raw *raw, int64_t *row) {
  const size_t width = (size_t)raw->s->info.n_columns * sizeof *raw->x;

  if (raw->rows == raw->room) {
    raw->room = raw->room ? 2 * raw->room : 1024;
    FC_REQUIRE(grow(&raw->x, raw->room, width ? width : 1) &&
                   grow(&raw->time, raw->room, sizeof *raw->time) &&
                   grow(&raw->line, raw->room, sizeof *raw->line) &&
                   grow(&raw->owner, raw->room, sizeof *raw->owner),
               FC_E_SYSTEM, "%s: not enough memory for %lld rows", raw->path, (long long)raw->room);
  }
  *row             = raw->rows++;
  raw->owner[*row] = 0;
  raw->time[*row]  = 0;
  return FC_OK;
}

fc_status fc_series_class_add(fc_series_class *c, const char *name) {
  if ((c->n & (c->n - 1)) == 0) {
    char **more = realloc(c->name, (size_t)(c->n ? 2 * c->n : 1) * sizeof *more);
    FC_REQUIRE(more, FC_E_SYSTEM, "not enough memory for %d classes", c->n);
    c->name = more;
  }
  c->name[c->n] = strdup(name);
  FC_REQUIRE(c->name[c->n], FC_E_SYSTEM, "not enough memory for %d classes", c->n);
  c->n++;
  return FC_OK;
}

int fc_series_class_find(const fc_series_class *c, const char *name, int *last) {
  for (int k = 0; k < c->n; k++) { /* the same as before, or the one after it: rows go round */
    const int at = (*last + k) % c->n;
    if (strcmp(c->name[at], name)) continue;
    *last = at;
    return at;
  }
  return -1;
}

const char *fc_series_where(const fc_series_raw *raw, int64_t line, char *buf, size_t size) {
  snprintf(buf, size, raw->table ? "%s:%lld" : "%s, row %lld", raw->path, (long long)line);
  return buf;
}

const char *fc_series_owner(const fc_series *s, int owner, char *buf, size_t size) {
  const char *name = s->info.series[owner];

  snprintf(buf, size, "%s%s%s", *name ? " of series '" : "", name, *name ? "'" : "");
  return buf;
}

/* ---- life ---- */

static void free_names(int n, char **name) {
  for (int k = 0; name && k < n; k++) free(name[k]);
  free(name);
}

void fc_series_close(fc_series *s) {
  if (!s) return;
  for (int c = 0; c < s->info.n_columns; c++) free_names(s->info.category[c].n, s->info.category[c].name);
  free_names(s->info.n_columns, s->header);
  free_names(s->info.n_series, s->info.series);
  free(s->info.at);
  free(s->x);
  free(s->time);
  free(s);
}

static fc_status read_source(fc_series_raw *raw) {
  const fc_h5_quiet q    = fc_h5_hush();
  const bool        hdf5 = H5Fis_hdf5(raw->path) > 0;

  fc_h5_unhush(q);
  raw->table = !hdf5;
  FC_TRY(hdf5                                      ? fc_series_read_hdf5(raw)
         : fc_series_is_wide(raw->path, raw->told) ? fc_series_read_wide(raw)
                                                   : fc_series_read_table(raw));
  FC_REQUIRE(raw->rows, FC_E_INPUT, "%s: a header and no rows", raw->path);
  FC_REQUIRE(raw->s->info.n_columns, FC_E_INPUT, "%s: no column of numbers or classes", raw->path);
  return FC_OK;
}

fc_status fc_series_open(const char *path, const fc_series_mapping *mapping, fc_series **out) {
  static const fc_series_mapping none = {0};
  fc_series_raw                  raw  = {.path = path, .told = mapping ? mapping : &none};

  *out  = NULL;
  raw.s = calloc(1, sizeof *raw.s);
  FC_REQUIRE(raw.s, FC_E_SYSTEM, "%s: not enough memory", path);
  fc_status s = read_source(&raw);
  if (s == FC_OK) s = fc_series_settle(&raw);
  free(raw.x);
  free(raw.time);
  free(raw.line);
  free(raw.owner);
  if (s == FC_OK)
    *out = raw.s;
  else
    fc_series_close(raw.s);
  return s;
}

bool fc_series_recognised(const char *path) {
  const fc_h5_quiet q = fc_h5_hush();
  const bool yes = H5Fis_hdf5(path) > 0 ? fc_series_hdf5_recognised(path) : fc_series_table_recognised(path);

  fc_h5_unhush(q);
  return yes;
}

const fc_series_info *fc_series_about(const fc_series *s) { return &s->info; }
const double         *fc_series_values(const fc_series *s) { return s->x; }
const int64_t        *fc_series_times(const fc_series *s) { return s->time; }

int fc_series_find(const fc_series *s, const char *name) {
  for (int c = 0; c < s->info.n_columns; c++)
    if (!strcmp(s->info.column[c].name, name)) return c;
  return find_header(s, name);
}
