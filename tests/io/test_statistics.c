/* tests/io/test_statistics.c - statistics in files and tables, and how two of them are compared. */
#include "io/file.h"
#include "io/statistics.h"
#include "tests/check.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static void fill(fc_statistics *s) {
  const double y[4] = {0, 0.1, 0.4, 1};

  fc_statistics_init(s, "channel");
  s->samples = 40, s->batches = 20, s->from = 1, s->to = 3, s->correlation = 0.125;
  fc_quantity *q = fc_statistics_add(s, "mean_u", "m/s", "y (m)", 4, y, "mean velocity");
  for (int i = 0; q && i < 4; i++) q->value[i] = 2 * y[i], q->half[i] = 0.01 * i;
  q = fc_statistics_add(s, "u_tau", "", "", 1, NULL, "friction velocity");
  if (q) q->value[0] = 0.05;
  fc_statistics_text(s, "filter", "none");
  fc_statistics_text(s, "model", "");
}

static void same(const fc_statistics *s) {
  const fc_quantity *q = fc_statistics_find(s, "mean_u", "y"), *u = fc_statistics_find(s, "u_tau", NULL);

  CHECK(!strcmp(s->kind, "channel") && s->samples == 40 && s->batches == 20 && s->from == 1 && s->to == 3);
  CHECK(s->correlation == 0.125 && s->n == 2 && !fc_statistics_find(s, "mean_u", "y_plus"));
  CHECK(q && !strcmp(q->unit, "m/s") && !strcmp(q->axis_unit, "m") &&
        !strcmp(q->definition, "mean velocity"));
  CHECK(q && q->n == 4 && q->x[2] == 0.4 && q->value[3] == 2 && q->half[1] == 0.01);
  CHECK(u && u->n == 1 && !u->axis[0] && !u->unit[0] && u->value[0] == 0.05 && isnan(u->half[0]));
  CHECK(!strcmp(fc_statistics_say(s, "filter"), "none") && !strcmp(fc_statistics_say(s, "model"), ""));
}

static void round_trip(void) {
  fc_statistics s, t;
  const char   *path = check_path("s.h5");

  fill(&s);
  same(&s);
  CHECK_OK(fc_statistics_write(path, &s));
  CHECK(access(check_path("s.h5.tmp"), F_OK) != 0 && fc_statistics_recognised(path));
  CHECK_OK(fc_statistics_read(path, &t));
  same(&t);
  fc_statistics_free(&s);
  fc_statistics_free(&t);
}

static FILE *text_file(const char *name) { return fopen(check_path(name), "w"); }

static void wrong_files(void) {
  fc_statistics s;
  struct rlimit old, now = {3000, 0};
  FILE         *f = text_file("text.h5");

  fputs("no HDF5\n", f), fclose(f);
  CHECK(!fc_statistics_recognised(check_path("text.h5")) && !fc_statistics_recognised(check_path("absent")));
  CHECK_FAILS(fc_statistics_read(check_path("text.h5"), &s), FC_E_INPUT, "text.h5");
  CHECK_FAILS(fc_statistics_read(check_path("absent"), &s), FC_E_INPUT, "absent");
  fill(&s);
  CHECK_FAILS(fc_statistics_write("/nonexistent/s.h5", &s), FC_E_SYSTEM, "cannot write");
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  now.rlim_max = old.rlim_max;
  setrlimit(RLIMIT_FSIZE, &now); /* stands for a full disk */
  const fc_status status = fc_statistics_write(check_path("full.h5"), &s);
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK(status == FC_E_SYSTEM && access(check_path("full.h5"), F_OK) &&
        access(check_path("full.h5.tmp"), F_OK));
  fc_statistics_free(&s);
}

/* single bytes altered, and files cut off: read or refused in words, never a crash */
static void damaged_files(void) {
  const fc_rng  r = {8, 0, FC_RNG_TEST};
  fc_statistics s, t;
  char         *bytes;
  size_t        n;
  int           refused = 0;

  fill(&s);
  CHECK_OK(fc_statistics_write(check_path("whole.h5"), &s));
  CHECK_OK(fc_file_read(check_path("whole.h5"), 1 << 20, &bytes, &n));
  for (uint64_t k = 0; k < 60; k++) {
    const size_t at  = (size_t)(fc_rng_uniform(&r, k) * (double)n);
    const char   old = bytes[at];
    FILE        *f   = text_file("altered.h5");
    bytes[at] ^= (char)(1 << k % 8);
    fwrite(bytes, 1, k % 3 ? n : at, f), fclose(f);
    bytes[at]           = old;
    const fc_status got = fc_statistics_read(check_path("altered.h5"), &t);
    CHECK(got == FC_OK || (got == FC_E_INPUT && strstr(fc_error(), "altered.h5")));
    refused += got != FC_OK;
    fc_statistics_free(&t);
  }
  CHECK(refused >= 20); /* at least those cut off */
  free(bytes);
  fc_statistics_free(&s);
}

