/* io/field.h - gridded fields from HDF5, whatever the layout: The Well (and our own files,
   which are Well files with units), PDEBench A-E, FourCastNet-like, NetCDF-4 and bare data sets.
   Readers stream hyperslabs: memory is what the caller asks for, never a data set.
   Standard order everywhere: [trajectory, time, X(, Y(, Z)), channel], row-major. */
#ifndef FC_FIELD_H
#define FC_FIELD_H
#include "core/base.h"

enum { FC_FIELD_CHANNELS = 64, FC_FIELD_PARAMS = 32, FC_NAME = 64 };

typedef enum {
  FC_LAYOUT_WELL,                    /* The Well; ours when it carries fieldcast_version */
  FC_LAYOUT_PDEBENCH_TENSOR,         /* A: 'tensor' of rank 3 (1-D scalar) */
  FC_LAYOUT_PDEBENCH_DARCY,          /* B: 'tensor' of rank 4 and 'nu' */
  FC_LAYOUT_PDEBENCH_CFD,            /* C: 'density', 'pressure', 'Vx', ... */
  FC_LAYOUT_PDEBENCH_GROUPS,         /* D: groups '0000', '0001', ... */
  FC_LAYOUT_PDEBENCH_INCOMPRESSIBLE, /* E: 'velocity', 'particles', 'force', 't' */
  FC_LAYOUT_FOURCASTNET,             /* 'fields' (T, C, H, W) */
  FC_LAYOUT_NETCDF,                  /* NetCDF-4 with dimension scales */
  FC_LAYOUT_PLAIN                    /* bare data sets at the root, vectors x, y, z, t */
} fc_layout;

typedef struct fc_channel {
  char name[FC_NAME];          /* "vorticity", "velocity_x", "stress_xy" */
  char unit[FC_NAME];          /* "" if the file does not say */
  int  field, rank, component; /* which field it belongs to, tensor rank of that field, component */
} fc_channel;

typedef struct fc_field_info {
  fc_layout   layout;
  const char *layout_name;   /* "The Well", "PDEBench C (compressible Navier-Stokes)", ... */
  char        name[FC_NAME]; /* of the data set */
  int         n_files;
  int64_t     n_traj, n_steps; /* n_steps of the shortest trajectory; 1 for steady data */
  int         ndim;
  int64_t     dim[3];
  char        axis[3][FC_NAME];
  double      lo[3], hi[3]; /* first and last coordinate; NaN if the file does not say */
  bool        uniform[3];   /* unless the file stores coordinates whose steps differ: fc_field_points */
  bool        periodic[3], wall[3];
  double      dt; /* time between frames; NaN if unknown or not uniform */
  char        time_unit[FC_NAME], space_unit[FC_NAME];
  int         n_channels; /* time-varying */
  fc_channel  channel[FC_FIELD_CHANNELS];
  int         n_constant; /* constant in time: masks, coefficients, inputs of steady problems */
  fc_channel  constant[FC_FIELD_CHANNELS];
  int         n_params; /* simulation parameters of the first trajectory */
  struct {
    char   name[FC_NAME];
    double value;
    bool   by_traj; /* the file holds one value for each trajectory */
  } param[FC_FIELD_PARAMS];
} fc_field_info;

typedef struct fc_field fc_field;

/* path: a file, a folder of *.hdf5 / *.h5 (sorted by name; a Well data set folder works with data/train),
   or a glob pattern. All files must agree in layout, resolution and channels. FC_E_INPUT otherwise. */
fc_status            fc_field_open(const char *path, fc_field **out);
const fc_field_info *fc_field_about(const fc_field *f);
void                 fc_field_close(fc_field *f);                     /* NULL is fine */
int64_t              fc_field_steps(const fc_field *f, int64_t traj); /* may differ by file */

/* x[nt, X', Y', Z', C]: frames t0, t0 + t_stride, ...; every space_stride[a]-th point of axis a from 0
   (NULL: all), channels pick[0..n_pick-1] (NULL: all n_channels). FC_E_INPUT names file and data set. */
fc_status fc_field_read(fc_field *f, int64_t traj, int64_t t0, int64_t nt, int64_t t_stride,
                        const int64_t *space_stride, int n_pick, const int *pick, fc_real *x);
/* x[X', Y', Z', n_constant]; fields missing an axis are broadcast along it */
fc_status fc_field_read_constant(fc_field *f, int64_t traj, const int64_t *space_stride, int n_pick,
                                 const int *pick, fc_real *x);
/* in time_unit; frame numbers if the file stores no times */
fc_status fc_field_times(fc_field *f, int64_t traj, int64_t t0, int64_t nt, double *t);
/* x[dim[axis]], of the whole axis whatever share is read, in space_unit: as the first file stores them;
   evenly from lo to hi, or numbers of points, where it stores none */
fc_status fc_field_points(fc_field *f, int axis, double *x);
/* parameters pick[0..n-1] (indices into param) of a trajectory: they may differ by file, by group, or, where
   the file stores one value for each trajectory, by that. FC_E_INPUT if the trajectory's file does not have
   one. */
fc_status fc_field_params(fc_field *f, int64_t traj, int n, const int *pick, double *out);
/* name -> index in param; -1 if unknown */
int fc_field_param(const fc_field_info *i, const char *name);
/* name -> index in channel (or constant); -1 if unknown */
int fc_field_channel(const fc_field_info *i, const char *name, bool constant);
/* From now on reads give points lo .. lo + n - 1 of the first axis, counted after space_stride, and nothing
   else: a rank's share. n = 0: all again. */
void fc_field_share(fc_field *f, int64_t lo, int64_t n);
/* text attribute of the first file ("solver", "config", ...), "" if absent; valid until close */
const char *fc_field_text(fc_field *f, const char *attribute);

/* Streaming statistics per channel (The Well's stats.yaml): population moments over trajectories,
   time and space; *_delta of x[t+1] - x[t]. Non-finite values are an error that names where. */
typedef struct fc_field_stats {
  int     n_channels;
  double  mean[FC_FIELD_CHANNELS], std[FC_FIELD_CHANNELS], rms[FC_FIELD_CHANNELS];
  double  mean_delta[FC_FIELD_CHANNELS], std_delta[FC_FIELD_CHANNELS], rms_delta[FC_FIELD_CHANNELS];
  double  min[FC_FIELD_CHANNELS], max[FC_FIELD_CHANNELS];
  int64_t frames;
} fc_field_stats;
/* trajectories lo..hi-1, of a share if there is one; progress may be NULL */
fc_status fc_field_statistics(fc_field *f, int64_t lo, int64_t hi, const int64_t *space_stride,
                              void (*progress)(void *, int64_t done, int64_t total), void *user,
                              fc_field_stats *out);
#endif
