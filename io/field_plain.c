/* io/field_plain.c - plain HDF5: bare data sets at the root, as scripts write them. Vectors x, y, z and t are
   coordinates; scalars are parameters, so are vectors with one number for each sample. All else are fields:
   their axes are told by the lengths of the coordinates, and the one that no coordinate fits are the samples.
   Without coordinates all fields have one shape, samples first, and the problem is steady. */
#include "io/field_plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fc_plain_coordinates[FC_PLAIN_COORDINATES] = {"x", "y", "z", "t"};

/* ---- what is there ---- */

static int coordinate(const char *name) {
  for (int a = 0; a < FC_PLAIN_COORDINATES; a++)
    if (!strcmp(name, fc_plain_coordinates[a])) return a;
  return -1;
}

static bool one_of(const char *word, const char *list) { /* list: " a b c " */
  char key[FC_NAME + 3];

  snprintf(key, sizeof key, " %.63s ", word);
  return strstr(list, key) != NULL;
}

static void sort_in(fc_plain *s, const fc_plain_set *e) {
  int64_t n = 1;

  for (int i = 0; i < e->rank; i++) n *= e->dim[i];
  if (n == 1 && e->rank < 2)
    s->scalar[s->n_scalars++] = *e;
  else if (e->rank == 1 && coordinate(e->name) >= 0)
    s->length[coordinate(e->name)] = e->dim[0];
  else if (e->rank == 1)
    s->vector[s->n_vectors++] = *e;
  else
    s->field[s->n++] = *e;
}

static bool holds_numbers(hid_t at, const char *name) {
  const hid_t id = H5Dopen2(at, name, H5P_DEFAULT), type = id < 0 ? -1 : H5Dget_type(id);
  const bool  yes = type < 0 || H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT ||
                   H5Tget_class(type) == H5T_ENUM;

  fc_h5_close(type);
  fc_h5_close(id);
  return yes;
}

/* Texts and the like are left alone. */
static bool look(void *user, hid_t at, const char *name) {
  fc_plain    *s = user;
  fc_plain_set e = {.rank = 0};
  hid_t        id;

  if (fc_h5_what(at, name) == FC_H5_GROUP) s->groups++;
  if (fc_h5_what(at, name) != FC_H5_DATASET || strlen(name) >= FC_NAME || !holds_numbers(at, name))
    return true;
  s->many = s->n + s->n_vectors + s->n_scalars == FC_FIELD_CHANNELS;
  if (s->many) return false;
  snprintf(e.name, sizeof e.name, "%s", name);
  s->points |=
      one_of(name, " vertices points coordinates coords pos position positions nodes xyz xy mesh_pos ");
  if (fc_h5_numbers(at, "", name, &id, &e.rank, e.dim) == FC_OK) {
    fc_h5_close(id);
    sort_in(s, &e);
  } else
    memcpy(s->bad, e.name, sizeof s->bad);
  return true;
}

/* x and y of equal length, and nothing on their product: they are the coordinates of points */
static bool scattered(const fc_plain *s) {
  if (!s->length[0] || s->length[0] != s->length[1]) return false;
  for (int i = 0; i < s->n; i++) {
    int axes = 0;
    for (int a = 0; a < s->field[i].rank; a++) axes += s->field[i].dim[a] == s->length[0];
    if (axes > 1) return false;
  }
  return true;
}

static fc_plain *looked(hid_t file) {
  fc_plain *s = calloc(1, sizeof *s);

  if (s) fc_h5_each(file, look, s);
  return s;
}

static bool match(hid_t file) {
  fc_plain  *s   = looked(file);
  const bool yes = s && s->n > 0 && !s->groups && !s->points && !scattered(s);

  free(s);
  return yes && H5Aexists(file, "fieldcast_store") <= 0;
}

/* ---- the description ---- */

/* The attribute time_varying, as in The Well, overrules the name. */
static bool is_input(hid_t file, const char *name) {
  const hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
  bool        varies, told = fc_h5_flag(id, "time_varying", &varies);

  fc_h5_close(id);
  return told
             ? !varies
             : one_of(name,
                      " a k kappa coeff coefficient permeability conductivity nu f force forcing source mask "
                      "x u0 initial input inputs ");
}

