/* tests/operators/model_fno.c - gradients of the whole network with options and sizes that the reference
   cases do not have, gridded data, refusals. */
#include "core/nn/nn.h"
#include "tests/check_model.h"

extern const fc_model_def fc_model_fno;

#define GRADIENT(name, options, ...) check_model(name, &fc_model_fno, options, CHECK_INPUTS(__VA_ARGS__))

static void neuralop_gradients(void) {
  GRADIENT("fno_one_layer", "n_modes=[5,4] n_layers=1 hidden_channels=5 in_channels=2 out_channels=3",
           {"x", {4, {3, 2, 7, 6}}});
  GRADIENT("fno_small_grid", "n_modes=[6,9] n_layers=2 hidden_channels=4 stabilizer=tanh fno_skip=identity",
           {"x", {4, {1, 1, 3, 4}}});
  GRADIENT("fno_norms",
           "n_modes=[7] n_layers=2 hidden_channels=6 norm=group_norm norm_groups=3 lifting_channel_ratio=0",
           {"x", {3, {2, 1, 13}}});
  GRADIENT("fno_instance_norm",
           "n_modes=[4,4] n_layers=2 hidden_channels=4 norm=instance_norm use_channel_mlp=false "
           "non_linearity=silu",
           {"x", {4, {2, 1, 6, 5}}});
  GRADIENT("fno_preactivation",
           "n_modes=[3,3] n_layers=3 hidden_channels=4 preactivation=true fno_skip=soft-gating",
           {"x", {4, {2, 1, 5, 5}}});
  GRADIENT(
      "fno_preactivation_norm",
      "n_modes=[3,3] n_layers=2 hidden_channels=4 preactivation=true norm=group_norm channel_mlp_skip=none",
      {"x", {4, {2, 1, 5, 5}}});
  GRADIENT("fno_padding",
           "n_modes=[3,2,4] n_layers=1 hidden_channels=3 domain_padding=[0.25,0,0.4] fno_skip=none",
           {"x", {5, {1, 1, 4, 3, 5}}});
  GRADIENT(
      "fno_one_sided",
      "n_modes=[4,4] n_layers=2 hidden_channels=4 domain_padding=0.3 domain_padding_mode=one-sided "
      "conv_bias_kernel=3 channel_mlp_skip=linear fft_norm=ortho positional_embedding=none recompute=true",
      {"x", {4, {2, 1, 6, 8}}});
}

static void nsl_gradients(void) {
  GRADIENT("fno_nsl_1d", "variant=nsl geotype=structured_1D space_dim=1 n_hidden=5 modes=4 act=tanh",
           {"x", {3, {3, 21, 1}}}, {"fx", {3, {3, 21, 1}}});
  GRADIENT("fno_nsl_2d", "variant=nsl n_hidden=4 modes=3 shapelist=[5,7] time_input=true recompute=true",
           {"x", {3, {2, 35, 2}}}, {"fx", {3, {2, 35, 1}}}, {"T", {2, {2, 1}, .fixed = true}});
  GRADIENT("fno_nsl_3d", "variant=nsl geotype=structured_3D space_dim=3 n_hidden=2 modes=2 fun_dim=0",
           {"x", {5, {1, 3, 16, 2, 3}}});
}

/* ---- gridded data ---- */

/* two frames of two channels become four channels, oldest frame first */
static void windows(const char *options) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_fno, options);
  fc_tensor *w = check_random(c, FC_DIMS(3, 2, 6, 8, 2));
  fc_batch   b = {0};
  fc_frames  f;

  CHECK_OK(n.def->frames(n.self, &f));
  CHECK(f.n_in == 2 && f.max_out == 1 && f.ndim == 2 && f.channels_in == 2 && f.channels_out == 2 &&
        !f.steady);
  n.def->pack(c, n.self, w, 1, &b);
  CHECK_OK(n.def->check(n.self, &b));
  fc_tensor *u = fc_batch_get(&b, "fx") ? fc_batch_get(&b, "fx") : fc_channels_last(c, fc_batch_get(&b, "x"));
  for (int64_t s = 0; s < 48; s++)
    for (int k = 0; k < 4; k++) CHECK(u->x[(48 + s) * 4 + k] == w->x[((2 + k / 2) * 48 + s) * 2 + k % 2]);
  fc_tensor *y = n.def->apply(c, n.self, &b), *v = n.def->unpack(c, n.self, y);
  CHECK(v->ndim == 5 && v->dim[0] == 3 && v->dim[1] == 1 && v->dim[2] == 6 && v->dim[3] == 8 &&
        v->dim[4] == 2);
  check_net_drop(&n);
}

