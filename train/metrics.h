/* train/metrics.h - errors of a field y against the truth x, and spectra. Formulas are those of
   The Well and PDEBench where named so; <.> is the mean over the N points of space. One value per
   (sample, time, channel). Arrays: [S, N.., C] with S = samples x times, channels last. */
#ifndef FC_METRICS_H
#define FC_METRICS_H
#include "core/domain.h"

typedef struct fc_grid {
  int     ndim;
  int64_t dim[3];
  int64_t channels;
} fc_grid;

typedef enum {
  FC_M_MSE,
  FC_M_MAE,
  FC_M_RMSE,
  FC_M_NMAE,
  FC_M_NMSE,
  FC_M_NRMSE,
  FC_M_VMSE,
  FC_M_VRMSE,
  FC_M_LINF,
  FC_M_PEARSON,
  FC_M_RELATIVE_L2,
  FC_M_COUNT
} fc_metric;
const char *fc_metric_name(fc_metric m);       /* "VRMSE" */
const char *fc_metric_definition(fc_metric m); /* one line of formula, printed beside results */
/* out[S, C]. Not finite where the formula is not: one point has no variance, a zero field no relative error.
   A NaN in y or truth gives NaN. Sums are in double; the bits do not depend on the number of threads. */
void fc_metric_eval(fc_metric m, const fc_grid *g, int64_t S, const fc_real *y, const fc_real *truth,
                    double *out);
/* of fields whose points the ranks of a domain share (NULL: nobody does); collective, the same on all ranks
 */
void fc_metric_eval_shared(fc_metric m, const fc_grid *own, const fc_domain *domain, int64_t S,
                           const fc_real *y, const fc_real *truth, double *out);

/* The Well's binned_spectral_mse. |k| from k_i = 2 pi m_i / n_i (unit spacing); three bins whose inner edges
   lie at equal ratios between 2 pi / max n and pi sqrt(ndim). out_mse[S, C, 3] = sum over the bin of |FFT(y -
   truth)|^2 / N^2 for low, mid, high wavenumbers, so that the bins add up to the MSE (Plancherel); out_nmse =
   out_mse / (the same of the truth + 1e-7). FC_E_SYSTEM: no memory. */
fc_status fc_spectral_mse(const fc_grid *g, int64_t S, const fc_real *y, const fc_real *truth,
                          double *out_mse, double *out_nmse);

/* Isotropic energy spectrum E(k), k = 0, 1, .. in multiples of the box's fundamental wavenumber: sum over the
   shell k - 1/2 <= |m| < k + 1/2 of |f_m|^2 / 2 with f_m = FFT / N, so that sum_k E = <x^2> / 2 (Parseval).
   The box counts as a cube: m is the mode number along each axis. Corners count, so n = fc_spectrum_size
   exceeds dim / 2; shells above min(dim) / 2 are only partly filled. out[S, C, n]. FC_E_SYSTEM: no memory. */
int64_t   fc_spectrum_size(const fc_grid *g);
fc_status fc_spectrum(const fc_grid *g, int64_t S, const fc_real *x, double *out);

/* PDEBench's scores (Takamoto et al. 2022, appendix B; formulas as its code has them), each averaged over
   times and channels; y, truth [B, T, X.., C], box the lengths of the domain (NULL: 1). a = y, b = truth:
     rmse   mean_B sqrt<(a-b)^2>                 nrmse  mean_B sqrt(<(a-b)^2> / <b^2>)
     crmse  sqrt(mean_B (sum a - sum b)^2) / N   max    max over B and space of |a-b|
     brmse  mean_B sqrt(sum over the faces of (a-b)^2 / their points); edges and corners count once for each
   face. (In 3-D the code under the published numbers adds the channels before the root; this does not.) frmse
   sqrt(mean_B |FFT(a-b)|^2) / N * volume, averaged over shells below `low`, below `high`, the rest; in 1-D a
            shell is a mode of the half-complex transform, else |FFT|^2 is summed over floor|m| = shell with
   every m_i < n_i / 2 and shell < min(n) / 2. NaN if the grid has no shell in the range. */
typedef struct fc_pdebench_scores {
  double rmse, nrmse, crmse, brmse, max, frmse[3];
} fc_pdebench_scores;
fc_status fc_pdebench_eval(const fc_grid *g, int64_t B, int64_t T, const double *box, const fc_real *y,
                           const fc_real *truth, fc_pdebench_scores *out); /* low = 4, high = 12 */
fc_status fc_pdebench_eval_bands(const fc_grid *g, int64_t B, int64_t T, const double *box, int64_t low,
                                 int64_t high, const fc_real *y, const fc_real *truth,
                                 fc_pdebench_scores *out);

/* First time at which value[n] at times t[n] (ascending) stops being good, by linear interpolation between
   samples. Good: value <= threshold if below_is_good (errors), else value >= threshold (correlations); NaN is
   not good. t[0] if the first value is not good, t[n-1] if all are good (a lower bound then), NaN if n = 0.
 */
double fc_valid_time(int64_t n, const double *t, const double *value, double threshold, bool below_is_good);
#endif
