/* tests/hpc/ranks_models.c - run on 1 to 4 ranks: models on shares of points and grids give the outputs,
   gradients of weights and gradients of inputs that a lone rank has. What reference cases do not show: packed
   samples, some of which leave ranks without a row, padding that takes no part, and gridded data. */
#include "hpc/domain.h"
#include "tests/check_model.h"
#include "train/shares.h"

extern const fc_model_def fc_model_gnot, fc_model_transolver, fc_model_fno, fc_model_fourier_mixer;

static fc_process_grid grid;

typedef struct { /* a model, its inputs, and how ranks share them */
  check_net net;
  bool      gridded; /* the input is a window */
  fc_cut    lines;   /* of its grid */
  fc_batch  whole;
} trial;

static fc_ctx *lone_ctx(void) {
  fc_ctx *c = check_ctx();

  fc_ctx_share(c, NULL);
  return c;
}

/* ---- inputs ---- */

static bool fixed(const char *name) { return strstr(name, "_lengths"); }

static void put(fc_ctx *c, trial *t, const char *name, int ndim, const int64_t *dim) {
  fc_batch_put(&t->whole, name, check_random(c, ndim, dim));
  fc_batch_get(&t->whole, name)->needs_grad = true;
}

static int64_t put_lengths(fc_ctx *c, trial *t, const char *name, int64_t n, const int64_t *lengths) {
  fc_tensor *x   = fc_tensor_new(c->arena, FC_DIMS(n));
  int64_t    sum = 0;

  for (int64_t i = 0; i < n; i++) x->x[i] = (fc_real)lengths[i], sum += lengths[i];
  fc_batch_put(&t->whole, name, x);
  return sum;
}

static trial begin(const fc_model_def *def, const char *options) {
  trial t = {.net = check_net_build(def, options)};

  for (int i = 0; i < fc_params_size(t.net.params); i++) {
    const fc_rng r = {11, (uint64_t)i, FC_RNG_TEST};
    fc_tensor   *w;
    fc_params_at(t.net.params, i, &w);
    for (int64_t j = 0; j < fc_len(w); j++) w->x[j] += (fc_real)(0.1 * fc_rng_normal(&r, (uint64_t)j));
  }
  return t;
}

/* ---- parts ---- */

static fc_part part_of(fc_ctx *c, const trial *t, const char *name) {
  if (t->gridded && fc_domain_shared(c)) return (fc_part){.kind = FC_PART_AXIS, .axis = 2, .cut = t->lines};
  return fc_part_of(c, t->net.def, t->net.self, &t->whole, name);
}

/* a leaf of its own */
static fc_tensor *take(fc_ctx *c, const trial *t, const char *name, fc_tensor *x) {
  const fc_part p    = part_of(c, t, name);
  fc_tensor    *part = fc_part_take(c, &p, x), *y = fc_tensor_new(c->arena, part->ndim, part->dim);

  memcpy(y->x, part->x, (size_t)fc_len(y) * sizeof *y->x);
  return y;
}

static fc_tensor *join(fc_ctx *c, const trial *t, const char *name, const fc_tensor *x, fc_real *v) {
  const fc_part p = part_of(c, t, name);

  return fc_part_join(c, &p, fc_tensor_borrow(c->arena, v, x->ndim, x->dim));
}

static void share(fc_ctx *c, trial *t) {
  c->domain = &grid.domain;
  if (t->gridded) {
    fc_batch         packed = {0};
    const fc_tensor *w      = t->whole.t[0];
    c->domain               = NULL;
    t->net.def->pack(c, t->net.self, t->whole.t[0], 1, &packed);
    c->domain = &grid.domain;
    CHECK_OK(t->net.def->sharing->cut(t->net.self, &packed, &t->lines));
    t->lines = fc_cut_coarser(t->lines, t->lines.n / w->dim[2]);
    c->cut   = t->lines;
  } else {
    CHECK_OK(t->net.def->sharing->cut(t->net.self, &t->whole, &c->cut));
  }
}

/* ---- the same as alone ---- */

static fc_tensor *apply(fc_ctx *c, const trial *t, const fc_batch *b) {
  fc_batch none = {0};

  return t->gridded ? fc_model_frames(c, t->net.def, t->net.self, b->t[0], 1, &none)
                    : t->net.def->apply(c, t->net.self, b);
}

static fc_real *copy_of(const fc_real *x, int64_t n) {
  fc_real *y = malloc((size_t)n * sizeof *y);

  return memcpy(y, x, (size_t)n * sizeof *y);
}

