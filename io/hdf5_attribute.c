/* io/hdf5_attribute.c - attributes as other programs write them: fixed and variable length
   text, booleans as enumerations, scalars as one-element arrays. */
#include "io/hdf5_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };                          /* elements of a list */
static const size_t LONGEST = (size_t)1 << 24; /* bytes of a fixed-length text */

typedef struct attribute {
  hid_t   id, type, space;
  int64_t n;
} attribute;

static void close_attribute(attribute *a) {
  fc_h5_close(a->space);
  fc_h5_close(a->type);
  fc_h5_close(a->id);
}

static bool open_attribute(hid_t at, const char *name, attribute *a) {
  *a = (attribute){-1, -1, -1, 0};
  if (H5Aexists(at, name) <= 0) return false;
  a->id    = H5Aopen(at, name, H5P_DEFAULT);
  a->type  = H5Aget_type(a->id);
  a->space = H5Aget_space(a->id);
  a->n     = a->space < 0 ? -1 : H5Sget_simple_extent_npoints(a->space);
  if (a->id >= 0 && a->type >= 0 && a->n >= 0 && a->n <= MOST) return true;
  close_attribute(a);
  return false;
}

static bool is_text(const attribute *a) {
  return H5Tget_class(a->type) == H5T_STRING && H5Tget_size(a->type) <= LONGEST;
}

static bool is_number(const attribute *a) {
  const H5T_class_t class = H5Tget_class(a->type);
  return class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM;
}

/* Calls take(user, i, text, length) for each element. */
static bool each_text(const attribute *a, void (*take)(void *, int64_t, const char *, size_t), void *user) {
  const bool   variable = H5Tis_variable_str(a->type) > 0;
  const size_t size     = H5Tget_size(a->type);
  char        *raw      = calloc((size_t)a->n + 1, size);
  const bool   ok       = raw && H5Aread(a->id, a->type, raw) >= 0;

  for (int64_t i = 0; ok && i < a->n; i++) {
    const char *text = raw + (size_t)i * size;
    if (variable) memcpy(&text, raw + (size_t)i * size, sizeof text);
    take(user, i, text ? text : "", !text ? 0 : variable ? strlen(text) : strnlen(text, size));
  }
  if (ok && variable && a->n > 0) H5Dvlen_reclaim(a->type, a->space, H5P_DEFAULT, raw);
  free(raw);
  return ok;
}

/* One element; space padding of fixed-length text goes. */
static void take_first(void *user, int64_t i, const char *text, size_t length) {
  char **out = user;

  if (i > 0) return;
  while (length > 0 && text[length - 1] == ' ') length--;
  *out = strndup(text, length);
}

char *fc_h5_text_new(hid_t at, const char *name) {
  attribute a;
  char     *text = NULL;

  if (!open_attribute(at, name, &a)) return NULL;
  if (is_text(&a) && a.n >= 1) each_text(&a, take_first, &text);
  close_attribute(&a);
  return text;
}

bool fc_h5_text(hid_t at, const char *name, char *buf, size_t size) {
  char *text = fc_h5_text_new(at, name);

  if (text) snprintf(buf, size, "%s", text);
  free(text);
  return text != NULL;
}

typedef struct list {
  int max;
  char (*out)[FC_NAME];
} list;

static void take_name(void *user, int64_t i, const char *text, size_t length) {
  const list *l = user;
  if (i < l->max) snprintf(l->out[i], FC_NAME, "%.*s", (int)length, text);
}

int fc_h5_texts(hid_t at, const char *name, int max, char (*out)[FC_NAME]) {
  attribute a;
  list      l = {max, out};
  int       n = -1;

  if (!open_attribute(at, name, &a)) return -1;
  if (a.n == 0)
    n = 0; /* an empty list comes as float64 of shape (0) */
  else if (is_text(&a) && each_text(&a, take_name, &l))
    n = (int)fc_min64(a.n, max);
  close_attribute(&a);
  return n;
}

/* numbers of any kind, at most max; -1 if they are not numbers */
static int numbers(hid_t at, const char *name, int max, double *out) {
  attribute a;
  int       n = -1;

  if (!open_attribute(at, name, &a)) return -1;
  double *x = malloc(((size_t)a.n + 1) * sizeof *x);
  if (x && is_number(&a) && (a.n == 0 || H5Aread(a.id, H5T_NATIVE_DOUBLE, x) >= 0)) {
    n = (int)fc_min64(a.n, max);
    memcpy(out, x, (size_t)n * sizeof *x);
  }
  free(x);
  close_attribute(&a);
  return n;
}

bool fc_h5_real(hid_t at, const char *name, double *x) { return numbers(at, name, 1, x) == 1; }

bool fc_h5_flag(hid_t at, const char *name, bool *x) {
  double v;

  if (!fc_h5_real(at, name, &v)) return false;
  *x = v != 0;
  return true;
}

int fc_h5_flags(hid_t at, const char *name, int max, bool *out) {
  double    v[FC_H5_RANK];
  const int n = numbers(at, name, max < FC_H5_RANK ? max : FC_H5_RANK, v);

  for (int i = 0; i < n; i++) out[i] = v[i] != 0;
  return n;
}
