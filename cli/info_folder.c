/* cli/info_folder.c - a folder: case of an official code, run directory, data set, or what lies in it. */
#include "cli/info.h"
#include "io/data_kind.h"
#include "io/file.h"
#include "io/hdf5_util.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH = 4096, MOST = 500 };

static const char *in(const char *folder, const char *name, char *buf) {
  snprintf(buf, PATH, "%.3000s/%.1000s", folder, name);
  return buf;
}

static bool has(const char *folder, const char *name) {
  char path[PATH];
  return fc_file_exists(in(folder, name, path));
}

static bool is_field_file(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot && (!strcmp(dot, ".h5") || !strcmp(dot, ".hdf5") || !strcmp(dot, ".nc") || !strcmp(dot, ".nc4"));
}

/* a checkpoint says so itself */
static bool is_store(const char *path) {
  const fc_h5_quiet q = fc_h5_hush();
  hid_t             file;
  const bool        yes = fc_h5_open(path, &file) == FC_OK && H5Aexists(file, "fieldcast_store") > 0;

  fc_h5_close(file);
  fc_h5_unhush(q);
  return yes;
}

typedef struct counts {
  json_t *list;
  int     n, fields, stores;
} counts;

static void look(const char *folder, const char *name, counts *c) {
  char        path[PATH];
  struct stat st;

  if (name[0] == '.' || stat(in(folder, name, path), &st)) return;
  if (c->n++ < MOST) {
    json_t *row = json_object();
    fc_info_text(row, "name", name);
    if (S_ISDIR(st.st_mode))
      fc_info_text(row, "bytes", "folder");
    else
      fc_info_int(row, "bytes", st.st_size);
    json_array_append_new(c->list, row);
  }
  if (!is_field_file(name)) return;
  if (c->stores == 0 && is_store(path))
    c->stores++; /* one is enough to know a run */
  else
    c->fields++;
}

static fc_status scan(const char *path, counts *c) {
  struct dirent **names;
  const int       n = scandir(path, &names, NULL, alphasort);

  FC_REQUIRE(n >= 0, FC_E_INPUT, "%s: the folder cannot be read: %s", path, strerror(errno));
  for (int i = 0; i < n; i++) {
    look(path, names[i]->d_name, c);
    free(names[i]);
  }
  free(names);
  return FC_OK;
}

static fc_status official_case(const char *path, const fc_info_options *o, json_t *out) {
  char    name[PATH];
  json_t *config = json_object(), *weights = json_object();

  fc_status s = fc_info_json(in(path, "config.json", name), o, config);
  if (s == FC_OK) s = fc_info_safetensors(in(path, "weights.safetensors", name), o, weights);
  fc_info_text(out, "kind", "case of an official code; 'fieldcast verify' rebuilds it");
  if (json_object_get(config, "model")) json_object_set(out, "model", json_object_get(config, "model"));
  if (json_object_get(config, "args")) json_object_set(out, "args", json_object_get(config, "args"));
  if (json_object_get(weights, "numbers"))
    json_object_set(out, "weights", json_object_get(weights, "numbers"));
  json_decref(config);
  json_decref(weights);
  return s;
}

fc_status fc_info_folder(const char *path, const fc_info_options *o, json_t *out) {
  counts    c = {json_array(), 0, 0, 0};
  fc_status s = FC_OK;

  if (has(path, "config.json") && has(path, "weights.safetensors"))
    s = official_case(path, o, out);
  else if ((s = scan(path, &c)) == FC_OK) {
    const fc_data_kind kind = c.stores ? FC_DATA_UNKNOWN : fc_data_kind_of(path);
    if (kind == FC_DATA_POINTS)
      s = fc_info_cloud(path, o, out);
    else if (!c.stores && (c.fields || has(path, "data/train") || has(path, "train")))
      s = fc_info_fields(path, o, out);
    else {
      fc_info_text(out, "kind", c.stores ? "folder of a run: it holds checkpoints" : "folder");
      fc_info_int(out, "entries", c.n);
      if (c.n) json_object_set(out, "contents", c.list);
    }
  }
  json_decref(c.list);
  return s;
}
