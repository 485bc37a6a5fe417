/* io/field_writer.c - frames into a file in The Well's layout: PATH.tmp until it is complete. */
#include "hpc/comm.h"
#include "hpc/watch.h"
#include "io/field_create.h"
#include "io/file.h"
#include "io/xdmf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fc_field_writer {
  char         *path, *tmp;
  fc_field_spec spec;      /* its strings are copies */
  double       *points[3]; /* copies of coordinates */
  char        **copies;    /* of all strings, to free */
  int           n_copies;
  fc_out_field *fields; /* fields, then constants: copies too */
  hid_t         file;
  hid_t        *set;      /* [n_fields + n_constant] */
  fc_real      *one;      /* values of one field of one frame */
  int           error;    /* the first of the disk, an errno */
  int64_t       n_points; /* of a frame that is written: of the share, if there is one */
  int           fd;       /* of a shared file, else -1 */
  int64_t      *address;  /* [n_fields + n_constant] of the data sets in it */
};

/* ---- the caller's specification may go away, so it is copied ---- */
static const char *keep(fc_field_writer *w, const char *text) {
  char **more = realloc(w->copies, (size_t)(w->n_copies + 1) * sizeof *more);

  if (more) w->copies = more;
  char *copy = more ? strdup(text ? text : "") : NULL;
  if (copy) w->copies[w->n_copies++] = copy;
  return copy;
}

static void copy_fields(fc_field_writer *w, const fc_field_spec *s) {
  const int n = s->n_fields;

  for (int i = 0; w->fields && i < n + s->n_constant; i++) {
    const fc_out_field *from = i < n ? &s->field[i] : &s->constant[i - n];
    w->fields[i]             = (fc_out_field){keep(w, from->name), keep(w, from->unit), from->rank};
  }
  w->spec.field    = w->fields;
  w->spec.constant = w->fields ? w->fields + n : NULL;
}

static bool copy_points(fc_field_writer *w, const fc_field_spec *s) {
  for (int a = 0; a < s->ndim; a++) {
    if (!s->points[a]) continue;
    const size_t bytes = (size_t)s->dim[a] * sizeof(double);
    w->points[a]       = malloc(bytes);
    if (!w->points[a]) return false;
    w->spec.points[a] = memcpy(w->points[a], s->points[a], bytes);
  }
  return true;
}

static bool copy_spec(fc_field_writer *w, const char *path, const fc_field_spec *s) {
  const int n = s->n_fields + s->n_constant;

  w->spec   = *s;
  w->path   = strdup(path);
  w->tmp    = malloc(strlen(path) + 5);
  w->fields = malloc((size_t)n * sizeof *w->fields);
  w->set    = malloc((size_t)n * sizeof *w->set);
  w->file = w->fd = -1;
  w->address      = calloc((size_t)n, sizeof *w->address);
  for (int i = 0; w->set && i < n; i++) w->set[i] = -1;
  if (w->tmp) strcat(strcpy(w->tmp, path), ".tmp");
  copy_fields(w, s);
  w->spec.name       = keep(w, s->name);
  w->spec.time_unit  = keep(w, s->time_unit);
  w->spec.space_unit = keep(w, s->space_unit);
  for (int a = 0; a < s->ndim; a++) w->spec.axis[a] = s->axis[a] ? keep(w, s->axis[a]) : NULL;
  for (int i = 0; i < s->n_params; i++) w->spec.param[i].name = keep(w, s->param[i].name);
  for (int i = 0; i < s->n_texts; i++) {
    w->spec.text[i].name  = keep(w, s->text[i].name);
    w->spec.text[i].value = keep(w, s->text[i].value);
  }
  w->n_points = 1;
  for (int a = 0; a < s->ndim; a++) w->n_points *= a == 0 && s->shared ? s->n : s->dim[a];
  w->one           = malloc((size_t)(w->n_points * s->ndim) * sizeof *w->one);
  const int wanted = 3 + 2 * n + s->n_params + 2 * s->n_texts; /* axes may be NULL */
  return copy_points(w, s) && w->path && w->tmp && w->fields && w->set && w->one && w->address &&
         w->n_copies >= wanted;
}