static void same(const char *what, const fc_real *a, const fc_real *b, int64_t n) {
  double off = 0, top = 0;

  for (int64_t i = 0; i < n; i++) {
    const double d = fabs((double)(a[i] - b[i]));
    off            = d <= off ? off : isnan(d) ? INFINITY : d;
    top            = fmax(top, fabs((double)b[i]));
  }
  if (!(off <= 1e-11 * top)) printf("%s differs by %g of %g\n", what, off, top);
  CHECK(off <= 1e-11 * top);
}

/* the result of a run on the whole batch by one rank */
typedef struct {
  fc_real *y, *v, *dw, *dx[FC_BATCH_MAX]; /* v: gradient of the output y */
  int      ndim;
  int64_t  dim[FC_MAX_DIMS];
} outcome;

static outcome run_alone(fc_ctx *c, trial *t) {
  outcome o = {NULL};

  c->grad      = true;
  fc_tensor *y = apply(c, t, &t->whole), *v = check_random(c, y->ndim, y->dim);
  fc_keep(y), fc_keep(v);
  o.ndim = y->ndim;
  memcpy(o.dim, y->dim, sizeof o.dim);
  fc_backward_from(c, y, v->x);
  o.dw = copy_of(fc_params_grads(t->net.params), fc_params_block(t->net.params, true));
  o.y  = copy_of(y->x, fc_len(y));
  o.v  = copy_of(v->x, fc_len(v));
  for (int i = 0; i < t->whole.n; i++)
    if (!fixed(t->whole.name[i])) o.dx[i] = copy_of(t->whole.t[i]->g, fc_len(t->whole.t[i]));
  c->grad = false;
  return o;
}

static void drop(outcome *o) {
  free(o->y), free(o->v), free(o->dw);
  for (int i = 0; i < FC_BATCH_MAX; i++) free(o->dx[i]);
}

static fc_batch take_batch(fc_ctx *c, const trial *t) {
  fc_batch b = {0};

  for (int i = 0; i < t->whole.n; i++) {
    fc_batch_put(&b, t->whole.name[i], take(c, t, t->whole.name[i], t->whole.t[i]));
    b.t[i]->needs_grad = !fixed(b.name[i]);
  }
  return b;
}

static void same_inputs(fc_ctx *c, const trial *t, const fc_batch *b, const outcome *alone) {
  for (int i = 0; i < b->n; i++) {
    if (fixed(b->name[i])) continue;
    if (part_of(c, t, b->name[i]).kind == FC_PART_WHOLE) fc_domain_sum(c, b->t[i]->g, fc_len(b->t[i]));
    same(b->name[i], join(c, t, b->name[i], b->t[i], b->t[i]->g)->x, alone->dx[i], fc_len(t->whole.t[i]));
  }
}

/* Plans say what a run on shares sends, all ranks together: each takes its backward pass for as long as its
   forward pass, but of some sums the adjoint is a little shorter. */
static void plan_as_sent(const trial *t, fc_cut cut, double sent) {
  fc_ctx *c;

  if (fc_ctx_create((size_t)1 << 40, true, &c) != FC_OK) abort();
  fc_ctx_share(c, &(fc_share){&grid.domain, cut});
  const fc_batch b = take_batch(c, t);
  c->grad          = true;
  fc_backward(c, fc_sum_all(c, apply(c, t, &b)));
  double both[] = {c->sent, sent};
  CHECK_OK(fc_comm_sum_double(grid.points, both, 2));
  CHECK_NEAR(both[0], both[1], 0.12 * both[1]);
  fc_ctx_destroy(c);
}

static void check_parts(fc_ctx *c, trial *t) {
  outcome alone = run_alone(c, t);

  fc_params_zero_grads(t->net.params);
  share(c, t);
  const fc_batch b      = take_batch(c, t);
  fc_tensor     *v      = fc_tensor_borrow(c->arena, alone.v, alone.ndim, alone.dim);
  fc_tensor     *own    = take(c, t, NULL, v);
  const double   before = c->sent;
  c->grad               = true;
  fc_tensor *y          = apply(c, t, &b);
  fc_keep(y);
  fc_backward_from(c, y, own->x);
  c->grad           = false;
  const double sent = c->sent - before;
  same("output", join(c, t, NULL, y, y->x)->x, alone.y, fc_len(v));
  CHECK_OK(fc_comm_sum(grid.points, fc_params_grads(t->net.params), fc_params_block(t->net.params, true)));
  same("gradients of weights", fc_params_grads(t->net.params), alone.dw,
       fc_params_block(t->net.params, true));
  same_inputs(c, t, &b, &alone);
  CHECK_OK(fc_domain_status(c));
  plan_as_sent(t, c->cut, sent);
  drop(&alone);
  check_net_drop(&t->net);
}

