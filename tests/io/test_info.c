/* tests/io/test_info.c - the info command names every kind of file by its content, and says in one line
   what is wrong with a broken one, with exit code 2. */
#include "tests/check.h"

#include "io/field_writer.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char output[65536]; /* stdout and stderr of the last run */

/* how wide columns are is not what is tested */
static void squeeze(char *text) {
  char *to = text;
  for (const char *p = text; *p; p++)
    if (*p != ' ' || p == text || p[-1] != ' ') *to++ = *p;
  *to = 0;
}

static int info(const char *options, const char *path) {
  char  command[9000];
  FILE *p;

  snprintf(command, sizeof command, "'%s' info %s '%s' 2>&1",
           getenv("FC_PROGRAM") ? getenv("FC_PROGRAM") : "fieldcast", options, path);
  p = popen(command, "r");
  if (!p) return -1;
  output[fread(output, 1, sizeof output - 1, p)] = 0;
  squeeze(output);
  const int status = pclose(p);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *path, int code, const char *text) {
  const int got = info("", path);
  if (got != code || !strstr(output, text)) fprintf(stderr, "%s: exit code %d\n%s\n", path, got, output);
  CHECK(got == code);
  CHECK(strstr(output, text) != NULL);
}

/* bytes, so that zeros may be among them */
static const char *file(const char *name, const void *bytes, size_t n) {
  const char *path = check_path(name);
  FILE       *f    = fopen(path, "wb");
  CHECK(f && fwrite(bytes, 1, n, f) == n);
  if (f) fclose(f);
  return path;
}

static const char *text(const char *name, const char *content) {
  return file(name, content, strlen(content));
}

static void one_line(void) {
  const char *end = strchr(output, '\n');
  CHECK(!strncmp(output, "fieldcast: ", 11) && end && !end[1]);
}

static void write_fields(const char *path) {
  static const fc_out_field f = {"pressure", "Pa", 0};
  const fc_field_spec       s = {.name      = "demo",
                                 .ndim      = 2,
                                 .dim       = {4, 3},
                                 .n_traj    = 1,
                                 .n_steps   = 2,
                                 .spacing   = {1, 1},
                                 .periodic  = {true},
                                 .dt        = 0.5,
                                 .time_unit = "s",
                                 .n_fields  = 1,
                                 .field     = &f};
  fc_real                   x[24];
  fc_field_writer          *w;

  for (int i = 0; i < 24; i++) x[i] = (fc_real)i;
  CHECK_OK(fc_field_writer_create(path, &s, &w));
  CHECK_OK(fc_field_write(w, 0, 0, 2, x));
  CHECK_OK(fc_field_writer_finish(w));
}

static void fields(void) {
  write_fields(check_path("demo.bin")); /* the name says nothing */
  expect(check_path("demo.bin"), 0, "demo.bin: fieldcast (The Well layout)");
  CHECK(strstr(output, "pressure Pa 0 11.5") != NULL); /* unit, minimum, mean of 0..23 */
  CHECK(strstr(output, "time unit s") && strstr(output, "grid 4 x 3"));
  CHECK(info("--json --no-statistics", check_path("demo.bin")) == 0);
  CHECK(strstr(output, "\"time step\": 0.5") && !strstr(output, "\"mean\""));
  expect(check_path("demo.xmf"), 0, "XDMF");
  unlink(check_path("demo.bin"));
  expect(check_path("demo.xmf"), 2, "demo.bin, which is not there");
}

static void folders(void) {
  char path[4200];

  mkdir(check_path("set"), 0777);
  expect(check_path("set"), 0, "set: folder");
  mkdir(check_path("set/data"), 0777);
  mkdir(check_path("set/data/train"), 0777);
  snprintf(path, sizeof path, "%s", check_path("set/data/train/a.hdf5"));
  write_fields(path);
  snprintf(path, sizeof path, "%s", check_path("set/data/train/b.hdf5"));
  write_fields(path);
  expect(check_path("set"), 0, "files 2");
}

