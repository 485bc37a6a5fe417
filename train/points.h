/* train/points.h - a set of points as training and prediction see it: chosen fields, parameters and
   functions, frames of history, normalisation. What is read of a sample is normalised. */
#ifndef FC_POINTS_H
#define FC_POINTS_H
#include "hpc/domain.h"
#include "io/cloud.h"
#include "train/network.h"
#include "train/scaling.h"

typedef struct fc_points {
  fc_cloud        *file;
  char             path[FC_TEXT]; /* for messages */
  fc_cloud_size    most;          /* largest of each over all samples, of a share if there is one */
  int64_t          most_points;   /* of a whole sample */
  int64_t          history;       /* frames of the targets that are given */
  bool             time;          /* the model is told the time of the frame */
  bool             in_varies;     /* a given field changes in time */
  int              scale;         /* fc_coordinates_kind */
  int              in_pick[FC_FIELD_CHANNELS], out_pick[FC_FIELD_CHANNELS], param_pick[FC_CLOUD_PARAMS];
  int              n_functions, function_pick[FC_CLOUD_FUNCTIONS];
  int              mask[FC_FIELD_CHANNELS]; /* column of the mask for each target; -1: counts everywhere */
  bool             masked;                  /* one of them does not */
  fc_scaling       x, in, out, params;      /* coordinates, given fields, targets, parameters */
  fc_scaling       function[FC_CLOUD_FUNCTIONS]; /* columns */
  const fc_domain *domain; /* ranks that share the points of a sample and of its functions; NULL: none */
} fc_points;

/* Opens path for a model that wants this; the keys of d say what is what. FC_E_MISMATCH if numbers of
   features, parameters, targets or functions do not fit. Not yet normalised: see below. */
fc_status fc_points_open(const char *path, const fc_data_settings *d, const fc_cloud_wants *w,
                         const char *model, fc_points *out);
void      fc_points_close(fc_points *p);
/* from now on this rank reads its block of the points of each sample and of the rows of its functions alone
 */
void fc_points_share(fc_points *p, const fc_domain *d);
/* Mean and std of samples lo .. hi-1, in one streaming pass; quiet: no progress. What does not vary gets
   std 1. Collective: groups of ranks take samples of their own, ranks of a group look at their shares. */
fc_status fc_points_measure(fc_points *p, const fc_process_grid *ranks, int64_t lo, int64_t hi, bool quiet);
/* takes over the normalisation of another set with the same channels */
void fc_points_adopt(fc_points *p, const fc_points *from);

int64_t fc_points_features(const fc_points *p); /* given numbers per point, frames of history included */
/* frames of a sample that can be predicted: number history to steps-1 */
int64_t fc_points_frames(const fc_points *p, int64_t sample);

/* ---- what is read of a sample, in one block of memory ---- */
typedef struct fc_sample {
  int64_t  points, t0, nt, rows[FC_CLOUD_FUNCTIONS]; /* of the share */
  int64_t  first;                                    /* number of the share's first point in the sample */
  double  *time;                                     /* [nt] */
  fc_real *x;                                        /* [N, space] */
  fc_real *in, *out;                                 /* [nt or 1, N, in.n], [nt, N, out.n] */
  fc_real *weight; /* [N, out.n], NULL without mask; targets without weight are 0 in out */
  fc_real *params; /* [params.n] */
  fc_real *function[FC_CLOUD_FUNCTIONS]; /* [rows, columns] */
  fc_real *mask;                         /* scratch */
  void    *block;
} fc_sample;

/* room for samples up to this size and nt frames */
fc_status fc_sample_create(const fc_points *p, const fc_cloud_size *size, int64_t nt, fc_sample *out);
void      fc_sample_free(fc_sample *s);
int64_t   fc_sample_bytes(const fc_points *p, const fc_cloud_size *size, int64_t nt);
/* frames t0 .. t0+nt-1. FC_E_INPUT if a number that counts is not finite, or a weight negative */
fc_status fc_points_read(fc_points *p, int64_t sample, int64_t t0, int64_t nt, fc_sample *s);
/* targets x[rows, out.n] back in units, in place */
void fc_points_undo(const fc_points *p, int64_t rows, fc_real *x);
#endif
