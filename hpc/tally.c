/* hpc/tally.c */
#include "hpc/tally.h"

#include "hpc/comm.h"

#include <stdlib.h>
#include <time.h>

struct fc_tally {
  fc_comm *group; /* of its own: a round may be open while the ranks do other things together */
  fc_real  sum[FC_TALLY];
  bool     open;
};

fc_status fc_tally_create(fc_tally **out) {
  fc_tally *t = calloc(1, sizeof *t);

  *out        = NULL;
  fc_status s = fc_comm_agree(NULL, t ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a sum over ranks"));
  if (s == FC_OK) s = fc_comm_split(NULL, 0, &t->group);
  if (s != FC_OK) {
    free(t);
    return s;
  }
  *out = t;
  return FC_OK;
}

void fc_tally_destroy(fc_tally *t) {
  if (!t) return;
  if (!t->open) fc_comm_free(t->group);
  free(t);
}

bool fc_tally_open(const fc_tally *t) { return t->open; }

static void take(fc_tally *t, double sum[FC_TALLY]) {
  for (int i = 0; i < FC_TALLY; i++) sum[i] = (double)t->sum[i];
  t->open = false;
}

fc_status fc_tally_look(fc_tally *t, const double mine[FC_TALLY], double sum[FC_TALLY], bool *complete) {
  const bool alone = fc_comm_size(NULL) == 1;

  *complete = false;
  if (!t->open) {
    for (int i = 0; i < FC_TALLY; i++) t->sum[i] = (fc_real)mine[i];
    if (!alone) FC_TRY(fc_comm_sum_start(t->group, t->sum, FC_TALLY, 0));
    t->open = true;
  }
  if (!alone && !fc_comm_sum_poll(t->group, 1)) return FC_OK;
  take(t, sum);
  *complete = true;
  return FC_OK;
}

fc_status fc_tally_wait(fc_tally *t, double sum[FC_TALLY]) {
  if (fc_comm_size(NULL) > 1) {
    while (!fc_comm_sum_poll(t->group, 1)) nanosleep(&(struct timespec){0, 1000000}, NULL);
    FC_TRY(fc_comm_sum_finish(t->group, 1));
  }
  take(t, sum);
  return FC_OK;
}
