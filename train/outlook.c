/* train/outlook.c */
#include "train/outlook.h"

#include "core/parallel.h"
#include "core/progress.h"
#include "core/rng.h"
#include "hpc/domain.h"
#include "train/feed_grid.h"
#include "train/optim.h"
#include "train/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double probe_flops = 1e10; /* a step of about a tenth of a second on a core */
enum { PROBE_RUNS = 3, BUCKETS = 16 };

typedef struct {
  const fc_settings    *set;
  const fc_model_def   *def;
  const void           *args;
  const fc_outlook_job *job;
  fc_network           *probe; /* shapes alone */
} work;

/* ---- one pass over windows of fields of a given grid ---- */

/* a feed of no data: it knows shapes, which is all that a pass without a batch looks at */
static fc_grid_feed shapes(const work *w, const int64_t *dim) {
  const fc_frames *f = &w->probe->frames;
  fc_grid_feed     g = {.n_in = f->n_in, .n_target = w->set->train.out_frames};
  fc_source       *s = &g.train;

  s->steady   = f->steady;
  s->geo.ndim = w->job->ndim;
  s->points   = 1;
  for (int a = 0; a < w->job->ndim; a++) s->geo.dim[a] = dim[a], s->points *= dim[a];
  s->in.n    = (int)f->channels_in;
  s->out.n   = (int)f->channels_out;
  s->in_len  = s->points * s->in.n;
  s->out_len = s->points * s->out.n;
  fc_scaling_none(&s->in);
  fc_scaling_none(&s->out);
  return g;
}

static int64_t batch_bytes(const fc_grid_feed *g, const fc_network *n, int64_t B) {
  return B * (g->n_in * g->train.in_len + g->n_target * g->train.out_len + n->frames.params) *
         (int64_t)sizeof(fc_real);
}

typedef struct {
  double  flops, sent, messages;
  int64_t peak;
} cost;

/* a training pass over B windows without arithmetic; share: of dim[0], NULL alone */
static fc_status dry_pass(const work *w, const int64_t *dim, const fc_share *share, int64_t B, cost *out) {
  const fc_grid_feed g = shapes(w, dim);
  fc_ctx            *c;

  FC_TRY(fc_ctx_create((size_t)1 << 46, true, &c));
  fc_ctx_share(c, share);
  const fc_turn turn = {
      .n = B, .whole = B, .k = w->set->train.out_frames, .pushes = w->set->train.pushes, .weight = 1};
  fc_feed_grid.pass(&g, c, w->probe, &w->set->train, &turn);
  *out =
      (cost){c->flops, c->sent, c->messages, (int64_t)fc_arena_peak(c->arena) + batch_bytes(&g, w->probe, B)};
  fc_ctx_destroy(c);
  return FC_OK;
}

/* ---- the speed of this model's arithmetic here ---- */

static bool shrink(const work *w, int64_t *dim) {
  const int64_t m       = fc_max64(1, w->probe->frames.multiple);
  int           longest = 0;

  if (w->probe->frames.square) { /* all axes at once */
    for (int a = 0; a < w->job->ndim; a++) dim[a] = fc_max64(m, dim[a] / 2 / m * m);
    return dim[0] > m;
  }
  for (int a = 1; a < w->job->ndim; a++)
    if (dim[a] > dim[longest]) longest = a;
  const int64_t less = dim[longest] / 2 / m * m;
  if (less < fc_max64(m, 8)) return false;
  dim[longest] = less;
  return true;
}

/* the largest grid of about the same shape whose step takes a moment */
static fc_status choose_probe(const work *w, int64_t *dim, cost *k) {
  memcpy(dim, w->job->dim, 3 * sizeof *dim);
  for (;;) {
    FC_TRY(dry_pass(w, dim, NULL, 1, k));
    if (k->flops <= probe_flops || !shrink(w, dim)) return FC_OK;
  }
}

