/* tests/solvers/test_box3d_sgs.c - large-eddy simulation in the periodic cube: the force of the models
   against sums written out, its work, and its way into steps. */
#include "solvers/box3d_sgs.h"
#include "solvers/fft2.h"
#include "solvers/sgs.h"
#include "tests/check.h"

typedef struct {
  fc_box3d      *s;
  fc_box3d_work *k;
} flow;

static const int all_models[] = {FC_SGS_SMAGORINSKY, FC_SGS_DYNAMIC, FC_SGS_WALE, FC_SGS_VREMAN,
                                 FC_SGS_DYNAMIC_CLIPPED};

static flow begin(int64_t n, int dealias, int sgs, double constant) {
  const fc_box3d_config c = {.n            = n,
                             .length       = 3,
                             .dealias      = dealias,
                             .scheme       = FC_BOX3D_RK4,
                             .initial      = FC_BOX3D_ISOTROPIC,
                             .spectrum     = FC_BOX3D_EXPONENTIAL,
                             .peak         = 2,
                             .energy       = 1,
                             .mean_u       = 0.3,
                             .sgs          = sgs,
                             .sgs_constant = constant};
  flow                  f = {0};

  if (fc_box3d_create(&c, false, &f.s) != FC_OK || fc_box3d_work_create(f.s, &f.k) != FC_OK) abort();
  fc_box3d_start(f.s, f.k, 0);
  return f;
}

static void end(flow f) {
  CHECK_OK(f.k->status);
  fc_box3d_work_destroy(f.k);
  fc_box3d_destroy(f.s);
}

static double apart(const fc_box3d *s, double *const *a, double *const *b) {
  double off = 0, top = 0;

  for (int c = 0; c < 3; c++)
    for (int64_t i = 0; i < fc_box3d_size(s); i++) {
      off = fmax(off, fabs(a[c][i] - b[c][i]));
      top = fmax(top, fabs(b[c][i]));
    }
  return off / top;
}

/* <a.b> of two spectra */
static double product(const fc_box3d *s, double *const *a, double *const *b) {
  double sum = 0;

  for (int c = 0; c < 3; c++)
    for (int64_t i = 0; i < fc_box3d_size(s); i++) sum += (i / 2 % s->grid->mz ? 2 : 1) * a[c][i] * b[c][i];
  return sum;
}

/* A constant that is as good as zero leaves the rotational form: u_i u_j and u x omega make one rate where
   products are free of aliases. */
static void nothing_is_the_flow_itself(void) {
  for (int d = FC_BOX3D_SQUARE; d <= FC_BOX3D_THREE_HALVES; d++)
    for (int m = 0; m < 3; m++) {
      static const int models[] = {FC_SGS_SMAGORINSKY, FC_SGS_WALE, FC_SGS_VREMAN};
      flow             a = begin(16, d, models[m], 1e-18), b = begin(16, d, FC_SGS_NONE, 0);
      fc_box3d_rate(a.s, a.k, a.k->u, a.k->sum);
      fc_box3d_rate(b.s, b.k, b.k->u, b.k->sum);
      CHECK_NEAR(apart(a.s, a.k->sum, b.k->sum), 0, 1e-13);
      CHECK_NEAR(a.k->speed / b.k->speed, 1, 1e-14);
      CHECK_NEAR(a.k->enstrophy / b.k->enstrophy, 1, 1e-13);
      end(a), end(b);
    }
}

/* Random phases pass no energy on, and a dynamic model that sees none finds nothing: some steps first. */
static void mature(flow a, flow b) {
  for (int i = 0; i < 25; i++) fc_box3d_step(b.s, b.k, 0.02);
  for (int c = 0; c < 3; c++) memcpy(a.k->u[c], b.k->u[c], (size_t)fc_box3d_size(b.s) * sizeof(double));
}

