/* io/weights.c - parameters from and to safetensors files, by name. */
#include "core/options.h"
#include "io/file.h"
#include "io/safetensors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- loading: first match, then read everything, then copy ---- */

typedef struct loader {
  const char           *path;
  const fc_safetensors *file;
  fc_params            *p;
  int                   n; /* parameters */
  int     *entry; /* [n] of the file, -1: missing; the one under the first name if there are several */
  int     *owner; /* [entries of the file] the parameter it belongs to, -1: none */
  fc_real *staged;
} loader;

static int find_param(const fc_params *p, const char *name) {
  const fc_tensor *t = fc_params_find(p, name);

  if (!t && !strncmp(name, "module.", 7)) t = fc_params_find(p, name + 7); /* saved from DataParallel */
  for (int i = 0; t && i < fc_params_size(p); i++) {
    fc_tensor *q;
    fc_params_at(p, i, &q);
    if (q == t) return i;
  }
  return -1;
}

static bool official(const fc_params *p, int i, const char *name) {
  const char *wanted = fc_params_at(p, i, NULL);
  return !strcmp(name, wanted) || (!strncmp(name, "module.", 7) && !strcmp(name + 7, wanted));
}

/* A complex entry of shape S holds the numbers of a parameter of shape S + [2]. */
static bool fits(const fc_safetensor *e, const fc_tensor *t) {
  const bool complex = !strcmp(e->dtype, "C64");

  if (e->ndim + complex != t->ndim || (complex && t->dim[t->ndim - 1] != 2)) return false;
  return !memcmp(e->dim, t->dim, (size_t)e->ndim * sizeof *e->dim);
}

static fc_status match_entry(loader *l, int k, fc_weights_report *r, int *first_unknown) {
  const fc_safetensor *e = fc_safetensors_at(l->file, k);
  const int            i = find_param(l->p, e->name);
  fc_tensor           *t;

  if (i < 0) {
    if (r->unexpected++ == 0) *first_unknown = k;
    return FC_OK;
  }
  fc_params_at(l->p, i, &t);
  FC_REQUIRE(fits(e, t), FC_E_MISMATCH, "%.200s: %s has %s %s, the model wants %s", e->name, l->path,
             e->dtype, fc_dims_text(e->ndim, e->dim), fc_shape_text(t));
  l->owner[k] = i;
  if (l->entry[i] < 0 || official(l->p, i, e->name)) l->entry[i] = k;
  return FC_OK;
}

static fc_status unexpected(const loader *l, int k) {
  const fc_safetensor *e     = fc_safetensors_at(l->file, k);
  const char         **names = malloc(((size_t)l->n + 1) * sizeof *names);

  FC_REQUIRE(names, FC_E_SYSTEM, "no memory to compare names");
  for (int i = 0; i < l->n; i++) names[i] = fc_params_at(l->p, i, NULL);
  const char *near = fc_nearest(e->name, l->n, names);
  free(names);
  return fc_fail(FC_E_MISMATCH, "%.200s %s: in %s, but not a weight of this model%s%s", e->name,
                 fc_dims_text(e->ndim, e->dim), l->path, near ? "; nearest is " : "", near ? near : "");
}

static fc_status match_all(loader *l, bool strict, fc_weights_report *r) {
  int        unknown = -1, missing = -1;
  fc_tensor *t;

  for (int i = 0; i < l->n; i++) l->entry[i] = -1;
  for (int k = 0; k < fc_safetensors_size(l->file); k++) l->owner[k] = -1;
  for (int k = 0; k < fc_safetensors_size(l->file); k++) FC_TRY(match_entry(l, k, r, &unknown));
  for (int i = 0; i < l->n; i++)
    if (l->entry[i] < 0 && !fc_params_dispensable(l->p, i) && r->missing++ == 0) missing = i;
  if (strict && missing >= 0) {
    const char *name = fc_params_at(l->p, missing, &t);
    return fc_fail(FC_E_MISMATCH, "%s %s: missing in %s (%d missing, %d unexpected there)", name,
                   fc_shape_text(t), l->path, r->missing, r->unexpected);
  }
  return strict && unknown >= 0 ? unexpected(l, unknown) : FC_OK;
}

