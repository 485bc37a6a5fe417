/* cli/eval.c - fieldcast eval CHECKPOINT. */
#include "cli/plot.h"
#include "train/evaluate.h"

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

static void more(FILE *f) {
  fputs("\nPoints and meshes: OUT is a folder or NAME.hdf5; it receives predictions beside the truth, and "
        "pictures of "
        "truth, prediction\nand difference of each field. Without history every frame is predicted from its "
        "own "
        "inputs; with history (data.history) the\nmodel is rolled out from the first frames.\n",
        f);
}

static fc_status evaluate(const fc_run *run, const fc_evaluate_job *job) {
  if (fc_run_on_points(run, job->data)) return fc_points_evaluate(run, job, stdout);
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
  fc_evaluate_job job    = {0};
  const fc_arg    args[] = {
         {"data", 'd', FC_ARG_VALUE, &job.data, "FILE", "fields or points to predict"},
         {"split", 0, FC_ARG_VALUE, &split, "all|train|valid",
          "which trajectories or samples of FILE, cut as the run did; default all"},
         {"windows", 'w', FC_ARG_INT, &job.windows, "N",
          "windows (points: samples), spread evenly; default one per trajectory"},
         {"frames", 'n', FC_ARG_INT, &job.frames, "N", "frames of the rollout; default as many as FILE has"},
         {"out", 'o', FC_ARG_VALUE, &job.out, "OUT", "points: folder or file for predictions and pictures"},
         {"view", 0, FC_ARG_VALUE, &view, "AZ,EL", "points in space: where the eye is, degrees (default 40,25)"},
         {"up", 0, FC_ARG_VALUE, &up, "x|y|z", "points in space: which axis points upwards (default z)"},
         {"raw", 0, FC_ARG_FLAG, &raw, NULL, "the last weights even if the run has their moving average"},
  };

  fc_command_line(argc, argv, command, sizeof command);
  FC_TRY(fc_args_parse(fc_command_find("eval"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more, &done));
  if (done) return FC_OK;
  FC_REQUIRE(job.data, FC_E_USAGE, "eval wants --data FILE: the fields to predict");
  FC_REQUIRE(job.windows >= 0 && job.frames >= 0, FC_E_USAGE, "--windows and --frames must not be negative");
  FC_TRY(parse_split(split, &job.split));
  FC_TRY(fc_plot_view(view, up, job.view, &job.up));
  job.command = command;
  job.quiet   = fc_verbosity == 0;
  FC_TRY(fc_run_load(files.v[0], !raw, &run));
  const fc_status s = evaluate(run, &job);
  fc_run_free(run);
  return s;
}
