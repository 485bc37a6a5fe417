/* solvers/profiles_parts.h - private to solvers/profiles*.c: what a sample is made of. */
#ifndef FC_PROFILES_PARTS_H
#define FC_PROFILES_PARTS_H
#include "solvers/profiles.h"

#include <fftw3.h>

/* of a plane; U to PP about the plane's shift */
enum { M_U, M_V, M_W, M_P, M_UU, M_VV, M_WW, M_PP, M_UV, M_UW, M_VW, M_NUT, M_STRESS, MOMENTS };

/* A sample is a row: [ny, MOMENTS], then for each plane of spectra and u, v, w: energies over kx and over kz,
   then the extra numbers. */
struct fc_profiles {
  fc_profiles_spec spec;
  double          *y;
  double          *shift; /* [ny, 4] means of u, v, w, p in the first sample */
  bool             shifted;
  int64_t          plane[2 * FC_PROFILE_SPECTRA]; /* nearest plane and its mirror image (the same: none) */
  int64_t          nkx, nkz, n;                   /* numbers of a row */
  double          *row;
  fc_batch_means  *means;
  double          *line; /* [nx, nz] for transforms */
  fftw_complex    *hat;  /* [max(nkx nz, nx nkz)] */
  fftw_plan        along_x, along_z;
};

static inline int64_t spectrum_at(const fc_profiles *p, int k, int component, bool z) {
  return p->spec.ny * MOMENTS + (k * 3 + component) * (p->nkx + p->nkz) + (z ? p->nkx : 0);
}
static inline int64_t extra_at(const fc_profiles *p, int i) {
  return spectrum_at(p, p->spec.n_spectra, 0, false) + i;
}
#endif
