/* tests/hpc/ranks_profiles.c - run on 1 to 4 ranks: planes that ranks have in shares give the statistics of
 * all. */
#include "solvers/profiles.h"
#include "tests/check.h"

enum { NX = 6, NY = 9, NZ = 4, SAMPLES = 5 };

static double y[NY];

static fc_profiles *gather(bool shared) {
  const fc_profiles_spec spec = {.nx        = NX,
                                 .ny        = NY,
                                 .nz        = NZ,
                                 .lx        = 1,
                                 .lz        = 1,
                                 .y         = y,
                                 .wall      = {-1, 1},
                                 .n_spectra = 2,
                                 .spectra   = {0.3, 1},
                                 .shared    = shared};
  const fc_rng           r    = {7, 0, FC_RNG_TEST};
  double                 u[3][NX * NZ];
  fc_profiles           *p;
  int64_t                lo = 0, hi = NY;

  for (int j = 0; j < NY; j++) y[j] = -cos(M_PI * j / (NY - 1));
  if (shared) fc_comm_block(NULL, NY, &lo, &hi);
  CHECK_OK(fc_profiles_create(&spec, &p));
  for (uint64_t t = 0; t < SAMPLES; t++) {
    for (int64_t j = lo; j < hi; j++) {
      for (int i = 0; i < 3 * NX * NZ; i++)
        u[i / (NX * NZ)][i % (NX * NZ)] =
            1 + fc_rng_normal(&r, ((t * NY + (uint64_t)j) * 3 * NX * NZ) + (uint64_t)i);
      fc_profiles_plane(p, j, u[0], u[1], u[2], NULL, NULL, NULL);
    }
    CHECK_OK(fc_profiles_sample(p));
  }
  return p;
}

/* the planes of other ranks add zeros */
static void shared_planes(void) {
  fc_profiles *all = gather(false), *shares = gather(true);
  const size_t n = (size_t)fc_profiles_state(all);
  double      *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
  double       most = 0;

  fc_profiles_keep(all, a);
  fc_profiles_keep(shares, b);
  for (size_t i = 0; i < n; i++) most = fmax(most, fabs(a[i] - b[i]));
  /* spectra of a plane and its mirror image are halves from two ranks: summed in another order */
  CHECK(most < 1e-14);
  free(a), free(b);
  fc_profiles_destroy(all);
  fc_profiles_destroy(shares);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {shared_planes};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("profiles", FC_COUNT(cases), cases, "shared_planes");
  fc_comm_stop(failed);
  return failed;
}
