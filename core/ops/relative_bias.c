/* core/ops/relative_bias.c - position bias of square windows (Swin: Liu et al. 2021):
     y[h, lead + j, lead + i] = table[offset(i, j), h],   offset = (a - a' + s - 1)(2 s - 1) + b - b' + s - 1
   for query i = (a, b) and key j = (a', b') of a window of s x s cells. The first `lead` rows and columns are
   zero. */
#include "core/ops.h"
#include "core/parallel.h"

typedef struct {
  int64_t  size, lead, n, H;
  int64_t *place; /* [n] row of the table for key 0; offset(i, j) = place_i - place_j + middle */
  int64_t  middle;
} window;

static void fill_places(const window *w) {
  for (int64_t i = w->lead; i < w->n; i++)
    w->place[i] = (i - w->lead) / w->size * (2 * w->size - 1) + (i - w->lead) % w->size;
}

static void forward(const window *w, fc_real *y, const fc_real *table) {
  const int64_t n = w->n;

  FC_FOR_ROWS(r, w->H * n, n) {
    const int64_t h = r / n, j = r % n;
    for (int64_t i = 0; i < n; i++) {
      const bool none = i < w->lead || j < w->lead;
      y[r * n + i]    = none ? 0 : table[(w->place[i] - w->place[j] + w->middle) * w->H + h];
    }
  }
}

/* "y[h, j, i] = table[offset, h]": dtable[offset, h] += dy[h, j, i], head by head */
static void backward(fc_ctx *c, const fc_node *node) {
  const window  *w     = node->saved;
  const int64_t  n     = w->n;
  const fc_real *dy    = node->out->g;
  fc_real       *table = fc_grad(c, node->in[0]);

  if (!table) return;
  FC_FOR_ROWS(h, w->H, n * n)
  for (int64_t j = w->lead; j < n; j++)
    for (int64_t i = w->lead; i < n; i++)
      table[(w->place[i] - w->place[j] + w->middle) * w->H + h] += dy[(h * n + j) * n + i];
}

static const fc_op relative_bias = {"relative_bias", backward, false};

fc_tensor *fc_relative_bias(fc_ctx *c, fc_tensor *table, int64_t size, int64_t lead) {
  const int64_t n = lead + size * size, H = fc_last(table);
  window       *w = fc_arena_push(c->arena, sizeof *w);

  FC_ASSERT(size >= 1 && lead >= 0 && fc_rows(table) == (2 * size - 1) * (2 * size - 1),
            "relative_bias: table %s for windows of %lld", fc_shape_text(table), (long long)size);
  *w = (window){
      size, lead, n, H, fc_arena_push(c->arena, (size_t)n * sizeof *w->place), 2 * size * (size - 1)};
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(H, n, n));
  if (!c->dry) {
    fill_places(w);
    forward(w, y->x, table->x);
  }
  return fc_record(c, &relative_bias, y, w, FC_IN(table));
}
