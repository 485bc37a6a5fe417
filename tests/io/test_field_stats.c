/* tests/io/test_field_stats.c - statistics against plain sums, and stats.yaml there and back. */
#include "tests/check.h"

#include "io/field_writer.h"
#include "io/stats_yaml.h"

enum { NX = 40, NY = 30, NT = 4, NB = 3, NC = 3 };

/* a large mean and a small deviation: what a one-pass sum of squares loses */
static fc_real sample(int64_t b, int64_t t, int64_t i, int c) {
  const double u = (double)((b * 7919 + t * 104729 + i * 31 + c * 17) % 1000) / 1000;
  return (fc_real)(c == 0 ? 1e5 + u : u * (c + 1) - (double)t);
}

static void write_file(const char *path, bool hole) {
  static const fc_out_field f[2] = {{"p", "", 0}, {"v", "", 1}};
  const fc_field_spec       s    = {.name     = "s",
                                    .ndim     = 2,
                                    .dim      = {NX, NY},
                                    .n_traj   = NB,
                                    .n_steps  = NT,
                                    .spacing  = {1, 1},
                                    .dt       = 1,
                                    .n_fields = 2,
                                    .field    = f};
  fc_field_writer          *w;
  static fc_real            x[NX * NY * NC];

  CHECK_OK(fc_field_writer_create(path, &s, &w));
  for (int64_t b = 0; b < NB; b++)
    for (int64_t t = 0; t < NT; t++) {
      for (int64_t i = 0; i < NX * NY * NC; i++) x[i] = sample(b, t, i / NC, (int)(i % NC));
      if (hole && b == 1 && t == 2) x[7 * NC + 1] = NAN;
      CHECK_OK(fc_field_write(w, b, t, 1, x));
    }
  CHECK_OK(fc_field_writer_finish(w));
}

/* two passes in long double */
static void reference(int c, int lo, int hi, bool delta, double *mean, double *std, double *rms) {
  long double n = 0, sum = 0, dev = 0;

  for (int pass = 0; pass < 2; pass++)
    for (int b = lo; b < hi; b++)
      for (int t = delta; t < NT; t++)
        for (int i = 0; i < NX * NY; i++) {
          const long double v =
              (long double)sample(b, t, i, c) - (delta ? (long double)sample(b, t - 1, i, c) : 0.0L);
          if (pass == 0)
            sum += v, n++;
          else
            dev += (v - sum / n) * (v - sum / n);
        }
  *mean = (double)(sum / n);
  *std  = (double)sqrtl(dev / n);
  *rms  = sqrt(*mean * *mean + *std * *std);
}

static void against_plain_sums(void) {
  fc_field      *f;
  fc_field_stats s;
  double         mean, std, rms;

  write_file(check_path("s.h5"), false);
  CHECK_OK(fc_field_open(check_path("s.h5"), &f));
  CHECK_OK(fc_field_statistics(f, 1, 3, NULL, NULL, NULL, &s));
  CHECK(s.n_channels == NC && s.frames == 2 * NT);
  for (int c = 0; c < NC; c++) {
    reference(c, 1, 3, false, &mean, &std, &rms); /* 1e-12: rounding of 1e4 double additions */
    CHECK_NEAR(s.mean[c], mean, 1e-12 * fabs(rms));
    CHECK_NEAR(s.std[c], std, 1e-10 * std); /* the mean itself is only known to 1e-11 of 1e5 */
    CHECK_NEAR(s.rms[c], rms, 1e-12 * rms);
    reference(c, 1, 3, true, &mean, &std, &rms);
    CHECK_NEAR(s.mean_delta[c], mean, 1e-12 * rms);
    CHECK_NEAR(s.std_delta[c], std, 1e-12 * std);
    CHECK_NEAR(s.rms_delta[c], rms, 1e-12 * rms);
    CHECK(s.min[c] <= s.mean[c] && s.mean[c] <= s.max[c]);
  }
  CHECK(s.min[0] == (double)sample(0, 0, 0, 0) || s.min[0] >= 1e5);
  fc_field_close(f);
}

static void count(void *user, int64_t done, int64_t total) {
  int64_t *seen = user;
  CHECK(done == seen[0] + 1 && total == NB * NT);
  seen[0] = done;
}

static void threads_do_not_matter(void) {
  fc_field      *f;
  fc_field_stats a, b;
  int64_t        seen = 0;

  write_file(check_path("s.h5"), false);
  CHECK_OK(fc_field_open(check_path("s.h5"), &f));
  fc_threads_set(1);
  CHECK_OK(fc_field_statistics(f, 0, NB, NULL, count, &seen, &a));
  fc_threads_set(3);
  CHECK_OK(fc_field_statistics(f, 0, NB, NULL, NULL, NULL, &b));
  fc_threads_set(1);
  CHECK(seen == NB * NT);
  CHECK(!memcmp(&a, &b, sizeof a));
  fc_field_close(f);
}

