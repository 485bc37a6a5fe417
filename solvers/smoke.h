/* solvers/smoke.h - smoke that rises in a closed box, in two or three dimensions:
     s_t + u.grad s = 0,   u_t + u.grad u = -grad p + nu lap u + b s e,   div u = 0,
   e along the last axis; no flux and u = 0 at the walls (one of them may slide). Smoke lives at the centres
   of cells, components of the velocity at the centres of faces (staggered: Harlow and Welch, Phys. Fluids 8
   (1965)). Everything in double precision. Two schemes:
     semi_lagrangian  that of the published data sets (PhiFlow): values are fetched by one Euler step back
   along the old velocity, linearly interpolated; then buoyancy, explicit diffusion, projection. First order
   in time, second in space with a diffusion of about dx^2 / dt, nothing is conserved. The values half a cell
   outside of a wall are those of the wall. volumes          fluxes: central ones for momentum, which make no
   energy, limited upwind ones of third order for smoke (Koren 1993), which keep the total and make no new
   extremes; three stages of Runge and Kutta (Shu and Osher, J. Comput. Phys. 77 (1988)), each of them
   projected. Second order. Arrays have axes 0, 1, 2 of which flows in two dimensions use the last two, and a
   border of one value: [p0, p1, p2], p = n + 2 (1 for an axis that is not used). Cell c is at index c + 1; of
   component a, face f is at index f along axis a, between cells f - 1 and f; faces 0 and n are walls. */
#ifndef FC_SMOKE_H
#define FC_SMOKE_H
#include "solvers/cosine.h"
#include "solvers/evolve.h"

typedef enum { FC_SMOKE_SEMI_LAGRANGIAN, FC_SMOKE_VOLUMES } fc_smoke_scheme;
typedef enum { FC_SMOKE_NOISE, FC_SMOKE_NONE } fc_smoke_initial;
enum {
  FC_SMOKE = 3,
  FC_SMOKE_FIELDS,
  FC_SMOKE_TILE = 256
}; /* velocities are fields 0 to 2; numbers at a time */

typedef struct fc_smoke_config {
  int64_t nx, ny, nz; /* cells; nz = 0: two dimensions */
  double  lx, ly, lz; /* sides of the box */
  double  nu, buoyancy, lid;
  int     scheme;
  double  dt, cfl, t_skip, frame_dt;
  int64_t frames, n_traj, first_traj, seed;
  int     initial;
  double  scale, smoothness; /* of the noise */
  bool    accurate;
  int     fft; /* 0 estimate, 1 measure */
} fc_smoke_config;

typedef struct fc_smoke { /* what all trajectories share */
  fc_smoke_config     c;
  int                 ndim, first;         /* the first axis that is used: 3 - ndim */
  int64_t             n[3], p[3], step[3]; /* cells; with borders; from a value to the next along an axis */
  int64_t             rows, cells, size;   /* rows of cells along axis 2; numbers of an array */
  double              dx[3], finest, volume;
  double             *eigen[3]; /* of minus the second difference along an axis, by cosine mode */
  fc_cosine          *cosine[3];
  struct fftw_plan_s *noise;
  double             *block;
} fc_smoke;

typedef struct fc_smoke_work { /* what one trajectory needs; nothing is allocated in the time loop */
  const fc_smoke *s;
  double         *now[FC_SMOKE_FIELDS];     /* the state; [FC_SMOKE]: smoke */
  double         *next[2][FC_SMOKE_FIELDS]; /* the second one with volumes only */
  double         *pressure;                 /* [cells] */
  double         *work;                     /* of cosine transforms */
  double         *row[4];                   /* a result a row, joined in order */
  double          start;                    /* total of smoke at the beginning */
  bool            frozen;                   /* carry smoke in the velocity as it is (tests) */
  double         *block;
} fc_smoke_work;

/* nx, ny, nz of a flow in two dimensions, accurate = volumes, and the step that a scheme can take */
fc_smoke_config fc_smoke_resolve(const fc_smoke_config *c);
fc_status       fc_smoke_check(const fc_smoke_config *c); /* FC_E_USAGE: options that do not fit together */
fc_status       fc_smoke_create(const fc_smoke_config *c, fc_smoke **out);
void            fc_smoke_destroy(fc_smoke *s);
fc_status       fc_smoke_work_create(const fc_smoke *s, fc_smoke_work **out);
void            fc_smoke_work_destroy(fc_smoke_work *w);
int64_t         fc_smoke_bytes(const fc_smoke_config *c); /* of one trajectory */

/* |noise| at rest, number traj of the configuration: waves exp(2 pi i m.x / L) of random complex amplitude
   times q^(-2 smoothness), q^2 = sum (scale m / L)^2 > 0.1; real part, divided by its standard deviation. The
   numbers of a wave depend on (seed, traj, m) alone. */
void fc_smoke_start(fc_smoke_work *w, int64_t traj);
/* smoke, then velocity components on the lower faces of each cell: x[X, Y(, Z), 1 + ndim]. The upper faces of
   the last cells are walls. */
void fc_smoke_set(fc_smoke_work *w, const fc_real *x);
void fc_smoke_values(const fc_smoke_work *w, fc_real *x);

void   fc_smoke_step(fc_smoke_work *w, double h);
void   fc_smoke_step_back(fc_smoke_work *w, double h);            /* semi_lagrangian */
void   fc_smoke_step_volumes(fc_smoke_work *w, double h);         /* volumes */
void   fc_smoke_borders(const fc_smoke *s, int field, double *x); /* values beyond the walls */
void   fc_smoke_project(fc_smoke_work *w, double *const *u); /* takes the divergence out of u, at faces */
double fc_smoke_divergence(fc_smoke_work *w);                /* the largest of w->now */
/* w such that a step of cfl dx / w moves nothing by more than cfl cells: the largest sum |u| over axes, and
   what buoyancy adds within the step. Not finite when the field is not. */
double fc_smoke_speed(fc_smoke_work *w);
double fc_smoke_total(fc_smoke_work *w);  /* integral of smoke */
double fc_smoke_energy(fc_smoke_work *w); /* integral of |u|^2 / 2 */

/* fc_solver_def.run and advance; c as it was configured */
fc_status fc_smoke_run(const fc_smoke_config *c, const fc_audience *to);
fc_status fc_smoke_advance(const fc_smoke_config *c, const int64_t *dim, const fc_real *x, double t0,
                           double frame_dt, int64_t n, fc_frame_sink sink, void *user);
fc_evolve fc_smoke_evolve(const fc_smoke_config *c); /* of a resolved configuration */
int       fc_smoke_lanes(const fc_smoke_config *c);

/* index of the first cell of row r */
static inline int64_t fc_smoke_row(const fc_smoke *s, int64_t r) {
  return ((r / s->n[1] + (s->ndim == 3)) * s->p[1] + r % s->n[1] + 1) * s->p[2] + 1;
}

/* how many values of a field, from that index on, are not on a wall (the upper faces of these cells) */
static inline int64_t fc_smoke_inside(const fc_smoke *s, int field, int64_t r) {
  if (field == 0 && r / s->n[1] == s->n[0] - 1) return 0;
  if (field == 1 && r % s->n[1] == s->n[1] - 1) return 0;
  return s->n[2] - (field == 2);
}
#endif
