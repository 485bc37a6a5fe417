/* cli/compare.c - fieldcast compare RUN... */
#include "cli/cli.h"
#include "train/contest.h"
#include "train/series_contest.h"
#include "train/series_run.h"

fc_status fc_cmd_compare(int argc, char **argv);

static void more(FILE *f) {
  fputs(
      "\nRUN is a run folder or a checkpoint; the last part of its path is its name in the table. All are "
      "rolled out from the "
      "same\nframes of every trajectory of FILE, beside persistence, the best linear map and the data's "
      "own solver on coarser "
      "grids, and what\n--with adds (large-eddy simulations, twin runs, another code; the file's name is its "
      "name in the table).\nFOLDER gets contest.csv, error.csv, error.png and fields.png.\n"
      "Forecasters: all are scored on every window of the test part of FILE, beside naive, seasonal naive, "
      "window "
      "mean and the\nclosed-form ridge regression. FOLDER gets contest.csv and error.png.\n",
      f);
}

/* the first run tells; the others are checked against it */
static fc_status on_series(const char *path, bool *series) {
  fc_run *run;

  FC_TRY(fc_run_load(path, true, &run));
  *series = fc_run_on_series(run);
  fc_run_free(run);
  return FC_OK;
}

static fc_status compare_series(const fc_contest_job *job) {
  const fc_series_contest_job s = {job->n, job->run, job->data, job->out, job->quiet};

  FC_REQUIRE(!job->n_files, FC_E_USAGE, "--with is for fields; forecasts of others are not read");
  FC_REQUIRE(!job->frames, FC_E_USAGE,
             "--frames is for fields; forecasters have the horizon they were trained on");
  return fc_series_contest_run(&s, stdout);
}

fc_status fc_cmd_compare(int argc, char **argv) {
  fc_list        runs, others = {0};
  bool           done, series;
  fc_contest_job job    = {.good_error = 0.5};
  const fc_arg   args[] = {
        {"data", 'd', FC_ARG_VALUE, &job.data, "FILE", "fields or series to predict"},
        {"out", 'o', FC_ARG_VALUE, &job.out, "FOLDER", "tables and pictures go there"},
        {"with", 'w', FC_ARG_LIST, &others, "FILE",
         "predictions of others: fields at the times of FILE's frames"},
        {"frames", 'n', FC_ARG_INT, &job.frames, "N", "frames of the rollouts; default as many as FILE has"},
        {"error", 0, FC_ARG_REAL, &job.good_error, "X",
         "VRMSE up to which a prediction counts as valid; default 0.5"},
  };

  FC_TRY(
      fc_args_parse(fc_command_find("compare"), argc, argv, FC_COUNT(args), args, 1, 16, &runs, more, &done));
  if (done) return FC_OK;
  FC_REQUIRE(job.data, FC_E_USAGE, "compare wants --data FILE: the fields or series to predict");
  FC_REQUIRE(job.out, FC_E_USAGE, "compare wants -o FOLDER: where tables and pictures go");
  FC_REQUIRE(job.frames >= 0, FC_E_USAGE, "--frames must not be negative");
  job.n       = runs.n;
  job.run     = runs.v;
  job.n_files = others.n;
  job.file    = others.v;
  job.quiet   = fc_verbosity == 0;
  FC_TRY(on_series(job.run[0], &series));
  return series ? compare_series(&job) : fc_contest_run(&job, stdout);
}
