/* io/cloud_map.c - builds the description of a file of points, and reads the lists of a mapping. */
#include "io/cloud_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arrays and what they hold ---- */

fc_status fc_cloud_add_array(fc_cloud_map *m, const char *file, const char *path, int rows, int *out) {
  FC_REQUIRE(m->n_arrays < FC_CLOUD_ARRAYS, FC_E_INPUT, "%s: more than %d arrays; name the ones to use", file,
             FC_CLOUD_ARRAYS);
  FC_REQUIRE(strlen(path) < FC_ARRAY_PATH, FC_E_INPUT, "%s: the name '%.60s...' is too long", file, path);
  fc_cloud_array *a = &m->array[m->n_arrays];
  *a                = (fc_cloud_array){.rows = rows, .n_comp = 1};
  snprintf(a->path, sizeof a->path, "%s", path);
  *out = m->n_arrays++;
  return FC_OK;
}

/* "velocity" of as many components as there are coordinates: velocity_x, ...; else press_0, ...; long names
   are cut so that the component stays visible */
static void name_component(const fc_cloud_map *m, const char *label, int n, int k, char *out) {
  char end[24] = "";

  if (n > 1 && n == m->info.space)
    snprintf(end, sizeof end, "_%.10s", m->info.axis[k]);
  else if (n > 1)
    snprintf(end, sizeof end, "_%d", k);
  snprintf(out, FC_NAME, "%.*s%s", (int)(FC_NAME - 1 - strlen(end)), label, end);
}

static void set_column(fc_cloud_map *m, int array, const char *label, const char *unit, int k,
                       fc_channel *name, fc_cloud_column *col) {
  const int n = m->array[array].n_comp;

  *name = (fc_channel){.field = array, .rank = n > 1 && n == m->info.space, .component = k};
  *col  = (fc_cloud_column){array, k};
  name_component(m, label, n, k, name->name);
  snprintf(name->unit, FC_NAME, "%s", unit);
  m->array[array].used = true;
}

static fc_status room_for(const char *file, const char *label, int have, int more, int most,
                          const char *what) {
  FC_REQUIRE(have + more <= most, FC_E_INPUT, "%s: with '%s' there are %d %s; at most %d are possible", file,
             label, have + more, what, most);
  return FC_OK;
}

fc_status fc_cloud_add_axes(fc_cloud_map *m, const char *file, int array, const char *label) {
  static const char *const names[3] = {"x", "y", "z"};
  const int                n        = m->array[array].n_comp;

  FC_TRY(room_for(file, label, m->info.space, n, 3, "coordinates"));
  m->array[array].used = true;
  for (int k = 0; k < n; k++, m->info.space++) {
    m->point[m->info.space] = (fc_cloud_column){array, k};
    snprintf(m->info.axis[m->info.space], FC_NAME, "%s", names[m->info.space]);
  }
  return FC_OK;
}

static fc_status distinct(const fc_cloud_map *m, const char *file, const char *name) {
  for (int c = 0; c < m->info.n_channels; c++)
    FC_REQUIRE(strcmp(m->info.channel[c].name, name), FC_E_INPUT,
               "%s: two fields are called '%s'; 'label=array' gives another name", file, name);
  return FC_OK;
}

fc_status fc_cloud_add_channels(fc_cloud_map *m, const char *file, int array, const char *label,
                                const char *unit, fc_cloud_role role) {
  fc_cloud_info        *i = &m->info;
  const fc_cloud_array *a = &m->array[array];

  FC_TRY(room_for(file, label, i->n_channels, a->n_comp, FC_FIELD_CHANNELS, "channels"));
  for (int k = 0; k < a->n_comp; k++) {
    const int  c = i->n_channels;
    fc_channel name;
    set_column(m, array, label, unit, k, &name, &m->channel[c]);
    FC_TRY(distinct(m, file, name.name));
    i->channel[c] = name;
    i->varying[c] = strpbrk(a->axes, "tv") != NULL;
    i->role[c]    = role;
    i->n_channels++;
  }
  return FC_OK;
}

fc_status fc_cloud_add_params(fc_cloud_map *m, const char *file, int array, const char *label,
                              const char *unit) {
  const int n = m->array[array].n_comp;

  FC_TRY(room_for(file, label, m->info.n_params, n, FC_CLOUD_PARAMS, "parameters"));
  for (int k = 0; k < n; k++, m->info.n_params++)
    set_column(m, array, label, unit, k, &m->info.param[m->info.n_params], &m->param[m->info.n_params]);
  return FC_OK;
}

