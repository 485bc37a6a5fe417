/* tests/io/test_weights.c - parameters to and from safetensors: by name, complex, shared, bit by bit,
 * damaged. */
#include "tests/io/hand_made.h"

#include "io/file.h"

#include <signal.h>
#include <sys/resource.h>

/* net.0.weight [2, 3], net.0.bias [2], net.k [2, 2] with the second name "twin", a formula table [3] */
static fc_params *model(uint64_t seed) {
  fc_params *p;

  CHECK_OK(fc_params_create(&p));
  fc_params_push(p, "net");
  fc_params_push(p, "%d", 0);
  fc_param(p, "weight", fc_init_normal(1), FC_DIMS(2, 3));
  fc_param(p, "bias", fc_init_normal(1), FC_DIMS(2));
  fc_params_pop(p);
  fc_param(p, "k", fc_init_normal(1), FC_DIMS(2, 2));
  fc_param_alias(p, "twin");
  fc_params_pop(p);
  fc_param_of(p, FC_PARAM_FORMULA, "table", fc_init_constant(4), FC_DIMS(3));
  CHECK_OK(fc_params_commit(p, seed, false));
  return p;
}

static bool same_values(fc_params *a, fc_params *b) {
  return !memcmp(fc_params_values(a), fc_params_values(b),
                 (size_t)fc_params_block(a, false) * sizeof(fc_real));
}

/* a weights file from lines of dtype, name, shape; the data count up from 1 */
typedef struct part {
  const char *dtype, *name, *shape;
  int         bytes;
} part;
static const char *weights(const char *file, int n, const part *parts, bool distinct) {
  char  header[4000] = "{", data[400];
  float v            = 1;
  int   at           = 0;

  for (int i = 0; i < n; i++) {
    sprintf(header + strlen(header), "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
            i ? "," : "", parts[i].name, parts[i].dtype, parts[i].shape, at, at + parts[i].bytes);
    for (int k = 0; k < parts[i].bytes; k += 4, v += 1) memcpy(data + at + k, &v, 4);
    if (!distinct) v = 1;
    at += parts[i].bytes;
  }
  strcat(header, "}");
  return make(file, header, data, (size_t)at);
}

#define WEIGHT                                                                                               \
  { "F32", "net.0.weight", "[2,3]", 24 }
#define BIAS                                                                                                 \
  { "F32", "net.0.bias", "[2]", 8 }
#define K                                                                                                    \
  { "F32", "net.k", "[2,2]", 16 }
#define TWIN                                                                                                 \
  { "F32", "net.twin", "[2,2]", 16 }
#define TABLE                                                                                                \
  { "F32", "table", "[3]", 12 }
#define FILE_OF(...) weights("w", FC_COUNT(((part[]){__VA_ARGS__})), (part[]){__VA_ARGS__}, true)

static void loads_by_name(void) {
  fc_params        *p = model(1);
  fc_weights_report r;

  CHECK_OK(fc_weights_load(FILE_OF(TABLE, K, BIAS, WEIGHT), p, true, &r));
  CHECK(r.loaded == 4 && r.missing == 0 && r.unexpected == 0);
  CHECK(fc_params_find(p, "table")->x[0] == 1 && fc_params_find(p, "net.k")->x[3] == 7);
  CHECK(fc_params_find(p, "net.0.bias")->x[0] == 8 && fc_params_find(p, "net.0.weight")->x[5] == 15);
  fc_params_destroy(p);
  p = model(1);
  CHECK_OK(fc_weights_load(FILE_OF(BIAS, WEIGHT, TWIN), p, true, NULL)); /* no table: known by formula */
  CHECK(fc_params_find(p, "net.k")->x[0] == 9 && fc_params_find(p, "table")->x[0] == 4);
  CHECK_OK(
      fc_weights_load(FILE_OF({"F32", "module.net.k", "[2,2]", 16}, {"F32", "module.net.0.bias", "[2]", 8},
                              {"F32", "module.net.0.weight", "[2,3]", 24}),
                      p, true, NULL));
  CHECK(fc_params_find(p, "net.k")->x[0] == 1);
  fc_params_destroy(p);
}

