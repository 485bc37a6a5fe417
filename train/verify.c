/* train/verify.c */
#include "train/verify.h"

#include "core/config.h"
#include "core/ops.h"
#include "core/vmath.h"
#include "io/case_file.h"
#include "io/safetensors.h"
#include "train/optim.h"
#include "train/registry.h"
#include "train/shares.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { /* what one case holds open */
  fc_config             *config;
  const fc_model_def    *def;
  void                  *options, *self;
  fc_params             *params;
  fc_case_file          *file;
  fc_optim              *optim;
  fc_ctx                *c;
  char                   path[600];
  fc_verify_report      *r;
  const fc_process_grid *grid;
  fc_batch               whole; /* inputs before they are shared */

  int                  n_draws; /* recorded random choices, inputs of every pass */
  const fc_case_array *draw[FC_BATCH_MAX];
} trial;

static const char *in_folder(trial *t, const char *folder, const char *name) {
  snprintf(t->path, sizeof t->path, "%s/%s", folder, name);
  return t->path;
}

static fc_status read_tolerance(trial *t, const char *key, fc_deviation *d) {
  const char *text = fc_config_get(t->config, key);

  FC_REQUIRE(text, FC_E_INPUT, "%s: no %s", t->path, key);
  d->tolerance = strtod(text, NULL);
  FC_REQUIRE(d->tolerance > 0, FC_E_INPUT, "%s: %s is '%s', a positive number is wanted", t->path, key, text);
  return FC_OK;
}

static fc_status read_config(trial *t, const char *folder) {
  FC_TRY(fc_config_load(in_folder(t, folder, "config.json"), &t->config));
  const char *name = fc_config_get(t->config, "model"), *variant = fc_config_get(t->config, "args.variant");
  FC_REQUIRE(name, FC_E_INPUT, "%s: no key model", t->path);
  snprintf(t->r->model, sizeof t->r->model, "%s", name);
  snprintf(t->r->variant, sizeof t->r->variant, "%s", variant ? variant : "");
  FC_TRY(fc_model_need(name, &t->def));
  FC_TRY(read_tolerance(t, "tolerance.output", &t->r->output));
  FC_TRY(read_tolerance(t, "tolerance.grad", &t->r->grad));
  FC_TRY(read_tolerance(t, "tolerance.losses", &t->r->losses));
  t->r->grad_input.tolerance = t->r->grad.tolerance;
  t->r->loss.tolerance       = t->r->losses.tolerance;
  return FC_OK;
}

static fc_status build_model(trial *t, const char *folder) {
  t->options = calloc(1, t->def->config_size);
  t->self    = calloc(1, t->def->self_size);
  FC_REQUIRE(t->options && t->self, FC_E_SYSTEM, "no memory for model %s", t->def->name);
  FC_TRY(fc_config_bind(t->config, 1, &(fc_section){"args", t->def->options, t->options}, true));
  FC_TRY(fc_params_create(&t->params));
  FC_TRY(t->def->init(t->self, t->params, t->options));
  FC_TRY(fc_params_commit(t->params, 0, false));
  t->r->n_parameters = fc_params_trainable(t->params);
  return fc_weights_load(in_folder(t, folder, "weights.safetensors"), t->params, true, NULL);
}

static fc_tensor *to_tensor(fc_ctx *c, const fc_case_array *a) {
  fc_tensor *t = fc_tensor_new(c->arena, a->ndim, a->dim);

  for (int64_t i = 0; i < fc_len(t); i++) t->x[i] = (fc_real)a->x[i];
  return t;
}

#define AUX "/aux/"

/* The keys that sparse attention tried, /aux/probsparse/00/index_sample and so on in the order of its calls.
   Models find them under these names without /aux/. */
static fc_status read_draws(trial *t) {
  char name[64];

  for (t->n_draws = 0; t->n_draws < FC_BATCH_MAX; t->n_draws++) {
    snprintf(name, sizeof name, AUX "probsparse/%02d/index_sample", t->n_draws);
    if (!fc_case_has(t->file, name)) break;
    FC_TRY(fc_case_read(t->file, name, &t->draw[t->n_draws]));
  }
  return FC_OK;
}

