/* core/params.c */
#include "core/params.h"

#include "core/rng.h"
#include "core/vmath.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_ = 192, DEPTH_MAX = 16, ALIGN_REALS = 64 / sizeof(fc_real) };

typedef struct { /* one more name of a parameter */
  char name[NAME_MAX_];
  bool stored;
} second;

typedef struct {
  char          name[NAME_MAX_];
  second       *more;
  int           n_more;
  fc_param_kind kind;
  bool          complex, whole, unread;
  fc_init       init;
  int64_t       offset;
  fc_tensor     t;
} entry;

struct fc_params {
  entry  **list; /* pointers, so that handed-out tensors never move */
  int      size, room;
  bool     unread; /* what is declared now */
  char     prefix[NAME_MAX_];
  size_t   depth[DEPTH_MAX];
  int      n_depth;
  int64_t  trained, block;
  fc_real *values, *grads;
  void    *memory[2]; /* where these two lie */
};

fc_init fc_init_constant(double value) { return (fc_init){FC_INIT_CONSTANT, value}; }
fc_init fc_init_uniform(double half_width) { return (fc_init){FC_INIT_UNIFORM, half_width}; }
fc_init fc_init_normal(double std) { return (fc_init){FC_INIT_NORMAL, std}; }
fc_init fc_init_normal_padded(double std) { return (fc_init){FC_INIT_NORMAL_PADDED, std}; }
fc_init fc_init_positive(double width) { return (fc_init){FC_INIT_POSITIVE, width}; }
fc_init fc_init_rotary(double base) { return (fc_init){FC_INIT_ROTARY, base}; }
fc_init fc_init_formula(fc_init_fn at) { return (fc_init){.kind = FC_INIT_FORMULA, .at = at}; }
fc_init fc_init_fan_in(int64_t fan_in) { return fc_init_uniform(fan_in > 0 ? 1 / sqrt((double)fan_in) : 0); }
fc_init fc_init_xavier(int64_t fan_in, int64_t fan_out, double gain) {
  return fc_init_uniform(gain * sqrt(6.0 / (double)(fan_in + fan_out)));
}

fc_status fc_params_create(fc_params **out) {
  *out = calloc(1, sizeof **out);
  FC_REQUIRE(*out, FC_E_SYSTEM, "no memory for parameters");
  return FC_OK;
}

void fc_params_destroy(fc_params *p) {
  if (!p) return;
  for (int i = 0; i < p->size; i++) {
    free(p->list[i]->more);
    free(p->list[i]);
  }
  free(p->list);
  free(p->memory[0]);
  free(p->memory[1]);
  free(p);
}

void fc_params_push(fc_params *p, const char *fmt, ...) {
  const size_t n = strlen(p->prefix);
  va_list      ap;

  FC_ASSERT(p->n_depth < DEPTH_MAX && n + 64 < NAME_MAX_, "parameter names nest too deep at %s", p->prefix);
  p->depth[p->n_depth++] = n;
  va_start(ap, fmt);
  const int len = vsnprintf(p->prefix + n, NAME_MAX_ - n - 1, fmt, ap);
  va_end(ap);
  memcpy(p->prefix + n + (size_t)len, ".", 2);
}

void fc_params_pop(fc_params *p) {
  FC_ASSERT(p->n_depth > 0, "fc_params_pop without push");
  p->prefix[p->depth[--p->n_depth]] = 0;
}

fc_tensor *fc_param_of(fc_params *p, fc_param_kind kind, const char *name, fc_init init, int ndim,
                       const int64_t *dim) {
  entry *e = calloc(1, sizeof *e);

  FC_ASSERT(e && !p->values, "parameter %s declared after fc_params_commit, or no memory", name);
  if (p->size == p->room) {
    p->room = p->room ? 2 * p->room : 64;
    p->list = realloc(p->list, (size_t)p->room * sizeof *p->list);
    FC_ASSERT(p->list, "no memory for parameter names");
  }
  const int len = snprintf(e->name, NAME_MAX_, "%s%s", p->prefix, name);
  FC_ASSERT(len < NAME_MAX_, "parameter name too long: %s%s", p->prefix, name);
  FC_ASSERT(!fc_params_find(p, e->name), "parameter %s declared twice", e->name);
  e->kind   = kind;
  e->unread = p->unread;
  e->init   = init;
  e->t.ndim = ndim;
  for (int i = 0; i < ndim; i++) e->t.dim[i] = dim[i];
  e->t.needs_grad    = kind == FC_PARAM_TRAINED;
  e->t.is_param      = true;
  p->list[p->size++] = e;
  return &e->t;
}

