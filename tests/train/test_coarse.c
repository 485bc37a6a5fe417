/* tests/train/test_coarse.c - the solver that made the data, on a coarser grid, beside a surrogate: in time
   and for steady problems, and the reasons why there is none. */
#include "tests/check.h"
#include "train/coarse.h"

static fc_status put(void *user, int64_t traj, int64_t t, const fc_real *x) {
  fc_field_writer *w = user;

  return t == FC_FRAME_CONSTANT ? fc_field_write_constant(w, traj, x) : fc_field_write(w, traj, t, 1, x);
}

/* a file as 'fieldcast solve' writes it; field: another name for the solver's field */
static const char *made_by(const char *preset, int n, const char *const *set, const char *field) {
  static char          path[FC_TEXT];
  fc_out_field         other = {field, "1", 0};
  const fc_solver_def *def;
  void                *config = NULL;
  char                *text   = NULL;
  fc_field_spec        spec;
  fc_field_writer     *w = NULL;

  CHECK_OK(fc_solver_configure(preset, n, set, &def, &config));
  if (!config) abort();
  CHECK_OK(fc_solver_text(def, config, &text));
  def->describe(config, &spec);
  if (field) spec.field = &other;
  spec.text[0].name = "solver", spec.text[0].value = def->name;
  spec.text[1].name = "solver_config", spec.text[1].value = text;
  spec.n_texts = 2;
  snprintf(path, sizeof path, "%s", check_path("made.hdf5"));
  CHECK_OK(fc_field_writer_create(path, &spec, &w));
  CHECK_OK(def->run(config, &(fc_audience){.sink = put, .user = w}));
  CHECK_OK(fc_field_writer_finish(w));
  free(text);
  free(config);
  return path;
}

static fc_source opened(const char *path, bool steady, int64_t stride) {
  fc_data_settings d = {.frame_stride = 1, .space_stride = {1, {stride}}};
  fc_source        s;

  CHECK_OK(fc_source_open(path, &d, steady, &s));
  return s;
}

typedef struct {
  fc_source *s;
  fc_real   *truth;
  double     off, all;
  int64_t    frames;
} score;

static fc_status add(void *user, int64_t traj, int64_t t, const fc_real *x) {
  score *k = user;

  (void)traj;
  FC_TRY(fc_source_truth(k->s, 0, k->s->steady ? 0 : t + 1, 1, k->truth));
  for (int64_t i = 0; i < k->s->out_len; i++) {
    k->off += pow((double)x[i] - (double)k->truth[i], 2);
    k->all += pow((double)k->truth[i], 2);
  }
  k->frames++;
  return FC_OK;
}

/* chooses with a budget, runs n frames from the first; the relative L2 error of all of them */
static double rival(fc_source *s, double budget, int64_t n, fc_coarse *c) {
  fc_real    *x   = calloc((size_t)s->out_len + (size_t)s->in_len, sizeof *x);
  score       k   = {s, calloc((size_t)s->out_len, sizeof *k.truth), 0, 0, 0};
  const char *why = NULL;

  CHECK_OK(s->steady ? fc_source_given(s, 0, x) : fc_source_truth(s, 0, 0, 1, x));
  CHECK_OK(fc_coarse_choose(s, x, 0, budget, c, &why));
  CHECK(c->def != NULL && !why);
  if (c->def) CHECK_OK(fc_coarse_run(c, s, x, 0, n, add, &k));
  CHECK(k.frames == n);
  free(x), free(k.truth);
  return sqrt(k.off / k.all);
}

#define WITH(...)                                                                                            \
  (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]) { __VA_ARGS__ }

