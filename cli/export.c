/* cli/export.c - a checkpoint's weights in the official format. */
#include "cli/cli.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "train/run.h"

#include <string.h>

fc_status fc_cmd_export(int argc, char **argv);

static void quoted(const char *text, FILE *f) {
  fputc('"', f);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', f);
    if ((unsigned char)*text >= 0x20) fputc(*text, f);
  }
  fputc('"', f);
}

static bool bare(const fc_option *o) {
  return o->type == FC_T_INT || o->type == FC_T_REAL || o->type == FC_T_BOOL || o->type == FC_T_INTS ||
         o->type == FC_T_REALS || o->type == FC_T_NAMES || o->type == FC_T_TABLE;
}

/* the weights that are complex: their last axis is (real, imaginary) */
static void write_pairs(const fc_params *p, FILE *f) {
  const char *comma = "";

  fputs("  \"complex_pairs\": [", f);
  for (int i = 0; i < fc_params_size(p); i++) {
    if (!fc_params_complex(p, i)) continue;
    fprintf(f, "%s\n    ", comma);
    quoted(fc_params_at(p, i, NULL), f);
    comma = ",";
  }
  fprintf(f, "%s],\n", *comma ? "\n  " : "");
}

/* {"model": .., "args": {..}} of every option that is not just another name of one */
static fc_status write_config(const fc_run *r, const char *path) {
  char        value[FC_OPTION_TEXT];
  const char *comma = "";
  FILE       *f;

  FC_TRY(fc_file_begin(path, &f));
  fprintf(f, "{\n  \"model\": \"%s\",\n  \"args\": {", r->k.def->name);
  for (const fc_option *o = r->k.def->options; o->key; o++) {
    if (!o->def) continue;
    fc_options_text(o, r->network->args, value, sizeof value);
    fprintf(f, "%s\n    ", comma);
    quoted(o->key, f);
    fputs(": ", f);
    if (bare(o))
      fputs(value, f);
    else
      quoted(value, f);
    comma = ",";
  }
  fputs("\n  },\n", f);
  write_pairs(r->network->params, f);
  fprintf(f, "  \"source\": \"fieldcast %s, step %lld\"\n}\n", FC_VERSION, (long long)r->k.step);
  return fc_file_commit(path, f);
}

/* NAME.safetensors -> NAME.json; config.json beside it if it has another ending */
static void config_name(const char *weights, char *out, size_t size) {
  const char *end = strstr(weights, ".safetensors"), *slash = strrchr(weights, '/');

  if (end && !end[12] && end != weights && end[-1] != '/')
    snprintf(out, size, "%.*s.json", (int)(end - weights), weights);
  else
    snprintf(out, size, "%.*sconfig.json", (int)(slash ? slash + 1 - weights : 0), weights);
}

fc_status fc_cmd_export(int argc, char **argv) {
  const char  *out = NULL, *config = NULL;
  char         name[FC_TEXT];
  fc_list      files;
  bool         raw = false, done;
  fc_run      *run;
  const fc_arg args[] = {
      {"out", 'o', FC_ARG_VALUE, &out, "FILE", "NAME.safetensors to write"},
      {"config", 'c', FC_ARG_VALUE, &config, "FILE", "where model and options go; default NAME.json"},
      {"raw", 0, FC_ARG_FLAG, &raw, NULL, "the last weights even if the run has their moving average"},
  };

  FC_TRY(
      fc_args_parse(fc_command_find("export"), argc, argv, FC_COUNT(args), args, 1, 1, &files, NULL, &done));
  if (done) return FC_OK;
  FC_REQUIRE(out, FC_E_USAGE, "export wants -o FILE: where the weights go");
  config_name(out, name, sizeof name);
  if (!config) config = name;
  FC_TRY(fc_run_load(files.v[0], !raw, &run));
  fc_status s = fc_weights_save(out, run->network->params);
  if (s == FC_OK) s = write_config(run, config);
  if (s == FC_OK)
    printf("%s%s: %d tensors written to %s, options to %s\n", run->k.def->name,
           run->averaged ? " (moving average of the weights)" : "", fc_params_size(run->network->params), out,
           config);
  fc_run_free(run);
  return s;
}
