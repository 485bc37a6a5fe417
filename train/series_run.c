/* train/series_run.c */
#include "train/series_run.h"

#include "train/plan.h"

#include <string.h>

bool fc_run_on_series(const fc_run *r) {
  const fc_network *n = r->network;

  return r->k.series || (n->on_series && !n->on_grid && !n->on_points);
}

static fc_status same_step(const char *path, const fc_series_known *known, const fc_series_info *have) {
  char want[40], got[40];

  FC_REQUIRE(
      !known->dated || have->dated, FC_E_MISMATCH,
      "%s has no dates, the model was trained on a series with dates; name their column with data.date",
      path);
  if (!known->dated || !have->dated) return FC_OK;
  fc_date_step_text(known->step, want, sizeof want);
  fc_date_step_text(have->step, got, sizeof got);
  FC_REQUIRE(known->step.seconds == have->step.seconds && known->step.months == have->step.months,
             FC_E_MISMATCH, "%s has a row every %s, the model was trained on steps of %s", path, got, want);
  return FC_OK;
}

/* a file that does not say its units is taken to have the right ones */
static fc_status same_units(const char *path, const fc_series_known *known, const fc_series_set *s) {
  const fc_series_info *i = fc_series_about(s->file);

  for (int k = 0; k < known->n; k++) {
    const char *want = known->column[k].unit, *got = i->column[s->variate[k]].unit;
    FC_REQUIRE(!want[0] || !got[0] || !strcmp(want, got), FC_E_MISMATCH,
               "%s: column '%s' is in %s, the model was trained on %s", path, known->column[k].name, got,
               want);
  }
  return FC_OK;
}

static fc_status open_as(const fc_run *r, const char *path, const char *continued, const char *future,
                         bool ahead, fc_series_set *out) {
  fc_data_settings d = r->k.settings.data;

  FC_REQUIRE(r->network->on_series, FC_E_MISMATCH, "%s", r->network->not_on_series);
  FC_REQUIRE((size_t)snprintf(d.future, sizeof d.future, "%s", future) < sizeof d.future, FC_E_USAGE,
             "--future: the path is too long");
  FC_REQUIRE((size_t)snprintf(d.continued, sizeof d.continued, "%s", continued) < sizeof d.continued,
             FC_E_USAGE, "--continue: the path is too long");
  d.ahead = ahead;
  if (!r->k.series) d.normalize = true; /* as all official codes do; import leaves it off, for fields */
  FC_TRY(fc_series_set_open(path, &d, r->network, r->k.series, out));
  fc_status s = r->k.series ? same_step(path, r->k.series, fc_series_about(out->file)) : FC_OK;
  if (s == FC_OK && r->k.series) s = same_units(path, r->k.series, out);
  if (s != FC_OK) fc_series_set_close(out);
  return s;
}

fc_status fc_run_open_series(const fc_run *r, const char *path, const char *continued, fc_series_set *out) {
  return open_as(r, path, continued ? continued : "", "", false, out);
}

fc_status fc_run_open_future(const fc_run *r, const char *path, const char *future, fc_series_set *out) {
  return open_as(r, path, "", future ? future : "", true, out);
}

/* ---- memory ---- */

/* of one call on n windows */
static fc_status bytes_of(const fc_network *net, const fc_series_set *s, int64_t n, int64_t *bytes) {
  fc_tensor *truth;
  fc_batch   b;
  fc_ctx    *c;

  FC_TRY(fc_ctx_create((size_t)1 << 42, true, &c));
  fc_series_batch(c, s, n, NULL, &b, &truth);
  fc_series_call(c, net, s, &b);
  *bytes = (int64_t)fc_arena_peak(c->arena);
  fc_ctx_destroy(c);
  return FC_OK;
}

static fc_status find_batch(const fc_network *net, const fc_series_set *s, int64_t most, int64_t *n,
                            int64_t *bytes) {
  const char   *why;
  const int64_t left = fc_memory_available(&why);

  for (*n = most; *n > 0; *n /= 2) {
    FC_TRY(bytes_of(net, s, *n, bytes));
    if (*bytes <= left) return FC_OK;
  }
  return fc_fail(FC_E_SYSTEM, "a forecast of one window needs %.0f MiB, there are %.0f (%s)",
                 (double)*bytes / 0x1p20, (double)left / 0x1p20, why);
}

fc_status fc_series_context(const fc_run *r, const fc_series_set *s, int64_t most, int64_t *n, fc_ctx **out) {
  int64_t     bytes = 0;
  fc_network *dry;

  FC_TRY(fc_network_create(r->k.def, r->k.args, 0, true, &dry));
  const fc_status st = find_batch(dry, s, most, n, &bytes);
  fc_network_destroy(dry);
  FC_TRY(st);
  return fc_ctx_create((size_t)bytes + (size_t)bytes / 4 + ((size_t)64 << 20), false, out);
}
