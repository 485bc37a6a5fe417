/* cli/eval.c - fieldcast eval CHECKPOINT. */
#include "cli/plot.h"
#include "core/domain.h"
#include "hpc/comm.h"
#include "hpc/stop.h"
#include "train/evaluate.h"
#include "train/series_evaluate.h"
#include "train/series_run.h"

#include <string.h>

fc_status fc_cmd_eval(int argc, char **argv);

static fc_status parse_split(const char *text, fc_split *out) {
  *out = FC_SPLIT_ALL;
  if (!text || !strcmp(text, "all")) return FC_OK;
  *out = FC_SPLIT_TRAIN;
  if (!strcmp(text, "train")) return FC_OK;
  *out = FC_SPLIT_VALID;
  FC_REQUIRE(!strcmp(text, "valid"), FC_E_USAGE, "--split %s: all, train or valid is wanted", text);
  return FC_OK;
}

static fc_status parse_part(const char *text, fc_series_part *out) {
  *out = FC_PART_TEST;
  if (!text || !strcmp(text, "test")) return FC_OK;
  *out = FC_PART_TRAIN;
  if (!strcmp(text, "train")) return FC_OK;
  *out = FC_PART_VALID;
  FC_REQUIRE(!strcmp(text, "valid"), FC_E_USAGE, "--split %s: of series, train, valid or test is wanted",
             text);
  return FC_OK;
}

static void more(FILE *f) {
  fputs("\nPoints and meshes: OUT is a folder or NAME.hdf5; it receives predictions beside the truth, and "
        "pictures of "
        "truth, prediction\nand difference of each field. Without history every frame is predicted from its "
        "own "
        "inputs; with history (data.history) the\nmodel is rolled out from the first frames.\n"
        "Series: every window of the part is forecast, a rolling origin: MSE and MAE (scaled), MASE, "
        "quantile losses "
        "and coverage\nof a model that gives quantiles, errors by step and in units, beside naive, seasonal "
        "naive, "
        "window mean and the closed-form\nridge regression. OUT.csv receives all of them "
        "(method,quantity,column,step,value), OUT.png the error by step.\n",
        f);
}

static bool asks_for_series(const fc_backtest_job *j) {
  return j->stride != 1 || j->origins || j->drop_last || j->season || j->series || j->explain || j->continued;
}

static fc_status evaluate_series(const fc_run *run, const fc_evaluate_job *job, const char *split,
                                 fc_backtest_job *b) {
  FC_REQUIRE(!job->windows && !job->frames, FC_E_USAGE,
             "--windows and --frames are for fields and points; of series, --stride and --origins choose the "
             "windows");
  FC_TRY(parse_part(split, &b->part));
  b->data  = job->data;
  b->out   = job->out;
  b->quiet = job->quiet;
  return fc_series_evaluate(run, b, stdout);
}

static fc_status evaluate(const fc_run *run, fc_evaluate_job *job, const char *split, fc_backtest_job *b) {
  if (fc_run_on_series(run)) {
    FC_REQUIRE(fc_comm_size(NULL) == 1, FC_E_USAGE, "eval of series runs on one rank");
    return evaluate_series(run, job, split, b);
  }
  FC_REQUIRE(!asks_for_series(b), FC_E_USAGE,
             "--series, --continue, --stride, --origins, --drop-last, --season and --explain are for time "
             "series");
  FC_TRY(parse_split(split, &job->split));
  if (fc_run_on_points(run, job->data)) return fc_points_evaluate(run, job, stdout);
  FC_REQUIRE(job->domain <= 1, FC_E_USAGE,
             "--domain is for points; of fields, each rank evaluates windows of its own");
  FC_REQUIRE(!job->out, FC_E_USAGE,
             "eval -o is for points; 'fieldcast rollout' writes predictions of fields on a grid");
  return fc_evaluate(run, job, stdout);
}

