/* train/report.h - what a comparison looks like: tables, a CSV file, pictures. */
#ifndef FC_REPORT_H
#define FC_REPORT_H
#include "io/plot.h"
#include "train/compare.h"

#include <stdio.h>

enum { FC_SHOTS = 4 };

typedef struct fc_shots { /* frames kept for pictures, of one trajectory: first .. last, evenly */
  int      n;
  int64_t  frame[FC_SHOTS];
  fc_real *truth[FC_SHOTS], *guess[FC_SHOTS]; /* [X.., C] in units */
} fc_shots;

fc_status fc_shots_create(int64_t frames, int64_t len, fc_shots *out);
void      fc_shots_free(fc_shots *s);
/* copies the frame if it is one of those kept */
void fc_shots_take(fc_shots *s, int64_t frame, int64_t len, const fc_real *truth, const fc_real *guess);

typedef struct fc_report {
  const fc_compare  *c;
  const fc_geometry *geo;
  const fc_scaling  *channels;
  const fc_shots    *shots;
  double             good_error, good_correlation; /* thresholds of the valid times */
  const char        *title;
} fc_report;

/* "" for a number without unit, which files write as "1" */
const char *fc_unit_text(const char *unit);
/* one table per quantity (rows: lead times, columns: methods), valid times, definitions */
fc_status fc_report_print(const fc_report *r, FILE *f);
/* method,lead_time,channel,unit,VRMSE,... one line each */
fc_status fc_report_csv(const fc_report *r, const char *path);
/* colours of three rows of n panels: truth and prediction share a range, differences are about zero */
void fc_report_colours(fc_panel *p, int n);
/* stem + "fields.png", "error.png", "spectra.png" */
fc_status fc_report_pictures(const fc_report *r, const char *stem);
#endif
