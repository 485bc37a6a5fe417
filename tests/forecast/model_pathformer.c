/* tests/forecast/model_pathformer.c - gradients in double, those of the balance loss among them, in training
   too; samples and experts, dropout and noise, refusals. */
#include "io/case_file.h"
#include "io/safetensors.h"
#include "tests/check_model.h"

extern const fc_model_def fc_model_pathformer;

#define SMALL                                                                                                \
  "seq_len=8 pred_len=3 num_nodes=2 layer_nums=1 d_model=2 d_ff=3 k=2 num_experts_list=3 "                   \
  "patch_size_list=[[4,2,8]] "

/* the output and behind it the penalty, in training or not */
static bool training;

static fc_tensor *with_penalty(fc_ctx *c, const void *self, const fc_batch *b) {
  const bool before = c->training;

  c->training  = training;
  fc_tensor *y = fc_model_pathformer.apply(c, self, b);
  c->training  = before;
  CHECK(c->penalty && fc_len(c->penalty) == 1);
  return fc_concat(c, 0, FC_IN(fc_reshape(c, y, FC_DIMS(fc_len(y))), fc_reshape(c, c->penalty, FC_DIMS(1))));
}

/* statistics of a window do not count as functions of it, so x takes a gradient only where there are none */
static void gradient(const char *name, const char *options, int64_t B, int64_t L, int64_t N) {
  const bool   revin = !strstr(options, "revin=0");
  fc_model_def def   = fc_model_pathformer;

  def.apply = with_penalty;
  check_model(name, &def, options, CHECK_INPUTS({"x", {3, {B, L, N}, .fixed = revin}}));
}

static void gradients(void) {
  training = false;
  gradient("pathformer", SMALL, 3, 8, 2);
  gradient("pathformer_plain", SMALL "residual_connection=0 revin=0", 3, 8, 2);
  gradient("pathformer_all", SMALL "k=3 revin=0", 1, 8, 2);
  gradient("pathformer_norm", SMALL "batch_norm=1 revin=0 num_experts_list=[1] patch_size_list=[4] k=1", 2, 8,
           2);
  gradient("pathformer_layers",
           "seq_len=9 pred_len=2 num_nodes=1 layer_nums=2 d_model=4 d_ff=2 k=1 num_experts_list=[2,1] "
           "patch_size_list=[[3,9],[1]] revin=0",
           3, 9, 1);
}

static void gradients_in_training(void) {
  training = true;
  gradient("pathformer_training", SMALL "revin=0", 3, 8, 2);
  gradient("pathformer_training_norm", SMALL "batch_norm=1 revin=0", 3, 8, 2);
}

static fc_tensor *apply_to(fc_ctx *c, const check_net *n, fc_tensor *x) {
  fc_batch b = {0};

  fc_batch_put(&b, "x", x);
  CHECK_OK(n->def->check(n->self, &b));
  return n->def->apply(c, n->self, &b);
}

/* whoever else is in the batch, the same experts answer */
static void samples_are_apart(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_pathformer, SMALL);
  fc_tensor *x = check_random(c, FC_DIMS(7, 8, 2)), *y = apply_to(c, &n, x);

  for (int s = 0; s < 7; s++)
    CHECK(check_distance(apply_to(c, &n, fc_slice(c, x, 0, s, 1)), fc_slice(c, y, 0, s, 1)) < 2e-6);
  check_net_drop(&n);
}

/* one window and one expert of three: the weights of the others have the gradient 0, not none, but for those
   that nobody ever reads */
static void idle_experts_are_reached(void) {
  fc_ctx    *c    = check_ctx();
  check_net  n    = check_net_build(&fc_model_pathformer, SMALL "k=1");
  fc_tensor *x    = check_random(c, FC_DIMS(1, 8, 2)), *t;
  int        idle = 0;

  fc_params_zero_grads(n.params);
  c->grad = true;
  fc_backward(c, fc_sum_all(c, apply_to(c, &n, x)));
  for (int e = 0; e < 3; e++) {
    char name[64];
    snprintf(name, sizeof name, "AMS_lists.0.experts.%d.ff.0.weight", e);
    t = fc_params_find(n.params, name);
    CHECK(t->has_grad);
    double sum = 0;
    for (int64_t i = 0; i < fc_len(t); i++) sum += fabs((double)t->g[i]);
    idle += sum == 0;
  }
  CHECK(idle == 2);
  CHECK(!fc_params_find(n.params, "AMS_lists.0.experts.0.norm_attn.1.weight")->has_grad);
  CHECK(!fc_params_find(n.params, "AMS_lists.0.end_MLP.fc.weight")->has_grad);
  check_net_drop(&n);
}

