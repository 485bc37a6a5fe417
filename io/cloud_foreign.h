/* io/cloud_foreign.h - private to io/cloud_{shape,foreign,groups}.c: a look at HDF5 that another tool wrote.
   Arrays of all samples stand at the root, [sample, point, component], or every group is a sample; a root
   without a sample axis is one sample, or one mesh that all samples share. */
#ifndef FC_CLOUD_FOREIGN_H
#define FC_CLOUD_FOREIGN_H
#include "core/tensor.h"
#include "io/cloud_layout.h"

typedef struct fc_look {
  hid_t                   file, at;     /* at: the group of a sample, or the file */
  const char             *path, *where; /* for messages: "", or "group '0': " */
  const fc_cloud_mapping *told;
  fc_cloud_map           *m;
  int64_t                 B, T, rows[FC_ROWS_KINDS]; /* 0: not known yet; T = 0: no time axis */
} fc_look;

bool fc_look_has(const fc_look *l, const char *name); /* a data set */
bool fc_look_integers(const fc_look *l, const char *name);
/* rank of a data set of numbers, -1 if it is none */
int fc_look_shape(const fc_look *l, const char *name, int64_t *dim);
/* the length an axis letter stands for; NULL where any will do */
int64_t *fc_look_extent(fc_look *l, int rows, char letter);
/* the first of n candidates that the shape of a fits becomes its axes; lengths learned from it are kept */
bool fc_look_axes(fc_look *l, int n, const char *const *candidates, int rank, fc_cloud_array *a);
/* Adds a data set if its shape can be understood, else *out = -1; strict: that is an error. unit may be NULL.
 */
fc_status fc_look_take(fc_look *l, const char *name, int rows, bool strict, char *unit, int *out);
fc_status fc_look_misfit(const fc_look *l, const fc_cloud_array *a, const char *name, int rank);
/* key of the mapping names something that is not there */
fc_status fc_look_absent(const fc_look *l, const char *key, const char *name);
void      fc_look_names(hid_t at, char *out, size_t size); /* "x, y, w" */

/* data.coordinates, or names known here; *n = 0: none are here */
fc_status fc_look_coordinates(fc_look *l, int *n);
/* all the rest of a sample; FC_E_INPUT if it has no fields */
fc_status fc_look_everything(fc_look *l);
#endif
