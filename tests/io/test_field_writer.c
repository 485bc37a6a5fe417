/* tests/io/test_field_writer.c - what is written is read back to the bit, and a file is whole or absent. */
#include "tests/check.h"

#include "io/field_writer.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const fc_out_field fields[]   = {{"velocity", "m/s", 1}, {"pressure", "Pa", 0}};
static const fc_out_field constant[] = {{"mask", "", 0}, {"forcing", "m/s^2", 1}};

static fc_field_spec spec_of(int ndim) {
  fc_field_spec s = {.name       = "round trip",
                     .ndim       = ndim,
                     .dim        = {6, 5, 4},
                     .n_traj     = 2,
                     .n_steps    = 3,
                     .origin     = {0, -1, 2},
                     .spacing    = {0.5, 0.25, 1},
                     .periodic   = {true},
                     .wall       = {false, true},
                     .t0         = 1,
                     .dt         = 0.1,
                     .time_unit  = "s",
                     .space_unit = "m",
                     .n_fields   = 2,
                     .field      = fields,
                     .n_constant = 2,
                     .constant   = constant,
                     .n_params   = 1,
                     .n_texts    = 1};
  for (int a = ndim; a < 3; a++) s.dim[a] = 0;
  s.param[0].name = "viscosity", s.param[0].value = 1e-3;
  s.text[0].name = "solver", s.text[0].value = "test\nof two lines";
  return s;
}

static int64_t points_of(const fc_field_spec *s) {
  int64_t n = 1;
  for (int a = 0; a < s->ndim; a++) n *= s->dim[a];
  return n;
}

/* the same numbers for the same position, all different */
static fc_real number(int64_t i) { return (fc_real)(i * 37 % 1009) / (fc_real)7 - 60; }

static fc_status write_file(const char *path, const fc_field_spec *s) {
  fc_field_writer *w;
  const int64_t    frame = points_of(s) * (1 + s->ndim);
  fc_real         *x     = malloc((size_t)(frame * s->n_steps) * sizeof *x);

  fc_status status = fc_field_writer_create(path, s, &w);
  if (status != FC_OK) {
    free(x);
    return status;
  }
  for (int64_t b = 0; b < s->n_traj && status == FC_OK; b++) {
    for (int64_t i = 0; i < frame * s->n_steps; i++) x[i] = number(i + b * 100003);
    status = fc_field_write(w, b, 0, 1, x);
    if (status == FC_OK) status = fc_field_write(w, b, 1, s->n_steps - 1, x + frame);
    if (status == FC_OK && s->n_constant) status = fc_field_write_constant(w, b, x);
  }
  free(x);
  if (status == FC_OK) return fc_field_writer_finish(w);
  fc_field_writer_abandon(w);
  return status;
}

static void check_values(fc_field *f, const fc_field_spec *s) {
  const int64_t frame = points_of(s) * (1 + s->ndim), n = frame * s->n_steps;
  fc_real      *x     = malloc((size_t)n * sizeof *x);
  int64_t       wrong = 0;

  for (int64_t b = 0; b < s->n_traj; b++) {
    CHECK_OK(fc_field_read(f, b, 0, s->n_steps, 1, NULL, 0, NULL, x));
    for (int64_t i = 0; i < n; i++) wrong += x[i] != number(i + b * 100003);
    CHECK_OK(fc_field_read_constant(f, b, NULL, 0, NULL, x));
    for (int64_t i = 0; i < frame; i++) wrong += x[i] != number(i + b * 100003);
  }
  CHECK(wrong == 0);
  free(x);
}

