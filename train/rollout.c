/* train/rollout.c */
#include "train/rollout.h"

#include "core/progress.h"
#include "train/march.h"
#include "train/plan.h"

#include <stdlib.h>
#include <string.h>

struct fc_rollout {
  const fc_run *run;
  fc_source    *s;
  fc_ctx       *ctx;
  int64_t       k, left;                /* frames per call; frames of the last call not yet handed out */
  fc_real      *window, *last, *frames; /* normalised history; newest frame and k predictions in units */
  fc_real      *params;                 /* normalised */
  double        seconds, first_seconds;
  int64_t       calls;
};

static fc_status build(fc_rollout *r, const fc_share *share) {
  const fc_network *n = r->run->network;
  const char       *why;
  int64_t           bytes;

  FC_TRY(fc_plan_call(n->def, n->args, &r->run->k.settings, share, r->s->geo.ndim, r->s->geo.dim, 1, r->k,
                      &bytes));
  const int64_t left = fc_memory_available(&why);
  FC_REQUIRE(bytes <= left, FC_E_SYSTEM,
             "a call on this grid needs %.0f MiB, there are %.0f (%s); use a coarser grid",
             (double)bytes / 0x1p20, (double)left / 0x1p20, why);
  FC_TRY(fc_ctx_create((size_t)bytes + (size_t)bytes / 4 + ((size_t)64 << 20), false, &r->ctx));
  fc_ctx_share(r->ctx, share);
  r->window = malloc((size_t)(n->frames.n_in * r->s->in_len) * sizeof(fc_real));
  r->last   = malloc((size_t)r->s->out_len * sizeof(fc_real));
  r->frames = malloc((size_t)(r->k * r->s->out_len) * sizeof(fc_real));
  r->params = malloc((size_t)(r->s->params.n + 1) * sizeof(fc_real));
  FC_REQUIRE(r->params && r->window && r->last && r->frames, FC_E_SYSTEM,
             "no memory for the frames of a rollout");
  return FC_OK;
}

fc_status fc_rollout_create(const fc_run *run, fc_source *source, const fc_share *share, fc_rollout **out) {
  fc_rollout   *r       = calloc(1, sizeof *r);
  const int64_t trained = run->k.settings.train.out_frames, most = run->network->frames.max_out;

  FC_REQUIRE(r, FC_E_SYSTEM, "no memory for a rollout");
  r->run            = run;
  r->s              = source;
  r->k              = trained > 0 ? fc_min64(trained, most) : most;
  const fc_status s = build(r, share);
  if (s == FC_OK)
    *out = r;
  else
    fc_rollout_destroy(r);
  return s;
}

void fc_rollout_destroy(fc_rollout *r) {
  if (!r) return;
  fc_ctx_destroy(r->ctx);
  free(r->window);
  free(r->last);
  free(r->frames);
  free(r->params);
  free(r);
}

int64_t fc_rollout_span(const fc_rollout *r) {
  return r->s->steady ? 0 : r->run->network->frames.n_in * r->s->frame_stride;
}
int64_t        fc_rollout_per_call(const fc_rollout *r) { return r->k; }
const fc_real *fc_rollout_last(const fc_rollout *r) { return r->last; }
const fc_real *fc_rollout_history(const fc_rollout *r) { return r->window; }

fc_status fc_rollout_start(fc_rollout *r, int64_t traj, int64_t start) {
  const int64_t n_in = r->run->network->frames.n_in, len = r->s->out_len;

  r->left = 0;
  FC_TRY(fc_source_params(r->s, traj, r->params));
  if (r->s->steady) {
    memset(r->last, 0, (size_t)len * sizeof *r->last);
    fc_scaling_undo(&r->s->out, r->s->points, r->last); /* nothing came before: the training mean */
    return fc_source_input(r->s, traj, r->window);
  }
  FC_TRY(fc_source_frames(r->s, traj, start, n_in, r->window));
  memcpy(r->last, r->window + (n_in - 1) * len, (size_t)len * sizeof *r->last);
  fc_scaling_undo(&r->s->out, r->s->points, r->last);
  return FC_OK;
}

static void call(fc_rollout *r) {
  const fc_network *n     = r->run->network;
  const int64_t     len   = r->s->out_len;
  const size_t      mark  = fc_arena_mark(r->ctx->arena);
  const double      begin = fc_now();

  r->ctx->step = (uint64_t)r->calls; /* each call draws other random numbers */
  const fc_tensor *y =
      fc_march_quiet(r->ctx, n, r->s->geo.ndim, r->s->geo.dim, 1, r->window, r->params, r->k);

  memcpy(r->frames, y->x, (size_t)(r->k * len) * sizeof *r->frames);
  fc_step_end(r->ctx, mark);
  if (!r->s->steady) fc_march_shift(r->window, r->frames, 1, n->frames.n_in, r->k, len);
  fc_scaling_undo(&r->s->out, r->k * r->s->points, r->frames);
  if (!r->calls++)
    r->first_seconds = fc_now() - begin; /* page faults and FFT plans */
  else
    r->seconds += fc_now() - begin;
  r->left = r->k;
}

const fc_real *fc_rollout_next(fc_rollout *r) {
  if (!r->left) call(r);
  return r->frames + (r->k - r->left--) * r->s->out_len;
}

double fc_rollout_cost(const fc_rollout *r) {
  if (!r->calls) return 0;
  return r->calls == 1 ? r->first_seconds / (double)r->k : r->seconds / (double)((r->calls - 1) * r->k);
}
