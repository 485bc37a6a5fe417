/* core/ops/fft.c - real discrete Fourier transforms over the last 1, 2 or 3 axes, and their adjoints.
     rfft    z_k = s sum_n x_n exp(-i theta_kn),           k_last = 0 .. n_last/2
     irfft   x_n = s Re sum_k w_k z_k exp(+i theta_kn),    w_k = 1 where k_last = 0 or 2 k_last = n_last, else
   2 theta_kn = 2 pi sum_a k_a n_a / N_a; s holds the 1/N, 1/sqrt(N) or 1 of the norm, N = product of N_a. The
   weights w stand for the half of the spectrum that is not stored. x [.., X, Y], z [.., X, Y/2+1, 2], the
   last axis being (real, imaginary).

   In irfft only the real part of the sum counts. So a half spectrum that belongs to no real field (which a
   learned multiplier easily makes) is taken as PyTorch's irfftn takes it: the axes before the last are
   transformed as complex numbers, then the imaginary parts of the self-conjugate modes (w_k = 1) are ignored.

   With real and imaginary parts as independent real numbers, the transposes of these maps are
     rfft^T  dx_n = s Re sum_k g_k exp(+i theta_kn)        = s irfft(g / w) without its own scale
     irfft^T dz_k = s w_k sum_n g_n exp(-i theta_kn)       = s w rfft(g)    without its own scale */
#include "core/ops.h"
#include "core/ops/fft_plans.h"
#include "core/parallel.h"

#include <math.h>

enum { BLOCK_POINTS = 1 << 14, MAX_SLOTS = 64 };

typedef struct {
  int     n_space;
  int64_t n[3];
  int64_t count;         /* transforms */
  int64_t points, modes; /* of one transform; a mode is two numbers */
  int64_t block, blocks; /* transforms done by one FFTW call; fixed by the shape */
  int64_t slots;         /* tasks, each with its own scratch; task t does blocks t, t + slots, .. */
  fc_real scale;
} layout;

static layout make_layout(int n_space, const int64_t *n, int64_t count, double scale) {
  layout l = {.n_space = n_space, .count = count, .points = 1, .modes = 1, .scale = (fc_real)scale};

  for (int a = 0; a < n_space; a++) {
    l.n[a] = n[a];
    l.points *= n[a];
    l.modes *= a == n_space - 1 ? n[a] / 2 + 1 : n[a];
  }
  /* multiples of 4 transforms keep every block on FFTW's 16-byte alignment, whatever n is */
  l.block  = BLOCK_POINTS / fc_max64(l.points, 1);
  l.block  = fc_min64(l.block < 4 ? 1 : l.block / 4 * 4, fc_max64(count, 1));
  l.blocks = fc_ceil_div(count, l.block);
  l.slots  = fc_min64(l.blocks, MAX_SLOTS);
  return l;
}

/* by the usual count for real transforms, 5/2 N log2 N */
static double flops_of(const layout *l) {
  return 2.5 * (double)(l->count * l->points) * log2((double)fc_max64(l->points, 1));
}

FC_SIMD static void scale_span(fc_real *y, const fc_real *x, int64_t n, fc_real factor, bool add) {
  if (add)
    FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] += factor * x[i];
  else
    FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] = factor * x[i];
}

/* y (+)= factor x over rows of modes, where factor is `inner` for the modes that stand for two, `edge` for
   the self-conjugate ones; y may be x */
static void weigh_rows(const layout *l, fc_real *y, const fc_real *x, int64_t rows, fc_real edge,
                       fc_real inner, bool add) {
  const int64_t last = l->n[l->n_space - 1], width = 2 * (last / 2 + 1);
  const int64_t end = last % 2 ? width : fc_max64(2, width - 2);

  for (int64_t r = 0; r < rows; r++, x += width, y += width) {
    scale_span(y, x, 2, edge, add);
    scale_span(y + 2, x + 2, end - 2, inner, add);
    scale_span(y + end, x + end, width - end, edge, add);
  }
}

/* what one call of run_blocks does with every block: z (+)= scale w^p R2C(x) or x (+)= C2R(scale w^p z) */
typedef struct {
  bool           to_modes, add;
  fc_real        edge, inner;
  const fc_real *in;
  fc_real       *out;
} job;

/* scratch: a block of modes, then a block of points */
static void run_block(const layout *l, const job *j, const fc_fft_plan *plan, int64_t b, fc_real *scratch) {
  const int64_t from = b * l->block, count = fc_min64(l->block, l->count - from);
  const int64_t width = 2 * l->modes, rows = count * l->modes / (l->n[l->n_space - 1] / 2 + 1);

  if (j->to_modes) {
    fc_real *x = (fc_real *)j->in + from * l->points, *z = j->out + from * width, *to = j->add ? scratch : z;
    fc_fft_plan_run(plan, x, to);
    if (j->add || j->edge != 1 || j->inner != 1) weigh_rows(l, z, to, rows, j->edge, j->inner, j->add);
  } else {
    fc_real *x = j->out + from * l->points, *to = j->add ? scratch + l->block * width : x;
    weigh_rows(l, scratch, j->in + from * width, rows, j->edge, j->inner, false);
    fc_fft_plan_run(plan, to, scratch);
    if (j->add) scale_span(x, to, count * l->points, 1, true);
  }
}

