/* tests/hpc/ranks_box3d.c - run on 1 to 4 ranks: flows that ranks share against the same flow on one rank. */
#include "solvers/box3d_sgs.h"
#include "solvers/solver.h"
#include "tests/check.h"

typedef struct {
  fc_box3d      *s;
  fc_box3d_work *k;
} flow;

static flow begin(const fc_box3d_config *c, bool shared) {
  flow f = {0};

  if (fc_box3d_create(c, shared, &f.s) != FC_OK || fc_box3d_work_create(f.s, &f.k) != FC_OK) abort();
  fc_box3d_start(f.s, f.k, 3);
  return f;
}

static void end(flow f) {
  CHECK_OK(f.k->status);
  fc_box3d_work_destroy(f.k);
  fc_box3d_destroy(f.s);
}

/* this rank's rows of part beside those of whole */
static double apart(flow part, flow whole, double *const *a, double *const *b) {
  const int64_t row = 2 * part.s->grid->my * part.s->grid->mz;
  double        off = 0, top = 1e-30;

  for (int c = 0; c < 3; c++) {
    for (int64_t i = 0; i < part.s->grid->ny * row; i++)
      off = fmax(off, fabs(a[c][i] - b[c][part.s->grid->k0 * row + i]));
    for (int64_t i = 0; i < fc_box3d_size(whole.s); i++) top = fmax(top, fabs(b[c][i]));
  }
  return off / top;
}

static void same_frames(flow part, flow whole) {
  const int64_t n = part.s->c.n, line = n * n * 4, lines = part.s->frame->nx;
  fc_real      *a = calloc((size_t)(lines * line + 1), sizeof *a), *b = calloc((size_t)(n * line), sizeof *b);
  double        off = 0;

  fc_box3d_values(part.s, part.k, a);
  fc_box3d_values(whole.s, whole.k, b);
  for (int64_t i = 0; i < lines * line; i++)
    off = fmax(off, fabs((double)(a[i] - b[part.s->frame->x0 * line + i])));
  CHECK_NEAR(off, 0, 1e-12);
  fc_box3d_set(part.s, part.k, a);
  CHECK_NEAR(apart(part, whole, part.k->u, whole.k->u), 0, 1e-12);
  free(a), free(b);
}

static void same_numbers(flow part, flow whole) {
  const fc_box3d_budget a = fc_box3d_measure(part.s, part.k), b = fc_box3d_measure(whole.s, whole.k);
  double                e[64], w[64];

  CHECK_NEAR(a.energy, b.energy, 1e-13);
  CHECK_NEAR(a.enstrophy / b.enstrophy, 1, 1e-13);
  CHECK_NEAR(a.helicity, b.helicity, 1e-12);
  CHECK_NEAR(a.lost, b.lost, 1e-13);
  CHECK_NEAR(a.given, b.given, 1e-13);
  CHECK_NEAR(a.mean, b.mean, 1e-15);
  CHECK_NEAR(part.k->speed, whole.k->speed, 1e-11);
  fc_box3d_spectrum(part.s, part.k, e);
  fc_box3d_spectrum(whole.s, whole.k, w);
  for (int64_t k = 0; k < fc_box3d_shells(whole.s); k++) CHECK_NEAR(e[k], w[k], 1e-13);
}

/* sums are made in another order, planes come in other pairs: rounding, grown a little in five steps */
static void compare(fc_box3d_config c) {
  flow part = begin(&c, true), whole = begin(&c, false);

  CHECK_NEAR(apart(part, whole, part.k->u, whole.k->u), 0, 1e-14); /* the same random field */
  for (int i = 0; i < 5; i++) {
    fc_box3d_step(part.s, part.k, 0.01);
    fc_box3d_step(whole.s, whole.k, 0.01);
  }
  CHECK_NEAR(apart(part, whole, part.k->u, whole.k->u), 0, 1e-12);
  same_numbers(part, whole);
  same_frames(part, whole);
  end(part), end(whole);
}

static fc_box3d_config base(int64_t n) {
  return (fc_box3d_config){.n            = n,
                           .length       = 3,
                           .nu           = 0.01,
                           .scheme       = FC_BOX3D_RK4,
                           .initial      = FC_BOX3D_ISOTROPIC,
                           .spectrum     = FC_BOX3D_EXPONENTIAL,
                           .peak         = 2,
                           .energy       = 1,
                           .forcing_band = 2,
                           .mean_v       = 0.2,
                           .pressure     = true};
}

