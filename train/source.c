/* train/source.c */
#include "train/source.h"

#include "core/progress.h"
#include "hpc/comm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fc_status unknown(const char *path, const char *word, int n, const fc_channel *have) {
  const char *names[FC_FIELD_CHANNELS];

  for (int i = 0; i < n; i++) names[i] = have[i].name;
  const char *near = fc_nearest(word, n, names);
  return fc_fail(FC_E_USAGE, "%s has no field named '%s'%s%s%s; 'fieldcast info' lists the fields", path,
                 word, near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

/* "a, b" -> indices; empty: all */
static fc_status choose(const char *path, const char *names, const fc_field_info *info, bool constant,
                        fc_scaling *s, int *pick) {
  const int         n    = constant ? info->n_constant : info->n_channels;
  const fc_channel *have = constant ? info->constant : info->channel;
  char              text[FC_TEXT], *keep, *word;

  s->n = 0;
  snprintf(text, sizeof text, "%s", names);
  for (word = strtok_r(text, ", []", &keep); word; word = strtok_r(NULL, ", []", &keep)) {
    const int i = fc_field_channel(info, word, constant);
    if (i < 0) return unknown(path, word, n, have);
    FC_REQUIRE(s->n < FC_FIELD_CHANNELS, FC_E_USAGE, "more than %d channels are named", FC_FIELD_CHANNELS);
    pick[s->n++] = i;
  }
  if (!s->n)
    for (; s->n < n; s->n++) pick[s->n] = s->n;
  FC_REQUIRE(s->n, FC_E_INPUT, "%s has no %s fields", path, constant ? "constant" : "time-dependent");
  for (int i = 0; i < s->n; i++) s->channel[i] = have[pick[i]];
  fc_scaling_none(s);
  return FC_OK;
}

/* "nu, Re" -> indices of parameters; empty: none */
static fc_status choose_params(const char *path, const char *names, const fc_field_info *info, fc_source *s) {
  const char *have[FC_FIELD_PARAMS];
  char        text[FC_TEXT], *keep, *word;

  for (int i = 0; i < info->n_params; i++) have[i] = info->param[i].name;
  snprintf(text, sizeof text, "%s", names);
  for (word = strtok_r(text, ", []", &keep); word; word = strtok_r(NULL, ", []", &keep)) {
    const int i = fc_field_param(info, word);
    if (i < 0) {
      const char *near = fc_nearest(word, info->n_params, have);
      return fc_fail(FC_E_USAGE,
                     "%s has no parameter named '%s'%s%s%s; 'fieldcast info' lists the parameters", path,
                     word, near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
    }
    FC_REQUIRE(s->params.n < FC_FIELD_PARAMS, FC_E_USAGE, "more than %d parameters are named",
               FC_FIELD_PARAMS);
    snprintf(s->params.channel[s->params.n].name, FC_NAME, "%s", word);
    s->param_pick[s->params.n++] = i;
  }
  fc_scaling_none(&s->params);
  return FC_OK;
}

static fc_status strides(const char *path, const fc_data_settings *d, const fc_field_info *info,
                         fc_source *s) {
  const fc_ints *want = &d->space_stride;

  FC_REQUIRE(want->n <= 1 || want->n == info->ndim, FC_E_USAGE,
             "data.space_stride has %d numbers, %s has %d axes; give one number or one per axis", want->n,
             path, info->ndim);
  for (int a = 0; a < 3; a++) s->space_stride[a] = !want->n ? 1 : want->v[want->n == 1 ? 0 : a];
  s->frame_stride = d->frame_stride;
  return FC_OK;
}

static void count_points(fc_source *s) {
  s->points = 1;
  for (int a = 0; a < s->geo.ndim; a++) s->points *= s->geo.dim[a];
  s->in_len  = s->points * s->in.n;
  s->out_len = s->points * s->out.n;
}

fc_status fc_source_points(const fc_source *s, int axis, double *x) {
  const int64_t n = fc_field_about(s->field)->dim[axis], stride = s->space_stride[axis];
  double       *all = malloc((size_t)n * sizeof *all);

  FC_REQUIRE(all, FC_E_SYSTEM, "%s: not enough memory for %lld coordinates", s->path, (long long)n);
  const fc_status st = fc_field_points(s->field, axis, all);
  for (int64_t i = 0; st == FC_OK && i * stride < n; i++) x[i] = all[i * stride];
  free(all);
  return st;
}

/* the last point of a strided axis where steps are uneven */
static fc_status uneven_ends(const fc_field_info *info, fc_source *s) {
  for (int a = 0; a < info->ndim; a++) {
    if (info->uniform[a]) continue;
    double *x = malloc((size_t)s->geo.dim[a] * sizeof *x);
    FC_REQUIRE(x, FC_E_SYSTEM, "%s: not enough memory for %lld coordinates", s->path,
               (long long)s->geo.dim[a]);
    const fc_status st = fc_source_points(s, a, x);
    if (st == FC_OK) s->geo.hi[a] = x[s->geo.dim[a] - 1];
    free(x);
    FC_TRY(st);
  }
  return FC_OK;
}

static fc_status geometry(const fc_field_info *info, fc_source *s) {
  fc_geometry *g = &s->geo;

  memcpy(g->name, info->name, sizeof g->name);
  g->ndim = info->ndim;
  for (int a = 0; a < info->ndim; a++) {
    const int64_t stride = s->space_stride[a];
    g->dim[a]            = fc_ceil_div(info->dim[a], stride);
    g->lo[a]             = info->lo[a];
    g->hi[a]             = info->dim[a] > 1
                               ? info->lo[a] + (info->hi[a] - info->lo[a]) * (double)(stride * (g->dim[a] - 1)) /
                                       (double)(info->dim[a] - 1)
                               : info->hi[a];
    g->periodic[a]       = info->periodic[a];
    memcpy(g->axis[a], info->axis[a], sizeof g->axis[a]);
  }
  g->dt = info->dt * (double)s->frame_stride;
  memcpy(g->time_unit, info->time_unit, sizeof g->time_unit);
  memcpy(g->space_unit, info->space_unit, sizeof g->space_unit);
  s->whole = g->dim[0];
  count_points(s);
  return uneven_ends(info, s);
}

fc_status fc_source_open(const char *path, const fc_data_settings *d, bool steady, fc_source *out) {
  fc_status s;

  memset(out, 0, sizeof *out);
  out->steady = steady;
  snprintf(out->path, sizeof out->path, "%s", path);
  FC_TRY(fc_field_open(path, &out->field));
  const fc_field_info *info = fc_field_about(out->field);
  FC_TRY_TO(fail, s, strides(path, d, info, out));
  FC_TRY_TO(fail, s, geometry(info, out));
  FC_TRY_TO(fail, s, choose(path, d->channels, info, false, &out->out, out->out_pick));
  FC_TRY_TO(fail, s, choose_params(path, d->params, info, out));
  if (steady) {
    FC_TRY_TO(fail, s, choose(path, d->inputs, info, true, &out->in, out->in_pick));
  } else {
    out->in = out->out;
    memcpy(out->in_pick, out->out_pick, sizeof out->in_pick);
  }
  count_points(out);
  return FC_OK;
fail:
  fc_source_close(out);
  return s;
}

void fc_source_close(fc_source *s) {
  fc_field_close(s->field);
  s->field = NULL;
}

fc_status fc_source_fits(const fc_source *s, const fc_network *n) {
  return fc_network_fits(n, s->geo.ndim, s->geo.dim, s->in.n, s->out.n, s->params.n);
}

void fc_source_share(fc_source *s, int64_t lo, int64_t n) {
  fc_field_share(s->field, lo, n);
  s->geo.dim[0] = n;
  count_points(s);
}

static void show(void *user, int64_t done, int64_t total) {
  fc_progress *p = user;

  p->total = total;
  fc_progress_update(p, done, NULL);
}

static double usable(double std) { return std > 0 ? std : 1; }

/* sums over the ranks that share the grid */
static fc_status sum_over(const fc_domain *d, double *x, int64_t n) {
  return d ? fc_comm_sum_double(d->comm, x, n) : FC_OK;
}

/* population moments of the constant fields over trajectories and space, in two passes */
static fc_status measure_inputs(fc_source *s, int64_t lo, int64_t hi, const fc_domain *d) {
  double       sum[FC_FIELD_CHANNELS] = {0}, square[FC_FIELD_CHANNELS] = {0};
  const double n  = (double)(s->points / s->geo.dim[0] * s->whole * (hi - lo));
  fc_real     *x  = malloc((size_t)s->in_len * sizeof *x);
  fc_status    st = x ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for one input field");

  for (int64_t t = lo; t < hi && st == FC_OK; t++) {
    st = fc_field_read_constant(s->field, t, s->space_stride, s->in.n, s->in_pick, x);
    for (int64_t i = 0; i < s->in_len && st == FC_OK; i++) sum[i % s->in.n] += (double)x[i];
  }
  if (st == FC_OK) st = sum_over(d, sum, s->in.n);
  for (int64_t t = lo; t < hi && st == FC_OK; t++) {
    st = fc_field_read_constant(s->field, t, s->space_stride, s->in.n, s->in_pick, x);
    for (int64_t i = 0; i < s->in_len && st == FC_OK; i++) {
      const double off = (double)x[i] - sum[i % s->in.n] / n;
      square[i % s->in.n] += off * off;
    }
  }
  if (st == FC_OK) st = sum_over(d, square, s->in.n);
  for (int c = 0; c < s->in.n && st == FC_OK; c++) {
    s->in.mean[c] = sum[c] / n;
    s->in.std[c]  = usable(sqrt(square[c] / n));
    if (!isfinite(s->in.mean[c]) || !isfinite(s->in.std[c]))
      st = fc_fail(FC_E_INPUT, "the input field %s holds values that are not finite", s->in.channel[c].name);
  }
  free(x);
  return st;
}

/* population moments of the parameters over trajectories; one value in all of them stays as it is */
static fc_status measure_params(fc_source *s, int64_t lo, int64_t hi) {
  const int n                    = s->params.n;
  double    sum[FC_FIELD_PARAMS] = {0}, square[FC_FIELD_PARAMS] = {0}, p[FC_FIELD_PARAMS];

  for (int64_t t = lo; n && t < hi; t++) {
    FC_TRY(fc_field_params(s->field, t, n, s->param_pick, p));
    for (int i = 0; i < n; i++) sum[i] += p[i] / (double)(hi - lo);
  }
  for (int64_t t = lo; n && t < hi; t++) {
    FC_TRY(fc_field_params(s->field, t, n, s->param_pick, p));
    for (int i = 0; i < n; i++) square[i] += (p[i] - sum[i]) * (p[i] - sum[i]) / (double)(hi - lo);
  }
  for (int i = 0; i < n; i++) {
    const double std = sqrt(square[i]);
    if (std <= 1e-12 * fabs(sum[i])) continue;
    s->params.mean[i] = sum[i];
    s->params.std[i]  = std;
  }
  return FC_OK;
}

/* Of frame_stride frames: proportional while changes go on in one direction, at most that of unrelated
 * fields. */
static double increment(const fc_field_stats *stats, int channel, int64_t frame_stride) {
  return fmin((double)frame_stride * stats->std_delta[channel], sqrt(2) * stats->std[channel]);
}

/* mean[n] and std[n] of this rank's share become those of all ranks' (population moments) */
static fc_status merge_moments(const fc_domain *d, double weight, int n, double *mean, double *std) {
  double sum[FC_FIELD_CHANNELS + 1] = {0}, square[FC_FIELD_CHANNELS];

  for (int c = 0; c < n; c++) sum[c] = weight * mean[c];
  sum[n] = weight;
  FC_TRY(sum_over(d, sum, n + 1));
  for (int c = 0; c < n; c++) {
    const double all = sum[c] / sum[n], off = mean[c] - all;
    square[c] = weight * (std[c] * std[c] + off * off);
    mean[c]   = all;
  }
  FC_TRY(sum_over(d, square, n));
  for (int c = 0; c < n; c++) std[c] = sqrt(square[c] / sum[n]);
  return FC_OK;
}

static fc_status merge_shares(const fc_source *s, const fc_domain *d, fc_field_stats *stats) {
  const double weight = (double)s->geo.dim[0];

  if (!d) return FC_OK;
  FC_TRY(merge_moments(d, weight, stats->n_channels, stats->mean, stats->std));
  return merge_moments(d, weight, stats->n_channels, stats->mean_delta, stats->std_delta);
}

fc_status fc_source_measure(fc_source *s, int64_t lo, int64_t hi, const fc_domain *domain, bool quiet) {
  fc_field_stats *stats = malloc(sizeof *stats);
  fc_progress     p;

  FC_REQUIRE(stats, FC_E_SYSTEM, "no memory for statistics");
  fc_progress_start(&p, "statistics", "frame", 0, 1, quiet);
  fc_status st = fc_field_statistics(s->field, lo, hi, s->space_stride, quiet ? NULL : show, &p, stats);
  if (domain) st = fc_comm_agree(domain->comm, st);
  if (st == FC_OK) st = merge_shares(s, domain, stats);
  for (int c = 0; c < s->out.n && st == FC_OK; c++) {
    s->out.mean[c] = stats->mean[s->out_pick[c]];
    s->out.std[c]  = usable(stats->std[s->out_pick[c]]);
    s->out.step[c] = usable(increment(stats, s->out_pick[c], s->frame_stride) / s->out.std[c]);
  }
  free(stats);
  if (!quiet) fc_progress_end(&p, NULL);
  FC_TRY(st);
  FC_TRY(measure_params(s, lo, hi));
  if (s->steady) return measure_inputs(s, lo, hi, domain);
  s->in = s->out;
  return FC_OK;
}

int64_t fc_source_steps(const fc_source *s, int64_t traj) { return fc_field_steps(s->field, traj); }

/* Scores of such values would be NaN, and a model that starts from them gives nothing else. */
static fc_status all_finite(const fc_source *s, const fc_scaling *g, int64_t traj, int64_t t, int64_t n,
                            const fc_real *x) {
  char frame[48] = "";

  for (int64_t i = 0; i < n; i++) {
    if (isfinite(x[i])) continue;
    if (t >= 0)
      snprintf(frame, sizeof frame, ", frame %lld",
               (long long)(t + i / (s->points * g->n) * s->frame_stride));
    return fc_fail(FC_E_INPUT, "%s: channel '%s' has values that are not finite in trajectory %lld%s",
                   s->path, g->channel[i % g->n].name, (long long)traj, frame);
  }
  return FC_OK;
}

fc_status fc_source_truth(fc_source *s, int64_t traj, int64_t t0, int64_t nt, fc_real *x) {
  FC_TRY(fc_field_read(s->field, traj, t0, nt, s->frame_stride, s->space_stride, s->out.n, s->out_pick, x));
  return all_finite(s, &s->out, traj, t0, nt * s->out_len, x);
}

fc_status fc_source_frames(fc_source *s, int64_t traj, int64_t t0, int64_t nt, fc_real *x) {
  FC_TRY(fc_source_truth(s, traj, t0, nt, x));
  fc_scaling_apply(&s->out, nt * s->points, x);
  return FC_OK;
}

fc_status fc_source_given(fc_source *s, int64_t traj, fc_real *x) {
  FC_TRY(fc_field_read_constant(s->field, traj, s->space_stride, s->in.n, s->in_pick, x));
  return all_finite(s, &s->in, traj, -1, s->in_len, x);
}

fc_status fc_source_input(fc_source *s, int64_t traj, fc_real *x) {
  FC_TRY(fc_source_given(s, traj, x));
  fc_scaling_apply(&s->in, s->points, x);
  return FC_OK;
}

fc_status fc_source_params(fc_source *s, int64_t traj, fc_real *p) {
  double v[FC_FIELD_PARAMS];

  FC_TRY(fc_field_params(s->field, traj, s->params.n, s->param_pick, v));
  for (int i = 0; i < s->params.n; i++) p[i] = (fc_real)((v[i] - s->params.mean[i]) / s->params.std[i]);
  return FC_OK;
}

int64_t fc_source_split(int64_t n_traj, double valid_fraction) {
  const int64_t valid = (int64_t)ceil(valid_fraction * (double)n_traj - 1e-9);

  return fc_max64(1, n_traj - valid);
}
