/* io/field_pdebench.c - the five layouts of PDEBench (Takamoto et al. 2022). Files are told apart by
   content: the same extension is used for several. Time comes first on disk; t-coordinate has one entry too
   many (edges of steps), of which the first T count. Boundary conditions are only in file names. */
#include "io/field_layout.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const axis_names[3] = {"x", "y", "z"};

static bool has(hid_t file, const char *name) { return fc_h5_what(file, name) == FC_H5_DATASET; }

static int rank_of(hid_t file, const char *name) {
  int     rank = -1;
  int64_t dim[FC_H5_RANK];
  hid_t   id;

  if (fc_h5_numbers(file, "", name, &id, &rank, dim) != FC_OK) return -1;
  fc_h5_close(id);
  return rank;
}

static void grid(fc_field_map *m, const char *path, int ndim) {
  fc_map_name_from_path(m, path);
  m->info.ndim = ndim;
  for (int a = 0; a < ndim && a < 3; a++) snprintf(m->info.axis[a], FC_NAME, "%s", axis_names[a]);
}

/* x-coordinate, ..., t-coordinate, where they are there */
static fc_status coordinates(hid_t file, const char *path, fc_field_map *m, bool time) {
  char name[FC_NAME + 16];

  for (int a = 0; a < m->info.ndim; a++) {
    snprintf(name, sizeof name, "%s-coordinate", axis_names[a]);
    if (has(file, name)) FC_TRY(fc_map_axis(m, file, path, a, name));
  }
  if (time && has(file, "t-coordinate")) FC_TRY(fc_map_time(m, file, path, "t-coordinate"));
  fc_map_params_from_attributes(m, file);
  return FC_OK;
}

/* ---- A: tensor (B, T, X) ---- */
static bool match_tensor(hid_t file) { return has(file, "tensor") && !has(file, "nu"); }

static fc_status describe_tensor(hid_t file, const char *path, fc_field_map *m) {
  const int rank = rank_of(file, "tensor");

  FC_REQUIRE(rank == 3, FC_E_INPUT, "%s: PDEBench 'tensor' without 'nu' should have 3 axes (B, T, X), not %d",
             path, rank);
  m->info.layout_name = "PDEBench A (1-D scalar)";
  grid(m, path, 1);
  FC_TRY(fc_map_add(m, file, path, "tensor", "btx", "tensor", 0, false));
  return coordinates(file, path, m, true);
}

/* ---- B: tensor (B, 1, X, Y) is the solution, nu (B, X, Y) the coefficient ---- */
static bool match_darcy(hid_t file) { return has(file, "tensor") && has(file, "nu"); }

static fc_status describe_darcy(hid_t file, const char *path, fc_field_map *m) {
  m->info.layout_name = "PDEBench B (Darcy flow)";
  grid(m, path, 2);
  m->info.n_steps = 1;
  FC_TRY(fc_map_add(m, file, path, "tensor", "btxy", "tensor", 0, false));
  FC_TRY(fc_map_add(m, file, path, "nu", "bxy", "nu", 0, true));
  return coordinates(file, path, m, false);
}

/* ---- C: density, pressure, Vx, Vy, Vz, each (B, T, X[, Y[, Z]]) ---- */
static bool match_cfd(hid_t file) { return has(file, "density"); }

static fc_status describe_cfd(hid_t file, const char *path, fc_field_map *m) {
  static const char *const names[5] = {"density", "pressure", "Vx", "Vy", "Vz"};
  const int                ndim     = rank_of(file, "density") - 2;

  FC_REQUIRE(ndim >= 1 && ndim <= 3, FC_E_INPUT,
             "%s: 'density' has %d axes, where 3 to 5 (B, T, X, ..) are expected", path, ndim + 2);
  m->info.layout_name = "PDEBench C (compressible Navier-Stokes)";
  grid(m, path, ndim);
  for (int i = 0; i < 2 + ndim; i++) {
    const char axes[6] = {'b', 't', 'x', ndim > 1 ? 'y' : 0, ndim > 2 ? 'z' : 0, 0};
    FC_TRY(fc_map_add(m, file, path, names[i], axes, names[i], 0, false));
  }
  return coordinates(file, path, m, true);
}

/* ---- D: groups 0000, 0001, ... with data (T, X[, Y[, Z]], C) and grid/x, grid/y, grid/t ---- */
static bool is_number(const char *name) {
  for (const char *p = name; *p; p++)
    if (!isdigit((unsigned char)*p)) return false;
  return name[0] && strlen(name) < 16;
}

