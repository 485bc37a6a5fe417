/* train/prediction.c */
#include "train/prediction.h"

#include <math.h>

static fc_status find_channels(fc_prediction *p) {
  const fc_field_info *mine = fc_field_about(p->field), *truth = fc_field_about(p->like->field);

  for (int c = 0; c < p->like->out.n; c++) {
    const char *name = truth->channel[p->like->out_pick[c]].name;
    p->pick[c]       = fc_field_channel(mine, name, false);
    FC_REQUIRE(p->pick[c] >= 0, FC_E_MISMATCH, "%s has no channel '%s', which %s has", p->path, name,
               p->like->path);
  }
  return FC_OK;
}

static fc_status same_grid(const fc_prediction *p) {
  const fc_field_info *mine = fc_field_about(p->field), *truth = fc_field_about(p->like->field);
  bool                 same = mine->ndim == truth->ndim && mine->n_traj >= truth->n_traj;

  for (int a = 0; a < truth->ndim && same; a++) same = mine->dim[a] == truth->dim[a];
  FC_REQUIRE(same, FC_E_MISMATCH,
             "%s has another grid than %s, or fewer trajectories; predictions are compared point by point: "
             "'fieldcast filter' brings fields to another grid",
             p->path, p->like->path);
  return FC_OK;
}

fc_status fc_prediction_open(const char *path, const fc_source *s, fc_prediction *out) {
  fc_status status;

  *out = (fc_prediction){.path = path, .like = s};
  FC_REQUIRE(!s->steady, FC_E_USAGE, "%s: predictions in files are for fields in time", path);
  FC_TRY(fc_field_open(path, &out->field));
  FC_TRY_TO(fail, status, same_grid(out));
  FC_TRY_TO(fail, status, find_channels(out));
  return FC_OK;
fail:
  fc_prediction_close(out);
  return status;
}

void fc_prediction_close(fc_prediction *p) {
  if (p->field) fc_field_close(p->field);
  p->field = NULL;
}

/* Times are ascending and mostly asked for in order. */
static fc_status find(fc_prediction *p, int64_t traj, double t, int64_t *frame) {
  const int64_t n   = fc_field_steps(p->field, traj);
  const double  off = 1e-4 * (isfinite(p->like->geo.dt) ? p->like->geo.dt : 1);
  double        at;

  for (int64_t k = 0; k < n; k++) {
    *frame = (p->near + k) % n;
    FC_TRY(fc_field_times(p->field, traj, *frame, 1, &at));
    if (fabs(at - t) > off) continue;
    p->near = *frame;
    return FC_OK;
  }
  return fc_fail(FC_E_INPUT,
                 "%s: trajectory %lld has no frame at time %.6g, where %s has one; --frames N compares fewer",
                 p->path, (long long)traj, t, p->like->path);
}

fc_status fc_prediction_at(fc_prediction *p, int64_t traj, double t, fc_real *x) {
  int64_t frame = 0;

  FC_TRY(find(p, traj, t, &frame));
  FC_TRY(fc_field_read(p->field, traj, frame, 1, 1, p->like->space_stride, p->like->out.n, p->pick, x));
  for (int64_t i = 0; i < p->like->out_len; i++)
    FC_REQUIRE(isfinite(x[i]), FC_E_INPUT, "%s: trajectory %lld, time %.6g: a value is not finite", p->path,
               (long long)traj, t);
  return FC_OK;
}
