/* train/march.h - marching in time: call the network, shift its window of history, call again. */
#ifndef FC_MARCH_H
#define FC_MARCH_H
#include "train/network.h"

/* window[B, n_in, len] <- the last n_in frames of (window, y[B, k, len]); in place */
void fc_march_shift(fc_real *window, const fc_real *y, int64_t B, int64_t n_in, int64_t k, int64_t len);

/* window[B, n_in, X.., C_in] and parameters[B, frames.params] (NULL if none) -> k frames [B, k, X.., C_out]
 * on the arena; values are not copied. Records if c->grad. */
fc_tensor *fc_march_call(fc_ctx *c, const fc_network *n, int ndim, const int64_t *dim, int64_t B,
                         fc_real *window, fc_real *params, int64_t k);
/* the same without recording; only the result stays above the arena's present mark (the peak is one block) */
fc_tensor *fc_march_quiet(fc_ctx *c, const fc_network *n, int ndim, const int64_t *dim, int64_t B,
                          fc_real *window, fc_real *params, int64_t k);
#endif
