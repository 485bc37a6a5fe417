/* train/feed.c - which kind of data it is. */
#include "train/feed.h"

#include "hpc/comm.h"
#include "io/data_kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* what is there decides, else what the model can; coordinates are named only for points */
static fc_status choose(const fc_network *n, fc_data_settings *d) {
  const fc_data_kind found = d->coordinates[0] ? FC_DATA_POINTS : fc_data_kind_of(d->train);

  FC_REQUIRE(found != FC_DATA_GRID || n->on_grid, FC_E_MISMATCH, "%s holds fields on a grid: %s", d->train,
             n->not_on_grid);
  FC_REQUIRE(found != FC_DATA_POINTS || n->on_points, FC_E_MISMATCH, "%s holds points: %s", d->train,
             n->not_on_points);
  const bool points = found == FC_DATA_POINTS || (found == FC_DATA_UNKNOWN && !n->on_grid);
  d->kind           = points ? FC_KIND_POINTS : FC_KIND_GRID;
  return FC_OK;
}

static fc_status decide(const fc_network *n, fc_data_settings *d) {
  FC_REQUIRE(d->train[0], FC_E_USAGE,
             "no data to learn from; write 'data: {train: FILE}' or --set data.train=FILE");
  if (d->kind == FC_KIND_AUTO) FC_TRY(choose(n, d));
  FC_REQUIRE(d->kind != FC_KIND_GRID || n->on_grid, FC_E_MISMATCH, "data.kind = grid: %s", n->not_on_grid);
  FC_REQUIRE(d->kind != FC_KIND_POINTS || n->on_points, FC_E_MISMATCH, "data.kind = points: %s",
             n->not_on_points);
  return FC_OK;
}

/* what is done unless the settings say otherwise */
static void settle(fc_train_settings *t) {
  if (t->loss == FC_LOSS_AUTO) t->loss = FC_LOSS_RELATIVE_L2;
  if (t->eval_every < 0) t->eval_every = 500;
}

fc_status fc_feed_open(const fc_network *probe, fc_saved *k, bool plan_only, bool quiet, fc_feed *f) {
  FC_TRY(fc_comm_agree(NULL, decide(probe, &k->settings.data)));
  settle(&k->settings.train);
  *f      = (fc_feed){.kind  = k->settings.data.kind == FC_KIND_POINTS ? &fc_feed_points : &fc_feed_grid,
                      .quiet = quiet};
  f->self = calloc(1, f->kind->size);
  FC_TRY(fc_comm_agree(NULL, f->self ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a training")));
  return f->kind->open(f, probe, k, plan_only);
}

void fc_feed_close(fc_feed *f) {
  if (f->self) f->kind->close(f->self);
  free(f->self);
  f->self = NULL;
}

double fc_feed_score(const fc_feed *f, const fc_scores *s) {
  const double first = s->v[f->kind->decides[0]];

  return isnan(first) ? s->v[f->kind->decides[1]] : first;
}
