/* core/ops/token_groups.c - which tokens attend to each other, as tables of row numbers. */
#include "core/domain.h"
#include "core/ops.h"
#include "core/parallel.h"

static fc_token_groups *new_groups(fc_ctx *c, int64_t count, int64_t length) {
  fc_token_groups *g   = fc_arena_push(c->arena, sizeof *g);
  int32_t         *row = fc_arena_push(c->arena, (size_t)(count * length) * sizeof *row);

  FC_ASSERT(count * length < INT32_MAX, "token_groups: %lld groups of %lld tokens are too many",
            (long long)count, (long long)length);
  *g = (fc_token_groups){.count = count, .length = length, .row = row, .target = row};
  return g;
}

/* ---- the windows of a rank ---- */

/* Rows of windows that meet the rank's own lines: `count` from `first` on, going on with row 0 behind the
   last, since own lines are neighbours around the ends of the rolled grid too. */
typedef struct {
  int64_t ny, nx, first, count; /* windows along both axes */
} band;

/* line i of the grid in the rolled one */
static int64_t rolled(const fc_window_grid *w, int64_t i) { return ((i - w->shift) % w->H + w->H) % w->H; }

static band band_of(const fc_window_grid *w) {
  band b = {fc_ceil_div(w->H, w->size), fc_ceil_div(w->W, w->size), 0, 0};

  b.count = b.ny;
  if (!w->lines.own || w->lines.own == w->H) return b;
  const int64_t top = rolled(w, w->lines.lo), end = rolled(w, w->lines.lo + w->lines.own - 1);
  b.first = top / w->size;
  b.count = end / w->size - b.first + 1 + (top > end ? b.ny : 0);
  b.count = fc_min64(b.count, b.ny);
  return b;
}

/* lines of the grid in the band's windows, without padding */
static int64_t lines_of(const fc_window_grid *w, const band *b) {
  const bool last = b->first + b->count >= b->ny;

  return b->count * w->size - (last ? b->ny * w->size - w->H : 0);
}

int64_t fc_window_padding(const fc_window_grid *w) {
  const band b = band_of(w);

  return b.count * w->size * b.nx * w->size - lines_of(w, &b) * w->W;
}

fc_window_lines fc_window_lines_of(const fc_window_grid *w, fc_cut lines, int rank, int size) {
  const int64_t   lo = fc_cut_at(lines, rank, size), hi = fc_cut_at(lines, rank + 1, size);
  const int64_t   top = rolled(w, lo), end = rolled(w, hi - 1);
  fc_window_lines l = {lo, hi - lo, top % w->size, 0};

  l.after = fc_min64(w->H, (end / w->size + 1) * w->size) - 1 - end;
  if (l.before + l.own + l.after > w->H) l.before = 0, l.after = w->H - l.own;
  return l;
}

/* ---- tables of windows ---- */

/* place of line i of the grid among those that are here; a line that is here twice counts as the rank's own
 */
static int64_t line_here(const fc_window_grid *w, int64_t i) {
  const fc_window_lines *l  = &w->lines;
  const int64_t          at = (i - l->lo + w->H) % w->H;

  return l->before + (at < l->own + l->after ? at : at - w->H);
}

/* For each place in each window of the band the token of a sample, or -1 - p for padding p; both are counted
   along the lines of the rolled grid. */
static void fill_sample(const fc_window_grid *w, const band *b, int32_t *cell) {
  const int64_t size    = w->size;
  int32_t       padding = 0;

  for (int64_t t = 0; t < b->count * size; t++)
    for (int64_t j = 0; j < b->nx * size; j++) {
      const int64_t i  = (b->first + t / size) % b->ny * size + t % size;
      int32_t      *to = cell + (t / size * b->nx + j / size) * size * size + t % size * size + j % size;
      if (i < w->H && j < w->W)
        *to = (int32_t)(line_here(w, (i + w->shift) % w->H) * w->W + (j + w->shift) % w->W);
      else
        *to = -1 - padding++;
    }
}

