/* tests/solvers/test_flow_filter.c - files through the filter: values, coordinates, times, words; projection.
 */
#include "io/field_writer.h"
#include "solvers/flow_filter.h"
#include "solvers/flow_statistics.h"
#include "solvers/projection.h"
#include "tests/check.h"

#include <unistd.h>

enum { NX = 16, NY = 17, NZ = 12, FRAMES = 5, TRAJ = 2 };

static const fc_out_field fields[2] = {{"velocity", "m/s", 1}, {"pressure", "Pa", 0}};
static const fc_out_field mask[1]   = {{"mask", "", 0}};

static void nodes(double y[NY]) {
  for (int j = 0; j < NY; j++) y[j] = -cos(M_PI * j / (NY - 1));
  y[(NY - 1) / 2] = 0;
}

/* pressure, then the velocity: low and high modes along x and z; trajectory b and frame t as factors */
static void point(double x, double y, double z, int64_t b, int64_t t, double out[4]) {
  const double factor = (double)(1 + b) * (1 + 0.5 * (double)t), g = 1 - y * y;

  out[0] = factor * cos(x);
  out[1] = factor * (g + g * cos(2 * x) + g * cos(7 * x));
  out[2] = factor * g * sin(2 * z);
  out[3] = factor * g * (sin(5 * z) + sin(2 * x));
}

static void write_file(const char *path, bool periodic_y) {
  double           y[NY], v[4];
  fc_field_spec    spec = {.name       = "flow",
                           .ndim       = 3,
                           .dim        = {NX, NY, NZ},
                           .spacing    = {2 * M_PI / NX, 1, 2 * M_PI / NZ},
                           .points     = {NULL, y},
                           .periodic   = {true, periodic_y, true},
                           .wall       = {false, true},
                           .n_traj     = TRAJ,
                           .n_steps    = FRAMES,
                           .t0         = 1,
                           .dt         = 0.5,
                           .time_unit  = "s",
                           .space_unit = "m",
                           .n_fields   = 2,
                           .field      = fields,
                           .n_constant = 1,
                           .constant   = mask,
                           .n_params   = 1,
                           .n_texts    = 2};
  fc_field_writer *w;
  fc_real         *x = malloc(NX * NY * NZ * 4 * sizeof *x);

  spec.param[0].name = "nu", spec.param[0].value = 0.01;
  spec.text[0].name = "solver", spec.text[0].value = "test";
  spec.text[1].name = "filter", spec.text[1].value = "earlier";
  nodes(y);
  CHECK_OK(fc_field_writer_create(path, &spec, &w));
  for (int64_t k = 0; k < TRAJ * FRAMES; k++) {
    for (int i = 0; i < NX * NY * NZ; i++) {
      point(2 * M_PI * (i / NZ / NY) / NX, y[i / NZ % NY], 2 * M_PI * (i % NZ) / NZ, k / FRAMES, k % FRAMES,
            v);
      for (int c = 0; c < 4; c++) x[4 * i + c] = (fc_real)v[c];
    }
    CHECK_OK(fc_field_write(w, k / FRAMES, k % FRAMES, 1, x));
  }
  for (int i = 0; i < NX * NY * NZ; i++) x[i] = 3;
  for (int64_t b = 0; b < TRAJ; b++) CHECK_OK(fc_field_write_constant(w, b, x));
  CHECK_OK(fc_field_writer_finish(w));
  free(x);
}

static fc_filter_options defaults(void) {
  fc_filter_options o;
  fc_options_defaults(fc_filter_options_table, &o);
  return o;
}

static void check_values(fc_field *f, const double *y) {
  fc_real x[8 * 9 * 6 * 4];
  double  v[4];

  for (int64_t b = 0; b < TRAJ; b++)
    for (int64_t t = 0; t < 2; t++) {
      CHECK_OK(fc_field_read(f, b, t, 1, 1, NULL, 0, NULL, x));
      for (int i = 0; i < 8 * 9 * 6; i++) {
        const double at = 2 * M_PI * (i / 6 / 9) / 8, z = 2 * M_PI * (i % 6) / 6;
        const double factor = (double)(1 + b) * (1 + 0.5 * (double)(1 + 2 * t)),
                     g      = 1 - y[i / 6 % 9] * y[i / 6 % 9];
        point(at, y[i / 6 % 9], z, b, 1 + 2 * t, v);
        v[1] -= factor * g * cos(7 * at); /* above the cut-off: modes 0 to 3 along x, 0 to 2 along z */
        v[3] -= factor * g * sin(5 * z);
        for (int c = 0; c < 4; c++) CHECK_NEAR(x[4 * i + c], v[c], 2e-6); /* float, values up to 10 */
      }
    }
}

