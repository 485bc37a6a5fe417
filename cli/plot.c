/* cli/plot.c - fieldcast plot FILE: which kind of picture, and where it goes. */
#include "cli/plot.h"

#include "io/data_kind.h"
#include "io/file.h"
#include "io/statistics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void describe(FILE *f) {
  fputs(
      "\nkinds:\n"
      "  field     a row for each channel, a column for each frame; 3-D fields are cut in the middle of "
      "their last\n"
      "            axis, 1-D fields are curves. FILE: fields in any layout that 'fieldcast info' knows\n"
      "  points    one sample of points or of a mesh: a row for each target field, a column for each frame;\n"
      "            filled triangles if the file has cells, discs if not\n"
      "  spectrum  energy in shells of wavenumber, in multiples of the box's fundamental, for each frame\n"
      "  series    columns of a time series against its dates, a chart for each. FILE: a table or HDF5;\n"
      "            --trajectory chooses the series, --frames I,J the rows from I to J\n"
      "  loss      the training log of a run folder or any CSV with a header line: losses and scores on a\n"
      "            logarithmic axis, the learning rate beside them; columns of the history of a solver "
      "against t\n"
      "  statistics profiles, spectra and histories with their intervals, a chart for each; several FILEs "
      "of\n"
      "            'fieldcast statistics' are drawn together, --channel chooses quantities by name\n"
      "The kind is guessed if not given: points, series and statistics by content, a folder with log.csv or "
      "another .csv "
      "is a\nlog.\n",
      f);
}

static bool is_log(const char *path) {
  const size_t n = strlen(path);
  char         inside[1024];

  if (n > 4 && !strcmp(path + n - 4, ".csv")) return true;
  snprintf(inside, sizeof inside, "%s/log.csv", path);
  return fc_file_exists(inside);
}

fc_status fc_plot_numbers(const char *option, const char *text, int most, int64_t *out, int *n) {
  *n = 0;
  for (const char *s = text; *s;) {
    char *end;
    errno             = 0;
    const long long v = strtoll(s, &end, 10);
    FC_REQUIRE(!errno && end != s && (*end == ',' || !*end) && !(*end && !end[1]), FC_E_USAGE,
               "%s %s: whole numbers with commas between are wanted", option, text);
    FC_REQUIRE(*n < most, FC_E_USAGE, "%s: more than %d numbers", option, most);
    out[(*n)++] = v;
    s           = *end ? end + 1 : end;
  }
  return FC_OK;
}

fc_status fc_plot_view(const char *text, const char *up, double view[2], int *axis) {
  int64_t v[2];
  int     n = 0;

  FC_TRY(fc_plot_numbers("--view", text, 2, v, &n));
  FC_REQUIRE(n == 2, FC_E_USAGE, "--view %s: azimuth and elevation in degrees are wanted, as in --view 40,25",
             text);
  FC_REQUIRE(up[0] >= 'x' && up[0] <= 'z' && !up[1], FC_E_USAGE, "--up %s: x, y or z is wanted", up);
  view[0] = (double)v[0];
  view[1] = (double)v[1];
  *axis   = up[0] - 'x';
  return FC_OK;
}

static const char *guess(const char *path) {
  if (fc_statistics_recognised(path)) return "statistics";
  const fc_data_kind kind = fc_data_kind_of(path);

  if (kind == FC_DATA_POINTS) return "points";
  if (kind == FC_DATA_SERIES) return "series";
  return kind == FC_DATA_UNKNOWN && is_log(path) ? "loss" : "field";
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
  const char     *kind = NULL, *view = "40,25", *up = "z";
  fc_list         files;
  bool            done;
  const fc_arg    args[] = {
         {"output", 'o', FC_ARG_VALUE, &r.png, "PNG", "picture to write (default: FILE's name-KIND.png, here)"},
         {"kind", 'k', FC_ARG_VALUE, &kind, "KIND", "field, points, spectrum, series, statistics or loss"},
         {"channel", 'c', FC_ARG_LIST, &r.channels, "NAME", "draw this channel (or quantity) only"},
         {"trajectory", 't', FC_ARG_INT, &r.trajectory, "I",
          "trajectory, sample or series, counted from 0 (default 0)"},
         {"view", 0, FC_ARG_VALUE, &view, "AZ,EL", "points in space: where the eye is, degrees (default 40,25)"},
         {"up", 0, FC_ARG_VALUE, &up, "x|y|z", "points in space: which axis points upwards (default z)"},
         {"points", 0, FC_ARG_FLAG, &r.points, NULL, "meshes: discs in place of filled cells"},
         {"frames", 'f', FC_ARG_VALUE, &r.frames, "I,J,...",
          "frames, counted from 0 (default: 6, evenly spaced)"}};

  FC_TRY(fc_args_parse(fc_command_find("plot"), argc, argv, FC_COUNT(args), args, 1, FC_ARG_REPEAT, &files,
                       describe, &done));
  if (done) return FC_OK;
  r.input    = files.v[0];
  r.n_inputs = files.n;
  r.inputs   = files.v;
  if (!kind) kind = guess(r.input);
  const bool statistics = !strcmp(kind, "statistics");
  const bool loss = !strcmp(kind, "loss"), points = !strcmp(kind, "points"), series = !strcmp(kind, "series");
  r.spectrum = !strcmp(kind, "spectrum");
  FC_REQUIRE(files.n == 1 || statistics, FC_E_USAGE,
             "plot wants one FILE, not %d; only files of statistics are drawn together", files.n);
  FC_REQUIRE(statistics || loss || points || series || r.spectrum || !strcmp(kind, "field"), FC_E_USAGE,
             "--kind %s: there are the kinds field, points, spectrum, series, statistics and loss", kind);
  FC_TRY(fc_plot_view(view, up, r.view, &r.up));
  if (!r.png) r.png = default_png(r.input, kind);
  FC_TRY(statistics ? fc_plot_statistics_files(&r)
         : loss     ? fc_plot_log_file(&r)
         : points   ? fc_plot_cloud_file(&r)
         : series   ? fc_plot_series_file(&r)
                    : fc_plot_field_file(&r));
  printf("%s\n", r.png);
  return FC_OK;
}
