/* core/parallel.c - the one thread pool. */
#include "core/parallel.h"

#include <cblas.h>
#include <omp.h>

int fc_threads(void) { return omp_get_max_threads(); }

void fc_threads_set(int n) {
  omp_set_num_threads(n < 1 ? 1 : n);
  omp_set_dynamic(0);
  openblas_set_num_threads(1);
}
