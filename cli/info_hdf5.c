/* cli/info_hdf5.c - HDF5: fields, our stores (checkpoints), cases of official codes, or a list. */
#include "cli/info.h"
#include "io/data_kind.h"
#include "io/field_layout.h"
#include "io/hdf5_list.h"
#include "io/hdf5_util.h"

#include <string.h>

enum { MOST_ROWS = 2000, MOST_TEXT = 4096 };

typedef struct listing {
  json_t *sets, *texts;
  int64_t n, values;
} listing;

static fc_status add(void *user, const fc_h5_entry *e) {
  listing *l     = user;
  int64_t  count = 1;

  for (int i = 0; i < e->rank && i < FC_H5_RANK; i++) count *= e->dim[i] < ((int64_t)1 << 40) ? e->dim[i] : 0;
  if (e->text) {
    if (strlen(e->text) > MOST_TEXT) strcpy(e->text + MOST_TEXT - 4, "...");
    fc_info_text(l->texts, e->name, e->text);
    return FC_OK;
  }
  l->values += count;
  if (l->n++ >= MOST_ROWS) return FC_OK;
  json_t *row = json_object();
  fc_info_text(row, "data set", e->name);
  fc_info_text(row, "type", e->type);
  fc_info_shape(row, "shape", e->rank < FC_H5_RANK ? e->rank : FC_H5_RANK, e->dim);
  json_array_append_new(l->sets, row);
  return FC_OK;
}

/* a case of an official code may hold coordinates too: it is known by its groups */
static bool is_case(hid_t file) {
  return fc_h5_what(file, "input") == FC_H5_GROUP && fc_h5_what(file, "output") == FC_H5_GROUP;
}

static const char *kind_of(hid_t file, char *buf, size_t size) {
  char version[FC_NAME] = "";

  if (H5Aexists(file, "fieldcast_store") > 0) {
    fc_h5_text(file, "fieldcast_version", version, sizeof version);
    snprintf(buf, size, "fieldcast store (checkpoint)%s%s", version[0] ? ", written by version " : "",
             version);
    return buf;
  }
  if (H5Aexists(file, "fieldcast_statistics") > 0) {
    fc_h5_text(file, "kind", version, sizeof version);
    snprintf(buf, size, "fieldcast statistics (%s)", version);
    return buf;
  }
  if (is_case(file)) return "HDF5, case of an official code: inputs, outputs, gradients";
  return "HDF5, no layout of fields or points known here";
}

static void texts_to(json_t *out, json_t *texts) {
  const char *key;
  json_t     *v;

  json_object_foreach(texts, key, v) json_object_set(out, key, v);
}

static fc_status contents(hid_t file, const char *path, json_t *out) {
  char    kind[160];
  listing l = {json_array(), json_object(), 0, 0};

  fc_info_text(out, "kind", kind_of(file, kind, sizeof kind));
  const fc_status s = fc_h5_list(file, path, add, &l);
  fc_info_int(out, "data sets", l.n);
  fc_info_int(out, "values", l.values);
  if (l.n > MOST_ROWS) fc_info_text(out, "note", "only the first 2000 data sets are listed");
  texts_to(out, l.texts);
  json_object_set(out, "contents", l.sets);
  json_decref(l.sets);
  json_decref(l.texts);
  return s;
}

/* Bare data sets that do not say what their axes are: what there is, and what to add. */
static fc_status unclear(const char *path, json_t *out) {
  hid_t file;

  fc_info_text(out, "note", fc_error());
  FC_TRY(fc_h5_open(path, &file));
  const fc_status s = contents(file, path, out);
  fc_h5_close(file);
  return s;
}

fc_status fc_info_hdf5(const char *path, const fc_info_options *o, json_t *out) {
  const fc_h5_quiet q     = fc_h5_hush();
  bool              plain = false;
  fc_data_kind      kind  = FC_DATA_UNKNOWN;
  hid_t             file;
  fc_status         s = fc_h5_open(path, &file);

  if (s == FC_OK) {
    const fc_layout_def *layout = fc_layout_find(file);
    plain                       = layout && layout->layout == FC_LAYOUT_PLAIN;
    if (!is_case(file)) kind = fc_data_kind_of(path);
    if (kind == FC_DATA_UNKNOWN) s = contents(file, path, out);
    fc_h5_close(file);
  }
  if (s == FC_OK && kind == FC_DATA_POINTS) s = fc_info_cloud(path, o, out);
  if (s == FC_OK && kind == FC_DATA_SERIES) s = fc_info_series(path, o, out);
  if (s == FC_OK && kind == FC_DATA_GRID) {
    s = fc_info_fields(path, o, out);
    if (s == FC_E_INPUT && plain && !json_object_get(out, "kind")) s = unclear(path, out);
  }
  fc_h5_unhush(q);
  return s;
}
