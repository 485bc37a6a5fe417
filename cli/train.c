/* cli/train.c - fieldcast train CONFIG. */
#include "cli/cli.h"
#include "cli/train_config.h"
#include "hpc/comm.h"
#include "hpc/stop.h"
#include "train/trainer.h"

fc_status fc_cmd_train(int argc, char **argv);

static void keys(FILE *f) {
  fputs("\nkeys of CONFIG (YAML) and of --set; 'args:' holds the options of the model, see 'fieldcast models "
        "NAME':\n",
        f);
  fc_options_help(fc_root_options, "", f);
  fc_options_help(fc_data_options, "data.", f);
  fc_options_help(fc_train_options, "train.", f);
  fputs("\nkeys of 'job:', which only 'fieldcast submit' uses:\n", f);
  fc_options_help(fc_job_options, "job.", f);
  fputs(
      "\nThe run folder receives config.yaml (everything resolved), log.csv, checkpoint.h5 (the newest) and\n"
      "best.h5 (the smallest VRMSE of the validation rollout; of series the smallest validation loss).\n"
      "SIGTERM, SIGUSR1, SIGUSR2, SIGINT, the time limit of a SLURM job and --max-seconds finish the step, "
      "write\n"
      "a checkpoint and exit with 85; --resume goes on bit for bit.\n",
      f);
}

/* --domain D is short for --set train.domain=D */
static void set_domain(int64_t domain, fc_list *set) {
  static char text[48];

  snprintf(text, sizeof text, "train.domain=%lld", (long long)domain);
  if (set->n < FC_ARG_REPEAT) set->v[set->n++] = text;
}

fc_status fc_cmd_train(int argc, char **argv) {
  char         folder[FC_TEXT];
  const char  *dir    = NULL;
  double       limit  = 0;
  fc_list      set    = {0}, files;
  int64_t      domain = 0;
  bool         resume = false, plan = false, done;
  fc_config   *config;
  fc_trainer  *t;
  const fc_arg args[] = {
      {"set", 's', FC_ARG_LIST, &set, "KEY=VALUE", "overrides the configuration"},
      {"out", 'o', FC_ARG_VALUE, &dir, "DIR", "run folder; default runs/NAME of the configuration"},
      {"resume", 'r', FC_ARG_FLAG, &resume, NULL,
       "go on from the run folder's checkpoint (from the start if there is none)"},
      {"max-seconds", 0, FC_ARG_REAL, &limit, "S", "end with a checkpoint before S seconds are over"},
      {"domain", 0, FC_ARG_INT, &domain, "D", "ranks that share the grid of each window: train.domain"},
      {"plan", 'p', FC_ARG_FLAG, &plan, NULL, "print memory and arithmetic of a step, train nothing"},
  };

  FC_TRY(
      fc_args_parse(fc_command_find("train"), argc, argv, FC_COUNT(args), args, 1, 1, &files, keys, &done));
  if (done) return FC_OK;
  FC_REQUIRE(limit >= 0, FC_E_USAGE, "--max-seconds %g is in the past", limit);
  if (limit > 0) fc_stop_after(limit);
  fc_stop_listen();
  fc_default_folder(files.v[0], folder, sizeof folder);
  if (!dir) dir = folder;
  if (!plan) FC_TRY(fc_trainer_folder(dir, resume));
  if (domain) set_domain(domain, &set);
  FC_TRY(fc_load_config(files.v[0], &set, &config));
  fc_status s = fc_trainer_create(config, plan, fc_verbosity == 0, &t);
  fc_config_destroy(config);
  FC_TRY(s);
  if (plan && !fc_comm_rank(NULL)) fc_plan_print(&t->plan, stdout);
  s = plan ? fc_plan_fits(&t->plan) : fc_trainer_run(t, dir, resume);
  fc_trainer_destroy(t);
  return s;
}
