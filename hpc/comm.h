/* hpc/comm.h - a group of ranks. Only hpc/comm.c includes <mpi.h>. Without a launcher
   MPI is never started and every call is a no-op with the same meaning. NULL stands for
   the world. All functions but rank, size and block are collective; any thread may call them, one at a time.
 */
#ifndef FC_COMM_H
#define FC_COMM_H
#include "core/base.h"

typedef struct fc_comm fc_comm;

/* Starts MPI if a launcher (mpirun, srun --mpi=pmix) started this program. */
fc_status fc_comm_start(int *argc, char ***argv);
/* The way out, for all ranks whatever they have come to: they meet and agree who should print his error (one
   that knows the cause before those that only heard of it), returned, and on the exit code, *code, which is
   that of a rank that failed. A rank that failed waits some seconds for the others, which may be stuck where
   it should be too. */
bool fc_comm_meet(fc_status s, int *code);
/* In order if all have met, for which it waits if there was no fc_comm_meet; else ends all ranks with this
   exit code. */
void fc_comm_stop(int code);

/* Ranks of equal colour, in the order of the world. Lives until fc_comm_free (also collective). */
fc_status fc_comm_split(const fc_comm *c, int colour, fc_comm **out);
void      fc_comm_free(fc_comm *c);

int  fc_comm_rank(const fc_comm *c);
int  fc_comm_size(const fc_comm *c);
void fc_comm_block(const fc_comm *c, int64_t n, int64_t *lo, int64_t *hi); /* this rank's share of 0..n-1 */

fc_status fc_comm_sum(const fc_comm *c, fc_real *x, int64_t n); /* in place, the same bits on all ranks */
fc_status fc_comm_sum_double(const fc_comm *c, double *x, int64_t n);
fc_status fc_comm_max(const fc_comm *c, fc_real *x, int64_t n);
fc_status fc_comm_max_double(const fc_comm *c, double *x, int64_t n);
/* n_send[r] numbers to each rank r, one after the other in send; n_recv[r] from each, likewise in recv */
fc_status fc_comm_exchange(const fc_comm *c, const fc_real *send, const int64_t *n_send, fc_real *recv,
                           const int64_t *n_recv);
fc_status fc_comm_exchange_double(const fc_comm *c, const double *send, const int64_t *n_send, double *recv,
                                  const int64_t *n_recv);
/* Every rank's part of x goes to all others, in place: rank r gives numbers border[r] .. border[r + 1] - 1;
   border [ranks + 1] ascends. */
fc_status fc_comm_gather(const fc_comm *c, fc_real *x, const int64_t *border);
/* Sums that go on while the ranks compute: start takes slot 0, 1, .. in the same order on all ranks of a
   group that does nothing else meanwhile; poll lets them proceed; finish waits for those of slots 0 .. n-1.
 */
fc_status fc_comm_sum_start(const fc_comm *c, fc_real *x, int64_t n, int slot);
bool      fc_comm_sum_poll(const fc_comm *c, int n); /* are all finished */
fc_status fc_comm_sum_finish(const fc_comm *c, int n);
enum { FC_COMM_SLOTS = 64 };

double    fc_comm_seconds(void); /* spent in collectives since the start, waiting for others included */
fc_status fc_comm_broadcast(const fc_comm *c, void *x, int64_t bytes, int root);
/* Worst status of any rank. A rank that has failed waits five seconds for the others, then goes its way
   alone: they may wait for it elsewhere. */
fc_status fc_comm_agree(const fc_comm *c, fc_status mine);
bool      fc_comm_any(const fc_comm *c, bool mine);
bool      fc_comm_alone(void); /* this rank has failed and the others did not come: it goes its way alone */
/* sums over the ranks of this machine alone, of the world; *ranks: how many these are */
fc_status fc_comm_sum_on_node(double *x, int n, int *ranks);
#endif
