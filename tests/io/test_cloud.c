/* tests/io/test_cloud.c - points in our own layout, in HDF5 of other tools and in tables: every value arrives
   at its place, and what is wrong is said in one line. */
#include "tests/check.h"

#include "io/cloud_writer.h"
#include "io/hdf5_util.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- a data set whose numbers are known: sample s, point i, component k ---- */

static fc_real value(int what, int64_t s, int64_t t, int64_t i, int k) {
  return (fc_real)(1000 * what + 100 * s + 31 * t + i + 0.25 * k);
}

enum { SAMPLES = 3, STEPS = 2, MOST = 8 };
static const int64_t points_of[SAMPLES] = {5, 3, 8}, rows_of[SAMPLES] = {2, 4, 1};

static void fill(fc_real *x, int what, int64_t s, int64_t steps, int64_t rows, int n) {
  for (int64_t t = 0; t < steps; t++)
    for (int64_t i = 0; i < rows; i++)
      for (int k = 0; k < n; k++) x[(t * rows + i) * n + k] = value(what, s, t, i, k);
}

static const char *own_file(const char *name, bool compress) {
  static const char *const components[] = {"u", "v"}, *const columns[] = {"x", "y", "load"},
                           *const  units[]      = {"m", "m", "N"};
  static const fc_out_points_field fields[]     = {{"velocity", "m/s", 2, components, FC_ROLE_TARGET, true},
                                                   {"normal", "", 2, NULL, FC_ROLE_INPUT, false},
                                                   {"p", "Pa", 1, NULL, FC_ROLE_TARGET, false}};
  static const fc_out_function     functions[]  = {{"force", 2, 3, columns, units}};
  static const double              times[STEPS] = {0.5, 1.5};
  fc_cloud_spec                    spec         = {.name        = "known",
                                                   .space       = 2,
                                                   .space_unit  = "m",
                                                   .time_unit   = "s",
                                                   .n_steps     = STEPS,
                                                   .time        = times,
                                                   .n_fields    = 3,
                                                   .field       = fields,
                                                   .n_params    = 2,
                                                   .n_functions = 1,
                                                   .function    = functions,
                                                   .corners     = 3,
                                                   .mask        = 1,
                                                   .n_texts     = 1,
                                                   .compress    = compress};
  const char                      *path         = check_path(name);
  fc_cloud_writer                 *w;
  fc_real x[MOST * 2], v[STEPS * MOST * 2], n[MOST * 2], p[MOST], par[2], mask[MOST], f[MOST * 3];
  static const int64_t cell[6] = {0, 1, 2, 2, 1, 0};

  spec.param[0].name = "Re", spec.param[0].unit = "", spec.param[1].name = "nu",
  spec.param[1].unit = "m^2 s^-1";
  spec.text[0].name = "command", spec.text[0].value = "made by a test";
  CHECK_OK(fc_cloud_writer_create(path, &spec, &w));
  for (int64_t s = 0; s < SAMPLES; s++) {
    const int64_t        N       = points_of[s];
    const fc_real *const field[] = {v, n, p};
    fill(x, 0, s, 1, N, 2), fill(v, 1, s, STEPS, N, 2), fill(n, 2, s, 1, N, 2), fill(p, 3, s, 1, N, 1);
    fill(par, 4, s, 1, 1, 2), fill(f, 5, s, 1, rows_of[s], 3);
    for (int64_t i = 0; i < N; i++) mask[i] = (fc_real)(i % 2);
    const fc_cloud_sample sample = {.points   = N,
                                    .x        = x,
                                    .field    = field,
                                    .params   = par,
                                    .mask     = mask,
                                    .rows     = {rows_of[s]},
                                    .function = {f},
                                    .cells    = s,
                                    .cell     = cell};
    CHECK_OK(fc_cloud_write(w, &sample));
  }
  CHECK_OK(fc_cloud_writer_finish(w));
  return path;
}

/* ---- shares: whoever reads a block of each sample gets these rows of what one alone gets ---- */

