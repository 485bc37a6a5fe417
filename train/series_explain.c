/* train/series_explain.c */
#include "train/series_explain.h"

#include "io/csv.h"
#include "io/file.h"
#include "io/plot.h"
#include "io/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 64, CURVES = 16, HEADS = 4 };

typedef struct {
  char     name[FC_NAME]; /* "attention_0" */
  int      ndim;          /* without windows */
  int64_t  dim[FC_MAX_DIMS];
  int64_t  arrays; /* summed so far */
  bool     mixed;  /* one for each window and column: models that see every column alone */
  double  *sum;
  fc_real *last, *mean;
  char (*column)[FC_NAME]; /* names that the model gave; NULL: none */
} item;

struct fc_explain {
  const fc_series_set *set;
  fc_observer          observer;
  int64_t              windows, now; /* seen so far; of the call that runs */
  int                  n;
  item                 items[ITEMS];
  fc_status            status; /* memory may fail while a model runs */
};

static int64_t length(const item *a) {
  int64_t n = 1;

  for (int i = 0; i < a->ndim; i++) n *= a->dim[i];
  return n;
}

/* ---- collecting ---- */

static item *find(fc_explain *e, fc_shown as) {
  char name[FC_NAME];

  snprintf(name, sizeof name, "%.40s_%d", as.what, as.number);
  for (int i = 0; i < e->n; i++)
    if (!strcmp(e->items[i].name, name)) return &e->items[i];
  if (e->n == ITEMS) return NULL;
  memcpy(e->items[e->n].name, name, sizeof name);
  return &e->items[e->n++];
}

static bool keep_names(item *a, const char *const *columns) {
  const int64_t n = a->dim[a->ndim - 1];

  a->column = malloc((size_t)n * sizeof *a->column);
  for (int64_t i = 0; i < n && a->column; i++) snprintf(a->column[i], FC_NAME, "%s", columns[i]);
  return a->column;
}

static bool begin(item *a, fc_shown as, const fc_tensor *t) {
  a->ndim = t->ndim - 1;
  memcpy(a->dim, t->dim + 1, (size_t)a->ndim * sizeof *a->dim);
  if (as.columns && a->ndim > 0 && !keep_names(a, as.columns)) return false;
  const size_t n = (size_t)length(a);
  a->sum         = calloc(n, sizeof *a->sum);
  a->last        = malloc(n * sizeof *a->last);
  a->mean        = malloc(n * sizeof *a->mean);
  return a->sum && a->last && a->mean;
}

/* t [windows, ..] or [windows times columns, ..]; should lengths differ from call to call, the first ones
 * count */
static void see(void *user, fc_shown as, const fc_tensor *t) {
  fc_explain *e = user;
  item       *a = e->status == FC_OK && t->ndim > 0 ? find(e, as) : NULL;

  if (!a) return;
  if (!a->sum && !begin(a, as, t)) {
    e->status = fc_fail(FC_E_SYSTEM, "no memory for what the model shows");
    return;
  }
  const int64_t n = length(a), arrays = t->dim[0];
  if (fc_len(t) != n * arrays || arrays == 0) return;
  for (int64_t w = 0; w < arrays; w++)
    for (int64_t i = 0; i < n; i++) a->sum[i] += (double)t->x[w * n + i];
  memcpy(a->last, t->x + (arrays - 1) * n, (size_t)n * sizeof *a->last);
  a->arrays += arrays;
  a->mixed |= arrays != e->now;
}

fc_status fc_explain_create(const fc_series_set *s, fc_explain **out) {
  fc_explain *e = calloc(1, sizeof *e);

  FC_REQUIRE(e, FC_E_SYSTEM, "no memory for what the model shows");
  e->set      = s;
  e->observer = (fc_observer){see, e};
  *out        = e;
  return FC_OK;
}

