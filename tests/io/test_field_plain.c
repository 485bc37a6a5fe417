/* tests/io/test_field_plain.c - bare data sets: which axis is which, what is an input, what is to be added
   when that cannot be told; and the small public data sets, where they are at hand. */
#include "tests/check.h"

#include "io/hdf5_util.h"

#include <unistd.h>

/* ---- tools: data sets whose value is their own index, plus a number that tells data sets apart ---- */

static hid_t begin(const char *name) {
  return H5Fcreate(check_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

static void put(hid_t at, const char *name, double first, hid_t type, int rank, const hsize_t *dim) {
  hsize_t n = 1;
  for (int i = 0; i < rank; i++) n *= dim[i];
  double *x = malloc(n * sizeof *x);
  for (hsize_t i = 0; i < n; i++) x[i] = first + (double)i;
  const hid_t space = rank ? H5Screate_simple(rank, dim, NULL) : H5Screate(H5S_SCALAR);
  const hid_t set   = H5Dcreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  CHECK(set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
  H5Dclose(set);
  H5Sclose(space);
  free(x);
}
#define PUT(at, name, first, ...)                                                                            \
  put((at), (name), (first), H5T_IEEE_F32LE, (int)(sizeof((hsize_t[]){__VA_ARGS__}) / sizeof(hsize_t)),      \
      (hsize_t[]){__VA_ARGS__})

static void flag(hid_t at, const char *object, const char *name, int value) {
  const hid_t id = H5Oopen(at, object, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
  const hid_t a = H5Acreate2(id, name, H5T_STD_I8LE, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, H5T_NATIVE_INT, &value);
  H5Aclose(a), H5Sclose(space), H5Oclose(id);
}

static fc_field *opened(const char *name) {
  fc_field *f = NULL;
  CHECK_OK(fc_field_open(check_path(name), &f));
  if (f) CHECK(fc_field_about(f)->layout == FC_LAYOUT_PLAIN);
  return f;
}

static void refused(const char *name, const char *text) {
  fc_field *f;
  CHECK_FAILS(fc_field_open(check_path(name), &f), FC_E_INPUT, text);
}

static double at(fc_field *f, int64_t traj, int64_t t, int channel, int64_t i) {
  fc_real x[8192];
  CHECK_OK(fc_field_read(f, traj, t, 1, 1, NULL, 1, &channel, x));
  return (double)x[i];
}

/* ---- in time ---- */

static void samples_time_and_space(void) {
  const hid_t h = begin("btx.h5");
  double      t[3], p[2];
  PUT(h, "u", 0, 4, 3, 5);
  PUT(h, "u0", 100, 4, 5);
  PUT(h, "v", 1000, 3, 5); /* the same for all samples */
  PUT(h, "x", 2, 5);
  PUT(h, "t", 7, 3);
  PUT(h, "nu", 9, 4);
  PUT(h, "other", 9, 2); /* fits nothing: left alone */
  put(h, "Re", 40, H5T_STD_I32LE, 0, NULL);
  put(h, "g", 3, H5T_IEEE_F64LE, 1, (hsize_t[]){1});
  flag(h, "x", "periodic", 1);
  flag(h, "/", "order", 5);
  H5Fclose(h);
  fc_field *f = opened("btx.h5");
  if (!f) return;
  const fc_field_info *i = fc_field_about(f);
  CHECK(i->n_traj == 4 && i->n_steps == 3 && i->ndim == 1 && i->dim[0] == 5 && i->dt == 1);
  CHECK(i->lo[0] == 2 && i->hi[0] == 6 && i->periodic[0] && i->n_channels == 2 && i->n_constant == 1);
  CHECK(!strcmp(i->constant[0].name, "u0") && !strcmp(i->axis[0], "x"));
  CHECK(at(f, 2, 1, fc_field_channel(i, "u", false), 3) == (2 * 3 + 1) * 5 + 3);
  CHECK(at(f, 2, 1, fc_field_channel(i, "v", false), 3) == 1000 + 5 + 3);
  CHECK_OK(fc_field_times(f, 1, 0, 3, t));
  CHECK(t[0] == 7 && t[2] == 9);
  CHECK(fc_field_param(i, "other") == -1 && fc_field_param(i, "order") >= 0);
  CHECK_OK(fc_field_params(f, 3, 2, (int[]){fc_field_param(i, "nu"), fc_field_param(i, "Re")}, p));
  CHECK(p[0] == 12 && p[1] == 40);
  CHECK(i->param[fc_field_param(i, "g")].value == 3);
  fc_field_close(f);
}

/* as many samples as times: a field with both tells, the others go by that */
static void equal_lengths(void) {
  hid_t h = begin("equal.h5");
  PUT(h, "u", 0, 3, 3, 5);
  PUT(h, "u0", 100, 3, 5);
  PUT(h, "x", 0, 5);
  PUT(h, "t", 0, 3);
  H5Fclose(h);
  fc_field *f = opened("equal.h5");
  if (!f) return;
  CHECK(fc_field_about(f)->n_traj == 3 && fc_field_about(f)->n_constant == 1);
  fc_field_close(f);
  h = begin("one.h5");
  PUT(h, "u", 0, 3, 5); /* no samples: time */
  PUT(h, "x", 0, 5);
  PUT(h, "t", 0, 3);
  H5Fclose(h);
  if (!(f = opened("one.h5"))) return;
  CHECK(fc_field_about(f)->n_traj == 1 && fc_field_about(f)->n_steps == 3);
  CHECK(at(f, 0, 2, 0, 1) == 11);
  fc_field_close(f);
}

/* lengths tell axes in any order, as long as there is only one way */
static void other_orders(void) {
  hid_t     h = begin("tyx.h5");
  fc_field *f;
  PUT(h, "u", 0, 3, 6, 5);
  PUT(h, "x", 0, 5);
  PUT(h, "y", 0, 6);
  PUT(h, "t", 0, 3);
  H5Fclose(h);
  if (!(f = opened("tyx.h5"))) return;
  CHECK(fc_field_about(f)->dim[0] == 5 && fc_field_about(f)->dim[1] == 6 && fc_field_about(f)->n_steps == 3);
  CHECK(at(f, 0, 2, 0, 4 * 6 + 1) == 2 * 30 + 1 * 5 + 4); /* u(x 4, y 1) */
  fc_field_close(f);
  h = begin("xt.h5");
  PUT(h, "u", 0, 5, 3);
  PUT(h, "x", 0, 5);
  PUT(h, "t", 0, 3);
  H5Fclose(h);
  if (!(f = opened("xt.h5"))) return;
  CHECK(fc_field_about(f)->n_traj == 1 && at(f, 0, 2, 0, 1) == 1 * 3 + 2);
  fc_field_close(f);
  h = begin("square.h5"); /* both orders fit: the usual one is meant */
  PUT(h, "u", 0, 2, 4, 4);
  PUT(h, "x", 0, 4);
  PUT(h, "y", 0, 4);
  PUT(h, "t", 0, 2);
  H5Fclose(h);
  if (!(f = opened("square.h5"))) return;
  CHECK(at(f, 0, 1, 0, 4 + 2) == 16 + 4 + 2);
  fc_field_close(f);
  h = begin("twice.h5"); /* neither is the usual one */
  PUT(h, "u", 0, 4, 4, 2);
  PUT(h, "x", 0, 4);
  PUT(h, "y", 0, 4);
  PUT(h, "t", 0, 2);
  H5Fclose(h);
  refused("twice.h5", "in more than one order; store it in the order samples, t, x, y, z");
}

/* ---- steady ---- */

static void inputs_by_name(void) {
  const hid_t h = begin("darcy.h5");
  fc_real     x[20];
  put(h, "a", 0, H5T_STD_U8LE, 3, (hsize_t[]){3, 4, 5}); /* a mask of small integers */
  PUT(h, "u", 1000, 3, 4, 5);
  PUT(h, "weight", 5, 3);
  H5Fclose(h);
  fc_field *f = opened("darcy.h5");
  if (!f) return;
  const fc_field_info *i = fc_field_about(f);
  CHECK(i->n_traj == 3 && i->n_steps == 1 && i->ndim == 2 && i->dim[1] == 5 && isnan(i->lo[0]) &&
        isnan(i->dt));
  CHECK(i->n_channels == 1 && i->n_constant == 1 && !strcmp(i->channel[0].name, "u"));
  CHECK(at(f, 2, 0, 0, 7) == 1000 + 2 * 20 + 7);
  CHECK_OK(fc_field_read_constant(f, 2, NULL, 0, NULL, x));
  CHECK(x[0] == 40 && x[19] == 59);
  CHECK(i->n_params == 1 && i->param[0].by_traj);
  fc_field_close(f);
}

/* booleans as h5py writes them */
static void masks_are_numbers(void) {
  const hid_t       h = begin("mask.h5"), type = H5Tenum_create(H5T_STD_I8LE);
  const signed char no = 0, yes = 1, x[6] = {0, 1, 1, 0, 0, 1};
  fc_real           y[3];
  H5Tenum_insert(type, "FALSE", &no), H5Tenum_insert(type, "TRUE", &yes);
  const hid_t space = H5Screate_simple(2, (hsize_t[]){2, 3}, NULL);
  const hid_t set   = H5Dcreate2(h, "mask", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
  H5Dclose(set), H5Sclose(space), H5Tclose(type);
  PUT(h, "u", 0, 2, 3);
  H5Fclose(h);
  fc_field *f = opened("mask.h5");
  if (!f) return;
  CHECK_OK(fc_field_read_constant(f, 1, NULL, 0, NULL, y));
  CHECK(y[0] == 0 && y[1] == 0 && y[2] == 1);
  fc_field_close(f);
}

static void inputs_by_attribute(void) {
  hid_t h = begin("told.h5");
  PUT(h, "a", 0, 3, 6);
  PUT(h, "b", 0, 3, 6);
  PUT(h, "c", 0, 3, 6);
  PUT(h, "x", 0, 6);
  flag(h, "a", "time_varying", 1); /* overrules the name */
  flag(h, "b", "time_varying", 0);
  H5Fclose(h);
  fc_field *f = opened("told.h5");
  if (!f) return;
  const fc_field_info *i = fc_field_about(f);
  CHECK(i->ndim == 1 && i->n_channels == 2 && i->n_constant == 1 && !strcmp(i->constant[0].name, "b"));
  CHECK(i->hi[0] == 5);
  fc_field_close(f);
  h = begin("unknown.h5");
  PUT(h, "p", 0, 3, 4, 5);
  PUT(h, "q", 0, 3, 4, 5);
  H5Fclose(h);
  refused("unknown.h5", "none is known as input; give data sets the attribute time_varying: 0 for inputs");
  h = begin("all.h5");
  PUT(h, "a", 0, 3, 4, 5);
  PUT(h, "f", 0, 3, 4, 5);
  H5Fclose(h);
  refused("all.h5", "none as solution");
}

/* ---- what is unclear or wrong is said in one line ---- */

static void complaints(void) {
  hid_t h = begin("alone.h5");
  PUT(h, "u", 0, 3, 4, 5);
  H5Fclose(h);
  refused("alone.h5", "nothing tells what the axes of data set 'u' (3 x 4 x 5) are: add vectors x, y, z, t");
  h = begin("shapes.h5");
  PUT(h, "u", 0, 3, 4, 5);
  PUT(h, "u0", 0, 3, 5);
  H5Fclose(h);
  refused("shapes.h5", "'u' is 3 x 4 x 5, 'u0' is 3 x 5, and there are no coordinates");
  h = begin("short.h5");
  PUT(h, "u", 0, 3, 4, 5);
  PUT(h, "x", 0, 6);
  PUT(h, "t", 0, 4);
  H5Fclose(h);
  refused("short.h5", "the axes of data set 'u' (3 x 4 x 5) do not fit the coordinates: x (6), t (4)");
  h = begin("no_t.h5");
  PUT(h, "u", 0, 3, 4, 5);
  PUT(h, "x", 0, 5);
  H5Fclose(h);
  refused("no_t.h5", "add vectors x, y, z, t of its lengths, all but for the samples");
  h = begin("no_y.h5");
  PUT(h, "u", 0, 3, 4, 5);
  PUT(h, "x", 0, 4);
  PUT(h, "z", 0, 5);
  H5Fclose(h);
  refused("no_y.h5", "there is no vector y");
  h = begin("idle_t.h5");
  PUT(h, "a", 0, 3, 5);
  PUT(h, "u", 0, 3, 5);
  PUT(h, "x", 0, 5);
  PUT(h, "t", 0, 4);
  H5Fclose(h);
  refused("idle_t.h5", "there are 4 times in 't', but no data set has such an axis");
  h = begin("samples.h5");
  PUT(h, "a", 0, 3, 5);
  PUT(h, "u", 0, 4, 5);
  PUT(h, "x", 0, 5);
  H5Fclose(h);
  refused("samples.h5", "'u' (4 x 5) do not fit");
}

/* Points and other things are not fields on a grid. */
static void not_ours(void) {
  hid_t h = begin("points.h5");
  PUT(h, "w", 0, 2, 50);
  PUT(h, "x", 0, 50);
  PUT(h, "y", 0, 50);
  H5Fclose(h);
  refused("points.h5", "not a layout of fields");
  h = begin("mesh.h5");
  PUT(h, "coords", 0, 3, 50, 2);
  PUT(h, "sigma", 0, 3, 50);
  H5Fclose(h);
  refused("mesh.h5", "not a layout of fields");
  h = begin("groups.h5");
  PUT(h, "u", 0, 3, 4, 5);
  H5Gclose(H5Gcreate2(h, "0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Fclose(h);
  refused("groups.h5", "not a layout of fields");
  h = begin("unwritten.h5");
  PUT(h, "u", 0, 3, 5);
  PUT(h, "t", 0, 3);
  const hsize_t n     = 5;
  const hid_t   space = H5Screate_simple(1, &n, NULL), p = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(p, H5D_ALLOC_TIME_LATE);
  H5Dclose(H5Dcreate2(h, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, p, H5P_DEFAULT));
  H5Pclose(p), H5Sclose(space), H5Fclose(h);
  refused("unwritten.h5", "'x' was declared but never written");
}

/* ---- public data ---- */

static void public_files(void) {
  static const struct {
    const char *name;
    int         ndim, n_traj, n_steps, n_channels, n_constant, n_params;
    int64_t     n;
  } all[]          = {{"darcy_train_16.h5", 2, 1000, 1, 1, 1, 0, 16},
                      {"darcy_test_32.h5", 2, 50, 1, 1, 1, 0, 32},
                      {"burgers1d_test_16.h5", 1, 400, 17, 1, 1, 1, 16},
                      {"burgers_shock.h5", 1, 1, 100, 1, 0, 0, 256},
                      {"allen_cahn.h5", 1, 1, 201, 1, 0, 0, 512},
                      {"kdv.h5", 1, 1, 201, 1, 0, 0, 512},
                      {"nls.h5", 1, 1, 201, 2, 0, 0, 256}};
  const char *root = getenv("FC_SOURCE_DIR");

  for (int k = 0; k < FC_COUNT(all); k++) {
    char      path[4096];
    fc_field *f;
    fc_real   x[1024];
    snprintf(path, sizeof path, "%s/../shared/data/pde/%s", root ? root : ".", all[k].name);
    if (access(path, R_OK)) continue;
    CHECK_OK(fc_field_open(path, &f));
    const fc_field_info *i = fc_field_about(f);
    CHECK(i->layout == FC_LAYOUT_PLAIN && i->ndim == all[k].ndim && i->n_traj == all[k].n_traj);
    CHECK(i->n_steps == all[k].n_steps && i->n_channels == all[k].n_channels && i->dim[0] == all[k].n);
    CHECK(i->n_constant == all[k].n_constant && i->n_params == all[k].n_params);
    CHECK_OK(fc_field_read(f, i->n_traj - 1, i->n_steps - 1, 1, 1, NULL, 1, (int[]){0}, x));
    CHECK(i->n_steps == 1 || i->dt > 0);
    fc_field_close(f);
  }
}

CHECK_SUITE(field_plain, samples_time_and_space, equal_lengths, other_orders, inputs_by_name,
            masks_are_numbers, inputs_by_attribute, complaints, not_ours, public_files)