static void release(fc_field_writer *w) {
  for (int i = 0; i < w->n_copies; i++) free(w->copies[i]);
  free(w->copies);
  for (int a = 0; a < 3; a++) free(w->points[a]);
  free(w->fields);
  free(w->set);
  free(w->address);
  free(w->one);
  if (w->tmp) fc_watch_litter(w->tmp, false);
  free(w->path);
  free(w->tmp);
  free(w);
}

/* ---- the file ---- */
static fc_status refused(const fc_field_writer *w) {
  return fc_fail(FC_E_SYSTEM, "%s: cannot write: %s; make room or choose another place", w->tmp,
                 w->error ? strerror(w->error) : "HDF5 refused");
}

static bool close_file(fc_field_writer *w) {
  bool ok = true;

  for (int i = 0; i < w->spec.n_fields + w->spec.n_constant; i++)
    if (w->set[i] >= 0) ok &= H5Dclose(w->set[i]) >= 0;
  if (w->file >= 0) ok &= H5Fclose(w->file) >= 0;
  w->file = -1;
  if (w->fd >= 0 && (fsync(w->fd) || close(w->fd)) && !w->error) w->error = errno;
  w->fd = -1;
  return ok && !w->error;
}

static fc_status build(fc_field_writer *w) {
  const int n = w->spec.n_fields + w->spec.n_constant;

  w->file = fc_h5_create(w->tmp, &w->error);
  if (w->file < 0) return refused(w);
  if (!fc_field_write_skeleton(w->file, &w->spec)) return refused(w);
  for (int i = 0; i < n; i++) {
    w->set[i] = fc_field_create_set(w->file, &w->spec, &w->fields[i], i >= w->spec.n_fields);
    if (w->set[i] < 0) return refused(w);
  }
  return w->error ? refused(w) : FC_OK;
}

/* ---- one file, several ranks: rank 0 makes it, then each writes to the places of its lines ---- */

/* where the data sets begin; the file is complete but for the numbers */
static fc_status place_sets(fc_field_writer *w) {
  const int n = w->spec.n_fields + w->spec.n_constant;

  for (int i = 0; i < n; i++) {
    const haddr_t at = H5Dget_offset(w->set[i]);
    if (at == HADDR_UNDEF) return refused(w);
    w->address[i] = (int64_t)at;
    H5Dclose(w->set[i]);
    w->set[i] = -1;
  }
  return close_file(w) ? FC_OK : refused(w);
}

/* the same once more: data sets where an earlier run has put them */
static fc_status find_sets(fc_field_writer *w) {
  const int n = w->spec.n_fields + w->spec.n_constant;
  hid_t     file;

  FC_TRY(fc_h5_open(w->tmp, &file));
  fc_status s = FC_OK;
  for (int i = 0; i < n && s == FC_OK; i++) {
    w->address[i] = fc_field_find_set(file, &w->spec, &w->fields[i], i >= w->spec.n_fields);
    if (w->address[i] < 0)
      s = fc_fail(FC_E_INPUT, "%s: not what the run that was cut has written: '%s' is missing or another",
                  w->tmp, w->fields[i].name);
  }
  H5Fclose(file);
  return s;
}

static fc_status open_shared(fc_field_writer *w, bool again) {
  const fc_comm *ranks = w->spec.ranks;
  const int      n     = w->spec.n_fields + w->spec.n_constant;
  fc_status      s     = FC_OK;

  if (!fc_comm_rank(ranks) && again) s = find_sets(w);
  if (!fc_comm_rank(ranks) && !again && (s = build(w)) == FC_OK) s = place_sets(w);
  FC_TRY(fc_comm_agree(ranks, s));
  FC_TRY(fc_comm_broadcast(ranks, w->address, n * (int64_t)sizeof *w->address, 0));
  w->fd = open(w->tmp, O_WRONLY);
  if (w->fd < 0) w->error = errno;
  return fc_comm_agree(ranks, w->fd < 0 ? refused(w) : FC_OK);
}