/* only in training, and then the result depends on the seed */
static void noise(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_pathformer, SMALL);
  fc_tensor *x = check_random(c, FC_DIMS(5, 8, 2)), *still[2], *moved[2];
  double     penalty[2];

  for (int i = 0; i < 2; i++) {
    c->seed     = (uint64_t)i + 1;
    c->training = false;
    still[i]    = apply_to(c, &n, x);
    c->training = true;
    moved[i]    = apply_to(c, &n, x);
    penalty[i]  = (double)c->penalty->x[0];
  }
  CHECK(check_distance(still[0], still[1]) == 0);
  CHECK(check_distance(moved[0], still[0]) > 1e-3 && check_distance(moved[0], moved[1]) > 1e-3);
  CHECK(penalty[0] != penalty[1]);
  check_net_drop(&n);
}

/* the statistics of a batch are each rank's own: nothing but the balance of the experts is summed */
static int64_t sums;
static void    count_sums(double *x, int64_t n) {
     (void)x, (void)n;
     sums++;
}

static void ranks_keep_their_statistics(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_pathformer, SMALL "batch_norm=1");

  sums = 0, c->batch_sum = count_sums, c->training = c->grad = true;
  fc_tensor *y = apply_to(c, &n, check_random(c, FC_DIMS(5, 8, 2)));
  CHECK(sums == 2 && c->batch_sum == count_sums);
  fc_backward(c, fc_add(c, fc_sum_all(c, y), c->penalty));
  CHECK(sums == 4);
  c->batch_sum = NULL;
  check_net_drop(&n);
}

/* the case's own value of the balance loss */
static void balance_of_the_case(void) {
  fc_ctx              *c    = check_ctx();
  const char          *root = getenv("FC_SOURCE_DIR");
  char                 path[600];
  fc_case_file        *f;
  const fc_case_array *in, *balance;
  check_net n = check_net_build(&fc_model_pathformer, "seq_len=8 num_nodes=2 pred_len=3 layer_nums=1 k=2 "
                                                      "num_experts_list=[2] patch_size_list=[[4,2]] d_ff=5");

  snprintf(path, sizeof path, "%s/tests/golden/pathformer-restated", root ? root : ".");
  char *end = path + strlen(path);
  strcpy(end, "/weights.safetensors");
  CHECK_OK(fc_weights_load(path, n.params, true, NULL));
  strcpy(end, "/case.h5");
  CHECK_OK(fc_case_open(path, &f));
  CHECK_OK(fc_case_read(f, "/input/x", &in));
  CHECK_OK(fc_case_read(f, "/aux/balance_loss", &balance));
  fc_tensor *x = fc_tensor_new(c->arena, in->ndim, in->dim);
  for (int64_t i = 0; i < fc_len(x); i++) x->x[i] = (fc_real)in->x[i];
  apply_to(c, &n, x);
  CHECK(balance->x[0] > 1e-6);
  CHECK_NEAR((double)c->penalty->x[0] / balance->x[0], 1, 1e-4);
  fc_case_close(f);
  check_net_drop(&n);
}

static void wants(void) {
  check_net       n = check_net_build(&fc_model_pathformer, SMALL);
  fc_series_wants w;
  fc_batch        in = {0}, out = {0};

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 8 && w.horizon == 3 && w.variates == 2 && w.targets == 0 && w.marks == FC_MARKS_NONE);
  fc_batch_put(&in, "x_enc", check_random(check_ctx(), FC_DIMS(2, 8, 2)));
  n.def->series_pack(NULL, n.self, &in, &out);
  CHECK_OK(n.def->check(n.self, &out));
  check_net_drop(&n);
}

static void refused(const char *options, const char *message) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_pathformer, options, &n), FC_E_USAGE, message);
  check_net_drop(&n);
}

static void refusals(void) {
  check_net n = check_net_build(&fc_model_pathformer, SMALL);
  fc_batch  b = {0};

  refused(SMALL "patch_size_list=[4,3,8]", "patches of 3 steps (patch_size_list) do not divide seq_len 8");
  refused(SMALL "k=4", "k = 4 experts for a window, but layer 0 has 3");
  refused(SMALL "d_model=3", "d_model is 3");
  refused(SMALL "layer_nums=2", "num_experts_list has 1 numbers for layer_nums = 2");
  refused(SMALL "patch_size_list=[[4,2],[8,1]]", "patch_size_list has 4 numbers for the 3 experts");
  refused("seq_len=4800 layer_nums=1 k=1 num_experts_list=[1] patch_size_list=[1]", "4800 patches");
  fc_batch_put(&b, "x", check_random(check_ctx(), FC_DIMS(1, 8, 3)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x");
  check_net_drop(&n);
  n = check_net_build(&fc_model_pathformer, SMALL "num_experts_list=[3,1] patch_size_list=[[4,2,8],[2]]");
  CHECK(!fc_params_find(n.params, "AMS_lists.1.mean")); /* more in the lists than layers */
  check_net_drop(&n);
}

CHECK_SUITE(model_pathformer, gradients, gradients_in_training, samples_are_apart, idle_experts_are_reached,
            noise, ranks_keep_their_statistics, balance_of_the_case, wants, refusals)
