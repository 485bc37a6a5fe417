/* solvers/box3d.h - three-dimensional incompressible Navier-Stokes in a periodic cube, pseudo-spectral, in
   rotational form: u_t = P(u x omega) + nu lap u + f, P the projection on div u = 0. The state holds the low
   modes of the velocity (solvers/slab3.h) as Fourier coefficients; the mean flow is its mode 0. Products are
   taken on m^3 points, where no product of two kept modes is aliased onto a third: m = n with the 2/3 rule, m
   = 3 n/2 with padding. All arithmetic is in double precision; ranks share one flow. */
#ifndef FC_BOX3D_H
#define FC_BOX3D_H
#include "solvers/sgs_options.h"
#include "solvers/slab3.h"

enum { FC_BOX3D_PARTS = 4 };

typedef enum { FC_BOX3D_RK3_CN, FC_BOX3D_RK4 } fc_box3d_scheme;
/* modes kept: |kx|, |ky|, |kz| < n/3; |k| < n/3; all but the highest, with padding or aliased */
typedef enum {
  FC_BOX3D_SQUARE,
  FC_BOX3D_SPHERICAL,
  FC_BOX3D_THREE_HALVES,
  FC_BOX3D_ALIASED
} fc_box3d_dealias;
/* the energy kept by scaling the modes |k| <= forcing_band after each step; f = power u/(2 E) in them */
typedef enum { FC_BOX3D_UNFORCED, FC_BOX3D_RESCALE, FC_BOX3D_POWER } fc_box3d_forcing;
typedef enum {
  FC_BOX3D_TAYLOR_GREEN,
  FC_BOX3D_ABC,
  FC_BOX3D_ISOTROPIC,
  FC_BOX3D_FACTFORMER,
  FC_BOX3D_REST
} fc_box3d_initial;
typedef enum { FC_BOX3D_KOLMOGOROV, FC_BOX3D_EXPONENTIAL, FC_BOX3D_GRID } fc_box3d_spectra;

typedef struct fc_box3d_config {
  int64_t n;
  double  length, nu, mean_u, mean_v, mean_w;
  int     forcing; /* fc_box3d_forcing */
  double  forcing_band, energy, power;
  int     scheme, dealias;
  double  dt, cfl, t_skip, frame_dt, t_end;
  int64_t frames, n_traj, first_traj, seed;
  int     initial, spectrum; /* fc_box3d_initial, fc_box3d_spectra */
  double  peak;
  bool    pressure, accurate;
  int     fft;                        /* 0 estimate, 1 measure */
  int     sgs, test_filter, sgs_clip; /* fc_sgs_model, fc_sgs_filter_kind, fc_sgs_clip */
  double  sgs_constant;
  char    history[FC_TEXT];
  double  history_dt;
} fc_box3d_config;

typedef struct fc_box3d_work fc_box3d_work;
typedef struct fc_box3d_sgs  fc_box3d_sgs; /* solvers/box3d_sgs.h */

typedef struct fc_box3d { /* constant while it runs */
  fc_box3d_config c;
  bool            shared; /* by all ranks */
  double          dx;
  fc_slab3 *grid, *frame; /* where products are taken, and of n^3 points for frames; the same if m = n */
  double   *k, *kz, *kz2; /* wave numbers [my] along x and y, [mz] along z and their squares */
  double   *block;
} fc_box3d;

struct fc_box3d_work {       /* what one trajectory needs; nothing is allocated in the time loop */
  double *u[3];              /* the state */
  double *sum[3], *stage[3]; /* of Runge-Kutta: RK4's result so far, or RK3's last rate; the next argument */
  double *part[FC_BOX3D_PARTS]; /* a number a row ky or a plane x, added in order */
  double *e[3], e_h;            /* exp(-nu k^2 h/2) for kx, ky, kz */
  fc_box3d_sgs *sgs;            /* subgrid model, NULL without */
  double        speed;          /* max |u| + |v| + |w| at the last evaluation; NaN when the field is */
  double        enstrophy;      /* at the last evaluation, of this rank's modes */
  double        lift;           /* factor of the forced band */
  double    lost, given; /* energy since the start, to viscosity (of this rank's modes) and from forcing */
  fc_status status;      /* first failure of communication */
  double   *block;
};

typedef struct fc_box3d_budget {
  double energy, enstrophy, helicity; /* <u.u>/2 without the mean flow, <omega.omega>/2, <u.omega> */
  double lost, given;                 /* energy, as above, of all ranks: energy + lost - given stays */
  double mean;                        /* |U|^2/2 of the mean flow */
} fc_box3d_budget;

/* c with t_end and accurate resolved */
fc_box3d_config fc_box3d_resolve(const fc_box3d_config *c);
/* c must have passed the solver's check. shared: collective, the ranks share the flow. FC_E_SYSTEM: no
 * memory.
 */
