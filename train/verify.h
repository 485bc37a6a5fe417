/* train/verify.h - rebuilds a reference case of an official code and compares: output, loss, every gradient,
   gradients of the inputs, and the losses of ten AdamW steps. A case is a folder with config.json,
   weights.safetensors and case.h5; the rules of comparison stand with fc_verify_case. */
#ifndef FC_VERIFY_H
#define FC_VERIFY_H
#include "hpc/domain.h"

enum { FC_VERIFY_LOSSES = 11 };

typedef struct fc_deviation { /* a measured deviation next to what is allowed */
  double value, tolerance;
  bool   checked;
} fc_deviation;

typedef struct fc_verify_report {
  char         model[64], variant[64];
  int64_t      n_parameters;
  int          n_gradients;
  fc_deviation output; /* max |y - ref| / max |ref| */
  fc_deviation loss;   /* |l - ref| / ref of mean(y^2) */
  fc_deviation
      grad; /* worst over parameters of max |g - ref| / max(max |ref|, 1e-3 G), G the largest of all */
  fc_deviation grad_input; /* the same rule over the inputs */
  fc_deviation losses;     /* worst of eleven relative deviations */
  char         worst_grad[192], worst_input[192];
  int          worst_step;
  bool         passed;
  char         skipped[256]; /* why the ranks cannot share this case; "": they did */
} fc_verify_report;

/* Loss = mean(y^2) for the gradients; then ten steps of AdamW (lr 1e-3, betas 0.9 0.999, eps 1e-8, decay
   1e-2) on mean((y - target)^2) from the stored weights, in evaluation mode. Failures are those of reading
   the case; a case that is read but differs returns FC_OK with passed = false. The ranks of the grid's domain
   share each sample; deviations are the worst of any rank. Collective. */
fc_status fc_verify_case(const char *folder, const fc_process_grid *grid, fc_verify_report *out);
#endif
