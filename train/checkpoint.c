/* train/checkpoint.c - what a run is: writing and reading all but the arrays of the model. */
#include "train/checkpoint.h"

#include "hpc/comm.h"
#include "io/store.h"
#include "train/series_known.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- channels as text ---- */

static fc_status put_channels(fc_store *s, const char *name, const fc_scaling *k) {
  char   text[FC_FIELD_CHANNELS * (2 * FC_NAME + 48)];
  size_t at = 0;

  for (int c = 0; c < k->n; c++) {
    const fc_channel *h = &k->channel[c];
    at += (size_t)snprintf(text + at, sizeof text - at, "%s\t%s\t%d\t%d\t%d\n", h->name, h->unit, h->field,
                           h->rank, h->component);
  }
  text[at] = 0;
  return fc_store_put_text(s, name, text);
}

/* one line: name, unit, three numbers between tabs */
static bool parse_channel(const char *line, fc_channel *h) {
  const char *tab = strchr(line, '\t'), *second = tab ? strchr(tab + 1, '\t') : NULL;

  if (!second || tab - line >= FC_NAME || second - tab - 1 >= FC_NAME) return false;
  snprintf(h->name, sizeof h->name, "%.*s", (int)(tab - line), line);
  snprintf(h->unit, sizeof h->unit, "%.*s", (int)(second - tab - 1), tab + 1);
  return sscanf(second, "%d %d %d", &h->field, &h->rank, &h->component) == 3;
}

static fc_status get_channels(const fc_store *s, const char *path, const char *name, fc_scaling *k) {
  char *text, *keep;

  k->n = 0;
  FC_TRY(fc_store_get_text(s, name, &text));
  bool good = true;
  for (char *line = strtok_r(text, "\n", &keep); line && good; line = strtok_r(NULL, "\n", &keep))
    good = k->n < FC_FIELD_CHANNELS && parse_channel(line, &k->channel[k->n++]);
  free(text);
  FC_REQUIRE(good && k->n, FC_E_INPUT, "%s: the list %s is damaged", path, name);
  return FC_OK;
}

static fc_status put_scaling(fc_store *s, const char *which, const fc_scaling *k) {
  char name[64];

  snprintf(name, sizeof name, "channels/%s", which);
  FC_TRY(put_channels(s, name, k));
  snprintf(name, sizeof name, "normalisation/%s_mean", which);
  FC_TRY(fc_store_put_doubles(s, name, k->n, k->mean));
  snprintf(name, sizeof name, "normalisation/%s_std", which);
  FC_TRY(fc_store_put_doubles(s, name, k->n, k->std));
  snprintf(name, sizeof name, "normalisation/%s_step", which);
  return fc_store_put_doubles(s, name, k->n, k->step);
}

static fc_status get_scaling(const fc_store *s, const char *path, const char *which, fc_scaling *k) {
  char name[64];

  snprintf(name, sizeof name, "channels/%s", which);
  FC_TRY(get_channels(s, path, name, k));
  snprintf(name, sizeof name, "normalisation/%s_mean", which);
  FC_TRY(fc_store_get_doubles(s, name, k->n, k->mean));
  snprintf(name, sizeof name, "normalisation/%s_std", which);
  FC_TRY(fc_store_get_doubles(s, name, k->n, k->std));
  snprintf(name, sizeof name, "normalisation/%s_step", which);
  return fc_store_get_doubles(s, name, k->n, k->step);
}

/* ---- grid ---- */

static fc_status put_geometry(fc_store *s, const fc_geometry *g) {
  const int64_t ints[7]    = {g->ndim,        g->dim[0],      g->dim[1],     g->dim[2],
                              g->periodic[0], g->periodic[1], g->periodic[2]};
  const double  doubles[7] = {g->lo[0], g->lo[1], g->lo[2], g->hi[0], g->hi[1], g->hi[2], g->dt};

  FC_TRY(fc_store_put_ints(s, "geometry/shape", 7, ints));
  FC_TRY(fc_store_put_doubles(s, "geometry/extent", 7, doubles));
  FC_TRY(fc_store_put_text(s, "geometry/name", g->name));
  FC_TRY(fc_store_put_text(s, "geometry/axis_0", g->axis[0]));
  FC_TRY(fc_store_put_text(s, "geometry/axis_1", g->axis[1]));
  FC_TRY(fc_store_put_text(s, "geometry/axis_2", g->axis[2]));
  FC_TRY(fc_store_put_text(s, "geometry/time_unit", g->time_unit));
  return fc_store_put_text(s, "geometry/space_unit", g->space_unit);
}

