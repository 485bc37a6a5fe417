/* core/nn/window_stage.h - blocks one after the other on one grid of tokens, the windows of every second one
   shifted by half their side. */
#ifndef FC_WINDOW_STAGE_H
#define FC_WINDOW_STAGE_H
#include "core/nn/modulated_block.h"

enum { FC_STAGE_BLOCKS = 32 }; /* at most */

typedef struct fc_window_stage {
  fc_block_spec      spec;
  int                depth;
  fc_modulated_block block[FC_STAGE_BLOCKS];
  fc_conv_layer      pooling; /* carriers: depthwise convolution before the mean over each window */
} fc_window_stage;
void fc_window_stage_init(fc_window_stage *s, fc_params *p, const fc_block_spec *spec, int64_t depth);

/* who attends to whom in plain and in shifted windows */
typedef struct fc_stage_groups {
  fc_block_groups shifted[2];
} fc_stage_groups;
/* for tokens [fields B, h, w, D], h this rank's block of `lines`. Without period, shifted windows keep both
   ends of the grid apart; a grid smaller than a window is one window and has nothing to keep apart. */
fc_stage_groups *fc_stage_groups_of(fc_ctx *c, const fc_block_spec *spec, int64_t fields, int64_t B,
                                    fc_cut lines, int64_t w, bool periodic);
/* recompute: keep only the borders of blocks */
fc_tensor *fc_window_stage_apply(fc_ctx *c, const fc_window_stage *s, fc_tensor *x, fc_tensor *condition,
                                 const fc_stage_groups *g, bool recompute);
#endif
