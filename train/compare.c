/* train/compare.c */
#include "train/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name, *definition;
} table[FC_C_COUNT] = {
    [FC_C_VRMSE]       = {"VRMSE",
                          "sqrt(<(y - truth)^2> / (var truth + 1e-7)); 1: as good as the mean of the field"},
    [FC_C_RELATIVE_L2] = {"relative L2", "|y - truth| / |truth|, Euclidean norms over the grid"},
    [FC_C_PEARSON]     = {"correlation", "Pearson's coefficient of y and truth over the grid"},
    [FC_C_SPECTRUM] =
        {"spectrum error",
         "mean of |ln(E(k) / E_truth(k))| over the wavenumbers k = 1 .. n/2 that hold more than "
         "1e-6 of the truth's energy; 0.1: 10 % in energy"},
};

const char *fc_compared_name(fc_compared q) { return table[q].name; }
const char *fc_compared_definition(fc_compared q) { return table[q].definition; }

fc_status fc_compare_create(const fc_geometry *geo, int channels, int64_t frames, const fc_domain *domain,
                            fc_compare **out) {
  fc_compare  *c = calloc(1, sizeof *c);
  const size_t C = (size_t)channels, T = (size_t)frames;

  FC_REQUIRE(c, FC_E_SYSTEM, "no memory for a comparison");
  c->grid     = (fc_grid){geo->ndim, {geo->dim[0], geo->dim[1], geo->dim[2]}, channels};
  c->domain   = domain;
  c->frames   = frames;
  c->spectrum = fc_spectrum_size(&c->grid);
  c->lead     = calloc(T + 1, sizeof *c->lead);
  c->value    = calloc(FC_METHODS * FC_C_COUNT * T * C + 1, sizeof *c->value);
  c->count    = calloc(FC_METHODS * T + 1, sizeof *c->count);
  c->scratch  = calloc(2 * (size_t)c->spectrum * C + C, sizeof *c->scratch);
  if (!c->lead || !c->value || !c->count || !c->scratch) {
    fc_compare_destroy(c);
    return fc_fail(FC_E_SYSTEM, "no memory to compare %lld frames", (long long)frames);
  }
  for (int64_t i = 0; i < frames; i++) c->lead[i] = (double)(i + 1) * (isnan(geo->dt) ? 1 : geo->dt);
  *out = c;
  return FC_OK;
}

void fc_compare_destroy(fc_compare *c) {
  if (!c) return;
  free(c->lead);
  free(c->value);
  free(c->count);
  free(c->scratch);
  free(c);
}

int fc_compare_method(fc_compare *c, const char *label) {
  FC_ASSERT(c->methods < FC_METHODS, "more than %d methods are compared", FC_METHODS);
  snprintf(c->label[c->methods], sizeof c->label[0], "%s", label);
  return c->methods++;
}

static double *cell(const fc_compare *c, int method, fc_compared q, int64_t frame) {
  return c->value + ((method * FC_C_COUNT + (int64_t)q) * c->frames + frame) * c->grid.channels;
}

/* shells that all axes carry fully: up to half the shortest axis */
static int64_t last_shell(const fc_compare *c) {
  int64_t n = c->grid.dim[0];

  for (int a = 1; a < c->grid.ndim; a++) n = fc_min64(n, c->grid.dim[a]);
  return fc_min64(c->spectrum - 1, n / 2);
}

/* Shells that a solver has emptied (dealiasing, numerical dissipation) hold rounding noise: they are left
 * out. */
static double spectrum_error(const fc_compare *c, const double *e, const double *truth) {
  const int64_t top   = last_shell(c);
  double        total = 0, sum = 0;
  int           n = 0;

  for (int64_t k = 1; k < c->spectrum; k++) total += truth[k];
  for (int64_t k = 1; k <= top; k++) {
    if (!(truth[k] > 1e-6 * total)) continue;
    sum += fabs(log(fmax(e[k], 1e-12 * total) / truth[k]));
    n++;
  }
  return n ? sum / n : NAN; /* a constant field has no spectrum to compare */
}

fc_status fc_compare_add(fc_compare *c, int method, int64_t frame, const fc_real *y, const fc_real *truth) {
  static const fc_metric plain[] = {FC_M_VRMSE, FC_M_RELATIVE_L2, FC_M_PEARSON};
  const int64_t          C       = c->grid.channels;
  double                *e = c->scratch, *t = e + c->spectrum * C, *v = t + c->spectrum * C;

  for (int q = 0; q < FC_COUNT(plain); q++) {
    fc_metric_eval_shared(plain[q], &c->grid, c->domain, 1, y, truth, v);
    for (int64_t k = 0; k < C; k++) cell(c, method, (fc_compared)q, frame)[k] += v[k];
  }
  if (!c->domain) {
    FC_TRY(fc_spectrum(&c->grid, 1, y, e));
    FC_TRY(fc_spectrum(&c->grid, 1, truth, t));
  }
  for (int64_t k = 0; k < C; k++)
    cell(c, method, FC_C_SPECTRUM, frame)[k] +=
        c->domain ? NAN : spectrum_error(c, e + k * c->spectrum, t + k * c->spectrum);
  c->count[method * c->frames + frame]++;
  return FC_OK;
}

fc_status fc_compare_gather(fc_compare *c, const fc_comm *groups) {
  FC_TRY(fc_comm_sum_double(groups, c->value, c->methods * FC_C_COUNT * c->frames * c->grid.channels));
  return fc_comm_sum_double(groups, c->count, c->methods * c->frames);
}

double fc_compare_at(const fc_compare *c, int method, fc_compared q, int64_t frame, int channel) {
  const double *v   = cell(c, method, q, frame);
  const double  n   = c->count[method * c->frames + frame];
  double        sum = 0;

  if (n == 0) return NAN;
  if (channel >= 0) return v[channel] / n;
  for (int64_t k = 0; k < c->grid.channels; k++) sum += v[k] / n;
  return sum / (double)c->grid.channels;
}

fc_status fc_compare_valid(const fc_compare *c, int method, fc_compared q, double threshold, double *out) {
  double *v = malloc((size_t)(c->frames + 1) * sizeof *v);

  FC_REQUIRE(v, FC_E_SYSTEM, "no memory for a curve");
  for (int64_t i = 0; i < c->frames; i++) v[i] = fc_compare_at(c, method, q, i, -1);
  *out = fc_valid_time(c->frames, c->lead, v, threshold, q != FC_C_PEARSON);
  free(v);
  return FC_OK;
}
