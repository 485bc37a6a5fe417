/* core/ops/lattice_distance.c - Euclidean distances of points to a reference lattice (the unified position of
   Transolver, arXiv 2402.02366):
     y[n, j] = |x_n - r_j| = sqrt(sum_a (x[n, a] - r[a, j])^2),     x [.., s], y [.., ref^s]
   r_j has ref coordinates lo_a .. hi_a along axis a, both ends included, first axis slowest. */
#include "core/ops.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

enum { MAX_AXES = 3 };

typedef struct {
  int64_t  n, s;
  fc_real *r; /* [s, n] */
} lattice;

/* as numpy.linspace: in double, one coordinate per axis lies at lo */
static void fill(lattice *l, int64_t ref, const double *lo, const double *hi) {
  for (int64_t j = 0; j < l->n; j++) {
    int64_t rest = j;
    for (int64_t a = l->s - 1; a >= 0; rest /= ref, a--) {
      const double step  = ref > 1 ? (hi[a] - lo[a]) / (double)(ref - 1) : 0;
      l->r[a * l->n + j] = (fc_real)(lo[a] + step * (double)(rest % ref));
    }
  }
}

FC_SIMD static void forward_row(fc_real *restrict y, const fc_real *restrict x, const lattice *l) {
  const int64_t n = l->n;

  for (int64_t j = 0; j < n; j++) y[j] = (x[0] - l->r[j]) * (x[0] - l->r[j]);
  for (int64_t a = 1; a < l->s; a++) {
    const fc_real *restrict r = l->r + a * n;
    for (int64_t j = 0; j < n; j++) y[j] += (x[a] - r[j]) * (x[a] - r[j]);
  }
  for (int64_t j = 0; j < n; j++) y[j] = fc_sqrt(y[j]);
}

/* y_j = |x - r_j|: dx_a += sum_j (x_a - r_aj) / y_j dy_j */
FC_SIMD static void backward_row(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict y,
                                 const fc_real *restrict x, const lattice *l, bool fresh) {
  for (int64_t a = 0; a < l->s; a++) {
    const fc_real *restrict r = l->r + a * l->n;
    fc_real sum               = 0;
    FC_REDUCE(+, sum)
    for (int64_t j = 0; j < l->n; j++) sum += y[j] > 0 ? (x[a] - r[j]) / y[j] * dy[j] : 0;
    dx[a] = fc_into(fresh, dx[a], sum);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const lattice   *l = node->saved;
  const fc_tensor *y = node->out, *x = node->in[0];
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  FC_FOR_ROWS(i, fc_rows(x), 4 * l->n)
  backward_row(dx + i * l->s, y->g + i * l->n, y->x + i * l->n, x->x + i * l->s, l, fresh);
}

static const fc_op lattice_distance = {"lattice_distance", backward, false};

fc_tensor *fc_lattice_distance(fc_ctx *c, fc_tensor *x, int64_t ref, const double *lo, const double *hi) {
  int64_t  dim[FC_MAX_DIMS];
  lattice *l = fc_arena_push(c->arena, sizeof *l);

  *l = (lattice){1, fc_last(x), NULL};
  FC_ASSERT(x->ndim >= 1 && l->s >= 1 && l->s <= MAX_AXES && ref >= 1,
            "lattice_distance: points %s, %lld lattice points per axis", fc_shape_text(x), (long long)ref);
  for (int64_t a = 0; a < l->s; a++) l->n *= ref;
  l->r = fc_arena_push(c->arena, (size_t)(l->s * l->n) * sizeof *l->r);
  for (int a = 0; a < x->ndim; a++) dim[a] = x->dim[a];
  dim[x->ndim - 1] = l->n;
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  if (!c->dry) {
    fill(l, ref, lo, hi);
    FC_FOR_ROWS(i, fc_rows(x), 2 * l->s * l->n) forward_row(y->x + i * l->n, x->x + i * l->s, l);
  }
  return fc_record(c, &lattice_distance, y, l, FC_IN(x));
}
