/* io/field_well.c - The Well's layout (Ohana et al. 2024), which is also ours.
   Groups dimensions, boundary_conditions, scalars, t0_fields, t1_fields, t2_fields; each field says in
   attributes along which of sample, time and space it varies, and has its axes in that order, components
   last. */
#include "io/field_layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const groups[3] = {"t0_fields", "t1_fields", "t2_fields"};

static bool match(hid_t file) {
  for (int r = 0; r < 3; r++)
    if (fc_h5_what(file, groups[r]) == FC_H5_GROUP) return true;
  return false;
}

static fc_status dimensions(hid_t file, const char *path, fc_field_map *m) {
  char        name[FC_VAR_PATH], names[4][FC_NAME];
  const hid_t g = H5Gopen2(file, "dimensions", H5P_DEFAULT);
  const int   n = g < 0 ? -1 : fc_h5_texts(g, "spatial_dims", 4, names);

  fc_h5_close(g);
  FC_REQUIRE(g >= 0, FC_E_INPUT, "%s: a Well file without the group 'dimensions'", path);
  FC_REQUIRE(n > 0, FC_E_INPUT, "%s: group 'dimensions' has no readable attribute spatial_dims", path);
  FC_REQUIRE(n <= 3, FC_E_INPUT, "%s: %d or more space axes; 1 to 3 are possible", path, n);
  m->info.ndim = n;
  memcpy(m->info.axis, names, (size_t)n * sizeof names[0]);
  for (int a = 0; a < n; a++) {
    snprintf(name, sizeof name, "dimensions/%.63s", names[a]);
    FC_TRY(fc_map_axis(m, file, path, a, name));
  }
  return FC_OK;
}

/* "b" "t" "x".. "c".. from the attributes; a missing flag means true, as in every published set */
static void axes_of(hid_t field, int ndim, int rank, bool *time_varying, char axes[FC_H5_RANK + 1]) {
  bool sample = true, along[FC_H5_RANK] = {true, true, true};
  int  n = 0;

  *time_varying = true;
  fc_h5_flag(field, "sample_varying", &sample);
  fc_h5_flag(field, "time_varying", time_varying);
  fc_h5_flags(field, "dim_varying", ndim, along);
  if (sample) axes[n++] = 'b';
  if (*time_varying) axes[n++] = 't';
  for (int a = 0; a < ndim; a++)
    if (along[a]) axes[n++] = (char)('x' + a);
  for (int k = 0; k < rank; k++) axes[n++] = 'c';
  axes[n] = 0;
}

static fc_status field(hid_t file, const char *path, fc_field_map *m, int rank, const char *name) {
  char data_set[FC_VAR_PATH], axes[FC_H5_RANK + 1];
  bool time_varying;

  snprintf(data_set, sizeof data_set, "%s/%.63s", groups[rank], name);
  FC_REQUIRE(fc_h5_what(file, data_set) == FC_H5_DATASET, FC_E_INPUT,
             "%s: group '%s' lists the field '%s', which is not there", path, groups[rank], name);
  const hid_t id = H5Dopen2(file, data_set, H5P_DEFAULT);
  FC_REQUIRE(id >= 0, FC_E_INPUT, "%s: data set '%s' cannot be opened; the file is damaged", path, data_set);
  axes_of(id, m->info.ndim, rank, &time_varying, axes);
  fc_h5_close(id);
  return fc_map_add(m, file, path, data_set, axes, name, rank, !time_varying);
}

static fc_status fields(hid_t file, const char *path, fc_field_map *m, int rank) {
  char names[FC_FIELD_CHANNELS][FC_NAME];

  if (fc_h5_what(file, groups[rank]) != FC_H5_GROUP) return FC_OK;
  const hid_t g = H5Gopen2(file, groups[rank], H5P_DEFAULT);
  const int   n = g < 0 ? -1 : fc_h5_texts(g, "field_names", FC_FIELD_CHANNELS, names);
  fc_h5_close(g);
  FC_REQUIRE(n >= 0, FC_E_INPUT, "%s: group '%s' has no readable attribute field_names", path, groups[rank]);
  for (int i = 0; i < n; i++) FC_TRY(field(file, path, m, rank, names[i]));
  return FC_OK;
}

