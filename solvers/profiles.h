/* solvers/profiles.h - statistics of a channel flow between two walls: means over planes parallel to them and
   over time. Solvers add the planes they have, readers of files all of them.
   Second moments are taken about the plane's mean in the first sample and moved to the final mean at the end,
   so that small fluctuations of a fast flow keep their digits. */
#ifndef FC_PROFILES_H
#define FC_PROFILES_H
#include "hpc/comm.h"
#include "solvers/estimates.h"

enum { FC_PROFILE_SPECTRA = 8 };

/* A further mean square of each sample, of which the root is reported over U_b, times h if per_length is 1.
 */
typedef struct fc_profile_extra {
  const char *name, *definition;
  int         per_length;
} fc_profile_extra;

typedef struct fc_profiles_spec {
  int64_t       nx, ny, nz;
  double        lx, lz;
  const double *y;                           /* [ny] rising, copied; walls may lie on its ends or outside */
  double        wall[2];                     /* where the walls are; there the velocity is zero */
  int           n_spectra;                   /* planes of which spectra are taken */
  double        spectra[FC_PROFILE_SPECTRA]; /* their distances from the wall over the half width, 0 to 1: the
                                                nearest plane, and its mirror image where that exists */
  bool             pressure, model;          /* are there pressures; eddy viscosities and modelled stresses */
  int              n_extra;
  fc_profile_extra extra[4];
  bool shared; /* ranks of the group have some of the planes each, and add them up in every sample */
  const fc_comm *ranks;
} fc_profiles_spec;

typedef struct fc_profiles fc_profiles;

fc_status fc_profiles_create(const fc_profiles_spec *spec, fc_profiles **out);
void      fc_profiles_destroy(fc_profiles *p);

/* Plane j of the sample: u, v, w [nx, nz]; may be NULL: pressure, eddy viscosity nu_t, modelled shear stress
   nu_t (du/dy + dv/dx). Neither fails nor allocates. */
void fc_profiles_plane(fc_profiles *p, int64_t j, const double *u, const double *v, const double *w,
                       const double *pressure, const double *nu_t, const double *stress);
void fc_profiles_extra(fc_profiles *p, int i, double mean_square);
/* all planes are there: the next sample may begin. Collective if shared. */
fc_status fc_profiles_sample(fc_profiles *p);

/* the whole state as doubles, for restarts; of shared profiles the same on all ranks */
int64_t fc_profiles_state(const fc_profiles *p);
void    fc_profiles_keep(const fc_profiles *p, double *x);
void    fc_profiles_restore(fc_profiles *p, const double *x);

typedef struct fc_profiles_use {
  double nu;         /* kinematic viscosity; 0: unknown, then nothing in wall units is reported */
  bool   halves;     /* the mean of both halves, wall to centre; needs a grid that is its own mirror image */
  bool   first_node; /* wall shear nu U_1 / y_1 of the first point, as some published tables have it; else
                        from the parabola through the wall and two points */
  const char *velocity_unit, *length_unit;
} fc_profiles_use;
/* FC_E_USAGE: halves are asked for and the grid has none */
fc_status fc_profiles_report(const fc_profiles *p, const fc_profiles_use *use, fc_statistics *out);
bool      fc_profiles_symmetric(int64_t ny, const double *y, const double wall[2]);
#endif
