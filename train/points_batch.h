/* train/points_batch.h - frames of points packed into one batch: the rows of all samples one after the other,
   as core/model.h describes; nothing is padded. */
#ifndef FC_POINTS_BATCH_H
#define FC_POINTS_BATCH_H
#include "train/points.h"

typedef struct fc_points_batch {
  int64_t  n, rows, f_rows[FC_CLOUD_FUNCTIONS]; /* samples and rows so far */
  fc_real *x, *fx, *params, *time;              /* [rows, space], [rows, features], [n, p], [n] */
  fc_real *target, *weight;                     /* [rows, out.n]; weight NULL without mask */
  fc_real *lengths;                             /* [n] */
  int64_t *first;                               /* [n] number of the first of these rows in its sample */
  fc_real *f[FC_CLOUD_FUNCTIONS], *f_lengths[FC_CLOUD_FUNCTIONS];
} fc_points_batch;

/* of a block of memory for up to n samples of p */
int64_t fc_points_batch_bytes(const fc_points *p, int64_t n);
/* an empty batch in such a block, which begins with it */
fc_points_batch *fc_points_batch_begin(const fc_points *p, int64_t n, void *block);
/* frame `at` of s (counted within s; history frames stand before it) becomes the next sample of b */
void fc_points_batch_add(const fc_points *p, fc_points_batch *b, const fc_sample *s, int64_t at);
/* For dry contexts: n samples of this size (of a share), without values but with lengths. */
void fc_points_batch_plan(fc_ctx *c, const fc_points *p, const fc_cloud_size *size, int64_t n,
                          fc_points_batch *b);

/* the official names of core/model.h */
void fc_points_inputs(fc_ctx *c, const fc_points *p, const fc_points_batch *b, fc_batch *out);
/* targets [rows, out.n] normalised; records if c->grad */
fc_tensor *fc_points_call(fc_ctx *c, const fc_network *n, const fc_points *p, const fc_points_batch *b);
/* does the model itself find such a batch right? */
fc_status fc_points_check(const fc_network *n, const fc_points *p);
#endif