static void gridded_data(void) {
  windows("n_modes=[4,4] in_channels=4 out_channels=2 in_frames=2");
  windows("variant=nsl modes=3 fun_dim=4 out_dim=2 in_frames=2 n_hidden=8");
}

/* A smooth field on 16 and 32 points: the network is the same function, but for what the activations alias
 * (0.3 %). */
static void resolutions(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_fno, "n_modes=[6,6] in_channels=1 hidden_channels=8");
  fc_tensor *y[2];

  for (int i = 0; i < 2; i++) {
    const int64_t N = i ? 32 : 16;
    fc_tensor    *x = fc_tensor_new(c->arena, FC_DIMS(1, 1, N, N));
    fc_batch      b = {0};
    for (int64_t s = 0; s < N * N; s++)
      x->x[s] = (fc_real)(0.3 * sin(2 * M_PI * (double)(s / N) / (double)N) *
                          cos(2 * M_PI * (double)(s % N) / (double)N));
    fc_batch_put(&b, "x", x);
    CHECK_OK(n.def->check(n.self, &b));
    y[i] = n.def->apply(c, n.self, &b);
  }
  double off = 0, top = 0;
  for (int64_t s = 0; s < 256; s++) {
    off = fmax(off, fabs((double)y[1]->x[s / 16 * 64 + s % 16 * 2] - (double)y[0]->x[s]));
    top = fmax(top, fabs((double)y[0]->x[s]));
  }
  CHECK(off < 0.01 * top);
  check_net_drop(&n);
}

/* ---- refusals ---- */

static void refused(const char *options, const char *why) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_fno, options, &n), FC_E_USAGE, why);
  check_net_drop(&n);
}

static void bad_options(void) {
  refused("n_modes=[]", "n_modes has 0 numbers");
  refused("n_modes=[2,2,2,2]", "n_modes has 4 numbers");
  refused("separable=true", "not covered");
  refused("norm=group_norm norm_groups=5", "change norm_groups");
  refused("conv_bias_kernel=4", "must be odd");
  refused("domain_padding=[0.1,0.1,0.1]", "domain_padding has 3 numbers");
  refused("channel_mlp_expansion=0.01", "leaves nothing");
  refused("n_modes=[60000,60000,60000] hidden_channels=8192", "take fewer modes");
  refused("variant=nsl geotype=unstructured", "only grids");
  refused("variant=nsl shapelist=[4,4,4]", "shapelist has 3 lengths");
}

static void bad_inputs(void) {
  static const struct {
    const char *options, *why;
    int         ndim;
    int64_t     dim[5];
  } bad[] = {{"in_channels=2", "x", 4, {1, 3, 8, 8}},
             {"in_channels=2", "x", 3, {1, 2, 8}},
             {"variant=nsl fun_dim=0", "shapelist has 0", 3, {1, 64, 2}},
             {"variant=nsl fun_dim=0 shapelist=[8,9]", "shapelist has 72", 3, {1, 64, 2}},
             {"variant=nsl fun_dim=0 modes=10", "axis 1 of 16 points has 9 modes", 4, {1, 12, 12, 2}},
             {"variant=nsl fun_dim=1 modes=3", "fx", 4, {1, 12, 12, 2}}};

  for (int i = 0; i < FC_COUNT(bad); i++) {
    fc_ctx   *c = check_ctx();
    check_net n = check_net_build(&fc_model_fno, bad[i].options);
    fc_batch  b = {0};
    fc_batch_put(&b, "x", check_random(c, bad[i].ndim, bad[i].dim));
    CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, bad[i].why);
    check_net_drop(&n);
  }
}

CHECK_SUITE(model_fno, neuralop_gradients, nsl_gradients, gridded_data, resolutions, bad_options, bad_inputs)
