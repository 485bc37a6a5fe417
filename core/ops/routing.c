/* core/ops/routing.c - samples go to the experts whose gates are open, and what these say of them is mixed:
     take  y_i = x_{row_i}
     mix   y_b = log S_b + x_b,   S_b = sum over the experts e of b of g_be exp(v_e of b)
   Where S is 0 exactly the logarithm is that of 2.2e-16, which nothing moves (Pathformer). Which sample takes
   which place in an expert's batch is in fc_routes. */
#include "core/ops.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <float.h>
#include <string.h>

/* ---- routes ---- */

/* a plan does not know the gates: the k experts that take most get all samples, the others one each, which
   covers whatever may come */
static bool opened(const fc_ctx *c, const fc_tensor *gates, int64_t b, int64_t e, const bool *dear) {
  return c->dry ? dear[e] || b == 0 : gates->x[b * fc_last(gates) + e] != 0; /* NaN is not to be lost */
}

static void mark_dear(int64_t k, int n, const int64_t *cost, bool *dear) {
  for (int e = 0; e < n; e++) {
    int64_t before = 0;
    for (int i = 0; i < n; i++) before += cost[i] > cost[e] || (i < e && cost[i] == cost[e]);
    dear[e] = before < k;
  }
}

fc_routes *fc_routes_of(fc_ctx *c, const fc_tensor *gates, int64_t k, const int64_t *cost) {
  const int64_t B                = gates->dim[0];
  fc_routes    *r                = fc_arena_push(c->arena, sizeof *r);
  bool          dear[FC_EXPERTS] = {false};

  *r = (fc_routes){.n = (int)fc_last(gates), .samples = B};
  FC_ASSERT(gates->ndim == 2 && r->n <= FC_EXPERTS, "routes: gates %s", fc_shape_text(gates));
  mark_dear(k, r->n, cost, dear);
  r->place = fc_arena_push(c->arena, (size_t)(B * r->n) * sizeof *r->place);
  for (int e = 0; e < r->n; e++) {
    r->row[e] = fc_arena_push(c->arena, (size_t)B * sizeof *r->row[e]);
    for (int64_t b = 0; b < B; b++) {
      const bool open        = opened(c, gates, b, e, dear);
      r->place[b * r->n + e] = open ? r->count[e] : -1;
      if (open) r->row[e][r->count[e]++] = b;
    }
  }
  return r;
}

/* ---- take ---- */

typedef struct {
  int64_t        n, width;
  const int64_t *row;
} taken;

/* "y_i = x_{row_i}": dx_{row_i} += dy_i; no row comes twice */
static void take_backward(fc_ctx *c, const fc_node *node) {
  const taken *t  = node->saved;
  fc_real     *dx = fc_grad(c, node->in[0]);

  if (!dx) return;
  FC_FOR_ROWS(i, t->n, t->width)
  fc_span_add(dx + t->row[i] * t->width, node->out->g + i * t->width, t->width);
}

static const fc_op take = {"take", take_backward, false};

fc_tensor *fc_take_samples(fc_ctx *c, fc_tensor *x, const fc_routes *r, int e) {
  int64_t dim[FC_MAX_DIMS];
  taken  *t = fc_arena_push(c->arena, sizeof *t);

  *t = (taken){r->count[e], fc_span(x, 1, x->ndim), r->row[e]};
  memcpy(dim, x->dim, sizeof dim);
  dim[0]       = t->n;
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, dim);
  if (!c->dry) FC_FOR_ROWS(i, t->n, t->width)
  memcpy(y->x + i * t->width, x->x + t->row[i] * t->width, (size_t)t->width * sizeof *y->x);
  return fc_record(c, &take, y, t, FC_IN(x));
}

/* ---- mix ---- */

typedef struct {
  const fc_routes *r;
  int64_t          width;
  fc_real         *S; /* [B, width] */
} mixture;

FC_SIMD static void add_exp(fc_real *restrict S, const fc_real *restrict v, fc_real g, int64_t n) {
  for (int64_t j = 0; j < n; j++) S[j] += g * fc_exp(v[j]);
}

FC_SIMD static void take_log(fc_real *restrict y, const fc_real *restrict S, const fc_real *restrict r,
                             int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] = fc_log(S[j] == 0 ? (fc_real)DBL_EPSILON : S[j]);
  for (int64_t j = 0; r && j < n; j++) y[j] += r[j];
}