static fc_status read_whole(trial *t, fc_batch *b) {
  const fc_case_array *list;
  int                  n;

  FC_TRY(fc_case_group(t->file, "/input", &n, &list));
  FC_REQUIRE(n > 0 && n + t->n_draws <= FC_BATCH_MAX, FC_E_INPUT,
             "%s: /input and recorded choices are %d arrays; 1 to %d are possible", t->path, n + t->n_draws,
             FC_BATCH_MAX);
  memset(b, 0, sizeof *b);
  for (int i = 0; i < n; i++) fc_batch_put(b, list[i].name, to_tensor(t->c, &list[i]));
  for (int i = 0; i < t->n_draws; i++)
    fc_batch_put(b, t->draw[i]->name + strlen(AUX), to_tensor(t->c, t->draw[i]));
  return t->def->check(t->self, b);
}

/* ---- shares of a domain ---- */

static bool shared(const trial *t) { return fc_domain_shared(t->c); }

static fc_part part_of(const trial *t, const char *name) {
  return fc_part_of(t->c, t->def, t->self, &t->whole, name);
}

/* this rank's part of an input or, with name NULL, of an output */
static fc_tensor *share(trial *t, const char *name, fc_tensor *x) {
  const fc_part p = part_of(t, name);

  return fc_part_take(t->c, &p, x);
}

/* the shares of all ranks together: values of x, or v of its shape */
static const fc_real *whole_of(trial *t, const char *name, const fc_tensor *x, fc_real *v) {
  const fc_part p = part_of(t, name);

  return fc_part_join(t->c, &p, fc_tensor_borrow(t->c->arena, v, x->ndim, x->dim))->x;
}

/* finds out once whether the ranks can share the case */
static fc_status prepare_domain(trial *t) {
  fc_verify_report *r = t->r;
  fc_cut            s;

  if (t->grid->domain.size == 1) return FC_OK;
  FC_TRY(read_whole(t, &t->whole));
  if (!t->def->sharing) {
    snprintf(r->skipped, sizeof r->skipped, "%s is not shared by ranks", t->def->name);
  } else if (t->def->sharing->cut(t->self, &t->whole, &s) != FC_OK ||
             fc_cut_check(s, t->grid->domain.size, "the first axis") != FC_OK) {
    snprintf(r->skipped, sizeof r->skipped, "%s", fc_error());
  } else {
    t->c->domain = &t->grid->domain;
    t->c->cut    = s;
  }
  fc_step_end(t->c, 0);
  return FC_OK;
}

/* fresh inputs: leaves of the tape, so shares are copies */
static fc_status read_inputs(trial *t, fc_batch *b) {
  t->c->grad = false;
  FC_TRY(read_whole(t, &t->whole));
  memset(b, 0, sizeof *b);
  for (int i = 0; i < t->whole.n; i++)
    fc_batch_put(b, t->whole.name[i], share(t, t->whole.name[i], t->whole.t[i]));
  return FC_OK;
}

/* mean over the whole output of what this rank has as a mean over its share */
static fc_tensor *own_part(trial *t, fc_tensor *loss, const fc_tensor *y, int64_t whole) {
  return shared(t) ? fc_affine(t->c, loss, (double)fc_len(y) / (double)whole, 0) : loss;
}

static double sum_over_ranks(trial *t, double x) {
  if (shared(t)) fc_comm_sum_double(t->grid->points, &x, 1);
  return x;
}

/* gradients of what all ranks have alike are sums over the ranks */
static void sum_gradients(trial *t, const fc_batch *b) {
  if (!shared(t)) return;
  fc_comm_sum(t->grid->points, fc_params_grads(t->params), fc_params_block(t->params, true));
  for (int i = 0; i < b->n; i++)
    if (b->t[i]->has_grad && part_of(t, b->name[i]).kind == FC_PART_WHOLE)
      fc_comm_sum(t->grid->points, b->t[i]->g, fc_len(b->t[i]));
}

/* ---- comparisons ---- */

static double largest(const double *x, int64_t n) {
  double top = 0;

  for (int64_t i = 0; i < n; i++) top = fmax(top, fabs(x[i]));
  return top;
}

static int64_t length_of(const fc_case_array *a) {
  int64_t n = 1;

  for (int i = 0; i < a->ndim; i++) n *= a->dim[i];
  return n;
}

