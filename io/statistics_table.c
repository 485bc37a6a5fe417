/* io/statistics_table.c - published profiles as columns of text. */
#include "core/text.h"
#include "io/file.h"
#include "io/statistics.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 64, MOST_BYTES = 64 << 20 };

typedef struct choice {
  char name[FC_NAME];
  int  column; /* from 0 */
} choice;

static fc_status choose(const char *columns, choice c[MOST_COLUMNS], int *n) {
  char item[2 * FC_NAME], *end;

  *n = 0;
  for (const char *rest = columns; fc_text_item(&rest, sizeof item, item);) {
    char      *equals = strchr(item, '=');
    const long column = equals ? strtol(equals + 1, &end, 10) : 0;
    FC_REQUIRE(equals && equals > item && equals - item < FC_NAME && end != equals + 1 && !*end &&
                   column >= 1 && column <= MOST_COLUMNS && *n < MOST_COLUMNS,
               FC_E_USAGE,
               "columns '%s': NAME=COLUMN is wanted, counted from 1, as in y_plus=2,mean_u_plus=3", columns);
    *equals = 0;
    snprintf(c[*n].name, FC_NAME, "%.*s", FC_NAME - 1, item);
    c[(*n)++].column = (int)column - 1;
  }
  FC_REQUIRE(*n >= 2, FC_E_USAGE, "columns '%s': an axis and at least one quantity are wanted", columns);
  return FC_OK;
}

/* numbers of one line; 0: nothing to read */
static int numbers(const char *line, double v[MOST_COLUMNS]) {
  int n = 0;

  for (const char *at = line; n < MOST_COLUMNS;) {
    char *end;
    while (isblank((unsigned char)*at) || *at == ',' || *at == '\r') at++;
    v[n] = strtod(at, &end);
    if (end == at) return *at ? -1 : n;
    n++;
    at = end;
  }
  return n;
}

static bool is_comment(const char *line) {
  line += strspn(line, " \t\r");
  return !*line || *line == '#' || *line == '%';
}

/* rows[n][chosen], axis first */
static fc_status one_row(const char *path, int64_t line, const char *text, int n, const choice *c,
                         double *row) {
  double    v[MOST_COLUMNS];
  const int have = numbers(text, v);

  FC_REQUIRE(have >= 0, FC_E_INPUT,
             "%s, line %lld: not a row of numbers; put '#' before lines to be left out", path,
             (long long)line);
  for (int i = 0; i < n; i++) {
    FC_REQUIRE(c[i].column < have, FC_E_INPUT, "%s, line %lld: there is no column %d for %s, only %d", path,
               (long long)line, c[i].column + 1, c[i].name, have);
    row[i] = v[c[i].column];
  }
  return FC_OK;
}

static fc_status read_rows(const char *path, char *text, int n, const choice *c, double **rows,
                           int64_t *count) {
  int64_t line = 0, room = 0;

  for (char *at = text, *next; at; at = next) {
    next = strchr(at, '\n');
    if (next) *next++ = 0;
    line++;
    if (is_comment(at)) continue;
    if (*count == room) {
      room         = room ? 2 * room : 256;
      double *more = realloc(*rows, (size_t)(room * n) * sizeof *more);
      FC_REQUIRE(more, FC_E_SYSTEM, "%s: not enough memory", path);
      *rows = more;
    }
    FC_TRY(one_row(path, line, at, n, c, *rows + *count * n));
    FC_REQUIRE(!*count || (*rows)[*count * n] > (*rows)[(*count - 1) * n], FC_E_INPUT,
               "%s, line %lld: %s does not rise", path, (long long)line, c[0].name);
    ++*count;
  }
  FC_REQUIRE(*count >= 2, FC_E_INPUT, "%s: fewer than two rows of numbers", path);
  return FC_OK;
}

static fc_status fill(const char *path, int n, const choice *c, const double *rows, int64_t count,
                      fc_statistics *s) {
  double *x = malloc((size_t)count * sizeof *x);

  FC_REQUIRE(x, FC_E_SYSTEM, "%s: not enough memory", path);
  for (int64_t k = 0; k < count; k++) x[k] = rows[k * n];
  for (int i = 1; i < n; i++) {
    fc_quantity *q = fc_statistics_add(s, c[i].name, "", c[0].name, count, x, "published table");
    for (int64_t k = 0; q && k < count; k++) q->value[k] = rows[k * n + i];
  }
  free(x);
  FC_REQUIRE(s->n == n - 1, FC_E_SYSTEM, "%s: not enough memory", path);
  return FC_OK;
}

fc_status fc_statistics_read_table(const char *path, const char *columns, fc_statistics *s) {
  choice    c[MOST_COLUMNS];
  int       n;
  char     *text  = NULL;
  double   *rows  = NULL;
  int64_t   count = 0;
  size_t    bytes;
  fc_status status;

  fc_statistics_init(s, "table");
  FC_TRY(choose(columns, c, &n));
  FC_TRY(fc_file_read(path, MOST_BYTES, &text, &bytes));
  status = read_rows(path, text, n, c, &rows, &count);
  if (status == FC_OK) status = fill(path, n, c, rows, count, s);
  if (status == FC_OK) fc_statistics_text(s, "source", path);
  if (status != FC_OK) fc_statistics_free(s);
  free(rows);
  free(text);
  return status;
}
