/* train/series_forecast.h - the unseen future of a series, in units, and how it is handed over. */
#ifndef FC_SERIES_FORECAST_H
#define FC_SERIES_FORECAST_H
#include "train/run.h"
#include "train/series.h"

#include <stdio.h>

typedef struct fc_forecast_job {
  const char *data, *series; /* series NULL: all that the file has */
  const char *future;        /* file with the columns that are known ahead of time; NULL: rows of data */
  const char *at;            /* date (or row number) of the last known row; NULL: the last one of the file */
  const char *out;           /* CSV, and beside it a picture; NULL: the CSV goes to the report */
  const char *explain;       /* folder for what the model shows; NULL: none */
  int64_t     season;        /* of the seasonal naive forecast in the picture; 0: by the step of the dates */
} fc_forecast_job;

typedef struct fc_forecast {
  const fc_run          *run;
  const fc_forecast_job *job;
  fc_series_set          set;
  int                    n, *series; /* series that are forecast */
  int64_t               *row;        /* [n] first rows of their lookbacks */
  int64_t                season;
  int                    width;        /* numbers for each value: quantiles, or 1 */
  fc_real               *y;            /* [n, P, targets, width] scaled */
  fc_real               *base, *truth; /* [n, P, targets] scaled: seasonal naive; NaN beyond the file */
} fc_forecast;

/* Forecasts, writes the files, tells errors where the file goes on after job->at. FC_E_INPUT if a series is
   too short, FC_E_MISMATCH if the file is not like the one the model was trained on. */
fc_status fc_forecast_run(const fc_run *run, const fc_forecast_job *job, FILE *report, FILE *messages);

/* time of step p (from 0) of forecast i */
int64_t fc_forecast_time(const fc_forecast *w, int i, int64_t p);
void    fc_forecast_date(const fc_forecast *w, int64_t t, char *buf, size_t size);
/* a scaled number of a target of forecast i in units */
double fc_forecast_units(const fc_forecast *w, int i, int target, fc_real scaled);
/* what the file has for step p of forecast i, in units; NaN beyond its end */
double fc_forecast_truth(const fc_forecast *w, int i, int64_t p, int target);
/* Wide table: [id,] date, then for each target its name (of quantiles the middle one), NAME_q0.1 .. for each
   quantile, and with job->at NAME_true. */
void fc_forecast_csv(const fc_forecast *w, FILE *f);
/* over dates: recent history, forecast, bands between pairs of quantiles, seasonal naive, and the truth if
   known; the first 12 columns */
fc_status fc_forecast_picture(const fc_forecast *w, const char *path);
#endif
