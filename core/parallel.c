/* core/parallel.c - the one thread pool, and OpenBLAS on its best kernels. */
#include "core/parallel.h"

#include <cblas.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* in OpenBLAS built for several processors; weak, so that any other CBLAS links too */
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/* OpenBLAS knows processors by model number and takes its oldest kernels for one newer than itself:
   measured on Emerald Rapids with 0.3.21: "Prescott" 21 GF/s, "SkylakeX" 130 GF/s. Ask the processor instead.
 */
static const char *best_kernels(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return NULL;
}

static void choose_kernels(void) {
  static const char *const old[] = {"Prescott", "Core2", "Nehalem", "Sandybridge", "Unknown", NULL};
  const char              *best = best_kernels(), *now = openblas_get_corename();

  if (getenv("OPENBLAS_CORETYPE") || !best || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
  for (int i = 0; old[i]; i++) {
    if (strcmp(now, old[i])) continue;
    setenv("OPENBLAS_CORETYPE", best, 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
    return;
  }
}

void fc_parallel_start(void) {
  static bool started;

  if (started) return;
  started = true;
  choose_kernels();
  openblas_set_num_threads(1);
  omp_set_dynamic(0);
  if (!fc_blas_reentrant()) omp_set_num_threads(1);
}

/* OpenBLAS without any threading (Debian's "serial" flavour) has no locks: two threads corrupt each other */
bool fc_blas_reentrant(void) { return openblas_get_parallel() != 0; }

const char *fc_blas_kernels(void) { return openblas_get_corename(); }
int         fc_threads(void) { return omp_get_max_threads(); }
int         fc_thread(void) { return omp_get_thread_num(); }

void fc_threads_set(int n) {
  fc_parallel_start();
  omp_set_num_threads(n < 1 || !fc_blas_reentrant() ? 1 : n);
}
