/* solvers/turn.h - arrays in double precision that ranks share along one axis, turned so that they share them
   along another: the transposition of a distributed Fourier transform. */
#ifndef FC_TURN_H
#define FC_TURN_H
#include "hpc/comm.h"

/* a[n0 of this rank, n1, len] <-> b[n1 of this rank, n0, len]; rank r of R has entries n r / R .. n (r + 1) /
   R - 1 of a shared axis (fc_comm_block). */
typedef struct fc_turn {
  const fc_comm *comm;
  int64_t        n0, n1, len; /* len doubles stay together */
  int            most;        /* arrays in one message */
  double        *send, *recv;
  int64_t       *count; /* of numbers to and from each rank */
} fc_turn;

/* Buffers for up to `most` arrays at a time. comm NULL: all ranks. A rank may get nothing. FC_E_SYSTEM: no
   memory. */
fc_status fc_turn_create(const fc_comm *comm, int64_t n0, int64_t n1, int64_t len, int most, fc_turn **out);
void      fc_turn_destroy(fc_turn *t); /* NULL is fine */

/* k arrays in one message to each rank. Collective, without allocation. FC_E_COMM: a rank has died. */
fc_status fc_turn_there(fc_turn *t, int k, double *const *a, double *const *b);
fc_status fc_turn_back(fc_turn *t, int k, double *const *b, double *const *a);
#endif
