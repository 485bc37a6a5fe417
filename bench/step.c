/* bench/step.c - our peer in the race: one step for each line "go" on stdin.

   usage: bench_step forward|train CASE-FOLDER [args.KEY=VALUE]...     threads: OMP_NUM_THREADS

   Protocol (all peers): "info KEY VALUE" lines, then "ready"; each "go" is answered by "seconds S" after one
   step; at the end of stdin come the memory lines, then "bye". A train step is forward, mean squared error,
   backward and AdamW. The case folder has the layout of tests/golden; bench/torch/prepare.py writes it.
   CASE-FOLDER "-": no case; the published network with its random initial weights on a random 128 x 128
   field. */
#include "bench/process.h"
#include "core/config.h"
#include "core/model.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/rng.h"
#include "io/case_file.h"
#include "io/safetensors.h"
#include "train/optim.h"
#include "train/registry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fc_config          *config;
  const fc_model_def *def;
  void               *options, *self;
  fc_params          *params;
  fc_case_file       *file;
  fc_optim           *optim;
  fc_ctx             *c;
  fc_batch            batch;  /* lives below the mark, so that it survives the steps */
  fc_tensor          *target; /* NULL: forward only */
  size_t              mark;
  char                path[600];
} peer;

static const char *in_folder(peer *p, const char *folder, const char *name) {
  snprintf(p->path, sizeof p->path, "%s/%s", folder, name);
  return p->path;
}

static fc_status read_config(peer *p, const char *folder, int n_set, char **set) {
  if (folder) {
    FC_TRY(fc_config_load(in_folder(p, folder, "config.json"), &p->config));
  } else {
    FC_TRY(fc_config_create(&p->config));
    FC_TRY(fc_config_set(p->config, "model=factformer"));
  }
  for (int i = 0; i < n_set; i++) FC_TRY(fc_config_set(p->config, set[i]));
  return FC_OK;
}

static fc_status build_model(peer *p, const char *folder) {
  const char *name = fc_config_get(p->config, "model");

  FC_REQUIRE(name, FC_E_INPUT, "%s: no key model", p->path);
  FC_TRY(fc_model_need(name, &p->def));
  p->options = calloc(1, p->def->config_size);
  p->self    = calloc(1, p->def->self_size);
  FC_REQUIRE(p->options && p->self, FC_E_SYSTEM, "no memory for model %s", name);
  FC_TRY(fc_config_bind(p->config, 1, &(fc_section){"args", p->def->options, p->options}, true));
  FC_TRY(fc_params_create(&p->params));
  FC_TRY(p->def->init(p->self, p->params, p->options));
  FC_TRY(fc_params_commit(p->params, 0, false));
  return folder ? fc_weights_load(in_folder(p, folder, "weights.safetensors"), p->params, true, NULL) : FC_OK;
}

static fc_tensor *to_tensor(fc_ctx *c, const fc_case_array *a) {
  fc_tensor *t = fc_tensor_new(c->arena, a->ndim, a->dim);

  for (int64_t i = 0; i < fc_len(t); i++) t->x[i] = (fc_real)a->x[i];
  return t;
}

static fc_status read_inputs(peer *p, bool train) {
  const fc_case_array *list, *target;
  int                  n;

  FC_TRY(fc_case_group(p->file, "/input", &n, &list));
  FC_REQUIRE(n > 0 && n <= FC_BATCH_MAX, FC_E_INPUT, "%s: /input holds %d arrays; 1 to %d are possible",
             p->path, n, FC_BATCH_MAX);
  for (int i = 0; i < n; i++) fc_batch_put(&p->batch, list[i].name, to_tensor(p->c, &list[i]));
  if (!train) return FC_OK;
  FC_TRY(fc_case_read(p->file, "/train/target/y", &target));
  p->target = to_tensor(p->c, target);
  return FC_OK;
}

/* normal numbers in and out, without a case to compare with */
static fc_status draw_inputs(peer *p, bool train) {
  enum { POINTS = 128 };
  fc_rng    r = {.seed = 1, .purpose = FC_RNG_TEST};
  fc_frames f;

  FC_TRY(p->def->frames(p->self, &f));
  fc_tensor *window = fc_tensor_new(p->c->arena, FC_DIMS(1, f.n_in, POINTS, POINTS, f.channels_in));
  fc_rng_normals(&r, 0, fc_len(window), window->x);
  p->def->pack(p->c, p->self, window, f.max_out, &p->batch);
  if (!train) return FC_OK;
  p->target = fc_tensor_new(p->c->arena, FC_DIMS(1, f.max_out, POINTS, POINTS, f.channels_out));
  r.sample  = 1;
  fc_rng_normals(&r, 0, fc_len(p->target), p->target->x);
  return FC_OK;
}

