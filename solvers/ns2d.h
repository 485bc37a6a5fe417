/* solvers/ns2d.h - two-dimensional incompressible Navier-Stokes in vorticity form, doubly periodic,
   pseudo-spectral: w_t + u.grad w = nu lap w - mu w + curl f,   lap psi = -w,   u = (psi_y + U0, -psi_x +
   V0). x is the first axis, y the second. All arithmetic is in double precision. A spectrum is an array [n,
   n/2+1] of Fourier coefficients as (re, im) pairs (solvers/fft2.h). */
#ifndef FC_NS2D_H
#define FC_NS2D_H
#include "solvers/fft2.h"

typedef enum { FC_NS2D_EULER_CN, FC_NS2D_HEUN_CN, FC_NS2D_RK3_CN, FC_NS2D_ETDRK4 } fc_ns2d_scheme;
typedef enum { FC_NS2D_CONVECTIVE, FC_NS2D_DIVERGENCE } fc_ns2d_form;
typedef enum { FC_NS2D_SQUARE, FC_NS2D_CIRCULAR, FC_NS2D_THREE_HALVES, FC_NS2D_ALIASED } fc_ns2d_dealias;
/* what the dealiasing mask is applied to: the product; the state after each step; the product and the initial
   field, so that high modes never exist (a Galerkin method, which conserves energy and enstrophy) */
typedef enum { FC_NS2D_MASK_PRODUCT, FC_NS2D_MASK_STEP, FC_NS2D_MASK_GALERKIN } fc_ns2d_mask;
typedef enum { FC_NS2D_UNFORCED, FC_NS2D_FORCE_FNO, FC_NS2D_FORCE_KOLMOGOROV } fc_ns2d_forcing;
typedef enum { FC_NS2D_GRF, FC_NS2D_GRF_HALF, FC_NS2D_TAYLOR, FC_NS2D_LAMINAR, FC_NS2D_REST } fc_ns2d_initial;

typedef struct fc_ns2d_config {
  int64_t n, n_keep; /* grid points a side, computed and kept (0: all) */
  int     reduce;    /* 0 every n/n_keep-th point, 1 cut the spectrum */
  double  length, nu, mu, mean_u, mean_v;
  int     forcing;      /* fc_ns2d_forcing */
  int64_t forcing_mode; /* waves a side */
  double  amplitude;
  int     scheme, form, dealias, mask;
  double  dt, cfl, t_skip, frame_dt;
  int64_t frames, n_traj, first_traj, seed;
  int     initial; /* fc_ns2d_initial */
  double  alpha, tau, sigma;
  int64_t initial_mode;
  bool    accurate;
  int     fft; /* 0 estimate, 1 measure */
} fc_ns2d_config;

typedef struct fc_ns2d { /* what all trajectories share; constant while they run */
  fc_ns2d_config c;
  int64_t  n, nh, m, mh; /* state grid; grid of the products (3n/2 when padding); half-spectrum widths */
  double   dx;
  fc_fft2 *fft, *pad;           /* n x n and m x m; the same plan when m == n */
  fc_fft2 *keep;                /* n_keep x n_keep when the spectrum is cut, else NULL */
  double  *kx, *kx2, *ky, *ky2; /* derivative factors (0 for the highest mode) and squares of wave numbers */
  double  *force;               /* spectrum of curl f */
  int64_t *cut, *source;        /* per row of n: modes kept; per row of m: row of n or -1 */
  double  *block;               /* owns the arrays of doubles */
} fc_ns2d;

typedef struct fc_ns2d_work { /* what one trajectory needs; nothing is allocated in the time loop */
  double *w;                  /* the state: spectrum of the vorticity */
  double *stage[3], *rate[4];
  double *hat[4], *x[4]; /* on the product grid */
  double *etd[6], etd_h; /* factors of ETDRK4 for this step size */
  double *row[3]; /* one partial result a row, added in order: the same bits for any number of threads */
  double  speed;  /* max |u| + |v| at the last evaluation; NaN or infinite when the field is */
  double *block;
} fc_ns2d_work;

typedef struct fc_ns2d_budget {
  double energy;    /* <u^2 + v^2>/2 without the mean flow */
  double enstrophy; /* <w^2>/2 */
  double input;     /* <f.u> = <psi curl f> */
} fc_ns2d_budget;

/* c with n_keep = 0 and accurate resolved: ETDRK4, divergence form, square 2/3 Galerkin truncation, step from
 * the CFL number */
fc_ns2d_config fc_ns2d_resolve(const fc_ns2d_config *c);
/* c must have passed the solver's check. FC_E_SYSTEM: no memory. */
fc_status fc_ns2d_create(const fc_ns2d_config *c, fc_ns2d **out);
void      fc_ns2d_destroy(fc_ns2d *s);
fc_status fc_ns2d_work_create(const fc_ns2d *s, fc_ns2d_work **out);
void      fc_ns2d_work_destroy(fc_ns2d_work *k);
int64_t   fc_ns2d_bytes(const fc_ns2d_config *c, int workers); /* memory of both, for plans */

/* initial field number traj of the configuration into k->w */
void fc_ns2d_start(const fc_ns2d *s, fc_ns2d_work *k, int64_t traj);
/* k->w from values x[n, n] and back (x may not be in k) */
void fc_ns2d_set(const fc_ns2d *s, fc_ns2d_work *k, const fc_real *x);
void fc_ns2d_values(const fc_ns2d *s, fc_ns2d_work *k, fc_real *x);

/* rate = spectrum of -u.grad w + curl f at w; also sets k->speed. Five transforms. */
void fc_ns2d_rate(const fc_ns2d *s, fc_ns2d_work *k, const double *w, double *rate);
/* one step of size h by the configured scheme */
void           fc_ns2d_step(const fc_ns2d *s, fc_ns2d_work *k, double h);
int            fc_ns2d_evaluations(int scheme); /* of the rate, a step */
fc_ns2d_budget fc_ns2d_measure(const fc_ns2d *s, fc_ns2d_work *k);
#endif
