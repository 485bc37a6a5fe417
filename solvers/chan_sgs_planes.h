/* solvers/chan_sgs_planes.h - what the two files of solvers/chan_sgs.h share. */
#ifndef FC_CHAN_SGS_PLANES_H
#define FC_CHAN_SGS_PLANES_H
#include "solvers/chan_sgs.h"
#include "solvers/sgs.h"
#include "solvers/sgs_clipped.h"
#include "solvers/sgs_dynamic.h"

struct fc_chan_sgs {
  fc_sgs_model    model;
  double          constant, least;
  bool            due; /* the first substep of a step */
  fc_sgs_plane   *plane;
  fc_sgs_clipped *clipped;
  double         *damping;             /* [ny] */
  double         *found;               /* [ny] (C D)^2 of the planes of this rank and the one below */
  double         *mean, *most, *shear; /* [y_n] of nu_t in cells; <T_xy> at lower faces */
  double         *lines;               /* [ny, nx] c of the clipped model */
  double         *block;
};

double fc_chan_sgs_width(const fc_chan *s, int64_t j); /* D of plane j */
#endif
