/* tests/operators/test_grids.c - what reference cases cannot show of MANO and IFactFormer: gridded data,
   levels, recomputation, refusals. */
#include "tests/operators/net.h"

extern const fc_model_def fc_model_mano, fc_model_ifactformer_m;

#define SMALL_MANO  "dim=6 depth=2 heads=2 dim_head=3 mlp_dim=5 image_size=8 "
#define SMALL_IFACT "dim=12 heads=2 dim_head=2 n_layer=2 "

static void mano_packs_frames_and_coordinates(void) {
  fc_ctx *c = check_ctx();
  net     n = net_build(&fc_model_mano, SMALL_MANO "channels=3 in_frames=2 coordinates=true out_channels=4");
  fc_frames f;
  fc_batch  b = {0};

  CHECK_OK(n.def->frames(n.self, &f));
  CHECK(f.n_in == 2 && f.max_out == 1 && f.ndim == 2 && f.channels_in == 3 && f.channels_out == 4);
  fc_tensor *window = check_random(c, FC_DIMS(2, 2, 8, 16, 3));
  n.def->pack(c, n.self, window, 1, &b);
  CHECK_OK(n.def->check(n.self, &b));
  const fc_tensor *x = fc_batch_get(&b, "x");
  for (int64_t e = 0; e < fc_len(x); e++) {
    const int64_t j = e % 16, i = e / 16 % 8, k = e / 128 % 8, s = e / 1024;
    const double  want = k == 6   ? (double)i / 7
                         : k == 7 ? (double)j / 15
                                  : (double)window->x[(((s * 2 + k / 3) * 8 + i) * 16 + j) * 3 + k % 3];
    CHECK_NEAR(x->x[e], want, 1e-6);
  }
  const fc_tensor *y = n.def->apply(c, n.self, &b), *z = n.def->unpack(c, n.self, (fc_tensor *)y);
  CHECK(z->ndim == 5 && z->dim[1] == 1 && z->dim[2] == 8 && z->dim[3] == 16 && z->dim[4] == 4);
  CHECK_NEAR(z->x[5 * 4 + 3], y->x[3 * 128 + 5], 0); /* channel 3 of cell (0, 5) */
  net_drop(&n);
}

/* the quotient of logarithms is cut off: the multiple of the grid is span rate^(levels-1) */
static void mano_levels(void) {
  static const struct {
    const char *options;
    int64_t     multiple;
  } cases[] = {{"image_size=64", 64},
               {"image_size=243 att_sampling_rate=3", 54}, /* 4 levels: ln 243 / ln 3 rounds below 5 */
               {"image_size=100 att_sampling_rate=4", 32},
               {"image_size=64 levels=2", 4},
               {"image_size=3", 2}};
  fc_frames f;

  for (int i = 0; i < FC_COUNT(cases); i++) {
    net n;
    CHECK_OK(net_try(&fc_model_mano, cases[i].options, &n));
    CHECK_OK(n.def->frames(n.self, &f));
    CHECK_NEAR(f.multiple, cases[i].multiple, 0);
    net_drop(&n);
  }
}

