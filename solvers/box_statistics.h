/* solvers/box_statistics.h - statistics of a flow in a periodic box: spectrum of energy over shells of
   wavenumber, dissipation, scales, skewness; means over samples with intervals, and the numbers of each
   sample. With u = sum_k c_k exp(i k x): energy 1/2 sum |c|^2 (without the mean flow), dissipation nu sum k^2
   |c|^2, enstrophy 1/2 sum |k x c|^2. Shell s holds the modes with |k| / dk rounded to s, dk = 2 pi over the
   longest side (Pope, Turbulent Flows, ch. 6). */
#ifndef FC_BOX_STATISTICS_H
#define FC_BOX_STATISTICS_H
#include "solvers/estimates.h"

typedef struct fc_box_spec {
  int64_t     n[3];
  double      length[3];
  double      nu; /* kinematic viscosity; 0: unknown, then dissipation and what needs it are left out */
  const char *velocity_unit, *length_unit;
} fc_box_spec;

/* of one sample */
typedef struct fc_box_numbers {
  double energy, dissipation, enstrophy, integral_scale, re_lambda, skewness;
  double divergence; /* rms over that of all velocity gradients */
} fc_box_numbers;

typedef struct fc_box fc_box;

fc_status fc_box_create(const fc_box_spec *spec, fc_box **out);
void      fc_box_destroy(fc_box *b); /* NULL is fine */
/* u, v, w [n0, n1, n2] */
void      fc_box_sample(fc_box *b, const double *const u[3], fc_box_numbers *now);
fc_status fc_box_report(const fc_box *b, fc_statistics *out);
#endif
