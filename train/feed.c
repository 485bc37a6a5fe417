/* train/feed.c - which kind of data it is. */
#include "train/feed.h"

#include "hpc/comm.h"
#include "io/data_kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* what is there decides, else what the model can; coordinates are named only for points, and forecasters know
   nothing but series */
static fc_status choose(const fc_network *n, fc_data_settings *d) {
  const bool         only  = n->on_series && !n->on_grid && !n->on_points;
  const fc_data_kind found = only                ? FC_DATA_SERIES
                             : d->coordinates[0] ? FC_DATA_POINTS
                                                 : fc_data_kind_of(d->train);

  FC_REQUIRE(found != FC_DATA_GRID || n->on_grid, FC_E_MISMATCH, "%s holds fields on a grid: %s", d->train,
             n->not_on_grid);
  FC_REQUIRE(found != FC_DATA_POINTS || n->on_points, FC_E_MISMATCH, "%s holds points: %s", d->train,
             n->not_on_points);
  FC_REQUIRE(found != FC_DATA_SERIES || n->on_series, FC_E_MISMATCH, "%s holds series: %s", d->train,
             n->not_on_series);
  const bool points = found == FC_DATA_POINTS || (found == FC_DATA_UNKNOWN && !n->on_grid);
  d->kind           = found == FC_DATA_SERIES ? FC_KIND_SERIES : points ? FC_KIND_POINTS : FC_KIND_GRID;
  return FC_OK;
}

static fc_status refuse(bool set, const char *key) {
  FC_REQUIRE(!set, FC_E_USAGE, "%s is for series; these data are fields or points", key);
  return FC_OK;
}

/* what only means something for series must not be asked for in vain */
static fc_status refuse_series_keys(const fc_data_settings *d) {
  FC_TRY(refuse(d->targets[0], "data.targets"));
  FC_TRY(refuse(d->observed[0], "data.observed"));
  FC_TRY(refuse(d->known[0], "data.known"));
  FC_TRY(refuse(d->statics[0], "data.static"));
  FC_TRY(refuse(d->categories[0], "data.categories"));
  FC_TRY(refuse(d->ignore[0], "data.ignore"));
  FC_TRY(refuse(d->date[0], "data.date"));
  FC_TRY(refuse(d->id[0], "data.id"));
  FC_TRY(refuse(d->step[0], "data.step"));
  FC_TRY(refuse(d->missing, "data.missing"));
  FC_TRY(refuse(d->sort, "data.sort"));
  FC_TRY(refuse(d->split_rows.n > 0, "data.split_rows"));
  FC_TRY(refuse(d->split_last.n > 0, "data.split_last"));
  FC_TRY(refuse(d->continued[0], "data.continue"));
  FC_TRY(refuse(d->derive[0], "data.derive"));
  FC_TRY(refuse(d->scale != FC_SCALE_COLUMN, "data.scale"));
  FC_TRY(refuse(d->min_lookback > 0, "data.min_lookback"));
  return refuse(d->split_dates[0], "data.split_dates");
}

/* what fields and points do unless they are told otherwise */
static fc_status settle(fc_settings *s) {
  if (s->data.kind == FC_KIND_SERIES) return FC_OK;
  if (s->train.loss == FC_LOSS_AUTO) s->train.loss = FC_LOSS_RELATIVE_L2;
  if (s->train.eval_every < 0) s->train.eval_every = 500;
  return refuse_series_keys(&s->data);
}

static fc_status decide(const fc_network *n, fc_settings *s) {
  fc_data_settings *d = &s->data;

  FC_REQUIRE(d->train[0], FC_E_USAGE,
             "no data to learn from; write 'data: {train: FILE}' or --set data.train=FILE");
  if (d->kind == FC_KIND_AUTO) FC_TRY(choose(n, d));
  FC_REQUIRE(d->kind != FC_KIND_GRID || n->on_grid, FC_E_MISMATCH, "data.kind = grid: %s", n->not_on_grid);
  FC_REQUIRE(d->kind != FC_KIND_POINTS || n->on_points, FC_E_MISMATCH, "data.kind = points: %s",
             n->not_on_points);
  FC_REQUIRE(d->kind != FC_KIND_SERIES || n->on_series, FC_E_MISMATCH, "data.kind = series: %s",
             n->not_on_series);
  return settle(s);
}

fc_status fc_feed_open(const fc_network *probe, fc_saved *k, const fc_process_grid *ranks, bool plan_only,
                       bool quiet, fc_feed *f) {
  static const fc_feed_kind *const kinds[] = {
      [FC_KIND_GRID] = &fc_feed_grid, [FC_KIND_POINTS] = &fc_feed_points, [FC_KIND_SERIES] = &fc_feed_series};

  FC_TRY(fc_comm_agree(NULL, decide(probe, &k->settings)));
  *f      = (fc_feed){.kind = kinds[k->settings.data.kind], .ranks = ranks, .quiet = quiet};
  f->self = calloc(1, f->kind->size);
  FC_TRY(fc_comm_agree(NULL, f->self ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a training")));
  FC_REQUIRE(ranks->domain.size == 1 || f->kind != &fc_feed_series, FC_E_USAGE,
             "train.domain = %d: ranks share fields and points; 1 leaves whole %s to each rank",
             ranks->domain.size, f->kind->items);
  return f->kind->open(f, probe, k, plan_only);
}

void fc_feed_attach(const fc_feed *f, fc_ctx *c) { fc_ctx_share(c, &(fc_share){&f->ranks->domain, f->cut}); }

void fc_feed_close(fc_feed *f) {
  if (f->self) f->kind->close(f->self);
  free(f->self);
  f->self = NULL;
}

double fc_feed_score(const fc_feed *f, const fc_scores *s) {
  const double first = s->v[f->kind->decides[0]];

  return isnan(first) ? s->v[f->kind->decides[1]] : first;
}
