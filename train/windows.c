/* train/windows.c */
#include "train/windows.h"

#include <stdlib.h>
#include <string.h>

struct fc_windows {
  fc_source     *source;
  fc_window_spec spec;
  int64_t        n, n_traj;
  int64_t       *first;    /* [n_traj + 1]: number of the first window of a trajectory */
  fc_real       *cache;    /* normalised frames, trajectory by trajectory; steady: then the inputs */
  int64_t       *frame_at; /* [n_traj + 1]: number of the first cached frame of a trajectory */
  fc_real       *params;   /* [n_traj, p] */
  fc_real       *scratch;  /* streaming: one window as it lies in the file */
};

/* frames of the file a window spans */
static int64_t span(const fc_windows *w) {
  return w->source->steady ? 1 : (w->spec.n_in + w->spec.n_target - 1) * w->source->frame_stride + 1;
}

static int64_t steps(const fc_windows *w, int64_t i) {
  return w->source->steady ? 1 : fc_source_steps(w->source, w->spec.traj_lo + i);
}

static void count(fc_windows *w) {
  for (int64_t i = 0; i < w->n_traj; i++) {
    const int64_t T = steps(w, i), room = T - span(w) + 1;
    w->first[i + 1]    = w->first[i] + (room > 0 ? fc_ceil_div(room, w->spec.step) : 0);
    w->frame_at[i + 1] = w->frame_at[i] + T;
  }
  w->n = w->first[w->n_traj];
}

static fc_status fill_trajectory(fc_windows *w, int64_t i, fc_real *inputs) {
  fc_source    *s     = w->source;
  const int64_t T     = w->frame_at[i + 1] - w->frame_at[i];
  const int64_t chunk = fc_max64(1, ((int64_t)64 << 20) / (s->out_len * (int64_t)sizeof(fc_real)));
  const int64_t one   = s->frame_stride;
  fc_status     st    = FC_OK;

  s->frame_stride = 1; /* every frame is kept: windows may start anywhere */
  for (int64_t t = 0; t < T && st == FC_OK; t += chunk)
    st = fc_source_frames(s, w->spec.traj_lo + i, t, fc_min64(chunk, T - t),
                          w->cache + (w->frame_at[i] + t) * s->out_len);
  s->frame_stride = one;
  if (st != FC_OK || !s->steady) return st;
  return fc_source_input(s, w->spec.traj_lo + i, inputs + i * s->in_len);
}

int64_t fc_windows_bytes(const fc_windows *w) {
  const fc_source *s = w->source;

  return (w->frame_at[w->n_traj] * s->out_len + (s->steady ? w->n_traj * s->in_len : 0)) *
         (int64_t)sizeof(fc_real);
}

static fc_status load(fc_windows *w) {
  const fc_source *s     = w->source;
  const int64_t    bytes = fc_windows_bytes(w);

  if (bytes > w->spec.cache_bytes) return FC_OK;
  w->cache = malloc((size_t)bytes);
  FC_REQUIRE(w->cache, FC_E_SYSTEM, "no memory to keep the data (%.1f MiB); lower data.cache_mb",
             (double)bytes / 0x1p20);
  for (int64_t i = 0; i < w->n_traj; i++)
    FC_TRY(fill_trajectory(w, i, w->cache + w->frame_at[w->n_traj] * s->out_len));
  return FC_OK;
}

static fc_status read_params(fc_windows *w) {
  fc_source    *s = w->source;
  const int64_t p = s->params.n;

  w->params = malloc((size_t)(w->n_traj * p + 1) * sizeof *w->params);
  FC_REQUIRE(w->params, FC_E_SYSTEM, "no memory for the parameters of the trajectories");
  for (int64_t i = 0; p && i < w->n_traj; i++)
    FC_TRY(fc_source_params(s, w->spec.traj_lo + i, w->params + i * p));
  return FC_OK;
}

