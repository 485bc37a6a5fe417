/* train/plan.c */
#include "train/plan.h"

#include "hpc/comm.h"
#include "train/loader.h"
#include "train/march.h"
#include "train/optim.h"

#include <stdlib.h>
#include <string.h>

static const size_t dry_reserve = (size_t)1
                                  << 42; /* address space only: a dry run never touches its buffers */

static void measure(fc_plan *p, const fc_network *n, const fc_settings *set) {
  const int64_t real = (int64_t)sizeof(fc_real);
  const bool    ema  = set->train.ema > 0;

  p->tensors         = fc_params_size(n->params);
  p->weights         = fc_params_trainable(n->params);
  p->parameter_bytes = fc_params_block(n->params, false) * real;
  p->gradient_bytes  = fc_params_block(n->params, true) * real;
  p->optimiser_parts = set->train.shard_optimiser ? fc_comm_size(NULL) : 1;
  p->optimiser_bytes = fc_optim_bytes(fc_optim_part(n->params, p->optimiser_parts), ema);
  if (set->train.sam_rho > 0) p->optimiser_bytes += p->gradient_bytes; /* a copy of the weights */
}

fc_status fc_plan_train(const fc_model_def *def, const void *args, const fc_feed *feed,
                        const fc_settings *set, fc_plan *out) {
  const fc_train_settings *t = &set->train;
  fc_network              *n;
  fc_ctx                  *c;
  int64_t                  lo, hi;

  memset(out, 0, sizeof *out);
  FC_TRY(fc_network_create(def, args, 0, true, &n));
  fc_status st = fc_ctx_create(dry_reserve, true, &c);
  if (st != FC_OK) goto done;
  measure(out, n, set);
  FC_TRY_TO(failed, st, fc_network_prepare(n, set, (double[FC_NETWORK_CHANNELS]){0}));
  fc_comm_block(feed->ranks->data, t->batch, &lo, &hi);
  fc_feed_attach(feed, c);
  const fc_turn turn = {
      .n = hi - lo, .whole = t->batch, .k = t->out_frames, .pushes = t->pushes, .weight = 1};
  feed->kind->pass(feed->self, c, n, t, &turn);
  out->activation_bytes = (int64_t)fc_arena_peak(c->arena);
  out->flops            = c->flops * (double)(t->accumulate * (t->sam_rho > 0 ? 2 : 1));
  out->data_bytes       = feed->data_bytes + fc_loader_bytes(feed, t->batch);
  out->held_bytes       = feed->held_bytes;
  out->total_bytes      = out->parameter_bytes + out->gradient_bytes + out->optimiser_bytes +
                     out->activation_bytes + out->data_bytes;
failed:
  fc_ctx_destroy(c);
done:
  fc_network_destroy(n);
  return st;
}

fc_status fc_plan_call(const fc_model_def *def, const void *args, const fc_settings *set,
                       const fc_share *share, int ndim, const int64_t *dim, int64_t B, int64_t k,
                       int64_t *bytes) {
  fc_network *n;
  fc_ctx     *c;

  FC_TRY(fc_network_create(def, args, 0, true, &n));
  fc_status st = fc_network_prepare(n, set, (double[FC_NETWORK_CHANNELS]){0});
  if (st == FC_OK) st = fc_ctx_create(dry_reserve, true, &c);
  if (st == FC_OK) {
    fc_ctx_share(c, share);
    fc_march_quiet(c, n, ndim, dim, B, NULL, NULL, k);
    *bytes = (int64_t)fc_arena_peak(c->arena);
    fc_ctx_destroy(c);
  }
  fc_network_destroy(n);
  return st;
}

/* ---- memory that is there ---- */

static int64_t number_in(const char *path) { /* -1: no such file, or "max" */
  FILE     *f = fopen(path, "r");
  long long v = -1;

  if (!f) return -1;
  if (fscanf(f, "%lld", &v) != 1) v = -1;
  fclose(f);
  return v;
}

