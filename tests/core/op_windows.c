/* tests/core/op_windows.c */
#include "core/ops/windows.h"
#include "tests/check.h"

static fc_window_layout spec;

static fc_tensor *windows(fc_ctx *c, fc_tensor **in) { return fc_window_split(c, in[0], spec); }

/* one layout on a grid of B samples and C channels */
static void one(const char *name, int64_t B, int64_t X, int64_t Y, int64_t C, fc_window_layout s) {
  char full[64];

  spec = s;
  snprintf(full, sizeof full, "windows_%s", name);
  check_op(full, windows, CHECK_INS({4, {B, X, Y, C}}), 0, 0);
}

static void gradient(void) {
  one("tiles", 2, 6, 4, 3, (fc_window_layout){2, 2, 0, false});
  one("shifted", 2, 6, 9, 2, (fc_window_layout){3, 3, 1, false});
  one("back", 1, 6, 8, 1, (fc_window_layout){2, 2, -3, false});
  one("padded", 2, 5, 7, 3, (fc_window_layout){4, 4, 2, true});
  one("small_grid", 1, 3, 2, 2, (fc_window_layout){4, 4, 2, true});
  one("overlapping", 2, 8, 6, 2, (fc_window_layout){4, 2, 0, false});
  one("gaps", 1, 8, 9, 2, (fc_window_layout){2, 3, 1, false});
  one("every_cell", 1, 7, 5, 3, (fc_window_layout){3, 1, 0, false});
  one("large", 2, 62, 63, 17, (fc_window_layout){8, 8, 4, true});
}

/* the formula of the head comment, cell by cell */
static void definition(void) {
  const fc_window_layout s = {3, 2, 2, true};
  enum { B = 2, C = 2, nX = 2, nY = 4, rows = 5, columns = 8 };
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(B, rows, columns, C));
  const fc_tensor *w = fc_window_split(c, x, s);

  CHECK(fc_windows_along(s, rows) == nX && fc_windows_along(s, columns) == nY);
  for (int64_t e = 0; e < fc_len(w); e++) {
    const int64_t k = e % C, t = e / C % 9, j = e / C / 9 % nY, i = e / C / 9 / nY % nX,
                  b = e / C / 9 / nY / nX;
    const int64_t r = i * 2 + t / 3, q = j * 2 + t % 3;
    const fc_real want = r < rows && q < columns
                             ? x->x[((b * rows + (r + 2) % rows) * columns + (q + 2) % columns) * C + k]
                             : 0;
    CHECK_NEAR(w->x[e], want, 0);
  }
}

static const fc_tensor *back(fc_ctx *c, fc_tensor *w, const fc_tensor *x, fc_window_layout s) {
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);

  fc_windows_scatter(fc_window_plan_new(c, y->dim, s, true), y->x, w->x, false);
  return y;
}

/* averaging the windows of a covered grid gives the grid back; cells in gaps become 0 */
static void mean_inverts(void) {
  fc_ctx                *c       = check_ctx();
  fc_tensor             *x       = check_random(c, FC_DIMS(2, 9, 7, 3));
  const fc_window_layout cover[] = {{3, 2, 0, false}, {3, 1, 4, false}, {4, 4, 1, true}, {5, 1, -2, false}};
  const fc_window_layout gap     = {2, 3, 0, false};

  for (int i = 0; i < FC_COUNT(cover); i++)
    CHECK(check_distance(back(c, fc_window_split(c, x, cover[i]), x, cover[i]), x) < 1e-6);
  const fc_tensor *y = back(c, fc_window_split(c, x, gap), x, gap);
  CHECK_NEAR(y->x[0], x->x[0], 0);
  CHECK_NEAR(y->x[2 * 3], 0, 0);
}

CHECK_SUITE(windows, gradient, definition, mean_inverts)