static void in_time(void) {
  static const char *const preset[] = {"burgers", "ks", "demo-ns2d"};

  for (int k = 0; k < 3; k++) {
    const char *path = k == 0 ? made_by("burgers", WITH("n=256", "nu=0.02", "frame_dt=0.1", "frames=4"), NULL)
                       : k == 1 ? made_by("ks", WITH("n=128", "t_skip=60", "frame_dt=0.5", "frames=4"), NULL)
                                : made_by(preset[k], WITH("n=32", "n_traj=1", "t_skip=2", "frames=4"), NULL);
    fc_source   s    = opened(path, false, 1);
    fc_coarse   c;
    const int64_t n    = s.geo.dim[0];
    const double  fine = rival(&s, 1e9, 3, &c);
    if (getenv("FC_SHOW")) printf("  %s: %g\n", preset[k], fine);
    CHECK(c.dim[0] == 3 * n / 4 && !c.dearer && c.seconds > 0 && c.full > 0);
    CHECK(fine < (k == 2 ? 0.1 : 1e-4)); /* 24 points are few for a forced flow, 96 and 192 many for a line */
    fc_coarse_free(&c);
    const double coarse = rival(&s, 0, 3, &c); /* nothing is free: the coarsest grid, and that is said */
    CHECK(c.dearer && c.dim[0] < n / 2 && coarse > fine);
    fc_coarse_free(&c);
    fc_source_close(&s);
  }
}

/* steady: the solver is given the inputs; the model's data may be a part of the points */
static void steady(void) {
  const char *path = made_by("darcy", WITH("n=128", "seed=3"), NULL);

  for (int64_t stride = 1; stride <= 2; stride++) {
    fc_source s = opened(path, true, stride);
    fc_coarse c;
    CHECK(rival(&s, 1e9, 1, &c) < 0.02);
    CHECK(c.dim[0] == 96 / stride && c.dim[1] == 96 / stride && !c.dearer && c.full > 0);
    fc_coarse_free(&c);
    const double coarse = rival(&s, 0, 1, &c);
    CHECK(c.dearer && c.dim[0] == 16 / stride && coarse < 0.1);
    fc_coarse_free(&c);
    fc_source_close(&s);
  }
}

static void expect_none(fc_source *s, const char *text) {
  fc_real    *x   = calloc((size_t)s->out_len + (size_t)s->in_len, sizeof *x);
  const char *why = "";
  fc_coarse   c;

  for (int64_t i = 0; i < s->in_len; i++) x[i] = 1;
  CHECK_OK(fc_coarse_choose(s, x, 0, 1, &c, &why));
  CHECK(!c.def && why && strstr(why, text));
  fc_coarse_free(&c);
  free(x);
}

static void reasons_why_not(void) {
  fc_source s = opened(made_by("burgers", WITH("n=16", "frames=2"), "w"), false, 1);
  expect_none(&s, "not the fields of its solver");
  fc_source_close(&s);
  s = opened(made_by("darcy", WITH("n=16"), "p"), true, 1);
  expect_none(&s, "not the fields of its solver");
  fc_source_close(&s);
  s = opened(made_by("darcy", WITH("n=16"), NULL), true, 1);
  snprintf(s.in.channel[0].name, FC_NAME, "b");
  expect_none(&s, "not what its solver is given");
  fc_source_close(&s);
  s = opened(made_by("darcy", WITH("n=16"), NULL), false, 1); /* read as frames */
  expect_none(&s, "cannot start from a given frame");
  fc_source_close(&s);
  s        = opened(made_by("burgers", WITH("n=16", "frames=2"), NULL), false, 1);
  s.steady = true;
  expect_none(&s, "not one for steady problems");
  s.steady = false, s.geo.dt = NAN;
  expect_none(&s, "not equally spaced");
  s.geo.periodic[0] = false;
  expect_none(&s, "not periodic");
  fc_source_close(&s);
  s = opened(made_by("burgers", WITH("n=8", "frames=2"), NULL), false, 1);
  expect_none(&s, "too small to be made coarser");
  fc_source_close(&s);
}

CHECK_SUITE(coarse, in_time, steady, reasons_why_not)
