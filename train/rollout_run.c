/* train/rollout_run.c */
#include "train/rollout_run.h"

#include "core/progress.h"
#include "hpc/domain.h"
#include "hpc/stop.h"
#include "io/field_writer.h"
#include "io/file.h"
#include "train/coarse.h"
#include "train/linear.h"
#include "train/output_names.h"
#include "train/report.h"
#include "train/rollout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const fc_run         *run;
  const fc_rollout_job *job;
  fc_source             s;
  fc_process_grid       ranks;
  fc_share              share;
  int64_t               own_lo, own_hi; /* trajectories of this rank's group */
  fc_rollout           *roll;
  fc_field_writer      *writer;
  fc_compare           *cmp; /* NULL: nothing to compare with */
  fc_shots              shots;
  fc_real              *truth, *given;        /* one frame; what the coarse solver begins with */
  int64_t lo, hi, known, bad_traj, bad_frame; /* trajectories lo..hi-1; frames with truth; first bad frame */
  fc_output_names names;
  int             model, persistence, linear, solver;
  fc_linear_map  *linear_map; /* NULL: none, and why */
  const char     *no_linear;
  fc_coarse       coarse;
  const char     *no_coarse; /* why there is no coarse solver */
  fc_progress     bar;
} work;

/* ---- what to do: names, trajectories, frames ---- */

/* frames of truth after the history in the shortest of the chosen trajectories */
static int64_t truth_frames(const work *w) {
  int64_t least = INT64_MAX;

  if (w->s.steady) return 1;
  for (int64_t i = w->lo; i < w->hi; i++) least = fc_min64(least, fc_source_steps(&w->s, i));
  const int64_t first = w->job->start + fc_rollout_span(w->roll);
  return least <= first ? 0 : (least - 1 - first) / w->s.frame_stride + 1;
}

static fc_status choose_frames(work *w, int64_t *steps) {
  const int64_t n = fc_field_about(w->s.field)->n_traj, span = fc_rollout_span(w->roll),
                stride = w->s.frame_stride;

  FC_REQUIRE(w->job->traj < n, FC_E_USAGE, "--trajectory %lld: %s has trajectories 0 to %lld",
             (long long)w->job->traj, w->job->data, (long long)n - 1);
  w->lo = w->job->traj < 0 ? 0 : w->job->traj;
  w->hi = w->job->traj < 0 ? n : w->job->traj + 1;
  for (int64_t i = w->lo; i < w->hi && !w->s.steady; i++)
    FC_REQUIRE(w->job->start + span - stride < fc_source_steps(&w->s, i), FC_E_INPUT,
               "%s: trajectory %lld has %lld frames, the model needs %lld of history from frame %lld on; "
               "lower --start",
               w->job->data, (long long)i, (long long)fc_source_steps(&w->s, i),
               (long long)(span - stride + 1), (long long)w->job->start);
  const int64_t truth = truth_frames(w);
  *steps              = w->s.steady ? 1 : w->job->steps ? w->job->steps : truth;
  FC_REQUIRE(*steps > 0, FC_E_USAGE, "%s has no frames after the history; --steps N says how many to predict",
             w->job->data);
  w->known = w->job->compare ? fc_min64(*steps, truth) : 0;
  return FC_OK;
}

/* ---- the prediction file ---- */

/* is channel i the first of the components of a whole vector, in order? */
static bool starts_vector(const fc_scaling *k, int i, int D) {
  const fc_channel *h = &k->channel[i];

  if (h->rank != 1 || i + D > k->n || !strrchr(h->name, '_')) return false;
  for (int d = 0; d < D; d++)
    if (h[d].rank != 1 || h[d].field != h->field || h[d].component != d) return false;
  return true;
}

/* The layout puts scalars before vectors. Whole vectors after the scalars stay vectors; any other order of
   channels is written as scalars. */
