/* io/cloud.c - opens a file, a folder or a pattern as one set of samples. */
#include "io/cloud_layout.h"

#include "core/options.h"
#include "io/files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- one file ---- */

static bool is_hdf5(const char *path) {
  unsigned char head[8] = {0};
  FILE         *f       = fopen(path, "rb");

  if (!f) return false;
  const size_t n = fread(head, 1, sizeof head, f);
  fclose(f);
  return (n >= 8 && !memcmp(head, "\211HDF\r\n\032\n", 8)) || (n >= 3 && !memcmp(head, "CDF", 3));
}

static bool named_table(const char *path) {
  static const char *const endings[] = {".csv", ".tsv", ".txt"};
  const size_t             n         = strlen(path);

  for (int i = 0; i < FC_COUNT(endings); i++)
    if (n > 4 && !strcmp(path + n - 4, endings[i])) return true;
  return false;
}

static fc_status describe_hdf5(const char *path, const fc_cloud_mapping *w, fc_cloud_map *m,
                               fc_cloud_part *p) {
  hid_t file;

  FC_TRY(fc_h5_open(path, &file));
  const bool      store = H5Aexists(file, "fieldcast_store") > 0;
  const fc_status s =
      store ? fc_fail(FC_E_INPUT, "%s: a fieldcast store (checkpoint), where points are wanted", path)
      : fc_cloud_is_own(file) ? fc_cloud_describe_own(file, w, m, p)
                              : fc_cloud_describe_foreign(file, w, m, p);
  fc_h5_close(file);
  return s;
}

static fc_status check(const fc_cloud_map *m, const fc_cloud_part *p) {
  FC_REQUIRE(m->info.space >= 1, FC_E_INPUT, "%s: no coordinates", p->path);
  FC_REQUIRE(p->n >= 1, FC_E_INPUT, "%s: no samples", p->path);
  for (int64_t i = 0; i < p->n; i++) {
    FC_REQUIRE(fc_cloud_rows(p, i, FC_ROWS_POINTS) >= 1, FC_E_INPUT, "%s: sample %lld has no points", p->path,
               (long long)i);
    FC_REQUIRE(p->steps[i] >= 1, FC_E_INPUT, "%s: sample %lld has no frames", p->path, (long long)i);
  }
  return FC_OK;
}

static fc_status describe(const char *path, const fc_cloud_mapping *w, fc_cloud_map *m, fc_cloud_part *p) {
  static const fc_cloud_mapping all;

  if (!w) w = &all;
  m->mask = m->cells = m->times = -1;
  m->info.n_files               = 1;
  m->info.n_steps               = 1;
  m->info.dt                    = NAN;
  fc_cloud_name_from_path(m, path);
  if (!is_hdf5(path) && named_table(path))
    FC_TRY(fc_cloud_describe_table(w, m, p));
  else
    FC_TRY(describe_hdf5(path, w, m, p));
  return check(m, p);
}

/* ---- all files ---- */

static fc_status agree(const fc_cloud *c, const fc_cloud_map *b, const char *path) {
  const fc_cloud_map *a     = c->map;
  const char         *first = c->part[0].path;
  bool                same  = a->n_arrays == b->n_arrays && a->info.space == b->info.space &&
              a->info.n_channels == b->info.n_channels && a->info.n_params == b->info.n_params &&
              a->info.n_functions == b->info.n_functions && a->mask == b->mask && a->cells == b->cells &&
              a->times == b->times && a->table == b->table && a->grouped == b->grouped;

  FC_REQUIRE(same, FC_E_INPUT, "%s and %s do not hold the same arrays; files of one data set must agree",
             first, path);
  for (int k = 0; k < a->n_arrays; k++) {
    const fc_cloud_array *x = &a->array[k], *y = &b->array[k];
    FC_REQUIRE(!strcmp(x->path, y->path) && !strcmp(x->axes, y->axes) && x->n_comp == y->n_comp &&
                   x->rows == y->rows,
               FC_E_INPUT, "'%s' in %s is not like '%s' in %s; files of one data set must agree", x->path,
               first, y->path, path);
  }
  return FC_OK;
}

