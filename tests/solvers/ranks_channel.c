/* tests/solvers/ranks_channel.c - run on 1 to 4 ranks: a channel that all ranks compute together against one
   that a rank computes alone. */
#include "solvers/chan_eddy.h"
#include "solvers/chan_profile.h"
#include "solvers/channel_run.h"
#include "tests/check.h"

static fc_chan_config config(void) {
  return (fc_chan_config){.nx          = 16,
                          .ny          = 19,
                          .nz          = 20,
                          .length_x    = 2 * M_PI,
                          .length_z    = M_PI,
                          .map         = FC_CHAN_TANH,
                          .stretch     = 1.5,
                          .nu          = 1.0 / 1000,
                          .bulk        = 2.0 / 3,
                          .dt          = 0.02,
                          .frame_dt    = 0.1,
                          .frames      = 2,
                          .n_traj      = 1,
                          .initial     = FC_CHAN_NOISE,
                          .noise       = 0.2,
                          .noise_modes = 3,
                          .points      = FC_CHAN_AT_NODES,
                          .nx_keep     = 12,
                          .nz_keep     = 16,
                          .y_stride    = 1};
}

static void rough_viscosity(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t) {
  (void)self, (void)s;
  for (int64_t i = 0; i < p->points; i++) nu_t[i] = 1e-3 + 1e-3 * fabs(p->g[1][i]) + 1e-3 * fabs(p->g[3][i]);
}

static fc_chan *begin(const fc_chan_config *c, const fc_comm *comm) {
  fc_chan *s;

  if (fc_chan_create(c, comm, &s) != FC_OK) abort();
  fc_chan_start(s, 0);
  for (int i = 0; i < 5; i++) fc_chan_step(s, 0.02);
  CHECK_OK(fc_chan_set_model(s, rough_viscosity, NULL));
  for (int i = 0; i < 2; i++) fc_chan_step(s, 0.02);
  CHECK(s->status == FC_OK);
  return s;
}

/* Rounding differs, because faces are paired from the first plane of a rank on, and grows a little in five
 * steps. */
static void ranks_agree_with_one(void) {
  const fc_chan_config c = config();
  fc_comm             *self;
  double               off = 0, *work, a[FC_CHAN_PROFILES * 19], b[FC_CHAN_PROFILES * 19];

  CHECK_OK(fc_comm_split(NULL, fc_comm_rank(NULL), &self));
  fc_chan      *all = begin(&c, NULL), *one = begin(&c, self);
  const int64_t block = c.ny * one->row;
  for (int f = 0; f < FC_CHAN_STATE; f++)
    for (int64_t i = 0; i < all->k_n * block; i++)
      off = fmax(off, fabs(all->state[f][i] - one->state[f][all->k_lo * block + i]));
  CHECK(off < 1e-13);
  CHECK_NEAR(all->speed, one->speed, 1e-11 * one->speed);
  CHECK(all->drain > 1e-6);
  CHECK_NEAR(all->drain, one->drain, 1e-12 * one->drain);

  const fc_chan_budget p = fc_chan_measure(all), q = fc_chan_measure(one);
  CHECK_NEAR(p.energy, q.energy, 1e-14);
  CHECK_NEAR(p.bulk, q.bulk, 1e-14);
  CHECK_NEAR(p.shear[0], q.shear[0], 1e-14);
  CHECK_NEAR(p.push, q.push, 1e-12);
  CHECK(p.divergence < 1e-14);

  work = calloc((size_t)fc_chan_profile_work(one), sizeof *work);
  fc_chan_profile(all, work, a);
  fc_chan_profile(one, work, b);
  for (int i = 0; i < FC_CHAN_PROFILES * 19; i++) CHECK_NEAR(a[i], b[i], 1e-13);
  free(work);
  fc_chan_destroy(all);
  fc_chan_destroy(one);
  fc_comm_free(self);
}

