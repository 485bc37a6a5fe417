/* tests/operators/model_ifactformer.c - what reference cases cannot show: gradients in double, gridded data,
   recomputation, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_ifactformer_m;

#define SMALL "dim=12 heads=2 dim_head=2 n_layer=2 fourier_scale=1 "
#define GRADIENT_3D(name, options, B, T, X, Y, Z, C)                                                         \
  check_model(name, &fc_model_ifactformer_m, SMALL options,                                                  \
              CHECK_INPUTS({"u", {6, {B, T, X, Y, Z, C}}}, {"pos_x", {2, {X, 1}, .fixed = true}},            \
                           {"pos_y", {2, {Y, 1}, .fixed = true}}, {"pos_z", {2, {Z, 1}, .fixed = true}}))
#define GRADIENT_2D(name, options, B, T, X, Y, C)                                                            \
  check_model(name, &fc_model_ifactformer_m, SMALL "n_space=2 " options,                                     \
              CHECK_INPUTS({"u", {5, {B, T, X, Y, C}}}, {"pos_x", {2, {X, 1}, .fixed = true}},               \
                           {"pos_y", {2, {Y, 1}, .fixed = true}}))

static void gradients(void) {
  GRADIENT_3D("ifactformer_m", "", 2, 1, 4, 3, 5, 3);
  GRADIENT_3D("ifactformer_recomputed", "recompute=true", 1, 1, 4, 3, 5, 3);
  GRADIENT_3D("ifactformer_feb2025", "variant=m_feb2025", 2, 1, 4, 3, 5, 3);
  GRADIENT_3D("ifactformer_o", "variant=o_head n_layer=1", 2, 1, 4, 3, 5, 3);
  GRADIENT_2D("ifactformer_2d", "in_dim=1 in_time_window=2 n_layer=1", 2, 2, 6, 5, 1);
  GRADIENT_2D("ifactformer_2d_feb2025", "variant=m_feb2025 in_dim=2 out_dim=1", 1, 1, 5, 7, 2);
}

static void packs_coordinates(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_ifactformer_m, SMALL "in_dim=2 out_dim=3 in_time_window=2 "
                                                               "coord_lo=[0,-1,0] coord_hi=[4,1,7]");
  fc_frames f;
  fc_batch  b = {0};

  CHECK_OK(n.def->frames(n.self, &f));
  CHECK(f.n_in == 2 && f.max_out == 1 && f.ndim == 3 && f.channels_in == 2 && f.channels_out == 3);
  n.def->pack(c, n.self, check_random(c, FC_DIMS(1, 2, 5, 4, 1, 2)), 1, &b);
  CHECK_OK(n.def->check(n.self, &b));
  CHECK_NEAR(fc_batch_get(&b, "pos_x")->x[3], 3, 1e-6);
  CHECK_NEAR(fc_batch_get(&b, "pos_y")->x[0], -1, 0);
  CHECK_NEAR(fc_batch_get(&b, "pos_y")->x[3], 1, 1e-6);
  CHECK_NEAR(fc_batch_get(&b, "pos_z")->x[0], 0, 0); /* one point: the first coordinate */
  const fc_tensor *y = n.def->unpack(c, n.self, n.def->apply(c, n.self, &b));
  CHECK(y->ndim == 6 && y->dim[1] == 1 && y->dim[2] == 5 && y->dim[4] == 1 && y->dim[5] == 3);
  check_net_drop(&n);
}

static fc_tensor *next_frame(fc_ctx *c, const check_net *n, fc_tensor *window) {
  return fc_model_frames(c, n->def, n->self, window, 1, &(fc_batch){0});
}

/* a sample gives the same alone and in a batch, and with recomputation */
static void samples(const char *options, int ndim, const int64_t *dim) {
  fc_ctx    *c = check_ctx();
  char       text[200];
  fc_tensor *window = check_random(c, ndim, dim), *y[2];

  for (int i = 0; i < 2; i++) {
    snprintf(text, sizeof text, SMALL "%s recompute=%s", options, i ? "true" : "false");
    check_net n = check_net_build(&fc_model_ifactformer_m, text);
    y[i]        = next_frame(c, &n, window);
    for (int64_t s = 0; s < dim[0]; s++)
      CHECK(check_distance(next_frame(c, &n, fc_slice(c, window, 0, s, 1)), fc_slice(c, y[i], 0, s, 1)) <
            2e-6);
    check_net_drop(&n);
  }
  CHECK(check_distance(y[1], y[0]) == 0);
}

static void samples_are_apart(void) {
  samples("", FC_DIMS(3, 1, 4, 5, 3, 3));
  samples("variant=m_feb2025 n_space=2", FC_DIMS(3, 1, 6, 5, 3));
  samples("variant=o_head depth=2", FC_DIMS(2, 1, 4, 5, 3, 3));
}

static void refused(const char *options, const char *message) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_ifactformer_m, options, &n), FC_E_USAGE, message);
  check_net_drop(&n);
}

static void refusals(void) {
  refused("in_dim=5", "must divide dim/2");
  refused("dim=9", "must be even");
  refused("dim_head=5", "rotary");
  refused("coord_hi=[1,2]", "3 axes");
  refused("steady=true in_time_window=2", "in_time_window is 2");
}

CHECK_SUITE(model_ifactformer, gradients, packs_coordinates, samples_are_apart, refusals)
