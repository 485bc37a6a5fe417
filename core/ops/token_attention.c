/* core/ops/token_attention.c */
#include "core/ops/token_attention.h"

#include "core/gemm.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

typedef struct {  /* where things lie in the scratch */
  fc_real *x[3];  /* Q, K, V [G, d] */
  fc_real *P, *D; /* [G, G]: weights; weights after dropout, P itself if nothing is dropped */
  fc_real *dx[3], *dP, *dD;
} layout;

static layout lay_out(const fc_token_attention *t, fc_real *room) {
  const int64_t side = t->G * t->d, square = t->G * t->G;
  layout        l;

  for (int i = 0; i < 3; i++, room += side) l.x[i] = room;
  for (int i = 0; i < 3; i++, room += side) l.dx[i] = room;
  l.P  = room;
  l.dP = room + square;
  l.D  = t->drops ? room + 2 * square : l.P;
  l.dD = t->drops ? room + 3 * square : l.dP;
  return l;
}

int64_t fc_token_room(const fc_token_attention *t) {
  return 6 * t->G * t->d + (t->drops ? 4 : 2) * t->G * t->G;
}

double fc_token_flops(const fc_token_attention *t) {
  return (double)t->G * (double)t->d * (6 * (double)t->d + 4 * (double)t->G);
}

static fc_real scale_of(const fc_token_attention *t) { return (fc_real)(1 / sqrt((double)t->d)); }

/* P = softmax(scale P) in each row */
FC_SIMD static void softmax(fc_real *restrict P, int64_t n, fc_real scale) {
  for (int64_t r = 0; r < n; r++, P += n) {
    fc_real top = P[0], sum = 0;
    FC_REDUCE(max, top) for (int64_t j = 1; j < n; j++) top = P[j] > top ? P[j] : top;
    for (int64_t j = 0; j < n; j++) P[j] = fc_exp(scale * (P[j] - top));
    FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += P[j];
    for (int64_t j = 0; j < n; j++) P[j] /= sum;
  }
}

/* "P = softmax(scale S)": dS = scale P (dP - sum P dP), over dP */
FC_SIMD static void softmax_back(fc_real *restrict dP, const fc_real *restrict P, int64_t n, fc_real scale) {
  for (int64_t r = 0; r < n; r++, P += n, dP += n) {
    fc_real dot = 0;
    FC_REDUCE(+, dot) for (int64_t j = 0; j < n; j++) dot += P[j] * dP[j];
    for (int64_t j = 0; j < n; j++) dP[j] = scale * P[j] * (dP[j] - dot);
  }
}

/* to = scale k from for head n; a mask's counter serves four elements, so a head begins at a multiple of four
 */
static void drop(const fc_token_attention *t, int64_t n, fc_real *to, const fc_real *from) {
  const int64_t square = t->G * t->G, at = n * (fc_ceil_div(square, 4) * 4);

  if (!t->drops) return;
  for (int64_t i = 0; i < square; i += FC_SPAN)
    fc_mask_apply(&t->mask, to + i, from + i, at + i, fc_min64(FC_SPAN, square - i), true);
}

static void weights(const fc_token_attention *t, int64_t n, const fc_real *Z, const layout *l) {
  const int64_t G = t->G, d = t->d;

  for (int i = 0; i < 3; i++) fc_gemm(false, true, G, d, d, 1, Z, d, t->map[i], d, 0, l->x[i], d);
  fc_gemm(false, true, G, G, d, 1, l->x[0], d, l->x[1], d, 0, l->P, G);
  softmax(l->P, G, scale_of(t));
  drop(t, n, l->D, l->P);
}

void fc_token_forward(const fc_token_attention *t, int64_t n, const fc_real *Z, fc_real *O, fc_real *room) {
  const layout l = lay_out(t, room);

  weights(t, n, Z, &l);
  fc_gemm(false, false, t->G, t->d, t->G, 1, l.D, t->G, l.x[2], t->d, 0, O, t->d);
}

void fc_token_backward(const fc_token_attention *t, int64_t n, const fc_real *Z, const fc_real *dO,
                       fc_real *dZ, fc_real *dW, fc_real *room) {
  const int64_t G = t->G, d = t->d;
  const layout  l = lay_out(t, room);

  weights(t, n, Z, &l);
  fc_gemm(true, false, G, d, G, 1, l.D, G, dO, d, 0, l.dx[2], d);       /* O = D V */
  fc_gemm(false, true, G, G, d, 1, dO, d, l.x[2], d, 0, l.dD, G);       /* O = D V */
  drop(t, n, l.dP, l.dD);                                               /* D = drop(P) */
  softmax_back(l.dP, l.P, G, scale_of(t));                              /* P = softmax(scale S) */
  fc_gemm(false, false, G, d, G, 1, l.dP, G, l.x[1], d, 0, l.dx[0], d); /* S = Q K^T */
  fc_gemm(true, false, G, d, G, 1, l.dP, G, l.x[0], d, 0, l.dx[1], d);  /* S = Q K^T */
  for (int i = 0; i < 3; i++) {                                         /* Q = Z Wq^T, .. */
    fc_gemm(false, false, G, d, d, 1, l.dx[i], d, t->map[i], d, i > 0, dZ, d);
    fc_gemm(true, false, d, d, G, 1, l.dx[i], d, Z, d, 0, dW + i * d * d, d);
  }
}
