/* tests/operators/model_mano.c - what reference cases cannot show: gradients in double, gridded data, levels,
   dropout, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_mano;

#define SMALL "dim=6 depth=2 heads=2 dim_head=3 mlp_dim=5 image_size=8 "
#define GRADIENT(name, options, ...)                                                                         \
  check_model(name, &fc_model_mano, SMALL options, CHECK_INPUTS({"x", {4, {__VA_ARGS__}}}))

static void gradients(void) {
  GRADIENT("mano_conv", "", 2, 3, 8, 16);
  GRADIENT("mano_overlap", "local_attention_stride=1 recompute=true", 1, 3, 8, 12);
  GRADIENT("mano_pool", "att_sampling=avg_pool local_attention_span=4 levels=2", 1, 3, 8, 8);
  GRADIENT("mano_identity", "heads=1 dim_head=6 head=half levels=1", 3, 3, 4, 6);
}

/* frames lie behind each other in the channels, coordinates behind them */
static void packs_frames_and_coordinates(void) {
  fc_ctx   *c = check_ctx();
  check_net n =
      check_net_build(&fc_model_mano, SMALL "channels=3 in_frames=2 coordinates=true out_channels=4");
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
    const int64_t at   = (((s * 2 + k / 3) * 8 + i) * 16 + j) * 3 + k % 3; /* frame k / 3, channel k % 3 */
    const double  want = k == 6 ? (double)i / 7 : k == 7 ? (double)j / 15 : (double)window->x[at];
    CHECK_NEAR(x->x[e], want, 1e-6);
  }
  fc_tensor       *y = n.def->apply(c, n.self, &b);
  const fc_tensor *z = n.def->unpack(c, n.self, y);
  CHECK(z->ndim == 5 && z->dim[1] == 1 && z->dim[2] == 8 && z->dim[3] == 16 && z->dim[4] == 4);
  CHECK_NEAR(z->x[5 * 4 + 3], y->x[3 * 128 + 5], 0); /* channel 3 of cell (0, 5) */
  check_net_drop(&n);
}

/* the quotient of logarithms is cut off: the multiple of the grid is span rate^(levels-1) */
static void levels(void) {
  static const struct {
    const char *options;
    int64_t     multiple;
  } cases[] = {{"depth=1 image_size=64", 64},
               {"depth=1 image_size=243 att_sampling_rate=3", 54}, /* ln 243 / ln 3 is rounded below 5 */
               {"depth=1 image_size=100 att_sampling_rate=4", 32},
               {"depth=1 image_size=64 levels=2", 4},
               {"depth=1 image_size=3", 2}};
  fc_frames f;

  for (int i = 0; i < FC_COUNT(cases); i++) {
    check_net n = check_net_build(&fc_model_mano, cases[i].options);
    CHECK_OK(n.def->frames(n.self, &f));
    CHECK_NEAR(f.multiple, cases[i].multiple, 0);
    check_net_drop(&n);
  }
}

static fc_tensor *apply_to(fc_ctx *c, const check_net *n, fc_tensor *x) {
  fc_batch b = {0};

  fc_batch_put(&b, "x", x);
  CHECK_OK(n->def->check(n->self, &b));
  return n->def->apply(c, n->self, &b);
}

static void samples_are_apart(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_mano, SMALL "local_attention_stride=1");
  fc_tensor *x = check_random(c, FC_DIMS(3, 3, 8, 16)), *y = apply_to(c, &n, x);

  for (int s = 0; s < 3; s++)
    CHECK(check_distance(apply_to(c, &n, fc_slice(c, x, 0, s, 1)), fc_slice(c, y, 0, s, 1)) < 2e-6);
  check_net_drop(&n);
}

/* only in training, and then the result depends on the seed */
static void dropout(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_mano, SMALL "att_dropout=0.3 emb_dropout=0.2");
  fc_tensor *x = check_random(c, FC_DIMS(1, 3, 8, 8)), *still[2], *moved[2];

  for (int i = 0; i < 2; i++) {
    c->seed     = (uint64_t)i + 1;
    c->training = false;
    still[i]    = apply_to(c, &n, x);
    c->training = true;
    moved[i]    = apply_to(c, &n, x);
  }
  c->training = false;
  CHECK(check_distance(still[0], still[1]) == 0);
  CHECK(check_distance(moved[0], still[0]) > 1e-3 && check_distance(moved[0], moved[1]) > 1e-3);
  check_net_drop(&n);
}

/* check must refuse a grid of H x W and say so */
static void grid_refused(const char *options, int64_t H, int64_t W, const char *message) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_mano, options);
  fc_batch  b = {0};

  fc_batch_put(&b, "x", check_random(c, FC_DIMS(1, 3, H, W)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, message);
  check_net_drop(&n);
}

static void options_refused(const char *options, const char *message) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_mano, options, &n), FC_E_USAGE, message);
  check_net_drop(&n);
}

static void refusals(void) {
  grid_refused(SMALL, 12, 12, "do not cover the 3 x 3 cells of level 2");
  grid_refused(SMALL "local_attention_stride=1", 12, 10, "the 6 x 5 cells of level 1 cannot be made 2");
  grid_refused(SMALL "image_size=2 local_attention_stride=3", 5, 5,
               "do not cover the 5 x 5 cells of level 0");
  grid_refused(SMALL "image_size=2 local_attention_span=4", 2, 8, "do not cover the 2 x 8 cells of level 0");
  options_refused("image_size=3 att_sampling_rate=4", "smaller than att_sampling_rate");
  options_refused("steady=true in_frames=2", "in_frames is 2");
  options_refused("dim=1 head=half", "half head");
}

CHECK_SUITE(model_mano, gradients, packs_frames_and_coordinates, levels, samples_are_apart, dropout, refusals)
