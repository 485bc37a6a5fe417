/* core/domain.h - the ranks that share the points or the grid of a batch, as operations see them.

   Points and grids are cut in blocks, weights are the same everywhere. The rule: a loss is the sum of the
   ranks' own losses; whatever all ranks compute alike (tokens of slices, kernels of an axis) takes part in
   each rank's loss; the gradients of the parameters are summed over the ranks once a step. So the adjoint of
   a sum over ranks is a sum over ranks. All ranks call the same operations in the same order.

   An operation that meets a broken connection cannot return a status: the first failure is kept in the
   context (fc_domain_status) and everything after it computes nonsense until the owner of the step asks. */
#ifndef FC_DOMAIN_H
#define FC_DOMAIN_H
#include "core/tape.h"

typedef struct fc_domain { /* made by hpc/domain.h; exchange: n numbers to and from each rank, in its order */
  int                   rank, size;
  const struct fc_comm *comm;
  fc_status (*sum)(const struct fc_comm *, fc_real *x, int64_t n); /* in place, the same bits on all ranks */
  fc_status (*sum_double)(const struct fc_comm *, double *x, int64_t n);
  fc_status (*max)(const struct fc_comm *, fc_real *x, int64_t n);
  fc_status (*exchange)(const struct fc_comm *, const fc_real *send, const int64_t *n_send, fc_real *recv,
                        const int64_t *n_recv);
} fc_domain;

typedef struct fc_share { /* who shares grids, and how their first axis is cut */
  const fc_domain *domain;
  fc_cut           cut;
} fc_share;
void fc_ctx_share(fc_ctx *c, const fc_share *s); /* NULL: nobody shares */

enum { FC_DOMAIN_MAX = 4096 }; /* ranks */

bool fc_domain_shared(const fc_ctx *c); /* more than one rank */
int  fc_domain_rank(const fc_ctx *c);   /* 0 in serial */
int  fc_domain_size(const fc_ctx *c);   /* 1 in serial */

/* First entry of a rank's block; of rank = size: n. The rank's own block is fc_cut_at(s, rank, size) ..
   fc_cut_at(s, rank + 1, size) - 1. */
int64_t fc_cut_at(fc_cut s, int rank, int size);
int64_t fc_cut_lo(const fc_ctx *c, fc_cut s); /* of this rank */
int64_t fc_cut_len(const fc_ctx *c, fc_cut s);
fc_cut  fc_cut_batch(const fc_ctx *c, int64_t n);         /* c->cut; in serial the whole axis of n entries */
fc_cut  fc_cut_coarser(fc_cut s, int64_t by);             /* the same borders on a grid of n / by entries */
bool    fc_cut_same(const fc_ctx *c, fc_cut a, fc_cut b); /* borders between the ranks */
/* FC_E_USAGE if some rank would get nothing; what is named in the message ("first axis") */
fc_status fc_cut_check(fc_cut s, int size, const char *what);

/* For kernels of operations. In serial they do nothing, in dry contexts they count. */
void fc_domain_sum(fc_ctx *c, fc_real *x, int64_t n);
void fc_domain_sum_double(fc_ctx *c, double *x, int64_t n);
void fc_domain_max(fc_ctx *c, fc_real *x, int64_t n);
void fc_domain_exchange(fc_ctx *c, const fc_real *send, const int64_t *n_send, fc_real *recv,
                        const int64_t *n_recv);
/* for norms over a shared field: mean and sum of squares around it of each row's n numbers here become those
   of all ranks' numbers, in one message; returns how many these are */
double    fc_domain_moments(fc_ctx *c, int64_t rows, double n, double *mean, double *square);
fc_status fc_domain_status(fc_ctx *c); /* of all since the last question, with its message */

/* ---- operations; in serial each returns x itself ---- */

fc_tensor *fc_allsum(fc_ctx *c, fc_tensor *x); /* sum over the ranks */
fc_tensor *fc_allmax(fc_ctx *c, fc_tensor *x); /* largest over the ranks; lets no gradient through */

/* x [.., n_local, ..] -> [.., n, ..] on all ranks; and back: x [.., n, ..] of each rank, summed, its block of
   which stays. They are each other's adjoints. */
fc_tensor *fc_allgather(fc_ctx *c, fc_tensor *x, int axis, fc_cut s);
fc_tensor *fc_reduce_scatter(fc_ctx *c, fc_tensor *x, int axis, fc_cut s);

/* rows lo - before .. hi + after - 1 of the axis, from whichever ranks own them: halos (both positive), a
   roll by k (before = k, after = -k). wrap: periodic; else rows beyond the ends are zeros. */
typedef struct fc_halo {
  int64_t before, after;
  bool    wrap;
} fc_halo;
fc_tensor *fc_halo_rows(fc_ctx *c, fc_tensor *x, int axis, fc_cut s, fc_halo h);
/* rows want[r].lo .. want[r].hi - 1 of the axis for rank r; the list of all ranks lives as long as the tape
 */
typedef struct fc_range {
  int64_t lo, hi;
} fc_range;
fc_tensor *fc_fetch_rows(fc_ctx *c, fc_tensor *x, int axis, fc_cut s, const fc_range *want, bool wrap);
/* other borders; an axis that is to be longer ends in zeros, one that is to be shorter loses its end */
fc_tensor *fc_recut(fc_ctx *c, fc_tensor *x, int axis, fc_cut from, fc_cut to);

/* shared along axis `from`, whole along `to` -> whole along `from`, shared along `to` */
typedef struct fc_cut_axis {
  int    axis;
  fc_cut cut;
} fc_cut_axis;
fc_tensor *fc_transpose_shards(fc_ctx *c, fc_tensor *x, fc_cut_axis from, fc_cut_axis to);
#endif
