/* solvers/flow_statistics.h - statistics of a flow from a file of fields, whoever wrote it: a solver, the
   filter, a rollout. A channel has walls on the ends of y and is periodic in x and z (solvers/profiles.h); a
   box is periodic throughout (solvers/box_statistics.h). Memory is that of a frame. */
#ifndef FC_FLOW_STATISTICS_H
#define FC_FLOW_STATISTICS_H
#include "core/options.h"
#include "io/statistics.h"

enum { FC_FLOW_AUTO, FC_FLOW_CHANNEL, FC_FLOW_BOX };
enum { FC_SHEAR_PARABOLA, FC_SHEAR_FIRST_NODE };

typedef struct fc_flow_options {
  int      kind, shear;
  double   from, to, nu;
  bool     halves, divergence;
  fc_reals walls, spectra;
  fc_names velocity;
  char     pressure[FC_TEXT], eddy_viscosity[FC_TEXT];
} fc_flow_options;
extern const fc_option fc_flow_options_table[];

/* quiet: no progress. Texts of provenance are taken over from the file. */
fc_status fc_flow_statistics(const char *path, const fc_flow_options *o, bool quiet, fc_statistics *out);
#endif
