/* core/ops/cosine_rows.h - what cosine attention within a group does to one head's tokens and weights, on the
   calling thread. Weights lie keys by queries: sums over keys then run down whole vectors of queries. */
#ifndef FC_COSINE_ROWS_H
#define FC_COSINE_ROWS_H
#include "core/base.h"

/* n tokens of d numbers each somewhere in an array x: token i begins at x + row[i] step */
typedef struct fc_token_rows {
  const int32_t *row;
  int64_t        n, d, step;
} fc_token_rows;

/* u [n, d] = f x / max(|x|, 1e-12), inverse [n] = f / max(|x|, 1e-12) */
void fc_units_fetch(fc_real *restrict u, fc_real *restrict inverse, const fc_real *restrict x,
                    fc_token_rows t, fc_real f);
/* dx = or += the gradient of x, g that of u; fresh as in fc_into */
void fc_units_back(fc_real *restrict dx, fc_token_rows t, const fc_real *restrict g,
                   const fc_real *restrict u, const fc_real *restrict inverse, fc_real f, bool fresh);

/* w [n, d] = x, and dx = or += g */
void fc_tokens_fetch(fc_real *restrict w, const fc_real *restrict x, fc_token_rows t);
void fc_tokens_store(fc_real *restrict dx, fc_token_rows t, const fc_real *restrict g, bool fresh);

/* Gated ends of a branch for the tokens whose row is below `rows`, gate[i] the gate of token i:
   y = r + (1 + gate) o, and back g = (1 + gate) dy, 0 for all other tokens */
void fc_tokens_gate(fc_real *restrict y, const fc_real *restrict r, fc_token_rows t, int64_t rows,
                    const fc_real *const *restrict gate, const fc_real *restrict o);
void fc_tokens_gate_back(fc_real *restrict g, const fc_real *restrict dy, fc_token_rows t, int64_t rows,
                         const fc_real *const *restrict gate);

/* S [n, n] = softmax over the keys j of S [j, i] + bias [j, i] - 200 [region i is not region j], bias and
   region may be NULL; top and sum [n] are scratch */
void fc_keys_softmax(fc_real *restrict S, const fc_real *restrict bias, const int32_t *restrict region,
                     fc_real *restrict top, fc_real *restrict sum, int64_t n);
/* T = P (T - sum over keys of P T): the gradient of its argument, T that of P */
void fc_keys_softmax_back(fc_real *restrict T, const fc_real *restrict P, fc_real *restrict sum, int64_t n);
#endif
