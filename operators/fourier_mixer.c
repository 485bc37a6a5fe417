/* operators/fourier_mixer.c - a small operator of our own: the Fourier mixing of FNet on grids. Lee-Thorp,
   Ainslie, Eckstein, Ontanon, "FNet: Mixing Tokens with Fourier Transforms", NAACL 2022, arXiv 2105.03824.

   In place of attention, every number of a layer becomes the real part of a discrete Fourier transform over
   space and channels. That has no weights and costs a few transforms; what is learned are maps of each point.

   Letters: B batch, X.. grid of N points, T input frames, C channels, D dim. All arrays are channels-last. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/nn.h"
#include "core/vmath.h"

#include <string.h>

enum { MAX_DEPTH = 64, MAX_SPACE = 3 };

typedef enum { ORTHO, SUM } scaling;

/* ---- options ---- */

typedef struct {
  int64_t axes, in_channels, out_channels, in_frames, dim, depth, mlp_ratio;
  int     mixing;
  double  dropout;
  bool    coordinates, steady, recompute;
} config;

static const fc_option options[] = {
    FC_OPT_INT(config, axes, "2", 1, MAX_SPACE, "axes of the grid"),
    FC_OPT_INT(config, in_channels, "1", 1, 4096, "input channels C of a frame"),
    FC_OPT_INT(config, out_channels, "1", 1, 4096, "output channels"),
    FC_OPT_INT(config, in_frames, "1", 1, 256, "input frames T"),
    FC_OPT_INT(config, dim, "64", 1, 8192, "width D"),
    FC_OPT_INT(config, depth, "4", 1, MAX_DEPTH,
               "blocks; two transforms give a reflection, so an even number"),
    FC_OPT_INT(config, mlp_ratio, "2", 1, 64, "hidden width of the maps of each point, in units of dim"),
    FC_OPT_CHOICE(config, mixing, "ortho|sum", "ortho",
                  "factor of the transform: 1/sqrt(N D), or 1 as in FNet"),
    FC_OPT_REAL(config, dropout, "0", 0, 1, "behind the map of each point"),
    FC_OPT_BOOL(config, coordinates, "true", "coordinates as further input channels"),
    FC_OPT_BOOL(config, steady, "false", "one field to another, without time"),
    FC_OPT_BOOL(config, recompute, "false", "keep only the borders of blocks and run them again in backward"),
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct {
  fc_norm norm[2];
  fc_mlp  mlp;
} block;

typedef struct {
  config    cfg;
  fc_linear lift;
  block     blocks[MAX_DEPTH];
  fc_mlp    head;
} model;

static void init_block(block *b, fc_params *p, const config *g) {
  fc_norm_init(&b->norm[0], p, "mixing_norm", g->dim, 1e-5);
  fc_mlp_init(&b->mlp, p, "mlp", g->dim, g->dim * g->mlp_ratio, g->dim);
  fc_norm_init(&b->norm[1], p, "output_norm", g->dim, 1e-5);
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model *m = self;

  memset(m, 0, sizeof *m);
  m->cfg           = *(const config *)cfg;
  const config *g  = &m->cfg;
  const int64_t in = g->in_channels * g->in_frames + (g->coordinates ? g->axes : 0);
  FC_REQUIRE(!g->steady || g->in_frames == 1, FC_E_USAGE,
             "fourier_mixer: steady problems have one frame, in_frames is %lld", (long long)g->in_frames);
  fc_linear_init(&m->lift, p, "lift", in, g->dim, true);
  for (int i = 0; i < g->depth; i++) {
    fc_params_push(p, "blocks.%d", i);
    init_block(&m->blocks[i], p, g);
    fc_params_pop(p);
  }
  fc_mlp_init(&m->head, p, "head", g->dim, g->dim * g->mlp_ratio, g->out_channels);
  return FC_OK;
}

/* ---- the network ---- */

typedef struct {
  const config *g;
  const block  *b;
} block_call;

/* h <- LN(h + s M(h));  h <- LN(h + W2 gelu(W1 h + b1) + b2) */
static fc_tensor *apply_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const block_call *call  = self;
  const block      *b     = call->b;
  fc_tensor        *h     = in[n_in - 1];
  const fc_cut      lines = fc_cut_batch(c, h->dim[1]);
  const double      N = (double)(lines.n * fc_span(h, 2, h->ndim)); /* numbers of a sample, on all ranks */
  const double      s = call->g->mixing == ORTHO ? 1 / sqrt(N) : 1;

  h = fc_layer_norm_apply(c, &b->norm[0], fc_add_in_place(c, fc_fourier_mix_shared(c, h, lines, s), h));
  if (c->training && call->g->dropout > 0)
    h = fc_add(c, h,
               fc_dropout_shared(c, fc_mlp_apply(c, &b->mlp, h, FC_ACT_GELU), call->g->dropout, NULL, lines));
  else
    h = fc_mlp_onto(c, &b->mlp, h, h, FC_ACT_GELU);
  return fc_layer_norm_apply(c, &b->norm[1], h);
}

