/* tests/solvers/ranks_sgs.c - run on 1 to 4 ranks: the models that look beyond a plane give what the formulas
   give for the whole field (tests/solvers/sgs_plain.h), whoever holds it. */
#include "tests/solvers/sgs_plain.h"

static void share(const plain_flow *f, const double *u[3], const double *g[9]) {
  int64_t lo, hi;

  fc_comm_block(NULL, f->n[0], &lo, &hi);
  for (int k = 0; k < 3; k++) u[k] = f->u[k] + lo * f->n[1] * f->n[2];
  for (int k = 0; k < 9; k++) g[k] = f->g[k] + lo * f->n[1] * f->n[2];
}

static void box(void) {
  plain_flow    f = plain_flow_make(10, 12, 8, 5);
  const double *u[3], *g[9];

  share(&f, u, g);
  for (int kind = FC_SGS_CUTOFF; kind <= FC_SGS_TRAPEZOID; kind++) {
    fc_sgs_box *d;
    double      c;
    CHECK_OK(fc_sgs_box_create(true, kind, f.n, f.n, false, &d));
    CHECK_OK(fc_sgs_box_find(d, u, g, &c));
    CHECK_NEAR(c / plain_dynamic(&f, 0, kind, 4, 0), 1, 1e-12);
    fc_sgs_box_destroy(d);
  }
  plain_flow_drop(f);
}

static void clipped(void) {
  static const double y[] = {0, 0.05, 0.2, 0.5, 0.9, 1.2, 1.35, 1.4}, spacing[3] = {0.4, 0.3, 0.2};
  plain_flow          f = plain_flow_make(8, 6, 10, 90);
  const double       *u[3], *g[9];

  share(&f, u, g);
  for (int walls = 0; walls < 2; walls++) {
    fc_sgs_clipped *s;
    double         *c = fc_fft2_alloc(8 * 6), *whole = plain_clipped(&f, walls ? y : NULL, spacing, 0.01);
    CHECK_OK(fc_sgs_clipped_create(true, f.n, f.n, walls ? y : NULL, spacing, 0.01, &s));
    CHECK_OK(fc_sgs_clipped_find(s, u, g, c));
    for (int64_t p = 0; p < f.points; p++) CHECK_NEAR(c[p / 10], whole[p], 1e-16);
    fc_sgs_clipped_destroy(s);
    free(c), free(whole);
  }
  plain_flow_drop(f);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {box, clipped};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("sgs", FC_COUNT(cases), cases, "box, clipped");
  fc_comm_stop(failed);
  return failed;
}
