/* core/nn/window_stage.c */
#include "core/nn/window_stage.h"

void fc_window_stage_init(fc_window_stage *s, fc_params *p, const fc_block_spec *spec, int64_t depth) {
  const int64_t D = spec->D;

  s->spec  = *spec;
  s->depth = (int)depth;
  for (int i = 0; i < s->depth; i++) {
    fc_params_push(p, "blocks.%d", i);
    fc_modulated_block_init(&s->block[i], p, spec);
    fc_params_pop(p);
  }
  if (!spec->carriers) return;
  fc_params_push(p, "global_tokenizer");
  s->pooling.weight = fc_param(p, "pos_embed.weight", fc_init_xavier(9, 9 * D, 1), FC_DIMS(D, 1, 3, 3));
  fc_param_alias(p, "to_global_feature.pos.weight");
  s->pooling.bias = fc_param(p, "pos_embed.bias", fc_init_constant(0), FC_DIMS(D));
  fc_param_alias(p, "to_global_feature.pos.bias");
  s->pooling.spec = (fc_conv_spec){1, 1, D, false};
  fc_params_pop(p);
}

/* of each rank, NULL if its own lines are enough for all */
static const fc_range *reach_of(fc_ctx *c, const fc_window_grid *grid, fc_cut lines) {
  const int size  = fc_domain_size(c);
  fc_range *reach = fc_arena_push(c->arena, (size_t)size * sizeof *reach);
  bool      any   = false;

  for (int r = 0; r < size; r++) {
    const fc_window_lines l = fc_window_lines_of(grid, lines, r, size);
    reach[r]                = (fc_range){l.lo - l.before, l.lo + l.own + l.after};
    any                     = any || l.before + l.after > 0;
  }
  return any ? reach : NULL;
}

fc_stage_groups *fc_stage_groups_of(fc_ctx *c, const fc_block_spec *spec, int64_t fields, int64_t B,
                                    fc_cut lines, int64_t w, bool periodic) {
  const int64_t    size = spec->window, h = lines.n;
  fc_window_grid   grid = {fields, B, h, w, size, 0, false, spec->carriers, {0}};
  fc_stage_groups *g    = fc_arena_push(c->arena, sizeof *g);

  for (int i = 0; i < 2; i++) {
    fc_block_groups *to = &g->shifted[i];
    grid.shift          = i ? size / 2 : 0;
    grid.masked         = i && !periodic && h >= size && w >= size;
    grid.lines          = fc_window_lines_of(&grid, lines, fc_domain_rank(c), fc_domain_size(c));
    *to                 = (fc_block_groups){.windows = fc_groups_of_windows(c, &grid),
                                            .padding = fc_window_padding(&grid),
                                            .lines   = lines,
                                            .reach   = reach_of(c, &grid, lines)};
    if (spec->fields) to->fields = fc_groups_of_fields(c, fields, B * grid.lines.own * w);
    if (!grid.carriers) continue;
    const int64_t carriers = h / size * (w / size);
    to->carriers           = fc_groups_of_runs(c, fields * B, carriers);
    to->carrier_fields     = fc_groups_of_fields(c, fields, B * carriers);
  }
  return g;
}

typedef struct {
  const fc_window_stage *s;
  const fc_block_groups *g;
  int                    i;
} block_call;

/* x [B, h, w, D] -> mean of each window [B, h / size, w / size, D] */
static fc_tensor *mean_of_windows(fc_ctx *c, fc_tensor *x, int64_t size) {
  const int64_t h = x->dim[1] / size, w = x->dim[2] / size;

  return fc_mean_axes(c, fc_reshape(c, x, FC_DIMS(x->dim[0], h, size, w, size, fc_last(x))),
                      1u << 2 | 1u << 4);
}

/* along the second axis only, then of all ranks' lines, then along the first one */
static fc_tensor *mean_of_lines(fc_ctx *c, fc_tensor *x, int64_t size, fc_cut lines) {
  const int64_t B = x->dim[0], w = x->dim[2] / size, D = fc_last(x);

  x = fc_mean_axes(c, fc_reshape(c, x, FC_DIMS(B, x->dim[1], w, size, D)), 1u << 3);
  x = fc_allgather(c, x, 1, lines);
  return fc_mean_axes(c, fc_reshape(c, x, FC_DIMS(B, lines.n / size, size, w, D)), 1u << 2);
}

/* mean of each window of the whole grid after a depthwise convolution */
static fc_tensor *pool_windows(fc_ctx *c, const fc_window_stage *s, fc_tensor *x, fc_cut lines) {
  const int64_t size  = s->spec.window;
  const fc_cut  whole = {lines.n, size};

  x = fc_conv_apply_shared(c, &s->pooling, x, lines);
  if (!fc_domain_shared(c)) return mean_of_windows(c, x, size);
  if (!fc_cut_same(c, lines, whole)) return mean_of_lines(c, x, size, lines);
  return fc_allgather(c, mean_of_windows(c, x, size), 1, fc_cut_coarser(whole, size));
}

/* in: tokens and condition */
static fc_tensor *apply_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const block_call *b        = self;
  fc_tensor        *carriers = b->s->spec.carriers ? pool_windows(c, b->s, in[0], b->g->lines) : NULL;

  return fc_modulated_block_apply(c, &b->s->block[b->i], in[0], in[n_in - 1], carriers, b->g);
}

fc_tensor *fc_window_stage_apply(fc_ctx *c, const fc_window_stage *s, fc_tensor *x, fc_tensor *condition,
                                 const fc_stage_groups *g, bool recompute) {
  const fc_block_run run  = recompute ? fc_checkpoint : fc_block_plain;
  block_call        *b    = fc_arena_push(c->arena, (size_t)s->depth * sizeof *b);
  const size_t       mark = fc_arena_mark(c->arena);

  for (int i = 0; i < s->depth; i++) {
    b[i] = (block_call){s, &g->shifted[i % 2], i};
    x    = fc_compact(c, mark, run(c, apply_block, &b[i], FC_IN(x, condition)));
  }
  return x;
}