/* frames of all ranks, one after the other, are the frame of one; and a frame makes the same state */
static void frames_agree_with_one(void) {
  const fc_chan_config c    = config();
  const int64_t        line = (c.ny + 1) * c.nz_keep * 3;
  fc_comm             *self;
  fc_chan_frame       *f, *g;
  double               off = 0;

  CHECK_OK(fc_comm_split(NULL, fc_comm_rank(NULL), &self));
  fc_chan *all = begin(&c, NULL), *one = begin(&c, self);
  CHECK_OK(fc_chan_frame_create(all, &c, &f));
  CHECK_OK(fc_chan_frame_create(one, &c, &g));
  fc_real *x = calloc((size_t)(f->x_n * line + 1), sizeof *x),
          *y = calloc((size_t)(c.nx_keep * line), sizeof *y);
  fc_chan_frame_values(all, f, x);
  fc_chan_frame_values(one, g, y);
  for (int64_t i = 0; i < f->x_n * line; i++)
    off = fmax(off, fabs((double)x[i] - (double)y[f->x_lo * line + i]));
  CHECK(off < 1e-13);
  free(x);
  free(y);
  fc_chan_frame_destroy(f);
  fc_chan_frame_destroy(g);
  fc_chan_destroy(all);
  fc_chan_destroy(one);
  fc_comm_free(self);
}

static void states_from_frames_agree(void) {
  fc_chan_config c    = config();
  const int64_t  size = c.nx * (c.ny + 1) * c.nz * 3;
  fc_real       *x    = calloc((size_t)size, sizeof *x);
  fc_rng         r    = {1, 2, FC_RNG_TEST};
  fc_comm       *self;
  fc_chan_frame *f, *g;
  double         off = 0;

  c.nx_keep = c.nx, c.nz_keep = c.nz;
  fc_rng_normals(&r, 0, size, x);
  CHECK_OK(fc_comm_split(NULL, fc_comm_rank(NULL), &self));
  fc_chan      *all = begin(&c, NULL), *one = begin(&c, self);
  const int64_t block = c.ny * one->row;
  CHECK_OK(fc_chan_frame_create(all, &c, &f));
  CHECK_OK(fc_chan_frame_create(one, &c, &g));
  fc_chan_frame_set(all, f, x);
  fc_chan_frame_set(one, g, x);
  CHECK(fc_chan_measure(all).divergence < 1e-12); /* white noise has large gradients */
  for (int a = 0; a < 3; a++)
    for (int64_t i = 0; i < all->k_n * block; i++)
      off = fmax(off, fabs(all->state[a][i] - one->state[a][all->k_lo * block + i]));
  CHECK(off < 1e-13);
  fc_chan_frame_destroy(f);
  fc_chan_frame_destroy(g);
  fc_chan_destroy(all);
  fc_chan_destroy(one);
  fc_comm_free(self);
  free(x);
}

/* a run that is cut and goes on has the bits of one that is not */
static void kept_states_go_on_with_the_same_bits(void) {
  const fc_chan_config c    = config();
  fc_chan             *s    = begin(&c, NULL);
  const size_t         size = (size_t)fc_chan_kept(s) * sizeof(double);
  double              *kept = malloc(size), *on = malloc(size);

  fc_chan_keep(s, kept);
  fc_chan_step(s, 0.02);
  fc_chan_keep(s, on);
  fc_chan_start(s, 7);
  fc_chan_restore(s, kept);
  fc_chan_step(s, 0.02);
  fc_chan_keep(s, kept);
  CHECK(!memcmp(kept, on, size));
  free(kept);
  free(on);
  fc_chan_destroy(s);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {ranks_agree_with_one, frames_agree_with_one, states_from_frames_agree,
                                     kept_states_go_on_with_the_same_bits};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("channel", FC_COUNT(cases), cases,
                               "ranks_agree_with_one, frames_agree_with_one, states_from_frames_agree, "
                               "kept_states_go_on_with_the_same_bits");
  fc_comm_stop(failed);
  return failed;
}
