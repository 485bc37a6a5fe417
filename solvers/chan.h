/* solvers/chan.h - incompressible flow between two walls at y = 0 and y = 2, periodic in x (streamwise) and z
   (spanwise), in double precision:
     u_t = -div(u u) - grad p + G e_x + nu lap u (+ div(2 nu_t S)),   div u = 0,   u = 0 at the walls.
   Fourier series in x and z, products on 3/2 as many points; second-order differences on a staggered grid in
   y (solvers/chan_grid.h). G is a constant, or what keeps the flow rate.

   Nonlinear term. With u^ = (u[f-1] + u[f])/2 at faces (plain means, whatever the spacing)
     N_u = -(u u - q)_x - (u w)_z - d(v u^)/dc,   N_w = -(u w)_x - (w w - q)_z - d(v w^)/dc,
     N_v = -(u^ v)_x - (w^ v)_z + v (u^_x + w^_z) - d(s - q)/df,   s[j] = (df[j] v[j]^2 + df[j+1] v[j+1]^2)/(4
   dc[j]), where u^_x + w^_z is replaced by its equal from continuity in the two cells, so that all of the
   last two terms of N_v are products of v alone. On even grids s and they join to the usual d(v^ v^).
   Multiplying by u, v, w, and adding up over cells and faces gives zero for any spacing: kinetic energy is
   conserved (v u_y against u v_x as in the rotational form, of which this is the difference from a discrete
   gradient). q = w w goes into the pressure, so 3 fields go to the grid and 5 products come back: uu - ww,
   uw, u^v, w^v, and the rest of N_v.

   Two real fields are one complex: (u + i w)^2 = uu - ww + 2 i uw, v (u^ + i w^), and faces f, f + 1 of the
   fifth product. So a plane takes four complex transforms instead of eight real ones, and FFTW's vector code.

   A rank has wave numbers kx for everything in y, and planes y for the products; solvers/chan_way.h goes
   between. A field of wave numbers is [kx of this rank, ny, (re, im), nk]; kx = 0 .. nx/2-1, -(nx/2-1) .. -1,
   kz = 0
   .. nk-1 = nz/2-1: the highest modes are left out. v[.., f] is the lower face of cell f; the wall's row 0 is
   zero, the upper wall is not stored. */
#ifndef FC_CHAN_H
#define FC_CHAN_H
#include "core/options.h"
#include "hpc/comm.h"
#include "solvers/chan_fft.h"
#include "solvers/chan_grid.h"
#include "solvers/chan_way.h"

typedef enum { FC_CHAN_LAMINAR, FC_CHAN_NOISE, FC_CHAN_ORR_SOMMERFELD } fc_chan_initial;
typedef enum { FC_CHAN_PARABOLA, FC_CHAN_REICHARDT } fc_chan_mean;
typedef enum { FC_CHAN_AT_CENTRES, FC_CHAN_AT_NODES } fc_chan_points;

typedef struct fc_chan_config {
  int64_t nx, ny, nz;
  double  length_x, length_z;
  int     map; /* fc_chan_map */
  double  stretch, nu, bulk, re_tau;
  double  dt, cfl, t_skip, frame_dt;
  int64_t frames, n_traj, first_traj, seed;
  int     initial, mean;
  double  noise;
  int64_t noise_modes;
  int     points; /* fc_chan_points of frames */
  int64_t nx_keep, nz_keep, y_stride;
  char    history[FC_TEXT], statistics[FC_TEXT];
  double  stats_from, stats_every;
  bool    accurate;
  int     fft;                        /* 0 estimate, 1 measure */
  int     sgs, test_filter, sgs_clip; /* fc_sgs_model, fc_sgs_filter_kind, fc_sgs_clip */
  double  sgs_constant;
} fc_chan_config;

enum { FC_CHAN_U, FC_CHAN_V, FC_CHAN_W, FC_CHAN_P, FC_CHAN_STATE, FC_CHAN_MOST_Y = 8192 };

struct fc_chan_cells;
typedef struct fc_chan_sgs fc_chan_sgs; /* solvers/chan_sgs.h */

