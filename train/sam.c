/* train/sam.c */
#include "train/sam.h"

#include "core/spans.h"

#include <stdlib.h>
#include <string.h>

struct fc_sam {
  fc_params *p;
  int64_t    n;    /* numbers in the block of trained weights */
  fc_real   *keep; /* [n] */
};

fc_status fc_sam_create(fc_params *p, fc_sam **out) {
  fc_sam *s = calloc(1, sizeof *s);

  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for a copy of the weights (train.sam_rho)");
  s->p    = p;
  s->n    = fc_params_block(p, true);
  s->keep = malloc((size_t)(s->n + 1) * sizeof *s->keep);
  *out    = s;
  if (s->keep) return FC_OK;
  free(s);
  return fc_fail(FC_E_SYSTEM, "no memory for a copy of the weights (train.sam_rho)");
}

void fc_sam_destroy(fc_sam *s) {
  if (!s) return;
  free(s->keep);
  free(s);
}

FC_SIMD static void add(fc_real *restrict w, const fc_real *restrict g, fc_real scale, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) w[i] += scale * g[i];
}

void fc_sam_climb(fc_sam *s, double rho, double norm) {
  fc_real       *w = fc_params_values(s->p);
  const fc_real *g = fc_params_grads(s->p);

  memcpy(s->keep, w, (size_t)s->n * sizeof *w);
  FC_FOR_SPANS(at, len, s->n) add(w + at, g + at, (fc_real)(rho / (norm + 1e-12)), len);
}

void fc_sam_return(fc_sam *s) { memcpy(fc_params_values(s->p), s->keep, (size_t)s->n * sizeof *s->keep); }