fc_tensor *fc_param(fc_params *p, const char *name, fc_init init, int ndim, const int64_t *dim) {
  return fc_param_of(p, FC_PARAM_TRAINED, name, init, ndim, dim);
}

fc_tensor *fc_param_complex(fc_params *p, const char *name, fc_init init, int ndim, const int64_t *dim) {
  int64_t pairs[FC_MAX_DIMS] = {0};

  FC_ASSERT(ndim < FC_MAX_DIMS, "complex parameter %s of %d axes", name, ndim);
  for (int i = 0; i < ndim; i++) pairs[i] = dim[i];
  pairs[ndim]                   = 2;
  fc_tensor *t                  = fc_param(p, name, init, ndim + 1, pairs);
  p->list[p->size - 1]->complex = true;
  return t;
}

void fc_param_whole(fc_params *p) { p->list[p->size - 1]->whole = true; }

void fc_params_unread(fc_params *p, bool on) { p->unread = on; }

static void add_name(entry *e, const char *prefix, const char *name, bool stored) {
  second *more = realloc(e->more, (size_t)(e->n_more + 1) * sizeof *more);

  FC_ASSERT(more, "no memory for parameter names");
  e->more = more;
  more += e->n_more++;
  more->stored  = stored;
  const int len = snprintf(more->name, NAME_MAX_, "%s%s", prefix, name);
  FC_ASSERT(len < NAME_MAX_, "parameter name too long: %s%s", prefix, name);
}

void fc_param_alias(fc_params *p, const char *name) {
  add_name(p->list[p->size - 1], p->prefix, name, false);
}

void fc_params_mirror(fc_params *p, const char *from, const char *to) {
  const size_t n = strlen(from);

  for (int i = 0; i < p->size; i++) {
    entry *e = p->list[i];
    if (!strncmp(e->name, from, n) && e->name[n] == '.') add_name(e, to, e->name + n, true);
  }
}

/* ---- initial values: a number depends on (seed, tensor number, element) alone ---- */

static fc_real truncated(const fc_rng *r, int64_t i, double std) {
  for (uint64_t attempt = 0;; attempt++) { /* rejection at two standard deviations */
    const double z = fc_rng_normal(r, (uint64_t)i + (attempt << 40));
    if (fabs(z) <= 2) return (fc_real)(std * z);
  }
}

/* Gram-Schmidt, twice for accuracy, on the rows or columns of a normal matrix, whichever are fewer */
static void orthogonal(const fc_rng *r, fc_tensor *t, double gain) {
  const int64_t rows = t->dim[0], cols = fc_len(t) / rows, n = fc_min64(rows, cols),
                len  = fc_max64(rows, cols);
  const int64_t step = rows <= cols ? cols : 1, stride = rows <= cols ? 1 : cols;

  fc_rng_normals(r, 0, rows * cols, t->x);
  for (int64_t i = 0; i < n; i++) {
    fc_real *v = t->x + i * step;
    for (int64_t pass = 0; pass < 2 * i; pass++) {
      const fc_real *u   = t->x + (pass % i) * step;
      double         dot = 0;
      for (int64_t j = 0; j < len; j++) dot += (double)u[j * stride] * v[j * stride];
      for (int64_t j = 0; j < len; j++) v[j * stride] -= (fc_real)(dot * u[j * stride]);
    }
    double norm = 0;
    for (int64_t j = 0; j < len; j++) norm += (double)v[j * stride] * v[j * stride];
    for (int64_t j = 0; j < len; j++) v[j * stride] = (fc_real)(v[j * stride] / sqrt(norm));
  }
  for (int64_t i = 0; i < rows * cols; i++) t->x[i] *= (fc_real)gain;
}

static void fill(entry *e, uint64_t seed, int number) {
  const fc_rng  r = {seed, (uint64_t)number, FC_RNG_WEIGHTS};
  const int64_t n = fc_len(&e->t);
  fc_real      *x = e->t.x;
  const fc_real s = (fc_real)e->init.scale;

  switch (e->init.kind) {
  case FC_INIT_CONSTANT:
    for (int64_t i = 0; i < n; i++) x[i] = s;
    break;
  case FC_INIT_UNIFORM:
    fc_rng_uniforms(&r, 0, n, -s, s, x);
    break;
  case FC_INIT_POSITIVE:
    fc_rng_uniforms(&r, 0, n, 0, s, x);
    break;
  case FC_INIT_NORMAL:
    fc_rng_normals(&r, 0, n, x);
    for (int64_t i = 0; i < n; i++) x[i] *= s;
    break;
  case FC_INIT_NORMAL_PADDED:
    fc_rng_normals(&r, 0, n, x);
    for (int64_t i = 0; i < n; i++) x[i] *= i < n / e->t.dim[0] ? 0 : s;
    break;
  case FC_INIT_TRUNC_NORMAL:
    for (int64_t i = 0; i < n; i++) x[i] = truncated(&r, i, e->init.scale);
    break;
  case FC_INIT_ROTARY:
    for (int64_t i = 0; i < n; i++) x[i] = (fc_real)pow(e->init.scale, -(double)i / (double)n);
    break;
  case FC_INIT_FORMULA:
    for (int64_t i = 0; i < n; i++) x[i] = (fc_real)e->init.at(e->t.dim, i);
    break;
  case FC_INIT_ORTHOGONAL:
    orthogonal(&r, &e->t, e->init.scale);
    break;
  }
}

