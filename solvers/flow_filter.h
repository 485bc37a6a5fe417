/* solvers/flow_filter.h - the declared step between a resolved flow and training data: filters and new points
   along each axis (solvers/line_map.h), fewer frames, and on request a velocity without divergence. Any file
   of fields with one to three axes; several trajectories; memory is that of a frame. The new file says in the
   text attribute "filter" what was done. */
#ifndef FC_FLOW_FILTER_H
#define FC_FLOW_FILTER_H
#include "core/options.h"

typedef struct fc_filter_options {
  int64_t nx, ny, nz, frame_stride;
  int     filter_x, filter_y, filter_z;
  double  width_x, width_y, width_z, from, to;
  bool    keep_walls, project;
} fc_filter_options;
extern const fc_option fc_filter_options_table[];

typedef struct fc_filter_report {
  char    text[2048]; /* what was done */
  int64_t n_traj, frames, dim[3];
  int     ndim;
  double  divergence[2]; /* of the velocity before and after project: largest of the frames' rms, 1/time */
} fc_filter_report;

fc_status fc_flow_filter(const char *in, const char *out, const fc_filter_options *o, const char *command,
                         bool quiet, fc_filter_report *report);
#endif
