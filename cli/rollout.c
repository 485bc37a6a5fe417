/* cli/rollout.c - fieldcast rollout CHECKPOINT. */
#include "cli/cli.h"
#include "core/domain.h"
#include "hpc/comm.h"
#include "hpc/stop.h"
#include "train/rollout_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

fc_status fc_cmd_rollout(int argc, char **argv);

static void more(FILE *f) {
  fputs("\nCHECKPOINT is a file or a run folder (best.h5 there, else checkpoint.h5). OUT is a folder or "
        "NAME.hdf5. The history\n"
        "is read from FILE; if FILE goes on after it, --compare measures the prediction against it, beside "
        "persistence and\n"
        "beside the solver that made the data on a coarser grid of the same cost, and draws fields, errors "
        "and spectra.\n",
        f);
}

static fc_status parse_trajectory(const char *text, int64_t *out) {
  char *end;

  *out = -1;
  if (!text || !strcmp(text, "all")) return FC_OK;
  errno = 0;
  *out  = strtoll(text, &end, 10);
  FC_REQUIRE(!errno && !*end && end != text && *out >= 0, FC_E_USAGE,
             "--trajectory %s: a number from 0 on, or 'all', is wanted", text);
  return FC_OK;
}

fc_status fc_cmd_rollout(int argc, char **argv) {
  char           command[1024];
  const char    *traj = NULL;
  fc_list        files;
  bool           raw = false, done;
  fc_run        *run;
  fc_rollout_job job    = {.good_error = 0.5, .good_correlation = 0.8, .domain = 1};
  const fc_arg   args[] = {
        {"data", 'd', FC_ARG_VALUE, &job.data, "FILE", "fields the history is taken from"},
        {"steps", 'n', FC_ARG_INT, &job.steps, "N",
         "frames to predict; default: as many as FILE has after the history"},
        {"out", 'o', FC_ARG_VALUE, &job.out, "OUT", "folder or file for the prediction"},
        {"trajectory", 't', FC_ARG_VALUE, &traj, "I|all", "which trajectory; default all"},
        {"start", 0, FC_ARG_INT, &job.start, "T", "first frame of the history; default 0"},
        {"compare", 'c', FC_ARG_FLAG, &job.compare, NULL, "measure against FILE: tables, CSV, pictures"},
        {"error", 0, FC_ARG_REAL, &job.good_error, "X",
         "VRMSE up to which a prediction counts as valid; default 0.5"},
        {"correlation", 0, FC_ARG_REAL, &job.good_correlation, "X",
         "correlation down to which it does; default 0.8"},
        {"domain", 0, FC_ARG_INT, &job.domain, "D",
         "ranks that share each field (mpirun -n R; the R / D groups divide the trajectories); default 1"},
        {"raw", 0, FC_ARG_FLAG, &raw, NULL, "the last weights even if the run has their moving average"},
  };

  fc_command_line(argc, argv, command, sizeof command);
  FC_TRY(
      fc_args_parse(fc_command_find("rollout"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more, &done));
  if (done) return FC_OK;
  FC_REQUIRE(job.data, FC_E_USAGE, "rollout wants --data FILE: the fields to start from");
  FC_REQUIRE(job.out, FC_E_USAGE, "rollout wants -o OUT: where the prediction goes");
  FC_REQUIRE(job.steps >= 0 && job.start >= 0, FC_E_USAGE, "--steps and --start must not be negative");
  FC_REQUIRE(job.domain >= 1 && job.domain <= FC_DOMAIN_MAX, FC_E_USAGE,
             "--domain %lld: 1 to %d ranks are possible", (long long)job.domain, FC_DOMAIN_MAX);
  FC_TRY(parse_trajectory(traj, &job.traj));
  job.command = command;
  job.quiet   = fc_verbosity == 0 || fc_comm_rank(NULL);
  fc_stop_catch();
  FC_TRY(fc_run_load(files.v[0], !raw, &run));
  const fc_status s =
      fc_run_on_points(run, job.data)
          ? fc_fail(FC_E_USAGE,
                    "rollout is for fields on a grid; points are rolled out by 'fieldcast eval -o OUT'")
          : fc_rollout_run(run, &job, stdout);
  fc_run_free(run);
  return s;
}
