/* io/cloud_writer.h - samples of points to HDF5 in our own layout (docs/formats.md), with units and
   provenance. Written to PATH.tmp and renamed at the end: a file under its own name is always complete. */
#ifndef FC_CLOUD_WRITER_H
#define FC_CLOUD_WRITER_H
#include "io/cloud.h"

typedef struct fc_out_points_field {
  const char        *name, *unit;
  int                n;         /* components */
  const char *const *component; /* [n] names, or NULL: NAME_x, ... or NAME_0, ... */
  fc_cloud_role      role;
  bool               varying; /* in time */
} fc_out_points_field;

typedef struct fc_out_function {
  const char        *name;
  int                space, n;             /* coordinates, which come first; columns in all */
  const char *const *column, *const *unit; /* [n]; NULL: numbered, without units */
} fc_out_function;

typedef struct fc_cloud_spec {     /* must live as long as the writer */
  const char                *name; /* of the data set */
  int                        space;
  const char                *axis[3]; /* NULL: x, y, z */
  const char                *space_unit, *time_unit;
  int64_t                    n_steps; /* 0: no time axis */
  const double              *time;    /* [n_steps] */
  int                        n_fields;
  const fc_out_points_field *field;
  int                        n_params;
  struct {
    const char *name, *unit;
  } param[FC_CLOUD_PARAMS];
  int                    n_functions;
  const fc_out_function *function;
  int                    corners, mask; /* points of a cell, mask numbers of a point; 0: none */
  int                    n_texts;       /* root attributes: command, model, ... */
  struct {
    const char *name, *value;
  } text[8];
  bool compress; /* gzip 1 + shuffle */
  /* Several ranks write one file: all of them create and finish it together, and each writes blocks of the
     points of samples whose sizes are known from the start. Not compressed: every number has its place. */
  bool                  shared;
  const struct fc_comm *ranks; /* NULL: all */
  int64_t               n_samples;
  const fc_cloud_size  *size; /* [n_samples], whole */
} fc_cloud_spec;

typedef struct fc_cloud_sample {
  int64_t               points;
  const fc_real        *x;             /* [points, space] */
  const fc_real *const *field;         /* [n_fields]: [points, n], varying [n_steps, points, n] */
  const fc_real        *params, *mask; /* [n_params], [points, mask] */
  int64_t               rows[FC_CLOUD_FUNCTIONS];
  const fc_real        *function[FC_CLOUD_FUNCTIONS]; /* [rows, n] */
  int64_t               cells;
  const int64_t        *cell; /* [cells, corners] */
} fc_cloud_sample;

typedef struct fc_cloud_writer fc_cloud_writer;

fc_status fc_cloud_writer_create(const char *path, const fc_cloud_spec *spec, fc_cloud_writer **out);
fc_status fc_cloud_write(fc_cloud_writer *w, const fc_cloud_sample *s); /* the next sample */
/* Of a shared file: points first .. first + s->points - 1 of a sample. Parameters and cells are the sample's;
   NULL where another rank writes them. Functions and masks are not for shared files. */
fc_status fc_cloud_write_share(fc_cloud_writer *w, int64_t sample, int64_t first, const fc_cloud_sample *s);
/* flushes, fsyncs, renames; the writer is gone whatever is returned. FC_E_USAGE without samples */
fc_status fc_cloud_writer_finish(fc_cloud_writer *w);
void      fc_cloud_writer_abandon(fc_cloud_writer *w); /* removes the temporary file; NULL is fine */
#endif