static void tables(void) {
  fc_statistics s;
  FILE         *f = text_file("table.txt");

  fputs("# y y+ U\n% more\n\n 0.0 0.0e0, 0.0\n0.5\t5.0 4.5\r\n 1 10. 8.9\n", f), fclose(f);
  CHECK_OK(fc_statistics_read_table(check_path("table.txt"), "y_plus=2, mean_u_plus=3", &s));
  const fc_quantity *q = fc_statistics_find(&s, "mean_u_plus", "y_plus");
  CHECK(q && q->n == 3 && q->x[1] == 5 && q->value[2] == 8.9 && isnan(q->half[0]));
  fc_statistics_free(&s);
  CHECK_FAILS(fc_statistics_read_table(check_path("table.txt"), "y_plus=2", &s), FC_E_USAGE,
              "at least one quantity");
  CHECK_FAILS(fc_statistics_read_table(check_path("table.txt"), "y_plus=2,u=x", &s), FC_E_USAGE,
              "NAME=COLUMN");
  CHECK_FAILS(fc_statistics_read_table(check_path("table.txt"), "y_plus=0,u=1", &s), FC_E_USAGE,
              "NAME=COLUMN");
  CHECK_FAILS(fc_statistics_read_table(check_path("table.txt"), "y=1,u=7", &s), FC_E_INPUT,
              "line 4: there is no column 7");
  f = text_file("words.txt");
  fputs("0 1\n1 two\n", f), fclose(f);
  CHECK_FAILS(fc_statistics_read_table(check_path("words.txt"), "y=1,u=2", &s), FC_E_INPUT,
              "line 2: not a row");
  f = text_file("falling.txt");
  fputs("1 1\n0 2\n", f), fclose(f);
  CHECK_FAILS(fc_statistics_read_table(check_path("falling.txt"), "y=1,u=2", &s), FC_E_INPUT,
              "line 2: y does not rise");
  f = text_file("short.txt");
  fputs("1 1\n", f), fclose(f);
  CHECK_FAILS(fc_statistics_read_table(check_path("short.txt"), "y=1,u=2", &s), FC_E_INPUT, "fewer than two");
}

/* cubics are met between the points; errors are those of the closed form; the coarser one says where */
static void comparison(void) {
  double        x[9], y[5];
  fc_statistics s;
  fc_agreement  a;

  fc_statistics_init(&s, "");
  for (int i = 0; i < 9; i++) x[i] = i * i / 64.0;
  for (int i = 0; i < 5; i++) y[i] = i / 4.0;
  fc_statistics_add(&s, "fine", "", "y", 9, x, "");
  fc_statistics_add(&s, "coarse", "", "y", 5, y, "");
  fc_quantity *fine = &s.q[0], *coarse = &s.q[1];
  for (int i = 0; i < 9; i++) fine->value[i] = 1 + x[i] - 2 * x[i] * x[i] * x[i], fine->half[i] = 0.03;
  for (int i = 0; i < 5; i++) coarse->value[i] = 1 + y[i] - 2 * y[i] * y[i] * y[i], coarse->half[i] = 0.04;
  CHECK(fc_quantity_compare(fine, coarse, &a) && a.n == 5);
  CHECK_NEAR(a.error, 0, 1e-13);
  for (int i = 0; i < 5; i++) coarse->value[i] = 2;
  for (int i = 0; i < 9; i++) fine->value[i] = 2.02;
  CHECK(fc_quantity_compare(fine, coarse, &a) && a.known);
  CHECK_NEAR(a.error, 0.01, 1e-13);
  CHECK_NEAR(a.by_rows, 0.01, 1e-13);
  CHECK_NEAR(a.interval, 0.025, 1e-13); /* root of 0.03^2 + 0.04^2 over 2: a tie */
  CHECK(fc_quantity_compare(coarse, fine, &a) && a.n == 5);
  CHECK_NEAR(a.error, 0.02 / 2.02, 1e-13);
  fc_statistics_free(&s);
}

/* ends count half, as in the trapezoidal rule; nothing in common, nothing to compare */
static void weights(void) {
  const double  y[3] = {0, 1, 2}, far[2] = {5, 6};
  fc_statistics s;
  fc_agreement  a;

  fc_statistics_init(&s, "");
  fc_statistics_add(&s, "a", "", "y", 3, y, "");
  fc_statistics_add(&s, "b", "", "y", 3, y, "");
  fc_statistics_add(&s, "c", "", "y", 2, far, "");
  for (int i = 0; i < 3; i++) s.q[0].value[i] = i == 0 ? 2 : 1, s.q[1].value[i] = 1;
  s.q[2].value[0] = s.q[2].value[1] = 1;
  CHECK(fc_quantity_compare(&s.q[0], &s.q[1], &a) && !a.known);
  CHECK_NEAR(a.error, sqrt(0.5 / 2), 1e-14);
  CHECK_NEAR(a.by_rows, sqrt(1.0 / 3), 1e-14);
  CHECK(!fc_quantity_compare(&s.q[0], &s.q[2], &a));
  fc_statistics_free(&s);
}

CHECK_SUITE(statistics, round_trip, wrong_files, damaged_files, tables, comparison, weights)
