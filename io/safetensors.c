/* io/safetensors.c - opening a file: every rule of the format is checked before anything is believed.
   Format: huggingface/safetensors; u64 header length N, N bytes of JSON, data. */
#include "io/safetensors.h"

#include "io/safetensors_types.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_HEADER = 100000000, DIMS = 8, DEPTH = 3, BUFFER = 16384 };

struct fc_safetensors {
  char          *path;
  int            fd;
  int64_t        bytes, data; /* of the file; where the data begin */
  json_t        *header;      /* owns the names */
  fc_safetensor *list;        /* in the order of the data */
  int            n;
  char          *metadata;
};

/* ---- bytes ---- */

/* n bytes at a place; a file that became shorter is an error like any other */
static fc_status read_at(const fc_safetensors *s, int64_t at, int64_t n, void *to) {
  for (int64_t done = 0; done < n;) {
    const ssize_t got = pread(s->fd, (char *)to + done, (size_t)(n - done), at + done);
    if (got < 0 && errno == EINTR) continue;
    FC_REQUIRE(got > 0, FC_E_INPUT, "%s: cannot be read at byte %lld: %s", s->path, (long long)(at + done),
               got ? strerror(errno) : "the file has become shorter");
    done += got;
  }
  return FC_OK;
}

static fc_status open_file(fc_safetensors *s) {
  struct stat st;

  s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
  FC_REQUIRE(s->fd >= 0 && fstat(s->fd, &st) == 0, FC_E_INPUT, "%s: cannot be opened: %s", s->path,
             strerror(errno));
  FC_REQUIRE(S_ISREG(st.st_mode), FC_E_INPUT, "%s: not a plain file", s->path);
  s->bytes = st.st_size;
  return FC_OK;
}

/* ---- the header as JSON ---- */

/* A legal header has three levels; deeper ones are refused before a parser recurses into them. */
static bool too_deep(const char *text, int64_t n) {
  bool quoted = false;
  int  depth  = 0;

  for (int64_t i = 0; i < n && depth <= DEPTH; i++) {
    if (quoted) {
      if (text[i] == '\\')
        i++;
      else
        quoted = text[i] != '"';
    } else if (text[i] == '"')
      quoted = true;
    else
      depth += (text[i] == '{' || text[i] == '[') - (text[i] == '}' || text[i] == ']');
  }
  return depth > DEPTH;
}

static fc_status parse_header(fc_safetensors *s, const char *text, int64_t n) {
  json_error_t e;
  int64_t      blank = 0;

  while (blank < n && text[blank] == ' ') blank++;
  FC_REQUIRE(blank < n && text[blank] == '{', FC_E_INPUT,
             "%s: not a safetensors file: the header does not begin with '{'", s->path);
  FC_REQUIRE(!too_deep(text, n), FC_E_INPUT,
             "%s: not a safetensors file: the header nests deeper than %d levels", s->path, DEPTH);
  s->header = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &e);
  FC_REQUIRE(s->header, FC_E_INPUT, "%s: the header is not valid JSON: %s (byte %d)", s->path, e.text,
             e.position);
  return FC_OK;
}

static fc_status read_header(fc_safetensors *s) {
  uint64_t n;

  FC_REQUIRE(s->bytes >= 8, FC_E_INPUT,
             "%s: not a safetensors file: only %lld bytes, the header length takes 8", s->path,
             (long long)s->bytes);
  FC_TRY(read_at(s, 0, 8, &n));
  FC_REQUIRE(n <= MAX_HEADER, FC_E_INPUT,
             "%s: not a safetensors file: a header of %llu bytes, at most %d are allowed", s->path,
             (unsigned long long)n, MAX_HEADER);
  FC_REQUIRE((int64_t)n <= s->bytes - 8, FC_E_INPUT,
             "%s: truncated: a header of %llu bytes in a file of %lld", s->path, (unsigned long long)n,
             (long long)s->bytes);
  char *text = malloc((size_t)n + 1);
  FC_REQUIRE(text, FC_E_SYSTEM, "%s: no memory for a header of %llu bytes", s->path, (unsigned long long)n);
  fc_status r = read_at(s, 8, (int64_t)n, text);
  if (r == FC_OK) r = parse_header(s, text, (int64_t)n);
  free(text);
  s->data = 8 + (int64_t)n;
  return r;
}

