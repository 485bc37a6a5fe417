/* cli/plot.h - what the plot command draws, one file of code for each kind. */
#ifndef FC_CLI_PLOT_H
#define FC_CLI_PLOT_H
#include "cli/cli.h"

typedef struct fc_plot_request {
  const char        *input; /* file or folder; the first one */
  int                n_inputs;
  const char *const *inputs; /* several for statistics */
  const char        *png;    /* where the picture goes */
  int64_t            trajectory;
  const char        *frames;   /* "0,5,10"; NULL: chosen for the user */
  fc_list            channels; /* names; none: all */
  bool               spectrum; /* of fields: spectra in place of pictures */
  bool               points;   /* of meshes: points in place of filled cells */
  int                up;       /* of points in space: number of the axis that points upwards */
  double             view[2];  /* of points in space: azimuth and elevation of the eye, degrees */
} fc_plot_request;

/* "0,5,10" -> whole numbers; FC_E_USAGE calls the option by its name */
fc_status fc_plot_numbers(const char *option, const char *text, int most, int64_t *out, int *n);
/* "40,25" and "z" -> where the eye is and which axis points upwards */
fc_status fc_plot_view(const char *text, const char *up, double view[2], int *axis);
fc_status fc_plot_field_file(const fc_plot_request *r);
fc_status fc_plot_cloud_file(const fc_plot_request *r);       /* points or a mesh */
fc_status fc_plot_statistics_files(const fc_plot_request *r); /* one picture of all */
fc_status fc_plot_series_file(const fc_plot_request *r);
fc_status
fc_plot_log_file(const fc_plot_request *r); /* a CSV table with a header line, or a folder with log.csv */
#endif