static fc_status build(fc_windows *w) {
  const fc_window_spec *q = &w->spec;

  w->n_traj   = q->traj_hi - q->traj_lo;
  w->first    = calloc((size_t)w->n_traj + 1, sizeof *w->first);
  w->frame_at = calloc((size_t)w->n_traj + 1, sizeof *w->frame_at);
  w->scratch  = malloc((size_t)((q->n_in + q->n_target) * w->source->out_len) * sizeof *w->scratch);
  FC_REQUIRE(w->first && w->frame_at && w->scratch, FC_E_SYSTEM, "no memory for the list of windows");
  count(w);
  FC_REQUIRE(w->n, FC_E_INPUT,
             "no trajectory of %lld is long enough: %lld frames in and %lld out, every %lld-th, span %lld "
             "frames, the "
             "first trajectory has %lld; lower data.window_out, data.frame_stride or the frames of the model",
             (long long)w->n_traj, (long long)q->n_in, (long long)q->n_target,
             (long long)w->source->frame_stride, (long long)span(w), (long long)steps(w, 0));
  FC_TRY(read_params(w));
  return load(w);
}

fc_status fc_windows_create(fc_source *source, const fc_window_spec *spec, fc_windows **out) {
  fc_windows *w = calloc(1, sizeof *w);

  FC_REQUIRE(w, FC_E_SYSTEM, "no memory for the list of windows");
  w->source         = source;
  w->spec           = *spec;
  const fc_status s = build(w);
  if (s == FC_OK)
    *out = w;
  else
    fc_windows_destroy(w);
  return s;
}

void fc_windows_destroy(fc_windows *w) {
  if (!w) return;
  free(w->first);
  free(w->frame_at);
  free(w->cache);
  free(w->scratch);
  free(w->params);
  free(w);
}

int64_t               fc_windows_size(const fc_windows *w) { return w->n; }
bool                  fc_windows_cached(const fc_windows *w) { return w->cache; }
const fc_window_spec *fc_windows_spec(const fc_windows *w) { return &w->spec; }
const fc_source      *fc_windows_source(const fc_windows *w) { return w->source; }

/* trajectory of window i, counted from traj_lo */
static int64_t owner(const fc_windows *w, int64_t i) {
  int64_t lo = 0, hi = w->n_traj;

  while (hi - lo > 1) {
    const int64_t mid = (lo + hi) / 2;
    if (w->first[mid] <= i)
      lo = mid;
    else
      hi = mid;
  }
  return lo;
}

void fc_windows_at(const fc_windows *w, int64_t i, int64_t *traj, int64_t *start) {
  const int64_t k = owner(w, i);

  *traj  = w->spec.traj_lo + k;
  *start = (i - w->first[k]) * w->spec.step;
}

static void copy_frames(const fc_windows *w, int64_t first, int64_t n, fc_real *x) {
  const int64_t len = w->source->out_len;

  for (int64_t k = 0; k < n; k++)
    memcpy(x + k * len, w->cache + (first + k * w->source->frame_stride) * len, (size_t)len * sizeof *x);
}

static void from_cache(const fc_windows *w, int64_t traj, int64_t start, fc_real *input, fc_real *target) {
  const fc_source *s = w->source;
  const int64_t    k = traj - w->spec.traj_lo, at = w->frame_at[k] + start;

  if (s->steady) {
    memcpy(input, w->cache + w->frame_at[w->n_traj] * s->out_len + k * s->in_len,
           (size_t)s->in_len * sizeof *input);
    copy_frames(w, at, 1, target);
  } else {
    copy_frames(w, at, w->spec.n_in, input);
    copy_frames(w, at + w->spec.n_in * s->frame_stride, w->spec.n_target, target);
  }
}

fc_status fc_windows_read(fc_windows *w, int64_t i, fc_real *input, fc_real *target, fc_real *params) {
  const fc_window_spec *q = &w->spec;
  fc_source            *s = w->source;
  const int64_t         p = s->params.n;
  int64_t               traj, start;

  fc_windows_at(w, i, &traj, &start);
  if (params) memcpy(params, w->params + (traj - q->traj_lo) * p, (size_t)p * sizeof *params);
  if (w->cache) return from_cache(w, traj, start, input, target), FC_OK;
  if (s->steady) {
    FC_TRY(fc_source_input(s, traj, input));
    return fc_source_frames(s, traj, 0, 1, target);
  }
  FC_TRY(fc_source_frames(s, traj, start, q->n_in + q->n_target, w->scratch));
  memcpy(input, w->scratch, (size_t)(q->n_in * s->out_len) * sizeof *input);
  memcpy(target, w->scratch + q->n_in * s->out_len, (size_t)(q->n_target * s->out_len) * sizeof *target);
  return FC_OK;
}
