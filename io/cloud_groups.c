/* io/cloud_groups.c - two forms of HDF5 of other tools: every group is a sample, or arrays of all samples
   stand at the root. Counts the samples and checks that all are alike. */
#include "io/cloud_foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups ---- */

typedef struct {
  int n, sets;
  char (*name)[FC_NAME];
  const char *below; /* "" or "data/" */
  bool        full;
} group_list;

static bool add_group(void *user, hid_t at, const char *name) {
  group_list *g = user;

  if (fc_h5_what(at, name) == FC_H5_DATASET) g->sets++;
  if (fc_h5_what(at, name) != FC_H5_GROUP || strlen(g->below) + strlen(name) >= FC_NAME) return true;
  void *more = realloc(g->name, (size_t)(g->n + 1) * sizeof *g->name);
  if (!more) return !(g->full = true);
  g->name = more;
  snprintf(g->name[g->n++], FC_NAME, "%s%s", g->below, name);
  return true;
}

/* 2 before 10 */
static int natural(const void *a, const void *b) { return strverscmp(a, b); }

/* groups of the root; if that is a single one, the groups in it */
static fc_status list_groups(const fc_look *l, group_list *g) {
  char below[FC_NAME + 2] = "";

  *g = (group_list){.below = ""};
  fc_h5_each(l->file, add_group, g);
  if (g->n == 1 && !g->sets) {
    snprintf(below, sizeof below, "%.60s/", g->name[0]);
    group_list  inner = {.below = below};
    const hid_t at    = H5Gopen2(l->file, g->name[0], H5P_DEFAULT);
    fc_h5_each(at, add_group, &inner);
    fc_h5_close(at);
    if (inner.n) {
      free(g->name);
      *g       = inner;
      g->below = "";
    } else {
      free(inner.name);
    }
  }
  FC_REQUIRE(!g->full, FC_E_SYSTEM, "%s: not enough memory for the names of its groups", l->path);
  if (g->n) qsort(g->name, (size_t)g->n, sizeof *g->name, natural);
  return FC_OK;
}

/* ---- how many samples, of what sizes ---- */

static fc_status count_root(fc_look *l, fc_cloud_part *p) {
  FC_TRY(fc_cloud_part_room(l->m, p, l->B));
  for (int64_t i = 0; i < l->B; i++) {
    if (l->T) p->steps[i] = l->T;
    for (int k = 0; k < FC_ROWS_KINDS; k++)
      if (p->at[k]) p->at[k][i + 1] = p->at[k][i] + l->rows[k];
  }
  return FC_OK;
}

/* the arrays of another group must be like those of the first, but for the lengths */
static fc_status same_array(fc_look *l, const char *group, const fc_cloud_array *a) {
  int64_t dim[FC_H5_RANK];
  hid_t   set;
  int     rank;
  double  x;

  if (a->axes[0] == '@') {
    FC_REQUIRE(fc_h5_real(l->at, a->path, &x), FC_E_INPUT, "%s: group '%s' has no attribute '%s'", l->path,
               group, a->path);
    return FC_OK;
  }
  FC_REQUIRE(fc_look_has(l, a->path), FC_E_INPUT,
             "%s: group '%s' has no data set '%s', which the first sample has", l->path, group, a->path);
  FC_TRY(fc_h5_numbers(l->at, l->path, a->path, &set, &rank, dim));
  fc_h5_close(set);
  bool same = rank == (int)strlen(a->axes);
  for (int i = 0; same && i < rank; i++) {
    int64_t *want = fc_look_extent(l, a->rows, a->axes[i]);
    if (want && !*want) *want = dim[i];
    same = dim[i] >= 1 && (want ? dim[i] == *want : a->axes[i] == 'c' ? dim[i] == a->n_comp : dim[i] == 1);
  }
  FC_REQUIRE(same, FC_E_INPUT,
             "%s: group '%s': '%s' has shape %s, which does not fit %lld points or the first sample", l->path,
             group, a->path, fc_dims_text(rank < FC_MAX_DIMS ? rank : FC_MAX_DIMS, dim),
             (long long)l->rows[FC_ROWS_POINTS]);
  return FC_OK;
}