static void complex_weights(void) {
  fc_params *p = model(1);

  CHECK_OK(fc_weights_load(FILE_OF({"C64", "net.k", "[2]", 16}, BIAS, WEIGHT), p, true, NULL));
  CHECK(fc_params_find(p, "net.k")->x[0] == 1 && fc_params_find(p, "net.k")->x[3] == 4);
  CHECK_FAILS(fc_weights_load(FILE_OF({"C64", "net.k", "[2,2]", 32}, BIAS, WEIGHT), p, true, NULL),
              FC_E_MISMATCH, "net.k: ");
  CHECK_FAILS(fc_weights_load(FILE_OF(K, {"C64", "net.0.bias", "[2]", 16}, WEIGHT), p, true, NULL),
              FC_E_MISMATCH, "has C64 [2], the model wants [2]");
  fc_params_destroy(p);
}

/* written as pairs with a list of names, read back to the same bits */
static void complex_weights_are_listed(void) {
  static const char list[] = "\"__metadata__\":{\"format\":\"pt\",\"complex_as_real_pairs\":\"a.w,b\"}";
  const char       *path   = check_path("pairs");
  fc_params        *p[2];
  fc_tensor        *t[2];
  char             *bytes;
  size_t            n;

  for (int i = 0; i < 2; i++) {
    CHECK_OK(fc_params_create(&p[i]));
    t[i] = fc_param_complex(p[i], "b", fc_init_normal(1), FC_DIMS(3, 2));
    fc_param_complex(p[i], "a.w", fc_init_normal(1), FC_DIMS(4));
    fc_param(p[i], "a.v", fc_init_normal(1), FC_DIMS(2));
    CHECK_OK(fc_params_commit(p[i], (uint64_t)i, false));
  }
  CHECK_OK(fc_weights_save(path, p[0]));
  CHECK_OK(fc_file_read(path, 10000, &bytes, &n));
  CHECK(!memcmp(bytes + 9, list, sizeof list - 1));
  CHECK(memcmp(t[0]->x, t[1]->x, 12 * sizeof(fc_real)) != 0);
  CHECK_OK(fc_weights_load(path, p[1], true, NULL));
  CHECK(same_values(p[0], p[1]));
  free(bytes);
  for (int i = 0; i < 2; i++) fc_params_destroy(p[i]);
}

/* whatever is wrong, no weight has changed */
static void failures_change_nothing(void) {
  fc_params *p = model(1), *q = model(1);
  const struct {
    const char *path;
    fc_status   status;
    const char *why;
  } bad[] = {
      {FILE_OF(WEIGHT, BIAS), FC_E_MISMATCH, "net.k [2, 2]: missing in"},
      {weights("v1", 4, (part[]){WEIGHT, BIAS, K, {"F32", "net.0.gain", "[1]", 4}}, true), FC_E_MISMATCH,
       "net.0.gain [1]: in "},
      {weights("v2", 3, (part[]){WEIGHT, {"F32", "net.0.bias", "[2,1]", 8}, K}, true), FC_E_MISMATCH,
       "net.0.bias: "},
      {weights("v3", 3, (part[]){WEIGHT, {"F8_E4M3", "net.0.bias", "[2]", 2}, K}, true), FC_E_INPUT,
       "type F8_E4M3 cannot be read"},
      {weights("v4", 4, (part[]){WEIGHT, BIAS, K, TWIN}, true), FC_E_MISMATCH,
       "one weight in this model, but different"},
      {weights("v5", 4, (part[]){WEIGHT, BIAS, K, {"F32", "module.net.k", "[2,2]", 16}}, true), FC_E_MISMATCH,
       "net.k"},
      {check_path("none"), FC_E_INPUT, "cannot be opened"},
  };
  for (int i = 0; i < FC_COUNT(bad); i++) {
    fc_weights_report r = {9, 9, 9};
    CHECK_FAILS(fc_weights_load(bad[i].path, p, true, &r), bad[i].status, bad[i].why);
    CHECK(same_values(p, q) && r.loaded == 0);
  }
  CHECK_FAILS(fc_weights_load(bad[1].path, p, true, NULL), FC_E_MISMATCH, "nearest is net.0.");
  CHECK_FAILS(fc_weights_load(bad[2].path, p, true, NULL), FC_E_MISMATCH,
              "has F32 [2, 1], the model wants [2]");
  CHECK_FAILS(fc_weights_load(bad[2].path, p, false, NULL), FC_E_MISMATCH,
              "has F32 [2, 1], the model wants [2]");
  fc_params_destroy(p);
  fc_params_destroy(q);
}

