/* tests/operators/model_fourier_mixer.c - the network has no official code to compare with: gradients in
   double, float against double, gridded data, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_fourier_mixer;

#define GRADIENT(name, options, ...)                                                                         \
  check_model(name, &fc_model_fourier_mixer, options, CHECK_INPUTS(__VA_ARGS__))

static void gradients(void) {
  GRADIENT("mixer_1d", "axes=1 dim=6 depth=2 in_channels=2", {"x", {3, {3, 13, 2}}});
  GRADIENT("mixer_2d", "dim=8 depth=2 in_frames=2 out_channels=2", {"x", {4, {2, 6, 5, 2}}});
  GRADIENT("mixer_2d_sum", "dim=5 depth=1 mixing=sum mlp_ratio=1 coordinates=false",
           {"x", {4, {1, 4, 7, 1}}});
  GRADIENT("mixer_3d", "axes=3 dim=4 depth=1 recompute=true", {"x", {5, {2, 3, 4, 2, 1}}});
}

/* [B, T, X.., C] there, [B, 1, X.., C] back, on any grid; frames lie behind each other in the channels */
static void windows(void) {
  fc_ctx   *c = check_ctx();
  check_net n =
      check_net_build(&fc_model_fourier_mixer, "in_frames=3 in_channels=2 out_channels=2 dim=8 depth=1");
  fc_frames f;

  CHECK_OK(n.def->frames(n.self, &f));
  CHECK(f.n_in == 3 && f.max_out == 1 && f.ndim == 2 && f.channels_in == 2 && f.channels_out == 2 &&
        !f.steady);
  for (int64_t N = 4; N <= 9; N += 5) {
    fc_tensor       *w = check_random(c, FC_DIMS(2, 3, N, N, 2));
    const fc_tensor *y = fc_model_frames(c, n.def, n.self, w, 1, &(fc_batch){0});
    CHECK(y->ndim == 5 && y->dim[0] == 2 && y->dim[1] == 1 && y->dim[2] == N && y->dim[3] == N &&
          y->dim[4] == 2);
    fc_batch b = {0};
    n.def->pack(c, n.self, w, 1, &b);
    CHECK(fc_batch_get(&b, "x")->x[5] == w->x[2 * N * N * 2 + 1]); /* point 0, frame 2, channel 1 */
  }
  check_net_drop(&n);
}

/* a sample gives the same alone and in a batch */
static void samples_are_apart(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_fourier_mixer, "axes=1 dim=8 depth=2");
  fc_tensor *x = check_random(c, FC_DIMS(2, 10, 1)), *y[2];

  for (int i = 0; i < 2; i++) {
    fc_batch b = {0};
    fc_batch_put(&b, "x", i ? fc_slice(c, x, 0, 1, 1) : x);
    y[i] = n.def->apply(c, n.self, &b);
  }
  CHECK(check_distance(y[1], fc_slice(c, y[0], 0, 1, 1)) < 1e-6);
  check_net_drop(&n);
}

static void refusals(void) {
  fc_ctx   *c = check_ctx();
  check_net n;
  fc_batch  b = {0};

  CHECK_FAILS(check_net_try(&fc_model_fourier_mixer, "steady=true in_frames=2", &n), FC_E_USAGE,
              "in_frames is 2");
  check_net_drop(&n);
  n = check_net_build(&fc_model_fourier_mixer, "in_channels=2 dim=4 depth=1");
  fc_batch_put(&b, "x", check_random(c, FC_DIMS(1, 4, 4, 3)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x");
  check_net_drop(&n);
}

CHECK_SUITE(model_fourier_mixer, gradients, windows, samples_are_apart, refusals)