static void check_about(fc_field *f, const fc_field_spec *s) {
  const fc_field_info *i = fc_field_about(f);
  double               t[3];

  CHECK(!strcmp(i->layout_name, "fieldcast (The Well layout)") && i->layout == FC_LAYOUT_WELL);
  CHECK(!strcmp(i->name, "round trip") && i->ndim == s->ndim && i->n_traj == 2 && i->n_steps == 3);
  CHECK(!strcmp(i->channel[0].name, "pressure") && !strcmp(i->channel[0].unit, "Pa"));
  CHECK(!strcmp(i->channel[1].name, "velocity_x") && !strcmp(i->channel[1].unit, "m/s"));
  CHECK(i->n_channels == 1 + s->ndim && i->n_constant == 1 + s->ndim);
  CHECK(fc_field_channel(i, "forcing_x", true) == 1 && fc_field_channel(i, "forcing_x", false) == -1);
  CHECK(!strcmp(i->time_unit, "s") && !strcmp(i->space_unit, "m"));
  CHECK(i->periodic[0] && !i->periodic[1]);
  CHECK_NEAR(i->dt, 0.1, 1e-12); /* a difference of doubles near 1 */
  for (int a = 0; a < s->ndim; a++) {
    CHECK(i->dim[a] == s->dim[a] && i->lo[a] == s->origin[a]);
    CHECK(i->hi[a] == s->origin[a] + (double)(s->dim[a] - 1) * s->spacing[a]);
  }
  CHECK(i->n_params == 1 && !strcmp(i->param[0].name, "viscosity") && i->param[0].value == 1e-3);
  CHECK_OK(fc_field_times(f, 1, 0, 3, t));
  CHECK(t[0] == 1 && t[2] == 1 + 2 * 0.1);
  CHECK(!strcmp(fc_field_text(f, "solver"), "test\nof two lines") && !strcmp(fc_field_text(f, "none"), ""));
}

static void round_trip(void) {
  for (int ndim = 1; ndim <= 3; ndim++)
    for (int compress = 0; compress < 2; compress++) {
      fc_field_spec s    = spec_of(ndim);
      const char   *path = check_path("field.h5");
      fc_field     *f;
      s.compress = compress;
      CHECK_OK(write_file(path, &s));
      CHECK(access(check_path("field.h5.tmp"), F_OK) != 0);
      CHECK_OK(fc_field_open(path, &f));
      check_about(f, &s);
      check_values(f, &s);
      fc_field_close(f);
    }
}

/* coordinates that are not evenly spaced come back to the bit; the others are not touched */
static void uneven_coordinates(void) {
  const double  y[5] = {-1, -0.8, 0.1, 0.85, 1};
  fc_field_spec s    = spec_of(3);
  double        x[6];
  fc_field     *f;

  s.points[1] = y;
  CHECK_OK(write_file(check_path("uneven.h5"), &s));
  CHECK_OK(fc_field_open(check_path("uneven.h5"), &f));
  const fc_field_info *i = fc_field_about(f);
  CHECK(i->uniform[0] && !i->uniform[1] && i->uniform[2] && i->lo[1] == -1 && i->hi[1] == 1);
  CHECK_OK(fc_field_points(f, 1, x));
  CHECK(!memcmp(x, y, sizeof y));
  fc_field_share(f, 2, 3);
  CHECK_OK(fc_field_points(f, 0, x));
  for (int k = 0; k < 6; k++) CHECK(x[k] == 0.5 * k);
  fc_field_share(f, 0, 0);
  check_values(f, &s);
  fc_field_close(f);
}

static void wrong_coordinates(void) {
  const double     falling[5] = {-1, 0, 0, 0.5, 1}, missing[5] = {-1, 0, (double)NAN, 0.5, 1};
  fc_field_spec    s = spec_of(2);
  fc_field_writer *w;

  s.points[1] = falling;
  CHECK_FAILS(fc_field_writer_create(check_path("w.h5"), &s, &w), FC_E_USAGE, "coordinate 2 along axis 1");
  s.points[1] = missing;
  CHECK_FAILS(fc_field_writer_create(check_path("w.h5"), &s, &w), FC_E_USAGE, "coordinate 2 along axis 1");
}

