/* core/ops/activation_spans.h - activations over a span in place, for products that fuse them. */
#ifndef FC_ACTIVATION_SPANS_H
#define FC_ACTIVATION_SPANS_H
#include "core/ops.h"

void fc_act_span(fc_act act, fc_real *y, const fc_real *z, int64_t n);      /* y = act(z); y may be z */
void fc_act_grad_span(fc_act act, fc_real *g, const fc_real *z, int64_t n); /* g *= act'(z) */
/* y = act(z) and s = act'(z), which share their exponentials; not for FC_ACT_NONE; the three do not overlap
 */
void fc_act_both_span(fc_act act, fc_real *y, fc_real *s, const fc_real *z, int64_t n);
/* the same with g *= act'(z) */
void fc_act_value_grad_span(fc_act act, fc_real *y, fc_real *g, const fc_real *z, int64_t n);
#endif
