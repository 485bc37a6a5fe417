/* train/points.c - choosing what of a set is used. */
#include "train/points.h"

#include <string.h>

/* ---- choosing ---- */

static void set_channels(fc_scaling *s, int n, const int *pick, const fc_channel *have) {
  s->n = n;
  for (int i = 0; i < n; i++) s->channel[i] = have[pick[i]];
  fc_scaling_none(s);
}

static fc_status unknown(const fc_points *p, const char *what, const char *word) {
  return fc_fail(FC_E_USAGE, "%s has no %s named '%s'; 'fieldcast info' lists what there is", p->path, what,
                 word);
}

/* the next word of "a, b" or "[a, b]"; of "label=.." the label, of "group/name" the name; false at the end */
static bool next_word(const char **at, char *out, size_t size) {
  const char *p = *at + strspn(*at, " ,\t[]");
  size_t      n = strcspn(p, ",]"), length;

  *at = p + n;
  if (!*p) return false;
  const char *equals = memchr(p, '=', n);
  if (equals) n = (size_t)(equals - p);
  for (const char *slash; !equals && (slash = memchr(p, '/', n));
       n -= (size_t)(slash + 1 - p), p = slash + 1) {}
  while (n && p[n - 1] == ' ') n--;
  length = n < size - 1 ? n : size - 1;
  memcpy(out, p, length);
  out[length] = 0;
  return n > 0;
}

static bool is_none(const char *list) {
  char        word[FC_NAME];
  const char *at = list;
  return next_word(&at, word, sizeof word) && !strcmp(word, "none");
}

/* parameters by name; none named: all of the file if the model wants any */
static fc_status choose_params(fc_points *p, const fc_data_settings *d, const fc_cloud_wants *w) {
  const fc_cloud_info *i = fc_cloud_about(p->file);
  char                 word[FC_NAME];
  int                  n = 0;

  for (const char *at = d->params; !is_none(d->params) && next_word(&at, word, sizeof word);) {
    int k = 0;
    while (k < i->n_params && strcmp(i->param[k].name, word)) k++;
    if (k == i->n_params) return unknown(p, "parameter", word);
    FC_REQUIRE(n < FC_CLOUD_PARAMS, FC_E_USAGE, "data.params: more than %d", FC_CLOUD_PARAMS);
    p->param_pick[n++] = k;
  }
  if (!d->params[0] && w->params)
    for (; n < i->n_params; n++) p->param_pick[n] = n;
  set_channels(&p->params, n, p->param_pick, i->param);
  return FC_OK;
}

static fc_status choose_functions(fc_points *p, const fc_data_settings *d, const fc_cloud_wants *w) {
  const fc_cloud_info *i = fc_cloud_about(p->file);
  char                 word[FC_NAME];

  for (const char *at = d->functions; !is_none(d->functions) && next_word(&at, word, sizeof word);) {
    int k = 0;
    while (k < i->n_functions && strcmp(i->function[k].name, word)) k++;
    if (k == i->n_functions) return unknown(p, "input function", word);
    FC_REQUIRE(p->n_functions < FC_CLOUD_FUNCTIONS, FC_E_USAGE, "data.functions: more than %d",
               FC_CLOUD_FUNCTIONS);
    p->function_pick[p->n_functions++] = k;
  }
  if (!d->functions[0] && w->functions)
    for (; p->n_functions < i->n_functions; p->n_functions++)
      p->function_pick[p->n_functions] = p->n_functions;
  for (int f = 0; f < p->n_functions; f++) {
    const fc_cloud_function *from = &i->function[p->function_pick[f]];
    p->function[f].n              = from->n;
    memcpy(p->function[f].channel, from->column, (size_t)from->n * sizeof from->column[0]);
    fc_scaling_none(&p->function[f]);
  }
  return FC_OK;
}

/* a mask of several columns has one for each target of the file, in order */
static void choose_mask(fc_points *p) {
  const fc_cloud_info *i = fc_cloud_about(p->file);

  for (int k = 0; k < p->out.n; k++) {
    int target = 0;
    for (int c = 0; c < p->out_pick[k]; c++) target += i->role[c] == FC_ROLE_TARGET;
    p->mask[k] = i->mask == 1 ? 0 : target < i->mask ? target : -1;
    p->masked |= p->mask[k] >= 0;
  }
}

static fc_status choose_fields(fc_points *p, const fc_data_settings *d, const fc_cloud_wants *w) {
  const fc_cloud_info *i = fc_cloud_about(p->file);
  int                  n;

  FC_TRY(fc_cloud_pick(p->file, d->channels, FC_ROLE_TARGET, &n, p->out_pick));
  FC_REQUIRE(n, FC_E_INPUT, "%s: no fields to learn; name them with data.channels", p->path);
  set_channels(&p->out, n, p->out_pick, i->channel);
  const int64_t given = w->features - p->history * n;
  n                   = 0;
  if (d->inputs[0] || given > 0) FC_TRY(fc_cloud_pick(p->file, d->inputs, FC_ROLE_INPUT, &n, p->in_pick));
  set_channels(&p->in, n, p->in_pick, i->channel);
  for (int k = 0; k < n; k++) p->in_varies |= i->varying[p->in_pick[k]];
  choose_mask(p);
  return FC_OK;
}

/* ---- do model and data fit? ---- */

