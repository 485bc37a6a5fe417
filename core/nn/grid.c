/* core/nn/grid.c - what models on grids share around their layers. */
#include "core/domain.h"
#include "core/nn/nn.h"
#include "core/parallel.h"

/* rows [N, d] of a grid's points as a field for each of B samples: [B, X.., d] */
static fc_tensor *for_samples(fc_ctx *c, fc_tensor *points, int64_t B, int d, const int64_t *n) {
  int64_t dim[FC_MAX_DIMS] = {1};

  for (int a = 0; a < d; a++) dim[1 + a] = n[a];
  dim[1 + d] = fc_last(points);
  return fc_expand(c, fc_reshape(c, points, 2 + d, dim), 0, B);
}

fc_tensor *fc_unit_points(fc_ctx *c, int64_t B, int ndim, const int64_t *dim) {
  return for_samples(c, fc_unit_grid(c, ndim, dim, fc_cut_batch(c, dim[0])), B, ndim, dim);
}

fc_tensor *fc_lattice_points(fc_ctx *c, int64_t B, int ndim, const int64_t *dim, fc_cut first, int64_t ref) {
  static const double lo[] = {0, 0, 0}, hi[] = {1, 1, 1};

  return for_samples(c, fc_lattice_distance(c, fc_unit_grid(c, ndim, dim, first), ref, lo, hi), B, ndim, dim);
}

/* coordinates i / n[a] of a grid of cells, first axis slowest, this rank's share of the batch's grid: [N, d]
 */
static fc_tensor *cell_grid(fc_ctx *c, int d, const int64_t *n) {
  const fc_cut  first = fc_cut_batch(c, n[0]);
  const int64_t lo    = fc_cut_lo(c, first);
  int64_t       N     = 1;

  for (int a = 0; a < d; a++) N *= n[a];
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(N, d));
  if (c->dry) return y;
  FC_FOR_ROWS(i, N, 8 * d) {
    int64_t rest = i;
    for (int a = d - 1; a > 0; rest /= n[a], a--)
      y->x[i * d + a] = (fc_real)((double)(rest % n[a]) / (double)n[a]);
    y->x[i * d] = (fc_real)((double)(lo + rest) / (double)first.n);
  }
  return y;
}

fc_tensor *fc_with_cells(fc_ctx *c, fc_tensor *x) {
  const int d = x->ndim - 2;

  return fc_concat(c, 1 + d, FC_IN(x, for_samples(c, cell_grid(c, d, x->dim + 1), x->dim[0], d, x->dim + 1)));
}

void fc_grid_padding_set(fc_grid_padding *p, int ndim, const int64_t *n, fc_cut lines) {
  const int64_t zeros = p->near[0] + p->far[0];

  for (int a = 0; a < ndim; a++) p->n[a] = n[a];
  p->lines  = lines;
  p->padded = zeros ? (fc_cut){lines.n + zeros, 1} : lines;
}

/* this rank's block of the axis `to`, entry i of which is entry i + shift of the axis `from`, or zero */
static fc_tensor *shifted(fc_ctx *c, fc_tensor *x, fc_cut from, fc_cut to, int64_t shift) {
  const int size = fc_domain_size(c);
  fc_range *want = fc_arena_push(c->arena, (size_t)size * sizeof *want);

  for (int r = 0; r < size; r++)
    want[r] = (fc_range){fc_cut_at(to, r, size) + shift, fc_cut_at(to, r + 1, size) + shift};
  return fc_fetch_rows(c, x, 1, from, want, false);
}

fc_tensor *fc_pad_grid(fc_ctx *c, fc_tensor *x, const fc_grid_padding *p) {
  for (int a = 0; a < x->ndim - 2; a++) {
    if (p->near[a] + p->far[a] == 0) continue;
    x = a == 0 && fc_domain_shared(c) ? shifted(c, x, p->lines, p->padded, -p->near[0])
                                      : fc_pad(c, x, 1 + a, p->near[a], p->far[a]);
  }
  return x;
}

fc_tensor *fc_crop_grid(fc_ctx *c, fc_tensor *x, const fc_grid_padding *p) {
  for (int a = 0; a < x->ndim - 2; a++)
    if (a > 0 || !fc_domain_shared(c))
      x = fc_slice(c, x, 1 + a, p->near[a], p->n[a]);
    else if (p->near[0] + p->far[0])
      x = shifted(c, x, p->padded, p->lines, p->near[0]);
  return x;
}

fc_tensor *fc_channels_last(fc_ctx *c, fc_tensor *x) {
  int axes[FC_MAX_DIMS] = {0};

  for (int i = 1; i < x->ndim; i++) axes[i] = i < x->ndim - 1 ? i + 1 : 1;
  return fc_permute(c, x, axes);
}

fc_tensor *fc_channels_first(fc_ctx *c, fc_tensor *x) {
  int axes[FC_MAX_DIMS] = {0, x->ndim - 1};

  for (int i = 2; i < x->ndim; i++) axes[i] = i - 1;
  return fc_permute(c, x, axes);
}

fc_tensor *fc_window_channels(fc_ctx *c, fc_tensor *window) {
  const int n                 = window->ndim - 3;
  int       axes[FC_MAX_DIMS] = {0};
  int64_t   dim[FC_MAX_DIMS]  = {window->dim[0]};

  for (int a = 0; a < n; a++) axes[1 + a] = 2 + a, dim[1 + a] = window->dim[2 + a];
  axes[1 + n] = 1, axes[2 + n] = 2 + n;
  dim[1 + n] = window->dim[1] * fc_last(window);
  if (window->dim[1] > 1) window = fc_permute(c, window, axes);
  return fc_reshape(c, window, 2 + n, dim);
}

fc_tensor *fc_single_frame(fc_ctx *c, fc_tensor *y) {
  int64_t dim[FC_MAX_DIMS] = {y->dim[0], 1};

  for (int a = 1; a < y->ndim; a++) dim[1 + a] = y->dim[a];
  return fc_reshape(c, y, y->ndim + 1, dim);
}

fc_tensor *fc_cells_to_channels(fc_ctx *c, fc_tensor *x, int64_t n) {
  const int64_t B = x->dim[0], X = x->dim[1] / n, Y = x->dim[2] / n, C = x->dim[3];

  x = fc_permute(c, fc_reshape(c, x, FC_DIMS(B, X, n, Y, n, C)), (int[]){0, 1, 3, 5, 2, 4});
  return fc_reshape(c, x, FC_DIMS(B, X, Y, C * n * n));
}

fc_tensor *fc_channels_to_cells(fc_ctx *c, fc_tensor *x, int64_t n) {
  const int64_t B = x->dim[0], X = x->dim[1], Y = x->dim[2], C = x->dim[3] / (n * n);

  x = fc_permute(c, fc_reshape(c, x, FC_DIMS(B, X, Y, C, n, n)), (int[]){0, 1, 4, 2, 5, 3});
  return fc_reshape(c, x, FC_DIMS(B, n * X, n * Y, C));
}