static void unforced(void) { compare(base(16)); }

static void kept_at_an_energy(void) {
  fc_box3d_config c = base(18);

  c.dealias = FC_BOX3D_SPHERICAL;
  c.forcing = FC_BOX3D_RESCALE;
  c.initial = FC_BOX3D_FACTFORMER;
  compare(c);
}

static void fed(void) {
  fc_box3d_config c = base(12);

  c.dealias = FC_BOX3D_THREE_HALVES;
  c.forcing = FC_BOX3D_POWER;
  c.power   = 0.3;
  c.scheme  = FC_BOX3D_RK3_CN;
  compare(c);
}

/* 8 points: five rows of modes, so ranks have one or two */
static void tiny(void) {
  fc_box3d_config c = base(8);

  c.initial = FC_BOX3D_TAYLOR_GREEN;
  compare(c);
}

/* all subgrid models, with both test filters; and what is measured of them */
static void with_models(void) {
  for (int m = FC_SGS_SMAGORINSKY; m <= FC_SGS_DYNAMIC_CLIPPED + 1; m++) {
    fc_box3d_config c = base(14);
    c.sgs             = m > FC_SGS_DYNAMIC_CLIPPED ? FC_SGS_DYNAMIC : m;
    c.test_filter     = m > FC_SGS_DYNAMIC_CLIPPED;
    flow part = begin(&c, true), whole = begin(&c, false);
    for (int i = 0; i < 20; i++) { /* random phases pass no energy on at first */
      fc_box3d_step(part.s, part.k, 0.03);
      fc_box3d_step(whole.s, whole.k, 0.03);
    }
    CHECK_NEAR(apart(part, whole, part.k->u, whole.k->u), 0, 1e-12);
    const fc_box3d_eddies a = fc_box3d_sgs_measure(part.s, part.k),
                          b = fc_box3d_sgs_measure(whole.s, whole.k);
    CHECK(b.mean > 0);
    CHECK_NEAR(a.mean, b.mean, 1e-12 * b.mean);
    CHECK_NEAR(a.most, b.most, 1e-11 * b.most);
    CHECK_NEAR(a.constant, b.constant, 1e-11);
    CHECK_NEAR(a.dissipation, b.dissipation, 1e-12 * b.dissipation);
    end(part), end(whole);
  }
}

/* ---- a run as fieldcast solve makes it ---- */

typedef struct {
  fc_real *x;
  int64_t  size;
} sink_state;

static fc_status collect(void *user, int64_t traj, int64_t t, const fc_real *x) {
  sink_state *s = user;

  (void)traj;
  memcpy(s->x + t * s->size, x, (size_t)s->size * sizeof *x);
  return FC_OK;
}

static void a_run_with_a_history(void) {
  char                 history[512];
  const char          *set[] = {"n=12", "t_end=0.2", "frames=3", "cfl=0.5", "dt=0.02", history};
  const fc_solver_def *def;
  void                *config;
  sink_state           out = {0};
  int64_t              lo, n, rows = 0;

  snprintf(history, sizeof history, "history=%s", check_path("course.csv"));
  CHECK_OK(fc_solver_configure("spectral_3d", FC_COUNT(set), set, &def, &config));
  def->share(config, &lo, &n);
  out.size = n * 12 * 12 * 3;
  out.x    = calloc((size_t)(3 * out.size + 1), sizeof *out.x);
  CHECK_OK(def->run(config, &(fc_audience){.sink = collect, .user = &out}));
  for (int64_t i = 0; i < n * 144; i++) {
    const double h = M_PI / 6, x = h * (double)(lo + i / 144), y = h * (double)(i / 12 % 12),
                 z = h * (double)(i % 12);
    CHECK_NEAR(out.x[3 * i], sin(x) * cos(y) * cos(z), 1e-14);
  }
  if (fc_comm_rank(NULL) == 0) {
    FILE *f = fopen(history + 8, "r");
    int   c;
    CHECK(f != NULL);
    while (f && (c = fgetc(f)) != EOF) rows += c == '\n';
    if (f) fclose(f);
    CHECK(rows >= 12 && rows < 100); /* header, start, at least ten steps */
  }
  free(out.x);
  free(config);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {unforced, kept_at_an_energy, fed,
                                     tiny,     with_models,       a_run_with_a_history};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("box3d", FC_COUNT(cases), cases,
                               "unforced, kept_at_an_energy, fed, tiny, with_models, a_run_with_a_history");
  fc_comm_stop(failed);
  return failed;
}