static fc_status get_name(const fc_store *s, const char *name, size_t size, char *out) {
  char *text;

  FC_TRY(fc_store_get_text(s, name, &text));
  snprintf(out, size, "%s", text);
  free(text);
  return FC_OK;
}

static fc_status get_geometry(const fc_store *s, const char *path, fc_geometry *g) {
  int64_t ints[7];
  double  doubles[7];

  FC_TRY(fc_store_get_ints(s, "geometry/shape", 7, ints));
  FC_TRY(fc_store_get_doubles(s, "geometry/extent", 7, doubles));
  FC_REQUIRE(ints[0] >= 0 && ints[0] <= 3, FC_E_INPUT,
             "%s: the grid has %lld dimensions; 1 to 3 are possible", path, (long long)ints[0]);
  g->ndim = (int)ints[0];
  for (int a = 0; a < 3; a++) {
    g->dim[a]      = ints[1 + a];
    g->periodic[a] = ints[4 + a] != 0;
    g->lo[a]       = doubles[a];
    g->hi[a]       = doubles[3 + a];
  }
  g->dt = doubles[6];
  FC_TRY(get_name(s, "geometry/name", FC_NAME, g->name));
  FC_TRY(get_name(s, "geometry/axis_0", FC_NAME, g->axis[0]));
  FC_TRY(get_name(s, "geometry/axis_1", FC_NAME, g->axis[1]));
  FC_TRY(get_name(s, "geometry/axis_2", FC_NAME, g->axis[2]));
  FC_TRY(get_name(s, "geometry/time_unit", FC_NAME, g->time_unit));
  return get_name(s, "geometry/space_unit", FC_NAME, g->space_unit);
}

/* ---- arrays of the model ---- */

/* block holds the values of the trained tensors at the places they have in the parameter block */
static fc_status put_block(fc_store *s, const char *group, const fc_network *n, const fc_real *block,
                           bool trained_only) {
  const fc_real *values = fc_params_values(n->params);
  char           name[256];
  fc_tensor     *t;

  for (int i = 0; i < fc_params_size(n->params); i++) {
    const char *own = fc_params_at(n->params, i, &t);
    if (trained_only && fc_params_kind(n->params, i) != FC_PARAM_TRAINED) continue;
    snprintf(name, sizeof name, "%s/%s", group, own);
    FC_TRY(fc_store_put_reals(s, name, t->ndim, t->dim, block + (t->x - values)));
  }
  return FC_OK;
}

static fc_status same_shape(const fc_store *s, const char *path, const char *name, const fc_tensor *t) {
  int     ndim;
  int64_t dim[8];

  FC_REQUIRE(fc_store_has(s, name), FC_E_MISMATCH,
             "%s has no %s; it was written for another model or version", path, name);
  FC_TRY(fc_store_shape(s, name, &ndim, dim));
  bool same = ndim == t->ndim;
  for (int a = 0; same && a < ndim; a++) same = dim[a] == t->dim[a];
  FC_REQUIRE(same, FC_E_MISMATCH, "%s: %s has shape %s, the model wants %s", path, name,
             fc_dims_text(ndim, dim), fc_shape_text(t));
  return FC_OK;
}

static fc_status get_block(const fc_store *s, const char *path, const char *group, const fc_network *n,
                           fc_real *block, bool trained_only) {
  const fc_real *values = fc_params_values(n->params);
  char           name[256];
  fc_tensor     *t;

  for (int i = 0; i < fc_params_size(n->params); i++) {
    const char *own = fc_params_at(n->params, i, &t);
    if (trained_only && fc_params_kind(n->params, i) != FC_PARAM_TRAINED) continue;
    snprintf(name, sizeof name, "%s/%s", group, own);
    FC_TRY(same_shape(s, path, name, t));
    FC_TRY(fc_store_get_reals(s, name, fc_len(t), block + (t->x - values)));
  }
  return FC_OK;
}

/* ---- moments and average, of which a rank may have a part ---- */

static const char *const state_group[FC_OPTIM_STATES] = {"adam_m", "adam_v", "ema"};

enum { NAME = 256 };

/* tensor i, if it is trained: its numbers from .. to - 1 are this rank's */
static bool part_of(const fc_network *n, const fc_optim *o, int i, fc_tensor **t, int64_t *from,
                    int64_t *to) {
  const int64_t at = fc_params_offset(n->params, i);
  int64_t       lo, hi;

  fc_params_at(n->params, i, t);
  fc_optim_range(o, &lo, &hi);
  *from = fc_max64(0, lo - at);
  *to   = fc_min64(fc_len(*t), hi - at);
  return fc_params_kind(n->params, i) == FC_PARAM_TRAINED;
}

