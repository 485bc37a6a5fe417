/* io/statistics_file.c - statistics as HDF5: a group for each quantity. */
#include "io/file.h"
#include "io/hdf5_put.h"
#include "io/statistics.h"
#include "io/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char MARK[]  = "fieldcast_statistics"; /* root attribute: version of this layout */
static const char QUOTE[] = "quantity_order";

/* ---- writing ---- */

static bool put_row(hid_t g, const char *name, int64_t n, const double *x) {
  const hsize_t len   = (hsize_t)n;
  const hid_t   space = H5Screate_simple(1, &len, NULL);
  const hid_t   set   = H5Dcreate2(g, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const bool    ok    = set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0;

  fc_h5_close(space);
  fc_h5_close(set);
  return ok;
}

static bool put_quantity(hid_t file, const fc_quantity *q) {
  const hid_t g  = H5Gcreate2(file, q->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool        ok = g >= 0 && put_row(g, "value", q->n, q->value) && put_row(g, "half_width", q->n, q->half);

  if (ok && q->axis[0])
    ok = put_row(g, "coordinate", q->n, q->x) && fc_h5_put_text(g, "axis", q->axis) &&
         fc_h5_put_text(g, "axis_unit", fc_h5_unit(q->axis_unit));
  ok =
      ok && fc_h5_put_text(g, "units", fc_h5_unit(q->unit)) && fc_h5_put_text(g, "definition", q->definition);
  fc_h5_close(g);
  return ok;
}

static bool put_order(hid_t file, const fc_statistics *s) {
  const char **names = malloc((size_t)fc_max64(s->n, 1) * sizeof *names);

  for (int i = 0; names && i < s->n; i++) names[i] = s->q[i].name;
  const bool ok = names && fc_h5_put_texts(file, QUOTE, s->n, names);
  free(names);
  return ok;
}

static bool put_all(hid_t file, const fc_statistics *s) {
  bool ok = fc_h5_put_int(file, MARK, 1) && fc_h5_put_text(file, "fieldcast_version", FC_VERSION) &&
            fc_h5_put_text(file, "kind", s->kind) && fc_h5_put_int(file, "samples", s->samples) &&
            fc_h5_put_int(file, "batches", s->batches) && fc_h5_put_real(file, "time_from", s->from) &&
            fc_h5_put_real(file, "time_to", s->to) &&
            fc_h5_put_real(file, "batch_correlation", s->correlation) && put_order(file, s);

  for (int i = 0; ok && i < s->n_texts; i++) ok = fc_h5_put_text(file, s->text[i].name, s->text[i].value);
  for (int i = 0; ok && i < s->n; i++) ok = put_quantity(file, &s->q[i]);
  return ok;
}

static fc_status write_file(const char *path, const char *tmp, const fc_statistics *s) {
  int         error = 0;
  const hid_t file  = fc_h5_create(tmp, &error);
  bool        ok    = file >= 0 && put_all(file, s);

  if (file >= 0) ok &= H5Fclose(file) >= 0;
  if (ok && !error) return fc_file_replace(tmp, path);
  unlink(tmp);
  return fc_fail(FC_E_SYSTEM, "%s: cannot write: %s; make room or choose another place", path,
                 error ? strerror(error) : "HDF5 refused");
}

fc_status fc_statistics_write(const char *path, const fc_statistics *s) {
  char *tmp = malloc(strlen(path) + 5);

  FC_REQUIRE(tmp, FC_E_SYSTEM, "%s: not enough memory", path);
  strcat(strcpy(tmp, path), ".tmp");
  fc_status status = fc_file_check_target(path);
  if (status == FC_OK) {
    const fc_h5_quiet q = fc_h5_hush();
    status              = write_file(path, tmp, s);
    fc_h5_unhush(q);
  }
  free(tmp);
  return status;
}

/* ---- reading ---- */

static fc_status length_of(hid_t file, const char *path, const char *name, int64_t *n) {
  hid_t   id;
  int     rank;
  int64_t dim[FC_H5_RANK];

  FC_TRY(fc_h5_numbers(file, path, name, &id, &rank, dim));
  fc_h5_close(id);
  FC_REQUIRE(rank == 1 && dim[0] > 0, FC_E_INPUT, "%s: '%s' is no list of numbers; the file is damaged", path,
             name);
  *n = dim[0];
  return FC_OK;
}

/* numbers of data set NAME/what; all lists of a quantity are equally long */
static fc_status get_row(hid_t file, const char *path, const char *name, const char *what, int64_t n,
                         double *x) {
  char    set[FC_NAME + 16];
  int64_t found = 0;

  snprintf(set, sizeof set, "%s/%s", name, what);
  FC_TRY(length_of(file, path, set, &found));
  FC_REQUIRE(found == n, FC_E_INPUT, "%s: '%s' has %lld numbers, where %lld are expected", path, set,
             (long long)found, (long long)n);
  return fc_h5_row(file, path, set, 0, 0, n, x);
}

static void get_texts(hid_t file, const char *name, fc_quantity *q) {
  const hid_t g = H5Gopen2(file, name, H5P_DEFAULT);

  fc_h5_text(g, "units", q->unit, sizeof q->unit);
  fc_h5_text(g, "axis", q->axis, sizeof q->axis);
  fc_h5_text(g, "axis_unit", q->axis_unit, sizeof q->axis_unit);
  fc_h5_text(g, "definition", q->definition, sizeof q->definition);
  fc_h5_close(g);
  if (!strcmp(q->unit, "1")) q->unit[0] = 0;
  if (!strcmp(q->axis_unit, "1")) q->axis_unit[0] = 0;
}

static fc_status get_quantity(hid_t file, const char *path, const char *name, fc_statistics *s) {
  char    set[FC_NAME + 16];
  int64_t n = 0;

  snprintf(set, sizeof set, "%s/value", name);
  FC_TRY(length_of(file, path, set, &n));
  fc_quantity *q = fc_statistics_add(s, name, "", "", n, NULL, "");
  FC_REQUIRE(q, FC_E_SYSTEM, "%s: not enough memory for '%s'", path, name);
  get_texts(file, name, q);
  FC_TRY(get_row(file, path, name, "value", n, q->value));
  FC_TRY(get_row(file, path, name, "half_width", n, q->half));
  return q->axis[0] ? get_row(file, path, name, "coordinate", n, q->x) : FC_OK;
}

static void get_head(hid_t file, fc_statistics *s) {
  static const char *const texts[] = {"source", "command",       "filter",        "trajectories", "options",
                                      "solver", "solver_config", "solver_source", "model",        "units"};
  double                   x;

  fc_h5_text(file, "kind", s->kind, sizeof s->kind);
  if (fc_h5_real(file, "samples", &x) && x >= 0 && x < 1e15) s->samples = (int64_t)x;
  if (fc_h5_real(file, "batches", &x) && x >= 0 && x < 1e6) s->batches = (int)x;
  fc_h5_real(file, "time_from", &s->from);
  fc_h5_real(file, "time_to", &s->to);
  fc_h5_real(file, "batch_correlation", &s->correlation);
  for (int i = 0; i < FC_COUNT(texts); i++) {
    char *text = fc_h5_text_new(file, texts[i]);
    fc_statistics_text(s, texts[i], text);
    free(text);
  }
}

enum { MOST_QUANTITIES = 4096 };

static fc_status get_all(hid_t file, const char *path, fc_statistics *s) {
  char(*names)[FC_NAME] = malloc(MOST_QUANTITIES * sizeof *names);
  fc_status status      = FC_OK;

  FC_REQUIRE(names, FC_E_SYSTEM, "%s: not enough memory", path);
  const int n = H5Aexists(file, MARK) > 0 ? fc_h5_texts(file, QUOTE, MOST_QUANTITIES, names) : -1;
  if (n < 0)
    status = fc_fail(FC_E_INPUT, "%s: not a file of statistics ('fieldcast statistics' makes them)", path);
  if (status == FC_OK) get_head(file, s);
  for (int i = 0; i < n && status == FC_OK; i++) status = get_quantity(file, path, names[i], s);
  free(names);
  return status;
}

static fc_status read_file(const char *path, fc_statistics *s) {
  const fc_h5_quiet q = fc_h5_hush();
  hid_t             file;

  fc_statistics_init(s, "");
  fc_status status = fc_h5_open(path, &file);
  if (status == FC_OK) {
    status = get_all(file, path, s);
    fc_h5_close(file);
  }
  if (status != FC_OK) fc_statistics_free(s);
  fc_h5_unhush(q);
  return status;
}

static fc_status attempt(void *path, int *answer) {
  fc_statistics s;

  *answer = 0;
  FC_TRY(read_file(path, &s));
  fc_statistics_free(&s);
  return FC_OK;
}

fc_status fc_statistics_read(const char *path, fc_statistics *s) {
  fc_statistics_init(s, "");
  FC_TRY(fc_trial(path, fc_trial_seconds(path), attempt, (void *)path,
                  NULL)); /* a damaged file may crash HDF5 */
  return read_file(path, s);
}

bool fc_statistics_recognised(const char *path) {
  const fc_h5_quiet q    = fc_h5_hush();
  const hid_t       file = H5Fis_hdf5(path) > 0 ? fc_h5_open_checked(path) : -1;
  const bool        is   = file >= 0 && H5Aexists(file, MARK) > 0;

  fc_h5_close(file);
  fc_h5_unhush(q);
  return is;
}
