/* hpc/threads.h - how many threads each rank gets. */
#ifndef FC_HPC_THREADS_H
#define FC_HPC_THREADS_H
#include "core/base.h"

/* Sets the size of the team: this rank's share of the cores that its affinity mask names, where every core is
   shared by all ranks of this machine that may run on it, but no more than SLURM_CPUS_PER_TASK.
   OMP_NUM_THREADS, OMP_PLACES and OMP_PROC_BIND overrule. Warns on rank 0, unless quiet, if there are more
   threads than cores. Collective; the number of threads changes no result. */
fc_status fc_threads_choose(bool quiet);
#endif
