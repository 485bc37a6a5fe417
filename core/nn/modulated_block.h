/* core/nn/modulated_block.h - the transformer block of PDE-Transformer (Holzschuh et al. 2025): window
   attention, attention across fields if there are several, two-layer map; each branch is steered by shift,
   scale and gate of its sample. Optional carrier tokens (FasterViT: Hatamizadeh et al. 2024), one for each
   window. */
#ifndef FC_MODULATED_BLOCK_H
#define FC_MODULATED_BLOCK_H
#include "core/domain.h"
#include "core/nn/nn.h"

/* Position bias of windows: b = 16 sigmoid(W2 ReLU(W0 r + b0)), r the logarithmic offset of two cells.
   Weights NAME.cpb_mlp.0 and .2; with tables also the buffers that some official codes store. */
typedef struct fc_offset_bias {
  fc_linear hidden, out;
  int64_t   size;
} fc_offset_bias;
void fc_offset_bias_init(fc_offset_bias *l, fc_params *p, const char *name, int64_t size, int64_t heads,
                         bool tables);
/* [heads, n, n], n = lead + size^2; the first `lead` tokens take no bias */
fc_tensor *fc_offset_bias_apply(fc_ctx *c, const fc_offset_bias *l, int64_t lead);

typedef struct fc_block_spec {
  int64_t D, heads, hidden, window;
  bool    fields;   /* attention across fields, and the names that go with it */
  bool    carriers; /* takes carrier tokens; only with fields */
} fc_block_spec;

typedef struct fc_modulated_branches {
  fc_norm    norm[3]; /* of window attention, attention across fields, two-layer map */
  fc_tensor *qkv[2], *scale[2];
  fc_linear  in, out, modulation;
} fc_modulated_branches;

typedef struct fc_modulated_block {
  fc_block_spec         spec;
  fc_modulated_branches own, carriers;
  fc_offset_bias        bias;
  fc_linear             position, position_out; /* of the carriers */
} fc_modulated_block;
void fc_modulated_block_init(fc_modulated_block *l, fc_params *p, const fc_block_spec *spec);

/* who attends to whom; fields, carriers.. NULL where the spec has none */
typedef struct fc_block_groups {
  const fc_token_groups *windows, *fields, *carriers, *carrier_fields;
  int64_t                padding; /* tokens of zeros beyond the grid of each sample */
  fc_cut                 lines;   /* of H, if ranks share the grid */
  const fc_range        *reach;   /* lines that the windows of each rank reach; NULL: no rank needs others' */
} fc_block_groups;
/* x [B, H, W, D], of H this rank's block; condition [B, D]; carriers [B, all H / window, W / window, D] or
   NULL -> x's shape */
fc_tensor *fc_modulated_block_apply(fc_ctx *c, const fc_modulated_block *l, fc_tensor *x,
                                    fc_tensor *condition, fc_tensor *carriers, const fc_block_groups *g);
#endif
