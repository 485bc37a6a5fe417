/* cli/train.c - fieldcast train CONFIG. */
#include "cli/cli.h"
#include "hpc/comm.h"
#include "train/trainer.h"

#include <string.h>

fc_status fc_cmd_train(int argc, char **argv);

static void keys(FILE *f) {
  fputs("\nkeys of CONFIG (YAML) and of --set; 'args:' holds the options of the model, see 'fieldcast models "
        "NAME':\n",
        f);
  fc_options_help(fc_root_options, "", f);
  fc_options_help(fc_data_options, "data.", f);
  fc_options_help(fc_train_options, "train.", f);
  fputs(
      "\nThe run folder receives config.yaml (everything resolved), log.csv, checkpoint.h5 (the newest) and\n"
      "best.h5 (the smallest VRMSE of the validation rollout; of series the smallest validation loss).\n"
      "SIGTERM, SIGUSR1 and SIGINT finish the step, write a checkpoint and exit with 85; --resume goes on "
      "bit\n"
      "for bit.\n",
      f);
}

/* runs/NAME for a configuration .../NAME.yaml */
static void default_folder(const char *config, char *out, size_t size) {
  const char *base = strrchr(config, '/') ? strrchr(config, '/') + 1 : config;
  const char *dot  = strrchr(base, '.');

  snprintf(out, size, "runs/%.*s", (int)(dot && dot > base ? dot - base : (long)strlen(base)), base);
}

static fc_status load(const char *path, const fc_list *set, fc_config **out) {
  FC_TRY(fc_config_load(path, out));
  for (int i = 0; i < set->n; i++) {
    const fc_status s = fc_config_set(*out, set->v[i]);
    if (s == FC_OK) continue;
    fc_config_destroy(*out);
    return s;
  }
  return FC_OK;
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
      {"domain", 0, FC_ARG_INT, &domain, "D", "ranks that share the grid of each window: train.domain"},
      {"plan", 'p', FC_ARG_FLAG, &plan, NULL, "print memory and arithmetic of a step, train nothing"},
  };

  FC_TRY(
      fc_args_parse(fc_command_find("train"), argc, argv, FC_COUNT(args), args, 1, 1, &files, keys, &done));
  if (done) return FC_OK;
  default_folder(files.v[0], folder, sizeof folder);
  if (!dir) dir = folder;
  if (!plan) FC_TRY(fc_trainer_folder(dir, resume));
  if (domain) set_domain(domain, &set);
  FC_TRY(load(files.v[0], &set, &config));
  fc_status s = fc_trainer_create(config, plan, fc_verbosity == 0, &t);
  fc_config_destroy(config);
  FC_TRY(s);
  if (plan && !fc_comm_rank(NULL)) fc_plan_print(&t->plan, stdout);
  s = plan ? fc_plan_fits(&t->plan) : fc_trainer_run(t, dir, resume);
  fc_trainer_destroy(t);
  return s;
}