static fc_status run_probe(const work *w, const int64_t *dim, int64_t peak, double *seconds) {
  const fc_grid_feed g     = shapes(w, dim);
  const int64_t      bytes = batch_bytes(&g, w->probe, 1), n = bytes / (int64_t)sizeof(fc_real);
  const fc_rng       r     = {1, 0, FC_RNG_TEST};
  fc_network        *real  = NULL;
  fc_ctx            *c     = NULL;
  fc_real           *batch = malloc((size_t)bytes);
  fc_status          s     = batch ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a batch");

  if (s == FC_OK) s = fc_network_create(w->def, w->args, 1, false, &real);
  if (s == FC_OK) s = fc_network_prepare(real, w->set, (double[FC_NETWORK_CHANNELS]){1});
  if (s == FC_OK) s = fc_ctx_create((size_t)(peak + peak / 4) + ((size_t)64 << 20), false, &c);
  *seconds = INFINITY;
  for (int run = 0; run <= PROBE_RUNS && s == FC_OK; run++) { /* the first one warms up */
    for (int64_t i = 0; i < n; i++) batch[i] = (fc_real)fc_rng_normal(&r, (uint64_t)i);
    fc_real      *target = batch + g.n_in * g.train.in_len;
    const fc_pass p      = {.B        = 1,
                            .k        = w->set->train.out_frames,
                            .pushes   = w->set->train.pushes,
                            .n_target = g.n_target,
                            .whole    = 1,
                            .window   = batch,
                            .target   = target,
                            .params   = target + g.n_target * g.train.out_len,
                            .weight   = 1};
    const double  from   = fc_now();
    fc_pass_run(c, real, &g.train, &w->set->train, &p);
    if (run) *seconds = fmin(*seconds, fc_now() - from);
  }
  fc_ctx_destroy(c);
  fc_network_destroy(real);
  free(batch);
  return s;
}

static fc_status measure_rate(const work *w, fc_outlook *out) {
  cost k;

  FC_TRY(choose_probe(w, out->probe, &k));
  FC_TRY(run_probe(w, out->probe, k.peak, &out->probe_seconds));
  out->probe_flops = k.flops;
  out->rate        = k.flops / out->probe_seconds;
  return FC_OK;
}

/* ---- rows ---- */

static double message_time(const fc_machine_model *m, bool between, int ranks_per_node, double messages,
                           double bytes) {
  const double bandwidth = between ? m->bandwidth[1] / ranks_per_node : m->bandwidth[0];

  return messages * m->latency[between] + bytes / bandwidth;
}

static void predict(const work *w, const cost *k, fc_outlook_row *r) {
  const fc_machine_model  *m        = &w->job->machine;
  const fc_train_settings *t        = &w->set->train;
  const int                per_node = (int)fc_ceil_div(r->ranks, r->nodes);
  const double gradient = (double)fc_params_block(w->probe->params, true) * (double)sizeof(fc_real),
               R        = r->ranks;
  const bool shard      = t->shard_optimiser && r->ranks > 1;

  r->flops          = k->flops * (double)t->accumulate;
  r->sent           = k->sent * (double)t->accumulate;
  r->messages       = k->messages * (double)t->accumulate;
  r->gradient_bytes = 2 * gradient * (R - 1) / R;
  r->exchange       = message_time(m, r->domain > per_node, per_node, r->messages, r->sent);
  r->gradients =
      r->ranks > 1 ? message_time(m, r->nodes > 1, per_node, 2 * log2(R) * BUCKETS, r->gradient_bytes) : 0;
  r->weight_bytes = shard ? gradient * (R - 1) / R : 0;
  r->weights      = shard ? message_time(m, r->nodes > 1, per_node, R - 1, r->weight_bytes) : 0;
  r->memory       = k->peak + fc_params_block(w->probe->params, false) * (int64_t)sizeof(fc_real) +
              (int64_t)gradient +
              fc_optim_bytes(fc_optim_part(w->probe->params, shard ? r->ranks : 1), t->ema > 0);
}