static void same_rows(const fc_real *whole, const fc_real *part, int64_t nt, int64_t rows, fc_range own,
                      int n) {
  const size_t bytes = (size_t)((own.hi - own.lo) * n) * sizeof *part;

  for (int64_t t = 0; t < nt; t++)
    CHECK(!memcmp(whole + (t * rows + own.lo) * n, part + t * (own.hi - own.lo) * n, bytes));
}

static void share_of(fc_cloud *c, int64_t s, int rank, int ranks) {
  const fc_cloud_info *i = fc_cloud_about(c);
  const fc_cloud_size  z = fc_cloud_size_of(c, s);
  const int64_t        N = z.points, T = z.steps;
  fc_real              whole[2000], part[2000];
  fc_range             own[2];

  CHECK(T * N * i->n_channels <= 2000);
  for (int k = 0; k < 2 + i->n_functions; k++) {
    fc_real *const x[2] = {whole, part};
    const int64_t  rows = k < 2 ? N : z.rows[k - 2];
    for (int p = 0; p < 2; p++) {
      fc_cloud_share(c, p ? rank : 0, p ? ranks : 1);
      own[p] = fc_cloud_own(c, rows);
      if (k == 0) CHECK_OK(fc_cloud_read_points(c, s, x[p]));
      if (k == 1) CHECK_OK(fc_cloud_read(c, s, 0, T, 0, NULL, x[p]));
      if (k >= 2) CHECK_OK(fc_cloud_read_function(c, s, k - 2, x[p]));
    }
    CHECK(own[0].lo == 0 && own[0].hi == rows && own[1].lo == rows * rank / ranks);
    same_rows(whole, part, k == 1 ? T : 1, rows, own[1],
              k == 0   ? i->space
              : k == 1 ? i->n_channels
                       : i->function[k - 2].n);
  }
  CHECK_OK(fc_cloud_read_params(c, s, part)); /* everybody gets them */
  fc_cloud_share(c, 0, 1);
  CHECK_OK(fc_cloud_read_params(c, s, whole));
  CHECK(!memcmp(whole, part, (size_t)i->n_params * sizeof *part));
}

static void shares(fc_cloud *c) {
  for (int64_t s = 0; s < fc_cloud_about(c)->n_samples; s++)
    for (int ranks = 1; ranks <= 4; ranks++)
      for (int r = 0; r < ranks; r++) share_of(c, s, r, ranks);
}