static void state_name(const fc_network *n, fc_optim_state k, int i, char name[NAME]) {
  fc_tensor *t;

  snprintf(name, NAME, "%s/%s", state_group[k], fc_params_at(n->params, i, &t));
}

/* room for all numbers; at[state][tensor]: where they will lie */
static fc_status reserve_optim(fc_store *s, const fc_network *n, fc_optim *o, int64_t *at) {
  const int  tensors = fc_params_size(n->params);
  char       name[NAME];
  fc_tensor *t;
  int64_t    from, to;

  for (fc_optim_state k = 0; k < FC_OPTIM_STATES; k++)
    for (int i = 0; i < tensors && fc_optim_own(o, k); i++) {
      if (!part_of(n, o, i, &t, &from, &to)) continue;
      state_name(n, k, i, name);
      FC_TRY(fc_store_reserve_reals(s, name, t->ndim, t->dim, &at[k * tensors + i]));
    }
  return fc_store_put_ints(s, "adam_steps", tensors, fc_optim_counts(o));
}

/* this rank's numbers to their places */
static fc_status fill_optim(const char *path, const fc_network *n, fc_optim *o, const int64_t *at) {
  const int       tensors = fc_params_size(n->params);
  fc_store_piece *piece   = malloc((size_t)(FC_OPTIM_STATES * tensors + 1) * sizeof *piece);
  fc_tensor      *t;
  int64_t         from, to, lo, hi;
  int             count = 0;

  FC_REQUIRE(piece, FC_E_SYSTEM, "%s: no memory", path);
  fc_optim_range(o, &lo, &hi);
  for (fc_optim_state k = 0; k < FC_OPTIM_STATES; k++)
    for (int i = 0; i < tensors && fc_optim_own(o, k); i++)
      if (part_of(n, o, i, &t, &from, &to) && from < to)
        piece[count++] = (fc_store_piece){at[k * tensors + i] + from * (int64_t)sizeof(fc_real), to - from,
                                          fc_optim_own(o, k) + fc_params_offset(n->params, i) + from - lo};
  const fc_status s = fc_store_fill(path, count, piece);
  free(piece);
  return s;
}

/* numbers from .. to - 1 of an array, by the rows of its first axis that hold them */
static fc_status get_range(const fc_store *s, const char *name, const fc_tensor *t, int64_t from, int64_t to,
                           fc_real *x) {
  const int64_t row   = t->ndim ? fc_len(t) / t->dim[0] : 1;
  const int64_t first = from / row, rows = fc_ceil_div(to, row) - first;
  fc_real      *all = malloc((size_t)(rows * row) * sizeof *all);

  FC_REQUIRE(all, FC_E_SYSTEM, "no memory to read %s", name);
  const fc_status st = fc_store_get_rows(s, name, first, rows, all);
  if (st == FC_OK) memcpy(x, all + from - first * row, (size_t)(to - from) * sizeof *x);
  free(all);
  return st;
}

static fc_status get_state(const fc_store *s, const char *path, const fc_network *n, fc_optim *o,
                           fc_optim_state k) {
  char       name[NAME];
  fc_tensor *t;
  int64_t    from, to, lo, hi;

  fc_optim_range(o, &lo, &hi);
  for (int i = 0; i < fc_params_size(n->params); i++) {
    if (!part_of(n, o, i, &t, &from, &to)) continue;
    state_name(n, k, i, name);
    FC_TRY(same_shape(s, path, name, t));
    if (from < to)
      FC_TRY(
          get_range(s, name, t, from, to, fc_optim_own(o, k) + fc_params_offset(n->params, i) + from - lo));
  }
  return FC_OK;
}

static fc_status get_optim(const fc_store *s, const char *path, const fc_network *n, fc_optim *o) {
  for (fc_optim_state k = 0; k < FC_OPTIM_STATES; k++)
    if (fc_optim_own(o, k)) FC_TRY(get_state(s, path, n, o, k));
  return fc_store_get_ints(s, "adam_steps", fc_params_size(n->params), fc_optim_counts(o));
}

/* ---- whole files ---- */