/* NaN counts as infinitely far */
static double distance(const fc_real *x, const double *ref, int64_t n) {
  double off = 0;

  for (int64_t i = 0; i < n; i++) {
    const double d = fabs((double)x[i] - ref[i]);
    off            = d <= off ? off : isnan(d) ? INFINITY : d;
  }
  return off;
}

static void note(fc_deviation *d, double value) {
  d->checked = true;
  if (!(value <= d->value)) d->value = value;
}

static fc_status same_length(const trial *t, const char *what, int64_t n, const fc_tensor *x,
                             const fc_case_array *ref) {
  FC_REQUIRE(n == length_of(ref), FC_E_MISMATCH, "%s: %s has shape %s, the model gives %s", t->path, what,
             fc_dims_text(ref->ndim, ref->dim), fc_shape_text(x));
  return FC_OK;
}
static fc_status same_shape(const trial *t, const char *what, const fc_tensor *x, const fc_case_array *ref) {
  return same_length(t, what, fc_len(x), x, ref);
}
/* y is this rank's part of the output */
static fc_status same_output(trial *t, const char *what, const fc_tensor *y, const fc_case_array *ref) {
  return same_length(t, what, (int64_t)sum_over_ranks(t, (double)fc_len(y)), y, ref);
}

static fc_status compare_output(trial *t, const fc_tensor *y, const fc_case_array *ref,
                                const fc_tensor *loss) {
  const fc_case_array *ref_loss;
  const int64_t        n = length_of(ref);

  FC_TRY(fc_case_read(t->file, "/loss", &ref_loss));
  note(&t->r->output, distance(whole_of(t, NULL, y, y->x), ref->x, n) / largest(ref->x, n));
  note(&t->r->loss, fabs(sum_over_ranks(t, (double)loss->x[0]) - ref_loss->x[0]) / fabs(ref_loss->x[0]));
  return FC_OK;
}

typedef fc_tensor *(*find_fn)(const void *where, const char *name);

static fc_tensor *find_param(const void *where, const char *name) { return fc_params_find(where, name); }
static fc_tensor *find_input(const void *where, const char *name) { return fc_batch_get(where, name); }

/* max |g - ref| <= tolerance max(max |ref|, 1e-3 G): gradients that vanish in theory hold rounding noise only
 */
static fc_status compare_grads(trial *t, const char *group, find_fn find, const void *where, fc_deviation *d,
                               int *count, char *worst, size_t size) {
  const bool           inputs = find == find_input;
  const fc_case_array *list;
  double               G = 0;
  int                  n;

  FC_TRY(fc_case_group(t->file, group, &n, &list));
  for (int i = 0; i < n; i++) G = fmax(G, largest(list[i].x, length_of(&list[i])));
  for (int i = 0; i < n; i++) {
    const fc_tensor *x = find(where, list[i].name);
    FC_REQUIRE(x, FC_E_MISMATCH, "%s: %s/%s: the model has no such tensor", t->path, group, list[i].name);
    FC_TRY(same_shape(t, list[i].name, inputs ? fc_batch_get(&t->whole, list[i].name) : x, &list[i]));
    const int64_t  len = length_of(&list[i]);
    const fc_real *g   = !x->has_grad ? NULL : inputs ? whole_of(t, list[i].name, x, x->g) : x->g;
    const double   off = g ? distance(g, list[i].x, len) : largest(list[i].x, len);
    const double   rel = off / fmax(fmax(largest(list[i].x, len), 1e-3 * G), 1e-300);
    if (!d->checked || !(rel <= d->value)) snprintf(worst, size, "%s", list[i].name);
    note(d, rel);
  }
  *count = n;
  return FC_OK;
}

/* ---- the two runs ---- */