static void own_layout(void) {
  for (int compress = 0; compress < 2; compress++) {
    fc_cloud *c;
    fc_real   x[STEPS * MOST * 8];
    int64_t   cell[6];
    double    t[STEPS];
    CHECK_OK(fc_cloud_open(own_file("own.h5", compress), NULL, &c));
    const fc_cloud_info *i = fc_cloud_about(c);
    CHECK(i->n_samples == SAMPLES && i->points == 16 && i->least == 3 && i->median == 5 && i->most == 8);
    CHECK(i->space == 2 && i->n_steps == STEPS && i->corners == 3 && i->cells == 3 && i->mask == 1);
    CHECK(i->n_channels == 5 && !strcmp(i->channel[0].name, "u") && !strcmp(i->channel[1].name, "v"));
    CHECK(!strcmp(i->channel[2].name, "normal_x") && i->role[2] == FC_ROLE_INPUT && !i->varying[2]);
    CHECK(i->role[4] == FC_ROLE_TARGET && !strcmp(i->channel[4].unit, "Pa") && i->varying[0]);
    CHECK(i->n_params == 2 && !strcmp(i->param[1].name, "nu") && !strcmp(i->param[1].unit, "m^2 s^-1"));
    CHECK(i->function[0].space == 2 && i->function[0].n == 3 && !strcmp(i->function[0].column[2].unit, "N"));
    CHECK(!strcmp(i->time_unit, "s") && i->dt == 1 && !strcmp(fc_cloud_text(c, "command"), "made by a test"));
    for (int64_t s = SAMPLES - 1; s >= 0; s--) {
      const int64_t N = points_of[s];
      CHECK(fc_cloud_size_of(c, s).points == N && fc_cloud_size_of(c, s).rows[0] == rows_of[s]);
      CHECK_OK(fc_cloud_read_points(c, s, x));
      CHECK(x[2 * (N - 1) + 1] == value(0, s, 0, N - 1, 1));
      CHECK_OK(fc_cloud_read(c, s, 0, STEPS, 3, (const int[]){4, 1, 2}, x)); /* p, v, normal_x */
      for (int64_t k = 0; k < STEPS * N; k++) {
        CHECK(x[3 * k] == value(3, s, 0, k % N, 0) && x[3 * k + 1] == value(1, s, k / N, k % N, 1));
        CHECK(x[3 * k + 2] == value(2, s, 0, k % N, 0));
      }
      CHECK_OK(fc_cloud_read_params(c, s, x));
      CHECK(x[0] == value(4, s, 0, 0, 0) && x[1] == value(4, s, 0, 0, 1));
      CHECK_OK(fc_cloud_read_function(c, s, 0, x));
      CHECK(x[3 * (rows_of[s] - 1) + 2] == value(5, s, 0, rows_of[s] - 1, 2));
      CHECK_OK(fc_cloud_read_mask(c, s, x));
      CHECK(x[0] == 0 && x[1] == 1);
      CHECK_OK(fc_cloud_read_cells(c, s, cell));
      CHECK(s < 2 || (cell[3] == 2 && cell[5] == 0));
    }
    CHECK_OK(fc_cloud_times(c, 1, 1, 1, t));
    CHECK_NEAR(t[0], 1.5, 0);
    CHECK_FAILS(fc_cloud_read(c, 0, 1, 2, 0, NULL, x), FC_E_USAGE, "has 2");
    CHECK_FAILS(fc_cloud_read_points(c, 3, x), FC_E_USAGE, "there are 3");
    shares(c);
    fc_cloud_close(c);
  }
}

/* population moments over all points and frames; targets only where the mask is 1, inputs everywhere */
static void statistics(void) {
  fc_cloud       *c;
  fc_cloud_stats *s    = malloc(sizeof *s);
  double          n[2] = {0}, sum[2] = {0}, square[2] = {0};

  CHECK_OK(fc_cloud_open(own_file("stats.h5", false), NULL, &c));
  CHECK_OK(fc_cloud_statistics(c, 0, SAMPLES, NULL, NULL, s));
  for (int64_t k = 0; k < SAMPLES; k++)
    for (int64_t t = 0; t < STEPS; t++)
      for (int64_t i = 0; i < points_of[k]; i++) {
        const double v = (double)value(1, k, t, i, 1), m = (double)value(2, k, 0, i, 0);
        if (i % 2) n[0]++, sum[0] += v, square[0] += v * v;
        if (t == 0) n[1]++, sum[1] += m, square[1] += m * m;
      }
  for (int j = 0; j < 2; j++) {
    const fc_cloud_moments *m = &s->channel[j ? 2 : 1];
    CHECK_NEAR(m->n, n[j], 0);
    CHECK_NEAR(m->mean, sum[j] / n[j], 1e-9 * m->mean);
    CHECK_NEAR(m->std, sqrt(square[j] / n[j] - sum[j] * sum[j] / n[j] / n[j]), 1e-7 * m->mean);
  }
  CHECK_NEAR(s->param[0].mean, 4100, 1e-9);
  CHECK_NEAR(s->function[0][2].n, 7, 0);
  CHECK_NEAR(s->axis[1].hi, value(0, 2, 0, 7, 1), 0);
  fc_cloud_close(c);
  free(s);
}

/* ---- other tools ---- */

