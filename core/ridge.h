/* core/ridge.h - closed-form linear regression: the yardstick that stands beside trained networks.

   Minimises sum over samples |y - W x - b|^2 + lambda s |W|^2 with s the mean diagonal of the centred X^T X,
   so that lambda has no unit. Sums are in double and over fixed chunks: the same bits for any number of
   threads. */
#ifndef FC_RIDGE_H
#define FC_RIDGE_H
#include "core/base.h"

typedef struct fc_ridge fc_ridge;

/* FC_E_SYSTEM without memory: (in + 1) (in + out + 1) doubles are taken */
fc_status fc_ridge_create(int64_t in, int64_t out, fc_ridge **to);
void      fc_ridge_destroy(fc_ridge *r);
/* x[rows, in], y[rows, out]; may be called many times */
void fc_ridge_add(fc_ridge *r, int64_t rows, const fc_real *x, const fc_real *y);
/* W[inputs, outputs] and b[outputs], W x + b with x as a row; the sums stay, so that another lambda may
   follow. FC_E_NUMERIC if the system is singular (lambda = 0 and inputs that depend on each other). */
fc_status fc_ridge_solve(const fc_ridge *r, double lambda, double *W, double *b);
/* sum over the rows of r of |y - W x - b|^2, from the sums alone, for any W and b: those of another
   regression are judged on data that they have not seen. FC_E_SYSTEM without memory. */
fc_status fc_ridge_error(const fc_ridge *r, const double *W, const double *b, double *error);

/* The same map for few samples of many numbers, by the samples' products (dual form): y(x) = mean_y + sum_i
   k_i a_i with k_i = <x - mean_x, x_i - mean_x>. x[n, inputs] is centred in place by mean_x; a[n, outputs]
   replaces y. FC_E_NUMERIC as above, FC_E_SYSTEM without memory for n^2 doubles. */
fc_status fc_ridge_dual(int64_t n, int64_t inputs, int64_t outputs, double lambda, fc_real *x, fc_real *y,
                        double *mean_x, double *mean_y);
#endif