static fc_status check_gradients(trial *t) {
  fc_batch b;
  char     name[256];
  int      n_inputs;

  const fc_case_array *ref;
  fc_params_zero_grads(t->params);
  FC_TRY(read_inputs(t, &b));
  for (int i = 0; i < b.n; i++) {
    snprintf(name, sizeof name, "/grad_input/%s", b.name[i]);
    b.t[i]->needs_grad = fc_case_has(t->file, name);
  }
  FC_TRY(fc_case_read(t->file, "/output/y", &ref));
  t->c->grad   = true;
  fc_tensor *y = t->def->apply(t->c, t->self, &b);
  fc_keep(y);
  FC_TRY(same_output(t, "/output/y", y, ref));
  fc_tensor *zero = fc_tensor_new(t->c->arena, y->ndim, y->dim);
  memset(zero->x, 0, (size_t)fc_len(zero) * sizeof(fc_real));
  fc_tensor *loss = own_part(t, fc_mse(t->c, y, zero), y, length_of(ref));
  fc_backward(t->c, loss);
  t->c->grad = false;
  sum_gradients(t, &b);
  FC_TRY(compare_output(t, y, ref, loss));
  FC_TRY(compare_grads(t, "/grad", find_param, t->params, &t->r->grad, &t->r->n_gradients, t->r->worst_grad,
                       sizeof t->r->worst_grad));
  return compare_grads(t, "/grad_input", find_input, &b, &t->r->grad_input, &n_inputs, t->r->worst_input,
                       sizeof t->r->worst_input);
}

static fc_status training_loss(trial *t, bool backward, double *out) {
  const fc_case_array *target;
  fc_batch             b;

  FC_TRY(read_inputs(t, &b));
  FC_TRY(fc_case_read(t->file, "/train/target/y", &target));
  fc_tensor *goal = share(t, NULL, to_tensor(t->c, target));
  t->c->grad      = backward;
  fc_tensor *y    = t->def->apply(t->c, t->self, &b);
  FC_TRY(same_output(t, "/train/target/y", y, target));
  fc_tensor *loss = fc_mse(t->c, y, fc_reshape(t->c, goal, y->ndim, y->dim));
  loss            = own_part(t, loss, y, length_of(target));
  *out            = sum_over_ranks(t, (double)loss->x[0]);
  if (backward) fc_backward(t->c, loss), sum_gradients(t, &b);
  return FC_OK;
}

static fc_status check_training(trial *t) {
  const fc_adamw_rates rates = {.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 1e-2};
  const fc_case_array *ref;
  double               loss;

  if (!fc_case_has(t->file, "/train/losses")) return FC_OK;
  FC_TRY(fc_case_read(t->file, "/train/losses", &ref));
  FC_REQUIRE(length_of(ref) == FC_VERIFY_LOSSES, FC_E_INPUT, "%s: /train/losses has not %d numbers", t->path,
             FC_VERIFY_LOSSES);
  FC_TRY(fc_optim_create(t->params, false, &t->optim));
  for (int i = 0; i < FC_VERIFY_LOSSES; i++) {
    const bool last = i == FC_VERIFY_LOSSES - 1;
    fc_step_end(t->c, 0);
    fc_params_zero_grads(t->params);
    FC_TRY(training_loss(t, !last, &loss));
    if (!last) fc_optim_step(t->optim, &rates, 1);
    const double rel = fabs(loss - ref->x[i]) / fabs(ref->x[i]);
    if (!(rel <= t->r->losses.value)) t->r->worst_step = i;
    note(&t->r->losses, isnan(rel) ? INFINITY : rel);
  }
  return FC_OK;
}

static bool within(const fc_deviation *d) { return !d->checked || d->value <= d->tolerance; }

static fc_status run(trial *t, const char *folder) {
  FC_TRY(read_config(t, folder));
  FC_TRY(build_model(t, folder));
  FC_TRY(fc_case_open(in_folder(t, folder, "case.h5"), &t->file));
  FC_TRY(fc_ctx_create(0, false, &t->c));
  FC_TRY(read_draws(t));
  FC_TRY(prepare_domain(t));
  if (t->r->skipped[0]) return FC_OK;
  FC_TRY(check_gradients(t));
  FC_TRY(check_training(t));
  FC_TRY(fc_domain_status(t->c));
  const fc_verify_report *r = t->r;
  t->r->passed = r->n_gradients > 0 && within(&r->output) && within(&r->loss) && within(&r->grad) &&
                 within(&r->grad_input) && within(&r->losses);
  return FC_OK;
}

fc_status fc_verify_case(const char *folder, const fc_process_grid *grid, fc_verify_report *out) {
  trial t = {.r = out, .grid = grid};

  memset(out, 0, sizeof *out);
  const fc_status s = run(&t, folder);
  fc_optim_destroy(t.optim);
  fc_ctx_destroy(t.c);
  fc_case_close(t.file);
  fc_params_destroy(t.params);
  free(t.self);
  free(t.options);
  fc_config_destroy(t.config);
  return s;
}
