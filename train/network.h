/* train/network.h - a model with its options and weights, ready for fields on a grid, points or series.
 */
#ifndef FC_NETWORK_H
#define FC_NETWORK_H
#include "core/model.h"
#include "train/settings.h"

enum { FC_NETWORK_CHANNELS = 64 };

typedef struct fc_network {
  const fc_model_def *def;
  void               *args, *self; /* options; the model's own struct */
  fc_params          *params;
  bool            on_grid, on_points, on_series; /* what it can work on with these options; at least one */
  char            not_on_grid[256], not_on_points[256], not_on_series[256]; /* why not, in words */
  fc_frames       frames;                                                   /* on a grid */
  fc_cloud_wants  cloud;                                                    /* on points */
  fc_series_wants series;                                                   /* on series */
  bool            increment;                 /* the network gives (frame - last known frame) / step */
  double          step[FC_NETWORK_CHANNELS]; /* by channel */
  int64_t flow_steps; /* > 0: the network is the velocity of a flow from noise to the next frame, followed in
                         so many steps (train/flow.h); frames.n_in counts the known frames alone */
} fc_network;

/* args is copied. Weights are drawn from seed; dry: none, only shapes. FC_E_USAGE if options do not fit
   together or the model works on none of fields on a grid, points and series. */
fc_status fc_network_create(const fc_model_def *def, const void *args, uint64_t seed, bool dry,
                            fc_network **out);
void      fc_network_destroy(fc_network *n);

/* What the settings say of the network's use: increments (data.predict; step [channels_out], the size of one
   in normalised numbers) and flow matching (train.flow_steps). FC_E_USAGE if the model cannot. */
fc_status fc_network_prepare(fc_network *n, const fc_settings *s, const double *step);

/* Do fields of this shape fit? FC_E_MISMATCH says in words what does not. */
fc_status fc_network_fits(const fc_network *n, int ndim, const int64_t *dim, int64_t channels_in,
                          int64_t channels_out, int64_t params);
/* the same question answered by the model itself, on a batch of these shapes, without arithmetic */
fc_status fc_network_check(const fc_network *n, int ndim, const int64_t *dim, int64_t batch, int n_out);

/* Where ranks of a domain may cut the first axis of such fields. FC_E_USAGE if this model's ranks cannot
   share fields, or not among so many. */
fc_status fc_network_cut(const fc_network *n, int ndim, const int64_t *dim, int ranks, fc_cut *out);

/* Replaces the trained values by another block of that layout (the average of the weights). */
void fc_network_use(fc_network *n, const fc_real *trained);
#endif