/* max |y - ref| / max |ref| against the output in the case; a NaN counts as infinitely far */
static fc_status compare_output(peer *p, const fc_tensor *y) {
  const fc_case_array *ref;
  double               off = 0, top = 0;
  int64_t              n = 1;

  FC_TRY(fc_case_read(p->file, "/output/y", &ref));
  for (int i = 0; i < ref->ndim; i++) n *= ref->dim[i];
  FC_REQUIRE(n == fc_len(y), FC_E_MISMATCH, "%s: /output/y has shape %s, the model gives %s", p->path,
             fc_dims_text(ref->ndim, ref->dim), fc_shape_text(y));
  for (int64_t i = 0; i < n; i++) {
    const double d = fabs((double)y->x[i] - ref->x[i]);
    off            = d <= off ? off : isnan(d) ? INFINITY : d;
    top            = fmax(top, fabs(ref->x[i]));
  }
  printf("info max_dy %.3e\n", off / top);
  return FC_OK;
}

static fc_tensor *forward(peer *p) {
  p->c->grad = false;
  return p->def->apply(p->c, p->self, &p->batch);
}

static double train_step(peer *p) {
  static const fc_adamw_rates rates = {
      .lr = 1e-6, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 1e-4};

  fc_params_zero_grads(p->params);
  p->c->grad      = true;
  fc_tensor *y    = p->def->apply(p->c, p->self, &p->batch);
  fc_tensor *loss = fc_mse(p->c, y, p->target);
  fc_keep(loss);
  fc_backward(p->c, loss);
  fc_optim_step(p->optim, &rates, 1);
  return (double)loss->x[0];
}

static double step(peer *p) {
  double loss = 0;

  if (p->target)
    loss = train_step(p);
  else
    forward(p);
  fc_step_end(p->c, p->mark);
  return loss;
}

/* FLOPs of the dense products as the context counts them in a forward; backward does twice as many */
static fc_status introduce(peer *p) {
  const double     before = p->c->flops;
  const fc_tensor *y      = forward(p);
  const double     flops  = p->c->flops - before;

  FC_REQUIRE(!p->target || fc_same_shape(y, p->target), FC_E_MISMATCH,
             "%s: /train/target/y has shape %s, the model gives %s", p->path, fc_shape_text(p->target),
             fc_shape_text(y));
  if (!p->target && p->file) FC_TRY(compare_output(p, y));
  fc_step_end(p->c, p->mark);
  if (p->target) printf("info loss %.7e\n", step(p));
  printf("info gflop %.6f\n", 1e-9 * flops * (p->target ? 3 : 1));
  printf("info version fieldcast %s, OpenBLAS kernels %s\n", FC_VERSION, fc_blas_kernels());
  return FC_OK;
}

static void answer(peer *p) {
  char line[64];

  while (fgets(line, sizeof line, stdin) && !strcmp(line, "go\n")) {
    const double start = bench_seconds();
    step(p);
    printf("seconds %.9f\n", bench_seconds() - start);
    fflush(stdout);
  }
}

static fc_status run(peer *p, const char *mode, const char *folder, int n_set, char **set) {
  const bool    train = !strcmp(mode, "train");
  const int64_t base  = bench_peak_kb();

  FC_REQUIRE(train || !strcmp(mode, "forward"), FC_E_USAGE, "the mode is '%s'; forward or train are possible",
             mode);
  FC_TRY(fc_ctx_create(0, false, &p->c));
  FC_TRY(read_config(p, folder, n_set, set));
  FC_TRY(build_model(p, folder));
  if (folder) FC_TRY(fc_case_open(in_folder(p, folder, "case.h5"), &p->file));
  FC_TRY(folder ? read_inputs(p, train) : draw_inputs(p, train));
  FC_TRY(p->def->check(p->self, &p->batch));
  if (train) FC_TRY(fc_optim_create(p->params, false, &p->optim));
  p->mark = fc_arena_mark(p->c->arena);
  FC_TRY(introduce(p));
  printf("ready\n");
  fflush(stdout);
  answer(p);
  printf("info peak_kb %lld\ninfo base_kb %lld\n", (long long)bench_peak_kb(), (long long)base);
  printf("info arena_kb %lld\nbye\n", (long long)(fc_arena_peak(p->c->arena) / 1024));
  return FC_OK;
}

int main(int argc, char **argv) {
  peer p = {0};

  if (argc < 3) {
    fprintf(stderr, "usage: bench_step forward|train CASE-FOLDER [args.KEY=VALUE]...\n");
    return fc_exit_code(FC_E_USAGE);
  }
  const fc_status s = run(&p, argv[1], strcmp(argv[2], "-") ? argv[2] : NULL, argc - 3, argv + 3);
  if (s != FC_OK) fprintf(stderr, "bench_step: %s\n", fc_error());
  fc_optim_destroy(p.optim);
  fc_ctx_destroy(p.c);
  fc_case_close(p.file);
  fc_params_destroy(p.params);
  free(p.self);
  free(p.options);
  fc_config_destroy(p.config);
  return fc_exit_code(s);
}
