/* io/field_plain.c - plain HDF5: bare data sets at the root, as scripts write them. Vectors x, y, z and t are
   coordinates; scalars are parameters, so are vectors with one number for each sample. All else are fields:
   their axes are told by the lengths of the coordinates, and the one that no coordinate fits are the samples.
   Without coordinates all fields have one shape, samples first, and the problem is steady. */
#include "io/field_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = FC_FIELD_CHANNELS, T = 3, COORDINATES = 4, LETTERS = 5 };
static const char *const coordinate_names[COORDINATES] = {"x", "y", "z", "t"};
static const char        order[LETTERS + 1]            = "btxyz"; /* in which axes are expected */

typedef struct entry {
  char    name[FC_NAME];
  int     rank;
  int64_t dim[FC_H5_RANK];
  char    axes[LETTERS + 1];
} entry;

typedef struct scan {
  int     n, n_vectors, n_scalars;
  entry   field[MOST], vector[MOST], scalar[MOST];
  int64_t length[COORDINATES]; /* 0: there is no such coordinate */
  int64_t samples;             /* 0: not known */
  int     groups;              /* at the root */
  bool    points, many; /* a name that means coordinates of points; more data sets than there is room */
  char    bad[FC_NAME]; /* numbers that cannot be read, for the message */
} scan;

/* ---- what is there ---- */

static int coordinate(const char *name) {
  for (int a = 0; a < COORDINATES; a++)
    if (!strcmp(name, coordinate_names[a])) return a;
  return -1;
}

static bool one_of(const char *word, const char *list) { /* list: " a b c " */
  char key[FC_NAME + 3];

  snprintf(key, sizeof key, " %.63s ", word);
  return strstr(list, key) != NULL;
}

