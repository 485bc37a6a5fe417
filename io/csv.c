/* io/csv.c - the reader of tables. */
#include "io/csv.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_CELLS = 1 << 16 }; /* bytes of a row with line breaks in its cells */

struct fc_csv {
  char   *path, *line, separator;
  FILE   *f;
  size_t  room;
  int64_t number, lines, byte; /* of the row read last; lines read; where the next one begins */
  int     n;
  char  **name, **cell;
};

/* ---- one line ---- */

/* Cuts the next cell off the line; NULL at the end. */
static char *cut_cell(char **line, char separator) {
  char *p = *line, *to, *cell;

  if (!p) return NULL;
  cell = to = p;
  if (p[strspn(p, " ")] == '"') p += strspn(p, " ");
  if (*p == '"') {
    for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
      if (*p == '"') p++;
      *to++ = *p == '\n' || *p == '\r' ? ' ' : *p; /* names and classes are words of one line */
    }
    p += *p == '"';
  }
  while (*p && *p != separator) *to++ = *p++;
  *line = *p ? p + 1 : NULL;
  *to   = 0;
  return cell;
}

static void strip(char *line) {
  size_t n = strlen(line);
  while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = 0;
}

static char separator_of(const char *line) {
  bool quoted = false;

  for (const char *p = line; *p; p++) {
    quoted ^= *p == '"';
    if (!quoted && strchr(",;\t", *p)) return *p;
  }
  return ',';
}

/* does the line end inside quotes? They begin where a cell does, as in cut_cell. */
static bool ends_quoted(const char *p, char separator) {
  for (;; p++) {
    p += strspn(p, " ");
    if (*p == '"') {
      for (p++; *p && (*p != '"' || p[1] == '"'); p++) p += *p == '"';
      if (!*p) return true;
    }
    while (*p && *p != separator) p++;
    if (!*p) return false;
  }
}

/* one line of the file in *line with its end; *n < 0 at the end of the file */
static fc_status read_line(fc_csv *t, char **line, size_t *room, ssize_t *n) {
  *n = getline(line, room, t->f);
  FC_REQUIRE(*n >= 0 || !ferror(t->f), FC_E_INPUT, "%s: cannot be read: %s", t->path, strerror(errno));
  if (*n < 0) return FC_OK;
  t->byte += *n;
  t->lines++;
  FC_REQUIRE(strlen(*line) == (size_t)*n, FC_E_INPUT, "%s:%lld: a zero byte; the file is damaged or no text",
             t->path, (long long)t->lines);
  return FC_OK;
}

/* Lines are added while the row ends inside quotes: a cell may hold line breaks. */
static fc_status join_lines(fc_csv *t) {
  char     *more = NULL;
  size_t    room = 0, have = strlen(t->line);
  ssize_t   n = 0;
  fc_status s = FC_OK;

  while (s == FC_OK && ends_quoted(t->line, t->separator ? t->separator : separator_of(t->line))) {
    s = read_line(t, &more, &room, &n);
    if (s == FC_OK && (n < 0 || have + (size_t)n > LONGEST_CELLS))
      s = fc_fail(FC_E_INPUT, "%s:%lld: a quote is opened here and not closed", t->path,
                  (long long)t->number);
    char *both = s == FC_OK ? realloc(t->line, have + (size_t)n + 1) : NULL;
    if (s == FC_OK && !both) s = fc_fail(FC_E_SYSTEM, "%s: not enough memory", t->path);
    if (s != FC_OK) break;
    memcpy(both + have, more, (size_t)n + 1);
    t->line = both;
    t->room = have + (size_t)n + 1;
    have += (size_t)n;
  }
  free(more);
  return s;
}