static const fc_fft_plan *plan_block(fc_ctx *c, const layout *l, const job *j, int64_t b, fc_real *scratch) {
  const int64_t from = b * l->block, width = 2 * l->modes;
  fc_fft_shape  s = {
       j->to_modes, l->n_space, {l->n[0], l->n[1], l->n[2]}, fc_min64(l->block, l->count - from)};
  fc_real *out = j->out + from * (j->to_modes ? width : l->points);

  if (j->to_modes)
    return fc_fft_plan_find(c, &s, (fc_real *)j->in + from * l->points, j->add ? scratch : out);
  return fc_fft_plan_find(c, &s, j->add ? scratch + l->block * width : out, scratch);
}

static void run_blocks(fc_ctx *c, const layout *l, const job *j) {
  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t slot = fc_ceil_div(l->block * (2 * l->modes + l->points), 16) * 16; /* keeps 64-byte steps */
  const bool    direct = j->to_modes && !j->add;
  fc_real *scratch     = direct ? NULL : fc_arena_push(c->arena, (size_t)(l->slots * slot) * sizeof *scratch);
  const fc_fft_plan **plan = fc_arena_push(c->arena, (size_t)l->blocks * sizeof *plan);

  c->flops += flops_of(l);
  if (!c->dry) {
    for (int64_t b = 0; b < l->blocks; b++) plan[b] = plan_block(c, l, j, b, scratch);
    FC_FOR_TASKS(t, l->slots, 16 * l->count * l->points)
    for (int64_t b = t; b < l->blocks; b += l->slots)
      run_block(l, j, plan[b], b, direct ? NULL : scratch + t * slot);
  }
  fc_arena_pop(c->arena, mark);
}

/* "z = s R2C(x)": dx += C2R(s g / w) */
static void rfft_backward(fc_ctx *c, const fc_node *node) {
  const layout *l = node->saved;
  bool          fresh;
  fc_real      *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) run_blocks(c, l, &(job){false, !fresh, l->scale, l->scale / 2, node->out->g, dx});
}

/* "x = C2R(s z)", where C2R weighs by w: dz += s w R2C(g) */
static void irfft_backward(fc_ctx *c, const fc_node *node) {
  const layout *l = node->saved;
  bool          fresh;
  fc_real      *dz = fc_grad_raw(c, node->in[0], &fresh);

  if (dz) run_blocks(c, l, &(job){true, !fresh, l->scale, 2 * l->scale, node->out->g, dz});
}

static const fc_op rfft  = {"rfft", rfft_backward, true};
static const fc_op irfft = {"irfft", irfft_backward, true};

static layout *keep_layout(fc_ctx *c, layout l) {
  layout *p = fc_arena_push(c->arena, sizeof *p);

  *p = l;
  return p;
}

fc_tensor *fc_rfft(fc_ctx *c, fc_tensor *x, int n_space, fc_fft_norm norm) {
  const int lead = x->ndim - n_space;
  int64_t   dim[FC_MAX_DIMS + 1];

  FC_ASSERT(n_space >= 1 && n_space <= 3 && lead >= 0 && x->ndim < FC_MAX_DIMS &&
                fc_span(x, lead, x->ndim) > 0,
            "rfft: %d space axes of %s", n_space, fc_shape_text(x));
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] = fc_last(x) / 2 + 1;
  dim[x->ndim]     = 2;
  fc_tensor   *z   = fc_tensor_new(c->arena, x->ndim + 1, dim);
  const double s   = fc_fft_scale(norm, false, fc_span(x, lead, x->ndim));
  layout      *l   = keep_layout(c, make_layout(n_space, x->dim + lead, fc_span(x, 0, lead), s));
  run_blocks(c, l, &(job){true, false, l->scale, l->scale, x->x, z->x});
  return fc_record(c, &rfft, z, l, FC_IN(x));
}

fc_tensor *fc_irfft(fc_ctx *c, fc_tensor *z, int n_space, int64_t n_last, fc_fft_norm norm) {
  const int ndim = z->ndim - 1, lead = ndim - n_space;
  int64_t   dim[FC_MAX_DIMS];

  FC_ASSERT(n_space >= 1 && n_space <= 3 && lead >= 0 && fc_last(z) == 2 && n_last > 0 &&
                z->dim[ndim - 1] == n_last / 2 + 1 && fc_span(z, lead, ndim) > 0,
            "irfft: %d space axes of %s, the last becoming %lld long", n_space, fc_shape_text(z),
            (long long)n_last);
  for (int i = 0; i < ndim; i++) dim[i] = z->dim[i];
  dim[ndim - 1]  = n_last;
  fc_tensor   *x = fc_tensor_new(c->arena, ndim, dim);
  const double s = fc_fft_scale(norm, true, fc_span(x, lead, ndim));
  layout      *l = keep_layout(c, make_layout(n_space, dim + lead, fc_span(x, 0, lead), s));
  run_blocks(c, l, &(job){false, false, l->scale, l->scale, z->x, x->x});
  return fc_record(c, &irfft, x, l, FC_IN(z));
}
