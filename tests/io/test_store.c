/* tests/io/test_store.c */
#include "io/file.h"
#include "io/store.h"
#include "tests/check.h"

#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static const fc_real weight[6] = {1, -2.5f, 3e-42f, 1e30f, 0.1f, -0.0f};
static const double  moment[2] = {0.1, 1e-310};
static const int64_t count[3]  = {INT64_MIN, 9007199254740993, 0};

static void fill(fc_store *s) {
  CHECK_OK(fc_store_put_reals(s, "weights/net.0.weight", 2, (int64_t[]){2, 3}, weight));
  CHECK_OK(fc_store_put_reals(s, "weights/scale", 0, NULL, weight + 1));
  CHECK_OK(fc_store_put_reals(s, "weights/empty", 2, (int64_t[]){0, 4}, NULL));
  CHECK_OK(fc_store_put_doubles(s, "optimiser/deep/moment", 2, moment));
  CHECK_OK(fc_store_put_ints(s, "step", 3, count));
  CHECK_OK(fc_store_put_text(s, "config", "lr: 1e-3\n# na\xc3\xafve\n"));
  CHECK_OK(fc_store_put_text(s, "nothing", ""));
}

static void write_store(const char *path) {
  fc_store *s;

  CHECK_OK(fc_store_create(path, &s));
  fill(s);
  CHECK_OK(fc_store_commit(s));
}

static void round_trip(void) {
  const char *path = check_path("a.h5");
  fc_store   *s;
  fc_real     w[6];
  double      m[2];
  int64_t     c[3], dim[8];
  int         ndim;
  char       *text;

  write_store(path);
  CHECK(!fc_file_exists(check_path("a.h5.tmp")));
  CHECK_OK(fc_store_open(path, &s));
  CHECK_OK(fc_store_shape(s, "weights/net.0.weight", &ndim, dim));
  CHECK(ndim == 2 && dim[0] == 2 && dim[1] == 3);
  CHECK_OK(fc_store_shape(s, "weights/scale", &ndim, dim));
  CHECK(ndim == 0);
  CHECK_OK(fc_store_get_reals(s, "weights/net.0.weight", 6, w));
  CHECK(!memcmp(w, weight, sizeof w)); /* bits: denormals and the sign of zero too */
  CHECK_OK(fc_store_get_reals(s, "weights/scale", 1, w));
  CHECK(w[0] == weight[1]);
  CHECK_OK(fc_store_get_reals(s, "weights/empty", 0, NULL));
  CHECK_OK(fc_store_get_doubles(s, "optimiser/deep/moment", 2, m));
  CHECK(!memcmp(m, moment, sizeof m));
  CHECK_OK(fc_store_get_ints(s, "step", 3, c));
  CHECK(!memcmp(c, count, sizeof c));
  CHECK_OK(fc_store_get_text(s, "config", &text));
  CHECK(!strcmp(text, "lr: 1e-3\n# na\xc3\xafve\n"));
  free(text);
  CHECK_OK(fc_store_get_text(s, "nothing", &text));
  CHECK(!strcmp(text, ""));
  free(text);
  CHECK(fc_store_has(s, "weights") && fc_store_has(s, "optimiser/deep/moment"));
  CHECK(!fc_store_has(s, "no") && !fc_store_has(s, "no/such/thing") && !fc_store_has(s, "step/below"));
  fc_store_abandon(s);
}

static fc_status collect(void *user, const char *name, int ndim, const int64_t *dim) {
  char *list = user;

  sprintf(list + strlen(list), "%s%d(%lld) ", name, ndim, ndim ? (long long)dim[0] : -1LL);
  return FC_OK;
}

static fc_status stop(void *user, const char *name, int ndim, const int64_t *dim) {
  (void)dim;
  ++*(int *)user;
  return fc_fail(FC_E_MISMATCH, "enough: %s %d", name, ndim);
}

