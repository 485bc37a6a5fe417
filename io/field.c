/* io/field.c - opens a file, a folder or a pattern as one data set. */
#include "io/field_part.h"
#include "io/files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one file after the other ---- */
/* values of m under the names of the data set's first file */
static void keep_params(const fc_field_info *all, const fc_field_info *i, double *out) {
  for (int k = 0; k < all->n_params; k++) {
    const int own = fc_field_param(i, all->param[k].name);
    out[k]        = own < 0 ? NAN : i->param[own].value;
  }
}

static fc_status keep_part(fc_field *f, fc_field_part *p, const char *path, fc_field_map *m) {
  const int n = m->n_vars;

  p->path    = strdup(path);
  p->var     = malloc((size_t)n * sizeof *p->var);
  p->set     = malloc((size_t)n * sizeof *p->set);
  p->n_traj  = m->info.n_traj;
  p->n_steps = m->info.n_steps;
  p->group   = m->group;
  p->file    = -1;
  keep_params(&f->map->info, &m->info, p->param);
  m->group = NULL;
  f->n_parts++; /* from here on fc_field_close frees it */
  FC_REQUIRE(p->path && p->var && p->set, FC_E_SYSTEM, "%s: not enough memory", path);
  memcpy(p->var, m->var, (size_t)n * sizeof *p->var);
  for (int k = 0; k < n; k++) p->set[k] = -1;
  return FC_OK;
}

static void merge(fc_field_info *all, const fc_field_info *i) {
  all->n_files++;
  all->n_traj += i->n_traj;
  all->n_steps = fc_min64(all->n_steps, i->n_steps);
  if (!(fabs(all->dt - i->dt) <= 1e-3 * fabs(all->dt))) all->dt = NAN;
}

static fc_status add_part(fc_field *f, const char *path) {
  fc_field_part *p = &f->part[f->n_parts];
  fc_field_map  *m = NULL;
  hid_t          file;

  FC_TRY(fc_h5_open(path, &file));
  fc_status s = fc_map_create(file, path, &m);
  fc_h5_close(file);
  FC_TRY(s);
  if (!f->map) {
    f->map = m;
    return keep_part(f, p, path, m);
  }
  p->first = f->map->info.n_traj;
  s        = fc_map_agree(f->map, f->part[0].path, m, path);
  if (s == FC_OK) s = keep_part(f, p, path, m);
  if (s == FC_OK) merge(&f->map->info, &m->info);
  fc_map_destroy(m);
  return s;
}

static fc_status open_all(const char *path, fc_field **out) {
  glob_t    g = {0};
  fc_status s = FC_OK;
  fc_field *f = calloc(1, sizeof *f);

  FC_REQUIRE(f, FC_E_SYSTEM, "%s: not enough memory", path);
  FC_TRY_TO(done, s, fc_files_list(path, "*.hdf5 *.h5 *.nc *.nc4", &g));
  const size_t n = g.gl_pathc ? g.gl_pathc : 1;
  f->part        = calloc(n, sizeof *f->part);
  if (!f->part) s = fc_fail(FC_E_SYSTEM, "%s: not enough memory for %zu files", path, n);
  for (size_t i = 0; i < n && s == FC_OK; i++) s = add_part(f, g.gl_pathc ? g.gl_pathv[i] : path);
done:
  globfree(&g);
  if (s == FC_OK)
    *out = f;
  else
    fc_field_close(f);
  return s;
}

fc_status fc_field_open(const char *path, fc_field **out) {
  const fc_h5_quiet q = fc_h5_hush();

  *out              = NULL;
  const fc_status s = open_all(path, out);
  fc_h5_unhush(q);
  return s;
}

void fc_field_close(fc_field *f) {
  if (!f) return;
  const fc_h5_quiet q = fc_h5_hush();
  for (int i = 0; i < f->n_parts; i++) {
    fc_field_part *p = &f->part[i];
    fc_field_part_close(f, p);
    free(p->path);
    free(p->var);
    free(p->set);
    free(p->group);
  }
  fc_h5_unhush(q);
  for (int i = 0; i < f->n_texts; i++) {
    free(f->text[i].name);
    free(f->text[i].value);
  }
  free(f->text);
  free(f->part);
  free(f->raw);
  fc_map_destroy(f->map);
  free(f);
}

/* ---- questions ---- */
const fc_field_info *fc_field_about(const fc_field *f) { return &f->map->info; }

int64_t fc_field_steps(const fc_field *f, int64_t traj) {
  for (int i = f->n_parts - 1; i >= 0; i--)
    if (traj >= f->part[i].first && traj < f->part[i].first + f->part[i].n_traj) return f->part[i].n_steps;
  return 0;
}

int fc_field_param(const fc_field_info *i, const char *name) {
  for (int k = 0; k < i->n_params; k++)
    if (!strcmp(i->param[k].name, name)) return k;
  return -1;
}