static void sort_in(scan *s, const entry *e) {
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
  scan *s = user;
  entry e = {.rank = 0};
  hid_t id;

  if (fc_h5_what(at, name) == FC_H5_GROUP) s->groups++;
  if (fc_h5_what(at, name) != FC_H5_DATASET || strlen(name) >= FC_NAME || !holds_numbers(at, name))
    return true;
  s->many = s->n + s->n_vectors + s->n_scalars == MOST;
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
static bool scattered(const scan *s) {
  if (!s->length[0] || s->length[0] != s->length[1]) return false;
  for (int i = 0; i < s->n; i++) {
    int axes = 0;
    for (int a = 0; a < s->field[i].rank; a++) axes += s->field[i].dim[a] == s->length[0];
    if (axes > 1) return false;
  }
  return true;
}

static scan *looked(hid_t file) {
  scan *s = calloc(1, sizeof *s);

  if (s) fc_h5_each(file, look, s);
  return s;
}

static bool match(hid_t file) {
  scan      *s   = looked(file);
  const bool yes = s && s->n > 0 && !s->groups && !s->points && !scattered(s);

  free(s);
  return yes && H5Aexists(file, "fieldcast_store") <= 0;
}

/* ---- which axis is which ---- */

static bool has_coordinates(const scan *s) {
  return s->length[0] || s->length[1] || s->length[2] || s->length[T];
}

static int64_t length_of(const scan *s, char letter) {
  const int a = letter == 't' ? T : letter - 'x';

  return letter == 'b' ? s->samples : s->length[a];
}

/* a length of zero fits anything: the number of samples before it is known */
static bool fits(const scan *s, const entry *e, const char *axes) {
  for (int i = 0; i < e->rank; i++) {
    const int64_t n = length_of(s, axes[i]);
    if (n && n != e->dim[i]) return false;
  }
  return true;
}

/* Letters from `left` to axes at.. of e in every order; counts the ways, keeps the first. */
static int arrange(const scan *s, const entry *e, int at, char *left, char *axes, char *first) {
  int ways = 0;

  if (at == e->rank) {
    axes[at] = 0;
    if (!fits(s, e, axes)) return 0;
    if (!first[0]) strcpy(first, axes);
    return 1;
  }
  for (int k = 0; left[k]; k++) {
    if (left[k] == ' ') continue;
    axes[at] = left[k];
    left[k]  = ' ';
    ways += arrange(s, e, at + 1, left, axes, first);
    left[k] = axes[at];
  }
  return ways;
}

/* Space axes that there are, and as many of samples and time as the rank asks for, in the usual order. False
   if the rank is another. */
static bool letters(const scan *s, const entry *e, bool samples, bool time, char *out) {
  int n = 0;

  for (int k = 0; k < LETTERS; k++)
    if (order[k] == 'b' ? samples : order[k] == 't' ? time : length_of(s, order[k]) > 0) out[n++] = order[k];
  out[n] = 0;
  return n == e->rank && (!time || s->length[T]);
}

static void shape_text(const entry *e, char *out, size_t size) {
  size_t n = 0;

  for (int i = 0; i < e->rank && n < size; i++)
    n += (size_t)snprintf(out + n, size - n, "%s%lld", i ? " x " : "", (long long)e->dim[i]);
}

static fc_status does_not_fit(const scan *s, const entry *e, const char *path, int ways) {
  char   shape[160], have[120] = "none";
  size_t n = 0;

  shape_text(e, shape, sizeof shape);
  FC_REQUIRE(
      ways == 0, FC_E_INPUT,
      "%s: data set '%s' (%s) fits its coordinates in more than one order; store it in the order samples, "
      "t, x, y, z",
      path, e->name, shape);
  for (int a = 0; a < COORDINATES; a++)
    if (s->length[a])
      n += (size_t)snprintf(have + n, sizeof have - n, "%s%s (%lld)", n ? ", " : "", coordinate_names[a],
                            (long long)s->length[a]);
  return fc_fail(
      FC_E_INPUT,
      "%s: the axes of data set '%s' (%s) do not fit the coordinates: %s; add vectors x, y, z, t of its "
      "lengths, all but for the samples",
      path, e->name, shape, have);
}

/* One axis beside space may be samples or time; samples if their number is known from another field. */
static fc_status find_axes(scan *s, entry *e, const char *path) {
  static const bool with[5][2] = {{true, true}, {true, false}, {false, true}, {true, false}, {false, false}};
  char              set[LETTERS + 1], axes[FC_H5_RANK + 1];
  int               ways = 0;

  for (int k = 0; k < 5; k++)
    if (letters(s, e, with[k][0], with[k][1], set) && (k != 1 || s->samples) && fits(s, e, set)) {
      strcpy(e->axes, set);
      return FC_OK;
    }
  for (int k = 0; k < 5 && !ways; k++)
    if (letters(s, e, with[k][0], with[k][1], set) && (k != 1 || s->samples))
      ways = arrange(s, e, 0, set, axes, e->axes);
  return ways == 1 ? FC_OK : does_not_fit(s, e, path, ways);
}

/* fields with samples and time first: they tell the number of samples */
static fc_status find_all_axes(scan *s, const char *path) {
  int space = 0;

  for (int a = 0; a < T; a++) space += s->length[a] > 0;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < s->n; i++) {
      entry *e = &s->field[i];
      if ((e->rank < space + 2) == (pass == 0)) continue;
      FC_REQUIRE(e->rank <= LETTERS, FC_E_INPUT,
                 "%s: data set '%s' has %d axes; samples, t, x, y, z are known", path, e->name, e->rank);
      FC_TRY(find_axes(s, e, path));
      if (strchr(e->axes, 'b') && !s->samples) s->samples = e->dim[strchr(e->axes, 'b') - e->axes];
    }
  return FC_OK;
}