fc_status fc_cmd_eval(int argc, char **argv) {
  char            command[1024];
  const char     *split = NULL, *view = "40,25", *up = "z";
  fc_list         files;
  bool            raw = false, done;
  fc_run         *run;
  fc_evaluate_job job    = {.domain = 1};
  fc_backtest_job back   = {.stride = 1};
  const fc_arg    args[] = {
         {"data", 'd', FC_ARG_VALUE, &job.data, "FILE", "fields, points or series to predict"},
         {"split", 0, FC_ARG_VALUE, &split, "all|train|valid|test",
          "what of FILE, cut as the run did: trajectories or samples (all, train, valid; default all), or rows "
             "of "
             "series (train, valid, test; default test)"},
         {"windows", 'w', FC_ARG_INT, &job.windows, "N",
          "windows (points: samples), spread evenly; default one per trajectory"},
         {"frames", 'n', FC_ARG_INT, &job.frames, "N", "frames of the rollout; default as many as FILE has"},
         {"out", 'o', FC_ARG_VALUE, &job.out, "OUT",
          "points: folder or file for predictions and pictures; series: table of all scores, OUT.csv"},
         {"view", 0, FC_ARG_VALUE, &view, "AZ,EL", "points in space: where the eye is, degrees (default 40,25)"},
         {"up", 0, FC_ARG_VALUE, &up, "x|y|z", "points in space: which axis points upwards (default z)"},
         {"domain", 0, FC_ARG_INT, &job.domain, "D",
          "points: ranks that share each sample (mpirun -n R; the R / D groups divide the samples); default 1"},
         {"series", 0, FC_ARG_VALUE, &back.series, "NAME", "series: one of several; default all"},
         {"continue", 0, FC_ARG_VALUE, &back.continued, "FILE",
          "series: rows that go on behind those of --data, series by series (data.continue)"},
         {"stride", 0, FC_ARG_INT, &back.stride, "N",
          "series: steps between origins, back from the last; default 1"},
         {"origins", 0, FC_ARG_INT, &back.origins, "N",
          "series: at most so many origins, the last ones; default all"},
         {"season", 0, FC_ARG_INT, &back.season, "N",
          "series: steps of the seasonal baseline and of MASE; default a day, a week or a year, by the step"},
         {"drop-last", 0, FC_ARG_INT, &back.drop_last, "BATCH",
          "series: leave out the last incomplete batch, as the test loaders of older papers did"},
         {"explain", 0, FC_ARG_VALUE, &back.explain, "FOLDER",
          "series: what the model shows of itself, mean over the windows: HDF5, CSV, PNG"},
         {"raw", 0, FC_ARG_FLAG, &raw, NULL, "the last weights even if the run has their moving average"},
  };

  fc_command_line(argc, argv, command, sizeof command);
  FC_TRY(fc_args_parse(fc_command_find("eval"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more, &done));
  if (done) return FC_OK;
  FC_REQUIRE(job.data, FC_E_USAGE, "eval wants --data FILE: the fields, points or series to predict");
  FC_REQUIRE(job.windows >= 0 && job.frames >= 0, FC_E_USAGE, "--windows and --frames must not be negative");
  FC_REQUIRE(job.domain >= 1 && job.domain <= FC_DOMAIN_MAX, FC_E_USAGE,
             "--domain %lld: 1 to %d ranks are possible", (long long)job.domain, FC_DOMAIN_MAX);
  FC_REQUIRE(back.stride > 0 && back.origins >= 0 && back.drop_last >= 0 && back.season >= 0, FC_E_USAGE,
             "--stride must be positive; --origins, --drop-last and --season must not be negative");
  FC_TRY(fc_plot_view(view, up, job.view, &job.up));
  job.command = command;
  job.quiet   = fc_verbosity == 0 || fc_comm_rank(NULL);
  fc_stop_catch();
  FC_TRY(fc_run_load(files.v[0], !raw, &run));
  const fc_status s = evaluate(run, &job, split, &back);
  fc_run_free(run);
  return s;
}
