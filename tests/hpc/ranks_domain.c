/* tests/hpc/ranks_domain.c - run on 1 to 4 ranks: operations over the ranks of a domain equal the serial ones
   on the whole array, and each backward is the adjoint of its forward, <v, J x> = <J^T v, x> summed over
   ranks. */
#include "hpc/domain.h"
#include "tests/check.h"

static fc_process_grid grid;

static fc_ctx *shared_ctx(void) {
  fc_ctx *c = check_ctx();

  c->domain = &grid.domain;
  return c;
}

/* random numbers, the same on all ranks */
static fc_tensor *whole_random(fc_ctx *c, int ndim, const int64_t *dim) { return check_random(c, ndim, dim); }

/* other numbers on each rank */
static fc_tensor *own_random(fc_ctx *c, int ndim, const int64_t *dim) {
  fc_tensor *own = NULL;

  for (int r = 0; r < grid.domain.size; r++) {
    fc_tensor *t = check_random(c, ndim, dim);
    if (r == grid.domain.rank) own = t;
  }
  return own;
}

static fc_tensor *share_of(fc_ctx *c, fc_tensor *x, int axis, fc_cut s) {
  return fc_slice(c, x, axis, fc_cut_lo(c, s), fc_cut_len(c, s));
}

static double dot(const fc_real *a, const fc_real *b, int64_t n) {
  double sum = 0;

  for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
  CHECK_OK(fc_comm_sum_double(grid.points, &sum, 1));
  return sum;
}

static void same(const fc_tensor *a, const fc_tensor *b) {
  CHECK(fc_same_shape(a, b));
  if (fc_same_shape(a, b)) CHECK(check_distance(a, b) < 1e-14);
}

/* y made of x, which needs a gradient */
static void adjoint(fc_ctx *c, fc_tensor *x, fc_tensor *y) {
  const int64_t n = fc_len(y);

  if (y == x) return; /* one rank */
  fc_tensor   *v     = own_random(c, y->ndim, y->dim);
  const double forth = dot(v->x, y->x, n);
  fc_backward_from(c, y, v->x);
  CHECK_NEAR(dot(x->g, x->x, fc_len(x)) / forth, 1, 1e-11);
  CHECK_OK(fc_domain_status(c));
}

/* ---- cuts ---- */

static void cuts_cover_an_axis(void) {
  fc_ctx      *c = shared_ctx();
  const fc_cut s = {17, 2};
  double       n = (double)fc_cut_len(c, s);

  CHECK_OK(fc_comm_sum_double(grid.points, &n, 1));
  CHECK(n == 17 && fc_cut_lo(c, s) % 2 == 0);
  CHECK(fc_cut_at(s, 0, 4) == 0 && fc_cut_at(s, 4, 4) == 17 && fc_cut_at(s, 1, 4) == 4);
  CHECK(fc_cut_at(fc_cut_coarser(s, 2), 1, 4) == 2 && fc_cut_coarser(s, 2).n == 9);
  CHECK_FAILS(fc_cut_check((fc_cut){16, 8}, 3, "first axis"), FC_E_USAGE, "too few blocks for 3 ranks");
}

/* ---- sums ---- */

static void sums_and_maxima(void) {
  fc_ctx       *c    = shared_ctx();
  const int     size = grid.domain.size;
  fc_tensor    *x    = fc_tensor_new(c->arena, FC_DIMS(3));
  const fc_real r    = (fc_real)grid.domain.rank;

  for (int i = 0; i < 3; i++) x->x[i] = r + (fc_real)i;
  CHECK_NEAR(fc_allsum(c, x)->x[2], size * (size - 1) / 2.0 + 2 * size, 1e-14);
  CHECK_NEAR(fc_allmax(c, x)->x[1], size, 1e-14);
  CHECK(size == 1 || c->sent > 0);
}

static void sum_is_its_own_adjoint(void) {
  fc_ctx *c = shared_ctx();

  c->grad       = true;
  fc_tensor *x  = own_random(c, FC_DIMS(4, 5));
  x->needs_grad = true;
  adjoint(c, x, fc_allsum(c, x));
}

/* of a row of 3 numbers on each rank, far from zero */
static void moments_of_all_ranks(void) {
  fc_ctx      *c    = shared_ctx();
  const int    size = grid.domain.size;
  const double own = 1e6 + grid.domain.rank, middle = 1e6 + (size - 1) / 2.0;
  double       mean[2] = {own, 1}, square[2] = {2, 0}, around = 0; /* own - 1, own, own + 1; and 1, 1, 1 */

  CHECK(fc_domain_moments(c, 2, 3, mean, square) == 3 * size);
  for (int r = 0; r < size; r++) around += 2 + 3 * (1e6 + r - middle) * (1e6 + r - middle);
  CHECK_NEAR(mean[0], middle, 1e-9);
  CHECK_NEAR(square[0], around, 1e-2); /* sums of 1e12 in double */
  CHECK(mean[1] == 1 && square[1] == 0);
}

typedef fc_tensor *(*norm)(fc_ctx *c, fc_tensor *x);