static void both_names(void) {
  fc_params *p = model(1);

  CHECK_OK(fc_weights_load(weights("b", 4, (part[]){TWIN, WEIGHT, BIAS, K}, false), p, true, NULL));
  CHECK(fc_params_find(p, "net.k")->x[3] == 4);
  fc_params_destroy(p);
}

/* a gate that the official code has in two places, within a module that is there twice as well */
static fc_params *shared_gate(void) {
  fc_params *p;

  CHECK_OK(fc_params_create(&p));
  fc_params_push(p, "encoder.gate");
  fc_param(p, "weight", fc_init_normal(1), FC_DIMS(2, 2));
  fc_param_alias(p, "kernel");
  fc_params_pop(p);
  fc_param(p, "encoder.gates.weight", fc_init_normal(1), FC_DIMS(2)); /* no part of it */
  fc_params_mirror(p, "encoder.gate", "decoder.gate");
  fc_params_mirror(p, "encoder", "copy");
  CHECK_OK(fc_params_commit(p, 5, false));
  return p;
}

#define GATE(name)                                                                                           \
  { "F32", name, "[2,2]", 16 }
static const part gates = {"F32", "encoder.gates.weight", "[2]", 8};

/* all names are written, those of other versions are not; any of them is read */
static void shared_modules(void) {
  static const char *const names[] = {"encoder.gate.weight", "encoder.gate.kernel", "decoder.gate.weight",
                                      "copy.gate.weight"};
  const char              *path    = check_path("shared");
  fc_params               *p       = shared_gate();
  fc_safetensors          *s;

  CHECK_OK(fc_weights_save(path, p));
  CHECK_OK(fc_safetensors_open(path, &s));
  CHECK(fc_safetensors_size(s) == 5); /* the gate three times, its neighbour twice */
  fc_safetensors_close(s);
  CHECK_OK(fc_weights_load(path, p, true, NULL));
  for (int i = 0; i < FC_COUNT(names); i++) {
    CHECK_OK(fc_weights_load(weights("one", 2, (part[]){GATE(names[i]), gates}, true), p, true, NULL));
    CHECK(fc_params_find(p, "encoder.gate.weight")->x[3] == 4);
  }
  CHECK_FAILS(fc_weights_load(weights("two", 4,
                                      (part[]){GATE("copy.gate.weight"), GATE("encoder.gate.weight"), gates,
                                               GATE("decoder.gate.weight")},
                                      true),
                              p, true, NULL),
              FC_E_MISMATCH, "encoder.gate.weight and copy.gate.weight: one weight");
  fc_params_destroy(p);
}

static void not_strict(void) {
  fc_params        *p = model(1), *q = model(1);
  fc_weights_report r;

  CHECK_OK(fc_weights_load(FILE_OF(BIAS, {"F32", "extra", "[1]", 4}), p, false, &r));
  CHECK(r.loaded == 1 && r.missing == 2 && r.unexpected == 1);
  CHECK(fc_params_find(p, "net.0.bias")->x[1] == 2);
  CHECK(fc_params_find(p, "net.k")->x[0] == fc_params_find(q, "net.k")->x[0]);
  fc_params_destroy(p);
  fc_params_destroy(q);
}