static fc_status equal_shapes(scan *s, const char *path) {
  char a[160], b[160];

  shape_text(&s->field[0], a, sizeof a);
  for (int i = 1; i < s->n; i++) {
    shape_text(&s->field[i], b, sizeof b);
    FC_REQUIRE(!strcmp(a, b), FC_E_INPUT,
               "%s: '%s' is %s, '%s' is %s, and there are no coordinates to tell the axes: add vectors x, y, "
               "z, t of "
               "their lengths",
               path, s->field[0].name, a, s->field[i].name, b);
  }
  FC_REQUIRE(
      s->n > 1 && s->field[0].rank <= 4, FC_E_INPUT,
      "%s: nothing tells what the axes of data set '%s' (%s) are: add vectors x, y, z, t of their lengths",
      path, s->field[0].name, a);
  for (int i = 0; i < s->n; i++)
    snprintf(s->field[i].axes, sizeof s->field[i].axes, "b%.*s", s->field[i].rank - 1, "xyz");
  s->samples = s->field[0].dim[0];
  return FC_OK;
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

static fc_status add_fields(const scan *s, hid_t file, const char *path, fc_field_map *m) {
  bool time = false;

  for (int i = 0; i < s->n; i++) time |= strchr(s->field[i].axes, 't') != NULL;
  for (int i = 0; i < s->n; i++) {
    const entry *e        = &s->field[i];
    const bool   constant = time ? !strchr(e->axes, 't') : is_input(file, e->name);
    FC_TRY(fc_map_add(m, file, path, e->name, e->axes, e->name, 0, constant));
  }
  FC_REQUIRE(time || (m->info.n_channels && m->info.n_constant), FC_E_INPUT,
             "%s: a steady problem, as nothing has a time axis (a vector t would tell it), but %s is known "
             "as %s; give "
             "data sets the attribute time_varying: 0 for inputs, 1 for what is to be found",
             path, m->info.n_channels ? "none" : "all",
             m->info.n_channels ? "input" : "input, none as solution");
  if (!time) m->info.n_steps = 1;
  FC_REQUIRE(time || !s->length[T], FC_E_INPUT,
             "%s: there are %lld times in 't', but no data set has such an axis", path,
             (long long)s->length[T]);
  return FC_OK;
}

static fc_status add_parameters(const scan *s, hid_t file, const char *path, fc_field_map *m) {
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

static fc_status add_coordinates(const scan *s, hid_t file, const char *path, fc_field_map *m) {
  for (int a = 0; a < m->info.ndim; a++) {
    if (!s->length[a]) continue;
    FC_TRY(fc_map_axis(m, file, path, a, coordinate_names[a]));
    const hid_t id = H5Dopen2(file, coordinate_names[a], H5P_DEFAULT);
    fc_h5_flag(id, "periodic", &m->info.periodic[a]);
    fc_h5_close(id);
  }
  return s->length[T] ? fc_map_time(m, file, path, "t") : FC_OK;
}

static fc_status readable(const scan *s, hid_t file, const char *path) {
  int     rank;
  int64_t dim[FC_H5_RANK];
  hid_t   id;

  FC_REQUIRE(!s->many, FC_E_INPUT, "%s: more than %d data sets", path, MOST);
  if (!s->bad[0]) return FC_OK;
  FC_TRY(fc_h5_numbers(file, path, s->bad, &id, &rank, dim)); /* says what is wrong */
  fc_h5_close(id);
  return FC_OK;
}

static fc_status name_axes(const scan *s, const char *path, fc_field_map *m) {
  int n = 0;

  for (int i = 0; i < s->n; i++)
    for (const char *c = s->field[i].axes; *c; c++)
      if (*c >= 'x' && *c - 'x' + 1 > n) n = *c - 'x' + 1;
  m->info.ndim = n;
  for (int a = 0; a < n; a++) snprintf(m->info.axis[a], FC_NAME, "%s", coordinate_names[a]);
  for (int a = 0; a < (n ? n : 1); a++)
    FC_REQUIRE(!has_coordinates(s) || s->length[a], FC_E_INPUT,
               "%s: coordinates of space are called x, then y, then z; there is no vector %s", path,
               coordinate_names[a]);
  return FC_OK;
}

static fc_status describe(hid_t file, const char *path, fc_field_map *m) {
  scan *s = looked(file);

  FC_REQUIRE(s, FC_E_SYSTEM, "%s: not enough memory to describe the file", path);
  m->info.layout_name = "plain HDF5 (bare data sets)";
  m->params[0]        = 0;
  fc_map_name_from_path(m, path);
  fc_status status = readable(s, file, path);
  if (status == FC_OK) status = has_coordinates(s) ? find_all_axes(s, path) : equal_shapes(s, path);
  if (status == FC_OK) status = name_axes(s, path, m);
  if (status == FC_OK) status = add_fields(s, file, path, m);
  if (status == FC_OK) status = add_coordinates(s, file, path, m);
  if (status == FC_OK) status = add_parameters(s, file, path, m);
  free(s);
  return status;
}

const fc_layout_def fc_layout_plain = {FC_LAYOUT_PLAIN, match, describe};