/* the next row without the end of its line; *line NULL at the end of the file */
static fc_status next_line(fc_csv *t, char **line) {
  ssize_t n;

  *line     = NULL;
  t->number = t->lines + 1;
  FC_TRY(read_line(t, &t->line, &t->room, &n));
  if (n < 0) return FC_OK;
  if (t->number == 1 && !strncmp(t->line, "\357\273\277", 3)) memmove(t->line, t->line + 3, (size_t)n - 2);
  if (strchr(t->line, '"')) FC_TRY(join_lines(t));
  strip(t->line);
  *line = t->line;
  return FC_OK;
}

/* ---- life ---- */

/* without blanks around it */
static fc_status add_column(fc_csv *t, char *name) {
  size_t n = strlen(name);

  while (n > 0 && isspace((unsigned char)name[n - 1])) name[--n] = 0;
  while (isspace((unsigned char)*name)) name++;
  char **more = realloc(t->name, (size_t)(t->n + 1) * sizeof *more);

  if (more) t->name = more;
  char *copy = more ? strdup(name) : NULL;
  FC_REQUIRE(copy, FC_E_SYSTEM, "%s: not enough memory", t->path);
  t->name[t->n++] = copy;
  return FC_OK;
}

static fc_status refuse_utf16(fc_csv *t) {
  const int a = getc(t->f), b = getc(t->f);

  FC_REQUIRE(!(a == 0377 && b == 0376) && !(a == 0376 && b == 0377), FC_E_INPUT,
             "%s: text in UTF-16; save it as UTF-8", t->path);
  return fc_csv_seek(t, (fc_csv_place){0, 0});
}

static fc_status read_header(fc_csv *t) {
  char *line, *cell;

  FC_TRY(refuse_utf16(t));
  do FC_TRY(next_line(t, &line));
  while (line && !*line);
  FC_REQUIRE(line, FC_E_INPUT, "%s: the file is empty", t->path);
  const char *end = strchr(line, '\r');
  FC_REQUIRE(!end || end[1] == '\n', FC_E_INPUT,
             "%s: lines end in a carriage return alone (old Mac text); save it with ends of line LF or CRLF",
             t->path);
  t->separator = separator_of(line);
  while ((cell = cut_cell(&line, t->separator))) FC_TRY(add_column(t, cell));
  t->cell = malloc((size_t)t->n * sizeof *t->cell);
  FC_REQUIRE(t->cell, FC_E_SYSTEM, "%s: not enough memory", t->path);
  return FC_OK;
}