static void a_file(void) {
  fc_filter_options o = defaults();
  fc_filter_report  r;
  fc_field         *f;
  double            y[9], t[2], all[NY];
  fc_real           m[8 * 9 * 6];

  write_file(check_path("flow.h5"), false);
  o.nx = 8, o.ny = 9, o.nz = 6, o.frame_stride = 2, o.from = 1.5;
  CHECK_OK(fc_flow_filter(check_path("flow.h5"), check_path("coarse.h5"), &o, "command", true, &r));
  CHECK(r.n_traj == TRAJ && r.frames == 2 && r.dim[1] == 9);
  CHECK_OK(fc_field_open(check_path("coarse.h5"), &f));
  const fc_field_info *i = fc_field_about(f);
  CHECK(i->dim[0] == 8 && i->dim[1] == 9 && i->dim[2] == 6 && i->n_traj == TRAJ && i->n_steps == 2);
  CHECK(i->periodic[0] && !i->periodic[1] && i->wall[1] && !i->uniform[1] && i->dt == 1);
  CHECK(!strcmp(i->channel[1].name, "velocity_x") && !strcmp(i->channel[1].unit, "m/s"));
  CHECK(i->n_params == 1 && i->param[0].value == 0.01 && !strcmp(i->space_unit, "m"));
  CHECK_OK(fc_field_times(f, 1, 0, 2, t));
  CHECK(t[0] == 1.5 && t[1] == 2.5);
  nodes(all);
  CHECK_OK(fc_field_points(f, 1, y));
  for (int j = 0; j < 9; j++) CHECK(y[j] == all[2 * j]);
  check_values(f, y);
  CHECK_OK(fc_field_read_constant(f, 1, NULL, 0, NULL, m));
  for (int k = 0; k < 8 * 9 * 6; k++) CHECK_NEAR(m[k], 3, 1e-6);
  const char *said = fc_field_text(f, "filter");
  CHECK(!strcmp(
      said,
      "earlier; then x: sharp Fourier cut-off, modes below 4, 16 to 8 points; y: every 2. point, 17 to 9 "
      "points; z: sharp Fourier cut-off, modes below 3, 12 to 6 points; every 2. frame"));
  CHECK(!strcmp(fc_field_text(f, "solver"), "test") && !strcmp(fc_field_text(f, "command"), "command"));
  fc_field_close(f);
}

static void refused(void) {
  fc_filter_options o = defaults();
  fc_filter_report  r;
  const char       *in = check_path("flow.h5"), *out = check_path("none.h5");

  write_file(in, false);
  o.ny = 10, o.filter_y = 2;
  CHECK_FAILS(fc_flow_filter(in, out, &o, "", true, &r), FC_E_USAGE, "axis y: 10 of 17");
  o = defaults(), o.nx = 32;
  CHECK_FAILS(fc_flow_filter(in, out, &o, "", true, &r), FC_E_USAGE, "axis x has 16");
  o = defaults(), o.from = 100;
  CHECK_FAILS(fc_flow_filter(in, out, &o, "", true, &r), FC_E_USAGE, "no frame between");
  CHECK_FAILS(fc_flow_filter(check_path("absent.h5"), out, &o, "", true, &r), FC_E_INPUT, "absent.h5");
  CHECK(access(out, F_OK) && access(check_path("none.h5.tmp"), F_OK));
}

/* A filtered file is statistics' input: the mean profile of filtered and unfiltered flow is the same where
   only x and z are filtered, the variance loses mode 7. */
static void statistics_of_it(void) {
  fc_filter_options o = defaults();
  fc_flow_options   q;
  fc_filter_report  r;
  fc_statistics     a, b;

  write_file(check_path("flow.h5"), false);
  o.nx = 8, o.nz = 6;
  CHECK_OK(fc_flow_filter(check_path("flow.h5"), check_path("coarse.h5"), &o, "", true, &r));
  fc_options_defaults(fc_flow_options_table, &q);
  CHECK_OK(fc_flow_statistics(check_path("flow.h5"), &q, true, &a));
  CHECK_OK(fc_flow_statistics(check_path("coarse.h5"), &q, true, &b));
  const fc_quantity *u = fc_statistics_find(&a, "mean_u", "y"), *v = fc_statistics_find(&b, "mean_u", "y"),
                    *e = fc_statistics_find(&a, "E_uu_kx_at_1", NULL),
                    *g = fc_statistics_find(&b, "E_uu_kx_at_1", NULL);
  CHECK(u && v && e && g);
  if (u && v && e && g) {
    for (int64_t j = 0; j < u->n; j++) CHECK_NEAR(u->value[j], v->value[j], 1e-6);
    CHECK_NEAR(e->value[1], g->value[1], 1e-5);
    CHECK(e->value[6] > 1 && g->n == 4);
  }
  CHECK(strstr(fc_statistics_say(&b, "filter"), "earlier; then x: sharp"));
  fc_statistics_free(&a);
  fc_statistics_free(&b);
}