/* what is known of the data; a list may be empty */
static fc_status put_data(fc_store *s, const fc_saved *k) {
  char name[32];

  FC_TRY(put_geometry(s, &k->geo));
  FC_TRY(put_scaling(s, "out", &k->out));
  if (k->in.n) FC_TRY(put_scaling(s, "in", &k->in));
  if (k->params.n) FC_TRY(put_scaling(s, "params", &k->params));
  if (k->x.n) FC_TRY(put_scaling(s, "x", &k->x));
  for (int f = 0; f < k->n_functions; f++) {
    snprintf(name, sizeof name, "function_%d", f);
    FC_TRY(put_scaling(s, name, &k->function[f]));
  }
  return FC_OK;
}

static fc_status get_known(const fc_store *s, const char *path, const char *which, fc_scaling *k) {
  char name[64];

  snprintf(name, sizeof name, "channels/%s", which);
  return fc_store_has(s, name) ? get_scaling(s, path, which, k) : FC_OK;
}

static fc_status get_data(const fc_store *s, const char *path, fc_saved *k) {
  char name[32];

  FC_TRY(get_geometry(s, path, &k->geo));
  FC_TRY(get_scaling(s, path, "out", &k->out));
  FC_TRY(get_known(s, path, "in", &k->in));
  FC_TRY(get_known(s, path, "params", &k->params));
  FC_TRY(get_known(s, path, "x", &k->x));
  for (int f = 0; f < FC_CLOUD_FUNCTIONS; f++) {
    snprintf(name, sizeof name, "function_%d", f);
    FC_TRY(get_known(s, path, name, &k->function[f]));
    if (k->function[f].n) k->n_functions = f + 1;
  }
  return FC_OK;
}

static fc_status put_all(fc_store *s, const fc_saved *k, const fc_network *n) {
  const int64_t counters[2] = {k->step, k->position};
  fc_settings   set         = k->settings;
  char         *config;

  FC_TRY(fc_settings_text(&set, k->def, n->args, &config));
  const fc_status st = fc_store_put_text(s, "config", config);
  free(config);
  FC_TRY(st);
  FC_TRY(fc_store_put_text(s, "format", FC_CHECKPOINT_FORMAT));
  FC_TRY(fc_store_put_text(s, "model", k->def->name));
  FC_TRY(fc_store_put_text(s, "version", FC_VERSION));
  FC_TRY(fc_store_put_text(s, "precision", FC_REAL_NAME));
  FC_TRY(fc_store_put_ints(s, "counters", 2, counters));
  FC_TRY(fc_store_put_doubles(s, "best", 1, &k->best));
  FC_TRY(fc_store_put_ints(s, "waited", 1, &k->waited));
  FC_TRY(fc_store_put_doubles(s, "clip", 3, (double[]){k->clip.fast, k->clip.slow, k->clip.count}));
  if (k->out.n) FC_TRY(put_data(s, k));
  if (k->series) FC_TRY(fc_series_known_put(s, k->series));
  return put_block(s, "weights", n, fc_params_values(n->params), false);
}

/* a second name for the old file: unlike a rename it leaves no moment without a checkpoint */
static fc_status keep_previous(const char *path, const char *previous) {
  if (!previous || access(path, F_OK)) return FC_OK;
  unlink(previous);
  if (!link(path, previous) || !rename(path, previous)) return FC_OK;
  return fc_fail(FC_E_SYSTEM, "cannot keep %s as %s: %s", path, previous, strerror(errno));
}

/* all but the numbers of the optimiser */
static fc_status lay_out(const char *path, const fc_saved *k, const fc_network *n, fc_optim *o, int64_t *at,
                         fc_store **s) {
  FC_TRY(fc_store_create(path, s));
  FC_TRY(put_all(*s, k, n));
  if (o) FC_TRY(reserve_optim(*s, n, o, at));
  return fc_store_seal(*s);
}

static fc_status write_parts(const char *path, const fc_saved *k, const fc_network *n, fc_optim *o,
                             int64_t *at, int64_t places, fc_store **s) {
  const bool shared = o && fc_optim_is_shared(o);
  fc_status  st     = shared && fc_comm_rank(NULL) ? FC_OK : lay_out(path, k, n, o, at, s);

  if (shared) FC_TRY(fc_comm_agree(NULL, st));
  if (shared) FC_TRY(fc_comm_broadcast(NULL, at, places * (int64_t)sizeof *at, 0));
  if (o && st == FC_OK) st = fill_optim(path, n, o, at);
  return shared ? fc_comm_agree(NULL, st) : st;
}

