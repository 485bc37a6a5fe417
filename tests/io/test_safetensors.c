/* tests/io/test_safetensors.c - the format: what is legal, what is refused, every type of number. */
#include "tests/io/hand_made.h"

#include "io/file.h"

#include <glob.h>

static const float numbers[8] = {1, -2, 3.5f, 1e-42f, 5, 6, 7, 8};

static fc_status open_header(const char *header, size_t bytes, fc_safetensors **s) {
  return fc_safetensors_open(make("x.safetensors", header, numbers, bytes), s);
}

static const fc_safetensor *entry(const fc_safetensors *s, const char *name, int *at) {
  for (*at = 0; *at < fc_safetensors_size(s); ++*at)
    if (!strcmp(fc_safetensors_at(s, *at)->name, name)) return fc_safetensors_at(s, *at);
  return NULL;
}

static void every_rule(void) {
  static const struct {
    const char *header;
    size_t      bytes;
    const char *why;
  } bad[] = {
      {"[\"a\"]", 0, "does not begin with '{'"},
      {"", 0, "does not begin with '{'"},
      {"   ", 0, "does not begin with '{'"},
      {"{\"a\":", 0, "not valid JSON"},
      {"{} x", 0, "not valid JSON"},
      {"{\"a\":[[[[[[]]]]]]}", 0, "nests deeper"},
      {"{\"a\":3}", 0, "tensor 'a': its entry is not an object"},
      {"{\"a\":{}}", 0, "tensor 'a': the dtype is missing"},
      {"{\"a\":{\"dtype\":\"F31\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
       "tensor 'a': unknown dtype 'F31'"},
      {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor 'a': the shape is missing"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "an axis that is no length"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "an axis that is no length"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
       "more than 8 axes"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "data_offsets must be"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "data_offsets must be"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "data_offsets must be"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets must be"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
       "tensor 'a': F32 [2] takes 8 bytes, its data_offsets give 4"},
      {"{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0,
       "whole number of bytes"},
      {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, "whole number of bytes"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}", 4,
       "not valid JSON"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
       "tensor 'a': begins at byte 4 of the data, 0 is wanted: there is a hole"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":["
       "2],\"data_offsets\":[4,12]}}",
       12, "tensor 'b': begins at byte 4 of the data, 8 is wanted: it overlaps"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":["
       "1],\"data_offsets\":[4,8]}}",
       8, "duplicate"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5,
       "1 bytes follow the last tensor"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3,
       "truncated: the header promises 4 bytes of data, the file has 3"},
      {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ must hold texts only"},
      {"{\"__metadata__\":[]}", 0, "__metadata__ must hold texts only"},
      {"{\"\xff\":{}}", 0, "not valid JSON"},
  };
  fc_safetensors *s;

  for (int i = 0; i < FC_COUNT(bad); i++) {
    CHECK_FAILS(open_header(bad[i].header, bad[i].bytes, &s), FC_E_INPUT, bad[i].why);
    CHECK(s == NULL);
  }
}

