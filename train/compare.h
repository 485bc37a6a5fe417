/* train/compare.h - how predictions of several methods drift from the truth, frame by frame. */
#ifndef FC_COMPARE_H
#define FC_COMPARE_H
#include "hpc/comm.h"
#include "train/metrics.h"
#include "train/source.h"

enum { FC_METHODS = 40 };
typedef enum { FC_C_VRMSE, FC_C_RELATIVE_L2, FC_C_PEARSON, FC_C_SPECTRUM, FC_C_COUNT } fc_compared;
const char *fc_compared_name(fc_compared q);       /* "VRMSE" */
const char *fc_compared_definition(fc_compared q); /* one line of formula */

typedef struct fc_compare {
  fc_grid          grid;
  const fc_domain *domain;
  int64_t          frames, spectrum; /* frames compared; wavenumbers */
  int              methods;
  char             label[FC_METHODS][48]; /* "model", "persistence", "solver 24 x 24" */
  double          *lead;                  /* [frames] time since the last known frame */
  double          *value;                 /* [methods, FC_C_COUNT, frames, C], mean over trajectories */
  double          *count;                 /* [methods, frames] trajectories so far */
  double          *scratch;               /* two spectra and two rows of metrics */
} fc_compare;

/* domain: ranks that share the grid, of which geo is this rank's part (NULL: nobody); collective then,
   without spectra */
fc_status fc_compare_create(const fc_geometry *geo, int channels, int64_t frames, const fc_domain *domain,
                            fc_compare **out);
/* puts together what groups of ranks found on trajectories of their own; collective */
fc_status fc_compare_gather(fc_compare *c, const fc_comm *groups);
void      fc_compare_destroy(fc_compare *c);
/* another method; returns its number */
int fc_compare_method(fc_compare *c, const char *label);
/* one frame of one trajectory, y and truth [X.., C] in units */
fc_status fc_compare_add(fc_compare *c, int method, int64_t frame, const fc_real *y, const fc_real *truth);

/* means over the trajectories added; channel -1: mean over channels */
double fc_compare_at(const fc_compare *c, int method, fc_compared q, int64_t frame, int channel);
/* lead time until which the channel mean of q stays on the good side of the threshold; see fc_valid_time */
fc_status fc_compare_valid(const fc_compare *c, int method, fc_compared q, double threshold, double *out);
#endif
