/* train/series_contest.h - several forecasters on the test part of the same series: one table, one picture.
 */
#ifndef FC_SERIES_CONTEST_H
#define FC_SERIES_CONTEST_H
#include "core/base.h"

#include <stdio.h>

typedef struct fc_series_contest_job {
  int                n; /* runs: checkpoints or run folders; the last component of a path is its name */
  const char *const *run;
  const char        *data, *out; /* folder for contest.csv and error.png */
  bool               quiet;
} fc_series_contest_job;

/* All runs must forecast the same columns over the same horizon; look-backs may differ, which is why the
   ridge regression of each look-back stands beside its run. FC_E_MISMATCH otherwise. */
fc_status fc_series_contest_run(const fc_series_contest_job *job, FILE *report);
#endif
