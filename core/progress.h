/* core/progress.h - what a user sees of long work, on stderr: on a terminal one line that moves, with rate
   and time left; elsewhere a plain line now and then. Rank 0 only (the caller passes quiet).
   A terminal's line moves five times a second. Plain lines come at the start, at the end, and after every
   1 % of the expected time, but 10 to 60 s apart. The environment variable FIELDCAST_PROGRESS_SECONDS
   sets the time between two lines instead (0: each update shows). */
#ifndef FC_PROGRESS_H
#define FC_PROGRESS_H
#include "core/base.h"

typedef struct fc_progress {
  const char *what;               /* "train", "solve" */
  const char *unit;               /* "step", "frame" */
  int64_t     done, total, first; /* first: where this run began, when it goes on from an earlier one */
  double      started, shown;     /* seconds, monotonic */
  double      interval;           /* seconds between two lines; negative: chosen by expected time */
  bool        quiet, terminal;
} fc_progress;

double fc_now(void); /* seconds, monotonic */
void   fc_progress_start(fc_progress *p, const char *what, const char *unit, int64_t first, int64_t total,
                         bool quiet);
/* note: "loss 1.23e-02", may be NULL. Cheap when nothing is due; does not allocate. total may be changed. */
bool fc_progress_due(const fc_progress *p);
void fc_progress_update(fc_progress *p, int64_t done, const char *note);
/* a closing line with the time it took; says so if not all was done, so tell the last count by
   fc_progress_update before */
void fc_progress_end(fc_progress *p, const char *note);
#endif