/* Parameters: the root attributes listed, and scalars that are one number, or one for each trajectory. */
static void parameters(hid_t file, const char *path, fc_field_map *m) {
  char   names[FC_FIELD_PARAMS][FC_NAME], data_set[FC_VAR_PATH];
  double x;
  int    n = fc_h5_texts(file, "simulation_parameters", FC_FIELD_PARAMS, names);

  for (int i = 0; i < n; i++)
    if (fc_h5_real(file, names[i], &x)) fc_map_param(m, names[i], x, false);
  if (fc_h5_what(file, "scalars") != FC_H5_GROUP) return;
  const hid_t g = H5Gopen2(file, "scalars", H5P_DEFAULT);
  n             = fc_h5_texts(g, "field_names", FC_FIELD_PARAMS, names);
  fc_h5_close(g);
  for (int i = 0; i < n; i++) {
    hid_t   id;
    int     rank;
    int64_t dim[FC_H5_RANK];
    snprintf(data_set, sizeof data_set, "scalars/%.63s", names[i]);
    if (fc_h5_numbers(file, path, data_set, &id, &rank, dim) != FC_OK) continue;
    fc_h5_close(id);
    const bool by_traj = rank == 1 && dim[0] == m->info.n_traj && dim[0] > 1;
    if ((rank == 0 || (rank == 1 && dim[0] == 1) || by_traj) &&
        fc_h5_row(file, path, data_set, 0, 0, 1, &x) == FC_OK)
      fc_map_param(m, names[i], x, by_traj);
  }
}

/* A condition holds at an edge where its mask is true; without a readable mask its type is believed. */
static bool at_an_edge(hid_t file, const char *path, const char *name, int64_t n) {
  char   mask[FC_VAR_PATH];
  double first = 1, last = 1;

  snprintf(mask, sizeof mask, "boundary_conditions/%s/mask", name);
  if (fc_h5_row(file, path, mask, 0, 0, 1, &first) != FC_OK) return true;
  if (fc_h5_row(file, path, mask, 0, n - 1, 1, &last) != FC_OK) return true;
  return first != 0 || last != 0;
}

typedef struct boundary {
  hid_t         file;
  const char   *path;
  fc_field_map *m;
} boundary;

static bool condition(void *user, hid_t at, const char *name) {
  const boundary *b             = user;
  fc_field_info  *i             = &b->m->info;
  char            type[FC_NAME] = "", dims[3][FC_NAME];

  if (fc_h5_what(at, name) != FC_H5_GROUP || strlen(name) >= FC_NAME) return true;
  const hid_t g = H5Gopen2(at, name, H5P_DEFAULT);
  fc_h5_text(g, "bc_type", type, sizeof type);
  const int n = fc_h5_texts(g, "associated_dims", 3, dims);
  fc_h5_close(g);
  bool *is = !strcasecmp(type, "periodic") ? i->periodic : !strcasecmp(type, "wall") ? i->wall : NULL;
  for (int k = 0; is && k < n; k++)
    for (int a = 0; a < i->ndim; a++)
      if (!strcmp(dims[k], i->axis[a]) && (n > 1 || at_an_edge(b->file, b->path, name, i->dim[a])))
        is[a] = true;
  return true;
}

static void boundaries(hid_t file, const char *path, fc_field_map *m) {
  boundary b = {file, path, m};

  if (fc_h5_what(file, "boundary_conditions") != FC_H5_GROUP) return;
  const hid_t g = H5Gopen2(file, "boundary_conditions", H5P_DEFAULT);
  fc_h5_each(g, condition, &b);
  fc_h5_close(g);
}

static fc_status describe(hid_t file, const char *path, fc_field_map *m) {
  double n;

  m->info.layout_name = H5Aexists(file, "fieldcast_version") > 0 ? "fieldcast (The Well layout)" : "The Well";
  if (!fc_h5_text(file, "dataset_name", m->info.name, FC_NAME)) fc_map_name_from_path(m, path);
  FC_TRY(dimensions(file, path, m));
  for (int rank = 0; rank < 3; rank++) FC_TRY(fields(file, path, m, rank));
  if (m->info.n_traj == 0 && fc_h5_real(file, "n_trajectories", &n) && n >= 1 && n < 1e12)
    m->info.n_traj = (int64_t)n;
  if (fc_h5_what(file, "dimensions/time") == FC_H5_DATASET)
    FC_TRY(fc_map_time(m, file, path, "dimensions/time"));
  parameters(file, path, m);
  boundaries(file, path, m);
  return FC_OK;
}

const fc_layout_def fc_layout_well = {FC_LAYOUT_WELL, match, describe};