static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model       *m    = self;
  const config      *g    = &m->cfg;
  const fc_block_run run  = g->recompute ? fc_checkpoint : fc_block_plain;
  block_call        *call = fc_arena_push(c->arena, sizeof *call * MAX_DEPTH);
  fc_tensor         *x    = fc_batch_get(b, "x");
  const size_t       mark = fc_arena_mark(c->arena);

  FC_ASSERT(x, "fourier_mixer: inputs were not checked");
  fc_tensor *h = fc_linear_apply(c, &m->lift, g->coordinates ? fc_with_cells(c, x) : x, FC_ACT_NONE);
  for (int i = 0; i < g->depth; i++) {
    call[i] = (block_call){g, &m->blocks[i]};
    h       = fc_compact(c, mark, run(c, apply_block, &call[i], FC_IN(h)));
  }
  return fc_mlp_apply(c, &m->head, h, FC_ACT_GELU);
}

/* ---- boundary: what the inputs must look like ---- */

static fc_status check(const void *self, const fc_batch *b) {
  const config *g                = &((const model *)self)->cfg;
  int64_t       dim[FC_MAX_DIMS] = {-1, -1, -1, -1, -1};
  fc_tensor    *x;

  dim[1 + g->axes] = g->in_channels * g->in_frames;
  return fc_batch_need(b, "x", 2 + (int)g->axes, dim, &x);
}

/* ---- gridded data: frames of history are channels, oldest first ---- */

static fc_status frames(const void *self, fc_frames *out) {
  const config *g = &((const model *)self)->cfg;

  *out = (fc_frames){.n_in         = (int)g->in_frames,
                     .max_out      = 1,
                     .ndim         = (int)g->axes,
                     .channels_in  = g->in_channels,
                     .channels_out = g->out_channels,
                     .multiple     = 1,
                     .steady       = g->steady};
  return FC_OK;
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  (void)self, (void)n_out;
  fc_batch_put(out, "x", fc_window_channels(c, window));
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  (void)self;
  return fc_single_frame(c, y);
}

/* ---- ranks that share the grid: lines of its first axis ---- */

static fc_status shared_lines(const void *self, const fc_batch *whole, fc_cut *out) {
  (void)self;
  *out = (fc_cut){fc_batch_get(whole, "x")->dim[1], 1};
  return FC_OK;
}

static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  (void)self, (void)whole, (void)name;
  return fc_part_axis(1);
}

static const fc_sharing sharing = {.cut = shared_lines, .part = shared_part};

const fc_model_def fc_model_fourier_mixer = {
    .name        = "fourier_mixer",
    .task        = "operator",
    .summary     = "mixing of points and channels by Fourier transforms, on 1-D to 3-D grids",
    .paper       = "own; the mixing is that of Lee-Thorp et al., NAACL 2022, arXiv 2105.03824",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .frames      = frames,
    .pack        = pack,
    .unpack      = unpack,
    .sharing     = &sharing,
};