/* a group that holds none of the arrays is something else */
static bool is_sample(const fc_look *l) {
  for (int k = 0; k < l->m->n_arrays; k++)
    if (fc_look_has(l, l->m->array[k].path)) return true;
  return false;
}

static fc_status count_groups(fc_look *l, const group_list *g, fc_cloud_part *p) {
  FC_TRY(fc_cloud_part_room(l->m, p, g->n));
  p->group = malloc((size_t)g->n * sizeof *p->group);
  FC_REQUIRE(p->group, FC_E_SYSTEM, "%s: not enough memory for %d groups", l->path, g->n);
  p->n = 0;
  for (int i = 0; i < g->n; i++) {
    fc_status s = FC_OK;
    memset(l->rows, 0, sizeof l->rows);
    l->T  = 0;
    l->at = H5Gopen2(l->file, g->name[i], H5P_DEFAULT);
    FC_REQUIRE(l->at >= 0, FC_E_INPUT, "%s: group '%s' cannot be opened; the file is damaged", l->path,
               g->name[i]);
    const bool sample = is_sample(l);
    for (int k = 0; sample && k < l->m->n_arrays && s == FC_OK; k++)
      s = same_array(l, g->name[i], &l->m->array[k]);
    fc_h5_close(l->at);
    FC_TRY(s);
    if (!sample) continue;
    for (int k = 0; k < FC_ROWS_KINDS; k++)
      if (p->at[k]) p->at[k][p->n + 1] = p->at[k][p->n] + l->rows[k];
    if (l->T) p->steps[p->n] = l->T;
    memcpy(p->group[p->n++], g->name[i], FC_NAME);
  }
  return FC_OK;
}

/* ---- the file ---- */

static fc_status nothing_here(const fc_look *l) {
  char names[160];

  fc_look_names(l->file, names, sizeof names);
  FC_REQUIRE(
      !fc_cloud_told(l->told->coordinates), FC_E_USAGE,
      "%s: data.coordinates = %s is neither in the file's root nor in its first group; the root holds: %s",
      l->path, l->told->coordinates, names);
  return fc_fail(
      FC_E_INPUT,
      "%s: no coordinates of points are recognised; data.coordinates names them; the root holds: %s", l->path,
      names);
}

static fc_status describe_groups(fc_look *l, group_list *g, fc_cloud_part *p) {
  char where[FC_NAME + 16];
  int  n = 0;

  for (int i = 0; i < g->n && !n; i++) { /* the first that has coordinates */
    l->at       = H5Gopen2(l->file, g->name[i], H5P_DEFAULT);
    fc_status s = l->at < 0 ? FC_OK : fc_look_coordinates(l, &n);
    snprintf(where, sizeof where, "group '%s': ", g->name[i]);
    l->where = where;
    if (n && s == FC_OK) s = fc_look_everything(l);
    fc_h5_close(l->at);
    FC_TRY(s);
  }
  return n ? count_groups(l, g, p) : nothing_here(l);
}

fc_status fc_cloud_describe_foreign(hid_t file, const fc_cloud_mapping *told, fc_cloud_map *m,
                                    fc_cloud_part *p) {
  fc_look    l = {.file = file, .at = file, .path = p->path, .where = "", .told = told, .m = m};
  group_list g;
  int        n;

  FC_TRY(fc_look_coordinates(&l, &n));
  if (n) {
    m->info.layout_name = "HDF5, arrays of points";
    FC_TRY(fc_look_everything(&l));
    return count_root(&l, p);
  }
  m->grouped          = true;
  m->info.layout_name = "HDF5, one group per sample";
  fc_status s         = list_groups(&l, &g);
  if (s == FC_OK) s = describe_groups(&l, &g, p);
  free(g.name);
  return s;
}
