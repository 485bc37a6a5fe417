/* io/field_read.c - hyperslabs of any layout into [time, X, Y, Z, channel]. One data set is read at a
   time, all picked components together, some frames at once; then its values are put in place. */
#include "io/field_part.h"

#include "core/parallel.h"

#include <math.h>
#include <string.h>

static const size_t AT_ONCE = (size_t)16 << 20; /* bytes read in one call, unless a frame is larger */

typedef struct slab { /* a selection on disk and how its values lie in the buffer */
  int     rank;
  hsize_t start[FC_H5_RANK], step[FC_H5_RANK], count[FC_H5_RANK];
  int64_t stride[FC_H5_RANK]; /* in the buffer */
} slab;

typedef struct window { /* what the caller asked for */
  int64_t           traj, t0, nt, t_step;
  int64_t           n[3], step[3]; /* points and stride along x, y, z; 1 where there is no axis */
  int64_t           lo;            /* first point along x, in strides */
  int               n_pick;
  const int        *pick; /* into channel */
  const fc_channel *channel;
} window;

/* Components lo .. lo+n-1 cover the picked ones if there is one component axis; tensors are read whole. */
static void component_range(const window *w, int var, const fc_var *v, int64_t *lo, int64_t *n) {
  int64_t hi = -1;

  *lo = v->n_comp;
  for (int i = 0; i < w->n_pick; i++) {
    const fc_channel *c = &w->channel[w->pick[i]];
    if (c->field != var) continue;
    *lo = fc_min64(*lo, c->component);
    hi  = fc_max64(hi, c->component);
  }
  if (strstr(v->axes, "cc")) *lo = 0, hi = v->n_comp - 1;
  *n = hi - *lo + 1;
}

static slab select_slab(const window *w, int64_t local, const fc_var *v, int64_t c_lo, int64_t c_n) {
  slab s = {.rank = (int)strlen(v->axes)};

  for (int i = 0; i < s.rank; i++) {
    const char a = v->axes[i];
    s.step[i] = s.count[i] = 1;
    if (a == 'b') s.start[i] = (hsize_t)local;
    if (a == 't') s.start[i] = (hsize_t)w->t0, s.step[i] = (hsize_t)w->t_step, s.count[i] = (hsize_t)w->nt;
    if (a == 'x') s.start[i] = (hsize_t)(w->lo * w->step[0]);
    if (a >= 'x' && a <= 'z') s.step[i] = (hsize_t)w->step[a - 'x'], s.count[i] = (hsize_t)w->n[a - 'x'];
    if (a == 'c') s.count[i] = (hsize_t)v->dim[i];
    if (a == 'c' && !strstr(v->axes, "cc")) s.start[i] = (hsize_t)c_lo, s.count[i] = (hsize_t)c_n;
  }
  int64_t stride = 1;
  for (int i = s.rank - 1; i >= 0; i--) {
    s.stride[i] = stride;
    stride *= (int64_t)s.count[i];
  }
  return s;
}

static int64_t slab_size(const slab *s) {
  int64_t n = 1;
  for (int i = 0; i < s->rank; i++) n *= (int64_t)s->count[i];
  return n;
}

static fc_status read_slab(hid_t set, const fc_field_part *p, const fc_var *v, const slab *s, hid_t type,
                           void *raw) {
  const hsize_t n      = (hsize_t)slab_size(s);
  const hid_t   memory = H5Screate_simple(1, &n, NULL), space = H5Dget_space(set);
  fc_status     status = FC_OK;

  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, s->start, s->step, s->count, NULL) < 0 ||
      H5Dread(set, type, memory, space, H5P_DEFAULT, raw) < 0)
    status = fc_h5_unreadable(set, p->path, v->path);
  fc_h5_close(space);
  fc_h5_close(memory);
  return status;
}

/* Packed NetCDF values; the raw value says whether it is missing. */
static void unpack(const fc_var *v, int64_t n, double *x) {
  for (int64_t i = 0; i < n; i++)
    x[i] = v->has_missing && x[i] == v->missing ? NAN : x[i] * v->scale + v->offset;
}

static int64_t stride_of(const slab *s, const fc_var *v, char axis) {
  for (int i = 0; i < s->rank; i++)
    if (v->axes[i] == axis) return s->stride[i];
  return 0; /* the field does not change along it: broadcast */
}

/* out[t, x, y, z, pick] of one component that begins at offset in the buffer; raw is double if packed. */
static void put(const window *w, const slab *s, const fc_var *v, const void *raw, int64_t offset, int pick,
                fc_real *out) {
  const int64_t st = stride_of(s, v, 't'), sx = stride_of(s, v, 'x'), sy = stride_of(s, v, 'y');
  const int64_t sz = stride_of(s, v, 'z'), ny = w->n[1], nz = w->n[2], width = ny * nz * w->n_pick;

  FC_FOR_ROWS(r, w->nt * w->n[0], width) {
    const int64_t from = offset + r / w->n[0] * st + r % w->n[0] * sx;
    fc_real      *to   = out + r * width + pick;
    for (int64_t y = 0; y < ny; y++)
      for (int64_t z = 0; z < nz; z++, to += w->n_pick) {
        const int64_t i = from + y * sy + z * sz;
        *to             = v->packed ? (fc_real)((const double *)raw)[i] : ((const fc_real *)raw)[i];
      }
  }
}

static int64_t component_offset(const slab *s, const fc_var *v, int component, int64_t c_lo) {
  int64_t rest = component - c_lo, offset = 0;

  for (int i = s->rank - 1; i >= 0; i--)
    if (v->axes[i] == 'c') {
      offset += rest % (int64_t)s->count[i] * s->stride[i];
      rest /= (int64_t)s->count[i];
    }
  return offset;
}