static bool has_data(hid_t at, const char *name) {
  char path[FC_NAME + 8];

  snprintf(path, sizeof path, "%s/data", name);
  return is_number(name) && fc_h5_what(at, name) == FC_H5_GROUP && has(at, path);
}

static bool first_group(void *user, hid_t at, const char *name) {
  return !(*(bool *)user = has_data(at, name));
}

static bool match_groups(hid_t file) {
  bool found = false;
  fc_h5_each(file, first_group, &found);
  return found;
}

static bool collect(void *user, hid_t at, const char *name) {
  fc_field_map *m = user;
  int64_t       n = m->info.n_traj;

  if (!has_data(at, name)) return true;
  if ((n & (n - 1)) == 0) { /* grows when n is 0, 1, 2, 4, ... */
    void *more = realloc(m->group, (size_t)fc_max64(2 * n, 1) * sizeof *m->group);
    if (!more) return false;
    m->group = more;
  }
  snprintf(m->group[n], FC_NAME, "%s", name);
  m->info.n_traj++;
  return true;
}

static fc_status describe_group(hid_t group, const char *path, fc_field_map *m) {
  const int rank    = rank_of(group, "data");
  char      axes[6] = "txyzc", name[FC_NAME];

  FC_REQUIRE(rank >= 3 && rank <= 5, FC_E_INPUT,
             "%s: '%s/data' should have 3 to 5 axes (T, X, .., C), not %d", path, m->group[0], rank);
  grid(m, path, rank - 2);
  axes[rank - 1] = 'c';
  axes[rank]     = 0;
  FC_TRY(fc_map_add(m, group, path, "data", axes, "data", 0, false));
  for (int a = 0; a < m->info.ndim; a++) {
    snprintf(name, sizeof name, "grid/%s", axis_names[a]);
    if (has(group, name)) FC_TRY(fc_map_axis(m, group, path, a, name));
  }
  if (has(group, "grid/t")) FC_TRY(fc_map_time(m, group, path, "grid/t"));
  fc_map_params_from_attributes(m, group);
  return FC_OK;
}

static fc_status describe_groups(hid_t file, const char *path, fc_field_map *m) {
  m->info.layout_name = "PDEBench D (one group per trajectory)";
  m->grouped          = true;
  fc_h5_each(file, collect, m);
  FC_REQUIRE(m->info.n_traj > 0, FC_E_INPUT, "%s: no group can be read", path);
  const hid_t     group = H5Gopen2(file, m->group[0], H5P_DEFAULT);
  const fc_status s     = describe_group(group, path, m);
  fc_h5_close(group);
  return s;
}

/* ---- E: velocity (B, T, X, Y, 2), particles (B, T, X, Y, 1), force (B, X, Y, 2), t (B, T) ---- */
static bool match_incompressible(hid_t file) { return has(file, "velocity") && has(file, "t"); }

static fc_status describe_incompressible(hid_t file, const char *path, fc_field_map *m) {
  m->info.layout_name = "PDEBench E (incompressible Navier-Stokes)";
  grid(m, path, 2);
  FC_TRY(fc_map_add(m, file, path, "velocity", "btxyc", "velocity", 1, false));
  if (has(file, "particles")) FC_TRY(fc_map_add(m, file, path, "particles", "btxyc", "particles", 0, false));
  if (has(file, "force")) FC_TRY(fc_map_add(m, file, path, "force", "bxyc", "force", 1, true));
  FC_TRY(fc_map_time(m, file, path, "t"));
  return coordinates(file, path, m, false);
}

const fc_layout_def fc_layout_pdebench_tensor = {FC_LAYOUT_PDEBENCH_TENSOR, match_tensor, describe_tensor};
const fc_layout_def fc_layout_pdebench_darcy  = {FC_LAYOUT_PDEBENCH_DARCY, match_darcy, describe_darcy};
const fc_layout_def fc_layout_pdebench_cfd    = {FC_LAYOUT_PDEBENCH_CFD, match_cfd, describe_cfd};
const fc_layout_def fc_layout_pdebench_groups = {FC_LAYOUT_PDEBENCH_GROUPS, match_groups, describe_groups};
const fc_layout_def fc_layout_pdebench_incompressible = {FC_LAYOUT_PDEBENCH_INCOMPRESSIBLE,
                                                         match_incompressible, describe_incompressible};
