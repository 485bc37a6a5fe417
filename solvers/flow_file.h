/* solvers/flow_file.h - private to solvers/flow_*.c: a file of velocity fields in space, frame by frame in
   double precision. */
#ifndef FC_FLOW_FILE_H
#define FC_FLOW_FILE_H
#include "solvers/flow_statistics.h"

enum { FC_FLOW_FIELDS = 5 }; /* u, v, w, pressure, eddy viscosity */

typedef struct fc_flow_file {
  const char          *path;
  fc_field            *file;
  const fc_field_info *info;
  int                  kind;
  double               nu; /* 0: unknown */
  double              *axis[3];
  double               length[3];
  int64_t              points;
  int                  pick[FC_FLOW_FIELDS], n_pick;
  bool                 has_pressure, has_model;
  fc_real             *raw;
  double              *x[FC_FLOW_FIELDS]; /* [points] each; NULL: not there */
} fc_flow_file;

fc_status fc_flow_open(const char *path, const fc_flow_options *o, fc_flow_file *f);
void      fc_flow_close(fc_flow_file *f);
/* FC_E_INPUT if a value is not finite */
fc_status fc_flow_read(fc_flow_file *f, int64_t traj, int64_t t);
/* frames first .. first + n - 1 of a trajectory lie between from and to, both included */
fc_status fc_flow_frames(fc_flow_file *f, int64_t traj, double from, double to, int64_t *first, int64_t *n);
#endif