static hid_t new_file(const char *name) {
  return H5Fcreate(check_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/* floats that count from `first`, or whole numbers */
static void put(hid_t at, const char *name, double first, bool whole, int rank, const hsize_t *dim) {
  hsize_t n = 1;
  for (int i = 0; i < rank; i++) n *= dim[i];
  double *x = malloc(n * sizeof *x);
  for (hsize_t i = 0; i < n; i++) x[i] = first + (double)i;
  const hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(rank, dim, NULL);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t set =
      H5Dcreate2(at, name, whole ? H5T_STD_I32LE : H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
  CHECK(set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
  H5Dclose(set), H5Sclose(space), H5Pclose(links);
  free(x);
}
#define PUT(at, name, first, ...)                                                                            \
  put((at), (name), (first), false, (int)(sizeof((hsize_t[]){__VA_ARGS__}) / sizeof(hsize_t)),               \
      (hsize_t[]){__VA_ARGS__})

static void put_real(hid_t at, const char *object, const char *name, double x) {
  const hid_t id = H5Oopen(at, object, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
  const hid_t a = H5Acreate2(id, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, H5T_NATIVE_DOUBLE, &x);
  H5Aclose(a), H5Sclose(space), H5Oclose(id);
}

/* like mini_car.h5: vertices [N, 3], press [1, N], arrays of other lengths; ten groups, so that 10 comes last
 */
static const char *cars(const char *name, int wrong) {
  const hid_t f = new_file(name);
  char        path[64];

  for (int s = 0; s < 11; s++) {
    const hsize_t N = (hsize_t)(6 + s);
#define AT(what) (snprintf(path, sizeof path, "%d/" what, s), path)
    PUT(f, AT("vertices"), 1000 * s, N, 3);
    PUT(f, AT("press"), 1000 * s + 500, 1, wrong == s ? N + 1 : N);
    PUT(f, AT("vertex_normals"), 1000 * s + 600, N, 3);
    PUT(f, AT("areas"), 0, 2 * N);
    PUT(f, AT("distance"), 0, 4, 4, 4, 1);
    PUT(f, AT("inlet"), 1000 * s + 700, 4, 2);
    PUT(f, AT("speed"), 1000 * s + 800, 4);
    snprintf(path, sizeof path, "%d", s);
    put_real(f, path, "Re", 10 * s);
#undef AT
  }
  H5Gclose(H5Gcreate2(f, "about", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Fclose(f);
  return check_path(name);
}

static void groups(void) {
  const fc_cloud_mapping map = {.channels  = "p=press",
                                .inputs    = "[vertex_normals_y]",
                                .params    = "Re",
                                .functions = "wind = inlet + speed"};
  fc_cloud              *c;
  fc_real                x[400];
  int                    n, pick[FC_FIELD_CHANNELS];

  CHECK_OK(fc_cloud_open(cars("cars.h5", -1), NULL, &c));
  const fc_cloud_info *i = fc_cloud_about(c);
  CHECK(i->n_samples == 11 && i->space == 3 && i->n_channels == 4 && i->least == 6 && i->most == 16);
  CHECK_OK(fc_cloud_pick(c, "", FC_ROLE_INPUT, &n, pick));
  CHECK(n == 3 && !strcmp(i->channel[pick[1]].name, "vertex_normals_y"));
  CHECK_OK(fc_cloud_pick(c, "", FC_ROLE_TARGET, &n, pick));
  CHECK(n == 1 && !strcmp(i->channel[pick[0]].name, "press"));
  CHECK_OK(fc_cloud_read(c, 10, 0, 1, n, pick, x));
  CHECK(x[15] == 10515); /* sample 10 is the group "10" */
  shares(c);
  fc_cloud_close(c);

  CHECK_OK(fc_cloud_open(check_path("cars.h5"), &map, &c));
  i = fc_cloud_about(c);
  CHECK_OK(fc_cloud_pick(c, map.inputs, FC_ROLE_INPUT, &n, pick));
  CHECK_OK(fc_cloud_read(c, 2, 0, 1, n, pick, x));
  CHECK(n == 1 && x[1] == 2604); /* 2600 + 3 + 1 */
  CHECK_OK(fc_cloud_pick(c, map.channels, FC_ROLE_TARGET, &n, pick));
  CHECK(n == 1 && !strcmp(i->channel[pick[0]].name, "p"));
  CHECK_OK(fc_cloud_read_params(c, 7, x));
  CHECK(i->n_params == 1 && x[0] == 70);
  CHECK_OK(fc_cloud_read_function(c, 3, 0, x));
  CHECK(i->function[0].n == 3 && !strcmp(i->function[0].name, "wind"));
  CHECK(x[3] == 3702 && x[4] == 3703 && x[5] == 3801); /* row 1: two of the inlet, one speed */
  CHECK_FAILS(fc_cloud_pick(c, "pres", FC_ROLE_TARGET, &n, pick), FC_E_USAGE, "no field named 'pres'");
  shares(c);
  fc_cloud_close(c);
}

static void group_mistakes(void) {
  static const struct {
    fc_cloud_mapping map;
    const char      *text;
  } cases[] = {
      {{.channels = "pressure"}, "data.channels names 'pressure'"},
      {{.channels = "areas"}, "'areas' has shape [12], which does not fit 6 points"},
      {{.coordinates = "verts"}, "data.coordinates = verts is neither"},
      {{.params = "Ma"}, "data.params names 'Ma'"},
      {{.functions = "f=inlet+areas"}, "'areas' has shape [12], which does not fit 4 rows"},
      {{.channels = "a=b=c="}, "data.channels"},
      {{.cells = "press"}, "'press' has 1 numbers a row"},
  };
  fc_cloud *c;

  cars("cars.h5", -1);
  for (int i = 0; i < FC_COUNT(cases); i++)
    CHECK_FAILS(fc_cloud_open(check_path("cars.h5"), &cases[i].map, &c),
                i == 1 || i == 4 || i == 6 ? FC_E_INPUT : FC_E_USAGE, cases[i].text);
  CHECK_FAILS(fc_cloud_open(cars("odd.h5", 4), NULL, &c), FC_E_INPUT, "group '4': 'press' has shape [1, 11]");
}

/* arrays of all samples at the root; and one mesh with many solutions on it, in time */
static void arrays(void) {
  fc_cloud *c;
  fc_real   x[200];
  double    t;
  hid_t     f = new_file("elastic.h5");

  PUT(f, "coords", 0, 4, 6, 2);
  PUT(f, "sigma", 1000, 4, 6);
  PUT(f, "strain", 2000, 4, 6, 3);
  PUT(f, "load", 3000, 4);
  put(f, "cells", 0, true, 2, (hsize_t[]){2, 3});
  H5Fclose(f);
  CHECK_OK(fc_cloud_open(check_path("elastic.h5"), NULL, &c));
  const fc_cloud_info *i = fc_cloud_about(c);
  CHECK(i->n_samples == 4 && i->most == 6 && i->n_channels == 4 && i->n_params == 1 && i->corners == 3);
  CHECK_OK(fc_cloud_read(c, 2, 0, 1, 2, (const int[]){0, 2}, x));
  CHECK(x[2] == 1013 && x[3] == 2040); /* point 1: 1000 + 12 + 1, 2000 + (12 + 1) 3 + 1 */
  CHECK_OK(fc_cloud_read_params(c, 3, x));
  CHECK(x[0] == 3003);
  CHECK_OK(fc_cloud_read_points(c, 1, x));
  CHECK(x[0] == 12 && x[11] == 23);
  shares(c);
  fc_cloud_close(c);

  f = new_file("heat.h5");
  PUT(f, "mesh_pos", 0, 7, 2);
  PUT(f, "T", 0, 5, 3, 7);
  PUT(f, "t", 10, 3);
  PUT(f, "kind_of_boundary", 90, 7);
  H5Fclose(f);
  CHECK_OK(fc_cloud_open(check_path("heat.h5"), NULL, &c));
  i = fc_cloud_about(c);
  CHECK(i->n_samples == 5 && i->n_steps == 3 && i->n_channels == 2);
  CHECK_OK(fc_cloud_read(c, 4, 1, 2, 2, (const int[]){0, 1}, x));
  CHECK(x[0] == 91 - 7 + 7 && x[14] == 98 &&
        x[15] == 90); /* 4 21 + 7, 4 21 + 14, the boundary of every frame */
  CHECK_OK(fc_cloud_times(c, 4, 2, 1, &t));
  CHECK_NEAR(t, 12, 0);
  shares(c);
  fc_cloud_close(c);
}

/* x, y, w of one length; a grid with axes x and y is not taken for points */
static void vectors(void) {
  fc_cloud *c;
  fc_real   x[20];
  hid_t     f = new_file("flat.h5");

  PUT(f, "x", 0, 9), PUT(f, "y", 100, 9), PUT(f, "w", 200, 9);
  H5Fclose(f);
  CHECK_OK(fc_cloud_open(check_path("flat.h5"), NULL, &c));
  CHECK(fc_cloud_about(c)->space == 2 && fc_cloud_about(c)->n_samples == 1);
  CHECK_OK(fc_cloud_read_points(c, 0, x));
  CHECK(x[16] == 8 && x[17] == 108);
  shares(c);
  fc_cloud_close(c);
  f = new_file("grid.h5");
  PUT(f, "x", 0, 9), PUT(f, "y", 100, 9), PUT(f, "u", 200, 9, 9);
  H5Fclose(f);
  CHECK(!fc_cloud_recognised(check_path("grid.h5")) && fc_cloud_recognised(check_path("flat.h5")));
}

/* a tetrahedron whose faces are known by their middles only */
static void middles(void) {
  static const float corner[4][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0.2f, 0.3f, 1}};
  static const int   face[4][3]   = {{0, 1, 2}, {0, 1, 3}, {1, 2, 3}, {0, 2, 3}};
  float              middle[4][3], p[4] = {1, 2, 3, 4};
  int64_t            cell[12];
  fc_cloud          *c;
  const hid_t        f = new_file("middles.h5");

  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 3; k++)
      middle[i][k] = (corner[face[i][0]][k] + corner[face[i][1]][k] + corner[face[i][2]][k]) / 3;
  const struct {
    const char *name;
    const void *x;
    int         rank;
  } sets[] = {{"points", corner, 2}, {"centroids", middle, 2}, {"p", p, 1}};
  for (int i = 0; i < 3; i++) {
    const hid_t space = H5Screate_simple(sets[i].rank, (hsize_t[]){4, 3}, NULL);
    const hid_t set =
        H5Dcreate2(f, sets[i].name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, sets[i].x);
    H5Dclose(set), H5Sclose(space);
  }
  H5Fclose(f);
  const fc_cloud_mapping map = {.channels = "p"};
  CHECK_OK(fc_cloud_open(check_path("middles.h5"), &map, &c));
  CHECK(fc_cloud_about(c)->corners == 3 && fc_cloud_about(c)->cells == 4);
  fc_cloud_share(c, 1, 3); /* cells are looked for among all points */
  CHECK_OK(fc_cloud_read_cells(c, 0, cell));
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 3; k++)
      CHECK(cell[3 * i] == face[i][k] || cell[3 * i + 1] == face[i][k] || cell[3 * i + 2] == face[i][k]);
  fc_cloud_close(c);
}

/* ---- tables ---- */

static const char *text(const char *name, const char *content) {
  const char *path = check_path(name);
  FILE       *f    = fopen(path, "w");
  CHECK(f && fputs(content, f) >= 0);
  if (f) fclose(f);
  return path;
}

static void tables(void) {
  const fc_cloud_mapping map   = {.params = "Re", .inputs = "n", .channels = "p"},
                         units = {.channels = "p,q=n"};
  fc_cloud *c;
  fc_real   x[20];

  text("all.csv", "sample;x;y;n;p (Pa);Re;note\na;0;1;2;3;10;in\na;4;5;6;7;10;out\n\nb;8;9;10;11;20;\n");
  CHECK_OK(fc_cloud_open(check_path("all.csv"), NULL, &c));
  const fc_cloud_info *i = fc_cloud_about(c);
  CHECK(i->n_samples == 2 && i->points == 3 && i->n_channels == 3);
  CHECK(!strcmp(i->channel[1].name, "p") && !strcmp(i->channel[1].unit, "Pa"));
  CHECK_OK(fc_cloud_read(c, 1, 0, 1, 0, NULL, x));
  CHECK(x[0] == 10 && x[1] == 11 && x[2] == 20);
  CHECK_OK(fc_cloud_read_points(c, 0, x));
  CHECK(x[2] == 4 && x[3] == 5);
  shares(c);
  fc_cloud_close(c);

  CHECK_OK(fc_cloud_open(check_path("all.csv"), &units, &c)); /* without its unit, and renamed */
  i = fc_cloud_about(c);
  CHECK(i->n_channels == 2 && !strcmp(i->channel[0].name, "p") && !strcmp(i->channel[0].unit, "Pa"));
  CHECK(!strcmp(i->channel[1].name, "q"));
  fc_cloud_close(c);

  mkdir(check_path("set"), 0777);
  text("set/1.csv", "x,y,z,n,p,Re\r\n0,1,2,3,4,5\r\n6,7,8,9,10,5\r\n");
  text("set/2.csv", "x,y,z,n,p,Re\n20,1,2,3,4,7\n");
  CHECK_OK(fc_cloud_open(check_path("set"), &map, &c));
  i = fc_cloud_about(c);
  CHECK(i->n_files == 2 && i->n_samples == 2 && i->space == 3 && i->n_params == 1 && i->n_channels == 2);
  CHECK_OK(fc_cloud_read_params(c, 1, x));
  CHECK(x[0] == 7);
  CHECK_OK(fc_cloud_read_params(c, 0, x));
  CHECK(x[0] == 5);
  shares(c);
  fc_cloud_close(c);
}

static void table_mistakes(void) {
  const fc_cloud_mapping params = {.params = "a"}, input = {.inputs = "normal"}, cells = {.cells = "tri"};
  fc_cloud              *c;
  fc_real                x[20];

  CHECK_FAILS(fc_cloud_open(text("e.csv", ""), NULL, &c), FC_E_INPUT, "empty");
  CHECK_FAILS(fc_cloud_open(text("e.csv", "x,y,p\n"), NULL, &c), FC_E_INPUT, "beside the coordinates");
  CHECK_FAILS(fc_cloud_open(text("e.csv", "x,y,p\n1,2,3\n1,2\n"), NULL, &c), FC_E_INPUT, "e.csv:3: 2 cells");
  CHECK_FAILS(fc_cloud_open(text("e.csv", "a,b,p\n1,2,3\n"), NULL, &c), FC_E_INPUT, "no columns x and y");
  CHECK_FAILS(fc_cloud_open(text("e.csv", "x,y,p\n1,2,3\n"), &input, &c), FC_E_USAGE, "column 'normal'");
  CHECK_FAILS(fc_cloud_open(text("e.csv", "x,y,p\n1,2,3\n"), &cells, &c), FC_E_USAGE,
              "cannot come from a table");
  CHECK_FAILS(fc_cloud_open(text("e.csv", "sample,x,y,p\na,1,2,3\nb,1,2,3\na,1,2,3\n"), NULL, &c), FC_E_INPUT,
              "sample 'a' do not stand together");
  CHECK_OK(fc_cloud_open(text("e.csv", "x,y,p\n1,2,3\n1,z,3\n"), NULL, &c));
  CHECK_FAILS(fc_cloud_read_points(c, 0, x), FC_E_INPUT, "e.csv:3: column 'y' holds 'z', which is no number");
  fc_cloud_close(c);
  CHECK_OK(fc_cloud_open(text("e.csv", "x,y,p\n1,2,3\n1,3,nan\n"), NULL, &c));
  CHECK_FAILS(fc_cloud_read(c, 0, 0, 1, 0, NULL, x), FC_E_INPUT,
              "e.csv:3: column 'p' holds 'nan', which is not finite");
  fc_cloud_close(c);
  CHECK_OK(fc_cloud_open(text("e.csv", "x,y,p,a\n1,2,3,4\n1,3,5,5\n"), &params, &c));
  CHECK_FAILS(fc_cloud_read_params(c, 0, x), FC_E_INPUT, "'a' changes within sample 0");
  fc_cloud_share(c, 1, 2); /* whose only row is compared with the sample's first */
  CHECK_FAILS(fc_cloud_read_params(c, 0, x), FC_E_INPUT, "'a' changes within sample 0");
  fc_cloud_close(c);
  mkdir(check_path("two"), 0777);
  text("two/1.csv", "x,y,p\n1,2,3\n");
  text("two/2.csv", "x,y,q\n1,2,3\n");
  CHECK_FAILS(fc_cloud_open(check_path("two"), NULL, &c), FC_E_INPUT, "files of one data set must agree");
  CHECK_FAILS(fc_cloud_open(check_path("nowhere.csv"), NULL, &c), FC_E_INPUT, "nowhere.csv");
}

/* ---- damage ---- */

static void damage(void) {
  const char *path = own_file("cut.h5", false);
  fc_cloud   *c;
  struct stat st;
  fc_real     x[STEPS * MOST * 8];
  int64_t     cell[6];

  CHECK(!stat(path, &st));
  for (off_t n = st.st_size - 1; n > 0; n -= st.st_size / 9) {
    CHECK(!truncate(path, n));
    const fc_status s = fc_cloud_open(path, NULL, &c);
    CHECK(s == FC_E_INPUT && !strchr(fc_error(), '\n'));
    if (s == FC_OK) fc_cloud_close(c);
  }
  path          = own_file("bent.h5", false);
  const hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(f, "points/offsets", H5P_DEFAULT);
  int64_t     at[4] = {0, 5, 4, 16};
  H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, at);
  H5Dclose(set), H5Fclose(f);
  CHECK_FAILS(fc_cloud_open(path, NULL, &c), FC_E_INPUT, "never fall");

  path                = own_file("corner.h5", false);
  const hid_t g       = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT),
              corners = H5Dopen2(g, "cells/corners", H5P_DEFAULT);
  int32_t bad[9]      = {0, 1, 2, 0, 1, 2, 0, 1, 99};
  H5Dwrite(corners, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, bad);
  H5Dclose(corners), H5Fclose(g);
  CHECK_OK(fc_cloud_open(path, NULL, &c));
  CHECK_FAILS(fc_cloud_read_cells(c, 2, cell), FC_E_INPUT, "corner 99, the points are 0 to 7");
  CHECK_OK(fc_cloud_read(c, 2, 0, 2, 0, NULL, x));
  fc_cloud_close(c);
}

static void writer_mistakes(void) {
  static const fc_out_points_field fields[] = {{"p", "", 1}, {"p", "", 1}};
  fc_cloud_spec                    spec     = {.name = "x", .space = 2, .n_fields = 2, .field = fields};
  fc_cloud_writer                 *w;

  CHECK_FAILS(fc_cloud_writer_create(check_path("w.h5"), &spec, &w), FC_E_USAGE, "two fields");
  spec.n_fields = 1;
  CHECK_FAILS(fc_cloud_writer_create("/nowhere/w.h5", &spec, &w), FC_E_SYSTEM, "cannot write");
  CHECK_OK(fc_cloud_writer_create(check_path("w.h5"), &spec, &w));
  CHECK_FAILS(fc_cloud_writer_finish(w), FC_E_USAGE, "no samples");
  CHECK(access(check_path("w.h5"), F_OK) && access(check_path("w.h5.tmp"), F_OK));
}

CHECK_SUITE(cloud, own_layout, statistics, groups, group_mistakes, arrays, vectors, middles, tables,
            table_mistakes, damage, writer_mistakes)
