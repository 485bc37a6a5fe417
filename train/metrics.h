/* train/metrics.h - errors of a field y against the truth x, and spectra. Formulas are those of
   The Well and PDEBench where named so; <.> is the mean over the N points of space. One value per
   (sample, time, channel). Arrays: [S, N.., C] with S = samples x times, channels last. */
#ifndef FC_METRICS_H
#define FC_METRICS_H
#include "core/base.h"

typedef struct fc_grid { int ndim; int64_t dim[3]; int64_t channels; } fc_grid;

typedef enum { FC_M_MSE, FC_M_MAE, FC_M_RMSE, FC_M_NMAE, FC_M_NMSE, FC_M_NRMSE, FC_M_VMSE, FC_M_VRMSE, FC_M_LINF,
               FC_M_PEARSON, FC_M_RELATIVE_L2, FC_M_COUNT } fc_metric;
const char *fc_metric_name(fc_metric m);       /* "VRMSE" */
const char *fc_metric_definition(fc_metric m); /* one line of formula, printed beside results */
/* out[S, C] */
void fc_metric_eval(fc_metric m, const fc_grid *g, int64_t S, const fc_real *y, const fc_real *truth, double *out);

/* The Well's binned_spectral_mse: out_mse, out_nmse [S, C, 3] for low, mid, high wavenumbers */
fc_status fc_spectral_mse(const fc_grid *g, int64_t S, const fc_real *y, const fc_real *truth, double *out_mse,
                          double *out_nmse);

/* Isotropic energy spectrum E(k), k = 0, 1, .. in multiples of the box's fundamental wavenumber: sum over the shell
   k - 1/2 <= |m| < k + 1/2 of |f_m|^2 / 2 with f_m = FFT / N, so that sum_k E = <x^2> / 2 (Parseval). n = fc_spectrum_size. */
int64_t   fc_spectrum_size(const fc_grid *g);
fc_status fc_spectrum(const fc_grid *g, int64_t S, const fc_real *x, double *out); /* [S, C, n] */

/* PDEBench: RMSE, nRMSE, cRMSE, bRMSE, max, fRMSE low/mid/high; y, truth [B, T, X.., C]; each averaged as there */
typedef struct fc_pdebench_scores { double rmse, nrmse, crmse, brmse, max, frmse[3]; } fc_pdebench_scores;
fc_status fc_pdebench_eval(const fc_grid *g, int64_t B, int64_t T, const double *box, const fc_real *y,
                           const fc_real *truth, fc_pdebench_scores *out);
#endif
