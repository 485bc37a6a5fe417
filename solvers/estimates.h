/* solvers/estimates.h - from means over batches to quantities with names and intervals. A function reports
   all quantities that it makes from the means; it is called once to describe them and once for each batch
   left out, so what a quantity is stands in one place. */
#ifndef FC_ESTIMATES_H
#define FC_ESTIMATES_H
#include "io/statistics.h"
#include "solvers/batch_means.h"

typedef struct fc_estimates fc_estimates;

/* v[n] over coordinates x[n] of axis "y (h)"; x NULL: a single number. Units: "" for pure numbers. */
void fc_estimate_put(fc_estimates *e, const char *name, const char *unit, const char *axis, int64_t n,
                     const double *x, const double *v, const char *definition);
void fc_estimate_one(fc_estimates *e, const char *name, const char *unit, double v, const char *definition);

/* appends to s; report must put the same quantities whatever the means are */
fc_status fc_estimate(const fc_batch_means *b, int64_t                                       n,
                      void (*report)(void *user, const double *mean, fc_estimates *e), void *user,
                      fc_statistics *s);
#endif