static void every_array(void) {
  char      list[600] = "";
  int       calls     = 0;
  fc_store *s;

  write_store(check_path("b.h5"));
  CHECK_OK(fc_store_open(check_path("b.h5"), &s));
  CHECK_OK(fc_store_each(s, "weights", collect, list));
  CHECK(!strcmp(list, "weights/empty2(0) weights/net.0.weight2(2) weights/scale0(-1) "));
  list[0] = 0;
  CHECK_OK(fc_store_each(s, "", collect, list));
  CHECK(strstr(list, "optimiser/deep/moment1(2) step1(3) weights/empty2(0)"));
  CHECK_OK(fc_store_each(s, "nobody", collect, list));
  CHECK_FAILS(fc_store_each(s, "weights", stop, &calls), FC_E_MISMATCH, "enough: weights/empty 2");
  CHECK(calls == 1);
  fc_store_abandon(s);
}

static void wrong_questions(void) {
  fc_store *s;
  fc_real   w[6] = {7};
  int64_t   c[3];
  int       ndim;
  char     *text;

  write_store(check_path("c.h5"));
  CHECK_OK(fc_store_open(check_path("c.h5"), &s));
  CHECK_FAILS(fc_store_get_reals(s, "weights/net.0.weight", 5, w), FC_E_INPUT,
              "holds 6 values, 5 are wanted");
  CHECK_FAILS(fc_store_get_reals(s, "step", 3, w), FC_E_INPUT, "c.h5: 'step' does not hold numbers");
  CHECK_FAILS(fc_store_get_ints(s, "weights/scale", 1, c), FC_E_INPUT, "does not hold whole numbers");
  CHECK_FAILS(fc_store_get_ints(s, "weights", 1, c), FC_E_INPUT, "has no array 'weights'");
  CHECK_FAILS(fc_store_get_text(s, "step", &text), FC_E_INPUT, "does not hold a text");
  CHECK(text == NULL);
  CHECK_FAILS(fc_store_get_doubles(s, "no/such", 1, NULL), FC_E_INPUT, "c.h5: has no array 'no/such'");
  CHECK_FAILS(fc_store_shape(s, "none", &ndim, c), FC_E_INPUT, "has no array 'none'");
  CHECK(w[0] == 7);
  fc_store_abandon(s);
  fc_store_abandon(NULL);
}

static char *bytes_of(const char *path, size_t *n) {
  char *text = NULL;

  CHECK_OK(fc_file_read(path, 1 << 20, &text, n));
  return text;
}

static void put_bytes(const char *path, const char *bytes, size_t n) {
  FILE *f = fopen(path, "wb");

  fwrite(bytes, 1, n, f);
  fclose(f);
}

/* a file cut anywhere is refused in words and never read as if it were whole */
static void truncated_anywhere(void) {
  const char *path = check_path("d.h5"), *cut = check_path("cut.h5");
  fc_store   *s;
  size_t      n;

  CHECK_OK(fc_store_create(path, &s));
  CHECK_OK(fc_store_put_ints(s, "step", 3, count));
  CHECK_OK(fc_store_commit(s));
  char *bytes = bytes_of(path, &n);
  CHECK(n > 100);
  for (size_t i = 0; i < n; i++) {
    put_bytes(cut, bytes, i);
    const fc_status r = fc_store_open(cut, &s);
    if (r != FC_E_INPUT || s) CHECK_NEAR((double)i, -1, 0);
  }
  CHECK_FAILS(fc_store_open(cut, &s), FC_E_INPUT, "cut.h5: truncated or damaged");
  put_bytes(cut, bytes, n);
  CHECK_OK(fc_store_open(cut, &s));
  fc_store_abandon(s);
  free(bytes);
}

