/* hpc/tally.h - what ranks that work each by itself hear of each other without waiting: sums of a few numbers
   over all ranks, round after round. A round is complete when every rank has joined it; all get the same
   sums, each when it looks. */
#ifndef FC_TALLY_H
#define FC_TALLY_H
#include "core/base.h"

enum { FC_TALLY = 8 };

typedef struct fc_tally fc_tally;

fc_status fc_tally_create(fc_tally **out); /* all ranks together, and so is destroy; NULL is fine there */
void      fc_tally_destroy(fc_tally *t);
/* Joins a round with this rank's numbers, unless it is in one that is not complete. *complete: it is now, and
   sum has its sums (float). */
fc_status fc_tally_look(fc_tally *t, const double mine[FC_TALLY], double sum[FC_TALLY], bool *complete);
bool      fc_tally_open(const fc_tally *t); /* is this rank in a round that is not complete */
/* waits for the round this rank is in, asleep */
fc_status fc_tally_wait(fc_tally *t, double sum[FC_TALLY]);
#endif