/* all picked channels that live in data set k, for the frames of w */
static fc_status read_var(fc_field *f, fc_field_part *p, int64_t local, int k, const window *w,
                          fc_real *out) {
  const fc_var *v    = &p->var[k];
  const hid_t   type = v->packed || sizeof(fc_real) == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT;
  int64_t       c_lo, c_n;
  hid_t         set;

  component_range(w, k, v, &c_lo, &c_n);
  const slab    s = select_slab(w, local, v, c_lo, c_n);
  const int64_t n = slab_size(&s);
  FC_TRY(fc_field_raw(f, (size_t)n * (v->packed ? sizeof(double) : sizeof(fc_real))));
  FC_TRY(fc_field_data_set(f, p, local, k, &set));
  FC_TRY(read_slab(set, p, v, &s, type, f->raw));
  if (v->packed) unpack(v, n, f->raw);
  for (int i = 0; i < w->n_pick; i++) {
    const fc_channel *c = &w->channel[w->pick[i]];
    if (c->field == k) put(w, &s, v, f->raw, component_offset(&s, v, c->component, c_lo), i, out);
  }
  return FC_OK;
}

static bool seen_before(const window *w, int i) {
  for (int j = 0; j < i; j++)
    if (w->channel[w->pick[j]].field == w->channel[w->pick[i]].field) return true;
  return false;
}

/* frames in pieces, so that scratch memory stays small */
static fc_status read_window(fc_field *f, const window *all, fc_real *x) {
  fc_field_part *p;
  int64_t        local, frame = all->n[0] * all->n[1] * all->n[2];
  window         w = *all;

  FC_TRY(fc_field_locate(f, all->traj, &p, &local));
  FC_REQUIRE(all->nt == 0 || all->t0 + (all->nt - 1) * all->t_step < p->n_steps, FC_E_USAGE,
             "%s: frame %lld is asked for, trajectory %lld has %lld", p->path,
             (long long)(all->t0 + (all->nt - 1) * all->t_step), (long long)all->traj, (long long)p->n_steps);
  const int64_t most = fc_max64(1, (int64_t)(AT_ONCE / sizeof(double)) / (frame * all->n_pick));
  for (int64_t done = 0; done < all->nt; done += w.nt) {
    w.t0 = all->t0 + done * all->t_step;
    w.nt = fc_min64(most, all->nt - done);
    for (int i = 0; i < w.n_pick; i++)
      if (!seen_before(&w, i))
        FC_TRY(read_var(f, p, local, w.channel[w.pick[i]].field, &w, x + done * frame * w.n_pick));
  }
  return FC_OK;
}

static fc_status checked(fc_field *f, window *w, const int64_t *space_stride, int n_pick, const int *pick,
                         int n, const fc_channel *channel, fc_real *x) {
  const fc_field_info *info = &f->map->info;
  int                  all[FC_FIELD_CHANNELS];

  for (int a = 0; a < 3; a++) {
    w->step[a] = space_stride && a < info->ndim ? space_stride[a] : 1;
    FC_REQUIRE(w->step[a] >= 1, FC_E_USAGE, "a stride of %lld along axis %d; it must be 1 or more",
               (long long)w->step[a], a);
    w->n[a] = a < info->ndim ? fc_ceil_div(info->dim[a], w->step[a]) : 1;
  }
  if (f->share_n) {
    FC_ASSERT(f->share_lo + f->share_n <= w->n[0], "field: points %lld to %lld of %lld",
              (long long)f->share_lo, (long long)(f->share_lo + f->share_n - 1), (long long)w->n[0]);
    w->lo = f->share_lo, w->n[0] = f->share_n;
  }
  for (int i = 0; i < n; i++) all[i] = i;
  w->channel = channel;
  w->n_pick  = pick ? n_pick : n;
  w->pick    = pick ? pick : all;
  for (int i = 0; i < w->n_pick; i++)
    FC_REQUIRE(w->pick[i] >= 0 && w->pick[i] < n, FC_E_USAGE, "%s: there is no channel %d; there are %d",
               f->part[0].path, w->pick[i], n);
  if (w->n_pick == 0) return FC_OK;
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = read_window(f, w, x);
  fc_h5_unhush(q);
  return s;
}

void fc_field_share(fc_field *f, int64_t lo, int64_t n) {
  f->share_lo = lo;
  f->share_n  = n;
}

fc_status fc_field_read(fc_field *f, int64_t traj, int64_t t0, int64_t nt, int64_t t_stride,
                        const int64_t *space_stride, int n_pick, const int *pick, fc_real *x) {
  window w = {.traj = traj, .t0 = t0, .nt = nt, .t_step = t_stride};

  FC_REQUIRE(t0 >= 0 && nt >= 0 && t_stride >= 1, FC_E_USAGE,
             "%s: frames %lld + k * %lld, k < %lld, are not frames", f->part[0].path, (long long)t0,
             (long long)t_stride, (long long)nt);
  return checked(f, &w, space_stride, n_pick, pick, f->map->info.n_channels, f->map->info.channel, x);
}

fc_status fc_field_read_constant(fc_field *f, int64_t traj, const int64_t *space_stride, int n_pick,
                                 const int *pick, fc_real *x) {
  window w = {.traj = traj, .nt = 1, .t_step = 1};
  return checked(f, &w, space_stride, n_pick, pick, f->map->info.n_constant, f->map->info.constant, x);
}
