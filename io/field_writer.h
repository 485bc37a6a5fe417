/* io/field_writer.h - fields to HDF5 in The Well's layout, with units, provenance and an
   .xmf beside it that ParaView's "XDMF Reader" opens. Written to PATH.tmp and renamed at the
   end: a file under its own name is always complete. */
#ifndef FC_FIELD_WRITER_H
#define FC_FIELD_WRITER_H
#include "io/field.h"

typedef struct fc_out_field { /* a scalar (rank 0) or vector (rank 1) field */
  const char *name, *unit;
  int         rank;
} fc_out_field;

typedef struct fc_field_spec {
  const char         *name; /* of the data set */
  int                 ndim;
  int64_t             dim[3];
  const char         *axis[3]; /* NULL: x, y, z */
  double              origin[3], spacing[3];
  const double       *points[3];   /* [dim] rising coordinates; NULL: even steps from origin by spacing */
  bool                periodic[3]; /* else the boundary is written as wall (closed) or open */
  bool                wall[3];
  int64_t             n_traj, n_steps;
  double              t0, dt;                 /* uniform times */
  const char         *time_unit, *space_unit; /* "" for non-dimensional: written as "1" */
  int                 n_fields;
  const fc_out_field *field;
  int                 n_constant; /* constant in time, one value set per trajectory */
  const fc_out_field *constant;
  int                 n_params;
  struct {
    const char *name;
    double      value;
  } param[FC_FIELD_PARAMS];
  int n_texts; /* root attributes: command, solver, config, model, ... */
  struct {
    const char *name, *value;
  } text[8];
  bool compress; /* gzip 1 + shuffle; one chunk = one frame of one field */
  /* Several ranks write one file: all of them create and finish it together, each writes lines lo .. lo + n -
     1 of the first axis of whatever frames it has. Not compressed: every number has its place from the start.
   */
  bool                  shared;
  const struct fc_comm *ranks; /* NULL: all */
  int64_t               lo, n;
} fc_field_spec;

typedef struct fc_field_writer fc_field_writer;

/* name of channel c of these fields, as readers will call it ("velocity_x"); false past the last one */
bool fc_field_spec_channel(const fc_field_spec *s, int n, const fc_out_field *fields, int c,
                           char name[FC_NAME]);

fc_status fc_field_writer_create(const char *path, const fc_field_spec *spec, fc_field_writer **out);
/* x[nt, X.., C], C = scalars and vector components in the order of spec->field, scalars first */
fc_status fc_field_write(fc_field_writer *w, int64_t traj, int64_t t0, int64_t nt, const fc_real *x);
fc_status fc_field_write_constant(fc_field_writer *w, int64_t traj, const fc_real *x); /* [X.., C] */
/* flushes, fsyncs, renames, writes the .xmf; the writer is gone whatever is returned */
fc_status fc_field_writer_finish(fc_field_writer *w);
void      fc_field_writer_abandon(fc_field_writer *w); /* removes the temporary file; NULL is fine */

/* For runs that are cut and go on later, in shared files alone, whose numbers have their places from the
   start. Sync: what this rank has written is on the disk, and the temporary file stays whatever becomes of
   the process. Leave: sync, and the writer is gone. Reopen: all ranks go on in the temporary file of a writer
   that was made with the same specification; FC_E_INPUT: it is not there, or not that one. */
fc_status fc_field_writer_sync(fc_field_writer *w);
fc_status fc_field_writer_leave(fc_field_writer *w);
fc_status fc_field_writer_reopen(const char *path, const fc_field_spec *spec, fc_field_writer **out);
#endif