/* another bit in any byte is noticed before HDF5 sees the file, even in one that is a number in an array */
static void flipped_anywhere(void) {
  const char *path = check_path("d.h5"), *other = check_path("flipped.h5");
  fc_store   *s;
  size_t      n;

  CHECK_OK(fc_store_create(path, &s));
  CHECK_OK(fc_store_put_ints(s, "step", 3, count));
  CHECK_OK(fc_store_commit(s));
  char *bytes = bytes_of(path, &n);
  for (size_t i = 0; i < n; i++) {
    bytes[i] ^= (char)(1 << i % 8);
    put_bytes(other, bytes, n);
    bytes[i] ^= (char)(1 << i % 8);
    const fc_status r = fc_store_open(other, &s);
    if (r != FC_E_INPUT || s) CHECK_NEAR((double)i, -1, 0);
  }
  CHECK_FAILS(fc_store_open(other, &s), FC_E_INPUT, "do not add up");
  free(bytes);
}

static void foreign_files(void) {
  const char *path = check_path("e.h5");
  fc_store   *s;
  int         version = 2;

  CHECK_FAILS(fc_store_open(check_path("none.h5"), &s), FC_E_INPUT,
              "none.h5: cannot be opened: No such file");
  put_bytes(path, "date,OT\n", 8);
  CHECK_FAILS(fc_store_open(path, &s), FC_E_INPUT, "e.h5: not a fieldcast checkpoint: not an HDF5 file");
  hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(f);
  CHECK_FAILS(fc_store_open(path, &s), FC_E_INPUT, "no attribute fieldcast_store");
  f           = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t a     = H5Acreate2(f, "fieldcast_store", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, H5T_NATIVE_INT, &version);
  H5Aclose(a);
  H5Sclose(space);
  H5Fclose(f);
  CHECK_FAILS(fc_store_open(path, &s), FC_E_INPUT,
              "stored in format 2; this version of fieldcast reads format 1");
}

/* the disk gets full at several places: the old file stays, the temporary one goes, nothing crashes */
static void full_disk(void) {
  const char   *path = check_path("f.h5"), *tmp = check_path("f.h5.tmp");
  struct rlimit old;
  size_t        n, m;
  fc_store     *s;

  write_store(path);
  char *before = bytes_of(path, &n);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  for (rlim_t limit = 0; limit < n; limit += 1 + n / 7) {
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, old.rlim_max});
    CHECK_OK(fc_store_create(path, &s));
    fill(s);
    CHECK_FAILS(fc_store_commit(s), FC_E_SYSTEM, "f.h5: writing failed");
    setrlimit(RLIMIT_FSIZE, &old);
    char *after = bytes_of(path, &m);
    CHECK(n == m && !memcmp(before, after, n) && !fc_file_exists(tmp));
    free(after);
  }
  free(before);
}

static void nothing_half_written(void) {
  const char *path = check_path("g.h5");
  fc_store   *s;

  CHECK_OK(fc_store_create(path, &s));
  fill(s);
  CHECK(!fc_file_exists(path));
  fc_store_abandon(s);
  CHECK(!fc_file_exists(path) && !fc_file_exists(check_path("g.h5.tmp")));
  CHECK_OK(fc_store_create(path, &s));
  CHECK_OK(fc_store_put_ints(s, "step", 3, count));
  CHECK_FAILS(fc_store_put_ints(s, "step", 3, count), FC_E_SYSTEM, "cannot store 'step'");
  CHECK_FAILS(fc_store_commit(s), FC_E_SYSTEM, "a part could not be stored");
  CHECK(!fc_file_exists(path));
  CHECK(!fc_file_exists(check_path("g.h5.tmp")));
  CHECK_FAILS(fc_store_create("/no/such/folder/g.h5", &s), FC_E_SYSTEM,
              "/no/such/folder/g.h5.tmp: cannot write here");
}