/* ---- packed points ---- */

enum { SAMPLES = 3 };
static const int64_t points[SAMPLES] = {7, 30, 1}, keys[2][SAMPLES] = {{4, 1, 9}, {1, 2, 3}};

static void gnot_packed(const char *options, bool functions) {
  fc_ctx *c = lone_ctx();
  trial   t = begin(&fc_model_gnot, options);

  put(c, &t, "x", FC_DIMS(put_lengths(c, &t, "x_lengths", SAMPLES, points), 2));
  put(c, &t, "fx", FC_DIMS(fc_batch_get(&t.whole, "x")->dim[0], 1));
  put(c, &t, "u_p", FC_DIMS(SAMPLES, 2));
  if (functions) put(c, &t, "f0", FC_DIMS(put_lengths(c, &t, "f0_lengths", SAMPLES, keys[0]), 3));
  if (functions) put(c, &t, "f1", FC_DIMS(put_lengths(c, &t, "f1_lengths", SAMPLES, keys[1]), 4));
  check_parts(c, &t);
}

#define GNOT "n_hidden=12 n_head=2 n_layers=2 n_inner=2 mlp_layers=1 "

static void packed_samples_of_gnot(void) {
  gnot_packed(GNOT "n_experts=3 trunk_size=5 branch_sizes=[3,4] output_size=2", true);
  gnot_packed(GNOT "variant=cgpt trunk_size=5 branch_sizes=[3,4] horiz_fourier_dim=1", true);
  gnot_packed(GNOT "variant=nsl fun_dim=3 output_size=2 recompute=true", false);
}

/* padding is no row of anyone; ranks behind all valid rows have nothing but their place in every sum */
static void masked_padding_of_gnot(void) {
  fc_ctx       *c          = lone_ctx();
  trial         t          = begin(&fc_model_gnot, GNOT "mask=true trunk_size=2 branch_sizes=[3]");
  const int64_t lengths[2] = {5, 6}, few[2] = {1, 3};

  put(c, &t, "x", FC_DIMS(2, 13, 2));
  put_lengths(c, &t, "x_lengths", 2, lengths);
  put(c, &t, "f0", FC_DIMS(2, 3, 3));
  put_lengths(c, &t, "f0_lengths", 2, few);
  check_parts(c, &t);
}

static void packed_samples_of_transolver(void) {
  fc_ctx *c = lone_ctx();
  trial   t = begin(&fc_model_transolver,
                    "variant=irregular n_hidden=8 n_head=2 n_layers=2 slice_num=3 Time_Input=true");

  put(c, &t, "x", FC_DIMS(put_lengths(c, &t, "x_lengths", SAMPLES, points), 2));
  put(c, &t, "fx", FC_DIMS(fc_batch_get(&t.whole, "x")->dim[0], 1));
  put(c, &t, "T", FC_DIMS(SAMPLES, 1));
  check_parts(c, &t);
}

/* losses over rows of samples: value, as the sum of the ranks' parts, and gradient of own rows */
static void losses_of_ragged_samples(void) {
  static const fc_ragged_kind kinds[] = {FC_RAGGED_MSE, FC_RAGGED_RELATIVE, FC_RAGGED_RELATIVE_CHANNELS};

  for (int k = 0; k < FC_COUNT(kinds); k++) {
    fc_ctx       *c = lone_ctx();
    trial         t = {0};
    const int64_t R = put_lengths(c, &t, "x_lengths", SAMPLES, points);
    fc_tensor    *y = check_random(c, FC_DIMS(R, 2)), *goal = check_random(c, FC_DIMS(R, 2)),
              *lengths = t.whole.t[0];
    const fc_part rows = {.kind = FC_PART_ROWS, .samples = SAMPLES, .lengths = lengths};
    y->needs_grad = c->grad = true;
    fc_tensor *loss         = fc_ragged_loss(c, kinds[k], y, goal, NULL, lengths, 1e-6);
    fc_backward(c, loss);
    c->grad            = false;
    fc_real     *dy    = copy_of(y->g, fc_len(y));
    const double whole = (double)loss->x[0];

    c->domain    = &grid.domain;
    fc_part few  = rows;
    few.kind     = FC_PART_LENGTHS;
    lengths      = fc_part_take(c, &few, lengths);
    fc_tensor *z = fc_part_take(c, &rows, y), *own = fc_part_take(c, &rows, goal);
    z             = fc_tensor_borrow(c->arena, z->x, z->ndim, z->dim);
    z->needs_grad = c->grad = true;
    loss                    = fc_ragged_loss(c, kinds[k], z, own, NULL, lengths, 1e-6);
    fc_backward(c, loss);
    c->grad     = false;
    double part = (double)loss->x[0];
    CHECK_OK(fc_comm_sum_double(grid.points, &part, 1));
    CHECK_NEAR(part, whole, 1e-12 * whole);
    same("gradients of a loss", fc_part_join(c, &rows, fc_tensor_borrow(c->arena, z->g, z->ndim, z->dim))->x,
         dy, fc_len(y));
    free(dy);
  }
}