static int64_t place(fc_params *p, bool trained, int64_t offset) {
  for (int i = 0; i < p->size; i++) {
    if ((p->list[i]->kind == FC_PARAM_TRAINED) != trained) continue;
    p->list[i]->offset = offset;
    offset += fc_ceil_div(fc_len(&p->list[i]->t), ALIGN_REALS) * ALIGN_REALS;
  }
  return offset;
}

/* n zeros on a 64-byte border. Large ones take no memory before they are written: the gradients of a network
   that is only applied never do. */
static fc_real *block_alloc(int64_t n, void **memory) {
  *memory = calloc((size_t)(n + 2 * ALIGN_REALS), sizeof(fc_real));
  return *memory ? (fc_real *)(((uintptr_t)*memory + 63) / 64 * 64) : NULL;
}

fc_status fc_params_commit(fc_params *p, uint64_t seed, bool dry) {
  p->trained = place(p, true, 0);
  p->block   = place(p, false, p->trained);
  if (dry) return FC_OK;
  p->values = block_alloc(p->block, &p->memory[0]);
  p->grads  = block_alloc(p->trained, &p->memory[1]);
  FC_REQUIRE(p->values && p->grads, FC_E_SYSTEM, "no memory for %lld parameters", (long long)p->block);
  for (int i = 0; i < p->size; i++) {
    entry *e = p->list[i];
    e->t.x   = p->values + e->offset;
    if (e->kind == FC_PARAM_TRAINED) e->t.g = p->grads + e->offset;
    fill(e, seed, i);
  }
  return FC_OK;
}

/* ---- look-up ---- */

int           fc_params_size(const fc_params *p) { return p->size; }
fc_param_kind fc_params_kind(const fc_params *p, int i) { return p->list[i]->kind; }
bool          fc_params_complex(const fc_params *p, int i) { return p->list[i]->complex; }
bool          fc_params_whole(const fc_params *p, int i) { return p->list[i]->whole; }
bool          fc_params_dispensable(const fc_params *p, int i) {
           return p->list[i]->kind == FC_PARAM_FORMULA || p->list[i]->unread;
}
int64_t fc_params_block(const fc_params *p, bool trained_only) {
  return trained_only ? p->trained : p->block;
}
int64_t  fc_params_offset(const fc_params *p, int i) { return p->list[i]->offset; }
fc_real *fc_params_values(fc_params *p) { return p->values; }
fc_real *fc_params_grads(fc_params *p) { return p->grads; }

const char *fc_params_at(const fc_params *p, int i, fc_tensor **t) {
  if (t) *t = &p->list[i]->t;
  return p->list[i]->name;
}

static bool is_called(const entry *e, const char *name) {
  bool found = !strcmp(e->name, name);

  for (int k = 0; k < e->n_more && !found; k++) found = !strcmp(e->more[k].name, name);
  return found;
}

fc_tensor *fc_params_find(const fc_params *p, const char *name) {
  for (int i = 0; i < p->size; i++)
    if (is_called(p->list[i], name)) return &p->list[i]->t;
  return NULL;
}

const char *fc_params_mirrored(const fc_params *p, int i, int k) {
  const entry *e = p->list[i];

  for (int j = 0; j < e->n_more; j++)
    if (e->more[j].stored && k-- == 0) return e->more[j].name;
  return NULL;
}

int64_t fc_params_trainable(const fc_params *p) {
  int64_t n = 0;

  for (int i = 0; i < p->size; i++)
    if (p->list[i]->kind == FC_PARAM_TRAINED) n += fc_len(&p->list[i]->t);
  return n;
}

void fc_params_zero_grads(fc_params *p) {
  memset(p->grads, 0, (size_t)p->trained * sizeof *p->grads);
  for (int i = 0; i < p->size; i++) p->list[i]->t.has_grad = false;
}