static int describe_fields(const work *w, char names[][FC_NAME], fc_out_field *out) {
  const fc_scaling *k      = &w->s.out;
  const int         D      = w->s.geo.ndim;
  bool              vector = false, mixed = false;
  int               n = 0;

  for (int i = 0; i < k->n; n++) {
    const bool whole = starts_vector(k, i, D);
    mixed |= vector && !whole;
    vector |= whole;
    snprintf(names[n], FC_NAME, "%s", k->channel[i].name);
    if (whole) *strrchr(names[n], '_') = 0;
    out[n] = (fc_out_field){names[n], k->channel[i].unit, whole};
    i += whole ? D : 1;
  }
  for (int i = 0; mixed && i < k->n; i++) {
    snprintf(names[i], FC_NAME, "%s", k->channel[i].name);
    out[i] = (fc_out_field){names[i], k->channel[i].unit, 0};
  }
  return mixed ? k->n : n;
}

static double first_time(const work *w) {
  double t = 0;

  if (w->s.steady) return 0;
  if (fc_field_times(w->s.field, w->lo, w->job->start + fc_rollout_span(w->roll) - w->s.frame_stride, 1,
                     &t) != FC_OK)
    t = 0;
  return t; /* of the last known frame */
}

/* several ranks write lines of the first axis, of the trajectories of their groups */
static void share_file(const work *w, fc_field_spec *spec) {
  if (fc_comm_size(NULL) == 1) return;
  spec->shared = true;
  spec->lo =
      w->ranks.domain.size > 1 ? fc_cut_at(w->share.cut, w->ranks.domain.rank, w->ranks.domain.size) : 0;
  spec->n = w->s.geo.dim[0];
}

/* The grid of the data, uneven coordinates too; *points is for the caller to free. */
static fc_status describe_grid(const work *w, fc_field_spec *spec, double **points) {
  const fc_geometry *g = &w->s.geo;

  for (int a = 0; a < g->ndim; a++) {
    const int64_t n     = a ? g->dim[a] : w->s.whole;
    const bool    known = isfinite(g->lo[a]) && isfinite(g->hi[a]) && n > 1;
    spec->dim[a]        = n;
    spec->axis[a]       = g->axis[a][0] ? g->axis[a] : NULL;
    spec->origin[a]     = known ? g->lo[a] : 0;
    spec->spacing[a]    = known ? (g->hi[a] - g->lo[a]) / (double)(n - 1) : 1;
    spec->periodic[a]   = g->periodic[a];
    spec->wall[a]       = fc_field_about(w->s.field)->wall[a];
    if (fc_field_about(w->s.field)->uniform[a] || g->lo[a] > g->hi[a]) continue;
    points[a] = malloc((size_t)n * sizeof **points);
    FC_REQUIRE(points[a], FC_E_SYSTEM, "not enough memory for %lld coordinates", (long long)n);
    FC_TRY(fc_source_points(&w->s, a, points[a]));
    spec->points[a] = points[a];
  }
  return FC_OK;
}

/* parameters (viscosity, ..) that all trajectories share, and what had been filtered: statistics ask for them
 */
static void describe_data(const work *w, fc_field_spec *spec) {
  const fc_field_info *i      = fc_field_about(w->s.field);
  const char          *filter = fc_field_text(w->s.field, "filter");
  double               first, v;

  for (int k = 0; k < i->n_params; k++) {
    bool same = fc_field_params(w->s.field, w->lo, 1, &k, &first) == FC_OK;
    for (int64_t b = w->lo + 1; same && b < w->hi; b++)
      same = fc_field_params(w->s.field, b, 1, &k, &v) == FC_OK && v == first;
    if (same)
      spec->param[spec->n_params].name = i->param[k].name, spec->param[spec->n_params++].value = first;
  }
  if (filter[0]) spec->text[spec->n_texts].name = "filter", spec->text[spec->n_texts++].value = filter;
}