/* in: gates, residual or NULL, then the answers of experts that have samples, else NULL */
static void mix_sample(const mixture *m, fc_tensor *const *in, int64_t b, fc_real *y) {
  const fc_routes *r = m->r;

  for (int64_t at = 0; at < m->width; at += FC_SPAN) {
    const int64_t n = fc_min64(FC_SPAN, m->width - at), from = b * m->width + at;
    memset(m->S + from, 0, (size_t)n * sizeof *m->S);
    for (int e = 0; e < r->n; e++) {
      const int64_t place = r->place[b * r->n + e];
      if (place >= 0) add_exp(m->S + from, in[2 + e]->x + place * m->width + at, in[0]->x[b * r->n + e], n);
    }
    take_log(y + from, m->S + from, in[1] ? in[1]->x + from : NULL, n);
  }
}

/* ratio_j = exp(v_j) dy_j / S_j, 0 where S is 0; dv += g ratio; returns the sum of the ratios */
FC_SIMD static fc_real back_span(fc_real *restrict dv, const fc_real *restrict v, const fc_real *restrict S,
                                 const fc_real *restrict dy, fc_real g, int64_t n) {
  fc_real sum = 0;

  FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) {
    const fc_real ratio = S[j] == 0 ? 0 : fc_exp(v[j]) * (dy[j] / S[j]);
    if (dv) dv[j] += g * ratio;
    sum += ratio;
  }
  return sum;
}

/* "y = log S, S = sum g exp(v)": dv += g exp(v) dy / S, dg = sum exp(v) dy / S */
static void back_sample(const mixture *m, const fc_node *node, int64_t b, fc_real *dg) {
  const fc_routes *r = m->r;

  for (int e = 0; e < r->n; e++) {
    const int64_t place = r->place[b * r->n + e];
    double        sum   = 0;
    if (place < 0) continue;
    for (int64_t at = 0; at < m->width; at += FC_SPAN) {
      const int64_t own = place * m->width + at, from = b * m->width + at;
      fc_real      *dv = node->in[2 + e]->g;
      sum +=
          (double)back_span(dv ? dv + own : NULL, node->in[2 + e]->x + own, m->S + from, node->out->g + from,
                            node->in[0]->x[b * r->n + e], fc_min64(FC_SPAN, m->width - at));
    }
    if (dg) dg[b * r->n + e] += (fc_real)sum;
  }
}

static void mix_backward(fc_ctx *c, const fc_node *node) {
  const mixture *m  = node->saved;
  fc_real       *dg = fc_grad(c, node->in[0]);

  for (int e = 0; e < m->r->n; e++) fc_grad(c, node->in[2 + e]);
  FC_FOR_TASKS(b, m->r->samples, m->r->samples * m->width) back_sample(m, node, b, dg);
  fc_grad_give(c, node, node->in[1]);
}

static const fc_op mix = {"mix_log", mix_backward, false};

fc_tensor *fc_mix_log(fc_ctx *c, fc_tensor *gates, const fc_routes *r, fc_tensor *const *v, fc_tensor *x,
                      bool residual) {
  fc_tensor *in[2 + FC_EXPERTS] = {gates, residual ? x : NULL};
  fc_tensor *y                  = fc_tensor_new(c->arena, x->ndim, x->dim);
  mixture   *m                  = fc_arena_push(c->arena, sizeof *m);

  memcpy(in + 2, v, (size_t)r->n * sizeof *v);
  *m   = (mixture){r, fc_span(y, 1, y->ndim), NULL};
  m->S = fc_arena_push(c->arena, (size_t)fc_len(y) * sizeof *m->S);
  for (int e = 0; e < r->n; e++)
    FC_ASSERT(!r->count[e] || (v[e] && fc_len(v[e]) == r->count[e] * m->width), "mix_log: expert %d of %s", e,
              fc_shape_text(y));
  if (!c->dry) FC_FOR_TASKS(b, r->samples, r->samples * m->width) mix_sample(m, in, b, y->x);
  return fc_record(c, &mix, y, m, 2 + r->n, in);
}

/* ---- reach ---- */

static void reach_backward(fc_ctx *c, const fc_node *node) {
  for (int i = 1; i < node->n_in; i++) fc_grad(c, node->in[i]);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op reach = {"reach", reach_backward, false};

fc_tensor *fc_reach(fc_ctx *c, fc_tensor *x, int n, fc_tensor *const *w) {
  const size_t bytes = (size_t)(n + 1) * sizeof *w;
  fc_tensor   *y = fc_tensor_view(c->arena, x, x->ndim, x->dim), **in = fc_arena_push(c->arena, bytes);

  in[0] = x;
  memcpy(in + 1, w, bytes - sizeof *w);
  return fc_record(c, &reach, y, NULL, n + 1, in);
}