static void add_times(double rate, fc_outlook_row *r) {
  r->compute = r->flops / rate;
  r->step    = r->compute + r->exchange + fmax(0, r->gradients - 2 * r->compute / 3) + r->weights;
}

/* the rank with the largest share, if there are several one with neighbours on both sides */
static int slowest(fc_cut s, int size) {
  int64_t most = 0;
  int     best = 0;

  for (int r = 0; r < size; r++) {
    const int64_t n = fc_cut_at(s, r + 1, size) - fc_cut_at(s, r, size);
    if (n > most || (n == most && r == size / 2)) most = n, best = r;
  }
  return best;
}

/* R ranks, as many of which share a field as the job says */
static fc_status add_row(const work *w, int ranks, fc_outlook *out) {
  const int      domain = w->job->domain ? (int)fc_min64(w->job->domain, ranks) : ranks;
  const int      groups = ranks / domain;
  fc_domain      d      = {.size = domain};
  fc_share       share  = {.domain = &d};
  int64_t        dim[3];
  cost           k;
  fc_outlook_row r = {.ranks  = ranks,
                      .nodes  = (int)fc_max64(1, fc_ceil_div((int64_t)ranks * w->job->nodes, w->job->ranks)),
                      .domain = domain};

  memcpy(dim, w->job->dim, sizeof dim);
  if (domain > 1) {
    FC_TRY(fc_network_cut(w->probe, w->job->ndim, dim, domain, &share.cut));
    d.rank = slowest(share.cut, domain);
    dim[0] = fc_cut_at(share.cut, d.rank + 1, domain) - fc_cut_at(share.cut, d.rank, domain);
  }
  r.samples = fc_ceil_div(w->set->train.batch, groups);
  FC_TRY(dry_pass(w, dim, domain > 1 ? &share : NULL, r.samples, &k));
  predict(w, &k, &r);
  add_times(out->rate, &r);
  out->row[out->n++] = r;
  return FC_OK;
}

static fc_status all_rows(const work *w, fc_outlook *out) {
  for (int64_t ranks = 1; out->n < FC_OUTLOOK_ROWS; ranks = fc_min64(2 * ranks, w->job->ranks)) {
    const fc_status s = add_row(w, (int)ranks, out);
    if (s == FC_E_USAGE && out->n) {
      snprintf(out->ends, sizeof out->ends, "%s", fc_error());
      return FC_OK;
    }
    FC_TRY(s);
    if (ranks == w->job->ranks) return FC_OK;
  }
  return FC_OK;
}

static fc_status check_job(const work *w) {
  const fc_outlook_job *j = w->job;

  FC_REQUIRE(w->probe->on_grid, FC_E_MISMATCH, "%s", w->probe->not_on_grid);
  FC_REQUIRE(w->probe->frames.ndim == j->ndim, FC_E_MISMATCH,
             "%s with these options works on %d-dimensional fields, --grid has %d lengths", w->def->name,
             w->probe->frames.ndim, j->ndim);
  FC_REQUIRE(j->ranks % j->nodes == 0, FC_E_USAGE, "%d ranks do not divide into %d nodes", j->ranks,
             j->nodes);
  return fc_network_check(w->probe, j->ndim, j->dim, 1, w->probe->frames.max_out);
}

fc_status fc_outlook_make(const fc_settings *set, const fc_model_def *def, const void *args,
                          const fc_outlook_job *job, fc_outlook *out) {
  fc_settings own = *set;
  work        w   = {.set = &own, .def = def, .args = args, .job = job};

  memset(out, 0, sizeof *out);
  FC_TRY(fc_network_create(def, args, 0, true, &w.probe));
  fc_status s = fc_network_prepare(w.probe, set, (double[FC_NETWORK_CHANNELS]){1});
  if (!own.train.out_frames) own.train.out_frames = w.probe->frames.max_out;
  own.train.teacher_calls = fc_max64(1, own.train.teacher_calls);
  if (own.train.loss == FC_LOSS_AUTO) own.train.loss = FC_LOSS_RELATIVE_L2;
  if (s == FC_OK) s = check_job(&w);
  out->weights = fc_params_trainable(w.probe->params);
  if (s == FC_OK) s = measure_rate(&w, out);
  if (s == FC_OK) s = all_rows(&w, out);
  fc_network_destroy(w.probe);
  return s;
}

