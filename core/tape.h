/* core/tape.h - reverse mode. Ops compute at once; if the context records and an
   input needs a gradient they also leave a node, and fc_backward() walks the nodes
   from last to first.

   Memory during backward: when a node has run, its output's gradient is dead, and so is all that was pushed
   between the node before it and itself: the output's values, what the operation saved, what a model made in
   between (all readers lie later on the tape). These stretches are merged and serve as gradients of earlier
   tensors, so the peak of a step is close to what the forward left. After fc_backward only what was pushed
   before the first operation, parameters, kept tensors (fc_keep) and the loss still hold values. */
#ifndef FC_TAPE_H
#define FC_TAPE_H
#include "core/recycle.h"
#include "core/tensor.h"

struct fc_domain;
struct fc_fft_cache;
typedef struct fc_node fc_node;

/* Inner results that users ask for (attention, importances): apply shows them under a name and a number, that
   of the layer; the values are valid during the call. */
typedef struct fc_shown {
  const char        *what; /* NULL: not to be shown */
  int                number;
  const char *const *columns; /* names along the last axis, where the model knows its inputs by name; NULL */
} fc_shown;
typedef struct fc_observer {
  void (*see)(void *user, fc_shown as, const fc_tensor *t);
  void *user;
} fc_observer;

/* An axis of n entries, shared among the ranks of a domain in blocks that begin at multiples of unit */
typedef struct fc_cut {
  int64_t n, unit;
} fc_cut;

typedef struct fc_ctx {     /* everything one step needs; no globals */
  fc_arena *arena;          /* activations, gradients, nodes, scratch */
  fc_node  *tape;           /* newest node */
  bool      grad;           /* record? false in rollout */
  bool      training;       /* dropout, batch statistics */
  bool      dry;            /* plan: shapes, memory and FLOPs, but no arithmetic */
  double    flops;          /* of the dense products run so far: 2 m n k each */
  double    flops_recorded; /* value of flops at the newest node */
  uint64_t  seed, step;
  uint32_t  draws;       /* random ops so far in this step */
  int64_t items, before; /* samples of this batch, and those that other ranks have before them: dropout draws
                            the numbers that one rank would; 0: not known */
  const int64_t
      *firsts; /* [items] of samples of points that ranks share, the number of our first row; NULL: 0 */
  const struct fc_domain *domain;        /* ranks that share points or grid (core/domain.h); NULL: serial */
  fc_cut                  cut;           /* of the first axis of a grid, as the batch has it */
  fc_status               domain_status; /* first failure of a collective */
  double sent, messages; /* bytes and messages that this rank sent to the others of its domain */
  double sent_recorded, messages_recorded; /* their values at the newest node */
  void (*batch_sum)(double *x,
                    int64_t n); /* sums over the ranks that share a batch (batch norm); NULL: alone */
  fc_tensor
      *penalty; /* a number that the model adds to the loss (expert balance); NULL: none. Set by apply */
  fc_observer         *observer; /* who wants to see inner results, NULL: nobody */
  struct fc_fft_cache *fft;      /* FFTW plans by shape, made on first use (core/ops/fft.c) */
  void (*fft_close)(struct fc_fft_cache *);
  fc_recycle *recycle; /* dead stretches of the arena during backward */
  int64_t     nodes;   /* on the tape */
  /* Called when the node of this number has run backward: the gradients of parameters whose first_use is not
     less are final. NULL: nobody asks. Recomputed blocks count as one node. */
  void (*node_done)(void *user, int64_t number);
  void *node_user;
} fc_ctx;

typedef struct fc_op { /* one static const per op, next to its kernels */
  const char *name;
  /* Adds into in[i]->g. Takes its gradient buffers first and scratch after them, pops the scratch. */
  void (*backward)(fc_ctx *c, const fc_node *n);
  bool runs_dry; /* backward plans by itself (block recomputation); else its cost is twice the forward */
} fc_op;

struct fc_node {
  const fc_op *op;
  fc_tensor   *out, **in; /* in[i] may be NULL for an optional input */
  int          n_in;
  void        *saved;
  double       flops;          /* of the forward; backward is planned as twice that */
  double       sent, messages; /* between ranks; adjoints send what was received, as much in all */
  fc_node     *prev;
  char        *end; /* of what was pushed up to this node */
};

#define FC_IN(...)                                                                                           \
  (int)(sizeof((fc_tensor *[]){__VA_ARGS__}) / sizeof(fc_tensor *)), (fc_tensor *[]) { __VA_ARGS__ }

/* reserve_bytes bounds the memory of one step; 0 takes the machine's memory. A dry context never
   touches the buffers it plans and may be given any reserve. */
fc_status fc_ctx_create(size_t reserve_bytes, bool dry, fc_ctx **out);
void      fc_ctx_destroy(fc_ctx *c);

/* Marks out as the result of op; returns out. saved is anything on the arena the backward needs. */
fc_tensor *fc_record(fc_ctx *c, const fc_op *op, fc_tensor *out, void *saved, int n_in, fc_tensor *const *in);
bool       fc_needs_record(const fc_ctx *c, int n_in, fc_tensor *const *in);

/* For backward functions. fc_grad: t->g to add into, zeroed on first use, NULL if t is NULL or needs none.
   fc_grad_raw: the same, but a fresh buffer is not cleared and *fresh says so (overwrite all of it).
   fc_grad_add: adds g, of t's length, into t's gradient.
   fc_grad_give: adds the node's out->g, or hands that buffer over where t has none: call it last. */
fc_real *fc_grad(fc_ctx *c, fc_tensor *t);
fc_real *fc_grad_raw(fc_ctx *c, fc_tensor *t, bool *fresh);
void     fc_grad_add(fc_ctx *c, fc_tensor *t, const fc_real *g);
void     fc_grad_give(fc_ctx *c, const fc_node *n, fc_tensor *t);

/* loss must be one number. Every gradient accumulates; parameter gradients are cleared by their owner. */
void fc_backward(fc_ctx *c, fc_tensor *loss);
/* the same from any tensor y with its gradient v[len y] given: block recomputation, adjoint tests */
void fc_backward_from(fc_ctx *c, fc_tensor *y, const fc_real *v);
void fc_keep(fc_tensor *t); /* its values survive fc_backward, also those it shares with another tensor */

/* tells the observer, if there is one and numbers are computed */
void fc_observe(const fc_ctx *c, fc_shown as, const fc_tensor *t);

/* End of a step: pops the arena to the mark, forgets tape and free lists. */
void fc_step_end(fc_ctx *c, size_t mark);

/* Rollout: drop all pushed since the mark except x, which moves down; a no-op while recording. */
fc_tensor *fc_compact(fc_ctx *c, size_t mark, fc_tensor *x);

/* Block recomputation: runs fn without recording and keeps only its output; backward runs it again.
   in[] are the tensors whose gradients flow through; weights inside are reached as usual. */
typedef fc_tensor *(*fc_block_fn)(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in);
fc_tensor *fc_checkpoint(fc_ctx *c, fc_block_fn fn, const void *self, int n_in, fc_tensor *const *in);
/* the same signature, simply runs fn: lets a model choose between the two */
fc_tensor *fc_block_plain(fc_ctx *c, fc_block_fn fn, const void *self, int n_in, fc_tensor *const *in);
typedef fc_tensor *(*fc_block_run)(fc_ctx *c, fc_block_fn fn, const void *self, int n_in,
                                   fc_tensor *const *in);
#endif