/* every strided read is a selection of the full one */
static void strided_reads(void) {
  const fc_field_spec s         = spec_of(3);
  const char         *path      = check_path("strided.h5");
  const int64_t       stride[3] = {2, 1, 3};
  const int           pick[3] = {3, 0, 2}, n = 6 * 5 * 4 * 4;
  fc_real            *all = malloc(3 * (size_t)n * sizeof *all), x[2 * 3 * 5 * 2 * 3];
  fc_field           *f;
  int                 k = 0, wrong = 0;

  CHECK_OK(write_file(path, &s));
  CHECK_OK(fc_field_open(path, &f));
  CHECK_OK(fc_field_read(f, 1, 0, 3, 1, NULL, 0, NULL, all));
  CHECK_OK(fc_field_read(f, 1, 0, 2, 2, stride, 3, pick, x));
  for (int t = 0; t < 3; t += 2)
    for (int i = 0; i < 6; i += 2)
      for (int j = 0; j < 5; j++)
        for (int l = 0; l < 4; l += 3)
          for (int c = 0; c < 3; c++) wrong += x[k++] != all[(((t * 6 + i) * 5 + j) * 4 + l) * 4 + pick[c]];
  CHECK(wrong == 0 && k == FC_COUNT(x));
  CHECK_FAILS(fc_field_read(f, 2, 0, 1, 1, NULL, 0, NULL, all), FC_E_USAGE, "no trajectory 2");
  CHECK_FAILS(fc_field_read(f, 0, 2, 2, 1, NULL, 0, NULL, all), FC_E_USAGE, "frame 3");
  CHECK_FAILS(fc_field_read(f, 0, 0, 1, 1, NULL, 1, (int[]){9}, all), FC_E_USAGE, "no channel 9");
  CHECK_FAILS(fc_field_read(f, 0, 0, 1, 1, (int64_t[]){1, 0, 1}, 0, NULL, all), FC_E_USAGE, "stride of 0");
  fc_field_close(f);
  free(all);
}

static void many_files(void) {
  fc_field_spec s = spec_of(2);
  fc_field     *f;
  char          folder[4096], path[4200];
  fc_real       x[6 * 5 * 3];
  int64_t       total = 0;

  snprintf(folder, sizeof folder, "%s",
           check_path("set [1]")); /* brackets are no pattern in a folder's name */
  mkdir(folder, 0777);
  for (int i = 0; i < 11; i++) { /* more than are kept open */
    snprintf(path, sizeof path, "%s/part_%02d.hdf5", folder, i);
    s.n_traj  = 1 + i % 2;
    s.n_steps = 3 + i % 3;
    total += s.n_traj;
    CHECK_OK(write_file(path, &s));
  }
  CHECK_OK(fc_field_open(folder, &f));
  const fc_field_info *info = fc_field_about(f);
  CHECK(info->n_files == 11 && info->n_traj == total && info->n_steps == 3);
  for (int64_t b = total - 1; b >= 0; b--) {
    const int     file  = (int)(b / 3 * 2 + (b % 3 > 0)); /* files hold 1, 2, 1, 2, ... */
    const int64_t first = b % 3 == 2 ? 100003 : 0;
    CHECK(fc_field_steps(f, b) == 3 + file % 3);
    CHECK_OK(fc_field_read(f, b, 2, 1, 1, NULL, 0, NULL, x));
    CHECK(x[5] == number(2 * 90 + 5 + first));
  }
  fc_field_close(f);
  s.dim[0] = 7;
  CHECK_OK(write_file(path, &s)); /* the last file no longer fits */
  CHECK_FAILS(fc_field_open(folder, &f), FC_E_INPUT, "must agree");
  CHECK_FAILS(fc_field_open(check_path("*.nothing"), &f), FC_E_INPUT, "pattern");
}