typedef struct fc_chan {
  fc_chan_config c;
  const fc_comm *comm; /* NULL: all ranks */
  fc_chan_grid  *grid;
  fc_chan_fft   *fft;
  fc_chan_way   *way;
  int64_t        nkx, nk;                        /* wave numbers along x and z */
  int64_t        row;                            /* 2 nk */
  int64_t        k_lo, k_n;                      /* kx of this rank */
  int64_t        y_lo, y_n;                      /* cells, with their lower faces, of this rank */
  double        *kx, *kz;                        /* [nkx], [nk] */
  double        *state[FC_CHAN_STATE], *old[3];  /* u, v, w, p; N of the substep before */
  double        *product[FC_CHAN_PRODUCTS];      /* [y_n, k_n, row] what stays with this rank */
  int64_t        tasks, column_size, plane_size; /* scratch: one piece a task */
  double        *columns, *planes;
  double        *top;   /* [y_n, 2] largest speed of a plane and a sum that shows NaN */
  double        *sums;  /* [k_n, ny + 1] of fc_chan_measure */
  double        *ones;  /* [ny] */
  double         speed; /* max |u|/dx + |v|/dy + |w|/dz at the last evaluation, 1/time; NaN if the field is */
  double         push;  /* G, mean over the last step, on the rank that has kx = 0 */
  double         time;
  fc_status      status; /* first failure of a message */
  /* large-eddy simulation (solvers/chan_eddy.h) */
  void (*model)(void *self, const struct fc_chan *s, const struct fc_chan_cells *p, double *nu_t);
  void        *model_self;
  double      *nu_t;                        /* [y_n + 2, mx mz] from cell y_lo - 1 on; NULL: no model */
  double      *views, *eddy_block, *drains; /* scratch; [y_n] sums of 2 nu_t S:S */
  double      *shear;                       /* [y_n] <2 nu_t S_xy> at lower faces, at the last products */
  bool         hold;                        /* products take nu_t as it is */
  int64_t      view_size;
  fc_chan_sgs *sgs;   /* the model made by the configuration, NULL: none */
  double       drain; /* energy that nu_t takes, at the last products, of all ranks */
  double      *block;
} fc_chan;

typedef struct fc_chan_budget {
  double energy;     /* mean of |u|^2/2 */
  double bulk, push; /* mean of u; pressure gradient G over the last step */
  double shear[2];   /* nu du/dy into the lower and upper wall */
  double divergence; /* largest root mean square of a plane */
} fc_chan_budget;

/* c must have passed the check of the solver; comm NULL: all ranks. Collective. FC_E_SYSTEM: no memory. */
fc_status fc_chan_create(const fc_chan_config *c, const fc_comm *comm, fc_chan **out);
void      fc_chan_destroy(fc_chan *s);
double    fc_chan_bytes(const fc_chan_config *c); /* of this rank, for plans */

/* Initial field number traj: the same modes on every grid and for any number of ranks. s->status:
   FC_E_NUMERIC if there is no eigenfunction. Collective. */
void fc_chan_start(fc_chan *s, int64_t traj);
/* makes the state free of divergence and finds its pressure; after any change of it by others */
void fc_chan_settle(fc_chan *s);

/* ---- one step, and its parts ---- */

/* One step of size h: Wray's third-order low-storage Runge-Kutta, Crank-Nicolson in nu, a projection a
   substep. Collective. s->speed is then that at the beginning: NaN if the field is, or if a message failed
   (s->status). */
void           fc_chan_step(fc_chan *s, double h);
fc_chan_budget fc_chan_measure(fc_chan *s); /* collective, the same on all ranks */

/* All that later steps depend on, as numbers of this rank: the first substep needs no products of the past.
 */
int64_t fc_chan_kept(const fc_chan *s);
void    fc_chan_keep(const fc_chan *s, double *x);
void    fc_chan_restore(fc_chan *s, const double *x);

/* chan_rate.c: products of the state, and its speed. Collective. */
void fc_chan_products(fc_chan *s);
/* chan_solve.c, at the wave numbers of this rank, products having come: state += g N + z N_old + a (G - grad
   p + nu (lap old + lap new)/2), made free of divergence. Returns G on the rank that has kx = 0, else 0. */
double  fc_chan_advance(fc_chan *s, double g, double z, double a);
void    fc_chan_project(fc_chan *s);       /* takes the divergence from the state */
void    fc_chan_find_pressure(fc_chan *s); /* p of the state, products having come */
int64_t fc_chan_column_size(const fc_chan *s), fc_chan_plane_size(const fc_chan *s); /* scratch of a task */
#endif