void fc_explain_free(fc_explain *e) {
  if (!e) return;
  for (int i = 0; i < e->n; i++) {
    free(e->items[i].sum);
    free(e->items[i].last);
    free(e->items[i].mean);
    free(e->items[i].column);
  }
  free(e);
}

void fc_explain_watch(fc_explain *e, fc_ctx *c, int64_t windows) {
  c->observer = &e->observer;
  e->now      = windows;
  e->windows += windows;
}

/* ---- names along an axis ---- */

static const char *column_name(const fc_series_set *s, int variate) {
  return fc_series_about(s->file)->column[s->variate[variate]].name;
}

static void mark_name(int64_t i, char out[FC_NAME]) {
  snprintf(out, FC_NAME, "calendar mark %lld", (long long)i + 1);
}

/* Tokens of models that work across variates: the variates, then the calendar marks. */
static bool token_name(const fc_series_set *s, int64_t n, int64_t i, char out[FC_NAME]) {
  if (n != s->n_variates && n != s->n_variates + s->n_marks) return false;
  if (i < s->n_variates)
    snprintf(out, FC_NAME, "%s", column_name(s, (int)i));
  else
    mark_name(i - s->n_variates, out);
  return true;
}

/* last two axes: rows and columns of the table; axes before them (heads) are averaged */
static int64_t table_cols(const item *a) { return a->ndim > 0 ? a->dim[a->ndim - 1] : 1; }
static int64_t table_rows(const item *a) { return a->ndim > 1 ? a->dim[a->ndim - 2] : 1; }

static bool square(const item *a) { return a->ndim > 1 && table_rows(a) == table_cols(a); }

/* Names that the model gave, else those of tokens; attention between steps is no table of columns, whatever
   its lengths are. */
static bool column_of(const fc_explain *e, const item *a, int64_t i, char out[FC_NAME]) {
  const fc_series_set *s = e->set;

  if (a->column) snprintf(out, FC_NAME, "%s", a->column[i]);
  if (a->column) return true;
  if (a->mixed || a->ndim < 1 || (a->ndim > 2 && !square(a)) || s->wants.n_columns) return false;
  if (strstr(a->name, "decoder") && table_cols(a) == s->n_marks) return mark_name(i, out), true;
  return token_name(s, table_cols(a), i, out);
}

/* ---- the numbers of a table ---- */

/* parts of a forecast add up within one window; their mean over windows would say nothing */
static bool of_last_window(const item *a) {
  static const char *const parts[] = {"level", "growth", "season", "trend"};

  for (int i = 0; i < FC_COUNT(parts); i++)
    if (!strncmp(a->name, parts[i], strlen(parts[i]))) return true;
  return false;
}

static const fc_real *numbers(const item *a) { return of_last_window(a) ? a->last : a->mean; }

static double cell(const item *a, int64_t row, int64_t col) {
  const int64_t size = table_rows(a) * table_cols(a), heads = length(a) / size;
  double        sum = 0;

  for (int64_t h = 0; h < heads; h++) sum += (double)numbers(a)[h * size + row * table_cols(a) + col];
  return sum / (double)heads;
}

static void take_means(const fc_explain *e) {
  for (int i = 0; i < e->n; i++)
    for (int64_t j = 0; j < length(&e->items[i]); j++)
      e->items[i].mean[j] = (fc_real)(e->items[i].sum[j] / (double)e->items[i].arrays);
}

/* ---- files ---- */

static fc_status put_columns(const fc_explain *e, const item *a, fc_store *store) {
  const int64_t n = table_cols(a);
  char          name[FC_NAME], path[FC_NAME + 16], *text = malloc((size_t)n * (FC_NAME + 1) + 1);
  size_t        at = 0;

  FC_REQUIRE(text, FC_E_SYSTEM, "no memory for what the model shows");
  for (int64_t i = 0; i < n && column_of(e, a, i, name); i++)
    at += (size_t)sprintf(text + at, "%s%s", i ? "\n" : "", name);
  snprintf(path, sizeof path, "columns/%s", a->name);
  const fc_status s = at ? fc_store_put_text(store, path, text) : FC_OK;
  free(text);
  return s;
}