/* regions of an axis of the rolled grid: [0, n - size), [n - size, n - shift), [n - shift, n) */
static int32_t axis_region(const fc_window_grid *w, int64_t i, int64_t n) {
  return i < n - w->size ? 0 : i < n - w->shift ? 1 : 2;
}

/* Group q of a sample takes the regions of window q modulo the number of windows, as the official codes have
   it: with several fields this is not the group's own window. */
static void fill_regions(const fc_window_grid *w, const band *b, int32_t *region) {
  const int64_t per = w->size * w->size, windows = b->ny * b->nx;

  for (int64_t n = 0; n < b->count * b->nx * w->fields; n++) {
    const int64_t q   = (n + b->first * b->nx * w->fields) % windows;
    const int64_t row = q / b->nx * w->size, column = q % b->nx * w->size;
    for (int64_t t = 0; t < per; t++)
      *region++ = 3 * axis_region(w, row + t / w->size, w->H) + axis_region(w, column + t % w->size, w->W);
  }
}

/* rows of all groups; carriers of all windows stand behind the tokens */
static void fill_rows(const fc_window_grid *w, const band *b, const int32_t *cell, int32_t *row) {
  const int64_t per = w->size * w->size, all = b->ny * b->nx, windows = b->count * b->nx,
                tokens  = (w->lines.before + w->lines.own + w->lines.after) * w->W,
                padding = fc_window_padding(w), behind = w->fields * w->B * tokens;

  for (int64_t n = 0; n < w->B * windows * w->fields; n++) {
    const int64_t win = n / w->fields % windows, sample = n % w->fields * w->B + n / w->fields / windows;
    if (w->carriers) *row++ = (int32_t)(behind + sample * all + (win + b->first * b->nx) % all);
    for (int64_t t = 0; t < per; t++) {
      const int64_t at = cell[win * per + t];
      *row++           = (int32_t)(at >= 0 ? sample * tokens + at : behind + sample * padding - 1 - at);
    }
  }
}

/* row of r for each row of all lines that are here */
static void fill_targets(const fc_window_grid *w, const fc_token_groups *g) {
  const int64_t here = (w->lines.before + w->lines.own + w->lines.after) * w->W, own = w->lines.own * w->W,
                samples = w->fields * w->B;

  for (int64_t n = 0; n < g->count * g->length; n++) {
    const int64_t sample = g->row[n] / here, at = g->row[n] % here - w->lines.before * w->W;
    const bool    mine = sample < samples && at >= 0 && at < own;
    g->target[n]       = (int32_t)(mine ? sample * own + at : samples * own);
  }
}

fc_token_groups *fc_groups_of_windows(fc_ctx *c, const fc_window_grid *given) {
  fc_window_grid w = *given;

  if (!w.lines.own) w.lines.own = w.H;
  const band       b       = band_of(&w);
  const int64_t    windows = b.count * b.nx, per = w.size * w.size;
  fc_token_groups *g = new_groups(c, w.B * windows * w.fields, w.carriers + per);
  FC_ASSERT(w.size >= 1 && w.shift >= 0 && w.shift < w.size &&
                (!w.carriers || (!w.masked && !fc_window_padding(&w))),
            "windows of %lld, shift %lld on %lld x %lld tokens", (long long)w.size, (long long)w.shift,
            (long long)w.H, (long long)w.W);
  g->partial = w.carriers && b.count < b.ny;
  if (w.masked) {
    g->masks  = windows * w.fields;
    g->region = fc_arena_push(c->arena, (size_t)(g->masks * per) * sizeof *g->region);
  }
  if (w.lines.before + w.lines.after > 0)
    g->target = fc_arena_push(c->arena, (size_t)(g->count * g->length) * sizeof *g->target);
  const size_t mark = fc_arena_mark(c->arena);
  int32_t     *cell = fc_arena_push(c->arena, (size_t)(windows * per) * sizeof *cell);
  if (!c->dry) {
    if (w.masked) fill_regions(&w, &b, g->region);
    fill_sample(&w, &b, cell);
    fill_rows(&w, &b, cell, g->row);
    if (g->target != g->row) fill_targets(&w, g);
  }
  fc_arena_pop(c->arena, mark);
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