/* A tensor stored under several of its names must be the same numbers each time, else some would be lost. */
static fc_status check_others(const loader *l, int i, const fc_real *x, fc_real *y, int64_t n) {
  for (int k = 0; k < fc_safetensors_size(l->file); k++) {
    if (l->owner[k] != i || k == l->entry[i]) continue;
    FC_TRY(fc_safetensors_read(l->file, k, y));
    FC_REQUIRE(!memcmp(x, y, (size_t)n * sizeof *y), FC_E_MISMATCH,
               "%s and %s: one weight in this model, but different numbers in %s",
               fc_safetensors_at(l->file, l->entry[i])->name, fc_safetensors_at(l->file, k)->name, l->path);
  }
  return FC_OK;
}

static int64_t largest(const fc_params *p) {
  fc_tensor *t;
  int64_t    n = 0;

  for (int i = 0; i < fc_params_size(p); i++) {
    fc_params_at(p, i, &t);
    n = fc_max64(n, fc_len(t));
  }
  return n;
}

/* the weights one after the other, and room for one of them */
static fc_status stage(loader *l, fc_weights_report *r) {
  const int64_t block = fc_params_block(l->p, false);
  fc_real      *x = l->staged = malloc((size_t)(block + largest(l->p) + 1) * sizeof *x), *room = x + block;
  fc_tensor    *t;

  FC_REQUIRE(x, FC_E_SYSTEM, "%s: no memory to read it", l->path);
  for (int i = 0; i < l->n; i++) {
    if (l->entry[i] < 0) continue;
    fc_params_at(l->p, i, &t);
    FC_TRY(fc_safetensors_read(l->file, l->entry[i], x));
    FC_TRY(check_others(l, i, x, room, fc_len(t)));
    x += fc_len(t);
    r->loaded++;
  }
  return FC_OK;
}

static void copy(const loader *l) {
  const fc_real *x = l->staged;
  fc_tensor     *t;

  for (int i = 0; i < l->n; i++) {
    if (l->entry[i] < 0) continue;
    fc_params_at(l->p, i, &t);
    memcpy(t->x, x, (size_t)fc_len(t) * sizeof *x);
    x += fc_len(t);
  }
}

fc_status fc_weights_load(const char *path, fc_params *p, bool strict, fc_weights_report *report) {
  fc_safetensors   *file;
  fc_weights_report r = {0, 0, 0};

  FC_ASSERT(fc_params_values(p), "fc_weights_load: the parameters are not committed");
  if (report) *report = r;
  FC_TRY(fc_safetensors_open(path, &file));
  loader    l = {.path = path, .file = file, .p = p, .n = fc_params_size(p)};
  fc_status s = FC_OK;
  l.entry     = malloc(((size_t)l.n + 1) * sizeof *l.entry);
  l.owner     = malloc(((size_t)fc_safetensors_size(file) + 1) * sizeof *l.owner);
  if (!l.entry || !l.owner) s = fc_fail(FC_E_SYSTEM, "%s: no memory to read it", path);
  if (s == FC_OK) s = match_all(&l, strict, &r);
  if (s == FC_OK) s = stage(&l, &r);
  if (s == FC_OK)
    copy(&l);
  else
    r.loaded = 0;
  if (report) *report = r;
  free(l.entry);
  free(l.owner);
  free(l.staged);
  fc_safetensors_close(file);
  return s;
}

/* ---- saving ---- */

typedef struct item {
  const char *name;
  fc_tensor  *t;
  bool        complex, whole;
} item;

/* bytes of a number in the file */
static int64_t width(const item *it) { return (int64_t)(it->whole ? sizeof(int64_t) : sizeof(float)); }

/* wide numbers first, so that all are aligned; then names */
static int by_name(const void *a, const void *b) {
  const item *i = a, *j = b;

  return i->whole != j->whole ? j->whole - i->whole : strcmp(i->name, j->name);
}