static fc_tensor *in_groups(fc_ctx *c, fc_tensor *x) { return fc_group_norm(c, x, 2, NULL, NULL, 1e-5); }
static fc_tensor *in_blocks(fc_ctx *c, fc_tensor *x) { return fc_standardize(c, x, 2, 1, 1e-5); }

/* values and gradients of a norm on shares are those on the whole field */
static void check_norm(norm f) {
  const fc_cut s    = {9, 1};
  fc_ctx      *c    = shared_ctx();
  fc_tensor   *x[2] = {whole_random(c, FC_DIMS(2, 9, 3, 4))}, *y[2];
  fc_tensor   *v    = whole_random(c, FC_DIMS(2, 9, 3, 4)), *g[2];

  x[1] = share_of(c, x[0], 1, s);
  for (int shared = 0; shared < 2; shared++) {
    c->domain             = shared ? &grid.domain : NULL;
    c->grad               = true;
    x[shared]->needs_grad = true;
    y[shared]             = f(c, x[shared]);
    fc_backward_from(c, y[shared], (shared ? share_of(c, v, 1, s) : v)->x);
    c->grad   = false;
    g[shared] = fc_tensor_borrow(c->arena, x[shared]->g, x[shared]->ndim, x[shared]->dim);
  }
  same(y[1], share_of(c, y[0], 1, s));
  same(g[1], share_of(c, g[0], 1, s));
}

static void norms(void) {
  check_norm(in_groups);
  check_norm(in_blocks);
}

/* ---- rows from elsewhere ---- */

typedef struct {
  int     axis;
  fc_cut  s;
  fc_halo h;
} halo_case;

static void check_halo(halo_case k) {
  fc_ctx *c      = shared_ctx();
  int64_t dim[3] = {3, 4, 5};

  dim[k.axis]      = k.s.n;
  c->grad          = true;
  fc_tensor *whole = whole_random(c, 3, dim), *x = share_of(c, whole, k.axis, k.s);
  x->needs_grad      = true;
  fc_tensor    *y    = fc_halo_rows(c, x, k.axis, k.s, k.h);
  const int64_t far  = k.s.n; /* copies of the axis on both sides, or zeros */
  fc_tensor    *wide = k.h.wrap ? fc_concat(c, k.axis, 3, (fc_tensor *[]){whole, whole, whole})
                                : fc_pad(c, whole, k.axis, far, far);
  same(y, fc_slice(c, wide, k.axis, far + fc_cut_lo(c, k.s) - k.h.before,
                   fc_cut_len(c, k.s) + k.h.before + k.h.after));
  adjoint(c, x, y);
}

static void halos(void) {
  const halo_case cases[] = {
      {0, {9, 1}, {1, 1, false}}, {1, {12, 2}, {2, 3, false}}, {1, {12, 2}, {2, 1, true}},
      {2, {13, 1}, {0, 2, true}}, {0, {8, 1}, {3, -3, true}},  {1, {16, 4}, {-2, 2, true}},
      {1, {8, 2}, {8, 8, true}},  {2, {7, 1}, {5, 6, false}},  {0, {8, 1}, {-1, 1, true}},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_halo(cases[i]);
}

static void gathering_and_scattering(void) {
  const fc_cut s = {10, 1};

  for (int axis = 0; axis < 3; axis++) {
    fc_ctx *c        = shared_ctx();
    int64_t dim[3]   = {3, 4, 5};
    dim[axis]        = s.n;
    c->grad          = true;
    fc_tensor *whole = whole_random(c, 3, dim), *x = share_of(c, whole, axis, s);
    x->needs_grad = true;
    fc_tensor *y  = fc_allgather(c, x, axis, s);
    same(y, whole);
    adjoint(c, x, y);

    c                 = shared_ctx();
    c->grad           = true;
    whole             = whole_random(c, 3, dim);
    whole->needs_grad = true;
    y                 = fc_reduce_scatter(c, whole, axis, s);
    same(y, fc_affine(c, share_of(c, whole, axis, s), grid.domain.size, 0));
    adjoint(c, whole, y);
  }
}

/* a different number of rows around each rank's own, around the ends too */
static void rows_of_each_rank(void) {
  const fc_cut  s    = {12, 1};
  const int64_t far  = s.n;
  fc_range     *want = NULL;
  fc_ctx       *c    = shared_ctx();
  const int     me   = grid.domain.rank;

  c->grad          = true;
  fc_tensor *whole = whole_random(c, FC_DIMS(2, 12, 3)), *x = share_of(c, whole, 1, s);
  want = fc_arena_push(c->arena, (size_t)grid.domain.size * sizeof *want);
  for (int r = 0; r < grid.domain.size; r++)
    want[r] = (fc_range){fc_cut_at(s, r, grid.domain.size) - r % 3 * 2,
                         fc_cut_at(s, r + 1, grid.domain.size) + (r + 2) % 3};
  if (grid.domain.size == 1) want[0] = (fc_range){0, 12};
  x->needs_grad   = true;
  fc_tensor *y    = fc_fetch_rows(c, x, 1, s, want, true);
  fc_tensor *wide = fc_concat(c, 1, 3, (fc_tensor *[]){whole, whole, whole});
  same(y, fc_slice(c, wide, 1, far + want[me].lo, want[me].hi - want[me].lo));
  adjoint(c, x, y);
}

static void other_borders(void) {
  const fc_cut from = {16, 1}, to = {16, 4};
  fc_ctx      *c = shared_ctx();

  c->grad          = true;
  fc_tensor *whole = whole_random(c, FC_DIMS(2, 16, 3)), *x = share_of(c, whole, 1, from);
  x->needs_grad = true;
  fc_tensor *y  = fc_recut(c, x, 1, from, to);
  same(y, share_of(c, whole, 1, to));
  adjoint(c, x, y);
}

/* zeros behind the end, or the end cut off */
static void longer_and_shorter(void) {
  const fc_cut cuts[] = {{11, 1}, {13, 1}, {14, 2}, {9, 1}, {11, 1}};

  for (int i = 0; i + 1 < FC_COUNT(cuts); i++) {
    const fc_cut from = cuts[i], to = cuts[i + 1];
    fc_ctx      *c   = shared_ctx();
    c->grad          = true;
    fc_tensor *whole = whole_random(c, FC_DIMS(2, from.n, 3)), *x = share_of(c, whole, 1, from);
    x->needs_grad = true;
    fc_tensor *y  = fc_recut(c, x, 1, from, to);
    same(y, share_of(c, fc_pad(c, whole, 1, 0, 9), 1, to));
    adjoint(c, x, y);
  }
}

static void check_transposition(int a, int b) {
  const fc_cut cut[4] = {{5, 1}, {6, 1}, {8, 2}, {7, 1}};
  fc_ctx      *c      = shared_ctx();

  c->grad          = true;
  fc_tensor *whole = whole_random(c, FC_DIMS(5, 6, 8, 7)), *x = share_of(c, whole, a, cut[a]);
  x->needs_grad = true;
  fc_tensor *y  = fc_transpose_shards(c, x, (fc_cut_axis){a, cut[a]}, (fc_cut_axis){b, cut[b]});
  same(y, share_of(c, whole, b, cut[b]));
  adjoint(c, x, y);
}

static void transpositions(void) {
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < 4; b++)
      if (a != b) check_transposition(a, b);
}

