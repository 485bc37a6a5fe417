/* train/series_columns.c - which column is what: by the settings, by a model that names its columns, or as a
   trained model knows them. */
#include "train/series_columns.h"

#include "core/text.h"

#include <stdio.h>
#include <string.h>

typedef struct {
  fc_series_set          *s;
  const fc_data_settings *d;
  const char             *model;
  int                     role[FC_SERIES_COLUMNS]; /* fc_column_role, -1: nothing is said of it */
} choice;

/* ---- lists of names ---- */

static bool is_none(const char *list) {
  char        word[FC_NAME];
  const char *at = list;

  return fc_text_item(&at, sizeof word, word) && !strcmp(word, "none");
}

static bool is_among(const char *list, const char *name) {
  char word[FC_NAME];

  while (fc_text_item(&list, sizeof word, word))
    if (!strcmp(word, name)) return true;
  return false;
}

void fc_series_categories(const fc_series_wants *w, const fc_data_settings *d, size_t size, char *out) {
  const char *list = d->categories;
  char        word[FC_NAME];
  size_t      at = 0;

  out[0] = 0;
  while (!is_none(d->categories) && at < size && fc_text_item(&list, sizeof word, word))
    at += (size_t)snprintf(out + at, size - at, "%s%s", at ? "," : "", word);
  for (int k = 0; k < w->n_columns && at < size; k++)
    if (w->column[k].categories && !is_among(d->derive, w->column[k].name))
      at += (size_t)snprintf(out + at, size - at, "%s%s", at ? "," : "", w->column[k].name);
}

/* ---- names -> columns ---- */

