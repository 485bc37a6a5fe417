/* solvers/etd1d_options.h - options that both one-dimensional solvers have, as entries of their tables. */
#ifndef FC_ETD1D_OPTIONS_H
#define FC_ETD1D_OPTIONS_H
#include "solvers/etd1d.h"
#include "solvers/evolve_options.h"

#define FC_1D_INT(field, def, lo, hi, help)     FC_OPT_INT(fc_etd1d_config, field, def, lo, hi, help)
#define FC_1D_REAL(field, def, lo, hi, help)    FC_OPT_REAL(fc_etd1d_config, field, def, lo, hi, help)
#define FC_1D_CHOICE(field, choices, def, help) FC_OPT_CHOICE(fc_etd1d_config, field, choices, def, help)

#define FC_1D_GRID(points, long)                                                                             \
  FC_1D_INT(n, points, 8, 1 << 24, "grid points of the computation, even"),                                  \
      FC_1D_INT(n_keep, "0", 0, 1 << 24, "grid points that are kept, even; 0: all"),                         \
      FC_1D_CHOICE(reduce, "subsample|truncate", "subsample",                                                \
                   "n to n_keep: every n/n_keep-th point, or cut the spectrum"),                             \
      FC_1D_REAL(length, long, 1e-12, 1e12, "length of the periodic line")

#define FC_1D_TIME(step, skip, every, count)                                                                 \
  FC_EVOLVE_OPTIONS(fc_etd1d_config, step, "max|u| dt/dx", 10, skip, every, count)

#define FC_1D_START(kind, decay, inverse, size, count)                                                       \
  FC_1D_CHOICE(                                                                                              \
      initial, "grf|waves|sine|cosines", kind,                                                               \
      "random field; waves of random amplitude and phase; A sin q; A cos q (1 + sin q), q = 2 pi x/L"),      \
      FC_1D_REAL(alpha, decay, 0, 100, "grf: covariance sigma^2 (-d^2/dx^2 + tau^2)^-alpha"),                \
      FC_1D_REAL(tau, inverse, 1e-12, 1e6, "grf: inverse correlation length, 1/length"),                     \
      FC_1D_REAL(sigma, size, 0, 1e12, "grf: amplitude; 0: tau^(alpha-1/2)"),                                \
      FC_OPT_BOOL(fc_etd1d_config, mean, "false",                                                            \
                  "grf: has a random mean too; the published code sets it to 0"),                            \
      FC_1D_INT(waves, count, 1, 4096, "waves, sine: (largest) number of waves on the line"),                \
      FC_1D_REAL(amplitude, "1", -1e12, 1e12, "waves: largest value; sine, cosines: A"),                     \
      FC_OPT_BOOL(fc_etd1d_config, accurate, "false",                                                        \
                  "accepted as every solver does; changes nothing: this is the better scheme")
#endif
