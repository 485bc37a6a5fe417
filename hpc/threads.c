/* hpc/threads.c */
#include "hpc/threads.h"

#include "core/parallel.h"
#include "hpc/comm.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  double ranks[CPU_SETSIZE]; /* of this machine that may run on each core */
  int    local;              /* ranks of this machine */
  double share;              /* cores for this rank: 0.5 of one that two ranks share */
  int    cores;              /* that any of the ranks may use */
} machine;

static fc_status look(machine *m, bool *known) {
  cpu_set_t mine;
  int       may[CPU_SETSIZE];

  *known = !sched_getaffinity(0, sizeof mine, &mine);
  for (int i = 0; i < CPU_SETSIZE; i++) m->ranks[i] = may[i] = *known && CPU_ISSET(i, &mine);
  FC_TRY(fc_comm_sum_on_node(m->ranks, CPU_SETSIZE, &m->local));
  m->share = m->cores = 0;
  for (int i = 0; i < CPU_SETSIZE; i++) {
    if (may[i]) m->share += 1 / m->ranks[i];
    m->cores += m->ranks[i] > 0;
  }
  return FC_OK;
}

/* What SLURM gives, whether or not it binds. A process that no launcher started has all of the node's part.
 */
static double granted(const machine *m) {
  const char *task = getenv("SLURM_CPUS_PER_TASK"), *node = getenv("SLURM_CPUS_ON_NODE");

  if (!getenv("SLURM_JOB_ID")) return INFINITY;
  if (task && atoi(task) > 0 && getenv("SLURM_STEP_ID")) return atoi(task);
  return node && atoi(node) > 0 ? (double)atoi(node) / m->local : INFINITY;
}

static bool chosen_by_user(void) {
  return getenv("OMP_NUM_THREADS") || getenv("OMP_PLACES") || getenv("OMP_PROC_BIND");
}

static void warn(const machine *m, int threads) {
  if (m->local > m->cores)
    fprintf(
        stderr,
        "fieldcast: %d ranks share %d core%s and wait for each other; start at most %d on this machine, or "
        "give them more cores (mpirun --bind-to none, srun --cpus-per-task)\n",
        m->local, m->cores, m->cores == 1 ? "" : "s", m->cores);
  else
    fprintf(stderr,
            "fieldcast: %d rank%s with up to %d threads on %d core%s get in each other's way; set "
            "OMP_NUM_THREADS=%d\n",
            m->local, m->local == 1 ? "" : "s", threads, m->cores, m->cores == 1 ? "" : "s",
            m->cores / m->local);
}

fc_status fc_threads_choose(int verbosity) {
  machine m;
  int     ranks;
  bool    known;

  FC_TRY(look(&m, &known));
  if (known && !chosen_by_user())
    fc_threads_set((int)fc_max64(1, (int64_t)(fmin(m.share, granted(&m)) + 1e-6)));
  double total = fc_threads();
  FC_TRY(fc_comm_sum_on_node(&total, 1, &ranks));
  if (!known || fc_comm_rank(NULL)) return FC_OK;
  if (verbosity > 0 && total > m.cores) warn(&m, fc_threads());
  if (verbosity > 1)
    fprintf(stderr, "fieldcast: %d rank%s on this machine, %d core%s, threads of the first: %d\n", m.local,
            m.local == 1 ? "" : "s", m.cores, m.cores == 1 ? "" : "s", fc_threads());
  return FC_OK;
}
