/* cli/info_print.c - a JSON report as text: "key  value" lines, lists of objects as tables. */
#include "cli/info.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 512 };

void fc_info_text(json_t *o, const char *key, const char *text) {
  json_t *value = json_string(text);

  if (!value) { /* not UTF-8 */
    char *plain = strdup(text);
    for (char *p = plain; p && *p; p++)
      if ((unsigned char)*p > 126) *p = '?';
    value = plain ? json_string(plain) : json_null();
    free(plain);
  }
  json_object_set_new(o, key, value);
}

void fc_info_real(json_t *o, const char *key, double x) {
  json_object_set_new(o, key, isfinite(x) ? json_real(x) : json_null());
}

void fc_info_int(json_t *o, const char *key, int64_t x) { json_object_set_new(o, key, json_integer(x)); }

void fc_info_shape(json_t *o, const char *key, int n, const int64_t *dim) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, json_integer(dim[i]));
  json_object_set_new(o, key, list);
}

static void list_text(const json_t *v, char *out);

static void value_text(const json_t *v, char *out) {
  switch (json_typeof(v)) {
  case JSON_STRING:
    snprintf(out, CELL, "%s", json_string_value(v));
    break;
  case JSON_INTEGER:
    snprintf(out, CELL, "%lld", (long long)json_integer_value(v));
    break;
  case JSON_REAL:
    snprintf(out, CELL, "%.6g", json_real_value(v));
    break;
  case JSON_TRUE:
    snprintf(out, CELL, "yes");
    break;
  case JSON_FALSE:
    snprintf(out, CELL, "no");
    break;
  case JSON_NULL:
    snprintf(out, CELL, "-");
    break;
  case JSON_ARRAY:
    list_text(v, out);
    break;
  default:
    snprintf(out, CELL, "%zu entries", json_object_size(v));
  }
}

/* whole numbers are shapes, "64 x 64"; everything else is a list */
static void list_text(const json_t *v, char *out) {
  size_t n = 0;

  snprintf(out, CELL, "%s", json_array_size(v) ? "" : "scalar");
  for (size_t i = 0; i < json_array_size(v) && n < CELL - 1; i++) {
    char          one[CELL];
    const json_t *item = json_array_get(v, i);
    value_text(item, one);
    const int k = snprintf(out + n, CELL - n, "%s%s", !i ? "" : json_is_integer(item) ? " x " : ", ", one);
    n += k > 0 ? (size_t)k : 0;
  }
}

static bool is_table(const json_t *v) { return json_is_array(v) && json_is_object(json_array_get(v, 0)); }

/* characters, not bytes, of UTF-8 */
static int width_of(const char *text) {
  int n = 0;
  for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
  return n;
}

static void print_padded(const char *text, int width, bool right, bool last) {
  const int pad = width > width_of(text) ? width - width_of(text) : 0;

  printf("%*s%s", right ? pad : 0, "", text);
  if (last)
    putchar('\n');
  else
    printf("%*s", (right ? 0 : pad) + 2, "");
}

static bool is_numeric(const json_t *v) { return json_is_number(v) || json_is_null(v); }

static void cell_text(const json_t *v, char *out) {
  if (v && !(json_is_string(v) && !json_string_value(v)[0]))
    value_text(v, out);
  else
    strcpy(out, "-");
}

static int column_width(const json_t *rows, const char *key) {
  int           width = width_of(key);
  size_t        i;
  const json_t *row;

  json_array_foreach((json_t *)rows, i, row) {
    char text[CELL];
    cell_text(json_object_get(row, key), text);
    width = width_of(text) > width ? width_of(text) : width;
  }
  return width;
}

/* columns are the keys of the first row */
static void print_table(const json_t *rows) {
  json_t       *first = json_array_get(rows, 0), *v;
  const int     n     = (int)json_object_size(first);
  const char   *key;
  int           width[32], k = 0;
  size_t        i;
  const json_t *row;

  printf("    ");
  json_object_foreach(first, key, v) {
    if (k == FC_COUNT(width)) break;
    width[k] = column_width(rows, key);
    print_padded(key, width[k], is_numeric(v), k == n - 1);
    k++;
  }
  json_array_foreach((json_t *)rows, i, row) {
    printf("    ");
    k = 0;
    json_object_foreach(first, key, v) {
      char text[CELL];
      if (k == FC_COUNT(width)) break;
      cell_text(json_object_get(row, key), text);
      print_padded(text, width[k], is_numeric(json_object_get(row, key)), k == n - 1);
      k++;
    }
  }
}

static void print_lines(const char *text) {
  while (*text) {
    const int n = (int)strcspn(text, "\n");
    printf("    %.*s\n", n, text);
    text += n + (text[n] == '\n');
  }
}

static void print_entry(const char *key, const json_t *v, int width) {
  char        text[CELL];
  json_t     *unused;
  const char *inner;

  if (is_table(v)) {
    printf("  %s\n", key);
    print_table(v);
  } else if (json_is_object(v)) {
    printf("  %s\n", key);
    json_object_foreach((json_t *)v, inner, unused) {
      value_text(unused, text);
      printf("    %s: %s\n", inner, text);
    }
  } else if (json_is_string(v) && strchr(json_string_value(v), '\n')) {
    printf("  %s\n", key);
    print_lines(json_string_value(v));
  } else {
    value_text(v, text);
    printf("  %-*s  %s\n", width, key, text);
  }
}

void fc_info_print(const json_t *report) {
  const char *key;
  json_t     *v;
  int         width = 12;

  json_object_foreach((json_t *)report, key, v) {
    const int n = width_of(key);
    if (n > width && n < 28 && !is_table(v) && !json_is_object(v)) width = n;
  }
  printf("%s: %s\n", json_string_value(json_object_get(report, "file")),
         json_string_value(json_object_get(report, "kind")));
  json_object_foreach((json_t *)report, key, v) {
    if (strcmp(key, "file") && strcmp(key, "kind")) print_entry(key, v, width);
  }
}