static void unusual_but_legal(void) {
  fc_safetensors *s;
  fc_real         x[2];
  int             at = 0;

  CHECK_OK(open_header("{}", 0, &s));
  CHECK(fc_safetensors_size(s) == 0 && !strcmp(fc_safetensors_metadata(s), ""));
  fc_safetensors_close(s);
  CHECK_OK(open_header("  {\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8],\"more\":1},"
                       "\"e\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,9,0],\"data_offsets\":[4,4]},"
                       "\"a\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}   ",
                       8, &s));
  CHECK(!strcmp(fc_safetensors_at(s, 0)->name, "a") && entry(s, "e", &at)->ndim == 3);
  CHECK_OK(fc_safetensors_read(s, at, x));
  CHECK(entry(s, "b", &at)->ndim == 0);
  CHECK_OK(fc_safetensors_read(s, at, x));
  CHECK(x[0] == -2);
  fc_safetensors_close(s);
  CHECK_OK(open_header("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, &s));
  CHECK_FAILS(fc_safetensors_read(s, 0, x), FC_E_INPUT, "type F8_E4M3 cannot be read");
  fc_safetensors_close(s);
  fc_safetensors_close(NULL);
}

static void hostile_sizes(void) {
  const uint64_t  lengths[] = {100000001, UINT64_MAX, (uint64_t)1 << 63, 100000000, 9};
  const char     *path      = check_path("y");
  fc_safetensors *s;
  char           *deep = malloc(200001);

  for (int i = 0; i < FC_COUNT(lengths); i++) {
    FILE *f = fopen(path, "wb");
    fwrite(&lengths[i], 8, 1, f);
    fputs("{}      ", f);
    fclose(f);
    CHECK_FAILS(fc_safetensors_open(path, &s), FC_E_INPUT,
                i < 3 ? "at most 100000000 are allowed" : "truncated: a header of");
  }
  memset(deep, '[', 200000);
  deep[200000] = 0;
  memcpy(deep, "{\"a\":", 5);
  CHECK_FAILS(open_header(deep, 0, &s), FC_E_INPUT, "nests deeper");
  free(deep);
  CHECK_FAILS(fc_safetensors_open(check_path("none"), &s), FC_E_INPUT,
              "none: cannot be opened: No such file");
  CHECK_FAILS(fc_safetensors_open("/", &s), FC_E_INPUT, "not a plain file");
  CHECK_FAILS(fc_safetensors_open("/dev/zero", &s), FC_E_INPUT, "not a plain file");
}

/* ---- types ---- */

static void every_type(void) {
  /* 8-byte types first, so that all are aligned; values chosen to be exact in float */
  static const struct {
    const char *dtype;
    int         n, bytes;
    uint8_t     data[24];
    double      want[3];
  } t[] = {
      {"F64", 1, 8, {0, 0, 0, 0, 0, 0, 0xF8, 0xBF}, {-1.5}},
      {"I64", 1, 8, {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, {-2}},
      {"U64", 1, 8, {0, 0, 0, 0, 0, 0, 0, 0x80}, {9223372036854775808.0}},
      {"C64", 1, 8, {0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0}, {1, -2}},
      {"F32", 1, 4, {1, 0, 0, 0}, {0x1p-149}},
      {"I32", 1, 4, {0, 0, 0, 0x80}, {-2147483648.0}},
      {"U32", 1, 4, {0, 0, 0, 0x80}, {2147483648.0}},
      {"F16", 3, 6, {0x00, 0x3C, 0xFF, 0x83, 0xFF, 0x7B}, {1, -1023 * 0x1p-24, 65504}},
      {"BF16", 2, 4, {0x80, 0x3F, 0x00, 0xC0}, {1, -2}},
      {"I16", 1, 2, {0x00, 0x80}, {-32768}},
      {"U16", 1, 2, {0x00, 0x80}, {32768}},
      {"I8", 2, 2, {0x80, 0x7F}, {-128, 127}},
      {"U8", 2, 2, {0x80, 0xFF}, {128, 255}},
      {"BOOL", 3, 3, {0, 1, 255}, {0, 1, 1}},
  };
  for (int i = 0; i < FC_COUNT(t); i++) {
    char            header[200];
    fc_safetensors *s;
    fc_real         x[4] = {0};
    snprintf(header, sizeof header, "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%d]}}",
             t[i].dtype, t[i].n, t[i].bytes);
    CHECK_OK(fc_safetensors_open(make("t", header, t[i].data, (size_t)t[i].bytes), &s));
    CHECK_OK(fc_safetensors_read(s, 0, x));
    for (int k = 0; k < 3; k++) CHECK_NEAR(x[k], t[i].want[k], 0);
    fc_safetensors_close(s);
  }
}

/* every one of the 65536 half numbers against the definition of binary16 */
static void all_halves(void) {
  enum { N = 65536 };
  uint16_t       *h = malloc(N * sizeof *h);
  fc_real        *x = malloc(N * sizeof *x);
  fc_safetensors *s;
  int             wrong = 0;

  for (int i = 0; i < N; i++) h[i] = (uint16_t)i;
  const char *path =
      make("h", "{\"x\":{\"dtype\":\"F16\",\"shape\":[256,256],\"data_offsets\":[0,131072]}}", h, 2 * N);
  CHECK_OK(fc_safetensors_open(path, &s));
  CHECK_OK(fc_safetensors_read(s, 0, x));
  for (int i = 0; i < N; i++) {
    const int    e = i >> 10 & 31, f = i & 1023;
    const double v = e == 31 ? (f ? NAN : INFINITY)
                     : e     ? ldexp(1 + f / 1024.0, e - 15)
                             : ldexp(f / 1024.0, -14);
    wrong += isnan(v) ? !isnan(x[i]) : (double)x[i] != (i >> 15 ? -v : v) || !signbit(x[i]) != !(i >> 15);
  }
  CHECK_NEAR(wrong, 0, 0);
  fc_safetensors_close(s);
  free(h);
  free(x);
}

/* ---- files that lie beside the sources ---- */

static bool reference(const char *rest, char *path) {
  const char *dir = getenv("FC_SOURCE_DIR");
  snprintf(path, 600, "%s/../shared/%s", dir ? dir : "", rest);
  return dir && fc_file_exists(path);
}

static void reference_kinds(void) {
  char            path[600];
  fc_safetensors *s;
  fc_real         x[4];
  int             at = 0;

  if (!reference("fixtures/st_kinds.safetensors", path)) return;
  CHECK_OK(fc_safetensors_open(path, &s));
  CHECK(!strcmp(fc_safetensors_metadata(s), "format: pt\nnote: a\\nb\n"));
  CHECK(entry(s, "h", &at) != NULL);
  CHECK_OK(fc_safetensors_read(s, at, x));
  CHECK(x[0] == 1 && x[1] == 2 && x[2] == 3);
  CHECK(entry(s, "i", &at)->ndim == 0);
  CHECK_OK(fc_safetensors_read(s, at, x));
  CHECK(x[0] == 7);
  CHECK(entry(s, "na\xc3\xafve \"q\"\\", &at) != NULL);
  CHECK_OK(fc_safetensors_read(s, at, x));
  CHECK(x[0] == 5);
  CHECK(entry(s, "c", &at) != NULL);
  CHECK_OK(fc_safetensors_read(s, at, x));
  CHECK(x[1] == 1 && x[3] == 1); /* both imaginary parts are one */
  fc_safetensors_close(s);
}

static void reference_broken(void) {
  static const struct {
    const char *name, *why;
  } bad[] = {{"hole", "'net.0.bias': "},  {"overlap", "it overlaps"},
             {"hugeheader", "header of"}, {"notjson", "begin with '{'"},
             {"short", "only 5 bytes"},   {"sizemismatch", "F32 [3] takes 12 bytes"},
             {"trail", "1 bytes follow"}, {"trunc", "truncated"}};
  char            path[600], file[100];
  fc_safetensors *s;

  for (int i = 0; i < FC_COUNT(bad); i++) {
    snprintf(file, sizeof file, "fixtures/st_bad_%s.safetensors", bad[i].name);
    if (reference(file, path)) CHECK_FAILS(fc_safetensors_open(path, &s), FC_E_INPUT, bad[i].why);
  }
}

/* official weights: all tensors can be read and are finite */
static void reference_weights(void) {
  char   pattern[600];
  glob_t g;

  if (!getenv("FC_SOURCE_DIR")) return;
  snprintf(pattern, sizeof pattern, "%s/../shared/golden/*/weights.safetensors", getenv("FC_SOURCE_DIR"));
  if (glob(pattern, 0, NULL, &g)) return;
  for (size_t k = 0; k < g.gl_pathc; k++) {
    fc_safetensors *s = NULL;
    CHECK_OK(fc_safetensors_open(g.gl_pathv[k], &s));
    for (int i = 0; s && i < fc_safetensors_size(s); i++) {
      const fc_safetensor *e = fc_safetensors_at(s, i);
      fc_real             *x = malloc((size_t)(e->end - e->begin) * sizeof *x + 1);
      CHECK_OK(fc_safetensors_read(s, i, x));
      for (int64_t j = 0; !strcmp(e->dtype, "F32") && j < (e->end - e->begin) / 4; j++)
        if (isnan(x[j])) CHECK_NEAR(x[j], 0, 0);
      free(x);
    }
    fc_safetensors_close(s);
  }
  globfree(&g);
}

CHECK_SUITE(safetensors, every_rule, unusual_but_legal, hostile_sizes, every_type, all_halves,
            reference_kinds, reference_broken, reference_weights)