static fc_status open_writer(work *w, int64_t steps) {
  const fc_geometry *g = &w->s.geo;
  char               names[FC_FIELD_CHANNELS][FC_NAME];
  fc_out_field       fields[FC_FIELD_CHANNELS] = {{0}};
  const double       dt                        = isnan(g->dt) ? 1 : g->dt;
  fc_field_spec      spec                      = {.name       = g->name,
                                                  .ndim       = g->ndim,
                                                  .n_traj     = w->hi - w->lo,
                                                  .n_steps    = steps,
                                                  .t0         = first_time(w) + dt,
                                                  .dt         = dt,
                                                  .time_unit  = g->time_unit,
                                                  .space_unit = g->space_unit,
                                                  .field      = fields,
                                                  .compress   = true};

  spec.n_fields     = describe_fields(w, names, fields);
  spec.text[0].name = "command", spec.text[0].value = w->job->command;
  spec.text[1].name = "model", spec.text[1].value = w->run->k.def->name;
  spec.text[2].name = "checkpoint", spec.text[2].value = w->run->path;
  spec.text[3].name = "weights", spec.text[3].value = w->run->averaged ? "moving average" : "last";
  spec.text[4].name = "history_from", spec.text[4].value = w->job->data;
  spec.n_texts = 5;
  describe_data(w, &spec);
  share_file(w, &spec);
  double   *points[3] = {0};
  fc_status s         = describe_grid(w, &spec, points);
  if (s == FC_OK) s = fc_field_writer_create(w->names.file, &spec, &w->writer);
  for (int a = 0; a < 3; a++) free(points[a]);
  return s;
}

/* ---- rolling ---- */

static void look_for_nan(work *w, int64_t traj, int64_t t, const fc_real *x) {
  if (w->bad_frame >= 0) return;
  for (int64_t i = 0; i < w->s.out_len; i++)
    if (!isfinite((double)x[i])) {
      w->bad_traj  = traj;
      w->bad_frame = t;
      return;
    }
}

static fc_status read_truth(work *w, int64_t traj, int64_t t) {
  const int64_t at = w->s.steady ? 0 : w->job->start + fc_rollout_span(w->roll) + t * w->s.frame_stride;

  return fc_source_truth(&w->s, traj, at, 1, w->truth);
}

static fc_status one_frame(work *w, int64_t traj, int64_t t) {
  const fc_real *y = fc_rollout_next(w->roll);

  look_for_nan(w, traj, t, y);
  FC_TRY(fc_field_write(w->writer, traj - w->lo, t, 1, y));
  if (t >= w->known) return FC_OK;
  FC_TRY(read_truth(w, traj, t));
  if (traj == w->lo) fc_shots_take(&w->shots, t, w->s.out_len, w->truth, y);
  FC_TRY(fc_compare_add(w->cmp, w->model, t, y, w->truth));
  return fc_compare_add(w->cmp, w->persistence, t, fc_rollout_last(w->roll), w->truth);
}

static fc_status roll_all(work *w, int64_t steps) {
  for (int64_t traj = w->own_lo; traj < w->own_hi; traj++) {
    FC_TRY(fc_rollout_start(w->roll, traj, w->job->start));
    for (int64_t t = 0; t < steps; t++) {
      FC_TRY(one_frame(w, traj, t));
      FC_TRY(fc_stop_check(w->ranks.points, "nothing was written"));
      fc_progress_update(&w->bar, (traj - w->own_lo) * steps + t + 1, NULL);
    }
  }
  return FC_OK;
}

/* ---- the linear map ---- */

static const char only_written[] = "the prediction is written, the comparison is not";

static fc_status roll_linear(work *w) {
  FC_TRY(fc_linear_fit(w->run, &w->s, &w->linear_map, &w->no_linear));
  if (!w->linear_map) return FC_OK;
  fc_real *y = malloc((size_t)(w->known * w->s.out_len) * sizeof *y);
  FC_REQUIRE(y, FC_E_SYSTEM, "no memory for %lld frames", (long long)w->known);
  w->linear   = fc_compare_method(w->cmp, "linear");
  fc_status s = FC_OK;
  for (int64_t traj = w->lo; traj < w->hi && s == FC_OK; traj++) {
    if ((s = fc_stop_check(NULL, only_written)) != FC_OK) break;
    if ((s = fc_rollout_start(w->roll, traj, w->job->start)) != FC_OK) break;
    fc_linear_predict(w->linear_map, fc_rollout_history(w->roll), w->known, y);
    fc_scaling_undo(&w->s.out, w->known * w->s.points, y);
    for (int64_t t = 0; t < w->known && s == FC_OK; t++)
      if ((s = read_truth(w, traj, t)) == FC_OK)
        s = fc_compare_add(w->cmp, w->linear, t, y + t * w->s.out_len, w->truth);
  }
  free(y);
  return s;
}

/* ---- the solver on a coarser grid ---- */

typedef struct {
  work   *w;
  int64_t traj;
} coarse_frame;