/* check must refuse a grid of H x W and say so */
static void grid_refused(const char *options, int64_t H, int64_t W, const char *message) {
  fc_ctx  *c = check_ctx();
  net      n;
  fc_batch b = {0};

  CHECK_OK(net_try(&fc_model_mano, options, &n));
  fc_batch_put(&b, "x", check_random(c, FC_DIMS(1, 3, H, W)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, message);
  net_drop(&n);
}

static void refusals(void) {
  grid_refused("image_size=8", 12, 12, "do not cover the 3 x 3 cells of level 2");
  grid_refused("image_size=8 local_attention_stride=1", 12, 10,
               "the 6 x 5 cells of level 1 cannot be made 2");
  grid_refused("image_size=2 local_attention_stride=3", 5, 5, "do not cover");
  grid_refused("image_size=2 local_attention_span=4", 2, 8, "do not cover the 2 x 8 cells of level 0");
  net_refused(&fc_model_mano, "image_size=3 att_sampling_rate=4", "smaller than att_sampling_rate");
  net_refused(&fc_model_mano, "steady=true in_frames=2", "in_frames");
  net_refused(&fc_model_ifactformer_m, "in_dim=5", "must divide dim/2");
  net_refused(&fc_model_ifactformer_m, "dim=9", "must be even");
  net_refused(&fc_model_ifactformer_m, "dim_head=5", "rotary");
  net_refused(&fc_model_ifactformer_m, "coord_hi=[1,2]", "3 axes");
  net_refused(&fc_model_ifactformer_m, "steady=true in_time_window=2", "in_time_window");
}

static void ifactformer_packs_coordinates(void) {
  fc_ctx   *c = check_ctx();
  net       n = net_build(&fc_model_ifactformer_m,
                          SMALL_IFACT "in_dim=2 out_dim=3 in_time_window=2 coord_lo=[0,-1,0] coord_hi=[4,1,7]");
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
  net_drop(&n);
}

/* one step of a window through the model, gradients in n->params */
static fc_tensor *step(fc_ctx *c, const net *n, fc_tensor *window) {
  fc_batch b = {0};

  n->def->pack(c, n->self, window, 1, &b);
  return n->def->unpack(c, n->self, n->def->apply(c, n->self, &b));
}

/* samples of a batch do not see each other, and a recomputed model gives the same numbers */
static void samples_and_recomputation(const fc_model_def *def, const char *options, int ndim,
                                      const int64_t *dim) {
  fc_ctx    *c = check_ctx();
  char       text[300];
  net        n[2];
  fc_tensor *window = check_random(c, ndim, dim), *y[2];

  for (int i = 0; i < 2; i++) {
    snprintf(text, sizeof text, "%s recompute=%s", options, i ? "true" : "false");
    n[i]    = net_build(def, text);
    c->grad = true;
    y[i]    = step(c, &n[i], window);
    fc_keep(y[i]);
    net_gradients(c, &n[i], y[i]);
    c->grad = false;
  }
  CHECK(check_distance(y[1], y[0]) == 0);
  for (int64_t j = 0; j < fc_params_block(n[0].params, true); j++)
    CHECK_NEAR(fc_params_grads(n[1].params)[j], fc_params_grads(n[0].params)[j],
               1e-5 * (1 + fabs((double)fc_params_grads(n[0].params)[j])));
  for (int64_t s = 0; s < dim[0]; s++)
    CHECK(check_distance(step(c, &n[0], fc_slice(c, window, 0, s, 1)), fc_slice(c, y[0], 0, s, 1)) < 2e-6);
  for (int i = 0; i < 2; i++) net_drop(&n[i]);
}

static void independent(void) {
  samples_and_recomputation(&fc_model_mano, SMALL_MANO "channels=2", FC_DIMS(3, 1, 8, 8, 2));
  samples_and_recomputation(&fc_model_mano,
                            SMALL_MANO "channels=2 local_attention_stride=1 att_sampling=avg_pool",
                            FC_DIMS(2, 1, 16, 8, 2));
  samples_and_recomputation(&fc_model_ifactformer_m, SMALL_IFACT, FC_DIMS(3, 1, 4, 5, 3, 3));
  samples_and_recomputation(&fc_model_ifactformer_m, SMALL_IFACT "variant=m_feb2025 n_space=2",
                            FC_DIMS(3, 1, 6, 5, 3));
  samples_and_recomputation(&fc_model_ifactformer_m, SMALL_IFACT "variant=o_head depth=2",
                            FC_DIMS(2, 1, 4, 5, 3, 3));
}

/* dropout only in training, and then the step depends on the seed */
static void mano_dropout(void) {
  fc_ctx    *c      = check_ctx();
  net        n      = net_build(&fc_model_mano, SMALL_MANO "att_dropout=0.3 emb_dropout=0.2");
  fc_tensor *window = check_random(c, FC_DIMS(1, 1, 8, 8, 3)), *still[2], *moved[2];

  for (int i = 0; i < 2; i++) {
    c->seed     = (uint64_t)i + 1;
    c->training = false;
    still[i]    = step(c, &n, window);
    c->training = true;
    moved[i]    = step(c, &n, window);
  }
  c->training = false;
  CHECK(check_distance(still[0], still[1]) == 0);
  CHECK(check_distance(moved[0], still[0]) > 1e-3 && check_distance(moved[0], moved[1]) > 1e-3);
  net_drop(&n);
}

CHECK_SUITE(grids, mano_packs_frames_and_coordinates, mano_levels, refusals, ifactformer_packs_coordinates,
            independent, mano_dropout)