/* ---- the table ---- */

static void print_head(const fc_outlook *o, const fc_outlook_job *j, const char *model, FILE *f) {
  const fc_machine_model *m = &j->machine;

  fprintf(f, "%s, %lld weights, fields of", model, (long long)o->weights);
  for (int a = 0; a < j->ndim; a++) fprintf(f, "%s%lld", a ? " x " : " ", (long long)j->dim[a]);
  fprintf(f, "\narithmetic: %.3g GFLOP/s a rank of %d thread%s, measured here: a step on", o->rate / 1e9,
          fc_threads(), fc_threads() > 1 ? "s" : "");
  for (int a = 0; a < j->ndim; a++) fprintf(f, "%s%lld", a ? " x " : " ", (long long)o->probe[a]);
  fprintf(f, " takes %.3g s (%.3g GFLOP)\n", o->probe_seconds, o->probe_flops / 1e9);
  fprintf(f,
          "network: %.3g us a message and %.3g GB/s a rank within a node, %.3g us and %.3g GB/s a node "
          "between nodes\n",
          m->latency[0] * 1e6, m->bandwidth[0] / 1e9, m->latency[1] * 1e6, m->bandwidth[1] / 1e9);
}

/* the first row that is hardly faster than the one before */
static int last_useful(const fc_outlook *o) {
  for (int i = 1; i < o->n; i++)
    if (o->row[i - 1].step / o->row[i].step < 1 + 0.5 * ((double)o->row[i].ranks / o->row[i - 1].ranks - 1))
      return i - 1;
  return o->n - 1;
}

void fc_outlook_print(const fc_outlook *o, const fc_outlook_job *j, const char *model, FILE *f) {
  const fc_outlook_row *one = &o->row[0], *last = &o->row[last_useful(o)];

  print_head(o, j, model, f);
  fprintf(f, "\n%6s %5s %6s %7s %9s %9s %9s %9s %6s %8s %10s %10s\n", "ranks", "nodes", "domain", "samples",
          "step s", "compute", "exchange", "gradients", "eff. %", "MiB", "sent MiB", "messages");
  for (int i = 0; i < o->n; i++) {
    const fc_outlook_row *r = &o->row[i];
    fprintf(f, "%6d %5d %6d %7lld %9.3g %9.3g %9.3g %9.3g %6.0f %8.0f %10.4g %10.4g\n", r->ranks, r->nodes,
            r->domain, (long long)r->samples, r->step, r->compute, r->exchange, r->gradients + r->weights,
            100 * one->step / r->step / r->ranks, (double)r->memory / 0x1p20,
            (r->sent + r->gradient_bytes + r->weight_bytes) / 0x1p20, r->messages);
  }
  if (last == &o->row[o->n - 1])
    fprintf(f, "\nscales up to the %d ranks that were asked for\n", last->ranks);
  else
    fprintf(f, "\nstops scaling beyond %d ranks: twice as many give less than 1.5 times the speed\n",
            last->ranks);
  if (o->ends[0]) fprintf(f, "no more than %d ranks: %s\n", o->row[o->n - 1].ranks, o->ends);
  fputs("step: compute + exchange + what of the gradients' sum does not fit behind two thirds of compute; "
        "eff.: speed-up over ranks\n"
        "gradients: their sum and, with train.shard_optimiser, the weights' way to all ranks, which nothing "
        "hides\n"
        "MiB, sent, messages: per rank (sent with what belongs to gradients)\n",
        f);
}
