/* cli/info_binary.c - NumPy arrays, PNG pictures and files that say nothing about themselves. */
#include "cli/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- .npy: magic, version, header length, a Python dictionary, data ---- */
typedef struct npy {
  char    type[16];
  bool    fortran;
  int     n;
  int64_t dim[16];
  int64_t data;
} npy;

static fc_status bad_npy(const char *path, const char *what) {
  return fc_fail(FC_E_INPUT, "%s: NumPy array, but %s; the file is damaged", path, what);
}

/* the text after 'key': */
static const char *entry(const char *header, const char *key) {
  const char *p = strstr(header, key);

  p = p ? strchr(p + strlen(key), ':') : NULL;
  return p ? p + 1 + strspn(p + 1, " ") : NULL;
}

static bool parse_shape(const char *p, npy *a) {
  if (*p++ != '(') return false;
  for (a->n = 0; *p != ')';) {
    char *end;
    if (a->n == FC_COUNT(a->dim)) return false;
    a->dim[a->n] = strtoll(p, &end, 10);
    if (end == p || a->dim[a->n++] < 0) return false;
    p = end + strspn(end, ", ");
  }
  return true;
}

static fc_status parse_npy(const char *path, const char *header, npy *a) {
  const char *type = entry(header, "'descr'"), *order = entry(header, "'fortran_order'"),
             *shape = entry(header, "'shape'");

  if (!type || !order || !shape) return bad_npy(path, "its header lacks descr, fortran_order or shape");
  if (*type != '\'' || strcspn(type + 1, "'") >= sizeof a->type) {
    snprintf(a->type, sizeof a->type, "structured");
  } else
    snprintf(a->type, sizeof a->type, "%.*s", (int)strcspn(type + 1, "'"), type + 1);
  a->fortran = !strncmp(order, "True", 4);
  return parse_shape(shape, a) ? FC_OK : bad_npy(path, "its shape cannot be read");
}

static fc_status read_npy(const char *path, FILE *f, npy *a) {
  unsigned char h[12]        = {0};
  char          header[8193] = "";

  if (fread(h, 1, 10, f) != 10) return bad_npy(path, "it ends within its header");
  const bool wide = h[6] >= 2;
  if (wide && fread(h + 10, 1, 2, f) != 2) return bad_npy(path, "it ends within its header");
  const size_t n = h[8] | (size_t)h[9] << 8 | (wide ? (size_t)h[10] << 16 | (size_t)h[11] << 24 : 0);
  if (n >= sizeof header) return bad_npy(path, "its header is longer than 8 kB");
  if (fread(header, 1, n, f) != n) return bad_npy(path, "it ends within its header");
  a->data = (int64_t)n + (wide ? 12 : 10);
  return parse_npy(path, header, a);
}

static fc_status npy_size(const char *path, const npy *a) {
  struct stat   st;
  const int64_t item  = a->type[0] && strchr("<>|=", a->type[0]) ? strtoll(a->type + 2, NULL, 10) : 0;
  double        bytes = (double)(a->type[1] == 'U' ? 4 * item : item);

  for (int i = 0; i < a->n; i++) bytes *= (double)a->dim[i];
  FC_REQUIRE(item == 0 || (!stat(path, &st) && (double)(st.st_size - a->data) == bytes), FC_E_INPUT,
             "%s: NumPy array of %.15g bytes, but the file holds %lld; it is truncated or damaged", path,
             bytes, (long long)(st.st_size - a->data));
  return FC_OK;
}

fc_status fc_info_npy(const char *path, const fc_info_options *o, json_t *out) {
  npy   a = {0};
  FILE *f = fopen(path, "rb");

  (void)o;
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  fc_info_text(out, "kind", "NumPy array");
  const fc_status s = read_npy(path, f, &a);
  fclose(f);
  FC_TRY(s);
  FC_TRY(npy_size(path, &a));
  fc_info_text(out, "type", a.type);
  fc_info_shape(out, "shape", a.n, a.dim);
  fc_info_text(out, "order", a.fortran ? "first axis fastest (Fortran)" : "last axis fastest (C)");
  return FC_OK;
}

/* ---- PNG: signature, then IHDR; IEND at the very end ---- */
static uint32_t big_endian(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

fc_status fc_info_png(const char *path, const fc_info_options *o, json_t *out) {
  static const char *const colours[] = {"grey",           "?", "RGB",          "palette",
                                        "grey and alpha", "?", "RGB and alpha"};
  unsigned char            h[26] = {0}, tail[12] = {0};
  FILE                    *f = fopen(path, "rb");

  (void)o;
  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  const bool whole = fread(h, 1, sizeof h, f) == sizeof h && !fseek(f, -12, SEEK_END) &&
                     fread(tail, 1, 12, f) == 12 && !memcmp(tail + 4, "IEND", 4);
  fclose(f);
  fc_info_text(out, "kind", "PNG picture");
  FC_REQUIRE(!memcmp(h, "\211PNG\r\n\032\n", 8) && !memcmp(h + 12, "IHDR", 4), FC_E_INPUT,
             "%s: begins like a PNG picture, but is damaged", path);
  FC_REQUIRE(whole, FC_E_INPUT, "%s: PNG picture, but truncated: its end is missing", path);
  fc_info_shape(out, "width x height", 2, (int64_t[]){big_endian(h + 16), big_endian(h + 20)});
  fc_info_int(out, "bits", h[24]);
  fc_info_text(out, "colours", h[25] < 7 ? colours[h[25]] : "?");
  return FC_OK;
}

/* ---- anything else ---- */
fc_status fc_info_raw(const char *path, const fc_info_options *o, json_t *out) {
  struct stat st;

  (void)o;
  FC_REQUIRE(!stat(path, &st), FC_E_INPUT, "%s: %s", path, strerror(errno));
  fc_info_text(out, "kind", "raw bytes without a header");
  if (st.st_size % 4 == 0) fc_info_int(out, "as float32", st.st_size / 4);
  if (st.st_size % 8 == 0) fc_info_int(out, "as float64", st.st_size / 8);
  fc_info_text(out, "note", "shape and type are not stored; only who wrote it knows them");
  return FC_OK;
}
