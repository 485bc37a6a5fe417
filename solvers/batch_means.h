/* solvers/batch_means.h - means over a series of samples of n numbers each, with 95 % confidence intervals by
   batch means: neighbouring samples are correlated, means over long stretches (batches) nearly are not, so
   their spread tells how far the mean can be trusted (Law & Kelton, Simulation Modeling and Analysis, ch. 9).
   There are 16 to 31 batches of equal length; when 32 are complete they are merged in pairs, so memory is
   fixed and nobody needs to know the length of the run. Intervals are those of Student's t; they are too
   short as long as neighbouring batches are correlated. */
#ifndef FC_BATCH_MEANS_H
#define FC_BATCH_MEANS_H
#include "core/base.h"

enum { FC_BATCHES = 32 };

typedef struct fc_batch_means fc_batch_means;

fc_status fc_batch_means_create(int64_t n, fc_batch_means **out); /* FC_E_SYSTEM: no memory */
void      fc_batch_means_destroy(fc_batch_means *b);              /* NULL is fine */
void      fc_batch_means_add(fc_batch_means *b, const double *x); /* one sample x[n]; allocates nothing */

int64_t fc_batch_means_samples(const fc_batch_means *b);
int     fc_batch_means_batches(const fc_batch_means *b); /* complete ones */
/* of neighbouring batches, averaged over the numbers that vary: much above 0.2 means that the run is too
   short for its intervals. NaN with fewer than 4 batches. */
double fc_batch_means_correlation(const fc_batch_means *b);

/* mean[n] of all samples and half-widths half[n] of the intervals: NaN with fewer than two batches */
void fc_batch_means_get(const fc_batch_means *b, double *mean, double *half);
/* The same for m numbers f(mean) that are made from the means (a standard deviation, a ratio): values from
   the means of all samples, intervals by the jackknife, which leaves out one batch at a time; exact where f
   is linear. FC_E_SYSTEM: no memory. */
fc_status fc_batch_means_derive(const fc_batch_means *b, int64_t                              m,
                                void (*f)(void *user, const double *mean, double *out), void *user,
                                double *value, double *half);

/* everything as doubles, for restarts: a restored series goes on with the same bits */
int64_t fc_batch_means_state(const fc_batch_means *b);
void    fc_batch_means_keep(const fc_batch_means *b, double *x);
void    fc_batch_means_restore(fc_batch_means *b, const double *x);

/* t with P(|T| < t) = 0.95 for that many degrees of freedom, at least 1 */
double fc_student_t(int freedom);
#endif
