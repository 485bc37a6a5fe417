/* train/points_roll.c */
#include "train/points_roll.h"

#include <stdlib.h>
#include <string.h>

fc_status fc_points_roll_create(fc_ctx *ctx, const fc_network *n, const fc_points *p, fc_points_roll *out) {
  *out = (fc_points_roll){n, p, ctx, malloc((size_t)fc_points_batch_bytes(p, 1))};
  FC_REQUIRE(out->block, FC_E_SYSTEM, "no memory for a sample");
  return FC_OK;
}

void fc_points_roll_free(fc_points_roll *r) {
  free(r->block);
  r->block = NULL;
}

void fc_points_roll_frame(fc_points_roll *r, fc_sample *s, int64_t at, bool feed_back, fc_real *y) {
  const size_t     mark  = fc_arena_mark(r->ctx->arena);
  const size_t     bytes = (size_t)(s->points * r->p->out.n) * sizeof *y;
  fc_points_batch *b     = fc_points_batch_begin(r->p, 1, r->block);

  fc_points_batch_add(r->p, b, s, at);
  const fc_tensor *out = fc_points_call(r->ctx, r->network, r->p, b);
  memcpy(y, out->x, bytes);
  fc_step_end(r->ctx, mark);
  if (feed_back) memcpy(s->out + at * s->points * r->p->out.n, y, bytes);
  fc_points_undo(r->p, s->points, y);
}

fc_status fc_points_roll_bytes(const fc_model_def *def, const void *args, const fc_points *p,
                               int64_t *bytes) {
  fc_points_batch b;
  fc_network     *n;
  fc_ctx         *c;

  FC_TRY(fc_network_create(def, args, 0, true, &n));
  const fc_status s = fc_ctx_create((size_t)1 << 42, true, &c);
  if (s == FC_OK) {
    fc_ctx_share(c, &(fc_share){.domain = p->domain});
    fc_points_batch_plan(c, p, &p->most, 1, &b);
    fc_points_call(c, n, p, &b);
    *bytes = (int64_t)fc_arena_peak(c->arena);
    fc_ctx_destroy(c);
  }
  fc_network_destroy(n);
  return s;
}
