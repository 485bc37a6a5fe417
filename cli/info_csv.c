/* cli/info_csv.c - tables: columns, dates and gaps between them, empty cells and text, statistics. */
#include "cli/info.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct column {
  char   *name;
  int64_t numbers, empty, text;
  double  mean, m2, lo, hi;
} column;

typedef struct table {
  const char *path;
  int         n;
  column     *col;
  int64_t     rows, odd_step; /* steps of the first column that differ from the first step */
  int64_t     before, step;   /* seconds */
  int64_t     dates;
  char        first[64], last[64];
} table;

/* Cuts the next cell off the line: quotes, doubled quotes inside, no line breaks inside. NULL at the end. */
static char *next_cell(char **line) {
  char *p = *line, *to, *cell;

  if (!p) return NULL;
  cell = to = p;
  if (*p == '"') {
    for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
      if (*p == '"') p++;
      *to++ = *p;
    }
    p += *p == '"';
  }
  while (*p && *p != ',') *to++ = *p++;
  *line = *p ? p + 1 : NULL;
  *to   = 0;
  return cell;
}

static void strip(char *line) {
  size_t n = strlen(line);
  while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = 0;
}

static bool to_number(const char *cell, double *x) {
  char *end;

  *x = strtod(cell, &end);
  while (*end == ' ') end++;
  return end != cell && !*end;
}

/* the formats seen in published sets, UTC; seconds */
static bool to_date(const char *cell, int64_t *seconds) {
  static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
                                        "%Y-%m-%d",          "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
                                        "%Y/%m/%d",          "%d.%m.%Y %H:%M"};

  for (int k = 0; k < FC_COUNT(formats); k++) {
    struct tm   t   = {0};
    const char *end = strptime(cell, formats[k], &t);
    if (!end || (*end && strcmp(end, "Z"))) continue;
    *seconds = timegm(&t);
    return true;
  }
  return false;
}

static void take_number(column *c, double x) {
  const double d = x - c->mean;

  c->numbers++;
  c->mean += d / (double)c->numbers;
  c->m2 += d * (x - c->mean);
  c->lo = c->numbers == 1 || x < c->lo ? x : c->lo;
  c->hi = c->numbers == 1 || x > c->hi ? x : c->hi;
}

static void take_cell(column *c, const char *cell) {
  double x;

  if (!*cell)
    c->empty++;
  else if (!to_number(cell, &x) || !isfinite(x))
    c->text++; /* "nan" and "NA" are text too */
  else
    take_number(c, x);
}

static void take_date(table *t, const char *cell) {
  int64_t now;

  if (!to_date(cell, &now)) return;
  if (t->dates == 0) snprintf(t->first, sizeof t->first, "%.60s", cell);
  snprintf(t->last, sizeof t->last, "%.60s", cell);
  if (t->dates == 1) t->step = now - t->before;
  if (t->dates >= 1 && now - t->before != t->step) t->odd_step++;
  t->before = now;
  t->dates++;
}

static fc_status take_row(table *t, char *line, int64_t number) {
  int   k = 0;
  char *cell;

  strip(line);
  if (!*line) return FC_OK;
  while ((cell = next_cell(&line))) {
    FC_REQUIRE(k < t->n, FC_E_INPUT, "%s:%lld: more than the %d columns of the first line", t->path,
               (long long)number, t->n);
    if (k == 0) take_date(t, cell);
    take_cell(&t->col[k++], cell);
  }
  FC_REQUIRE(k == t->n, FC_E_INPUT,
             "%s:%lld: %d cells, where the first line has %d; the file may be truncated", t->path,
             (long long)number, k, t->n);
  t->rows++;
  return FC_OK;
}

static fc_status take_header(table *t, char *line) {
  char *rest = line + (strncmp(line, "\357\273\277", 3) ? 0 : 3), *cell;

  strip(line);
  while ((cell = next_cell(&rest))) {
    column *more = realloc(t->col, (size_t)(t->n + 1) * sizeof *more);
    if (more) t->col = more;
    char *name = more ? strdup(cell) : NULL;
    FC_REQUIRE(name, FC_E_SYSTEM, "%s: not enough memory", t->path);
    t->col[t->n++] = (column){.name = name};
  }
  return FC_OK;
}

static fc_status read_table(FILE *f, table *t) {
  char     *line = NULL;
  size_t    size = 0;
  fc_status s    = FC_OK;

  for (int64_t number = 1; s == FC_OK && getline(&line, &size, f) >= 0; number++)
    s = number == 1 ? take_header(t, line) : take_row(t, line, number);
  if (s == FC_OK && ferror(f)) s = fc_fail(FC_E_INPUT, "%s: cannot be read: %s", t->path, strerror(errno));
  free(line);
  return s;
}

static json_t *column_row(const column *c) {
  json_t *row = json_object();

  fc_info_text(row, "column", c->name);
  fc_info_real(row, "min", c->numbers ? c->lo : NAN);
  fc_info_real(row, "mean", c->numbers ? c->mean : NAN);
  fc_info_real(row, "std", c->numbers ? sqrt(c->m2 / (double)c->numbers) : NAN);
  fc_info_real(row, "max", c->numbers ? c->hi : NAN);
  fc_info_int(row, "numbers", c->numbers);
  fc_info_int(row, "empty", c->empty);
  fc_info_int(row, "text", c->text);
  return row;
}

static void report(const table *t, json_t *out) {
  const bool dated = t->rows > 0 && t->dates == t->rows;
  json_t    *list  = json_array();

  fc_info_text(out, "kind", dated ? "CSV, time series" : "CSV, table");
  fc_info_int(out, "rows", t->rows);
  fc_info_int(out, "columns", t->n);
  if (t->dates) {
    fc_info_text(out, "first date", t->first);
    fc_info_text(out, "last date", t->last);
    fc_info_int(out, "step in s", t->step);
    fc_info_int(out, "odd steps", t->odd_step);
  }
  if (t->dates && !dated) fc_info_int(out, "rows without a date", t->rows - t->dates);
  for (int k = t->dates ? 1 : 0; k < t->n; k++) json_array_append_new(list, column_row(&t->col[k]));
  json_object_set_new(out, "contents", list);
}

fc_status fc_info_csv(const char *path, const fc_info_options *o, json_t *out) {
  table t = {.path = path};
  FILE *f = fopen(path, "r");

  (void)o;
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  fc_info_text(out, "kind", "CSV");
  const fc_status s = read_table(f, &t);
  if (s == FC_OK) report(&t, out);
  for (int k = 0; k < t.n; k++) free(t.col[k].name);
  free(t.col);
  fclose(f);
  return s;
}
