/* solvers/chan_profile.c */
#include "solvers/chan_profile.h"

#include "core/parallel.h"

#include <string.h>

int64_t fc_chan_profile_work(const fc_chan *s) { return fc_max64(1, s->k_n) * FC_CHAN_PROFILES * s->grid->n; }

/* <a b> over the modes of a row; those with kz > 0 stand for their conjugates too. fluctuation: without lane
 * 0 */
static double product(const double *a, const double *b, int64_t nk, bool fluctuation) {
  double sum = 0;

  FC_REDUCE(+, sum) for (int64_t l = 1; l < nk; l++) sum += a[l] * b[l] + a[nk + l] * b[nk + l];
  return 2 * sum + (fluctuation ? 0 : a[0] * b[0] + a[nk] * b[nk]);
}

/* <(a + b) c>/2 */
static double between(const double *a, const double *b, const double *c, int64_t nk, bool fluctuation) {
  return 0.5 * (product(a, c, nk, fluctuation) + product(b, c, nk, fluctuation));
}

static void column_profile(const fc_chan *s, int64_t i, double *out) {
  const int64_t n    = s->grid->n;
  const bool    mean = s->k_lo + i == 0;
  double       *row[FC_CHAN_PROFILES];

  for (int a = 0; a < FC_CHAN_PROFILES; a++) row[a] = out + a * n;
  for (int64_t j = 0; j < n; j++) {
    const int64_t at = (i * n + j) * s->row;
    const double *u = s->state[FC_CHAN_U] + at, *v = s->state[FC_CHAN_V] + at, *w = s->state[FC_CHAN_W] + at;
    row[FC_CHAN_MEAN_U][j] = mean ? u[0] : 0;
    row[FC_CHAN_UU][j]     = product(u, u, s->nk, mean);
    row[FC_CHAN_WW][j]     = product(w, w, s->nk, mean);
    row[FC_CHAN_VV][j]     = product(v, v, s->nk, mean);
    row[FC_CHAN_UV][j]     = j > 0 ? between(u - s->row, u, v, s->nk, mean) : 0;
    row[FC_CHAN_STRESS][j] = mean ? s->c.nu * (u[0] - (j > 0 ? u[-s->row] : 0)) / s->grid->df[j] : 0;
  }
  for (int64_t j = 0; j < n; j++) row[FC_CHAN_STRESS][j] -= row[FC_CHAN_UV][j]; /* v has no mean */
}

void fc_chan_profile(fc_chan *s, double *work, double *out) {
  const int64_t size = FC_CHAN_PROFILES * s->grid->n;

  FC_FOR_ROWS(i, s->k_n, 8 * s->grid->n * s->row) column_profile(s, i, work + i * size);
  memset(out, 0, (size_t)size * sizeof *out);
  for (int64_t i = 0; i < s->k_n; i++)
    for (int64_t j = 0; j < size; j++) out[j] += work[i * size + j];
  for (int64_t y = 0; y < s->y_n; y++) out[FC_CHAN_STRESS * s->grid->n + s->y_lo + y] += s->shear[y];
  if (s->status == FC_OK) s->status = fc_comm_sum_double(s->comm, out, size);
}
