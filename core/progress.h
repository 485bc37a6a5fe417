/* core/progress.h - what a user sees of long work: on a terminal one line that moves, with rate
   and time left; elsewhere a plain line now and then. Rank 0 only (the caller passes quiet). */
#ifndef FC_PROGRESS_H
#define FC_PROGRESS_H
#include "core/base.h"

typedef struct fc_progress {
  const char *what;   /* "train", "solve" */
  const char *unit;   /* "step", "frame" */
  int64_t     done, total, first;
  double      started, shown; /* seconds, monotonic */
  bool        quiet, terminal;
} fc_progress;

double fc_now(void); /* seconds, monotonic */
void   fc_progress_start(fc_progress *p, const char *what, const char *unit, int64_t first, int64_t total, bool quiet);
/* note: "loss 1.23e-02", may be NULL. Cheap when nothing is due; does not allocate. */
bool   fc_progress_due(const fc_progress *p);
void   fc_progress_update(fc_progress *p, int64_t done, const char *note);
void   fc_progress_end(fc_progress *p, const char *note);
#endif
