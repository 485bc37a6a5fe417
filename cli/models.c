/* cli/models.c - lists the models, or one model's options. */
#include "cli/cli.h"
#include "train/registry.h"

#include <string.h>

fc_status fc_cmd_models(int argc, char **argv);

static void list(void) {
  const fc_model_def *def;
  int                 width = 4;

  for (int i = 0; (def = fc_model_at(i)); i++) {
    const int n = (int)strlen(def->name);
    if (n > width) width = n;
  }
  printf("%-*s  %-9s %s\n", width, "name", "task", "summary");
  for (int i = 0; (def = fc_model_at(i)); i++)
    printf("%-*s  %-9s %s\n", width, def->name, def->task, def->summary);
}

static void describe(const fc_model_def *def) {
  printf("%s (%s): %s\npaper: %s\n\noptions, written below 'args:' in a configuration file:\n", def->name,
         def->task, def->summary, def->paper);
  fc_options_help(def->options, "args.", stdout);
}

fc_status fc_cmd_models(int argc, char **argv) {
  const fc_model_def *def;
  fc_list             files;
  bool                done;

  FC_TRY(fc_args_parse(fc_command_find("models"), argc, argv, 0, NULL, 0, 1, &files, NULL, &done));
  if (done) return FC_OK;
  if (!files.n) return list(), FC_OK;
  FC_TRY(fc_model_need(files.v[0], &def));
  describe(def);
  return FC_OK;
}