static fc_status add_fields(const fc_plain *s, hid_t file, const char *path, fc_field_map *m) {
  bool time = false;

  for (int i = 0; i < s->n; i++) time |= strchr(s->field[i].axes, 't') != NULL;
  for (int i = 0; i < s->n; i++) {
    const fc_plain_set *e        = &s->field[i];
    const bool          constant = time ? !strchr(e->axes, 't') : is_input(file, e->name);
    FC_TRY(fc_map_add(m, file, path, e->name, e->axes, e->name, 0, constant));
  }
  FC_REQUIRE(time || (m->info.n_channels && m->info.n_constant), FC_E_INPUT,
             "%s: a steady problem, as nothing has a time axis (a vector t would tell it), but %s is "
             "known as %s; give data sets the attribute time_varying: 0 for inputs, 1 for what is to be "
             "found",
             path, m->info.n_channels ? "none" : "all",
             m->info.n_channels ? "input" : "input, none as solution");
  if (!time) m->info.n_steps = 1;
  FC_REQUIRE(time || !s->length[FC_PLAIN_T], FC_E_INPUT,
             "%s: there are %lld times in 't', but no data set has such an axis", path,
             (long long)s->length[FC_PLAIN_T]);
  return FC_OK;
}

static fc_status add_parameters(const fc_plain *s, hid_t file, const char *path, fc_field_map *m) {
  double x;

  for (int i = 0; i < s->n_scalars; i++) {
    FC_TRY(fc_h5_row(file, path, s->scalar[i].name, 0, 0, 1, &x));
    fc_map_param(m, s->scalar[i].name, x, false);
  }
  for (int i = 0; i < s->n_vectors; i++) {
    if (s->vector[i].dim[0] != s->samples) continue;
    FC_TRY(fc_h5_row(file, path, s->vector[i].name, 0, 0, 1, &x));
    fc_map_param(m, s->vector[i].name, x, true);
  }
  fc_map_params_from_attributes(m, file);
  return FC_OK;
}

static fc_status add_coordinates(const fc_plain *s, hid_t file, const char *path, fc_field_map *m) {
  for (int a = 0; a < m->info.ndim; a++) {
    if (!s->length[a]) continue;
    FC_TRY(fc_map_axis(m, file, path, a, fc_plain_coordinates[a]));
    const hid_t id = H5Dopen2(file, fc_plain_coordinates[a], H5P_DEFAULT);
    fc_h5_flag(id, "periodic", &m->info.periodic[a]);
    fc_h5_close(id);
  }
  return s->length[FC_PLAIN_T] ? fc_map_time(m, file, path, "t") : FC_OK;
}

static fc_status readable(const fc_plain *s, hid_t file, const char *path) {
  int     rank;
  int64_t dim[FC_H5_RANK];
  hid_t   id;

  FC_REQUIRE(!s->many, FC_E_INPUT, "%s: more than %d data sets", path, FC_FIELD_CHANNELS);
  if (!s->bad[0]) return FC_OK;
  FC_TRY(fc_h5_numbers(file, path, s->bad, &id, &rank, dim)); /* says what is wrong */
  fc_h5_close(id);
  return FC_OK;
}

static fc_status name_axes(const fc_plain *s, const char *path, fc_field_map *m) {
  int n = 0;

  for (int i = 0; i < s->n; i++)
    for (const char *c = s->field[i].axes; *c; c++)
      if (*c >= 'x' && *c - 'x' + 1 > n) n = *c - 'x' + 1;
  m->info.ndim = n;
  for (int a = 0; a < n; a++) snprintf(m->info.axis[a], FC_NAME, "%s", fc_plain_coordinates[a]);
  for (int a = 0; a < (n ? n : 1); a++)
    FC_REQUIRE(!fc_plain_has_coordinates(s) || s->length[a], FC_E_INPUT,
               "%s: coordinates of space are called x, then y, then z; there is no vector %s", path,
               fc_plain_coordinates[a]);
  return FC_OK;
}

static fc_status describe(hid_t file, const char *path, fc_field_map *m) {
  fc_plain *s = looked(file);

  FC_REQUIRE(s, FC_E_SYSTEM, "%s: not enough memory to describe the file", path);
  m->info.layout_name = "plain HDF5 (bare data sets)";
  m->params[0]        = 0;
  fc_map_name_from_path(m, path);
  fc_status status = readable(s, file, path);
  if (status == FC_OK) status = fc_plain_axes(s, path);
  if (status == FC_OK) status = name_axes(s, path, m);
  if (status == FC_OK) status = add_fields(s, file, path, m);
  if (status == FC_OK) status = add_coordinates(s, file, path, m);
  if (status == FC_OK) status = add_parameters(s, file, path, m);
  free(s);
  return status;
}

const fc_layout_def fc_layout_plain = {FC_LAYOUT_PLAIN, match, describe};
