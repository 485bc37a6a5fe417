/* tests/core/op_windows.c */
#include "tests/check.h"

static fc_window_layout spec;
static int64_t          X, Y;
static bool             mean;

static fc_tensor *windows(fc_ctx *c, fc_tensor **in) { return fc_window_split(c, in[0], spec); }
static fc_tensor *unwindows(fc_ctx *c, fc_tensor **in) {
  return fc_window_merge(c, in[0], in[0]->dim[0] / fc_windows_along(spec, X) / fc_windows_along(spec, Y), X,
                         Y, spec, mean);
}

/* both ways for one spec on a grid of B samples and C channels */
static void both(const char *name, int64_t B, int64_t rows, int64_t columns, int64_t C, fc_window_layout s) {
  char full[64];

  spec = s, X = rows, Y = columns;
  const int64_t n = B * fc_windows_along(s, X) * fc_windows_along(s, Y);
  snprintf(full, sizeof full, "windows_%s", name);
  check_op(full, windows, CHECK_INS({4, {B, X, Y, C}}), 0, 0);
  for (int i = 0; i < 2; i++) {
    mean = i;
    snprintf(full, sizeof full, "unwindows_%s_%d", name, i);
    check_op(full, unwindows, CHECK_INS({3, {n, s.size * s.size, C}}), 0, 0);
  }
}

static void gradient(void) {
  both("tiles", 2, 6, 4, 3, (fc_window_layout){2, 2, 0, false});
  both("shifted", 2, 6, 9, 2, (fc_window_layout){3, 3, 1, false});
  both("back", 1, 6, 8, 1, (fc_window_layout){2, 2, -3, false});
  both("padded", 2, 5, 7, 3, (fc_window_layout){4, 4, 2, true});
  both("small_grid", 1, 3, 2, 2, (fc_window_layout){4, 4, 2, true});
  both("overlapping", 2, 8, 6, 2, (fc_window_layout){4, 2, 0, false});
  both("gaps", 1, 8, 9, 2, (fc_window_layout){2, 3, 1, false});
  both("every_cell", 1, 7, 5, 3, (fc_window_layout){3, 1, 0, false});
  both("large", 2, 62, 63, 17, (fc_window_layout){8, 8, 4, true});
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

/* averaging the windows of a covered grid gives the grid back; cells in gaps become 0 */
static void mean_inverts(void) {
  fc_ctx                *c       = check_ctx();
  fc_tensor             *x       = check_random(c, FC_DIMS(2, 9, 7, 3));
  const fc_window_layout cover[] = {{3, 2, 0, false}, {3, 1, 4, false}, {4, 4, 1, true}, {5, 1, -2, false}};
  const fc_window_layout gap     = {2, 3, 0, false};

  for (int i = 0; i < FC_COUNT(cover); i++)
    CHECK(check_distance(fc_window_merge(c, fc_window_split(c, x, cover[i]), 2, 9, 7, cover[i], true), x) <
          1e-6);
  const fc_tensor *y = fc_window_merge(c, fc_window_split(c, x, gap), 2, 9, 7, gap, true);
  CHECK_NEAR(y->x[0], x->x[0], 0);
  CHECK_NEAR(y->x[2 * 3], 0, 0);
}

CHECK_SUITE(windows, gradient, definition, mean_inverts)