static fc_status find(const fc_series_set *s, const char *name, const char *where, int *column) {
  const fc_series_info *i = fc_series_about(s->file);
  const char           *names[FC_SERIES_COLUMNS];

  *column = fc_series_find(s->file, name);
  if (*column >= 0) return FC_OK;
  for (int k = 0; k < i->n_columns; k++) names[k] = i->column[k].name;
  const char *near = fc_nearest(name, i->n_columns, names);
  return fc_fail(FC_E_USAGE, "%s: %s has no column '%s'%s%s%s; 'fieldcast info' lists what there is", where,
                 s->path, name, near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

static fc_status take(choice *q, const char *list, const char *key, fc_column_role role) {
  char word[FC_NAME];
  int  c;

  while (!is_none(list) && fc_text_item(&list, sizeof word, word)) {
    FC_TRY(find(q->s, word, key, &c));
    FC_REQUIRE(q->role[c] < 0, FC_E_USAGE, "%s: the column '%s' is named twice", key, word);
    q->role[c] = (int)role;
    if (role == FC_COLUMN_TARGET) q->s->target[q->s->n_targets++] = c;
  }
  return FC_OK;
}

/* ---- by the settings ---- */

/* all targets, or beside named ones all observed: columns of numbers that nothing is said of */
static void take_rest(choice *q) {
  const fc_series_info *i    = fc_series_about(q->s->file);
  const bool            open = q->s->n_targets == 0;

  for (int c = 0; c < i->n_columns; c++) {
    if (q->role[c] >= 0 || i->category[c].n) continue;
    if (open)
      q->role[c] = FC_COLUMN_TARGET, q->s->target[q->s->n_targets++] = c;
    else if (!q->d->observed[0])
      q->role[c] = FC_COLUMN_OBSERVED;
  }
}

/* inputs in the order of the file, then targets */
static void order(choice *q) {
  fc_series_set *s = q->s;

  for (int c = 0; c < fc_series_about(s->file)->n_columns; c++)
    if (q->role[c] == FC_COLUMN_OBSERVED || q->role[c] == FC_COLUMN_KNOWN) s->variate[s->n_variates++] = c;
  for (int k = 0; k < s->n_targets; k++) s->variate[s->n_variates++] = s->target[k];
}

static fc_status must_be_numbers(const choice *q) {
  const fc_series_info *i = fc_series_about(q->s->file);

  for (int k = 0; k < q->s->n_variates; k++) {
    const int c = q->s->variate[k];
    FC_REQUIRE(!i->category[c].n, FC_E_MISMATCH,
               "%s: the column '%s' holds classes, %s takes numbers; leave it out with data.ignore",
               q->s->path, i->column[c].name, q->model);
  }
  return FC_OK;
}

static fc_status by_settings(choice *q) {
  FC_REQUIRE(!q->d->statics[0] || is_none(q->d->statics), FC_E_USAGE,
             "data.static: %s with these options takes no columns that do not change", q->model);
  FC_TRY(take(q, q->d->targets, "data.targets", FC_COLUMN_TARGET));
  FC_TRY(take(q, q->d->observed, "data.observed", FC_COLUMN_OBSERVED));
  FC_TRY(take(q, q->d->known, "data.known", FC_COLUMN_KNOWN));
  take_rest(q);
  FC_REQUIRE(q->s->n_targets, FC_E_INPUT, "%s: no column of numbers is left to forecast", q->s->path);
  order(q);
  return must_be_numbers(q);
}

/* ---- by a model that names its columns ---- */

static fc_status refuse(const choice *q, const char *list, const char *key) {
  FC_REQUIRE(!list[0], FC_E_USAGE, "%s: the options of %s name its columns and their roles", key, q->model);
  return FC_OK;
}

static fc_status classes_fit(const choice *q, const fc_series_column *w, int c) {
  const fc_series_class *have = &fc_series_about(q->s->file)->category[c];

  FC_REQUIRE(w->categories || !have->n, FC_E_MISMATCH,
             "%s: the column '%s' holds classes, %s takes it as a number", q->s->path, w->name, q->model);
  FC_REQUIRE(have->n <= w->categories || !w->categories, FC_E_MISMATCH,
             "%s: the column '%s' has %d classes, the options of %s allow %lld", q->s->path, w->name, have->n,
             q->model, (long long)w->categories);
  return FC_OK;
}

/* what lags less than a horizon is not known throughout it */
static fc_status lag_fits(const choice *q, const fc_series_column *w) {
  char          name[FC_NAME];
  const int64_t lag = is_among(q->d->derive, w->name) ? fc_series_lag(w->name, name) : 0;

  FC_REQUIRE(!lag || w->role != FC_COLUMN_KNOWN || lag >= q->s->wants.horizon, FC_E_USAGE,
             "%s: the column '%s' is not known %lld steps ahead; only what lies a whole horizon back is",
             q->model, w->name, (long long)q->s->wants.horizon);
  return FC_OK;
}

static fc_status by_model(choice *q) {
  fc_series_set *s = q->s;

  FC_TRY(refuse(q, q->d->targets, "data.targets"));
  FC_TRY(refuse(q, q->d->observed, "data.observed"));
  FC_TRY(refuse(q, q->d->known, "data.known"));
  FC_TRY(refuse(q, q->d->statics, "data.static"));
  for (int k = 0; k < s->wants.n_columns; k++) {
    fc_series_column *w = &s->wants.column[k];
    int               c;
    snprintf(s->name[k], FC_NAME, "%s", w->name);
    w->name = s->name[k];
    FC_TRY(find(s, w->name, q->model, &c));
    FC_TRY(classes_fit(q, w, c));
    FC_TRY(lag_fits(q, w));
    s->variate[s->n_variates++] = c;
    if (w->role == FC_COLUMN_TARGET) s->target[s->n_targets++] = c;
  }
  return FC_OK;
}

/* ---- as trained ---- */

static fc_status by_known(choice *q, const fc_series_known *known) {
  fc_series_set *s = q->s;

  for (int k = 0; k < known->n; k++) {
    const int c = fc_series_find(s->file, known->column[k].name);
    FC_REQUIRE(c >= 0, FC_E_MISMATCH, "%s has no column '%s', which the model was trained on", s->path,
               known->column[k].name);
    s->variate[s->n_variates++] = c;
    if (k >= known->n - known->n_targets) s->target[s->n_targets++] = c;
  }
  return must_be_numbers(q);
}

/* ---- do model and data fit? ---- */

static fc_status fits(const choice *q) {
  fc_series_set   *s = q->s;
  fc_series_wants *w = &s->wants;

  FC_REQUIRE(w->label <= w->lookback, FC_E_USAGE,
             "%s: label_len = %lld is more than the lookback of %lld steps", q->model, (long long)w->label,
             (long long)w->lookback);
  FC_REQUIRE(
      !w->variates || w->n_columns || w->variates == s->n_variates, FC_E_MISMATCH,
      "%s with these options takes %lld columns, %s gives %d; set the model's enc_in, or data.targets, "
      "data.observed and data.ignore",
      q->model, (long long)w->variates, s->path, s->n_variates);
  FC_REQUIRE(!w->targets || w->targets >= s->n_targets, FC_E_MISMATCH,
             "%s with these options forecasts %lld columns, %s has %d to forecast; set data.targets or the "
             "model's c_out",
             q->model, (long long)w->targets, s->path, s->n_targets);
  w->variates = s->n_variates;
  w->targets  = s->n_targets;
  return FC_OK;
}

fc_status fc_series_choose(fc_series_set *s, const fc_data_settings *d, const char *model,
                           const fc_series_known *known) {
  choice q = {.s = s, .d = d, .model = model};

  for (int c = 0; c < FC_SERIES_COLUMNS; c++) q.role[c] = -1;
  FC_TRY(s->wants.n_columns ? by_model(&q) : known ? by_known(&q, known) : by_settings(&q));
  return fits(&q);
}
