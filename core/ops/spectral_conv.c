/* core/ops/spectral_conv.c - a convolution whose kernel is given by its low modes (Li et al. 2021, arXiv
   2010.08895):  y = r + b + Re sum_k s' w_k exp(+i k x) Y(k),  Y_o(k) = sum_i X_i(k) W_io(k),
   X(k) = s sum_x x exp(-i k x), over the retained modes k. s and s' hold the 1/N of the norm; w_k = 1 where
   the mode is its own conjugate along the last axis (k_last = 0 or n_last/2), else 2: the half of the
   spectrum that is not stored. So modes that belong to no real field are taken as PyTorch's irfftn takes them
   (core/ops/fft.c). x [B, n.., I], W [I, O, M.., 2], y and r [B, n.., O], b [O].

   Only X is kept for backward; neither whole spectra nor fields are stored in between. Ranks that share the
   first axis have some of the modes each (core/ops/mode_shards.c). */
#include "core/domain.h"
#include "core/ops/epilogue.h"
#include "core/ops/fft_plans.h"
#include "core/ops/modes.h"

#include <string.h>

typedef struct {
  fc_modes *m;
  fc_real  *X; /* modes of x */
  int64_t   B, I, O;
  int       n_w;
  double    to, from; /* s, s' */
} saved;

static fc_real *push_modes(fc_ctx *c, const saved *s, int64_t C) {
  return fc_arena_push(c->arena, (size_t)fc_modes_length(s->m, s->B, C) * sizeof(fc_real));
}

static void forward(fc_ctx *c, const saved *s, const fc_real *x, fc_tensor *const *W,
                    const fc_fft_field *to) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *Y    = push_modes(c, s, s->O);

  fc_modes_from_field(c, s->m, s->B, s->I, x, (fc_real)s->to, (fc_real)s->to, s->X);
  fc_modes_product(c, s->m, s->B, s->I, s->O, s->n_w, W, s->X, Y);
  fc_modes_to_field(c, s->m, s->B, Y, (fc_real)s->from, (fc_real)(2 * s->from), to);
  fc_arena_pop(c->arena, mark);
}

/* A weight's gradient is zero before the first contribution, which may so be stored instead of added. Numbers
   of modes that this grid does not have stay as they are. */
static void weight_gradients(fc_ctx *c, const fc_node *node, const saved *s, fc_real **dW, bool *add) {
  for (int w = 0; w < s->n_w; w++) {
    fc_tensor *W = node->in[1 + w];
    add[w]       = !W->is_param || W->has_grad;
    dW[w]        = fc_grad(c, W);
  }
}

/* the transposes of the three maps, last one first */
static void backward(fc_ctx *c, const fc_node *node) {
  const saved *s = node->saved;
  fc_tensor   *b = node->in[1 + s->n_w], *r = node->in[2 + s->n_w];
  fc_real     *dW[FC_WEIGHTS], *dy          = node->out->g;
  bool         add[FC_WEIGHTS], fresh;
  fc_real     *dx = fc_grad_raw(c, node->in[0], &fresh), *db = fc_grad(c, b);

  weight_gradients(c, node, s, dW, add);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *dY = push_modes(c, s, s->O), *dX = push_modes(c, s, s->I);
  fc_modes_from_field(c, s->m, s->B, s->O, dy, (fc_real)s->from, (fc_real)(2 * s->from), dY);
  fc_modes_product_back(c, s->m, s->B, s->I, s->O, s->n_w, node->in + 1, s->X, dY, dX, dW, add);
  if (dx)
    fc_modes_to_field(c, s->m, s->B, dX, (fc_real)s->to, (fc_real)s->to,
                      &(fc_fft_field){dx, s->I, NULL, !fresh});
  fc_arena_pop(c->arena, mark);
  if (db && !c->dry) fc_column_sums(c->arena, dy, fc_rows(node->out), s->O, db);
  fc_grad_give(c, node, r);
}

static const fc_op spectral_conv = {"spectral_conv", backward, true};

static int64_t frequencies(const fc_tensor *x, int64_t lines, int axis) {
  const int64_t n = axis ? x->dim[1 + axis] : lines;
  return axis == x->ndim - 3 ? n / 2 + 1 : n;
}

static void check_shapes(const fc_tensor *x, int64_t lines, int n_w, fc_tensor *const *W, const fc_tensor *b,
                         const fc_tensor *r) {
  const int64_t I = fc_last(x), O = W[0]->dim[1], points = fc_len(x) / fc_max64(1, I);
  const int     n = x->ndim - 2;

  FC_ASSERT(n >= 1 && n <= 3 && (n_w == 1 || n_w == 1 << (n - 1)) && W[0]->ndim == n + 3 &&
                W[0]->dim[0] == I && fc_last(W[0]) == 2 && (!b || fc_len(b) == O) &&
                (!r || fc_len(r) == points * O),
            "spectral_conv: input %s, %d weights %s, bias %s, sum with %s", fc_shape_text(x), n_w,
            fc_shape_text(W[0]), b ? fc_shape_text(b) : "none", r ? fc_shape_text(r) : "none");
  for (int w = 1; w < n_w; w++)
    for (int a = 0; a < n; a++)
      FC_ASSERT(fc_same_shape(W[w], W[0]) && W[0]->dim[2 + a] <= frequencies(x, lines, a),
                "spectral_conv: weight %s on a grid of %s", fc_shape_text(W[w]), fc_shape_text(x));
}

static fc_tensor *output(fc_ctx *c, const fc_tensor *x, int64_t O, fc_tensor *r) {
  int64_t dim[FC_MAX_DIMS];

  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] = O;
  return r ? fc_tensor_view(c->arena, r, x->ndim, dim) : fc_tensor_new(c->arena, x->ndim, dim);
}

fc_tensor *fc_spectral_conv_shared(fc_ctx *c, fc_tensor *x, fc_cut lines, int n_w, fc_tensor *const *W,
                                   fc_tensor *b, fc_tensor *r, fc_fft_norm norm) {
  const int     n                  = x->ndim - 2;
  const int64_t points             = lines.n * fc_span(x, 2, x->ndim - 1);
  saved        *s                  = fc_arena_push(c->arena, sizeof *s);
  fc_tensor    *in[3 + FC_WEIGHTS] = {x};

  check_shapes(x, lines.n, n_w, W, b, r);
  *s           = (saved){.B = x->dim[0], .I = fc_last(x), .O = W[0]->dim[1], .n_w = n_w};
  s->m         = fc_domain_shared(c) ? fc_modes_of_shares(c, n, x->dim + 1, lines, n_w, W)
                                     : fc_modes_of(c->arena, n, x->dim + 1, n_w, W);
  s->X         = push_modes(c, s, s->I);
  s->to        = fc_fft_scale(norm, false, points);
  s->from      = fc_fft_scale(norm, true, points);
  fc_tensor *y = output(c, x, s->O, r);
  forward(c, s, x->x, W, &(fc_fft_field){y->x, s->O, b ? b->x : NULL, r});
  memcpy(in + 1, W, (size_t)n_w * sizeof *in);
  in[1 + n_w] = b, in[2 + n_w] = r;
  return fc_record(c, &spectral_conv, y, s, 3 + n_w, in);
}

fc_tensor *fc_spectral_conv(fc_ctx *c, fc_tensor *x, int n_w, fc_tensor *const *W, fc_tensor *b, fc_tensor *r,
                            fc_fft_norm norm) {
  return fc_spectral_conv_shared(c, x, (fc_cut){x->dim[1], 1}, n_w, W, b, r, norm);
}