fc_status fc_checkpoint_write(const char *path, const char *previous, const fc_saved *k, const fc_network *n,
                              fc_optim *o) {
  const int64_t places = (int64_t)FC_OPTIM_STATES * fc_params_size(n->params);
  int64_t      *at     = calloc((size_t)places + 1, sizeof *at);
  fc_store     *s      = NULL;

  FC_REQUIRE(at, FC_E_SYSTEM, "%s: no memory", path);
  fc_status st = write_parts(path, k, n, o, at, places, &s);
  free(at);
  if (!s) return st; /* rank 0 does the rest */
  if (st == FC_OK) st = keep_previous(path, previous);
  if (st == FC_OK) return fc_store_commit(s);
  fc_store_abandon(s);
  return st;
}

static fc_status open_checked(const char *path, fc_store **out) {
  char      format[64] = "";
  fc_status s;

  FC_TRY(fc_store_open(path, out));
  if (fc_store_has(*out, "format")) FC_TRY_TO(fail, s, get_name(*out, "format", sizeof format, format));
  if (!strcmp(format, FC_CHECKPOINT_FORMAT)) return FC_OK;
  s = fc_fail(FC_E_INPUT, "%s is not a checkpoint of this program ('fieldcast info' says what it is)", path);
fail:
  fc_store_abandon(*out);
  return s;
}

static fc_status read_config(const fc_store *s, const char *path, fc_saved *k) {
  char      *text;
  fc_config *c;

  FC_TRY(fc_store_get_text(s, "config", &text));
  fc_status st = fc_config_parse(text, path, &c);
  free(text);
  FC_TRY(st);
  st = fc_settings_bind(c, false, &k->settings, &k->def, &k->args);
  fc_config_destroy(c);
  return st;
}

static fc_status read_clip(const fc_store *s, fc_clip *k) {
  double v[3] = {0};

  if (fc_store_has(s, "clip")) FC_TRY(fc_store_get_doubles(s, "clip", 3, v));
  *k = (fc_clip){v[0], v[1], v[2]};
  return FC_OK;
}

static fc_status read_all(const fc_store *s, const char *path, fc_saved *k) {
  int64_t counters[2];

  FC_TRY(read_config(s, path, k));
  FC_TRY(get_name(s, "version", sizeof k->version, k->version));
  FC_TRY(get_name(s, "precision", sizeof k->precision, k->precision));
  FC_TRY(fc_store_get_ints(s, "counters", 2, counters));
  k->step     = counters[0];
  k->position = counters[1];
  FC_TRY(fc_store_get_doubles(s, "best", 1, &k->best));
  if (fc_store_has(s, "waited")) FC_TRY(fc_store_get_ints(s, "waited", 1, &k->waited));
  FC_TRY(read_clip(s, &k->clip));
  FC_TRY(fc_series_known_get(s, path, &k->series));
  if (!fc_store_has(s, "channels/out")) return FC_OK; /* imported weights know no data */
  return get_data(s, path, k);
}

fc_status fc_checkpoint_read(const char *path, fc_saved *k) {
  fc_store *s;

  memset(k, 0, sizeof *k);
  FC_TRY(open_checked(path, &s));
  const fc_status st = read_all(s, path, k);
  fc_store_abandon(s);
  if (st != FC_OK) fc_checkpoint_free(k);
  return st;
}

void fc_checkpoint_free(fc_saved *k) {
  free(k->args);
  fc_series_known_free(k->series);
  k->args   = NULL;
  k->series = NULL;
}

fc_status fc_checkpoint_weights(const char *path, const fc_network *n, bool average, bool *averaged) {
  fc_store *s;

  FC_TRY(open_checked(path, &s));
  fc_status  st  = get_block(s, path, "weights", n, fc_params_values(n->params), false);
  const bool ema = average && st == FC_OK && fc_store_has(s, "ema");
  if (ema) st = get_block(s, path, "ema", n, fc_params_values(n->params), true);
  if (averaged) *averaged = ema;
  fc_store_abandon(s);
  return st;
}

fc_status fc_checkpoint_optim(const char *path, const fc_network *n, fc_optim *o) {
  fc_store *s;
  fc_status st;

  FC_TRY(open_checked(path, &s));
  if (!fc_store_has(s, "adam_steps")) {
    st = fc_fail(FC_E_MISMATCH,
                 "%s holds weights only, no state of the optimiser; training cannot resume from it", path);
    goto done;
  }
  st = get_optim(s, path, n, o);
done:
  fc_store_abandon(s);
  return st;
}