/* numbers that come later, in pieces and in any order; the bytes are those of one that gets them whole */
static void reserved(void) {
  enum { N = 1003 };
  static const int64_t cut[]   = {0, 17, 17, 700, N};
  const char          *path[2] = {check_path("k.h5"), check_path("l.h5")};
  fc_real              x[N], y[N];
  size_t               n[2];
  char                *bytes[2];

  for (int i = 0; i < N; i++) x[i] = (fc_real)(0.1 * i);
  for (int way = 0; way < 2; way++) {
    fc_store *s;
    int64_t   at;
    CHECK_OK(fc_store_create(path[way], &s));
    CHECK_OK(fc_store_reserve_reals(s, "moments/long", 2, (int64_t[]){N / 17, 17}, &at));
    fill(s);
    CHECK_OK(fc_store_seal(s));
    for (int k = 3; way && k >= 0; k--) {
      const int64_t        size  = (int64_t)sizeof *x;
      const fc_store_piece piece = {at + cut[k] * size, cut[k + 1] - cut[k], x + cut[k]};
      CHECK_OK(fc_store_fill(path[way], 1, &piece));
    }
    if (!way) CHECK_OK(fc_store_fill(path[way], 1, &(fc_store_piece){at, N, x}));
    CHECK_OK(fc_store_commit(s));
    CHECK_OK(fc_store_open(path[way], &s));
    CHECK_OK(fc_store_get_reals(s, "moments/long", N, y));
    CHECK(!memcmp(x, y, sizeof x));
    CHECK_OK(fc_store_get_rows(s, "moments/long", 20, 3, y));
    CHECK(!memcmp(x + 20 * 17, y, 3 * 17 * sizeof *x));
    CHECK_FAILS(fc_store_get_rows(s, "moments/long", 50, 10, y), FC_E_INPUT, "has 59 rows, 60 are wanted");
    fc_store_abandon(s);
    bytes[way] = bytes_of(path[way], &n[way]);
  }
  CHECK(n[0] == n[1] && !memcmp(bytes[0], bytes[1], n[0]));
  free(bytes[0]), free(bytes[1]);
}

/* large; read back while its replacement is built */
static void large_and_replaced(void) {
  enum { N = 700001 };
  const char *path = check_path("h.h5");
  double     *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
  fc_store   *s, *old;

  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < N; i++) x[i] = i * 0.1 + round;
    CHECK_OK(fc_store_create(path, &s));
    CHECK_OK(fc_store_put_doubles(s, "x", N, x));
    if (round) {
      CHECK_OK(fc_store_open(path, &old));
      CHECK_OK(fc_store_commit(s));
      CHECK_OK(fc_store_get_doubles(old, "x", N, y));
      CHECK(y[N - 1] == x[N - 1] - 1); /* whoever has the old file open keeps it */
      fc_store_abandon(old);
    } else
      CHECK_OK(fc_store_commit(s));
    CHECK_OK(fc_store_open(path, &s));
    CHECK_OK(fc_store_get_doubles(s, "x", N, y));
    CHECK(!memcmp(x, y, N * sizeof *x));
    fc_store_abandon(s);
  }
  free(x);
  free(y);
}

static herr_t listener(hid_t stack, void *data) {
  (void)stack, (void)data;
  return 0;
}

/* a program that has set its own printing of HDF5's errors finds it unchanged */
static void error_printing_is_restored(void) {
  H5E_auto2_t now;
  void       *data;
  int         mark;
  fc_store   *a, *b;

  write_store(check_path("i.h5"));
  H5Eset_auto2(H5E_DEFAULT, listener, &mark);
  CHECK_OK(fc_store_open(check_path("i.h5"), &a));
  CHECK_OK(fc_store_create(check_path("j.h5"), &b));
  fc_store_abandon(a);
  H5Eget_auto2(H5E_DEFAULT, &now, &data);
  CHECK(now == NULL);
  fc_store_abandon(b);
  H5Eget_auto2(H5E_DEFAULT, &now, &data);
  CHECK(now == listener && data == &mark);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

CHECK_SUITE(store, round_trip, every_array, wrong_questions, truncated_anywhere, flipped_anywhere,
            foreign_files, full_disk, nothing_half_written, reserved, large_and_replaced,
            error_printing_is_restored)
