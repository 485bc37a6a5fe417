/* io/field_part.h - private to io/field*.c: an open data set and its files. Only a few files are
   open at a time; the one used longest ago is closed for the next. */
#ifndef FC_FIELD_PART_H
#define FC_FIELD_PART_H
#include "io/field_layout.h"

enum { FC_FIELD_OPEN = 8 };

typedef struct fc_field_part { /* one file */
  char   *path;
  int64_t first, n_traj, n_steps; /* its trajectories are first .. first + n_traj - 1 */
  fc_var *var;                    /* [n_vars]: sizes and packing differ by file */
  char (*group)[FC_NAME];
  double   param[FC_FIELD_PARAMS]; /* of its first trajectory, in the order of the whole; NaN: not there */
  hid_t    file;                   /* -1: closed */
  hid_t   *set;                    /* [n_vars] data sets, -1: not open */
  int64_t  set_traj;               /* grouped files: whose data sets are open */
  uint64_t used;
} fc_field_part;

struct fc_field {
  fc_field_map  *map; /* of the first file, with info for all */
  int            n_parts;
  fc_field_part *part;
  uint64_t       clock;
  void          *raw; /* values as they lie in the file, grows to the largest read */
  size_t         raw_bytes;
  int64_t        share_lo, share_n; /* of the first axis, after strides; n = 0: all */
  int            n_texts;
  struct {
    char *name, *value;
  } * text;
};

/* the file that holds a trajectory, opened, and its index there; FC_E_USAGE if there is no such trajectory */
fc_status fc_field_locate(fc_field *f, int64_t traj, fc_field_part **part, int64_t *local);
/* data set of var k for the trajectory; checked to have the size it had when the file was opened first */
fc_status fc_field_data_set(fc_field *f, fc_field_part *p, int64_t local, int k, hid_t *out);
void      fc_field_part_close(const fc_field *f, fc_field_part *p); /* the file; p can be opened again */
fc_status fc_field_raw(fc_field *f, size_t bytes);                  /* makes f->raw at least so large */
/* body of fc_field_times without hushing HDF5 */
fc_status fc_field_read_times(fc_field *f, int64_t traj, int64_t t0, int64_t nt, double *t);
#endif
