/* solvers/etd1d.h - semi-linear equations on a periodic line, Fourier in space and exponential in time:
     u_t = L u + N(u),   L_k = -a2 k^2 - a4 k^4,
   Burgers (a2 = nu, a4 = 0) and Kuramoto-Sivashinsky (a2 = -1, a4 = nu). N is -(u^2/2)_x, or -(u_x)^2/2
   without its mean. Products on 3n/2 points are exact convolutions. Fourth order in time: Cox and Matthews,
   J. Comput. Phys. 176 (2002), with coefficients from contour integrals, Kassam and Trefethen, SIAM J. Sci.
   Comput. 26 (2005). Everything in double precision. A spectrum is [n/2 + 1] Fourier coefficients as (re, im)
   pairs. */
#ifndef FC_ETD1D_H
#define FC_ETD1D_H
#include "solvers/evolve.h"

typedef enum { FC_ETD1D_BURGERS, FC_ETD1D_KS } fc_etd1d_equation;
typedef enum { FC_ETD1D_CONSERVATIVE, FC_ETD1D_GRADIENT } fc_etd1d_form;
typedef enum { FC_ETD1D_GRF, FC_ETD1D_WAVES, FC_ETD1D_SINE, FC_ETD1D_COSINES } fc_etd1d_initial;

typedef struct fc_etd1d_config {
  int     equation;  /* set by the solver, not an option */
  int64_t n, n_keep; /* grid points, computed and kept (0: all) */
  int     reduce;    /* 0 every n/n_keep-th point, 1 cut the spectrum */
  double  length, nu;
  int     form; /* Kuramoto-Sivashinsky only */
  double  dt, cfl, t_skip, frame_dt;
  int64_t frames, n_traj, first_traj, seed;
  int     initial;
  double  alpha, tau, sigma; /* of the random field */
  bool    mean;              /* does the random field have one */
  int64_t waves;             /* of initial=waves and sine */
  double  amplitude;
  bool    accurate; /* not used: there is one scheme */
} fc_etd1d_config;

typedef struct fc_etd1d { /* what all trajectories share */
  fc_etd1d_config c;
  int64_t n, nh, m, mh, grid; /* points, half spectrum; the same of products; points before subsampling */
  double *k, *linear;         /* [nh] wave numbers and L_k; the highest mode is not used: both 0 */
  struct fftw_plan_s *to_grid, *to_modes;    /* of m points */
  struct fftw_plan_s *to_frame, *from_frame; /* of grid points, of n points */
} fc_etd1d;

typedef struct fc_etd1d_work { /* what one trajectory needs */
  const fc_etd1d *s;
  double         *u; /* the state: spectrum */
  double         *stage[3], *rate[4];
  double         *hat, *x;       /* on the grid of products, or of a frame */
  double         *etd[6], etd_h; /* coefficients for this step size */
  double          speed;         /* max |u| at the last evaluation; NaN when the field is */
  double         *block;
} fc_etd1d_work;

fc_etd1d_config fc_etd1d_resolve(const fc_etd1d_config *c); /* n_keep = 0 */
/* FC_E_USAGE: options that do not fit together */
fc_status fc_etd1d_check(const fc_etd1d_config *c);
fc_status fc_etd1d_create(const fc_etd1d_config *c, fc_etd1d **out);
void      fc_etd1d_destroy(fc_etd1d *s);
fc_status fc_etd1d_work_create(const fc_etd1d *s, fc_etd1d_work **out);
void      fc_etd1d_work_destroy(fc_etd1d_work *w);

void fc_etd1d_start(fc_etd1d_work *w, int64_t traj); /* initial field number traj */
void fc_etd1d_set(fc_etd1d_work *w, const fc_real *x);
void fc_etd1d_values(fc_etd1d_work *w, fc_real *x);                  /* the n_keep values of a frame */
void fc_etd1d_rate(fc_etd1d_work *w, const double *u, double *rate); /* spectrum of N(u); sets speed */
void fc_etd1d_step(fc_etd1d_work *w, double h);
/* h times phi-functions by contour: exp(z), exp(z/2), then Q, f1, f2, f3 of Kassam and Trefethen */
void fc_etd1d_coefficients(double z, double out[6]);

typedef struct fc_etd1d_budget {
  double mean, energy; /* <u>, <u^2>/2 */
  double slope, bend;  /* <u_x^2>, <u_xx^2> */
} fc_etd1d_budget;
fc_etd1d_budget fc_etd1d_measure(const fc_etd1d_work *w);

/* fc_solver_def.describe, plan, run and advance for both solvers */
void      fc_etd1d_describe(const fc_etd1d_config *c, fc_field_spec *out);
void      fc_etd1d_plan(const fc_etd1d_config *c, FILE *out);
fc_status fc_etd1d_run(const fc_etd1d_config *c, const fc_audience *to);
fc_status fc_etd1d_advance(const fc_etd1d_config *c, const int64_t *dim, const fc_real *x, double t0,
                           double frame_dt, int64_t n, fc_frame_sink sink, void *user);
#endif