/* the lines of one field of one frame follow each other: one piece of the file */
static bool write_lines(fc_field_writer *w, int i, int64_t traj, int64_t t, bool constant) {
  const int64_t width = w->fields[i].rank ? w->spec.ndim : 1, line = w->n_points / w->spec.n * width,
                frame = constant ? traj : traj * w->spec.n_steps + t;
  const int64_t bytes = line * (int64_t)sizeof(fc_real);

  if (!w->error)
    w->error = fc_file_put(w->fd, w->one, w->spec.n * bytes,
                           w->address[i] + (frame * w->spec.dim[0] + w->spec.lo) * bytes);
  return !w->error;
}

static fc_status prepare(const char *path, const fc_field_spec *spec, fc_field_writer **out) {
  *out = NULL;
  FC_TRY(fc_field_spec_check(spec));
  FC_TRY(fc_file_check_target(path));
  fc_field_writer *w = calloc(1, sizeof *w);
  FC_REQUIRE(w, FC_E_SYSTEM, "%s: not enough memory", path);
  if (!copy_spec(w, path, spec)) {
    release(w);
    return fc_fail(FC_E_SYSTEM, "%s: not enough memory", path);
  }
  *out = w;
  return FC_OK;
}

fc_status fc_field_writer_create(const char *path, const fc_field_spec *spec, fc_field_writer **out) {
  fc_field_writer *w;

  FC_TRY(prepare(path, spec, out));
  w    = *out;
  *out = NULL;
  fc_watch_litter(w->tmp, true); /* on all ranks: any of them may be the one that is left */
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = spec->shared ? open_shared(w, false) : build(w);
  fc_h5_unhush(q);
  if (s == FC_OK)
    *out = w;
  else
    fc_field_writer_abandon(w);
  return s;
}

fc_status fc_field_writer_reopen(const char *path, const fc_field_spec *spec, fc_field_writer **out) {
  FC_ASSERT(spec->shared, "only files whose numbers have their places can be gone on with");
  FC_TRY(prepare(path, spec, out));
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = open_shared(*out, true);
  fc_h5_unhush(q);
  if (s == FC_OK) return FC_OK;
  if ((*out)->fd >= 0) close((*out)->fd);
  release(*out);
  *out = NULL;
  return s;
}

/* channels-last values of all fields to one field */
static void gather(const fc_field_writer *w, const fc_real *x, int n_all, int from, int n) {
  for (int64_t i = 0; i < w->n_points; i++)
    for (int k = 0; k < n; k++) w->one[i * n + k] = x[i * n_all + from + k];
}

static int width(const fc_field_writer *w, const fc_out_field *f) { return f->rank ? w->spec.ndim : 1; }