static fc_status put_item(const fc_explain *e, const item *a, fc_store *store) {
  char path[FC_NAME + 16];

  snprintf(path, sizeof path, "mean/%s", a->name);
  FC_TRY(fc_store_put_reals(store, path, a->ndim, a->dim, a->mean));
  snprintf(path, sizeof path, "last/%s", a->name);
  FC_TRY(fc_store_put_reals(store, path, a->ndim, a->dim, a->last));
  return put_columns(e, a, store);
}

static fc_status write_arrays(const fc_explain *e, const char *path) {
  fc_store *store;
  fc_status s;

  FC_TRY(fc_store_create(path, &store));
  for (int i = 0; i < e->n; i++) {
    if ((s = put_item(e, &e->items[i], store)) == FC_OK) continue;
    fc_store_abandon(store);
    return s;
  }
  return fc_store_commit(store);
}

static void csv_names(const fc_explain *e, const item *a, FILE *f) {
  char name[FC_NAME];

  fputs(square(a) ? "from" : "step", f);
  for (int64_t j = 0; j < table_cols(a); j++) {
    fputc(',', f);
    if (column_of(e, a, j, name))
      fc_csv_put(f, name);
    else
      fprintf(f, "%lld", (long long)j + 1);
  }
  fputc('\n', f);
}

static fc_status write_table(const fc_explain *e, const item *a, const char *path) {
  char  name[FC_NAME];
  FILE *f;

  FC_TRY(fc_file_begin(path, &f));
  csv_names(e, a, f);
  for (int64_t i = 0; i < table_rows(a); i++) {
    if (square(a) && column_of(e, a, i, name))
      fc_csv_put(f, name);
    else
      fprintf(f, "%lld", (long long)i + 1);
    for (int64_t j = 0; j < table_cols(a); j++) fprintf(f, ",%.6g", cell(a, i, j));
    fputc('\n', f);
  }
  return fc_file_commit(path, f);
}

/* ---- pictures ---- */

/* x[cols, rows], the first row on top */
static fc_real *turned(const item *a, int64_t head) {
  const int64_t  R = table_rows(a), C = table_cols(a);
  const fc_real *from = numbers(a) + head * R * C;
  fc_real       *x    = malloc((size_t)(R * C) * sizeof *x);

  for (int64_t i = 0; x && i < R; i++)
    for (int64_t j = 0; j < C; j++) x[j * R + R - 1 - i] = from[i * C + j];
  return x;
}

/* "attention_0, rows look at columns: load, level, .." */
static void map_title(const fc_explain *e, const item *a, char *out, size_t size) {
  char   name[FC_NAME];
  size_t at = (size_t)snprintf(out, size, "%s%s", a->name, square(a) ? ", rows look at columns" : "");

  for (int64_t j = 0; j < table_cols(a) && at < size && column_of(e, a, j, name); j++)
    at += (size_t)snprintf(out + at, size - at, "%s%s", j ? ", " : ": ", name);
}

/* a map for each of the first heads: rows downwards, columns to the right */
static fc_status draw_map(const fc_explain *e, const item *a, const char *path) {
  const int64_t heads = length(a) / (table_rows(a) * table_cols(a));
  const int     n     = (int)fc_min64(heads, HEADS);
  fc_panel      p[HEADS];
  char          label[HEADS][32];
  const char   *labels[HEADS];
  char          title[200];
  bool          good = true;

  map_title(e, a, title, sizeof title);
  for (int h = 0; h < n; h++) {
    fc_real *x = turned(a, h);
    good &= x != NULL;
    p[h] =
        (fc_panel){.nx = table_cols(a), .ny = table_rows(a), .x = x, .stride = 1, .map = FC_MAP_SEQUENTIAL};
    snprintf(label[h], sizeof label[h], "head %d of %lld", h + 1, (long long)heads);
    labels[h] = label[h];
  }
  const fc_status s = good ? fc_plot_panels(path, title, 1, n, p, NULL, n > 1 ? labels : NULL, NULL)
                           : fc_fail(FC_E_SYSTEM, "no memory for a picture");
  for (int h = 0; h < n; h++) free((void *)(uintptr_t)p[h].x);
  return s;
}

