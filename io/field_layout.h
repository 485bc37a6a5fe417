/* io/field_layout.h - private to io/field*.c: how a layout tells the reader what is where.
   A layout only finds data sets and says what each of their axes means; reading, striding,
   broadcasting and transposing are written once (io/field_read.c). */
#ifndef FC_FIELD_LAYOUT_H
#define FC_FIELD_LAYOUT_H
#include "io/hdf5_util.h"

enum { FC_VAR_PATH = 192, FC_FIELD_VARS = 2 * FC_FIELD_CHANNELS };

/* One data set. Its axes, one letter each in the order on disk:
   b trajectory, t time, x y z space, c component, 1 an axis of length one to be ignored.
   A missing x, y or z means that the field does not change along it: it is broadcast. */
typedef struct fc_var {
  char    path[FC_VAR_PATH];
  char    axes[FC_H5_RANK + 1];
  int64_t dim[FC_H5_RANK];
  int     n_comp;
  bool    packed, has_missing; /* NetCDF: value = raw * scale + offset; raw == missing becomes NaN */
  double  scale, offset, missing;
} fc_var;

/* What is in one file. info.channel[i].field and info.constant[i].field are indices into var. */
typedef struct fc_field_map {
  fc_field_info info;
  int           n_vars;
  fc_var        var[FC_FIELD_VARS];
  char          time[FC_VAR_PATH];      /* data set of times, (T) or (B, T); "" if there is none */
  char          points[3][FC_VAR_PATH]; /* data sets of coordinates; "" where there is none */
  char          params[FC_NAME]; /* where vectors of one parameter for each trajectory are: "scalars/" */
  bool          grouped;         /* paths are below a group of each trajectory */
  char (*group)[FC_NAME];        /* [n_traj], owned */
} fc_field_map;

typedef struct fc_layout_def {
  fc_layout layout;
  bool (*match)(hid_t file);
  fc_status (*describe)(hid_t file, const char *path, fc_field_map *m);
} fc_layout_def;
extern const fc_layout_def fc_layout_well, fc_layout_pdebench_tensor, fc_layout_pdebench_darcy,
    fc_layout_pdebench_cfd, fc_layout_pdebench_groups, fc_layout_pdebench_incompressible,
    fc_layout_fourcastnet, fc_layout_netcdf, fc_layout_plain;

/* ---- for describe functions ---- */
/* Adds a data set and its channels. rank: 0 scalar, 1 vector (one component per space axis), 2 tensor;
   scalars with more than one component are numbered. Sizes must agree with what is known so far; sizes not
   known yet (0) are taken from it. at: the file, or the first trajectory's group. */
fc_status fc_map_add(fc_field_map *m, hid_t at, const char *path, const char *data_set, const char *axes,
                     const char *name, int rank, bool constant);
/* Coordinates along axis a: length (taken if not known yet; else at least that long), ends, unit, and whether
   their steps are even. */
fc_status fc_map_axis(fc_field_map *m, hid_t at, const char *path, int a, const char *data_set);
/* Times of the first trajectory give dt; n_steps is taken from it if not known yet. */
fc_status fc_map_time(fc_field_map *m, hid_t at, const char *path, const char *data_set);
/* silently full at FC_FIELD_PARAMS */
void fc_map_param(fc_field_map *m, const char *name, double value, bool by_traj);
void fc_map_params_from_attributes(fc_field_map *m, hid_t at); /* every scalar number */
void fc_map_name_from_path(fc_field_map *m, const char *path);
/* what every layout needs at the end: sizes complete and plausible, at least one channel */
fc_status fc_map_check(fc_field_map *m, const char *path);

const fc_layout_def *fc_layout_find(hid_t file); /* by content; NULL: none of ours */
fc_status fc_map_create(hid_t file, const char *path, fc_field_map **out); /* finds the layout, describes */
void      fc_map_destroy(fc_field_map *m);
/* FC_E_INPUT unless b can follow a in one data set: same layout, grid, channels */
fc_status fc_map_agree(const fc_field_map *a, const char *path_a, const fc_field_map *b, const char *path_b);
#endif