/* A plan counts what a run sends; backward a rank sends what it received before, so only the sum is the same.
 */
static void plans_count_traffic(void) {
  const fc_cut s = {12, 1};
  double       sent[2];

  for (int dry = 0; dry < 2; dry++) {
    fc_ctx *c           = shared_ctx();
    c->dry              = dry;
    c->grad             = true;
    const double before = c->sent;
    fc_tensor   *x      = fc_tensor_new(c->arena, FC_DIMS(fc_cut_len(c, s), 6, 4));
    if (!dry) memset(x->x, 0, (size_t)fc_len(x) * sizeof *x->x);
    x->needs_grad = true;
    fc_tensor *y  = fc_halo_rows(c, x, 0, s, (fc_halo){1, 1, true});
    y             = fc_transpose_shards(c, fc_slice(c, y, 0, 1, x->dim[0]), (fc_cut_axis){0, s},
                                        (fc_cut_axis){1, {6, 1}});
    fc_backward(c, fc_sum_all(c, fc_allsum(c, fc_mean_axes(c, y, 1))));
    sent[dry] = c->sent - before;
    c->dry    = false;
  }
  CHECK_OK(fc_comm_sum_double(grid.points, sent, 2));
  CHECK_NEAR(sent[0], sent[1], 0);
  CHECK(grid.domain.size == 1 || sent[0] > 0);
}

static void odd_groups_are_refused(void) {
  fc_process_grid g;
  const int       ranks = fc_comm_size(NULL);

  CHECK_FAILS(fc_process_grid_create(ranks + 1, &g), FC_E_USAGE, "must be a multiple of it");
  CHECK_OK(fc_process_grid_create(1, &g));
  CHECK(g.groups == ranks && g.domain.size == 1);
  fc_process_grid_destroy(&g);
}

static int run_all(void) {
  static const check_case cases[] = {cuts_cover_an_axis,
                                     sums_and_maxima,
                                     sum_is_its_own_adjoint,
                                     moments_of_all_ranks,
                                     norms,
                                     halos,
                                     gathering_and_scattering,
                                     rows_of_each_rank,
                                     other_borders,
                                     longer_and_shorter,
                                     transpositions,
                                     plans_count_traffic,
                                     odd_groups_are_refused};

  return check_run(
      "domain", FC_COUNT(cases), cases,
      "cuts_cover_an_axis, sums_and_maxima, sum_is_its_own_adjoint, moments_of_all_ranks, norms, "
      "halos, gathering_and_scattering, rows_of_each_rank, other_borders, longer_and_shorter, "
      "transpositions, "
      "plans_count_traffic, odd_groups_are_refused");
}

int main(int argc, char **argv) {
  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  if (fc_process_grid_create(fc_comm_size(NULL), &grid) != FC_OK) return 2;
  const int failed = run_all();
  fc_process_grid_destroy(&grid);
  fc_comm_stop(failed);
  return failed;
}
