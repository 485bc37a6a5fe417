/* tests/train/test_params_told.c - a model is told the parameters of its trajectories: fields that drift at a
   speed which only the file's parameter tells are learned with it, and cannot be without. */
#include "tests/train/toy.h"
#include "train/run.h"
#include "train/windows.h"

#include <sys/stat.h>

enum { STEPS = 6 };
static const double speeds[2] = {-1.5, 2.5};

/* channel 0 drifts by the speed from frame to frame, channel 1 rests */
static void drifting_file(const char *path, double speed, uint64_t seed) {
  static const fc_out_field fields[] = {{"a", "m", 0}, {"b", "m", 0}};
  fc_field_spec             spec     = {.name       = "drift",
                                        .ndim       = 2,
                                        .dim        = {TOY_N, TOY_N},
                                        .spacing    = {1, 1},
                                        .periodic   = {true, true},
                                        .n_traj     = 2,
                                        .n_steps    = STEPS,
                                        .dt         = 1,
                                        .time_unit  = "s",
                                        .space_unit = "m",
                                        .n_fields   = 2,
                                        .field      = fields,
                                        .n_params   = 1};
  const fc_rng              r        = {seed, 0, FC_RNG_TEST};
  fc_field_writer          *w;
  fc_real                   x[TOY_N * TOY_N * 2];

  spec.param[0].name = "speed", spec.param[0].value = speed;
  CHECK_OK(fc_field_writer_create(path, &spec, &w));
  for (int64_t k = 0; k < 2; k++)
    for (int64_t t = 0; t < STEPS; t++) {
      for (int i = 0; i < TOY_N * TOY_N * 2; i++)
        x[i] = (fc_real)(fc_rng_normal(&r, (uint64_t)(k * 1000 + i)) + (i % 2 ? 0 : speed * (double)t));
      CHECK_OK(fc_field_write(w, k, t, 1, x));
    }
  CHECK_OK(fc_field_writer_finish(w));
}

static const char *drifting_folder(const char *name) {
  char        path[FC_TEXT];
  const char *dir = check_path(name);

  mkdir(dir, 0755);
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%c.hdf5", dir, 'a' + i);
    drifting_file(path, speeds[i], (uint64_t)i);
  }
  return dir;
}

/* normalised over the four trajectories: -1, -1, 1, 1 */
static void windows_carry_parameters(void) {
  fc_data_settings d = {.params = "speed", .frame_stride = 1};
  fc_source        s;
  fc_windows      *w;
  fc_real          in[TOY_N * TOY_N * 2], out[TOY_N * TOY_N * 2], p;
  int64_t          traj, start;

  CHECK_OK(fc_source_open(drifting_folder("told-windows"), &d, false, &s));
  CHECK_OK(fc_source_measure(&s, 0, 4, NULL, true));
  CHECK_NEAR(s.params.mean[0], 0.5, 1e-12);
  CHECK_NEAR(s.params.std[0], 2, 1e-12);
  CHECK_OK(fc_windows_create(&s, &(fc_window_spec){0, 4, 1, 1, 1, 0}, &w));
  for (int64_t i = 0; i < fc_windows_size(w); i++) {
    CHECK_OK(fc_windows_read(w, i, in, out, &p));
    fc_windows_at(w, i, &traj, &start);
    CHECK_NEAR(p, traj < 2 ? -1 : 1, 1e-7);
  }
  fc_windows_destroy(w);
  fc_source_close(&s);
}

static double trained_loss(const char *dir, const char *told) {
  char          options[512];
  fc_step_facts f = {0};

  snprintf(options, sizeof options,
           "train.steps=800 train.lr=0.03 train.loss=mse train.weight_decay=0 data.valid_fraction=0 %s",
           told);
  fc_trainer *t = toy_trainer(dir, options);
  for (int i = 0; i < 800; i++) CHECK_OK(fc_trainer_step(t, &f));
  if (told[0]) { /* and a rollout from the checkpoint knows them too */
    const char *path = check_path("told.h5");
    fc_run     *run;
    fc_source   s;
    CHECK_OK(fc_trainer_save(t, path, NULL));
    CHECK_OK(fc_run_load(path, false, &run));
    CHECK_OK(fc_run_open_data(run, dir, &s));
    CHECK(s.params.n == 1 && s.params.std[0] == 2);
    fc_source_close(&s);
    fc_run_free(run);
  }
  fc_trainer_destroy(t);
  return f.loss;
}

static void parameters_are_learned(void) {
  const char *dir = drifting_folder("told");

  CHECK(trained_loss(dir, "args.params=1 data.params=speed") < 1e-6); /* exact but for float rounding */
  CHECK(trained_loss(dir, "") > 1e-3); /* the speed can only be guessed from where the field is */
}

static void wrong_names_and_counts(void) {
  const char *dir = drifting_folder("told-wrong");
  fc_config  *a   = toy_config_of(dir, "args.params=1 data.params=sped"),
            *b    = toy_config_of(dir, "args.params=1");
  fc_trainer *t;

  CHECK_FAILS(fc_trainer_create(a, false, true, &t), FC_E_USAGE,
              "no parameter named 'sped'; did you mean 'speed'");
  CHECK_FAILS(fc_trainer_create(b, false, true, &t), FC_E_MISMATCH,
              "takes 1 parameters per trajectory, data.params names 0");
  fc_config_destroy(a);
  fc_config_destroy(b);
}

CHECK_SUITE(params_told, windows_carry_parameters, parameters_are_learned, wrong_names_and_counts)