static void other_hdf5(void) {
  const hid_t   f     = H5Fcreate(check_path("s.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t n[2]  = {3, 4};
  const hid_t   space = H5Screate_simple(2, n, NULL), one = H5Screate(H5S_SCALAR);
  const int     version = 1;

  H5Dclose(H5Dcreate2(f, "moments", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Fflush(f, H5F_SCOPE_LOCAL);
  expect(check_path("s.h5"), 0, "HDF5, no layout of fields or points known here");
  CHECK(strstr(output, "moments float64 3 x 4") != NULL);
  const hid_t a = H5Acreate2(f, "fieldcast_store", H5T_NATIVE_INT, one, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, H5T_NATIVE_INT, &version);
  H5Aclose(a), H5Sclose(one), H5Sclose(space), H5Fclose(f);
  expect(check_path("s.h5"), 0, "fieldcast store (checkpoint)");
}

/* bare data sets: fields if their axes can be told, else a list and what to add */
static void bare_hdf5(void) {
  const float   x[12] = {0, 1, 2, 3};
  const hsize_t n[2] = {3, 4}, four = 4, three = 3;
  const hid_t   f = H5Fcreate(check_path("bare.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const struct {
    const char    *name;
    int            rank;
    const hsize_t *n;
  } set[] = {{"u", 2, n}, {"x", 1, &four}, {"t", 1, &three}};

  for (int k = 0; k < 3; k++) {
    const hid_t space = H5Screate_simple(set[k].rank, set[k].n, NULL);
    const hid_t id = H5Dcreate2(f, set[k].name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(id, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(id), H5Sclose(space);
    H5Fflush(f, H5F_SCOPE_LOCAL);
    if (k == 0) {
      expect(check_path("bare.h5"), 0, "add vectors x, y, z, t of their lengths");
      CHECK(strstr(output, "HDF5, no layout of fields or points known here") &&
            strstr(output, "u float32 3 x 4"));
    }
  }
  H5Fclose(f);
  expect(check_path("bare.h5"), 0, "plain HDF5 (bare data sets)");
  CHECK(strstr(output, "steps 3") && strstr(output, "grid 4"));
}

static void weights(void) {
  static const char header[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";
  char              all[200] = {(char)(sizeof header - 1)};

  memcpy(all + 8, header, sizeof header - 1);
  expect(file("w.dat", all, 8 + sizeof header - 1 + 8), 0, "w.dat: safetensors");
  CHECK(strstr(output, "F32 2 x 1") && strstr(output, "numbers 2"));
  expect(file("w.safetensors", all, 8 + sizeof header - 1 + 4), 2, "w.safetensors");
  one_line();
  expect(file("s.safetensors", all, 5), 2, "s.safetensors");
  one_line();
}

static void tables(void) {
  expect(
      text("t.csv", "date,a,b\n2016-07-01 00:00:00,1,x\n2016-07-01 01:00:00,2,\n2016-07-01 03:00:00,6,5\n"),
      0, "CSV, time series");
  CHECK(strstr(output, "odd steps 1") && strstr(output, "last date 2016-07-01 03:00:00"));
  CHECK(strstr(output, "a 1 3 2.16025 6 3 0 0") != NULL);
  expect(text("t2.csv", "\357\273\277a,\"b, c\"\r\n1,\"2\"\r\n"), 0, "CSV, table");
  CHECK(strstr(output, "b, c") != NULL);
  expect(text("t3.csv", "a,b\n1,2\n3\n"), 2, "t3.csv:3: 1 cells");
  one_line();
}

static void arrays_and_pictures(void) {
  char          npy[200] = "\223NUMPY\1\0\x46\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  unsigned char png[45]  = "\211PNG\r\n\032\n\0\0\0\015IHDR\0\0\1\0\0\0\0\200\010\2\0\0\0";

  memset(npy + strlen(npy + 10) + 10, ' ', 80 - strlen(npy + 10) - 10);
  expect(file("a", npy, 80 + 24), 0, "a: NumPy array");
  CHECK(strstr(output, "2 x 3") && strstr(output, "<f4"));
  expect(file("a", npy, 80 + 20), 2, "truncated or damaged");
  expect(file("a", npy, 40), 2, "ends within its header");
  one_line();
  memcpy(png + 33, "\0\0\0\0IEND\256B`\202", 12);
  expect(file("p", png, 45), 0, "p: PNG picture");
  CHECK(strstr(output, "256 x 128") && strstr(output, "RGB"));
  expect(file("p", png, 40), 2, "truncated");
}

static void texts(void) {
  expect(text("c.json", "{\"model\": \"factformer\", \"args\": {\"dim\": 8}}"), 0, "JSON, configuration");
  CHECK(strstr(output, "factformer") && strstr(output, "dim: 8"));
  expect(text("bad.json", "{\"model\": "), 2, "bad.json:1:");
  one_line();
  expect(text("c.yaml", "model:\n name: factformer\nseed: 1\n"), 0, "YAML, configuration");
  CHECK(strstr(output, "name: factformer"));
  expect(text("readme", "What this is, \"really\n"), 0, "plain text");
  expect(text("x.xmf", "<?xml version=\"1.0\" ?>\n<Xdmf>\n"), 2, "truncated");
}

static void the_rest(void) {
  const float x[3] = {1, 2, 3};

  expect(file("x.f32", x, sizeof x), 0, "as float32 3");
  expect(file("none", x, 0), 2, "empty");
  expect(check_path("absent"), 2, "No such file");
  expect(text("old.nc", "CDF\001......."), 2, "nccopy -k nc4");
  expect(file("cut.h5", "\211HDF\r\n\032\n\0\0\0\0", 12), 2, "truncated or damaged");
  one_line();
}

CHECK_SUITE(info, fields, folders, other_hdf5, bare_hdf5, weights, tables, arrays_and_pictures, texts,
            the_rest)