static void not_finite(void) {
  fc_field      *f;
  fc_field_stats s;

  write_file(check_path("hole.h5"), true);
  CHECK_OK(fc_field_open(check_path("hole.h5"), &f));
  CHECK_FAILS(fc_field_statistics(f, 0, NB, NULL, NULL, NULL, &s), FC_E_INPUT,
              "'v_x' has values that are not finite in trajectory 1, frame 2");
  CHECK_OK(fc_field_statistics(f, 0, 1, NULL, NULL, NULL, &s));
  CHECK_FAILS(fc_field_statistics(f, 0, NB + 1, NULL, NULL, NULL, &s), FC_E_USAGE, "there are 3");
  fc_field_close(f);
}

static void yaml_there_and_back(void) {
  fc_field      *f;
  fc_field_stats a, b;

  write_file(check_path("s.h5"), false);
  CHECK_OK(fc_field_open(check_path("s.h5"), &f));
  const fc_field_info *info = fc_field_about(f);
  CHECK_OK(fc_field_statistics(f, 0, NB, NULL, NULL, NULL, &a));
  CHECK_OK(fc_stats_yaml_write(check_path("stats.yaml"), info, &a));
  CHECK_OK(fc_stats_yaml_read(check_path("stats.yaml"), info, &b));
  for (int c = 0; c < NC; c++) { /* nine digits are written */
    CHECK_NEAR(b.mean[c], a.mean[c], 1e-8 * fabs(a.mean[c]));
    CHECK_NEAR(b.std[c], a.std[c], 1e-8 * a.std[c]);
    CHECK_NEAR(b.rms[c], a.rms[c], 1e-8 * a.rms[c]);
    CHECK_NEAR(b.mean_delta[c], a.mean_delta[c], 1e-8 * a.rms_delta[c]);
    CHECK_NEAR(b.std_delta[c], a.std_delta[c], 1e-8 * a.std_delta[c]);
    CHECK_NEAR(b.rms_delta[c], a.rms_delta[c], 1e-8 * a.rms_delta[c]);
  }
  fc_field_close(f);
}

static void put_text(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  fputs(text, f);
  fclose(f);
}

/* as The Well writes it, with a tensor and with keys missing */
static void yaml_of_others(void) {
  const char    *path = check_path("other.yaml");
  fc_field_stats s;
  fc_field_info  info = {.ndim = 2, .axis = {"x", "y"}, .n_channels = 3};

  info.channel[0] = (fc_channel){.name = "p"};
  info.channel[1] = (fc_channel){.name = "D_yx", .rank = 2, .component = 2};
  info.channel[2] = (fc_channel){.name = "u_y", .rank = 1, .component = 1};
  put_text(path,
           "mean:\n  p: 3.0\n  D:\n  - - 1.0\n    - 2.0\n  - - 4.5\n    - 5.0\n  u: [7, 8.5]\n  more: 1\n"
           "std:\n  p: 4.0\n  D: [[1, 1], [2, 1]]\n  u:\n  - 1.0\n  - 0.5\n");
  CHECK_OK(fc_stats_yaml_read(path, &info, &s));
  CHECK(s.mean[0] == 3 && s.mean[1] == 4.5 && s.mean[2] == 8.5 && s.std[1] == 2 && s.std[2] == 0.5);
  CHECK_NEAR(s.rms[0], 5, 1e-15);
  CHECK(isnan(s.std_delta[0]) && isnan(s.min[0]));
  put_text(path, "mean: {p: 3, D: [[1, 2], [3, 4]], u: [1, 2]}\nstd: {p: 3}\n");
  CHECK_FAILS(fc_stats_yaml_read(path, &info, &s), FC_E_INPUT, "no std for channel 'D_yx'");
  put_text(path, "mean: {p: [\n");
  CHECK_FAILS(fc_stats_yaml_read(path, &info, &s), FC_E_INPUT, "not YAML");
  put_text(path, "just text");
  CHECK_FAILS(fc_stats_yaml_read(path, &info, &s), FC_E_INPUT, "no mean");
  CHECK_FAILS(fc_stats_yaml_read(check_path("absent"), &info, &s), FC_E_INPUT, "No such file");
}

CHECK_SUITE(field_stats, against_plain_sums, threads_do_not_matter, not_finite, yaml_there_and_back,
            yaml_of_others)