static int64_t machine_available(void) {
  FILE   *f = fopen("/proc/meminfo", "r");
  char    line[128];
  int64_t kib = INT64_MAX / 1024;

  if (!f) return kib * 1024;
  while (fgets(line, sizeof line, f)) {
    long long v;
    if (sscanf(line, "MemAvailable: %lld kB", &v) == 1) kib = v;
  }
  fclose(f);
  return kib * 1024;
}

/* the smallest rest of the group and of all groups above it: a batch system may limit the job, not the step
 */
static int64_t group_and_parents(bool v2, char *group) {
  const char *root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
  int64_t     left = INT64_MAX;
  char        path[640];

  for (;;) {
    snprintf(path, sizeof path, "%s%s/%s", root, group, v2 ? "memory.max" : "memory.limit_in_bytes");
    const int64_t limit = number_in(path);
    snprintf(path, sizeof path, "%s%s/%s", root, group, v2 ? "memory.current" : "memory.usage_in_bytes");
    const int64_t used = number_in(path);
    if (limit >= 0 && used >= 0) left = fc_min64(left, fc_max64(0, limit - used));
    char *cut = strrchr(group, '/');
    if (!cut) return left;
    *cut = 0;
  }
}

/* this process's cgroup, version 2 or 1 */
static int64_t cgroup_available(void) {
  FILE   *f = fopen("/proc/self/cgroup", "r");
  char    line[512], group[400];
  int64_t left = INT64_MAX;

  if (!f) return left;
  while (fgets(line, sizeof line, f)) {
    const bool v2 = sscanf(line, "0::%399s", group) == 1;
    char      *at = strstr(line, ":memory:");
    if (!v2 && !at) continue;
    if (!v2) snprintf(group, sizeof group, "%.*s", (int)strcspn(at + 8, "\n"), at + 8);
    left = fc_min64(left, group_and_parents(v2, group));
  }
  fclose(f);
  return left;
}

int64_t fc_memory_available(const char **why) {
  const int64_t machine = machine_available(), group = cgroup_available();

  if (why)
    *why = group < machine ? "the memory limit of this job (cgroup)" : "the machine's available memory";
  return fc_min64(machine, group);
}

static double mib(int64_t bytes) { return (double)bytes / 0x1p20; }

void fc_plan_print(const fc_plan *p, FILE *f) {
  const char  *why;
  const double left = mib(fc_memory_available(&why));

  fprintf(f, "parameters   %lld trained numbers in %lld tensors\n", (long long)p->weights,
          (long long)p->tensors);
  fprintf(f, "memory per rank, MiB\n");
  fprintf(f, "  weights     %10.1f\n  gradients   %10.1f\n  optimiser   %10.1f", mib(p->parameter_bytes),
          mib(p->gradient_bytes), mib(p->optimiser_bytes));
  if (p->optimiser_parts > 1) fprintf(f, "  (the largest of %d parts)", p->optimiser_parts);
  fprintf(f, "\n  activations %10.1f  (peak of one pass)\n  data        %10.1f\n", mib(p->activation_bytes),
          mib(p->data_bytes));
  fprintf(f, "  together    %10.1f\n", mib(p->total_bytes));
  fprintf(f, "  there is    %10.1f  (%s)\n", left, why);
  fprintf(f, "arithmetic   %.1f GFLOP per step and rank (dense products, forward and backward)\n",
          p->flops / 1e9);
}

fc_status fc_plan_fits(const fc_plan *p) {
  const char   *why;
  const int64_t left = fc_memory_available(&why);

  FC_REQUIRE(p->total_bytes - p->held_bytes <= left, FC_E_SYSTEM,
             "training needs %.0f MiB (activations %.0f, weights and optimiser %.0f, data %.0f), there are "
             "%.0f (%s); "
             "lower train.batch (raise train.accumulate instead), train.out_frames, the model's size or "
             "data.cache_mb",
             mib(p->total_bytes), mib(p->activation_bytes),
             mib(p->parameter_bytes + p->gradient_bytes + p->optimiser_bytes), mib(p->data_bytes), mib(left),
             why);
  return FC_OK;
}
