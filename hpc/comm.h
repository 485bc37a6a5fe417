/* hpc/comm.h - a group of ranks. Only hpc/comm.c includes <mpi.h>. Without a launcher
   MPI is never started and every call is a no-op with the same meaning. NULL stands for
   the world. All functions but rank, size and block are collective. */
#ifndef FC_COMM_H
#define FC_COMM_H
#include "core/base.h"

typedef struct fc_comm fc_comm;

/* Starts MPI if a launcher (mpirun, srun --mpi=pmix) started this program. */
fc_status fc_comm_start(int *argc, char ***argv);
/* To be called before a failed rank prints its error: waits a moment on all ranks but the one that should
   speak, so that one line appears instead of one per rank. Returns at once without a launcher. */
void fc_comm_before_report(fc_status s);
void fc_comm_stop(int code); /* 0: orderly; else, with several ranks, ends all of them with this exit code */

/* Ranks of equal colour, in the order of the world. Lives until fc_comm_free (also collective). */
fc_status fc_comm_split(const fc_comm *c, int colour, fc_comm **out);
void      fc_comm_free(fc_comm *c);

int  fc_comm_rank(const fc_comm *c);
int  fc_comm_size(const fc_comm *c);
void fc_comm_block(const fc_comm *c, int64_t n, int64_t *lo, int64_t *hi); /* this rank's share of 0..n-1 */

fc_status fc_comm_sum(const fc_comm *c, fc_real *x, int64_t n); /* in place, the same bits on all ranks */
fc_status fc_comm_sum_double(const fc_comm *c, double *x, int64_t n);
fc_status fc_comm_max(const fc_comm *c, fc_real *x, int64_t n);
/* n_send[r] numbers to each rank r, one after the other in send; n_recv[r] from each, likewise in recv */
fc_status fc_comm_exchange(const fc_comm *c, const fc_real *send, const int64_t *n_send, fc_real *recv,
                           const int64_t *n_recv);
/* Sums that go on while the ranks compute: start takes slot 0, 1, .. in the same order on all ranks of a
   group that does nothing else meanwhile; poll lets them proceed; finish waits for those of slots 0 .. n-1.
 */
fc_status fc_comm_sum_start(const fc_comm *c, fc_real *x, int64_t n, int slot);
void      fc_comm_sum_poll(const fc_comm *c, int n);
fc_status fc_comm_sum_finish(const fc_comm *c, int n);
enum { FC_COMM_SLOTS = 64 };

double    fc_comm_seconds(void); /* spent in collectives since the start, waiting for others included */
fc_status fc_comm_broadcast(const fc_comm *c, void *x, int64_t bytes, int root);
fc_status fc_comm_agree(const fc_comm *c, fc_status mine); /* worst status of any rank */
bool      fc_comm_any(const fc_comm *c, bool mine);
/* sums over the ranks of this machine alone, of the world; *ranks: how many these are */
fc_status fc_comm_sum_on_node(double *x, int n, int *ranks);
#endif