/* ---- gridded data ---- */

static void gridded(const fc_model_def *def, const char *options, int ndim, const int64_t *window) {
  fc_ctx *c = lone_ctx();
  trial   t = begin(def, options);

  t.gridded = true;
  put(c, &t, "window", ndim, window);
  check_parts(c, &t);
}

static void grids_of_gnot(void) {
  gridded(&fc_model_gnot, GNOT "n_experts=2 trunk_size=4 branch_sizes=[4] in_frames=2",
          FC_DIMS(2, 2, 9, 3, 1));
  gridded(&fc_model_gnot, GNOT "variant=nsl geotype=structured_2D unified_pos=true ref=2 fun_dim=1",
          FC_DIMS(1, 1, 7, 4, 1));
}

#define FNO                                                                                                  \
  "hidden_channels=5 n_layers=2 lifting_channel_ratio=1 projection_channel_ratio=1 norm=group_norm "         \
  "norm_groups=5 "

static void grids_of_fno(void) {
  gridded(&fc_model_fno, FNO "n_modes=[6,5] domain_padding=[0.3] conv_bias_kernel=3", FC_DIMS(2, 1, 9, 6, 1));
  gridded(&fc_model_fno, FNO "n_modes=[4,3,4] domain_padding=[0.2] domain_padding_mode=one-sided",
          FC_DIMS(1, 1, 5, 4, 6, 1));
  gridded(&fc_model_fno, "hidden_channels=3 n_modes=[40,40] norm=instance_norm recompute=true",
          FC_DIMS(1, 1, 6, 4, 1));
  gridded(&fc_model_fno, FNO "n_modes=[12] preactivation=true", FC_DIMS(2, 1, 17, 1));
}

static void library_grids_of_fno(void) {
  gridded(&fc_model_fno, "variant=nsl geotype=structured_3D space_dim=3 n_hidden=3 modes=3",
          FC_DIMS(1, 1, 5, 4, 6, 1));
  gridded(&fc_model_fno, "variant=nsl n_hidden=3 modes=4 unified_pos=true ref=2", FC_DIMS(2, 1, 9, 5, 1));
  gridded(&fc_model_fno, "variant=nsl geotype=structured_1D space_dim=1 n_hidden=4 modes=5",
          FC_DIMS(2, 1, 19, 1));
}

static void grids_of_the_fourier_mixer(void) {
  gridded(&fc_model_fourier_mixer, "dim=7 depth=2", FC_DIMS(2, 1, 9, 4, 1));
  gridded(&fc_model_fourier_mixer, "axes=1 dim=10 depth=2", FC_DIMS(2, 1, 13, 1));
  gridded(&fc_model_fourier_mixer, "axes=3 dim=4 depth=2 mixing=sum", FC_DIMS(1, 1, 5, 3, 4, 1));
}

static int run_all(void) {
  static const check_case cases[] = {packed_samples_of_gnot,
                                     masked_padding_of_gnot,
                                     packed_samples_of_transolver,
                                     losses_of_ragged_samples,
                                     grids_of_gnot,
                                     grids_of_fno,
                                     library_grids_of_fno,
                                     grids_of_the_fourier_mixer};

  return check_run("models on shares", (int)(sizeof cases / sizeof *cases), cases,
                   "packed_samples_of_gnot, masked_padding_of_gnot, packed_samples_of_transolver, "
                   "losses_of_ragged_samples, "
                   "grids_of_gnot, grids_of_fno, library_grids_of_fno, grids_of_the_fourier_mixer");
}

int main(int argc, char **argv) {
  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  if (fc_process_grid_create(fc_comm_size(NULL), &grid) != FC_OK) return 2;
  const int failed = run_all();
  fc_process_grid_destroy(&grid);
  fc_comm_stop(failed);
  return failed;
}