fc_status fc_cloud_add_columns(fc_cloud_map *m, const char *file, int function, int array, const char *label,
                               const char *unit) {
  fc_cloud_function *f = &m->info.function[function];
  const int          n = m->array[array].n_comp;

  FC_TRY(room_for(file, label, f->n, n, FC_CLOUD_COLUMNS, "columns of one function"));
  for (int k = 0; k < n; k++, f->n++)
    set_column(m, array, label, unit, k, &f->column[f->n], &m->function[function][f->n]);
  return FC_OK;
}

void fc_cloud_name_from_path(fc_cloud_map *m, const char *path) {
  size_t n = strlen(path);

  while (n > 1 && path[n - 1] == '/') n--;
  size_t from = n;
  while (from > 0 && path[from - 1] != '/') from--;
  const char *dot = memchr(path + from, '.', n - from);
  if (dot && dot > path + from) n = (size_t)(dot - path);
  snprintf(m->info.name, FC_NAME, "%.*s", (int)fc_min64((int64_t)(n - from), FC_NAME - 1), path + from);
}

fc_status fc_cloud_part_room(const fc_cloud_map *m, fc_cloud_part *p, int64_t n) {
  bool ok = true;

  p->n = n;
  for (int a = 0; a < m->n_arrays; a++) {
    const int rows = m->array[a].rows;
    if (rows == FC_ROWS_ONE || p->at[rows]) continue;
    p->at[rows] = calloc((size_t)n + 1, sizeof *p->at[rows]);
    ok &= p->at[rows] != NULL;
  }
  p->steps = malloc((size_t)(n + 1) * sizeof *p->steps);
  ok &= p->steps != NULL;
  for (int64_t i = 0; ok && i < n; i++) p->steps[i] = 1;
  FC_REQUIRE(ok, FC_E_SYSTEM, "%s: not enough memory for a list of %lld samples", p->path, (long long)n);
  return FC_OK;
}

/* ---- lists ---- */

static const char blank[] = " \t[]'\"";

static const char *skip(const char *p) { return p + strspn(p, blank); }

bool fc_cloud_told(const char *list) { return list && *skip(list); }

bool fc_cloud_none(const char *list) {
  if (!list) return false;
  const char *p = skip(list);
  return !strncmp(p, "none", 4) && !*skip(p + 4);
}

/* [from, to) without blanks at the ends */
static bool copy_word(const char *from, const char *to, char *out, size_t size) {
  from = skip(from);
  while (to > from && strchr(blank, to[-1])) to--;
  if (to <= from || (size_t)(to - from) >= size) return false;
  memcpy(out, from, (size_t)(to - from));
  out[to - from] = 0;
  return true;
}

static bool parse_item(const char *p, const char *end, fc_cloud_item *out) {
  const char *equals = memchr(p, '=', (size_t)(end - p));

  *out = (fc_cloud_item){.n = 0};
  if (equals && !copy_word(p, equals, out->label, sizeof out->label)) return false;
  if (equals) p = equals + 1;
  for (const char *plus; p <= end && out->n < FC_ITEM_ARRAYS; p = plus + 1) {
    plus = memchr(p, '+', (size_t)(end - p));
    if (!plus) plus = end;
    if (!copy_word(p, plus, out->array[out->n++], FC_ARRAY_PATH)) return false;
    if (plus == end) return true;
  }
  return false;
}

fc_status fc_cloud_next_item(const char *key, const char **at, fc_cloud_item *out, bool *more) {
  const char *p = skip(*at + strspn(*at, ", \t[]"));

  *more = *p != 0;
  if (!*p) return FC_OK;
  const char *end = p + strcspn(p, ",");
  FC_REQUIRE(parse_item(p, end, out), FC_E_USAGE,
             "%s: '%.*s' is not 'array', 'label=array' or 'label=array+array' with at most %d arrays", key,
             (int)fc_min64(end - p, 60), p, FC_ITEM_ARRAYS);
  *at = end;
  if (out->label[0]) return FC_OK;
  const char *slash = strrchr(out->array[0], '/');
  snprintf(out->label, sizeof out->label, "%.*s", FC_NAME - 1, slash ? slash + 1 : out->array[0]);
  return FC_OK;
}