/* ---- entries ---- */

static fc_status bad(const fc_safetensors *s, const char *name, const char *why) {
  return fc_fail(FC_E_INPUT, "%s: tensor '%.200s': %s", s->path, name, why);
}

static bool natural(const json_t *v, int64_t *out) {
  *out = json_is_integer(v) ? (int64_t)json_integer_value(v) : -1;
  return *out >= 0;
}

static fc_status parse_shape(const fc_safetensors *s, const json_t *shape, fc_safetensor *t) {
  if (!json_is_array(shape)) return bad(s, t->name, "the shape is missing or not a list");
  if (json_array_size(shape) > DIMS) return bad(s, t->name, "more than 8 axes");
  t->ndim = (int)json_array_size(shape);
  for (int i = 0; i < t->ndim; i++)
    if (!natural(json_array_get(shape, (size_t)i), &t->dim[i]))
      return bad(s, t->name, "the shape has an axis that is no length");
  return FC_OK;
}

/* bytes = product of the shape times the size of the type, without overflow */
static fc_status check_size(const fc_safetensors *s, const fc_safetensor *t, int bits) {
  int64_t n    = bits;
  bool    fits = true;

  for (int i = 0; i < t->ndim; i++)
    if (t->dim[i] == 0) n = 0; /* [huge, huge, 0] is legal and empty */
  for (int i = 0; i < t->ndim && n; i++) fits = fits && !__builtin_mul_overflow(n, t->dim[i], &n);
  if (!fits || n % 8) return bad(s, t->name, "the shape does not give a whole number of bytes");
  FC_REQUIRE(t->end - t->begin == n / 8, FC_E_INPUT,
             "%s: tensor '%.200s': %s %s takes %lld bytes, its data_offsets give %lld", s->path, t->name,
             t->dtype, fc_dims_text(t->ndim, t->dim), (long long)(n / 8), (long long)(t->end - t->begin));
  return FC_OK;
}

static fc_status parse_entry(const fc_safetensors *s, const char *name, const json_t *v, fc_safetensor *t) {
  const json_t *dtype = json_object_get(v, "dtype"), *range = json_object_get(v, "data_offsets");

  t->name = name;
  if (!json_is_object(v)) return bad(s, name, "its entry is not an object");
  if (!json_is_string(dtype)) return bad(s, name, "the dtype is missing");
  t->dtype               = json_string_value(dtype);
  const fc_st_type *type = fc_st_type_find(t->dtype);
  FC_REQUIRE(type, FC_E_INPUT, "%s: tensor '%.200s': unknown dtype '%.40s'", s->path, name, t->dtype);
  FC_TRY(parse_shape(s, json_object_get(v, "shape"), t));
  if (json_array_size(range) != 2 || !natural(json_array_get(range, 0), &t->begin) ||
      !natural(json_array_get(range, 1), &t->end) || t->begin > t->end)
    return bad(s, name, "data_offsets must be [begin, end] with begin <= end");
  return check_size(s, t, type->bits);
}

static int by_place(const void *a, const void *b) {
  const fc_safetensor *p = a, *q = b;

  if (p->begin != q->begin) return p->begin < q->begin ? -1 : 1;
  if (p->end != q->end) return p->end < q->end ? -1 : 1;
  return strcmp(p->name, q->name);
}

/* The ranges start at 0, touch, and end where the file ends. */
static fc_status check_cover(fc_safetensors *s) {
  int64_t at = 0;

  qsort(s->list, (size_t)s->n, sizeof *s->list, by_place);
  for (int i = 0; i < s->n; at = s->list[i++].end) {
    const fc_safetensor *t = &s->list[i];
    FC_REQUIRE(t->begin == at, FC_E_INPUT,
               "%s: tensor '%.200s': begins at byte %lld of the data, %lld is wanted: %s", s->path, t->name,
               (long long)t->begin, (long long)at,
               t->begin > at ? "there is a hole" : "it overlaps with another tensor");
  }
  const int64_t have = s->bytes - s->data;
  FC_REQUIRE(have >= at, FC_E_INPUT,
             "%s: truncated: the header promises %lld bytes of data, the file has %lld", s->path,
             (long long)at, (long long)have);
  FC_REQUIRE(have == at, FC_E_INPUT, "%s: %lld bytes follow the last tensor that belong to none", s->path,
             (long long)(have - at));
  return FC_OK;
}

