/* train/log.h - log.csv of a run: one line per logged step: step, epoch, samples, loss, grad_norm, lr, beta1,
   frames_per_call, pushes, the scores of the data's kind (train/feed.h), memory_mib, communication, seconds,
   samples_per_s.
   Empty cells: not measured; memory_mib: peak resident memory of the first rank;
   communication: its share of the time since the last line that went into sums and exchanges between ranks,
   waiting for others included. */
#ifndef FC_LOG_H
#define FC_LOG_H
#include "train/trainer.h"

typedef struct fc_log {
  FILE   *f;
  char    path[FC_TEXT + 16];
  double  started, last_time; /* seconds, monotonic */
  double  last_comm;          /* seconds in collectives at that time */
  double  earlier;            /* seconds of the run before it was resumed */
  double  loss_sum;           /* since the last line */
  int64_t steps, last_samples;
  char    columns[512]; /* the first line */
} fc_log;

/* Opens dir/log.csv. Lines of steps that t has still to do, written by a run that was killed, are dropped. */
fc_status fc_log_open(fc_log *l, const char *dir, const fc_trainer *t);
void      fc_log_close(fc_log *l);                       /* fine if never opened */
void      fc_log_add(fc_log *l, const fc_step_facts *f); /* remembers the loss of one step */
/* one line; the loss is the mean since the last line. scores NULL: no validation in this step. FC_E_SYSTEM if
   the disk is full. */
fc_status fc_log_line(fc_log *l, const fc_trainer *t, const fc_step_facts *f, const fc_scores *scores);
#endif
