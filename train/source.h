/* train/source.h - a field file as training and rollout see it: chosen channels, strides in space
   and time, normalisation. Several channels of one call are read in standard order. */
#ifndef FC_SOURCE_H
#define FC_SOURCE_H
#include "core/domain.h"
#include "train/network.h"
#include "train/scaling.h"
#include "train/settings.h"

typedef struct fc_geometry { /* of the strided data */
  char    name[FC_NAME];
  int     ndim;
  int64_t dim[3];
  char    axis[3][FC_NAME];
  double  lo[3], hi[3]; /* first and last coordinate; NaN if unknown */
  bool    periodic[3];
  double  dt; /* between the frames a model sees; NaN if unknown */
  char    time_unit[FC_NAME], space_unit[FC_NAME];
} fc_geometry;

typedef struct fc_source {
  fc_field   *field;
  char        path[FC_TEXT]; /* for messages */
  bool        steady;        /* one constant field in, one field out */
  int64_t     space_stride[3], frame_stride;
  int         in_pick[FC_FIELD_CHANNELS], out_pick[FC_FIELD_CHANNELS]; /* constants if steady; channels */
  fc_geometry geo;     /* of the whole grid, but for geo.dim[0] of a share */
  int64_t     whole;   /* points of the first axis over all ranks of a domain */
  fc_scaling  in, out; /* the same unless steady */
  fc_scaling  params;  /* numbers per trajectory that the model is told */
  int         param_pick[FC_FIELD_CHANNELS];
  int64_t     points, in_len, out_len; /* grid points; numbers of one input and one output frame */
} fc_source;

/* Channels by the names in d->channels and d->inputs (all if empty). Not yet normalised: see below. */
fc_status fc_source_open(const char *path, const fc_data_settings *d, bool steady, fc_source *out);
void      fc_source_close(fc_source *s);
/* do its fields suit the network? FC_E_MISMATCH says in words what does not */
fc_status fc_source_fits(const fc_source *s, const fc_network *n);

/* coordinates x[dim] of an axis of the whole grid: of the points that are used */
fc_status fc_source_points(const fc_source *s, int axis, double *x);

/* From now on this rank sees lo .. lo + n - 1 of the first axis alone */
void fc_source_share(fc_source *s, int64_t lo, int64_t n);

/* Mean and std of trajectories lo .. hi-1; quiet: no progress. A channel without variation gets std 1. Of the
   whole grid: ranks of domain (NULL: alone) put together what they find in their shares; collective then. */
fc_status fc_source_measure(fc_source *s, int64_t lo, int64_t hi, const fc_domain *domain, bool quiet);

int64_t fc_source_steps(const fc_source *s, int64_t traj); /* frames in the file, before frame_stride */
/* nt frames t0, t0 + frame_stride, ... : x[nt, X.., C] in the units of the data. FC_E_INPUT if a value is not
   finite. */
fc_status fc_source_truth(fc_source *s, int64_t traj, int64_t t0, int64_t nt, fc_real *x);
/* the same, normalised */
fc_status fc_source_frames(fc_source *s, int64_t traj, int64_t t0, int64_t nt, fc_real *x);
/* steady: the input field x[X.., C_in] in the units of the data, and normalised */
fc_status fc_source_given(fc_source *s, int64_t traj, fc_real *x);
fc_status fc_source_input(fc_source *s, int64_t traj, fc_real *x);

/* normalised parameters p[params.n] of a trajectory */
fc_status fc_source_params(fc_source *s, int64_t traj, fc_real *p);

/* trajectories for training 0 .. n-1 and for validation n .. n_traj-1 of one file; at least one stays for
 * training */
int64_t fc_source_split(int64_t n_traj, double valid_fraction);
#endif
