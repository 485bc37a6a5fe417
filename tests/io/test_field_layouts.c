/* tests/io/test_field_layouts.c - files of other tools, made here by plain HDF5 calls as those tools
   make them: every value must arrive at its place. */
#include "tests/check.h"

#include "io/hdf5_util.h"

#include <unistd.h>

/* ---- tools: data sets whose value is their own index, plus a number that tells data sets apart ---- */
static hid_t begin(const char *name) {
  return H5Fcreate(check_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

static hid_t plain_list(void) { return H5Pcreate(H5P_DATASET_CREATE); }

static void put(hid_t at, const char *name, float first, hid_t dcpl, int rank, const hsize_t *dim) {
  hsize_t n = 1;
  for (int i = 0; i < rank; i++) n *= dim[i];
  float *x = malloc(n * sizeof *x);
  for (hsize_t i = 0; i < n; i++) x[i] = first + (float)i;
  const hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(rank, dim, NULL);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t set = H5Dcreate2(at, name, H5T_IEEE_F32LE, space, links, dcpl, H5P_DEFAULT);
  CHECK(set >= 0 && H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(links);
  H5Pclose(dcpl);
  free(x);
}
#define PUT(at, name, first, dcpl, ...)                                                                      \
  put((at), (name), (first), (dcpl), (int)(sizeof((hsize_t[]){__VA_ARGS__}) / sizeof(hsize_t)),              \
      (hsize_t[]){__VA_ARGS__})

/* LZF through our own filter, after shuffle if asked, one chunk = one slice of the first axes */
static hid_t lzf_list(bool shuffle, int rank, const hsize_t *chunk) {
  const hid_t p = H5Pcreate(H5P_DATASET_CREATE);
  fc_lzf_register();
  H5Pset_chunk(p, rank, chunk);
  if (shuffle) H5Pset_shuffle(p);
  CHECK(H5Pset_filter(p, 32000, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0);
  return p;
}

static void put_text(hid_t at, const char *object, const char *name, const char *text, bool variable) {
  const hid_t id = H5Oopen(at, object, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text));
  const hid_t a = H5Acreate2(id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, type, variable ? (const void *)&text : text);
  H5Aclose(a), H5Sclose(space), H5Tclose(type), H5Oclose(id);
}

static void put_real(hid_t at, const char *object, const char *name, double x, bool array) {
  const hsize_t one   = 1;
  const hid_t   id    = H5Oopen(at, object, H5P_DEFAULT);
  const hid_t   space = array ? H5Screate_simple(1, &one, NULL) : H5Screate(H5S_SCALAR);
  const hid_t   a     = H5Acreate2(id, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, H5T_NATIVE_DOUBLE, &x);
  H5Aclose(a), H5Sclose(space), H5Oclose(id);
}

static fc_field *opened(const char *name, fc_layout layout) {
  fc_field *f = NULL;
  CHECK_OK(fc_field_open(check_path(name), &f));
  if (f) CHECK(fc_field_about(f)->layout == layout);
  return f;
}

/* all values of one frame of one channel against first + index(...) */
static void expect_frame(fc_field *f, int64_t b, int64_t t, int channel, float first, float step) {
  const fc_field_info *i = fc_field_about(f);
  int64_t              n = 1, wrong = 0;
  fc_real              x[4096];

  for (int a = 0; a < i->ndim; a++) n *= i->dim[a];
  CHECK_OK(fc_field_read(f, b, t, 1, 1, NULL, 1, &channel, x));
  for (int64_t k = 0; k < n; k++) wrong += x[k] != (fc_real)(first + (float)k * step);
  CHECK(wrong == 0);
}

/* ---- PDEBench ---- */
static void pdebench_a(void) {
  const hid_t h = begin("a.hdf5");
  PUT(h, "tensor", 0, plain_list(), 3, 5, 16);
  PUT(h, "x-coordinate", 0, plain_list(), 16);
  PUT(h, "t-coordinate", 10, plain_list(), 6); /* one too many, as theirs */
  put_real(h, "/", "Nu", 0.01, false);
  H5Fclose(h);
  fc_field *f = opened("a.hdf5", FC_LAYOUT_PDEBENCH_TENSOR);
  if (!f) return;
  const fc_field_info *i = fc_field_about(f);
  double               t[5];
  CHECK(i->n_traj == 3 && i->n_steps == 5 && i->ndim == 1 && i->dim[0] == 16 && i->dt == 1);
  CHECK(i->lo[0] == 0 && i->hi[0] == 15 && i->n_params == 1 && i->param[0].value == 0.01);
  CHECK_OK(fc_field_times(f, 2, 0, 5, t));
  CHECK(t[0] == 10 && t[4] == 14);
  expect_frame(f, 2, 3, 0, (2 * 5 + 3) * 16, 1);
  fc_field_close(f);
}

static void pdebench_b(void) {
  const hid_t h = begin("b.hdf5");
  fc_real     x[20];
  PUT(h, "tensor", 0, plain_list(), 3, 1, 4, 5);
  PUT(h, "nu", 1000, plain_list(), 3, 4, 5);
  H5Fclose(h);
  fc_field *f = opened("b.hdf5", FC_LAYOUT_PDEBENCH_DARCY);
  if (!f) return;
  CHECK(fc_field_about(f)->n_steps == 1 && fc_field_about(f)->n_constant == 1);
  expect_frame(f, 1, 0, 0, 20, 1);
  CHECK_OK(fc_field_read_constant(f, 2, NULL, 0, NULL, x));
  CHECK(x[0] == 1040 && x[19] == 1059);
  fc_field_close(f);
}

static void pdebench_c(void) {
  static const char *const names[5] = {"density", "pressure", "Vx", "Vy", "Vz"};
  const hid_t              h        = begin("c.hdf5");
  for (int k = 4; k >= 0; k--) PUT(h, names[k], (float)k * 1000, plain_list(), 2, 3, 4, 3, 2);
  H5Fclose(h);
  fc_field *f = opened("c.hdf5", FC_LAYOUT_PDEBENCH_CFD);
  if (!f) return;
  CHECK(fc_field_about(f)->ndim == 3 && fc_field_about(f)->n_channels == 5);
  for (int k = 0; k < 5; k++) {
    CHECK(!strcmp(fc_field_about(f)->channel[k].name, names[k]));
    expect_frame(f, 1, 2, k, (float)k * 1000 + (1 * 3 + 2) * 24, 1);
  }
  fc_field_close(f);
}

static void pdebench_d(void) {
  const hid_t h = begin("d.h5");
  for (int b = 0; b < 3; b++) {
    char name[32];
    snprintf(name, sizeof name, "%04d/data", b);
    PUT(h, name, (float)b * 1000, lzf_list(false, 4, (hsize_t[]){1, 6, 5, 2}), 4, 6, 5, 2);
    snprintf(name, sizeof name, "%04d/grid/t", b);
    PUT(h, name, (float)b, lzf_list(false, 1, (hsize_t[]){4}), 4);
    snprintf(name, sizeof name, "%04d", b);
    put_text(h, name, "config", "sim:\n  k: 0.005\n", true);
    put_real(h, name, "k", 0.5 * b, false);
  }
  H5Fclose(h);
  fc_field *f = opened("d.h5", FC_LAYOUT_PDEBENCH_GROUPS);
  if (!f) return;
  double t[2];
  CHECK(fc_field_about(f)->n_traj == 3 && fc_field_about(f)->n_channels == 2 && fc_field_about(f)->ndim == 2);
  expect_frame(f, 2, 3, 1, 2000 + 3 * 60 + 1, 2);
  expect_frame(f, 0, 1, 0, 60, 2);
  CHECK_OK(fc_field_times(f, 2, 1, 2, t));
  CHECK(t[0] == 3 && t[1] == 4);
  CHECK(!strcmp(fc_field_text(f, "config"), "sim:\n  k: 0.005\n"));
  CHECK_OK(
      fc_field_params(f, 2, 1, (int[]){fc_field_param(fc_field_about(f), "k")}, t)); /* each group its own */
  CHECK(t[0] == 1);
  fc_field_close(f);
}

static void pdebench_e(void) {
  const hid_t h = begin("e.h5");
  fc_real     x[16 * 16 * 2];
  PUT(h, "velocity", 0, lzf_list(true, 5, (hsize_t[]){1, 1, 16, 16, 2}), 2, 3, 16, 16, 2);
  PUT(h, "particles", 5000, lzf_list(true, 5, (hsize_t[]){1, 1, 16, 16, 1}), 2, 3, 16, 16, 1);
  PUT(h, "force", 9000, lzf_list(true, 4, (hsize_t[]){1, 16, 16, 2}), 2, 16, 16, 2);
  PUT(h, "t", 0, lzf_list(true, 2, (hsize_t[]){1, 3}), 2, 3);
  H5Fclose(h);
  fc_field *f = opened("e.h5", FC_LAYOUT_PDEBENCH_INCOMPRESSIBLE);
  if (!f) return;
  double t[3];
  CHECK(fc_field_about(f)->n_channels == 3 && fc_field_about(f)->n_constant == 2 &&
        fc_field_about(f)->dt == 1);
  CHECK(!strcmp(fc_field_about(f)->channel[1].name, "velocity_y"));
  expect_frame(f, 1, 2, 1, (1 * 3 + 2) * 512 + 1, 2);
  expect_frame(f, 1, 2, 2, 5000 + (1 * 3 + 2) * 256, 1);
  CHECK_OK(fc_field_read_constant(f, 1, NULL, 0, NULL, x));
  CHECK(x[0] == 9512 && x[511] == 9000 + 1023);
  CHECK_OK(fc_field_times(f, 1, 0, 3, t));
  CHECK(t[0] == 3 && t[2] == 5);
  fc_field_close(f);
}

/* the chunks really are LZF, and noise that does not shrink is stored as it is */
static void lzf_shrinks(void) {
  const hid_t h = begin("lzf.h5");
  float       x[4096], y[4096];
  hsize_t     n     = 4096;
  const hid_t space = H5Screate_simple(1, &n, NULL);
  for (int kind = 0; kind < 2; kind++) {
    const hid_t p = lzf_list(false, 1, &n), set = H5Dcreate2(h, kind ? "noise" : "zeros", H5T_IEEE_F32LE,
                                                             space, H5P_DEFAULT, p, H5P_DEFAULT);
    for (uint32_t i = 0, r = 1; i < 4096; i++, r = r * 1664525u + 1013904223u)
      x[i] = kind ? (float)(r >> 1) : 0;
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
    const hid_t again = H5Dopen2(h, kind ? "noise" : "zeros", H5P_DEFAULT);
    CHECK(H5Dread(again, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, y) >= 0 && !memcmp(x, y, sizeof x));
    H5Fflush(h, H5F_SCOPE_LOCAL);
    CHECK(kind ? H5Dget_storage_size(again) > 8000 : H5Dget_storage_size(again) < 1000);
    H5Dclose(again), H5Pclose(p);
  }
  H5Sclose(space), H5Fclose(h);
}

/* ---- others ---- */
static void fourcastnet(void) {
  const hid_t h = begin("2018.h5");
  PUT(h, "fields", 0, plain_list(), 4, 3, 5, 6);
  H5Fclose(h);
  fc_field *f = opened("2018.h5", FC_LAYOUT_FOURCASTNET);
  if (!f) return;
  fc_real   x[15 * 2];
  const int pick[2] = {2, 1};
  expect_frame(f, 0, 3, 1, (3 * 3 + 1) * 30, 1);
  CHECK_OK(fc_field_read(f, 0, 1, 1, 1, (int64_t[]){1, 2}, 2, pick, x)); /* channels first to channels last */
  CHECK(x[0] == (1 * 3 + 2) * 30 && x[1] == (1 * 3 + 1) * 30 && x[2] == (1 * 3 + 2) * 30 + 2);
  CHECK(isnan(fc_field_about(f)->dt) && isnan(fc_field_about(f)->lo[0]));
  fc_field_close(f);
}

static void scale(hid_t h, const char *name, float first, hsize_t n, const char *unit) {
  PUT(h, name, first, plain_list(), n);
  put_text(h, name, "CLASS", "DIMENSION_SCALE", false);
  put_text(h, name, "NAME", name, false);
  put_text(h, name, "units", unit, false);
}

static void refer(hid_t h, const char *variable, int n, const char *const *scales) {
  hobj_ref_t    ref[4];
  hvl_t         list[4];
  const hsize_t len = (hsize_t)n;
  for (int i = 0; i < n; i++) {
    H5Rcreate(&ref[i], h, scales[i], H5R_OBJECT, -1);
    list[i] = (hvl_t){1, &ref[i]};
  }
  const hid_t id = H5Oopen(h, variable, H5P_DEFAULT), type = H5Tvlen_create(H5T_STD_REF_OBJ);
  const hid_t space = H5Screate_simple(1, &len, NULL);
  const hid_t a     = H5Acreate2(id, "DIMENSION_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, type, list);
  H5Aclose(a), H5Sclose(space), H5Tclose(type), H5Oclose(id);
}

/* a packed variable, a static one whose axes are swapped, and one on another grid */
static void netcdf(void) {
  const hid_t h = begin("era.nc");
  fc_real     x[12];
  scale(h, "valid_time", 100, 2, "hours since 1900-01-01");
  scale(h, "latitude", 10, 3, "degrees_north");
  scale(h, "longitude", 0, 4, "degrees_east");
  PUT(h, "t2m", 0, plain_list(), 2, 3, 4);
  refer(h, "t2m", 3, (const char *[]){"valid_time", "latitude", "longitude"});
  put_text(h, "t2m", "units", "K", false);
  put_real(h, "t2m", "scale_factor", 0.5, true);
  put_real(h, "t2m", "add_offset", 200, false);
  put_real(h, "t2m", "_FillValue", 14, true);
  PUT(h, "soil", 0, plain_list(), 4, 3);
  refer(h, "soil", 2, (const char *[]){"longitude", "latitude"});
  PUT(h, "other", 0, plain_list(), 7, 9);
  H5Fclose(h);
  fc_field *f = opened("era.nc", FC_LAYOUT_NETCDF);
  if (!f) return;
  const fc_field_info *i = fc_field_about(f);
  CHECK(i->n_channels == 1 && i->n_constant == 1 && !strcmp(i->constant[0].name, "soil"));
  CHECK(!strcmp(i->axis[0], "latitude") && !strcmp(i->channel[0].unit, "K") && i->dt == 1 && !i->periodic[1]);
  CHECK(!strcmp(i->time_unit, "hours since 1900-01-01") && i->lo[0] == 10 && i->hi[1] == 3);
  CHECK_OK(fc_field_read(f, 0, 1, 1, 1, NULL, 0, NULL, x));
  CHECK(x[0] == 206 && x[1] == (fc_real)206.5 && isnan(x[2]) && x[3] == (fc_real)207.5);
  CHECK_OK(fc_field_read_constant(f, 0, NULL, 0, NULL, x));
  CHECK(x[0] == 0 && x[1] == 3 && x[4] == 1 && x[11] == 11); /* x[lat][lon] = soil[lon][lat] */
  fc_field_close(f);
}

/* ---- The Well's rules that our writer does not use ---- */
static void flags(hid_t h, const char *name, bool sample, bool time, int n, const signed char *along) {
  const hid_t       type = H5Tenum_create(H5T_STD_I8LE), id = H5Oopen(h, name, H5P_DEFAULT);
  const signed char no = 0, yes = 1, s = sample, t = time;
  const hsize_t     len = (hsize_t)n;
  H5Tenum_insert(type, "FALSE", &no), H5Tenum_insert(type, "TRUE", &yes);
  const hid_t one = H5Screate(H5S_SCALAR), many = H5Screate_simple(1, &len, NULL);
  const struct {
    const char        *name;
    hid_t              space;
    const signed char *x;
  } all[3] = {{"sample_varying", one, &s}, {"time_varying", one, &t}, {"dim_varying", many, along}};
  for (int k = 0; k < 3; k++) {
    const hid_t a = H5Acreate2(id, all[k].name, type, all[k].space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(a, type, all[k].x);
    H5Aclose(a);
  }
  H5Sclose(one), H5Sclose(many), H5Oclose(id), H5Tclose(type);
}

static void names(hid_t h, const char *object, const char *attribute, int n, const char *const *texts) {
  const hid_t   id = H5Oopen(h, object, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
  const hsize_t len = (hsize_t)n;
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t space = H5Screate_simple(1, &len, NULL);
  const hid_t a     = H5Acreate2(id, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, type, texts);
  H5Aclose(a), H5Sclose(space), H5Tclose(type), H5Oclose(id);
}

static void well_rules(void) {
  const hid_t       h       = begin("well.hdf5");
  const signed char both[2] = {1, 1}, first[2] = {1, 0}, none[2] = {0, 0};
  fc_real           x[5 * 4 * 3];
  PUT(h, "dimensions/time", 0, plain_list(), 2, 3); /* (B, T) */
  PUT(h, "dimensions/x", 0, plain_list(), 5);
  PUT(h, "dimensions/y", 0, plain_list(), 4);
  names(h, "dimensions", "spatial_dims", 2, (const char *[]){"x", "y"});
  PUT(h, "t0_fields/b_late", 0, plain_list(), 3, 5, 4); /* one for all trajectories */
  flags(h, "t0_fields/b_late", false, true, 2, both);
  PUT(h, "t0_fields/a_profile", 1000, plain_list(), 2, 3, 5); /* does not change along y */
  flags(h, "t0_fields/a_profile", true, true, 2, first);
  PUT(h, "t0_fields/level", 7, plain_list(), 2); /* a number per trajectory */
  flags(h, "t0_fields/level", true, false, 2, none);
  names(h, "t0_fields", "field_names", 3, (const char *[]){"b_late", "a_profile", "level"});
  PUT(h, "t2_fields/D", 0, plain_list(), 2, 3, 5, 4, 2, 2);
  flags(h, "t2_fields/D", true, true, 2, both);
  names(h, "t2_fields", "field_names", 1, (const char *[]){"D"});
  PUT(h, "scalars/nu", 5, plain_list(), 2); /* differs by trajectory */
  PUT(h, "scalars/g", 9, plain_list(), 1);
  names(h, "scalars", "field_names", 2, (const char *[]){"nu", "g"});
  H5Fclose(h);
  fc_field *f = opened("well.hdf5", FC_LAYOUT_WELL);
  if (!f) return;
  const fc_field_info *i = fc_field_about(f);
  double               t[3];
  CHECK(i->n_traj == 2 && i->n_steps == 3 && i->n_channels == 6 && i->n_constant == 1);
  CHECK(!strcmp(i->channel[0].name, "b_late") && !strcmp(i->channel[1].name, "a_profile")); /* their order */
  CHECK(!strcmp(i->channel[3].name, "D_xy") && !strcmp(i->layout_name, "The Well"));
  expect_frame(f, 1, 2, 0, 40, 1);
  expect_frame(f, 1, 2, 4, ((1 * 3 + 2) * 20) * 4 + 2, 4); /* D_yx */
  CHECK_OK(fc_field_read(f, 1, 2, 1, 1, NULL, 1, (int[]){1}, x));
  CHECK(x[0] == 1025 && x[3] == 1025 && x[4] == 1026 && x[19] == 1029);
  CHECK_OK(fc_field_read_constant(f, 1, NULL, 0, NULL, x));
  CHECK(x[0] == 8 && x[19] == 8);
  CHECK_OK(fc_field_times(f, 1, 0, 3, t));
  CHECK(t[0] == 3 && t[2] == 5);
  CHECK_OK(fc_field_params(f, 1, 2, (int[]){fc_field_param(i, "nu"), fc_field_param(i, "g")}, t));
  CHECK(t[0] == 6 && t[1] == 9 && fc_field_param(i, "mu") == -1);
  fc_field_close(f);
}

/* ---- what is wrong is said in one line that names file and data set ---- */
static void complaints(void) {
  fc_field *f;
  FILE     *g;
  hid_t     h = begin("short.hdf5");
  PUT(h, "tensor", 0, plain_list(), 3, 5, 16);
  PUT(h, "x-coordinate", 0, plain_list(), 15);
  H5Fclose(h);
  CHECK_FAILS(fc_field_open(check_path("short.hdf5"), &f), FC_E_INPUT,
              "'x-coordinate' has 15 entries for 16 points");
  h = begin("cfd.hdf5");
  PUT(h, "density", 0, plain_list(), 2, 3, 4);
  PUT(h, "pressure", 0, plain_list(), 2, 3, 5);
  PUT(h, "Vx", 0, plain_list(), 2, 3, 4);
  H5Fclose(h);
  CHECK_FAILS(fc_field_open(check_path("cfd.hdf5"), &f), FC_E_INPUT, "'pressure' has length 5 along axis 2");
  h = begin("missing.hdf5");
  PUT(h, "density", 0, plain_list(), 2, 3, 4);
  H5Fclose(h);
  CHECK_FAILS(fc_field_open(check_path("missing.hdf5"), &f), FC_E_INPUT, "no data set 'pressure'");
  h = begin("rank.hdf5");
  PUT(h, "tensor", 0, plain_list(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  H5Fclose(h);
  CHECK_FAILS(fc_field_open(check_path("rank.hdf5"), &f), FC_E_INPUT, "tensor");
  h = begin("else.hdf5");
  PUT(h, "something", 0, plain_list(), 3);
  H5Fclose(h);
  CHECK_FAILS(fc_field_open(check_path("else.hdf5"), &f), FC_E_INPUT, "it holds: something");
  g = fopen(check_path("classic.nc"), "w");
  fputs("CDF\001............", g), fclose(g);
  CHECK_FAILS(fc_field_open(check_path("classic.nc"), &f), FC_E_INPUT, "nccopy -k nc4");
  g = fopen(check_path("text.h5"), "w");
  fputs("not at all", g), fclose(g);
  CHECK_FAILS(fc_field_open(check_path("text.h5"), &f), FC_E_INPUT, "not an HDF5 file");
  CHECK_FAILS(fc_field_open(check_path("absent.h5"), &f), FC_E_INPUT, "No such file");
}

/* The reference files of other tools, where they are at hand. */
static void reference_files(void) {
  static const struct {
    const char *name;
    fc_layout   layout;
    int         ndim, n_traj, n_steps, n_channels;
  } all[]             = {{"well_2d.hdf5", FC_LAYOUT_WELL, 2, 2, 4, 7},
                         {"well_3d.hdf5", FC_LAYOUT_WELL, 3, 2, 4, 13},
                         {"pdebench_1d_tensor.hdf5", FC_LAYOUT_PDEBENCH_TENSOR, 1, 3, 5, 1},
                         {"pdebench_2d_darcy.hdf5", FC_LAYOUT_PDEBENCH_DARCY, 2, 3, 1, 1},
                         {"pdebench_3d_cfd.hdf5", FC_LAYOUT_PDEBENCH_CFD, 3, 2, 4, 5},
                         {"pdebench_2d_diff-react_lzf.h5", FC_LAYOUT_PDEBENCH_GROUPS, 2, 2, 5, 2},
                         {"pdebench_1d_diff-sorp_lzf.h5", FC_LAYOUT_PDEBENCH_GROUPS, 1, 2, 5, 1},
                         {"pdebench_ns_incom.h5", FC_LAYOUT_PDEBENCH_INCOMPRESSIBLE, 2, 2, 4, 3},
                         {"era5_2018.h5", FC_LAYOUT_FOURCASTNET, 2, 1, 4, 3},
                         {"era5_like.nc", FC_LAYOUT_NETCDF, 2, 1, 2, 1}};
  const char    *root = getenv("FC_SOURCE_DIR");
  static fc_real x[4 * 240 * 13];

  for (int k = 0; k < FC_COUNT(all); k++) {
    char      path[4096];
    fc_field *f;
    snprintf(path, sizeof path, "%s/../shared/fixtures/%s", root ? root : ".", all[k].name);
    if (access(path, R_OK)) continue;
    CHECK_OK(fc_field_open(path, &f));
    const fc_field_info *i = fc_field_about(f);
    CHECK(i->layout == all[k].layout && i->ndim == all[k].ndim && i->n_traj == all[k].n_traj);
    CHECK(i->n_steps == all[k].n_steps && i->n_channels == all[k].n_channels);
    CHECK_OK(fc_field_read(f, i->n_traj - 1, 0, i->n_steps, 1, NULL, 0, NULL, x));
    fc_field_close(f);
  }
}

CHECK_SUITE(field_layouts, pdebench_a, pdebench_b, pdebench_c, pdebench_d, pdebench_e, lzf_shrinks,
            fourcastnet, netcdf, well_rules, complaints, reference_files)
