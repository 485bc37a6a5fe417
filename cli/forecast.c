/* cli/forecast.c - fieldcast forecast CHECKPOINT. */
#include "cli/cli.h"
#include "train/series_forecast.h"

fc_status fc_cmd_forecast(int argc, char **argv);

static void more(FILE *f) {
  fputs("\nCHECKPOINT is a file or a run folder (best.h5 there, else checkpoint.h5). FILE has the columns "
        "that the "
        "model was\n"
        "trained on, at the same step; what follows its last row is forecast, in the units of the file. CSV, "
        "one row "
        "for each\n"
        "date: [series_name,] date, then for each column its forecast (the middle one of a model with "
        "quantiles), "
        "and "
        "NAME_q0.1, ..\n"
        "for each quantile. Without -o it goes to standard output; with -o OUT.csv a picture OUT.png is "
        "drawn beside "
        "it.\n"
        "Columns that are known ahead of time (data.known) must go on for the whole horizon: in rows at the "
        "end of "
        "FILE whose\n"
        "other columns are empty, or in a second file given by --future.\n"
        "--at DATE: rows after DATE count as unknown; the truth stands beside the forecast in the CSV "
        "(NAME_true), "
        "and errors\n"
        "are told where FILE goes on for the whole horizon.\n",
        f);
}

fc_status fc_cmd_forecast(int argc, char **argv) {
  fc_list         files;
  bool            raw = false, done;
  fc_run         *run;
  fc_forecast_job job    = {0};
  const fc_arg    args[] = {
         {"data", 'd', FC_ARG_VALUE, &job.data, "FILE", "series to go on: CSV or HDF5"},
         {"out", 'o', FC_ARG_VALUE, &job.out, "OUT.csv", "table; a picture OUT.png is drawn beside it"},
         {"future", 0, FC_ARG_VALUE, &job.future, "FILE", "rows with the columns that are known ahead of time"},
         {"at", 0, FC_ARG_VALUE, &job.at, "DATE", "last row that counts as known (a row number without dates)"},
         {"series", 0, FC_ARG_VALUE, &job.series, "NAME", "one of several series; default all"},
         {"season", 0, FC_ARG_INT, &job.season, "N",
          "steps of the seasonal naive forecast beside; default a day, a week or a year, by the step"},
         {"explain", 0, FC_ARG_VALUE, &job.explain, "FOLDER",
          "what the model shows of itself (attention, importances, level, growth, season): HDF5, CSV, PNG"},
         {"raw", 0, FC_ARG_FLAG, &raw, NULL, "the last weights even if the run has their moving average"},
  };

  FC_TRY(fc_args_parse(fc_command_find("forecast"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more,
                       &done));
  if (done) return FC_OK;
  FC_REQUIRE(job.data, FC_E_USAGE, "forecast wants --data FILE: the series to go on");
  FC_REQUIRE(job.season >= 0, FC_E_USAGE, "--season must not be negative");
  FC_TRY(fc_run_load(files.v[0], !raw, &run));
  const fc_status s = fc_forecast_run(run, &job, stdout, stderr);
  fc_run_free(run);
  return s;
}