static fc_status compare_coarse(void *user, int64_t unused, int64_t t, const fc_real *x) {
  const coarse_frame *k = user;

  (void)unused;
  FC_TRY(fc_stop_check(NULL, only_written));
  FC_TRY(read_truth(k->w, k->traj, t));
  return fc_compare_add(k->w->cmp, k->w->solver, t, x, k->w->truth);
}

/* what the solver begins with: the last known frame, or the inputs of a steady problem */
static fc_status coarse_start(work *w, int64_t traj) {
  if (w->s.steady) return fc_source_given(&w->s, traj, w->given);
  FC_TRY(fc_rollout_start(w->roll, traj, w->job->start));
  memcpy(w->given, fc_rollout_last(w->roll), (size_t)w->s.out_len * sizeof *w->given);
  return FC_OK;
}

static fc_status roll_coarse(work *w) {
  const double t0 = first_time(w);

  w->given = malloc((size_t)(w->s.steady ? w->s.in_len : w->s.out_len) * sizeof *w->given);
  FC_REQUIRE(w->given, FC_E_SYSTEM, "no memory for one frame");
  FC_TRY(coarse_start(w, w->lo));
  FC_TRY(fc_coarse_choose(&w->s, w->given, t0, fc_rollout_cost(w->roll), &w->coarse, &w->no_coarse));
  if (!w->coarse.def) return FC_OK;
  char label[48], *at = label + snprintf(label, sizeof label, "solver ");
  for (int a = 0; a < w->s.geo.ndim; a++)
    at += snprintf(at, (size_t)(label + sizeof label - at), "%s%lld", a ? "x" : "",
                   (long long)w->coarse.dim[a]);
  w->solver = fc_compare_method(w->cmp, label);
  for (int64_t traj = w->lo; traj < w->hi; traj++) {
    coarse_frame k = {w, traj};
    FC_TRY(coarse_start(w, traj));
    FC_TRY(fc_coarse_run(&w->coarse, &w->s, w->given, t0, w->known, compare_coarse, &k));
  }
  return FC_OK;
}

/* ---- the report ---- */

static void print_costs(const work *w, FILE *f) {
  fprintf(f, "cost: model %.3g s a frame", fc_rollout_cost(w->roll));
  if (w->coarse.def) {
    fprintf(f, ", %s %.3g s a frame, measured in this run", w->cmp->label[w->solver], w->coarse.seconds);
    if (w->coarse.dearer) fprintf(f, "; no coarser grid is as cheap as the model, this is the cheapest");
    fprintf(f,
            "\n      on the data's own grid the solver takes %.3g s a frame, %.2g times the model's cost\n",
            w->coarse.full, w->coarse.full / fc_rollout_cost(w->roll));
  } else {
    fprintf(f, "; no coarse solver beside it: %s\n", w->no_coarse);
  }
  if (w->linear_map)
    fprintf(f, "%s\n", fc_linear_text(w->linear_map));
  else
    fprintf(f, "no linear baseline: %s\n", w->no_linear);
}

static fc_status report(work *w, FILE *f) {
  const fc_rollout_job *j = w->job;
  char                  path[FC_TEXT + 64], title[FC_TEXT];
  fc_report r = {w->cmp, &w->s.geo, &w->s.out, &w->shots, j->good_error, j->good_correlation, title};

  snprintf(title, sizeof title, "%s: %s", w->run->k.def->name, w->s.out.channel[0].name);
  FC_TRY(fc_report_print(&r, f));
  print_costs(w, f);
  snprintf(path, sizeof path, "%serror.csv", w->names.stem);
  FC_TRY(fc_report_csv(&r, path));
  if (w->share.domain) return FC_OK; /* no rank has a whole field */
  return fc_report_pictures(&r, w->names.stem);
}

static void announce(const work *w, int64_t steps, FILE *f) {
  fprintf(f, "%s from %s, step %lld%s: %lld frames of %lld trajectories in %s\n", w->run->k.def->name,
          w->run->path, (long long)w->run->k.step, w->run->averaged ? " (moving average of the weights)" : "",
          (long long)steps, (long long)(w->hi - w->lo), w->names.file);
}

