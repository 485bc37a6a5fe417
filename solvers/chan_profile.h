/* solvers/chan_profile.h - means over planes of a channel at one time, from the modes alone (Parseval),
   without transforms. At cells: U, <u'u'>, <w'w'>; at lower faces of cells: <v'v'>, <u^'v'>, and the total
   stress nu (U[f] - U[f-1])/df - <u^ v>, which the discrete equations make G (1 - y) in the mean over time,
   to rounding. With a subgrid model <2 nu_t S_xy> of the last substep joins it. */
#ifndef FC_CHAN_PROFILE_H
#define FC_CHAN_PROFILE_H
#include "solvers/chan.h"

typedef enum {
  FC_CHAN_MEAN_U,
  FC_CHAN_UU,
  FC_CHAN_WW,
  FC_CHAN_VV,
  FC_CHAN_UV,
  FC_CHAN_STRESS,
  FC_CHAN_PROFILES
} fc_chan_profile_row;

/* out[FC_CHAN_PROFILES, ny], the same on all ranks. work[k_n, FC_CHAN_PROFILES, ny]. Collective. */
void    fc_chan_profile(fc_chan *s, double *work, double *out);
int64_t fc_chan_profile_work(const fc_chan *s); /* doubles */
#endif
