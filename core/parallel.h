/* core/parallel.h - the only place that mentions OpenMP. A loop over rows is split
   when that is worth it; each row is done by one thread and reductions use chunks
   that depend on the shape alone, so results do not depend on the number of threads. */
#ifndef FC_PARALLEL_H
#define FC_PARALLEL_H
#include "core/base.h"

#define FC_PRAGMA(x)    _Pragma(#x)
#define FC_PARALLEL_MIN 32768 /* elements below which a thread team costs more than it gives */

#define FC_FOR_ROWS(i, rows, width)                                                                          \
  FC_PRAGMA(omp parallel for schedule(static) if ((rows) * (width) >= FC_PARALLEL_MIN))                      \
  for (int64_t i = 0; i < (rows); i++)

/* tasks of unequal or large cost, always worth a thread; work is the total number of elementary operations */
#define FC_FOR_TASKS(i, tasks, work)                                                                         \
  FC_PRAGMA(omp parallel for schedule(dynamic, 1) if ((tasks) > 1 && (work) >= 4 * FC_PARALLEL_MIN))         \
  for (int64_t i = 0; i < (tasks); i++)

/* one thread at a time in the statement that follows */
#define FC_CRITICAL(name) FC_PRAGMA(omp critical(name))

/* lets a sum or maximum use vector lanes without -ffast-math */
#define FC_REDUCE(op, var) FC_PRAGMA(omp simd reduction(op : var))
#define FC_VECTOR          FC_PRAGMA(omp simd)

/* One source, several instruction sets, chosen by the loader (GCC on x86-64). Sanitizers
   instrument the resolver before they are ready, so those builds take the plain code. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(FC_NO_CLONES)
#define FC_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FC_SIMD
#endif

/* Once per process, by fc_ctx_create or whoever starts first: OpenBLAS on one thread and on the kernels
   that suit the processor. */
void        fc_parallel_start(void);
bool        fc_blas_reentrant(void); /* false: a flavour without locks; the team is kept at one thread */
const char *fc_blas_kernels(void);
int         fc_threads(void); /* size of the team */
int         fc_thread(void);  /* this thread's number in it, 0 outside parallel loops */
void        fc_threads_set(int n);
#endif