/* ---- projection ---- */

static double y[NY], x[NX], z[NZ];

static fc_grid_axes grid_of(bool box) {
  for (int i = 0; i < NX; i++) x[i] = 2 * M_PI * i / NX;
  for (int i = 0; i < NZ; i++) z[i] = 2 * M_PI * i / NZ;
  nodes(y);
  for (int j = 0; box && j < NY; j++) y[j] = 2 * M_PI * j / NY;
  return (fc_grid_axes){{NX, NY, NZ}, {x, y, z}, {true, box, true}};
}

static double distance(const double *a, const double *b, const double *weight) {
  double sum = 0;
  for (int i = 0; i < NX * NY * NZ; i++)
    for (int c = 0; c < 3; c++)
      sum += weight[i / NZ % NY] * (a[3 * i + c] - b[3 * i + c]) * (a[3 * i + c] - b[3 * i + c]);
  return sum;
}

/* Random fields lose their divergence to rounding; what has none stays; and no other field without divergence
   is nearer, which for a projection means that the change is orthogonal to the result. */
static void projected(bool box) {
  const fc_rng       r    = {4, box, FC_RNG_TEST};
  const fc_grid_axes grid = grid_of(box);
  const size_t       n    = NX * NY * NZ * 3;
  double *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b), *zero = calloc(n, sizeof *zero), size[2],
         w[NY];
  fc_projection *p;

  for (int j = 0; j < NY; j++) w[j] = box ? 1 : j == 0 || j == NY - 1 ? 0 : (y[j + 1] - y[j - 1]) / 2;
  for (size_t i = 0; i < n; i++) a[i] = fc_rng_normal(&r, i);
  memcpy(b, a, n * sizeof *a);
  CHECK_OK(fc_projection_create(&grid, &p));
  fc_projection_apply(p, 3, b, size);
  CHECK(size[0] > 1 && size[1] < 1e-11); /* slopes near the walls are up to 100, times rounding of 1e-15 */
  const double change = distance(a, b, w), left = distance(b, zero, w), before = distance(a, zero, w);
  CHECK(change > 0.1 * before && left > 0.1 * before);
  CHECK_NEAR((change + left) / before, 1, 1e-12); /* Pythagoras */
  for (int i = 0; i < NX * NY * NZ && !box; i++)
    for (int c = 0; c < 3; c++)
      if (i / NZ % NY == 0 || i / NZ % NY == NY - 1) CHECK(fabs(b[3 * i + c]) < 1e-15);
  memcpy(a, b, n * sizeof *a);
  fc_projection_apply(p, 3, b, size);
  CHECK(distance(a, b, w) < 1e-22 * before);
  fc_projection_destroy(p);
  free(a), free(b), free(zero);
}

static void boxes_projected(void) { projected(true); }
static void channels_projected(void) { projected(false); }

static void in_a_file(void) {
  fc_filter_options o = defaults();
  fc_filter_report  r;
  fc_flow_options   q;
  fc_statistics     s;

  write_file(check_path("flow.h5"), false);
  o.project = true;
  CHECK_OK(fc_flow_filter(check_path("flow.h5"), check_path("free.h5"), &o, "", true, &r));
  CHECK(r.divergence[0] > 1 && r.divergence[1] < 1e-11 &&
        !strncmp(r.text, "earlier; then velocity projected", 32));
  fc_options_defaults(fc_flow_options_table, &q);
  CHECK_OK(fc_flow_statistics(check_path("free.h5"), &q, true, &s));
  const fc_quantity *d    = fc_statistics_find(&s, "divergence_rms", NULL),
                    *slip = fc_statistics_find(&s, "slip_max", NULL);
  CHECK(d && d->value[0] < 1e-4 && slip && slip->value[0] == 0); /* rounded to float after the projection */
  fc_statistics_free(&s);
}

static void not_projected(void) {
  const fc_grid_axes grid = {{NX, NY, NZ}, {x, y, z}, {true, false, false}};
  fc_projection     *p;

  grid_of(false);
  CHECK_FAILS(fc_projection_create(&grid, &p), FC_E_USAGE, "neither");
}

CHECK_SUITE(flow_filter, a_file, refused, statistics_of_it, boxes_projected, channels_projected, in_a_file,
            not_projected)
