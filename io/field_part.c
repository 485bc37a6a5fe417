/* io/field_part.c - the files of a data set: opened when needed, closed when others are. */
#include "io/field_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t CHUNK_CACHE = (size_t)32 << 20; /* so that a chunk of many frames is unpacked once */

static void close_sets(const fc_field *f, fc_field_part *p) {
  for (int k = 0; k < f->map->n_vars; k++) {
    fc_h5_close(p->set[k]);
    p->set[k] = -1;
  }
}

void fc_field_part_close(const fc_field *f, fc_field_part *p) {
  if (p->file < 0) return;
  close_sets(f, p);
  fc_h5_close(p->file);
  p->file = -1;
}

static fc_status open_part(fc_field *f, fc_field_part *p) {
  fc_field_part *oldest = NULL;
  int            n_open = 0;

  for (int i = 0; i < f->n_parts; i++)
    if (f->part[i].file >= 0) {
      n_open++;
      if (!oldest || f->part[i].used < oldest->used) oldest = &f->part[i];
    }
  if (n_open >= FC_FIELD_OPEN) fc_field_part_close(f, oldest);
  return fc_h5_open(p->path, &p->file);
}

fc_status fc_field_locate(fc_field *f, int64_t traj, fc_field_part **part, int64_t *local) {
  int lo = 0, hi = f->n_parts - 1;

  FC_REQUIRE(traj >= 0 && traj < f->map->info.n_traj, FC_E_USAGE,
             "%s: there is no trajectory %lld; there are %lld", f->part[0].path, (long long)traj,
             (long long)f->map->info.n_traj);
  while (lo < hi) { /* last part that begins at or before traj */
    const int mid = (lo + hi + 1) / 2;
    if (f->part[mid].first <= traj)
      lo = mid;
    else
      hi = mid - 1;
  }
  *part  = &f->part[lo];
  *local = traj - (*part)->first;
  if ((*part)->file < 0) FC_TRY(open_part(f, *part));
  (*part)->used = ++f->clock;
  return FC_OK;
}

static fc_status same_size(const fc_field_part *p, const fc_var *v, hid_t set, const char *name) {
  hsize_t     n[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(set);
  const int   rank  = H5Sget_simple_extent_dims(space, n, NULL);

  fc_h5_close(space);
  bool same = rank == (int)strlen(v->axes);
  for (int i = 0; same && i < rank; i++) same = n[i] == (hsize_t)v->dim[i];
  FC_REQUIRE(same, FC_E_INPUT, "%s: data set '%s' has another shape than its siblings, or has changed",
             p->path, name);
  return FC_OK;
}

fc_status fc_field_data_set(fc_field *f, fc_field_part *p, int64_t local, int k, hid_t *out) {
  char        name[FC_NAME + FC_VAR_PATH + 2];
  fc_status   s;
  const char *group = f->map->grouped ? p->group[local] : "";

  if (f->map->grouped && p->set_traj != local) close_sets(f, p);
  p->set_traj = local;
  *out        = p->set[k];
  if (*out >= 0) return FC_OK;
  snprintf(name, sizeof name, "%s%s%s", group, group[0] ? "/" : "", p->var[k].path);
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 4093, CHUNK_CACHE, 1.0);
  const hid_t set = H5Dopen2(p->file, name, access);
  fc_h5_close(access);
  FC_REQUIRE(set >= 0, FC_E_INPUT, "%s: data set '%s' cannot be opened; the file is damaged", p->path, name);
  if ((s = same_size(p, &p->var[k], set, name)) != FC_OK)
    fc_h5_close(set);
  else
    *out = p->set[k] = set;
  return s;
}

fc_status fc_field_raw(fc_field *f, size_t bytes) {
  if (bytes <= f->raw_bytes) return FC_OK;
  void *raw = realloc(f->raw, bytes);
  FC_REQUIRE(raw, FC_E_SYSTEM, "%s: not enough memory to read %.3g GB at once", f->part[0].path,
             (double)bytes / 1e9);
  f->raw       = raw;
  f->raw_bytes = bytes;
  return FC_OK;
}