static json_t *describe(const item *it, int64_t begin) {
  json_t       *shape = json_array();
  const int64_t end   = begin + fc_len(it->t) * width(it);

  for (int i = 0; i < it->t->ndim; i++) json_array_append_new(shape, json_integer(it->t->dim[i]));
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", it->whole ? "I64" : "F32", "shape", shape, "data_offsets",
                   (json_int_t)begin, (json_int_t)end);
}

/* {"format": "pt"} and, if there are any, the names of complex weights */
static json_t *metadata(int n, const item *items) {
  json_t *m    = json_pack("{s:s}", "format", "pt");
  char   *text = NULL;
  size_t  size = 0;
  FILE   *f    = open_memstream(&text, &size);

  for (int i = 0; f && i < n; i++)
    if (items[i].complex) fprintf(f, "%s%s", ftell(f) ? "," : "", items[i].name);
  bool ok = f && fclose(f) == 0 && m;
  if (ok && size) ok = json_object_set_new(m, "complex_as_real_pairs", json_string(text)) == 0;
  free(text);
  if (!ok) json_decref(m);
  return ok ? m : NULL;
}

/* the header's text; jansson keeps the order in which keys are set */
static char *header_text(int n, const item *items) {
  json_t *h  = json_pack("{s:o}", "__metadata__", metadata(n, items));
  int64_t at = 0;
  bool    ok = h;

  for (int i = 0; i < n; i++) {
    ok = ok && json_object_set_new(h, items[i].name, describe(&items[i], at)) == 0;
    at += fc_len(items[i].t) * width(&items[i]);
  }
  char *text = ok ? json_dumps(h, JSON_COMPACT) : NULL;
  json_decref(h);
  return text;
}

static void write_floats(FILE *f, const fc_real *x, int64_t n) {
  float buffer[4096];

  for (int64_t at = 0; at < n; at += FC_COUNT(buffer)) {
    const int64_t m = fc_min64(FC_COUNT(buffer), n - at);
    for (int64_t i = 0; i < m; i++) buffer[i] = (float)x[at + i];
    fwrite(buffer, sizeof *buffer, (size_t)m, f); /* commit sees whether it failed */
  }
}

static void write_whole(FILE *f, const fc_real *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) fwrite(&(int64_t){(int64_t)x[i]}, sizeof(int64_t), 1, f);
}

static fc_status write_file(const char *path, int n, const item *items, const char *header) {
  const uint64_t bytes = strlen(header), padded = (bytes + 7) / 8 * 8;
  FILE          *f;

  FC_TRY(fc_file_begin(path, &f));
  fwrite(&padded, sizeof padded, 1, f);
  fprintf(f, "%s%*s", header, (int)(padded - bytes), "");
  for (int i = 0; i < n; i++)
    (items[i].whole ? write_whole : write_floats)(f, items[i].t->x, fc_len(items[i].t));
  return fc_file_commit(path, f);
}

/* names of all parameters, those of modules that have several places included */
static int list_items(const fc_params *p, item *items) {
  int n = 0;

  for (int i = 0; i < fc_params_size(p); i++) {
    item        one = {.complex = fc_params_complex(p, i), .whole = fc_params_whole(p, i)};
    const char *more;
    one.name = fc_params_at(p, i, &one.t);
    if (items) items[n] = one;
    n++;
    for (int k = 0; (more = fc_params_mirrored(p, i, k)); k++, n++)
      if (items) items[n] = one, items[n].name = more;
  }
  return n;
}

fc_status fc_weights_save(const char *path, const fc_params *p) {
  const int n      = list_items(p, NULL);
  item     *items  = malloc(((size_t)n + 1) * sizeof *items);
  char     *header = NULL;
  fc_status s;

  if (items) list_items(p, items);
  if (items) qsort(items, (size_t)n, sizeof *items, by_name);
  if (items) header = header_text(n, items);
  if (header)
    s = write_file(path, n, items, header);
  else
    s = fc_fail(FC_E_SYSTEM, "%s: no memory to list the weights", path);
  free(header);
  free(items);
  return s;
}