/* a counter is a whole number in the file, before all else; what nothing reads may be missing */
static void counters_and_unread(void) {
  static const char header[] = "\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},\"a\":{";
  const char       *path     = check_path("counters");
  fc_params        *p;
  char             *got = NULL;
  size_t            n;
  int64_t           length, steps;

  CHECK_OK(fc_params_create(&p));
  fc_param(p, "a", fc_init_constant(2), FC_DIMS(3));
  fc_tensor *count = fc_param_of(p, FC_PARAM_FORMULA, "steps", fc_init_constant(0), 0, NULL);
  fc_param_whole(p);
  fc_params_unread(p, true);
  fc_param(p, "z", fc_init_constant(5), FC_DIMS(2));
  fc_params_unread(p, false);
  CHECK_OK(fc_params_commit(p, 1, false));
  count->x[0] = 70000;
  CHECK_OK(fc_weights_save(path, p));
  CHECK_OK(fc_file_read(path, 10000, &got, &n));
  memcpy(&length, got, 8);
  memcpy(&steps, got + 8 + length, 8);
  CHECK(steps == 70000 && strstr(got + 8, header));
  count->x[0] = 0;
  CHECK_OK(fc_weights_load(path, p, true, NULL));
  CHECK_NEAR(count->x[0], 70000, 0);
  CHECK_OK(fc_weights_load(FILE_OF({"F32", "a", "[3]", 12}), p, true, NULL));
  CHECK_NEAR(fc_params_find(p, "z")->x[1], 5, 0);
  CHECK_FAILS(fc_weights_load(FILE_OF({"F32", "z", "[2]", 8}), p, true, NULL), FC_E_MISMATCH,
              "a [3]: missing");
  free(got);
  fc_params_destroy(p);
}

/* what the official writer makes of the same tensors, byte for byte */
static void official_bytes(void) {
  static const char header[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                               "\"net.0.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                               "\"net.0.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]},"
                               "\"net.k\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[32,48]},"
                               "\"table\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[48,60]}}";
  const char       *names[]  = {"net.0.bias", "net.0.weight", "net.k", "table"};
  const char       *path     = check_path("official");
  fc_params        *p        = model(3);
  char             *got      = NULL;
  size_t            n, padded = (strlen(header) + 7) / 8 * 8, at = 8 + padded;
  uint64_t          length;

  CHECK_OK(fc_weights_save(path, p));
  CHECK_OK(fc_file_read(path, 10000, &got, &n));
  memcpy(&length, got, 8);
  CHECK(length == padded && n == 8 + padded + 60 && !memcmp(got + 8, header, strlen(header)));
  for (size_t i = strlen(header); i < padded; i++) CHECK(got[8 + i] == ' ');
  for (int i = 0; i < 4; i++) {
    const fc_tensor *t     = fc_params_find(p, names[i]);
    const size_t     bytes = (size_t)fc_len(t) * sizeof(float);
    CHECK(!memcmp(got + at, t->x, bytes));
    at += bytes;
  }
  free(got);
  fc_params_destroy(p);
}

static void round_trip(void) {
  const char *path = check_path("r");
  fc_params  *p = model(4), *q = model(5);

  fc_params_find(p, "net.k")->x[0] = 1e-42f;
  fc_params_find(p, "net.k")->x[1] = -0.0f;
  fc_params_find(p, "table")->x[0] = INFINITY;
  CHECK(!same_values(p, q));
  CHECK_OK(fc_weights_save(path, p));
  CHECK_OK(fc_weights_load(path, q, true, NULL));
  CHECK(same_values(p, q)); /* bit by bit */
  fc_params_destroy(p);
  fc_params_destroy(q);
}

static void large_tensors(void) {
  fc_params *p, *q;

  for (int i = 0; i < 2; i++) {
    CHECK_OK(fc_params_create(i ? &q : &p));
    fc_param(i ? q : p, "a", fc_init_normal(1),
             FC_DIMS(123, 457)); /* many buffers, the last one partly filled */
    fc_param(i ? q : p, "none", fc_init_normal(1), FC_DIMS(0, 3));
    fc_param(i ? q : p, "scalar", fc_init_normal(1), 0, (int64_t[1]){0});
    CHECK_OK(fc_params_commit(i ? q : p, (uint64_t)i, false));
  }
  CHECK_OK(fc_weights_save(check_path("l"), p));
  CHECK_OK(fc_weights_load(check_path("l"), q, true, NULL));
  CHECK(same_values(p, q));
  fc_params_destroy(p);
  fc_params_destroy(q);
}

/* cut anywhere, or with one byte added, a file is refused */
static void truncated_anywhere(void) {
  const char *path = check_path("cut");
  fc_params  *p = model(1), *q = model(1);
  char       *bytes;
  size_t      n;

  CHECK_OK(fc_weights_save(path, p));
  CHECK_OK(fc_file_read(path, 10000, &bytes, &n));
  for (size_t i = 0; i <= n + 1; i++) {
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, i, f); /* n + 1: the zero fc_file_read adds */
    fclose(f);
    const fc_status r = fc_weights_load(path, p, true, NULL);
    if ((i == n) != (r == FC_OK) || (r != FC_OK && r != FC_E_INPUT)) CHECK_NEAR((double)i, -1, 0);
  }
  CHECK(same_values(p, q));
  free(bytes);
  fc_params_destroy(p);
  fc_params_destroy(q);
}