/* <u.div(2 nu_t S)> = -<2 nu_t S:S> exactly, whatever nu_t is: what the models report is what they take */
static void work_of_the_stress(void) {
  for (int d = FC_BOX3D_SQUARE; d <= FC_BOX3D_THREE_HALVES; d++)
    for (int m = 0; m < FC_COUNT(all_models); m++) {
      flow a = begin(16, d, all_models[m], 0), b = begin(16, d, FC_SGS_NONE, 0);
      mature(a, b);
      fc_box3d_rate(a.s, a.k, a.k->u, a.k->sum);
      fc_box3d_rate(b.s, b.k, b.k->u, b.k->sum);
      const double          work = product(a.s, a.k->u, a.k->sum) - product(b.s, b.k->u, b.k->sum);
      const fc_box3d_eddies e    = fc_box3d_sgs_measure(a.s, a.k);
      CHECK(e.dissipation > 0.01);
      CHECK_NEAR(work / e.dissipation, -1, 1e-12);
      CHECK(e.mean > 0 && e.most > e.mean);
      end(a), end(b);
    }
}

/* ---- the force of Smagorinsky's and the WALE model, by sums written out ---- */

enum { SMALL = 8, POINTS = SMALL * SMALL * SMALL };

/* exp(i k x) of mode (i, j, l) of the state at point p */
static void wave(const fc_box3d *s, int64_t i, int64_t j, int64_t l, int64_t p, double out[2]) {
  const double unit = s->c.length / SMALL;
  const double a = unit * (s->k[i] * (double)(p / (SMALL * SMALL)) + s->k[j] * (double)(p / SMALL % SMALL) +
                           s->kz[l] * (double)(p % SMALL));

  out[0] = cos(a);
  out[1] = sin(a);
}

static void gradients(const flow *f, double g[9][POINTS]) {
  const fc_box3d *s = f->s;
  double          e[2];

  memset(g, 0, 9 * sizeof *g);
  for (int64_t j = 0; j < s->grid->my; j++)
    for (int64_t i = 0; i < s->grid->my; i++)
      for (int64_t l = 0; l < s->grid->mz; l++)
        for (int64_t p = 0; p < POINTS; p++) {
          const double k[3] = {s->k[i], s->k[j], s->kz[l]}, twice = l ? 2 : 1;
          wave(s, i, j, l, p, e);
          for (int a = 0; a < 9; a++) {
            const double *z = fc_box3d_row(s, f->k->u[a / 3], j, i) + 2 * l;
            g[a][p] -= twice * k[a % 3] * (z[0] * e[1] + z[1] * e[0]);
          }
        }
}

/* P div(2 nu_t S) */
static void force(const flow *f, double g[9][POINTS], const double *nu_t, double *const *out) {
  const fc_box3d *s = f->s;
  double          e[2];

  for (int64_t j = 0; j < s->grid->my; j++)
    for (int64_t i = 0; i < s->grid->my; i++)
      for (int64_t l = 0; l < s->grid->mz; l++) {
        const double k[3] = {s->k[i], s->k[j], s->kz[l]};
        double      *row[3];
        for (int a = 0; a < 3; a++) row[a] = fc_box3d_row(s, out[a], j, i) + 2 * l, row[a][0] = row[a][1] = 0;
        for (int64_t p = 0; p < POINTS; p++) {
          wave(s, i, j, l, p, e);
          for (int a = 0; a < 9; a++) {
            const double T = nu_t[p] * (g[a][p] + g[a % 3 * 3 + a / 3][p]) / POINTS;
            row[a / 3][0] += k[a % 3] * T * e[1];
            row[a / 3][1] += k[a % 3] * T * e[0];
          }
        }
      }
  for (int64_t j = 0; j < s->grid->my; j++)
    for (int64_t i = 0; i < s->grid->my; i++) {
      double *row[3];
      for (int a = 0; a < 3; a++) row[a] = fc_box3d_row(s, out[a], j, i);
      fc_box3d_project(s, j, i, row, 1);
    }
}

