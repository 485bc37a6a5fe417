/* tests/train/test_windows.c - windows and the order in which training sees them. */
#include "tests/train/toy.h"

enum { TRAJ = 3, STEPS = 9, FRAME = TOY_N * TOY_N * 2 };

static fc_source open_source(const char *path, int64_t frame_stride) {
  fc_data_settings d = {.frame_stride = frame_stride, .window_step = 1};
  fc_source        s;

  CHECK_OK(fc_source_open(path, &d, false, &s));
  return s;
}

/* n_in = 2, n_target = 3, every second frame: a window spans 9 frames, so there is one per trajectory; every
   frame: 5 of 9 fit 5 times */
static void counts(void) {
  const char    *path = toy_file("counts.hdf5", TRAJ, STEPS);
  fc_window_spec spec = {0, TRAJ, 2, 3, 1, 0};
  fc_windows    *w;
  int64_t        traj, start;

  for (int64_t stride = 1; stride <= 2; stride++) {
    fc_source s = open_source(path, stride);
    CHECK_OK(fc_windows_create(&s, &spec, &w));
    CHECK(fc_windows_size(w) == (stride == 1 ? TRAJ * 5 : TRAJ));
    fc_windows_at(w, fc_windows_size(w) - 1, &traj, &start);
    CHECK(traj == TRAJ - 1 && start == (stride == 1 ? 4 : 0));
    fc_windows_destroy(w);
    fc_source_close(&s);
  }
  fc_source s   = open_source(path, 1);
  spec.n_target = 8;
  CHECK_FAILS(fc_windows_create(&s, &spec, &w), FC_E_INPUT, "span 10 frames");
  fc_source_close(&s);
}

/* a window holds the frames it should, normalised by the statistics of the file */
static void contents(void) {
  const char          *path  = toy_file("contents.hdf5", TRAJ, STEPS);
  fc_source            s     = open_source(path, 2);
  const fc_window_spec specs = {1, TRAJ, 2, 1, 2, 0};
  fc_windows          *w;
  fc_real              in[2 * FRAME], out[FRAME], x[FRAME];
  int64_t              traj, start;

  CHECK_OK(fc_source_measure(&s, 0, TRAJ, NULL, true));
  CHECK_OK(fc_windows_create(&s, &specs, &w));
  CHECK(fc_windows_size(w) == 2 * 3); /* starts 0, 2, 4 */
  for (int64_t i = 0; i < fc_windows_size(w); i++) {
    fc_windows_at(w, i, &traj, &start);
    CHECK_OK(fc_windows_read(w, i, in, out, NULL));
    toy_frame(traj, start + 4, x);
    for (int64_t k = 0; k < FRAME; k++) { /* 1e-5: float numbers of size 3 divided by a deviation near one */
      CHECK_NEAR(out[k], ((double)x[k] - s.out.mean[k % 2]) / s.out.std[k % 2], 1e-5);
    }
    toy_frame(traj, start + 2, x);
    CHECK_NEAR(in[FRAME], ((double)x[0] - s.out.mean[0]) / s.out.std[0], 1e-5);
  }
  fc_windows_destroy(w);
  fc_source_close(&s);
}

/* windows as a feed, without a training around them */
static fc_feed feed_of(fc_grid_feed *g, fc_windows *w) {
  static const fc_process_grid alone = {.groups = 1};

  *g = (fc_grid_feed){.train_windows = w};
  return (fc_feed){.kind      = &fc_feed_grid,
                   .self      = g,
                   .ranks     = &alone,
                   .items     = fc_windows_size(w),
                   .in_memory = fc_windows_cached(w)};
}

