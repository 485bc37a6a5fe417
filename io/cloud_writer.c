/* io/cloud_writer.c - points into a file in our own layout: PATH.tmp until it is complete. One process
   appends sample after sample; ranks that share a file write where their rows belong, as io/field_writer.c
   does. */
#include "hpc/comm.h"
#include "hpc/watch.h"
#include "io/cloud_create.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- life ---- */

static fc_status refused(const fc_cloud_writer *w) {
  return fc_fail(FC_E_SYSTEM, "%s: cannot write: %s", w->tmp, w->error ? strerror(w->error) : "HDF5 refused");
}

static bool close_file(fc_cloud_writer *w) {
  bool ok = true;

  for (int i = 0; i < w->n; i++) {
    if (w->set[i].id >= 0) ok &= H5Dclose(w->set[i].id) >= 0;
    w->set[i].id = -1;
  }
  if (w->file >= 0) ok &= H5Fclose(w->file) >= 0;
  w->file = -1;
  if (w->fd >= 0 && (fsync(w->fd) || close(w->fd)) && !w->error) w->error = errno;
  w->fd = -1;
  return ok && !w->error;
}

static bool is_first(const fc_cloud_writer *w) { return !w->spec->shared || !fc_comm_rank(w->spec->ranks); }

static void release(fc_cloud_writer *w) {
  if (w->tmp) fc_watch_litter(w->tmp, false);
  free(w->path);
  free(w->tmp);
  free(w);
}

static fc_status create(fc_cloud_writer *w) {
  w->file = fc_h5_create(w->tmp, &w->error);
  return w->file >= 0 && fc_cloud_build(w) && !w->error ? FC_OK : refused(w);
}

/* ---- one file, several ranks ---- */

/* where the data sets begin; the file is complete but for the numbers of samples */
static fc_status place_sets(fc_cloud_writer *w, int64_t *address) {
  for (int i = 0; i < w->n; i++) {
    const haddr_t at = w->set[i].total ? H5Dget_offset(w->set[i].id) : 0;
    if (at == HADDR_UNDEF) return refused(w);
    address[i] = (int64_t)at;
  }
  return close_file(w) ? FC_OK : refused(w);
}

/* rank 0 makes the file, the others hear where its data sets lie */
static fc_status create_shared(fc_cloud_writer *w) {
  const fc_comm *ranks                  = w->spec->ranks;
  int64_t        address[FC_CLOUD_SETS] = {0};
  fc_status      s                      = FC_OK;

  if (!fc_comm_rank(ranks) && (s = create(w)) == FC_OK) s = place_sets(w, address);
  FC_TRY(fc_comm_agree(ranks, s));
  FC_TRY(fc_comm_broadcast(ranks, address, sizeof address, 0));
  for (int i = 0; i < FC_CLOUD_SETS; i++) w->set[i].address = address[i];
  w->fd = open(w->tmp, O_WRONLY);
  if (w->fd < 0) w->error = errno;
  return fc_comm_agree(ranks, w->fd < 0 ? refused(w) : FC_OK);
}

fc_status fc_cloud_writer_create(const char *path, const fc_cloud_spec *spec, fc_cloud_writer **out) {
  *out = NULL;
  FC_TRY(fc_cloud_spec_check(spec));
  FC_TRY(fc_file_check_target(path));
  fc_cloud_writer *w = calloc(1, sizeof *w);
  FC_REQUIRE(w, FC_E_SYSTEM, "%s: not enough memory", path);
  w->spec = spec;
  w->file = w->fd = -1;
  w->path         = strdup(path);
  w->tmp          = malloc(strlen(path) + 5);
  if (!w->path || !w->tmp) {
    release(w);
    return fc_fail(FC_E_SYSTEM, "%s: not enough memory", path);
  }
  strcat(strcpy(w->tmp, path), ".tmp");
  fc_watch_litter(w->tmp, true); /* on all ranks: any of them may be the one that is left */
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = spec->shared ? create_shared(w) : create(w);
  fc_h5_unhush(q);
  if (s == FC_OK)
    *out = w;
  else
    fc_cloud_writer_abandon(w);
  return s;
}

/* the rows so far, after a sample's own */
static bool append_offset(fc_cloud_set *rows, fc_cloud_set *offsets) {
  return fc_cloud_append(offsets, 1, &rows->rows);
}

