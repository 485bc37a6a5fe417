/* tests/train/test_loss.c - losses against sums written out by hand, and clipping by the history of norms. */
#include "tests/check.h"
#include "train/clip.h"
#include "train/loss.h"

static const double f32 = 1e-6; /* sums of a few dozen float numbers near one */

enum { B = 2, T = 2, X = 4, Y = 5, C = 2 };

static fc_real at(const fc_tensor *u, int b, int t, int x, int y, int c, bool ring) {
  const bool inside = x > 0 && x < X - 1 && y > 0 && y < Y - 1;

  if (x < 0 || x >= X || y < 0 || y >= Y || (ring && !inside)) return 0;
  return u->x[(((b * T + t) * X + x) * Y + y) * C + c];
}

/* mean over samples of |d u - d v| / |d v|, d the difference of the neighbours dx, dy away (0, 0: the value)
 */
static double relative(const fc_tensor *u, const fc_tensor *v, int dx, int dy, bool ring) {
  const bool value = !dx && !dy;
  double     sum   = 0;

  for (int b = 0; b < B; b++) {
    double off = 0, norm = 0;
    for (int i = 0; i < T * X * Y * C; i++) {
      const int    c = i % C, y = i / C % Y, x = i / C / Y % X, t = i / C / Y / X;
      const double du =
          at(u, b, t, x + dx, y + dy, c, ring) - (value ? 0 : at(u, b, t, x - dx, y - dy, c, ring));
      const double dv =
          at(v, b, t, x + dx, y + dy, c, false) - (value ? 0 : at(v, b, t, x - dx, y - dy, c, false));
      off += (du - dv) * (du - dv);
      norm += dv * dv;
    }
    sum += sqrt(off / norm) / B;
  }
  return sum;
}

static void derivatives_and_ring(void) {
  fc_ctx           *c = check_ctx();
  fc_scaling        s = {.n = C};
  fc_train_settings t = {.loss = FC_LOSS_RELATIVE_L2};
  fc_tensor        *y = check_random(c, FC_DIMS(B, T, X, Y, C)), *v = check_random(c, FC_DIMS(B, T, X, Y, C));

  CHECK_NEAR(fc_loss(c, &t, &s, y, v)->x[0], relative(y, v, 0, 0, false), f32);
  t.loss_ring = true;
  CHECK_NEAR(fc_loss(c, &t, &s, y, v)->x[0], relative(y, v, 0, 0, true), f32);
  t.loss_derivative = 0.1;
  CHECK_NEAR(fc_loss(c, &t, &s, y, v)->x[0],
             relative(y, v, 0, 0, true) + 0.1 * (relative(y, v, 1, 0, true) + relative(y, v, 0, 1, true)),
             f32);
}

/* a constant norm is never cut; a sudden one is cut to 1.1 times the common value and does not move the
   averages as it would have */
static void clips_by_history(void) {
  fc_clip k = {0};

  for (int i = 0; i < 5; i++) CHECK_NEAR(fc_clip_factor(&k, 3), 1, 1e-12);
  CHECK_NEAR(fc_clip_factor(&k, 5.9), 1, 1e-12);
  k = (fc_clip){0};
  for (int i = 0; i < 5; i++) fc_clip_factor(&k, 3);
  CHECK_NEAR(fc_clip_factor(&k, 60), 1.1 * 3 / 60, 1e-12);
  const double after = k.fast / (1 - pow(0.9, 6)), kept = 3.3; /* five times 3 and one 3.3 */
  CHECK_NEAR(after,
             (3 * 0.1 * (0.9 + pow(0.9, 2) + pow(0.9, 3) + pow(0.9, 4) + pow(0.9, 5)) + 0.1 * kept) /
                 (1 - pow(0.9, 6)),
             1e-12);
  k = (fc_clip){0};
  CHECK_NEAR(fc_clip_factor(&k, 2e4), 1 / 2e4, 1e-16);
  CHECK_NEAR(k.fast / (1 - 0.9), 1, 1e-12);
}

CHECK_SUITE(loss, derivatives_and_ring, clips_by_history)