/* every single byte of a small file changed in several ways: refused or read, never a crash */
static void damaged_anywhere(void) {
  const char *path = check_path("bent");
  fc_params  *p    = model(1);
  char       *bytes;
  size_t      n;
  int         refused = 0;

  CHECK_OK(fc_weights_save(path, p));
  CHECK_OK(fc_file_read(path, 10000, &bytes, &n));
  for (size_t i = 0; i < n; i++)
    for (int k = 0; k < 4; k++) {
      const char keep = bytes[i];
      FILE      *f    = fopen(path, "wb");
      bytes[i]        = (char)(k == 0 ? 0 : k == 1 ? 0xFF : k == 2 ? keep ^ 1 : '9');
      fwrite(bytes, 1, n, f);
      fclose(f);
      refused += fc_weights_load(path, p, true, NULL) != FC_OK;
      bytes[i] = keep;
    }
  CHECK(refused > (int)n); /* most changes of the header cannot pass */
  free(bytes);
  fc_params_destroy(p);
}

static void full_disk(void) {
  const char   *path = check_path("full"), *tmp = check_path("full.tmp");
  fc_params    *p = model(1), *q = model(2);
  struct rlimit old;

  CHECK_OK(fc_weights_save(path, p));
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, old.rlim_max});
  CHECK_FAILS(fc_weights_save(path, q), FC_E_SYSTEM, "full: writing failed");
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK(!fc_file_exists(tmp));
  CHECK_OK(fc_weights_load(path, q, true, NULL)); /* the old file is whole */
  CHECK(same_values(p, q));
  CHECK_FAILS(fc_weights_save("/no/such/folder/w", p), FC_E_SYSTEM, "cannot write here");
  fc_params_destroy(p);
  fc_params_destroy(q);
}

CHECK_SUITE(weights, loads_by_name, complex_weights, complex_weights_are_listed, failures_change_nothing,
            both_names, shared_modules, not_strict, counters_and_unread, official_bytes, round_trip,
            large_tensors, truncated_anywhere, damaged_anywhere, full_disk)
