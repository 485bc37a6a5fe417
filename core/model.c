/* core/model.c */
#include "core/model.h"

fc_tensor *fc_model_frames(fc_ctx *c, const fc_model_def *def, const void *self, fc_tensor *window, int n_out,
                           fc_batch *inputs) {
  def->pack(c, self, window, n_out, inputs);
  return def->unpack(c, self, def->apply(c, self, inputs));
}
