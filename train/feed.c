/* train/feed.c - which kind of data it is. */
#include "train/feed.h"

#include "hpc/comm.h"

#include <stdlib.h>
#include <string.h>

fc_status fc_feed_open(const fc_network *probe, fc_saved *k, bool plan_only, bool quiet, fc_feed *f) {
  FC_REQUIRE(k->settings.data.train[0], FC_E_USAGE,
             "no data to learn from; write 'data: {train: FILE}' or --set data.train=FILE");
  *f      = (fc_feed){.kind = &fc_feed_grid, .quiet = quiet};
  f->self = calloc(1, f->kind->size);
  FC_TRY(fc_comm_agree(NULL, f->self ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a training")));
  return f->kind->open(f, probe, k, plan_only);
}

void fc_feed_close(fc_feed *f) {
  if (f->self) f->kind->close(f->self);
  free(f->self);
  f->self = NULL;
}