fc_status fc_box3d_create(const fc_box3d_config *c, bool shared, fc_box3d **out);
void      fc_box3d_destroy(fc_box3d *s);
fc_status fc_box3d_work_create(const fc_box3d *s, fc_box3d_work **out);
void      fc_box3d_work_destroy(fc_box3d_work *k);
int64_t   fc_box3d_bytes(const fc_box3d_config *c, int ranks); /* memory of both on a rank, for plans */
void      fc_box3d_grid(const fc_box3d_config *c, int64_t *m, int64_t *top); /* points a side, highest mode */

/* initial field number traj of the configuration into k->u: the same for any number of ranks */
void fc_box3d_start(const fc_box3d *s, fc_box3d_work *k, int64_t traj);
/* k->u from values x[n of this rank, n, n, 3] and back (x may not be in k); with c.pressure x[.., 4],
   pressure first (not read) */
void fc_box3d_set(const fc_box3d *s, fc_box3d_work *k, const fc_real *x);
void fc_box3d_values(const fc_box3d *s, fc_box3d_work *k, fc_real *x);

/* All that follow are collective when the flow is shared; a failure goes to k->status and makes k->speed NaN.
   rate = spectra [3] of P(u x omega) + f (with a subgrid model: solvers/box3d_sgs.h) at u; also sets k->speed
   and k->enstrophy. Nine transforms. */
void fc_box3d_rate(const fc_box3d *s, fc_box3d_work *k, double *const *u, double *const *rate);
/* one step of size h by the configured scheme */
void            fc_box3d_step(const fc_box3d *s, fc_box3d_work *k, double h);
int             fc_box3d_evaluations(int scheme); /* of the rate, a step */
fc_box3d_budget fc_box3d_measure(const fc_box3d *s, fc_box3d_work *k);
/* e[fc_box3d_shells]: energy of the modes with |k| nearest to 0, 1, .. in units of 2 pi/length; mean flow
   included, the sum is all energy */
int64_t fc_box3d_shells(const fc_box3d *s);
void    fc_box3d_spectrum(const fc_box3d *s, fc_box3d_work *k, double *e);

/* ---- between the parts ---- */

/* energy of the shell k (solvers/box3d_shape.c) */
double fc_box3d_shape(const fc_box3d_config *c, double k);
/* coefficients [2 mz] of row j of this rank's ky and number i of kx in an array of the state */
static inline double *fc_box3d_row(const fc_box3d *s, double *u, int64_t j, int64_t i) {
  return u + 2 * s->grid->mz * (j * s->grid->my + i);
}
/* modes kz = 0 .. that the dealiasing keeps in this row */
int64_t fc_box3d_kept(const fc_box3d *s, int64_t j, int64_t i);
int64_t fc_box3d_size(const fc_box3d *s); /* doubles in one component of the state */
/* the same with |k| <= forcing_band, mode 0 excepted */
int64_t fc_box3d_band(const fc_box3d *s, int64_t j, int64_t i);
/* k->lift of a flow u; the scaling after a step (solvers/box3d_force.c) */
void fc_box3d_lift(const fc_box3d *s, fc_box3d_work *k, double *const *u);
void fc_box3d_rescale(const fc_box3d *s, fc_box3d_work *k);
/* |u|^2/2 of the first n modes of a row, with those they stand for */
double fc_box3d_row_energy(const fc_box3d *s, double *const *u, int64_t j, int64_t i, int64_t n);
/* a row <- scale (row - k k.row/k^2), zero where modes are not kept */
void fc_box3d_project(const fc_box3d *s, int64_t j, int64_t i, double *const *row, double scale);
/* spectrum of the total pressure p + |u|^2/2 of the state, mean zero */
void fc_box3d_head(const fc_box3d *s, fc_box3d_work *k, double *head);
/* x[n] <- sums over the ranks */
void fc_box3d_sum(const fc_box3d *s, fc_box3d_work *k, double *x, int n);
/* what becomes of each row of the rate (it may be overwritten): stored, or used at once */
typedef void (*fc_box3d_use)(void *self, int64_t j, int64_t i, double *const *rate);
/* k->speed and k->enstrophy are of this rank; fc_box3d_agree makes the speed that of all, NaN after a failure
 */
void fc_box3d_evaluate(const fc_box3d *s, fc_box3d_work *k, double *const *u, fc_box3d_use use, void *self);
void fc_box3d_agree(const fc_box3d *s, fc_box3d_work *k);
/* a row of what is added up over points becomes one of the rate at u, and is used */
void fc_box3d_finish(const fc_box3d *s, fc_box3d_work *k, double *const *u, int64_t j, int64_t i,
                     double *const *row, fc_box3d_use use, void *self);
#endif