/* one parameter of a trajectory: the file's, its group's, or an entry of its list */
static fc_status read_param(fc_field *f, fc_field_part *p, int64_t local, int k, double *out) {
  const char *name = f->map->info.param[k].name;
  char        data_set[2 * FC_NAME];

  *out = p->param[k];
  if (f->map->info.param[k].by_traj) {
    snprintf(data_set, sizeof data_set, "%s%s", f->map->params, name);
    FC_TRY(fc_h5_row(p->file, p->path, data_set, 0, local, 1, out));
  } else if (f->map->grouped) {
    const hid_t g = H5Gopen2(p->file, p->group[local], H5P_DEFAULT);
    if (g < 0 || !fc_h5_real(g, name, out)) *out = p->param[k];
    fc_h5_close(g);
  }
  FC_REQUIRE(isfinite(*out), FC_E_INPUT, "%s: the parameter '%s' of trajectory %lld is %s", p->path, name,
             (long long)(p->first + local), isnan(*out) ? "missing" : "not finite");
  return FC_OK;
}

fc_status fc_field_params(fc_field *f, int64_t traj, int n, const int *pick, double *out) {
  const fc_h5_quiet q = fc_h5_hush();
  fc_field_part    *p;
  int64_t           local;
  fc_status         s = fc_field_locate(f, traj, &p, &local);

  for (int i = 0; i < n && s == FC_OK; i++) s = read_param(f, p, local, pick[i], &out[i]);
  fc_h5_unhush(q);
  return s;
}

int fc_field_channel(const fc_field_info *i, const char *name, bool constant) {
  const fc_channel *c = constant ? i->constant : i->channel;

  for (int k = 0; k < (constant ? i->n_constant : i->n_channels); k++)
    if (!strcmp(c[k].name, name)) return k;
  return -1;
}

fc_status fc_field_read_times(fc_field *f, int64_t traj, int64_t t0, int64_t nt, double *t) {
  char           name[FC_NAME + FC_VAR_PATH + 2];
  fc_field_part *p;
  int64_t        local;

  FC_TRY(fc_field_locate(f, traj, &p, &local));
  FC_REQUIRE(t0 >= 0 && nt >= 0 && t0 + nt <= p->n_steps, FC_E_USAGE,
             "%s: times %lld to %lld are asked for, trajectory %lld has %lld steps", p->path, (long long)t0,
             (long long)(t0 + nt - 1), (long long)traj, (long long)p->n_steps);
  if (!f->map->time[0]) { /* not stored: frame numbers */
    for (int64_t i = 0; i < nt; i++) t[i] = (double)(t0 + i);
    return FC_OK;
  }
  const char *group = f->map->grouped ? p->group[local] : "";
  snprintf(name, sizeof name, "%s%s%s", group, group[0] ? "/" : "", f->map->time);
  return fc_h5_row(p->file, p->path, name, local, t0, nt, t);
}

fc_status fc_field_times(fc_field *f, int64_t traj, int64_t t0, int64_t nt, double *t) {
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = fc_field_read_times(f, traj, t0, nt, t);
  fc_h5_unhush(q);
  return s;
}

static fc_status read_points(fc_field *f, int axis, double *x) {
  const fc_field_info *i = &f->map->info;
  const int64_t        n = i->dim[axis];
  char                 name[FC_NAME + FC_VAR_PATH + 2];
  fc_field_part       *p;
  int64_t              local;

  if (!f->map->points[axis][0]) {
    const bool   known = isfinite(i->lo[axis]) && isfinite(i->hi[axis]) && n > 1;
    const double lo = known ? i->lo[axis] : 0, step = known ? (i->hi[axis] - lo) / (double)(n - 1) : 1;
    for (int64_t k = 0; k < n; k++) x[k] = lo + (double)k * step;
    return FC_OK;
  }
  FC_TRY(fc_field_locate(f, 0, &p, &local));
  const char *group = f->map->grouped ? p->group[local] : "";
  snprintf(name, sizeof name, "%s%s%s", group, group[0] ? "/" : "", f->map->points[axis]);
  return fc_h5_row(p->file, p->path, name, 0, 0, n, x);
}

fc_status fc_field_points(fc_field *f, int axis, double *x) {
  FC_ASSERT(axis >= 0 && axis < f->map->info.ndim, "field: no axis %d", axis);
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = read_points(f, axis, x);
  fc_h5_unhush(q);
  return s;
}

/* Root attribute, or that of the first trajectory's group where each has its own. */
static char *find_text(fc_field *f, const char *attribute) {
  fc_field_part *p;
  int64_t        local;

  if (fc_field_locate(f, 0, &p, &local) != FC_OK) return NULL;
  char *text = fc_h5_text_new(p->file, attribute);
  if (text || !f->map->grouped) return text;
  const hid_t g = H5Gopen2(p->file, p->group[0], H5P_DEFAULT);
  if (g >= 0) text = fc_h5_text_new(g, attribute);
  fc_h5_close(g);
  return text;
}

const char *fc_field_text(fc_field *f, const char *attribute) {
  for (int i = 0; i < f->n_texts; i++)
    if (!strcmp(f->text[i].name, attribute)) return f->text[i].value;
  const fc_h5_quiet q     = fc_h5_hush();
  char             *value = find_text(f, attribute), *name = value ? strdup(attribute) : NULL;
  fc_h5_unhush(q);
  void *more = name ? realloc(f->text, (size_t)(f->n_texts + 1) * sizeof *f->text) : NULL;
  if (!more) {
    free(name);
    free(value);
    return "";
  }
  f->text                   = more;
  f->text[f->n_texts].name  = name;
  f->text[f->n_texts].value = value;
  return f->text[f->n_texts++].value;
}
