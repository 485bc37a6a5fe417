/* hpc/threads.h - how many threads each rank gets. */
#ifndef FC_HPC_THREADS_H
#define FC_HPC_THREADS_H
#include "core/base.h"

/* Sets the size of the team: this rank's share of the cores that its affinity mask names, where every core is
   shared by all ranks of this machine that may run on it, but no more than SLURM gives it. OMP_NUM_THREADS,
   OMP_PLACES and OMP_PROC_BIND overrule. Rank 0 warns if there are more threads than cores, unless verbosity
   is 0, and tells what was chosen if it is 2. Collective; the number of threads changes no result. */
fc_status fc_threads_choose(int verbosity);
#endif