static bool write_set(fc_field_writer *w, int i, int64_t traj, int64_t t, bool constant) {
  if (w->fd >= 0) return write_lines(w, i, traj, t, constant);
  const fc_out_field *f        = &w->fields[i];
  hsize_t             start[6] = {0}, count[6], n = (hsize_t)(w->n_points * width(w, f));
  int                 rank = 0;

  count[rank] = 1, start[rank++] = (hsize_t)traj;
  if (!constant) count[rank] = 1, start[rank++] = (hsize_t)t;
  for (int a = 0; a < w->spec.ndim; a++) count[rank++] = (hsize_t)w->spec.dim[a];
  if (f->rank) count[rank++] = (hsize_t)w->spec.ndim;
  const hid_t space = H5Dget_space(w->set[i]), memory = H5Screate_simple(1, &n, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  const bool ok = H5Dwrite(w->set[i], sizeof(fc_real) == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT, memory,
                           space, H5P_DEFAULT, w->one) >= 0;
  fc_h5_close(memory);
  fc_h5_close(space);
  return ok;
}

/* one frame of fields lo .. lo+n-1: scalars first, then vectors */
static fc_status write_frame(fc_field_writer *w, int lo, int n, int64_t traj, int64_t t, const fc_real *x) {
  int n_all = 0, from = 0;

  for (int i = lo; i < lo + n; i++) n_all += width(w, &w->fields[i]);
  for (int rank = 0; rank < 2; rank++)
    for (int i = lo; i < lo + n; i++) {
      const int k = width(w, &w->fields[i]);
      if (w->fields[i].rank != rank) continue;
      gather(w, x, n_all, from, k);
      from += k;
      if (!write_set(w, i, traj, t, lo > 0) || w->error) return refused(w);
    }
  return FC_OK;
}

static int64_t frame_size(const fc_field_writer *w) {
  int64_t n = 0;
  for (int i = 0; i < w->spec.n_fields; i++) n += width(w, &w->fields[i]);
  return n * w->n_points;
}

fc_status fc_field_write(fc_field_writer *w, int64_t traj, int64_t t0, int64_t nt, const fc_real *x) {
  fc_status s = FC_OK;

  FC_REQUIRE(traj >= 0 && traj < w->spec.n_traj && t0 >= 0 && nt >= 0 && t0 + nt <= w->spec.n_steps,
             FC_E_USAGE,
             "%s: frames %lld to %lld of trajectory %lld do not fit into %lld trajectories of %lld steps",
             w->path, (long long)t0, (long long)(t0 + nt - 1), (long long)traj, (long long)w->spec.n_traj,
             (long long)w->spec.n_steps);
  const fc_h5_quiet q = fc_h5_hush();
  for (int64_t t = 0; t < nt && s == FC_OK; t++)
    s = write_frame(w, 0, w->spec.n_fields, traj, t0 + t, x + t * frame_size(w));
  fc_h5_unhush(q);
  return s;
}

fc_status fc_field_write_constant(fc_field_writer *w, int64_t traj, const fc_real *x) {
  FC_REQUIRE(traj >= 0 && traj < w->spec.n_traj, FC_E_USAGE, "%s: there is no trajectory %lld", w->path,
             (long long)traj);
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = write_frame(w, w->spec.n_fields, w->spec.n_constant, traj, 0, x);
  fc_h5_unhush(q);
  return s;
}

static bool is_first(const fc_field_writer *w) { return !w->spec.shared || !fc_comm_rank(w->spec.ranks); }

fc_status fc_field_writer_finish(fc_field_writer *w) {
  const fc_h5_quiet q = fc_h5_hush();
  fc_status         s = FC_OK;

  if (!close_file(w)) s = refused(w);
  fc_h5_unhush(q);
  if (w->spec.shared) s = fc_comm_agree(w->spec.ranks, s); /* all have written */
  if (is_first(w) && s == FC_OK) s = fc_file_replace(w->tmp, w->path);
  if (is_first(w) && s == FC_OK) s = fc_xdmf_write(w->path, &w->spec, sizeof(fc_real));
  if (is_first(w) && s != FC_OK) unlink(w->tmp);
  if (w->spec.shared) s = fc_comm_agree(w->spec.ranks, s);
  release(w);
  return s;
}

fc_status fc_field_writer_sync(fc_field_writer *w) {
  FC_ASSERT(w->spec.shared, "only files whose numbers have their places can be gone on with");
  if (fsync(w->fd) && !w->error) w->error = errno;
  fc_watch_litter(w->tmp, false);
  return w->error ? refused(w) : FC_OK;
}

fc_status fc_field_writer_leave(fc_field_writer *w) {
  const fc_status s = fc_field_writer_sync(w);

  close(w->fd);
  release(w);
  return s;
}

void fc_field_writer_abandon(fc_field_writer *w) {
  if (!w) return;
  const fc_h5_quiet q = fc_h5_hush();
  close_file(w);
  fc_h5_unhush(q);
  /* where the first rank waits for one that has failed, it will be killed, not told */
  if (is_first(w) || fc_comm_alone()) unlink(w->tmp);
  release(w);
}
