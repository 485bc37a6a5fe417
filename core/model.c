/* core/model.c */
#include "core/model.h"

fc_tensor *fc_model_frames(fc_ctx *c, const fc_model_def *def, const void *self, fc_tensor *window,
                           int n_out) {
  fc_batch b = {0};

  def->pack(c, self, window, n_out, &b);
  return def->unpack(c, self, def->apply(c, self, &b));
}
