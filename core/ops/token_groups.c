/* core/ops/token_groups.c - which tokens attend to each other, as tables of row numbers. */
#include "core/ops.h"
#include "core/parallel.h"

static fc_token_groups *new_groups(fc_ctx *c, int64_t count, int64_t length) {
  fc_token_groups *g   = fc_arena_push(c->arena, sizeof *g);
  int32_t         *row = fc_arena_push(c->arena, (size_t)(count * length) * sizeof *row);

  FC_ASSERT(count * length < INT32_MAX, "token_groups: %lld groups of %lld tokens are too many",
            (long long)count, (long long)length);
  *g = (fc_token_groups){.count = count, .length = length, .row = row};
  return g;
}

/* ---- windows ---- */

/* row of the token at (y, x) of window (wy, wx), -1 beyond the rolled grid */
static int32_t window_row(const fc_window_grid *w, int64_t sample, int64_t wy, int64_t wx, int64_t y,
                          int64_t x) {
  const int64_t i = wy * w->size + y, j = wx * w->size + x;

  if (i >= w->H || j >= w->W) return -1;
  return (int32_t)((sample * w->H + (i + w->shift) % w->H) * w->W + (j + w->shift) % w->W);
}

/* regions of an axis of the rolled grid: [0, n - size), [n - size, n - shift), [n - shift, n) */
static int32_t axis_region(const fc_window_grid *w, int64_t i, int64_t n) {
  return i < n - w->size ? 0 : i < n - w->shift ? 1 : 2;
}

static void fill_regions(const fc_window_grid *w, int64_t nx, int64_t windows, int64_t lead,
                         int32_t *region) {
  const int64_t per = w->size * w->size;

  for (int64_t n = 0; n < windows * per; n++) {
    const int64_t win = n / per, t = n % per;
    const int64_t i = win / nx * w->size + t / w->size, j = win % nx * w->size + t % w->size;
    region[win * (lead + per) + lead + t] = 3 * axis_region(w, i, w->H) + axis_region(w, j, w->W);
  }
}

fc_token_groups *fc_groups_of_windows(fc_ctx *c, const fc_window_grid *w) {
  const int64_t    ny = fc_ceil_div(w->H, w->size), nx = fc_ceil_div(w->W, w->size), windows = ny * nx;
  const int64_t    lead = w->carriers, per = w->size * w->size, tokens = w->fields * w->B * w->H * w->W;
  fc_token_groups *g   = new_groups(c, w->B * windows * w->fields, lead + per);
  int32_t         *row = g->row;

  FC_ASSERT(w->size >= 1 && w->shift >= 0 && w->shift < w->size && (!w->masked || !lead),
            "windows: size %lld, shift %lld", (long long)w->size, (long long)w->shift);
  if (w->masked) {
    g->region = fc_arena_push(c->arena, (size_t)(windows * per) * sizeof *g->region);
    g->masks  = windows;
    if (!c->dry) fill_regions(w, nx, windows, lead, g->region);
  }
  if (c->dry) return g;
  for (int64_t n = 0; n < g->count; n++) {
    const int64_t field = n % w->fields, win = n / w->fields % windows, b = n / w->fields / windows;
    const int64_t sample = field * w->B + b;
    if (lead) *row++ = (int32_t)(tokens + sample * windows + win);
    for (int64_t t = 0; t < per; t++)
      *row++ = window_row(w, sample, win / nx, win % nx, t / w->size, t % w->size);
  }
  return g;
}

/* ---- other groups ---- */

fc_token_groups *fc_groups_of_fields(fc_ctx *c, int64_t fields, int64_t rows) {
  fc_token_groups *g = new_groups(c, rows, fields);

  if (c->dry) return g;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t f = 0; f < fields; f++) g->row[r * fields + f] = (int32_t)(f * rows + r);
  return g;
}

fc_token_groups *fc_groups_of_runs(fc_ctx *c, int64_t count, int64_t length) {
  fc_token_groups *g = new_groups(c, count, length);

  for (int64_t r = 0; !c->dry && r < count * length; r++) g->row[r] = (int32_t)r;
  return g;
}
