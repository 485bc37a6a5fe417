/* core/ops/cosine_rows.c */
#include "core/ops/cosine_rows.h"

#include "core/spans.h"
#include "core/vmath.h"

static const double tiny_norm = 1e-12, penalty = -200;

/* norms in double: scores of 100 feel every rounding */
FC_SIMD void fc_units_fetch(fc_real *restrict u, fc_real *restrict inverse, const fc_real *restrict x,
                            fc_token_rows t, fc_real f) {
  for (int64_t i = 0; i < t.n; i++) {
    const fc_real *q      = x + t.row[i] * t.step;
    fc_real        square = 0;
    FC_REDUCE(+, square) for (int64_t j = 0; j < t.d; j++) square += q[j] * q[j];
    inverse[i] = square;
  }
  for (int64_t i = 0; i < t.n; i++) {
    const double length = sqrt((double)inverse[i]);
    inverse[i]          = (fc_real)((double)f / (length > tiny_norm ? length : tiny_norm));
  }
  for (int64_t i = 0; i < t.n; i++, u += t.d) {
    const fc_real *q = x + t.row[i] * t.step;
    for (int64_t j = 0; j < t.d; j++) u[j] = inverse[i] * q[j];
  }
}

/* "u = f x / |x|": dx = (f g - u (u . g) / f) / |x|, or f g / 1e-12 below that */
FC_SIMD void fc_units_back(fc_real *restrict dx, fc_token_rows t, const fc_real *restrict g,
                           const fc_real *restrict u, const fc_real *restrict inverse, fc_real f,
                           bool fresh) {
  const fc_real inverse_square = 1 / (f * f), floor = (fc_real)((double)f / tiny_norm);

  for (int64_t i = 0; i < t.n; i++, g += t.d, u += t.d) {
    fc_real dot = 0, *to = dx + t.row[i] * t.step;
    FC_REDUCE(+, dot) for (int64_t j = 0; j < t.d; j++) dot += u[j] * g[j];
    const fc_real factor = inverse[i], slope = factor < floor ? dot * inverse_square : 0;
    for (int64_t j = 0; j < t.d; j++) to[j] = fc_into(fresh, to[j], factor * (g[j] - slope * u[j]));
  }
}

FC_SIMD void fc_tokens_fetch(fc_real *restrict w, const fc_real *restrict x, fc_token_rows t) {
  for (int64_t i = 0; i < t.n; i++, w += t.d) {
    const fc_real *from = x + t.row[i] * t.step;
    for (int64_t j = 0; j < t.d; j++) w[j] = from[j];
  }
}

FC_SIMD void fc_tokens_store(fc_real *restrict dx, fc_token_rows t, const fc_real *restrict g, bool fresh) {
  for (int64_t i = 0; i < t.n; i++, g += t.d) {
    fc_real *to = dx + t.row[i] * t.step;
    for (int64_t j = 0; j < t.d; j++) to[j] = fc_into(fresh, to[j], g[j]);
  }
}

FC_SIMD void fc_tokens_gate(fc_real *restrict y, const fc_real *restrict r, fc_token_rows t, int64_t rows,
                            const fc_real *const *restrict gate, const fc_real *restrict o) {
  for (int64_t i = 0; i < t.n; i++, o += t.d) {
    const int64_t  at   = t.row[i] * t.step;
    const fc_real *open = gate[i];
    if (t.row[i] >= rows) continue;
    for (int64_t j = 0; j < t.d; j++) y[at + j] = r[at + j] + (1 + open[j]) * o[j];
  }
}

FC_SIMD void fc_tokens_gate_back(fc_real *restrict g, const fc_real *restrict dy, fc_token_rows t,
                                 int64_t rows, const fc_real *const *restrict gate) {
  for (int64_t i = 0; i < t.n; i++, g += t.d) {
    const fc_real *from = dy + t.row[i] * t.step, *open = gate[i];
    if (t.row[i] < rows)
      for (int64_t j = 0; j < t.d; j++) g[j] = (1 + open[j]) * from[j];
    else
      for (int64_t j = 0; j < t.d; j++) g[j] = 0;
  }
}

FC_SIMD void fc_keys_softmax(fc_real *restrict S, const fc_real *restrict bias,
                             const int32_t *restrict region, fc_real *restrict top, fc_real *restrict sum,
                             int64_t n) {
  for (int64_t i = 0; i < n; i++) top[i] = -(fc_real)INFINITY, sum[i] = 0;
  for (int64_t j = 0; j < n; j++) {
    fc_real *s = S + j * n;
    if (bias)
      for (int64_t i = 0; i < n; i++) s[i] += bias[j * n + i];
    if (region)
      for (int64_t i = 0; i < n; i++) s[i] += region[i] != region[j] ? (fc_real)penalty : 0;
    for (int64_t i = 0; i < n; i++) top[i] = s[i] > top[i] ? s[i] : top[i];
  }
  for (int64_t j = 0; j < n; j++) {
    fc_real *s = S + j * n;
    for (int64_t i = 0; i < n; i++) sum[i] += s[i] = fc_exp(s[i] - top[i]);
  }
  for (int64_t i = 0; i < n; i++) sum[i] = 1 / sum[i];
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) S[j * n + i] *= sum[i];
}

FC_SIMD void fc_keys_softmax_back(fc_real *restrict T, const fc_real *restrict P, fc_real *restrict sum,
                                  int64_t n) {
  for (int64_t i = 0; i < n; i++) sum[i] = 0;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) sum[i] += P[j * n + i] * T[j * n + i];
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) T[j * n + i] = P[j * n + i] * (T[j * n + i] - sum[i]);
}