/* ---- metadata ---- */

static fc_status parse_metadata(fc_safetensors *s, json_t *meta) {
  size_t      size = 0;
  const char *key;
  json_t     *value;
  FILE       *f = open_memstream(&s->metadata, &size);

  FC_REQUIRE(f, FC_E_SYSTEM, "%s: no memory for the metadata", s->path);
  bool ok = !meta || json_is_object(meta);
  if (ok && meta) json_object_foreach(meta, key, value) {
      ok = ok && json_is_string(value);
      fprintf(f, "%s: ", key);
      for (const char *p = ok ? json_string_value(value) : ""; *p; p++)
        fputs(*p == '\n' ? "\\n" : (char[]){*p, 0}, f);
      fputc('\n', f);
    }
  const bool stored = fclose(f) == 0;
  FC_REQUIRE(stored && s->metadata, FC_E_SYSTEM, "%s: no memory for the metadata", s->path);
  FC_REQUIRE(ok, FC_E_INPUT, "%s: __metadata__ must hold texts only", s->path);
  return FC_OK;
}

static fc_status parse_entries(fc_safetensors *s) {
  const char *name;
  json_t     *value;

  s->list = calloc(json_object_size(s->header) + 1, sizeof *s->list);
  FC_REQUIRE(s->list, FC_E_SYSTEM, "%s: no memory for its table of contents", s->path);
  json_object_foreach(s->header, name, value) {
    if (!strcmp(name, "__metadata__")) continue;
    FC_TRY(parse_entry(s, name, value, &s->list[s->n]));
    s->n++;
  }
  FC_TRY(check_cover(s));
  return parse_metadata(s, json_object_get(s->header, "__metadata__"));
}

/* ---- public ---- */

fc_status fc_safetensors_open(const char *path, fc_safetensors **out) {
  fc_safetensors *s = calloc(1, sizeof *s);

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "%s: no memory", path);
  s->fd       = -1;
  s->path     = strdup(path);
  fc_status r = s->path ? open_file(s) : fc_fail(FC_E_SYSTEM, "%s: no memory", path);
  if (r == FC_OK) r = read_header(s);
  if (r == FC_OK) r = parse_entries(s);
  if (r == FC_OK)
    *out = s;
  else
    fc_safetensors_close(s);
  return r;
}

void fc_safetensors_close(fc_safetensors *s) {
  if (!s) return;
  if (s->fd >= 0) close(s->fd);
  json_decref(s->header);
  free(s->list);
  free(s->metadata);
  free(s->path);
  free(s);
}

int                  fc_safetensors_size(const fc_safetensors *s) { return s->n; }
const char          *fc_safetensors_metadata(const fc_safetensors *s) { return s->metadata; }
const fc_safetensor *fc_safetensors_at(const fc_safetensors *s, int i) { return &s->list[i]; }

fc_status fc_safetensors_read(const fc_safetensors *s, int i, fc_real *x) {
  const fc_safetensor *t    = &s->list[i];
  const fc_st_type    *type = fc_st_type_find(t->dtype);
  _Alignas(16) char    buffer[BUFFER];

  FC_REQUIRE(type->convert, FC_E_INPUT,
             "%s: tensor '%.200s': numbers of type %s cannot be read; store it as F32", s->path, t->name,
             t->dtype);
  for (int64_t at = t->begin; at < t->end; at += BUFFER) {
    const int64_t bytes = fc_min64(BUFFER, t->end - at), n = bytes * 8 / type->bits * type->numbers;
    FC_TRY(read_at(s, s->data + at, bytes, buffer));
    type->convert(buffer, n, x);
    x += n;
  }
  return FC_OK;
}