/* with the 2/3 rule modes up to 2 are kept: 6 points resolve the flow, so D = length/6 */
static void force_by_sums(void) {
  static const int models[] = {FC_SGS_SMAGORINSKY, FC_SGS_WALE};
  static double    g[9][POINTS], nu_t[POINTS];

  for (int m = 0; m < 2; m++) {
    flow          a = begin(SMALL, FC_BOX3D_SQUARE, models[m], 0.4), b = begin(SMALL, FC_BOX3D_SQUARE, 0, 0);
    const double  width[3] = {0.5, 0.5, 0.5};
    const double *at[9];
    gradients(&a, g);
    for (int c = 0; c < 9; c++) at[c] = g[c];
    fc_sgs_viscosity(models[m], 0.4, POINTS, at, width, 1, nu_t);
    fc_box3d_rate(a.s, a.k, a.k->u, a.k->sum);
    fc_box3d_rate(b.s, b.k, b.k->u, b.k->sum);
    for (int c = 0; c < 3; c++)
      for (int64_t i = 0; i < fc_box3d_size(a.s); i++) a.k->sum[c][i] -= b.k->sum[c][i];
    force(&a, g, nu_t, b.k->sum);
    for (int c = 0; c < 3; c++) b.k->sum[c][0] = 0; /* a force of mean zero */
    CHECK_NEAR(apart(a.s, a.k->sum, b.k->sum), 0, 1e-12);
    end(a), end(b);
  }
}

/* ---- steps ---- */

/* The energy that is left, lost and drained is that of the start, to the fourth order of the scheme. */
static double residual(int sgs, int steps) {
  flow         f     = begin(16, FC_BOX3D_SQUARE, sgs, 0);
  const double start = fc_box3d_measure(f.s, f.k).energy;

  for (int i = 0; i < steps; i++) fc_box3d_step(f.s, f.k, 0.4 / steps);
  const fc_box3d_budget q = fc_box3d_measure(f.s, f.k);
  CHECK(q.lost > 0.05);
  end(f);
  return fabs(q.energy + q.lost - start);
}

static void budget_closes(void) {
  const double a = residual(FC_SGS_SMAGORINSKY, 40), b = residual(FC_SGS_SMAGORINSKY, 80);

  if (getenv("FC_SHOW")) printf("  residual of the energy budget %.2e, %.2e with half the step\n", a, b);
  CHECK(a < 1e-6);
  CHECK_NEAR(log2(a / b), 4, 0.6);
}

/* nu_t asks for shorter steps where cfl decides: the speed is that of diffusion, limit nu_t */
static void steep_viscosity_is_a_speed(void) {
  flow a = begin(16, FC_BOX3D_SQUARE, FC_SGS_SMAGORINSKY, 5);

  a.s->c.cfl = 0.5;
  fc_box3d_sgs_destroy(a.k->sgs);
  CHECK_OK(fc_box3d_sgs_create(a.s, &a.k->sgs));
  fc_box3d_rate(a.s, a.k, a.k->u, a.k->sum);
  const double h = a.s->c.cfl * a.s->dx / a.k->speed, k2 = 3 * pow(2 * M_PI / 3 * 5, 2);
  CHECK_NEAR(h * k2 * fc_box3d_sgs_measure(a.s, a.k).most, 2, 1e-12);
  end(a);
}

static void same_bits(void) {
  double one[FC_COUNT(all_models)];

  for (int t = 1; t <= 3; t++)
    for (int m = 0; m < FC_COUNT(all_models); m++) {
      fc_threads_set(t);
      flow f = begin(16, FC_BOX3D_SQUARE, all_models[m], 0);
      for (int i = 0; i < 2; i++) fc_box3d_step(f.s, f.k, 0.02);
      const double e = fc_box3d_measure(f.s, f.k).energy + fc_box3d_sgs_measure(f.s, f.k).dissipation;
      if (t == 1) one[m] = e;
      CHECK(e == one[m]);
      end(f);
    }
  fc_threads_set(1);
}

CHECK_SUITE(box3d_sgs, nothing_is_the_flow_itself, work_of_the_stress, force_by_sums, budget_closes,
            steep_viscosity_is_a_speed, same_bits)
