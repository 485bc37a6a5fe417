/* train/optim.h - AdamW and Adam, gradient clipping by the global norm, and an average of the weights.

   Shared by R ranks (ZeRO stage 1: Rajbhandari, Rasley, Ruwase, He, SC 2020, arXiv 1910.02054) the block of
   trained weights is cut in R parts of about the same length. A rank keeps moments and average of its part,
   makes the step there and gets the other parts of the weights from the others. What happens to a number does
   not depend on the cut, so weights have the same bits as without sharing. */
#ifndef FC_OPTIM_H
#define FC_OPTIM_H
#include "core/params.h"

typedef struct fc_adamw_rates {
  double lr, beta1, beta2, eps, weight_decay;
  double group_lr; /* rate of the weights with a factor, before it; 0: they are like all others */
  bool   coupled;  /* decay is added to the gradient (Adam) instead of taken off the weights (AdamW) */
} fc_adamw_rates;

typedef struct fc_optim fc_optim;

/* Moments (zero) for every trained tensor of p, which must be committed and outlive the optimiser; with ema
   also an average of the weights, starting at their present values. FC_E_SYSTEM without memory. */
fc_status fc_optim_create(fc_params *p, bool ema, fc_optim **out);
/* the same, shared by all ranks, which must have the same weights and gradients. Collective. */
fc_status fc_optim_create_shared(fc_params *p, bool ema, fc_optim **out);
void      fc_optim_destroy(fc_optim *o);
/* bytes the optimiser takes for n trained numbers */
int64_t fc_optim_bytes(int64_t n, bool ema);
/* numbers of the largest part if so many ranks share the block of p, which may be dry; 1: all of it */
int64_t fc_optim_part(const fc_params *p, int ranks);

/* L2 norm of all gradients, summed in double over fixed chunks: the same bits for any number of threads */
double fc_optim_grad_norm(fc_optim *o);
/* factor that clips to max_norm as torch.nn.utils.clip_grad_norm_ does: min(1, max_norm / (norm + 1e-6)); 1
   if max_norm is 0 */
double fc_optim_clip(double norm, double max_norm);

/* Weights whose name holds `part` have the rate factor * group_lr; returns how many tensors these are. */
int fc_optim_group(fc_optim *o, const char *part, double factor);

/* One step of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101; PyTorch's order of operations) on the
   gradients g = grad_scale * gradient: w -= lr weight_decay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v +
   (1 - beta2) g^2; w -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps). t counts the steps of the
   tensor. A tensor that no backward pass reached is left alone: no decay, no step. coupled: g + weight_decay
   w in the place of g, and nothing is taken off w. Collective if shared; alone it always succeeds. */
fc_status fc_optim_step(fc_optim *o, const fc_adamw_rates *r, double grad_scale);
/* average = d average + (1 - d) w with d = min(decay, (1 + t) / (10 + t)) after t = updates steps: the short
   memory at the start forgets the random initial weights. A no-op without average. */
void fc_optim_average(fc_optim *o, double decay, int64_t updates);
/* Weights and average change places, so that nothing is copied aside; once more brings them back. A no-op
   without average. Collective if shared. */
fc_status fc_optim_swap_average(fc_optim *o);

/* moments and average of the numbers lo .. hi - 1 of the block (all of it unless shared): [hi - lo] each */
fc_real *fc_optim_m(fc_optim *o);
fc_real *fc_optim_v(fc_optim *o);
fc_real *fc_optim_ema(fc_optim *o); /* NULL without average */
void     fc_optim_range(const fc_optim *o, int64_t *lo, int64_t *hi);
int64_t *fc_optim_counts(fc_optim *o); /* by tensor number; all ranks know all */

/* what checkpoints hold of it, in their order */
typedef enum { FC_OPTIM_M, FC_OPTIM_V, FC_OPTIM_EMA, FC_OPTIM_STATES } fc_optim_state;
fc_real *fc_optim_own(fc_optim *o, fc_optim_state s); /* [hi - lo]; NULL: there is none */
bool     fc_optim_is_shared(const fc_optim *o);
#endif
