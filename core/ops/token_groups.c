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

int64_t fc_window_padding(const fc_window_grid *w) {
  const int64_t size = w->size;

  return fc_ceil_div(w->H, size) * size * (fc_ceil_div(w->W, size) * size) - w->H * w->W;
}

/* row of cell (i, j) of the rolled grid; cells beyond it count in order */
static int64_t window_row(const fc_window_grid *w, int64_t sample, int64_t i, int64_t j) {
  const int64_t beyond = fc_ceil_div(w->W, w->size) * w->size - w->W;

  if (i < w->H && j < w->W) return (sample * w->H + (i + w->shift) % w->H) * w->W + (j + w->shift) % w->W;
  const int64_t before = i < w->H ? i * beyond + j - w->W : w->H * beyond + (i - w->H) * (w->W + beyond) + j;
  return w->fields * w->B * w->H * w->W + sample * fc_window_padding(w) + before;
}

/* regions of an axis of the rolled grid: [0, n - size), [n - size, n - shift), [n - shift, n) */
static int32_t axis_region(const fc_window_grid *w, int64_t i, int64_t n) {
  return i < n - w->size ? 0 : i < n - w->shift ? 1 : 2;
}

static void fill_regions(const fc_window_grid *w, int64_t nx, int64_t windows, int32_t *region) {
  const int64_t per = w->size * w->size;

  for (int64_t n = 0; n < windows * per; n++) {
    const int64_t win = n / per, t = n % per;
    const int64_t i = win / nx * w->size + t / w->size, j = win % nx * w->size + t % w->size;
    region[n] = 3 * axis_region(w, i, w->H) + axis_region(w, j, w->W);
  }
}

fc_token_groups *fc_groups_of_windows(fc_ctx *c, const fc_window_grid *w) {
  const int64_t    ny = fc_ceil_div(w->H, w->size), nx = fc_ceil_div(w->W, w->size), windows = ny * nx;
  const int64_t    lead = w->carriers, per = w->size * w->size, tokens = w->fields * w->B * w->H * w->W;
  fc_token_groups *g   = new_groups(c, w->B * windows * w->fields, lead + per);
  int32_t         *row = g->row;

  FC_ASSERT(w->size >= 1 && w->shift >= 0 && w->shift < w->size &&
                (!lead || (!w->masked && !fc_window_padding(w))),
            "windows of %lld, shift %lld on %lld x %lld tokens", (long long)w->size, (long long)w->shift,
            (long long)w->H, (long long)w->W);
  if (w->masked) {
    g->region = fc_arena_push(c->arena, (size_t)(windows * per) * sizeof *g->region);
    g->masks  = windows;
    if (!c->dry) fill_regions(w, nx, windows, g->region);
  }
  if (c->dry) return g;
  for (int64_t n = 0; n < g->count; n++) {
    const int64_t field = n % w->fields, win = n / w->fields % windows, b = n / w->fields / windows;
    const int64_t sample = field * w->B + b, i = win / nx * w->size, j = win % nx * w->size;
    if (lead) *row++ = (int32_t)(tokens + sample * windows + win);
    for (int64_t t = 0; t < per; t++)
      *row++ = (int32_t)window_row(w, sample, i + t / w->size, j + t % w->size);
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