/* two epochs: each window once per epoch, in another order; memory and disk give the same bits */
static void stream(void) {
  enum { BATCH = 4, N = TRAJ * 5 };
  const char  *path = toy_file("stream.hdf5", TRAJ, STEPS);
  fc_source    s[2];
  fc_windows  *w[2];
  fc_grid_feed g[2];
  fc_feed      f[2];
  fc_loader   *l[2];
  fc_real      all[N][2 * FRAME], target[3 * FRAME];
  int          seen[2][N] = {{0}}, order[2][N];

  for (int k = 0; k < 2; k++) {
    const fc_window_spec spec = {0, TRAJ, 2, 3, 1, k ? 1 << 20 : 0};
    s[k]                      = open_source(path, 1);
    CHECK_OK(fc_windows_create(&s[k], &spec, &w[k]));
    CHECK(fc_windows_cached(w[k]) == (k == 1));
    f[k] = feed_of(&g[k], w[k]);
    CHECK_OK(fc_loader_create(&f[k], BATCH, 11, &l[k]));
  }
  for (int i = 0; i < N; i++) CHECK_OK(fc_windows_read(w[1], i, all[i], target, NULL));
  for (int64_t at = 0; at < 2 * N; at += BATCH) {
    fc_load load[2];
    CHECK_OK(fc_loader_next(l[0], &load[0]));
    CHECK_OK(fc_loader_next(l[1], &load[1]));
    const fc_grid_batch a = fc_grid_batch_at(w[0], BATCH, load[0].batch),
                        b = fc_grid_batch_at(w[1], BATCH, load[1].batch);
    CHECK(load[0].n == BATCH && !memcmp(a.input, b.input, sizeof(fc_real) * BATCH * 2 * FRAME));
    CHECK(!memcmp(a.target, b.target, sizeof(fc_real) * BATCH * 3 * FRAME));
    for (int64_t k = 0; k < BATCH && at + k < 2 * N; k++)
      for (int i = 0; i < N; i++)
        if (!memcmp(a.input + k * 2 * FRAME, all[i], sizeof all[i])) {
          seen[(at + k) / N][i]++;
          order[(at + k) / N][(at + k) % N] = i;
        }
  }
  for (int i = 0; i < N; i++) CHECK(seen[0][i] == 1 && seen[1][i] == 1);
  CHECK(memcmp(order[0], order[1], sizeof order[0]) != 0);
  for (int k = 0; k < 2; k++) {
    fc_loader_destroy(l[k]);
    fc_windows_destroy(w[k]);
    fc_source_close(&s[k]);
  }
}

/* going back to a position gives the same batch: resuming needs only the counter */
static void seek(void) {
  const char          *path = toy_file("seek.hdf5", TRAJ, STEPS);
  fc_source            s    = open_source(path, 1);
  const fc_window_spec spec = {0, TRAJ, 2, 3, 1, 0};
  fc_windows          *w;
  fc_grid_feed         g;
  fc_loader           *l;
  fc_load              a;
  fc_real              kept[4 * 2 * FRAME];

  CHECK_OK(fc_windows_create(&s, &spec, &w));
  const fc_feed f = feed_of(&g, w);
  CHECK_OK(fc_loader_create(&f, 4, 5, &l));
  for (int i = 0; i < 6; i++) CHECK_OK(fc_loader_next(l, &a));
  memcpy(kept, a.batch, sizeof kept); /* the inputs come first */
  CHECK(fc_loader_position(l) == 24);
  fc_loader_seek(l, 0);
  CHECK_OK(fc_loader_next(l, &a));
  fc_loader_seek(l, 20);
  CHECK_OK(fc_loader_next(l, &a));
  CHECK(!memcmp(kept, a.batch, sizeof kept));
  fc_loader_destroy(l);
  fc_windows_destroy(w);
  fc_source_close(&s);
}

static void names(void) {
  const char      *path = toy_file("names.hdf5", 1, 3);
  fc_data_settings d    = {.frame_stride = 1, .channels = "[b, a]"}; /* as a list in YAML arrives */
  fc_source        s;
  fc_real          x[FRAME], y[FRAME];

  CHECK_OK(fc_source_open(path, &d, false, &s));
  CHECK_OK(fc_source_frames(&s, 0, 1, 1, x));
  toy_frame(0, 1, y);
  CHECK_NEAR(x[0], y[1], 0);
  CHECK_NEAR(x[1], y[0], 0);
  fc_source_close(&s);
  snprintf(d.channels, sizeof d.channels, "aa");
  CHECK_FAILS(fc_source_open(path, &d, false, &s), FC_E_USAGE, "did you mean 'a'");
}

CHECK_SUITE(windows, counts, contents, stream, seek, names)
