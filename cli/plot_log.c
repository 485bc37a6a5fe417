/* cli/plot_log.c - columns of a training log, or of the history of a solver's run, as curves. */
#include "cli/plot.h"

#include "io/file.h"
#include "io/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 64 };

typedef struct {
  char   *text; /* of the file; names point into it */
  int     n_columns;
  int64_t n_rows;
  char   *name[MAX_COLUMNS];
  double *cells; /* [n_columns, n_rows], NaN where empty or no number */
} table;

static void table_close(table *t) {
  free(t->text);
  free(t->cells);
}

/* ---- reading ---- */

/* the next cell of a line, ended by a NUL; NULL at its end */
static char *next_cell(char **line) {
  char *cell = *line, *comma;

  if (!cell) return NULL;
  comma = strchr(cell, ',');
  *line = comma ? comma + 1 : NULL;
  if (comma) *comma = 0;
  return cell;
}

static fc_status read_header(const char *path, char *line, table *t) {
  for (char *cell; (cell = next_cell(&line));) {
    FC_REQUIRE(t->n_columns < MAX_COLUMNS, FC_E_INPUT, "%s: more than %d columns", path, MAX_COLUMNS);
    t->name[t->n_columns++] = cell;
  }
  char *end;
  strtod(t->name[0], &end);
  FC_REQUIRE(*t->name[0] && end == t->name[0], FC_E_INPUT,
             "%s: the first line is no header with names of columns (step,loss,...)", path);
  return FC_OK;
}

static void read_row(char *line, table *t, int64_t room, int64_t row) {
  for (int k = 0; k < t->n_columns; k++) {
    char        *end, *cell = next_cell(&line);
    const double v           = cell ? strtod(cell, &end) : NAN;
    t->cells[k * room + row] = cell && end != cell ? v : NAN;
  }
}

static fc_status parse(const char *path, table *t) {
  char   *keep, *line;
  int64_t room = 0;

  for (const char *s = t->text; *s; s++) room += *s == '\n';
  room++; /* the last line may lack its end */
  line = strtok_r(t->text, "\r\n", &keep);
  FC_REQUIRE(line, FC_E_INPUT, "%s: the file is empty", path);
  FC_TRY(read_header(path, line, t));
  t->cells = malloc((size_t)(t->n_columns * room) * sizeof *t->cells);
  FC_REQUIRE(t->cells, FC_E_SYSTEM, "%s: no memory for %lld lines", path, (long long)room);
  while ((line = strtok_r(NULL, "\r\n", &keep))) read_row(line, t, room, t->n_rows++);
  FC_REQUIRE(t->n_rows > 0, FC_E_INPUT, "%s: a header and no line of numbers yet", path);
  for (int k = 1; k < t->n_columns; k++)
    memmove(t->cells + k * t->n_rows, t->cells + k * room, (size_t)t->n_rows * sizeof *t->cells);
  return FC_OK;
}

/* ---- drawing ---- */

static int find(const table *t, const char *name) {
  for (int k = 0; k < t->n_columns; k++)
    if (!strcmp(t->name[k], name)) return k;
  return -1;
}

/* losses and scores: what falls by powers of ten when training goes well */
static bool is_score(const char *name) {
  static const char *words[] = {"loss", "rmse", "RMSE", "mse", "MSE", "l2", "L2", "valid", "error"};

  for (int i = 0; i < FC_COUNT(words); i++)
    if (strstr(name, words[i])) return true;
  return false;
}

static bool wanted(const fc_plot_request *r, const char *name) {
  for (int i = 0; i < r->channels.n; i++)
    if (!strcmp(r->channels.v[i], name)) return true;
  return r->channels.n == 0 && is_score(name);
}

/* training logs count steps or epochs, histories of solvers have times */
static int abscissa(const table *t) {
  static const char *const names[] = {"step", "epoch", "t"};

  for (int i = 0; i < FC_COUNT(names); i++)
    if (find(t, names[i]) >= 0) return find(t, names[i]);
  return -1;
}

/* Column k against column x. Scores are written now and then: lines without a value are left out, so that the
   others are joined. */
static fc_curve curve_of(const table *t, int x, int k, double *xs, double *ys) {
  int64_t n = 0;

  for (int64_t i = 0; i < t->n_rows; i++) {
    const double v = t->cells[k * t->n_rows + i], at = x < 0 ? (double)i : t->cells[x * t->n_rows + i];
    if (!isfinite(v) || !isfinite(at)) continue;
    xs[n]   = at;
    ys[n++] = v;
  }
  return (fc_curve){.label = t->name[k], .n = n, .x = xs, .y = ys, .markers = n < 20 && 4 * n < t->n_rows};
}

static fc_status draw(const fc_plot_request *r, const char *path, const table *t) {
  fc_curve  curve[MAX_COLUMNS], rate = {0};
  const int lr = find(t, "lr"), x = abscissa(t);
  int       n = 0;
  fc_status s = FC_OK;
  double   *v = malloc((size_t)(2 * t->n_columns * t->n_rows) * sizeof *v), *free_room = v;

  FC_REQUIRE(v, FC_E_SYSTEM, "%s: no memory for %d curves", path, t->n_columns);
  for (int k = 0; k < t->n_columns; k++) {
    if (k == x || (k != lr && !wanted(r, t->name[k]))) continue;
    fc_curve *u = k == lr ? &rate : &curve[n];
    *u          = curve_of(t, x, k, free_room, free_room + t->n_rows);
    free_room += 2 * t->n_rows;
    n += k != lr && u->n > 0;
  }
  if (!n) {
    s = fc_fail(FC_E_INPUT,
                "%s: no column of losses or scores with a number in it; name columns with --channel", path);
  } else {
    const char    *x_label  = x < 0 ? "line" : t->name[x];
    const bool     history  = x >= 0 && !strcmp(x_label, "t");
    const char    *y_label  = !history ? "loss and scores" : n == 1 ? curve[0].label : "";
    const fc_chart charts[] = {
        {{.x_label = x_label, .y_label = y_label, .log_y = !history, .h_line = NAN}, n, curve},
        {{.x_label = x_label, .y_label = "learning rate", .h_line = NAN}, 1, &rate}};
    rate.label = NULL;
    s          = fc_plot_charts(r->png, path, lr >= 0 && rate.n ? 2 : 1, 1, charts);
  }
  free(v);
  return s;
}

fc_status fc_plot_log_file(const fc_plot_request *r) {
  enum { LIMIT = 1 << 30 };
  char        inside[1024];
  const char *path = r->input;
  table       t    = {0};

  snprintf(inside, sizeof inside, "%s/log.csv", r->input);
  if (fc_file_exists(inside)) path = inside;
  FC_TRY(fc_file_read(path, LIMIT, &t.text, NULL));
  fc_status s = parse(path, &t);
  if (s == FC_OK) s = draw(r, path, &t);
  table_close(&t);
  return s;
}
