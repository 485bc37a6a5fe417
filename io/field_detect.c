/* io/field_detect.c - which layout a file has, by content, and whether two files belong together. */
#include "io/field_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* in order: a Well file may hold anything else beside its groups; bare data sets are what is left */
static const fc_layout_def *const layouts[] = {&fc_layout_well,
                                               &fc_layout_pdebench_darcy,
                                               &fc_layout_pdebench_tensor,
                                               &fc_layout_pdebench_cfd,
                                               &fc_layout_pdebench_incompressible,
                                               &fc_layout_pdebench_groups,
                                               &fc_layout_fourcastnet,
                                               &fc_layout_netcdf,
                                               &fc_layout_plain};

static bool list(void *user, hid_t at, const char *name) {
  char        *text = user;
  const size_t n    = strlen(text);

  (void)at;
  snprintf(text + n, 120 - n, "%s%s", n ? ", " : "", name);
  return n + strlen(name) + 2 < 110;
}

static fc_status unknown(hid_t file, const char *path) {
  char names[120] = "";

  FC_REQUIRE(H5Aexists(file, "fieldcast_store") <= 0, FC_E_INPUT,
             "%s: a fieldcast store (checkpoint), where a file of fields is wanted", path);
  fc_h5_each(file, list, names);
  return fc_fail(FC_E_INPUT,
                 "%s: HDF5, but not a layout of fields known here (The Well, PDEBench, FourCastNet, "
                 "NetCDF-4, bare data sets); it holds: %s",
                 path, names[0] ? names : "nothing");
}

const fc_layout_def *fc_layout_find(hid_t file) {
  for (int k = 0; k < FC_COUNT(layouts); k++)
    if (layouts[k]->match(file)) return layouts[k];
  return NULL;
}

static fc_status describe(hid_t file, const char *path, fc_field_map *m) {
  const fc_layout_def *l = fc_layout_find(file);

  if (!l) return unknown(file, path);
  m->info.layout = l->layout;
  FC_TRY(l->describe(file, path, m));
  return fc_map_check(m, path);
}

fc_status fc_map_create(hid_t file, const char *path, fc_field_map **out) {
  fc_field_map *m = calloc(1, sizeof *m);

  *out = NULL;
  FC_REQUIRE(m, FC_E_SYSTEM, "%s: not enough memory to describe the file", path);
  m->info.n_files = 1;
  m->info.dt      = NAN;
  strcpy(m->params, "scalars/");
  for (int a = 0; a < 3; a++) {
    m->info.lo[a] = m->info.hi[a] = NAN;
    m->info.uniform[a]            = true;
  }
  const fc_status s = describe(file, path, m);
  if (s == FC_OK)
    *out = m;
  else
    fc_map_destroy(m);
  return s;
}

void fc_map_destroy(fc_field_map *m) {
  if (!m) return;
  free(m->group);
  free(m);
}

static fc_status same_channels(int n, const fc_channel *a, int n_b, const fc_channel *b, const char *what,
                               const char *path_a, const char *path_b) {
  FC_REQUIRE(n == n_b, FC_E_INPUT, "%s has %d %s and %s has %d; files of one data set must agree", path_a, n,
             what, path_b, n_b);
  for (int i = 0; i < n; i++)
    FC_REQUIRE(!strcmp(a[i].name, b[i].name) && a[i].field == b[i].field, FC_E_INPUT,
               "%s has '%s' where %s has '%s'; files of one data set must agree", path_a, a[i].name, path_b,
               b[i].name);
  return FC_OK;
}

fc_status fc_map_agree(const fc_field_map *a, const char *path_a, const fc_field_map *b, const char *path_b) {
  const fc_field_info *i = &a->info, *j = &b->info;

  FC_REQUIRE(i->layout == j->layout, FC_E_INPUT, "%s is %s and %s is %s; files of one data set must agree",
             path_a, i->layout_name, path_b, j->layout_name);
  FC_REQUIRE(
      i->ndim == j->ndim && !memcmp(i->dim, j->dim, sizeof i->dim), FC_E_INPUT,
      "%s has %lld x %lld x %lld points and %s has %lld x %lld x %lld; files of one data set must agree",
      path_a, (long long)i->dim[0], (long long)fc_max64(1, i->dim[1]), (long long)fc_max64(1, i->dim[2]),
      path_b, (long long)j->dim[0], (long long)fc_max64(1, j->dim[1]), (long long)fc_max64(1, j->dim[2]));
  FC_TRY(same_channels(i->n_channels, i->channel, j->n_channels, j->channel, "channels", path_a, path_b));
  FC_TRY(same_channels(i->n_constant, i->constant, j->n_constant, j->constant, "constant channels", path_a,
                       path_b));
  for (int k = 0; k < a->n_vars; k++)
    FC_REQUIRE(!strcmp(a->var[k].axes, b->var[k].axes) && !strcmp(a->var[k].path, b->var[k].path), FC_E_INPUT,
               "data set '%s' varies along other axes in %s than in %s", a->var[k].path, path_a, path_b);
  return FC_OK;
}
