/* cli/plot.c - fieldcast plot FILE: which kind of picture, and where it goes. */
#include "cli/plot.h"

#include "io/file.h"

#include <string.h>

static void describe(FILE *f) {
  fputs("\nkinds:\n"
        "  field     a row for each channel, a column for each frame; 3-D fields are cut in the middle of "
        "their last\n"
        "            axis, 1-D fields are curves. FILE: fields in any layout that 'fieldcast info' knows\n"
        "  spectrum  energy in shells of wavenumber, in multiples of the box's fundamental, for each frame\n"
        "  loss      the training log of a run folder or any CSV with a header line: losses and scores on a\n"
        "            logarithmic axis, the learning rate beside them\n"
        "The kind is guessed if not given: a folder with log.csv or a file named .csv is a log.\n",
        f);
}

static bool is_log(const char *path) {
  const size_t n = strlen(path);
  char         inside[1024];

  if (n > 4 && !strcmp(path + n - 4, ".csv")) return true;
  snprintf(inside, sizeof inside, "%s/log.csv", path);
  return fc_file_exists(inside);
}

/* "data/ns_64.h5" and "field" -> "ns_64-field.png" in the working folder */
static const char *default_png(const char *input, const char *kind) {
  static char text[300];
  size_t      n = strlen(input);

  while (n > 1 && input[n - 1] == '/') n--;
  size_t from = n;
  while (from > 0 && input[from - 1] != '/') from--;
  const char *dot = memchr(input + from + 1, '.', n > from ? n - from - 1 : 0);
  if (dot) n = (size_t)(dot - input);
  snprintf(text, sizeof text, "%.*s-%s.png", (int)(n - from < 200 ? n - from : 200), input + from, kind);
  return text;
}

fc_status fc_cmd_plot(int argc, char **argv) {
  fc_plot_request r    = {0};
  const char     *kind = NULL;
  fc_list         files;
  bool            done;
  const fc_arg    args[] = {
         {"output", 'o', FC_ARG_VALUE, &r.png, "PNG", "picture to write (default: FILE's name-KIND.png, here)"},
         {"kind", 'k', FC_ARG_VALUE, &kind, "KIND", "field, spectrum or loss"},
         {"channel", 'c', FC_ARG_LIST, &r.channels, "NAME", "draw this channel only"},
         {"trajectory", 't', FC_ARG_INT, &r.trajectory, "I", "trajectory, counted from 0 (default 0)"},
         {"frames", 'f', FC_ARG_VALUE, &r.frames, "I,J,...",
          "frames, counted from 0 (default: 6, evenly spaced)"}};

  FC_TRY(fc_args_parse(fc_command_find("plot"), argc, argv, FC_COUNT(args), args, 1, 1, &files, describe,
                       &done));
  if (done) return FC_OK;
  r.input = files.v[0];
  if (!kind) kind = is_log(r.input) ? "loss" : "field";
  const bool loss = !strcmp(kind, "loss");
  r.spectrum      = !strcmp(kind, "spectrum");
  FC_REQUIRE(loss || r.spectrum || !strcmp(kind, "field"), FC_E_USAGE,
             "--kind %s: there are the kinds field, spectrum and loss", kind);
  if (!r.png) r.png = default_png(r.input, kind);
  FC_TRY(loss ? fc_plot_log_file(&r) : fc_plot_field_file(&r));
  printf("%s\n", r.png);
  return FC_OK;
}
