/* cli/import.c - official weights become a checkpoint. */
#include "cli/cli.h"
#include "io/safetensors.h"
#include "train/checkpoint.h"

#include <math.h>

fc_status fc_cmd_import(int argc, char **argv);

static void more(FILE *f) {
  fputs("\nconfig.json (or YAML) names the model and its options: {\"model\": \"factformer\", \"args\": "
        "{...}}; keys the model does\n"
        "not know are left alone. The checkpoint knows no data: rollout and eval take fields as they are, "
        "not normalised.\n",
        f);
}

static fc_status convert(const char *weights, fc_config *config, const char *out) {
  fc_saved          k = {.best = INFINITY};
  fc_network       *n = NULL;
  fc_weights_report report;
  fc_status         s;

  FC_TRY(fc_settings_bind(config, true, &k.settings, &k.def, &k.args));
  k.settings.data.normalize = false;
  FC_TRY_TO(done, s, fc_network_create(k.def, k.args, 0, false, &n));
  FC_TRY_TO(done, s, fc_weights_load(weights, n->params, true, &report));
  FC_TRY_TO(done, s, fc_checkpoint_write(out, NULL, &k, n, NULL));
  printf("%s: %d tensors, %lld trained numbers, written to %s\n", k.def->name, report.loaded,
         (long long)fc_params_trainable(n->params), out);
done:
  fc_network_destroy(n);
  fc_checkpoint_free(&k);
  return s;
}

fc_status fc_cmd_import(int argc, char **argv) {
  const char  *path = NULL, *out = NULL;
  fc_list      files;
  fc_config   *config;
  bool         done;
  const fc_arg args[] = {
      {"config", 'c', FC_ARG_VALUE, &path, "FILE", "model and options of the weights"},
      {"out", 'o', FC_ARG_VALUE, &out, "FILE", "checkpoint to write"},
  };

  FC_TRY(
      fc_args_parse(fc_command_find("import"), argc, argv, FC_COUNT(args), args, 1, 1, &files, more, &done));
  if (done) return FC_OK;
  FC_REQUIRE(path, FC_E_USAGE, "import wants --config FILE: model and options of the weights");
  FC_REQUIRE(out, FC_E_USAGE, "import wants -o FILE: the checkpoint to write");
  FC_TRY(fc_config_load(path, &config));
  const fc_status s = convert(files.v[0], config, out);
  fc_config_destroy(config);
  return s;
}