static fc_status add_part(fc_cloud *c, const char *path, const fc_cloud_mapping *w) {
  fc_cloud_part *p = &c->part[c->n_parts];
  fc_cloud_map  *m = calloc(1, sizeof *m);

  p->file = -1;
  p->path = strdup(path);
  c->n_parts++; /* from here on fc_cloud_close frees it */
  fc_status s = m && p->path ? FC_OK : fc_fail(FC_E_SYSTEM, "%s: not enough memory", path);
  if (s == FC_OK) s = describe(path, w, m, p);
  if (s == FC_OK && c->map) s = agree(c, m, path);
  if (s == FC_OK && c->map) c->map->info.n_files++;
  if (s == FC_OK) p->first = c->map ? c->map->info.n_samples : 0;
  if (s == FC_OK && !c->map) c->map = m, m = NULL;
  if (s == FC_OK) c->map->info.n_samples += p->n;
  free(m);
  return s;
}

static int by_size(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* sizes over all samples */
static fc_status count(fc_cloud *c) {
  fc_cloud_info *i = &c->map->info;
  int64_t       *n = malloc((size_t)i->n_samples * sizeof *n), k = 0;

  FC_REQUIRE(n, FC_E_SYSTEM, "%s: not enough memory for a list of %lld samples", c->part[0].path,
             (long long)i->n_samples);
  i->points = i->cells = i->most_cells = 0;
  i->n_steps                           = INT64_MAX;
  for (int p = 0; p < c->n_parts; p++)
    for (int64_t s = 0; s < c->part[p].n; s++) {
      const int64_t cells = fc_cloud_rows(&c->part[p], s, FC_ROWS_CELLS);
      n[k]                = fc_cloud_rows(&c->part[p], s, FC_ROWS_POINTS);
      i->points += n[k++];
      i->cells += cells;
      i->most_cells = fc_max64(i->most_cells, cells);
      i->n_steps    = fc_min64(i->n_steps, c->part[p].steps[s]);
    }
  qsort(n, (size_t)k, sizeof *n, by_size);
  i->least  = n[0];
  i->median = n[(k - 1) / 2];
  i->most   = n[k - 1];
  free(n);
  return FC_OK;
}

/* NaN unless every step of the first sample has the same length; see io/field_map.c for the thousandth */
static void find_step(fc_cloud *c) {
  enum { MOST = 4096 };
  double        t[MOST];
  const int64_t n = fc_min64(c->map->info.n_steps, MOST);

  if (c->map->times < 0 || n < 2 || fc_cloud_times(c, 0, 0, n, t) != FC_OK) return;
  const double dt = (t[n - 1] - t[0]) / (double)(n - 1);
  for (int64_t i = 1; i < n; i++)
    if (!(fabs(t[i] - t[i - 1] - dt) <= 1e-3 * dt)) return;
  c->map->info.dt = dt;
}

static fc_status open_all(const char *path, const fc_cloud_mapping *w, fc_cloud **out) {
  glob_t    g = {0};
  fc_cloud *c = calloc(1, sizeof *c);
  fc_status s = FC_OK;

  FC_REQUIRE(c, FC_E_SYSTEM, "%s: not enough memory", path);
  c->table_sample = -1;
  c->ranks        = 1;
  FC_TRY_TO(done, s, fc_files_list(path, "*.hdf5 *.h5 *.csv", &g));
  const size_t n = g.gl_pathc ? g.gl_pathc : 1;
  c->part        = calloc(n, sizeof *c->part);
  if (!c->part) s = fc_fail(FC_E_SYSTEM, "%s: not enough memory for %zu files", path, n);
  for (size_t i = 0; i < n && s == FC_OK; i++) s = add_part(c, g.gl_pathc ? g.gl_pathv[i] : path, w);
  if (s == FC_OK) s = count(c);
  if (s == FC_OK) find_step(c);
done:
  globfree(&g);
  if (s == FC_OK)
    *out = c;
  else
    fc_cloud_close(c);
  return s;
}

fc_status fc_cloud_open(const char *path, const fc_cloud_mapping *w, fc_cloud **out) {
  const fc_h5_quiet q = fc_h5_hush();

  *out              = NULL;
  const fc_status s = open_all(path, w, out);
  fc_h5_unhush(q);
  return s;
}

bool fc_cloud_recognised(const char *path) {
  struct stat st;
  fc_cloud   *c;

  if (stat(path, &st) || !S_ISREG(st.st_mode)) return false;
  if (!is_hdf5(path)) return named_table(path) && fc_cloud_is_table(path);
  const bool yes = fc_cloud_open(path, NULL, &c) == FC_OK;
  if (yes) fc_cloud_close(c);
  return yes;
}

void fc_cloud_close(fc_cloud *c) {
  if (!c) return;
  const fc_h5_quiet q = fc_h5_hush();
  for (int i = 0; i < c->n_parts; i++) {
    fc_cloud_part *p = &c->part[i];
    fc_cloud_part_close(p);
    for (int k = 0; k < FC_ROWS_KINDS; k++) free(p->at[k]);
    free(p->steps);
    free(p->group);
    free(p->place);
    free(p->path);
  }
  fc_h5_unhush(q);
  free(c->part);
  free(c->map);
  free(c->raw);
  free(c->text);
  free(c);
}

/* ---- questions ---- */

const fc_cloud_info *fc_cloud_about(const fc_cloud *c) { return &c->map->info; }

static const fc_cloud_part *part_of(const fc_cloud *c, int64_t sample) {
  int lo = 0, hi = c->n_parts - 1;

  while (lo < hi) {
    const int mid = (lo + hi + 1) / 2;
    if (c->part[mid].first <= sample)
      lo = mid;
    else
      hi = mid - 1;
  }
  return &c->part[lo];
}

fc_cloud_size fc_cloud_size_of(const fc_cloud *c, int64_t sample) {
  const fc_cloud_part *p     = part_of(c, sample);
  const int64_t        local = sample - p->first;
  fc_cloud_size        s     = {.points = fc_cloud_rows(p, local, FC_ROWS_POINTS),
                                .steps  = p->steps[local],
                                .cells  = fc_cloud_rows(p, local, FC_ROWS_CELLS)};

  for (int k = 0; k < FC_CLOUD_FUNCTIONS; k++) s.rows[k] = fc_cloud_rows(p, local, FC_ROWS_FUNCTION + k);
  return s;
}

void fc_cloud_share(fc_cloud *c, int rank, int ranks) {
  c->rank         = rank;
  c->ranks        = ranks;
  c->table_sample = -1;
}

fc_range fc_cloud_own(const fc_cloud *c, int64_t rows) {
  const fc_cut cut = {rows, 1};

  return (fc_range){fc_cut_at(cut, c->rank, c->ranks), fc_cut_at(cut, c->rank + 1, c->ranks)};
}

static int64_t own_rows(const fc_cloud *c, int64_t rows) {
  const fc_range r = fc_cloud_own(c, rows);

  return r.hi - r.lo;
}

fc_cloud_size fc_cloud_own_size(const fc_cloud *c, int64_t sample) {
  fc_cloud_size z = fc_cloud_size_of(c, sample);

  z.points = own_rows(c, z.points);
  for (int k = 0; k < FC_CLOUD_FUNCTIONS; k++) z.rows[k] = own_rows(c, z.rows[k]);
  return z;
}

fc_range fc_cloud_block(const fc_cloud *c, int rows, int64_t n) {
  return rows == FC_ROWS_POINTS || rows >= FC_ROWS_FUNCTION ? fc_cloud_own(c, n) : (fc_range){0, n};
}

const char *fc_cloud_path(const fc_cloud *c, int64_t sample) { return part_of(c, sample)->path; }

void fc_cloud_part_close(fc_cloud_part *p) {
  for (int k = 0; k < FC_CLOUD_ARRAYS; k++) {
    if (p->set[k] > 0) fc_h5_close(p->set[k]);
    p->set[k] = 0;
  }
  fc_h5_close(p->file);
  p->file = -1;
}

static void close_oldest(fc_cloud *c) {
  fc_cloud_part *old  = NULL;
  int            open = 0;

  for (int i = 0; i < c->n_parts; i++) {
    fc_cloud_part *p = &c->part[i];
    if (p->file < 0) continue;
    open++;
    if (!old || p->used < old->used) old = p;
  }
  if (open < FC_CLOUD_OPEN) return;
  fc_cloud_part_close(old);
}

fc_status fc_cloud_locate(fc_cloud *c, int64_t sample, fc_cloud_part **part, int64_t *local) {
  FC_REQUIRE(sample >= 0 && sample < c->map->info.n_samples, FC_E_USAGE,
             "%s: there is no sample %lld; there are %lld", c->part[0].path, (long long)sample,
             (long long)c->map->info.n_samples);
  fc_cloud_part *p = &c->part[part_of(c, sample) - c->part];
  *part            = p;
  *local           = sample - p->first;
  p->used          = ++c->clock;
  if (p->file >= 0 || c->map->table) return FC_OK;
  close_oldest(c);
  return fc_h5_open(p->path, &p->file);
}

const char *fc_cloud_text(fc_cloud *c, const char *attribute) {
  fc_cloud_part    *p;
  int64_t           local;
  const fc_h5_quiet q = fc_h5_hush();

  free(c->text);
  c->text = NULL;
  if (!c->map->table && fc_cloud_locate(c, 0, &p, &local) == FC_OK)
    c->text = fc_h5_text_new(p->file, attribute);
  fc_h5_unhush(q);
  return c->text ? c->text : "";
}

/* ---- names ---- */

static const char *array_label(const fc_cloud_map *m, int c) {
  const char *slash = strrchr(m->array[m->channel[c].array].path, '/');
  return slash ? slash + 1 : m->array[m->channel[c].array].path;
}

/* is channel c called so: by itself, by its array, or by what its components have in common? */
static bool called(const fc_cloud_map *m, int c, const char *name) {
  const char  *own = m->info.channel[c].name;
  const size_t n   = strlen(name);

  if (!strcmp(own, name) || !strcmp(array_label(m, c), name) ||
      !strcmp(m->array[m->channel[c].array].path, name))
    return true;
  return m->array[m->channel[c].array].n_comp > 1 && !strncmp(own, name, n) && own[n] == '_' &&
         !strchr(own + n + 1, '_');
}

static fc_status unknown(const fc_cloud *c, const char *word) {
  const fc_cloud_info *i = &c->map->info;
  const char          *names[FC_FIELD_CHANNELS];

  for (int k = 0; k < i->n_channels; k++) names[k] = i->channel[k].name;
  const char *near = fc_nearest(word, i->n_channels, names);
  return fc_fail(FC_E_USAGE, "%s has no field named '%s'%s%s%s; 'fieldcast info' lists the fields",
                 c->part[0].path, word, near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

static fc_status pick_named(const fc_cloud *c, const char *word, int *n, int *pick) {
  const int before = *n;
  int       exact  = -1;

  for (int k = 0; k < c->map->info.n_channels; k++)
    if (!strcmp(c->map->info.channel[k].name, word)) exact = k;
  for (int k = 0; k < c->map->info.n_channels; k++) {
    if (exact >= 0 ? k != exact : !called(c->map, k, word)) continue;
    FC_REQUIRE(*n < FC_FIELD_CHANNELS, FC_E_USAGE, "more than %d channels are named", FC_FIELD_CHANNELS);
    pick[(*n)++] = k;
  }
  return *n > before ? FC_OK : unknown(c, word);
}

fc_status fc_cloud_pick(const fc_cloud *c, const char *names, fc_cloud_role role, int *n, int *pick) {
  const char   *key = role == FC_ROLE_INPUT ? "data.inputs" : "data.channels";
  fc_cloud_item item;
  bool          more = true;

  *n = 0;
  if (fc_cloud_none(names)) return FC_OK;
  if (!fc_cloud_told(names)) {
    for (int k = 0; k < c->map->info.n_channels; k++)
      if (c->map->info.role[k] == role) pick[(*n)++] = k;
    return FC_OK;
  }
  for (const char *at = names; more;) {
    FC_TRY(fc_cloud_next_item(key, &at, &item, &more));
    if (more) FC_TRY(pick_named(c, item.label, n, pick));
  }
  return FC_OK;
}