/* columns over steps; the first ones if there are many */
static fc_status draw_curves(const fc_explain *e, const item *a, const char *path) {
  const int64_t T = table_rows(a);
  const int     n = (int)fc_min64(table_cols(a), CURVES);
  double       *v = malloc((size_t)((n + 1) * T) * sizeof *v);
  fc_curve      curve[CURVES];
  char          name[CURVES][FC_NAME], title[2 * FC_NAME];
  fc_axes       axes = {.title   = title,
                        .x_label = "step of the window",
                        .y_label = of_last_window(a) ? "scaled" : "weight",
                        .h_line  = NAN};

  FC_REQUIRE(v, FC_E_SYSTEM, "no memory for a picture");
  snprintf(title, sizeof title, "%s", a->name);
  if (n < table_cols(a))
    snprintf(title, sizeof title, "%s, the first %d of %lld", a->name, n, (long long)table_cols(a));
  for (int64_t t = 0; t < T; t++) v[t] = (double)t + 1;
  for (int k = 0; k < n; k++) {
    double *y = v + (k + 1) * T;
    column_of(e, a, k, name[k]);
    for (int64_t t = 0; t < T; t++) y[t] = cell(a, t, k);
    curve[k] = (fc_curve){.label = name[k], .n = T, .x = v, .y = y};
  }
  const fc_status s = fc_plot_curves(path, &axes, n, curve);
  free(v);
  return s;
}

static fc_status draw(const fc_explain *e, const item *a, const char *path) {
  char name[FC_NAME];

  if (a->ndim < 2) return FC_OK; /* a few numbers: the table says it all */
  return !square(a) && column_of(e, a, 0, name) ? draw_curves(e, a, path) : draw_map(e, a, path);
}

/* ---- all ---- */

static void report_item(const fc_explain *e, const item *a, FILE *f) {
  char name[FC_NAME];

  fprintf(f, "%s %s, %s of %lld windows%s", a->name, fc_dims_text(a->ndim, a->dim),
          of_last_window(a) ? "the last" : "mean", (long long)e->windows, a->mixed ? " and all columns" : "");
  if (!square(a) && !of_last_window(a))
    for (int64_t j = 0; j < table_cols(a) && column_of(e, a, j, name); j++) {
      double sum = 0;
      for (int64_t i = 0; i < table_rows(a); i++) sum += cell(a, i, j);
      fprintf(f, "%s %s %.3f", j ? "," : ":", name, sum / (double)table_rows(a));
    }
  fputc('\n', f);
}

fc_status fc_explain_write(const fc_explain *e, const char *folder, FILE *f) {
  char path[FC_TEXT + FC_NAME + 8];

  FC_TRY(e->status);
  FC_REQUIRE(e->n > 0, FC_E_USAGE, "--explain: this model shows nothing of itself");
  FC_TRY(fc_make_folder(folder));
  take_means(e);
  snprintf(path, sizeof path, "%s/shown.h5", folder);
  FC_TRY(write_arrays(e, path));
  for (int i = 0; i < e->n; i++) {
    snprintf(path, sizeof path, "%s/%s.csv", folder, e->items[i].name);
    FC_TRY(write_table(e, &e->items[i], path));
    snprintf(path, sizeof path, "%s/%s.png", folder, e->items[i].name);
    FC_TRY(draw(e, &e->items[i], path));
    report_item(e, &e->items[i], f);
  }
  return FC_OK;
}