static bool write_all(fc_cloud_writer *w, const fc_cloud_sample *x) {
  const fc_cloud_spec *s  = w->spec;
  fc_cloud_set        *g  = w->set;
  bool                 ok = fc_cloud_append(g, x->points, x->x) && append_offset(g, g + 1);

  g += 2;
  for (int i = 0; ok && i < s->n_fields; i++, g++)
    ok = fc_cloud_append(g, x->points * (s->field[i].varying ? s->n_steps : 1), x->field[i]);
  for (int i = 0; ok && i < s->n_params; i++, g++) ok = fc_cloud_append(g, 1, x->params + i);
  if (ok && s->mask) ok = fc_cloud_append(g++, x->points, x->mask);
  for (int i = 0; ok && i < s->n_functions; i++, g += 2)
    ok = fc_cloud_append(g, x->rows[i], x->function[i]) && append_offset(g, g + 1);
  if (ok && s->corners) ok = fc_cloud_append(g, x->cells, x->cell) && append_offset(g, g + 1);
  return ok;
}

fc_status fc_cloud_write(fc_cloud_writer *w, const fc_cloud_sample *x) {
  FC_REQUIRE(x->points >= 1, FC_E_USAGE, "%s: a sample without points cannot be written", w->path);
  const fc_h5_quiet q  = fc_h5_hush();
  const bool        ok = write_all(w, x) && !w->error;
  fc_h5_unhush(q);
  return ok ? FC_OK : refused(w);
}

/* n numbers in a row at number `at` of set g */
static void put(fc_cloud_writer *w, const fc_cloud_set *g, int64_t at, int64_t n, const fc_real *x) {
  const int64_t size = (int64_t)sizeof *x;

  if (!w->error) w->error = fc_file_put(w->fd, x, n * size, g->address + at * size);
}

static void put_field(fc_cloud_writer *w, const fc_cloud_set *g, const fc_out_points_field *f, int64_t sample,
                      int64_t before, int64_t first, int64_t n, const fc_real *x) {
  const int64_t steps = f->varying ? w->spec->n_steps : 1, N = w->spec->size[sample].points;

  for (int64_t t = 0; t < steps; t++)
    put(w, g, (before * steps + t * N + first) * f->n, n * f->n, x + t * n * f->n);
}

/* whole numbers of four bytes on disk */
static bool put_cells(fc_cloud_writer *w, const fc_cloud_set *g, int64_t before, int64_t n,
                      const int64_t *cell) {
  const int64_t len   = n * w->spec->corners;
  int32_t      *small = malloc((size_t)(len + 1) * sizeof *small);

  for (int64_t i = 0; small && i < len; i++) small[i] = (int32_t)cell[i];
  if (small && !w->error)
    w->error = fc_file_put(w->fd, small, len * (int64_t)sizeof *small,
                           g->address + before * w->spec->corners * (int64_t)sizeof *small);
  free(small);
  return small != NULL;
}

fc_status fc_cloud_write_share(fc_cloud_writer *w, int64_t sample, int64_t first, const fc_cloud_sample *x) {
  const fc_cloud_spec *s      = w->spec;
  const fc_cloud_set  *g      = w->set;
  int64_t              before = 0, cells = 0;
  bool                 ok = true;

  FC_ASSERT(s->shared && sample >= 0 && sample < s->n_samples, "cloud writer: no share of sample %lld",
            (long long)sample);
  for (int64_t i = 0; i < sample; i++) before += s->size[i].points, cells += s->size[i].cells;
  put(w, g, (before + first) * s->space, x->points * s->space, x->x);
  g += 2;
  for (int i = 0; i < s->n_fields; i++)
    put_field(w, g++, &s->field[i], sample, before, first, x->points, x->field[i]);
  for (int i = 0; i < s->n_params; i++, g++)
    if (x->params) put(w, g, sample, 1, x->params + i);
  if (s->corners && x->cell) ok = put_cells(w, g, cells, x->cells, x->cell);
  FC_REQUIRE(ok, FC_E_SYSTEM, "%s: not enough memory for the cells of a sample", w->path);
  return w->error ? refused(w) : FC_OK;
}

fc_status fc_cloud_writer_finish(fc_cloud_writer *w) {
  const fc_h5_quiet q   = fc_h5_hush();
  const bool        any = w->spec->shared || w->set[0].rows > 0;
  fc_status         s   = close_file(w) ? FC_OK : refused(w);

  fc_h5_unhush(q);
  if (s == FC_OK && !any) s = fc_fail(FC_E_USAGE, "%s: there are no samples to write", w->path);
  if (w->spec->shared) s = fc_comm_agree(w->spec->ranks, s); /* all have written */
  if (is_first(w) && s == FC_OK) s = fc_file_replace(w->tmp, w->path);
  if (is_first(w) && s != FC_OK) unlink(w->tmp);
  if (w->spec->shared) s = fc_comm_agree(w->spec->ranks, s);
  release(w);
  return s;
}

void fc_cloud_writer_abandon(fc_cloud_writer *w) {
  if (!w) return;
  const fc_h5_quiet q = fc_h5_hush();
  close_file(w);
  fc_h5_unhush(q);
  if (is_first(w)) unlink(w->tmp);
  release(w);
}
