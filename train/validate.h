/* train/validate.h - how well the network predicts windows it has not seen. */
#ifndef FC_VALIDATE_H
#define FC_VALIDATE_H
#include "train/feed.h"
#include "train/march.h"
#include "train/windows.h"

typedef struct fc_sharers {
  const fc_domain *domain; /* ranks that share each window; NULL: none */
  const fc_comm   *data;   /* ranks that look at windows of their own */
} fc_sharers;

/* Looks at up to max_windows of w, spread evenly, divided among the ranks; k frames per call. Uses c's arena
   and leaves it as it was. */
fc_status fc_validate(fc_ctx *c, const fc_network *n, fc_windows *w, const fc_sharers *ranks,
                      int64_t max_windows, int64_t k, fc_scores *out);
#endif
