/* cli/eval.c - fieldcast eval CHECKPOINT. */
#include "cli/cli.h"
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

fc_status fc_cmd_eval(int argc, char **argv) {
  const char     *split = NULL;
  fc_list         files;
  bool            raw = false, done;
  fc_run         *run;
  fc_evaluate_job job    = {0};
  const fc_arg    args[] = {
         {"data", 'd', FC_ARG_VALUE, &job.data, "FILE", "fields to predict"},
         {"split", 0, FC_ARG_VALUE, &split, "all|train|valid",
          "which trajectories of FILE, cut as the run did; default all"},
         {"windows", 'w', FC_ARG_INT, &job.windows, "N", "windows, spread evenly; default one per trajectory"},
         {"frames", 'n', FC_ARG_INT, &job.frames, "N", "frames of the rollout; default as many as FILE has"},
         {"raw", 0, FC_ARG_FLAG, &raw, NULL, "the last weights even if the run has their moving average"},
  };

  FC_TRY(fc_args_parse(fc_command_find("eval"), argc, argv, FC_COUNT(args), args, 1, 1, &files, NULL, &done));
  if (done) return FC_OK;
  FC_REQUIRE(job.data, FC_E_USAGE, "eval wants --data FILE: the fields to predict");
  FC_REQUIRE(job.windows >= 0 && job.frames >= 0, FC_E_USAGE, "--windows and --frames must not be negative");
  FC_TRY(parse_split(split, &job.split));
  job.quiet = fc_verbosity == 0;
  FC_TRY(fc_run_load(files.v[0], !raw, &run));
  const fc_status s = fc_evaluate(run, &job, stdout);
  fc_run_free(run);
  return s;
}