fc_status fc_csv_open(const char *path, fc_csv **out) {
  fc_csv *t = calloc(1, sizeof *t);

  *out = NULL;
  FC_REQUIRE(t, FC_E_SYSTEM, "%s: not enough memory", path);
  t->path     = strdup(path);
  t->f        = fopen(path, "rbe");
  fc_status s = t->f ? FC_OK : fc_fail(FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  if (s == FC_OK) s = t->path ? read_header(t) : fc_fail(FC_E_SYSTEM, "%s: not enough memory", path);
  if (s == FC_OK)
    *out = t;
  else
    fc_csv_close(t);
  return s;
}

void fc_csv_close(fc_csv *t) {
  if (!t) return;
  for (int k = 0; k < t->n; k++) free(t->name[k]);
  if (t->f) fclose(t->f);
  free(t->name);
  free(t->cell);
  free(t->line);
  free(t->path);
  free(t);
}

int         fc_csv_columns(const fc_csv *t) { return t->n; }
const char *fc_csv_name(const fc_csv *t, int k) { return t->name[k]; }
int64_t     fc_csv_line(const fc_csv *t) { return t->number; }

int fc_csv_find(const fc_csv *t, const char *name) {
  for (int k = 0; k < t->n; k++)
    if (!strcmp(t->name[k], name)) return k;
  return -1;
}

/* ---- rows ---- */

fc_status fc_csv_next(fc_csv *t, char ***cell) {
  char *line, *one;
  int   k = 0;

  *cell = NULL;
  do FC_TRY(next_line(t, &line));
  while (line && !*line);
  if (!line) return FC_OK;
  while ((one = cut_cell(&line, t->separator))) {
    FC_REQUIRE(k<t->n, FC_E_INPUT, "%s:%lld: more than the %d column%s of the first line%s", t->path,
                   (long long)t->number, t->n, t->n> 1
                   ? "s"
                   : "",
               t->n > 1 ? "" : "; that line must name the columns");
    t->cell[k++] = one;
  }
  FC_REQUIRE(k == t->n, FC_E_INPUT,
             "%s:%lld: %d cells, where the first line has %d; the file may be truncated", t->path,
             (long long)t->number, k, t->n);
  *cell = t->cell;
  return FC_OK;
}

fc_csv_place fc_csv_tell(const fc_csv *t) { return (fc_csv_place){t->byte, t->lines}; }

fc_status fc_csv_seek(fc_csv *t, fc_csv_place at) {
  FC_REQUIRE(!fseeko(t->f, (off_t)at.byte, SEEK_SET), FC_E_INPUT, "%s: cannot be read again: %s", t->path,
             strerror(errno));
  t->byte  = at.byte;
  t->lines = at.line;
  return FC_OK;
}

bool fc_csv_number(const char *cell, double *x) {
  char *end;

  *x = strtod(cell, &end);
  while (isspace((unsigned char)*end)) end++;
  return end != cell && !*end;
}

/* three digits behind the comma of a table with tabs may be thousands */
static bool comma_number(const char *cell, char separator, double *x) {
  const char *comma = strchr(cell, ',');
  char        text[64];

  if (separator == ',' || !comma || strchr(cell, '.') || strlen(cell) >= sizeof text) return false;
  if (separator == '\t' && strspn(comma + 1, "0123456789") == 3) return false;
  strcpy(text, cell)[comma - cell] = '.';
  return fc_csv_number(text, x);
}

bool fc_csv_value(const fc_csv *t, const char *cell, double *x) {
  return fc_csv_number(cell, x) || comma_number(cell, t->separator, x);
}

void fc_csv_split_unit(const char *column, char *name, char *unit) {
  const size_t n    = strlen(column);
  const char  *open = n > 2 && column[n - 1] == ')'   ? strrchr(column, '(')
                      : n > 2 && column[n - 1] == ']' ? strrchr(column, '[')
                                                      : NULL;

  snprintf(name, FC_NAME, "%.*s", FC_NAME - 1, column);
  *unit = 0;
  if (!open || open == column) return;
  snprintf(unit, FC_NAME, "%.*s", (int)fc_min64(column + n - 1 - (open + 1), FC_NAME - 1), open + 1);
  size_t end = (size_t)(open - column);
  while (end > 0 && column[end - 1] == ' ') end--;
  snprintf(name, FC_NAME, "%.*s", (int)fc_min64((int64_t)end, FC_NAME - 1), column);
}

fc_status fc_csv_real(const fc_csv *t, char *const *cell, int k, double *x) {
  const bool number = fc_csv_value(t, cell[k], x);

  FC_REQUIRE(*cell[k], FC_E_INPUT, "%s:%lld: column '%s' is empty", t->path, (long long)t->number,
             t->name[k]);
  FC_REQUIRE(number, FC_E_INPUT, "%s:%lld: column '%s' holds '%.40s', which is no number", t->path,
             (long long)t->number, t->name[k], cell[k]);
  FC_REQUIRE(isfinite(*x), FC_E_INPUT, "%s:%lld: column '%s' holds '%.40s', which is not finite", t->path,
             (long long)t->number, t->name[k], cell[k]);
  return FC_OK;
}

void fc_csv_put(FILE *f, const char *text) {
  if (!text[strcspn(text, ",;\t\"\r\n")]) {
    fputs(text, f);
    return;
  }
  fputc('"', f);
  for (; *text; text++) fputs(*text == '"' ? "\"" : "", f), fputc(*text, f);
  fputc('"', f);
}