static void wrong_specifications(void) {
  fc_field_writer   *w;
  fc_field_spec      s        = spec_of(2);
  const fc_out_field twins[2] = {{"a", "", 0}, {"a", "", 1}}, slash[2] = {{"a/b", "", 0}, {"c", "", 0}};

  s.field = twins;
  CHECK_FAILS(fc_field_writer_create(check_path("w.h5"), &s, &w), FC_E_USAGE, "two fields");
  s.field = slash;
  CHECK_FAILS(fc_field_writer_create(check_path("w.h5"), &s, &w), FC_E_USAGE, "a/b");
  s        = spec_of(2);
  s.dim[1] = 0;
  CHECK_FAILS(fc_field_writer_create(check_path("w.h5"), &s, &w), FC_E_USAGE, "0 points");
  s = spec_of(2);
  CHECK_FAILS(fc_field_writer_create("/nonexistent/folder/w.h5", &s, &w), FC_E_SYSTEM, "cannot write");
  CHECK_OK(fc_field_writer_create(check_path("w.h5"), &s, &w));
  CHECK_FAILS(fc_field_write(w, 0, 2, 2, NULL), FC_E_USAGE, "do not fit");
  fc_field_writer_abandon(w);
  CHECK(access(check_path("w.h5.tmp"), F_OK) && access(check_path("w.h5"), F_OK));
}

/* The disk ends after each of many sizes: whatever is being written then, there is an error and no file.
   A limit on the size of files stands for the full disk. */
static void full_disk(void) {
  const fc_field_spec s    = spec_of(3);
  const char         *path = check_path("full.h5");
  struct rlimit       old, now;
  struct stat         st;

  CHECK_OK(write_file(path, &s));
  stat(path, &st);
  unlink(path);
  unlink(check_path("full.xmf"));
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  for (int64_t size = 0; size < st.st_size; size += st.st_size / 13) {
    now = (struct rlimit){(rlim_t)size, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
    const fc_status status = write_file(path, &s);
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK(status == FC_E_SYSTEM);
    CHECK(strstr(fc_error(), "full.h5") != NULL);
    CHECK(access(path, F_OK) && access(check_path("full.h5.tmp"), F_OK));
  }
}

static void xdmf_beside(void) {
  const fc_field_spec s           = spec_of(2);
  char                text[20000] = "";

  CHECK_OK(write_file(check_path("x.h5"), &s));
  FILE *f = fopen(check_path("x.xmf"), "r");
  CHECK(f != NULL);
  if (!f) return;
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  CHECK(strstr(text, "Dimensions=\"1 6 5\"") && strstr(text, "x.h5:/t1_fields/velocity"));
  CHECK(strstr(text, "JOIN($1, $0, 0*$0)") && strstr(text, "XDMF Reader") && strstr(text, "</Xdmf>"));
  CHECK(strstr(text, "CollectionType=\"Temporal\"") && strstr(text, "1 2 0 0 1  1 1 1 1 1  1 1 6 5 1"));
}

static void uneven_xdmf(void) {
  const double  y[5]        = {-1, -0.8, 0.1, 0.85, 1};
  fc_field_spec s           = spec_of(2);
  char          text[20000] = "";

  s.points[1] = y;
  CHECK_OK(write_file(check_path("u.h5"), &s));
  FILE *f = fopen(check_path("u.xmf"), "r");
  CHECK(f != NULL);
  if (!f) return;
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  const char *first = strstr(text, "u.h5:/dimensions/y"), *second = strstr(text, "u.h5:/dimensions/x");
  CHECK(strstr(text, "3DRectMesh") && strstr(text, "VXVYVZ") && !strstr(text, "ORIGIN"));
  CHECK(first && second && first < second); /* VTK's X is the last axis of the file */
}

CHECK_SUITE(field_writer, round_trip, uneven_coordinates, wrong_coordinates, strided_reads, many_files,
            wrong_specifications, xdmf_beside, uneven_xdmf, full_disk)