/* this rank's lines of the grid */
static fc_status share_grid(work *w) {
  const fc_domain *d = &w->ranks.domain;
  const fc_source *s = &w->s;

  if (d->size == 1) return FC_OK;
  FC_TRY(fc_network_cut(w->run->network, s->geo.ndim, s->geo.dim, d->size, &w->share.cut));
  w->share.domain  = d;
  const int64_t lo = fc_cut_at(w->share.cut, d->rank, d->size);
  fc_source_share(&w->s, lo, fc_cut_at(w->share.cut, d->rank + 1, d->size) - lo);
  return FC_OK;
}

/* this rank's trajectories */
static void share_trajectories(work *w) {
  fc_comm_block(w->ranks.data, w->hi - w->lo, &w->own_lo, &w->own_hi);
  w->own_lo += w->lo;
  w->own_hi += w->lo;
}

static fc_status prepare(work *w, int64_t *steps) {
  FC_TRY(share_grid(w));
  FC_TRY(fc_rollout_create(w->run, &w->s, w->share.domain ? &w->share : NULL, &w->roll));
  FC_TRY(choose_frames(w, steps));
  share_trajectories(w);
  FC_TRY(fc_output_names_make(w->job->out, &w->names));
  FC_TRY(open_writer(w, *steps));
  w->truth = malloc((size_t)w->s.out_len * sizeof *w->truth);
  FC_REQUIRE(w->truth, FC_E_SYSTEM, "no memory for one frame");
  if (!w->known) return FC_OK;
  FC_TRY(fc_compare_create(&w->s.geo, w->s.out.n, w->known, w->share.domain, &w->cmp));
  w->model       = fc_compare_method(w->cmp, w->run->k.def->name);
  w->persistence = fc_compare_method(w->cmp, w->s.steady ? "training mean" : "persistence");
  return fc_shots_create(w->known, w->s.out_len, &w->shots);
}

static fc_status perform(work *w, FILE *f) {
  int64_t steps = 0;

  FC_TRY(prepare(w, &steps));
  fc_progress_start(&w->bar, "rollout", "frame", 0, steps * (w->own_hi - w->own_lo), w->job->quiet);
  const fc_status s = fc_comm_agree(NULL, roll_all(w, steps));
  fc_progress_end(&w->bar, NULL);
  FC_TRY(s);
  fc_field_writer *writer = w->writer;
  w->writer               = NULL;
  FC_TRY(fc_field_writer_finish(writer));
  if (w->known) FC_TRY(fc_compare_gather(w->cmp, w->ranks.data));
  if (!fc_comm_rank(NULL)) announce(w, steps, f);
  w->no_linear = w->no_coarse = "several ranks made this rollout";
  if (w->known && fc_comm_size(NULL) == 1) FC_TRY(roll_linear(w));
  if (w->known && fc_comm_size(NULL) == 1) FC_TRY(roll_coarse(w));
  if (w->known) FC_TRY(fc_comm_agree(NULL, fc_comm_rank(NULL) ? FC_OK : report(w, f)));
  FC_REQUIRE(w->bad_frame < 0, FC_E_NUMERIC,
             "the prediction of trajectory %lld is not finite from frame %lld on; everything is written all "
             "the same",
             (long long)w->bad_traj, (long long)w->bad_frame);
  return FC_OK;
}

fc_status fc_rollout_run(const fc_run *run, const fc_rollout_job *job, FILE *f) {
  work *w = calloc(1, sizeof *w);

  FC_REQUIRE(w, FC_E_SYSTEM, "no memory for a rollout");
  w->run       = run;
  w->job       = job;
  w->bad_frame = -1;
  fc_status s  = fc_process_grid_create((int)fc_max64(1, job->domain), &w->ranks);
  if (s == FC_OK) s = fc_comm_agree(NULL, fc_run_open_data(run, job->data, &w->s));
  if (s == FC_OK) s = perform(w, f);
  fc_field_writer_abandon(w->writer);
  fc_coarse_free(&w->coarse);
  fc_linear_free(w->linear_map);
  fc_compare_destroy(w->cmp);
  fc_shots_free(&w->shots);
  fc_rollout_destroy(w->roll);
  fc_source_close(&w->s);
  fc_process_grid_destroy(&w->ranks);
  free(w->truth);
  free(w->given);
  free(w);
  return s;
}
