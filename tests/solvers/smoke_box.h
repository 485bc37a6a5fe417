/* tests/solvers/smoke_box.h - a box of smoke for tests: made from a preset, stirred, looked at. */
#ifndef FC_SMOKE_BOX_H
#define FC_SMOKE_BOX_H
#include "solvers/smoke.h"
#include "tests/check.h"

typedef struct {
  fc_smoke      *s;
  fc_smoke_work *w;
} box;

static inline void show(const char *what, double value) {
  if (getenv("FC_SHOW")) printf("%-70s %.3g\n", what, value);
}

#define SET(...)                                                                                             \
  (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]) { __VA_ARGS__ }

static inline box made(const char *preset, int n, const char *const *set) {
  const fc_solver_def *def;
  void                *config = NULL;
  box                  b      = {0};

  CHECK_OK(fc_solver_configure(preset, n, set, &def, &config));
  const fc_smoke_config c = fc_smoke_resolve(config);
  CHECK_OK(fc_smoke_create(&c, &b.s));
  CHECK_OK(fc_smoke_work_create(b.s, &b.w));
  fc_smoke_start(b.w, 0);
  free(config);
  return b;
}

static inline void drop(box b) {
  fc_smoke_work_destroy(b.w);
  fc_smoke_destroy(b.s);
}

/* random numbers on all inner faces, zero on walls */
static inline void stir(box b, uint64_t seed) {
  const fc_rng r = {seed, 0, FC_RNG_TEST};

  for (int a = b.s->first; a < 3; a++) {
    for (int64_t row = 0; row < b.s->rows; row++)
      for (int64_t k = 0; k < fc_smoke_inside(b.s, a, row); k++) {
        const int64_t at = fc_smoke_row(b.s, row) + k;
        b.w->now[a][at]  = fc_rng_normal(&r, (uint64_t)(at * 3 + a));
      }
    fc_smoke_borders(b.s, a, b.w->now[a]);
  }
}

static inline double fastest(box b) {
  double v = 0;

  for (int a = b.s->first; a < 3; a++)
    for (int64_t i = 0; i < b.s->size; i++) v = fmax(v, fabs(b.w->now[a][i]));
  return v;
}
#endif
