/* train/coarse.h - the honest rival of a surrogate: the solver that made the data, on a coarser grid, at no
 * more cost. */
#ifndef FC_COARSE_H
#define FC_COARSE_H
#include "solvers/solver.h"
#include "train/source.h"

typedef struct fc_coarse {
  const fc_solver_def *def; /* NULL: the file names no solver of ours, or its fields are not the solver's */
  void                *config;
  int64_t              dim[3];
  double               seconds; /* per frame, measured on this grid */
  bool                 dearer;  /* even this, the coarsest grid, costs more than asked */
  double               full;    /* seconds per frame on the data's own grid */
} fc_coarse;

/* From the attributes solver and solver_config of the source's file. Grids from 1/8 to 3/4 of the data's, and
   the data's own, are timed on the frame x[X.., C] at time t0 (one frame, after one that warms up); of the
   coarser ones the finest that takes at most `budget` seconds a frame is chosen. *out has def NULL, and *why
   says so in words, if there is no such baseline. Steady problems: x are the inputs, in their units. */
fc_status fc_coarse_choose(const fc_source *s, const fc_real *x, double t0, double budget, fc_coarse *out,
                           const char **why);
void      fc_coarse_free(fc_coarse *c);
/* n frames from x at t0; every frame is brought back to the data's grid by its Fourier series. Steady
   problems: one frame from the inputs x; the solver goes between the grids itself. */
fc_status fc_coarse_run(const fc_coarse *c, const fc_source *s, const fc_real *x, double t0, int64_t n,
                        fc_frame_sink sink, void *user);
#endif