static fc_status fits(const fc_points *p, const fc_cloud_wants *w, const char *model) {
  const fc_cloud_info *i = fc_cloud_about(p->file);

  FC_REQUIRE(w->space == i->space, FC_E_MISMATCH,
             "%s with these options takes points with %d coordinates, %s has %d", model, w->space, p->path,
             i->space);
  FC_REQUIRE(w->targets == p->out.n, FC_E_MISMATCH,
             "%s predicts %lld numbers per point, %s gives %d; set data.channels or the model's options",
             model, (long long)w->targets, p->path, p->out.n);
  FC_REQUIRE(
      w->features == fc_points_features(p), FC_E_MISMATCH,
      "%s takes %lld features per point, %s gives %d and %lld frames of history of %d; set data.inputs, "
      "data.history or the model's options",
      model, (long long)w->features, p->path, p->in.n, (long long)p->history, p->out.n);
  FC_REQUIRE(w->params == p->params.n, FC_E_MISMATCH,
             "%s takes %lld parameters per sample, %s gives %d; set data.params or the model's options",
             model, (long long)w->params, p->path, p->params.n);
  FC_REQUIRE(w->functions == p->n_functions, FC_E_MISMATCH,
             "%s takes %d input functions, %s gives %d; set data.functions or the model's options", model,
             w->functions, p->path, p->n_functions);
  for (int f = 0; f < w->functions; f++)
    FC_REQUIRE(w->width[f] == p->function[f].n, FC_E_MISMATCH,
               "%s takes %lld columns of input function %d, '%s' has %d", model, (long long)w->width[f], f,
               i->function[p->function_pick[f]].name, p->function[f].n);
  return FC_OK;
}

static fc_status fits_in_time(const fc_points *p) {
  const fc_cloud_info *i = fc_cloud_about(p->file);

  FC_REQUIRE(i->n_steps > p->history, FC_E_INPUT,
             "%s: the shortest sample has %lld frames, data.history = %lld leaves none to predict", p->path,
             (long long)i->n_steps, (long long)p->history);
  FC_REQUIRE(
      i->n_steps == 1 || p->history || p->time || p->in_varies, FC_E_USAGE,
      "%s: the fields change in time, and the model is told nothing of it; set data.history, or take a model "
      "with time",
      p->path);
  return FC_OK;
}

static void find_most(fc_points *p) {
  for (int64_t s = 0; s < fc_cloud_about(p->file)->n_samples; s++) {
    const fc_cloud_size z = fc_cloud_size_of(p->file, s);
    p->most.points        = fc_max64(p->most.points, z.points);
    p->most.steps         = fc_max64(p->most.steps, z.steps);
    p->most.cells         = fc_max64(p->most.cells, z.cells);
    for (int f = 0; f < FC_CLOUD_FUNCTIONS; f++) p->most.rows[f] = fc_max64(p->most.rows[f], z.rows[f]);
  }
  p->most_points = p->most.points;
}

fc_status fc_points_open(const char *path, const fc_data_settings *d, const fc_cloud_wants *w,
                         const char *model, fc_points *out) {
  const fc_cloud_mapping m = {d->coordinates, d->channels, d->inputs, d->functions,
                              d->params,      d->mask,     d->cells,  d->times};
  fc_status              s;

  memset(out, 0, sizeof *out);
  snprintf(out->path, sizeof out->path, "%s", path);
  out->history = d->history;
  out->time    = w->time;
  out->scale   = d->scale_coordinates;
  FC_TRY(fc_cloud_open(path, &m, &out->file));
  const fc_cloud_info *i = fc_cloud_about(out->file);
  out->x.n               = i->space;
  for (int a = 0; a < i->space; a++) {
    memcpy(out->x.channel[a].name, i->axis[a], FC_NAME);
    memcpy(out->x.channel[a].unit, i->space_unit, FC_NAME);
  }
  fc_scaling_none(&out->x);
  FC_TRY_TO(fail, s, choose_fields(out, d, w));
  FC_TRY_TO(fail, s, choose_params(out, d, w));
  FC_TRY_TO(fail, s, choose_functions(out, d, w));
  FC_TRY_TO(fail, s, fits(out, w, model));
  FC_TRY_TO(fail, s, fits_in_time(out));
  find_most(out);
  return FC_OK;
fail:
  fc_points_close(out);
  return s;
}

void fc_points_close(fc_points *p) {
  fc_cloud_close(p->file);
  p->file = NULL;
}

void fc_points_share(fc_points *p, const fc_domain *d) {
  p->domain      = d;
  p->most.points = fc_ceil_div(p->most.points, d->size);
  for (int f = 0; f < FC_CLOUD_FUNCTIONS; f++) p->most.rows[f] = fc_ceil_div(p->most.rows[f], d->size);
  fc_cloud_share(p->file, d->rank, d->size);
}

int64_t fc_points_features(const fc_points *p) { return p->in.n + p->history * p->out.n; }

int64_t fc_points_frames(const fc_points *p, int64_t sample) {
  return fc_cloud_size_of(p->file, sample).steps - p->history;
}

static void take_scaling(fc_scaling *to, const fc_scaling *from) {
  memcpy(to->mean, from->mean, sizeof to->mean);
  memcpy(to->std, from->std, sizeof to->std);
}

void fc_points_adopt(fc_points *p, const fc_points *from) {
  take_scaling(&p->x, &from->x);
  take_scaling(&p->in, &from->in);
  take_scaling(&p->out, &from->out);
  take_scaling(&p->params, &from->params);
  for (int f = 0; f < p->n_functions; f++) take_scaling(&p->function[f], &from->function[f]);
}
